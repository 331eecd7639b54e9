//! Changes of repositories on the screen: begun from the selected row, refused with a reason, and looked at before they are made.
use crate::{
    screen_pictures::hold,
    screen_wizard::{drawn, hit, type_in},
    screen_world::{ANA_HERE, Kind, ROOT_HERE, id, press, state},
};
use claviger::{
    failure::Failure,
    finding::{Finding, Severity},
    operator::{Confirm, PlanAsked, Question, Review, Step},
    procedures::{
        Row,
        repository::{
            About, Beginning, Deletion, Inquiry, RootAct, RootKeys, Rotation, Wanted, inquiry,
            push::{self, Destination},
        },
    },
    tuf::name::Gun,
    tui::{
        action::{Action, Command},
        changing::Changing,
        effect::Effect,
        layer::Context,
        shelf::KeyShelf,
        state::State,
        theme::Theme,
        update::update,
        wizard::{Asked, Done, Work},
    },
    views::keys::KeyRows,
};
use crossterm::event::KeyCode;

const WEB: &str = "registry.example/shop/web";
/// Lines of the chain of that repository.
const ROOT: usize = 0;
const ROOT_KEY: usize = 1;
const TIMESTAMP: usize = 2;
const TARGETS: usize = 6;
const RELEASES_OF_ANA: usize = 11;
const RELEASES_OF_BEN: usize = 12;
const ANA: usize = 13;
const ANA_KEY: usize = 15;
const LINUX: usize = 16;
const QA: usize = 19;

/// The repository's page, on a line of its chain.
fn chain(line: usize) -> State {
    let mut s = state(Kind::Normal, Theme::FULL, (120, 40));
    press(&mut s, &[Command::Place(2), Command::Down, Command::Down, Command::Open]);
    assert_eq!((s.context(), s.open_repo().unwrap().gun.as_str()), (Context::Chain, WEB));
    (0..line).for_each(|_| press(&mut s, &[Command::Down]));
    s
}

/// The same with its tags.
fn tags(row: usize) -> State {
    let mut s = chain(0);
    press(&mut s, &[Command::TabRight]);
    (0..row).for_each(|_| press(&mut s, &[Command::Down]));
    s
}

fn begins(mut s: State, key: char) -> Wanted {
    match hit(&mut s, KeyCode::Char(key)).as_slice() {
        [Effect::Perform(Work::Ask(wanted))] => (**wanted).clone(),
        other => panic!("{key}: {other:?}, {:?}", s.notice),
    }
}

/// What is said in the place of beginning.
fn refused(mut s: State, key: char) -> String {
    assert_eq!(hit(&mut s, KeyCode::Char(key)), [], "{key}");
    assert!(s.wizard().is_none());
    let why = s.notice.as_ref().unwrap().text.clone();
    assert!(drawn(&s).contains(&why) && why.ends_with('.'), "{why}\n{}", drawn(&s));
    why
}

fn remove_signer(name: &str, key: Option<String>) -> Wanted {
    Wanted::RemoveSigner { guns: vec![WEB.into()], name: name.into(), key }
}

fn undelegate(role: &str, keys: Vec<String>) -> Wanted {
    Wanted::RemoveDelegation { gun: WEB.into(), role: role.into(), keys, paths: vec![], all_paths: false }
}

fn delegate(role: &str) -> Wanted {
    Wanted::AddDelegation { gun: WEB.into(), role: role.into(), keys: vec![], paths: vec![], threshold: None }
}

fn sign(tag: &str) -> Wanted {
    Wanted::Sign { gun: WEB.into(), tag: tag.into(), sha256: String::new(), size: 0, signer: None }
}

fn rotate(role: &str) -> Wanted {
    Wanted::Rotate(Rotation { gun: WEB.into(), role: role.into() })
}

fn root_keys(act: RootAct) -> Wanted {
    Wanted::RootKeys(RootKeys { gun: WEB.into(), act })
}

fn witness(role: &str) -> Wanted {
    Wanted::Witness { gun: WEB.into(), roles: vec![role.into()] }
}

fn renew(roles: &[&str]) -> Wanted {
    Wanted::Renew { gun: WEB.into(), roles: roles.iter().map(|r| (*r).to_owned()).collect(), until: None }
}

