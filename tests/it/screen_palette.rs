//! The palette: it has the verbs of the command line, finds them while one types, and says why one cannot be done now.
use crate::{
    screen_pictures::hold,
    screen_wizard::{drawn, hit, key, type_in},
    screen_world::{Kind, press, state},
};
use claviger::tui::{
    action::{Action, Command},
    effect::Effect,
    layer::{Context, Place},
    layout,
    palette::offers,
    screens,
    screens::frame::paint,
    state::State,
    theme::Theme,
    update::update,
    wizard::Work,
};
use crossterm::event::{KeyCode, KeyModifiers};
use ratatui::{buffer::Buffer, style::Color};

/// Commands that the screen does in another way, and which.
const OTHERWISE: &[(&str, &str)] = &[
    ("inspect", "prints what docker prints, for programs"),
    ("repo verify", "the screen verifies whatever it shows; from a clean cache only the command line does"),
    ("passphrase generate", "it is for every program; the screen judges what is typed"),
    ("passphrase check", "the screen judges every new passphrase while it is typed"),
    ("completions", "for shells"),
    ("man", "for the system's manual"),
    ("sandbox", "a world of its own, opened from a shell"),
];

fn open(place: usize, theme: Theme, size: (u16, u16)) -> State {
    let mut s = state(Kind::Normal, theme, size);
    press(&mut s, &[Command::Place(place), Command::Palette]);
    assert_eq!(s.context(), Context::Palette);
    s
}

fn leaves(command: &clap::Command, typed: &str, found: &mut Vec<String>) {
    for c in command.get_subcommands() {
        let typed = format!("{typed} {}", c.get_name()).trim_start().to_owned();
        if c.has_subcommands() {
            leaves(c, &typed, found);
        } else {
            found.push(typed);
        }
    }
}

#[test]
fn every_command_is_in_the_palette_or_done_otherwise() {
    let mut all = Vec::new();
    leaves(&claviger::cli::definition(), "", &mut all);
    let verbs: Vec<&str> = offers().map(|o| o.verb).collect();
    for command in &all {
        let otherwise = OTHERWISE.iter().any(|(c, _)| c == command);
        assert_ne!(verbs.contains(&command.as_str()), otherwise, "`{command}`");
    }
    assert!(OTHERWISE.iter().all(|(c, _)| all.iter().any(|a| a == c)), "a command is gone");
    // And what it calls a command is one, whatever follows.
    for verb in verbs.iter().filter(|v| !["quit", "lock"].contains(v)) {
        assert!(all.iter().any(|c| verb.starts_with(c.as_str())), "there is no command `{verb}`");
    }
}

#[test]
fn a_verb_is_found_while_it_is_typed_and_done_with_enter() {
    for place in [0, 1, 2] {
        let mut s = open(place, Theme::FULL, (80, 24));
        type_in(&mut s, "key gen");
        assert!(drawn(&s).contains("key generate") && !drawn(&s).contains("key remove"), "{}", drawn(&s));
        assert_eq!(hit(&mut s, KeyCode::Enter), [Effect::Perform(Work::GenerateKey)]);
        assert!(s.palette().is_none() && s.wizard().is_some());
    }
    let mut s = open(0, Theme::FULL, (80, 24));
    type_in(&mut s, "repo l");
    hit(&mut s, KeyCode::Enter);
    assert_eq!((s.place, s.context()), (Place::Repositories, Context::Repositories));
    let mut s = open(1, Theme::FULL, (80, 24));
    let wanted = s.selected_key().unwrap().path.clone();
    type_in(&mut s, "rem");
    assert_eq!(hit(&mut s, KeyCode::Enter), [Effect::Perform(Work::RemoveKey(wanted))]);
}

#[test]
fn arrows_choose_tab_completes_and_escape_closes() {
    let mut s = open(1, Theme::FULL, (80, 24));
    type_in(&mut s, "key ex");
    let first = s.palette().unwrap().selected().unwrap().verb;
    hit(&mut s, KeyCode::Down);
    let second = s.palette().unwrap().selected().unwrap().verb;
    assert_ne!(first, second);
    hit(&mut s, KeyCode::Tab);
    assert_eq!(s.palette().unwrap().input.value(), second);
    key(&mut s, KeyCode::Char('u'), KeyModifiers::CONTROL);
    type_in(&mut s, "qqq:?/");
    assert!(drawn(&s).contains("No command is called so."), "letters are text here:\n{}", drawn(&s));
    assert_eq!(hit(&mut s, KeyCode::Enter), []);
    hit(&mut s, KeyCode::Esc);
    assert_eq!((s.context(), s.layers.len()), (Context::Keys, 0));
}

