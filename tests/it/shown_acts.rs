//! What the screen says and does about keys that cannot be read, repositories that are new here, and single matters.
use crate::screen_world::{Kind, chain_key, detail, look, now, press, state};
use claviger::{
    finding::{Finding, Severity},
    repository::{Repositories, Servers},
    sandbox::Sandbox,
    text::Printable,
    trust_dir::TrustDir,
    tuf::{
        Refusal,
        name::{BaseRole, Gun},
        pinning::Pinning,
    },
    tui::{
        action::{Action, Command},
        effect::Effect,
        layer::{Context, Place, Tab},
        screens,
        shelf::{KeyShelf, Progress, Repo},
        state::State,
        theme::Theme,
        update::update,
    },
    views::{
        chain::{ChainKey, Fault, Whereabouts},
        desk::{Desk, Facts, Inventory, World},
        keys::KeyRows,
        repositories::{Health, RepositoryRow, after_refusal},
    },
};
use ratatui::buffer::Buffer;

fn screen(s: &State) -> String {
    let mut b = Buffer::empty(s.screen());
    screens::frame::paint(s, s.screen(), &mut b);
    let lines: Vec<String> = (0..b.area.height).map(|y| (0..b.area.width).map(|x| b[(x, y)].symbol()).collect()).collect();
    lines.join("\n")
}

fn gun(name: &str) -> Gun {
    Gun::new(name).unwrap()
}

#[test]
fn a_key_directory_that_cannot_be_read_is_not_called_empty_and_nobody_is_invited_to_make_a_key() {
    for size in [(80, 24), (120, 40)] {
        let mut s = state(Kind::Empty, Theme::FULL, size);
        assert!(screen(&s).contains("key generate"), "an empty one invites");
        let why = "/t/private cannot be read, so keys in it are not listed: Permission denied";
        let problems = vec![Finding::new("directory-unreadable", Severity::Error, why)];
        update(&mut s, Action::KeysRead(0, Box::new(KeyShelf::new(KeyRows { rows: vec![], problems }))));
        for place in [0, 1] {
            press(&mut s, &[Command::Place(place)]);
            let all = screen(&s);
            assert!(all.contains("could not be read") && !all.contains("generate") && !all.contains("No private keys"), "{all}");
        }
        assert!(screen(&s).contains("Permission denied") && screen(&s).contains("Mend the permissions"), "{}", screen(&s));
    }
}

#[tokio::test]
async fn opening_the_workstation_trusts_no_root_that_nobody_asked_for() {
    let world = Sandbox::new(jiff::Timestamp::now(), None).unwrap();
    let fresh = tempfile::tempdir().unwrap();
    let desk = |world_is: World, dir: TrustDir| {
        let facts = Facts { world: world_is, trust_dir: Printable::default(), server: None, config: None };
        Desk::new(facts, Repositories::new(Servers::fixed(world.transport()), dir, Pinning::default(), true))
    };
    let met = desk(World::Online, TrustDir::new(fresh.path())).inventory().await;
    assert!(met.guns.len() > 5 && met.anchored.is_empty(), "{met:?}");
    let seen = desk(World::Online, world.trust_dir().clone()).inventory().await;
    assert!(!seen.anchored.is_empty() && seen.anchored.len() < seen.guns.len(), "what is remembered is read: {seen:?}");
    let ours = desk(World::Sandbox, TrustDir::new(fresh.path())).inventory().await;
    assert_eq!(ours.anchored.len(), ours.guns.len());

    // What is read unasked leaves no root behind; what is asked for does.
    let reader = desk(World::Online, TrustDir::new(fresh.path()));
    let wanted = gun("sandbox.test/shop/backend");
    for (asked, left) in [(false, false), (true, true)] {
        let row = reader.repository(wanted.clone(), asked, |_| {}).await;
        assert!(row.detail.is_some(), "{row:?}");
        assert_eq!(fresh.path().join("tuf").join(wanted.as_str()).exists(), left, "asked: {asked}");
    }

    let mut s = state(Kind::Reading, Theme::FULL, (100, 30));
    let (old, new) = (gun("registry.example/old"), gun("registry.example/new"));
    let inventory = || Inventory {
        guns: vec![new.clone(), old.clone()],
        anchored: [old.clone()].into(),
        notes: vec![],
        unsigned: Default::default(),
    };
    assert_eq!(update(&mut s, Action::InventoryTaken(0, inventory())), [Effect::Load(0, vec![old.clone()])]);
    press(&mut s, &[Command::Place(2)]);
    assert!(screen(&s).contains("not read yet"), "{}", screen(&s));
    s.job = None;
    // Nor is it read when everything is read again.
    update(&mut s, Action::Do(Command::RefreshAll));
    assert_eq!(update(&mut s, Action::InventoryTaken(0, inventory())), [Effect::Load(0, vec![old])]);
    s.job = None;
    press(&mut s, &[Command::First]);
    assert_eq!(update(&mut s, Action::Do(Command::Open)), [Effect::Open(0, new.clone())], "opening reads it");
    assert_eq!(s.open_repo().unwrap().gun, new);
}

