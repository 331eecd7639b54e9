//! What is remembered, when it cannot be read, and when others write it at the same time.
use crate::forge::{
    Cert, Files, Forge, GUN, Holder, Key, Served,
    disk::{Meanwhile, remember, repositories, tree, wait_for},
    now, role,
};
use claviger::{
    repository::{LoadError, Loaded, Mode},
    trust_dir::{TrustDir, TrustDirError},
    tuf::{Refusal, collection::Anchor, name::Gun, pinning::Pinning},
};
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    sync::atomic::{AtomicUsize, Ordering},
};

fn gun() -> Gun {
    Gun::new(GUN).unwrap()
}

/// The good repository's name in the hands of somebody else, with keys of his own.
fn stranger() -> Served {
    let mut forge = Forge::good();
    *forge.holder("root") = Holder::of(&[Cert::of(GUN).around(&Key::p256("stranger"))]);
    forge.tags.insert(role("targets"), vec!["evil".to_owned()]);
    Served::new(forge.publish())
}

#[allow(clippy::result_large_err)]
fn load(dir: &TrustDir, served: &Served, mode: Mode, meanwhile: Meanwhile) -> Result<Loaded, LoadError> {
    wait_for(repositories(dir, served, Pinning::default(), meanwhile).load(&gun(), now(), mode, &|_| {}))
}

fn nothing_else() -> Meanwhile {
    Box::new(|_| {})
}

/// A directory that remembers these files.
fn remembering(files: &Files) -> (tempfile::TempDir, TrustDir) {
    let home = tempfile::tempdir().unwrap();
    let dir = TrustDir::new(home.path().join("trust"));
    remember(&dir, &gun(), files);
    (home, dir)
}

fn pipe(path: &Path) {
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, mode, 0).unwrap();
}

/// What is done to a path.
type Obstacle = fn(&Path);
/// A path in a trust directory.
type Place = fn(&TrustDir) -> PathBuf;

/// Ways in which something is there and cannot be read, whoever reads it.
const OBSTACLES: [(&str, Obstacle); 4] = [
    ("a link to it", |path| {
        let elsewhere = path.with_extension("elsewhere");
        fs::rename(path, &elsewhere).unwrap();
        symlink(elsewhere, path).unwrap();
    }),
    ("a link to nowhere", |path| {
        away(path);
        symlink("/nowhere", path).unwrap();
    }),
    ("a pipe", |path| {
        away(path);
        pipe(path);
    }),
    ("a file too large", |path| {
        away(path);
        fs::File::create(path).unwrap().set_len(claviger::tuf::limits::METADATA + 1).unwrap();
    }),
];

fn away(path: &Path) {
    if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
}

/// The load must fail because the cache cannot be read, with every byte of it as before.
#[track_caller]
fn assert_unreadable(dir: &TrustDir, served: &Served, what: &str) {
    for mode in [Mode::Usual, Mode::Browse, Mode::CleanCache] {
        let before = sizes(dir);
        match load(dir, served, mode, nothing_else()) {
            Err(LoadError::Cache(why)) => assert!(!why.remedy().is_empty()),
            other => panic!("{what}, {mode:?}: {other:?}"),
        }
        assert!(sizes(dir) == before, "{what}, {mode:?}: the cache has changed");
    }
}

/// What there is, without reading files that are made to be large.
fn sizes(dir: &TrustDir) -> Vec<(PathBuf, String)> {
    let mut all = Vec::new();
    let mut waiting = vec![dir.tuf()];
    while let Some(at) = waiting.pop() {
        let meta = fs::symlink_metadata(&at).unwrap();
        if meta.is_dir() {
            waiting.extend(fs::read_dir(&at).unwrap().map(|e| e.unwrap().path()));
        }
        all.push((at, format!("{:?} {} {:?}", meta.file_type(), meta.len(), meta.modified().unwrap())));
    }
    all.sort();
    all
}

