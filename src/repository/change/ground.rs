//! What every change stands on: the server, and what was seen there before.
use crate::{
    notary::Transport,
    repository::load::Remembered,
    tuf::{
        file_meta::FileMeta,
        name::{Gun, RoleName},
    },
};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Files, and what was remembered when they were read. What is as it was remembered is not kept twice.
pub(super) struct Files {
    read: BTreeMap<RoleName, Option<Vec<u8>>>,
    pub(super) remembered: Remembered,
}

impl Files {
    pub(super) fn new(read: &BTreeMap<RoleName, Vec<u8>>, remembered: Remembered) -> Self {
        let other = |role, bytes: &Vec<u8>| (remembered.get(role) != Some(bytes)).then(|| bytes.clone());
        Self { read: read.iter().map(|(role, bytes)| (role.clone(), other(role, bytes))).collect(), remembered }
    }

    pub(super) fn get(&self, role: &RoleName) -> Option<&[u8]> {
        let read = self.read.get(role)?;
        read.as_ref().or_else(|| self.remembered.get(role)).map(Vec::as_slice)
    }

    /// All that is known: what was read, and of what could not be verified what was remembered. Of roles that had `ended` before
    /// nothing, should they come back.
    pub(super) fn known(&self, ended: &BTreeSet<RoleName>) -> BTreeMap<RoleName, Vec<u8>> {
        let remembered = self.remembered.iter().filter(|(role, _)| !ended.contains(*role));
        let mut known: BTreeMap<_, _> = remembered.map(|(role, bytes)| (role.clone(), bytes.clone())).collect();
        known.extend(self.iter().map(|(role, bytes)| (role.clone(), bytes.to_vec())));
        known
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&RoleName, &[u8])> {
        self.read.keys().filter_map(|role| Some((role, self.get(role)?)))
    }
}

/// What a change stands on.
pub struct Ground {
    /// The repository.
    pub gun: Gun,
    pub(super) transport: Arc<dyn Transport>,
    pub(super) now: Timestamp,
    /// The files that were verified; none of a repository that is to be begun.
    pub(super) files: Files,
    /// Roles that are remembered and to which nobody delegated any more.
    pub(super) ended: BTreeSet<RoleName>,
    /// Roles whose time is over, and since when.
    pub(super) overdue: Vec<(RoleName, Timestamp)>,
    /// What the snapshot says.
    pub(super) listed: BTreeMap<RoleName, FileMeta>,
    /// Version of the snapshot; 0 if there is none.
    pub snapshot_version: u64,
    /// Whether the root is met now for the first time.
    pub is_first_contact: bool,
}

impl Ground {
    /// Where the server is. Printable.
    pub fn address(&self) -> String {
        self.transport.address().shown().to_string()
    }

    /// The server.
    pub fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }

    /// The time for which everything was verified.
    pub fn now(&self) -> Timestamp {
        self.now
    }
}
