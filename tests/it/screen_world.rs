//! Worlds that screens are drawn from: ordinary, empty, hostile, failing, and large. Fixed to the second, so that
//! pictures stay the same.
use claviger::{
    finding::{Finding, Severity},
    procedures::Work,
    repository::{Look, Seen},
    text::{Printable, Untrusted},
    tuf::{
        collection::{Anchor, Freshness},
        key::Algorithm,
        name::{Gun, KeyId, RoleName},
    },
    tui::{
        action::{Action, Command},
        effect::Effect,
        ledger::{CutShort, Ledger, LedgerRow},
        shelf::{KeyShelf, Repo},
        state::State,
        theme::Theme,
        update::update,
    },
    views::{
        chain::{ChainKey, ChainNode, NodeState, Whereabouts},
        desk::{Facts, Inventory, World},
        journal::JournalRow,
        keys::{KeyRow, KeyRows},
        repositories::{Health, RepositoryDetail, RepositoryRow},
        tags::TagRow,
        transcript::{Entry, Transcript},
    },
};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

/// What is on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Before anything was read.
    Reading,
    /// Nothing there.
    Empty,
    /// A team's ordinary day.
    Normal,
    /// Every text from outside is an attack on the terminal.
    Hostile,
    /// Everything is refused, expired, away or broken.
    Failing,
    /// As many as there can be.
    Many,
}

pub const KINDS: [Kind; 6] = [Kind::Reading, Kind::Empty, Kind::Normal, Kind::Hostile, Kind::Failing, Kind::Many];

/// Control, ANSI, OSC, bidirectional, zero-width, wide and combining characters, and a line break.
pub const ATTACK: &str =
    "\u{1b}[2J\u{1b}]52;c;ZXZpbA==\u{7}\u{9b}31m\u{202e}gnp.\u{200b}\u{2066}\r\n日本語\u{301}\u{301}\u{feff}\u{0}";

pub fn now() -> Timestamp {
    "2026-11-20T09:30:00Z".parse().unwrap()
}

pub fn in_days(days: i64) -> Timestamp {
    now() + SignedDuration::from_hours(24 * days)
}

pub fn id(seed: &str) -> KeyId {
    KeyId::from_digest(Sha256::digest(seed.as_bytes()).into())
}

fn gun(name: &str) -> Gun {
    Gun::new(name).unwrap()
}

fn role(name: &str) -> RoleName {
    RoleName::new(name).unwrap()
}

fn key_row(role: &str, gun: Option<&str>, algorithm: Option<Algorithm>, problems: Vec<Finding>) -> KeyRow {
    let id = id(&format!("{role}{gun:?}"));
    KeyRow {
        id: Some(id),
        role: Untrusted::new(role),
        gun: gun.map(Untrusted::new),
        algorithm,
        encrypted: Some(true),
        modified: Some(in_days(-90)),
        path: format!("/home/ana/.docker/trust/private/{id}.key").into(),
        legacy: false,
        used_by: Vec::new(),
        problems,
    }
}

