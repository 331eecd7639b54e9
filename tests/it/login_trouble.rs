//! What stands in the way of logging in, as a process: helpers that go on when claviger ends, files that are none, issuers
//! with other authorities, names that cannot be sent.
use crate::{
    loopback::{Server, reply},
    transport_tls::{Authority, serve},
};
use rcgen::date_time_ymd;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

const SECRET: &str = "hunter2";
/// Longer than anything here may take, and less than a helper's patience where that matters.
const SOON: Duration = Duration::from_secs(8);

/// A server that wants a password, and somebody who wants to read a repository there.
struct Desk {
    server: Server,
    home: tempfile::TempDir,
}

impl Desk {
    fn new(challenge: &str) -> Self {
        let server = Server::saying(reply("401 Unauthorized", &format!("WWW-Authenticate: {challenge}\r\n"), ""));
        let desk = Self { server, home: tempfile::tempdir().unwrap() };
        fs::create_dir_all(desk.path("bin")).unwrap();
        fs::create_dir_all(desk.path("docker")).unwrap();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn docker(&self, config: &Value) {
        fs::write(self.path("docker/config.json"), config.to_string()).unwrap();
    }

    fn helper(&self, script: &str) {
        let file = self.path("bin/docker-credential-stub");
        fs::write(&file, format!("#!/bin/sh\ncd '{}'\n{script}\n", self.home.path().display())).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
        self.docker(&json!({ "credsStore": "stub" }));
    }

    fn show(&self, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        command.env_clear().env("PATH", path).env("HOME", self.home.path()).env("DOCKER_CONFIG", self.path("docker"));
        let url = self.server.url().replace("127.0.0.1", "localhost");
        command.args(["repo", "show", "localhost:5000/a", "--server", &url]).args(more);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs it, which must be over soon; what it says on standard error.
    #[track_caller]
    fn says(&self, more: &[&str]) -> String {
        let output = within(self.show(more).spawn().unwrap());
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && !text.contains(SECRET), "{text}");
        assert!(self.server.heads().iter().all(|h| !h.to_ascii_lowercase().contains("authorization")), "a login was sent");
        text
    }
}

fn within(mut child: Child) -> Output {
    let deadline = Instant::now() + SOON;
    while child.try_wait().unwrap().is_none() {
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("it is not over: {:?}", child.wait_with_output());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    child.wait_with_output().unwrap()
}

/// The number in a file that a helper writes; waits for it.
fn pid_in(file: &Path) -> String {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        match fs::read_to_string(file) {
            Ok(pid) if pid.ends_with('\n') => return pid.trim().to_owned(),
            _ => assert!(Instant::now() < deadline, "{} was not written", file.display()),
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn has_ended(pid: &str) -> bool {
    // One that nobody waits for is a zombie, where nobody inherits it.
    fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "))
}

#[track_caller]
fn ends(pid: &str, by: Instant) {
    while !has_ended(pid) {
        assert!(Instant::now() < by, "what the helper is or has started outlived claviger");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_helper_ends_with_claviger_and_all_that_it_has_started_whichever_signal_that_was() {
    for (signal, status) in [(Signal::INT, Some(130)), (Signal::TERM, Some(143)), (Signal::HUP, Some(129)), (Signal::KILL, None)]
    {
        let desk = Desk::new("Basic realm=\"x\"");
        desk.helper("sleep 600 &\necho $! > started\necho $$ > helper\nsleep 600");
        let child = desk.show(&[]).spawn().unwrap();
        let (helper, started) = (pid_in(&desk.path("helper")), pid_in(&desk.path("started")));
        assert!(!has_ended(&helper) && !has_ended(&started));
        let by = Instant::now() + SOON;
        kill_process(Pid::from_child(&child), signal).unwrap();
        let output = within(child);
        assert_eq!(output.status.code(), status, "{output:?}");
        ends(&helper, by);
        match signal {
            // The kernel ends the helper; nobody is left who could end what that has started.
            Signal::KILL => kill_process(Pid::from_raw(started.parse().unwrap()).unwrap(), Signal::KILL).unwrap(),
            _ => ends(&started, by),
        }
    }
}

#[test]
fn a_configuration_of_docker_that_is_no_file_or_too_large_is_named_and_holds_nobody_up() {
    let desk = Desk::new("Basic realm=\"x\"");
    let config = desk.path("docker/config.json");
    let cannot = "the login cannot be read from ";
    assert!(Command::new("mkfifo").arg(&config).status().unwrap().success());
    let text = desk.says(&[]);
    assert!(text.contains(cannot) && text.contains("config.json: it is no file"), "{text}");
    fs::remove_file(&config).unwrap();
    fs::create_dir(&config).unwrap();
    let text = desk.says(&[]);
    assert!(text.contains(cannot) && text.contains("config.json: it is no file"), "{text}");
    fs::remove_dir(&config).unwrap();
    fs::File::create(&config).unwrap().set_len(100 << 20).unwrap();
    let text = desk.says(&[]);
    assert!(text.contains(cannot) && text.contains("it is longer than 1048576 bytes"), "{text}");
    fs::remove_file(&config).unwrap();
    // docker takes these for entries without a login.
    for entry in [Value::Null, json!({}), json!({ "auth": null })] {
        desk.docker(&json!({ "auths": { "localhost:5000": entry } }));
        let text = desk.says(&[]);
        assert!(text.contains("asked without a login"), "{text}");
    }
}

#[test]
fn a_user_name_with_a_colon_is_refused_before_anything_is_sent() {
    // An issuer that gives nobody anything is asked with the login, and a server that wants a password itself.
    let issuer = Server::saying(reply("401 Unauthorized", "", ""));
    let bearer = format!("Bearer realm=\"http://localhost:{}/token\",service=\"s\"", issuer.addr.port());
    for challenge in ["Basic realm=\"x\"", &bearer] {
        let desk = Desk::new(challenge);
        desk.helper(&format!("printf '{{\"Username\":\"root:x\",\"Secret\":\"{SECRET}\"}}'"));
        let text = desk.says(&[]);
        assert!(text.contains("the user name root:x (from the credential helper docker-credential-stub) has a colon"), "{text}");
        assert!(text.contains("nothing was sent") && text.contains("whose user name has no colon"), "{text}");
    }
    let asked = issuer.heads();
    assert!(asked.len() == 1 && !asked[0].to_ascii_lowercase().contains("authorization"), "{asked:?}");
}

#[test]
fn a_helper_gets_the_variable_by_which_a_program_for_pins_finds_the_terminal() {
    let desk = Desk::new("Basic realm=\"x\"");
    desk.helper("echo \"$GPG_TTY $NOTARY_AUTH\" > seen\necho 'credentials not found'; exit 1");
    let mut command = desk.show(&[]);
    within(command.env("GPG_TTY", "/dev/pts/9").env("NOTARY_AUTH", SECRET).spawn().unwrap());
    assert_eq!(fs::read_to_string(desk.path("seen")).unwrap().trim(), "/dev/pts/9");
}

#[test]
fn an_issuer_that_cannot_be_trusted_is_mended_there_and_not_at_the_server() {
    let (ours, other) = (Authority::new("ours"), Authority::new("other"));
    let expired = ours.server("localhost", |p| {
        (p.not_before, p.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
    });
    for (leaf, next) in [
        (other.server("localhost", |_| {}), "Add the CA of localhost:PORT to the file that --tlscacert names"),
        (expired, "Check this machine's clock; else localhost:PORT needs a new certificate."),
    ] {
        let issuer = serve(&leaf, None, rustls::ALL_VERSIONS);
        let port = issuer.addr.port();
        let desk = Desk::new(&format!("Bearer realm=\"https://localhost:{port}/token\",service=\"s\""));
        let text = desk.says(&["--tlscacert", ours.ca().to_str().unwrap()]);
        let next = next.replace("PORT", &port.to_string());
        assert!(text.contains(&format!("the issuer of tokens at https://localhost:{port}/token")), "{text}");
        assert!(text.replace('\n', " ").contains(&next), "{next}\n{text}");
        assert_eq!(issuer.requests(), 0);
    }
}
