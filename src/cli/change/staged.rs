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
    views::staged::StagedRow,
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
                let StagedRow { change, role, text, .. } = StagedRow::new(&one.name, &one.staged);
                json!({ "number": number, "change": change, "role": role.map(|r| r.to_string()), "text": text })
            })
            .collect();
        return Ok(output::say_json(&json!({ "schema": "claviger/status/1", "gun": gun.as_str(), "staged": all }))?);
    }
    if waiting.is_empty() {
        return Ok(output::say(&format!("Nothing is staged for {gun}.\n"))?);
    }
    let mut out = String::new();
    for (number, one) in waiting.0.iter().enumerate() {
        out.push_str(&format!("{number:>4}  {}\n", StagedRow::new(&one.name, &one.staged).sentence()));
    }
    let word = gun.word();
    Ok(output::say(&format!("{out}`claviger publish {word}` publishes it, `claviger reset {word} -n I` throws one away.\n"))?)
}

/// `publish`
pub async fn publish(context: &Context, typed: Publish, cancel: Cancel) -> Result<(), Failure> {
    let wanted = Wanted::Publish { gun: context.gun(&typed.gun)?.to_string() };
    carry_out(context, wanted, typed.accept.into(), cancel).await
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
                    let hint = format!("`claviger status {}` prints the numbers, from 0.", gun.word());
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
    let accept = Acceptance { dry_run: typed.dry_run, ..Acceptance::default() };
    carry_out_with(context, wanted, BTreeMap::new(), accept.into(), cancel).await
}

/// `delete`
pub async fn delete(context: &Context, typed: Delete, cancel: Cancel) -> Result<(), Failure> {
    let wanted = Wanted::Delete(Deletion { gun: context.gun(&typed.gun)?.to_string(), remote: typed.remote });
    let accept = Acceptance { dry_run: typed.dry_run, ..Acceptance::default() };
    carry_out(context, wanted, accept.into(), cancel).await
}
