//! Keys to sign with: derived from a label, so that every run forges the same files.
use claviger::tuf::{
    envelope::Signature,
    key::{KeyType, PublicKey},
    material::Method,
    name::KeyId,
};
use p256::ecdsa::signature::{Signer as _, hazmat::PrehashSigner as _};
use pkcs8::EncodePublicKey as _;
use rsa::{RsaPrivateKey, pkcs1::DecodeRsaPrivateKey as _};
use sha2::{Digest as _, Sha256, Sha512};
use std::sync::Arc;

/// The private half.
pub enum Secret {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    P521(p521::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
    Rsa(Box<RsaPrivateKey>),
}

/// A private key under one of the public names that it can have: bare, or in a certificate.
#[derive(Clone)]
pub struct Key {
    pub secret: Arc<Secret>,
    pub public: PublicKey,
}

impl Key {
    pub fn p256(label: &str) -> Self {
        let secret = p256::ecdsa::SigningKey::from_slice(&Sha256::digest(label)).unwrap();
        let spki = secret.verifying_key().to_public_key_der().unwrap().into_vec();
        Self::new(Secret::P256(secret), KeyType::Ecdsa, spki)
    }

    pub fn p384(label: &str) -> Self {
        let secret = p384::ecdsa::SigningKey::from_slice(&Sha512::digest(label)[..48]).unwrap();
        let spki = secret.verifying_key().to_public_key_der().unwrap().into_vec();
        Self::new(Secret::P384(secret), KeyType::Ecdsa, spki)
    }

    pub fn p521(label: &str) -> Self {
        let scalar = [&[0, 0], Sha512::digest(label).as_slice()].concat();
        let secret = p521::ecdsa::SigningKey::from_slice(&scalar).unwrap();
        let point = secret.verifying_key().to_sec1_point(false);
        let spki = p521::PublicKey::from_sec1_bytes(point.as_bytes()).unwrap().to_public_key_der().unwrap().into_vec();
        Self::new(Secret::P521(secret), KeyType::Ecdsa, spki)
    }

    pub fn ed25519(label: &str) -> Self {
        let secret = ed25519_dalek::SigningKey::from_bytes(&Sha256::digest(label).into());
        let raw = secret.verifying_key().to_bytes().to_vec();
        Self::new(Secret::Ed25519(secret), KeyType::Ed25519, raw)
    }

    pub fn rsa_2048() -> Self {
        Self::rsa(include_bytes!("../../fixtures/forge/rsa-2048.der"))
    }

    pub fn rsa_1024() -> Self {
        Self::rsa(include_bytes!("../../fixtures/forge/rsa-1024.der"))
    }

    fn rsa(pkcs1: &[u8]) -> Self {
        let secret = RsaPrivateKey::from_pkcs1_der(pkcs1).unwrap();
        let spki = secret.to_public_key().to_public_key_der().unwrap().into_vec();
        Self::new(Secret::Rsa(Box::new(secret)), KeyType::Rsa, spki)
    }

    fn new(secret: Secret, key_type: KeyType, public: Vec<u8>) -> Self {
        Self { secret: Arc::new(secret), public: PublicKey::new(key_type, public) }
    }

    /// The same private key under another public name.
    pub fn known_as(&self, key_type: KeyType, public: Vec<u8>) -> Self {
        Self { secret: self.secret.clone(), public: PublicKey::new(key_type, public) }
    }

    pub fn id(&self) -> KeyId {
        self.public.id()
    }

    /// The method that Notary writes for such a key.
    pub fn method(&self) -> Method {
        match *self.secret {
            Secret::P256(_) | Secret::P384(_) | Secret::P521(_) => Method::Ecdsa,
            Secret::Ed25519(_) => Method::EdDsa,
            Secret::Rsa(_) => Method::RsaPss,
        }
    }

    /// The bytes of a signature, over SHA-256 for every curve.
    pub fn raw_signature(&self, method: &Method, message: &[u8]) -> Vec<u8> {
        let digest = Sha256::digest(message);
        match &*self.secret {
            Secret::P256(k) => {
                let s: p256::ecdsa::Signature = k.sign_prehash(&digest).unwrap();
                s.to_bytes().to_vec()
            }
            Secret::P384(k) => {
                let s: p384::ecdsa::Signature = k.sign_prehash(&digest).unwrap();
                s.to_bytes().to_vec()
            }
            Secret::P521(k) => {
                let wide = [&[0u8; 34], digest.as_slice()].concat();
                let s: p521::ecdsa::Signature = k.sign_prehash(&wide).unwrap();
                s.to_bytes().to_vec()
            }
            Secret::Ed25519(k) => k.sign(message).to_bytes().to_vec(),
            Secret::Rsa(k) if *method == Method::RsaPkcs1v15 => {
                let s = rsa::pkcs1v15::SigningKey::<Sha256>::new((**k).clone()).sign(message);
                rsa::signature::SignatureEncoding::to_vec(&s)
            }
            Secret::Rsa(k) => {
                use rsa::signature::RandomizedSigner as _;
                let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
                let s = rsa::pss::SigningKey::<Sha256>::new((**k).clone()).sign_with_rng(&mut rng, message);
                rsa::signature::SignatureEncoding::to_vec(&s)
            }
        }
    }

    pub fn sign(&self, message: &[u8]) -> Signature {
        self.sign_as(self.method(), message)
    }

    pub fn sign_as(&self, method: Method, message: &[u8]) -> Signature {
        Signature { key_id: self.id().hex(), bytes: self.raw_signature(&method, message), method }
    }
}
