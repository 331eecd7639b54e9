//! The hand that publishes: keeps what the owner of a repository would keep, and signs what changed with the next versions.
use super::{
    SandboxError, days,
    people::{self, Identity},
};
use crate::{
    sandbox::{
        keys::ServerKeys,
        registry::Image,
        store::{Published, Repository},
    },
    tuf::{
        envelope::{Common, Expiry},
        file_meta::FileMeta,
        listing::{Snapshot, TimestampFile},
        name::{BaseRole, Gun, RoleName},
        paths::Paths,
        role_keys::{KeyIds, KeyMap},
        root::Root,
        targets::{Delegation, Targets},
    },
};
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Lifetimes that Notary gives (protocol 5), in days.
const ROOT_LIFE: i64 = 10 * 365;
const TARGETS_LIFE: i64 = 3 * 365;
const SNAPSHOT_LIFE: i64 = 3 * 365;
const TIMESTAMP_LIFE: i64 = 14;

/// Who signs what in a repository.
pub struct Owner {
    /// The root key; its certificate is made when the root is published.
    pub root: Arc<crate::keys::PrivateKey>,
    /// The targets key.
    pub targets: Identity,
    /// The snapshot key, unless the server has it.
    pub snapshot: Option<Identity>,
}

/// One repository while its history is being written.
pub struct Author {
    gun: Gun,
    now: Timestamp,
    root: Identity,
    /// The root key before this one, which signs the root that replaces it.
    previous_root: Option<Identity>,
    /// Root keys that no role names any more; Notary keeps them in the file.
    old_roots: Vec<Identity>,
    owner: Owner,
    server: ServerKeys,
    roles: BTreeMap<RoleName, Draft>,
    dirty: BTreeSet<RoleName>,
    meta: BTreeMap<RoleName, FileMeta>,
    /// Last published version of the base roles but `targets`.
    versions: BTreeMap<BaseRole, u64>,
    repository: Repository,
    /// The architectures for which images are made.
    architectures: &'static [&'static str],
    /// What was pushed to the registry, in this order.
    pushed: Pushed,
}

/// Images in the order in which they were pushed, with their names.
pub type Pushed = Vec<(Box<str>, Arc<Image>)>;

struct Draft {
    version: u64,
    targets: BTreeMap<Box<str>, FileMeta>,
    delegations: Vec<Delegation>,
    keys: KeyMap,
    signers: Vec<Identity>,
    control_characters: bool,
}

impl Draft {
    fn new(version: u64, signers: Vec<Identity>) -> Self {
        let (targets, delegations, keys) = Default::default();
        Self { version, targets, delegations, keys, signers, control_characters: false }
    }
}

impl Author {
    /// Starts a repository whose root is made `born` days before now.
    pub fn new(gun: &str, now: Timestamp, born: i64, owner: Owner) -> Result<Self, SandboxError> {
        let gun = Gun::new(gun).map_err(|_| SandboxError::Internal("naming a repository"))?;
        let snapshot = if owner.snapshot.is_none() { Some(people::fresh()?) } else { None };
        let server = ServerKeys { timestamp: people::fresh()?, snapshot };
        let root = Identity::certified(owner.root.clone(), &gun, days(now, -born)?, days(now, ROOT_LIFE - born)?)?;
        let targets = RoleName::from(BaseRole::Targets);
        // The tools write version 1 of what they sign themselves locally, and publish from 2 on.
        let versions = if owner.snapshot.is_some() { BTreeMap::from([(BaseRole::Snapshot, 1)]) } else { BTreeMap::new() };
        let roles = BTreeMap::from([(targets.clone(), Draft::new(1, vec![owner.targets.clone()]))]);
        Ok(Self {
            repository: Repository::new(gun.clone(), server.clone()),
            gun,
            now,
            root,
            previous_root: None,
            old_roots: Vec::new(),
            owner,
            server,
            roles,
            dirty: BTreeSet::from([BaseRole::Root.into(), targets]),
            meta: BTreeMap::new(),
            versions,
            architectures: &["amd64"],
            pushed: Vec::new(),
        })
    }

