//! Whatever is drawn, at whatever size: only plain characters reach the terminal, and nothing panics.
use crate::screen_world::{ATTACK, KINDS, Kind, SCREENS, detail, look, now, press, start_over, state};
use claviger::{
    finding::{Finding, Severity},
    text::{Printable, Untrusted, is_plain},
    tuf::name::Gun,
    tui::{
        action::{Action, Command, Edit},
        screens::frame::paint,
        shelf::Repo,
        state::State,
        theme::Theme,
        update::update,
    },
    views::{
        chain::NodeState,
        repositories::{Health, RepositoryRow},
    },
};
use proptest::prelude::*;
use ratatui::{buffer::Buffer, layout::Rect};

fn drawn(s: &State) -> Buffer {
    let area = Rect::new(0, 0, s.size.0, s.size.1);
    let mut b = Buffer::empty(area);
    paint(s, area, &mut b);
    b
}

fn unsafe_characters(b: &Buffer) -> String {
    b.content.iter().flat_map(|c| c.symbol().chars()).filter(|c| !is_plain(*c)).collect()
}

/// Draws every screen of a state.
fn every_screen(s: &mut State, mut look: impl FnMut(&str, &State)) {
    for (name, way) in SCREENS {
        start_over(s);
        press(s, way);
        look(name, s);
    }
}

#[test]
fn no_screen_holds_an_unprintable_character() {
    for theme in [Theme::FULL, Theme::BARE] {
        for size in [(80, 24), (120, 40), (61, 15), (250, 70)] {
            let mut s = state(Kind::Hostile, theme, size);
            every_screen(&mut s, |name, s| {
                assert_eq!(unsafe_characters(&drawn(s)), "", "{name}");
                if !theme.unicode {
                    assert!(drawn(s).content.iter().all(|c| c.symbol().is_ascii()), "{name}");
                }
            });
        }
    }
}

#[test]
fn what_a_refused_repository_claims_is_shown_safely() {
    let mut s = state(Kind::Hostile, Theme::FULL, (80, 24));
    press(&mut s, &[Command::Place(2), Command::Down, Command::Open]);
    let gun = s.open_repo().unwrap().gun.clone();
    let epoch = s.epoch;
    update(&mut s, Action::Looked(epoch, gun, Box::new(Ok(look()))));
    let b = drawn(&s);
    assert_eq!(unsafe_characters(&b), "");
    assert!(b.content.iter().map(|c| c.symbol()).collect::<String>().contains("CLAIMS, NOT TRUSTED"));
}

#[test]
fn what_is_pasted_into_a_filter_is_shown_safely() {
    let mut s = state(Kind::Hostile, Theme::FULL, (80, 24));
    press(&mut s, &[Command::Place(1), Command::Filter]);
    update(&mut s, Action::Edit(Edit::Insert(ATTACK.to_owned())));
    let b = drawn(&s);
    assert_eq!(unsafe_characters(&b), "");
    let all: String = b.content.iter().map(|c| c.symbol()).collect();
    assert!(all.contains("<202e>"), "an invisible character of a filter is seen");
}

#[test]
fn no_size_is_too_odd() {
    for kind in KINDS.into_iter().filter(|k| *k != Kind::Many) {
        for theme in [Theme::FULL, Theme::BARE] {
            let mut s = state(kind, theme, (80, 24));
            for w in [0, 1, 2, 3, 10, 59, 60, 61, 75, 76, 80, 120, 300] {
                for h in [0, 1, 2, 14, 15, 16, 18, 20, 24, 40, 100] {
                    update(&mut s, Action::Resize(w, h));
                    every_screen(&mut s, |_, s| drop(drawn(s)));
                    press(&mut s, &[Command::Last, Command::HalfUp]);
                    update(&mut s, Action::Click(w / 2, h / 2));
                    update(&mut s, Action::Wheel(7));
                    drop(drawn(&s));
                }
            }
        }
    }
}

