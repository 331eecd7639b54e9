//! Driving an update over a server and the metadata cache.
use super::{
    blocking,
    servers::{ServerError, Servers},
};
use crate::{
    notary::{Transport, TransportError},
    trust_dir::{TrustDir, TrustDirError},
    tuf::{
        Refusal,
        collection::{Anchor, TrustedCollection},
        limits,
        name::{BaseRole, Gun, RoleName},
        pinning::Pinning,
        request::{Request, Which},
        update::{Beside, Outcome, Reply, Step, Update},
    },
};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, HashMap},
    path::PathBuf,
    sync::Arc,
};
use tokio::sync::Semaphore;

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
        let Outcome { collection, beside, .. } = visit.update(memory.clone(), &mut Replies::default()).await?;
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

    /// Remembers files that were verified, if what is remembered is still what it was `before`. What could not be written is
    /// fetched again by whoever reads next.
    pub(super) async fn remember(
        &self,
        collection: &TrustedCollection,
        before: Remembered,
        mut files: Vec<(RoleName, Vec<u8>)>,
    ) -> Result<(), LoadError> {
        if self.keep {
            let (trust_dir, gun) = (self.trust_dir.clone(), collection.gun().clone());
            let ended = ended(collection, &before);
            files.retain(|(role, _)| !collection.has_ended(role));
            blocking(move || keep(&trust_dir, &gun, &before, files, &ended)).await?;
        }
        Ok(())
    }
}

/// What is remembered of a repository.
pub(super) type Remembered = Arc<BTreeMap<RoleName, Vec<u8>>>;

/// One attempt to load a repository.
struct Visit<'a> {
    repositories: &'a Repositories,
    transport: &'a dyn Transport,
    gun: &'a Gun,
    now: Timestamp,
    mode: Mode,
    progress: &'a (dyn Fn(Progress) + Send + Sync),
}

impl Visit<'_> {
    /// Loads; none if what is remembered has changed meanwhile.
    async fn make(&self) -> Result<Option<Loaded>, LoadError> {
        let (trust_dir, gun) = (self.repositories.trust_dir.clone(), self.gun.clone());
        let memory: Remembered = Arc::new(blocking(move || trust_dir.remembered(&gun, limits::METADATA)).await?);
        let outcome = match self.mode {
            Mode::Usual | Mode::Browse | Mode::Change => self.update(memory.clone(), &mut Replies::default()).await?,
            Mode::CleanCache => self.update_with_clean_cache(&memory).await?,
        };
        let Outcome { collection, fetched, .. } = outcome;
        let root: RoleName = BaseRole::Root.into();
        let known = memory.contains_key(&root);
        let may_keep = match self.mode {
            Mode::Usual => true,
            Mode::Browse => collection.anchor() != Anchor::FirstUse,
            Mode::CleanCache | Mode::Change => false,
        };
        let permit = match self.repositories.keep && may_keep {
            true => self.repositories.writers.clone().acquire_owned().await.ok(),
            false => None,
        };
        let (kept, ended) = if permit.is_some() { (fetched, ended(&collection, &memory)) } else { Default::default() };
        let brings_root = kept.iter().any(|(role, _)| *role == root);
        let (trust_dir, gun) = (self.repositories.trust_dir.clone(), self.gun.clone());
        let not_kept = match blocking(move || {
            let _permit = permit;
            keep(&trust_dir, &gun, &memory, kept, &ended)
        })
        .await?
        {
            Kept::Elsewise => return Ok(None),
            Kept::Done => None,
            Kept::Failed(why) => Some(why),
        };
        let root_remembered = known || (brings_root && not_kept.is_none());
        Ok(Some(Loaded { collection, verified_at: self.now, root_remembered, not_kept }))
    }

    /// One update over what is remembered. `replies` are given instead of asking the server, and collect what it says.
    async fn update(&self, memory: Remembered, replies: &mut Replies) -> Result<Outcome, LoadError> {
        let path = self.repositories.trust_dir.metadata_path(self.gun, &BaseRole::Root.into());
        let known = memory.contains_key(&BaseRole::Root.into());
        let update = Update::new(self.gun.clone(), self.now, (*self.repositories.pinning).clone(), memory);
        let update = if self.mode == Mode::Change { update.for_change() } else { update };
        let (mut update, step) = advance(update, Update::start).await;
        let mut step = step.map_err(|refusal| match known {
            true => LoadError::RememberedRoot { path, refusal },
            false => LoadError::Refused(refusal),
        })?;
        let mut files = 0;
        loop {
            let request = match step {
                Step::Done(outcome) => return Ok(*outcome),
                Step::Fetch(request) => request,
            };
            (self.progress)(Progress { role: request.role.clone(), files });
            files += 1;
            let answer = match replies.replay(&request) {
                Some(bytes) => Ok(bytes),
                None => self.transport.get(self.gun, &request).await,
            };
            let reply = match answer {
                Ok(bytes) => {
                    replies.note(&request, &bytes);
                    Reply::Bytes(bytes)
                }
                Err(TransportError::NotThere { .. }) => Reply::NotThere,
                Err(TransportError::TooLarge { .. }) => Reply::TooLong,
                Err(error) => {
                    (update, step) = self.without_server(update, request.role, error).await?;
                    continue;
                }
            };
            let (back, next) = advance(update, move |u| u.give(reply)).await;
            update = back;
            step = next.map_err(|refusal| match refusal {
                Refusal::Missing { role } if asks_whether_it_is_there(&role, &request) => LoadError::NotThere(self.gun.clone()),
                refusal => LoadError::Refused(refusal),
            })?;
        }
    }

    /// Goes on with the remembered timestamp, if it may serve for a server that failed like this.
    async fn without_server(&self, update: Update, role: RoleName, error: TransportError) -> Result<(Update, Step), LoadError> {
        let may_serve =
            !matches!(self.mode, Mode::CleanCache | Mode::Change) && error.is_server_away() && update.wants_timestamp();
        if !may_serve {
            return Err(LoadError::Transport { role, error, fallback: None });
        }
        let (update, step) = advance(update, Update::use_remembered_timestamp).await;
        match step {
            Ok(step) => Ok((update, step)),
            Err(why) => {
                let fallback = if matches!(why, Refusal::Missing { .. }) { None } else { Some(why) };
                Err(LoadError::Transport { role, error, fallback })
            }
        }
    }

    /// Has everything from the server, with nothing but the root for an anchor; then walks the same road again over all
    /// that is remembered, so that what is older than that, or something else under the same version, is refused.
    async fn update_with_clean_cache(&self, memory: &Remembered) -> Result<Outcome, LoadError> {
        let root: RoleName = BaseRole::Root.into();
        let anchor: BTreeMap<_, _> = memory.get_key_value(&root).map(|(r, b)| (r.clone(), b.clone())).into_iter().collect();
        let nothing_more = anchor.len() == memory.len();
        let mut replies = if nothing_more { Replies::Live } else { Replies::Noted(HashMap::new()) };
        let clean = self.update(Arc::new(anchor), &mut replies).await?;
        if nothing_more {
            return Ok(clean);
        }
        // A role that was refused is asked for again, and not taken from the cache.
        let mut memory = BTreeMap::clone(memory);
        clean.collection.refused().for_each(|(role, _)| drop(memory.remove(role)));
        self.update(Arc::new(memory), &mut replies.again()).await
    }
}

