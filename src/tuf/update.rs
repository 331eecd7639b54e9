//! The client update of protocol 9 as a state machine: it is given bytes and a time, asks for files, and ends in a
//! [`TrustedCollection`] or a [`Refusal`]. It does no I/O; whoever drives it may fetch as it likes.
//!
//! The road: a trusted root (pinned, remembered or met now), then timestamp, snapshot, `targets` and delegations. If
//! anything on it fails, the newest root is fetched, followed version by version if its keys changed, and the road is
//! walked once more. Differences from Notary, all on the strict side but the last:
//!
//! * the same version with other bytes than before is refused, not only a lower one;
//! * steps of a root walk must have exactly the version that was asked for, and their number is bounded;
//! * pins apply to a remembered root too;
//! * a delegation whose file is remembered may not vanish from the snapshot;
//! * a delegation that is refused for any reason loses itself and what is below it, not the whole repository;
//! * a remembered root whose file or certificate has expired still leads to its successors.
mod roles;
mod roots;

use super::{
    collection::{Anchor, Freshness, Role, TrustedCollection},
    file_meta::FileMeta,
    limits,
    listing::{Snapshot, TimestampFile},
    name::{BaseRole, Gun, RoleName},
    paths::Paths,
    pinning::Pinning,
    refusal::Refusal,
    request::{Request, Which},
    root::Root,
    root_trust::{Judge, TrustedRoot},
    targets::Targets,
    verified::{self, Verified},
};
use jiff::Timestamp;
use roles::Waiting;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

/// What is wanted next.
#[derive(Debug)]
pub enum Step {
    /// A file from the server.
    Fetch(Request),
    /// Nothing more.
    Done(Box<Outcome>),
}

/// The end of an update that succeeded.
#[derive(Debug)]
pub struct Outcome {
    /// The repository.
    pub collection: TrustedCollection,
    /// Files that were fetched and verified, in the order in which a cache should store them: root first, timestamp last.
    pub fetched: Vec<(RoleName, Vec<u8>)>,
    /// What else a change of the repository starts from; empty unless the update was [`Update::for_change`].
    pub beside: Beside,
}

/// What somebody who changes a repository must know beside what is trusted.
#[derive(Debug, Clone, Default)]
pub struct Beside {
    /// Roles that would hold but for their time, and when that was over. They are in the collection as if it were not.
    pub overdue: Vec<(RoleName, Timestamp)>,
    /// What the files of refused delegations say, where they are what the snapshot names. Nobody vouches for it.
    pub refused: BTreeMap<RoleName, Targets>,
    /// The files that the collection was made from.
    pub files: BTreeMap<RoleName, Vec<u8>>,
}

/// What the server had to say.
#[derive(Debug)]
pub enum Reply {
    /// The file.
    Bytes(Vec<u8>),
    /// It has no such file.
    NotThere,
    /// It has more bytes than were asked for.
    TooLong,
}

/// One update of one repository.
pub struct Update {
    gun: Gun,
    now: Timestamp,
    pinning: Pinning,
    cache: Arc<BTreeMap<RoleName, Vec<u8>>>,
    /// Roles that must come from the server; what is kept of them is only a floor.
    asked_for: BTreeSet<RoleName>,
    root: Option<TrustedRoot>,
    remembered: bool,
    freshness: Freshness,
    phase: Phase,
    /// Why the first attempt failed; set once the newest root was asked for.
    first_failure: Option<Refusal>,
    timestamp: Option<Verified<TimestampFile>>,
    snapshot: Option<Verified<Snapshot>>,
    waiting: VecDeque<Waiting>,
    /// How many roles are below each that `targets` delegates to.
    below: BTreeMap<RoleName, usize>,
    roles: Vec<Role>,
    fetched: BTreeMap<RoleName, Vec<u8>>,
    /// Set for an update from which the repository is to be changed.
    beside: Option<Beside>,
}

enum Phase {
    Start,
    FirstRoot,
    Timestamp,
    Snapshot,
    Roles,
    NewestRoot,
    RootStep { walker: Box<TrustedRoot>, next: u64, newest: Vec<u8>, newest_version: u64 },
}

fn role(base: BaseRole) -> RoleName {
    base.into()
}

