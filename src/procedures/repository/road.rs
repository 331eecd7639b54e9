//! The road: read and verify, plan, have it accepted, open the keys, sign, publish, verify again.
use super::{
    NOTHING, Report, begin, delete,
    desk::{Desk, Planned, Ring, open},
    outcome::{after_sending, publish_failure, sign_failure, unproven},
    page,
    report::Outcome,
    root_keys, rotate, stage,
    wanted::Wanted,
    witness_request::{self, WitnessRequest},
};
use crate::{
    failure::Failure,
    finding::{Finding, Severity},
    keys::{KeyEntry, Signer},
    operator::{Confirm, Fut, Review, Session, Step, Stop},
    procedures::{Workplace, told_to_end},
    repository::change::{NotPublished, Plan, Unproven, Unvouched},
    trust_dir::{TrustDirError, shown},
    tuf::name::{Gun, KeyId, RoleName},
};
use std::collections::{BTreeMap, BTreeSet};

/// Reading.
pub const READ: Step = Step { name: "read", says: "The repository is fetched and verified." };
/// The plan.
pub const REVIEW: Step = Step { name: "plan", says: "Read what will be signed, by whom, and what clients will see." };
/// What breaks.
pub const CONFIRM: Step = Step { name: "confirm", says: "Read what this breaks, and type the name to go ahead." };
/// Signing.
pub const SIGN: Step = Step { name: "sign", says: "The new files are signed." };
/// Publishing.
pub const PUBLISH: Step = Step { name: "publish", says: "The files are sent, fetched again with an empty cache, and verified." };

/// How often a plan is made again because others publish at the same time.
const ROUNDS: usize = 20;

/// What a dry run shows.
pub struct Look {
    /// The page.
    pub review: Review,
    /// The plans.
    pub plans: Vec<Plan>,
    /// Plans for which a key is missing here: why.
    pub lacking: Vec<(Gun, Finding)>,
    /// What is as wanted, or cannot be done.
    pub others: Report,
}

/// Does what is wanted.
pub fn run<'s>(place: Workplace, wanted: Wanted, session: &'s mut Session<'_>) -> Fut<'s, Result<Report, Stop>> {
    travel(place, wanted, false, session)
}

/// The same for whoever sits before it and has not typed a command, in which the name stands.
pub fn run_by_hand<'s>(place: Workplace, wanted: Wanted, session: &'s mut Session<'_>) -> Fut<'s, Result<Report, Stop>> {
    travel(place, wanted, true, session)
}

