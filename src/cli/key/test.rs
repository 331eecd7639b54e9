//! `key test`.
use super::{candidates, only, passphrases};
use crate::{
    cli::{
        context::Context,
        output::{self, Failure},
    },
    keys::{self, KeyEntry},
    operator::Cancel,
    procedures::key_failure,
    secret::TerminalPrompt,
    text::Printable,
    trust_dir::shown,
};
use serde_json::{Value, json};

/// Unlocks keys, compares them with their names, signs and verifies a test message. An interrupt ends it at once; what
/// was tested before is said.
pub fn test(context: &Context, ids: &[String], stop: &Cancel) -> Result<(), Failure> {
    let listing = keys::list(context.trust_dir());
    let all = candidates(&listing);
    let passphrases = passphrases(context)?;
    let as_json = context.options.json;
    let (mut results, mut failures): (Vec<Value>, Vec<Failure>) = (Vec::new(), Vec::new());
    for (number, typed) in ids.iter().enumerate() {
        let outcome = only(&all, typed, &listing.problems).and_then(|entry| {
            let name = name(entry);
            let key = keys::unlock_asking(entry, &passphrases, &mut TerminalPrompt, &|| stop.is_set());
            let key = key.map_err(|e| key_failure(&e, &name))?;
            let tested = keys::prove(&key).map_err(|e| key_failure(&e, &name))?;
            Ok((name, tested))
        });
        match outcome {
            Ok((name, tested)) => {
                let algorithm = tested.algorithm.to_string();
                results.push(json!({ "id": tested.id.hex(), "outcome": "good", "algorithm": algorithm, "signed": tested.line }));
                if !as_json {
                    output::say(&format!(
                        "{name}  good: unlocked, content matches the name ({algorithm}), test signature verified\n"
                    ))?;
                }
            }
            Err(failure) if failure.exit == 130 => {
                let rest: Vec<String> = ids.iter().skip(number).map(|t| Printable::from_untrusted(t).into()).collect();
                return Err(Failure::interrupted(format!("not tested: {}; no key was changed", rest.join(", "))));
            }
            Err(failure) => {
                results.push(json!({ "id": typed, "outcome": "failed", "code": failure.code, "message": failure.message }));
                // In order with what is good; the results in JSON hold it.
                if ids.len() > 1 && !as_json {
                    output::print_failure(&failure, as_json);
                }
                failures.push(failure);
            }
        }
    }
    if as_json {
        output::say_json(&json!({ "schema": "claviger/key-test/1", "results": results }))?;
    }
    let count = failures.len();
    match failures.into_iter().next() {
        None => Ok(()),
        Some(failure) if ids.len() == 1 => Err(failure),
        Some(first) => {
            let message = format!("{count} of {} keys did not pass the test", ids.len());
            Err(Failure::new(first.code, message, "no key was changed", "The reasons are above, key by key.").exit(first.exit))
        }
    }
}

/// What the key is called in messages: its ID, or its file.
fn name(entry: &KeyEntry) -> String {
    entry.id.map_or_else(|| shown(&entry.path), |id| id.hex())
}
