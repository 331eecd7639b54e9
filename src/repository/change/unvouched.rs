//! Roles that a plan leaves without enough signatures: what they sign is missing until their own keys sign them again.
use super::{
    Basis,
    audience::{After, is_released},
};
use crate::tuf::{
    collection::Role,
    draft::Draft,
    file_meta::FileMeta,
    key::PublicKey,
    name::{KeyId, RoleName},
    role_keys::RoleKeys,
    targets::Targets,
};
use std::collections::{BTreeMap, BTreeSet};

/// A role that somebody has to witness.
#[derive(Debug, Clone)]
pub struct Unvouched {
    /// Its name.
    pub role: RoleName,
    /// The version of its file, which stays as it is.
    pub version: u64,
    /// The keys that may sign it, by the IDs of their files.
    pub keys: BTreeSet<KeyId>,
    /// How many of them must.
    pub threshold: u64,
    /// What is missing until then, by its true name: docker does not pull it, or nobody finds it.
    pub gone: BTreeMap<String, FileMeta>,
    /// How many more names are vouched for with it, which are found elsewhere too.
    pub others: usize,
}

/// Those that hold now and will not.
pub(super) fn of(basis: &Basis, draft: &Draft, after: &After) -> Vec<Unvouched> {
    let one = |role: &RoleName| {
        let keys = draft.keys_of(role)?;
        let file = basis.collection.role(role)?.verified()?;
        let mut one = Unvouched::new(role, file, &keys);
        // What is delegated below it is not reached either.
        for r in basis.collection.roles().iter().filter(|r| r.name == *role || r.name.as_str().starts_with(&format!("{role}/"))) {
            let Some(file) = r.verified() else { continue };
            one.says(r, file, |name, meta| after.finds(&r.name, name, meta));
        }
        Some(one)
    };
    after.newly_refused().filter_map(|(role, _)| one(role)).collect()
}

impl Basis {
    /// Roles that are left so by now: what their files say does not verify, and is what the snapshot names.
    pub fn unvouched(&self) -> Vec<Unvouched> {
        let c = &self.collection;
        let found = |is_meant: fn(&RoleName) -> bool| -> BTreeMap<&str, &FileMeta> {
            c.signed().filter(|(r, ..)| is_meant(&r.name)).map(|(_, name, meta)| (name, meta)).collect()
        };
        let (released, all) = (found(is_released), found(|_| true));
        let one = |role: &RoleName| {
            let (r, file) = (c.role(role)?, self.refused(role)?);
            let mut one = Unvouched::new(role, file, &r.keys);
            one.says(r, file, |name, meta| match is_released(role) {
                true => released.get(name).is_some_and(|m| m.sha256() == meta.sha256()),
                false => all.contains_key(name),
            });
            Some(one)
        };
        c.refused().filter_map(|(role, _)| one(role)).collect()
    }
}

impl Unvouched {
    fn new(role: &RoleName, file: &Targets, keys: &RoleKeys) -> Self {
        let version = file.common.version;
        let (threshold, keys) = (keys.threshold, keys.keys.iter().map(PublicKey::canonical_id).collect());
        Self { role: role.clone(), version, keys, threshold, gone: BTreeMap::new(), others: 0 }
    }

    /// Takes in what a file says.
    fn says(&mut self, role: &Role, file: &Targets, is_found: impl Fn(&str, &FileMeta) -> bool) {
        for (name, meta) in file.targets().filter(|(n, _)| role.paths.allow(n)) {
            match is_found(name, meta) {
                true => self.others += 1,
                false => drop(self.gone.entry(name.to_owned()).or_insert_with(|| meta.clone())),
            }
        }
    }
}
