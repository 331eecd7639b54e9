//! Where the old tools fail without a word at work on keys: they exit with 0, or say "Successfully", and did not do it, or lost
//! something. For each, they are seen to do so still, and claviger does it or says no and leaves everything as it was.
//!
//! The rest of the index is elsewhere, each a table of its own against the same tools:
//!
//! * every format of a key file: `both_ways::every_file_that_holds_a_usable_key_is_loaded_and_the_old_tools_use_it_and_every_other_is_refused`
//! * PKCS#12 and keys in DER: `pkcs12::pkcs12_and_bare_der_are_refused_with_the_line_that_makes_them_usable_by_everybody`
//! * what is lost when old layouts move: `old_layout::what_notarys_own_move_loses_ours_keeps_or_leaves_with_its_reason`
//! * what is lost when the machine dies: `killed`, `killed_store`, `disk`

use super::desk::{Desk, OTHER_PASSPHRASE};
use super::filled::each;
use super::generated_keys::change_passphrase;
use super::program::{Answer, docker, run};
use super::server::{Kind, NotaryServer};
use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Mutex;

/// The passphrase of encrypted files among the fixtures.
const OF_FIXTURES: &str = "gold-delegation";
const NEW: &str = "quite another passphrase";

/// One way to fail.
struct Case {
    what: &'static str,
    /// What the old tool does, in a few words.
    fails: &'static str,
    /// Sees it.
    theirs: fn(&Desk),
    /// What claviger does with the same.
    instead: &'static str,
    /// Sees that.
    ours: fn(&Desk),
}

