//! The page of a plan: what changes, who signs, who sees what, what is notable.
use super::wanted::{RELEASES, Wanted};
use crate::{
    finding::{Finding, Severity},
    keys::KeyEntry,
    operator::{PlanAsked, Review},
    procedures::unlock,
    repository::change::{FileDifference, LINES, Plan},
    tuf::key::PublicKey,
};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

/// The digest of several plans; of one its own.
pub fn digest(plans: &[&Plan]) -> String {
    match plans {
        [one] => one.digest(),
        all => {
            let together: Vec<String> = all.iter().map(|p| p.digest()).collect();
            base16ct::lower::encode_string(&Sha256::digest(together.join("\n").as_bytes()))
        }
    }
}

/// What somebody has to accept.
pub fn review(wanted: &Wanted, plans: &[&Plan], keys: &[KeyEntry]) -> Review {
    let mut facts = Vec::new();
    let mut findings = Vec::new();
    for plan in plans {
        facts.push(("Repository", format!("{} at {}", plan.ground.gun, plan.ground.address())));
        for file in &plan.differences {
            facts.push(("Signs", of_file(file)));
            let lines = file.lines.iter().take(LINES).map(|l| format!("{} {}", l.mark.sign(), l.what));
            facts.extend(lines.map(|l| ("", l)));
            if file.lines.len() > LINES {
                facts.push(("", format!("and {} more", file.lines.len() - LINES)));
            }
            if file.lines.is_empty() {
                facts.push(("", "what it says stays as it is".to_owned()));
            }
        }
        let is_here = |k: &PublicKey| k.will_be_here() || keys.iter().any(|e| e.id == Some(k.canonical_id()));
        if plan.snapshot.keys.iter().any(is_here) {
            let version = plan.ground.snapshot_version;
            let of =
                if version == 0 { "version 1, the first".to_owned() } else { format!("version {version} to {}", version + 1) };
            facts.push(("Signs", format!("snapshot: {of}; it names the new files")));
        }
        facts.extend(plan.audience.iter().map(|(who, sees)| ("Afterwards", format!("{who} {sees}"))));
        facts.extend(plan.unvouched.iter().map(|left| {
            let role = &left.role;
            ("Afterwards", format!("there is a witness request for {role}, to be sent to whoever holds one of its keys"))
        }));
        findings.extend(plan.findings.iter().map(|f| Finding { text: of_one(plan, plans, &f.text), ..f.clone() }));
    }
    for entry in keys {
        facts.push(("With", unlock::called(entry)));
    }
    findings.extend(impersonates(wanted, plans));
    let plan = (!plans.is_empty()).then(|| digest(plans));
    facts.extend(plan.iter().map(|digest| ("Plan", digest.clone())));
    let first = plans.iter().find(|p| p.ground.is_first_contact);
    let needs_person = first.map(|p| format!("this machine meets the root of {} for the first time", p.ground.gun));
    findings.sort_by_key(|f| std::cmp::Reverse(f.severity));
    Review {
        title: wanted.title().to_owned(),
        facts,
        findings,
        verb: "Sign and publish",
        plan: plan.map(|digest| PlanAsked { digest, needs_person, needs_nobody: false, is_another: false }),
    }
}

/// Says so where several people's roles sign because all their keys lie on this machine.
fn impersonates(wanted: &Wanted, plans: &[&Plan]) -> Option<Finding> {
    let how = match wanted {
        Wanted::Sign { signer: None, .. } => "name one signer (--as) to sign as one",
        Wanted::Revoke { .. } => "a tag is revoked in every role that signs it and whose key is here",
        _ => return None,
    };
    let signers = plans.iter().flat_map(|p| &p.differences).map(|d| d.role.as_str());
    let people: Vec<&str> = signers.filter(|r| *r != RELEASES).filter_map(|r| r.strip_prefix("targets/")).collect();
    let text =
        format!("The keys of several people lie on this machine, and it signs as all of them: {}; {how}", people.join(", "));
    (people.len() > 1).then(|| Finding::new("several-signers", Severity::Warn, text))
}

/// What is said of one of several repositories.
fn of_one(plan: &Plan, plans: &[&Plan], text: &str) -> String {
    match plans {
        [_] => text.to_owned(),
        _ => format!("{}: {text}", plan.ground.gun),
    }
}

fn of_file(file: &FileDifference) -> String {
    let version = match file.version {
        (None, 1) => "version 1, the first".to_owned(),
        (None, new) => format!("version {new}; the one before does not count"),
        (Some(old), new) => format!("version {old} to {new}"),
    };
    let day = |t: Timestamp| t.strftime("%Y-%m-%d").to_string();
    let until = match file.expires {
        (Some(old), new) if day(old) == day(new) => format!("until {}", day(new)),
        (Some(old), new) => format!("until {}, was {}", day(new), day(old)),
        (None, new) => format!("until {}", day(new)),
    };
    format!("{}: {version}; {until}", file.role)
}

/// What breaks, in sentences; empty if nothing does.
pub fn broken(plans: &[&Plan]) -> Vec<String> {
    let all = plans.iter().flat_map(|p| p.findings.iter().map(move |f| (p, f)));
    all.filter(|(_, f)| f.severity == Severity::Error).map(|(p, f)| crate::failure::ended(&of_one(p, plans, &f.text))).collect()
}
