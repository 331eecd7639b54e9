//! What a server knows: its collections, their changes, its keys. What is done is written down first, if there is a disk.
use super::{
    disk::{self, Disk, DiskError, Line},
    feed::Record,
    keys::{KeyRing, ServerKeys},
    publish::Transaction,
    store::{CannotSign, Repository},
};
use crate::{
    keys::{NewKey, PrivateKey, generate},
    tuf::{
        envelope::Document,
        name::{BaseRole, Gun, RoleName},
        root::Root,
    },
};
use jiff::Timestamp;
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// Most changes that are remembered; beyond it the oldest go.
const CHANGES: usize = 200_000;

/// Everything.
pub(super) struct State {
    pub collections: BTreeMap<String, Repository>,
    pub changes: Vec<Record>,
    pub keys: KeyRing,
    /// Where it is written down what is done, if anywhere.
    disk: Option<Disk>,
}

/// Why something was not done: it could not be written down.
pub(super) struct NotWritten;

impl From<DiskError> for NotWritten {
    fn from(_: DiskError) -> Self {
        Self
    }
}

impl State {
    /// Collections whose timestamps, in the order of their times, are the change feed.
    pub fn new(collections: impl IntoIterator<Item = Repository>) -> Self {
        let collections: BTreeMap<_, _> = collections.into_iter().map(|c| (c.gun().to_string(), c)).collect();
        let mut keys = KeyRing::default();
        collections.iter().for_each(|(gun, c)| keys.hold(gun, c.keys()));
        let mut stored: Vec<_> = collections
            .iter()
            .flat_map(|(gun, c)| {
                c.files(&BaseRole::Timestamp.into()).iter().map(move |f| (f.stored, gun.clone(), f.version, f.sha256()))
            })
            .collect();
        stored.sort();
        let changes = (1..)
            .zip(stored)
            .map(|(id, (created, gun, version, sha256))| Record { id, created, gun, timestamp: Some((version, sha256)) })
            .collect();
        Self { collections, changes, keys, disk: None }
    }

    /// The same, written into a file that is not there yet.
    pub fn create(path: &Path, collections: impl IntoIterator<Item = Repository>) -> Result<Self, DiskError> {
        let mut state = Self::new(collections);
        state.disk = Some(Disk::create(path, &state.collections.values().collect::<Vec<_>>())?);
        Ok(state)
    }

    /// What the file says.
    pub fn open(path: &Path) -> Result<Self, DiskError> {
        let (disk, lines) = Disk::open(path)?;
        let mut state = Self::new([]);
        for (n, line) in lines.into_iter().enumerate() {
            state.repeat(line).ok_or(DiskError::Damaged(n + 1))?;
        }
        state.disk = Some(disk);
        Ok(state)
    }

    /// Writes down what is about to be done.
    fn write(&mut self, line: &Line) -> Result<(), NotWritten> {
        Ok(self.disk.as_mut().map_or(Ok(()), |disk| disk.append(line))?)
    }

    /// Stores what was published or signed anew.
    pub fn store(&mut self, gun: Gun, made: Transaction) -> Result<(), NotWritten> {
        if self.disk.is_some() {
            self.write(&Line::stored(gun.as_str(), &made))?;
        }
        self.take(gun, made);
        Ok(())
    }

    fn take(&mut self, gun: Gun, made: Transaction) {
        self.keys.are_used(gun.as_str(), &made.keys);
        self.note(gun.as_str(), made.timestamp.stored, Some((made.timestamp.version, made.timestamp.sha256())));
        let collection = self.collections.entry(gun.to_string());
        collection.or_insert_with(|| Repository::new(gun, made.keys.clone())).take(made);
    }

    pub fn delete(&mut self, gun: &str, at: Timestamp) -> Result<(), NotWritten> {
        if self.collections.contains_key(gun) {
            self.write(&Line::Deleted { gun: gun.to_owned(), at })?;
            self.collections.remove(gun);
            self.note(gun, at, None);
        }
        Ok(())
    }

    /// Does again what was done before a restart; nothing if that makes no sense.
    fn repeat(&mut self, line: Line) -> Option<()> {
        match line {
            Line::Began { .. } => *self = Self::new(line.world()?),
            Line::Key { gun, role, private } => {
                let role = RoleName::new(&role).ok()?.base()?;
                self.keys.keep(&gun, role, disk::key(&private)?);
            }
            Line::Stored { gun, files } => {
                let gun = Gun::new(&gun).ok()?;
                let mut files: Vec<_> = files.into_iter().map(disk::Stored::read).collect::<Option<_>>()?;
                let (_, timestamp) = files.pop().filter(|(role, _)| role.base() == Some(BaseRole::Timestamp))?;
                let root = files.iter().find(|(role, _)| role.base() == Some(BaseRole::Root)).map(|(_, f)| f.bytes.clone());
                let keys = match root.and_then(|bytes| Document::<Root>::parse(&bytes).ok()) {
                    Some(root) => ServerKeys {
                        timestamp: self.keys.for_role(gun.as_str(), &root.payload, BaseRole::Timestamp)?,
                        snapshot: self.keys.for_role(gun.as_str(), &root.payload, BaseRole::Snapshot),
                    },
                    None => self.collections.get(gun.as_str())?.keys().clone(),
                };
                self.take(gun, Transaction { files, timestamp, keys });
            }
            Line::Deleted { gun, at } => {
                self.collections.remove(&gun)?;
                self.note(&gun, at, None);
            }
        }
        Some(())
    }

    /// Signs anew what has expired, and writes that into the change feed.
    pub fn renew(&mut self, gun: &str, now: Timestamp) -> Result<(), CannotSign> {
        let Some(collection) = self.collections.get(gun) else { return Ok(()) };
        let gun = collection.gun().clone();
        match collection.renewal(now)? {
            Some(made) => self.store(gun, made).map_err(|NotWritten| CannotSign),
            None => Ok(()),
        }
    }

    /// Writes into the change feed.
    fn note(&mut self, gun: &str, created: Timestamp, timestamp: Option<(u64, [u8; 32])>) {
        let id = self.changes.last().map_or(1, |r| r.id + 1);
        // A part at a time: what stands before must be moved.
        if self.changes.len() >= CHANGES {
            self.changes.drain(..CHANGES / 16);
        }
        self.changes.push(Record { id, created, gun: gun.to_owned(), timestamp });
    }

    /// The key that the current root names, or one that waits for a root to name it.
    pub fn key(&mut self, gun: &str, role: BaseRole, replaced: bool) -> Option<Arc<PrivateKey>> {
        let root = self.collections.get(gun).filter(|_| !replaced).and_then(|c| c.current(&BaseRole::Root.into()));
        let root = root.and_then(|f| Document::<Root>::parse(&f.bytes).ok());
        let named = root.and_then(|root| self.keys.for_role(gun, &root.payload, role));
        if let Some(key) = named.or_else(|| self.keys.unused(gun, role)) {
            return Some(key);
        }
        let key = generate(NewKey::EcdsaP256).ok()?;
        if self.disk.is_some() {
            self.write(&Line::key(gun, role, &key).ok()?).ok()?;
        }
        Some(self.keys.keep(gun, role, key))
    }
}
