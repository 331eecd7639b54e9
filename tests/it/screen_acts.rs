//! What keys, the mouse and results from the background do to the state.
use crate::screen_world::{Kind, ROOT_HERE, id, look, now, press, state};
use claviger::{
    tuf::name::Gun,
    tui::{
        action::{Action, Command, Edit, Ended},
        effect::Effect,
        keymap::{self, Key, TABLE},
        layer::{Context, Place},
        layout, screens,
        shelf::{KeyShelf, Progress, Repo},
        state::State,
        theme::Theme,
        update::update,
    },
    views::{
        desk::Inventory,
        repositories::{Health, RepositoryRow},
    },
};
use ratatui::{buffer::Buffer, layout::Rect};

fn normal() -> State {
    state(Kind::Normal, Theme::FULL, (100, 30))
}

fn text_of(s: &State, area: Rect) -> String {
    let screen = s.screen();
    let mut b = Buffer::empty(screen);
    screens::frame::paint(s, screen, &mut b);
    area.positions().map(|p| b[p].symbol().to_owned()).collect()
}

/// Repositories that were seen before.
fn anchored(guns: Vec<Gun>) -> Inventory {
    Inventory { anchored: guns.iter().cloned().collect(), guns, notes: vec![], unsigned: Default::default() }
}

fn row(name: &str) -> (Gun, RepositoryRow) {
    let gun = Gun::new(name).unwrap();
    (gun.clone(), RepositoryRow { gun, health: Health::NotThere, detail: None, advice: None })
}

#[test]
fn the_first_thing_is_to_read_and_the_screen_stands_before() {
    let mut s = state(Kind::Reading, Theme::FULL, (80, 24));
    press(&mut s, &[Command::Place(1)]);
    assert!(text_of(&s, s.screen()).contains("reading…"));
    let mut fresh = state(Kind::Reading, Theme::FULL, (80, 24));
    assert_eq!(update(&mut fresh, Action::Start), [Effect::ReadKeys(0), Effect::ReadJournal(0), Effect::TakeInventory(0)]);
}

#[test]
fn what_the_inventory_names_is_read_and_progress_is_counted() {
    let mut s = state(Kind::Reading, Theme::FULL, (80, 24));
    let (gun, found) = row("registry.example/a");
    let (other, _) = row("registry.example/b");
    let inventory = anchored(vec![gun.clone(), other.clone()]);
    assert_eq!(update(&mut s, Action::InventoryTaken(0, inventory)), [Effect::Load(0, vec![gun.clone(), other])]);
    update(&mut s, Action::Step(0, gun, "snapshot".to_owned()));
    let line = text_of(&s, layout::areas(s.screen()).unwrap().status);
    assert!(line.contains("0 of 2") && line.contains("registry.example/a") && line.contains("snapshot"), "{line}");
    update(&mut s, Action::Loaded(0, Box::new(Repo::new(found, now()))));
    assert!(text_of(&s, layout::areas(s.screen()).unwrap().status).contains("1 of 2"));
}

#[test]
fn a_server_with_very_many_repositories_is_not_asked_for_all_of_them_unasked() {
    let mut s = state(Kind::Reading, Theme::FULL, (80, 24));
    let guns: Vec<Gun> = (0..201).map(|i| row(&format!("registry.example/{i:03}")).0).collect();
    let inventory = || anchored(guns.clone());
    assert_eq!(update(&mut s, Action::InventoryTaken(0, inventory())), []);
    assert!(s.notice.as_ref().unwrap().text.contains("R reads all"));
    press(&mut s, &[Command::Place(2)]);
    let asked = update(&mut s, Action::Do(Command::RefreshAll));
    assert_eq!(asked, [Effect::TakeInventory(0)]);
    assert!(
        matches!(update(&mut s, Action::InventoryTaken(0, inventory())).as_slice(), [Effect::Load(0, all)] if all.len() == 201)
    );
}

