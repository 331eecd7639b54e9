//! Names of files that are not UTF-8: as arguments, and in the trust directory. Each is taken for exactly the file that it is, or
//! refused; what is printed of it is escaped, and never the name of another file.
use crate::{
    disk::three_sentences,
    key_commands::{Home, PASSPHRASE},
};
use std::{
    ffi::{OsStr, OsString},
    fs,
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// What a reader who loses bytes makes of both of these is one name.
const ODD: &[u8] = b"odd-\xff";
const LOSSY: &str = "odd-\u{fffd}";

fn odd(suffix: &str) -> OsString {
    OsStr::from_bytes(&[ODD, suffix.as_bytes()].concat()).to_owned()
}

/// What a command says, and whether it did it. It never falls over.
fn run(home: &Home, arguments: &[OsString]) -> (bool, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
    command.args(arguments).env_clear().env("HOME", home.path()).current_dir(home.path()).stdin(Stdio::null());
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stderr).expect("what is said is UTF-8");
    match output.status.code() {
        Some(0) => {}
        Some(1 | 2) => three_sentences(&said, &format!("{arguments:?}")),
        other => panic!("{arguments:?}: {other:?}: {said}"),
    }
    (output.status.success(), String::from_utf8(output.stdout).expect("what is printed is UTF-8"), said)
}

fn words(line: &str) -> Vec<OsString> {
    line.split(' ').map(OsString::from).collect()
}

/// A home with a key file beside the trust directory, and a file of passphrases.
fn home() -> (Home, Vec<u8>) {
    let home = Home::new();
    let id = home.key("alice");
    let path = home.trust_dir().private().join(format!("{id}.key"));
    let bytes = fs::read(&path).unwrap();
    fs::remove_file(path).unwrap();
    home.write("right", &format!("{PASSPHRASE}\n"));
    (home, bytes)
}

fn put(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    fs::set_permissions(path, PermissionsExt::from_mode(0o600)).unwrap();
}

fn keys(home: &Home) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(home.trust_dir().private()).unwrap().map(|e| e.unwrap().path()).collect();
    all.sort();
    all
}

/// The file of alice's key.
fn of_alice(private: &Path) -> PathBuf {
    let mut all = fs::read_dir(private).unwrap().map(|e| e.unwrap().path());
    all.find(|p| p.is_file() && String::from_utf8_lossy(&fs::read(p).unwrap()).contains("role: alice")).unwrap()
}

#[test]
fn a_file_to_load_whose_name_is_not_utf_8_is_loaded_itself_and_not_the_one_that_looks_like_it() {
    for verb in ["load", "import"] {
        let (home, bytes) = home();
        put(&home.path().join(odd(".pem")), &bytes);
        put(&home.path().join(format!("{LOSSY}.pem")), b"another file");
        let name = odd(".pem");
        let arguments = [words(&format!("key {verb}")), vec![name.clone()], words("--passphrase-file right")].concat();
        let (done, _, said) = run(&home, &arguments);
        assert!(done && said.contains("odd-<ff>.pem"), "{said}");
        assert_eq!(keys(&home).len(), 1);
        // And the other way round: the one that only looks so is never taken for it.
        let (other, _) = self::home();
        put(&other.path().join(format!("{LOSSY}.pem")), &bytes);
        let (done, _, said) = run(&other, &arguments);
        assert!(!done && said.contains("odd-<ff>.pem"), "{said}");
        assert_eq!(keys(&other).len(), 0);
    }
}

#[test]
fn a_file_or_directory_to_write_has_exactly_the_name_that_was_given() {
    let (home, bytes) = home();
    put(&home.path().join("alice.pem"), &bytes);
    assert!(run(&home, &words("key load alice.pem --passphrase-file right")).0);
    let (out, dir) = (odd(".out"), odd(".dir"));
    fs::create_dir(home.path().join(&dir)).unwrap();
    let lossy = || {
        fs::read_dir(home.path())
            .unwrap()
            .flatten()
            .any(|e| e.file_name().to_string_lossy().starts_with(LOSSY) && e.file_name().to_str().is_some())
    };
    for (arguments, made) in [
        ([words("key export -o"), vec![out.clone()]].concat(), home.path().join(&out)),
        (
            [words("key generate bob --passphrase-file right --dir"), vec![dir.clone()]].concat(),
            home.path().join(&dir).join("bob.pub"),
        ),
    ] {
        let (done, printed, said) = run(&home, &arguments);
        assert!(done && made.is_file(), "{printed}{said}");
        assert!(printed.contains("odd-<ff>"), "{printed}{said}");
        assert!(!lossy(), "another name was made up");
    }
    let (done, _, said) = run(&home, &[words("key export -o"), vec![out.clone()]].concat());
    assert!(!done && said.contains("odd-<ff>.out is there already"), "{said}");
    // A copy of old layouts.
    let private = home.trust_dir().private();
    let key = of_alice(&private);
    fs::create_dir(private.join("tuf_keys")).unwrap();
    let old = private.join("tuf_keys").join(format!("{}_alice.key", key.file_stem().unwrap().to_str().unwrap()));
    fs::rename(&key, old).unwrap();
    let copy = odd(".copy");
    let (done, printed, said) = run(&home, &[words("key migrate --copy"), vec![copy.clone()]].concat());
    assert!(done && home.path().join(&copy).is_dir() && printed.contains("odd-<ff>.copy"), "{printed}{said}");
    assert!(!lossy(), "another name was made up");
}

