//! A repository on its way to its next state: changes are applied to what was verified, and what comes out is new files that
//! nobody has signed yet.
mod error;

pub use error::DraftError;

use super::{
    change::{Change, Delegate},
    collection::{RoleState, TrustedCollection},
    envelope::{Common, Expiry, Payload},
    key::PublicKey,
    limits,
    name::{BaseRole, KeyId, RoleName},
    paths::Paths,
    role_keys::{KeyIds, KeyMap, RoleKeys},
    root::Root,
    sign::Unsigned,
    targets::{Delegation, Targets},
    update::Beside,
    x509,
};
use jiff::{Timestamp, ToSpan};
use std::collections::{BTreeMap, BTreeSet};

/// Lifetime that Notary gives a root (protocol 5), in days.
pub const ROOT_LIFE: i64 = 10 * 365;
/// The same of targets and delegations.
pub const TARGETS_LIFE: i64 = 3 * 365;

/// What the snapshot says of a role to which nobody delegates: its last file lives on there, and has a version.
pub type Left = BTreeMap<RoleName, u64>;

/// A file in the making.
#[derive(Debug, Clone)]
pub struct Working {
    /// What it says now.
    pub file: Targets,
    /// The version that was published last; 0 if none was.
    pub published: u64,
    /// Whether it may be built upon: verified, new, or taken over as it was by a witness.
    held: bool,
    /// The end that somebody wants.
    until: Option<Timestamp>,
}

/// A repository on its way to its next state.
#[derive(Debug, Clone)]
pub struct Draft {
    root: Root,
    before: Root,
    root_until: Option<Timestamp>,
    roles: BTreeMap<RoleName, Working>,
    changed: BTreeSet<RoleName>,
    now: Timestamp,
    left: Left,
    refused: BTreeMap<RoleName, String>,
}

/// A file that nobody has signed yet.
pub struct NewFile {
    /// Whose it is.
    pub role: RoleName,
    /// Its version.
    pub version: u64,
    /// Its end.
    pub expires: Timestamp,
    /// The bytes to sign, and then the file.
    pub unsigned: Unsigned,
    /// Who must sign: of each of these, as many as its threshold says. A root that changes its keys has two.
    pub needs: Vec<RoleKeys>,
}

impl Draft {
    /// Begins with what was verified, and what was set aside beside it.
    pub fn new(collection: &TrustedCollection, beside: &Beside, left: Left, now: Timestamp) -> Self {
        let mut roles = BTreeMap::new();
        let mut refused = BTreeMap::new();
        for role in collection.roles() {
            let working = match &role.state {
                RoleState::Verified(file) => {
                    Some(Working { file: (***file).clone(), published: file.version(), held: true, until: None })
                }
                RoleState::Refused(why) => {
                    refused.insert(role.name.clone(), why.to_string());
                    let aside = beside.refused.get(&role.name);
                    // Nobody vouches for its version. As each came with a snapshot of its own, there are not more than those.
                    let published = aside.map(|f| f.common.version.min(collection.snapshot().version())).unwrap_or_default();
                    aside.map(|f| Working { file: f.clone(), published, held: false, until: None })
                }
                RoleState::Unpublished => None,
            };
            roles.extend(working.map(|w| (role.name.clone(), w)));
        }
        let root: Root = (**collection.root()).clone();
        Self { before: root.clone(), root, root_until: None, roles, changed: BTreeSet::new(), now, left, refused }
    }

    /// The root as it will be.
    pub fn root(&self) -> &Root {
        &self.root
    }

    /// The root as it is.
    pub fn root_before(&self) -> &Root {
        &self.before
    }

    /// What a role's file will say.
    pub fn file(&self, role: &RoleName) -> Option<&Targets> {
        self.roles.get(role).map(|w| &w.file)
    }

    /// The roles whose files change.
    pub fn changed(&self) -> impl Iterator<Item = &RoleName> {
        self.changed.iter()
    }

    /// What is delegated to a role, and by which keys it is signed.
    pub fn delegation(&self, role: &RoleName) -> Option<(&Delegation, RoleKeys)> {
        let above = &self.roles.get(&role.parent()?)?.file;
        let found = above.delegations().iter().find(|d| d.name == *role)?;
        Some((found, above.keys_of(found).ok()?))
    }

