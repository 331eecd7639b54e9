//! The border between bytes and trust: [`Verified`] exists only for a file whose signatures were checked (protocol 6.2).
use super::{
    envelope::{Document, Payload},
    limits,
    material::Message,
    name::{KeyId, RoleName},
    refusal::Refusal,
    role_keys::RoleKeys,
};
use jiff::Timestamp;
use std::{
    collections::{HashMap, HashSet},
    ops::Deref,
};

/// A file that enough keys of its role signed. Made only in `tuf`.
#[derive(Debug, Clone)]
pub struct Verified<T> {
    payload: T,
    sha256: [u8; 32],
    signed_by: Vec<KeyId>,
}

impl<T: Payload> Verified<T> {
    /// SHA-256 of the file as it was received.
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// TUF IDs of the role's keys with a good signature under the file, in the file's order.
    pub fn signed_by(&self) -> &[KeyId] {
        &self.signed_by
    }

    /// The version.
    pub fn version(&self) -> u64 {
        self.payload.common().version
    }

    /// The end of its validity.
    pub fn expires(&self) -> Timestamp {
        self.payload.common().expires.moment()
    }

    /// Refuses a file whose time is over at `now`.
    pub(super) fn check_fresh(&self, role: &RoleName, now: Timestamp) -> Result<(), Refusal> {
        let at = self.expires();
        if at < now { Err(Refusal::Expired { role: role.clone(), at }) } else { Ok(()) }
    }

    /// Verifies a parsed file against the keys of its role. Time plays no part.
    pub(super) fn check(document: Document<T>, role: &RoleName, keys: &RoleKeys) -> Result<Self, Refusal> {
        let signed_by = check_signatures(&document, role, keys)?;
        Ok(Self { payload: document.payload, sha256: document.sha256, signed_by })
    }
}

impl<T: Payload> Verified<T> {
    /// Whether those of the role's keys that are still accepted signed often enough. Nothing is computed anew: `keys` must be
    /// among those against which the file was verified.
    pub(super) fn check_remaining(&self, role: &RoleName, keys: &RoleKeys) -> Result<(), Refusal> {
        let signers = keys.keys.iter().filter(|k| self.signed_by.contains(&k.id()));
        let distinct: HashSet<_> = signers.filter_map(|k| k.material().identity()).collect();
        enough(role, keys.threshold, distinct.len())
    }
}

fn enough(role: &RoleName, threshold: u64, distinct: usize) -> Result<(), Refusal> {
    let have = distinct as u64;
    if have < threshold.max(1) { Err(Refusal::Threshold { role: role.clone(), need: threshold, have }) } else { Ok(()) }
}

impl<T> Deref for Verified<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.payload
    }
}

/// Parses a file as the metadata of `role`.
pub(super) fn parse<T: Payload>(role: &RoleName, bytes: &[u8]) -> Result<Document<T>, Refusal> {
    Document::parse(bytes).map_err(|why| Refusal::Malformed { role: role.clone(), why })
}

/// Counts good signatures by distinct keys. The same key under two IDs (two certificates, or bare and certified) counts
/// once, which is stricter than Notary.
pub(super) fn check_signatures<T>(document: &Document<T>, role: &RoleName, keys: &RoleKeys) -> Result<Vec<KeyId>, Refusal> {
    if document.signatures.is_empty() {
        return Err(Refusal::NoSignatures { role: role.clone() });
    }
    let message = Message::new(&document.signed);
    let mut distinct = HashSet::new();
    let mut signed_by = Vec::new();
    let mut bad: HashMap<KeyId, usize> = HashMap::new();
    for s in &document.signatures {
        let Some(key) = s.id().and_then(|id| keys.get(&id)) else { continue };
        if signed_by.contains(&key.id()) || bad.get(&key.id()).is_some_and(|n| *n >= limits::BAD_SIGNATURES) {
            continue;
        }
        if key.obstacle().is_none()
            && let Some(identity) = key.material().identity()
            && key.material().verify(&s.method, &message, &s.bytes)
        {
            distinct.insert(identity);
            signed_by.push(key.id());
        } else {
            *bad.entry(key.id()).or_default() += 1;
        }
    }
    enough(role, keys.threshold, distinct.len())?;
    Ok(signed_by)
}
