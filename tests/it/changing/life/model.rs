//! What should be there, and chance from a fixed seed.
use std::collections::{BTreeMap, BTreeSet};

pub const SIGNERS: [&str; 3] = ["alice", "bob", "carol"];

/// What should be there: by role whose keys it has, its paths, and its tags.
#[derive(Default)]
pub struct Model {
    pub roles: BTreeMap<String, (BTreeSet<&'static str>, &'static str)>,
    pub tags: BTreeMap<String, BTreeSet<String>>,
    /// How many root keys there are.
    pub roots: usize,
}

impl Model {
    /// Those who sign in a role of their own.
    pub fn there(&self) -> Vec<&'static str> {
        SIGNERS.into_iter().filter(|s| self.roles.contains_key(&format!("targets/{s}"))).collect()
    }

    pub fn away(&self) -> Option<&'static str> {
        SIGNERS.into_iter().find(|s| !self.there().contains(s))
    }

    pub fn add_signer(&mut self, name: &'static str) {
        self.roles.insert(format!("targets/{name}"), ([name].into(), ""));
        self.roles.entry("targets/releases".into()).or_insert_with(|| (BTreeSet::new(), "")).0.insert(name);
    }

    pub fn remove_signer(&mut self, name: &'static str) {
        let own = format!("targets/{name}");
        self.roles.remove(&own);
        self.tags.remove(&own);
        if let Some((keys, _)) = self.roles.get_mut("targets/releases") {
            keys.remove(name);
        }
    }

    /// Somebody's only key goes; so do the roles that had no other.
    pub fn purge(&mut self, name: &'static str) {
        self.remove_signer(name);
        self.roles.retain(|_, (keys, _)| *keys != BTreeSet::from([name]));
    }

    pub fn sign(&mut self, roles: [String; 2], tag: &str) {
        for role in roles {
            self.tags.entry(role).or_default().insert(tag.to_owned());
        }
    }

    pub fn revoke(&mut self, tag: &str) {
        self.tags.values_mut().for_each(|t| {
            t.remove(tag);
        });
    }

    pub fn names(&self) -> BTreeSet<String> {
        self.tags.values().flatten().cloned().collect()
    }
}

pub struct Seeded(pub u64);

impl Seeded {
    pub fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n as u64).unwrap()
    }
}