const CASES: &[Case] = &[
    Case {
        what: "docker trust key load: old OpenSSL encryption",
        fails: "says \"Successfully\", stores nothing",
        theirs: |d| docker_stores_nothing(d, "ec-p256-sec1-procenc.key"),
        instead: "loaded",
        ours: |d| is_loaded(d, "ec-p256-sec1-procenc.key"),
    },
    Case {
        what: "docker trust key load: PKCS#8, encrypted",
        fails: "says \"Successfully\", stores nothing",
        theirs: |d| docker_stores_nothing(d, "ec-p256-pkcs8-enc-sha1prf.key"),
        instead: "loaded",
        ours: |d| is_loaded(d, "ec-p256-pkcs8-enc-sha1prf.key"),
    },
    Case {
        what: "notary key import: an empty file",
        fails: "exits with 0, stores nothing",
        theirs: |d| notary_stores_nothing(d, "empty.key"),
        instead: "refused",
        ours: |d| is_refused(d, "empty.key", "it is empty"),
    },
    Case {
        what: "notary key import: a file without a key",
        fails: "exits with 0, stores nothing",
        theirs: |d| notary_stores_nothing(d, "garbage.key"),
        instead: "refused",
        ours: |d| is_refused(d, "garbage.key", "there is no private key in it"),
    },
    Case {
        what: "notary key import: RSA with 1024 bits",
        fails: "stores what no server accepts",
        theirs: |d| {
            d.notary(&["key", "import", &fixture(d, "rsa1024-pkcs8.key"), "--role", "delegation"]).ok();
            assert_eq!(ids(d).len(), 1);
        },
        instead: "refused",
        ours: |d| is_refused(d, "rsa1024-pkcs8.key", "too weak"),
    },
    Case {
        what: "docker trust key load: RSA with 1024 bits",
        fails: "stores what no server accepts",
        theirs: |d| {
            d.docker_trust(&["key", "load", "--name", "alice", &fixture(d, "rsa1024-pkcs1.key")]).ok();
            assert_eq!(ids(d).len(), 1);
        },
        instead: "refused",
        ours: |d| is_refused(d, "rsa1024-pkcs1.key", "too weak"),
    },
    Case {
        what: "notary key import: a role that there is not",
        fails: "stores a key that nothing finds",
        theirs: |d| {
            d.notary(&["key", "import", &fixture(d, PLAIN), "--role", "bogus"]).ok();
            assert!(header(d, "role: bogus"));
        },
        instead: "refused",
        ours: |d| {
            let answer = d.claviger(&["key", "import", &fixture(d, PLAIN), "--role", "bogus"]).refused();
            assert!(answer.stderr.contains("invalid value 'bogus'"), "{answer:?}");
            assert_eq!(ids(d), [""; 0]);
        },
    },
    Case {
        what: "notary key import: a key that is here with another role",
        fails: "the role it had is gone",
        theirs: |d| {
            d.notary(&["key", "import", &fixture(d, PLAIN), "--role", "delegation"]).ok();
            d.notary(&["key", "import", &fixture(d, PLAIN), "--role", "root"]).ok();
            assert!(header(d, "role: root") && !header(d, "role: delegation") && ids(d).len() == 1);
        },
        instead: "refused",
        ours: |d| {
            d.claviger(&["key", "import", &fixture(d, PLAIN), "--role", "delegation"]).ok();
            let before = files(d);
            let answer = d.claviger(&["key", "import", &fixture(d, PLAIN), "--role", "root"]).refused();
            assert!(answer.stderr.contains("stored already with the role \"delegation\""), "{answer:?}");
            assert_eq!(files(d), before);
        },
    },
    Case {
        what: "notary key import: a file that others can read",
        fails: "takes it without a word",
        theirs: |d| {
            d.notary(&["key", "import", &open(d), "--role", "delegation"]).ok();
            assert_eq!(ids(d).len(), 1);
        },
        instead: "refused",
        ours: |d| {
            let answer = d.claviger(&["key", "import", &open(d), "--role", "delegation"]).refused();
            assert!(answer.stderr.contains("others can read") && answer.stderr.contains("`chmod 600 "), "{answer:?}");
            assert_eq!(ids(d), [""; 0]);
        },
    },
    Case {
        what: "notary key generate: a passphrase of one letter",
        fails: "takes it without a word",
        theirs: |d| {
            let mut environment = d.environment();
            environment.iter_mut().filter(|(n, _)| *n == "NOTARY_ROOT_PASSPHRASE").for_each(|(_, value)| *value = "a".into());
            let mut arguments = d.notary_arguments();
            arguments.extend(["key", "generate", "ecdsa"].map(Into::into));
            run(&super::program::program("notary"), &arguments, &environment, "").ok();
            assert_eq!(ids(d).len(), 1);
        },
        instead: "refused",
        ours: |d| {
            let weak = d.write("weak", "a\n");
            let arguments = ["key", "generate", "r", "--role", "root", "--dir", d.path(), "--passphrase-file", &weak];
            let answer = d.claviger(&arguments).refused();
            assert!(answer.stderr.contains("at least 12 characters"), "{answer:?}");
            assert_eq!(ids(d), [""; 0]);
        },
    },
    Case {
        what: "notary key passwd: the passphrase comes from a variable",
        fails: "says \"Successfully\", it is the same one",
        theirs: |d| {
            let id = key(d);
            let answer = d.notary(&["key", "passwd", &id]).ok();
            assert!(answer.stdout.contains("Successfully updated passphrase"), "{answer:?}");
            opens(d, &id, OTHER_PASSPHRASE).ok();
        },
        instead: "the new one never comes from there",
        ours: |d| {
            let id = key(d);
            let before = files(d);
            let answer = d.claviger(&["key", "passwd", &id]).refused();
            assert!(answer.stderr.contains("there is no terminal"), "{answer:?}");
            assert_eq!(files(d), before);
            let new = d.write("new", &format!("{NEW}\n"));
            d.claviger(&["key", "passwd", &id, "--new-passphrase-file", &new]).ok();
            opens(d, &id, NEW).ok();
            opens(d, &id, OTHER_PASSPHRASE).refused();
        },
    },
    Case {
        what: "notary key remove: nobody answers",
        fails: "exits with 0, the key is there",
        theirs: |d| {
            let id = key(d);
            d.notary(&["key", "remove", &id]).ok();
            assert_eq!(ids(d), [id]);
        },
        instead: "refused; done with --confirm",
        ours: |d| {
            let id = key(d);
            let answer = d.claviger(&["key", "remove", &id]).refused();
            assert!(answer.stderr.contains("nobody has confirmed it"), "{answer:?}");
            assert_eq!(ids(d), [&*id]);
            d.claviger(&["key", "remove", &id, "--confirm", &id[..12]]).ok();
            assert_eq!(ids(d), [""; 0]);
        },
    },
    Case {
        what: "notary key export: onto a file that is there",
        fails: "what was in it is gone",
        theirs: |d| {
            key(d);
            let precious = d.write("precious", "precious");
            d.notary(&["key", "export", "-o", &precious]).ok();
            assert!(!std::fs::read_to_string(&precious).expect("a file").contains("precious"));
        },
        instead: "refused",
        ours: |d| {
            key(d);
            let precious = d.write("precious", "precious");
            let answer = d.claviger(&["key", "export", "-o", &precious]).refused();
            assert!(answer.stderr.contains("is there already"), "{answer:?}");
            assert_eq!(std::fs::read_to_string(&precious).expect("a file"), "precious");
        },
    },
    Case {
        what: "notary key export: a key that is not here",
        fails: "exits with 0, the file is empty",
        theirs: |d| {
            key(d);
            let out = d.folder_file("out.pem");
            d.notary(&["key", "export", "-o", &out, "--key", &"f".repeat(64)]).ok();
            assert_eq!(std::fs::read_to_string(&out).expect("a file"), "");
        },
        instead: "refused",
        ours: |d| {
            key(d);
            let out = d.folder_file("out.pem");
            let answer = d.claviger(&["key", "export", "-o", &out, &"f".repeat(64)]).refused();
            assert!(answer.stderr.contains("there is no key whose ID"), "{answer:?}");
            assert!(!Path::new(&out).exists());
        },
    },
    Case {
        what: "notary key list: a file that holds another key than its name says",
        fails: "lists it as what it is not",
        theirs: |d| {
            let other = misnamed(d);
            assert!(d.notary(&["key", "list"]).ok().stdout.contains(&other));
        },
        instead: "said as soon as it is opened",
        ours: |d| {
            let answer = opens(d, &misnamed(d), OTHER_PASSPHRASE).refused();
            assert!(answer.stderr.contains("but holds the key"), "{answer:?}");
        },
    },
];

