//! What is staged, on its page: seen, thrown away by the row that is selected, and refused with a reason.
use crate::{
    screen_pictures::hold,
    screen_wizard::{drawn, hit},
    screen_world::{ATTACK, Kind, press, state},
};
use claviger::{
    procedures::repository::Wanted,
    text::Untrusted,
    tuf::name::{Gun, RoleName},
    tui::{
        action::{Action, Command},
        changing::Changing,
        effect::Effect,
        layer::Context,
        state::State,
        theme::Theme,
        update::update,
        wizard::Work,
    },
    views::staged::StagedRow,
};
use crossterm::event::KeyCode;

const WEB: &str = "registry.example/shop/web";

fn row(n: usize, change: &'static str, role: Option<&str>, paths: &[&str], text: &str) -> StagedRow {
    StagedRow {
        file: Untrusted::new(format!("{n:020}_x.change")),
        change,
        role: role.map(|r| RoleName::new(r).unwrap()),
        paths: paths.iter().map(|p| Untrusted::new(*p)).collect(),
        text: text.to_owned(),
        is_understood: change != "not-understood",
    }
}

fn rows() -> Vec<StagedRow> {
    let digest = "ab".repeat(32);
    vec![
        row(0, "sign", Some("targets/ana"), &["1.5"], &format!("targets/ana signs 1.5 as sha256:{digest} (1240 bytes)")),
        row(1, "delegate", Some("targets/qa"), &["", "test/"], "targets/qa: + may sign \"\", \"test/\""),
        row(2, "witness", Some("targets/releases"), &[], "targets/releases is signed again"),
        row(
            3,
            "revoke",
            Some("targets"),
            &[ATTACK],
            &format!("targets does not sign {} any more", Untrusted::new(ATTACK).shown()),
        ),
        row(4, "not-understood", None, &[], "it is a change of a kind that is never staged"),
    ]
}

/// The page of what is staged for a repository, where this is.
fn page(staged: Option<Result<Vec<StagedRow>, String>>, theme: Theme, size: (u16, u16)) -> State {
    let mut s = state(Kind::Normal, theme, size);
    press(&mut s, &[Command::Place(2), Command::Down, Command::Down, Command::Open]);
    assert_eq!(hit(&mut s, KeyCode::Char('t')), [Effect::ReadStaged(Gun::new(WEB).unwrap())]);
    assert_eq!(s.context(), Context::Staged);
    if let Some(staged) = staged {
        update(&mut s, Action::StagedRead(Gun::new(WEB).unwrap(), staged));
    }
    s
}

fn names(rows: &[usize]) -> Vec<String> {
    rows.iter().map(|n| format!("{n:020}_x.change")).collect()
}

#[test]
fn what_is_staged_looks_as_in_its_picture() {
    for size in [(80, 24), (120, 40)] {
        let name = |what: &str| format!("staged_{what}_{}x{}", size.0, size.1);
        hold(&name("reading"), &page(None, Theme::FULL, size));
        hold(&name("nothing"), &page(Some(Ok(Vec::new())), Theme::FULL, size));
        hold(&name("unreadable"), &page(Some(Err("changelist cannot be read: Permission denied.".into())), Theme::FULL, size));
        let mut s = page(Some(Ok(rows())), Theme::FULL, size);
        hold(&name("normal"), &s);
        press(&mut s, &[Command::Last]);
        hold(&name("unknown"), &s);
        press(&mut s, &[Command::Up]);
        hold(&name("hostile"), &s);
        press(&mut s, &[Command::Back]);
        hold(&name("chain"), &s);
        press(&mut s, &[Command::Staged, Command::Help]);
        hold(&name("help"), &s);
    }
    let bare = page(Some(Ok(rows())), Theme::BARE, (80, 24));
    assert!(drawn(&bare).is_ascii());
    hold("staged_normal_ascii", &bare);
}

#[test]
fn the_selected_change_is_thrown_away_or_all_of_them() {
    for (down, key, wanted) in [(0, 'D', names(&[0])), (2, 'D', names(&[2])), (1, 'X', names(&[1, 0, 2, 3, 4]))] {
        let mut s = page(Some(Ok(rows())), Theme::FULL, (80, 24));
        (0..down).for_each(|_| press(&mut s, &[Command::Down]));
        let reset = Wanted::Reset { gun: WEB.into(), names: wanted };
        assert_eq!(hit(&mut s, KeyCode::Char(key)), [Effect::Perform(Work::Ask(Box::new(reset)))]);
    }
    let mut s = page(Some(Ok(rows())), Theme::FULL, (80, 24));
    let publish = Wanted::Publish { gun: WEB.into() };
    assert_eq!(hit(&mut s, KeyCode::Char('p')), [Effect::Perform(Work::Ask(Box::new(publish)))]);
    // By its name, which are meant is asked.
    let mut s = page(Some(Ok(rows())), Theme::FULL, (80, 24));
    let effects = update(&mut s, Action::Do(Command::Change(Changing::Reset)));
    let asked = Wanted::Reset { gun: WEB.into(), names: Vec::new() };
    assert_eq!(effects, [Effect::Perform(Work::Ask(Box::new(asked)))]);
}

#[test]
fn what_is_not_staged_is_not_thrown_away_or_published_and_says_why() {
    for (staged, says) in [(Ok(Vec::new()), "Nothing is staged"), (Err("no".to_owned()), "cannot be read")] {
        for key in ['D', 'X', 'p'] {
            let mut s = page(Some(staged.clone()), Theme::FULL, (80, 24));
            assert_eq!(hit(&mut s, KeyCode::Char(key)), []);
            assert!(s.notice.as_ref().is_some_and(|n| n.text.contains(says)), "{key}: {:?}", s.notice);
        }
    }
}

#[test]
fn a_change_is_staged_from_the_row_as_it_is_begun_from_it() {
    let mut s = state(Kind::Normal, Theme::FULL, (80, 24));
    press(&mut s, &[Command::Place(2), Command::Down, Command::Down, Command::Open]);
    let effects = update(&mut s, Action::Do(Command::Stage(Changing::AddSigner)));
    let inner = Wanted::AddSigner { guns: vec![WEB.into()], name: String::new(), keys: vec![] };
    assert_eq!(effects, [Effect::Perform(Work::Ask(Box::new(Wanted::Stage(Box::new(inner)))))]);
    // Nothing of what is not trusted is staged either.
    let mut s = state(Kind::Failing, Theme::FULL, (80, 24));
    press(&mut s, &[Command::Place(2)]);
    assert_eq!(update(&mut s, Action::Do(Command::Stage(Changing::AddSigner))), []);
    assert!(s.notice.is_some());
}