fn travel<'s>(place: Workplace, wanted: Wanted, by_hand: bool, session: &'s mut Session<'_>) -> Fut<'s, Result<Report, Stop>> {
    Box::pin(async move {
        place.may_write(NOTHING)?;
        let mut desk = Desk::open(&place, &wanted)?;
        desk.by_hand = by_hand;
        match &wanted {
            Wanted::Rotate(rotation) => return rotate::run(desk, rotation.clone(), session).await,
            Wanted::RootKeys(wanted) => return root_keys::run(desk, wanted.clone(), session).await,
            Wanted::Begin(beginning) => return begin::run(desk, beginning.clone(), session).await,
            Wanted::Delete(deletion) => return delete::run(&place, desk, deletion.clone(), session).await,
            Wanted::Stage(_) => return stage::run(desk, session).await,
            Wanted::Reset { names, .. } => {
                let Some(gun) = wanted.guns().into_iter().next() else { return Ok(Report::default()) };
                return stage::reset(desk, gun, names.clone(), session).await;
            }
            Wanted::Publish { .. } => desk.something_waits()?,
            _ => {}
        }
        let guns = wanted.guns();
        let (planned, mut report) = session.wait(READ, reading(&guns), desk.plans(&guns)).await?;
        // What is staged and changes nothing any more is not kept for a day on which it would.
        for (gun, outcome) in report.all.iter_mut().filter(|(_, o)| matches!(o, Outcome::AsWanted)) {
            if let Err(failure) = desk.gone_out(gun) {
                *outcome = Outcome::Failed(
                    failure.instead("it is as wanted already; what was staged, and changes nothing, is staged still"),
                );
            }
        }
        if session.is_resumed() {
            report.settle(&desk.wanted);
            request_again(&desk, &mut report, session).await?;
        }
        // Where a key is missing, the others go on without it.
        let (mut all, mut needed) = (Vec::new(), BTreeSet::new());
        for Planned { plan, needed: keys } in planned {
            match keys {
                Ok(keys) => {
                    needed.extend(keys);
                    all.push(plan);
                }
                Err(failure) => report.all.push((plan.ground.gun.clone(), Outcome::Failed(failure))),
            }
        }
        if all.is_empty() {
            return match report.all.as_slice() {
                [(_, Outcome::Failed(failure))] => Err(failure.clone().into()),
                _ => Ok(report),
            };
        }
        let mut ring = Ring::default();
        {
            let plans: Vec<&Plan> = all.iter().collect();
            let keys = desk.entries(&needed);
            first_accepted(&desk, &plans, &keys, session).await?;
            // The page of many plans is large, and has been read.
            crate::os::give_back();
            open(&mut ring, &keys, session).await?;
        }
        let alone = all.len() == 1 && report.all.is_empty();
        let mut rest = all.into_iter();
        while let Some(plan) = rest.next() {
            let gun = plan.ground.gun.clone();
            if !alone && told_to_end(session, SIGN, "looking whether to go on").await? {
                report.all.push((gun, Outcome::Failed(Failure::interrupted(NOTHING))));
                report.all.extend(rest.by_ref().map(|p| (p.ground.gun.clone(), Outcome::Failed(Failure::interrupted(NOTHING)))));
                break;
            }
            let came = match one(&desk, plan, &mut ring, session).await {
                Ok(done) => done,
                Err(Stop::Failed(failure)) if !alone => Report::of(gun, Outcome::Failed(failure)),
                // Whoever stops amid several is told which of them are done.
                Err(_) if is_begun(&report) => {
                    let left = std::iter::once(gun).chain(rest.by_ref().map(|p| p.ground.gun.clone()));
                    Report {
                        all: left.map(|gun| (gun, Outcome::Failed(Failure::interrupted(NOTHING)))).collect(),
                        ..Report::default()
                    }
                }
                Err(stop) => return Err(stop),
            };
            report = report.and(came);
            // Of many plans, those that are done lie between those that are to come.
            crate::os::give_back();
        }
        desk.name_keys_that_leave(&mut report);
        report.all.sort_by_key(|(gun, _)| guns.iter().position(|g| g == gun));
        Ok(report)
    })
}

/// Shows the first plans, and comes back when they are accepted. Whoever sits before it types the name where that takes
/// something from somebody, even if it breaks nothing.
pub async fn first_accepted(desk: &Desk, plans: &[&Plan], keys: &[KeyEntry], session: &mut Session<'_>) -> Result<(), Stop> {
    accepted(desk, plans, keys, false, session).await?;
    if let (true, true, Some(says)) = (desk.by_hand, page::broken(plans).is_empty(), desk.wanted.takes()) {
        let (title, consequences) = ("Read what follows".to_owned(), vec![says]);
        session.confirm(CONFIRM, Confirm { title, consequences, typed: desk.wanted.typed() }).await?;
    }
    Ok(())
}

/// Shows plans, and comes back when they are accepted, with what they break.
pub async fn accepted(
    desk: &Desk,
    plans: &[&Plan],
    keys: &[KeyEntry],
    is_another: bool,
    session: &mut Session<'_>,
) -> Result<(), Stop> {
    let mut review = page::review(&desk.wanted, plans, keys);
    review.findings.extend(desk.not_looked_at());
    if is_another {
        review.title = "Somebody else has published meanwhile; the plan is another".to_owned();
        review.plan.iter_mut().for_each(|asked| asked.is_another = true);
    }
    session.review(REVIEW, review).await?;
    let broken = page::broken(plans);
    match broken.is_empty() {
        true => Ok(()),
        false => {
            let title = "Read what this breaks".to_owned();
            session.confirm(CONFIRM, Confirm { title, consequences: broken, typed: desk.wanted.typed() }).await
        }
    }
}