#[test]
fn a_remembered_root_that_cannot_be_read_is_no_first_contact() {
    let files = Forge::good().publish();
    let metadata = |dir: &TrustDir| dir.metadata_dir(&gun());
    let places: [(&str, Place); 4] = [
        ("root.json", |d| d.metadata_path(&gun(), &role("root"))),
        ("metadata", |d| d.metadata_dir(&gun())),
        ("the repository", |d| d.tuf().join(GUN)),
        ("tuf", |d| d.tuf()),
    ];
    for (place, path) in places {
        for (obstacle, put) in OBSTACLES {
            let (_home, dir) = remembering(&files);
            put(&path(&dir));
            assert_unreadable(&dir, &stranger(), &format!("{place} is {obstacle}"));
        }
    }
    // A directory in the place of the root.
    let (_home, dir) = remembering(&files);
    fs::remove_file(metadata(&dir).join("root.json")).unwrap();
    fs::create_dir(metadata(&dir).join("root.json")).unwrap();
    assert_unreadable(&dir, &stranger(), "root.json is a directory");
    // Nothing else but the root was remembered.
    let (_home, dir) = remembering(&Files::from([(role("root"), files[&role("root")].clone())]));
    OBSTACLES[0].1(&dir.metadata_path(&gun(), &role("root")));
    assert_unreadable(&dir, &stranger(), "the only file is a link");
    // Control: the directories alone remember nothing.
    let (_home, dir) = remembering(&Files::new());
    fs::create_dir_all(metadata(&dir).join("targets")).unwrap();
    let loaded = load(&dir, &stranger(), Mode::Usual, nothing_else()).unwrap();
    assert!(loaded.collection.anchor() == Anchor::FirstUse && loaded.root_remembered);
}

#[test]
fn a_root_that_was_lost_is_not_replaced_by_a_stranger() {
    let files = Forge::good().publish();
    for kept in ["timestamp", "targets", "targets/a/b"] {
        let (_home, dir) = remembering(&Files::from([(role(kept), files[&role(kept)].clone())]));
        let why = load(&dir, &stranger(), Mode::Usual, nothing_else()).unwrap_err();
        assert!(matches!(&why, LoadError::Cache(TrustDirError::RootLost(_))), "{why}");
        assert_unreadable(&dir, &stranger(), kept);
    }
}

#[test]
fn a_remembered_file_that_cannot_be_read_is_not_forgotten() {
    let old = Forge::good();
    let new = old.next().publish();
    let mut served = Served::new(old.publish());
    served.files.insert(role("root"), new[&role("root")].clone());
    for name in ["timestamp", "snapshot", "targets", "targets/a", "targets/a/b"] {
        for (obstacle, put) in OBSTACLES {
            let (_home, dir) = remembering(&new);
            put(&dir.metadata_path(&gun(), &role(name)));
            assert_unreadable(&dir, &served, &format!("{name} is {obstacle}"));
        }
    }
    for directory in ["targets", "targets/a"] {
        let (_home, dir) = remembering(&new);
        OBSTACLES[0].1(&dir.metadata_dir(&gun()).join(directory));
        assert_unreadable(&dir, &served, &format!("{directory}/ is a link"));
    }
    // Control: what is no role's file stands in nobody's way.
    let (_home, dir) = remembering(&new);
    fs::write(dir.metadata_dir(&gun()).join("notes.txt"), "").unwrap();
    symlink("/nowhere", dir.metadata_dir(&gun()).join(".#root.json")).unwrap();
    load(&dir, &Served::new(new.clone()), Mode::Usual, nothing_else()).unwrap();
}

/// What another program does when this one asks for `targets` for the first time.
fn once_at_targets(dir: &TrustDir, what: impl Fn(&TrustDir) + Send + Sync + 'static) -> Meanwhile {
    let (dir, times) = (dir.clone(), AtomicUsize::new(0));
    Box::new(move |request| {
        if request.role == role("targets") && times.fetch_add(1, Ordering::SeqCst) == 0 {
            what(&dir);
        }
    })
}