#[test]
fn stopping_drops_what_comes_in_late_and_keeps_what_was_read() {
    let mut s = state(Kind::Reading, Theme::FULL, (80, 24));
    let (gun, found) = row("registry.example/a");
    update(&mut s, Action::InventoryTaken(0, anchored(vec![gun])));
    assert_eq!(update(&mut s, Action::Do(Command::Cancel)), [Effect::StopAll]);
    assert!(!s.is_busy());
    assert_eq!(s.keys_progress, Progress::Stopped);
    assert!(s.notice.as_ref().unwrap().text.contains("0 of 1"));
    update(&mut s, Action::Loaded(0, Box::new(Repo::new(found, now()))));
    update(&mut s, Action::KeysRead(0, Box::default()));
    assert_eq!(s.repos.roster.get(0).unwrap().health, Health::Unknown);
    assert_eq!(s.keys_progress, Progress::Stopped);
}

#[test]
fn quitting_stops_what_is_running_and_comes_from_every_place() {
    for way in [&[][..], &[Command::Place(1)], &[Command::Place(1), Command::Open], &[Command::Place(2), Command::Open]] {
        let mut s = normal();
        press(&mut s, way);
        assert_eq!(keymap::lookup(s.context(), Key::Char('q')), Some(Command::Quit));
        assert_eq!(update(&mut s, Action::Do(Command::Quit)), [Effect::StopAll, Effect::Leave(Ended::Quit)]);
    }
    assert_eq!([Ended::Quit, Ended::HungUp, Ended::Interrupted, Ended::Terminated].map(Ended::exit_code), [0, 129, 130, 143]);
}

#[test]
fn a_filter_narrows_while_it_is_typed_and_escape_clears_it() {
    let mut s = normal();
    press(&mut s, &[Command::Place(2), Command::Filter]);
    assert_eq!(s.context(), Context::Filter);
    update(&mut s, Action::Edit(Edit::Insert("SHOP".to_owned())));
    assert_eq!(s.repos_view.len(), 2);
    press(&mut s, &[Command::KeepFilter]);
    assert_eq!((s.context(), s.repos_view.len()), (Context::Repositories, 2));
    assert!(text_of(&s, s.screen()).contains("filter: SHOP"), "a filter in force is seen");
    press(&mut s, &[Command::Back]);
    assert_eq!((s.repos_view.len(), s.place), (5, Place::Repositories));
    press(&mut s, &[Command::Filter]);
    update(&mut s, Action::Edit(Edit::Insert("x".to_owned())));
    press(&mut s, &[Command::Back]);
    assert_eq!((s.context(), s.repos_view.len()), (Context::Repositories, 5));
}

#[test]
fn a_key_is_found_by_what_names_it() {
    let mut s = state(Kind::Failing, Theme::FULL, (100, 30));
    press(&mut s, &[Command::Place(1)]);
    let whole = id("rootNone").hex();
    for (typed, found) in
        [("garbage", 1), ("ROOT", 1), (&whole[20..40], 1), ("rsa-1024", 1), (".key", 1), ("no such thing", 0), ("", 2)]
    {
        press(&mut s, &[Command::Filter]);
        update(&mut s, Action::Edit(Edit::Clear));
        update(&mut s, Action::Edit(Edit::Insert(typed.to_owned())));
        press(&mut s, &[Command::KeepFilter]);
        assert_eq!(s.keys_view.len(), found, "{typed}");
    }
}

#[test]
fn the_topmost_layer_has_the_input() {
    let mut s = normal();
    press(&mut s, &[Command::Place(2), Command::Down, Command::Down, Command::Open, Command::Help]);
    assert_eq!((s.context(), s.page()), (Context::Help, Context::Chain));
    let before = s.repo_page().unwrap().chain.cursor();
    press(&mut s, &[Command::Down]);
    assert_eq!(s.repo_page().unwrap().chain.cursor(), before, "keys move the help, not the page below");
    press(&mut s, &[Command::Back]);
    assert_eq!(s.context(), Context::Chain);
    press(&mut s, &[Command::Back]);
    assert_eq!(s.context(), Context::Repositories);
}

#[test]
fn a_disabled_action_says_why_and_does_nothing() {
    let mut s = state(Kind::Empty, Theme::FULL, (80, 24));
    press(&mut s, &[Command::Place(1)]);
    for c in [Command::Open, Command::Copy, Command::Filter, Command::Cancel] {
        assert_eq!(update(&mut s, Action::Do(c)), []);
        let why = s.notice.as_ref().unwrap().text.clone();
        assert!(why.ends_with('.') && text_of(&s, layout::areas(s.screen()).unwrap().status).contains(&why), "{c:?}: {why}");
    }
    s.has_shell = false;
    assert_eq!(update(&mut s, Action::Do(Command::Suspend)), []);
    assert!(s.notice.is_some());
}