/// Makes the plan with what was given for the fields of its form, if it has one, and touches nothing.
///
/// # Errors
/// Where none can be made for the only repository.
pub async fn look(place: &Workplace, wanted: &Wanted, fields: &BTreeMap<&'static str, String>) -> Result<Look, Failure> {
    let desk = Desk::open(place, wanted)?;
    match wanted {
        Wanted::Rotate(rotation) => return rotate::look(desk, rotation, fields).await,
        Wanted::RootKeys(wanted) => return root_keys::look(desk, wanted, fields).await,
        Wanted::Begin(beginning) => return begin::look(desk, beginning, fields).await,
        Wanted::Delete(deletion) => return delete::look(place, desk, deletion).await,
        Wanted::Stage(_) => return stage::look(desk).await,
        Wanted::Reset { names, .. } => {
            let nothing = Look::nothing(Report::default());
            return wanted.guns().first().map_or(Ok(nothing), |gun| stage::look_at_reset(&desk, gun, names));
        }
        Wanted::Publish { .. } => desk.something_waits()?,
        _ => {}
    }
    let guns = wanted.guns();
    let (planned, mut others) = desk.plans(&guns).await?;
    if let ([], [(_, Outcome::Failed(failure))]) = (planned.as_slice(), others.all.as_slice()) {
        return Err(failure.clone());
    }
    let (mut needed, mut lacking, mut plans) = (BTreeSet::new(), Vec::new(), Vec::<Plan>::new());
    let is_alone = guns.len() == 1;
    for Planned { plan, needed: keys } in planned {
        match keys {
            Ok(keys) => {
                needed.extend(keys);
                plans.push(plan);
            }
            // Its plan can be looked at all the same.
            Err(failure) if is_alone => {
                let finding = Finding::new("no-signing-key", Severity::Error, failure.message);
                lacking.push((plan.ground.gun.clone(), finding));
                plans.push(plan);
            }
            // What is accepted is what can be signed.
            Err(failure) => others.all.push((plan.ground.gun.clone(), Outcome::Failed(failure))),
        }
    }
    let all: Vec<&Plan> = plans.iter().collect();
    let mut review = page::review(&desk.wanted, &all, &desk.entries(&needed));
    review.findings.splice(0..0, lacking.iter().map(|(_, finding)| finding.clone()));
    review.findings.extend(desk.not_looked_at());
    Ok(Look { review, plans, lacking, others })
}

/// What is said while they are read.
pub fn reading(guns: &[Gun]) -> String {
    match guns {
        [one] => format!("reading {one}"),
        all => format!("reading {} repositories", all.len()),
    }
}

/// Signs and publishes one, again as long as others come first. A plan that has become another is accepted anew. What it leaves
/// for somebody else to witness is written down.
pub async fn one(desk: &Desk, plan: Plan, ring: &mut Ring, session: &mut Session<'_>) -> Result<Report, Stop> {
    let ground = plan.ground.clone();
    let gun = ground.gun.clone();
    desk.is_staged_still(&gun)?;
    let Ended { outcome, left, not_kept } = until_it_is_there(desk, plan, ring, session).await?;
    let requests = witness_request::write(desk, Some(desk.wanted.command()), &ground, &left, session).await;
    desk.gone_out(&gun).map_err(|failure| with_requests(failure, &requests))?;
    Ok(Report { requests, ..Report::of(gun, outcome).unremembered(not_kept) })
}

/// The same failure, which says that these requests are there all the same.
fn with_requests(mut failure: Failure, requests: &[WitnessRequest]) -> Failure {
    for file in requests.iter().filter_map(|r| r.file.as_ref().ok()) {
        failure.hint = format!("{} A witness request is in {}.", failure.hint, shown(file)).trim_start().to_owned();
    }
    failure
}

