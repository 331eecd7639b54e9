//! What is printed of plans and of what became of them.
use crate::{
    cli::{
        context::Context,
        output::{self, Failure},
    },
    failure::{ended, sentence},
    operator::as_text,
    procedures::repository::{Look, Outcome, Report, Wanted},
    repository::change::FileDifference,
    tuf::name::Gun,
};
use serde_json::{Value, json};

/// Prints what a dry run has shown. Where what was shown cannot be done here, that is said too.
pub fn say_plan(context: &Context, wanted: &Wanted, seen: &Look) -> Result<(), Failure> {
    let digest = seen.review.plan.as_ref().map(|p| p.digest.clone());
    if context.options.json {
        let plans: Vec<Value> = seen
            .plans
            .iter()
            .map(|plan| {
                let lacking = seen.lacking.iter().filter(|(gun, _)| *gun == plan.ground.gun).map(|(_, finding)| finding);
                let findings = lacking.chain(&plan.findings);
                let findings: Vec<Value> =
                    findings.map(|f| json!({ "code": f.code, "severity": f.severity.as_str(), "text": f.text })).collect();
                let sees: Vec<Value> = plan.audience.iter().map(|(who, s)| json!({ "who": who, "sees": s })).collect();
                let files: Vec<Value> = plan.differences.iter().map(file).collect();
                json!({ "gun": plan.ground.gun.as_str(), "files": files, "findings": findings, "afterwards": sees })
            })
            .collect();
        let others = results(&seen.others);
        let digest = digest.filter(|_| !plans.is_empty());
        let facts = seen.review.facts.iter().map(|(name, text)| json!({ "name": name, "text": text }));
        let facts: Vec<Value> = facts.collect();
        output::say_json(&json!({
            "schema": "claviger/plan/1",
            "digest": digest,
            "plans": plans,
            "others": others,
            "facts": facts,
        }))?;
        seen.others.beside.iter().for_each(|says| output::note(says));
        return cannot_be_done(wanted, seen);
    }
    let mut out = String::new();
    {
        for (name, value) in &seen.review.facts {
            out.push_str(&format!("{name:<14} {value}\n"));
        }
        for finding in &seen.review.findings {
            out.push_str(&format!("{}: {}\n", finding.severity, finding.text));
        }
    }
    for (gun, outcome) in &seen.others.all {
        out.push_str(&of(gun, outcome));
    }
    output::say(&format!("{out}{}\n", sentence(wanted.nothing())))?;
    cannot_be_done(wanted, seen)
}

fn cannot_be_done(wanted: &Wanted, seen: &Look) -> Result<(), Failure> {
    let nothing = wanted.nothing();
    match (seen.others.failed(), seen.lacking.first()) {
        (0, None) => Ok(()),
        (0, Some((gun, finding))) => {
            let why = finding.text.strip_prefix(&format!("{gun}: ")).unwrap_or(&finding.text);
            let message = format!("{gun}: the plan cannot be signed here: {why}");
            let hint = "Load one of these keys (`claviger key load`), or ask who holds it.";
            Err(Failure::new(finding.code, message, nothing, hint))
        }
        (n, _) => {
            let message = format!("there is no plan for {}", repositories(n));
            Err(Failure::new("some-failed", message, nothing, "The reasons are above."))
        }
    }
}

fn repositories(n: usize) -> String {
    if n == 1 { "1 repository".to_owned() } else { format!("{n} repositories") }
}

/// A line for one of several repositories, which it names once.
fn of(gun: &Gun, outcome: &Outcome) -> String {
    let says = outcome.to_string();
    format!("{gun}: {}\n", says.strip_prefix(&format!("{gun}: ")).unwrap_or(&says))
}

fn file(d: &FileDifference) -> Value {
    let lines: Vec<Value> = d.lines.iter().map(|l| json!({ "change": l.mark.as_str(), "what": l.what })).collect();
    json!({
        "role": d.role.as_str(),
        "from_version": d.version.0,
        "version": d.version.1,
        "expires": d.expires.1.to_string(),
        "lines": lines,
    })
}

fn results(report: &Report) -> Vec<Value> {
    let one = |(gun, outcome): &(Gun, Outcome)| {
        let (nothing, message, hint) = match outcome {
            Outcome::Failed(f) => (Some(&f.did_not_happen), Some(&f.message), Some(&f.hint)),
            _ => (None, None, None),
        };
        let roles: Vec<Value> = match outcome {
            Outcome::Published(roles) => roles.iter().map(|(r, v)| json!({ "role": r, "version": v })).collect(),
            _ => Vec::new(),
        };
        let forgotten =
            || report.not_remembered.iter().find(|(of, _)| of == gun).map(|(_, why)| format!("not remembered here: {why}"));
        let message = message.cloned().or_else(forgotten);
        json!({
            "gun": gun.as_str(),
            "outcome": outcome.as_str(),
            "did_not_happen": nothing,
            "message": message,
            "hint": hint,
            "published": roles,
        })
    };
    report.all.iter().map(one).collect()
}

/// Prints what became of each repository.
pub fn say_report(context: &Context, wanted: &Wanted, report: &Report) -> Result<(), Failure> {
    if context.options.json {
        let repositories = results(report);
        let made = report.made.iter().map(|k| json!({ "role": k.role.as_str(), "id": k.id.hex() }));
        let made: Vec<Value> = made.collect();
        let requests = report.requests.iter().map(|r| {
            let file = r.file.as_ref().ok().map(|path| as_text::of(path));
            json!({ "gun": r.gun.as_str(), "role": r.role.as_str(), "file": file })
        });
        let requests: Vec<Value> = requests.collect();
        output::say_json(&json!({
            "schema": "claviger/change/1",
            "command": wanted.command(),
            "repositories": repositories,
            "keys_made": made,
            "witness_requests": requests,
        }))?;
    } else {
        let mut out = format!("{}\n", ended(&report.to_string()));
        if let [_, _, ..] = report.all.as_slice() {
            for (gun, outcome) in &report.all {
                out.push_str(&format!("  {}", of(gun, outcome)));
                if let Outcome::Failed(Failure { hint, .. }) = outcome
                    && !hint.is_empty()
                {
                    out.push_str(&format!("    {}\n", ended(hint)));
                }
            }
        }
        let next = report.next();
        output::say(&if next.is_empty() { out } else { format!("{out}{next}\n") })?;
    }
    report.forgotten().for_each(|says| output::note(&says));
    report.beside.iter().for_each(|says| output::note(says));
    match report.failed() {
        0 => {
            let mut unwritten = report.unwritten();
            let first = unwritten.next();
            unwritten.for_each(note);
            first.map_or(Ok(()), Err)
        }
        n => {
            report.unwritten().for_each(note);
            let were = if n == 1 { "was" } else { "were" };
            let message = format!("{n} of {} repositories {were} not published and verified", report.all.len());
            let hint = "The reasons are above. Repeated, the command does only the rest.";
            let nothing = match report.is_uncertain() {
                true => "what did not happen is said for each; of some it is not known",
                false => "what these sign is as it was",
            };
            Err(Failure::new("some-failed", message, nothing, hint).exit(report.exit()))
        }
    }
}

fn note(failure: Failure) {
    output::note(&format!("{} {}", ended(&failure.message), failure.hint));
}
