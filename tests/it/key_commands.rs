//! What the key commands say and leave behind when something is not as it should be.
use claviger::{
    keys::{self, Iterations, KeyRole, NewKey, pem_file},
    secret::Passphrase,
    trust_dir::TrustDir,
};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use rustix::{
    process::{Pid, Signal, kill_process},
    termios::{LocalModes, tcgetattr},
};
use serde_json::Value;
use std::{
    fs,
    io::{Read, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, Instant},
};

pub const PASSPHRASE: &str = "a passphrase of tests";

/// A home with a trust directory of its own.
pub struct Home(tempfile::TempDir);

impl Home {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn trust_dir(&self) -> TrustDir {
        TrustDir::new(self.path().join(".docker/trust"))
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
        command.args(arguments).env_clear().env("HOME", self.path()).current_dir(self.path()).stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Said {
        Said(self.command(arguments).output().unwrap())
    }

    /// Writes a file that only its owner can read.
    pub fn write(&self, name: &str, text: &str) -> String {
        let path = self.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Stores a signer's key; its ID.
    pub fn key(&self, name: &str) -> String {
        let (role, key) = (KeyRole::parse(name).unwrap(), keys::generate(NewKey::EcdsaP256).unwrap());
        let passphrase = Passphrase::from(PASSPHRASE.to_owned());
        keys::store(&self.trust_dir(), &role, None, &key, &passphrase, Iterations::worthless()).unwrap();
        key.id().hex()
    }

    /// Stores a key whose passphrase takes seconds to try; its ID.
    fn slow_key(&self) -> String {
        let (role, key) = (KeyRole::parse("slow").unwrap(), keys::generate(NewKey::EcdsaP256).unwrap());
        let passphrase = Passphrase::from(PASSPHRASE.to_owned());
        let bytes = keys::encode(&role, None, &key, &passphrase, Iterations::for_role(&role), &|| false).unwrap();
        let pem = pem_file::parse(&bytes).unwrap();
        // The rounds, in place: 600,000 become 8,388,607.
        let mut der = pem.der.to_vec();
        let at = der.windows(5).position(|w| w == [2, 3, 0x09, 0x27, 0xc0]).unwrap();
        der[at..at + 5].copy_from_slice(&[2, 3, 0x7f, 0xff, 0xff]);
        let private = self.trust_dir().private();
        fs::create_dir_all(&private).unwrap();
        fs::set_permissions(&private, PermissionsExt::from_mode(0o700)).unwrap();
        let text = pem_file::write("ENCRYPTED PRIVATE KEY", &[("role", "slow")], &der);
        let path = self.trust_dir().key_path(key.id());
        fs::write(&path, text.as_bytes()).unwrap();
        fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        key.id().hex()
    }

    fn private_files(&self) -> Vec<PathBuf> {
        fs::read_dir(self.trust_dir().private()).map(|d| d.map(|e| e.unwrap().path()).collect()).unwrap_or_default()
    }
}

pub struct Said(Output);

impl Said {
    pub fn code(&self) -> Option<i32> {
        self.0.status.code()
    }

