//! The road: read and verify, plan, have it accepted, open the keys, sign, publish, verify again.
use super::{
    NOTHING, Report,
    key_files::public_keys,
    outcome::{draft_failure, load_failure, publish_failure, sign_failure, unproven},
    page,
    report::Outcome,
    wanted::{Wanted, signer_role},
    wishes::{self, Here},
};
use crate::{
    failure::Failure,
    finding::{Finding, Severity},
    keys::{self, KeyEntry, PrivateKey, Signer},
    operator::{Confirm, Fut, Review, Session, Step, Stop},
    procedures::{
        Workplace, told_to_end,
        unlock::{called, opened},
    },
    repository::{
        Repositories,
        change::{Basis, NotPublished, Plan, SignError, Unproven},
    },
    tuf::{
        key::{Algorithm, PublicKey},
        name::{Gun, KeyId, RoleName},
    },
    views::keys::fault,
};
use futures_util::{FutureExt as _, StreamExt as _};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

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

/// How many repositories are read at the same time.
const AT_ONCE: usize = 8;

/// What a dry run shows.
pub struct Look {
    /// The page.
    pub review: Review,
    /// The plans.
    pub plans: Vec<(Arc<Basis>, Plan)>,
    /// What is as wanted, or cannot be done.
    pub others: Report,
}