#[test]
fn the_selected_row_says_what_is_meant() {
    let add_signer = Wanted::AddSigner { guns: vec![WEB.into()], name: String::new(), keys: vec![] };
    let ben = id("targets/ben").hex();
    for (line, key, wanted) in [
        (ROOT, 'S', sign("")),
        (ROOT, 'a', add_signer.clone()),
        (ROOT, 'e', renew(&["root"])),
        (TARGETS, 'A', delegate("")),
        (TARGETS, 'w', witness("targets")),
        (RELEASES_OF_BEN, 'D', undelegate("targets/releases", vec![ben.clone()])),
        (RELEASES_OF_BEN, 'P', Wanted::Purge { gun: WEB.into(), keys: vec![ben] }),
        (RELEASES_OF_ANA, 'w', witness("targets/releases")),
        (ANA, 'D', remove_signer("ana", None)),
        // The only key of a signer is the signer.
        (ANA_KEY, 'D', remove_signer("ana", None)),
        (ANA, 'A', delegate("targets/ana")),
        (ANA, 'w', witness("targets/ana")),
        (ANA, 'e', renew(&["targets/ana"])),
        (ANA_KEY, 'P', Wanted::Purge { gun: WEB.into(), keys: vec![id(ANA_HERE).hex()] }),
        (LINUX, 'D', undelegate("targets/ana/linux", vec![])),
        // No line of such a key: which one is asked.
        (ANA, 'P', Wanted::Purge { gun: WEB.into(), keys: vec![] }),
        (ROOT_KEY, 'P', Wanted::Purge { gun: WEB.into(), keys: vec![] }),
        (QA, 'D', remove_signer("qa", None)),
        (TARGETS, 'K', rotate("targets")),
        (LINUX, 'K', rotate("targets/ana/linux")),
        (ROOT, '+', root_keys(RootAct::Add)),
        (ROOT_KEY, '+', root_keys(RootAct::Add)),
        // A key that is selected is the one that is meant.
        (ROOT, '-', root_keys(RootAct::Remove { key: String::new() })),
        (ROOT_KEY, '-', root_keys(RootAct::Remove { key: id(ROOT_HERE).hex() })),
    ] {
        assert_eq!(begins(chain(line), key), wanted, "{line} {key}");
    }
    for (row, key, wanted) in
        [(0, 'S', sign("latest")), (0, 'D', Wanted::Revoke { gun: WEB.into(), tag: Some("latest".into()) }), (1, 'e', renew(&[]))]
    {
        assert_eq!(begins(tags(row), key), wanted, "{row} {key}");
    }
    let mut s = state(Kind::Normal, Theme::FULL, (120, 40));
    press(&mut s, &[Command::Place(2), Command::Down, Command::Down]);
    assert_eq!(begins(s, 'a'), add_signer);
    // What is there is not begun: another name is asked.
    let mut s = state(Kind::Normal, Theme::FULL, (120, 40));
    press(&mut s, &[Command::Place(2), Command::Down, Command::Down]);
    assert_eq!(begins(s, 'n'), Wanted::Begin(Beginning { gun: String::new(), signer: None }));
}

#[test]
fn a_change_that_cannot_be_begun_says_why() {
    for (line, key, why) in [
        (ROOT, 'D', "Only a role below targets is taken back."),
        (ROOT, 'w', "The root has no witness."),
        (TARGETS, '+', "Select the root, or one of its keys."),
        (ANA_KEY, '-', "Select the root, or one of its keys."),
        (TIMESTAMP, 'e', "made anew with every publication"),
        (LINUX, 'w', "You hold no targets/ana/linux key for this repository."),
        (QA, 'w', "You hold no targets/qa key"),
    ] {
        assert!(refused(chain(line), key).contains(why), "{line} {key}");
    }
    // Who else signs it cannot be made to stop here.
    assert!(refused(tags(3), 'D').contains("targets/ana/linux signs it too, and its key is not here."));
    // Without any key there is nothing to sign with.
    let keyless = |mut s: State| {
        let epoch = s.epoch;
        update(&mut s, Action::KeysRead(epoch, Box::new(KeyShelf::new(KeyRows::default()))));
        s
    };
    for (line, key, why) in [
        (ROOT, 'S', "You hold no key of a signer of this repository."),
        (ROOT, 'a', "You hold no targets key for this repository."),
        (ROOT, 'A', "You hold no targets key for this repository."),
        (ROOT, 'e', "You hold no root key for this repository."),
        (ANA, 'D', "You hold no targets key for this repository."),
        (LINUX, 'D', "You hold no targets/ana key for this repository."),
        (TARGETS, 'K', "You hold no root key for this repository."),
        (ROOT, '+', "You hold no root key for this repository."),
        (ANA_KEY, 'P', "You hold no targets key for this repository."),
    ] {
        assert_eq!(refused(keyless(chain(line)), key), why, "{line} {key}");
    }
    assert!(refused(keyless(tags(0)), 'e').contains("no key of this repository"));
    // What is refused is not changed; to renew it may be what mends it.
    let old = || {
        let mut s = state(Kind::Normal, Theme::FULL, (120, 40));
        press(&mut s, &[Command::Place(2)]);
        s
    };
    for key in ['S', 'a', 'A'] {
        assert!(refused(old(), key).contains("not verified"), "{key}");
    }
    begins(old(), 'e');
    let mut s = chain(ANA);
    s.read_only = Some("--read-only".to_owned());
    assert!(refused(s, 'D').contains("read-only session (--read-only)"));
    // The footer leaves it out, and the help says why.
    let mut s = keyless(chain(ANA));
    assert!(!drawn(&s).contains("D remove"), "{}", drawn(&s));
    press(&mut s, &[Command::Help, Command::Last]);
    assert!(drawn(&s).contains("You hold no targets key"), "{}", drawn(&s));
}