impl Update {
    /// Starts an update. `cache` holds the files kept from earlier updates, verbatim; an empty one means first contact.
    /// For a clean-cache verification give only the root.
    pub fn new(gun: Gun, now: Timestamp, pinning: Pinning, cache: impl Into<Arc<BTreeMap<RoleName, Vec<u8>>>>) -> Self {
        Self {
            gun,
            now,
            pinning,
            cache: cache.into(),
            asked_for: BTreeSet::new(),
            root: None,
            remembered: false,
            freshness: Freshness::Live,
            phase: Phase::Start,
            first_failure: None,
            timestamp: None,
            snapshot: None,
            waiting: VecDeque::new(),
            below: BTreeMap::new(),
            roles: Vec::new(),
            fetched: BTreeMap::new(),
            beside: None,
        }
    }

    /// The same with files that must come from the server: what is kept of them is only what they must not fall behind.
    #[must_use]
    pub fn asking_for(self, asked_for: BTreeSet<RoleName>) -> Self {
        Self { asked_for, ..self }
    }

    /// The same for somebody who will change the repository: root, snapshot, `targets` and delegations whose time is over are
    /// taken, and named in [`Beside::overdue`]. A timestamp that is over is not: the server makes a new one for whoever asks.
    #[must_use]
    pub fn for_change(self) -> Self {
        Self { beside: Some(Beside::default()), ..self }
    }

    /// Whether a role holds; for somebody who will change the repository, but for its time.
    fn but_for_time(&mut self, result: Result<(), Refusal>) -> Result<(), Refusal> {
        match (result, &mut self.beside) {
            (Err(Refusal::Expired { role, at }), Some(beside)) => {
                beside.overdue.retain(|(r, _)| *r != role);
                beside.overdue.push((role, at));
                Ok(())
            }
            (result, _) => result,
        }
    }

    fn note_file(&mut self, role: &RoleName, bytes: &[u8]) {
        if let Some(beside) = &mut self.beside {
            beside.files.insert(role.clone(), bytes.to_vec());
        }
    }

    /// The first step.
    pub fn start(&mut self) -> Result<Step, Refusal> {
        match self.cache.get(&role(BaseRole::Root)) {
            None => {
                self.phase = Phase::FirstRoot;
                Ok(fetch(BaseRole::Root, Which::Current, limits::METADATA))
            }
            Some(bytes) => {
                let document = verified::parse::<Root>(&role(BaseRole::Root), bytes)?;
                let anchor = Judge { gun: &self.gun, previous: None, rule: None, now: None }.judge(document)?;
                self.remembered = true;
                let judge = Judge {
                    gun: &self.gun,
                    previous: Some(&anchor),
                    rule: Some(self.pinning.rule(&self.gun)),
                    now: Some(self.now),
                };
                let usable = self.but_for_time(judge.judge_again(&anchor));
                self.root = Some(anchor);
                match usable {
                    Ok(()) => self.begin_road(),
                    Err(why) => self.ask_newest_root(why),
                }
            }
        }
    }

    /// The answer to the last [`Step::Fetch`].
    pub fn give(&mut self, reply: Reply) -> Result<Step, Refusal> {
        let result = match std::mem::replace(&mut self.phase, Phase::Start) {
            // A step was given without having been asked for: ask again from the start.
            Phase::Start => return self.start(),
            Phase::FirstRoot => return self.first_root(reply),
            Phase::NewestRoot => return self.newest_root(reply),
            Phase::RootStep { walker, next, newest, newest_version } => {
                return self.root_step(reply, &walker, next, newest, newest_version);
            }
            Phase::Timestamp => self.take_timestamp(reply),
            Phase::Snapshot => self.take_snapshot(reply),
            Phase::Roles => self.take_role(reply),
        };
        match result {
            Err(why) if self.first_failure.is_none() => self.ask_newest_root(why),
            other => other,
        }
    }

    /// Goes on with the timestamp of an earlier update because the server does not answer (protocol 9.5). It must still
    /// be valid. Only after a [`Step::Fetch`] of the timestamp.
    pub fn use_remembered_timestamp(&mut self) -> Result<Step, Refusal> {
        let timestamp = role(BaseRole::Timestamp);
        let missing = Refusal::Missing { role: timestamp.clone() };
        let bytes = self.cache.get(&timestamp).cloned().ok_or(missing)?;
        let file: Verified<TimestampFile> = self.check(BaseRole::Timestamp, &bytes)?;
        file.check_fresh(&timestamp, self.now)?;
        self.freshness = Freshness::Cached;
        self.timestamp = Some(file);
        self.begin_snapshot()
    }

    /// Whether the last [`Step::Fetch`] was for the timestamp.
    pub fn wants_timestamp(&self) -> bool {
        matches!(self.phase, Phase::Timestamp)
    }