/// A key file that everybody reads.
const PLAIN: &str = "ec-p256-pkcs8.key";

fn fixture(desk: &Desk, name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pem").join(name);
    desk.write(name, &String::from_utf8_lossy(&std::fs::read(path).expect("a fixture")))
}

/// A key file that others can read.
fn open(desk: &Desk) -> String {
    let path = fixture(desk, PLAIN);
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).expect("a mode");
    path
}

fn files(desk: &Desk) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(desk.trust_dir().join("private")).into_iter().flatten().flatten();
    files.map(|f| (f.file_name().into_string().expect("UTF-8"), std::fs::read(f.path()).expect("a file"))).collect()
}

fn ids(desk: &Desk) -> Vec<String> {
    files(desk).into_keys().map(|name| name.strip_suffix(".key").expect("a key").to_owned()).collect()
}

fn header(desk: &Desk, line: &str) -> bool {
    files(desk).values().any(|bytes| String::from_utf8_lossy(bytes).contains(line))
}

/// A key that notary has taken; its ID.
fn key(desk: &Desk) -> String {
    desk.notary(&["key", "import", &fixture(desk, PLAIN), "--role", "delegation"]).ok();
    ids(desk).remove(0)
}

/// A second name for a key, which is no other key's.
fn misnamed(desk: &Desk) -> String {
    let (private, other) = (desk.trust_dir().join("private"), "ab".repeat(32));
    std::fs::copy(private.join(format!("{}.key", key(desk))), private.join(format!("{other}.key"))).expect("a copy");
    other
}

fn opens(desk: &Desk, id: &str, passphrase: &str) -> Answer {
    let file = desk.write("passphrase", &format!("{passphrase}\n"));
    desk.claviger(&["key", "test", id, "--passphrase-file", &file])
}

fn docker_stores_nothing(desk: &Desk, name: &str) {
    let mut environment = desk.environment();
    environment
        .iter_mut()
        .filter(|(n, _)| n.ends_with("REPOSITORY_PASSPHRASE"))
        .for_each(|(_, value)| *value = OF_FIXTURES.into());
    let answer = run(&docker(), &["trust", "key", "load", "--name", "alice", &fixture(desk, name)], &environment, "").ok();
    assert!(answer.stdout.contains("Successfully imported key from"), "{answer:?}");
    assert_eq!(ids(desk), [""; 0], "{answer:?}");
}

fn notary_stores_nothing(desk: &Desk, name: &str) {
    desk.notary(&["key", "import", &fixture(desk, name), "--role", "delegation"]).ok();
    assert_eq!(ids(desk), [""; 0]);
}

fn is_loaded(desk: &Desk, name: &str) {
    let file = desk.write("of-fixtures", &format!("{OF_FIXTURES}\n"));
    desk.claviger(&["key", "load", &fixture(desk, name), "--name", "alice", "--passphrase-file", &file]).ok();
    let id = ids(desk).remove(0);
    assert!(desk.notary(&["key", "list"]).ok().stdout.contains(&id));
    change_passphrase(desk, &id, OF_FIXTURES, NEW);
    opens(desk, &id, NEW).ok();
}

fn is_refused(desk: &Desk, name: &str, why: &str) {
    for verb in ["load", "import"] {
        let answer = desk.claviger(&["key", verb, &fixture(desk, name)]).refused();
        assert!(answer.stderr.contains(why) && answer.stderr.contains("No key was stored"), "{answer:?}");
        assert!(answer.stdout.is_empty() && ids(desk).is_empty(), "{answer:?}");
    }
}

#[test]
fn where_the_old_tools_fail_without_a_word_claviger_does_it_or_says_no() {
    let desk = || Desk::new(NotaryServer::shared(Kind::Local), "silent");
    let seen = Mutex::new(0);
    each(CASES, |case| {
        (case.theirs)(&desk());
        (case.ours)(&desk());
        *seen.lock().expect("no case has failed") += 1;
    });
    println!("{:<70} {:<42} claviger", "what", "the old tool");
    CASES.iter().for_each(|c| println!("{:<70} {:<42} {}", c.what, c.fails, c.instead));
    assert_eq!(*seen.lock().expect("no case has failed"), CASES.len());
}
