//! The plan of a repository that is not there yet.
use super::{
    FileDifference, Ground, Plan, consequences,
    difference::{nothing_yet, of_first_root, of_targets},
    ground::Files,
};
use crate::{
    notary::TransportError,
    repository::{LoadError, Repositories, ServerError, blocking},
    tuf::{
        change::Delegate,
        draft::{DraftError, NewFile, ROOT_LIFE, TARGETS_LIFE, usable},
        envelope::{Common, Expiry},
        key::PublicKey,
        limits,
        name::{BaseRole, Gun, RoleName},
        paths::Paths,
        request::{Request, Which},
        role_keys::{KeyIds, KeyMap, RoleKeys},
        root::Root,
        targets::{Delegation, Targets},
    },
};
use jiff::{Timestamp, ToSpan as _};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The keys that it begins with, one for each base role.
pub struct FirstKeys {
    /// Names all others.
    pub root: PublicKey,
    /// Signs targets.
    pub targets: PublicKey,
    /// Signs which versions belong together.
    pub snapshot: PublicKey,
    /// The server's.
    pub timestamp: PublicKey,
    /// Roles to which targets delegates from the beginning.
    pub delegates: Vec<Delegate>,
}

/// Why a repository cannot be begun.
#[derive(Debug, thiserror::Error)]
pub struct Claimed {
    /// Whether the server has it; else this machine remembers it.
    pub by_server: bool,
    /// Where.
    address: String,
}

impl std::fmt::Display for Claimed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.by_server {
            true => write!(f, "{} has a repository of this name already", self.address),
            false => write!(f, "this machine remembers a root of it, and {} has none", self.address),
        }
    }
}

impl Repositories {
    /// Makes sure that a repository is neither at the server nor remembered, so that it can be begun.
    ///
    /// # Errors
    /// See [`LoadError`]: the server must answer that there is nothing.
    pub async fn unclaimed(&self, gun: &Gun, now: Timestamp) -> Result<Result<Ground, Claimed>, LoadError> {
        let transport = self.servers().of(gun).map_err(|e: ServerError| LoadError::from(e))?;
        let role = RoleName::from(BaseRole::Root);
        let request = Request { role: role.clone(), which: Which::Current, limit: limits::METADATA };
        let address = || transport.address().shown().to_string();
        match transport.get(gun, &request).await {
            Err(TransportError::NotThere { .. }) => {}
            Ok(_) | Err(TransportError::TooLarge { .. }) => return Ok(Err(Claimed { by_server: true, address: address() })),
            Err(error) => return Err(LoadError::Transport { role, error, fallback: None }),
        }
        let (trust_dir, name) = (self.trust_dir().clone(), gun.clone());
        let remembered = blocking(move || trust_dir.remembered(&name, limits::METADATA)).await?;
        if !remembered.is_empty() {
            return Ok(Err(Claimed { by_server: false, address: address() }));
        }
        Ok(Ok(Ground {
            gun: gun.clone(),
            transport,
            now,
            files: Files::new(&BTreeMap::new(), Arc::new(remembered)),
            ended: BTreeSet::new(),
            overdue: Vec::new(),
            listed: BTreeMap::new(),
            snapshot_version: 0,
            is_first_contact: false,
        }))
    }
}

/// Roles that are new, and the keys that they name.
fn delegated(wanted: &[Delegate], now: Timestamp) -> Result<(KeyMap, Vec<Delegation>), DraftError> {
    let (mut known, mut roles) = (KeyMap::new(), Vec::new());
    for Delegate { role, add_keys, add_paths, threshold, .. } in wanted {
        let mut ids = Vec::new();
        for key in add_keys {
            usable(key, Some(now))?;
            known.insert(key.id(), key.clone());
            if !ids.contains(&key.id()) {
                ids.push(key.id());
            }
        }
        let threshold = threshold.unwrap_or(1);
        // One key in two forms is one.
        let distinct = add_keys.iter().map(PublicKey::canonical_id).collect::<BTreeSet<_>>().len();
        if (distinct as u64) < threshold || threshold == 0 {
            return Err(DraftError::TooFewKeys { role: role.clone(), keys: distinct, threshold });
        }
        let paths = Paths::new(add_paths.clone());
        roles.push(Delegation { name: role.clone(), key_ids: KeyIds::new(ids, threshold), paths });
    }
    Ok((known, roles))
}

impl Plan {
    /// The first files of a repository.
    ///
    /// # Errors
    /// [`DraftError`]
    pub fn first(ground: Arc<Ground>, keys: &FirstKeys) -> Result<Self, DraftError> {
        let end = |days: i64| Expiry::at(ground.now.checked_add((days * 24).hours()).unwrap_or(Timestamp::MAX));
        let by = [
            (BaseRole::Root, &keys.root),
            (BaseRole::Targets, &keys.targets),
            (BaseRole::Snapshot, &keys.snapshot),
            (BaseRole::Timestamp, &keys.timestamp),
        ];
        for (_, key) in by {
            usable(key, None)?;
        }
        let known: KeyMap = by.iter().map(|(_, k)| (k.id(), (*k).clone())).collect();
        let roles = by.map(|(role, key)| (role, KeyIds::new(vec![key.id()], 1)));
        let root = Root::new(Common { version: 1, expires: end(ROOT_LIFE) }, known, roles);
        let common = Common { version: 1, expires: end(TARGETS_LIFE) };
        let (known, delegations) = delegated(&keys.delegates, ground.now)?;
        let targets = Targets::new(common, BTreeMap::new(), known, delegations);
        let of = |key: &PublicKey| RoleKeys { keys: vec![key.clone()], threshold: 1 };
        let files = vec![
            NewFile::of(&BaseRole::Root.into(), &root, vec![of(&keys.root)])?,
            NewFile::of(&BaseRole::Targets.into(), &targets, vec![of(&keys.targets)])?,
        ];
        let difference = |f: &NewFile| FileDifference {
            role: f.role.clone(),
            version: (None, f.version),
            expires: (None, f.expires),
            lines: match f.role.base() {
                Some(BaseRole::Root) => of_first_root(&root),
                _ => nothing_yet().into_iter().chain(of_targets(None, &targets)).collect(),
            },
        };
        let differences = files.iter().map(difference).collect();
        let audience = vec![
            ("docker", "pulls nothing of it until a tag is signed".to_owned()),
            ("notary", "lists no names".to_owned()),
            ("a pinned client", "refuses the root until its pin names the certificate of its key".to_owned()),
            ("an old cache", "has nothing of it".to_owned()),
        ];
        let awaits = by.iter().find(|(_, k)| k.is_to_come().is_some()).map(|(role, _)| (*role).into());
        let snapshot = of(&keys.snapshot);
        let findings = keys.delegates.iter().flat_map(|d| consequences::certificates_near_end(d, ground.now)).collect();
        let (unvouched, again, gone, must_hold) = (Vec::new(), Vec::new(), Vec::new(), BTreeSet::new());
        Ok(Self { ground, files, differences, findings, audience, unvouched, snapshot, awaits, again, must_hold, gone })
    }
}
