//! `claviger` alone: the workstation, on a screen.
use super::output::Failure;
use crate::{
    tui::{self, Ended, Options},
    views::desk::Desk,
};
use std::io::{self, IsTerminal as _};

/// Refuses to open the workstation where it cannot be: without a terminal, or with `--json`. `hint` is what could be done
/// instead, besides the commands.
pub fn can_open(as_json: bool, hint: &str) -> Result<(), Failure> {
    let commands = format!("Every command works without a screen: claviger --help{hint}");
    if as_json {
        let message = "the workstation is a screen and has no JSON, so nothing was opened";
        return Err(Failure::new("usage", message, "nothing was read or changed", commands).exit(2));
    }
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        let message = "no terminal here, so nothing was opened";
        return Err(Failure::new("no-terminal", message, "nothing was read or changed", commands).exit(2));
    }
    Ok(())
}

/// Opens the workstation.
pub async fn open(desk: Desk) -> Result<(), Failure> {
    let nothing = "nothing was changed";
    let ended = tui::run(desk, Options::from_env())
        .await
        .map_err(|e| Failure::new("screen", e.to_string(), nothing, "Every command works without a screen: claviger --help."))?;
    let why = match ended {
        Ended::Quit => return Ok(()),
        Ended::Interrupted => "interrupted",
        Ended::Terminated => "ended by SIGTERM",
        Ended::HungUp => "the terminal was closed",
    };
    Err(Failure::new("interrupted", why, nothing, "").exit(ended.exit_code()))
}
