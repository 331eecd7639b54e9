//! Everything that a plan is made from: what is wanted, the keys that are here, and those that are to come.
use super::{
    NOTHING, Report,
    key_files::public_keys,
    keyed::KeyWork,
    new_keys::Source,
    outcome::{draft_failure, load_failure, sign_failure},
    report::Outcome,
    stage::nothing_staged,
    waiting::Waiting,
    wanted::{Wanted, signer_role},
    wishes::{self, Here},
};
use crate::{
    failure::{Failure, sentence},
    finding::{Finding, Severity},
    journal::State,
    keys::{self, KeyEntry, PrivateKey},
    operator::{Session, Stop},
    procedures::{
        Workplace,
        unlock::{called, opened},
    },
    repository::{
        Repositories,
        change::{Basis, Plan, SignError, some},
    },
    trust_dir::TrustDir,
    tuf::{
        key::{Algorithm, PublicKey},
        name::{BaseRole, Gun, KeyId, RoleName},
    },
    views::keys::fault,
};
use futures_util::{FutureExt as _, StreamExt as _};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

/// How many repositories are read at the same time.
const AT_ONCE: usize = 8;

/// Does the same with all repositories, several at a time.
async fn each<'a, T: Send, F: Future<Output = T> + Send + 'a>(guns: &'a [Gun], work: impl Fn(&'a Gun) -> F) -> Vec<T> {
    let all: Vec<_> = guns.iter().map(|gun| work(gun).boxed()).collect();
    futures_util::stream::iter(all).buffered(AT_ONCE).collect().await
}

/// What is planned for a repository.
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// The keys that have to be opened for it, or why it cannot be signed here.
    pub needed: Result<Vec<KeyId>, Failure>,
}

/// Unlocked keys, by their IDs.
pub type Ring = BTreeMap<KeyId, Arc<PrivateKey>>;

/// Whether nothing is known that would keep a key from signing.
fn can_be_opened(entry: &KeyEntry) -> bool {
    fault(&entry.problems).is_none() && entry.algorithm.is_none_or(Algorithm::may_sign)
}

/// The private keys of a trust directory that can sign, as far as is known without opening them.
pub fn keys_here(trust_dir: &TrustDir) -> Here {
    let usable = keys::list(trust_dir).entries.into_iter().filter(|e| e.legacy.is_none() && can_be_opened(e));
    usable.filter_map(|e| Some((e.id?, e))).collect()
}

/// Opens keys that are not open yet.
pub async fn open(ring: &mut Ring, keys: &[KeyEntry], session: &mut Session<'_>) -> Result<(), Stop> {
    for entry in keys {
        if entry.id.is_none_or(|id| !ring.contains_key(&id)) {
            let key = opened(session, entry, called(entry), keys::unlock_until).await?;
            ring.insert(key.id(), Arc::new(key));
        }
    }
    Ok(())
}

/// Everything that a plan is made from.
pub struct Desk {
    pub(super) wanted: Wanted,
    /// Whether somebody sits before it.
    pub(super) by_hand: bool,
    pub(super) trust_dir: TrustDir,
    /// Where what is remembered lies.
    pub(super) state: Option<State>,
    pub(super) repositories: Repositories,
    /// Keys that come in with it: of files, or of [`Desk::coming`] in its order.
    pub(super) keys: Vec<PublicKey>,
    /// Where those come from that are not there before the plan is accepted.
    pub(super) coming: Vec<Source>,
    pub(super) here: Here,
    /// What is staged for each repository that is meant.
    waiting: BTreeMap<Gun, Result<Waiting, Failure>>,
    /// Whether that stays staged.
    only: bool,
    /// The keys of whoever leaves, in all repositories that are meant.
    leaving: OnceLock<BTreeSet<KeyId>>,
    /// What is not looked at where somebody leaves.
    beside: OnceLock<String>,
    /// Work with keys, once it is understood.
    pub(super) chosen: Option<Box<dyn KeyWork>>,
}

