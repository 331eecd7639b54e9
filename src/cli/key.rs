//! `key list`, `key show`, `key test`, `key generate`.
use super::{
    args::{KeyAlgorithm, KeyRole as RoleArgument},
    context::Context,
    output::{self, Failure},
    repo::{finding_json, finding_line},
};
use crate::{
    finding::Severity,
    keys::{self, Iterations, KeyEntry, KeyError, KeyRole, NewKey, Stored},
    secret::{PassphraseError, Passphrases, TerminalPrompt, Wanted},
    text::Printable,
    trust_dir::{TrustDirError, shown},
    tuf::name::{BaseRole, Gun},
    views::{columns::columns, keys::KeyRow},
};
use serde_json::{Value, json};
use std::path::Path;

/// Lists all keys, and files that should be keys.
pub fn list(context: &Context) -> Result<(), Failure> {
    let all = context.desk().keys();
    for p in &all.problems {
        output::complain(&format!("claviger: {}", p.text));
    }
    if context.options.json {
        return Ok(output::say_json(&all.rows.iter().map(row_json).collect::<Vec<_>>().into())?);
    }
    if all.rows.is_empty() {
        return Ok(output::say(&format!("There are no keys in {}.\n", shown(&context.trust_dir().private())))?);
    }
    let mut rows = vec![["ROLE", "REPOSITORY", "KEY ID", "ALGORITHM", "ENCRYPTED", "PROBLEMS"].map(str::to_owned)];
    rows.extend(all.rows.iter().map(|r| {
        let (problems, name) =
            (short_problems(r), r.path.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default());
        [
            r.role.shown().into(),
            r.gun.as_ref().map(|g| g.shown().into()).unwrap_or_default(),
            r.id.map_or_else(|| Printable::from_untrusted(&name).into(), |id| id.hex()),
            r.algorithm.map(|a| a.to_string()).unwrap_or_else(|| "?".into()),
            encrypted_word(r.encrypted).to_owned(),
            problems,
        ]
    }));
    output::say(&columns(&rows, 0, 2))?;
    let bad = all.rows.iter().filter(|r| r.severity() >= Some(Severity::Warn)).count();
    if bad > 0 {
        output::complain(&format!(
            "claviger: {bad} of {} files have problems; `claviger key show KEY_ID` explains them",
            all.rows.len()
        ));
    }
    Ok(())
}

fn encrypted_word(encrypted: Option<bool>) -> &'static str {
    match encrypted {
        Some(true) => "yes",
        Some(false) => "NO",
        None => "?",
    }
}

fn short_problems(row: &KeyRow) -> String {
    let codes: Vec<&str> = row.problems.iter().filter(|p| p.severity >= Severity::Warn).map(|p| p.code).collect();
    codes.join(", ")
}

fn row_json(r: &KeyRow) -> Value {
    json!({
        "id": r.id.map(|id| id.hex()),
        "role": r.role.raw(),
        "gun": r.gun.as_ref().map(|g| g.raw()),
        "algorithm": r.algorithm.map(|a| a.to_string()),
        "location": { "kind": "file", "path": r.path.to_string_lossy() },
        "encrypted": r.encrypted,
        "modified": r.modified.map(|m| m.to_string()),
        "legacy": r.legacy,
        "used_by": r.used_by.iter().map(|(gun, role)| json!({ "gun": gun.as_str(), "role": role.as_str() })).collect::<Vec<_>>(),
        "problems": r.problems.iter().map(finding_json).collect::<Vec<_>>(),
    })
}

/// Shows one key.
pub fn show(context: &Context, id: &str) -> Result<(), Failure> {
    let rows = context.desk().keys().rows;
    let matching: Vec<&KeyRow> = rows.iter().filter(|r| r.id.is_some_and(|i| i.hex().starts_with(id))).collect();
    let row = only(&matching, id)?;
    if context.options.json {
        let mut value = row_json(row);
        if let Some(object) = value.as_object_mut() {
            object.insert("schema".into(), "claviger/key/1".into());
        }
        return Ok(output::say_json(&value)?);
    }
    let mut out = String::new();
    let mut line = |name: &str, value: String| out.push_str(&format!("{name:<12}{value}\n"));
    line("Key ID", row.id.map(|id| id.hex()).unwrap_or_default());
    line("Role", row.role.shown().into());
    line("Repository", row.gun.as_ref().map(|g| g.shown().into()).unwrap_or_else(|| "-".into()));
    line("Algorithm", row.algorithm.map(|a| a.to_string()).unwrap_or_else(|| "unknown until it was unlocked".into()));
    line("Encrypted", encrypted_word(row.encrypted).to_owned());
    line("File", shown(&row.path));
    line("Written", row.modified.map(|m| m.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()).unwrap_or_else(|| "unknown".into()));
    let used: Vec<String> = row.used_by.iter().map(|(g, r)| format!("{g} ({r})")).collect();
    line("Used by", if used.is_empty() { "no repository in the cache".into() } else { used.join(", ") });
    if !row.problems.is_empty() {
        out.push_str("\nFindings\n");
        out.extend(row.problems.iter().map(finding_line));
    }
    Ok(output::say(&out)?)
}

