use super::*;
use crate::text::Untrusted;
use crate::tuf::name::{Gun, KeyId, RoleName};
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    time::Duration,
};

fn gun(s: &str) -> Gun {
    Gun::new(s).unwrap()
}
fn role(s: &str) -> RoleName {
    RoleName::new(s).unwrap()
}
fn id(n: u8) -> KeyId {
    KeyId::from_digest([n; 32])
}
fn mode(p: &Path) -> u32 {
    fs::symlink_metadata(p).unwrap().permissions().mode() & 0o7777
}

#[test]
fn reading_creates_nothing() {
    let tmp = tempfile::tempdir().unwrap();
    let path = tmp.path().join("trust");
    let dir = TrustDir::new(&path);
    assert_eq!(dir.walk_private(), Walk::default());
    assert_eq!(dir.guns(), Guns::default());
    assert_eq!(dir.read_metadata(&gun("a/b"), &role("root"), 100).unwrap(), None);
    assert!(!path.exists());
}

#[test]
fn what_is_written_is_private_and_is_read_back() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = TrustDir::new(tmp.path().join("a/trust"));
    let (g, r) = (gun("localhost:5000/lab/app"), role("targets/releases/x"));
    {
        let mut w = dir.write().unwrap();
        w.put_metadata(&g, &r, b"{}").unwrap();
        w.put_metadata(&g, &r, b"{1}").unwrap();
        w.put_metadata(&g, &role("root"), b"root").unwrap();
        w.create_key(id(1), b"key").unwrap();
        assert!(matches!(w.create_key(id(1), b"other"), Err(TrustDirError::Exists(_))));
    }
    assert_eq!(dir.read_metadata(&g, &r, 3).unwrap().unwrap(), b"{1}");
    assert_eq!(fs::read(dir.key_path(id(1))).unwrap(), b"key");
    assert!(dir.path().join("tuf/localhost:5000/lab/app/metadata/targets/releases/x.json").is_file());
    for p in ["private", "tuf", "tuf/localhost:5000/lab/app/metadata/targets"] {
        assert_eq!(mode(&dir.path().join(p)), 0o700, "{p}");
    }
    assert_eq!(mode(&dir.key_path(id(1))), 0o600);
    assert_eq!(mode(&dir.metadata_path(&g, &r)), 0o600);
    assert_eq!(dir.guns().guns, [CachedGun { gun: g.clone(), has_root: true }]);
    // Nothing of ours is left but the lock.
    let mut names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    assert_eq!(names, [".claviger.lock", "private", "tuf"]);
}

#[test]
fn a_cached_file_beyond_its_limit_is_not_read() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = TrustDir::new(tmp.path());
    dir.write().unwrap().put_metadata(&gun("g"), &role("root"), b"12345").unwrap();
    assert!(dir.read_metadata(&gun("g"), &role("root"), 5).unwrap().is_some());
    let e = dir.read_metadata(&gun("g"), &role("root"), 4).unwrap_err();
    assert!(matches!(e, TrustDirError::Read { source: ReadError::TooLarge { size: 5, limit: 4 }, .. }), "{e}");
}

