//! Public keys and their IDs (protocol 3).
use super::{
    limits,
    material::Material,
    name::KeyId,
    x509::{self, CertificateError},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

/// The `keytype` of a key in metadata.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyType {
    /// A bare ECDSA key (SubjectPublicKeyInfo).
    Ecdsa,
    /// A bare RSA key (SubjectPublicKeyInfo).
    Rsa,
    /// 32 raw bytes.
    Ed25519,
    /// PEM certificates whose leaf holds an ECDSA key.
    EcdsaX509,
    /// PEM certificates whose leaf holds an RSA key.
    RsaX509,
    /// Anything else: kept, never verifies.
    Other(String),
}

impl KeyType {
    /// Reads the name that metadata uses.
    pub fn parse(name: &str) -> Self {
        match name {
            "ecdsa" => Self::Ecdsa,
            "rsa" => Self::Rsa,
            "ed25519" => Self::Ed25519,
            "ecdsa-x509" => Self::EcdsaX509,
            "rsa-x509" => Self::RsaX509,
            other => Self::Other(other.to_owned()),
        }
    }

    /// The name that metadata uses. That of an [`KeyType::Other`] comes from outside.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Ecdsa => "ecdsa",
            Self::Rsa => "rsa",
            Self::Ed25519 => "ed25519",
            Self::EcdsaX509 => "ecdsa-x509",
            Self::RsaX509 => "rsa-x509",
            Self::Other(s) => s,
        }
    }

    /// Whether the key is wrapped in certificates.
    pub fn is_x509(&self) -> bool {
        matches!(self, Self::EcdsaX509 | Self::RsaX509)
    }
}

/// What a key computes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// ECDSA on P-224: read, never used.
    EcdsaP224,
    /// ECDSA on P-256, what Notary makes.
    EcdsaP256,
    /// ECDSA on P-384.
    EcdsaP384,
    /// ECDSA on P-521.
    EcdsaP521,
    /// RSA with a modulus of so many bits.
    Rsa(usize),
    /// Ed25519.
    Ed25519,
    /// A key that cannot be read.
    Unknown,
}

impl Algorithm {
    /// Whether a key of this kind is strong enough to sign and to be believed. RSA below 2048 bits and P-224 are only
    /// shown.
    pub fn may_sign(self) -> bool {
        match self {
            Self::EcdsaP224 | Self::Unknown => false,
            Self::Rsa(bits) => bits >= limits::RSA_BITS,
            Self::EcdsaP256 | Self::EcdsaP384 | Self::EcdsaP521 | Self::Ed25519 => true,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EcdsaP224 => f.pad("ecdsa-p224"),
            Self::EcdsaP256 => f.pad("ecdsa-p256"),
            Self::EcdsaP384 => f.pad("ecdsa-p384"),
            Self::EcdsaP521 => f.pad("ecdsa-p521"),
            Self::Rsa(bits) => f.pad(&format!("rsa-{bits}")),
            Self::Ed25519 => f.pad("ed25519"),
            Self::Unknown => f.pad("unknown"),
        }
    }
}

/// A public key as metadata names it. Copies share one value, so a key is read once however many roles name it.
#[derive(Clone)]
pub struct PublicKey(Arc<Shared>);

struct Shared {
    key_type: KeyType,
    public: Vec<u8>,
    id: KeyId,
    to_come: Option<ToCome>,
    parsed: OnceLock<Box<Parsed>>,
}

/// Who will have the private half of a key that is not there yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ToCome {
    /// Whoever makes the plan.
    Here,
    /// The server.
    AtServer,
}

struct Parsed {
    material: Material,
    canonical: KeyId,
    certificate_obstacle: Option<&'static str>,
}

impl PublicKey {
    /// Takes a key type and the decoded `public` member (DER, raw bytes or PEM text, by type).
    pub fn new(key_type: KeyType, public: Vec<u8>) -> Self {
        let id = key_id(key_type.as_str(), &public);
        Self(Arc::new(Shared { key_type, public, id, to_come: None, parsed: OnceLock::new() }))
    }

    /// Stands in a plan for a key that is not there yet: made when the plan is accepted. `what` says which, to people.
    pub fn to_come(what: &str, whose: ToCome) -> Self {
        let (key_type, public) = (KeyType::Other("to-come".to_owned()), what.as_bytes().to_vec());
        let id = key_id(key_type.as_str(), &public);
        Self(Arc::new(Shared { key_type, public, id, to_come: Some(whose), parsed: OnceLock::new() }))
    }

    /// What a key that is to come is called; none for one that is there.
    pub fn is_to_come(&self) -> Option<&str> {
        self.0.to_come.and_then(|_| std::str::from_utf8(&self.0.public).ok())
    }

    /// Whether it is to come, and whoever makes the plan will sign with it.
    pub fn will_be_here(&self) -> bool {
        self.0.to_come == Some(ToCome::Here)
    }

    /// The `keytype`.
    pub fn key_type(&self) -> &KeyType {
        &self.0.key_type
    }

    /// The decoded `public` member.
    pub fn public_bytes(&self) -> &[u8] {
        &self.0.public
    }