fn only<'r, T>(matching: &[&'r T], id: &str) -> Result<&'r T, Failure> {
    match matching {
        [one] => Ok(one),
        [] => Err(Failure::new(
            "no-such-key",
            format!("no key's ID starts with {id}"),
            "nothing was changed",
            "`claviger key list` lists all keys.",
        )),
        many => {
            let message = format!("{} files have a key ID that starts with {id}", many.len());
            Err(Failure::new("ambiguous-key", message, "nothing was changed", "Give more digits, or remove the duplicate."))
        }
    }
}

/// Unlocks keys, compares them with their names, signs and verifies a test message.
pub fn test(context: &Context, ids: &[String]) -> Result<(), Failure> {
    let listing = keys::list(context.trust_dir());
    let passphrases = passphrases(context)?;
    let mut results = Vec::new();
    let mut first_failure = None;
    for id in ids {
        let matching: Vec<&KeyEntry> =
            listing.entries.iter().filter(|e| e.id.is_some_and(|i| i.hex().starts_with(id.as_str()))).collect();
        let outcome = only(&matching, id).and_then(|entry| {
            let key = keys::unlock_asking(entry, &passphrases, &mut TerminalPrompt).map_err(|e| key_failure(&e, id))?;
            let tested = keys::prove(&key).map_err(|e| key_failure(&e, id))?;
            Ok((entry, keys::Signer::public(&key).algorithm(), tested))
        });
        match outcome {
            Ok((entry, algorithm, tested)) => {
                let full = entry.id.map(|i| i.hex()).unwrap_or_default();
                results.push(json!({ "id": full, "outcome": "good", "algorithm": algorithm.to_string(), "signed": tested.line }));
                if !context.options.json {
                    output::say(&format!(
                        "{full}  good: unlocked, content matches the name ({algorithm}), test signature verified\n"
                    ))?;
                }
            }
            Err(failure) => {
                results.push(json!({ "id": id, "outcome": "failed", "code": failure.code, "message": failure.message }));
                if first_failure.is_none() { first_failure = Some(failure) } else { failure.print(context.options.json) }
            }
        }
    }
    if context.options.json {
        output::say_json(&json!({ "schema": "claviger/key-test/1", "results": results }))?;
    }
    first_failure.map_or(Ok(()), Err)
}