fn keys(kind: Kind) -> KeyRows {
    let p256 = Some(Algorithm::EcdsaP256);
    let mut root = key_row("root", None, p256, vec![]);
    root.used_by = vec![(gun("registry.example/shop/web"), role("root")), (gun("registry.example/shop/api"), role("root"))];
    let web = key_row("targets", Some("registry.example/shop/web"), p256, vec![]);
    let old = key_row(
        "targets",
        Some("registry.example/archive/very/deeply/nested/repository-name"),
        None,
        vec![
            Finding::new("legacy-layout", Severity::Warn, "The file lies where Notary 0.4 kept keys.").with_remedy("key migrate"),
        ],
    );
    let mut ana = key_row("ana", None, Some(Algorithm::Rsa(2048)), vec![]);
    ana.used_by = vec![(gun("registry.example/shop/web"), role("targets/ana"))];
    let mut rows = match kind {
        Kind::Reading | Kind::Empty => vec![],
        Kind::Normal => vec![root, web, old, ana],
        Kind::Failing => vec![
            KeyRow {
                id: None,
                role: Untrusted::default(),
                algorithm: None,
                encrypted: None,
                modified: None,
                problems: vec![Finding::new("damaged", Severity::Error, "The file is not a key: it has no PEM block.")],
                ..key_row("", None, None, vec![])
            },
            KeyRow {
                encrypted: Some(false),
                problems: vec![
                    Finding::new("wrong-name", Severity::Error, "The key's ID is not the one in the file's name."),
                    Finding::new("readable", Severity::Warn, "Others can read the file. chmod 600 mends that."),
                ],
                ..key_row("root", None, Some(Algorithm::Rsa(1024)), vec![])
            },
        ],
        Kind::Hostile => vec![KeyRow {
            path: format!("/trust/private/{ATTACK}.key").into(),
            problems: vec![Finding::new("header", Severity::Warn, format!("The header says {ATTACK}."))],
            ..key_row(ATTACK, Some(ATTACK), None, vec![])
        }],
        Kind::Many => (0..100_000)
            .map(|i| key_row("targets", Some(&format!("registry.example/team-{}/app-{i}", i % 97)), p256, vec![]))
            .collect(),
    };
    if kind == Kind::Failing {
        rows[0].path = "/home/ana/.docker/trust/private/garbage.key".into();
    }
    let problems = match kind {
        Kind::Failing => vec![Finding::new("unreadable", Severity::Error, "private/old cannot be read: permission denied.")],
        _ => vec![],
    };
    KeyRows { rows, problems }
}

pub fn chain_key(seed: &str, signed: bool, whereabouts: Whereabouts) -> ChainKey {
    let id = id(seed);
    ChainKey { id, canonical_id: id, algorithm: Algorithm::EcdsaP256, signed: Some(signed), certificate: None, whereabouts }
}

fn node(name: &str, version: u64, days: i64, keys: Vec<ChainKey>, children: Vec<ChainNode>) -> ChainNode {
    ChainNode {
        role: role(name),
        state: NodeState::Verified,
        version: Some(version),
        expires: Some(in_days(days)),
        threshold: 1,
        keys,
        paths: Vec::new(),
        targets: Some(0),
        findings: Vec::new(),
        children,
    }
}

fn here(seed: &str) -> Whereabouts {
    Whereabouts::Here(format!("/home/ana/.docker/trust/private/{}.key", id(seed)).into())
}

/// Seeds of the keys that the list of keys has.
pub const ROOT_HERE: &str = "rootNone";
pub const TARGETS_HERE: &str = "targetsSome(\"registry.example/shop/web\")";
pub const ANA_HERE: &str = "anaNone";

/// Root, timestamp, snapshot, targets with releases, two people, a nested role, a refused one and an unpublished one.
pub fn chain(hostile: bool) -> ChainNode {
    let text = |s: &str| Printable::from_untrusted(if hostile { ATTACK } else { s });
    let mut root_key = chain_key("root", true, here(ROOT_HERE));
    root_key.canonical_id = id(ROOT_HERE);
    root_key.certificate = Some((Untrusted::new(if hostile { ATTACK } else { "registry.example/shop/web" }), in_days(3400)));
    let people = |n: &str, v, names, paths: &[&str], below| ChainNode {
        paths: paths.iter().map(|p| text(p)).collect(),
        targets: Some(names),
        ..node(n, v, 600, vec![chain_key(n, true, Whereabouts::Elsewhere)], below)
    };
    let linux = people("targets/ana/linux", 2, 1, &["linux/"], vec![]);
    let qa = ChainNode {
        state: NodeState::Refused(format!(
            "{}: signed by 0 of 1 keys needed",
            if hostile { ATTACK } else { "its only key was removed" }
        )),
        version: None,
        expires: None,
        targets: None,
        keys: vec![ChainKey { signed: None, ..chain_key("targets/qa", false, Whereabouts::Elsewhere) }],
        findings: vec![
            Finding::new("refused", Severity::Error, "targets/qa has lost its only signing key.").with_remedy("witness"),
        ],
        ..people("targets/qa", 1, 0, &[""], vec![])
    };
    let new = ChainNode {
        state: NodeState::Unpublished,
        version: None,
        expires: None,
        targets: None,
        keys: vec![ChainKey { signed: None, ..chain_key("targets/new", false, Whereabouts::Elsewhere) }],
        ..people("targets/new", 1, 0, &["new/"], vec![])
    };
    let mut releases = people("targets/releases", 7, 3, &[""], vec![]);
    releases.keys = vec![chain_key(ANA_HERE, true, here(ANA_HERE)), chain_key("targets/ben", false, Whereabouts::Elsewhere)];
    let mut ana = people("targets/ana", 5, 3, &["v1/", "v2/"], vec![linux]);
    ana.keys = vec![chain_key(ANA_HERE, true, here(ANA_HERE))];
    let below = vec![releases, ana, qa, new];
    let targets = ChainNode {
        paths: vec![Printable::from_untrusted("")],
        targets: Some(1),
        ..node("targets", 4, 12, vec![chain_key(TARGETS_HERE, true, here(TARGETS_HERE))], below)
    };
    let server = |n| vec![chain_key(n, true, Whereabouts::Server)];
    let children = vec![
        node("timestamp", 31, 13, server("timestamp"), vec![]),
        node("snapshot", 19, 900, server("snapshot"), vec![]),
        targets,
    ];
    node("root", 3, 3100, vec![root_key], children)
}