    fn draft(&mut self, name: &str) -> Result<&mut Draft, SandboxError> {
        let name = role(name)?;
        self.dirty.insert(name.clone());
        self.roles.get_mut(&name).ok_or(SandboxError::Internal("finding a role"))
    }

    /// Delegates to a role, whose file its keys will sign, or replaces what was delegated to it. The file of a role
    /// that is there already stays as it is, signed by whoever signed it.
    pub fn delegate(&mut self, name: &str, keys: &[&Identity], threshold: u64, paths: &[&str]) -> Result<(), SandboxError> {
        let role = role(name)?;
        let parent = role.parent().ok_or(SandboxError::Internal("finding a role"))?;
        let ids = keys.iter().map(|k| k.public.id()).collect();
        let paths = Paths::new(paths.iter().map(|p| (*p).to_owned()).collect());
        let delegation = Delegation { name: role.clone(), key_ids: KeyIds::new(ids, threshold), paths };
        let above = self.draft(parent.as_str())?;
        above.delegations.retain(|d| d.name != role);
        above.delegations.push(delegation);
        above.keys.extend(keys.iter().map(|k| (k.public.id(), k.public.clone())));
        let named: BTreeSet<_> = above.delegations.iter().flat_map(|d| d.key_ids.ids().to_vec()).collect();
        above.keys.retain(|id, _| named.contains(id));
        let signers = keys.iter().map(|k| (*k).clone()).collect();
        self.roles.entry(role).or_insert_with(|| Draft::new(0, signers));
        Ok(())
    }