impl Desk {
    pub(super) fn open(place: &Workplace, wanted: &Wanted) -> Result<Self, Failure> {
        let (wanted, only) = match wanted {
            Wanted::Only(inner) => (inner.as_ref(), true),
            Wanted::Stage(inner) => (inner.as_ref(), true),
            // These go out alone, as with the old tools.
            other => (other, matches!(other, Wanted::Rotate(_) | Wanted::RootKeys(_))),
        };
        let files = match wanted {
            Wanted::AddSigner { keys, .. } | Wanted::AddDelegation { keys, .. } => keys.as_slice(),
            _ => &[],
        };
        let Some(repositories) = place.repositories.clone() else {
            return Err(Failure::new("no-server", "there is no server here", NOTHING, "Name one with --server."));
        };
        Ok(Self {
            wanted: wanted.clone(),
            by_hand: false,
            trust_dir: place.trust_dir.clone(),
            state: place.state.clone(),
            repositories,
            keys: public_keys(files)?,
            coming: Vec::new(),
            here: keys_here(&place.trust_dir),
            waiting: wanted.guns().into_iter().map(|g| (g.clone(), Waiting::read(&place.trust_dir, &g))).collect(),
            only,
            leaving: OnceLock::new(),
            beside: OnceLock::new(),
            chosen: None,
        })
    }

    /// Keys that come in with it, for which something stands until they are there.
    pub(super) fn comes(&mut self, coming: Vec<Source>) {
        self.keys = coming.iter().map(Source::stand_in).collect();
        self.coming = coming;
    }

    /// The plans, and what is as wanted or cannot be planned. Of a repository that is planned nothing is kept but its plan.
    pub(super) async fn plans(&self, guns: &[Gun]) -> Result<(Vec<Planned>, Report), Failure> {
        let all: Vec<_> = match &self.wanted {
            // Whoever leaves may be known by another name elsewhere.
            Wanted::Leave { who, .. } => {
                let read = each(guns, |gun| self.read(gun)).await;
                // Elsewhere only who owns a repository here says whose keys a name there stands for.
                let owned = read.iter().flatten().filter(|basis| self.owns(basis));
                let known = owned.flat_map(|basis| wishes::keys_of(basis.collection(), who));
                let known: BTreeSet<KeyId> = known.collect();
                let nobody = known.is_empty() && read.iter().flatten().all(|b| wishes::keys_of(b.collection(), who).is_empty());
                let _ = self.leaving.set(known);
                let mut all = Vec::new();
                for (gun, read) in guns.iter().zip(read) {
                    all.push(match read {
                        Ok(_) if nobody => Err(wishes::unknown(gun, who)),
                        Ok(basis) => self.planned(gun, basis).await,
                        Err(failure) => Err(failure),
                    });
                }
                all
            }
            // What was read for a plan lies between what is kept of it.
            _ => each(guns, |gun| self.plan(gun).inspect(|_| crate::os::give_back())).await,
        };
        let (mut plans, mut report) = (Vec::new(), Report::default());
        for (gun, made) in guns.iter().zip(all) {
            match made {
                Ok(Some(plan)) => plans.push(plan),
                Ok(None) => report.all.push((gun.clone(), Outcome::AsWanted)),
                Err(failure) => report.all.push((gun.clone(), Outcome::Failed(failure))),
            }
        }
        if matches!(self.wanted, Wanted::Leave { .. }) {
            self.look_beside(guns).await;
        }
        report.beside = self.beside.get().cloned();
        Ok((plans, report))
    }

    /// Where every repository that is remembered is meant, server and registry may have others: whoever leaves may be there too.
    async fn look_beside(&self, guns: &[Gun]) {
        let remembered = self.trust_dir.guns().guns;
        if !remembered.iter().filter(|g| g.has_root).all(|g| guns.contains(&g.gun)) {
            return;
        }
        let inventory = self.repositories.inventory().await;
        let others: Vec<String> =
            inventory.known.iter().map(|k| &k.gun).filter(|gun| !guns.contains(gun)).map(ToString::to_string).collect();
        if !others.is_empty() {
            let says = "not looked at, because this machine remembers no root of them";
            let hint = "`claviger repo show` remembers one that verifies, and `signer leave` takes it by its name";
            let _ = self.beside.set(format!("{says}: {}; {hint}", some(&others)));
        }
    }

    /// The same on the page of a plan.
    pub(super) fn not_looked_at(&self) -> Option<Finding> {
        self.beside.get().map(|says| Finding::new("not-looked-at", Severity::Warn, sentence(says).trim_end_matches('.')))
    }

    /// Whether a key that signs who may sign what is here.
    fn owns(&self, basis: &Basis) -> bool {
        let held = |role| basis.collection().base_keys(role);
        held(BaseRole::Targets).iter().chain(&held(BaseRole::Root)).any(|key| self.here.contains_key(&key.canonical_id()))
    }

    pub(super) async fn plan(&self, gun: &Gun) -> Result<Option<Planned>, Failure> {
        self.planned(gun, self.read(gun).await?).await
    }