    /// The keys that sign a role.
    pub fn keys_of(&self, role: &RoleName) -> Option<RoleKeys> {
        match role.base() {
            Some(base) => self.root.keys_of(base).ok(),
            None => self.delegation(role).map(|(_, keys)| keys),
        }
    }

    /// What a role may sign, within what those above it may.
    pub fn paths_of(&self, role: &RoleName) -> Option<Paths> {
        match role.parent() {
            None => Some(Paths::everything()),
            Some(parent) => Some(self.paths_of(&parent)?.restrict(&self.delegation(role)?.0.paths)),
        }
    }

    /// Applies a change. Says whether it changes anything.
    ///
    /// # Errors
    /// [`DraftError`]; the draft must not be used any more.
    pub fn apply(&mut self, change: &Change) -> Result<bool, DraftError> {
        match change {
            Change::Sign { role, name, meta } => {
                let allowed = self.paths_of(role).ok_or_else(|| DraftError::NoSuchRole(role.clone()))?.allow(name);
                if !allowed {
                    return Err(DraftError::NotAdmitted { role: role.clone(), name: name.clone() });
                }
                let w = self.working(role)?;
                if w.file.target(name) == Some(meta) {
                    return Ok(false);
                }
                w.file.set_target(name, meta.clone());
                Ok(self.mark(role))
            }
            // What such a file signs is not known.
            Change::Unsign { role, .. } if !self.roles.contains_key(role) && self.refused.contains_key(role) => {
                self.working(role).map(|_| false)
            }
            Change::Unsign { role, .. } if !self.roles.contains_key(role) && self.delegation(role).is_some() => {
                Err(DraftError::NoFile(role.clone()))
            }
            Change::Unsign { role, name } => {
                if self.roles.get(role).is_none_or(|w| w.held && w.file.target(name).is_none()) {
                    return Ok(false);
                }
                self.working(role)?.file.remove_target(name);
                Ok(self.mark(role))
            }
            Change::Delegate(delegate) => self.delegate(delegate),
            Change::Undelegate(role) => {
                let parent = role.parent().ok_or_else(|| DraftError::NoSuchRole(role.clone()))?;
                let above = self.working(&parent)?;
                if !above.file.delegations().iter().any(|d| d.name == *role) {
                    return Err(DraftError::NoSuchRole(role.clone()));
                }
                above.file.remove_delegation(role);
                let below = format!("{role}/");
                let goes = |r: &RoleName| r == role || r.as_str().starts_with(&below);
                // Should it come back at once, its versions go on.
                self.left.extend(self.roles.iter().filter(|(r, _)| goes(r)).map(|(r, w)| (r.clone(), w.published)));
                self.roles.retain(|r, _| !goes(r));
                self.changed.retain(|r| r != role && !r.as_str().starts_with(&below));
                Ok(self.mark(&parent))
            }
            Change::Witness(role) => {
                self.take_over(role)?;
                Ok(self.mark(role))
            }
            Change::Keys { role, keys, threshold } => {
                for key in keys {
                    usable(key, None)?;
                }
                // One key in two certificates is one.
                let distinct = keys.iter().map(PublicKey::canonical_id).collect::<BTreeSet<_>>().len();
                if keys.is_empty() || (distinct as u64) < *threshold || *threshold == 0 {
                    return Err(DraftError::TooFewKeys { role: (*role).into(), keys: distinct, threshold: *threshold });
                }
                if *role == BaseRole::Root && keys.len() > limits::ROOT_KEYS {
                    return Err(DraftError::TooMany((*role).into(), "root keys"));
                }
                if self.root.role(*role).is_ok_and(|r| r.threshold == *threshold && same(r.ids(), keys)) {
                    return Ok(false);
                }
                self.root.set_keys(*role, keys, *threshold);
                if *role == BaseRole::Targets {
                    // Its file must be signed by a key that counts from now on.
                    self.working(&BaseRole::Targets.into())?;
                    self.mark(&BaseRole::Targets.into());
                }
                Ok(self.mark(&BaseRole::Root.into()))
            }
            Change::Renew { role, until } => {
                if role.base() == Some(BaseRole::Root) {
                    self.root_until = *until;
                } else {
                    self.take_over(role)?.until = *until;
                }
                Ok(self.mark(role))
            }
        }
    }

