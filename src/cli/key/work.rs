//! Keys are made, changed and removed: each command is a procedure with what was typed as its answers.
use super::{candidates, line_operator, only, store};
use crate::{
    cli::{
        args::key::{KeyCommand, KeyRole},
        context::Context,
        operator::LineOperator,
        output::{self, Failure},
    },
    failure::sentence,
    keys::{self, KeyEntry},
    operator::{Cancel, Fut, Session, Stop, as_text},
    procedures::{
        Done, KeyFile, Recording, Which, Work,
        key_export::{self, Half},
        key_generate::{self, field},
        key_import::{self, AllImported},
        key_mend, key_migrate, key_passwd, key_remove, key_strengthen, passphrase_failure, perform,
    },
    secret::PassphraseFile,
    trust_dir::shown,
    tuf::name::{Gun, KeyId},
};
use clap::ValueEnum;
use serde_json::json;
use std::{collections::BTreeMap, fmt::Display, path::Path, sync::Arc};

/// Runs a command that changes keys.
pub async fn change(context: &Context, command: KeyCommand, cancel: Cancel) -> Result<(), Failure> {
    let place = context.workplace();
    match command {
        KeyCommand::Generate { name, role, gun, algorithm, dir } => {
            let mut line = Line::new(context, Work::GenerateKey, cancel)?;
            line.operator.fields = BTreeMap::from([
                (field::ROLE, value_name(&role)),
                (field::GUN, gun.unwrap_or_default()),
                (field::ALGORITHM, value_name(&algorithm)),
                (field::DIR, as_text::of(&dir)),
            ]);
            line.operator.fields.extend(name.map(|n| (field::NAME, n)));
            let made = line.run(|s| key_generate::run(place.clone(), s)).await?;
            say_made(context, &made)
        }
        KeyCommand::Passwd { id, new_passphrase_file } => {
            let file = new_passphrase_file.as_deref().map(PassphraseFile::open).transpose();
            let entry = entry(context, &id)?;
            let mut line = Line::new(context, Work::ChangePassphrase(entry.path.clone()), cancel)?;
            line.operator.replacement = file.map_err(|e| passphrase_failure(&e, ""))?.map(Arc::new);
            let changed = line.run(|s| key_passwd::run(place.clone(), entry.clone(), s)).await?;
            if context.options.json {
                return Ok(output::say_json(&json!({ "schema": "claviger/key-passwd/1", "id": changed.id.hex() }))?);
            }
            let old = "Copies and backups of the file still have the old one.";
            Ok(output::say(&format!("The key {} has a new passphrase; the file was read back. {old}\n", changed.id))?)
        }
        KeyCommand::Load { file, name, role, gun } => {
            let mut line = Line::new(context, Work::LoadKeys, cancel)?;
            line.operator.command = "key load";
            line.operator.fields = import_fields(file.as_deref(), name, role, gun);
            let all = line.run(|s| key_import::run(place.clone(), s)).await?;
            say_imported(context, &all)
        }
        KeyCommand::Import { file, role, gun } => {
            let mut line = Line::new(context, Work::LoadKeys, cancel)?;
            line.operator.fields = import_fields(file.as_deref(), None, role, gun);
            let all = line.run(|s| key_import::run(place.clone(), s)).await?;
            say_imported(context, &all)
        }
        KeyCommand::Export { ids, gun, public, output } => {
            let entries = chosen(context, &ids, gun.as_deref())?;
            let half = if public { Half::Public } else { Half::Private };
            let files = entries.iter().map(|e| KeyFile(e.path.clone())).collect();
            let mut line = Line::new(context, Work::ExportKeys(Which::These(files), half), cancel)?;
            line.operator.fields.extend(output.map(|o| (key_export::field::OUTPUT, as_text::of(&o))));
            let exported = line.run(|s| key_export::run(place.clone(), entries.clone(), half, s)).await?;
            if context.options.json {
                let ids: Vec<String> = exported.ids.iter().map(KeyId::hex).collect();
                let path = as_text::of(&exported.path);
                return Ok(output::say_json(&json!({ "schema": "claviger/key-export/1", "ids": ids, "path": path }))?);
            }
            Ok(output::say(&format!("{}\n", sentence(&exported.to_string())))?)
        }
        KeyCommand::Remove { id } => {
            let entry = entry(context, &id)?;
            let line = Line::new(context, Work::RemoveKey(entry.path.clone()), cancel)?;
            let removed = line.run(|s| key_remove::run(place.clone(), entry.clone(), s)).await?;
            if context.options.json {
                let (id, path) = (entry.id.map(|id| id.hex()), as_text::of(&removed.path));
                return Ok(output::say_json(&json!({ "schema": "claviger/key-remove/1", "id": id, "path": path }))?);
            }
            Ok(output::say(&format!("The {} was removed: {}\n", removed.name, shown(&removed.path)))?)
        }
        KeyCommand::Strengthen { ids, ask, unencrypted } => {
            let which: Vec<_> = ids.iter().map(|id| entry(context, id).map(|e| e.path)).collect::<Result<_, _>>()?;
            let which = (!which.is_empty()).then_some(which);
            let files = which.as_ref().map(|paths| paths.iter().cloned().map(KeyFile).collect());
            let mut line = Line::new(context, Work::StrengthenKeys(files), cancel)?;
            line.operator.fields = BTreeMap::from([
                (key_strengthen::field::ASK, value_name(&ask)),
                (key_strengthen::field::UNENCRYPTED, value_name(&unencrypted)),
            ]);
            let done = line
                .run_judged(key_strengthen::Strengthened::is_whole, |s| key_strengthen::run(place.clone(), which.clone(), s))
                .await?;
            store::say_strengthened(context, &done)
        }
        KeyCommand::Mend => {
            let line = Line::new(context, Work::MendPermissions, cancel)?;
            let done = line.run_judged(key_mend::Mended::is_whole, |s| key_mend::run(place.clone(), s)).await?;
            store::say_mended(context, &done)
        }
        KeyCommand::Migrate { copy } => {
            let mut line = Line::new(context, Work::MigrateKeys, cancel)?;
            line.operator.fields.extend(copy.map(|dir| (key_migrate::field::COPY, as_text::of(&dir))));
            let done = line.run_judged(key_migrate::Migrated::is_whole, |s| key_migrate::run(place.clone(), s)).await?;
            store::say_migrated(context, &done)
        }
        KeyCommand::List | KeyCommand::Show { .. } | KeyCommand::Test { .. } | KeyCommand::Rotate(_) => Ok(()),
    }
}