    /// The architectures for which images are made from now on; several make a list of them.
    pub fn build_for(&mut self, architectures: &'static [&'static str]) {
        self.architectures = architectures;
    }

    /// Pushes an image to the registry. What it is follows from repository and name.
    pub fn push(&mut self, name: &str) -> Arc<Image> {
        // Somebody else may have signed it already.
        if let Some((_, image)) = self.pushed.iter().find(|(n, _)| &**n == name) {
            return image.clone();
        }
        let image = Arc::new(Image::about(&format!("{} {name}", self.gun), self.architectures));
        self.pushed.push((name.into(), image.clone()));
        image
    }

    /// Pushes what one name stands for under another as well. Nobody signs that.
    pub fn push_also_as(&mut self, name: &str, other: &str) {
        let image = self.push(name);
        self.pushed.push((other.into(), image));
    }

    /// Pushes images, and signs their names in some roles.
    pub fn tag(&mut self, roles: &[&str], names: &[&str]) -> Result<(), SandboxError> {
        for name in names {
            let image = self.push(name);
            let manifest = image.manifest();
            let size = i64::try_from(manifest.len()).map_err(|_| SandboxError::Internal("making an image"))?;
            for role in roles {
                let meta = FileMeta::from_sha256(size, Sha256::digest(manifest).into());
                self.draft(role)?.targets.insert((*name).into(), meta);
            }
        }
        Ok(())
    }

    /// Adds the signer's own data to a name in `targets`.
    pub fn custom(&mut self, name: &str, data: crate::tuf::json::Value<'static>) -> Result<(), SandboxError> {
        let file = self.draft("targets")?.targets.get_mut(name);
        file.ok_or(SandboxError::Internal("finding a tag"))?.custom = Some(Box::new(data));
        Ok(())
    }

    /// Lets a role's file hold control characters.
    pub fn allow_control_characters(&mut self, name: &str) -> Result<(), SandboxError> {
        self.draft(name)?.control_characters = true;
        Ok(())
    }

    /// Replaces the root key, so many days before now.
    pub fn rotate_root(&mut self, key: Arc<crate::keys::PrivateKey>, ago: i64) -> Result<(), SandboxError> {
        let new = Identity::certified(key, &self.gun, days(self.now, -ago)?, days(self.now, ROOT_LIFE - ago)?)?;
        let old = std::mem::replace(&mut self.root, new);
        self.old_roots.push(old.clone());
        self.previous_root = Some(old);
        self.dirty.insert(BaseRole::Root.into());
        Ok(())
    }

    /// Publishes what changed, so many days before now.
    pub fn publish(&mut self, ago: i64) -> Result<(), SandboxError> {
        let at = days(self.now, -ago)?;
        for role in std::mem::take(&mut self.dirty) {
            let (version, bytes) =
                if role.base() == Some(BaseRole::Root) { self.root_file(at)? } else { self.targets_file(&role, at)? };
            self.meta.insert(role.clone(), FileMeta::of(&bytes));
            self.repository.publish(role, Published { version, bytes, stored: at });
        }
        let common = self.next(BaseRole::Snapshot, at, SNAPSHOT_LIFE)?;
        let version = common.version;
        let snapshot = Snapshot::new(common, self.meta.clone());
        let signer = match (&self.owner.snapshot, &self.server.snapshot) {
            (Some(owner), _) => owner.clone(),
            (None, Some(server)) => Identity::bare(server.clone()),
            (None, None) => return Err(SandboxError::Internal("finding a snapshot key")),
        };
        let bytes = people::signed(&snapshot, &[signer])?;
        let common = self.next(BaseRole::Timestamp, at, TIMESTAMP_LIFE)?;
        let timestamp = Published {
            version: common.version,
            bytes: people::signed(
                &TimestampFile::new(common, FileMeta::of(&bytes)),
                &[Identity::bare(self.server.timestamp.clone())],
            )?,
            stored: at,
        };
        self.repository.publish(BaseRole::Snapshot.into(), Published { version, bytes, stored: at });
        self.repository.publish(BaseRole::Timestamp.into(), timestamp);
        Ok(())
    }

    /// Ends the history. Unless it is frozen, the server has kept signing since.
    pub fn finish(mut self, frozen: bool) -> Result<(Repository, Pushed), SandboxError> {
        if frozen {
            self.repository.freeze();
        }
        let yesterday = days(self.now, -1)?;
        self.repository.renew(yesterday).map_err(|_| SandboxError::Internal("signing a timestamp"))?;
        Ok((self.repository, self.pushed))
    }

    fn next(&mut self, role: BaseRole, at: Timestamp, life: i64) -> Result<Common, SandboxError> {
        let version = self.versions.entry(role).or_insert(0);
        *version += 1;
        Ok(Common { version: *version, expires: Expiry::at(days(at, life)?) })
    }

    fn root_file(&mut self, at: Timestamp) -> Result<(u64, Vec<u8>), SandboxError> {
        let common = self.next(BaseRole::Root, at, ROOT_LIFE)?;
        let version = common.version;
        let snapshot = match (&self.owner.snapshot, &self.server.snapshot) {
            (Some(owner), _) => owner.public.clone(),
            (None, Some(server)) => server.public().clone(),
            (None, None) => return Err(SandboxError::Internal("finding a snapshot key")),
        };
        let by_role = [
            (BaseRole::Root, self.root.public.clone()),
            (BaseRole::Targets, self.owner.targets.public.clone()),
            (BaseRole::Snapshot, snapshot),
            (BaseRole::Timestamp, self.server.timestamp.public().clone()),
        ];
        let old = self.old_roots.iter().map(|i| i.public.clone());
        let keys: KeyMap = by_role.iter().map(|(_, k)| k.clone()).chain(old).map(|k| (k.id(), k)).collect();
        let root = Root::new(common, keys, by_role.map(|(r, k)| (r, KeyIds::new(vec![k.id()], 1))));
        let signers: Vec<Identity> = [self.root.clone()].into_iter().chain(self.previous_root.take()).collect();
        Ok((version, people::signed(&root, &signers)?))
    }

    fn targets_file(&mut self, role: &RoleName, at: Timestamp) -> Result<(u64, Vec<u8>), SandboxError> {
        let draft = self.roles.get_mut(role).ok_or(SandboxError::Internal("finding a role"))?;
        draft.version += 1;
        let common = Common { version: draft.version, expires: Expiry::at(days(at, TARGETS_LIFE)?) };
        let file = Targets::new(common, draft.targets.clone(), draft.keys.clone(), draft.delegations.clone());
        let bytes = match draft.signers.as_slice() {
            [signer] if draft.control_characters => people::signed_with_control_characters(&file, signer)?,
            signers => people::signed(&file, signers)?,
        };
        Ok((draft.version, bytes))
    }
}

fn role(name: &str) -> Result<RoleName, SandboxError> {
    RoleName::new(name).map_err(|_| SandboxError::Internal("naming a role"))
}
