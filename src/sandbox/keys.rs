//! The keys with which the server signs timestamps and, where owners leave that to it, snapshots.
use crate::{
    keys::PrivateKey,
    tuf::{name::BaseRole, root::Root},
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// Most keys that are kept for those who ask for one and never publish a root that names it; beyond it the oldest goes.
const UNUSED: usize = 1024;

/// Most used keys that are kept for one role of one collection; beyond it the one that was used longest ago goes.
const USED: usize = 256;

/// The keys that the server has for a collection's current root.
#[derive(Clone)]
pub struct ServerKeys {
    /// Signs timestamps.
    pub timestamp: Arc<PrivateKey>,
    /// Signs snapshots, if the owner left that to the server.
    pub snapshot: Option<Arc<PrivateKey>>,
}

/// A collection, by the name that was asked for, and a role of it.
type Place = (String, BaseRole);

/// The keys that the server made. Those of a deleted collection stay: its root may be published again.
#[derive(Default)]
pub(super) struct KeyRing {
    used: BTreeMap<Place, Vec<Arc<PrivateKey>>>,
    /// Keys that no root names yet, one for each place: who asks twice gets the same.
    unused: BTreeMap<Place, Arc<PrivateKey>>,
    /// Where they are, the oldest first; some are used by now.
    asked: VecDeque<Place>,
}

impl KeyRing {
    /// Takes the keys of a collection that is there from the start.
    pub fn hold(&mut self, gun: &str, keys: &ServerKeys) {
        for (role, key) in [(BaseRole::Timestamp, Some(&keys.timestamp)), (BaseRole::Snapshot, keys.snapshot.as_ref())] {
            self.used.entry((gun.to_owned(), role)).or_default().extend(key.cloned());
        }
    }

    /// A key that no root names yet.
    pub fn unused(&self, gun: &str, role: BaseRole) -> Option<Arc<PrivateKey>> {
        self.unused.get(&(gun.to_owned(), role)).cloned()
    }

    /// Keeps a key until a root names it.
    pub fn keep(&mut self, gun: &str, role: BaseRole, key: PrivateKey) -> Arc<PrivateKey> {
        let (key, place) = (Arc::new(key), (gun.to_owned(), role));
        self.asked.push_back(place.clone());
        self.unused.insert(place, key.clone());
        while self.asked.len() > UNUSED {
            if let Some(oldest) = self.asked.pop_front() {
                self.unused.remove(&oldest);
            }
        }
        key
    }

    /// The key with which the server can sign for a role of this root, alone.
    pub fn for_role(&self, gun: &str, root: &Root, role: BaseRole) -> Option<Arc<PrivateKey>> {
        let place = (gun.to_owned(), role);
        let named = root.role(role).ok().filter(|r| r.threshold == 1)?.ids();
        let held = self.used.get(&place).into_iter().flatten().chain(self.unused.get(&place));
        held.into_iter().find(|k| named.contains(&k.public().id())).cloned()
    }

    /// Notes that a root was stored that names these keys.
    pub fn are_used(&mut self, gun: &str, keys: &ServerKeys) {
        for (role, key) in [(BaseRole::Timestamp, Some(&keys.timestamp)), (BaseRole::Snapshot, keys.snapshot.as_ref())] {
            let place = (gun.to_owned(), role);
            let Some(key) = key else { continue };
            if self.unused.get(&place).is_some_and(|unused| key.id() == unused.id()) {
                self.unused.remove(&place);
                self.asked.retain(|asked| *asked != place);
            }
            // The one in use is the last.
            let used = self.used.entry(place).or_default();
            used.retain(|k| k.id() != key.id());
            used.push(key.clone());
            if used.len() > USED {
                used.remove(0);
            }
        }
    }
}
