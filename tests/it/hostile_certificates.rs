//! Certificates whose common name attacks the terminal. Whoever makes a certificate chooses the name in it: the root's
//! must be that of the repository, but a second root key's, a delegation's and a refused root's may be anything.
use super::{
    forge::{Cert, Files, Forge, Holder, Key, VERSION},
    robot::Home,
};
use claviger::{
    keys::{NewKey, generate},
    sandbox::{Authority, Published, Repository, Server, ServerKeys, Shell},
};
use jiff::Timestamp;
use serde_json::Value;
use std::{
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Command, Output, Stdio},
    sync::Arc,
};

/// A common name with terminal sequences, changes of direction, what takes no room, and ends of lines.
const HOSTILE: &str = "Mallory\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}31m\u{202e}proc\u{200b}\u{2066}\u{7f}\r\n\u{2028}Verified.";
/// The same as people may see it.
const SHOWN: &str = "Mallory<1b>[2J<1b>]0;t<07><9b>31m<202e>proc<200b><2066><7f><0d><0a><2028>Verified.";
const GUN: &str = super::forge::GUN;

/// Where a person works with one repository, on a server of its own.
struct Desk {
    home: Home,
    shell: Shell,
    _runtime: tokio::runtime::Runtime,
}

impl Desk {
    /// Serves a repository as it is, good or bad.
    fn at(mut forge: Forge) -> Self {
        // The program looks at the real clock.
        for name in forge.holders.keys() {
            forge.expires.insert(name.clone(), "2100-01-01T00:00:00Z".parse().unwrap());
        }
        let files: Files = forge.publish();
        let keys = ServerKeys { timestamp: Arc::new(generate(NewKey::EcdsaP256).unwrap()), snapshot: None };
        let mut repository = Repository::new(forge.gun.clone(), keys);
        for (role, bytes) in files {
            repository.publish(role, Published { version: VERSION, bytes, stored: Timestamp::now() });
        }
        repository.freeze();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let server = Arc::new(Server::new(Arc::new(Timestamp::now), [repository]));
        let shell = runtime.block_on(async { Shell::start(&Authority::new().unwrap(), server.service(), 0).unwrap() });
        let home = Home::empty();
        std::fs::write(home.dir.path().join("ca.crt"), shell.ca_pem()).unwrap();
        Self { home, shell, _runtime: runtime }
    }

    /// Options that lead to the server.
    fn options(&self) -> [String; 4] {
        let ca = self.home.dir.path().join("ca.crt");
        ["--server".to_owned(), self.shell.url(), "--tlscacert".to_owned(), ca.to_string_lossy().into_owned()]
    }

    /// Runs a command and holds what it prints against the promise.
    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
        command.args(arguments).args(self.options()).env_clear().env("HOME", self.home.dir.path()).stdin(Stdio::null());
        printed(command, arguments)
    }
}

/// What a command prints, every byte of which is printable ASCII, or the end of a line or the tab that docker prints.
fn printed(mut command: Command, what: &[&str]) -> Output {
    let output = command.output().unwrap();
    for text in [&output.stdout, &output.stderr] {
        let bad = text.iter().find(|b| !matches!(**b, b'\n' | b'\t') && !(b' '..=b'~').contains(*b));
        assert_eq!(bad, None, "{what:?}: {}", String::from_utf8_lossy(text).escape_debug());
    }
    output
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn json(bytes: &[u8]) -> Value {
    serde_json::from_slice(bytes).unwrap_or_else(|e| panic!("{e}: {}", text(bytes)))
}

/// A certificate that holds as long as the tests may run.
fn certificate(common_name: &str) -> Cert {
    Cert { to: "2100-01-01T00:00:00Z".parse().unwrap(), ..Cert::of(common_name) }
}

fn root_key() -> Key {
    Key::p256("root of a hostile repository")
}

/// Verified: its root has a good key and one in a hostile certificate, and so has one of its signers.
fn verified() -> Forge {
    let mut forge = Forge::good();
    let good = certificate(GUN).around(&root_key());
    let hostile = certificate(HOSTILE).around(&Key::p256("another root key"));
    *forge.holder("root") = Holder { named: vec![good.clone(), hostile], signing: vec![good], threshold: 1 };
    *forge.holder("targets/a") = Holder::of(&[certificate(HOSTILE).around(&Key::p256("a signer"))]);
    forge
}

/// Refused: the only root certificate speaks for somebody else.
fn refused() -> Forge {
    let mut forge = Forge::good();
    *forge.holder("root") = Holder::of(&[certificate(HOSTILE).around(&root_key())]);
    forge
}

const COMMANDS: [&[&str]; 7] = [
    &["repo", "show", GUN],
    &["repo", "verify", GUN],
    &["inspect", "--pretty", GUN],
    &["inspect", GUN],
    &["tags", GUN],
    &["signer", "list", GUN],
    &["delegation", "list", GUN],
];

fn as_json<'a>(command: &[&'a str]) -> Vec<&'a str> {
    command.iter().copied().filter(|a| *a != "--pretty").chain(["--json"]).collect()
}

