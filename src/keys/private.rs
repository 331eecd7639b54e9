//! A private key in memory, and signing with it (protocol 6.1).
use super::{KeyError, inner};
use crate::{
    os::strongroom,
    tuf::{
        key::{Algorithm, KeyType, PublicKey},
        material::Method,
        name::KeyId,
    },
};
use p256::ecdsa::signature::{RandomizedSigner, SignatureEncoding, Signer as _, hazmat::PrehashSigner};
use pkcs8::EncodePublicKey;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// A signature as metadata holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// How it was made.
    pub method: Method,
    /// Its bytes; for ECDSA r and s at fixed width.
    pub bytes: Vec<u8>,
}

/// Something that signs with one key: an unlocked file, later a token.
pub trait Signer {
    /// The public half.
    fn public(&self) -> &PublicKey;

    /// Signs `payload`, the canonical bytes of `signed`. Fails with [`KeyError::TooWeak`] for a key that must not sign.
    fn sign(&self, payload: &[u8]) -> Result<Signature, KeyError>;
}

/// An unlocked private key. Its numbers lie in the strongroom, and are erased when it is dropped; it cannot be printed or
/// copied.
pub struct PrivateKey {
    /// In a place of their own: a key that is handed on must not leave copies where it was.
    pub(super) numbers: Box<Numbers>,
    public: PublicKey,
}

/// The private numbers. Each type erases itself when dropped.
pub(super) enum Numbers {
    P224(p224::SecretKey),
    P256(p256::SecretKey),
    P384(p384::SecretKey),
    P521(p521::SecretKey),
    Rsa(Box<rsa::RsaPrivateKey>),
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

impl PrivateKey {
    /// Takes the numbers of a key; to be called in the strongroom, where they were made.
    pub(super) fn new(numbers: Numbers) -> Result<Self, KeyError> {
        let numbers = Box::new(numbers);
        let spki = |r: pkcs8::spki::Result<der::Document>| {
            r.map(der::Document::into_vec).map_err(|_| KeyError::Internal("encoding the public key"))
        };
        let public = match &*numbers {
            Numbers::P224(k) => PublicKey::new(KeyType::Ecdsa, spki(k.public_key().to_public_key_der())?),
            Numbers::P256(k) => PublicKey::new(KeyType::Ecdsa, spki(k.public_key().to_public_key_der())?),
            Numbers::P384(k) => PublicKey::new(KeyType::Ecdsa, spki(k.public_key().to_public_key_der())?),
            Numbers::P521(k) => PublicKey::new(KeyType::Ecdsa, spki(k.public_key().to_public_key_der())?),
            Numbers::Rsa(k) => PublicKey::new(KeyType::Rsa, spki(k.to_public_key().to_public_key_der())?),
            Numbers::Ed25519(k) => PublicKey::new(KeyType::Ed25519, k.verifying_key().to_bytes().to_vec()),
        };
        Ok(Self { numbers, public })
    }

    /// The public half, always computed from the private numbers.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The canonical ID, by which key files are named.
    pub fn id(&self) -> KeyId {
        self.public.id()
    }

    /// What the key computes with.
    pub fn algorithm(&self) -> Algorithm {
        self.public.algorithm()
    }

    /// Whether the key is strong enough to sign: RSA below 2048 bits and P-224 are only shown.
    pub fn may_sign(&self) -> bool {
        self.algorithm().may_sign()
    }

    /// The PrivateKeyInfo, byte for byte as Notary writes it (protocol 2.1).
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        strongroom(|| inner::encode(&self.numbers))
    }
}

impl Signer for PrivateKey {
    fn public(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, payload: &[u8]) -> Result<Signature, KeyError> {
        if !self.may_sign() {
            return Err(KeyError::TooWeak(self.algorithm()));
        }
        strongroom(|| self.sign_inside(payload))
    }
}

impl PrivateKey {
    fn sign_inside(&self, payload: &[u8]) -> Result<Signature, KeyError> {
        let failed = |_| KeyError::Internal("signing");
        let digest: [u8; 32] = Sha256::digest(payload).into();
        let (method, bytes) = match &*self.numbers {
            Numbers::P224(_) => return Err(KeyError::TooWeak(Algorithm::EcdsaP224)),
            Numbers::P256(k) => {
                let s: p256::ecdsa::Signature = p256::ecdsa::SigningKey::from(k).sign_prehash(&digest).map_err(failed)?;
                (Method::Ecdsa, s.to_bytes().to_vec())
            }
            Numbers::P384(k) => {
                let s: p384::ecdsa::Signature = p384::ecdsa::SigningKey::from(k).sign_prehash(&digest).map_err(failed)?;
                (Method::Ecdsa, s.to_bytes().to_vec())
            }
            Numbers::P521(k) => {
                // The library wants at least half the field; leading zeros do not change the number that is signed.
                let mut wide = [0u8; 66];
                wide.iter_mut().skip(66 - digest.len()).zip(digest).for_each(|(to, from)| *to = from);
                let s: p521::ecdsa::Signature = p521::ecdsa::SigningKey::from(k).sign_prehash(&wide).map_err(failed)?;
                (Method::Ecdsa, s.to_bytes().to_vec())
            }
            Numbers::Rsa(k) => {
                let key = rsa::pss::BlindedSigningKey::<Sha256>::new_with_salt_len((**k).clone(), 32);
                let s = key.try_sign_with_rng(&mut rand_core::UnwrapErr(getrandom::SysRng), payload).map_err(failed)?;
                (Method::RsaPss, s.to_vec())
            }
            Numbers::Ed25519(k) => (Method::EdDsa, k.try_sign(payload).map_err(failed)?.to_bytes().to_vec()),
        };
        Ok(Signature { method, bytes })
    }
}
