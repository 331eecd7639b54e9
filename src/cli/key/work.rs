//! Keys are made, changed and removed: each command is a procedure with what was typed as its answers.
use super::{candidates, only, passphrases};
use crate::{
    cli::{
        args::{KeyCommand, KeyRole},
        context::Context,
        operator::LineOperator,
        output::{self, Failure},
    },
    failure::sentence,
    keys::{self, KeyEntry},
    operator::{Cancel, Stop, run},
    procedures::{
        key_export::{self, Half},
        key_generate::{self, field},
        key_import::{self, AllImported},
        key_passwd, key_remove, passphrase_failure,
    },
    secret::PassphraseFile,
    trust_dir::shown,
    tuf::name::{Gun, KeyId},
};
use clap::ValueEnum;
use serde_json::json;
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// Runs a command that changes keys.
pub async fn change(context: &Context, command: KeyCommand, cancel: Cancel) -> Result<(), Failure> {
    let (name, nothing) = match &command {
        KeyCommand::Passwd { .. } => ("key passwd", key_passwd::NOTHING),
        KeyCommand::Load { .. } => ("key load", key_import::NOTHING),
        KeyCommand::Import { .. } => ("key import", key_import::NOTHING),
        KeyCommand::Export { .. } => ("key export", key_export::NOTHING),
        KeyCommand::Remove { .. } => ("key remove", key_remove::NOTHING),
        _ => ("key generate", key_generate::NOTHING),
    };
    let stopped = |stop| match stop {
        Stop::Failed(failure) => failure,
        Stop::Back | Stop::Cancelled => Failure::interrupted(nothing),
    };
    let mut operator = LineOperator {
        command: name,
        nothing,
        fields: BTreeMap::new(),
        passphrases: Arc::new(passphrases(context)?),
        replacement: None,
        confirm: context.options.confirm.clone(),
    };
    let place = context.workplace();
    match command {
        KeyCommand::Generate { name, role, gun, algorithm, dir } => {
            operator.fields = BTreeMap::from([
                (field::ROLE, value_name(&role)),
                (field::GUN, gun.unwrap_or_default()),
                (field::ALGORITHM, value_name(&algorithm)),
                (field::DIR, dir.to_string_lossy().into_owned()),
            ]);
            operator.fields.extend(name.map(|n| (field::NAME, n)));
            let made = run(&mut operator, cancel, |s| key_generate::run(place.clone(), s)).await.map_err(stopped)?;
            say_made(context, &made)
        }
        KeyCommand::Passwd { id, new_passphrase_file } => {
            let file = new_passphrase_file.as_deref().map(PassphraseFile::open).transpose();
            operator.replacement = file.map_err(|e| passphrase_failure(&e, ""))?.map(Arc::new);
            let entry = entry(context, &id)?;
            let changed =
                run(&mut operator, cancel, |s| key_passwd::run(place.clone(), entry.clone(), s)).await.map_err(stopped)?;
            if context.options.json {
                return Ok(output::say_json(&json!({ "schema": "claviger/key-passwd/1", "id": changed.id.hex() }))?);
            }
            let old = "Copies and backups of the file still have the old one.";
            Ok(output::say(&format!("The key {} has a new passphrase; the file was read back. {old}\n", changed.id))?)
        }
        KeyCommand::Load { file, name, role, gun } => {
            operator.fields = import_fields(file.as_deref(), name, role, gun);
            let all = run(&mut operator, cancel, |s| key_import::run(place.clone(), s)).await.map_err(stopped)?;
            say_imported(context, &all)
        }
        KeyCommand::Import { file, role, gun } => {
            operator.fields = import_fields(file.as_deref(), None, role, gun);
            let all = run(&mut operator, cancel, |s| key_import::run(place.clone(), s)).await.map_err(stopped)?;
            say_imported(context, &all)
        }
        KeyCommand::Export { ids, gun, public, output } => {
            operator.fields.extend(output.map(|o| (key_export::field::OUTPUT, o.to_string_lossy().into_owned())));
            let entries = chosen(context, &ids, gun.as_deref())?;
            let half = if public { Half::Public } else { Half::Private };
            let exported = run(&mut operator, cancel, |s| key_export::run(place.clone(), entries.clone(), half, s))
                .await
                .map_err(stopped)?;
            if context.options.json {
                let ids: Vec<String> = exported.ids.iter().map(KeyId::hex).collect();
                let path = exported.path.to_string_lossy();
                return Ok(output::say_json(&json!({ "schema": "claviger/key-export/1", "ids": ids, "path": path }))?);
            }
            Ok(output::say(&format!("{}\n", sentence(&exported.to_string())))?)
        }
        KeyCommand::Remove { id } => {
            let entry = entry(context, &id)?;
            let removed =
                run(&mut operator, cancel, |s| key_remove::run(place.clone(), entry.clone(), s)).await.map_err(stopped)?;
            if context.options.json {
                let (id, path) = (entry.id.map(|id| id.hex()), removed.path.to_string_lossy());
                return Ok(output::say_json(&json!({ "schema": "claviger/key-remove/1", "id": id, "path": path }))?);
            }
            Ok(output::say(&format!("The {} was removed: {}\n", removed.name, shown(&removed.path)))?)
        }
        KeyCommand::List | KeyCommand::Show { .. } | KeyCommand::Test { .. } => Ok(()),
    }
}

