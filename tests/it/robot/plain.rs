//! The workstation line by line: the same work, with nothing on the terminal but lines of text.
use super::{Home, driver::Robot};
use claviger::{
    keys::{self, Held, KeyEntry},
    secret::Passphrase,
    trust_dir::TrustDir,
};
use std::process::{Command, Stdio};

const FIRST: &str = "first correct horse";
const SECOND: &str = "second battery staple";
const SIZE: (u16, u16) = (80, 24);

fn keys(home: &Home) -> Vec<KeyEntry> {
    keys::list(&TrustDir::new(home.dir.path().join(".docker/trust"))).entries
}

fn opens(home: &Home, passphrase: &str) -> bool {
    let all = keys(home);
    let [entry] = all.as_slice() else { panic!("{all:?}") };
    Held::unlock(entry, Some(&Passphrase::from(passphrase.to_owned())), &|| false).is_ok()
}

/// Hears one thing after the other and answers each.
fn talk(robot: &mut Robot, lines: &[(&str, &str)]) {
    for (heard, typed) in lines {
        robot.hear(heard);
        robot.press(&format!("{typed}\n"));
    }
}

/// Types a passphrase when its prompt has come: what is typed before is read by nobody.
fn twice(robot: &mut Robot, passphrase: &str) {
    talk(robot, &[("New passphrase for", passphrase), ("The same once more", passphrase)]);
}

fn no_sequences(robot: &Robot, secrets: &[&str]) {
    let said = robot.said();
    assert!(!said.contains(&0x1b), "a sequence was written:\n{}", String::from_utf8_lossy(&said));
    let text = String::from_utf8(said).unwrap();
    assert!(secrets.iter().all(|s| !text.contains(s)), "{text}");
    let bad: String = text.chars().filter(|c| c.is_control() && !matches!(c, '\r' | '\n')).collect();
    assert!(bad.is_empty(), "{bad:?}");
}

#[test]
fn a_key_is_made_changed_and_removed_line_by_line() {
    // Asked for, and where the terminal can do no more.
    for (arguments, variables) in [(&["--plain"][..], &[][..]), (&[], &[("TERM", "dumb")])] {
        let home = Home::empty();
        let mut robot = home.start_with(arguments, SIZE, variables);
        talk(&mut robot, &[("0 leaves", "key generate"), ("Name (", "Ana"), ("is no name", "ana"), ("For:", "9")]);
        talk(&mut robot, &[("it is one of delegation", "1"), ("Repository", ""), ("Algorithm", "")]);
        talk(&mut robot, &[("Public half", home.dir.path().to_str().unwrap()), ("New passphrase for", "shorty!")]);
        talk(&mut robot, &[("too short", ""), ("Nothing was typed.", "<")]);
        // Back at the form, everything is as it was filled in; back once more is the question before.
        talk(&mut robot, &[("[ana]", ""), ("[delegation]", "<"), ("[ana]", ""), ("[delegation]", "")]);
        talk(&mut robot, &[("Repository", ""), ("Algorithm", ""), ("Public half", "")]);
        twice(&mut robot, FIRST);
        robot.hear("Type yes");
        assert!(keys(&home).is_empty(), "nothing is written before it was accepted");
        talk(&mut robot, &[(", < to go back", "y"), ("Only yes goes on.", "yes"), ("Done. The ana key", "4711")]);
        assert!(opens(&home, FIRST) && home.dir.path().join("ana.pub").exists());
        let id = keys(&home)[0].id.unwrap().hex();

        talk(&mut robot, &[("There is no such command", "key passwd"), ("Which key?", &id[..8])]);
        talk(&mut robot, &[("Passphrase of the ana key", "opens nothing")]);
        robot.hear("does not open the key");
        talk(&mut robot, &[("Passphrase of the ana key", FIRST)]);
        twice(&mut robot, SECOND);
        talk(&mut robot, &[("Change the passphrase?", "yes"), ("Done. The key", "")]);
        assert!(opens(&home, SECOND) && !opens(&home, FIRST));

        // Stopped once, then removed.
        talk(&mut robot, &[("0 leaves", "key remove"), ("Which key?", "1"), ("To go ahead", "stop")]);
        talk(&mut robot, &[("You have stopped here.", "key remove"), ("Which key?", "1"), ("To go ahead", "yes")]);
        robot.hear("Nothing is done yet.");
        assert_eq!(keys(&home).len(), 1);
        robot.press(&format!("{}\n", &id[..12]));
        talk(&mut robot, &[("was removed", ""), ("0 leaves", "key list"), ("There are no keys", "0")]);
        assert_eq!(robot.end(), 0);
        assert!(keys(&home).is_empty());
        robot.wait_whole();
        no_sequences(&robot, &[FIRST, SECOND, "opens nothing", "shorty!"]);
    }
}

