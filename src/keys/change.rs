//! Changing and removing keys that are stored: each takes the bytes that were looked at, so that what another program has
//! put there meanwhile is not lost.
use super::{KeyEntry, KeyError, PrivateKey, decode, store::encode_as};
use crate::{
    keys::{Iterations, envelope, pem_file},
    os::strongroom,
    secret::Passphrase,
    text::Untrusted,
    trust_dir::{MAX_KEY_FILE, TrustDir, read_regular, shown},
    tuf::name::{BaseRole, KeyId},
};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// A key file as it was when it was unlocked.
pub struct Held {
    path: PathBuf,
    bytes: Zeroizing<Vec<u8>>,
    key: PrivateKey,
    role: String,
    gun: Option<String>,
}

impl Held {
    /// Reads and unlocks a listed key. Refuses one that is not what its file's name says.
    pub fn unlock(entry: &KeyEntry, passphrase: Option<&Passphrase>, stop: &dyn Fn() -> bool) -> Result<Self, KeyError> {
        let read = strongroom(|| read_regular(&entry.path, MAX_KEY_FILE));
        let read = read.map_err(|source| KeyError::File { path: shown(&entry.path), source })?;
        let name = entry.id.ok_or(KeyError::NameIsNoId)?;
        if strongroom(|| pem_file::parse(&read.bytes)).is_ok_and(|pem| pem.more) {
            return Err(KeyError::MoreThanOne);
        }
        let opened = decode(&read.bytes, passphrase, stop)?;
        let content = opened.key.id();
        if content != name {
            return Err(KeyError::NotItsName { name, content });
        }
        // What only an old layout's name says is written into the file, as Notary's own move does.
        let header = |h: Option<Untrusted>, listed: &Option<Untrusted>| h.or_else(|| listed.clone()).map(|u| u.raw().to_owned());
        Ok(Self {
            path: entry.path.clone(),
            bytes: read.bytes,
            key: opened.key,
            role: header(opened.role, &entry.role).unwrap_or_default(),
            gun: header(opened.gun, &entry.gun_claimed),
        })
    }

    /// The key.
    pub fn key(&self) -> &PrivateKey {
        &self.key
    }

    /// Encrypts the key anew, with the labels that it has, and opens it again to see that this works. Nothing is written.
    pub fn reseal(self, passphrase: &Passphrase, stop: &dyn Fn() -> bool) -> Result<Resealed, KeyError> {
        let rounds = if self.role == BaseRole::Root.as_str() { Iterations::for_root() } else { Iterations::usual() };
        let bytes = encode_as(&self.role, self.gun.as_deref(), &self.key, passphrase, rounds, stop)?;
        let id = self.key.id();
        if decode(&bytes, Some(passphrase), stop)?.key.id() != id {
            return Err(KeyError::Internal("encrypting the key"));
        }
        Ok(Resealed { id, path: self.path, old: self.bytes, new: bytes })
    }
}

/// A key file that is ready to take the place of the one it was made from.
pub struct Resealed {
    id: KeyId,
    path: PathBuf,
    old: Zeroizing<Vec<u8>>,
    new: Vec<u8>,
}

impl Resealed {
    /// Puts it there and reads it back, if what is there is still what it was made from. At every moment the file is whole, the old one or
    /// the new one.
    pub fn store(&self, dir: &TrustDir) -> Result<(), KeyError> {
        Ok(dir.write()?.replace_key(&self.path, &self.old, &self.new)?)
    }

    /// The key.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The bytes that are there.
    pub fn before(&self) -> &[u8] {
        &self.old
    }

    /// The bytes that will be there.
    pub fn bytes(&self) -> &[u8] {
        &self.new
    }
}

/// How many rounds of key derivation protect a file; none for one that is not encrypted that way.
pub fn rounds(bytes: &[u8]) -> Option<u64> {
    let pem = pem_file::parse(bytes).ok()?;
    envelope::Envelope::parse(&pem.der).ok().map(|e| e.iterations)
}

/// A key file that is to be removed, as it was when that was decided.
pub struct Doomed {
    path: PathBuf,
    bytes: Zeroizing<Vec<u8>>,
}

impl Doomed {
    /// Reads the file.
    pub fn read(entry: &KeyEntry) -> Result<Self, KeyError> {
        let read =
            read_regular(&entry.path, MAX_KEY_FILE).map_err(|source| KeyError::File { path: shown(&entry.path), source })?;
        Ok(Self { path: entry.path.clone(), bytes: read.bytes })
    }

    /// The bytes that are there.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Removes it, if it is still what it was.
    pub fn remove(&self, dir: &TrustDir) -> Result<(), KeyError> {
        Ok(dir.write()?.remove_key(&self.path, &self.bytes)?)
    }
}
