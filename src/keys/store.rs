//! Storing a key as Notary and docker expect it, and writing its public half for others (protocol 1.3).
use super::{ITERATIONS, KeyError, PrivateKey, ROOT_ITERATIONS, decode, envelope, pem_file, public_text, write_new};
use crate::{
    os::strongroom,
    secret::Passphrase,
    text::Untrusted,
    trust_dir::{MAX_KEY_FILE, ReadError, TrustDir, read_regular, shown},
    tuf::{
        key::PublicKey,
        name::{BaseRole, Gun, KeyId},
    },
};
use std::{
    collections::HashMap,
    io,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// What is written into the `role` header of a key file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyRole {
    /// One of the four base roles.
    Base(BaseRole),
    /// A key for delegations. docker labels it with the signer's name, notary with `delegation`.
    Signer(String),
}

impl KeyRole {
    /// Reads a base role, `targets/NAME` or a signer's name (docker's rule: lower-case letters, digits, `-` and `_`,
    /// starting with a letter or digit).
    pub fn parse(name: &str) -> Result<Self, KeyError> {
        if let Some(base) = BaseRole::ALL.into_iter().find(|b| b.as_str() == name) {
            return Ok(Self::Base(base));
        }
        let name = name.strip_prefix("targets/").unwrap_or(name);
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        let legal = name.bytes().next().is_some_and(plain) && name.bytes().all(|b| plain(b) || b == b'-' || b == b'_');
        if legal && name.len() <= crate::tuf::limits::ROLE_NAME {
            Ok(Self::Signer(name.to_owned()))
        } else {
            Err(KeyError::NoSuchRole)
        }
    }

    /// The header's value.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Base(b) => b.as_str(),
            Self::Signer(name) => name,
        }
    }

    /// Whether keys of this role belong to one repository, and so have a `gun` header.
    pub fn has_gun(&self) -> bool {
        matches!(self, Self::Base(BaseRole::Targets | BaseRole::Snapshot | BaseRole::Timestamp))
    }
}

/// How many rounds of key derivation protect a key that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Iterations(u32);

impl Iterations {
    /// What a key of this role gets unless somebody wants more: [`ITERATIONS`], for root [`ROOT_ITERATIONS`].
    pub fn for_role(role: &KeyRole) -> Self {
        if *role == KeyRole::Base(BaseRole::Root) { Self::for_root() } else { Self::usual() }
    }

    /// What a root key gets.
    pub fn for_root() -> Self {
        Self(ROOT_ITERATIONS)
    }

    /// What every other key gets.
    pub fn usual() -> Self {
        Self(ITERATIONS)
    }

    /// As few as Notary itself uses: for keys of a sandbox or a test, which protect nothing.
    pub fn worthless() -> Self {
        Self(2048)
    }
}

impl std::fmt::Display for Iterations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Where a key is after [`store`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    /// In this file, which is new and was read back.
    New(PathBuf),
    /// In this file, which was there before and is as it was, passphrase included.
    AlreadyThere(PathBuf),
}

/// The bytes of a key file, as Notary would write them but for the number of rounds. `gun` is written only for roles
/// that have one.
pub fn encode(
    role: &KeyRole,
    gun: Option<&Gun>,
    key: &PrivateKey,
    passphrase: &Passphrase,
    rounds: Iterations,
    stop: &dyn Fn() -> bool,
) -> Result<Vec<u8>, KeyError> {
    let gun = gun.filter(|_| role.has_gun()).map(Gun::as_str);
    encode_as(role.as_str(), gun, key, passphrase, rounds, stop)
}

/// [`encode`] with labels as they are; an empty role is left out, as it was.
pub(super) fn encode_as(
    role: &str,
    gun: Option<&str>,
    key: &PrivateKey,
    passphrase: &Passphrase,
    rounds: Iterations,
    stop: &dyn Fn() -> bool,
) -> Result<Vec<u8>, KeyError> {
    if passphrase.is_empty() {
        return Err(KeyError::EmptyPassphrase);
    }
    let labels = [("role", Some(role).filter(|r| !r.is_empty())), ("gun", gun)];
    let headers: Vec<(&str, &str)> = labels.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    if headers.iter().any(|(_, value)| !pem_file::header_fits(value)) {
        return Err(KeyError::Damaged("a label in it cannot be written again"));
    }
    let envelope = strongroom(|| envelope::encrypt(&key.to_pkcs8()?, passphrase, rounds.0, stop))?;
    Ok(pem_file::write("ENCRYPTED PRIVATE KEY", &headers, &envelope).as_bytes().to_vec())
}

/// Stores a key under its ID: [`seal`], then [`Sealed::store`].
pub fn store(
    dir: &TrustDir,
    role: &KeyRole,
    gun: Option<&Gun>,
    key: &PrivateKey,
    passphrase: &Passphrase,
    rounds: Iterations,
) -> Result<Stored, KeyError> {
    seal(role, gun, key, passphrase, rounds, &|| false)?.store(dir, &mut || Ok(()))
}

/// A key file that is ready to be written.
pub struct Sealed {
    id: KeyId,
    role: KeyRole,
    gun: Option<Gun>,
    bytes: Vec<u8>,
}

