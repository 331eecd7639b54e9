//! What `claviger key` does.
mod store;
mod table;
mod test;
mod work;

pub use test::test;
pub use work::{Line, change};

use super::{
    args::key::KeyCommand,
    context::Context,
    operator::{LineOperator, PlanAnswer},
    output::{self, Failure},
    repo::{finding_json, finding_line},
};
use crate::{
    finding::{Finding, Severity},
    keys::{KeyEntry, Listing, problem::code},
    operator::{Cancel, as_text},
    os::strongroom,
    procedures::passphrase_failure,
    secret::Passphrases,
    text::{Printable, Untrusted},
    trust_dir::shown,
    tuf::name::KeyId,
    views::keys::{KeyRow, key_rows},
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex},
};

/// Most files that are named when more than one is meant.
const CANDIDATES: usize = 8;

/// Runs a command that changes nothing.
pub fn read(context: &Context, command: KeyCommand) -> Result<(), Failure> {
    match command {
        KeyCommand::List => list(context),
        KeyCommand::Show { id } => show(context, &id),
        _ => Ok(()),
    }
}

/// Lists all keys, and files that should be keys. Fails if there may be keys that are not in the list.
fn list(context: &Context) -> Result<(), Failure> {
    let all = key_rows(context.trust_dir());
    let failure = unreadable(&all.problems);
    for p in all.problems.iter().filter(|p| !hides_keys(p)) {
        output::note(&p.text);
    }
    if all.rows.is_empty()
        && let Some(failure) = failure
    {
        return Err(failure);
    }
    if context.options.json {
        output::say_json(&all.rows.iter().map(row_json).collect::<Vec<_>>().into())?;
    } else if all.rows.is_empty() {
        let private = context.trust_dir().private();
        let why = if private.is_dir() { "" } else { ": there is no such directory" };
        output::say(&format!("There are no keys in {}{why}.\n", shown(&private)))?;
    } else {
        output::say(&table::table(&all.rows, &context.trust_dir().private(), table::width()))?;
        let bad = all.rows.iter().filter(|r| r.severity() >= Some(Severity::Warn)).count();
        if bad > 0 {
            output::note(&format!("{bad} of {} files have problems; `claviger key show KEY_ID` explains them", all.rows.len()));
        }
    }
    match failure {
        None => Ok(()),
        Some(failure) => Err(Failure { message: failure.message.replacen("the keys", "some keys", 1), ..failure }),
    }
}

/// Whether a problem of the directory means that there may be keys which nobody sees.
fn hides_keys(problem: &Finding) -> bool {
    matches!(problem.code, code::DIRECTORY_UNREADABLE | code::SYMLINK)
}

/// The failure to say what keys there are, if something hides them.
fn unreadable(problems: &[Finding]) -> Option<Failure> {
    let why: Vec<&str> = problems.iter().filter(|p| hides_keys(p)).map(|p| p.text.as_str()).collect();
    let hint = "Mend the permissions or the path (--trust-dir), then repeat the command.";
    let message = format!("the keys could not be read: {}", why.join("; "));
    (!why.is_empty()).then(|| Failure::new("keys-unreadable", message, "keys there are not shown, tested or counted", hint))
}

fn encrypted_word(encrypted: Option<bool>) -> &'static str {
    match encrypted {
        Some(true) => "yes",
        Some(false) => "NO",
        None => "?",
    }
}

fn row_json(r: &KeyRow) -> Value {
    json!({
        "id": r.id.map(|id| id.hex()),
        "role": r.role.raw(),
        "gun": r.gun.as_ref().map(|g| g.raw()),
        "algorithm": r.algorithm.map(|a| a.to_string()),
        "location": { "kind": "file", "path": as_text::of(&r.path) },
        "encrypted": r.encrypted,
        "modified": r.modified.map(|m| m.to_string()),
        "legacy": r.legacy,
        "used_by": r.used_by.iter().map(|(gun, role)| json!({ "gun": gun.as_str(), "role": role.as_str() })).collect::<Vec<_>>(),
        "problems": r.problems.iter().map(finding_json).collect::<Vec<_>>(),
    })
}

