//! Hostile text in every command's output for people: only printable text reaches the terminal, and JSON keeps the true value.
use super::{loopback, served_sandbox::Served};
use claviger::text::is_plain;
use std::{os::unix::fs::PermissionsExt, path::Path, process::Output};

/// Terminal sequences, changes of direction, and what takes no room.
const HOSTILE: &str = "a\u{1b}[2J\u{9b}31m\u{202e}b\u{200b}\u{2066}c\u{7f}";

fn printable(output: &Output) {
    for text in [&output.stdout, &output.stderr] {
        let text = String::from_utf8(text.clone()).unwrap();
        let bad = text.chars().find(|c| !matches!(c, '\n' | '\t') && !is_plain(*c));
        assert_eq!(bad, None, "{text:?}");
    }
}

#[test]
fn no_command_lets_hostile_names_of_a_repository_reach_the_terminal() {
    let served = Served::start();
    let gun = "sandbox.test/odd/names";
    let commands: [&[&str]; 8] = [
        &["tags", gun],
        &["inspect", "--pretty", gun],
        &["inspect", gun],
        &["repo", "show", gun],
        &["repo", "verify", gun],
        &["signer", "list", gun],
        &["delegation", "list", gun],
        &["tags", gun, "--json"],
    ];
    for command in commands {
        printable(&served.claviger(command));
    }
    let tags: serde_json::Value = serde_json::from_slice(&served.claviger(&["tags", gun, "--json"]).stdout).unwrap();
    let names: String = tags.as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap()).collect();
    assert!(names.contains('\u{202e}'), "JSON must keep the true value: {names:?}");
}

#[test]
fn no_command_lets_hostile_key_files_reach_the_terminal() {
    let dir = tempfile::tempdir().unwrap();
    let private = dir.path().join("private");
    std::fs::create_dir(&private).unwrap();
    let pem = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pem/ec-p256-pkcs8.key");
    let body = std::fs::read_to_string(pem).unwrap();
    let labelled = body.replacen("-----\n", &format!("-----\nrole: {HOSTILE}\ngun: {HOSTILE}\n\n"), 1);
    let id = "ab".repeat(32);
    for name in [format!("{id}.key"), format!("{HOSTILE}.key")] {
        std::fs::write(private.join(&name), &labelled).unwrap();
        std::fs::set_permissions(private.join(&name), PermissionsExt::from_mode(0o600)).unwrap();
    }
    let cached = dir.path().join("tuf").join(HOSTILE).join("metadata");
    std::fs::create_dir_all(&cached).unwrap();
    std::fs::write(cached.join("root.json"), "{}").unwrap();
    let run = |arguments: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_claviger"));
        command.args(arguments).arg("-d").arg(dir.path()).env_clear().env("HOME", dir.path());
        command.stdin(std::process::Stdio::null()).output().unwrap()
    };
    for arguments in [
        &["key", "list"][..],
        &["key", "show", &id],
        &["key", "test", &id],
        &["repo", "list"],
        &["tags", HOSTILE],
        &["key", "generate", HOSTILE],
    ] {
        printable(&run(arguments));
    }
    let keys: serde_json::Value = serde_json::from_slice(&run(&["key", "list", "--json"]).stdout).unwrap();
    assert!(
        keys.as_array().unwrap().iter().any(|k| k["role"].as_str().unwrap().contains('\u{1b}')),
        "JSON must keep the true value: {keys}"
    );
}

#[test]
fn no_command_lets_a_hostile_servers_words_reach_the_terminal() {
    let said = serde_json::json!({ "errors": [{ "code": HOSTILE, "message": HOSTILE, "detail": HOSTILE }] }).to_string();
    for status in ["401 Unauthorized", "400 Bad Request", "500 Internal Server Error", "404 Not Found", "302 Found"] {
        let head =
            format!("HTTP/1.1 {status}\r\nLocation: https://x/\u{9b}\r\nWWW-Authenticate: Bearer realm=\"{HOSTILE_HEADER}\"\r\n");
        let server = loopback::Server::saying(format!("{head}Content-Length: {}\r\nConnection: close\r\n\r\n{said}", said.len()));
        let home = tempfile::tempdir().unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_claviger"));
        command.args(["tags", "example.test/a", "--server", &server.url(), "-d"]).arg(home.path());
        let output = command.env_clear().env("HOME", home.path()).stdin(std::process::Stdio::null()).output().unwrap();
        assert_ne!(output.status.code(), Some(0));
        printable(&output);
    }
}

/// What a header can carry of it.
const HOSTILE_HEADER: &str = "a\u{202e}b\u{9b}31m";
