//! Other keys for the roles that the root names: what is the same whether one is rotated, added or taken out. A key that is
//! made is made when the plan is accepted.
use super::{
    NOTHING, Report,
    desk::{Desk, Ring, open},
    new_keys::{Source, bring, stopped_with_made},
    page,
    report::Outcome,
    road::{Look, first_accepted, one},
    wanted::Wanted,
    wishes::Here,
};
use crate::{
    failure::Failure,
    finding::{Finding, Severity},
    operator::{Form, Review, Session, Stop, Values},
    repository::change::Basis,
    tuf::{
        change::Change,
        key::PublicKey,
        name::{Gun, KeyId},
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// Work with keys, understood.
pub trait KeyWork: Send + Sync {
    /// The changes that it makes, with the keys that come or with what stands for them.
    fn changes(&self, keys: &[PublicKey], basis: &Basis, here: &Here) -> Result<Vec<Change>, Failure>;

    /// What is notable of the keys that come.
    fn finding(&self, _: &[PublicKey], _: &Here) -> Option<Finding> {
        None
    }
}

/// Shows the plan, brings the keys, signs with old and new, publishes and verifies.
pub async fn publish(mut desk: Desk, basis: &Basis, session: &mut Session<'_>) -> Result<Report, Stop> {
    let gun = basis.ground().gun.clone();
    let Some(plan) = desk.plan_on(basis)? else { return Ok(Report::of(gun, Outcome::AsWanted)) };
    let keys = desk.needed(basis, &plan)?;
    first_accepted(&desk, &[&plan], &keys, session).await?;
    let shape = plan.shape();
    let mut ring = Ring::default();
    open(&mut ring, &keys, session).await?;
    let made = bring(&mut desk, &gun, &mut ring, session).await?;
    let all = async {
        // From the same state: it differs from what was accepted by the keys that have come.
        let Some(plan) = desk.plan_on(basis)? else { return Err(Stop::from(same_key(&gun))) };
        if plan.shape() != shape {
            return Err(another_plan(&gun).into());
        }
        one(&desk, plan, &mut ring, session).await
    };
    match all.await {
        Ok(done) => Ok(Report { made, ..done }),
        Err(stop) => Err(stopped_with_made(stop, &made)),
    }
}

/// The plan, and nothing is touched.
pub fn seen(desk: &Desk, basis: &Basis) -> Result<Look, Failure> {
    let gun = basis.ground().gun.clone();
    let Some(plan) = desk.plan_on(basis)? else { return Ok(Look::nothing(Report::of(gun, Outcome::AsWanted))) };
    let mut lacking = Vec::new();
    let keys = desk.needed(basis, &plan).unwrap_or_else(|failure| {
        lacking.push((gun, Finding::new("no-signing-key", Severity::Error, failure.message)));
        Vec::new()
    });
    let mut review = page::review(&desk.wanted, &[&plan], &keys);
    review.findings.splice(0..0, lacking.iter().map(|(_, finding)| finding.clone()));
    Ok(Look { review, plans: vec![plan], lacking, others: Report::default() })
}

/// What came is what was there.
fn same_key(gun: &Gun) -> Failure {
    let message = format!("{gun}: the key that came is one that the role has already, so nothing was changed");
    Failure::new("same-key", message, NOTHING, "If it is the server's, ask whoever runs it.")
}

/// What would be signed is not what was accepted.
fn another_plan(gun: &Gun) -> Failure {
    let message = format!("{gun}: with the key that came, the plan is another than the one that was accepted");
    Failure::new("plan-differs", message, NOTHING, "Repeat it.")
}

/// A form that nobody is asked to fill in.
pub fn filled(wanted: &Wanted, form: &Form, fields: &BTreeMap<&'static str, String>) -> Result<Values, Failure> {
    let mut values = Values::of(form);
    for field in &form.fields {
        if let Some(value) = fields.get(field.name) {
            values.set(field.name, value.clone());
        }
    }
    match form.problems(&values).into_iter().next() {
        None => Ok(values),
        Some((field, why)) => {
            let hint = format!("`claviger {} --help` says what can be given.", wanted.command());
            Err(Failure::new("usage", format!("{field}: {why}"), NOTHING, hint).exit(2))
        }
    }
}

/// A root that this machine's own configuration would refuse is not published: as many of its keys must be named by the pin,
/// and sign here, as must sign it. `stays` are its keys beside the one that comes, and how many must sign.
pub fn pins_allow(desk: &Desk, gun: &Gun, stays: (&[PublicKey], u64), comes: Option<&Source>) -> Result<(), Failure> {
    let (pinning, now) = (desk.repositories.pinning(), jiff::Timestamp::now());
    if !pinning.rule(gun).is_pin() {
        return Ok(());
    }
    // No pin can name a certificate that is not made yet.
    let there = match comes {
        Some(Source::There(key)) => Some(key),
        _ => None,
    };
    let signs = |k: &&PublicKey| desk.here.contains_key(&k.canonical_id()) && pinning.admits(gun, k, now);
    let admitted: BTreeSet<KeyId> = stays.0.iter().chain(there).filter(signs).map(PublicKey::canonical_id).collect();
    if admitted.len() as u64 >= stays.1 {
        return Ok(());
    }
    let hint = "Take the pin out of trust_pinning and put one with the new key there afterwards; or give a certificate that it names (--cert).";
    let message = format!("the configuration pins the root of {gun}, and would refuse the new one");
    Err(Failure::new("pinned", message, NOTHING, hint))
}

impl Look {
    /// There is nothing to plan.
    pub fn nothing(others: Report) -> Self {
        let review = Review { title: String::new(), facts: Vec::new(), findings: Vec::new(), verb: "", plan: None };
        Self { review, plans: Vec::new(), lacking: Vec::new(), others }
    }

    /// Several plans, each of which is accepted by itself, and what has none. Of more than one there is no digest.
    pub fn of_all(all: Vec<Self>, others: Report) -> Self {
        let alone = all.len() == 1;
        all.into_iter().fold(Self::nothing(others), |mut whole, one| {
            whole.review.facts.extend(one.review.facts);
            whole.review.findings.extend(one.review.findings);
            whole.review.plan = one.review.plan.filter(|_| alone);
            whole.plans.extend(one.plans);
            whole.lacking.extend(one.lacking);
            whole.others = whole.others.and(one.others);
            whole
        })
    }
}