/// Writes the requests of what was published before it was interrupted: whether they had been written, nobody knows.
async fn request_again(desk: &Desk, report: &mut Report, session: &mut Session<'_>) -> Result<(), Stop> {
    if !desk.wanted.takes_keys() {
        return Ok(());
    }
    let done: Vec<Gun> = report.all.iter().filter(|(_, o)| matches!(o, Outcome::AsWanted)).map(|(gun, _)| gun.clone()).collect();
    for gun in done {
        match session.wait(READ, reading(std::slice::from_ref(&gun)), desk.basis(&gun)).await {
            Ok(basis) => {
                report.requests.extend(witness_request::write(desk, None, basis.ground(), &basis.unvouched(), session).await)
            }
            // The others go on.
            Err(Stop::Failed(failure)) => {
                report.all.iter_mut().filter(|(g, _)| *g == gun).for_each(|(_, o)| *o = Outcome::Failed(failure.clone()));
            }
            Err(stop) => return Err(stop),
        }
    }
    Ok(())
}

/// What became of it.
struct Ended {
    outcome: Outcome,
    /// The roles that it leaves to be witnessed.
    left: Vec<Unvouched>,
    /// Why it is not remembered here.
    not_kept: Option<String>,
}

async fn until_it_is_there(desk: &Desk, plan: Plan, ring: &mut Ring, session: &mut Session<'_>) -> Result<Ended, Stop> {
    let gun = plan.ground.gun.clone();
    // Set where something was sent that may be there: nothing that goes wrong then means that nothing was published.
    let mut perhaps = None;
    let ended = rounds(desk, plan, ring, &mut perhaps, session).await;
    ended.map_err(|stop| match (&perhaps, stop) {
        (Some(since), Stop::Failed(failure)) if failure.code != "unproven" => after_sending(&gun, since, failure).into(),
        (Some(since), Stop::Cancelled | Stop::Back) => after_sending(&gun, since, Failure::interrupted(NOTHING)).into(),
        (_, stop) => stop,
    })
}

async fn rounds(
    desk: &Desk,
    mut plan: Plan,
    ring: &mut Ring,
    perhaps: &mut Option<RoleName>,
    session: &mut Session<'_>,
) -> Result<Ended, Stop> {
    let gun = plan.ground.gun.clone();
    let mut digest = plan.digest();
    for _ in 0..ROUNDS {
        let left = plan.unvouched.clone();
        let sent = match send(desk, plan, ring, session).await? {
            Sent::Done(roles, not_kept) => {
                let not_kept = not_kept.map(|e| e.to_string());
                return Ok(Ended { outcome: Outcome::Published(roles), left, not_kept });
            }
            other => other,
        };
        let again = session.wait(READ, reading(std::slice::from_ref(&gun)), desk.plan(&gun)).await;
        // What was to go and is gone needs no plan.
        let is_gone = matches!(&again, Err(Stop::Failed(f)) if desk.wanted.has_gone(f));
        let again = match (again, &sent) {
            (Err(_), Sent::Since(..) | Sent::Perhaps(..)) if is_gone => None,
            // It was taken, whatever is said of it now.
            (Err(Stop::Failed(failure)), Sent::Since(role, _)) => return Err(unread(&gun, role, failure).into()),
            (again, Sent::Perhaps(role, _)) => {
                *perhaps = Some(role.clone());
                again?
            }
            (again, _) => again?,
        };
        let keys;
        Planned { plan, needed: keys } = match (again, sent) {
            (None, Sent::Since(_, roles) | Sent::Perhaps(_, roles)) => {
                let not_kept = remembered(desk, &gun).await;
                return Ok(Ended { outcome: Outcome::Published(roles), left, not_kept });
            }
            (None, _) => return Ok(Ended { outcome: Outcome::AsWanted, left: Vec::new(), not_kept: None }),
            (Some(_), Sent::Since(role, _)) => return Err(unproven(&gun, &Unproven::Since(role)).into()),
            (Some(again), _) => again,
        };
        if plan.digest() != digest {
            digest = plan.digest();
            let keys = desk.entries(&keys?);
            accepted(desk, &[&plan], &keys, true, session).await?;
            open(ring, &keys, session).await?;
        }
    }
    Err(publish_failure(&gun, &NotPublished::Conflict).into())
}

