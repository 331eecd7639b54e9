//! The number-theoretic key behind a public key, and the verification of one signature (protocol 6.1).
use super::{key::Algorithm, limits};
use der::{Decode, asn1::ObjectIdentifier};
use p256::ecdsa::signature::hazmat::PrehashVerifier;
use pkcs8::{DecodePublicKey, spki::SubjectPublicKeyInfoRef};
use rsa::{BoxedUint, RsaPublicKey, traits::PublicKeyParts};
use sha2::{Digest, Sha256};
use std::{fmt, sync::OnceLock};

const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const P224: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.33");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");

/// How a signature says it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Method {
    /// `ecdsa`: r and s at fixed width, SHA-256 for every curve.
    Ecdsa,
    /// `rsapss`: SHA-256, MGF1 with SHA-256, salt of 32 bytes.
    RsaPss,
    /// `rsapkcs1v15`: SHA-256; verified only.
    RsaPkcs1v15,
    /// `eddsa`: Ed25519 over the message.
    EdDsa,
    /// `pycrypto-pkcs#1 pss`: as `rsapss`, with a key whose public part is PEM; verified only.
    PyCrypto,
    /// Anything else: never verifies.
    Other(String),
}

impl Method {
    /// Reads the name in metadata; case does not matter (protocol 4.2).
    pub fn parse(name: &str) -> Self {
        match name.to_ascii_lowercase().as_str() {
            "ecdsa" => Self::Ecdsa,
            "rsapss" => Self::RsaPss,
            "rsapkcs1v15" => Self::RsaPkcs1v15,
            "eddsa" => Self::EdDsa,
            "pycrypto-pkcs#1 pss" => Self::PyCrypto,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The name in metadata. That of an [`Method::Other`] comes from outside.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Ecdsa => "ecdsa",
            Self::RsaPss => "rsapss",
            Self::RsaPkcs1v15 => "rsapkcs1v15",
            Self::EdDsa => "eddsa",
            Self::PyCrypto => "pycrypto-pkcs#1 pss",
            Self::Other(s) => s,
        }
    }
}

/// The bytes that were signed, hashed once however many signatures stand under them.
pub struct Message<'a> {
    bytes: &'a [u8],
    digest: OnceLock<[u8; 32]>,
}

impl<'a> Message<'a> {
    /// Wraps signed bytes.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, digest: OnceLock::new() }
    }

    fn sha256(&self) -> &[u8; 32] {
        self.digest.get_or_init(|| Sha256::digest(self.bytes).into())
    }
}

/// A key that can verify, or the reason why it cannot.
#[derive(Clone)]
pub enum Material {
    /// P-256
    P256(Box<p256::ecdsa::VerifyingKey>),
    /// P-384
    P384(Box<p384::ecdsa::VerifyingKey>),
    /// P-521
    P521(Box<p521::ecdsa::VerifyingKey>),
    /// RSA; the flag says that the public part was PEM, which only [`Method::PyCrypto`] reads.
    Rsa(Box<RsaPublicKey>, bool),
    /// Ed25519
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
    /// P-224: known, never used.
    P224,
    /// Cannot be used.
    Unusable(&'static str),
}

impl Material {
    /// Reads an ECDSA key from a SubjectPublicKeyInfo.
    pub fn ecdsa_spki(der: &[u8]) -> Self {
        let Ok(info) = SubjectPublicKeyInfoRef::from_der(der) else { return Self::Unusable("not a public key in DER") };
        if info.algorithm.oid != EC_PUBLIC_KEY {
            return Self::Unusable("the key is not an ECDSA key, as its type says");
        }
        let bad = Self::Unusable("the point is not on the curve");
        match info.algorithm.parameters_oid() {
            Ok(P256) => p256::ecdsa::VerifyingKey::from_public_key_der(der).map_or(bad, |k| Self::P256(Box::new(k))),
            Ok(P384) => p384::ecdsa::VerifyingKey::from_public_key_der(der).map_or(bad, |k| Self::P384(Box::new(k))),
            Ok(P521) => p521::PublicKey::from_public_key_der(der)
                .ok()
                .and_then(|k| p521::ecdsa::VerifyingKey::from_affine(*k.as_affine()).ok())
                .map_or(bad, |k| Self::P521(Box::new(k))),
            Ok(P224) => Self::P224,
            _ => Self::Unusable("unknown elliptic curve"),
        }
    }

    /// Reads an RSA key from a SubjectPublicKeyInfo, or from the PEM of one.
    pub fn rsa_spki(bytes: &[u8]) -> Self {
        if bytes.starts_with(b"-----BEGIN PUBLIC KEY-----") {
            return match pem::parse(bytes) {
                Ok(p) => Self::rsa_der(p.contents(), true),
                Err(_) => Self::Unusable("not a public key in PEM"),
            };
        }
        Self::rsa_der(bytes, false)
    }

