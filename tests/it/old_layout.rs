//! Keys of old layouts, against `notary` itself: what its own move loses, ours keeps or leaves with its reason.
use crate::peers::program::program;
use claviger::{keys, secret::Passphrase, trust_dir::TrustDir};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

const ROOT: &str = "e18d009991f34e26ec5629f31d1f1e73327d57418ff6b8ca15dfb843fabe79b7";
const SIGNER: &str = "9f8188b0b517da061be0e66d7cab3211bdfc36e2fc21556787b603d89eb74cd5";
const SNAPSHOT: &str = "70b63964150d22a9c63e62e7e3bfdd42bcac4e343ca4eb4b79e3263928b2b856";
const TARGETS: &str = "92edd8f17cb901b99f4f4db19048eafa832005387f6beb1288ce3f22b6afd810";
const GUN: &str = "lab.example/old/app";

/// A home with a trust directory of an old layout, as fixtures have it.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let home = Self(tempfile::tempdir().unwrap());
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/oldlayout/before-hand-made/private");
        for relative in [
            format!("root_keys/{ROOT}.key"),
            format!("tuf_keys/{SIGNER}_delegation.key"),
            format!("tuf_keys/{GUN}/{SNAPSHOT}_snapshot.key"),
            format!("tuf_keys/{GUN}/{TARGETS}_targets.key"),
        ] {
            home.put(&relative, &fs::read(from.join(&relative)).unwrap());
        }
        home
    }

    fn private(&self, relative: &str) -> PathBuf {
        self.0.path().join("trust/private").join(relative)
    }

    fn put(&self, relative: &str, bytes: &[u8]) {
        fs::create_dir_all(self.private(relative).parent().unwrap()).unwrap();
        fs::write(self.private(relative), bytes).unwrap();
    }

    fn read(&self, relative: &str) -> Vec<u8> {
        fs::read(self.private(relative)).unwrap_or_default()
    }

    fn migrate(&self) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
        command.args(["key", "migrate", "--json", "-d", "trust"]).env_clear().env("HOME", self.0.path());
        command.current_dir(self.0.path()).stdin(Stdio::null()).output().unwrap()
    }

    /// Everything that `notary key list` prints, as rows of role, GUN and ID.
    fn notary(&self) -> Vec<[String; 3]> {
        let mut command = Command::new(program("notary"));
        command.args(["key", "list", "-d"]).arg(self.0.path().join("trust"));
        command.env_clear().env("HOME", self.0.path()).env("PCSCLITE_CSOCK_NAME", "/nonexistent");
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let Some(head) = text.lines().find(|l| l.starts_with("ROLE")) else { return Vec::new() };
        let at = ["GUN", "KEY ID", "LOCATION"].map(|c| head.find(c).unwrap());
        let rows = text.lines().skip_while(|l| !l.starts_with("----")).skip(1).filter(|l| !l.trim().is_empty());
        rows.map(|l| [&l[..at[0]], &l[at[0]..at[1]], &l[at[1]..at[2]]].map(|c| c.trim().to_owned())).collect()
    }

    /// Every file below, relative, with what is in it.
    fn files(&self, below: &str) -> BTreeMap<String, Vec<u8>> {
        fn walk(dir: &Path, top: &Path, out: &mut BTreeMap<String, Vec<u8>>) {
            for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
                match entry.file_type().unwrap().is_dir() {
                    true => walk(&entry.path(), top, out),
                    false => {
                        let name = entry.path().strip_prefix(top).unwrap().to_str().unwrap().to_owned();
                        out.insert(name, fs::read(entry.path()).unwrap_or_default());
                    }
                }
            }
        }
        let (mut out, top) = (BTreeMap::new(), self.0.path().join(below));
        walk(&top, &top, &mut out);
        out
    }
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

/// The reasons why files stay, by the end of their path.
fn stays(output: &Output) -> BTreeMap<String, String> {
    let said = json(output);
    let all = said["stayed"].as_array().unwrap().iter();
    all.map(|s| {
        let path = s["path"].as_str().unwrap().split_once("private/").unwrap().1.to_owned();
        (path, s["reason"].as_str().unwrap().to_owned())
    })
    .collect()
}

#[test]
fn every_key_moves_with_its_role_after_a_copy_and_notary_finds_them_all() {
    let home = Home::new();
    let before = home.files("trust");
    let said = home.migrate();
    assert_eq!(said.status.code(), Some(0), "{}", String::from_utf8_lossy(&said.stderr));
    assert_eq!(json(&said)["moved"].as_array().unwrap().len(), 4);
    assert_eq!(home.files("trust-before-migration"), before, "the copy");
    assert!(!home.private("root_keys").exists() && !home.private("tuf_keys").exists());
    let mut listed = home.notary();
    listed.sort();
    let row = |role: &str, gun: &str, id: &str| [role.to_owned(), gun.to_owned(), id.to_owned()];
    let expected =
        [row("delegation", "", SIGNER), row("root", "", ROOT), row("snapshot", GUN, SNAPSHOT), row("targets", GUN, TARGETS)];
    assert_eq!(listed, expected);
    for entry in keys::list(&TrustDir::new(home.0.path().join("trust"))).entries {
        let role = entry.role.as_ref().unwrap().raw();
        let key = keys::unlock(&entry, Some(&Passphrase::from(format!("gold-{role}")))).unwrap();
        assert_eq!(Some(key.id()), entry.id, "{role}");
    }
    // There is nothing left to do, and so nothing is copied.
    let said = home.migrate();
    assert_eq!((said.status.code(), json(&said)["copy"].is_null()), (Some(0), true));
    assert!(!home.0.path().join("trust-before-migration-2").exists());
}

