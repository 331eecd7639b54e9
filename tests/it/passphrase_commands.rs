//! `claviger passphrase`, and which new passphrases are taken.
use crate::robot::Home;
use serde_json::Value;
use std::{
    io::Write as _,
    process::{Command, Output, Stdio},
};

fn claviger(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
    // Without a home: it needs no place and no setting.
    command.args(arguments).env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // Who does not read it has ended.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn judged(input: &str) -> Value {
    let output = claviger(&["passphrase", "check", "--json"], input);
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn words_are_drawn_printed_alone_and_never_twice() {
    let mut seen = std::collections::BTreeSet::new();
    for (arguments, words, bits) in [
        (&["passphrase", "generate"][..], 6, "77.5 bits"),
        (&["passphrase", "generate", "--role", "root"], 8, "103.4 bits"),
        (&["passphrase", "generate", "--role", "root", "--words", "10"], 10, "129.2 bits"),
        (&["passphrase", "generate", "--words", "4"], 4, "51.7 bits"),
    ] {
        let output = claviger(arguments, "");
        let (out, err) = (text(&output.stdout), text(&output.stderr));
        assert!(output.status.success() && out.lines().count() == 1, "{out}{err}");
        assert_eq!(out.split_whitespace().count(), words, "{arguments:?}");
        assert!(err.contains(bits) && err.contains("cannot be recovered") && !err.contains(out.trim()), "{err}");
        assert_eq!(err.contains("fewer words"), words == 4, "{err}");
        assert!(seen.insert(out));
    }
    for wrong in ["3", "33", "-1", "x"] {
        assert_eq!(claviger(&["passphrase", "generate", "--words", wrong], "").status.code(), Some(2), "{wrong}");
    }
}

#[test]
fn what_was_drawn_is_judged_to_be_strong_enough_for_everything() {
    let made = text(&claviger(&["passphrase", "generate"], "").stdout);
    let judged = judged(&made);
    assert_eq!(judged["level"], "strong");
    assert!(judged["enough_for"].as_object().unwrap().values().all(|v| v == true), "{judged}");
}

#[test]
fn a_judgement_says_for_which_keys_it_is_enough_and_never_what_was_judged() {
    for (typed, level, root, others) in [
        ("password1", "very weak", false, false),
        ("short", "very weak", false, false),
        ("", "very weak", false, false),
        ("abacus walnut", "very weak", false, true),
        ("abacus walnut zoom", "weak", true, true),
        ("abacus walnut zoom gondola", "fair", true, true),
    ] {
        let j = judged(typed);
        assert_eq!(j["level"], level, "{typed}: {j}");
        let enough = |role: &str| j["enough_for"][role].as_bool().unwrap();
        assert_eq!(
            [enough("root"), enough("targets"), enough("snapshot"), enough("delegation")],
            [root, others, others, others],
            "{typed}: {j}"
        );
        let output = claviger(&["passphrase", "check"], typed);
        let all = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.success() && all.starts_with(level), "{all}");
        assert!(typed.is_empty() || !all.contains(typed), "{all}");
    }
    let long = "x".repeat(1025);
    for wrong in ["two\nlines here", long.as_str()] {
        let output = claviger(&["passphrase", "check"], wrong);
        let all = text(&output.stdout) + &text(&output.stderr);
        assert!(output.status.code() == Some(1) && all.contains("Nothing was judged.") && !all.contains("lines here"), "{all}");
    }
}

#[test]
fn on_a_terminal_it_is_typed_without_being_shown() {
    let home = Home::empty();
    let mut robot = home.start(&["passphrase", "check"], (100, 30));
    robot.see("Passphrase to judge:");
    robot.press("abacus walnut zoom gondola\r");
    robot.see("fair: about");
    assert_eq!(robot.end(), 0);
    assert!(!robot.written().contains("walnut"), "{}", robot.written());
    let mut robot = home.start(&["passphrase", "check"], (100, 30));
    robot.see("Passphrase to judge:");
    robot.press("\x03");
    assert_eq!(robot.end(), 130);
    robot.wait_whole();
}

#[test]
fn what_is_tried_first_protects_no_new_key() {
    for (role, passphrase, taken) in [
        ("delegation", "password1", false),
        ("delegation", "qwertyuiop", false),
        ("delegation", "aaaaaaaaaaaaaaaa", false),
        ("delegation", "abacus walnut", true),
        ("root", "password-2024", false),
        ("root", "abacus walnut", false),
        ("root", "abacus walnut zoom", true),
    ] {
        let home = Home::empty();
        let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
        command.args(["key", "generate", "ana", "--role", role, "--dir"]).arg(home.dir.path()).env_clear();
        command
            .env("HOME", home.dir.path())
            .env("NOTARY_ROOT_PASSPHRASE", passphrase)
            .env("NOTARY_DELEGATION_PASSPHRASE", passphrase);
        let output = command.stdin(Stdio::null()).output().unwrap();
        let err = text(&output.stderr);
        assert_eq!(output.status.success(), taken, "{role} {passphrase}: {err}");
        assert_eq!(home.dir.path().join("ana.pub").exists(), taken);
        assert!(taken || err.contains("too easy to guess") && !err.contains(passphrase), "{err}");
    }
}
