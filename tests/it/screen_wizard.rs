//! Guided work on the screen: what keys do on each page, and what is shown.
use crate::screen_world::{Kind, press, state};
use claviger::{
    failure::Failure,
    finding::{Finding, Severity},
    operator::{Choice, Confirm, Field, Form, Question, Review, SecretKind, SecretWanted, Step},
    secret::dialogue::{Said, Turn},
    tui::{
        action::{Action, Command, Edit},
        effect::{Effect, Reply},
        keymap,
        layer::{Context, Layer, Place},
        layout,
        screens::frame::paint,
        shelf::KeyShelf,
        state::State,
        theme::Theme,
        update::update,
        wizard::{Asked, CANCELLED, Done, Work},
    },
    views::keys::KeyRows,
};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;

const STEP: Step = Step { name: "wish", says: "Say what the new key is for." };
const ROLES: [Choice; 3] = [
    Choice { value: "delegation", meaning: "signs for a person" },
    Choice { value: "root", meaning: "names all other keys of a repository; kept offline" },
    Choice { value: "targets", meaning: "signs targets and names signers of one repository" },
];

pub fn form() -> Form {
    let named = |n: &str| if n.chars().all(|c| c.is_ascii_lowercase()) { Ok(()) } else { Err(format!("{n} is no name")) };
    Form {
        title: "A new key".to_owned(),
        fields: vec![
            Field::text("name", "Name", "of the signer or the key").checked(move |n, _| match n {
                "" => Err("a name is needed".to_owned()),
                n => named(n).map(|()| None),
            }),
            Field::choice("role", "For", "what the key may sign", ROLES.to_vec()),
            Field::text("gun", "Repository", "only for targets keys").checked(|typed, values| {
                match (values.get("role"), typed) {
                    ("targets", "") => Err("a targets key belongs to a repository; name it".to_owned()),
                    ("targets", t) => Ok(Some(format!("understood as docker.io/library/{t}"))),
                    (_, "") => Ok(None),
                    _ => Err("leave this empty".to_owned()),
                }
            }),
        ],
    }
}

pub fn secret(kind: SecretKind) -> SecretWanted {
    SecretWanted { label: "the new root key".into(), role: "root".into(), key_id: None, kind, again: None }
}

pub fn review() -> Review {
    let id = crate::screen_world::id("new").hex();
    Review {
        title: "A new key".to_owned(),
        facts: vec![
            ("Key", id.clone()),
            ("Role", "root".to_owned()),
            ("File", format!("/home/ana/.docker/trust/private/{id}.key")),
            ("Public half", "/home/ana/root.pub".to_owned()),
        ],
        findings: vec![Finding::new("one", Severity::Warn, "There is another root key here.")],
        verb: "Store the key",
        plan: None,
    }
}

pub fn confirm() -> Confirm {
    Confirm {
        title: "root key 0123456789ab will be removed: /home/ana/.docker/trust/private/x.key".to_owned(),
        consequences: vec![
            "These repositories name it: registry.example/shop/web (root). Without it their role cannot be signed.".to_owned(),
            "No other copy of it is known here. Without a backup it is lost for ever.".to_owned(),
        ],
        typed: "0123456789ab".to_owned(),
    }
}

pub fn ask(s: &mut State, question: Question, may_go_back: bool) -> Vec<Effect> {
    update(s, Action::Asked(Box::new(Asked { step: STEP, question, may_go_back })))
}

/// The keys, with guided work begun.
pub fn begun(theme: Theme, size: (u16, u16)) -> State {
    let mut s = state(Kind::Normal, theme, size);
    press(&mut s, &[Command::Place(1)]);
    assert_eq!(update(&mut s, Action::Do(Command::NewKey)), [Effect::Perform(Work::GenerateKey)]);
    s
}

pub fn asked(question: Question, may_go_back: bool) -> State {
    let mut s = begun(Theme::FULL, (80, 24));
    ask(&mut s, question, may_go_back);
    s
}

pub fn drawn(s: &State) -> String {
    let mut b = Buffer::empty(s.screen());
    paint(s, s.screen(), &mut b);
    let line = |y| (0..b.area.width).map(|x| b[(x, y)].symbol()).collect::<String>();
    (0..b.area.height).map(line).collect::<Vec<_>>().join("\n")
}

