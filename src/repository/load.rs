//! Driving an update over a server and the metadata cache.
use super::servers::{ServerError, Servers};
use crate::{
    notary::{Transport, TransportError},
    trust_dir::{TrustDir, TrustDirError},
    tuf::{
        Refusal,
        collection::TrustedCollection,
        limits,
        name::{BaseRole, Gun, RoleName},
        pinning::Pinning,
        request::Request,
        update::{Outcome, Reply, Step, Update},
    },
};
use jiff::Timestamp;
use std::{collections::BTreeMap, path::PathBuf, sync::Arc};
use tokio::sync::Semaphore;

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

/// What of earlier visits is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The whole cache; a valid timestamp in it serves if the server does not answer.
    Usual,
    /// Only the remembered root; the server must answer, and nothing is kept.
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

    /// Waits for what is being written to the cache, and lets nothing be written from now on. To be called before a trust
    /// directory is removed: a write runs on when the future of its loading is dropped.
    pub async fn stop_keeping(&self) {
        // It is closed already if this was called before.
        let _all = self.writers.acquire_many(WRITERS).await;
        self.writers.close();
    }

    /// Loads and verifies a repository as it is at `now`. Dropping the future cancels; nothing is kept then.
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
        let cache = self.read_cache(gun, mode)?;
        let remembered = cache.contains_key(&BaseRole::Root.into());
        let mut update = Update::new(gun.clone(), now, (*self.pinning).clone(), cache);
        let mut step = update.start().map_err(|refusal| match remembered {
            true => LoadError::RememberedRoot { path: self.trust_dir.metadata_path(gun, &BaseRole::Root.into()), refusal },
            false => LoadError::Refused(refusal),
        })?;
        let mut files = 0;
        let outcome = loop {
            let request = match step {
                Step::Done(outcome) => break *outcome,
                Step::Fetch(request) => request,
            };
            progress(Progress { role: request.role.clone(), files });
            step = self.fetch(transport.as_ref(), gun, &request, &mut update, mode).await?;
            files += 1;
        };
        let Outcome { collection, fetched } = outcome;
        let not_kept = if self.keep && mode == Mode::Usual { self.keep(gun, fetched).await.err() } else { None };
        Ok(Loaded { collection, verified_at: now, not_kept })
    }

    async fn fetch(
        &self,
        transport: &dyn Transport,
        gun: &Gun,
        request: &Request,
        update: &mut Update,
        mode: Mode,
    ) -> Result<Step, LoadError> {
        let reply = match transport.get(gun, request).await {
            Ok(bytes) => Reply::Bytes(bytes),
            Err(TransportError::NotThere { .. }) => Reply::NotThere,
            Err(TransportError::TooLarge { .. }) => Reply::TooLong,
            Err(error) => {
                let may_serve = mode == Mode::Usual && error.is_server_away() && update.wants_timestamp();
                let role = request.role.clone();
                if !may_serve {
                    return Err(LoadError::Transport { role, error, fallback: None });
                }
                return update.use_remembered_timestamp().map_err(|why| {
                    let fallback = if matches!(why, Refusal::Missing { .. }) { None } else { Some(why) };
                    LoadError::Transport { role, error, fallback }
                });
            }
        };
        let root: RoleName = BaseRole::Root.into();
        update.give(reply).map_err(|refusal| match refusal {
            Refusal::Missing { role }
                if role == root && request.role == root && request.which == crate::tuf::request::Which::Current =>
            {
                LoadError::NotThere(gun.clone())
            }
            refusal => LoadError::Refused(refusal),
        })
    }

    fn read_cache(&self, gun: &Gun, mode: Mode) -> Result<BTreeMap<RoleName, Vec<u8>>, TrustDirError> {
        let roles = match mode {
            Mode::Usual => self.trust_dir.cached_roles(gun),
            Mode::CleanCache => vec![BaseRole::Root.into()],
        };
        let mut cache = BTreeMap::new();
        for role in roles {
            match self.trust_dir.read_metadata(gun, &role, limits::METADATA) {
                Ok(Some(bytes)) => drop(cache.insert(role, bytes)),
                Ok(None) => {}
                // Without its root the cache anchors nothing, and to go on would mean to trust whatever comes.
                Err(e) if role.base() == Some(BaseRole::Root) => return Err(e),
                Err(_) => {}
            }
        }
        Ok(cache)
    }

    async fn keep(&self, gun: &Gun, fetched: Vec<(RoleName, Vec<u8>)>) -> Result<(), TrustDirError> {
        if fetched.is_empty() {
            return Ok(());
        }
        let Ok(permit) = self.writers.clone().acquire_owned().await else { return Ok(()) };
        let (trust_dir, gun) = (self.trust_dir.clone(), gun.clone());
        let written = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            // What is there already need not be written again: a timestamp is fetched every time and seldom new.
            let news = fetched.into_iter().filter(|(role, bytes)| {
                !matches!(trust_dir.read_metadata(&gun, role, limits::METADATA), Ok(Some(kept)) if kept == *bytes)
            });
            let (roots, others): (Vec<_>, Vec<_>) = news.partition(|(role, _)| role.base() == Some(BaseRole::Root));
            if roots.is_empty() && others.is_empty() {
                return Ok(());
            }
            let mut writer = trust_dir.write()?;
            roots.iter().try_for_each(|(role, bytes)| writer.put_metadata(&gun, role, bytes))?;
            // The root is the anchor and waits for the disk. The rest is verified each time it is read, and fetched again
            // if a power cut took it.
            let mut writer = writer.without_waiting_for_the_disk();
            others.iter().try_for_each(|(role, bytes)| writer.put_metadata(&gun, role, bytes))
        });
        written.await.unwrap_or(Ok(()))
    }
}