/// Something that Notary's own move loses.
struct Loss {
    name: &'static str,
    make: fn(&Home),
    /// Whether it is lost, after Notary was there.
    lost: fn(&Home) -> bool,
    /// What is wrong with our way; nothing if it is right. It is given what is said of files that stay.
    ours: fn(&Home, &BTreeMap<String, String>) -> bool,
    exit: i32,
}

fn second_block(home: &Home) {
    let snapshot = format!("tuf_keys/{GUN}/{SNAPSHOT}_snapshot.key");
    let both = [home.read(&snapshot), home.read(&format!("root_keys/{ROOT}.key"))].concat();
    home.put(&snapshot, &both);
}

const LOSSES: &[Loss] = &[
    Loss {
        name: "a role that only a directory names",
        make: |_| {},
        lost: |h| h.notary().iter().any(|[role, _, id]| id == ROOT && role.is_empty()),
        ours: |h, _| h.notary().iter().any(|[role, _, id]| id == ROOT && role == "root"),
        exit: 0,
    },
    Loss {
        name: "a key that is damaged, and may be mended by hand",
        make: |h| h.put(&format!("root_keys/{}.key", "ab".repeat(32)), b"-----BEGIN EC PRIVATE KEY-----\nAAAA"),
        lost: |h| !h.files("trust").keys().any(|k| k.contains(&"ab".repeat(32))),
        ours: |h, s| {
            h.read(&format!("root_keys/{}.key", "ab".repeat(32))).len() == 35 && s.values().any(|w| w.contains("damaged"))
        },
        exit: 1,
    },
    Loss {
        name: "what is no key",
        make: |h| h.put("root_keys/notes.txt", b"where the safe is"),
        lost: |h| !h.private("root_keys").exists(),
        ours: |h, s| h.read("root_keys/notes.txt") == b"where the safe is" && s["root_keys/notes.txt"].contains("no key file"),
        exit: 0,
    },
    Loss {
        name: "certificates that were trusted",
        make: |h| h.put("trusted_certificates/old.crt", b"x"),
        lost: |h| !h.private("trusted_certificates").exists(),
        ours: |h, s| h.read("trusted_certificates/old.crt") == b"x" && s.contains_key("trusted_certificates/old.crt"),
        exit: 0,
    },
    Loss {
        name: "a role with an underscore, and the key's name with it",
        make: |h| {
            let (from, to) = (format!("tuf_keys/{SIGNER}_delegation.key"), format!("tuf_keys/{SIGNER}_my_team.key"));
            fs::rename(h.private(&from), h.private(&to)).unwrap();
        },
        lost: |h| !h.notary().iter().any(|[_, _, id]| id == SIGNER),
        ours: |h, _| h.notary().iter().any(|[role, _, id]| id == SIGNER && role == "my_team"),
        exit: 0,
    },
    Loss {
        name: "the second block of a file",
        make: second_block,
        lost: |h| {
            h.notary().len() == 4 && h.read(&format!("{SNAPSHOT}.key")).windows(10).filter(|w| w == b"-----BEGIN").count() == 1
        },
        ours: |h, s| {
            let name = format!("tuf_keys/{GUN}/{SNAPSHOT}_snapshot.key");
            h.read(&name).windows(10).filter(|w| w == b"-----BEGIN").count() == 2 && s[&name].contains("more than one")
        },
        exit: 1,
    },
    Loss {
        name: "a link in the place of a key",
        make: |h| {
            let place = h.private(&format!("root_keys/{ROOT}.key"));
            fs::rename(&place, h.0.path().join("elsewhere")).unwrap();
            symlink(h.0.path().join("elsewhere"), place).unwrap();
        },
        lost: |h| !h.notary().iter().any(|[_, _, id]| id == ROOT) && !h.private("root_keys").exists(),
        ours: |h, s| {
            let name = format!("root_keys/{ROOT}.key");
            h.private(&name).is_symlink() && s[&name].contains("link")
        },
        exit: 1,
    },
    Loss {
        name: "another file that is at the new place already",
        make: |h| {
            h.put(&format!("{ROOT}.key"), b"-----BEGIN EC PRIVATE KEY-----\nrole: root\n\nAAAA\n-----END EC PRIVATE KEY-----\n")
        },
        lost: |h| {
            h.notary();
            !h.read(&format!("{ROOT}.key")).windows(6).any(|w| w == b"\nAAAA\n")
        },
        ours: |h, s| {
            let old = format!("root_keys/{ROOT}.key");
            let untouched = h.read(&format!("{ROOT}.key")).windows(6).any(|w| w == b"\nAAAA\n") && h.private(&old).exists();
            untouched && s[&old].contains("there already")
        },
        exit: 1,
    },
    Loss {
        name: "one key with two roles",
        make: |h| {
            let bytes = h.read(&format!("tuf_keys/{GUN}/{TARGETS}_targets.key"));
            h.put(&format!("tuf_keys/other.example/x/{TARGETS}_targets.key"), &bytes);
        },
        lost: |h| h.notary().iter().filter(|[_, _, id]| id == TARGETS).count() == 1,
        ours: |h, s| {
            let both = [GUN, "other.example/x"].map(|g| format!("tuf_keys/{g}/{TARGETS}_targets.key"));
            both.iter().all(|n| h.private(n).exists() && s[n].contains("something else"))
        },
        exit: 1,
    },
];

