//! A served sandbox on the disk is killed before and after each call that changes the disk, and before it can answer:
//! nothing that it acknowledged is lost, and no publication is there in part.
use crate::{
    forge::{Forge, role},
    peers::program::{program, released},
    sandbox_kept::{FORM, form, owner},
    sandbox_support::try_send,
};
use claviger::sandbox::{Call, Sandbox, Server};
use jiff::Timestamp;
use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader},
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

const GUN: &str = "sandbox.test/killed";
const KILLS: usize = 100;
/// Most publications until a kill must have come.
const ROUNDS: usize = 60;

/// The file in which the server remembers.
const MEMORY: &str = "server.jsonl";

fn version(server: &Server, file: &str) -> u64 {
    let answer = server.handle(&Call::get(&format!("/v2/{GUN}/_trust/tuf/{file}.json")));
    assert_eq!(answer.status, 200, "{file} cannot be read by way of timestamp and snapshot");
    serde_json::from_slice::<Value>(&answer.body).unwrap()["signed"]["version"].as_u64().unwrap()
}

fn next(forge: &mut Forge, version: u64) -> Vec<u8> {
    for name in ["targets", "targets/a"] {
        forge.versions.insert(role(name), version);
    }
    form(&["targets", "targets/a"].map(|name| (name, forge.targets_file(&role(name)))))
}

/// strace with what it runs. It ends with this value.
struct Running(Child);

impl Running {
    /// Waits until it has ended, which it must have been told to; strace ends as what it traced did.
    fn was_killed(mut self) -> bool {
        let until = Instant::now() + Duration::from_secs(60);
        while Instant::now() < until {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status.signal().is_some();
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        panic!("a server answers no more and does not end");
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server under strace; its address and the certificate of its authority.
fn serve(dir: &Path, strace: &[String]) -> (Running, String, String) {
    let mut child = Command::new(program("strace"))
        .args(["-f", "-qq", "-o", "/dev/null"])
        .args(strace)
        .arg(released())
        .args(["sandbox", "--serve", "--json", "--dir"])
        .arg(dir)
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut text = String::new();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let running = Running(child);
    for line in lines {
        text.push_str(&line.unwrap());
        if let Ok(invitation) = serde_json::from_str::<Value>(&text) {
            let said = |name: &str| invitation[name].as_str().unwrap().to_owned();
            let ca = std::fs::read_to_string(said("ca_file")).unwrap();
            return (running, said("url").trim_start_matches("https://").to_owned(), ca);
        }
    }
    panic!("the sandbox did not say how to join: {text}");
}

#[test]
fn a_server_that_is_killed_at_any_moment_loses_nothing_that_it_acknowledged_and_tears_nothing() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("kept");
    let sandbox = Sandbox::kept(Timestamp::now(), &dir).unwrap();
    let mut forge = owner(sandbox.server(), GUN);
    let first = form(&[
        ("root", forge.root_file()),
        ("targets", forge.targets_file(&role("targets"))),
        ("targets/a", forge.targets_file(&role("targets/a"))),
    ]);
    let headers = [(FORM.0.to_owned(), FORM.1.to_owned())];
    let path = format!("/v2/{GUN}/_trust/tuf/");
    assert_eq!(sandbox.server().handle(&Call::new("POST", &path).with_headers(&headers).with_body(&first)).status, 200);
    drop(sandbox);
    let memory = dir.join(MEMORY);
    let only = ["-P".to_owned(), memory.to_str().unwrap().to_owned()];
    let inject = |calls: &str, when: usize| vec!["-e".to_owned(), format!("inject={calls}:signal=KILL:when={when}")];
    let mut acknowledged = 1;
    let (mut kills, mut unanswered) = (0, 0);
    for round in 0.. {
        let when = round / 3 % 12 + 1;
        let strace = match round % 3 {
            0 => [only.to_vec(), inject("write", when)].concat(),
            1 => [only.to_vec(), inject("fdatasync,fsync", when)].concat(),
            // What goes to a client; a handshake comes before each answer.
            _ => inject("sendto,writev,sendmsg", 3 * when),
        };
        let (running, address, ca) = serve(&dir, &strace);
        let sent = |version: u64, forge: &mut Forge| {
            let kind = format!("Content-Type: {}\r\n", FORM.1);
            try_send(address.parse().unwrap(), &ca, "POST", &path, &kind, &next(forge, version))
        };
        let (mut published, before) = (acknowledged, acknowledged);
        for _ in 0..ROUNDS {
            match sent(published + 1, &mut forge) {
                Some(answer) => {
                    assert_eq!(answer.status, 200, "{}", answer.text());
                    published += 1;
                    acknowledged = published;
                }
                None => break,
            }
        }
        // One that has answered everything was not killed.
        if published - before < ROUNDS as u64 {
            kills += usize::from(running.was_killed());
        } else {
            drop(running);
        }
        let server = Server::open(Arc::new(Timestamp::now), &memory).unwrap();
        let (targets, releases) = (version(&server, "targets"), version(&server, "targets/a"));
        assert_eq!(targets, releases, "a publication was torn");
        assert!(targets == acknowledged || targets == acknowledged + 1, "{acknowledged} was acknowledged, {targets} is there");
        assert_eq!(version(&server, "timestamp"), targets, "there is a timestamp for each publication");
        assert_eq!(version(&server, "snapshot"), targets);
        unanswered += usize::from(targets > acknowledged);
        acknowledged = targets;
        if kills >= KILLS {
            break;
        }
        assert!(round < 2 * KILLS, "only {kills} kills came");
    }
    println!("{kills} kills, {acknowledged} publications, {unanswered} of them stored and not answered");
    assert!(unanswered > 0, "no kill came between storing and answering");
}