fn tag(name: &str, roles: &[&str], released: bool) -> TagRow {
    TagRow {
        name: Untrusted::new(name),
        digest: Some(id(name)),
        size: 1994,
        roles: roles.iter().map(|r| role(r)).collect(),
        released,
    }
}

pub fn detail(gun: &Gun, hostile: bool, tags: usize) -> RepositoryDetail {
    let mut rows = vec![
        tag(if hostile { ATTACK } else { "latest" }, &["targets/releases", "targets/ana"], true),
        tag("v1/1.0.3", &["targets"], true),
        tag("v2/2.0-rc1", &["targets/ana"], false),
    ];
    rows.push(TagRow { digest: None, ..tag("日本語-タグ", &["targets/ana", "targets/ana/linux"], false) });
    rows.extend((rows.len()..tags).map(|i| tag(&format!("build-{i}"), &["targets/releases"], true)));
    let text = if hostile { format!("The role {ATTACK} is odd.") } else { "targets expires in 12 days.".to_owned() };
    RepositoryDetail {
        gun: gun.clone(),
        anchor: Anchor::Remembered,
        freshness: Freshness::Live,
        verified_at: now(),
        as_of: None,
        next_expiry: Some((role("targets"), in_days(12))),
        chain: chain(hostile),
        tags: rows,
        findings: vec![
            Finding::new("expires-soon", Severity::Warn, text).with_remedy("renew"),
            Finding::new("first", Severity::Info, "One key signs two roles."),
        ],
    }
}

fn repositories(kind: Kind) -> Vec<RepositoryRow> {
    let row = |name: &str, health: Health, d: Option<RepositoryDetail>| RepositoryRow {
        gun: gun(name),
        health,
        detail: d.map(Box::new),
        advice: None,
    };
    let verified = |name: &str, severity: Option<Severity>| {
        let mut d = detail(&gun(name), false, 4);
        if severity.is_none() {
            d.findings.clear();
            d.next_expiry = Some((role("targets"), in_days(700)));
        }
        row(name, Health::Verified(severity), Some(d))
    };
    let why = Printable::from_untrusted;
    match kind {
        Kind::Reading | Kind::Empty => vec![],
        Kind::Normal => {
            let mut pinned = verified("registry.example/shop/api", None);
            pinned.detail.as_mut().unwrap().anchor = Anchor::Pinned;
            let mut first = verified("registry.example/tools/very-long-team-name/an-even-longer-repository-name", None);
            first.detail.as_mut().unwrap().anchor = Anchor::FirstUse;
            let mut cached = verified("registry.example/tools/scanner", None);
            let d = cached.detail.as_mut().unwrap();
            d.freshness = Freshness::Cached;
            d.as_of = Some(in_days(-2));
            d.findings.push(Finding::new("not-fresh", Severity::Warn, "the server did not answer; this is as of 2026-11-18"));
            let refused = why("targets is signed by 0 keys that root names, 1 needed");
            vec![
                row("registry.example/old/batch", Health::Refused(refused), None),
                pinned,
                verified("registry.example/shop/web", Some(Severity::Warn)),
                cached,
                first,
            ]
        }
        Kind::Failing => {
            let mut expired = verified("registry.example/a/expired-since", None);
            expired.detail.as_mut().unwrap().chain.children[0].expires = Some(in_days(-1));
            vec![
                expired,
                row("registry.example/a/away", Health::Unreachable(why("registry.example did not answer within 10 s")), None),
                row("registry.example/a/closed", Health::NotAllowed(why("registry.example answered 401")), None),
                row("registry.example/a/gone", Health::NotThere, None),
                row(
                    "registry.example/a/rollback",
                    Health::Refused(why("snapshot has version 4, but version 9 was seen before")),
                    None,
                ),
                row("registry.example/a/root-expired", Health::Refused(why("root expired on 2026-01-03")), None),
                verified("registry.example/a/faulty", Some(Severity::Error)),
            ]
        }
        Kind::Hostile => {
            let d = detail(&gun("日本語.example/レポジトリ"), true, 4);
            vec![
                row("日本語.example/レポジトリ", Health::Verified(Some(Severity::Warn)), Some(d)),
                row("registry.example/refused", Health::Refused(why(ATTACK)), None),
                row("registry.example/away", Health::Unreachable(why(ATTACK)), None),
            ]
        }
        Kind::Many => (0..3_000)
            .map(|i| {
                let name = format!("registry.example/team-{}/app-{i:04}", i % 97);
                let d = (i == 0).then(|| detail(&gun(&name), false, 50_000));
                let health = if d.is_some() { Health::Verified(None) } else { Health::Unknown };
                row(&name, health, d)
            })
            .collect(),
    }
}