#[test]
fn no_write_follows_a_symbolic_link() {
    let tmp = tempfile::tempdir().unwrap();
    let (outside, trust) = (tmp.path().join("outside"), tmp.path().join("trust"));
    fs::create_dir_all(outside.join("metadata")).unwrap();
    fs::create_dir_all(trust.join("tuf")).unwrap();
    symlink(&outside, trust.join("private")).unwrap();
    symlink(&outside, trust.join("tuf/evil")).unwrap();
    let dir = TrustDir::new(&trust);
    let mut w = dir.write().unwrap();
    assert!(matches!(w.create_key(id(1), b"k"), Err(TrustDirError::Symlink(_))));
    assert!(matches!(w.put_metadata(&gun("evil"), &role("root"), b"m"), Err(TrustDirError::Symlink(_))));
    // A link in the place of the file itself is replaced, not followed.
    let victim = tmp.path().join("victim");
    fs::write(&victim, b"precious").unwrap();
    fs::create_dir_all(trust.join("tuf/g/metadata")).unwrap();
    symlink(&victim, trust.join("tuf/g/metadata/root.json")).unwrap();
    w.put_metadata(&gun("g"), &role("root"), b"new").unwrap();
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
    assert_eq!(fs::read_dir(outside.join("metadata")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
    assert_eq!(dir.read_metadata(&gun("g"), &role("root"), 9).unwrap().unwrap(), b"new");
    drop(w);
    // Nor does the lock.
    fs::remove_file(trust.join(".claviger.lock")).unwrap();
    symlink(&victim, trust.join(".claviger.lock")).unwrap();
    assert!(matches!(dir.write(), Err(TrustDirError::Symlink(_))));
    assert_eq!(fs::read(&victim).unwrap(), b"precious");
}

#[test]
fn a_writer_that_was_interrupted_leaves_no_key_and_is_cleaned_up_after() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = TrustDir::new(tmp.path());
    let mut w = dir.write().unwrap();
    // What an interrupted write leaves is what is there before the rename: a file in the dot-directory, without `.key`.
    fs::write(tmp.path().join(".claviger.tmp/1-1"), b"half a key").unwrap();
    assert_eq!(dir.walk_private(), Walk::default());
    // A write that fails leaves nothing at all.
    fs::create_dir_all(dir.key_path(id(2))).unwrap();
    assert!(w.create_key(id(2), b"k").is_err());
    fs::create_dir_all(tmp.path().join("tuf/g/metadata/root.json/x")).unwrap();
    assert!(w.put_metadata(&gun("g"), &role("root"), b"m").is_err());
    assert_eq!(fs::read_dir(tmp.path().join(".claviger.tmp")).unwrap().count(), 1);
    drop(w);
    drop(dir.write().unwrap());
    assert!(!tmp.path().join(".claviger.tmp").exists());
}

#[test]
fn a_second_writer_waits_and_then_names_the_first() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = TrustDir::new(tmp.path());
    let first = dir.write().unwrap();
    let e = dir.write_within(Duration::from_millis(50)).unwrap_err();
    assert!(matches!(&e, TrustDirError::Locked { holder, .. } if *holder == format!("process {}", std::process::id())), "{e}");
    // One that waits long enough gets its turn as soon as the first has finished.
    let (ready, wait) = std::sync::mpsc::channel();
    std::thread::scope(|s| {
        let second = s.spawn(|| {
            ready.send(()).unwrap();
            dir.write_within(Duration::from_secs(60)).map(drop)
        });
        wait.recv().unwrap();
        drop(first);
        second.join().unwrap().unwrap();
    });
    // What the lock file says is not repeated unless it is a number.
    let lock = fs::File::open(tmp.path().join(".claviger.lock")).unwrap();
    lock.lock().unwrap();
    fs::write(tmp.path().join(".claviger.lock"), "\u{1b}[2J evil").unwrap();
    let e = dir.write_within(Duration::ZERO).unwrap_err();
    assert!(matches!(&e, TrustDirError::Locked { holder, .. } if holder == "another process"), "{e}");
}

#[test]
fn directories_that_are_no_gun_are_listed_as_refused() {
    use std::os::unix::ffi::OsStrExt;
    let tmp = tempfile::tempdir().unwrap();
    let dir = TrustDir::new(tmp.path());
    let tuf = dir.tuf();
    for good in ["docker.io/library/alpine", "docker.io/library/alpine/nested", "localhost:5000/x"] {
        fs::create_dir_all(tuf.join(good).join("metadata")).unwrap();
    }
    fs::create_dir_all(tuf.join("no/metadata/of/one")).unwrap();
    fs::create_dir_all(tuf.join("only/changelist")).unwrap();
    fs::create_dir_all(tuf.join("a\u{1b}[2Jb").join("metadata")).unwrap();
    fs::create_dir_all(tuf.join(std::ffi::OsStr::from_bytes(b"\xff\xfe")).join("metadata")).unwrap();
    symlink("/", tuf.join("link")).unwrap();
    fs::write(tuf.join("docker.io/library/alpine/metadata/root.json"), b"{}").unwrap();
    let found = dir.guns();
    let names: Vec<_> = found.guns.iter().map(|g| (g.gun.as_str(), g.has_root)).collect();
    assert_eq!(
        names,
        [
            ("docker.io/library/alpine", true),
            ("docker.io/library/alpine/nested", false),
            ("localhost:5000/x", false),
            ("no", false)
        ]
    );
    let refused: Vec<_> = found.refused.iter().map(|r| r.name.shown().to_string()).collect();
    assert_eq!(refused, ["a<1b>[2Jb", "link", "\u{fffd}\u{fffd}"]);
}