/// A piece of work on a terminal line.
pub struct Line {
    /// What answers.
    pub operator: LineOperator,
    work: Work,
    recording: Recording,
    cancel: Cancel,
}

impl Line {
    /// With the passphrases that the command line, files and variables give, and no other answers yet.
    pub fn new(context: &Context, work: Work, cancel: Cancel) -> Result<Self, Failure> {
        let recording = Recording::new(&context.workplace(), work.clone());
        Self::with(context, work, recording, cancel)
    }

    /// The same, recorded there.
    pub fn with(context: &Context, work: Work, recording: Recording, cancel: Cancel) -> Result<Self, Failure> {
        let operator = line_operator(context, work.command(), work.nothing(), cancel.clone())?;
        Ok(Self { operator, work, recording, cancel })
    }

    /// Runs a procedure, recorded.
    pub async fn run<T: Display>(
        self,
        procedure: impl for<'s> FnMut(&'s mut Session<'_>) -> Fut<'s, Result<T, Stop>> + Send,
    ) -> Result<T, Failure> {
        self.run_judged(|_| true, procedure).await
    }

    /// The same for work of several parts, some of which may not have gone well.
    pub async fn run_judged<T: Display>(
        mut self,
        is_whole: fn(&T) -> bool,
        procedure: impl for<'s> FnMut(&'s mut Session<'_>) -> Fut<'s, Result<T, Stop>> + Send,
    ) -> Result<T, Failure> {
        let result = self.recording.run_judged(&mut self.operator, self.cancel, is_whole, procedure).await;
        result.map_err(|stop| self.work.stopped(stop))
    }

    /// Does the work that it is for.
    pub async fn perform(mut self, context: &Context) -> Result<Done, Failure> {
        perform(&self.work, &context.workplace(), self.recording, &mut self.operator, self.cancel).await
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
    fields.extend(file.map(|f| (field::FILE, as_text::of(f))));
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
                "path": as_text::of(&k.path),
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
    Ok(output::say(&format!("{out}{}\n", all.next()))?)
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
            "path": as_text::of(&made.path),
            "public": as_text::of(&made.public_path),
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