#[test]
fn control_c_ends_it_at_every_question_and_the_terminal_is_whole() {
    for (asked, steps) in [
        ("0 leaves", &[][..]),
        ("Name (", &[("0 leaves", "key generate")]),
        ("Which key?", &[("0 leaves", "key show")]),
        ("Passphrase of the", &[("0 leaves", "key passwd"), ("Which key?", "1")]),
        ("To go ahead", &[("0 leaves", "key remove"), ("Which key?", "1")]),
    ] {
        let home = Home::with("notary-full");
        let before = keys(&home).len();
        let mut robot = home.start(&["--plain"], SIZE);
        talk(&mut robot, steps);
        robot.hear(asked);
        robot.press("\x03");
        assert_eq!(robot.end(), 130, "{asked}");
        robot.wait_whole();
        assert_eq!(keys(&home).len(), before);
        no_sequences(&robot, &[]);
    }
}

#[test]
fn without_unicode_only_ascii_is_written_and_hostile_names_are_seen() {
    let home = Home::empty();
    let private = home.dir.path().join("é\u{1b}[2J/private");
    std::fs::create_dir_all(&private).unwrap();
    std::fs::write(private.join("\u{202e}evil\u{1b}]0;x\u{7}.key"), "no key").unwrap();
    let trust = private.parent().unwrap().to_str().unwrap();
    let mut robot = home.start_with(&["--plain", "-d", trust], SIZE, &[("LANG", "C"), ("TERM", "dumb")]);
    talk(&mut robot, &[("0 leaves", "key show"), ("<202e>evil<1b>]0;x<07>", "1"), ("File ", "0")]);
    assert_eq!(robot.end(), 0);
    no_sequences(&robot, &[]);
    assert!(robot.said().is_ascii());
}

#[test]
fn a_command_without_all_its_answers_asks_for_them_on_a_terminal_and_nowhere_else() {
    let home = Home::empty();
    let directory = home.dir.path().to_str().unwrap();
    let mut robot = home.start(&["key", "generate", "--dir", directory], SIZE);
    talk(&mut robot, &[("Name (", "?"), ("Enter keeps", "root"), ("is the name of a role", "ben")]);
    talk(&mut robot, &[("New passphrase for the new key of ben", FIRST), ("again", FIRST)]);
    robot.hear("was made, stored and read back.");
    assert_eq!(robot.end(), 0);
    assert!(opens(&home, FIRST));
    no_sequences(&robot, &[FIRST]);

    let mut robot = home.start(&["key", "export"], SIZE);
    talk(&mut robot, &[("File (", "stop")]);
    robot.hear("Nothing was written.");
    assert_eq!(robot.end(), 130);

    for (arguments, says) in [
        (&["key", "generate"][..], "name: a name is needed"),
        (&["key", "load"], "file: a file is needed"),
        (&["key", "export"], "output: a file is needed"),
    ] {
        // A session of its own has no terminal.
        let mut command = Command::new("setsid");
        command.arg("--wait").arg(env!("CARGO_BIN_EXE_claviger")).args(arguments).env_clear();
        command.env("HOME", directory).env("PATH", std::env::var_os("PATH").unwrap());
        let output = command.stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(says), "{said}");
    }
}

#[test]
fn in_a_sandbox_it_speaks_line_by_line_too_and_leaves_nothing() {
    let home = Home::empty();
    let temporary = home.dir.path().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let mut robot = home.start_with(&["sandbox", "--plain"], SIZE, &[("TMPDIR", temporary.to_str().unwrap())]);
    talk(&mut robot, &[("SANDBOX: nothing here is real", ""), ("0 leaves", "key list"), ("21  ", "quit")]);
    assert_eq!(robot.end(), 0);
    assert_eq!(std::fs::read_dir(temporary).unwrap().count(), 0);
    no_sequences(&robot, &[]);
}