    fn delegate(&mut self, wanted: &Delegate) -> Result<bool, DraftError> {
        let role = &wanted.role;
        let parent = role.parent().ok_or_else(|| DraftError::NoSuchRole(role.clone()))?;
        let may = self.paths_of(&parent).ok_or_else(|| DraftError::NoSuchRole(parent.clone()))?;
        if let Some(path) = wanted.add_paths.iter().find(|p| !may.allow(p)) {
            return Err(DraftError::NotTheParents { parent, path: path.clone() });
        }
        for key in &wanted.add_keys {
            usable(key, Some(self.now))?;
        }
        let above = self.working(&parent)?;
        let there = above.file.delegations().iter().find(|d| d.name == *role).cloned();
        let before = there.clone();
        let mut known: KeyMap = above.file.known_keys();
        let mut d = there.unwrap_or_else(|| Delegation {
            name: role.clone(),
            key_ids: KeyIds::new(Vec::new(), 1),
            paths: Paths::default(),
        });
        let is = |id: &KeyId, wanted: &KeyId| id == wanted || known.get(id).is_some_and(|k| k.canonical_id() == *wanted);
        if let Some(missing) = wanted.remove_keys.iter().find(|w| !d.key_ids.ids().iter().any(|id| is(id, w))) {
            return Err(DraftError::NoSuchKey { role: role.clone(), id: missing.short() });
        }
        if let Some(missing) = wanted.remove_paths.iter().find(|p| !d.paths.prefixes().contains(p)) {
            return Err(DraftError::NoSuchPath { role: role.clone(), path: missing.clone() });
        }
        let gone = |id: &KeyId| wanted.remove_keys.iter().any(|w| is(id, w));
        let mut ids: Vec<_> = d.key_ids.ids().iter().filter(|id| !gone(id)).copied().collect();
        for key in &wanted.add_keys {
            if !ids.contains(&key.id()) {
                ids.push(key.id());
            }
            known.insert(key.id(), key.clone());
        }
        let threshold = wanted.threshold.unwrap_or(d.key_ids.threshold);
        // One key in two forms is one.
        let distinct: BTreeSet<_> = ids.iter().map(|id| known.get(id).map_or(*id, |k| k.canonical_id())).collect();
        if ids.is_empty() || (distinct.len() as u64) < threshold || threshold == 0 {
            return Err(DraftError::TooFewKeys { role: role.clone(), keys: distinct.len(), threshold });
        }
        let kept = d.paths.prefixes().iter().filter(|p| !wanted.clear_paths && !wanted.remove_paths.contains(p)).cloned();
        let mut paths: Vec<String> = kept.collect();
        for path in &wanted.add_paths {
            if !paths.contains(path) {
                paths.push(path.clone());
            }
        }
        if ids.len() > limits::KEYS || paths.len() > limits::PREFIXES {
            return Err(DraftError::TooMany(role.clone(), if ids.len() > limits::KEYS { "keys" } else { "paths" }));
        }
        if ids != d.key_ids.ids() || threshold != d.key_ids.threshold {
            d.key_ids = KeyIds::new(ids, threshold);
        }
        if paths != d.paths.prefixes() {
            d.paths = Paths::new(paths);
        }
        let is_new = before.is_none();
        if before.is_some_and(|b| b.key_ids == d.key_ids && b.paths == d.paths) {
            return Ok(false);
        }
        if is_new && above.file.delegations().len() >= limits::ROLES {
            return Err(DraftError::TooMany(parent, "roles"));
        }
        above.file.set_delegation(d, known);
        Ok(self.mark(&parent))
    }

    /// A file that may be built upon; a new one for a role that has published nothing.
    fn working(&mut self, role: &RoleName) -> Result<&mut Working, DraftError> {
        if !self.roles.contains_key(role) {
            if let Some(why) = self.refused.get(role) {
                return Err(DraftError::Refused { role: role.clone(), why: why.clone() });
            }
            self.delegation(role).ok_or_else(|| DraftError::NoSuchRole(role.clone()))?;
            let common = Common { version: 1, expires: Expiry::at(self.now) };
            let file = Targets::new(common, BTreeMap::new(), KeyMap::new(), Vec::new());
            let published = self.left.get(role).copied().unwrap_or(0);
            self.roles.insert(role.clone(), Working { file, published, held: true, until: None });
        }
        match self.roles.get_mut(role) {
            Some(w) if w.held => Ok(w),
            _ => Err(DraftError::Refused { role: role.clone(), why: self.refused.get(role).cloned().unwrap_or_default() }),
        }
    }