    /// Forgets what a failed attempt brought, but for the root.
    fn begin_road(&mut self) -> Result<Step, Refusal> {
        (self.timestamp, self.snapshot) = (None, None);
        self.waiting.clear();
        self.below.clear();
        self.roles.clear();
        if let Some(beside) = &mut self.beside {
            *beside = Beside::default();
        }
        self.fetched.retain(|r, _| r.base() == Some(BaseRole::Root));
        self.phase = Phase::Timestamp;
        Ok(fetch(BaseRole::Timestamp, Which::Current, limits::TIMESTAMP))
    }

    fn root(&self) -> Result<&TrustedRoot, Refusal> {
        self.root.as_ref().ok_or(Refusal::Missing { role: role(BaseRole::Root) })
    }

    /// Verifies a timestamp or snapshot against the root. Time plays no part.
    fn check<T: super::envelope::Payload>(&self, base: BaseRole, bytes: &[u8]) -> Result<Verified<T>, Refusal> {
        let name = role(base);
        let keys = self.root()?.root().keys_of(base).map_err(|why| Refusal::Malformed { role: name.clone(), why })?;
        Verified::check(verified::parse(&name, bytes)?, &name, &keys)
    }

    /// Refuses a timestamp or snapshot that is older than, or under the same version different from, the remembered one.
    fn not_older<T: super::envelope::Payload>(&self, base: BaseRole, bytes: &[u8], got: &Verified<T>) -> Result<(), Refusal> {
        // What is remembered may be this very file; then there is nothing to compare.
        let kept = self.cache.get(&role(base)).filter(|kept| kept.as_slice() != bytes);
        match kept.and_then(|kept| self.check::<T>(base, kept).ok()) {
            Some(seen) => not_older(&role(base), &seen, got),
            None => Ok(()),
        }
    }

    fn take_timestamp(&mut self, reply: Reply) -> Result<Step, Refusal> {
        let name = role(BaseRole::Timestamp);
        let bytes = bytes_of(reply, BaseRole::Timestamp, limits::TIMESTAMP)?;
        let file: Verified<TimestampFile> = self.check(BaseRole::Timestamp, &bytes)?;
        self.not_older(BaseRole::Timestamp, &bytes, &file)?;
        file.check_fresh(&name, self.now)?;
        self.timestamp = Some(file);
        self.note_file(&name, &bytes);
        self.fetched.insert(name, bytes);
        self.begin_snapshot()
    }

    fn begin_snapshot(&mut self) -> Result<Step, Refusal> {
        let name = role(BaseRole::Snapshot);
        let Some(meta) = self.timestamp.as_ref().map(|t| t.snapshot().clone()) else {
            return Err(Refusal::NotListed { role: name });
        };
        self.phase = Phase::Snapshot;
        match self.cache.get(&name).filter(|b| meta.fits(b)).cloned() {
            Some(bytes) => self.accept_snapshot(&bytes),
            None => by_hash(&name, &meta),
        }
    }

    fn take_snapshot(&mut self, reply: Reply) -> Result<Step, Refusal> {
        let name = role(BaseRole::Snapshot);
        let meta = self.timestamp.as_ref().map(|t| t.snapshot().clone()).ok_or(Refusal::NotListed { role: name.clone() })?;
        let bytes = checked_bytes(reply, &name, &meta, BaseRole::Timestamp)?;
        // Before it is accepted: with all roles in the cache that is also the end. A refusal forgets what was fetched.
        self.fetched.insert(name, bytes.clone());
        self.accept_snapshot(&bytes)
    }

    fn accept_snapshot(&mut self, bytes: &[u8]) -> Result<Step, Refusal> {
        let name = role(BaseRole::Snapshot);
        let file: Verified<Snapshot> = self.check(BaseRole::Snapshot, bytes)?;
        self.not_older(BaseRole::Snapshot, bytes, &file)?;
        self.but_for_time(file.check_fresh(&name, self.now))?;
        self.note_file(&name, bytes);
        let root_fits = file.meta(&role(BaseRole::Root)).and_then(FileMeta::sha256) == Some(self.root()?.root().sha256());
        self.snapshot = Some(file);
        if !root_fits {
            return Err(Refusal::Checksum { role: role(BaseRole::Root), named_by: name });
        }
        let targets = role(BaseRole::Targets);
        let keys =
            self.root()?.root().keys_of(BaseRole::Targets).map_err(|why| Refusal::Malformed { role: targets.clone(), why })?;
        self.waiting.push_back(Waiting { name: targets, keys, stated: Paths::everything(), paths: Paths::everything() });
        self.phase = Phase::Roles;
        self.next_role()
    }

