//! Every page of guided work: its picture, its footer, and what it makes of text that attacks the terminal.
use crate::{
    screen_pictures::hold,
    screen_wizard::{ask, begun, confirm, drawn, form, review, secret},
    screen_world::ATTACK,
};
use claviger::{
    failure::Failure,
    operator::{Field, Question, SecretKind, SecretWanted},
    text::is_plain,
    tui::{action::Action, keymap, layout, screens::frame::paint, state::State, theme::Theme, update::update, wizard::Done},
};
use ratatui::buffer::Buffer;

#[test]
fn the_footer_of_every_page_names_only_keys_that_work() {
    for (name, question) in questions(false) {
        let mut s = begun(Theme::FULL, (250, 60));
        ask(&mut s, question, true);
        let areas = layout::areas(s.screen()).unwrap();
        let all = drawn(&s);
        let footer = all.lines().nth(usize::from(areas.footer.y)).unwrap();
        for e in keymap::entries(s.context()).filter(|e| !e.name.is_empty()) {
            assert_eq!(footer.contains(e.name), keymap::why_not(&s, e.command).is_none(), "{name}: {} in {footer}", e.name);
        }
    }
}

/// One of each kind. `hostile`: every text that can come from outside attacks the terminal.
fn questions(hostile: bool) -> Vec<(&'static str, Question)> {
    let or = |text: &str| if hostile { format!("{text} {ATTACK}") } else { text.to_owned() };
    let (mut f, mut r, mut c) = (form(), review(), confirm());
    let w = |kind| SecretWanted { label: or("root key 0123456789ab"), again: Some(or("It does not open.")), ..secret(kind) };
    if hostile {
        f.title = or("A new key");
        let says = or("it is");
        f.fields[0] = Field::text("name", "Name", "help").with(ATTACK).checked(move |_, _| Ok(Some(says.clone())));
        r.facts.iter_mut().for_each(|(_, v)| *v = or(v));
        r.findings[0].text = or("found");
        c.title = or("will be removed");
        c.consequences.iter_mut().for_each(|t| *t = or(t));
    }
    vec![
        ("form", Question::Form(f)),
        ("existing", Question::Secret(w(SecretKind::Existing))),
        ("new", Question::Secret(w(SecretKind::New))),
        ("replacement", Question::Secret(w(SecretKind::Replacement))),
        ("review", Question::Review(r)),
        ("confirm", Question::Confirm(c)),
        ("working", Question::Working(or("making the key"))),
    ]
}

/// Every page, drawn.
fn every_page(hostile: bool, theme: Theme, size: (u16, u16), mut look: impl FnMut(&str, &State)) {
    for (name, question) in questions(hostile) {
        let mut s = begun(theme, size);
        ask(&mut s, question, true);
        look(name, &s);
    }
    let text = |t: &str| if hostile { format!("{t} {ATTACK}") } else { t.to_owned() };
    let done = Done { happened: text("The key was made, stored and read back."), next: "Back it up now.", ..Done::default() };
    let failure = Failure::new("damaged", text("the file is damaged"), text("no key was made"), text("restore it"));
    for (name, result) in [("done", Ok(done)), ("failed", Err(failure))] {
        let mut s = begun(theme, size);
        update(&mut s, Action::Finished(Box::new(result)));
        look(name, &s);
    }
}

#[test]
fn every_page_looks_as_in_its_picture() {
    for size in [(80, 24), (120, 40)] {
        every_page(false, Theme::FULL, size, |name, s| hold(&format!("wizard_{name}_{}x{}", size.0, size.1), s));
    }
    every_page(false, Theme { colour: false, unicode: true }, (80, 24), |name, s| {
        let mut b = Buffer::empty(s.screen());
        paint(s, s.screen(), &mut b);
        let reset = ratatui::style::Color::Reset;
        assert!(b.content.iter().all(|c| c.fg == reset && c.bg == reset), "{name}");
        hold(&format!("wizard_{name}_nocolour"), s);
    });
    every_page(true, Theme::BARE, (80, 24), |name, s| {
        assert!(drawn(s).is_ascii(), "{name}");
        hold(&format!("wizard_{name}_hostile_ascii"), s);
    });
}

#[test]
fn no_page_holds_an_unprintable_character_whatever_its_size() {
    for theme in [Theme::FULL, Theme::BARE] {
        for size in [(0, 0), (1, 1), (60, 15), (61, 16), (80, 24), (120, 40), (300, 90)] {
            every_page(true, theme, size, |name, s| {
                let bad: String = drawn(s).chars().filter(|c| *c != '\n' && !is_plain(*c)).collect();
                assert!(bad.is_empty(), "{name}: {bad:?}");
            });
        }
    }
}
