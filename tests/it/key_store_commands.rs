//! What the commands say that take many keys at once, or work on a whole store.
use crate::{
    key_commands::{Home, PASSPHRASE},
    peers::program::program,
};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::{Command, Stdio},
};

#[test]
fn a_file_that_cannot_be_taken_is_no_wrong_usage() {
    let home = Home::new();
    let (open, empty, junk) = (home.write("open", "x"), home.write("empty", ""), home.write("junk", "no key at all"));
    fs::set_permissions(&open, PermissionsExt::from_mode(0o644)).unwrap();
    for verb in ["load", "import"] {
        for (file, code, said) in [
            ("missing", "not-there", "Check the path"),
            (&*open, "open-to-others", "chmod 600"),
            (&*empty, "no-key", "it is empty"),
            (&*junk, "no-key", "there is no private key in it"),
            ("/dev/null", "not-a-key-file", "not a regular file"),
        ] {
            home.run(&["key", verb, file]).fails(1, &[said, "No key was stored"]);
            assert_eq!(home.run(&["key", verb, file, "--json"]).error()["code"], code, "{file}");
        }
        home.run(&["key", verb, "missing", "--role", "root", "--gun", "a.example/b"])
            .fails(2, &["belongs to no single repository"]);
    }
}

/// How often a command reads a directory.
fn directories_read(home: &Home, arguments: &[&str]) -> usize {
    let mut command = Command::new(program("strace"));
    command.args(["-f", "-qq", "--trace=getdents64", "-o", "trace", env!("CARGO_BIN_EXE_claviger")]).args(arguments);
    command.env_clear().env("HOME", home.path()).current_dir(home.path());
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let trace = fs::read_to_string(home.path().join("trace")).unwrap();
    // Each write sweeps what an interrupted one has left: its own small directory, whatever lies in the store.
    trace.lines().filter(|l| l.contains("getdents64(")).count()
}

#[test]
fn the_store_is_walked_once_however_many_keys_a_file_holds() {
    let home = Home::new();
    // A store in which a walk costs something: each directory is read on its own.
    home.key("there");
    (0..40).for_each(|n| fs::create_dir(home.trust_dir().private().join(format!("d{n}"))).unwrap());
    let passphrases = home.write("passphrases", &format!("{PASSPHRASE}\n"));
    let other = Home::new();
    let text = |n: usize| -> String {
        let ids: Vec<String> = (0..n).map(|i| other.key(&format!("signer{n}-{i}"))).collect();
        let read = |id: &String| fs::read_to_string(other.trust_dir().private().join(format!("{id}.key"))).unwrap();
        ids.iter().map(read).collect()
    };
    let (one, four) = (home.write("one.pem", &text(1)), home.write("four.pem", &text(4)));
    let few = directories_read(&home, &["key", "import", &one, "--passphrase-file", &passphrases]);
    let many = directories_read(&home, &["key", "import", &four, "--passphrase-file", &passphrases]);
    assert!(few > 40 && many < few + 40, "{few} for one key, {many} for four");
}

#[test]
fn what_has_nothing_to_do_says_so_and_asks_nothing() {
    let home = Home::new();
    for (command, said) in [
        ("migrate", "Nothing lies in an old layout."),
        ("mend", "Nothing in private/ is open to others."),
        ("strengthen", "No key was changed."),
    ] {
        let result = home.run(&["key", command]);
        assert_eq!((result.code(), result.out().trim()), (Some(0), said), "{}", result.err());
    }
    assert!(!home.trust_dir().path().exists(), "nothing was made");
    let id = home.key("alice");
    let result = home.run(&["key", "strengthen"]);
    // There is no terminal: the key fails, by name, and stays as it was.
    assert_eq!(result.code(), Some(1), "{}", result.err());
    assert!(result.out().contains(&id) && result.err().contains("there is no terminal"), "{}{}", result.out(), result.err());
}

#[test]
fn what_works_on_a_whole_store_writes_nothing_in_a_read_only_session() {
    let home = Home::new();
    home.key("alice");
    for command in ["migrate", "mend", "strengthen"] {
        home.run(&["key", command, "--read-only"]).fails(1, &["read-only session"]);
    }
}
