//! What is said when the command line is not understood, and help.
use super::{
    args::Arguments,
    output::{self, Failure},
};
use crate::text;
use clap::{Parser as _, error::ErrorKind};
use std::{ffi::OsString, process::ExitCode};

/// Answers help and version on standard output with status 0, and a mistake on standard error with status 2.
pub fn answer(error: clap::Error, typed: &[OsString]) -> ExitCode {
    if !error.use_stderr() {
        // Our own words, in the terminal's style. Whoever closed standard output does not want them.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let failure = failure(error, typed);
    output::print_failure(&failure, output::as_json());
    ExitCode::from(failure.exit)
}

/// A mistake in the three sentences that every error has.
fn failure(error: clap::Error, typed: &[OsString]) -> Failure {
    let nothing = "nothing was done";
    // What was typed stands in the message. It is made visible first: its lines must not look like ours, and clap drops
    // terminal sequences without a word.
    let visible = typed.iter().map(|a| text::escape(&a.to_string_lossy()).into_owned());
    let error = Arguments::try_parse_from(visible).err().unwrap_or(error);
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let usage = error.to_string().lines().find_map(|l| l.strip_prefix("Usage: ").map(str::to_owned)).unwrap_or_default();
        let command = usage.split(" [").next().unwrap_or_default().to_owned();
        return Failure::new("usage", format!("{command} wants a command"), nothing, format!("See {command} --help")).exit(2);
    }
    let said = error.to_string();
    let mut parts = said.split("\n\n").map(|part| part.split_whitespace().collect::<Vec<_>>().join(" "));
    let message = parts.next().unwrap_or_default();
    let message = message.strip_prefix("error: ").unwrap_or(&message).to_owned();
    let rest: Vec<String> = parts.filter(|p| !p.is_empty() && !p.starts_with("For more information")).collect();
    let hint = if rest.is_empty() { "See claviger --help".to_owned() } else { rest.join(". ") };
    Failure::new("usage", message, nothing, hint).exit(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(arguments: &[&str]) -> Failure {
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        failure(Arguments::try_parse_from(&arguments).unwrap_err(), &arguments)
    }

    #[test]
    fn a_mistake_is_told_in_three_sentences_and_the_programs_own_name() {
        let f = said(&["/opt/other-name", "key", "show"]);
        assert_eq!(f.message, "the following required arguments were not provided: <KEY_ID>");
        assert_eq!((f.code, f.exit), ("usage", 2));
        assert!(f.hint.contains("Usage: claviger key show"), "{}", f.hint);
        let f = said(&["x", "key"]);
        assert_eq!((f.message.as_str(), f.hint.as_str()), ("claviger key wants a command", "See claviger key --help"));
        let f = said(&["x", "key", "generate", "a", "--role", "king"]);
        assert!(f.message.starts_with("invalid value 'king' for '--role <ROLE>' [possible values: root, "), "{}", f.message);
    }

    #[test]
    fn what_was_typed_cannot_write_lines_of_its_own() {
        for typed in ["--a\nclaviger: all is well\u{1b}[2J", "--role=x\nclaviger: all is well\u{1b}[2J"] {
            let f = said(&["claviger", "key", "generate", "a", typed]);
            assert!(f.message.contains("<0a>claviger: all is well<1b>[2J"), "{}", f.message);
            assert!(f.message.chars().all(text::is_plain) && f.hint.chars().all(text::is_plain));
        }
    }
}
