//! Forms on the screen: what is wrong is said while one types, and a form goes on only when nothing is.
use crate::screen_wizard::{ask, asked, begun, drawn, form, hit, key, type_in};
use claviger::{
    operator::{Field, Question},
    tui::{
        action::{Action, Edit},
        effect::{Effect, Reply},
        layer::Context,
        screens::frame::paint,
        theme::Theme,
        update::update,
        wizard::Page,
    },
};
use crossterm::event::{KeyCode, KeyModifiers};
use ratatui::buffer::Buffer;

#[test]
fn a_form_says_what_is_wrong_while_one_types_and_goes_on_only_when_nothing_is() {
    let mut s = asked(Question::Form(form()), false);
    assert!(!drawn(&s).contains("a name is needed"), "nobody was here yet");
    type_in(&mut s, "Q");
    assert!(drawn(&s).contains("! Q is no name"), "{}", drawn(&s));
    assert_eq!(key(&mut s, KeyCode::Char('d'), KeyModifiers::CONTROL), [], "it is wrong");
    hit(&mut s, KeyCode::Backspace);
    type_in(&mut s, "ana");
    assert!(!drawn(&s).contains("! "), "{}", drawn(&s));
    hit(&mut s, KeyCode::Tab);
    assert_eq!(s.context(), Context::Choice);
    hit(&mut s, KeyCode::Left);
    assert!(drawn(&s).contains("< targets >"), "behind the first comes the last:\n{}", drawn(&s));
    hit(&mut s, KeyCode::Enter);
    assert_eq!(s.context(), Context::Form);
    assert_eq!(hit(&mut s, KeyCode::Enter), [], "at the last field, with something wrong");
    assert!(drawn(&s).contains("! a targets key belongs to a repository"), "{}", drawn(&s));
    type_in(&mut s, "alpine");
    assert!(drawn(&s).contains("✓ understood as docker.io/library/alpine"), "{}", drawn(&s));
    let effects = hit(&mut s, KeyCode::Enter);
    let [Effect::Answer(Reply::Values(values))] = effects.as_slice() else { panic!("{effects:?}") };
    let all: Vec<_> = values.iter().collect();
    assert_eq!(all, [("name", "ana"), ("role", "targets"), ("gun", "alpine")]);
    // Answered once is answered: the same key again goes nowhere.
    assert_eq!(hit(&mut s, KeyCode::Enter), []);
}

#[test]
fn whoever_goes_on_with_a_wrong_field_is_led_to_the_first_one() {
    let mut s = asked(Question::Form(form()), false);
    hit(&mut s, KeyCode::Down);
    hit(&mut s, KeyCode::Down);
    type_in(&mut s, "superfluous");
    assert_eq!(key(&mut s, KeyCode::Char('d'), KeyModifiers::CONTROL), []);
    let Some(Page::Form(page)) = s.wizard().map(|w| &w.page) else { panic!() };
    assert_eq!(page.focus, 0);
    assert!(drawn(&s).contains("! a name is needed") && drawn(&s).contains("! leave this empty"), "{}", drawn(&s));
    hit(&mut s, KeyCode::BackTab);
    type_in(&mut s, "l?q");
    let Some(Page::Form(page)) = s.wizard().map(|w| &w.page) else { panic!() };
    assert_eq!((page.focus, page.values().get("name")), (0, "l?q"), "letters are text, and nothing is above the first field");
}

#[test]
fn pasted_lines_become_one_line_and_no_command() {
    let mut s = asked(Question::Form(form()), false);
    update(&mut s, Action::Edit(Edit::Insert("a\r\nb\u{1b}[2J\n".repeat(400))));
    let Some(Page::Form(page)) = s.wizard().map(|w| &w.page) else { panic!() };
    let name = page.values().get("name").to_owned();
    assert!(name.starts_with("ab[2Jab") && name.len() <= 1000, "{}", name.len());
}

#[test]
fn the_field_that_has_the_input_is_seen_on_the_smallest_screen() {
    let mut s = begun(Theme::FULL, (60, 15));
    let mut f = form();
    let more = (0..10).map(|i| Field::text("more", "More", "one of many").with(format!("value {i}")));
    f.fields.extend(more);
    ask(&mut s, Question::Form(f), false);
    for i in 0..10 {
        hit(&mut s, KeyCode::Down);
        let mut b = Buffer::empty(s.screen());
        let cursor = paint(&s, s.screen(), &mut b);
        assert!(drawn(&s).lines().any(|l| l.contains('▌') && (i < 2 || l.contains("value"))), "{i}\n{}", drawn(&s));
        assert_eq!(cursor.is_some(), s.context() == Context::Form, "{i}");
    }
}