/// Remembers what is there now, with what others have published since: why it could not be, if it could not.
pub async fn remembered(desk: &Desk, gun: &Gun) -> Option<String> {
    match desk.basis(gun).await {
        Ok(basis) => match basis.remember(&desk.repositories).await {
            Ok(not_kept) => not_kept.map(|e| e.to_string()),
            Err(e) => Some(e.to_string()),
        },
        Err(failure) => Some(failure.message),
    }
}

/// Whether something was published already.
fn is_begun(report: &Report) -> bool {
    report.all.iter().any(|(_, o)| matches!(o, Outcome::Published(_)))
}

/// For what was taken, and could not be read again.
fn unread(gun: &Gun, since: &RoleName, failure: Failure) -> Failure {
    let message = format!(
        "{gun}: the server took it, somebody has published {since} since, and what is there now cannot be judged: {}",
        failure.message
    );
    Failure::new("unproven", message, "that clients see what was wanted is not certain", failure.hint).exit(3)
}

/// Signs a plan, publishes it and looks at it again.
pub async fn send(desk: &Desk, plan: Plan, ring: &Ring, session: &mut Session<'_>) -> Result<Sent, Stop> {
    let gun = plan.ground.gun.clone();
    // The last moment at which nothing has been signed.
    if told_to_end(session, SIGN, "looking whether to go on").await? {
        return Err(Failure::interrupted(NOTHING).into());
    }
    let what = format!("publishing {gun} to {}", plan.ground.address());
    let (of, keys) = (gun.clone(), ring.clone());
    let signed = session
        .work(SIGN, format!("signing {gun}"), move |_| {
            let by_id: BTreeMap<KeyId, &dyn Signer> = keys.iter().map(|(id, k)| (*id, k.as_ref() as &dyn Signer)).collect();
            plan.sign(&by_id).map_err(|e| sign_failure(&of, &e))
        })
        .await?;
    let all = &desk.repositories;
    let published = async {
        match signed.publish(all).await {
            Err(NotPublished::Conflict) => return Ok(Sent::TooLate),
            Err(NotPublished::Since(role)) => return Ok(Sent::Perhaps(role, signed.versions())),
            Err(e) => return Err(publish_failure(&gun, &e)),
            Ok(()) => {}
        }
        match signed.verify(all, &|_| {}).await {
            Ok(not_kept) => Ok(Sent::Done(signed.versions(), not_kept)),
            // A plan from what they published shows whether what was wanted is in it.
            Err(Unproven::Since(role)) => Ok(Sent::Since(role, signed.versions())),
            Err(e) => Err(unproven(&gun, &e)),
        }
    };
    session.act_waiting(PUBLISH, what, published).await
}

/// What became of sending.
pub enum Sent {
    /// It is published, and clients see it: the versions, and why they are not remembered here.
    Done(Vec<(String, u64)>, Option<TrustDirError>),
    /// Somebody else came first.
    TooLate,
    /// It was taken, and somebody has published this role since.
    Since(RoleName, Vec<(String, u64)>),
    /// It may have been taken, and somebody has published this role since.
    Perhaps(RoleName, Vec<(String, u64)>),
}

impl std::fmt::Display for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Done(roles, _) => write!(f, "{}", Outcome::Published(roles.clone())),
            Self::TooLate => f.write_str("nothing was published: somebody else came first"),
            Self::Since(role, _) => write!(f, "the server took it, and somebody has published {role} since"),
            Self::Perhaps(role, _) => write!(f, "{}", NotPublished::Since(role.clone())),
        }
    }
}