#[test]
fn old_layouts_are_recognised_in_place() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = TrustDir::new(tmp.path());
    let a = id(0xaa).hex();
    let touch = |rel: String| {
        let p = dir.private().join(rel);
        fs::create_dir_all(p.parent().unwrap()).unwrap();
        fs::write(p, b"x").unwrap();
    };
    touch(format!("root_keys/{a}.key"));
    touch(format!("root_keys/{a}_root.key"));
    touch(format!("tuf_keys/{a}_delegation.key"));
    touch(format!("tuf_keys/lab.example/old/{a}_targets.key"));
    touch(format!("sub/{a}.key"));
    let found = dir.walk_private().found;
    let said: Vec<_> = found
        .iter()
        .map(|f| {
            assert_eq!(f.id, Some(id(0xaa)), "{f:?}");
            f.legacy.as_ref().map(|l| (l.role.clone(), l.gun.clone(), l.role_from_directory))
        })
        .collect();
    let u = |s: &str| Some(Untrusted::new(s));
    assert_eq!(
        said,
        [
            Some((u("root"), None, true)),
            Some((u("root"), None, false)),
            None,
            Some((u("delegation"), None, false)),
            Some((u("targets"), u("lab.example/old"), false)),
        ]
    );
}

#[test]
fn no_reading_of_metadata_follows_a_symbolic_link() {
    let tmp = tempfile::tempdir().unwrap();
    let outside = TrustDir::new(tmp.path().join("outside"));
    for r in ["root", "targets", "targets/a"] {
        outside.write().unwrap().put_metadata(&gun("a/b"), &role(r), b"m").unwrap();
    }
    // Control; the trust directory itself may be a link.
    symlink(outside.path(), tmp.path().join("whole")).unwrap();
    assert_eq!(TrustDir::new(tmp.path().join("whole")).remembered(&gun("a/b"), 9).unwrap().len(), 3);
    for (link, below) in [("tuf", ""), ("tuf/a", "a"), ("tuf/a/b", "a/b"), ("tuf/a/b/metadata", "a/b/metadata")] {
        let dir = TrustDir::new(tmp.path().join(link.replace('/', "-")));
        let place = dir.path().join(link);
        fs::create_dir_all(place.parent().unwrap()).unwrap();
        symlink(outside.tuf().join(below), &place).unwrap();
        let is_a_link = |e| matches!(e, TrustDirError::Read { path, source: ReadError::Symlink } if path == shown(&place));
        assert!(is_a_link(dir.remembered(&gun("a/b"), 9).unwrap_err()), "{link}");
        assert!(is_a_link(dir.cached_roles(&gun("a/b")).unwrap_err()), "{link}");
        assert!(is_a_link(dir.read_metadata(&gun("a/b"), &role("root"), 9).unwrap_err()), "{link}");
        assert!(dir.guns().guns.is_empty() && dir.guns().refused.len() == 1, "{link}: {:?}", dir.guns());
    }
}

#[test]
fn a_root_that_cannot_be_read_is_listed_all_the_same() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = TrustDir::new(tmp.path());
    let metadata = dir.metadata_dir(&gun("g"));
    fs::create_dir_all(&metadata).unwrap();
    assert_eq!(dir.guns().guns, [CachedGun { gun: gun("g"), has_root: false }]);
    assert_eq!(dir.remembered(&gun("g"), 9).unwrap().len(), 0);
    symlink("/nowhere", metadata.join("root.json")).unwrap();
    assert_eq!(dir.guns().guns, [CachedGun { gun: gun("g"), has_root: true }]);
    assert_eq!(dir.cached_roles(&gun("g")).unwrap(), [role("root")]);
    assert!(dir.remembered(&gun("g"), 9).is_err());
    fs::remove_file(metadata.join("root.json")).unwrap();
    fs::write(metadata.join("timestamp.json"), b"t").unwrap();
    assert!(matches!(dir.remembered(&gun("g"), 9), Err(TrustDirError::RootLost(_))));
}
