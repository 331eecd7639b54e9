//! Who signs in the sandbox's world, and with what.
use super::SandboxError;
use crate::{
    keys::{NewKey, PrivateKey, Signer, certificate::root_certificate, decode, generate},
    tuf::{
        envelope::{self, Payload},
        key::{Algorithm, KeyType, PublicKey},
        name::Gun,
        sign::Unsigned,
    },
};
use jiff::Timestamp;
use std::sync::Arc;

/// RSA keys take long to make, so these are fixed, and public: they protect nothing.
const BOB: &[u8] = include_bytes!("../../../assets/sandbox/public-throw-away-rsa-2048-bob.pem");
const CI: &[u8] = include_bytes!("../../../assets/sandbox/public-throw-away-rsa-2048-ci.pem");
const WEAK: &[u8] = include_bytes!("../../../assets/sandbox/public-throw-away-rsa-1024-weak.pem");

/// A key together with the form in which metadata names it.
#[derive(Clone)]
pub struct Identity {
    /// The private half.
    pub key: Arc<PrivateKey>,
    /// The public half, bare or in a certificate.
    pub public: PublicKey,
}

impl Identity {
    /// A key that metadata names as it is.
    pub fn bare(key: Arc<PrivateKey>) -> Self {
        Self { public: key.public().clone(), key }
    }

    /// A key in a certificate of its own whose common name is `name`.
    pub fn certified(key: Arc<PrivateKey>, name: &Gun, from: Timestamp, until: Timestamp) -> Result<Self, SandboxError> {
        let pem = root_certificate(name, &key, &mut |b| getrandom::fill(b), from, until)?;
        let kind = if matches!(key.algorithm(), Algorithm::Rsa(_)) { KeyType::RsaX509 } else { KeyType::EcdsaX509 };
        Ok(Self { public: PublicKey::new(kind, pem.into_bytes()), key })
    }

    /// A key that was just made.
    pub fn fresh() -> Result<Self, SandboxError> {
        fresh().map(Self::bare)
    }
}

/// Makes a key.
pub fn fresh() -> Result<Arc<PrivateKey>, SandboxError> {
    Ok(Arc::new(generate(NewKey::EcdsaP256)?))
}

fn asset(pem: &[u8]) -> Result<Arc<PrivateKey>, SandboxError> {
    Ok(Arc::new(decode(pem, None, &|| false)?.key))
}

/// Signs a file as Notary writes it.
pub fn signed<T: Payload>(payload: &T, signers: &[Identity]) -> Result<Vec<u8>, SandboxError> {
    let mut unsigned = Unsigned::new(payload)?;
    for s in signers {
        let signature = s.key.sign(unsigned.bytes())?;
        unsigned.add(s.public.id(), signature.method, signature.bytes);
    }
    Ok(unsigned.into_file()?)
}

/// Signs a file whose names hold control characters, which Notary itself cannot write: the signature is over the raw
/// characters, the file has them escaped. Every verifier accepts it, so it is what an attacker would do.
pub fn signed_with_control_characters<T: Payload>(payload: &T, signer: &Identity) -> Result<Vec<u8>, SandboxError> {
    let canonical = envelope::canonical_payload(payload)?;
    let signature = signer.key.sign(&canonical)?;
    let mut escaped = Vec::with_capacity(canonical.len());
    for b in &canonical {
        if *b < b' ' { escaped.extend_from_slice(format!("\\u{b:04x}").as_bytes()) } else { escaped.push(*b) }
    }
    let signature = envelope::Signature { key_id: signer.public.id().hex(), method: signature.method, bytes: signature.bytes };
    Ok(envelope::encode(&escaped, &[signature])?)
}

/// The people, machines and keys of the world. Root, `alice` and `ci` are the operator's; the others work elsewhere.
pub struct People {
    /// The root key of most repositories.
    pub root: Arc<PrivateKey>,
    /// A signer, and the one at whose desk the sandbox is.
    pub alice: Identity,
    /// A signer with an RSA key in a certificate.
    pub bob: Identity,
    /// A signer.
    pub carol: Identity,
    /// A machine with an RSA key.
    pub ci: Identity,
    /// RSA with 1024 bits: too weak to sign anything.
    pub weak: Arc<PrivateKey>,
}

impl People {
    /// Makes everybody's keys.
    pub fn new(now: Timestamp) -> Result<Self, SandboxError> {
        let bob = Gun::new("bob").map_err(|_| SandboxError::Internal("naming a signer"))?;
        let (from, until) = (super::days(now, -500)?, super::days(now, 595)?);
        Ok(Self {
            root: fresh()?,
            alice: Identity::fresh()?,
            bob: Identity::certified(asset(BOB)?, &bob, from, until)?,
            carol: Identity::fresh()?,
            ci: Identity::bare(asset(CI)?),
            weak: asset(WEAK)?,
        })
    }
}
