//! `claviger sandbox --serve` as a process, and claviger's own commands run against it.
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Output, Stdio},
};

/// A served sandbox; told to end when it is dropped.
pub struct Served {
    child: Child,
    /// What it printed when it was ready.
    pub invitation: Value,
}

impl Served {
    /// Starts one and waits until it says how to join.
    pub fn start() -> Self {
        Self::serving(&[])
    }

    /// One that is kept in a directory.
    pub fn kept(dir: &std::path::Path) -> Self {
        Self::serving(&["--dir".as_ref(), dir.as_os_str()])
    }

    /// The same, run by a program that limits it.
    pub fn kept_by(mut program: Command, dir: &std::path::Path) -> Self {
        program.arg(env!("CARGO_BIN_EXE_claviger"));
        Self::run(program, &["--dir".as_ref(), dir.as_os_str()])
    }

    fn serving(more: &[&std::ffi::OsStr]) -> Self {
        Self::run(Command::new(env!("CARGO_BIN_EXE_claviger")), more)
    }

    fn run(mut program: Command, more: &[&std::ffi::OsStr]) -> Self {
        let child = program
            .args(["sandbox", "--serve", "--json"])
            .args(more)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut served = Self { child, invitation: Value::Null };
        let mut text = String::new();
        for line in BufReader::new(served.child.stdout.take().unwrap()).lines() {
            text.push_str(&line.unwrap());
            text.push('\n');
            if let Ok(invitation) = serde_json::from_str(&text) {
                served.invitation = invitation;
                return served;
            }
        }
        panic!("the sandbox did not say how to join: {text}");
    }

    /// A part of how to join.
    pub fn value(&self, name: &str) -> &str {
        self.invitation[name].as_str().unwrap()
    }

    /// Runs a command on the sandbox's own trust directory and server.
    pub fn claviger(&self, arguments: &[&str]) -> Output {
        self.in_directory(std::path::Path::new(self.value("trust_dir")), arguments)
    }

    /// Runs a command on another trust directory and the sandbox's server.
    pub fn in_directory(&self, trust_dir: &std::path::Path, arguments: &[&str]) -> Output {
        self.by(Command::new(env!("CARGO_BIN_EXE_claviger")), trust_dir, arguments)
    }

    /// The same with a program that runs claviger, for instance to watch it.
    pub fn by(&self, mut program: Command, trust_dir: &std::path::Path, arguments: &[&str]) -> Output {
        program
            .args(arguments)
            .args(["--server", self.value("url"), "--tlscacert", self.value("ca_file"), "--trust-dir"])
            .arg(trust_dir)
            .env_clear()
            .env("HOME", self.value("docker_config"))
            .env("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", self.value("passphrase"))
            .env("DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE", self.value("passphrase"))
            .stdin(Stdio::null())
            .output()
            .unwrap()
    }

    /// Ends it as Ctrl-C does; its exit status.
    pub fn end(mut self) -> Option<i32> {
        self.interrupt();
        self.child.wait().unwrap().code()
    }

    fn interrupt(&mut self) {
        // One that has ended and was waited for has no number any more; somebody else may have it.
        if let Ok(None) = self.child.try_wait() {
            let _ = kill_process(Pid::from_child(&self.child), Signal::INT);
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.interrupt();
        let _ = self.child.wait();
    }
}

#[test]
fn a_served_sandbox_ends_on_an_interrupt_and_leaves_nothing_behind() {
    let served = Served::start();
    let trust_dir = served.value("trust_dir").to_owned();
    assert!(std::path::Path::new(&trust_dir).is_dir());
    assert_eq!(served.end(), Some(0));
    assert!(!std::path::Path::new(&trust_dir).exists());
}
