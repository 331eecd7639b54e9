//! What is inside a key file once it is decrypted: PKCS#8 as Notary writes it and as others do, PKCS#1, SEC1, raw
//! Ed25519 (protocol 2.1, 2.2).
use super::{
    KeyError,
    envelope::{algorithm, integer, octets, sequence},
    private::{Numbers, PrivateKey},
};
use crate::{
    os::strongroom,
    tuf::{
        key::{Algorithm, KeyType, PublicKey},
        limits,
    },
};
use der::{
    Decode, Encode, Reader, Sequence, SliceReader, Tag, TagNumber,
    asn1::{AnyRef, BitStringRef, ObjectIdentifier, OctetStringRef},
};
use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use rsa::pkcs1::{DecodeRsaPrivateKey, EncodeRsaPrivateKey};
use zeroize::Zeroizing;

const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
/// Notary's own OID for Ed25519.
const NOTARY_ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.4.1.11591.15.1");
/// That of RFC 8410, which Notary refuses.
const RFC_ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
const P224: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.33");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
const P384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.34");
const P521: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.132.0.35");
/// Largest RSA modulus of a private key, in bits: the library's limit.
const RSA_BITS_MAX: usize = rsa::RsaPublicKey::MAX_SIZE;

/// The forms of an unencrypted key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `PRIVATE KEY`.
    Pkcs8,
    /// `RSA PRIVATE KEY`.
    Pkcs1,
    /// `EC PRIVATE KEY`.
    Sec1,
    /// `ED25519 PRIVATE KEY`: 96 raw bytes.
    Ed25519,
}

/// A key taken apart, before any arithmetic.
enum Parts<'a> {
    Ec {
        curve: ObjectIdentifier,
        sec1: &'a [u8],
    },
    Rsa {
        pkcs1: &'a [u8],
    },
    /// Public half, if it is there, and seed.
    Ed25519 {
        public: Option<&'a [u8]>,
        seed: &'a [u8],
    },
}

/// Whether the form is one that Notary refuses though the key is fine: Ed25519 as RFC 8410 writes it.
pub fn only_for_others(form: Form, der: &[u8]) -> bool {
    form == Form::Pkcs8 && pkcs8(der).is_ok_and(|(oid, _, _)| oid == RFC_ED25519)
}

/// Makes a key of its DER, checking everything. `from_encrypted` says that the bytes come out of a decryption: what is
/// no key structure at all is then reported as a wrong passphrase.
pub fn decode(form: Form, der: &[u8], from_encrypted: bool) -> Result<PrivateKey, KeyError> {
    let parts = parts(form, der).map_err(|e| match e {
        KeyError::Damaged(_) if from_encrypted => KeyError::WrongPassphrase,
        e => e,
    })?;
    let numbers = match parts {
        Parts::Ec { curve, sec1 } => {
            let bad = KeyError::Damaged("its numbers are not those of an elliptic curve key");
            match curve {
                P224 => p224::SecretKey::from_sec1_der(sec1).map(Numbers::P224).map_err(|_| bad),
                P256 => p256::SecretKey::from_sec1_der(sec1).map(Numbers::P256).map_err(|_| bad),
                P384 => p384::SecretKey::from_sec1_der(sec1).map(Numbers::P384).map_err(|_| bad),
                P521 => p521::SecretKey::from_sec1_der(sec1).map(Numbers::P521).map_err(|_| bad),
                other => Err(KeyError::Unsupported(format!("the elliptic curve {other}"))),
            }?
        }
        Parts::Rsa { pkcs1 } => {
            rsa_bits(pkcs1)?;
            let key = rsa::RsaPrivateKey::from_pkcs1_der(pkcs1)
                .map_err(|_| KeyError::Damaged("its numbers are not those of an RSA key"))?;
            Numbers::Rsa(Box::new(key))
        }
        Parts::Ed25519 { public, seed } => {
            let bad = KeyError::Damaged("its bytes are not those of an Ed25519 key");
            let Ok(seed) = <&[u8; 32]>::try_from(seed) else { return Err(bad) };
            let key = ed25519_dalek::SigningKey::from_bytes(seed);
            if public.is_some_and(|p| p != key.verifying_key().as_bytes()) {
                return Err(bad);
            }
            Numbers::Ed25519(Box::new(key))
        }
    };
    PrivateKey::new(numbers)
}

