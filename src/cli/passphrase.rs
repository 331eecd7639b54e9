//! What `claviger passphrase` does.
use super::{
    args::{PassphraseCommand, key::KeyRole},
    output::{self, Failure},
};
use crate::{
    os::strongroom,
    procedures::passphrase_failure,
    secret::{
        Given, Level, Passphrase, Prompt as _, Source, Strength, TerminalPrompt, least_bits, least_characters, read_one_line,
        weakness, words,
    },
};
use serde_json::{Map, Value, json};
use std::io::{self, IsTerminal as _};

/// The roles that a passphrase can be for, as the command line calls them.
const ROLES: [&str; 4] = ["root", "targets", "snapshot", "delegation"];

/// Runs a command about passphrases. What it prints lies in memory that is erased.
pub fn run(command: PassphraseCommand, as_json: bool) -> Result<(), Failure> {
    strongroom(|| match command {
        PassphraseCommand::Generate { words, role } => generate(words, role, as_json),
        PassphraseCommand::Check => check(as_json),
    })
}

fn generate(words: Option<u8>, role: KeyRole, as_json: bool) -> Result<(), Failure> {
    let usual = words::words_for(if role == KeyRole::Root { "root" } else { "" });
    let count = words.map_or(usual, usize::from);
    let failed = |e: words::NoChance| Failure::new("internal", e.to_string(), "no passphrase was made", "Repeat the command.");
    let made = words::generate(count).map_err(failed)?;
    let text = String::from_utf8_lossy(made.expose());
    let bits = words::entropy(count);
    if as_json {
        let (schema, bits) = ("claviger/passphrase-generate/1", (bits * 10.0).floor() / 10.0);
        return Ok(output::say_json(&json!({ "schema": schema, "passphrase": text, "words": count, "bits": bits }))?);
    }
    output::say(&format!("{text}\n"))?;
    output::note(&format!("{count} words drawn from {}: {bits:.1} bits", words::WORDS));
    if count < usual {
        output::note(&format!("fewer words than the {usual} that are usual for it"));
    }
    output::note("it was stored nowhere and cannot be recovered: write it down now, and keep it apart from the key");
    Ok(())
}

fn check(as_json: bool) -> Result<(), Failure> {
    let passphrase = read()?;
    let strength = Strength::of_passphrase(&passphrase);
    let given = Given { passphrase, source: Source::Typed };
    let enough: Vec<(&str, bool)> = ROLES.iter().map(|role| (*role, weakness(&given, role).is_none())).collect();
    let level = if given.passphrase.is_empty() { Level::VeryWeak } else { strength.level() };
    if as_json {
        let enough: Map<String, Value> = enough.iter().map(|(role, yes)| ((*role).to_owned(), (*yes).into())).collect();
        let (schema, bits) = ("claviger/passphrase-check/1", strength.bits.floor());
        let level = level.to_string();
        return Ok(output::say_json(&json!({ "schema": schema, "level": level, "bits": bits, "enough_for": enough }))?);
    }
    let mut out = format!("{level}: about {:.0} bits, estimated as a good guesser would try\n", strength.bits.floor());
    for (role, yes) in enough {
        let why = || format!("no: it needs {} characters and {:.0} bits", least_characters(role), least_bits(role));
        out.push_str(&format!("  {role:<11} {}\n", if yes { "enough".to_owned() } else { why() }));
    }
    out.push_str("  Whether it was used elsewhere, or is known to anybody, cannot be seen from here.\n");
    Ok(output::say(&out)?)
}

/// From the terminal without showing it, or from what is piped in.
fn read() -> Result<Passphrase, Failure> {
    let nothing = |f: Failure| f.instead("nothing was judged");
    if io::stdin().is_terminal() {
        return TerminalPrompt.ask("Passphrase to judge: ").map_err(|e| nothing(passphrase_failure(&e, "")));
    }
    read_one_line().map_err(|e| {
        let message = format!("the passphrase could not be read from standard input: {e}");
        Failure::new("input", message, "nothing was judged", "Give one line, or run it in a terminal.")
    })
}