/// Does what is wanted.
pub fn run<'s>(place: Workplace, wanted: Wanted, session: &'s mut Session<'_>) -> Fut<'s, Result<Report, Stop>> {
    Box::pin(async move {
        place.may_write(NOTHING)?;
        let desk = Desk::open(&place, &wanted)?;
        let guns = wanted.guns();
        let (planned, mut report) = session.wait(READ, reading(&guns), desk.plans(&guns)).await?;
        // Where a key is missing, the others go on without it.
        let (mut all, mut needed) = (Vec::new(), BTreeMap::new());
        for (basis, plan) in planned {
            match desk.needed(&basis, &plan) {
                Ok(keys) => {
                    needed.extend(keys.into_iter().filter_map(|k| Some((k.id?, k))));
                    all.push((basis, plan));
                }
                Err(failure) => report.all.push((plan.gun, Outcome::Failed(failure))),
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
            let pairs: Vec<(&Basis, &Plan)> = all.iter().map(|(b, p)| (b.as_ref(), p)).collect();
            let keys: Vec<KeyEntry> = needed.into_values().collect();
            accepted(&wanted, &pairs, &keys, false, session).await?;
            open(&mut ring, &keys, session).await?;
        }
        let alone = all.len() == 1 && report.all.is_empty();
        let mut rest = all.into_iter();
        while let Some((basis, plan)) = rest.next() {
            let gun = plan.gun.clone();
            if !alone && told_to_end(session, SIGN, "looking whether to go on").await? {
                report.all.push((gun, Outcome::Failed(Failure::interrupted(NOTHING))));
                report.all.extend(rest.by_ref().map(|(_, p)| (p.gun, Outcome::Failed(Failure::interrupted(NOTHING)))));
                break;
            }
            let outcome = match one(&desk, basis, plan, &mut ring, session).await {
                Ok(outcome) => outcome,
                Err(Stop::Failed(failure)) if !alone => Outcome::Failed(failure),
                Err(stop) => return Err(stop),
            };
            report.all.push((gun, outcome));
        }
        report.all.sort_by_key(|(gun, _)| guns.iter().position(|g| g == gun));
        Ok(report)
    })
}

/// Unlocked keys, by their IDs.
type Ring = BTreeMap<KeyId, Arc<PrivateKey>>;

/// Shows plans, and comes back when they are accepted, with what they break.
async fn accepted(
    wanted: &Wanted,
    plans: &[(&Basis, &Plan)],
    keys: &[KeyEntry],
    is_another: bool,
    session: &mut Session<'_>,
) -> Result<(), Stop> {
    let mut review = page::review(wanted, plans, keys);
    if is_another {
        review.title = "Somebody else has published meanwhile; the plan is another".to_owned();
        review.plan.iter_mut().for_each(|asked| asked.is_another = true);
    }
    session.review(REVIEW, review).await?;
    let mut broken = page::broken(plans);
    if let Wanted::Revoke { tag: None, .. } = wanted {
        broken.insert(0, "No tag of the repository stays signed.".to_owned());
    }
    match broken.is_empty() {
        true => Ok(()),
        false => {
            let title = "Read what this breaks".to_owned();
            session.confirm(CONFIRM, Confirm { title, consequences: broken, typed: wanted.typed() }).await
        }
    }
}

/// Opens keys that are not open yet.
async fn open(ring: &mut Ring, keys: &[KeyEntry], session: &mut Session<'_>) -> Result<(), Stop> {
    for entry in keys {
        if entry.id.is_none_or(|id| !ring.contains_key(&id)) {
            let key = opened(session, entry, called(entry), keys::unlock_until).await?;
            ring.insert(key.id(), Arc::new(key));
        }
    }
    Ok(())
}

/// Makes the plan, and touches nothing.
///
/// # Errors
/// Where none can be made for the only repository.
pub async fn look(place: &Workplace, wanted: &Wanted) -> Result<Look, Failure> {
    let desk = Desk::open(place, wanted)?;
    let guns = wanted.guns();
    let (plans, others) = desk.plans(&guns).await?;
    if let ([], [(_, Outcome::Failed(failure))]) = (plans.as_slice(), others.all.as_slice()) {
        return Err(failure.clone());
    }
    let (mut needed, mut lacking) = (BTreeMap::new(), Vec::new());
    for (basis, plan) in &plans {
        match desk.needed(basis, plan) {
            Ok(keys) => needed.extend(keys.into_iter().filter_map(|k| Some((k.id?, k)))),
            Err(failure) => lacking.push(Finding::new("no-signing-key", Severity::Error, failure.message)),
        }
    }
    let pairs: Vec<(&Basis, &Plan)> = plans.iter().map(|(b, p)| (b.as_ref(), p)).collect();
    let mut review = page::review(wanted, &pairs, &needed.into_values().collect::<Vec<_>>());
    review.findings.splice(0..0, lacking);
    Ok(Look { review, plans, others })
}

fn reading(guns: &[Gun]) -> String {
    match guns {
        [one] => format!("reading {one}"),
        all => format!("reading {} repositories", all.len()),
    }
}

/// Signs and publishes one, again as long as others come first. A plan that has become another is accepted anew.
async fn one(
    desk: &Desk,
    mut basis: Arc<Basis>,
    mut plan: Plan,
    ring: &mut Ring,
    session: &mut Session<'_>,
) -> Result<Outcome, Stop> {
    let gun = plan.gun.clone();
    let mut digest = plan.digest();
    for _ in 0..ROUNDS {
        let (of, keys, from) = (gun.clone(), ring.clone(), basis.clone());
        let signed = session
            .work(SIGN, format!("signing {gun}"), move |_| {
                let by_id: BTreeMap<KeyId, &dyn Signer> = keys.iter().map(|(id, k)| (*id, k.as_ref() as &dyn Signer)).collect();
                plan.sign(&from, &by_id).map_err(|e| sign_failure(&of, &e))
            })
            .await?;
        let what = format!("publishing {gun} to {}", basis.transport().address().shown());
        let (from, all) = (basis.clone(), &desk.repositories);
        let published = async {
            match signed.publish(&from, all).await {
                Err(NotPublished::Conflict) => return Ok(Sent::TooLate),
                Err(e) => return Err(publish_failure(&gun, &e)),
                Ok(()) => {}
            }
            match signed.verify(&from, all, &|_| {}).await {
                Ok(()) => Ok(Sent::Done(signed.versions())),
                // A plan from what they published shows whether what was wanted is in it.
                Err(Unproven::Since(role)) => Ok(Sent::Since(role, signed.versions())),
                Err(e) => Err(unproven(&gun, &e)),
            }
        };
        let sent = session.act_waiting(PUBLISH, what, published).await?;
        if let Sent::Done(roles) = sent {
            return Ok(Outcome::Published(roles));
        }
        let again = session.wait(READ, reading(std::slice::from_ref(&gun)), desk.plan(&gun)).await?;
        match (again, sent) {
            (None, Sent::Since(_, roles)) => return Ok(Outcome::Published(roles)),
            (None, _) => return Ok(Outcome::AsWanted),
            (Some(_), Sent::Since(role, _)) => return Err(unproven(&gun, &Unproven::Since(role)).into()),
            (Some(again), _) => (basis, plan) = again,
        }
        if plan.digest() != digest {
            digest = plan.digest();
            let keys = desk.needed(&basis, &plan)?;
            accepted(&desk.wanted, &[(&*basis, &plan)], &keys, true, session).await?;
            open(ring, &keys, session).await?;
        }
    }
    Err(publish_failure(&gun, &NotPublished::Conflict).into())
}

/// What became of sending.
enum Sent {
    /// It is published, and clients see it: the versions.
    Done(Vec<(String, u64)>),
    /// Somebody else came first.
    TooLate,
    /// It was taken, and somebody has published this role since.
    Since(RoleName, Vec<(String, u64)>),
}

impl std::fmt::Display for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Done(roles) => write!(f, "{}", Outcome::Published(roles.clone())),
            Self::TooLate => f.write_str("nothing was published: somebody else came first"),
            Self::Since(role, _) => write!(f, "the server took it, and somebody has published {role} since"),
        }
    }
}

