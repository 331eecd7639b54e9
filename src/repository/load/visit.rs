//! One attempt: asking the server what an update wants to know, and remembering what was verified.
use super::{
    LoadError, Loaded, Mode, Progress, Repositories,
    keep::{Kept, Remembered, ended, keep},
};
use crate::{
    notary::{Transport, TransportError},
    repository::blocking,
    tuf::{
        Refusal,
        collection::Anchor,
        limits,
        name::{BaseRole, Gun, RoleName},
        request::{Request, Which},
        update::{Outcome, Reply, Step, Update},
    },
};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

/// One attempt to load a repository.
pub(super) struct Visit<'a> {
    pub(super) repositories: &'a Repositories,
    pub(super) transport: &'a dyn Transport,
    pub(super) gun: &'a Gun,
    pub(super) now: Timestamp,
    pub(super) mode: Mode,
    pub(super) progress: &'a (dyn Fn(Progress) + Send + Sync),
}

impl Visit<'_> {
    /// Loads; none if what is remembered has changed meanwhile.
    pub(super) async fn make(&self) -> Result<Option<Loaded>, LoadError> {
        let (trust_dir, gun) = (self.repositories.trust_dir.clone(), self.gun.clone());
        let memory: Remembered = Arc::new(blocking(move || trust_dir.remembered(&gun, limits::METADATA)).await?);
        let outcome = match self.mode {
            Mode::Usual | Mode::Browse | Mode::Change => self.update(memory.clone()).await?,
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

    /// One update over what is remembered.
    pub(super) async fn update(&self, memory: Remembered) -> Result<Outcome, LoadError> {
        self.update_with(memory, BTreeSet::new(), &mut Replies::default()).await
    }

    /// The same; the server is asked for some roles even where what it names is remembered. `replies` are given instead of
    /// asking it, and collect what it says.
    async fn update_with(
        &self,
        memory: Remembered,
        asked_for: BTreeSet<RoleName>,
        replies: &mut Replies,
    ) -> Result<Outcome, LoadError> {
        let path = self.repositories.trust_dir.metadata_path(self.gun, &BaseRole::Root.into());
        let known = memory.contains_key(&BaseRole::Root.into());
        let update = Update::new(self.gun.clone(), self.now, (*self.repositories.pinning).clone(), memory).asking_for(asked_for);
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
    pub(super) async fn update_with_clean_cache(&self, memory: &Remembered) -> Result<Outcome, LoadError> {
        let root: RoleName = BaseRole::Root.into();
        let anchor: BTreeMap<_, _> = memory.get_key_value(&root).map(|(r, b)| (r.clone(), b.clone())).into_iter().collect();
        let nothing_more = anchor.len() == memory.len();
        let mut replies = if nothing_more { Replies::Live } else { Replies::Noted(HashMap::new()) };
        let clean = self.update_with(Arc::new(anchor), BTreeSet::new(), &mut replies).await?;
        if nothing_more {
            return Ok(clean);
        }
        // A role that was refused is asked for again, and not taken from the cache; what comes then must not be older.
        let refused = clean.collection.refused().map(|(role, _)| role.clone()).collect();
        self.update_with(memory.clone(), refused, &mut replies.again()).await
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