    fn rsa_der(der: &[u8], from_pem: bool) -> Self {
        let Ok(info) = SubjectPublicKeyInfoRef::from_der(der) else { return Self::Unusable("not a public key in DER") };
        if info.algorithm.oid != RSA_ENCRYPTION {
            return Self::Unusable("the key is not an RSA key, as its type says");
        }
        let numbers = info.subject_public_key.as_bytes().and_then(|b| rsa::pkcs1::RsaPublicKeyRef::from_der(b).ok());
        let Some(numbers) = numbers else { return Self::Unusable("not an RSA key in DER") };
        let (n, e) = (
            BoxedUint::from_be_slice_vartime(numbers.modulus.as_bytes()),
            BoxedUint::from_be_slice_vartime(numbers.public_exponent.as_bytes()),
        );
        match RsaPublicKey::new_with_max_size(n, e, limits::RSA_BITS_MAX) {
            Ok(k) => Self::Rsa(Box::new(k), from_pem),
            Err(_) => Self::Unusable("not an acceptable RSA key"),
        }
    }

    /// Reads a raw Ed25519 key of 32 bytes.
    pub fn ed25519(bytes: &[u8]) -> Self {
        let key = <[u8; 32]>::try_from(bytes).ok().and_then(|b| ed25519_dalek::VerifyingKey::from_bytes(&b).ok());
        key.map_or(Self::Unusable("not an Ed25519 key of 32 bytes"), |k| Self::Ed25519(Box::new(k)))
    }

    /// What the key computes with.
    pub fn algorithm(&self) -> Algorithm {
        match self {
            Self::P256(_) => Algorithm::EcdsaP256,
            Self::P384(_) => Algorithm::EcdsaP384,
            Self::P521(_) => Algorithm::EcdsaP521,
            Self::P224 => Algorithm::EcdsaP224,
            Self::Rsa(k, _) => Algorithm::Rsa(k.n_bits_precision_exact()),
            Self::Ed25519(_) => Algorithm::Ed25519,
            Self::Unusable(_) => Algorithm::Unknown,
        }
    }

    /// Why the key cannot verify, if it cannot.
    pub fn obstacle(&self) -> Option<&'static str> {
        match self {
            Self::Unusable(why) => Some(why),
            _ if self.algorithm().may_sign() => None,
            Self::P224 => Some("P-224 is too weak to be trusted"),
            _ => Some("RSA below 2048 bits never counts"),
        }
    }

    /// What two names of one key have in common: the same key in two certificates, or bare and certified, has one
    /// identity. None for a key that cannot verify.
    pub fn identity(&self) -> Option<Vec<u8>> {
        let tag = |t: &str, parts: &[&[u8]]| {
            let mut v = t.as_bytes().to_vec();
            for p in parts {
                v.extend_from_slice(&(p.len() as u64).to_be_bytes());
                v.extend_from_slice(p);
            }
            Some(v)
        };
        match self {
            Self::P256(k) => tag("p256", &[k.to_sec1_point(false).as_bytes()]),
            Self::P384(k) => tag("p384", &[k.to_sec1_point(false).as_bytes()]),
            Self::P521(k) => tag("p521", &[k.to_sec1_point(false).as_bytes()]),
            Self::Rsa(k, _) => tag("rsa", &[&k.n_bytes(), &k.e_bytes()]),
            Self::Ed25519(k) => tag("ed25519", &[k.as_bytes()]),
            Self::P224 | Self::Unusable(_) => None,
        }
    }

    /// Whether `signature` over `message` is this key's. The algorithm is the key's own; a `method` that does not fit it
    /// makes the signature worthless.
    pub fn verify(&self, method: &Method, message: &Message<'_>, signature: &[u8]) -> bool {
        if self.obstacle().is_some() {
            return false;
        }
        match (self, method) {
            (Self::P256(k), Method::Ecdsa) => signature.len() == 64 && of_p256(k, message, signature),
            (Self::P384(k), Method::Ecdsa) => {
                signature.len() == 96
                    && p384::ecdsa::Signature::from_slice(signature).is_ok_and(|s| k.verify_prehash(message.sha256(), &s).is_ok())
            }
            (Self::P521(k), Method::Ecdsa) => {
                // The library wants a digest of at least half the field; leading zeros do not change the number.
                let mut wide = [0u8; 66];
                wide[34..].copy_from_slice(message.sha256());
                signature.len() == 132
                    && p521::ecdsa::Signature::from_slice(signature).is_ok_and(|s| k.verify_prehash(&wide, &s).is_ok())
            }
            (Self::Ed25519(k), Method::EdDsa) => {
                ed25519_dalek::Signature::from_slice(signature).is_ok_and(|s| k.verify_strict(message.bytes, &s).is_ok())
            }
            (Self::Rsa(k, false), Method::RsaPss) | (Self::Rsa(k, true), Method::PyCrypto) => {
                let key = rsa::pss::VerifyingKey::<Sha256>::new_with_salt_len((**k).clone(), 32);
                rsa::pss::Signature::try_from(signature).is_ok_and(|s| key.verify_prehash(message.sha256(), &s).is_ok())
            }
            (Self::Rsa(k, false), Method::RsaPkcs1v15) => {
                let key = rsa::pkcs1v15::VerifyingKey::<Sha256>::new((**k).clone());
                rsa::pkcs1v15::Signature::try_from(signature).is_ok_and(|s| key.verify_prehash(message.sha256(), &s).is_ok())
            }
            _ => false,
        }
    }
}

