//! The lock: every passphrase is forgotten, nothing that was open is shown, what waits for somebody ends, and what has begun
//! to write goes on.
use crate::{
    screen_pictures::hold,
    screen_wizard::{ask, begun, confirm, drawn, form, review, secret},
    screen_world::{Kind, press, state},
};
use claviger::{
    operator::{Question, SecretKind, SecretWanted},
    secret::{Level, dialogue::Said},
    tui::{
        action::{Action, Command, Edit},
        effect::Effect,
        idle::Idle,
        keymap::{self, Key},
        layer::Context,
        state::{Locked, State},
        theme::Theme,
        update::update,
        wizard::{Done, Page},
    },
};
use crossterm::event::KeyCode;
use std::time::Duration;

const SAYS: &str = "Locked: every passphrase was forgotten.";
const LONG: Duration = Duration::from_secs(600);

fn at(s: &mut State, seconds: u64) -> Vec<Effect> {
    update(s, Action::Uptime(Duration::from_secs(1_000_000 + seconds)))
}

fn existing() -> SecretWanted {
    SecretWanted { label: "root key 0123456789ab".into(), key_id: Some("ab".repeat(32)), ..secret(SecretKind::Existing) }
}

fn idle() -> State {
    let mut s = state(Kind::Normal, Theme::FULL, (80, 24));
    s.idle = Idle::new(LONG);
    assert_eq!(at(&mut s, 0), []);
    s
}

#[test]
fn one_key_locks_from_everywhere_and_enter_goes_on() {
    let x = Key::Ctrl('x');
    for entry in keymap::TABLE.iter().flat_map(|e| e.at) {
        let expected = (*entry != Context::Locked).then_some(Command::Lock);
        assert_eq!(keymap::lookup(*entry, x), expected, "{entry:?}");
    }
    let mut s = state(Kind::Normal, Theme::FULL, (80, 24));
    press(&mut s, &[Command::Place(1), Command::Open]);
    let before = drawn(&s);
    assert_eq!(update(&mut s, Action::Do(Command::Lock)), [Effect::Forget]);
    assert_eq!((s.context(), s.locked), (Context::Locked, Some(Locked::Asked)));
    assert!(drawn(&s).contains(SAYS) && drawn(&s).contains("Press Enter to go on."), "{}", drawn(&s));
    assert!(drawn(&s).contains("Enter go on") && drawn(&s).contains("q quit"), "{}", drawn(&s));
    assert_eq!(keymap::lookup(s.context(), Key::Code(KeyCode::Enter)), Some(Command::Unlock));
    assert_eq!(update(&mut s, Action::Do(Command::Unlock)), []);
    assert_eq!(drawn(&s), before, "everything is where it was");
}

#[test]
fn nothing_else_works_while_it_is_locked() {
    let mut s = state(Kind::Normal, Theme::FULL, (80, 24));
    update(&mut s, Action::Do(Command::Lock));
    let locked = drawn(&s);
    for c in ('a'..='z').chain('0'..='9').filter(|c| *c != 'q') {
        assert_eq!(keymap::lookup(s.context(), Key::Char(c)), None, "{c}");
    }
    for action in [Action::Click(4, 4), Action::Click(30, 8), Action::Wheel(3), Action::Edit(Edit::Insert("x".to_owned()))] {
        assert_eq!(update(&mut s, action), []);
        assert_eq!(drawn(&s), locked);
    }
}

#[test]
fn ten_minutes_without_a_key_lock_and_a_key_begins_them_again() {
    let mut s = idle();
    assert_eq!(at(&mut s, 599), []);
    update(&mut s, Action::Do(Command::Down));
    assert_eq!(at(&mut s, 599), []);
    assert_eq!(at(&mut s, 1198), []);
    assert_eq!(s.locked, None);
    assert_eq!(at(&mut s, 1199), [Effect::Forget]);
    assert_eq!(s.locked, Some(Locked::Idle));
    assert!(drawn(&s).contains(SAYS) && drawn(&s).contains("Nobody has pressed a key"), "{}", drawn(&s));
    assert_eq!(at(&mut s, 5000), [], "once is enough");
    // Going on begins them again.
    update(&mut s, Action::Do(Command::Unlock));
    assert_eq!(at(&mut s, 5000), []);
    assert_eq!((at(&mut s, 5599), s.locked), (vec![], None));
    assert_eq!(at(&mut s, 5600), [Effect::Forget]);
}

#[test]
fn everything_that_a_person_does_counts_and_nothing_else() {
    let does: [fn() -> Action; 6] = [
        || Action::Do(Command::Down),
        || Action::Edit(Edit::Left),
        || Action::Click(1, 1),
        || Action::Wheel(1),
        || Action::Said(Said::Typing(None)),
        || Action::Said(Said::Remember(true)),
    ];
    for (n, action) in does.into_iter().enumerate() {
        let mut s = idle();
        at(&mut s, 599);
        update(&mut s, action());
        at(&mut s, 599);
        assert_eq!((at(&mut s, 601), s.locked), (vec![], None), "{n}");
    }
    let mut s = idle();
    for seconds in (0..600).step_by(60) {
        update(&mut s, Action::Spin);
        update(&mut s, Action::Resize(100, 30));
        update(&mut s, Action::Said(Said::Turn(claviger::secret::dialogue::Turn::New, None)));
        assert_eq!(at(&mut s, seconds), []);
    }
    assert_eq!(at(&mut s, 600), [Effect::Forget]);
}