    fn finish(&mut self) -> Result<Step, Refusal> {
        let missing = |b| Refusal::Missing { role: role(b) };
        let anchor = match (self.pinning.rule(&self.gun).is_pin(), self.remembered) {
            (true, _) => Anchor::Pinned,
            (false, true) => Anchor::Remembered,
            (false, false) => Anchor::FirstUse,
        };
        let collection = TrustedCollection {
            gun: self.gun.clone(),
            anchor,
            freshness: self.freshness,
            root: self.root.clone().ok_or(missing(BaseRole::Root))?,
            timestamp: self.timestamp.take().ok_or(missing(BaseRole::Timestamp))?,
            snapshot: self.snapshot.take().ok_or(missing(BaseRole::Snapshot))?,
            roles: std::mem::take(&mut self.roles),
        };
        let rank = |r: &RoleName| match r.base() {
            Some(BaseRole::Root) => 0,
            Some(BaseRole::Targets) | None => 1,
            Some(BaseRole::Snapshot) => 2,
            Some(BaseRole::Timestamp) => 3,
        };
        let mut fetched: Vec<_> = std::mem::take(&mut self.fetched).into_iter().collect();
        fetched.sort_by_key(|(r, _)| rank(r));
        let root_name: RoleName = BaseRole::Root.into();
        let root = root_name.clone();
        let root_file =
            fetched.iter().find(|(r, _)| *r == root).map(|(_, b)| b.clone()).or_else(|| self.cache.get(&root).cloned());
        let beside = match self.beside.take() {
            None => Beside::default(),
            Some(mut beside) => {
                beside.files.extend(root_file.map(|b| (root, b)));
                // What was walked over again has forgotten it.
                beside.overdue.retain(|(r, _)| r.base() != Some(BaseRole::Root));
                if let Err(Refusal::Expired { role, at }) = self.root()?.root().check_fresh(&root_name, self.now) {
                    beside.overdue.insert(0, (role, at));
                }
                beside
            }
        };
        Ok(Step::Done(Box::new(Outcome { collection, fetched, beside })))
    }
}

fn fetch(base: BaseRole, which: Which, limit: u64) -> Step {
    Step::Fetch(Request { role: base.into(), which, limit })
}

fn by_hash(name: &RoleName, meta: &FileMeta) -> Result<Step, Refusal> {
    let hash = meta.sha256().ok_or(Refusal::NotListed { role: name.clone() })?;
    let limit = u64::try_from(meta.length).unwrap_or(0).min(limits::METADATA);
    Ok(Step::Fetch(Request { role: name.clone(), which: Which::Sha256(hash), limit }))
}

fn bytes_of(reply: Reply, base: BaseRole, limit: u64) -> Result<Vec<u8>, Refusal> {
    received(reply, &base.into(), limit)
}

fn received(reply: Reply, name: &RoleName, limit: u64) -> Result<Vec<u8>, Refusal> {
    match reply {
        Reply::Bytes(b) if b.len() as u64 <= limit => Ok(b),
        Reply::Bytes(_) | Reply::TooLong => Err(Refusal::TooLong { role: name.clone(), limit }),
        Reply::NotThere => Err(Refusal::Missing { role: name.clone() }),
    }
}

fn checked_bytes(reply: Reply, name: &RoleName, meta: &FileMeta, named_by: BaseRole) -> Result<Vec<u8>, Refusal> {
    let bytes = received(reply, name, u64::try_from(meta.length).unwrap_or(0).min(limits::METADATA))?;
    if meta.fits(&bytes) { Ok(bytes) } else { Err(Refusal::Checksum { role: name.clone(), named_by: role(named_by) }) }
}

/// Refuses a file older than, or different under the same version from, one that was seen before.
fn not_older<T: super::envelope::Payload>(name: &RoleName, seen: &Verified<T>, got: &Verified<T>) -> Result<(), Refusal> {
    if got.version() < seen.version() {
        return Err(Refusal::Rollback { role: name.clone(), seen: seen.version(), got: got.version() });
    }
    if got.version() == seen.version() && got.sha256() != seen.sha256() {
        return Err(Refusal::Equivocation { role: name.clone(), version: got.version() });
    }
    Ok(())
}
