//! What a change starts from: the repository as the server has it now, verified but for what has expired.
use super::{Ground, Plan, ground::Files};
use crate::{
    notary::{Transport, TransportError},
    repository::{LoadError, Progress, Repositories},
    trust_dir::TrustDirError,
    tuf::{
        Refusal,
        collection::{Anchor, RoleState, TrustedCollection},
        draft::{Draft, Left},
        envelope::Document,
        limits,
        name::{BaseRole, Gun, RoleName},
        request::{Request, Which},
        targets::Targets,
        update::Beside,
    },
};
use jiff::Timestamp;
use std::{collections::BTreeMap, sync::Arc};

/// What a change starts from.
pub struct Basis {
    pub(super) collection: TrustedCollection,
    pub(super) beside: Beside,
    pub(super) left: Left,
    /// What roles said last that are not there, and to which somebody wants to delegate.
    pub(super) returning: BTreeMap<RoleName, Targets>,
    /// What the server keeps of roles that no snapshot names: the highest version, 0 where it keeps nothing.
    pub(super) unnamed: BTreeMap<RoleName, u64>,
    pub(super) ground: Arc<Ground>,
}

impl Basis {
    /// The repository. What is over is in it as if it were not.
    pub fn collection(&self) -> &TrustedCollection {
        &self.collection
    }

    /// Roles whose time is over, and since when.
    pub fn overdue(&self) -> &[(RoleName, Timestamp)] {
        &self.beside.overdue
    }

    /// What changes of it stand on.
    pub fn ground(&self) -> &Arc<Ground> {
        &self.ground
    }

    /// The files that it was made from.
    pub fn files(&self) -> impl Iterator<Item = (&RoleName, &[u8])> {
        self.ground.files.iter()
    }

    /// Remembers what was read: these files, and no others. Why it could not be, if it could not.
    ///
    /// # Errors
    /// [`LoadError`]
    pub async fn remember(&self, repositories: &Repositories) -> Result<Option<TrustDirError>, LoadError> {
        let files = self.files().map(|(role, bytes)| (role.clone(), bytes.to_vec()));
        repositories.remember(&self.collection, self.ground.files.remembered.clone(), in_order(files)).await
    }

    /// What the file of a role says that does not verify.
    pub fn refused(&self, role: &RoleName) -> Option<&Targets> {
        self.beside.refused.get(role)
    }

    /// Roles that a plan writes for the first time, as far as the snapshot says, and of which nobody has asked the server yet.
    pub fn unasked(&self, plan: &Plan) -> Vec<RoleName> {
        let is_new = |role: &RoleName| self.collection.role(role).is_none_or(|r| matches!(r.state, RoleState::Unpublished));
        let is_named = |role: &RoleName| self.collection.snapshot().meta(role).is_some();
        let roles = plan.files.iter().map(|f| &f.role).filter(|r| r.is_delegation() && is_new(r) && !is_named(r));
        roles.filter(|r| !self.unnamed.contains_key(r)).cloned().collect()
    }

    /// Asks the server which versions it keeps of such roles: it takes none that is not higher, though no snapshot names them.
    ///
    /// # Errors
    /// [`LoadError`]
    pub async fn ask(&mut self, roles: Vec<RoleName>) -> Result<(), LoadError> {
        let at_most = self.collection.snapshot().version();
        for role in roles {
            let version = kept(&**self.ground.transport(), &self.ground.gun, &role, at_most).await;
            let version = version.map_err(|error| LoadError::Transport { role: role.clone(), error, fallback: None })?;
            if version > 0 {
                self.left.insert(role.clone(), version);
            }
            self.unnamed.insert(role, version);
        }
        Ok(())
    }

    /// Where changes are made.
    pub(super) fn draft(&self) -> Draft {
        Draft::new(&self.collection, &self.beside, self.left.clone(), self.ground.now)
    }
}

impl Repositories {
    /// Loads a repository that is to be changed. The server must answer, and nothing is kept. `new_roles` are those to which
    /// somebody wants to delegate: where one was there before, its versions go on.
    ///
    /// # Errors
    /// See [`LoadError`].
    pub async fn basis(
        &self,
        gun: &Gun,
        new_roles: &[RoleName],
        now: Timestamp,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Basis, LoadError> {
        let transport = self.servers().of(gun)?;
        let (collection, beside, remembered) = self.for_change(gun, now, progress).await?;
        let snapshot = collection.snapshot();
        let (mut left, mut returning) = (Left::new(), BTreeMap::new());
        for role in new_roles.iter().filter(|r| collection.role(r).is_none()) {
            let Some(hash) = snapshot.meta(role).and_then(|m| m.sha256()) else { continue };
            let request = Request { role: role.clone(), which: Which::Sha256(hash), limit: limits::METADATA };
            let failed = |error| LoadError::Transport { role: role.clone(), error, fallback: None };
            let bytes = transport.get(gun, &request).await.map_err(failed)?;
            if !snapshot.meta(role).is_some_and(|m| m.fits(&bytes)) {
                return Err(LoadError::Refused(Refusal::Checksum { role: role.clone(), named_by: BaseRole::Snapshot.into() }));
            }
            if let Ok(file) = Document::<Targets>::parse(&bytes) {
                left.insert(role.clone(), file.payload.common.version);
                returning.insert(role.clone(), file.payload);
            }
        }
        let ended = remembered.keys().filter(|role| collection.has_ended(role)).cloned().collect();
        let ground = Ground {
            gun: gun.clone(),
            ended,
            transport,
            now,
            files: Files::new(&beside.files, remembered),
            overdue: beside.overdue.clone(),
            listed: snapshot.roles().filter_map(|r| snapshot.meta(&r).cloned().map(|m| (r, m))).collect(),
            snapshot_version: snapshot.version(),
            is_first_contact: collection.anchor() == Anchor::FirstUse,
        };
        Ok(Basis { collection, beside, left, returning, unnamed: BTreeMap::new(), ground: Arc::new(ground) })
    }
}

/// Files in the order in which they are remembered: the anchor first, the timestamp last.
pub(super) fn in_order(files: impl IntoIterator<Item = (RoleName, Vec<u8>)>) -> Vec<(RoleName, Vec<u8>)> {
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_by_key(|(role, _)| match role.base() {
        Some(BaseRole::Root) => 0,
        Some(BaseRole::Snapshot) => 2,
        Some(BaseRole::Timestamp) => 3,
        _ => 1,
    });
    files
}

/// The highest version of a role's file that a server keeps though no snapshot names it. Nobody vouches for the answer; whoever
/// reads the plan sees it. As each version came with a snapshot of its own, there are not more than `at_most`.
async fn kept(transport: &dyn Transport, gun: &Gun, role: &RoleName, at_most: u64) -> Result<u64, TransportError> {
    let is_there = async |version| {
        let request = Request { role: role.clone(), which: Which::Version(version), limit: limits::METADATA };
        match transport.get(gun, &request).await {
            Ok(_) => Ok(true),
            Err(TransportError::NotThere { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    };
    // Versions follow one another: this many are there, and that many are not.
    let (mut there, mut not) = (0, 1);
    while not <= at_most && is_there(not).await? {
        (there, not) = (not, not.saturating_mul(2));
    }
    not = not.min(at_most.saturating_add(1));
    while not.saturating_sub(there) > 1 {
        let middle = there.midpoint(not);
        if is_there(middle).await? { there = middle } else { not = middle }
    }
    Ok(there)
}