#[test]
fn what_notarys_own_move_loses_ours_keeps_or_leaves_with_its_reason() {
    println!("{:<55} {:<10} {:<10}", "what may be lost", "notary", "claviger");
    for loss in LOSSES {
        let theirs = Home::new();
        (loss.make)(&theirs);
        theirs.notary();
        let lost = (loss.lost)(&theirs);
        let ours = Home::new();
        (loss.make)(&ours);
        let before = ours.files("trust/private");
        let said = ours.migrate();
        assert_eq!(said.status.code(), Some(loss.exit), "{}: {}", loss.name, String::from_utf8_lossy(&said.stderr));
        let stays = stays(&said);
        // What is held against our way is looked at before Notary comes, and asks it last.
        let copy = ours.files("trust-before-migration/private");
        for (name, bytes) in before.iter().filter(|(n, _)| n.contains('/') && !ours.private(n).is_symlink()) {
            assert_eq!(copy.get(name), Some(bytes), "{}: {name} is not in the copy", loss.name);
        }
        let kept = (loss.ours)(&ours, &stays);
        println!(
            "{:<55} {:<10} {:<10}",
            loss.name,
            if lost { "loses it" } else { "keeps it" },
            if kept { "keeps it" } else { "LOSES IT" }
        );
        assert!(lost, "{}: notary does not lose it any more", loss.name);
        assert!(kept, "{}: {stays:#?}", loss.name);
    }
}

#[test]
fn what_nothing_or_two_things_say_is_not_guessed() {
    let home = Home::new();
    let targets = home.read(&format!("tuf_keys/{GUN}/{TARGETS}_targets.key"));
    let with = |header: &str| String::from_utf8(targets.clone()).unwrap().replacen("-----\n", &format!("-----\n{header}\n"), 1);
    let id = |c: &str| c.repeat(64);
    for (name, text, why) in [
        (format!("tuf_keys/{GUN}/{}.key", id("1")), with("x: y"), "nothing says which role"),
        (format!("tuf_keys/{}_targets.key", id("2")), with("x: y"), "nothing says to which"),
        (format!("tuf_keys/{GUN}/{}_targets.key", id("3")), with("role: snapshot"), "its place says \"targets\""),
        (format!("tuf_keys/{GUN}/{}_targets.key", id("4")), with("gun: other.example/x"), "its place says"),
        (format!("root_keys/{}.key", id("5")), with("role: targets"), "its label says \"targets\""),
        (format!("tuf_keys/{}_No Role.key", id("6")), with("x: y"), "is no role"),
        (format!("tuf_keys/a b/{}_targets.key", id("7")), with("x: y"), "cannot be a repository's name"),
        (format!("tuf_keys/{GUN}/mine.key"), with("role: targets"), "no key ID"),
    ] {
        let home = Home::new();
        home.put(&name, text.as_bytes());
        let said = home.migrate();
        let stays = stays(&said);
        assert_eq!(said.status.code(), Some(1), "{name}");
        assert!(stays.len() == 1 && stays[&name].contains(why), "{name}: {stays:?}");
        assert_eq!(home.read(&name), text.as_bytes(), "{name}");
        assert_eq!(json(&said)["moved"].as_array().unwrap().len(), 4, "{name}: the others move");
    }
}

#[test]
fn a_copy_that_cannot_be_made_keeps_every_key_where_it_is() {
    let home = Home::new();
    let before = home.files("trust/private");
    for copy in ["trust/copy", "trust/private/copy", "trust", "nowhere/copy"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
        command.args(["key", "migrate", "-d", "trust", "--copy", copy]).env_clear().env("HOME", home.0.path());
        let said = command.current_dir(home.0.path()).stdin(Stdio::null()).output().unwrap();
        assert_eq!(said.status.code(), Some(2), "{copy}: {}", String::from_utf8_lossy(&said.stderr));
        assert_eq!(home.files("trust/private"), before, "{copy}");
    }
}
