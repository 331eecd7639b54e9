//! `key test`.
use super::{candidates, line_operator, only};
use crate::{
    cli::{
        context::Context,
        output::{self, Failure},
    },
    keys,
    operator::{Cancel, Stop, run},
    procedures::key_test,
    text::Printable,
};
use serde_json::{Value, json};

/// Unlocks keys, compares them with their names, signs and verifies a test message. An interrupt ends it at once; what
/// was tested before is said.
pub async fn test(context: &Context, ids: &[String], cancel: Cancel) -> Result<(), Failure> {
    let listing = keys::list(context.trust_dir());
    let all = candidates(&listing);
    // What fails says what it always said: that nothing was changed.
    let mut operator = line_operator(context, "key test", "nothing was changed", cancel.clone())?;
    let as_json = context.options.json;
    let (mut results, mut failures): (Vec<Value>, Vec<Failure>) = (Vec::new(), Vec::new());
    for (number, typed) in ids.iter().enumerate() {
        let outcome = match only(&all, typed, &listing.problems) {
            Err(failure) => Err(failure),
            Ok(entry) => match run(&mut operator, cancel.clone(), |s| key_test::run(entry.clone(), s)).await {
                Ok(passed) => Ok(passed),
                Err(Stop::Failed(failure)) => Err(failure),
                Err(Stop::Back | Stop::Cancelled) => Err(Failure::interrupted("")),
            },
        };
        match outcome {
            Ok(passed) => {
                let (name, tested) = (passed.name, passed.tested);
                let algorithm = tested.algorithm.to_string();
                results.push(json!({ "id": tested.id.hex(), "outcome": "good", "algorithm": algorithm, "signed": tested.line }));
                if !as_json {
                    output::say(&format!(
                        "{name}  good: unlocked, content matches the name ({algorithm}), test signature verified\n"
                    ))?;
                }
            }
            Err(failure) if failure.is_interrupt() => {
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
