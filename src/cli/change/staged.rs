//! The commands for what was staged, and `delete`.
use super::{carry_out, carry_out_with};
use crate::{
    cli::{
        args::change::{Acceptance, Delete, Publish, Reset},
        context::Context,
        output::{self, Failure},
    },
    operator::Cancel,
    procedures::repository::{Deletion, NOTHING, Waiting, Wanted},
    tuf::{
        change::{Change, Delegate},
        staged::Staged,
    },
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// `status`
pub fn status(context: &Context, gun: &str) -> Result<(), Failure> {
    let gun = context.gun(gun)?;
    let waiting = Waiting::read(context.trust_dir(), &gun)?;
    if context.options.json {
        let all: Vec<Value> = waiting
            .0
            .iter()
            .enumerate()
            .map(|(number, one)| {
                let (role, change, text) = match &one.staged {
                    Ok(staged) => (role(staged), kind(staged), staged.to_string()),
                    Err(why) => (None, "not-understood", why.clone()),
                };
                json!({ "number": number, "change": change, "role": role, "text": text })
            })
            .collect();
        return Ok(output::say_json(&json!({ "schema": "claviger/status/1", "gun": gun.as_str(), "staged": all }))?);
    }
    if waiting.is_empty() {
        return Ok(output::say(&format!("Nothing is staged for {gun}.\n"))?);
    }
    let mut out = String::new();
    for (number, one) in waiting.0.iter().enumerate() {
        match &one.staged {
            Ok(staged) => out.push_str(&format!("{number:>4}  {staged}\n")),
            Err(why) => out.push_str(&format!("{number:>4}  not understood: {why}\n")),
        }
    }
    Ok(output::say(&format!("{out}`claviger publish {gun}` publishes it, `claviger reset {gun} -n I` throws one away.\n"))?)
}

fn role(staged: &Staged) -> Option<String> {
    match staged {
        Staged::Purge(_) => None,
        Staged::Change(Change::Delegate(Delegate { role, .. }) | Change::Undelegate(role)) => Some(role.to_string()),
        Staged::Change(change) => Some(change.file().to_string()),
    }
}

fn kind(staged: &Staged) -> &'static str {
    match staged {
        Staged::Purge(_) => "purge",
        Staged::Change(Change::Sign { .. }) => "sign",
        Staged::Change(Change::Unsign { .. }) => "revoke",
        Staged::Change(Change::Delegate(_)) => "delegate",
        Staged::Change(Change::Undelegate(_)) => "undelegate",
        Staged::Change(Change::Witness(_)) => "witness",
        Staged::Change(Change::Keys { .. }) => "keys",
        Staged::Change(Change::Renew { .. }) => "renew",
    }
}

/// `publish`
pub async fn publish(context: &Context, typed: Publish, cancel: Cancel) -> Result<(), Failure> {
    let wanted = Wanted::Publish { gun: context.gun(&typed.gun)?.to_string() };
    carry_out(context, wanted, typed.accept, cancel).await
}

/// `reset`
pub async fn reset(context: &Context, typed: Reset, cancel: Cancel) -> Result<(), Failure> {
    let gun = context.gun(&typed.gun)?;
    let waiting = Waiting::read(context.trust_dir(), &gun)?;
    let mut names = Vec::new();
    match typed.all {
        true => names.extend(waiting.0.iter().map(|one| one.name.clone())),
        false => {
            for number in &typed.numbers {
                let Some(one) = waiting.0.get(*number) else {
                    let hint = format!("`claviger status {gun}` prints the numbers, from 0.");
                    return Err(Failure::new(
                        "no-such-change",
                        format!("no staged change has the number {number}"),
                        NOTHING,
                        hint,
                    ));
                };
                names.push(one.name.clone());
            }
        }
    }
    let wanted = Wanted::Reset { gun: gun.to_string(), names };
    carry_out_with(context, wanted, BTreeMap::new(), Acceptance::default(), cancel).await
}

/// `delete`
pub async fn delete(context: &Context, typed: Delete, cancel: Cancel) -> Result<(), Failure> {
    let wanted = Wanted::Delete(Deletion { gun: context.gun(&typed.gun)?.to_string(), remote: typed.remote });
    let accept = Acceptance { dry_run: typed.dry_run, ..Acceptance::default() };
    carry_out(context, wanted, accept, cancel).await
}
