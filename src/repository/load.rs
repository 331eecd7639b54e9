//! Driving an update over a server and the metadata cache.
mod keep;
mod visit;

use super::{
    blocking,
    servers::{ServerError, Servers},
};
use crate::{
    notary::TransportError,
    trust_dir::{TrustDir, TrustDirError},
    tuf::{
        Refusal,
        collection::TrustedCollection,
        limits,
        name::{Gun, RoleName},
        pinning::Pinning,
        update::{Beside, Outcome},
    },
};
use jiff::Timestamp;
use keep::{Kept, ended, keep};
use std::{path::PathBuf, sync::Arc};
use tokio::sync::Semaphore;
use visit::Visit;

pub(super) use keep::Remembered;

/// How often a repository is verified again because what is remembered of it changed meanwhile.
const ATTEMPTS: usize = 3;
/// More writers than there can be.
const WRITERS: u32 = 1 << 16;

/// Reads repositories from one server into one trust directory.
#[derive(Clone)]
pub struct Repositories {
    servers: Servers,
    trust_dir: TrustDir,
    pinning: Arc<Pinning>,
    keep: bool,
    /// One permit for each that writes to the cache; closed when nobody may any more.
    writers: Arc<Semaphore>,
}

/// What of earlier visits is used, and what is remembered of this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The whole cache; a valid timestamp in it serves if the server does not answer. What was verified is remembered.
    Usual,
    /// As usual, but a root that is met for the first time, and everything below it, is not remembered: for repositories
    /// that somebody else has named. They are shown as they are; only who asks for one by name makes its root an anchor.
    Browse,
    /// For a change: the whole cache, but the server must answer, what has expired is taken and named, and nothing is kept.
    Change,
    /// The server must answer for every file, and nothing is kept. The remembered root is the anchor; all that is
    /// remembered besides is only held against what came.
    CleanCache,
}

/// What is being fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Whose file.
    pub role: RoleName,
    /// How many files were fetched before it.
    pub files: usize,
}

/// A verified repository.
#[derive(Debug)]
pub struct Loaded {
    /// The repository.
    pub collection: TrustedCollection,
    /// When it was verified.
    pub verified_at: Timestamp,
    /// Whether this machine remembers its root now. If not, the next contact is a first one again.
    pub root_remembered: bool,
    /// Why the cache could not be brought up to date, if it could not. The verification holds all the same.
    pub not_kept: Option<TrustDirError>,
}