    /// The same for a file that does not verify: from now on it counts as it is.
    fn take_over(&mut self, role: &RoleName) -> Result<&mut Working, DraftError> {
        if let Some(w) = self.roles.get_mut(role) {
            w.held = true;
        }
        self.working(role)
    }

    fn mark(&mut self, role: &RoleName) -> bool {
        self.changed.insert(role.clone());
        true
    }

    /// Whether a file of a changed role was taken over without anybody's signature that counts.
    pub fn taken_over(&self) -> impl Iterator<Item = (&RoleName, &Targets)> {
        self.refused.keys().filter(|r| self.changed.contains(*r)).filter_map(|r| Some((r, &self.roles.get(r)?.file)))
    }

    /// The new files, those before those that they vouch for.
    ///
    /// # Errors
    /// [`DraftError`] where a file cannot be written, or nobody could sign it.
    pub fn files(&self) -> Result<Vec<NewFile>, DraftError> {
        self.changed.iter().map(|role| self.new_file(role)).collect()
    }

    fn new_file(&self, role: &RoleName) -> Result<NewFile, DraftError> {
        let malformed = |why| DraftError::Malformed { role: role.clone(), why };
        if role.base() == Some(BaseRole::Root) {
            let mut root = self.root.clone();
            root.common = self.next(role, self.before.common.version, self.root_until, ROOT_LIFE)?;
            let (old, new) = (self.before.keys_of(BaseRole::Root), root.keys_of(BaseRole::Root));
            let (old, new) = (old.map_err(malformed)?, new.map_err(malformed)?);
            let same = old.threshold == new.threshold && old.keys == new.keys;
            let needs = if same { vec![new] } else { vec![old, new] };
            return NewFile::of(role, &root, needs);
        }
        let w = self.roles.get(role).ok_or_else(|| DraftError::NoSuchRole(role.clone()))?;
        let mut file = w.file.clone();
        file.common = self.next(role, w.published, w.until, TARGETS_LIFE)?;
        let keys = self.keys_of(role).ok_or_else(|| DraftError::NoSuchRole(role.clone()))?;
        NewFile::of(role, &file, vec![keys])
    }

    fn next(&self, role: &RoleName, published: u64, until: Option<Timestamp>, days: i64) -> Result<Common, DraftError> {
        let version = published + 1;
        if version > limits::VERSION {
            return Err(DraftError::NoVersion(role.clone()));
        }
        let end = until.unwrap_or_else(|| self.now.checked_add((days * 24).hours()).unwrap_or(Timestamp::MAX));
        Ok(Common { version, expires: Expiry::at(end) })
    }
}

impl NewFile {
    /// Fixes the bytes of a role's next file.
    pub fn of<T: Payload>(role: &RoleName, payload: &T, needs: Vec<RoleKeys>) -> Result<Self, DraftError> {
        let unsigned = Unsigned::new(payload).map_err(|why| DraftError::Unwritable { role: role.clone(), why })?;
        let Common { version, expires } = payload.common();
        Ok(Self { role: role.clone(), version: *version, expires: expires.moment(), unsigned, needs })
    }
}

/// Whether these are the IDs of these keys, in any order.
fn same(ids: &[KeyId], keys: &[PublicKey]) -> bool {
    ids.len() == keys.len() && keys.iter().all(|k| ids.contains(&k.id()))
}

/// Refuses a key with which nobody could verify; a certificate also by its dates where there is a time.
pub fn usable(key: &PublicKey, now: Option<Timestamp>) -> Result<(), DraftError> {
    let unusable = |why: String| DraftError::Unusable { id: key.canonical_id().short(), why };
    if key.is_to_come().is_some() {
        return Ok(());
    }
    if let Some(why) = key.obstacle() {
        return Err(unusable(why.to_owned()));
    }
    if key.key_type().is_x509() {
        let leaf =
            x509::first_certificate(key.public_bytes()).ok_or_else(|| unusable("its certificate cannot be read".into()))?;
        leaf.check(now).map_err(|e| unusable(e.to_string()))?;
    }
    Ok(())
}