#[test]
fn only_public_things_are_copied_and_whole() {
    let mut s = normal();
    press(&mut s, &[Command::Place(1)]);
    let whole = s.selected_key().unwrap().id.unwrap().hex();
    assert_eq!(update(&mut s, Action::Do(Command::Copy)), [Effect::Copy(whole)]);
    press(&mut s, &[Command::Place(2), Command::Down, Command::Down]);
    assert_eq!(update(&mut s, Action::Do(Command::Copy)), [Effect::Copy("registry.example/shop/web".to_owned())]);
    press(&mut s, &[Command::Open]);
    assert_eq!(update(&mut s, Action::Do(Command::Copy)), [Effect::Copy("root".to_owned())]);
    press(&mut s, &[Command::Down]);
    assert_eq!(update(&mut s, Action::Do(Command::Copy)), [Effect::Copy(id(ROOT_HERE).hex())]);
    press(&mut s, &[Command::TabRight]);
    assert_eq!(update(&mut s, Action::Do(Command::Copy)), [Effect::Copy(format!("sha256:{}", id("latest").hex()))]);
    press(&mut s, &[Command::Last]);
    assert_eq!(update(&mut s, Action::Do(Command::Copy)), [], "no digest, nothing to copy");
}

#[test]
fn the_mouse_meets_what_it_sees() {
    let mut s = normal();
    let areas = layout::areas(s.screen()).unwrap();
    let keys = layout::place_area(&areas, Place::Keys);
    update(&mut s, Action::Click(keys.x + 3, keys.y));
    assert_eq!(s.place, Place::Keys);
    let body = screens::body(Context::Keys, areas.content);
    update(&mut s, Action::Click(body.x + 5, body.y + 2));
    assert_eq!(s.keys_view.selected(), Some(2));
    let line = text_of(&s, Rect { y: body.y + 2, height: 1, ..body });
    let chosen = s.selected_key().unwrap().id.unwrap().short();
    assert!(line.contains(&chosen), "{chosen} is not in {line}");
    update(&mut s, Action::Click(body.x + 5, body.y + 2));
    assert_eq!(s.context(), Context::Key, "a second click opens");
    press(&mut s, &[Command::Place(2), Command::Down, Command::Down, Command::Open]);
    update(&mut s, Action::Click(areas.content.x + 20, areas.content.y + 3));
    assert_eq!(s.context(), Context::Tags);
    update(&mut s, Action::Wheel(3));
    assert_eq!(s.repo_page().unwrap().tags.cursor(), 3);
    update(&mut s, Action::Click(9999, 9999));
}

#[test]
fn what_a_refused_repository_claims_is_shown_only_when_asked_for_and_never_as_true() {
    let mut s = normal();
    press(&mut s, &[Command::Place(2), Command::Open]);
    let gun = s.open_repo().unwrap().gun.clone();
    assert_eq!(s.context(), Context::Unknown);
    assert_eq!(update(&mut s, Action::Do(Command::Look)), [Effect::Look(0, gun.clone())]);
    assert!(text_of(&s, layout::areas(s.screen()).unwrap().status).contains("without verifying"));
    update(&mut s, Action::Looked(0, gun, Box::new(Ok(look()))));
    let all = text_of(&s, s.screen());
    assert!(all.contains("NOT TRUSTED: ") && all.contains("CLAIMS, NOT TRUSTED") && all.contains("latest"), "{all}");
    assert!(all.contains("targets says nothing") && all.contains("root could not be read"), "{all}");
    press(&mut s, &[Command::Back, Command::Down, Command::Open]);
    assert_eq!(s.context(), Context::Chain, "a verified one has its chain");
    assert_eq!(keymap::lookup(s.context(), Key::Char('v')), None);
}

#[test]
fn a_role_is_folded_with_everything_below_it() {
    let mut s = normal();
    press(&mut s, &[Command::Place(2), Command::Down, Command::Down, Command::Open]);
    let all = s.repo_page().unwrap().chain.len();
    press(&mut s, &[Command::Fold]);
    assert_eq!(s.repo_page().unwrap().chain.len(), 1);
    press(&mut s, &[Command::Fold]);
    assert_eq!(s.repo_page().unwrap().chain.len(), all);
}