/// Shows one key.
fn show(context: &Context, typed: &str) -> Result<(), Failure> {
    let all = key_rows(context.trust_dir());
    let rows: Vec<Candidate<'_, KeyRow>> =
        all.rows.iter().map(|r| Candidate { id: r.id, path: &r.path, role: r.role.shown(), key: r }).collect();
    let row = only(&rows, typed, &all.problems)?;
    if context.options.json {
        let mut value = row_json(row);
        if let Some(object) = value.as_object_mut() {
            object.insert("schema".into(), "claviger/key/1".into());
        }
        return Ok(output::say_json(&value)?);
    }
    Ok(output::say(&describe(row))?)
}

/// A key in one line, for a list to choose from.
pub fn in_a_line(row: &KeyRow) -> String {
    let id = row.id.map_or_else(|| shown(&row.path), |id| id.hex().chars().take(12).collect());
    let role = row.role.shown();
    let of = row.gun.as_ref().map(|g| format!(", {}", g.shown())).unwrap_or_default();
    let worst = row.severity().filter(|s| *s >= Severity::Warn).map(|s| format!(", {s}")).unwrap_or_default();
    format!("{id} {}{of}{worst}", if role.as_str().is_empty() { "without a role" } else { role.as_str() })
}

/// Everything that is known of a key, in lines.
pub fn describe(row: &KeyRow) -> String {
    let mut out = String::new();
    let mut line = |name: &str, value: String| out.push_str(&format!("{name:<12}{value}\n"));
    line("Key ID", row.id.map(|id| id.hex()).unwrap_or_else(|| "-".into()));
    line("Role", row.role.shown().into());
    line("Repository", row.gun.as_ref().map(|g| g.shown().into()).unwrap_or_else(|| "-".into()));
    line("Algorithm", row.algorithm.map(|a| a.to_string()).unwrap_or_else(|| no_algorithm(row).to_owned()));
    line("Encrypted", encrypted_word(row.encrypted).to_owned());
    line("File", shown(&row.path));
    line("Modified", row.modified.map(|m| m.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()).unwrap_or_else(|| "unknown".into()));
    let used: Vec<String> = row.used_by.iter().map(|(g, r)| format!("{g} ({r})")).collect();
    line("Used by", if used.is_empty() { "no repository in the cache".into() } else { used.join(", ") });
    if !row.problems.is_empty() {
        out.push_str("\nFindings\n");
        out.extend(row.problems.iter().map(finding_line));
    }
    out
}

fn no_algorithm(row: &KeyRow) -> &'static str {
    match row.encrypted {
        Some(true) => "unknown: it is encrypted, and no metadata in the cache names it",
        _ => "unknown",
    }
}

/// A key among which one is looked for.
struct Candidate<'k, T> {
    id: Option<KeyId>,
    path: &'k Path,
    role: Printable,
    key: &'k T,
}

/// All listed keys, as those among which one is looked for.
fn candidates(listing: &Listing) -> Vec<Candidate<'_, KeyEntry>> {
    let role = |e: &KeyEntry| e.role.as_ref().map(Untrusted::shown).unwrap_or_default();
    listing.entries.iter().map(|e| Candidate { id: e.id, path: &e.path, role: role(e), key: e }).collect()
}