/// Longer messages are hashed once for all their signatures, which `ring` cannot do.
#[cfg(feature = "network")]
const HASHED_EACH_TIME: usize = 64 << 10;

/// The signature that a repository has most of. What comes with TLS verifies it several times as fast.
fn of_p256(key: &p256::ecdsa::VerifyingKey, message: &Message<'_>, signature: &[u8]) -> bool {
    #[cfg(feature = "network")]
    if message.bytes.len() <= HASHED_EACH_TIME {
        let point = key.to_sec1_point(false);
        let key = ring::signature::UnparsedPublicKey::new(&ring::signature::ECDSA_P256_SHA256_FIXED, point.as_bytes());
        return key.verify(message.bytes, signature).is_ok();
    }
    of_p256_hashed(key, message, signature)
}

fn of_p256_hashed(key: &p256::ecdsa::VerifyingKey, message: &Message<'_>, signature: &[u8]) -> bool {
    p256::ecdsa::Signature::from_slice(signature).is_ok_and(|s| key.verify_prehash(message.sha256(), &s).is_ok())
}

/// The exact size of an RSA modulus.
trait ModulusBits {
    fn n_bits_precision_exact(&self) -> usize;
}

impl ModulusBits for RsaPublicKey {
    fn n_bits_precision_exact(&self) -> usize {
        let bytes = self.n_bytes();
        let first = bytes.iter().position(|b| *b != 0).unwrap_or(bytes.len());
        bytes.get(first).map_or(0, |b| (bytes.len() - first) * 8 - b.leading_zeros() as usize)
    }
}

impl fmt::Debug for Material {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Material({})", self.algorithm())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use p256::ecdsa::signature::Signer as _;
    use proptest::prelude::*;

    /// Numbers at the edges of what r and s may be.
    fn edge() -> impl Strategy<Value = [u8; 32]> {
        let order = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
        let mut order: [u8; 32] = base16ct::lower::decode_vec(order).unwrap().try_into().unwrap();
        let whole = order;
        order[31] -= 1;
        let mut one = [0; 32];
        one[31] = 1;
        prop_oneof![Just([0; 32]), Just(one), Just(order), Just(whole), Just([0xff; 32]), any::<[u8; 32]>()]
    }

    proptest! {
        #[test]
        fn both_ways_of_verifying_agree(secret in 1u8..255, text in any::<Vec<u8>>(), at in 0usize..64, flip in any::<u8>(), high in any::<bool>()) {
            let key = p256::ecdsa::SigningKey::from_slice(&[secret; 32]).unwrap();
            let made: p256::ecdsa::Signature = key.sign(&text);
            // Notary writes either of the two numbers that s may be.
            let s = if high { -made.s().as_ref().to_owned() } else { made.s().as_ref().to_owned() };
            let whole = p256::ecdsa::Signature::from_scalars(made.r().to_bytes(), s.to_bytes()).unwrap();
            let mut bytes = whole.to_bytes();
            let message = Message::new(&text);
            let both = |bytes: &[u8]| (of_p256(key.verifying_key(), &message, bytes), of_p256_hashed(key.verifying_key(), &message, bytes));
            prop_assert_eq!(both(&bytes), (true, true));
            bytes[at] ^= flip;
            prop_assert_eq!(both(&bytes), (flip == 0, flip == 0));
        }

        #[test]
        fn both_ways_refuse_the_same_rubbish(r in edge(), s in edge(), text in any::<Vec<u8>>()) {
            let key = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
            let message = Message::new(&text);
            let bytes = [r, s].concat();
            prop_assert!(!of_p256(key.verifying_key(), &message, &bytes));
            prop_assert!(!of_p256_hashed(key.verifying_key(), &message, &bytes));
        }
    }
}