#[test]
fn keys_are_read_again_when_repositories_were_so_that_who_uses_them_is_known() {
    let mut s = state(Kind::Reading, Theme::FULL, (100, 30));
    let a = gun("registry.example/a");
    let loaded = || {
        let row = RepositoryRow { gun: a.clone(), health: Health::NotThere, detail: None, advice: None };
        Action::Loaded(0, Box::new(Repo::new(row, now())))
    };
    let inventory =
        || Inventory { guns: vec![a.clone()], anchored: [a.clone()].into(), notes: vec![], unsigned: Default::default() };
    update(&mut s, Action::InventoryTaken(0, inventory()));
    assert_eq!(update(&mut s, loaded()), [], "the first reading of the keys goes on");
    assert_eq!(update(&mut s, Action::KeysRead(0, Box::default())), [Effect::ReadKeys(0)], "and may have come too early");
    assert_eq!(update(&mut s, Action::KeysRead(0, Box::default())), [], "once is enough");
    assert_eq!(s.keys_progress, Progress::Done);
    press(&mut s, &[Command::Place(2), Command::Refresh]);
    assert_eq!(update(&mut s, loaded()), [Effect::ReadKeys(0)]);
}

#[test]
fn enter_on_a_matter_says_what_to_do() {
    let mut s = state(Kind::Failing, Theme::FULL, (80, 24));
    let mut found = 0;
    for i in 0..s.attention.len() {
        press(&mut s, &[Command::Place(0)]);
        s.attention_view.select(i);
        let a = s.attention[i].clone();
        press(&mut s, &[Command::Open]);
        let all = screen(&s);
        match a.subject {
            claviger::tui::state::Subject::TrustDir => {
                assert_eq!((s.context(), s.place), (Context::Matter, Place::Overview));
                assert!(all.contains("trust directory") && all.contains("permission denied"), "{all}");
                found += 1;
            }
            claviger::tui::state::Subject::Server => {
                assert_eq!(s.context(), Context::Matter);
                assert!(all.contains("answered 401") && all.contains("Next") && all.contains("docker login"), "{all}");
                found += 1;
            }
            _ => assert_ne!(s.context(), Context::Overview),
        }
        press(&mut s, &[Command::Back]);
    }
    assert_eq!(found, 2);
    // A finding of a repository that holds leads to its findings.
    let mut s = state(Kind::Normal, Theme::FULL, (100, 30));
    let i = s.attention.iter().position(|a| a.text.contains("targets expires")).unwrap();
    s.attention_view.select(i);
    press(&mut s, &[Command::Open]);
    assert_eq!(s.repo_page().unwrap().tab, Tab::Findings);
}

#[test]
fn findings_name_the_next_step() {
    let mut s = state(Kind::Normal, Theme::FULL, (100, 30));
    let mut d = detail(&gun("registry.example/shop/web"), false, 4);
    d.findings = vec![Finding::new("role-refused", Severity::Error, "targets/qa is not trusted")];
    let row = RepositoryRow {
        gun: d.gun.clone(),
        health: Health::Verified(Some(Severity::Error)),
        detail: Some(Box::new(d)),
        advice: None,
    };
    update(&mut s, Action::Loaded(0, Box::new(Repo::new(row, now()))));
    press(&mut s, &[Command::Place(2), Command::Down, Command::Down, Command::Open]);
    assert!(screen(&s).contains("Verified in part: targets/qa is refused"), "{}", screen(&s));
    press(&mut s, &[Command::TabRight, Command::TabRight]);
    assert!(screen(&s).contains("next: Its signers must sign again"), "{}", screen(&s));
}

