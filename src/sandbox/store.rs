//! What the server keeps of each collection: every file that was ever published, and the keys with which it signs.
use super::{keys::ServerKeys, publish::Transaction};
use crate::{
    keys::{KeyError, Signer},
    tuf::{
        envelope::{Common, Document, Expiry, Payload},
        file_meta::FileMeta,
        listing::{Snapshot, TimestampFile},
        name::{BaseRole, Gun, RoleName},
        sign::Unsigned,
    },
};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Lifetime of a timestamp that the server signs.
pub(super) const TIMESTAMP_LIFE: SignedDuration = SignedDuration::from_hours(14 * 24);
/// Lifetime of a snapshot that the server signs.
pub(super) const SNAPSHOT_LIFE: SignedDuration = SignedDuration::from_hours(3 * 365 * 24);

/// A file as it was published.
#[derive(Debug, Clone)]
pub struct Published {
    /// Its version.
    pub version: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// When the server stored it.
    pub stored: Timestamp,
}

impl Published {
    /// SHA-256 of the file, by which it is asked for.
    pub fn sha256(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
    }
}

/// A collection on the server.
pub struct Repository {
    gun: Gun,
    keys: ServerKeys,
    files: BTreeMap<RoleName, Vec<Published>>,
    held: u64,
    frozen: bool,
}

/// Why the server has nothing newer than what has expired.
#[derive(Debug)]
pub(super) struct CannotSign;

impl From<KeyError> for CannotSign {
    fn from(_: KeyError) -> Self {
        Self
    }
}

impl Repository {
    /// A collection without files.
    pub fn new(gun: Gun, keys: ServerKeys) -> Self {
        Self { gun, keys, files: BTreeMap::new(), held: 0, frozen: false }
    }

    /// Stores a file. Whether it is any good is not checked: a world to practise on has bad ones too.
    pub fn publish(&mut self, role: RoleName, file: Published) {
        self.held += file.bytes.len() as u64;
        self.files.entry(role).or_default().push(file);
    }

    /// Stores what one publication brings, and signs with these keys from now on.
    pub(super) fn take(&mut self, made: Transaction) {
        for (role, file) in made.files {
            self.publish(role, file);
        }
        self.publish(BaseRole::Timestamp.into(), made.timestamp);
        self.keys = made.keys;
        self.frozen = false;
    }

    /// How many bytes its files have, all versions together.
    pub(super) fn held(&self) -> u64 {
        self.held
    }

    /// Whether it is left to expire.
    pub(super) fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// The keys with which the server signs for it.
    pub(super) fn keys(&self) -> &ServerKeys {
        &self.keys
    }

    /// Lets timestamp and snapshot expire instead of signing them anew: a server that has stopped working, or that
    /// somebody froze.
    pub fn freeze(&mut self) {
        self.frozen = true;
    }

    /// Its name.
    pub fn gun(&self) -> &Gun {
        &self.gun
    }

    /// The files of a role, oldest first.
    pub fn files(&self, role: &RoleName) -> &[Published] {
        self.files.get(role).map(Vec::as_slice).unwrap_or_default()
    }

    /// The roles that have files.
    pub fn roles(&self) -> impl Iterator<Item = RoleName> + '_ {
        self.files.keys().cloned()
    }

    /// The file with a version.
    pub(super) fn by_version(&self, role: &RoleName, version: i64) -> Option<&Published> {
        self.files(role).iter().find(|f| i64::try_from(f.version) == Ok(version))
    }

    /// The file with a SHA-256.
    pub(super) fn by_sha256(&self, role: &RoleName, sha256: [u8; 32]) -> Option<&Published> {
        // What is asked for is nearly always the newest.
        self.files(role).iter().rev().find(|f| f.sha256() == sha256)
    }

    /// The current file, found as the real server finds it: by way of timestamp and snapshot, so that a role which the
    /// snapshot does not name is not there.
    pub(super) fn current(&self, role: &RoleName) -> Option<&Published> {
        if role.base() == Some(BaseRole::Timestamp) {
            return self.files(role).iter().max_by_key(|f| f.version);
        }
        if role.base() == Some(BaseRole::Snapshot) {
            let timestamp = Document::<TimestampFile>::parse(&self.current(&BaseRole::Timestamp.into())?.bytes).ok()?;
            return self.by_sha256(role, timestamp.payload.snapshot().sha256()?);
        }
        let snapshot = Document::<Snapshot>::parse(&self.current(&BaseRole::Snapshot.into())?.bytes).ok()?;
        self.by_sha256(role, snapshot.payload.meta(role)?.sha256()?)
    }

    /// Timestamp and snapshot signed anew where they have expired (protocol 10.4), if they have.
    pub(super) fn renewal(&self, now: Timestamp) -> Result<Option<Transaction>, CannotSign> {
        let current = |role: BaseRole| self.current(&role.into());
        let (Some(timestamp), Some(snapshot)) = (current(BaseRole::Timestamp), current(BaseRole::Snapshot)) else {
            return Ok(None);
        };
        if self.frozen {
            return Ok(None);
        }
        let old = Document::<TimestampFile>::parse(&timestamp.bytes).map_err(|_| CannotSign)?.payload;
        let listing = Document::<Snapshot>::parse(&snapshot.bytes).map_err(|_| CannotSign)?.payload;
        let stale = expired(&listing, now);
        if !stale && !expired(&old, now) {
            return Ok(None);
        }
        let mut files = Vec::new();
        let mut vouched = FileMeta::of(&snapshot.bytes);
        if stale {
            let key = self.keys.snapshot.clone().ok_or(CannotSign)?;
            let meta: Vec<_> = listing.roles().filter_map(|r| listing.meta(&r).cloned().map(|m| (r, m))).collect();
            let version = listing.common.version + 1;
            let bytes = sign(&Snapshot::new(common(version, now, SNAPSHOT_LIFE)?, meta), &*key)?;
            vouched = FileMeta::of(&bytes);
            files.push((BaseRole::Snapshot.into(), Published { version, bytes, stored: now }));
        }
        let version = old.common.version + 1;
        let bytes = sign(&TimestampFile::new(common(version, now, TIMESTAMP_LIFE)?, vouched), &*self.keys.timestamp)?;
        let timestamp = Published { version, bytes, stored: now };
        Ok(Some(Transaction { files, timestamp, keys: self.keys.clone() }))
    }

    /// Signs anew what has expired.
    pub(super) fn renew(&mut self, now: Timestamp) -> Result<(), CannotSign> {
        if let Some(renewed) = self.renewal(now)? {
            self.take(renewed);
        }
        Ok(())
    }
}

fn expired<T: Payload>(payload: &T, now: Timestamp) -> bool {
    payload.common().expires.moment() < now
}

/// A version, and an end so long after now.
pub(super) fn common(version: u64, now: Timestamp, life: SignedDuration) -> Result<Common, CannotSign> {
    let end = now.checked_add(life).map_err(|_| CannotSign)?;
    Ok(Common { version, expires: Expiry::at(end) })
}

/// The file that a payload becomes with the server's signature.
pub(super) fn sign<T: Payload>(payload: &T, key: &dyn Signer) -> Result<Vec<u8>, CannotSign> {
    let mut unsigned = Unsigned::new(payload).map_err(|_| CannotSign)?;
    let signature = key.sign(unsigned.bytes())?;
    unsigned.add(key.public().id(), signature.method, signature.bytes);
    unsigned.into_file().map_err(|_| CannotSign)
}