/// Presses a key as the terminal sends it.
pub fn key(s: &mut State, code: KeyCode, modifiers: KeyModifiers) -> Vec<Effect> {
    let Some(key) = keymap::Key::of(&KeyEvent::new(code, modifiers)) else { return vec![] };
    let action = match keymap::lookup(s.context(), key) {
        Some(command) => Action::Do(command),
        None if s.context().takes_text() => match keymap::edit(key) {
            Some(edit) => Action::Edit(edit),
            None => return vec![],
        },
        None => return vec![],
    };
    update(s, action)
}

pub fn hit(s: &mut State, code: KeyCode) -> Vec<Effect> {
    key(s, code, KeyModifiers::NONE)
}

pub fn type_in(s: &mut State, text: &str) {
    text.chars().for_each(|c| drop(hit(s, KeyCode::Char(c))));
}

#[test]
fn escape_leads_to_the_question_before_and_out_of_the_first_one() {
    let questions = || {
        [
            Question::Form(form()),
            Question::Secret(secret(SecretKind::New)),
            Question::Review(review()),
            Question::Confirm(confirm()),
        ]
    };
    for question in questions() {
        let mut s = asked(question.clone(), true);
        assert!(drawn(&s).contains("Esc back"), "{}", drawn(&s));
        assert_eq!(hit(&mut s, KeyCode::Esc), [Effect::Answer(Reply::Back)]);
        let mut s = asked(question, false);
        assert!(drawn(&s).contains("Esc cancel"), "{}", drawn(&s));
        assert_eq!(hit(&mut s, KeyCode::Esc), [Effect::Answer(Reply::Cancelled)]);
    }
}

#[test]
fn a_confirmation_is_taken_only_when_it_is_typed_in_full() {
    let mut s = asked(Question::Confirm(confirm()), false);
    for (typed, says) in [
        ("", "lost for ever"),
        ("0123456789a", "Not all of it yet."),
        ("bc", "That is something else."),
        ("\u{15}yes", "That is something else."),
    ] {
        match typed.strip_prefix('\u{15}') {
            Some(rest) => {
                key(&mut s, KeyCode::Char('u'), KeyModifiers::CONTROL);
                type_in(&mut s, rest);
            }
            None => type_in(&mut s, typed),
        }
        assert!(drawn(&s).contains(says) && !drawn(&s).contains("go ahead  "), "{typed:?}\n{}", drawn(&s));
        assert_eq!(hit(&mut s, KeyCode::Enter), [], "{typed:?}");
        assert!(s.notice.as_ref().unwrap().text.contains("Type 0123456789ab in full."));
    }
    key(&mut s, KeyCode::Char('u'), KeyModifiers::CONTROL);
    type_in(&mut s, "0123456789ab");
    assert!(drawn(&s).contains("That is it.") && drawn(&s).contains("Enter go ahead"), "{}", drawn(&s));
    assert_eq!(hit(&mut s, KeyCode::Enter), [Effect::Answer(Reply::Typed("0123456789ab".to_owned()))]);
}

#[test]
fn what_is_longer_than_the_screen_is_read_to_the_end_before_it_is_accepted() {
    let mut long = review();
    long.findings = (0..30).map(|i| Finding::new("x", Severity::Warn, format!("Number {i}."))).collect();
    let mut s = asked(Question::Review(long), true);
    assert!(!drawn(&s).contains("Enter accept"));
    assert_eq!(hit(&mut s, KeyCode::Enter), []);
    assert!(s.notice.as_ref().unwrap().text.contains("read to the end"));
    hit(&mut s, KeyCode::Char('G'));
    assert!(drawn(&s).contains("Number 29.") && drawn(&s).contains("Store the key"), "{}", drawn(&s));
    assert_eq!(hit(&mut s, KeyCode::Enter), [Effect::Answer(Reply::Accepted)]);

    let mut s = asked(Question::Confirm(Confirm { consequences: vec!["a ".repeat(2000)], ..confirm() }), true);
    type_in(&mut s, "0123456789ab");
    assert_eq!(hit(&mut s, KeyCode::Enter), []);
    for _ in 0..200 {
        hit(&mut s, KeyCode::Down);
    }
    assert_eq!(hit(&mut s, KeyCode::Enter).len(), 1);
}