#[test]
fn a_repository_that_needs_two_keys_says_how_many_are_here() {
    let mut s = chain(ANA);
    let mut detail = crate::screen_world::detail(&Gun::new(WEB).unwrap(), false, 0);
    let targets = detail.chain.children.last_mut().unwrap();
    targets.threshold = 2;
    let row = claviger::views::repositories::RepositoryRow {
        gun: Gun::new(WEB).unwrap(),
        health: claviger::views::repositories::Health::Verified(None),
        detail: Some(Box::new(detail)),
        advice: None,
    };
    let epoch = s.epoch;
    let repo = claviger::tui::shelf::Repo::new(row, crate::screen_world::now());
    update(&mut s, Action::Loaded(epoch, Box::new(repo)));
    assert_eq!(refused(s, 'D'), "2 keys must sign targets, and one of them is here.");
}

#[test]
fn the_palette_begins_the_same_and_asks_for_the_repository_elsewhere() {
    for (verb, wanted) in [
        ("sign", sign("")),
        ("signer remove", remove_signer("ana", None)),
        ("delegation remove", undelegate("targets/ana", vec![])),
        ("delegation add", delegate("targets/ana")),
        ("witness", witness("targets/ana")),
        ("renew", renew(&["targets/ana"])),
        ("revoke", Wanted::Revoke { gun: WEB.into(), tag: None }),
        ("signer leave", Wanted::Leave { guns: vec![WEB.into()], who: "ana".into() }),
        ("publish", Wanted::Publish { gun: WEB.into() }),
        ("delete", Wanted::Delete(Deletion { gun: WEB.into(), remote: false })),
    ] {
        let mut s = chain(ANA);
        press(&mut s, &[Command::Palette]);
        type_in(&mut s, verb);
        assert_eq!(hit(&mut s, KeyCode::Enter), [Effect::Perform(Work::Ask(Box::new(wanted)))], "{verb}");
    }
    for place in [0, 1, 3] {
        let mut s = state(Kind::Normal, Theme::FULL, (80, 24));
        press(&mut s, &[Command::Place(place), Command::Palette]);
        type_in(&mut s, "signer add");
        let nothing = Wanted::AddSigner { guns: vec![], name: String::new(), keys: vec![] };
        assert_eq!(hit(&mut s, KeyCode::Enter), [Effect::Perform(Work::Ask(Box::new(nothing)))], "{place}");
    }
}

#[test]
fn what_was_changed_is_read_again_whether_it_went_well_or_not() {
    let gun = Gun::new(WEB).unwrap();
    let done = Done { happened: "It was published.".into(), repositories: vec![gun.clone()], ..Done::default() };
    let failed = || Failure::new("unknown", "the server broke down", "whether it was published is not known", "Look again.");
    for result in [Ok(done), Err(failed())] {
        let mut s = chain(ANA);
        press(&mut s, &[Command::Change(Changing::TakeBack)]);
        update(&mut s, Action::Began);
        let effects = update(&mut s, Action::Finished(Box::new(result)));
        assert!(effects.contains(&Effect::Open(s.epoch, gun.clone())), "{effects:?}");
        hit(&mut s, KeyCode::Enter);
        assert_eq!(s.context(), Context::Chain, "back where it was begun");
    }
    // If not even that is known, everything is.
    let mut s = state(Kind::Normal, Theme::FULL, (80, 24));
    press(&mut s, &[Command::Change(Changing::Sign)]);
    update(&mut s, Action::Began);
    let effects = update(&mut s, Action::Finished(Box::new(Err(failed()))));
    assert!(effects.contains(&Effect::TakeInventory(s.epoch)), "{effects:?}");
    // And nothing where nothing was done.
    let mut s = chain(ANA);
    press(&mut s, &[Command::Change(Changing::TakeBack)]);
    let stopped = Failure::new(claviger::procedures::CANCELLED, "you have stopped here", "nothing was signed or published", "");
    let effects = update(&mut s, Action::Finished(Box::new(Err(stopped))));
    assert!(!effects.iter().any(|e| matches!(e, Effect::Open(..) | Effect::TakeInventory(_))), "{effects:?}");
}

