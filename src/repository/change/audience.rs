//! What clients will see: which roles hold once the plan is published, and which names they find then.
use super::{Basis, consequences::some, roots};
use crate::{
    text::count,
    tuf::{
        change::Change,
        collection::RoleState,
        draft::Draft,
        file_meta::FileMeta,
        name::{BaseRole, RoleName},
        targets::Targets,
    },
};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// The repository before and after, as clients see it.
pub struct After {
    refused: Vec<(RoleName, String)>,
    before: BTreeMap<String, FileMeta>,
    after: BTreeMap<String, FileMeta>,
    found_before: BTreeSet<String>,
    found_after: BTreeSet<String>,
}

impl After {
    /// Walks the delegations as clients do.
    pub fn of(basis: &Basis, draft: &Draft) -> Self {
        let changed: BTreeSet<&RoleName> = draft.changed().collect();
        let overdue: BTreeSet<&RoleName> = basis.overdue().iter().map(|(r, _)| r).collect();
        let held = |role: &RoleName| basis.collection.role(role).and_then(|r| r.verified()).filter(|_| !overdue.contains(role));
        let mut refused = Vec::new();
        let (mut after, mut found_after) = (BTreeMap::new(), BTreeSet::new());
        let mut waiting = VecDeque::from([RoleName::from(BaseRole::Targets)]);
        while let Some(role) = waiting.pop_front() {
            let Some(file) = draft.file(&role) else { continue };
            let was = basis.collection.role(&role);
            if !changed.contains(&role) {
                let Some(verified) = was.and_then(|r| r.verified()) else { continue };
                let Some(keys) = draft.keys_of(&role) else { continue };
                let distinct: BTreeSet<_> =
                    keys.keys.iter().filter(|k| verified.signed_by().contains(&k.id())).map(|k| k.canonical_id()).collect();
                if (distinct.len() as u64) < keys.threshold {
                    let why = format!("{} of the keys that stay have signed it, and {} must", distinct.len(), keys.threshold);
                    refused.push((role.clone(), why));
                    continue;
                }
                if overdue.contains(&role) {
                    continue;
                }
            }
            let Some(paths) = draft.paths_of(&role) else { continue };
            let names = file.targets().filter(|(n, _)| paths.allow(n));
            for (name, meta) in names {
                found_after.insert(name.to_owned());
                if meta.sha256().is_some() && is_released(&role) && (role.is_delegation() || !after.contains_key(name)) {
                    after.insert(name.to_owned(), meta.clone());
                }
            }
            waiting.extend(file.delegations().iter().map(|d| d.name.clone()));
        }
        let mut before = BTreeMap::new();
        let mut found_before = BTreeSet::new();
        for role in basis.collection.roles() {
            let RoleState::Verified(_) = role.state else { continue };
            let Some(file) = held(&role.name) else { continue };
            let file: &Targets = file;
            for (name, meta) in file.targets().filter(|(n, _)| role.paths.allow(n)) {
                found_before.insert(name.to_owned());
                if meta.sha256().is_some() && is_released(&role.name) && (role.name.is_delegation() || !before.contains_key(name))
                {
                    before.insert(name.to_owned(), meta.clone());
                }
            }
        }
        Self { refused, before, after, found_before, found_after }
    }

    /// Roles that hold now and will not, with the reason.
    pub fn newly_refused(&self) -> impl Iterator<Item = (&RoleName, &String)> {
        self.refused.iter().map(|(r, w)| (r, w))
    }

    /// Roles that hold now, and will.
    pub fn must_hold(&self, basis: &Basis, draft: &Draft) -> BTreeSet<RoleName> {
        let all = basis.collection.roles().iter().filter(|r| r.verified().is_some()).map(|r| &r.name);
        let stays = |r: &&RoleName| r.base().is_some() || draft.delegation(r).is_some();
        let holds = |r: &&RoleName| !self.refused.iter().any(|(refused, _)| refused == *r);
        all.filter(stays).filter(holds).cloned().collect()
    }

    /// Names as which docker pulls another image than now: what it pulls now, and then.
    pub fn moved(&self) -> Vec<(&String, &FileMeta, &FileMeta)> {
        let both = self.after.iter().filter_map(|(name, to)| Some((name, self.before.get(name)?, to)));
        both.filter(|(_, from, to)| from.sha256() != to.sha256()).collect()
    }

    /// Names that are found now and will not be.
    pub fn lost(&self) -> Vec<String> {
        self.found_before.difference(&self.found_after).cloned().collect()
    }

    /// Whether clients find what this role says of a name: docker this image, or others the name.
    pub fn finds(&self, role: &RoleName, name: &str, meta: &FileMeta) -> bool {
        match is_released(role) {
            true => self.after.get(name).is_some_and(|m| m.sha256() == meta.sha256()),
            false => self.found_after.contains(name),
        }
    }

    /// Whether there were names, and there are none.
    pub fn nothing_stays(&self) -> bool {
        !self.found_before.is_empty() && self.found_after.is_empty()
    }

    /// Names that docker pulls now and will not.
    pub fn not_pulled(&self) -> Vec<String> {
        self.before.keys().filter(|n| !self.after.contains_key(*n)).cloned().collect()
    }

    /// Who sees what, a sentence each.
    pub fn sentences(&self, basis: &Basis, draft: &Draft, changes: &[Change]) -> Vec<(&'static str, String)> {
        let new: Vec<String> = self.after.keys().filter(|n| !self.before.contains_key(*n)).cloned().collect();
        let other: Vec<String> = self.moved().into_iter().map(|(name, ..)| name.clone()).collect();
        let gone: Vec<String> = self.before.keys().filter(|n| !self.after.contains_key(*n)).cloned().collect();
        let mut docker = Vec::new();
        if !new.is_empty() {
            docker.push(format!("can pull {}", some(&new)));
        }
        if !other.is_empty() {
            docker.push(format!("pulls another image as {}", some(&other)));
        }
        if !gone.is_empty() {
            docker.push(format!("cannot pull {} any more", some(&gone)));
        }
        if docker.is_empty() {
            docker.push(format!("pulls what it pulls now: {}", count(self.after.len(), "tag")));
        }
        let notary = match (self.found_after.len(), self.lost().len()) {
            (n, 0) => format!("lists {}", count(n, "name")),
            (n, 1) => format!("lists {}; 1 is gone", count(n, "name")),
            (n, lost) => format!("lists {}; {lost} are gone", count(n, "name")),
        };
        let new_root = changes.iter().any(|c| matches!(c, Change::Keys { role: BaseRole::Root, .. }));
        let pinned = match new_root {
            false => "sees the root that it knows".to_owned(),
            true => roots::pinned(basis, draft),
        };
        let was = basis.collection.root().version();
        let stale = match draft.changed().any(|r| r.base() == Some(BaseRole::Root)) {
            true => format!("follows from root version {was} to {}, which the old keys sign too", was + 1),
            false => "needs no new root".to_owned(),
        };
        vec![("docker", docker.join("; ")), ("notary", notary), ("a pinned client", pinned), ("an old cache", stale)]
    }
}

/// Whether docker pulls what this role signs.
pub fn is_released(role: &RoleName) -> bool {
    matches!(role.as_str(), "targets" | "targets/releases")
}
