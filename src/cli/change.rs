//! The commands that change repositories: what was typed becomes what is wanted, and the plan is accepted.
mod keys;
mod said;
mod staged;
mod with_init;

pub use keys::{init, root_key, rotate};
pub use staged::{delete, publish, reset, status};

use super::{
    args::change::{BesideStaged, DelegationCommand, Renew, Revoke, Sign, SignerCommand, Witness},
    context::Context,
    key::Line,
    operator::PlanAnswer,
    output::{self, Failure},
};
use crate::{
    notary::reference::Reference,
    operator::Cancel,
    procedures::{
        Work,
        repository::{Look, NOTHING, NewSigner, Report, Wanted, at_registry, look, spelling},
    },
    tuf::name::KeyId,
};
use said::{say_plan, say_report};
use std::{collections::BTreeMap, path::PathBuf};

/// `sign`
pub async fn sign(context: &Context, typed: Sign, cancel: Cancel) -> Result<(), Failure> {
    let reference = context.reference(&typed.name)?;
    let gun = reference.gun.clone();
    let Some(tag) = name_of(reference, typed.other)? else {
        let hint = format!("Give {gun}:TAG.");
        return Err(usage("a tag is needed: what is signed is what it stands for", &hint));
    };
    let (sha256, size) = match (&typed.digest, typed.size) {
        (Some(digest), Some(size)) => spelling::manifest(digest, size).map_err(|why| usage(&why, ""))?,
        _ => {
            let (sha256, size) = at_registry(context.repositories(), &gun, &tag).await?;
            output::note(&format!("the registry has sha256:{sha256} ({size} bytes) under this tag"));
            (sha256, size)
        }
    };
    let wanted = Wanted::Sign { gun: gun.to_string(), tag, sha256, size, signer: typed.signer };
    carry_out(context, wanted, typed.accept, cancel).await
}

/// `revoke`
pub async fn revoke(context: &Context, typed: Revoke, cancel: Cancel) -> Result<(), Failure> {
    let reference = context.reference(&typed.name)?;
    let gun = reference.gun.to_string();
    let wanted = Wanted::Revoke { gun, tag: name_of(reference, typed.other)? };
    carry_out(context, wanted, typed.accept, cancel).await
}

/// What is signed or revoked: a tag, or a name that is none.
fn name_of(reference: Reference, other: Option<String>) -> Result<Option<String>, Failure> {
    match (reference.tag, other) {
        (Some(_), Some(_)) => Err(usage("a tag and --name were given, and one is meant", "Leave out the tag.")),
        (None, Some(name)) if name.is_empty() => Err(usage("the name is empty", "Say which name is meant.")),
        (tag, other) => Ok(other.or(tag.map(|t| t.raw().to_owned()))),
    }
}

/// `witness`
pub async fn witness(context: &Context, typed: Witness, cancel: Cancel) -> Result<(), Failure> {
    let wanted = Wanted::Witness { gun: context.gun(&typed.gun)?.to_string(), roles: typed.roles };
    carry_out(context, wanted, typed.accept, cancel).await
}

/// `renew`
pub async fn renew(context: &Context, typed: Renew, cancel: Cancel) -> Result<(), Failure> {
    let until = typed.until.as_deref().map(spelling::moment).transpose().map_err(|why| usage(&why, ""))?;
    let wanted = Wanted::Renew { gun: context.gun(&typed.gun)?.to_string(), roles: typed.roles, until };
    carry_out(context, wanted, typed.accept, cancel).await
}

/// `signer add` and `signer remove`
pub async fn signer(context: &Context, command: SignerCommand, cancel: Cancel) -> Result<(), Failure> {
    let guns = |typed: Vec<String>| typed.iter().map(|g| context.gun(g).map(|g| g.to_string())).collect::<Result<Vec<_>, _>>();
    let (wanted, accept) = match command {
        SignerCommand::List { .. } => return Ok(()),
        SignerCommand::Add { keys, name, guns: typed, init, root_key, create_root, accept } => {
            spelling::signer_name(&name).map_err(|why| usage(&why, ""))?;
            if init {
                let signer = NewSigner { name, keys: files(&keys) };
                let typed = with_init::Typed { signer, guns: guns(typed)?, root_key, create_root, accept };
                return with_init::add(context, typed, cancel).await;
            }
            (Wanted::AddSigner { guns: guns(typed)?, name, keys: files(&keys) }, accept)
        }
        SignerCommand::Leave { who, guns: typed, all, accept } => {
            if KeyId::new(&who).is_err() {
                spelling::signer_name(&who).map_err(|why| usage(&why, ""))?;
            }
            let guns = if all { known(context)? } else { guns(typed)? };
            (Wanted::Leave { guns, who }, accept)
        }
        SignerCommand::Remove { key, name, guns: typed, accept } => {
            spelling::signer_name(&name).map_err(|why| usage(&why, ""))?;
            (Wanted::RemoveSigner { guns: guns(typed)?, name, key }, accept)
        }
    };
    carry_out(context, wanted, accept, cancel).await
}