/// Whether a missing root means that there is no such repository.
fn asks_whether_it_is_there(missing: &RoleName, request: &Request) -> bool {
    let root: RoleName = BaseRole::Root.into();
    *missing == root && request.role == root && request.which == Which::Current
}

/// Moves an update on, off the threads that must stay awake: a file may be large, and made to be slow to verify.
async fn advance(
    mut update: Update,
    how: impl FnOnce(&mut Update) -> Result<Step, Refusal> + Send + 'static,
) -> (Update, Result<Step, Refusal>) {
    blocking(move || {
        let step = how(&mut update);
        (update, step)
    })
    .await
}

/// What a server has said, so that the same can be walked through again without asking it.
#[derive(Default)]
enum Replies {
    /// Not noted.
    #[default]
    Live,
    /// Noted.
    Noted(HashMap<(RoleName, Which), Vec<u8>>),
    /// Given instead of asking; what was not noted is asked.
    Replayed(HashMap<(RoleName, Which), Vec<u8>>),
}

impl Replies {
    /// The answer to give, if it is short enough for this question.
    fn replay(&self, request: &Request) -> Option<Vec<u8>> {
        let Self::Replayed(files) = self else { return None };
        let bytes = files.get(&(request.role.clone(), request.which.clone()))?;
        (bytes.len() as u64 <= request.limit).then(|| bytes.clone())
    }

    fn note(&mut self, request: &Request, bytes: &[u8]) {
        if let Self::Noted(files) = self {
            files.insert((request.role.clone(), request.which.clone()), bytes.to_vec());
        }
    }

    fn again(self) -> Self {
        match self {
            Self::Noted(files) => Self::Replayed(files),
            other => other,
        }
    }
}

/// What became of remembering.
enum Kept {
    /// Everything that was to be kept is.
    Done,
    /// Not what was verified over is remembered now.
    Elsewise,
    /// It could not be written.
    Failed(TrustDirError),
}

/// Roles that are remembered and to which nobody delegates any more: should one come back, it begins anew.
fn ended(collection: &TrustedCollection, remembered: &Remembered) -> Vec<RoleName> {
    remembered.keys().filter(|role| collection.has_ended(role)).cloned().collect()
}

/// Stores what was fetched, and forgets roles that have ended, if the cache still holds what it was verified over.
fn keep(
    trust_dir: &TrustDir,
    gun: &Gun,
    before: &BTreeMap<RoleName, Vec<u8>>,
    fetched: Vec<(RoleName, Vec<u8>)>,
    ended: &[RoleName],
) -> Result<Kept, TrustDirError> {
    // What is there already need not be written again: a timestamp is fetched every time and seldom new.
    let news = fetched.into_iter().filter(|(role, bytes)| before.get(role) != Some(bytes));
    let (roots, others): (Vec<_>, Vec<_>) = news.partition(|(role, _)| role.base() == Some(BaseRole::Root));
    let unchanged = || trust_dir.remembered(gun, limits::METADATA).map(|now| now == *before);
    if roots.is_empty() && others.is_empty() && ended.is_empty() {
        return Ok(if unchanged()? { Kept::Done } else { Kept::Elsewise });
    }
    let mut writer = match trust_dir.write() {
        Ok(writer) => writer,
        // Nobody can write here, or somebody else is writing.
        Err(why) => return Ok(if unchanged()? { Kept::Failed(why) } else { Kept::Elsewise }),
    };
    if !unchanged()? {
        return Ok(Kept::Elsewise);
    }
    let written = roots.iter().try_for_each(|(role, bytes)| writer.put_metadata(gun, role, bytes)).and_then(|()| {
        // The root is the anchor and waits for the disk. The rest is verified each time it is read, and fetched again
        // if a power cut took it.
        let mut writer = writer.without_waiting_for_the_disk();
        others.iter().try_for_each(|(role, bytes)| writer.put_metadata(gun, role, bytes))?;
        ended.iter().try_for_each(|role| writer.forget_role(gun, role))
    });
    Ok(written.map_or_else(Kept::Failed, |()| Kept::Done))
}