    pub fn out(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    pub fn err(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    /// Held against a status, with nothing on standard output and all of these in the error.
    #[track_caller]
    pub fn fails(&self, code: i32, said: &[&str]) {
        assert_eq!((self.code(), self.out()), (Some(code), String::new()), "{}", self.err());
        for text in said {
            assert!(self.err().contains(text), "no {text:?} in\n{}", self.err());
        }
    }

    /// The one JSON object that is all of standard error.
    #[track_caller]
    pub fn error(&self) -> Value {
        let lines: Vec<Value> =
            self.err().lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}"))).collect();
        assert_eq!(lines.iter().filter(|l| l["schema"] == "claviger/error/1").count(), 1, "{lines:?}");
        assert!(lines.iter().all(|l| l["schema"] == "claviger/error/1" || l["schema"] == "claviger/note/1"), "{lines:?}");
        lines.last().unwrap()["error"].clone()
    }
}

#[test]
fn keys_that_cannot_be_read_are_not_called_absent() {
    let home = Home::new();
    home.key("alice");
    let private = home.trust_dir().private();
    let moved = home.path().join("elsewhere");
    fs::rename(&private, &moved).unwrap();
    symlink(&moved, &private).unwrap();
    for directory in [home.trust_dir().path().to_str().unwrap(), "/etc/passwd"] {
        for command in [&["key", "list"][..], &["key", "show", "ab"], &["key", "test", "ab"]] {
            let mut arguments = command.to_vec();
            arguments.extend(["-d", directory]);
            home.run(&arguments).fails(1, &["the keys could not be read: "]);
            arguments.push("--json");
            let said = home.run(&arguments);
            assert_eq!((said.code(), said.error()["code"].as_str()), (Some(1), Some("keys-unreadable")));
            assert!(!said.out().starts_with('['), "an empty list would be a lie: {}", said.out());
        }
    }
    // A part that cannot be read is said beside what can.
    fs::remove_file(&private).unwrap();
    fs::rename(&moved, &private).unwrap();
    let mut deep = private.join("a");
    (0..70).for_each(|_| deep.push("a"));
    fs::create_dir_all(&deep).unwrap();
    let said = home.run(&["key", "list"]);
    assert_eq!(said.code(), Some(1));
    assert!(said.out().contains("alice") && said.err().contains("some keys could not be read"), "{}", said.err());
    let none = Home::new();
    let said = none.run(&["key", "list", "--json"]);
    assert_eq!((said.code(), said.out().trim()), (Some(0), "[]"));
}

/// Starts the program on a terminal of its own, and types `typed` when it asks. What it said, and its status.
fn on_a_terminal(home: &Home, arguments: &[&str], typed: &str) -> (String, u32) {
    let pair = native_pty_system().openpty(PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 }).unwrap();
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_claviger"));
    command.args(arguments);
    command.env_clear();
    command.env("HOME", home.path());
    command.cwd(home.path());
    let mut child = pair.slave.spawn_command(command).unwrap();
    drop(pair.slave);
    let (mut output, mut input) = (pair.master.try_clone_reader().unwrap(), pair.master.take_writer().unwrap());
    let (mut said, mut buffer, mut typed) = (Vec::new(), [0; 1024], Some(typed));
    // Reading ends when the program has closed its terminal.
    while let Ok(n @ 1..) = output.read(&mut buffer) {
        said.extend_from_slice(&buffer[..n]);
        if String::from_utf8_lossy(&said).contains("assphrase for")
            && let Some(typed) = typed.take()
        {
            // The question is there before the terminal listens key by key, and what is typed between is lost with the change.
            let until = Instant::now() + Duration::from_secs(60);
            let not_mine = rustix::fs::OFlags::NOCTTY.bits().cast_signed();
            let terminal =
                fs::OpenOptions::new().read(true).custom_flags(not_mine).open(pair.master.tty_name().unwrap()).unwrap();
            while tcgetattr(&terminal).unwrap().local_modes.contains(LocalModes::ICANON) {
                assert!(Instant::now() < until, "nobody reads the answer");
                std::thread::yield_now();
            }
            input.write_all(typed.as_bytes()).unwrap();
        }
    }
    (String::from_utf8_lossy(&said).into_owned(), child.wait().unwrap().exit_code())
}

#[test]
fn an_interrupt_at_a_question_ends_everything_at_once() {
    let home = Home::new();
    let (a, b) = (home.key("alice"), home.key("bob"));
    let (said, code) = on_a_terminal(&home, &["key", "test", &a, &b], "\u{3}");
    assert_eq!(code, 130, "{said}");
    assert_eq!(said.matches("Passphrase for").count(), 1, "another question came: {said}");
    assert!(said.contains(&format!("Not tested: {a}, {b}")), "{said}");
    let (said, code) = on_a_terminal(&home, &["key", "generate", "carol"], "\u{3}");
    assert_eq!(code, 130, "{said}");
    assert!(said.contains("No key was made") && !home.path().join("carol.pub").exists(), "{said}");
    // The end of the input gives up one key only.
    let (said, code) = on_a_terminal(&home, &["key", "test", &a], "\u{4}");
    assert_eq!(code, 1, "{said}");
}

#[test]
fn an_interrupt_ends_a_key_derivation_at_once() {
    let home = Home::new();
    let id = home.slow_key();
    let file = home.write("passphrases", &format!("{PASSPHRASE}\n"));
    let mut command = home.command(&["key", "test", &id, "--passphrase-file", &file]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let pid = Pid::from_child(&child);
    let until = Instant::now() + Duration::from_secs(60);
    while !hears_interrupts(child.id()) {
        assert!(Instant::now() < until, "the program never listens");
        std::thread::yield_now();
    }
    kill_process(pid, Signal::INT).unwrap();
    let said = Said(child.wait_with_output().unwrap());
    // Without the interrupt it would be the wrong passphrase, with status 1.
    said.fails(130, &["claviger: interrupted", &format!("Not tested: {id}")]);
}

/// Whether a process has a handler for SIGINT.
fn hears_interrupts(pid: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let caught = status.lines().find_map(|l| l.strip_prefix("SigCgt:")).and_then(|m| u64::from_str_radix(m.trim(), 16).ok());
    caught.is_some_and(|m| m & 2 != 0)
}

#[test]
fn what_is_wrong_with_a_wish_for_a_key_is_found_before_anything_is_made() {
    let home = Home::new();
    let file = home.write("passphrases", &format!("{PASSPHRASE}\n"));
    let short = home.write("short", "delegation=seven77\nroot=elevenchars\n");
    home.write("taken.pub", "");
    home.write("no-directory", "");
    let cases: [(&[&str], i32, &str); 13] = [
        (&["alice", "--dir", "/nonexistent"], 2, "/nonexistent does not exist"),
        (&["alice", "--dir", "no-directory"], 2, "no-directory is no directory"),
        (&["taken"], 2, "taken.pub is there already"),
        (&["targets/alice"], 2, "targets/alice is no name"),
        (&["a/b", "--role", "root"], 2, "a/b is no name"),
        (&["releases"], 2, "releases is the name of a role"),
        (&["targets/releases"], 2, "is no name"),
        (&["timestamp"], 2, "timestamp is the name of a role"),
        (&["alice", "--gun", "a.example/b"], 2, "belongs to a person"),
        (&["alice", "--gun", "a.example/b", "--role", "root"], 2, "its file names none"),
        (&["alice", "--role", "targets"], 2, "belongs to a repository"),
        (&["alice", "--passphrase-file", &short], 1, "at least 8 characters"),
        (&["alice", "--role", "root", "--passphrase-file", &short], 1, "at least 12 characters"),
    ];
    for (wish, code, why) in cases {
        let mut arguments = vec!["key", "generate"];
        arguments.extend(wish);
        if !wish.contains(&"--passphrase-file") {
            arguments.extend(["--passphrase-file", &file]);
        }
        home.run(&arguments).fails(code, &[why, "No key was made"]);
        assert_eq!(home.private_files(), [""; 0].map(PathBuf::from), "{wish:?}");
    }
    // A private key that cannot be stored leaves no public half behind.
    fs::create_dir_all(home.path().join(".docker")).unwrap();
    fs::write(home.trust_dir().path(), "").unwrap();
    home.run(&["key", "generate", "alice", "--passphrase-file", &file]).fails(1, &["No"]);
    assert!(!home.path().join("alice.pub").exists());
}

#[test]
fn a_key_that_was_made_has_both_halves() {
    let home = Home::new();
    let file = home.write("passphrases", &format!("{PASSPHRASE}\n"));
    let said = home.run(&["key", "generate", "alice", "--passphrase-file", &file]);
    assert_eq!(said.code(), Some(0), "{}", said.err());
    assert!(said.out().contains("alice.pub") && home.path().join("alice.pub").is_file());
    let [path] = &home.private_files()[..] else { panic!("not one file") };
    let id = path.file_stem().unwrap().to_str().unwrap();
    let shown = home.run(&["key", "show", &id[..10].to_uppercase()]).out();
    assert!(shown.contains("unknown: it is encrypted, and no metadata in the cache names it"), "{shown}");
    assert!(shown.contains("Modified"), "{shown}");
    assert_eq!(home.run(&["key", "test", id, "--passphrase-file", &file]).code(), Some(0));
}

#[test]
fn a_command_line_that_is_not_understood_is_told_as_everything_else() {
    let home = Home::new();
    let hostile = "--no\u{1b}[2J\u{202e}\nclaviger: all is well";
    home.run(&["key", "list", hostile]).fails(2, &["claviger: unexpected argument '--no<1b>[2J<202e><0a>claviger: all is well'"]);
    home.run(&["key"]).fails(2, &["claviger key wants a command"]);
    for arguments in
        [&["key", "list", "--json", hostile][..], &["--json", "key"], &["key", "show", "--json"], &["nonsense", "--json"]]
    {
        let said = home.run(arguments);
        said.fails(2, &[]);
        assert_eq!(said.error()["code"], "usage");
    }
    for arguments in [&["--help"][..], &["--version"], &["help", "key"], &["key", "list", "--help", "--json"]] {
        let said = home.run(arguments);
        assert_eq!((said.code(), said.err()), (Some(0), String::new()), "{arguments:?}");
        assert!(said.out().contains("claviger"));
    }
    // Whatever the file is called, the program has one name.
    let other = home.path().join("other-name");
    symlink(env!("CARGO_BIN_EXE_claviger"), &other).unwrap();
    let help = Command::new(&other).args(["key", "show", "--help"]).output().unwrap();
    assert!(String::from_utf8(help.stdout).unwrap().contains("Usage: claviger key show"));
}

#[test]
fn without_a_terminal_the_workstation_says_so() {
    let home = Home::new();
    home.run(&[]).fails(2, &["no terminal here, so nothing was opened"]);
    home.run(&["sandbox"]).fails(2, &["no terminal here, so nothing was opened", "sandbox --serve"]);
    for arguments in [&["--json"][..], &["sandbox", "--json"]] {
        let said = home.run(arguments);
        said.fails(2, &[]);
        said.error();
    }
    for option in [&["-d", "/x"][..], &["-s", "https://x"], &["--read-only"], &["--passphrase-file", "x"]] {
        let mut arguments = vec!["sandbox"];
        arguments.extend(option);
        home.run(&arguments).fails(2, &["does not go with sandbox"]);
        arguments.push("--serve");
        home.run(&arguments).fails(2, &["does not go with sandbox"]);
    }
}

#[test]
fn without_a_home_only_what_needs_one_fails() {
    let home = Home::new();
    let id = home.key("alice");
    let directory = home.trust_dir().path().to_str().unwrap().to_owned();
    for value in [None, Some("")] {
        let run = |arguments: &[&str]| {
            let mut command = home.command(arguments);
            match value {
                None => command.env_remove("HOME"),
                Some(value) => command.env("HOME", value),
            };
            Said(command.output().unwrap())
        };
        let said = run(&["key", "list", "-d", &directory]);
        assert!(said.code() == Some(0) && said.out().contains(&id), "{}", said.err());
        run(&["key", "list"]).fails(2, &["HOME is not set", "--trust-dir"]);
        assert!(!run(&["key", "list"]).err().contains("--state-dir"), "there is no such option");
    }
}

#[test]
fn every_fault_of_a_passphrase_file_says_what_to_do() {
    let home = Home::new();
    let id = home.key("alice");
    let open = home.write("open", PASSPHRASE);
    fs::set_permissions(&open, PermissionsExt::from_mode(0o644)).unwrap();
    let (empty, other) = (home.write("empty", "\n"), home.write("other", "root=a passphrase\ntargets=another\n"));
    let wrong = home.write("wrong", "not the passphrase\n");
    let missing = home.path().join("missing");
    for (file, code, said) in [
        (&*open, 2, &["can be read by others", "chmod 600"][..]),
        (missing.to_str().unwrap(), 2, &["there is no passphrase file", "Check the path"]),
        (&empty, 2, &["it is empty", "ROLE=… or KEY_ID=…"]),
        (&other, 1, &[&id, "has no line for this key", &format!("{id}= or delegation=")]),
        (&wrong, 1, &[&id, "wrong passphrase?"]),
    ] {
        let result = home.run(&["key", "test", &id, "--passphrase-file", file]);
        result.fails(code, said);
        assert!(!result.err().contains("Give it by --passphrase-file"), "{}", result.err());
    }
    home.run(&["key", "test", &id]).fails(1, &[&id, "there is no terminal", "--passphrase-file"]);
}

#[test]
fn results_and_errors_of_several_keys_come_in_order() {
    let home = Home::new();
    let (a, b) = (home.key("alice"), home.key("bob"));
    let file = home.write("passphrases", &format!("{a}=wrong one\n{b}={PASSPHRASE}\n"));
    let said = home.run(&["key", "test", &a, &b, "nonsense", "--passphrase-file", &file]);
    assert_eq!(said.code(), Some(1));
    assert!(said.out().contains(&b) && !said.out().contains(&a));
    let err = said.err();
    let at = |text: &str| err.find(text).unwrap_or_else(|| panic!("no {text} in {err}"));
    assert!(at(&a) < at("nonsense") && at("nonsense") < at("2 of 3 keys did not pass"), "{err}");
    let said = home.run(&["key", "test", &a, &b, "nonsense", "--passphrase-file", &file, "--json"]);
    let results: Value = serde_json::from_str(&said.out()).unwrap();
    let outcomes: Vec<&str> = results["results"].as_array().unwrap().iter().map(|r| r["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["failed", "good", "failed"]);
    assert_eq!(said.err().lines().count(), 1, "{}", said.err());
    said.error();
}

#[test]
fn a_file_without_an_id_can_be_shown_and_a_link_has_a_next_step() {
    let home = Home::new();
    let id = home.key("alice");
    let private = home.trust_dir().private();
    fs::copy(home.trust_dir().key_path(claviger::tuf::name::KeyId::new(&id).unwrap()), private.join("mine.key")).unwrap();
    symlink(private.join("mine.key"), private.join(format!("{}.key", "ab".repeat(32)))).unwrap();
    for typed in ["mine", "mine.key"] {
        let said = home.run(&["key", "show", typed]);
        assert!(said.code() == Some(0) && said.out().contains("name is no key ID"), "{}", said.err());
    }
    home.run(&["key", "test", "mine.key"]).fails(1, &["mine.key", "KEY_ID.key"]);
    let file = home.write("passphrases", &format!("{PASSPHRASE}\n"));
    home.run(&["key", "test", "ABAB", "--passphrase-file", &file]).fails(1, &["symbolic link", "in the place of the link"]);
    fs::create_dir(private.join("sub")).unwrap();
    fs::copy(private.join("mine.key"), private.join("sub").join(format!("{id}.key"))).unwrap();
    home.run(&["key", "show", &id]).fails(1, &["2 files are meant", &format!("{}  alice  ", &id[..16]), "sub"]);
    assert_eq!(home.run(&["key", "show", &format!("sub/{id}.key")]).code(), Some(0));
}

#[test]
fn settings_that_cannot_be_used_are_wrong_usage() {
    let home = Home::new();
    home.run(&["tags", "a.example/b", "-s", "foo"]).fails(2, &["foo is no address of a server"]);
    home.run(&["tags", "a.example/b", "-s", "https://localhost:1", "--tlscacert", "/none"]).fails(2, &["/none cannot be read"]);
    home.run(&["tags", "a.example/b", "--config", "/none"]).fails(2, &["/none"]);
}