/// The public half as a listing shows it: for RSA read from the file without checking that the private numbers fit,
/// which takes milliseconds. Unlocking checks.
pub fn glance(form: Form, der: &[u8]) -> Result<(PublicKey, Algorithm), KeyError> {
    if let Parts::Rsa { pkcs1 } = parts(form, der)? {
        let bits = rsa_bits(pkcs1)?;
        let damaged = |_| KeyError::Damaged("its numbers are not those of an RSA key");
        let private = rsa::pkcs1::RsaPrivateKeyRef::from_der(pkcs1).map_err(damaged)?;
        let public = private.public_key().to_der().map_err(damaged)?;
        let spki = SubjectPublicKeyInfoRef {
            algorithm: AlgorithmIdentifierRef { oid: RSA, parameters: Some(AnyRef::NULL) },
            subject_public_key: BitStringRef::from_bytes(&public).map_err(damaged)?,
        };
        return Ok((PublicKey::new(KeyType::Rsa, spki.to_der().map_err(damaged)?), Algorithm::Rsa(bits)));
    }
    let key = strongroom(|| decode(form, der, false))?;
    Ok((key.public().clone(), key.algorithm()))
}

/// The size of the modulus; refuses what is too large to compute with, and keys with more than two primes.
fn rsa_bits(pkcs1: &[u8]) -> Result<usize, KeyError> {
    let key =
        rsa::pkcs1::RsaPrivateKeyRef::from_der(pkcs1).map_err(|_| KeyError::Damaged("its content is not an RSA key in DER"))?;
    if key.version() != rsa::pkcs1::Version::TwoPrime {
        return Err(KeyError::Unsupported("RSA with more than two primes".to_owned()));
    }
    let n = key.modulus.as_bytes();
    let bits = n.first().map_or(0, |b| n.len() * 8 - b.leading_zeros() as usize);
    let sizes = [key.private_exponent, key.prime1, key.prime2, key.public_exponent];
    if bits > RSA_BITS_MAX.min(limits::RSA_BITS_MAX) || sizes.iter().any(|s| s.as_bytes().len() > n.len()) {
        return Err(KeyError::Unsupported(format!("RSA with {bits} bits or numbers of other sizes")));
    }
    Ok(bits)
}

fn parts(form: Form, der: &[u8]) -> Result<Parts<'_>, KeyError> {
    match form {
        Form::Pkcs1 => Ok(Parts::Rsa { pkcs1: first(der)? }),
        Form::Sec1 => Ok(Parts::Ec { curve: sec1_curve(der)?, sec1: first(der)? }),
        Form::Ed25519 => notary_ed25519(der),
        Form::Pkcs8 => {
            let (oid, params, private) = pkcs8(der)?;
            match oid {
                EC => {
                    let curve = params.and_then(|p| p.decode_as::<ObjectIdentifier>().ok());
                    let curve = curve.ok_or_else(|| KeyError::Unsupported("an elliptic curve without a name".to_owned()))?;
                    Ok(Parts::Ec { curve, sec1: first(private)? })
                }
                RSA => Ok(Parts::Rsa { pkcs1: first(private)? }),
                NOTARY_ED25519 => notary_ed25519(private),
                RFC_ED25519 => {
                    let damaged = |_| KeyError::Damaged("its bytes are not those of an Ed25519 key");
                    Ok(Parts::Ed25519 {
                        public: None,
                        seed: octets(&mut SliceReader::new(private).map_err(damaged)?).map_err(damaged)?,
                    })
                }
                other => Err(KeyError::Unsupported(format!("the key algorithm {other}"))),
            }
        }
    }
}