#[test]
fn work_that_waits_for_somebody_ends() {
    let existing = existing();
    for question in [
        Question::Form(form()),
        Question::Secret(secret(SecretKind::New)),
        Question::Secret(existing),
        Question::Review(review()),
        Question::Confirm(confirm()),
        Question::Working("making the key".to_owned()),
    ] {
        let mut s = begun(Theme::FULL, (80, 24));
        ask(&mut s, question.clone(), true);
        assert_eq!(update(&mut s, Action::Do(Command::Lock)), [Effect::Forget, Effect::StopWork], "{question:?}");
        assert!(s.wizard().unwrap().is_working() && s.wizard().unwrap().stopping);
        // What was on its way when it was locked is not answered either.
        assert_eq!(ask(&mut s, Question::Secret(secret(SecretKind::New)), true), [Effect::StopWork]);
        assert!(drawn(&s).contains(SAYS), "{}", drawn(&s));
    }
}

#[test]
fn work_that_has_begun_goes_on_and_its_result_waits() {
    let mut s = begun(Theme::FULL, (80, 24));
    ask(&mut s, Question::Working("storing the key".to_owned()), false);
    update(&mut s, Action::Began);
    assert_eq!(update(&mut s, Action::Do(Command::Lock)), [Effect::Forget]);
    assert!(drawn(&s).contains("What had begun to write goes on"), "{}", drawn(&s));
    let done = Done { happened: "The key was made.".to_owned(), next: "Back it up now.", ..Done::default() };
    update(&mut s, Action::Finished(Box::new(Ok(done))));
    assert!(drawn(&s).contains(SAYS) && !drawn(&s).contains("The key was made."), "{}", drawn(&s));
    update(&mut s, Action::Do(Command::Unlock));
    assert!(matches!(s.wizard().unwrap().page, Page::Outcome(Ok(_))) && drawn(&s).contains("The key was made."));
    // A result is no work.
    assert_eq!(update(&mut s, Action::Do(Command::Lock)), [Effect::Forget]);
}

#[test]
fn a_question_for_a_passphrase_says_whether_it_is_remembered_and_how_strong_a_new_one_is() {
    let existing = existing();
    let mut s = begun(Theme::FULL, (80, 24));
    ask(&mut s, Question::Secret(existing), true);
    assert!(drawn(&s).contains("Remember it for this sitting: no.") && drawn(&s).contains("^R remember"), "{}", drawn(&s));
    hold("wizard_remember_80x24", &s);
    update(&mut s, Action::Said(Said::Remember(true)));
    assert!(drawn(&s).contains("Remember it for this sitting: yes."), "{}", drawn(&s));
    assert!(!drawn(&s).contains("Strength"));
    for theme in [Theme::FULL, Theme::BARE] {
        let mut s = begun(theme, (80, 24));
        ask(&mut s, Question::Secret(secret(SecretKind::New)), true);
        assert!(!drawn(&s).contains("Remember it") && !drawn(&s).contains("^R"), "{}", drawn(&s));
        assert!(drawn(&s).contains("shown while you type") && drawn(&s).contains("Back it up now."), "{}", drawn(&s));
        for level in Level::ALL {
            update(&mut s, Action::Said(Said::Typing(Some(level))));
            let g = theme.glyphs();
            let bar = g.done.repeat(level.steps()) + &g.to_come.repeat(5 - level.steps());
            assert!(drawn(&s).contains(&format!("Strength: {bar} {level}")), "{}", drawn(&s));
        }
    }
}

#[test]
fn how_many_are_remembered_stands_on_the_screen_until_they_are_forgotten() {
    let mut s = state(Kind::Normal, Theme::FULL, (80, 24));
    assert!(!drawn(&s).contains("remembered"));
    update(&mut s, Action::Remembers(1));
    assert!(drawn(&s).contains("one passphrase is remembered; ^X forgets it"), "{}", drawn(&s));
    update(&mut s, Action::Remembers(2));
    assert!(drawn(&s).contains("2 passphrases are remembered"), "{}", drawn(&s));
    update(&mut s, Action::Do(Command::Lock));
    update(&mut s, Action::Do(Command::Unlock));
    assert!(!drawn(&s).contains("remembered"), "{}", drawn(&s));
}

#[test]
fn the_lock_has_its_picture() {
    for (name, theme, size) in [
        ("locked_80x24", Theme::FULL, (80, 24)),
        ("locked_120x40", Theme::FULL, (120, 40)),
        ("locked_ascii", Theme::BARE, (80, 24)),
    ] {
        let mut s = state(Kind::Normal, theme, size);
        update(&mut s, Action::Do(Command::Lock));
        hold(name, &s);
    }
}