/// The name of a choice on the command line.
fn value_name(value: &impl ValueEnum) -> String {
    value.to_possible_value().map(|v| v.get_name().to_owned()).unwrap_or_default()
}

fn import_fields(
    file: Option<&Path>,
    name: Option<String>,
    role: Option<KeyRole>,
    gun: Option<String>,
) -> BTreeMap<&'static str, String> {
    use key_import::field;
    let role = role.map_or_else(|| key_import::AS_LABELLED.to_owned(), |r| value_name(&r));
    let mut fields =
        BTreeMap::from([(field::NAME, name.unwrap_or_default()), (field::ROLE, role), (field::GUN, gun.unwrap_or_default())]);
    fields.extend(file.map(|f| (field::FILE, f.to_string_lossy().into_owned())));
    fields
}

fn say_imported(context: &Context, all: &AllImported) -> Result<(), Failure> {
    if context.options.json {
        let keys = all.0.iter().map(|k| {
            json!({
                "id": k.id.hex(),
                "role": k.role.as_str(),
                "gun": k.gun.as_ref().map(Gun::as_str),
                "algorithm": k.algorithm.to_string(),
                "path": k.path.to_string_lossy(),
                "outcome": if k.was_there { "was-there" } else { "stored" },
            })
        });
        let keys: Vec<_> = keys.collect();
        return Ok(output::say_json(&json!({ "schema": "claviger/key-import/1", "keys": keys }))?);
    }
    let mut out = format!("{}\n", sentence(&all.to_string()));
    for k in &all.0 {
        let was = if k.was_there { "  (as it was)" } else { "" };
        out.push_str(&format!("  {}  {}{was}\n", k.id, k.role.as_str()));
    }
    out.push_str(&format!("{}\n", all.next()));
    Ok(output::say(&out)?)
}

/// The listed keys that were meant: those that were named, else all; of these those of the repository, if one was named.
fn chosen(context: &Context, ids: &[String], gun: Option<&str>) -> Result<Vec<KeyEntry>, Failure> {
    let gun = gun.map(|g| context.gun(g)).transpose()?;
    let named: Vec<KeyEntry> = match ids {
        [] => keys::list(context.trust_dir()).entries,
        ids => ids.iter().map(|id| entry(context, id)).collect::<Result<_, _>>()?,
    };
    let wanted: Vec<KeyEntry> = named.into_iter().filter(|e| gun.is_none() || e.gun() == gun).collect();
    match wanted.is_empty() {
        false => Ok(wanted),
        true => {
            Err(Failure::new("no-such-key", "there is no such key", key_export::NOTHING, "`claviger key list` lists all keys."))
        }
    }
}

/// The listed key that was meant.
fn entry(context: &Context, typed: &str) -> Result<KeyEntry, Failure> {
    let listing = keys::list(context.trust_dir());
    only(&candidates(&listing), typed, &listing.problems).cloned()
}

fn say_made(context: &Context, made: &key_generate::Made) -> Result<(), Failure> {
    if context.options.json {
        return Ok(output::say_json(&json!({
            "schema": "claviger/key-generate/1",
            "id": made.id().hex(),
            "role": made.role.as_str(),
            "gun": made.gun.as_ref().map(Gun::as_str),
            "algorithm": made.public.algorithm().to_string(),
            "path": made.path.to_string_lossy(),
            "public": made.public_path.to_string_lossy(),
        }))?);
    }
    Ok(output::say(&format!(
        "The key {} was made, stored and read back.\n  private  {}\n  public   {}\n\
         Whoever loses the file or forgets the passphrase loses the key: neither can be recovered. Back it up now.\n",
        made.id(),
        shown(&made.path),
        shown(&made.public_path),
    ))?)
}