#[test]
fn what_cannot_be_done_says_why_and_does_nothing() {
    // Somewhere else, nothing selected, and nothing may be written at all.
    for (place, kind, read_only, verb, why) in [
        (0, Kind::Normal, false, "key remove", "in Keys."),
        (2, Kind::Normal, false, "key passwd", "in Keys."),
        (1, Kind::Normal, false, "repo show", "in Repositories."),
        (1, Kind::Empty, false, "key remove", "Nothing is selected."),
        (1, Kind::Empty, false, "key export", "There are no keys here."),
        (1, Kind::Normal, true, "key generate", "read-only session"),
        (0, Kind::Normal, true, "key load", "read-only session"),
    ] {
        let mut s = state(kind, Theme::FULL, (120, 40));
        s.read_only = read_only.then(|| "--read-only".to_owned());
        press(&mut s, &[Command::Place(place), Command::Palette]);
        type_in(&mut s, verb);
        assert!(drawn(&s).contains(why), "{verb}:\n{}", drawn(&s));
        if why == "There are no keys here." {
            hit(&mut s, KeyCode::Down);
            hit(&mut s, KeyCode::Down);
        }
        assert_eq!(hit(&mut s, KeyCode::Enter), [], "{verb}");
        assert!(s.palette().is_some() && s.notice.as_ref().unwrap().text.contains(why), "{verb}");
        type_in(&mut s, "x");
        assert!(s.notice.is_none());
    }
}

#[test]
fn the_palette_has_the_input_and_the_mouse() {
    let mut s = open(1, Theme::FULL, (80, 24));
    let areas = layout::areas(s.screen()).unwrap();
    let body = screens::body(Context::Palette, areas.content);
    let verb = s.palette().unwrap().selected().unwrap().verb;
    update(&mut s, Action::Click(body.x + 3, body.y + 1));
    assert_ne!(s.palette().unwrap().selected().unwrap().verb, verb);
    update(&mut s, Action::Wheel(-3));
    assert_eq!(s.palette().unwrap().selected().unwrap().verb, verb);
    let place = layout::place_area(&areas, Place::Repositories);
    update(&mut s, Action::Click(place.x + 2, place.y));
    assert_eq!((s.context(), s.place), (Context::Keys, Place::Keys), "a click beside it closes it, and nothing else");
    // Guided work has the screen to itself.
    let mut s = crate::screen_wizard::begun(Theme::FULL, (80, 24));
    hit(&mut s, KeyCode::Char(':'));
    assert!(s.palette().is_none());
}

#[test]
fn the_palette_looks_as_in_its_picture() {
    let of = |theme, size, typed: &str| {
        let mut s = open(1, theme, size);
        type_in(&mut s, typed);
        s
    };
    for size in [(80, 24), (120, 40)] {
        for (name, typed) in [("all", ""), ("some", "key e"), ("sign", "sign"), ("none", "xyzzy")] {
            hold(&format!("palette_{name}_{}x{}", size.0, size.1), &of(Theme::FULL, size, typed));
        }
    }
    let s = of(Theme { colour: false, unicode: true }, (80, 24), "k");
    let mut b = Buffer::empty(s.screen());
    paint(&s, s.screen(), &mut b);
    assert!(b.content.iter().all(|c| c.fg == Color::Reset && c.bg == Color::Reset));
    hold("palette_nocolour", &s);
    let mut s = of(Theme::BARE, (80, 24), "\u{1b}[2J\u{202e}é");
    assert!(drawn(&s).is_ascii(), "{}", drawn(&s));
    hold("palette_hostile_ascii", &s);
    // At every size it stands.
    for size in [(0, 0), (1, 1), (60, 15), (61, 16), (300, 90)] {
        update(&mut s, Action::Resize(size.0, size.1));
        drawn(&s);
    }
}
