//! Keys are made, changed and removed: each command is a procedure with what was typed as its answers.
use super::{Candidate, only, passphrases};
use crate::{
    cli::{
        args::KeyCommand,
        context::Context,
        operator::LineOperator,
        output::{self, Failure},
    },
    keys::{self, KeyEntry},
    operator::{Cancel, Stop, run},
    procedures::{
        key_generate::{self, field},
        key_passwd, key_remove, passphrase_failure,
    },
    secret::PassphraseFile,
    text::Untrusted,
    trust_dir::shown,
    tuf::name::Gun,
};
use clap::ValueEnum;
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc};

/// Runs a command that changes keys.
pub async fn change(context: &Context, command: KeyCommand, cancel: Cancel) -> Result<(), Failure> {
    let (name, nothing) = match &command {
        KeyCommand::Passwd { .. } => ("key passwd", "the key is as it was, with its old passphrase"),
        KeyCommand::Remove { .. } => ("key remove", "the key is still there"),
        _ => ("key generate", "no key was made"),
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
            let choice =
                |v: &dyn Fn() -> Option<clap::builder::PossibleValue>| v().map(|v| v.get_name().to_owned()).unwrap_or_default();
            operator.fields = BTreeMap::from([
                (field::NAME, name),
                (field::ROLE, choice(&|| role.to_possible_value())),
                (field::GUN, gun.unwrap_or_default()),
                (field::ALGORITHM, choice(&|| algorithm.to_possible_value())),
                (field::DIR, dir.to_string_lossy().into_owned()),
            ]);
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

/// The listed key that was meant.
fn entry(context: &Context, typed: &str) -> Result<KeyEntry, Failure> {
    let listing = keys::list(context.trust_dir());
    let all: Vec<Candidate<'_, KeyEntry>> = listing
        .entries
        .iter()
        .map(|e| Candidate { id: e.id, path: &e.path, role: e.role.as_ref().map(Untrusted::shown).unwrap_or_default(), key: e })
        .collect();
    only(&all, typed, &listing.problems).cloned()
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
