//! A repository with all of its private keys: what its owners publish, and what someone who stole a key could.
use super::{
    cert::Cert,
    edit::{reseal, seal},
    key::Key,
};
use claviger::tuf::{
    envelope::{Common, Expiry, Payload, canonical_payload},
    file_meta::FileMeta,
    listing::{Snapshot, TimestampFile},
    name::{BaseRole, Gun, RoleName},
    paths::Paths,
    role_keys::{KeyIds, KeyMap},
    root::Root,
    targets::{Delegation, Targets},
};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;

/// Files by role: what a server holds, or a cache.
pub type Files = BTreeMap<RoleName, Vec<u8>>;

/// The moment at which tests look, unless they say another.
pub const NOW: &str = "2027-01-01T00:00:00Z";
/// The version of every file of [`Forge::good`]. Not 1, so that there are lower ones.
pub const VERSION: u64 = 5;
pub const GUN: &str = "lab.example/forge/app";

/// The keys of a role: those that the delegator names, and those that sign.
#[derive(Clone)]
pub struct Holder {
    pub named: Vec<Key>,
    pub signing: Vec<Key>,
    pub threshold: u64,
}

impl Holder {
    pub fn of(keys: &[Key]) -> Self {
        Self { named: keys.to_vec(), signing: keys.to_vec(), threshold: 1 }
    }

    fn ids(&self) -> KeyIds {
        KeyIds::new(self.named.iter().map(Key::id).collect(), self.threshold)
    }
}

#[derive(Clone)]
pub struct Forge {
    pub gun: Gun,
    pub holders: BTreeMap<RoleName, Holder>,
    /// Names that `targets` or a delegation signs.
    pub tags: BTreeMap<RoleName, Vec<String>>,
    /// Prefixes of delegations; the empty one where nothing is said.
    pub paths: BTreeMap<RoleName, Vec<String>>,
    pub versions: BTreeMap<RoleName, u64>,
    pub expires: BTreeMap<RoleName, Timestamp>,
}

pub fn role(name: &str) -> RoleName {
    RoleName::new(name).unwrap()
}

pub fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// The key of a role in [`Forge::good`].
pub fn key_of(name: &str) -> Key {
    let bare = Key::p256(&format!("key of {name}"));
    if name == "root" { Cert::of(GUN).around(&bare) } else { bare }
}

impl Forge {
    /// A healthy repository: `targets`, two signers `targets/a` and `targets/c`, and `targets/a/b` below one of them.
    pub fn good() -> Self {
        let mut forge = Self {
            gun: Gun::new(GUN).unwrap(),
            holders: BTreeMap::new(),
            tags: BTreeMap::new(),
            paths: BTreeMap::new(),
            versions: BTreeMap::new(),
            expires: BTreeMap::new(),
        };
        for name in ["root", "targets", "snapshot", "timestamp", "targets/a", "targets/a/b", "targets/c"] {
            forge.add_role(name);
        }
        forge
    }

    /// Adds a role with a key and a tag of its own.
    pub fn add_role(&mut self, name: &str) {
        self.holders.insert(role(name), Holder::of(&[key_of(name)]));
        if name.starts_with("targets") {
            self.tags.insert(role(name), vec![format!("tag-of-{}", name.replace('/', "-"))]);
        }
    }

    /// The same repository after one more publication of every role.
    pub fn next(&self) -> Self {
        let mut next = self.clone();
        for name in self.holders.keys() {
            *next.versions.entry(name.clone()).or_insert(VERSION) += 1;
        }
        for (name, tags) in &mut next.tags {
            tags.push(format!("new-tag-of-{}", name.as_str().replace('/', "-")));
        }
        next
    }

    pub fn holder(&mut self, name: &str) -> &mut Holder {
        self.holders.get_mut(&role(name)).unwrap()
    }

    pub fn version(&self, name: &RoleName) -> u64 {
        self.versions.get(name).copied().unwrap_or(VERSION)
    }