#[test]
fn a_passphrase_is_asked_past_the_screen_which_says_what_to_type() {
    let mut s = begun(Theme::FULL, (80, 24));
    let wanted = secret(SecretKind::New);
    assert_eq!(ask(&mut s, Question::Secret(wanted.clone()), true), [Effect::ReadSecret(wanted)]);
    assert!(drawn(&s).contains("at least 12 characters") && drawn(&s).contains("It cannot be recovered."), "{}", drawn(&s));
    // Nothing that the screen's own reader could bring is text here.
    let before = drawn(&s);
    type_in(&mut s, "hunter2");
    update(&mut s, Action::Edit(Edit::Insert("hunter2".to_owned())));
    assert_eq!(drawn(&s), before);
    update(&mut s, Action::Said(Said::Turn(Turn::Again, None)));
    assert!(drawn(&s).contains("same passphrase"), "{}", drawn(&s));
    update(&mut s, Action::Said(Said::Turn(Turn::New, Some("The two differ. Choose again.".to_owned()))));
    assert!(drawn(&s).contains("! The two differ."), "{}", drawn(&s));
    update(&mut s, Action::SecretTyped);
    assert_eq!(s.context(), Context::Working);
}

#[test]
fn why_a_passphrase_is_asked_once_more_is_said() {
    let mut s = begun(Theme::FULL, (80, 24));
    let again = Some("That passphrase does not open the key.".to_owned());
    ask(&mut s, Question::Secret(SecretWanted { again, ..secret(SecretKind::Existing) }), true);
    update(&mut s, Action::Said(Said::Turn(Turn::Existing, None)));
    assert!(drawn(&s).contains("! That passphrase does not open the key."), "{}", drawn(&s));
    assert!(!drawn(&s).contains("cannot be recovered"));
    update(&mut s, Action::Said(Said::Turn(Turn::Existing, Some("Nothing was typed.".to_owned()))));
    assert!(drawn(&s).contains("! Nothing was typed.") && !drawn(&s).contains("does not open"));
}

#[test]
fn work_is_stopped_until_it_has_begun_to_write() {
    let mut s = asked(Question::Working("making the key".to_owned()), false);
    assert!(s.spins() && drawn(&s).contains("making the key") && drawn(&s).contains("Esc cancel"), "{}", drawn(&s));
    assert_eq!(hit(&mut s, KeyCode::Esc), [Effect::StopWork]);
    assert!(drawn(&s).contains("It is being stopped."));
    assert_eq!(hit(&mut s, KeyCode::Esc), [], "once is enough");
    let mut s = asked(Question::Working("storing the key".to_owned()), false);
    update(&mut s, Action::Began);
    assert!(!drawn(&s).contains("Esc cancel"));
    assert_eq!(hit(&mut s, KeyCode::Esc), []);
    assert!(s.notice.as_ref().unwrap().text.contains("not stopped half-way"));
}

#[test]
fn work_has_the_screen_to_itself() {
    for question in [Question::Form(form()), Question::Review(review()), Question::Secret(secret(SecretKind::New))] {
        let mut s = asked(question, true);
        let (context, areas) = (s.context(), layout::areas(s.screen()).unwrap());
        let place = layout::place_area(&areas, Place::Repositories);
        assert_eq!(update(&mut s, Action::Click(place.x + 2, place.y)), []);
        update(&mut s, Action::Click(areas.content.x + 5, areas.content.y + 3));
        update(&mut s, Action::Wheel(3));
        for c in ['1', '3', 'n', 'D'] {
            assert_eq!(hit(&mut s, KeyCode::Char(c)), []);
        }
        assert_eq!((s.context(), s.place, s.layers.len()), (context, Place::Keys, 1));
    }
    // The help is about the page it was asked on; the next question closes it.
    let mut s = asked(Question::Review(review()), true);
    hit(&mut s, KeyCode::Char('?'));
    assert!(drawn(&s).contains("Help · Review") && drawn(&s).contains("do what the page says"), "{}", drawn(&s));
    ask(&mut s, Question::Form(form()), true);
    assert_eq!(s.context(), Context::Form);
}