/// The one key that was meant: by its file, or by the start of its ID in letters of either case.
fn only<'k, T>(all: &[Candidate<'k, T>], typed: &str, problems: &[Finding]) -> Result<&'k T, Failure> {
    let (file, start) = (Path::new(typed), typed.to_ascii_lowercase());
    let named = |c: &&Candidate<'_, T>| c.path.ends_with(file) || c.path.file_stem().is_some_and(|s| s == file && c.id.is_none());
    let mut found: Vec<&Candidate<'k, T>> = if typed.is_empty() { Vec::new() } else { all.iter().filter(named).collect() };
    if found.is_empty() && !start.is_empty() {
        found = all.iter().filter(|c| c.id.is_some_and(|id| id.hex().starts_with(&start))).collect();
    }
    let nothing = "nothing was changed";
    match found.as_slice() {
        [one] => Ok(one.key),
        [] => Err(unreadable(problems).unwrap_or_else(|| {
            let message =
                format!("there is no key whose ID starts with \"{0}\", and no file \"{0}\"", Printable::from_untrusted(typed));
            Failure::new("no-such-key", message, nothing, "`claviger key list` lists all keys.")
        })),
        many => {
            let message = format!("{} files are meant by {}", many.len(), Printable::from_untrusted(typed));
            let id = |c: &Candidate<'_, T>| c.id.map_or_else(|| "-".to_owned(), |id| id.hex().chars().take(16).collect());
            let mut files: Vec<String> =
                many.iter().take(CANDIDATES).map(|c| format!("\n    {}  {}  {}", id(c), c.role, shown(c.path))).collect();
            if many.len() > CANDIDATES {
                files.push(format!("\n    and {} more", many.len() - CANDIDATES));
            }
            let hint = format!("Give more digits, or one of these files:{}", files.concat());
            Err(Failure::new("ambiguous-key", message, nothing, hint))
        }
    }
}

/// The operator of a command that does guided work. `nothing` is what has not happened as long as nothing has.
fn line_operator(
    context: &Context,
    command: &'static str,
    nothing: &'static str,
    cancel: Cancel,
) -> Result<LineOperator, Failure> {
    Ok(LineOperator {
        command,
        nothing,
        fields: BTreeMap::new(),
        passphrases: Arc::new(passphrases(context)?),
        replacement: None,
        confirm: context.options.confirm.clone(),
        plan: PlanAnswer::default(),
        cancel,
        progress: Mutex::default(),
    })
}

fn passphrases(context: &Context) -> Result<Passphrases, Failure> {
    let all = strongroom(|| Passphrases::new(context.options.passphrase_file.as_deref(), &std::env::vars_os().collect()));
    all.map_err(|e| passphrase_failure(&e, ""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::problem;

    fn three() -> Vec<(Option<KeyId>, std::path::PathBuf)> {
        let id = |n: u8| Some(KeyId::from_digest([n; 32]));
        [(id(0xab), "/t/private/abab.key"), (id(0xac), "/t/private/acac.key"), (None, "/t/private/mine.key")]
            .map(|(id, path)| (id, path.into()))
            .into()
    }

    fn find(typed: &str) -> Result<std::path::PathBuf, Failure> {
        let all = three();
        let all: Vec<_> =
            all.iter().map(|c| Candidate { id: c.0, path: &c.1, role: Printable::from_untrusted("root"), key: &c.1 }).collect();
        only(&all, typed, &[]).cloned()
    }

    #[test]
    fn a_key_is_found_by_the_start_of_its_id_in_either_case_or_by_its_file() {
        for typed in ["abab", "ABAB", "ab", "abab.key", "private/abab.key", "/t/private/abab.key"] {
            assert_eq!(find(typed).unwrap(), Path::new("/t/private/abab.key"), "{typed}");
        }
        for typed in ["mine", "mine.key"] {
            assert_eq!(find(typed).unwrap(), Path::new("/t/private/mine.key"), "{typed}");
        }
        for typed in ["", "min", "key", "ad"] {
            assert_eq!(find(typed).unwrap_err().code, "no-such-key", "{typed}");
        }
    }

    #[test]
    fn an_ambiguous_start_names_the_candidates() {
        let f = find("A").unwrap_err();
        assert_eq!(f.code, "ambiguous-key");
        assert!(f.hint.contains("abababababababab  root  /t/private/abab.key") && f.hint.contains("acac.key"), "{}", f.hint);
    }

    #[test]
    fn what_cannot_be_read_is_not_called_absent() {
        let hidden = Finding::new(problem::code::DIRECTORY_UNREADABLE, Severity::Error, "/t/private cannot be read");
        let none: [Candidate<'_, ()>; 0] = [];
        assert_eq!(only(&none, "ab", &[hidden]).unwrap_err().code, "keys-unreadable");
    }
}