    /// The ID by which metadata and signatures name the key: its TUF ID.
    pub fn id(&self) -> KeyId {
        self.0.id
    }

    /// The ID by which key files are named: that of the bare key inside a certificate, else the TUF ID (protocol 3.3).
    pub fn canonical_id(&self) -> KeyId {
        self.parsed().canonical
    }

    /// What the key computes with; [`Algorithm::Unknown`] if it cannot be read.
    pub fn algorithm(&self) -> Algorithm {
        self.parsed().material.algorithm()
    }

    /// The number-theoretic key: what two names of one key share.
    pub fn material(&self) -> &Material {
        &self.parsed().material
    }

    /// Why the key cannot verify, if it cannot: what it computes with, or a certificate that breaks the rules of protocol 7.3
    /// (its dates do not matter here).
    pub fn obstacle(&self) -> Option<&'static str> {
        let parsed = self.parsed();
        parsed.material.obstacle().or(parsed.certificate_obstacle)
    }

    /// The first certificate of an X.509 key, as far as it can be read.
    pub fn leaf(&self) -> Option<x509::Leaf> {
        if self.0.key_type.is_x509() { x509::first_certificate(&self.0.public) } else { None }
    }

    fn parsed(&self) -> &Parsed {
        let Shared { key_type, public, id, parsed, .. } = &*self.0;
        parsed.get_or_init(|| {
            let bare = |m: Material| Box::new(Parsed { material: m, canonical: *id, certificate_obstacle: None });
            match key_type {
                KeyType::Ecdsa => bare(Material::ecdsa_spki(public)),
                KeyType::Rsa => bare(Material::rsa_spki(public)),
                KeyType::Ed25519 => bare(Material::ed25519(public)),
                KeyType::Other(_) => bare(Material::Unusable("unknown key type")),
                KeyType::EcdsaX509 | KeyType::RsaX509 => match x509::first_certificate(public) {
                    None => bare(Material::Unusable("no readable certificate")),
                    Some(leaf) => {
                        let (name, material) = if *key_type == KeyType::EcdsaX509 {
                            ("ecdsa", Material::ecdsa_spki(&leaf.spki))
                        } else {
                            ("rsa", Material::rsa_spki(&leaf.spki))
                        };
                        let certificate_obstacle = leaf.check(None).err().map(|e| match e {
                            CertificateError::Sha1 => "its certificate is signed with SHA-1",
                            CertificateError::Inverted => "its certificate ends before it starts",
                            _ => "its certificate holds a key that is too weak",
                        });
                        Box::new(Parsed { material, canonical: key_id(name, &leaf.spki), certificate_obstacle })
                    }
                },
            }
        })
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        let (one, two) = (&self.0, &other.0);
        Arc::ptr_eq(one, two) || (one.to_come == two.to_come && one.key_type == two.key_type && one.public == two.public)
    }
}
impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} {})", crate::text::escape(self.0.key_type.as_str()), self.0.id)
    }
}

/// SHA-256 over the canonical form of the public key (protocol 3.2).
pub fn key_id(key_type: &str, public: &[u8]) -> KeyId {
    let mut h = Sha256::new();
    h.update(b"{\"keytype\":\"");
    // A key type of ours needs no escapes; another's is hashed as the canonical encoder would write it.
    h.update(key_type.replace('\\', "\\\\").replace('"', "\\\"").as_bytes());
    h.update(b"\",\"keyval\":{\"private\":null,\"public\":\"");
    h.update(STANDARD.encode(public).as_bytes());
    h.update(b"\"}}");
    KeyId::from_digest(h.finalize().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const EC: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE1BzHRGCCyyBK4hmVrlJ7mMfaR4wAo3faB4zYJNKHqaXLweHRXaHomFVyM0l+hskBhDqNMAYW6+w4PrgqcqTNkw==";

    #[test]
    fn key_ids_are_the_protocols_vectors() {
        let ec = PublicKey::new(KeyType::Ecdsa, STANDARD.decode(EC).unwrap());
        assert_eq!(ec.id().hex(), "f628d9e48b1f6815a0e4f59be73b40ae68359717d2737c8b479e99fd36101117");
        assert_eq!(ec.canonical_id(), ec.id());
        assert_eq!(ec.algorithm(), Algorithm::EcdsaP256);
        let ed = PublicKey::new(KeyType::Ed25519, STANDARD.decode("YV+I3cR5htzUCE7x8i+5vAxvA7Qr00QG+NIptYmg4r8=").unwrap());
        assert_eq!(ed.id().hex(), "9531e2ad652d832c7e6eebd79875cc9eff3e6b2f510ac49b917c8988574a202d");
        assert_eq!(ed.algorithm(), Algorithm::Ed25519);
    }

    #[test]
    fn a_key_under_the_wrong_type_cannot_be_used() {
        for t in [KeyType::Rsa, KeyType::Ed25519, KeyType::EcdsaX509, KeyType::Other("ecdsa-sha2-nistp256".into())] {
            let k = PublicKey::new(t, STANDARD.decode(EC).unwrap());
            assert_eq!(k.algorithm(), Algorithm::Unknown, "{k:?}");
        }
    }
}
