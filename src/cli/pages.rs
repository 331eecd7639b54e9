//! What is made from the definitions of the command line: completions for shells, and manual pages.
use super::{
    args::Arguments,
    output::{self, Failure},
};
use crate::operator::as_text;
use crate::trust_dir::shown;
use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use serde_json::json;
use std::{
    io,
    path::{Path, PathBuf},
};

/// Prints the completions of a shell.
pub fn completions(shell: Shell, as_json: bool) -> Result<(), Failure> {
    if as_json {
        let message = "completions are a script of the shell and have no JSON";
        return Err(Failure::new("usage", message, "nothing was printed", "Leave out --json.").exit(2));
    }
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "claviger", &mut out);
    Ok(output::say(&String::from_utf8_lossy(&out))?)
}

/// Writes a page for every command.
pub fn man(dir: &Path, as_json: bool) -> Result<(), Failure> {
    let failed = |path: &Path, e: io::Error| {
        let message = format!("{} could not be written: {e}", shown(path));
        Failure::new("output", message, "not all pages were written", "Name a directory that exists and can be written.")
    };
    if !dir.is_dir() {
        return Err(failed(dir, io::ErrorKind::NotADirectory.into()).instead("nothing was written"));
    }
    let mut command = Arguments::command();
    command.build();
    let mut written = Vec::new();
    page(&command, "claviger", dir, &mut written).map_err(|(path, e)| failed(&path, e))?;
    match as_json {
        true => {
            let pages: Vec<_> = written.iter().map(|p| as_text::of(p)).collect();
            Ok(output::say_json(&json!({ "schema": "claviger/man/1", "pages": pages }))?)
        }
        false => Ok(output::say(&format!("{} pages were written to {}.\n", written.len(), shown(dir)))?),
    }
}

fn page(command: &Command, name: &str, dir: &Path, written: &mut Vec<PathBuf>) -> Result<(), (PathBuf, io::Error)> {
    let path = dir.join(format!("{name}.1"));
    let failed = |e| (path.clone(), e);
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page).map_err(failed)?;
    std::fs::write(&path, page).map_err(failed)?;
    written.push(path.clone());
    for below in command.get_subcommands().filter(|c| !c.is_hide_set() && c.get_name() != "help") {
        self::page(below, &format!("{name}-{}", below.get_name()), dir, written)?;
    }
    Ok(())
}