/// PrivateKeyInfo as Go reads it: the version is not looked at, parameters may be missing, more may follow.
fn pkcs8(der: &[u8]) -> Result<(ObjectIdentifier, Option<AnyRef<'_>>, &[u8]), KeyError> {
    let read = || {
        let mut inner = sequence(&mut SliceReader::new(der)?)?;
        integer(&mut inner)?;
        let (oid, params) = algorithm(&mut inner)?;
        Ok((oid, params, octets(&mut inner)?))
    };
    read().map_err(|_: der::Error| KeyError::Damaged("its content is not a PKCS#8 key"))
}

/// Notary's 96 bytes: public key, seed, public key again.
fn notary_ed25519(bytes: &[u8]) -> Result<Parts<'_>, KeyError> {
    let bad = || KeyError::Damaged("its bytes are not those of an Ed25519 key");
    let (public, rest) = bytes.split_at_checked(32).ok_or_else(bad)?;
    let (seed, again) = rest.split_at_checked(32).ok_or_else(bad)?;
    if again == public { Ok(Parts::Ed25519 { public: Some(public), seed }) } else { Err(bad()) }
}

/// The first element, without what follows it.
fn first(der: &[u8]) -> Result<&[u8], KeyError> {
    let read = || SliceReader::new(der)?.tlv_bytes();
    read().map_err(|_: der::Error| KeyError::Damaged("its content is not DER"))
}

/// The curve that a SEC1 key names.
fn sec1_curve(der: &[u8]) -> Result<ObjectIdentifier, KeyError> {
    let read = || {
        let mut inner = sequence(&mut SliceReader::new(der)?)?;
        integer(&mut inner)?;
        octets(&mut inner)?;
        let tag = Tag::ContextSpecific { number: TagNumber(0), constructed: true };
        let params = AnyRef::decode(&mut inner)?;
        if der::Tagged::tag(&params) == tag { Ok(ObjectIdentifier::from_der(params.value()).ok()) } else { Ok(None) }
    };
    match read() {
        Ok(Some(oid)) => Ok(oid),
        Ok(None) => Err(KeyError::Unsupported("an elliptic curve without a name".to_owned())),
        Err::<_, der::Error>(_) => Err(KeyError::Damaged("its content is not an elliptic curve key in DER")),
    }
}

/// PrivateKeyInfo as Notary writes it: the version says that a public key follows, and none does.
#[derive(Sequence)]
struct PrivateKeyInfo<'a> {
    version: u8,
    algorithm: AlgorithmIdentifierRef<'a>,
    private_key: &'a OctetStringRef,
}

/// Encodes a key byte for byte as Notary does.
pub(super) fn encode(numbers: &Numbers) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let failed = |_| KeyError::Internal("encoding the key");
    let sec1 = |r: der::Result<Zeroizing<Vec<u8>>>| r.map_err(failed);
    let (version, oid, curve, content) = match numbers {
        Numbers::P224(k) => (1, EC, Some(P224), sec1(k.to_sec1_der())?),
        Numbers::P256(k) => (1, EC, Some(P256), sec1(k.to_sec1_der())?),
        Numbers::P384(k) => (1, EC, Some(P384), sec1(k.to_sec1_der())?),
        Numbers::P521(k) => (1, EC, Some(P521), sec1(k.to_sec1_der())?),
        Numbers::Rsa(k) => {
            let der = k.to_pkcs1_der().map_err(|_| KeyError::Internal("encoding the key"))?;
            (0, RSA, None, Zeroizing::new(der.as_bytes().to_vec()))
        }
        Numbers::Ed25519(k) => {
            let public = k.verifying_key().to_bytes();
            let seed = Zeroizing::new(k.to_bytes());
            (0, NOTARY_ED25519, None, Zeroizing::new([&public[..], &seed[..], &public[..]].concat()))
        }
    };
    let parameters = curve.as_ref().map(AnyRef::from);
    let private_key = OctetStringRef::new(&content).map_err(failed)?;
    let info = PrivateKeyInfo { version, algorithm: AlgorithmIdentifierRef { oid, parameters }, private_key };
    info.to_der().map(Zeroizing::new).map_err(failed)
}