    fn common(&self, name: &RoleName) -> Common {
        let end = self.expires.get(name).copied().unwrap_or_else(|| "2028-01-01T00:00:00Z".parse().unwrap());
        Common { version: self.version(name), expires: Expiry::at(end) }
    }

    /// Who signs a role.
    pub fn signers(&self, name: &RoleName) -> Vec<Key> {
        self.holders[name].signing.clone()
    }

    fn sign<T: Payload>(&self, name: &RoleName, payload: &T) -> Vec<u8> {
        seal(&canonical_payload(payload).unwrap(), &self.signers(name))
    }

    pub fn root_file(&self) -> Vec<u8> {
        let roles = BaseRole::ALL.map(|b| (b, self.holders[&b.into()].ids()));
        let named = BaseRole::ALL.iter().flat_map(|b| &self.holders[&(*b).into()].named);
        let keys: KeyMap = named.map(|k| (k.id(), k.public.clone())).collect();
        let root = role("root");
        self.sign(&root, &Root::new(self.common(&root), keys, roles))
    }

    /// The file of `targets` or a delegation.
    pub fn targets_file(&self, name: &RoleName) -> Vec<u8> {
        let children: Vec<&RoleName> = self.holders.keys().filter(|c| c.is_child_of(name)).collect();
        let keys: KeyMap = children.iter().flat_map(|c| &self.holders[*c].named).map(|k| (k.id(), k.public.clone())).collect();
        let delegated = |c: &&RoleName| {
            let paths = self.paths.get(*c).cloned().unwrap_or_else(|| vec![String::new()]);
            Delegation { name: (*c).clone(), key_ids: self.holders[*c].ids(), paths: Paths::new(paths) }
        };
        let tags = self.tags.get(name).into_iter().flatten();
        let targets = tags.map(|t| (t.as_str().into(), FileMeta::from_sha256(528, Sha256::digest(t).into()))).collect();
        self.sign(name, &Targets::new(self.common(name), targets, keys, children.iter().map(delegated).collect()))
    }

    /// A snapshot that vouches for these files.
    pub fn snapshot_file(&self, files: &Files) -> Vec<u8> {
        let name = role("snapshot");
        let listed = files.iter().filter(|(r, _)| !matches!(r.as_str(), "snapshot" | "timestamp"));
        self.sign(&name, &Snapshot::new(self.common(&name), listed.map(|(r, b)| (r.clone(), FileMeta::of(b)))))
    }

    /// A timestamp that vouches for this snapshot.
    pub fn timestamp_file(&self, snapshot: &[u8]) -> Vec<u8> {
        let name = role("timestamp");
        self.sign(&name, &TimestampFile::new(self.common(&name), FileMeta::of(snapshot)))
    }

    /// Everything, signed and consistent.
    pub fn publish(&self) -> Files {
        let mut files = Files::from([(role("root"), self.root_file())]);
        for name in self.holders.keys().filter(|r| r.as_str() == "targets" || r.is_delegation()) {
            files.insert(name.clone(), self.targets_file(name));
        }
        self.vouch(&mut files);
        files
    }

    /// Makes snapshot and timestamp anew, so that they vouch for whatever the other files are now.
    pub fn vouch(&self, files: &mut Files) {
        files.insert(role("snapshot"), self.snapshot_file(files));
        self.vouch_for_snapshot(files);
    }

    /// Makes the timestamp anew, so that it vouches for whatever the snapshot is now.
    pub fn vouch_for_snapshot(&self, files: &mut Files) {
        let snapshot = &files[&role("snapshot")];
        files.insert(role("timestamp"), self.timestamp_file(snapshot));
    }

    /// Changes the text of what a role signs, and signs it again with the role's own keys.
    pub fn edit(&self, files: &mut Files, name: &str, change: impl FnOnce(String) -> String) {
        let bytes = reseal(&files[&role(name)], &self.signers(&role(name)), change);
        files.insert(role(name), bytes);
    }
}