    /// The plan on what was read; the server is asked what it keeps of roles that begin anew by it.
    async fn planned(&self, gun: &Gun, mut basis: Basis) -> Result<Option<Planned>, Failure> {
        let planned = self.planned_on(&basis)?;
        let unasked = planned.as_ref().map(|p| basis.unasked(&p.plan)).unwrap_or_default();
        if unasked.is_empty() {
            return Ok(planned);
        }
        basis.ask(unasked).await.map_err(|e| load_failure(&self.repositories, gun, e).instead(NOTHING))?;
        self.planned_on(&basis)
    }

    fn planned_on(&self, basis: &Basis) -> Result<Option<Planned>, Failure> {
        let plan = self.plan_on(basis)?;
        let ids = |keys: Vec<KeyEntry>| keys.iter().filter_map(|k| k.id).collect();
        Ok(plan.map(|plan| Planned { needed: self.needed(basis, &plan).map(ids).map_err(|f| self.with_staged(f, basis)), plan }))
    }

    /// The same failure, where it may be what was staged before that cannot be signed.
    fn with_staged(&self, mut failure: Failure, basis: &Basis) -> Failure {
        let gun = &basis.ground().gun;
        if !self.only && !matches!(self.wanted, Wanted::Publish { .. }) && self.waiting(gun).is_ok_and(|w| !w.is_empty()) {
            let says = "What is staged goes out with it, and may be what needs that key";
            failure.hint = format!("{} {says}: `claviger status {}` shows it, and --only leaves it.", failure.hint, gun.word());
        }
        failure
    }

    /// Where somebody has not left yet, says by which keys: the name may be gone elsewhere.
    pub(super) fn name_keys_that_leave(&self, report: &mut Report) {
        let Some(keys) = self.leaving.get().filter(|keys| !keys.is_empty()) else { return };
        let ids: Vec<String> = keys.iter().map(KeyId::hex).collect();
        for (gun, outcome) in &mut report.all {
            if let Outcome::Failed(failure) = outcome {
                let says = format!("`claviger signer leave KEY_ID {}` does it for one key: {}.", gun.word(), ids.join(", "));
                failure.hint = format!("{} {says}", failure.hint).trim_start().to_owned();
            }
        }
    }