#[test]
fn a_frame_that_is_not_the_size_that_was_told_is_drawn_all_the_same() {
    let mut s = state(Kind::Normal, Theme::FULL, (120, 40));
    every_screen(&mut s, |_, s| {
        for (w, h) in [(0, 0), (1, 1), (60, 15), (300, 100)] {
            let area = Rect::new(0, 0, w, h);
            paint(s, area, &mut Buffer::empty(area));
        }
    });
}

#[test]
fn too_small_a_terminal_is_told_so() {
    for size in [(59, 24), (80, 14)] {
        let all: String = drawn(&state(Kind::Normal, Theme::FULL, size)).content.iter().map(|c| c.symbol()).collect();
        assert!(all.contains("too small"));
        assert!(!all.contains("verified"), "half a screen could mislead");
    }
}

#[test]
fn nothing_refused_looks_trusted() {
    for (size, theme) in [((80, 24), Theme::FULL), ((120, 40), Theme { colour: false, unicode: true }), ((80, 24), Theme::BARE)] {
        let gun = Gun::new("registry.example/refused").unwrap();
        let why = || Printable::from_untrusted("the timestamp is older than one seen before");
        for known in [false, true] {
            let mut s = state(Kind::Empty, theme, size);
            let detail = known.then(|| Box::new(detail(&gun, false, 4)));
            let epoch = s.epoch;
            let inventory = claviger::views::desk::Inventory {
                guns: vec![gun.clone()],
                anchored: Default::default(),
                notes: vec![],
                unsigned: Default::default(),
            };
            update(&mut s, Action::InventoryTaken(epoch, inventory));
            let row = RepositoryRow { gun: gun.clone(), health: Health::Refused(why()), detail, advice: None };
            update(&mut s, Action::Loaded(epoch, Box::new(Repo::new(row, now()))));
            press(&mut s, &[Command::Place(2)]);
            for tab in [Command::First, Command::Open, Command::TabRight, Command::TabRight] {
                press(&mut s, &[tab]);
                let all: String = drawn(&s).content.iter().map(|c| c.symbol()).collect();
                assert!(all.contains("NOT TRUSTED"), "{all}");
                for word in ["verified", "✓", "docker pulls it", "pinned", "remembered", "live"] {
                    assert!(!all.contains(word), "{word:?} on the screen of a refused repository:\n{all}");
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_text_from_outside_reaches_the_terminal_as_it_is(text in ".{0,60}|[\\x00-\\x1f\\u{7f}-\\u{9f}\\u{200b}-\\u{202e}\\u{2060}-\\u{206f}\\u{300}-\\u{310}日é🙂]{0,40}") {
        let gun = Gun::new("registry.example/app").unwrap();
        let mut s = state(Kind::Hostile, Theme::FULL, (100, 30));
        s.facts.trust_dir = Printable::from_untrusted(&text);
        let epoch = s.epoch;
        let mut d = detail(&gun, true, 4);
        d.findings = vec![Finding::new("x", Severity::Warn, text.clone())];
        d.chain.state = NodeState::Refused(text.clone());
        d.chain.findings = d.findings.clone();
        d.tags[0].name = Untrusted::new(text.clone());
        let inventory = claviger::views::desk::Inventory { guns: vec![gun.clone()], anchored: Default::default(), notes: vec![text.clone()], unsigned: Default::default() };
        update(&mut s, Action::InventoryTaken(epoch, inventory));
        update(&mut s, Action::Step(epoch, gun.clone(), text.clone()));
        prop_assert!(unsafe_characters(&drawn(&s)).is_empty());
        let row = RepositoryRow { gun, health: Health::Verified(None), detail: Some(Box::new(d)), advice: None };
        update(&mut s, Action::Loaded(epoch, Box::new(Repo::new(row, now()))));
        for way in [
            &[][..], &[Command::Place(1)], &[Command::Place(1), Command::Open], &[Command::Place(2)],
            &[Command::Place(2), Command::Open], &[Command::Place(2), Command::Open, Command::TabRight],
            &[Command::Place(2), Command::Open, Command::TabRight, Command::TabRight],
        ] {
            start_over(&mut s);
            press(&mut s, way);
            prop_assert!(unsafe_characters(&drawn(&s)).is_empty(), "{:?}", way);
        }
    }
}