#[test]
fn after_it_was_done_the_keys_are_read_and_the_new_one_is_selected() {
    for filter in ["", "root"] {
        let mut s = begun(Theme::FULL, (80, 24));
        let rows = s.keys.roster.rows().to_vec();
        let wanted = rows[3].path.clone();
        s.keys_view.set_filter(filter, &s.keys.roster);
        update(&mut s, Action::Began);
        let done =
            Done { happened: "The key was made.".into(), next: "Back it up now.", key: Some(wanted.clone()), ..Done::default() };
        let epoch = s.epoch;
        assert_eq!(update(&mut s, Action::Finished(Box::new(Ok(done)))), [Effect::ReadJournal(epoch), Effect::ReadKeys(epoch)]);
        assert!(drawn(&s).contains("✓ The key was made.") && drawn(&s).contains("Back it up now."), "{}", drawn(&s));
        update(&mut s, Action::KeysRead(epoch, Box::new(KeyShelf::new(KeyRows { rows, problems: vec![] }))));
        assert_eq!(s.context(), Context::Outcome, "the result stays until it is closed");
        hit(&mut s, KeyCode::Enter);
        assert_eq!((s.context(), &s.selected_key().unwrap().path), (Context::Keys, &wanted), "{filter:?}");
    }
}

#[test]
fn a_removed_key_takes_its_page_with_it_and_the_result_stays() {
    let mut s = state(Kind::Normal, Theme::FULL, (80, 24));
    press(&mut s, &[Command::Place(1), Command::Open]);
    let path = s.selected_key().unwrap().path.clone();
    assert_eq!(hit(&mut s, KeyCode::Char('D')), [Effect::Perform(Work::RemoveKey(path.clone()))]);
    update(&mut s, Action::Began);
    let done = Done { happened: "The file was removed.".into(), next: "Copies stay.", ..Done::default() };
    update(&mut s, Action::Finished(Box::new(Ok(done))));
    let rows: Vec<_> = s.keys.roster.rows().iter().filter(|k| k.path != path).cloned().collect();
    let epoch = s.epoch;
    update(&mut s, Action::KeysRead(epoch, Box::new(KeyShelf::new(KeyRows { rows, problems: vec![] }))));
    assert!(drawn(&s).contains("The file was removed.") && s.notice.is_none(), "{}", drawn(&s));
    hit(&mut s, KeyCode::Esc);
    assert_eq!(s.context(), Context::Keys);
}

#[test]
fn a_failure_is_three_sentences_and_a_cancelled_work_says_that_nothing_was_done() {
    let mut s = begun(Theme::FULL, (80, 24));
    let failure = Failure::new("locked", "the directory is locked", "no key was made", "wait");
    assert_eq!(
        update(&mut s, Action::Finished(Box::new(Err(failure)))),
        [Effect::ReadJournal(0)],
        "no key was touched, none is read"
    );
    let all = drawn(&s);
    assert!(["✗ The directory is locked.", "No key was made.", "Wait."].iter().all(|t| all.contains(t)), "{all}");
    let mut s = begun(Theme::FULL, (80, 24));
    let stopped = Failure::new(CANCELLED, "you have stopped here", "no key was made", "");
    update(&mut s, Action::Finished(Box::new(Err(stopped))));
    assert!(drawn(&s).contains("No key was made.") && !drawn(&s).contains('✗'), "{}", drawn(&s));
}

#[test]
fn a_read_only_session_begins_nothing_and_says_why() {
    let mut s = state(Kind::Normal, Theme::FULL, (120, 40));
    press(&mut s, &[Command::Place(1)]);
    assert!(drawn(&s).contains("n new key") && drawn(&s).contains("p passphrase"));
    s.read_only = Some("--read-only".to_owned());
    for c in ['n', 'p', 'D', 'S', 'M', 'P'] {
        assert_eq!(hit(&mut s, KeyCode::Char(c)), []);
        assert!(s.notice.as_ref().unwrap().text.contains("read-only session (--read-only)"));
    }
    assert!(s.layers.is_empty() && !drawn(&s).contains("n new key"));
    hit(&mut s, KeyCode::Char('?'));
    assert!(drawn(&s).contains("make a key  This is a read-only"), "the help says it too:\n{}", drawn(&s));
}

#[test]
fn layers_know_guided_work() {
    let s = begun(Theme::FULL, (80, 24));
    assert!(matches!(s.layers.as_slice(), [Layer::Wizard(w)] if w.work == Work::GenerateKey));
}