    /// The keys with these IDs.
    pub(super) fn entries<'i>(&self, ids: impl IntoIterator<Item = &'i KeyId>) -> Vec<KeyEntry> {
        ids.into_iter().filter_map(|id| self.here.get(id).cloned()).collect()
    }

    /// Reads and verifies a repository.
    pub(super) async fn basis(&self, gun: &Gun) -> Result<Arc<Basis>, Failure> {
        self.read(gun).await.map(Arc::new)
    }

    async fn read(&self, gun: &Gun) -> Result<Basis, Failure> {
        let all = &self.repositories;
        let mut roles = self.wanted.new_roles();
        roles.extend(self.waiting(gun)?.new_roles());
        let basis = all.basis(gun, &roles, Timestamp::now(), &|_| {}).await;
        basis.map_err(|e| {
            let mut failure = load_failure(all, gun, e).instead(NOTHING);
            if let ("not-there", Wanted::AddSigner { .. }) = (failure.code, &self.wanted) {
                failure.hint = format!("{} `signer add --init` begins it.", failure.hint);
            }
            failure
        })
    }

    /// The plan for a repository as it was read.
    pub(super) fn plan_on(&self, basis: &Basis) -> Result<Option<Plan>, Failure> {
        let gun = &basis.ground().gun;
        let waiting = self.waiting(gun)?;
        let mut changes = if self.only { Vec::new() } else { waiting.changes(gun, basis, &self.here)? };
        let before = changes.len();
        let asked_from = match self.wanted {
            // What is published because it was staged is asked for.
            Wanted::Publish { .. } => 0,
            // Whoever revokes without a name has named nothing.
            Wanted::Revoke { tag: None, .. } => usize::MAX,
            _ => before,
        };
        changes.extend(match &self.chosen {
            Some(chosen) => chosen.changes(&self.keys, basis, &self.here)?,
            None => match self.leaving.get() {
                Some(keys) => {
                    let mut keys = keys.clone();
                    if let Wanted::Leave { who, .. } = &self.wanted {
                        keys.extend(wishes::keys_of(basis.collection(), who));
                    }
                    wishes::leave(basis.collection(), &keys, &self.here)?
                }
                None => wishes::changes(&self.wanted, &self.keys, basis, &self.here)?,
            },
        });
        let asked = changes.get(asked_from..).unwrap_or_default();
        let mut plan = match Plan::new(basis, &changes, asked) {
            Ok(plan) => plan,
            // Not what is asked for now, but what was staged before may be what cannot be.
            Err(_) if changes.get(..before).is_some_and(|staged| Plan::new(basis, staged, staged).is_err()) => {
                return Err(waiting.to_blame(gun, basis, &self.here));
            }
            Err(e) => return Err(draft_failure(gun, &e)),
        };
        if let Wanted::Leave { who, .. } = &self.wanted {
            let others = wishes::others_who_leave(who, changes.get(before..).unwrap_or_default());
            plan.iter_mut().for_each(|p| p.findings.extend(others.clone()));
        }
        plan.iter_mut().for_each(|p| p.findings.extend(self.chosen.as_ref().and_then(|c| c.finding(&self.keys, &self.here))));
        // What was asked for is no surprise.
        if !matches!(self.wanted, Wanted::Publish { .. }) {
            plan.iter_mut().for_each(|p| p.findings.extend(waiting.finding(!self.only)));
        }
        Ok(plan)
    }

    /// What is staged for a repository. Where it stays staged, it need not be readable.
    pub(super) fn waiting(&self, gun: &Gun) -> Result<Waiting, Failure> {
        match self.waiting.get(gun).cloned() {
            Some(Err(failure)) if !self.only => Err(failure),
            found => Ok(found.and_then(Result::ok).unwrap_or_default()),
        }
    }

    /// Fails where nothing is staged.
    pub(super) fn something_waits(&self) -> Result<(), Failure> {
        for gun in self.wanted.guns() {
            if self.waiting(&gun)?.is_empty() {
                return Err(nothing_staged(&gun));
            }
        }
        Ok(())
    }

    /// Fails where something else is staged by now than what was accepted.
    pub(super) fn is_staged_still(&self, gun: &Gun) -> Result<(), Failure> {
        let bytes = |w: Waiting| w.0.into_iter().map(|one| (one.name, one.bytes)).collect::<Vec<_>>();
        if self.only || bytes(Waiting::read(&self.trust_dir, gun)?) == bytes(self.waiting(gun)?) {
            return Ok(());
        }
        let message = format!("{gun}: what is staged has changed since the plan was made");
        Err(Failure::new("plan-differs", message, NOTHING, "Repeat it, or leave it out with --only."))
    }

    /// Takes away what was staged and has gone out.
    pub(super) fn gone_out(&self, gun: &Gun) -> Result<(), Failure> {
        if self.only { Ok(()) } else { self.waiting(gun)?.take_away(&self.trust_dir, gun) }
    }

    /// The keys that have to be opened: all that are here of those that may sign.
    pub(super) fn needed(&self, basis: &Basis, plan: &Plan) -> Result<Vec<KeyEntry>, Failure> {
        self.needed_of(plan, self.signers_keys(basis).as_ref())
    }

    /// The same; of `theirs` only, if only theirs are to sign.
    pub(super) fn needed_of(&self, plan: &Plan, theirs: Option<&BTreeSet<KeyId>>) -> Result<Vec<KeyEntry>, Failure> {
        let mut ids = BTreeSet::new();
        let is_wanted = |id: &KeyId| theirs.is_none_or(|all| all.contains(id));
        for (role, need) in plan.needs() {
            let may: BTreeSet<KeyId> = need.keys.iter().map(PublicKey::canonical_id).collect();
            let have: Vec<KeyId> = may.iter().filter(|id| self.here.contains_key(id) && is_wanted(id)).copied().collect();
            let to_come = need.keys.iter().filter(|k| k.is_to_come().is_some()).count();
            if ((have.len() + to_come) as u64) < need.threshold {
                let error = SignError::NotEnough { role, need: need.threshold, have: have.len(), ids: may.into_iter().collect() };
                return Err(sign_failure(&plan.ground.gun, &error).instead(NOTHING));
            }
            ids.extend(have);
        }
        ids.extend(plan.snapshot.keys.iter().map(PublicKey::canonical_id).filter(|id| self.here.contains_key(id)));
        ids.extend(self.coming.iter().filter_map(Source::around).filter(|id| self.here.contains_key(id)));
        Ok(self.entries(&ids))
    }

    /// The keys of the signer who alone is to sign.
    fn signers_keys(&self, basis: &Basis) -> Option<BTreeSet<KeyId>> {
        let Wanted::Sign { signer: Some(name), .. } = &self.wanted else { return None };
        let role = RoleName::new(&signer_role(name)).ok()?;
        let keys = &basis.collection().role(&role)?.keys.keys;
        Some(keys.iter().map(PublicKey::canonical_id).collect())
    }
}
