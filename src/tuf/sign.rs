//! Making signed files (protocol 4.3, 6.3). Who signs, and with what, the caller knows.
use super::{
    envelope::{self, Payload, Signature},
    json::JsonError,
    material::Method,
    name::KeyId,
};

/// The bytes to sign for a payload, and then the file that they and the signatures make.
pub struct Unsigned {
    canonical: Vec<u8>,
    signatures: Vec<Signature>,
}

impl Unsigned {
    /// Fixes the bytes of a payload. Fails where canonical JSON cannot carry it.
    pub fn new<T: Payload>(payload: &T) -> Result<Self, JsonError> {
        let canonical = envelope::canonical_payload(payload)?;
        envelope::encode(&canonical, &[])?;
        Ok(Self { canonical, signatures: Vec::new() })
    }

    /// What every key signs.
    pub fn bytes(&self) -> &[u8] {
        &self.canonical
    }

    /// Adds a signature. `id` is the TUF ID under which the role names the key.
    pub fn add(&mut self, id: KeyId, method: Method, bytes: Vec<u8>) {
        self.signatures.push(Signature { key_id: id.hex(), method, bytes });
    }

    /// The file, as it is stored and published.
    pub fn into_file(self) -> Result<Vec<u8>, JsonError> {
        envelope::encode(&self.canonical, &self.signatures)
    }
}