#[test]
fn what_needs_attention_leads_to_where_it_is() {
    let mut s = normal();
    assert!(s.attention[0].text.contains("NOT TRUSTED"), "the worst comes first");
    press(&mut s, &[Command::Open]);
    assert_eq!((s.place, s.context()), (Place::Repositories, Context::Unknown));
    assert_eq!(s.open_repo().unwrap().gun.as_str(), "registry.example/old/batch");
    press(&mut s, &[Command::Place(0), Command::Last, Command::Open]);
    assert_eq!((s.place, s.context()), (Place::Keys, Context::Key));
}

#[test]
fn an_open_key_stays_open_when_the_keys_are_read_again_and_closes_when_it_is_gone() {
    let mut s = normal();
    press(&mut s, &[Command::Place(1), Command::Down, Command::Open]);
    let path = s.selected_key().unwrap().path.clone();
    let mut rows: Vec<_> = s.keys.roster.rows().to_vec();
    rows.reverse();
    let shelf = |rows| Box::new(KeyShelf::new(claviger::views::keys::KeyRows { rows, problems: vec![] }));
    update(&mut s, Action::KeysRead(0, shelf(rows.clone())));
    assert_eq!(s.selected_key().unwrap().path, path);
    rows.retain(|k| k.path != path);
    update(&mut s, Action::KeysRead(0, shelf(rows)));
    assert_eq!(s.context(), Context::Keys);
    assert!(s.notice.is_some());
}

#[test]
fn time_that_passes_takes_trust_away() {
    let mut s = normal();
    assert_eq!(s.repos.roster.get(2).unwrap().standing.word(), "warning");
    update(&mut s, Action::Clock(crate::screen_world::in_days(14)));
    assert_eq!(s.repos.roster.get(2).unwrap().standing.word(), "EXPIRED");
    assert!(s.attention.iter().any(|a| a.text.contains("EXPIRED")));
}

#[test]
fn the_footer_names_only_keys_that_work_and_the_help_names_them_all() {
    let ways: &[&[Command]] = &[
        &[],
        &[Command::Place(1)],
        &[Command::Place(1), Command::Open],
        &[Command::Place(1), Command::Filter],
        &[Command::Place(2), Command::Down, Command::Down, Command::Open],
        &[Command::Place(2), Command::Down, Command::Down, Command::Open, Command::TabRight],
    ];
    for way in ways {
        let mut s = state(Kind::Normal, Theme::FULL, (250, 60));
        press(&mut s, way);
        let context = s.context();
        let footer = text_of(&s, layout::areas(s.screen()).unwrap().footer);
        for e in TABLE.iter().filter(|e| !e.name.is_empty()) {
            let here = keymap::entries(context).any(|h| std::ptr::eq(h, e)) && keymap::why_not(&s, e.command).is_none();
            if here {
                assert!(footer.contains(e.name), "{context:?}: {} is not in {footer}", e.name);
            }
        }
        for (keys, help, _) in screens::help::lines(&s) {
            assert!(keymap::entries(context).any(|e| e.help == help), "{keys}");
        }
        assert_eq!(screens::help::lines(&s).len(), keymap::entries(context).filter(|e| !e.keys.is_empty()).count());
    }
}

#[test]
fn what_was_unsigned_is_so_only_as_long_as_nobody_is_known_to_sign_it() {
    let mut s = state(Kind::Reading, Theme::FULL, (80, 24));
    let (gun, _) = row("registry.example/images");
    let mut inventory = |unsigned: bool| {
        let unsigned = unsigned.then(|| gun.clone()).into_iter().collect();
        let inventory = Inventory { guns: vec![gun.clone()], anchored: Default::default(), notes: vec![], unsigned };
        assert_eq!(update(&mut s, Action::InventoryTaken(0, inventory)), [], "nobody has asked to read it");
        s.repos.roster.get(0).unwrap().standing.word()
    };
    assert_eq!([true, false, true].map(&mut inventory), ["unsigned", "not read yet", "unsigned"]);
}