/// Encrypts a key, and opens it again to see that this works. Everything that takes time is here, and nothing is written:
/// `stop` is asked every few milliseconds, and ends it with [`KeyError::Stopped`]. Weak keys are refused.
pub fn seal(
    role: &KeyRole,
    gun: Option<&Gun>,
    key: &PrivateKey,
    passphrase: &Passphrase,
    rounds: Iterations,
    stop: &dyn Fn() -> bool,
) -> Result<Sealed, KeyError> {
    if !key.may_sign() {
        return Err(KeyError::TooWeak(key.algorithm()));
    }
    if let (KeyRole::Base(base), true, None) = (role, role.has_gun(), gun) {
        return Err(KeyError::GunNeeded(base.as_str()));
    }
    let id = key.id();
    let bytes = encode(role, gun, key, passphrase, rounds, stop)?;
    if decode(&bytes, Some(passphrase), stop)?.key.id() != id {
        return Err(KeyError::Internal("encrypting the key"));
    }
    Ok(Sealed { id, role: role.clone(), gun: gun.filter(|_| role.has_gun()).cloned(), bytes })
}

/// Files that have a key's ID and do not lie where Notary can use it, as one walk found them.
#[derive(Debug, Default)]
pub struct Elsewhere(HashMap<KeyId, PathBuf>);

impl Elsewhere {
    /// Walks `private/`.
    pub fn find(dir: &TrustDir) -> Self {
        let found = dir.walk_private().found.into_iter();
        let named = found.filter_map(|f| Some((f.id?, f.path)));
        Self(named.filter(|(id, path)| *path != dir.key_path(*id)).collect())
    }
}

impl Sealed {
    /// The key.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The bytes that will be in the file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// [`Sealed::store_knowing`] after a walk of its own.
    pub fn store(&self, dir: &TrustDir, first: &mut dyn FnMut() -> Result<(), KeyError>) -> Result<Stored, KeyError> {
        self.store_knowing(dir, &Elsewhere::find(dir), first)
    }

    /// Writes the key file: atomic, durable, readable by its owner only, and read back. A key that is there already with
    /// the same role is left as it is; with another it is refused, as Notary does, and so is one that lies `elsewhere`. `first`
    /// is called when nothing else can stand in the way any more, while others cannot write; if it fails, nothing is stored.
    pub fn store_knowing(
        &self,
        dir: &TrustDir,
        elsewhere: &Elsewhere,
        first: &mut dyn FnMut() -> Result<(), KeyError>,
    ) -> Result<Stored, KeyError> {
        let id = self.id;
        let mut writer = dir.write()?;
        if let Some(there) = self.already_there(dir, elsewhere)? {
            return Ok(Stored::AlreadyThere(there));
        }
        first()?;
        writer.create_key(id, &self.bytes)?;
        let path = dir.key_path(id);
        match read_regular(&path, MAX_KEY_FILE) {
            Ok(read) if *read.bytes == self.bytes => Ok(Stored::New(path)),
            _ => {
                writer.take_back_key(id)?;
                Err(KeyError::NotReadBack)
            }
        }
    }

    /// Whether the key has a file already; fails if that says something else, or lies where Notary cannot use it.
    fn already_there(&self, dir: &TrustDir, elsewhere: &Elsewhere) -> Result<Option<PathBuf>, KeyError> {
        let (id, path) = (self.id, dir.key_path(self.id));
        let in_the_way = |file: &Path| KeyError::InTheWay { id, path: shown(file) };
        let read = match read_regular(&path, MAX_KEY_FILE) {
            Ok(read) => read,
            Err(ReadError::Io(e)) if e.kind() == io::ErrorKind::NotFound => {
                return elsewhere.0.get(&id).map_or(Ok(None), |file| Err(in_the_way(file)));
            }
            Err(_) => return Err(in_the_way(&path)),
        };
        let pem = pem_file::parse(&read.bytes).map_err(|_| in_the_way(&path))?;
        let has = (pem.header("role").unwrap_or_default(), pem.header("gun"));
        if has != (self.role.as_str(), self.gun.as_ref().map(Gun::as_str)) {
            let of = has.1.map(|g| format!(" of {}", Untrusted::new(g).shown())).unwrap_or_default();
            return Err(KeyError::OtherRole { id, role: format!("\"{}\"{of}", Untrusted::new(has.0).shown()) });
        }
        Ok(Some(path))
    }
}

/// What [`write_public`] writes.
pub fn public_file(name: &KeyRole, key: &PublicKey) -> Result<Zeroizing<String>, KeyError> {
    let KeyRole::Signer(name) = name else { return Err(KeyError::NoSuchRole) };
    public_text(Some(name), key)
}

/// Writes `NAME.pub` into a directory, as `docker trust key generate` does: a `PUBLIC KEY` with the header
/// `role: NAME`. Fails if the file exists. `name` is a signer's name.
pub fn write_public(directory: &Path, name: &KeyRole, key: &PublicKey) -> Result<PathBuf, KeyError> {
    let KeyRole::Signer(name) = name else { return Err(KeyError::NoSuchRole) };
    let path = directory.join(format!("{name}.pub"));
    let text = public_file(&KeyRole::Signer(name.clone()), key)?;
    write_new(&path, text.as_bytes()).map(|()| path.clone()).map_err(|source| KeyError::Write { path: shown(&path), source })
}