#[test]
fn a_stalled_first_contact_does_not_replace_a_root_that_was_remembered_meanwhile() {
    let good = Forge::good().publish();
    for mode in [Mode::Usual, Mode::Browse, Mode::CleanCache] {
        let (_home, dir) = remembering(&Files::new());
        let files = good.clone();
        let meanwhile = once_at_targets(&dir, move |dir| remember(dir, &gun(), &files));
        let why = load(&dir, &stranger(), mode, meanwhile).unwrap_err();
        // The second attempt is anchored in what is remembered now.
        assert!(matches!(&why, LoadError::Refused(_)), "{mode:?}: {why}");
        let (_other, expected) = remembering(&good);
        let files = |d: &TrustDir| tree(&d.tuf()).into_values().collect::<Vec<_>>();
        assert!(files(&dir) == files(&expected), "{mode:?}: the cache is not what the other program made of it");
    }
}

#[test]
fn a_stalled_older_load_does_not_roll_back_what_was_remembered_meanwhile() {
    let first = Forge::good();
    let second = first.next();
    let newest = second.next().publish();
    let (_home, dir) = remembering(&first.publish());
    let files = newest.clone();
    let meanwhile = once_at_targets(&dir, move |dir| remember(dir, &gun(), &files));
    let why = load(&dir, &Served::new(second.publish()), Mode::Usual, meanwhile).unwrap_err();
    assert!(matches!(&why, LoadError::Refused(Refusal::Rollback { .. })), "{why}");
    for (name, bytes) in &newest {
        assert!(fs::read(dir.metadata_path(&gun(), name)).unwrap() == *bytes, "{name} was rolled back");
    }
}

#[test]
fn what_another_program_remembers_meanwhile_is_shown_as_remembered() {
    let good = Forge::good().publish();
    let (_home, dir) = remembering(&Files::new());
    let files = good.clone();
    let meanwhile = once_at_targets(&dir, move |dir| remember(dir, &gun(), &files));
    let loaded = load(&dir, &Served::new(good), Mode::Usual, meanwhile).unwrap();
    assert!(loaded.collection.anchor() == Anchor::Remembered && loaded.root_remembered);
}

#[test]
fn what_changes_all_the_time_is_given_up() {
    let forge = Forge::good();
    let mut next = forge.next();
    // With one root for both the timestamp is asked for once an attempt.
    next.versions.remove(&role("root"));
    let (old, new) = (forge.publish(), next.publish());
    let served = Served::new(new.clone());
    let (_home, dir) = remembering(&old);
    let (place, times) = (dir.clone(), AtomicUsize::new(0));
    let meanwhile: Meanwhile = Box::new(move |request| {
        if request.role == role("timestamp") {
            let n = times.fetch_add(1, Ordering::SeqCst);
            remember(&place, &gun(), if n % 2 == 0 { &new } else { &old });
        }
    });
    let why = load(&dir, &served, Mode::Usual, meanwhile).unwrap_err();
    assert!(matches!(&why, LoadError::Cache(TrustDirError::Restless { times: 3, .. })), "{why}");
}

#[test]
fn browsing_a_repository_that_somebody_else_named_anchors_nothing() {
    let home = tempfile::tempdir().unwrap();
    let dir = TrustDir::new(home.path().join("trust"));
    for _ in 0..2 {
        let loaded = load(&dir, &stranger(), Mode::Browse, nothing_else()).unwrap();
        assert!(loaded.collection.anchor() == Anchor::FirstUse && !loaded.root_remembered && loaded.not_kept.is_none());
        assert!(!dir.path().exists());
    }
    // Control: the owner, asked for by name, is remembered, and his news are kept when he is browsed.
    let forge = Forge::good();
    assert!(load(&dir, &Served::new(forge.publish()), Mode::Usual, nothing_else()).unwrap().root_remembered);
    let next = forge.next().publish();
    assert!(load(&dir, &Served::new(next.clone()), Mode::Browse, nothing_else()).unwrap().root_remembered);
    assert_eq!(fs::read(dir.metadata_path(&gun(), &role("root"))).unwrap(), next[&role("root")]);
    // So is a first contact with a pinned root.
    let home = tempfile::tempdir().unwrap();
    let dir = TrustDir::new(home.path());
    let pin = Pinning { certs: vec![(GUN.to_owned(), vec![crate::forge::key_of("root").id()])], ..Pinning::default() };
    let all = repositories(&dir, &Served::new(next), pin, nothing_else());
    assert!(wait_for(all.load(&gun(), now(), Mode::Browse, &|_| {})).unwrap().root_remembered);
}
