//! `claviger doctor` among programs that are not what they seem, and before servers of every kind.
mod logins;
mod programs;
mod server;

use std::{
    ffi::OsStr,
    path::Path,
    process::{Command, Output, Stdio},
};

/// `claviger doctor` with a home of its own, and a server that nobody runs.
fn doctor(home: &Path, path: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
    command.arg("doctor").env_clear().env("HOME", home).env("PATH", path).stdin(Stdio::null());
    command.env("DOCKER_CONTENT_TRUST_SERVER", "https://127.0.0.1:9");
    command
}

/// What it says, and that it says nothing a terminal would obey.
fn said(output: &Output) -> String {
    let all = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    let text = String::from_utf8(all).unwrap();
    assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text:?}");
    text
}