/// A screen of so many columns and rows on which everything of a kind was read.
pub fn state(kind: Kind, theme: Theme, size: (u16, u16)) -> State {
    let world = match kind {
        Kind::Hostile | Kind::Many => World::Sandbox,
        Kind::Empty => World::Offline,
        _ => World::Online,
    };
    let dir = if kind == Kind::Hostile { ATTACK } else { "/home/ana/.docker/trust" };
    let server = if kind == Kind::Hostile { ATTACK } else { "https://notary.registry.example" };
    let facts =
        Facts { world, trust_dir: Printable::from_untrusted(dir), server: Some(Printable::from_untrusted(server)), config: None };
    let mut s = State::new(facts, theme, now());
    update(&mut s, Action::Resize(size.0, size.1));
    update(&mut s, Action::Start);
    if kind == Kind::Reading {
        return s;
    }
    let epoch = s.epoch;
    update(&mut s, Action::KeysRead(epoch, Box::new(KeyShelf::new(keys(kind)))));
    let mut rows = repositories(kind);
    rows.sort_by(|a, b| a.gun.cmp(&b.gun));
    let notes = match kind {
        Kind::Failing => vec!["registry.example was not asked which repositories it has: it answered 401".to_owned()],
        Kind::Hostile => vec![format!("The server said {ATTACK}.")],
        _ => vec![],
    };
    let guns: Vec<Gun> = rows.iter().map(|r| r.gun.clone()).collect();
    let anchored = guns.iter().cloned().collect();
    update(&mut s, Action::InventoryTaken(epoch, Inventory { guns, anchored, notes, unsigned: Default::default() }));
    let loaded: Vec<Action> = rows
        .into_iter()
        .filter(|r| r.health != Health::Unknown)
        .map(|r| Action::Loaded(epoch, Box::new(Repo::new(r, now()))))
        .collect();
    claviger::tui::update::update_all(&mut s, loaded);
    update(&mut s, Action::JournalRead(epoch, Box::new(journal(kind))));
    s.job = None;
    s
}

/// What the files of a refused repository claim.
pub fn look() -> Look {
    let seen = |r: &str, names: &[&str], problem: Option<&str>| Seen {
        role: role(r),
        claims: None,
        names: names.iter().map(|n| Untrusted::new(*n)).collect(),
        more_names: 0,
        problem: problem.map(str::to_owned),
    };
    Look {
        files: vec![seen("root", &[], Some(&format!("it is no metadata {ATTACK}"))), seen("targets", &["latest", ATTACK], None)],
    }
}

fn deed(work: &str, command: &str, days: i64, outcome: Option<&str>, says: &str) -> LedgerRow {
    let text = Printable::from_untrusted;
    let began = in_days(days);
    let (outcome, ended) = (outcome.map(text), outcome.map(|_| began + SignedDuration::from_secs(7)));
    let row = JournalRow { work: text(work), name: text(command), began, ended, outcome, says: text(says) };
    LedgerRow { row, cut: None }
}