/// Makes a key, stores it, reads it back, and writes its public half.
pub fn generate(
    context: &Context,
    name: &str,
    role: RoleArgument,
    gun: Option<&str>,
    algorithm: KeyAlgorithm,
    dir: &Path,
) -> Result<(), Failure> {
    if context.settings.read_only.value {
        return Err(Failure::new("read-only", "this is a read-only session", "no key was made", "Leave out --read-only."));
    }
    let signer = KeyRole::parse(name).ok().filter(|r| matches!(r, KeyRole::Signer(_)));
    let Some(signer) = signer else {
        let hint = "Use lower-case letters, digits, - and _, starting with a letter or digit; the names of base roles and releases are taken.";
        return Err(Failure::new("name", format!("{name} is no name for a signer or a key"), "no key was made", hint).exit(2));
    };
    let header = match role {
        RoleArgument::Delegation => signer.clone(),
        RoleArgument::Root => KeyRole::Base(BaseRole::Root),
        RoleArgument::Targets => KeyRole::Base(BaseRole::Targets),
        RoleArgument::Snapshot => KeyRole::Base(BaseRole::Snapshot),
    };
    let gun: Option<Gun> = gun.map(|g| context.reference(g).map(|r| r.gun)).transpose()?;
    if header.has_gun() && gun.is_none() {
        return Err(Failure::new(
            "gun-needed",
            format!("a {} key belongs to a repository", header.as_str()),
            "no key was made",
            "Name it with --gun.",
        )
        .exit(2));
    }
    let public_path = dir.join(format!("{name}.pub"));
    if public_path.symlink_metadata().is_ok() {
        let message = format!("{} is there already", shown(&public_path));
        return Err(Failure::new("file-exists", message, "no key was made", "Choose another --dir or name."));
    }
    let passphrases = passphrases(context)?;
    let kind = match algorithm {
        KeyAlgorithm::Ecdsa => NewKey::EcdsaP256,
        KeyAlgorithm::Rsa2048 => NewKey::Rsa2048,
        KeyAlgorithm::Rsa3072 => NewKey::Rsa3072,
        KeyAlgorithm::Rsa4096 => NewKey::Rsa4096,
    };
    let label = format!("the new {} key", header.as_str());
    let wanted = Wanted { role: header.as_str(), key_id: None, label: &label };
    let given = passphrases.fresh(&wanted, &mut TerminalPrompt).map_err(|e| key_failure(&e.into(), name))?;
    let key = keys::generate(kind).map_err(|e| key_failure(&e, name))?;
    let stored = keys::store(context.trust_dir(), &header, gun.as_ref(), &key, &given.passphrase, Iterations::for_role(&header))
        .map_err(|e| key_failure(&e, name))?;
    let (Stored::New(path) | Stored::AlreadyThere(path)) = &stored;
    let public = keys::Signer::public(&key);
    let written = keys::write_public(dir, &signer, public);
    if context.options.json {
        output::say_json(&json!({
            "schema": "claviger/key-generate/1",
            "id": public.id().hex(),
            "role": header.as_str(),
            "gun": gun.as_ref().map(Gun::as_str),
            "algorithm": public.algorithm().to_string(),
            "path": path.to_string_lossy(),
            "public": written.as_ref().ok().map(|p| p.to_string_lossy()),
        }))?;
    } else {
        output::say(&format!("The key {} was made, stored and read back.\n  private  {}\n", public.id(), shown(path)))?;
        if let Ok(p) = &written {
            output::say(&format!("  public   {}\n", shown(p)))?;
        }
        output::say(
            "Whoever loses the file or forgets the passphrase loses the key: neither can be recovered. Back it up now.\n",
        )?;
    }
    match written {
        Ok(_) => Ok(()),
        Err(e) => Err(Failure::new(
            "public-not-written",
            e.to_string(),
            "the private key is stored; only its public half was not written",
            "",
        )),
    }
}

fn passphrases(context: &Context) -> Result<Passphrases, Failure> {
    let environment = std::env::vars_os().collect();
    Passphrases::new(context.options.passphrase_file.as_deref(), &environment).map_err(|e| key_failure(&e.into(), "the key"))
}

/// The three sentences for a key that did not do what it should.
fn key_failure(error: &KeyError, id: &str) -> Failure {
    let nothing = "nothing was changed";
    let (code, exit, hint) = match error {
        KeyError::WrongPassphrase => {
            ("passphrase", 1, "Check which key it is for: `claviger key show` names its role and repository.")
        }
        KeyError::Passphrase(PassphraseError::Conflict(..)) => {
            ("passphrase-conflict", 2, "Unset the variable that is not meant.")
        }
        KeyError::Passphrase(_) | KeyError::PassphraseNeeded => {
            ("passphrase-missing", 1, "Give it by --passphrase-file, by a variable, or at a terminal.")
        }
        KeyError::NotItsName { .. } | KeyError::NameIsNoId => {
            ("wrong-content", 1, "Do not use this file; restore the key from a backup.")
        }
        KeyError::Damaged(_) | KeyError::Unsupported(_) | KeyError::TooManyIterations(_) => {
            ("damaged", 1, "Restore the key from a backup.")
        }
        KeyError::TooWeak(_) => ("weak-key", 1, "Make a new key and replace this one."),
        KeyError::TrustDir(TrustDirError::Locked { .. }) => {
            ("locked", 1, "Wait until the other program is done, then repeat the command.")
        }
        KeyError::GunNeeded(_) | KeyError::NoSuchRole => ("usage", 2, ""),
        _ => ("key", 1, ""),
    };
    Failure::new(code, format!("{id}: {error}"), nothing, hint).exit(exit)
}