/// Where a plan is shown.
const PLAN: Step = Step { name: "plan", says: "Read what will be signed, by whom, and what clients will see." };

fn ask(s: &mut State, question: Question) {
    update(s, Action::Asked(Box::new(Asked { step: PLAN, question, may_go_back: true })));
}

fn plan(title: &str, facts: &[(&'static str, &str)], findings: Vec<Finding>) -> Question {
    let root_stays = ["a pinned client sees the root that it knows".to_owned(), "an old cache needs no new root".to_owned()];
    plan_of(title, facts, root_stays, findings)
}

fn plan_of(title: &str, facts: &[(&'static str, &str)], afterwards: [String; 2], findings: Vec<Finding>) -> Question {
    let digest = id("plan").hex();
    let mut all = vec![("Repository", format!("{WEB} at https://notary.registry.example"))];
    all.extend(facts.iter().map(|(n, v)| (*n, (*v).to_owned())));
    all.extend(afterwards.map(|says| ("Afterwards", says)));
    all.push(("Plan", digest.clone()));
    let plan = Some(PlanAsked { digest, needs_person: None, needs_nobody: false, is_another: false });
    Question::Review(Review { title: title.to_owned(), facts: all, findings, verb: "Sign and publish", plan })
}

#[test]
fn the_plan_of_a_change_looks_as_in_its_picture() {
    let image = id("image").hex();
    let signs = plan(
        "Sign a tag",
        &[
            ("Signs", "targets/ana: version 5 to 6; until 2029-11-20, was 2029-10-11"),
            ("", &format!("+ 2.0 sha256:{image} (1994 bytes)")),
            ("Signs", "targets/releases: version 7 to 8; until 2029-11-20, was 2029-10-11"),
            ("", &format!("+ 2.0 sha256:{image} (1994 bytes)")),
            ("Afterwards", "docker can pull 2.0"),
            ("Afterwards", "notary lists 5 names"),
        ],
        vec![],
    );
    let text =
        "Only targets/ana has signed these by name; docker goes on pulling them until they are revoked: latest, v2/2.0-rc1";
    let removes = plan(
        "Remove a signer",
        &[
            ("Signs", "targets: version 4 to 5; until 2029-11-20, was 2026-12-02"),
            ("", &format!("- targets/releases key {} (ecdsa-p256)", id(ANA_HERE).hex())),
            ("", "- the role targets/ana, with its keys"),
            ("Afterwards", "docker pulls what it pulls now: 2 tags"),
            ("Afterwards", "notary lists 4 names; 1 is gone"),
        ],
        vec![Finding::new("only-signer", Severity::Warn, text).with_remedy("revoke")],
    );
    let takes = Question::Confirm(Confirm {
        title: "Read what follows".to_owned(),
        consequences: vec![format!("ana may not sign in {WEB} any more.")],
        typed: "ana".to_owned(),
    });
    for size in [(80, 24), (120, 40)] {
        for (name, key, question) in [("sign", 'S', &signs), ("remove", 'D', &removes), ("remove_confirm", 'D', &takes)] {
            let mut s = chain(ANA);
            update(&mut s, Action::Resize(size.0, size.1));
            hit(&mut s, KeyCode::Char(key));
            ask(&mut s, question.clone());
            hold(&format!("change_{name}_{}x{}", size.0, size.1), &s);
        }
    }
    let adds = plan_of(
        "Add a root key",
        &[
            ("Signs", "root: version 3 to 4; until 2036-11-19, was 2035-04-02"),
            ("", "+ root key (new, made here, in a new certificate)"),
            ("", "~ root needs 2 signatures, was 1"),
            ("Afterwards", "docker pulls what it pulls now: 2 tags"),
            ("Afterwards", "notary lists 5 names"),
        ],
        [
            format!(
                "a pinned client refuses the new root until its pin names the certificates {}, the one to come",
                id("root").hex()
            ),
            "an old cache follows from root version 3 to 4, which the old keys sign too".to_owned(),
        ],
        vec![Finding::new(
            "no-spare-root-key",
            Severity::Error,
            "All 2 root keys must sign each root; if one of them is lost, the root can never be changed again",
        )],
    );
    for size in [(80, 24), (120, 40)] {
        let mut s = chain(ROOT);
        update(&mut s, Action::Resize(size.0, size.1));
        hit(&mut s, KeyCode::Char('+'));
        ask(&mut s, adds.clone());
        hold(&format!("change_root_key_{}x{}", size.0, size.1), &s);
    }
    // A plan is read to its end before it is accepted.
    let mut s = chain(ANA);
    update(&mut s, Action::Resize(80, 24));
    hit(&mut s, KeyCode::Char('D'));
    ask(&mut s, removes);
    assert_eq!(hit(&mut s, KeyCode::Enter), []);
    hit(&mut s, KeyCode::Char('G'));
    assert!(drawn(&s).contains("Sign and publish"), "{}", drawn(&s));
    assert_eq!(hit(&mut s, KeyCode::Enter).len(), 1);
}

#[test]
fn what_was_found_of_an_image_is_read_from_its_verdict_down_to_its_pieces() {
    let digest = format!("sha256:{}", id("image").hex());
    let name = format!("{WEB}:2.0");
    let rows = |layer: &str| {
        let piece = |state: &str, what: &str, size: &str| {
            let platform = if what == "list" { "" } else { "linux/amd64" };
            let short = id(what).short();
            ([state, what, platform, size, &short].map(str::to_owned), state != "ok")
        };
        let all = [("ok", "list", "491 B"), ("ok", "manifest", "674 B"), ("ok", "config", "2 KiB"), (layer, "layer", "12 MiB")];
        let heads = ["STATE", "WHAT", "PLATFORM", "SIZE", "DIGEST"].map(str::to_owned);
        Row::table(heads, all.map(|(state, what, size)| piece(state, what, size)))
    };
    let holds = Done {
        happened: format!(
            "{name} is at the registry, whole, as targets/releases signed it: 4 pieces, 12585917 bytes; {}.",
            inquiry::NOT_SAID
        ),
        left: vec![format!(
            "The registry's tag 2.0 leads to another image now, sha256:{}: whoever pulls by the tag without content trust gets that one.",
            id("there").hex()
        )],
        rows: rows("ok"),
        copy: Some(format!("{WEB}@{digest}")),
        ..Done::default()
    };
    let spoilt = Done {
        happened: format!(
            "{name} is not at the registry as it was signed: layer sha256:{} was tampered with.",
            id("layer").hex()
        ),
        left: vec!["Nothing was changed, and nothing of it was kept.".to_owned(), "Do not run it.".to_owned()],
        rows: rows("TAMPERED"),
        exit: Some(3),
        ..Done::default()
    };
    let resolved = Done {
        happened: format!("{name} is signed by targets/releases; {}.", inquiry::NOT_SAID),
        next: inquiry::BY_DIGEST,
        copy: Some(format!("{WEB}@{digest}")),
        ..Done::default()
    };
    let state = |state: &str, signed: &str, leads: &str, released: &str, name: &str| {
        let short = |of: &str| if of.is_empty() { String::new() } else { id(of).short() };
        let cells = [state.to_owned(), short(signed), short(leads), released.to_owned(), name.to_owned()];
        (cells, matches!(state, "moved" | "missing"))
    };
    let heads = ["REGISTRY", "SIGNED", "LEADS TO", "RELEASED", "NAME"].map(str::to_owned);
    let states = [
        state("moved", "image", "there", "yes", "2.0"),
        state("missing", "old", "", "yes", "0.9"),
        state("unsigned", "", "night", "no", "nightly"),
        state("signed", "one", "", "yes", "1.0"),
    ];
    let listed = Done {
        happened: format!("{WEB}: 1 signed, 1 unsigned, 1 missing, 1 moved."),
        rows: Row::table(heads, states),
        next: inquiry::WORDS,
        ..Done::default()
    };
    for size in [(80, 24), (120, 40)] {
        for (picture, done) in [("holds", &holds), ("spoilt", &spoilt), ("resolved", &resolved), ("registry", &listed)] {
            let mut s = tags(1);
            update(&mut s, Action::Resize(size.0, size.1));
            let begun = hit(&mut s, KeyCode::Char('v'));
            let [Effect::Perform(Work::Inquire(asked))] = begun.as_slice() else { panic!("{begun:?}") };
            assert!(asked.about == About::Image && asked.gun == WEB && !asked.tag.is_empty(), "{asked:?}");
            let question = Question::Working(format!("fetching {name}"));
            update(&mut s, Action::Asked(Box::new(Asked { step: inquiry::SIGNED, question, may_go_back: true })));
            assert!(drawn(&s).contains("Nothing is changed by this."), "{}", drawn(&s));
            update(&mut s, Action::Finished(Box::new(Ok(done.clone()))));
            hold(&format!("verify_{picture}_{}x{}", size.0, size.1), &s);
            // Only the name of what holds is taken elsewhere.
            let copied = hit(&mut s, KeyCode::Char('y'));
            assert_eq!(copied, done.copy.iter().cloned().map(Effect::Copy).collect::<Vec<_>>());
        }
    }
    // What the row does not say is asked; the tags of a registry are of no tag.
    let none = hit(&mut chain(ANA), KeyCode::Char('o'));
    let of = |about| Inquiry { about, gun: WEB.to_owned(), tag: String::new() };
    assert_eq!(none, [Effect::Perform(Work::Inquire(of(About::Tags)))]);
    assert_eq!(hit(&mut tags(1), KeyCode::Char('o')), none);
}

#[test]
fn an_image_is_pushed_from_the_selected_row_and_can_be_stopped_before_its_tag_is_set() {
    let none = hit(&mut chain(ANA), KeyCode::Char('p'));
    assert_eq!(none, [Effect::Perform(Work::PushImage(Destination { gun: WEB.to_owned(), tag: String::new() }))]);
    let digest = format!("sha256:{}", id("image").hex());
    let there = format!("sha256:{}", id("there").hex());
    let facts = vec![
        ("Image", "a list of 2 images: linux/amd64, linux/arm64".to_owned()),
        ("Digest", digest.clone()),
        ("Goes to", format!("{WEB} at the registry https://registry.example")),
        ("Tag", format!("2.0 leads to {there} now")),
        ("Is sent", "5 of 7 pieces, 12 MiB".to_owned()),
        (
            "Afterwards",
            "whoever pulls by the tag without content trust gets it; with content trust, when it is signed".to_owned(),
        ),
    ];
    let text = "2.0 will lead to another image than now: whoever pulls it without content trust gets this one";
    let findings = vec![Finding::new("tag-moves", Severity::Warn, text)];
    let plan = Review { title: "An image for its registry".to_owned(), facts, findings, verb: "Push it", plan: None };
    for size in [(80, 24), (120, 40)] {
        let name = |page: &str| format!("push_{page}_{}x{}", size.0, size.1);
        let mut s = tags(1);
        update(&mut s, Action::Resize(size.0, size.1));
        let begun = hit(&mut s, KeyCode::Char('p'));
        let [Effect::Perform(Work::PushImage(to))] = begun.as_slice() else { panic!("{begun:?}") };
        assert!(to.gun == WEB && !to.tag.is_empty(), "{to:?}");
        let put = |s: &mut State, step, question| {
            update(s, Action::Asked(Box::new(Asked { step, question, may_go_back: true })));
        };
        put(&mut s, push::REVIEW, Question::Review(plan.clone()));
        hold(&name("plan"), &s);
        hit(&mut s, KeyCode::Char('G'));
        assert_eq!(hit(&mut s, KeyCode::Enter).len(), 1);
        put(&mut s, push::SEND, Question::Working("sending 5 pieces to https://registry.example".to_owned()));
        update(&mut s, Action::Began);
        update(&mut s, Action::Came("sending piece 2 of 5: 3 MiB of 12 MiB".to_owned()));
        hold(&name("working"), &s);
        assert_eq!(hit(&mut s, KeyCode::Esc), [Effect::StopWork]);
        assert!(drawn(&s).contains("It is being stopped."), "{}", drawn(&s));
        let happened = format!("{WEB}:2.0 is {digest} at the registry https://registry.example: 5 of 7 pieces sent, 12 MiB.");
        let next = push::NEXT;
        update(&mut s, Action::Finished(Box::new(Ok(Done { happened, next, ..Done::default() }))));
        hold(&name("done"), &s);
    }
}