fn journal(kind: Kind) -> Ledger {
    let done = deed("20261118T093000Z-411-0", "key generate", -2, Some("done"), "carol was made");
    let mut cut = deed("20261119T093000Z-412-0", "key strengthen", -1, None, "writing the key again");
    let says =
        "`key strengthen` of 2026-11-19 09:30 UTC was interrupted while writing the key again; 3 of 8 files had been written.";
    let work = Some(Work::StrengthenKeys(None));
    cut.cut = Some(CutShort { says: says.to_owned(), work, is_open: true, only_asked: false });
    let problem =
        Some("The chain does not hold at line 4: it does not follow from the line before it. What follows is not shown.");
    match kind {
        Kind::Reading | Kind::Empty => Ledger::default(),
        Kind::Normal => Ledger::of(vec![done, cut], None),
        Kind::Failing => {
            let failed =
                deed("20261117T093000Z-9-0", "key remove", -3, Some("failed"), "the file is open elsewhere; nothing was removed");
            Ledger::of(vec![done, failed], problem.map(str::to_owned))
        }
        Kind::Hostile => {
            let mut cut = deed(ATTACK, ATTACK, -1, Some(ATTACK), ATTACK);
            let says = Printable::from_untrusted(ATTACK).to_string();
            cut.cut = Some(CutShort { says, work: None, is_open: true, only_asked: false });
            Ledger::of(vec![cut], problem.map(str::to_owned))
        }
        Kind::Many => Ledger::of(
            (0..20_000)
                .map(|i| deed(&format!("{i}-0"), "key passwd", -1 - i / 40, Some("done"), "the passphrase was changed"))
                .collect(),
            None,
        ),
    }
}

/// What was written down of the work in the journal.
pub fn transcript(text: &str) -> Transcript {
    let says = Printable::from_untrusted;
    let line = |event: &str, says: Printable, more: &[&str]| Entry {
        at: in_days(-1),
        event: Printable::from_untrusted(event),
        says,
        more: more.iter().map(|m| Printable::from_untrusted(m)).collect(),
    };
    let entries = vec![
        line("work", says("key strengthen, by claviger 0.1.0, in /home/ana"), &[]),
        line("answer", says("Write 8 keys again?: accepted"), &["Keys: 8", "! One is not encrypted."]),
        line("begun", says(text), &["/home/ana/.docker/trust/private/a.key: changed"]),
        line("failed", says(text), &[text]),
    ];
    Transcript { entries, broken: None }
}

/// Presses keys, by what they ask for.
pub fn press(s: &mut State, commands: &[Command]) {
    for c in commands {
        for effect in update(s, Action::Do(*c)) {
            if let Effect::ReadTranscript(work) = effect {
                let text = if s.facts.trust_dir.as_str().starts_with('/') { "writing the key again" } else { ATTACK };
                update(s, Action::TranscriptRead(work, Ok(transcript(text))));
            }
        }
    }
}

/// Out of everything, to the first line of every list: making a large world anew takes long.
pub fn start_over(s: &mut State) {
    while !s.layers.is_empty() {
        press(s, &[Command::Back]);
    }
    for place in [3, 2, 1, 0] {
        press(s, &[Command::Place(place), Command::First]);
    }
}

/// Every screen, and how to get there.
pub const SCREENS: &[(&str, &[Command])] = &[
    ("overview", &[]),
    ("keys", &[Command::Place(1)]),
    ("key", &[Command::Place(1), Command::Open]),
    ("repositories", &[Command::Place(2)]),
    ("refused", &[Command::Place(2), Command::Open]),
    ("chain", &[Command::Place(2), Command::Down, Command::Down, Command::Open]),
    ("tags", &[Command::Place(2), Command::Down, Command::Down, Command::Open, Command::TabRight]),
    ("findings", &[Command::Place(2), Command::Down, Command::Down, Command::Open, Command::TabRight, Command::TabRight]),
    ("journal", &[Command::Place(3)]),
    ("deed", &[Command::Place(3), Command::Open]),
    ("help", &[Command::Place(1), Command::Help]),
];
