//! Unlocking: the key's ID is computed anew each time and held against the file's name.
use super::{
    KeyEntry, KeyError,
    entry::Kind,
    envelope::Envelope,
    inner::{self, Form},
    pem_file::{self, PemError, PemFile},
    private::{PrivateKey, Signer},
};
use crate::{
    os::strongroom,
    secret::Passphrase,
    text::Untrusted,
    trust_dir::{MAX_KEY_FILE, read_regular, shown},
    tuf::{
        key::Algorithm,
        material::{Message, Method},
        name::KeyId,
    },
};
use sha2::{Digest, Sha256};

/// What a key file holds, unlocked.
pub struct Decoded {
    /// The key.
    pub key: PrivateKey,
    /// The header `role`.
    pub role: Option<Untrusted>,
    /// The header `gun`.
    pub gun: Option<Untrusted>,
}

/// Opens the bytes of a key file. A passphrase is needed for an encrypted key and ignored for another. `stop` is asked
/// every few milliseconds while the passphrase is tried.
pub fn decode(bytes: &[u8], passphrase: Option<&Passphrase>, stop: &dyn Fn() -> bool) -> Result<Decoded, KeyError> {
    let pem = strongroom(|| pem_file::parse(bytes)).map_err(|e| {
        KeyError::Damaged(match e {
            PemError::Missing => "there is no PEM block in it",
            PemError::Damaged | PemError::TooMany(_) => "its PEM block is damaged or cut off",
        })
    })?;
    let key = decode_block(&pem, passphrase, stop)?;
    Ok(Decoded { key, role: pem.header("role").map(Untrusted::new), gun: pem.header("gun").map(Untrusted::new) })
}

/// [`decode`] for a block that was read.
pub(super) fn decode_block(
    pem: &PemFile,
    passphrase: Option<&Passphrase>,
    stop: &dyn Fn() -> bool,
) -> Result<PrivateKey, KeyError> {
    let needed = || passphrase.ok_or(KeyError::PassphraseNeeded);
    strongroom(|| match Kind::of(pem) {
        None => Err(KeyError::Unsupported(format!("a PEM block \"{}\"", Untrusted::new(&*pem.label).shown()))),
        Some(Kind::Plain(form)) => inner::decode(form, &pem.der, false),
        Some(Kind::Pbes2) => {
            let envelope = Envelope::parse(&pem.der)?;
            inner::decode(Form::Pkcs8, &envelope.decrypt(needed()?, stop)?, true)
        }
        Some(Kind::OldPem(form, info)) => inner::decode(form, &info?.decrypt(&pem.der, needed()?)?, true),
    })
}

/// Opens a listed key. Refuses a key that is not the one its file's name says.
pub fn unlock(entry: &KeyEntry, passphrase: Option<&Passphrase>) -> Result<PrivateKey, KeyError> {
    unlock_until(entry, passphrase, &|| false)
}

/// [`unlock`] that fails with [`KeyError::Stopped`] soon after `stop` says yes.
pub fn unlock_until(entry: &KeyEntry, passphrase: Option<&Passphrase>, stop: &dyn Fn() -> bool) -> Result<PrivateKey, KeyError> {
    let read = strongroom(|| read_regular(&entry.path, MAX_KEY_FILE));
    let read = read.map_err(|source| KeyError::File { path: shown(&entry.path), source })?;
    let name = entry.id.ok_or(KeyError::NameIsNoId)?;
    let key = decode(&read.bytes, passphrase, stop)?.key;
    let content = key.id();
    if content == name { Ok(key) } else { Err(KeyError::NotItsName { name, content }) }
}

/// What a successful test showed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tested {
    /// The ID, computed from the private key.
    pub id: KeyId,
    /// What the key computes with.
    pub algorithm: Algorithm,
    /// How it signed.
    pub method: Method,
    /// The one line that was signed: `claviger-test-v1 sha256:HEX`. Nothing else is ever signed in a test.
    pub line: String,
}

/// Signs one line with an unlocked key or a token, and verifies that with the public half. Changes nothing.
pub fn prove(signer: &dyn Signer) -> Result<Tested, KeyError> {
    let mut nonce = [0u8; 32];
    getrandom::fill(&mut nonce).map_err(|_| KeyError::Internal("the random generator"))?;
    let digest: [u8; 32] = Sha256::digest(nonce).into();
    let line = format!("claviger-test-v1 sha256:{}", KeyId::from_digest(digest));
    let signature = signer.sign(line.as_bytes())?;
    let public = signer.public();
    if !public.material().verify(&signature.method, &Message::new(line.as_bytes()), &signature.bytes) {
        return Err(KeyError::Internal("verifying the test signature"));
    }
    Ok(Tested { id: public.canonical_id(), algorithm: public.algorithm(), method: signature.method, line })
}
