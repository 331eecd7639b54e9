//! A power cut at any moment of a change: the program is killed at each call that writes to the disk or speaks to the server.
//! Afterwards every key that the published metadata needs is there, no file is half written, and the next start goes on with
//! the work to its end.
mod base_keys;
mod images;
mod signers;

use crate::{
    killed::CALLS,
    peers::{
        desk::Desk,
        program::{program, released},
        server::{Kind, NotaryServer},
    },
};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::process::ExitStatusExt as _,
    process::{Command, Output, Stdio},
};

/// Calls that speak to the server.
const SPOKEN: [&str; 4] = ["connect", "sendto", "sendmsg", "writev"];

/// Runs the released claviger under strace.
fn traced(desk: &Desk, strace: &[&str], args: &[&str]) -> Output {
    let mut command = Command::new(program("strace"));
    command.args(["-f", "-qq"]).args(strace).arg(released()).args(desk.claviger_arguments(args));
    command.env_clear().envs(desk.environment()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.stdin(Stdio::null()).output().unwrap()
}

/// How often each call is made.
fn counted(desk: &Desk, args: &[&str]) -> BTreeMap<String, usize> {
    let (trace, calls) = (desk.folder_file("trace"), CALLS.iter().chain(&SPOKEN).copied().collect::<Vec<_>>().join(","));
    let done = traced(desk, &["-o", &trace, "-e", &format!("trace={calls}")], args);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let mut counts = BTreeMap::new();
    for line in fs::read_to_string(trace).unwrap().lines() {
        let call = line.split_whitespace().nth(1).and_then(|c| c.split_once('(')).map(|(name, _)| name);
        *counts.entry(call.unwrap_or_default().to_owned()).or_insert(0) += 1;
    }
    counts.remove("");
    counts
}

/// Whether it was killed at the nth of these calls.
fn killed(desk: &Desk, call: &str, n: usize, args: &[&str]) -> bool {
    let inject = format!("inject={call}:signal=SIGKILL:when={n}");
    let done = traced(desk, &["-o", "/dev/null", "-e", &inject], args);
    done.status.signal() == Some(9) || done.status.code() == Some(137)
}

/// Runs the released claviger.
fn run(desk: &Desk, args: &[&str]) -> Output {
    let mut command = Command::new(released());
    command.args(desk.claviger_arguments(args)).env_clear().envs(desk.environment());
    command.stdin(Stdio::null()).output().unwrap()
}

#[track_caller]
fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"))
}

/// What there is at the server: the keys by role; none if there is no repository.
fn published(desk: &Desk, gun: &str) -> Option<BTreeMap<String, Vec<String>>> {
    let seen = run(&desk.fresh(), &["repo", "show", gun, "--json"]);
    if String::from_utf8_lossy(&seen.stderr).contains("not-there") {
        return None;
    }
    // A repository that is trusted in part is there.
    assert!(matches!(seen.status.code(), Some(0 | 3)), "{seen:?}");
    let roles = json(&seen)["roles"].as_array().unwrap().clone();
    let keys = |r: &serde_json::Value| {
        r["keys"].as_array().unwrap().iter().map(|k| k["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    Some(roles.iter().map(|r| (r["role"].as_str().unwrap().to_owned(), keys(r))).collect())
}

/// What must hold whenever it was killed.
fn holds(desk: &Desk, gun: &str, when: &str) {
    for (role, keys) in published(desk, gun).unwrap_or_default() {
        let ours = matches!(role.as_str(), "root" | "targets");
        let here = |id: &String| desk.trust_dir().join("private").join(format!("{id}.key")).is_file();
        assert!(!ours || keys.iter().all(here), "{when}: a key of {role} is lost");
    }
    let listed = run(desk, &["key", "list", "--json"]);
    assert!(listed.status.success(), "{when}: {listed:?}");
    for key in json(&listed).as_array().unwrap() {
        let bad = key["problems"].as_array().unwrap().iter().any(|p| p["severity"] == "error");
        assert!(!bad && !key["id"].is_null(), "{when}: {key}");
    }
}

/// Goes on with whatever is open, and types this where a name is asked for.
fn go_on(desk: &Desk, typed: &str, when: &str) {
    let all = json(&run(desk, &["resume", "--json"]));
    let open: Vec<String> =
        all["interrupted"].as_array().unwrap().iter().map(|w| w["work"].as_str().unwrap().to_owned()).collect();
    for work in &open {
        let done = run(desk, &["resume", work, "--yes", "--confirm", typed, "--json"]);
        assert!(done.status.success(), "{when}: {done:?}");
    }
    assert!(json(&run(desk, &["resume", "--json"]))["interrupted"].as_array().unwrap().is_empty(), "{when}");
}

fn desk(name: &str) -> (Desk, String) {
    (Desk::new(NotaryServer::shared(Kind::Local), name), format!("registry.example/killed/{name}"))
}

/// Kills at each call; `args` may be other ones each time, and `again` makes what was there before of what is there after.
fn everywhere(
    desk: &Desk,
    gun: impl Fn(usize) -> String,
    args: impl Fn(&str) -> Vec<String>,
    again: impl Fn(&str, &str),
) -> usize {
    everywhere_with(desk, gun, str::to_owned, args, |gun, when| holds(desk, gun, when), again)
}

/// The same where something else than the name of the repository is typed, and something else must hold.
fn everywhere_with(
    desk: &Desk,
    gun: impl Fn(usize) -> String,
    typed: impl Fn(&str) -> String,
    args: impl Fn(&str) -> Vec<String>,
    holds: impl Fn(&str, &str),
    again: impl Fn(&str, &str),
) -> usize {
    let words = |gun: &str| args(gun);
    let count = |gun: &str| {
        let words = words(gun);
        counted(desk, &words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let first = gun(0);
    let counts = count(&first);
    again(&first, "the first");
    let (mut kills, mut number) = (0, 0);
    for (call, times) in counts {
        for n in 1..=times {
            number += 1;
            let gun = gun(number);
            let when = format!("killed at {call} {n}");
            let words = words(&gun);
            if killed(desk, &call, n, &words.iter().map(String::as_str).collect::<Vec<_>>()) {
                kills += 1;
                holds(&gun, &when);
                go_on(desk, &typed(&gun), &when);
                holds(&gun, &when);
            }
            again(&gun, &when);
        }
    }
    kills
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|w| (*w).to_owned()).collect()
}
