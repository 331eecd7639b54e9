//! Publishing, and seeing with an empty cache that it is so.
use super::{Signed, basis::in_order};
use crate::{
    notary::PublishError,
    repository::{LoadError, Progress, Repositories},
    trust_dir::TrustDirError,
    tuf::{
        Refusal,
        name::{BaseRole, RoleName},
    },
};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeMap, sync::Arc};

/// Why something was not published.
#[derive(Debug, thiserror::Error)]
pub enum NotPublished {
    /// Somebody else has published meanwhile: the plan must be made again.
    #[error("somebody else has published meanwhile")]
    Conflict,
    /// It was not.
    #[error("{0}")]
    Refused(PublishError),
    /// The server did not say whether it took it, and does not have it now.
    #[error("{0}")]
    NotThere(PublishError),
    /// It may have been, and a look did not tell.
    #[error("{0}")]
    Unknown(PublishError),
    /// It may have been, and somebody has published this role since: only what is there now tells.
    #[error("whether the server took it is not known, and somebody has published {0} since")]
    Since(RoleName),
}

/// What the server took and does not give back as it was published.
#[derive(Debug, thiserror::Error)]
pub enum Unproven {
    /// It could not be verified.
    #[error("{0}")]
    Load(#[from] LoadError),
    /// A role is not what was published.
    #[error("the server gives another {0} file than the one that was published")]
    Other(RoleName),
    /// A role that held before, and was to hold, does not.
    #[error("{0} held before, and does not hold now: {1}")]
    Broken(RoleName, String),
    /// A role has a higher version than was published: whether that was built on ours, only its content tells.
    #[error("somebody has published {0} since, and what was wanted is not in it")]
    Since(RoleName),
}

impl Signed {
    /// Sends it to the server. Where the answer leaves it open whether it was taken, that is looked up.
    ///
    /// # Errors
    /// [`NotPublished`]
    pub async fn publish(&self, repositories: &Repositories) -> Result<(), NotPublished> {
        match self.ground.transport.publish(&self.ground.gun, &self.files).await {
            Ok(()) => Ok(()),
            // Whatever repeats a request on the way gets this for what it has sent before.
            Err(error @ PublishError::Conflict) => match self.verify(repositories, &|_| {}).await {
                Ok(_) => Ok(()),
                Err(Unproven::Other(_)) => Err(NotPublished::Conflict),
                Err(Unproven::Since(role)) => Err(NotPublished::Since(role)),
                Err(Unproven::Load(_) | Unproven::Broken(..)) => Err(NotPublished::Unknown(error)),
            },
            Err(error @ PublishError::Uncertain(_)) => match self.verify(repositories, &|_| {}).await {
                Ok(_) => Ok(()),
                Err(Unproven::Other(_)) => Err(NotPublished::NotThere(error)),
                Err(Unproven::Broken(..)) => Err(NotPublished::Unknown(error)),
                Err(Unproven::Since(role)) => Err(NotPublished::Since(role)),
                Err(Unproven::Load(_)) => Err(NotPublished::Unknown(error)),
            },
            Err(error) => Err(NotPublished::Refused(error)),
        }
    }

    /// Fetches everything with nothing but the root that was trusted before, holds it against all that was seen before, and then
    /// against what was published. Only then it is remembered; why it could not be, if it could not.
    ///
    /// # Errors
    /// [`Unproven`]
    pub async fn verify(
        &self,
        repositories: &Repositories,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Option<TrustDirError>, Unproven> {
        let mut known = self.ground.files.known(&self.ground.ended);
        if known.is_empty() {
            // Of a repository that begins, the root that was made here is the anchor.
            known.extend(self.files.iter().filter(|(role, _)| role.base() == Some(BaseRole::Root)).cloned());
        }
        let known = Arc::new(known);
        let seen = repositories.verified_again(&self.ground.gun, known.clone(), Timestamp::now(), progress).await?;
        let c = &seen.collection;
        for (role, at) in &seen.beside.overdue {
            // What was over before and is not part of this is as it was.
            if !self.ground.overdue.iter().any(|(r, _)| r == role) {
                return Err(LoadError::Refused(Refusal::Expired { role: role.clone(), at: *at }).into());
            }
        }
        if let Some((role, why)) = c.refused().find(|(role, _)| self.must_hold.contains(*role)) {
            return Err(Unproven::Broken(role.clone(), why.to_string()));
        }
        for (role, bytes) in &self.files {
            let digest: [u8; 32] = Sha256::digest(bytes).into();
            let found = match role.base() {
                Some(BaseRole::Root) => Some((c.root().version(), c.root().sha256())),
                Some(BaseRole::Snapshot) => Some((c.snapshot().version(), c.snapshot().sha256())),
                _ => c.role(role).and_then(|r| r.verified()).map(|v| (v.version(), v.sha256())),
            };
            match found {
                Some((_, sha256)) if sha256 == digest => {}
                Some((version, _)) if Some(version) > version_of(bytes) => {
                    // A file that was only signed again, or says only which files belong together, is signed again by now.
                    if !self.only_again.contains(role) && role.base() != Some(BaseRole::Snapshot) {
                        return Err(Unproven::Since(role.clone()));
                    }
                }
                _ => return Err(Unproven::Other(role.clone())),
            }
        }
        let mut files = BTreeMap::clone(&known);
        files.extend(seen.fetched);
        Ok(repositories.remember(c, self.ground.files.remembered.clone(), in_order(files)).await?)
    }
}

pub(super) fn version_of(bytes: &[u8]) -> Option<u64> {
    let file: serde_json::Value = serde_json::from_slice(bytes).ok()?;
    file.get("signed")?.get("version")?.as_u64()
}
