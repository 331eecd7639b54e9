//! What is said when the command line is not understood, and help.
use super::{
    args::Arguments,
    output::{self, Failure},
};
use crate::text;
use clap::{
    Parser as _,
    error::{ContextKind, ContextValue, ErrorKind},
};
use std::{ffi::OsString, process::ExitCode};

/// Options of other commands that somebody may expect of these, and why they have them not.
const ELSEWHERE: &[(&str, &[&str], &str)] = &[
    ("--yes", &["delete", "reset"], "There is nothing here that --yes accepts; what has a name typed takes it from --confirm"),
    ("--stage", ALONE, "This cannot be staged: it is published at once, or not at all"),
    ("--only", ALONE, "This goes out alone, whatever is staged"),
    ("--as", &["revoke"], "A tag is revoked in every role that signs it and whose key is here"),
];
/// What goes out alone.
const ALONE: &[&str] = &["init", "key rotate", "root-key", "publish", "delete"];

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
    let elsewhere = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(typed)) => {
            let of = |command: &&str| said.contains(&format!("Usage: claviger {command}"));
            let found = ELSEWHERE.iter().find(|(name, of_these, _)| name == typed && of_these.iter().any(of));
            found.map(|(.., why)| (*why).to_owned())
        }
        _ => None,
    };
    // A tip from the spelling of names knows nothing of what they mean.
    let is_said = |p: &String| {
        let tip = p.starts_with("tip:") && (elsewhere.is_some() || p.contains(" as a value"));
        !p.is_empty() && !tip && !p.starts_with("For more information")
    };
    // Clap puts the option that it took it for into the usage.
    let usage = |p: String| if elsewhere.is_some() { p.replace("--state-dir <DIR> ", "") } else { p };
    let rest: Vec<String> = elsewhere.iter().cloned().chain(parts.filter(is_said).map(usage)).collect();
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
    fn an_option_of_another_command_is_answered_with_why_it_is_not_here() {
        let f = said(&["claviger", "delete", "registry.example/app", "--yes"]);
        assert!(f.hint.starts_with("There is nothing here that --yes accepts") && !f.hint.contains("tip"), "{}", f.hint);
        let f = said(&["claviger", "key", "rotate", "registry.example/app", "targets", "--stage"]);
        assert!(f.hint.starts_with("This cannot be staged") && !f.hint.contains("state-dir"), "{}", f.hint);
        // What is only misspelt is still found.
        let f = said(&["claviger", "delete", "registry.example/app", "--remot"]);
        assert!(f.hint.contains("'--remote'"), "{}", f.hint);
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