#[test]
fn hostile_common_names_in_a_verified_repository_are_shown_harmless_and_kept_true_in_json() {
    let desk = Desk::at(verified());
    for command in COMMANDS {
        for arguments in [command.to_vec(), as_json(command)] {
            let output = desk.run(&arguments);
            assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", text(&output.stderr));
        }
    }
    let shown = desk.run(COMMANDS[0]).stdout;
    let named = format!("certificate of {SHOWN} until 2100-01-01");
    assert_eq!(text(&shown).matches(&named).count(), 2, "{}", text(&shown));
    let value = json(&desk.run(&as_json(COMMANDS[0])).stdout);
    let mut names: Vec<_> = Vec::new();
    for role in value["roles"].as_array().unwrap() {
        names.extend(role["keys"].as_array().unwrap().iter().filter_map(|k| k["certificate"]["common_name"].as_str()));
    }
    names.sort_unstable();
    assert_eq!(names, [HOSTILE, HOSTILE, GUN], "JSON keeps the true value");
}

#[test]
fn a_root_refused_for_its_hostile_common_name_is_refused_in_harmless_words() {
    let desk = Desk::at(refused());
    for command in COMMANDS {
        let output = desk.run(command);
        assert_eq!(output.status.code(), Some(3), "{command:?}: {}", text(&output.stderr));
        let said = text(&output.stderr);
        assert!(said.contains(&format!("its certificate names \"{SHOWN}\"")), "{command:?}: {said}");
        let output = desk.run(&as_json(command));
        assert_eq!(output.status.code(), Some(3), "{command:?}");
        let error = json(&output.stderr);
        let message = error["error"]["message"].as_str().unwrap();
        assert!(message.contains("Mallory") && message.contains("proc"), "{message}");
    }
    let shown = desk.run(COMMANDS[0]).stdout;
    assert!(text(&shown).contains("NOT TRUSTED: ") && text(&shown).contains(SHOWN), "{}", text(&shown));
}

#[test]
fn on_the_screen_a_hostile_common_name_is_harmless_too() {
    for (forge, page, down, shown) in
        [(verified(), "▌Chain of trust", "jj", "Certificate"), (refused(), "nothing of it is", "", "NOT TRUSTED")]
    {
        let desk = Desk::at(forge);
        let options = desk.options();
        let options: Vec<&str> = options.iter().map(String::as_str).collect();
        let mut robot = desk.home.start(&options, (120, 40));
        // A repository that is new here is read when it is opened.
        robot.see("not read yet");
        robot.press("3");
        robot.see(GUN);
        robot.press("\r");
        robot.see(page);
        robot.press(down);
        robot.see(shown);
        let screen = robot.see("Mallory<1b>[2J<1b>]0;t<07><9b>31m<202e>proc");
        assert!(screen.lines().next().unwrap().contains("ONLINE"), "the screen was not cleared:\n{screen}");
        robot.press("q");
        assert_eq!(robot.end(), 0);
        robot.wait_whole();
        let bad: String =
            robot.written().chars().filter(|c| !matches!(c, '\r' | '\n') && !claviger::text::is_plain(*c)).collect();
        assert!(bad.is_empty(), "{bad:?} was written to the terminal");
    }
}

/// Certificates are no keys: listed as what should not be there, and nothing of them is repeated.
#[test]
fn a_hostile_certificate_among_key_files_is_listed_and_says_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let private = dir.path().join("private");
    std::fs::create_dir(&private).unwrap();
    let pem = String::from_utf8(certificate(HOSTILE).around(&Key::p256("anybody")).public.public_bytes().to_vec()).unwrap();
    let body = std::fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pem/ec-p256-pkcs8.key"));
    let (alone, before) = ("ab".repeat(32), "cd".repeat(32));
    for (name, text) in [(&alone, pem.clone()), (&before, pem.clone() + &body.unwrap())] {
        let path = private.join(format!("{name}.key"));
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    }
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
        command.args(arguments).arg("-d").arg(dir.path()).env_clear().env("HOME", dir.path()).stdin(Stdio::null());
        printed(command, arguments)
    };
    let list = run(&["key", "list"]);
    assert!(text(&list.stdout).contains(&alone) && text(&list.stdout).contains(&before), "{}", text(&list.stdout));
    assert!(text(&list.stderr).contains("2 of 2 files have problems"), "{}", text(&list.stderr));
    for id in [&alone, &before] {
        let show = run(&["key", "show", id]);
        assert!(text(&show.stdout).contains("error "), "{}", text(&show.stdout));
        let test = run(&["key", "test", id]);
        assert_ne!(test.status.code(), Some(0), "a certificate is no key");
        for output in [show, test, run(&["key", "list", "--json"]), run(&["key", "show", id, "--json"])] {
            assert!(!text(&output.stdout).contains("Mallory") && !text(&output.stderr).contains("Mallory"));
        }
    }
}