#[test]
fn a_trust_directory_whose_name_is_not_utf_8_is_worked_in_and_nothing_is_made_beside_it() {
    let (home, bytes) = home();
    put(&home.path().join("alice.pem"), &bytes);
    let dir = odd("");
    let with = |line: &str| [words(line), vec!["-d".into(), dir.clone()]].concat();
    fs::create_dir(home.path().join(LOSSY)).unwrap();
    for line in ["key load alice.pem --passphrase-file right", "key generate bob --passphrase-file right", "key list", "key mend"]
    {
        let (done, printed, said) = run(&home, &with(line));
        assert!(done, "{line}: {printed}{said}");
    }
    let private = home.path().join(&dir).join("private");
    let first = of_alice(&private);
    let id = first.file_stem().unwrap().to_str().unwrap().to_owned();
    fs::create_dir(private.join("tuf_keys")).unwrap();
    fs::rename(&first, private.join("tuf_keys").join(format!("{id}_alice.key"))).unwrap();
    put(&home.path().join("new"), b"a passphrase that is new\n");
    for line in [
        "key migrate".to_owned(),
        format!("key test {id} --passphrase-file right"),
        format!("key passwd {id} --passphrase-file right --new-passphrase-file new"),
        format!("key export {id} -o out.pem"),
        "key strengthen --passphrase-file new".to_owned(),
        format!("key remove {id} --confirm {}", &id[..12]),
        "journal".to_owned(),
    ] {
        let (done, printed, said) = run(&home, &with(&line));
        let (strengthens, all) = (line.contains("strengthen"), format!("{printed}{said}"));
        // Of two keys one has another passphrase.
        assert!(done || strengthens, "{line}: {all}");
        assert!(!all.contains('\u{fffd}'), "{line}: {all}");
    }
    assert_eq!(fs::read_dir(home.path().join(LOSSY)).unwrap().count(), 0, "the other directory was never meant");
    let beside = [ODD, b"-before-migration"].concat();
    assert!(home.path().join(OsStr::from_bytes(&beside)).is_dir(), "the copy lies beside the trust directory");
}

#[test]
fn files_in_private_whose_names_are_not_utf_8_are_listed_escaped_and_never_taken_for_another() {
    let (home, bytes) = home();
    let private = home.trust_dir().private();
    let (file, below) = (private.join(odd(".key")), private.join(odd("")));
    put(&file, &bytes);
    fs::create_dir(&below).unwrap();
    let id = "ab".repeat(32);
    put(&below.join(format!("{id}.key")), &bytes);
    fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    fs::set_permissions(&below, PermissionsExt::from_mode(0o755)).unwrap();
    let (done, printed, said) = run(&home, &words("key list"));
    assert!(done && printed.contains("odd-<ff>.key") && printed.contains("odd-<ff>/"), "{printed}{said}");
    for line in [
        format!("key show {LOSSY}.key"),
        format!("key test {LOSSY}.key --passphrase-file right"),
        format!("key remove {LOSSY}.key --confirm {LOSSY}.key"),
        format!("key export {LOSSY}.key -o out.pem"),
    ] {
        let (done, _, said) = run(&home, &words(&line));
        assert!(!done && said.contains("there is no key"), "{line}: {said}");
    }
    let name = odd(".key");
    for command in ["show", "test", "remove", "passwd", "export", "strengthen"] {
        let (done, _, said) = run(&home, &[words(&format!("key {command}")), vec![name.clone()]].concat());
        assert!(!done && said.contains("UTF-8"), "{command}: {said}");
    }
    let (done, printed, said) = run(&home, &words("key mend"));
    assert!(done && printed.contains("odd-<ff>.key"), "{printed}{said}");
    assert_eq!([&file, &below].map(|p| p.metadata().unwrap().permissions().mode() & 0o777), [0o600, 0o700]);
    let (done, printed, said) = run(&home, &words("key strengthen --passphrase-file right"));
    assert!(!done && printed.contains("odd-<ff>.key"), "{printed}{said}");
    assert!(run(&home, &words("key generate bob --passphrase-file right")).0);
    assert_eq!((fs::read(&file).unwrap(), fs::read(below.join(format!("{id}.key"))).unwrap()), (bytes.clone(), bytes));
}
