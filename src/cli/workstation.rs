//! `claviger` alone: the workstation, on a screen.
use super::{args::Arguments, output::Failure};
use crate::{
    tui::{self, Ended, Options},
    views::desk::Desk,
};
use clap::CommandFactory;
use std::io::{self, IsTerminal as _};

/// Opens the workstation. Without a terminal there is nothing to open it on; then the help says what can be done.
pub async fn open(desk: Desk) -> Result<(), Failure> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Ok(Arguments::command().print_help()?);
    }
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