#[test]
fn enter_on_a_key_in_the_chain_opens_the_key() {
    let mut s = state(Kind::Normal, Theme::FULL, (80, 24));
    let path = s.keys.roster.rows()[0].path.clone();
    let mut d = detail(&gun("registry.example/shop/web"), false, 4);
    let fault = Fault { code: "empty", words: "the file is empty" };
    d.chain.keys = vec![
        chain_key("root", true, Whereabouts::Here(path.clone())),
        chain_key("two", false, Whereabouts::Unusable(path.clone(), fault)),
        ChainKey { signed: None, ..chain_key("three", false, Whereabouts::Elsewhere) },
    ];
    let row = RepositoryRow { gun: d.gun.clone(), health: Health::Verified(None), detail: Some(Box::new(d)), advice: None };
    update(&mut s, Action::Loaded(0, Box::new(Repo::new(row, now()))));
    press(&mut s, &[Command::Place(2), Command::Down, Command::Down, Command::Open, Command::Down]);
    let lines = s.repo_page().unwrap().chain.len();
    press(&mut s, &[Command::Open]);
    assert_eq!((s.context(), &s.selected_key().unwrap().path), (Context::Key, &path));
    press(&mut s, &[Command::Back]);
    assert_eq!((s.context(), s.repo_page().unwrap().chain.len()), (Context::Chain, lines), "nothing was folded");
    press(&mut s, &[Command::Down]);
    assert!(screen(&s).contains("here, but the file is empty"), "{}", screen(&s));
    press(&mut s, &[Command::Down, Command::Open]);
    assert_eq!(s.context(), Context::Chain);
    assert!(s.notice.as_ref().unwrap().text.contains("not in this trust directory"));
    press(&mut s, &[Command::First, Command::Open]);
    assert_eq!(s.repo_page().unwrap().chain.len(), 1, "a role is folded");
}

#[test]
fn the_path_of_a_key_is_seen_whole_where_the_screen_is_small() {
    let mut s = state(Kind::Normal, Theme::FULL, (80, 24));
    press(&mut s, &[Command::Place(2), Command::Down, Command::Down, Command::Open, Command::Down]);
    let Whereabouts::Here(path) = crate::screen_world::chain(false).keys[0].whereabouts.clone() else { panic!() };
    let seen: String = screen(&s).chars().filter(|c| !c.is_whitespace() && *c != '│').collect();
    assert!(seen.contains(path.to_str().unwrap()), "{}", screen(&s));
}

#[test]
fn claims_are_shown_and_hidden_again_and_the_page_never_denies_what_it_shows() {
    let mut s = state(Kind::Normal, Theme::FULL, (100, 30));
    press(&mut s, &[Command::Place(2), Command::Open]);
    let refused = s.open_repo().unwrap().gun.clone();
    assert!(screen(&s).contains("nothing of it is shown"));
    update(&mut s, Action::Do(Command::Look));
    update(&mut s, Action::Looked(0, refused, Box::new(Ok(look()))));
    let all = screen(&s);
    assert!(all.contains("CLAIMS, NOT TRUSTED") && !all.contains("nothing of it is shown"), "{all}");
    assert_eq!(update(&mut s, Action::Do(Command::Look)), [], "hiding asks nobody");
    assert!(!screen(&s).contains("CLAIMS") && screen(&s).contains("nothing of it is shown"));
}

#[test]
fn an_expired_timestamp_is_the_servers_to_sign() {
    let expired = |role: BaseRole| after_refusal(&Refusal::Expired { role: role.into(), at: now() });
    assert!(expired(BaseRole::Timestamp).contains("server") && !expired(BaseRole::Timestamp).contains("owner"));
    assert!(expired(BaseRole::Targets).contains("owner"));
    assert!(after_refusal(&Refusal::NotPinned).contains("certificate ID, not the ID of the key"));
}

#[test]
fn one_is_one_and_two_are_two() {
    use claviger::text::count;
    assert_eq!([count(0, "name"), count(1, "name"), count(2, "name")], ["0 names", "1 name", "2 names"]);
    use claviger::tui::standing::Standing;
    assert_eq!([Standing::Faulty.counted(1), Standing::Warned.counted(2)], ["1 problem", "2 warnings"]);
    let s = state(Kind::Failing, Theme::FULL, (80, 24));
    assert!(screen(&s).contains("1 problem") && screen(&s).contains("Needs attention  "), "{}", screen(&s));
}

#[test]
fn what_is_cut_is_marked() {
    use claviger::tui::{theme::Tone, widgets::pane::Lines};
    let mut l = Lines::bare(Theme::FULL, 20);
    l.say("", "one two three four five six seven eight nine", Tone::Plain);
    assert!(!l.cut(3) && l.cut(2));
    assert!(l.lines.len() == 2 && l.lines[1].text.ends_with('…'), "{l:?}");
    assert!(l.lines.iter().all(|l| claviger::tui::fit::width(&l.text) <= 20));
}