/// Why a repository could not be loaded. The four situations that people confuse stay apart.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Not there.
    #[error("the server has no trust data for {0}")]
    NotThere(Gun),
    /// Not allowed, not reachable, or an answer that makes no sense.
    #[error("the {role} file could not be fetched: {error}")]
    Transport {
        /// Whose file.
        role: RoleName,
        /// Why.
        error: TransportError,
        /// Why the remembered timestamp could not serve instead, if there was one to try.
        fallback: Option<Refusal>,
    },
    /// Not trustworthy.
    #[error("{0}")]
    Refused(Refusal),
    /// The remembered root itself cannot be used.
    #[error("the remembered root in {path} cannot be used: {refusal}", path = crate::trust_dir::shown(.path))]
    RememberedRoot {
        /// Where it lies.
        path: PathBuf,
        /// What is wrong with it.
        refusal: Refusal,
    },
    /// The cache cannot be read.
    #[error("{0}")]
    Cache(#[from] TrustDirError),
    /// There is no server to ask.
    #[error(transparent)]
    NoServer(#[from] ServerError),
}

impl Repositories {
    /// Reads from `servers` with the cache of `trust_dir`. With `keep` the cache is brought up to date.
    pub fn new(servers: Servers, trust_dir: TrustDir, pinning: Pinning, keep: bool) -> Self {
        Self { servers, trust_dir, pinning: Arc::new(pinning), keep, writers: Arc::new(Semaphore::new(WRITERS as usize)) }
    }

    /// The servers.
    pub fn servers(&self) -> &Servers {
        &self.servers
    }

    /// The trust directory whose cache is used.
    pub fn trust_dir(&self) -> &TrustDir {
        &self.trust_dir
    }

    /// What the configuration pins.
    pub fn pinning(&self) -> &Pinning {
        &self.pinning
    }

    /// Waits for what is being written to the cache, and lets nothing be written from now on. To be called before a trust
    /// directory is removed: a write runs on when the future of its loading is dropped.
    pub async fn stop_keeping(&self) {
        // It is closed already if this was called before.
        let _all = self.writers.acquire_many(WRITERS).await;
        self.writers.close();
    }

    /// Loads and verifies a repository as it is at `now`. Dropping the future cancels; nothing is kept then, unless the
    /// writing had begun. Files are verified on blocking threads, one at a time: end the runtime with
    /// `shutdown_background`, or leaving waits for the one that is at work.
    ///
    /// If another program changes what is remembered meanwhile, everything is verified again over that.
    ///
    /// # Errors
    /// See [`LoadError`]. After an error the cache is as it was before.
    pub async fn load(
        &self,
        gun: &Gun,
        now: Timestamp,
        mode: Mode,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Loaded, LoadError> {
        let transport = self.servers.of(gun)?;
        for _ in 0..ATTEMPTS {
            let visit = Visit { repositories: self, transport: transport.as_ref(), gun, now, mode, progress };
            if let Some(loaded) = visit.make().await? {
                return Ok(loaded);
            }
        }
        let path = crate::trust_dir::shown(&self.trust_dir.metadata_dir(gun));
        Err(TrustDirError::Restless { path, times: ATTEMPTS }.into())
    }
}

impl Repositories {
    /// What a change starts from, with all that is not trusted beside it; and what was remembered then.
    pub(super) async fn for_change(
        &self,
        gun: &Gun,
        now: Timestamp,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<(TrustedCollection, Beside, Remembered), LoadError> {
        let transport = self.servers.of(gun)?;
        let (trust_dir, name) = (self.trust_dir.clone(), gun.clone());
        let memory: Remembered = Arc::new(blocking(move || trust_dir.remembered(&name, limits::METADATA)).await?);
        let visit = Visit { repositories: self, transport: transport.as_ref(), gun, now, mode: Mode::Change, progress };
        let Outcome { collection, beside, .. } = visit.update(memory.clone()).await?;
        Ok((collection, beside, memory))
    }

    /// Fetches all of a repository with nothing but the root among `known` for an anchor, and then holds it against all that is
    /// known: nothing may be older, or something else under the same version. What has expired is taken, and named.
    pub(super) async fn verified_again(
        &self,
        gun: &Gun,
        known: Remembered,
        now: Timestamp,
        progress: &(dyn Fn(Progress) + Send + Sync),
    ) -> Result<Outcome, LoadError> {
        let transport = self.servers.of(gun)?;
        let visit = Visit { repositories: self, transport: transport.as_ref(), gun, now, mode: Mode::Change, progress };
        visit.update_with_clean_cache(&known).await
    }

    /// Remembers files that were verified, if what is remembered is still what it was `before`: another program that was here
    /// meanwhile has remembered something as new. Why they could not be written, if that was tried.
    pub(super) async fn remember(
        &self,
        collection: &TrustedCollection,
        before: Remembered,
        mut files: Vec<(RoleName, Vec<u8>)>,
    ) -> Result<Option<TrustDirError>, LoadError> {
        if !self.keep {
            return Ok(None);
        }
        let (trust_dir, gun) = (self.trust_dir.clone(), collection.gun().clone());
        let ended = ended(collection, &before);
        files.retain(|(role, _)| !collection.has_ended(role));
        let permit = self.writers.clone().acquire_owned().await.ok();
        let kept = blocking(move || {
            let _permit = permit;
            keep(&trust_dir, &gun, &before, files, &ended)
        });
        Ok(match kept.await? {
            Kept::Done | Kept::Elsewise => None,
            Kept::Failed(why) => Some(why),
        })
    }
}