/// The repositories whose root is remembered.
fn known(context: &Context) -> Result<Vec<String>, Failure> {
    let known = context.workplace().remembered();
    match known.is_empty() {
        false => Ok(known),
        true => {
            let hint = "Name the repositories; `claviger repo show` remembers one.";
            Err(Failure::new("not-there", "this machine remembers no repository", NOTHING, hint))
        }
    }
}

fn files(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|p| spelling::file(p)).collect()
}

/// `delegation add`, `remove` and `purge`
pub async fn delegation(context: &Context, command: DelegationCommand, cancel: Cancel) -> Result<(), Failure> {
    let gun = |typed: &str| context.gun(typed).map(|g| g.to_string());
    let (wanted, accept) = match command {
        DelegationCommand::List { .. } => return Ok(()),
        DelegationCommand::Add { gun: typed, role, keys, mut paths, all_paths, threshold, accept } => {
            if all_paths {
                paths.push(String::new());
            } else if paths.iter().any(String::is_empty) {
                return Err(usage("an empty prefix means any name", "Say --all-paths if that is meant."));
            }
            if keys.is_empty() && paths.is_empty() && threshold.is_none() {
                return Err(usage("nothing was given to add", "Give keys, --paths or --all-paths, or --threshold."));
            }
            (Wanted::AddDelegation { gun: gun(&typed)?, role, keys: files(&keys), paths, threshold }, accept)
        }
        DelegationCommand::Remove { gun: typed, role, keys, paths, all_paths, accept } => {
            (Wanted::RemoveDelegation { gun: gun(&typed)?, role, keys, paths, all_paths }, accept)
        }
        DelegationCommand::Purge { gun: typed, keys, accept } => (Wanted::Purge { gun: gun(&typed)?, keys }, accept),
    };
    carry_out(context, wanted, accept, cancel).await
}

fn usage(message: &str, hint: &str) -> Failure {
    Failure::new("usage", message, NOTHING, hint).exit(2)
}

async fn carry_out(context: &Context, wanted: Wanted, accept: BesideStaged, cancel: Cancel) -> Result<(), Failure> {
    carry_out_with(context, wanted, BTreeMap::new(), accept, cancel).await
}

/// The same, where `fields` are given for what the work asks.
async fn carry_out_with(
    context: &Context,
    wanted: Wanted,
    fields: BTreeMap<&'static str, String>,
    accept: BesideStaged,
    cancel: Cancel,
) -> Result<(), Failure> {
    let came = come(context, &wanted, fields, accept, cancel).await?;
    say_came(context, &wanted, &came)
}

/// What has come of it.
enum Came {
    /// A plan, of a dry run.
    Seen(Box<Look>),
    /// What became of it.
    Done(Report),
}

fn say_came(context: &Context, wanted: &Wanted, came: &Came) -> Result<(), Failure> {
    match came {
        Came::Seen(look) => say_plan(context, wanted, look),
        Came::Done(report) => say_report(context, wanted, report),
    }
}

/// Does it, or only looks.
async fn come(
    context: &Context,
    wanted: &Wanted,
    fields: BTreeMap<&'static str, String>,
    accept: BesideStaged,
    cancel: Cancel,
) -> Result<Came, Failure> {
    let wanted = wanted.clone();
    let wanted = match (accept.stage, accept.only) {
        (true, _) => Wanted::Stage(Box::new(wanted)),
        // Nothing can be staged for a repository that begins.
        (_, true) if !matches!(wanted, Wanted::Begin(_)) => Wanted::Only(Box::new(wanted)),
        _ => wanted,
    };
    let accept = accept.accepted;
    if accept.dry_run {
        return Ok(Came::Seen(Box::new(look(&context.workplace(), &wanted, &fields).await?)));
    }
    let mut line = Line::new(context, Work::Change(Box::new(wanted.clone())), cancel)?;
    line.operator.fields = fields;
    line.operator.plan = PlanAnswer { yes: accept.yes, expect: accept.expect };
    let place = context.workplace();
    Ok(Came::Done(
        line.run_judged(Report::is_whole, |s| crate::procedures::repository::run(place.clone(), wanted.clone(), s)).await?,
    ))
}