/// Whether nothing is known that would keep a key from signing.
fn can_be_opened(entry: &KeyEntry) -> bool {
    fault(&entry.problems).is_none() && entry.algorithm.is_none_or(Algorithm::may_sign)
}

/// Everything that a plan is made from.
struct Desk {
    wanted: Wanted,
    repositories: Repositories,
    keys: Vec<PublicKey>,
    here: Here,
}

impl Desk {
    fn open(place: &Workplace, wanted: &Wanted) -> Result<Self, Failure> {
        let files = match wanted {
            Wanted::AddSigner { keys, .. } | Wanted::AddDelegation { keys, .. } => keys.as_slice(),
            _ => &[],
        };
        let Some(repositories) = place.repositories.clone() else {
            return Err(Failure::new("no-server", "there is no server here", NOTHING, "Name one with --server."));
        };
        let here = keys::list(&place.trust_dir).entries.into_iter().filter(|e| e.legacy.is_none() && can_be_opened(e));
        Ok(Self {
            wanted: wanted.clone(),
            repositories,
            keys: public_keys(files)?,
            here: here.filter_map(|e| Some((e.id?, e))).collect(),
        })
    }

    /// The plans, and what is as wanted or cannot be planned.
    async fn plans(&self, guns: &[Gun]) -> Result<(Vec<(Arc<Basis>, Plan)>, Report), Failure> {
        let all: Vec<_> = guns.iter().map(|gun| self.plan(gun).boxed()).collect();
        let all: Vec<_> = futures_util::stream::iter(all).buffered(AT_ONCE).collect().await;
        let (mut plans, mut report) = (Vec::new(), Report::default());
        for (gun, made) in guns.iter().zip(all) {
            match made {
                Ok(Some(plan)) => plans.push(plan),
                Ok(None) => report.all.push((gun.clone(), Outcome::AsWanted)),
                Err(failure) => report.all.push((gun.clone(), Outcome::Failed(failure))),
            }
        }
        Ok((plans, report))
    }

    async fn plan(&self, gun: &Gun) -> Result<Option<(Arc<Basis>, Plan)>, Failure> {
        let all = &self.repositories;
        let roles = self.wanted.new_roles();
        let basis =
            all.basis(gun, &roles, Timestamp::now(), &|_| {}).await.map_err(|e| load_failure(all, gun, e).instead(NOTHING))?;
        let changes = wishes::changes(&self.wanted, &self.keys, &basis, &self.here)?;
        let plan = Plan::new(&basis, &changes).map_err(|e| draft_failure(gun, &e))?;
        Ok(plan.map(|plan| (Arc::new(basis), plan)))
    }

    /// The keys that have to be opened: all that are here of those that may sign.
    fn needed(&self, basis: &Basis, plan: &Plan) -> Result<Vec<KeyEntry>, Failure> {
        let mut ids = BTreeSet::new();
        let theirs = self.signers_keys(basis);
        let is_wanted = |id: &KeyId| theirs.as_ref().is_none_or(|all| all.contains(id));
        for (role, need) in plan.needs() {
            let may: BTreeSet<KeyId> = need.keys.iter().map(PublicKey::canonical_id).collect();
            let have: Vec<KeyId> = may.iter().filter(|id| self.here.contains_key(id) && is_wanted(id)).copied().collect();
            if (have.len() as u64) < need.threshold {
                let error = SignError::NotEnough { role, need: need.threshold, have: have.len(), ids: may.into_iter().collect() };
                return Err(sign_failure(&plan.gun, &error).instead(NOTHING));
            }
            ids.extend(have);
        }
        ids.extend(plan.snapshot.keys.iter().map(PublicKey::canonical_id).filter(|id| self.here.contains_key(id)));
        Ok(ids.iter().filter_map(|id| self.here.get(id).cloned()).collect())
    }

    /// The keys of the signer who alone is to sign.
    fn signers_keys(&self, basis: &Basis) -> Option<BTreeSet<KeyId>> {
        let Wanted::Sign { signer: Some(name), .. } = &self.wanted else { return None };
        let role = RoleName::new(&signer_role(name)).ok()?;
        let keys = &basis.collection().role(&role)?.keys.keys;
        Some(keys.iter().map(PublicKey::canonical_id).collect())
    }
}
