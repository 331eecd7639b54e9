//! Certificates around keys (protocol 7): reading them, and the rules that Notary applies to them.
use super::{
    key::{KeyType, PublicKey},
    limits,
    material::Material,
    name::Gun,
};
use crate::text::Untrusted;
use der::{Decode, Encode, asn1::ObjectIdentifier};
use jiff::{Timestamp, ToSpan};
use x509_cert::{Certificate, ext::pkix::BasicConstraints};

/// Signature algorithms that rest on SHA-1: RSA, ECDSA and DSA.
const SHA1_SIGNATURES: [ObjectIdentifier; 3] = [
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.5"),
    ObjectIdentifier::new_unwrap("1.2.840.10045.4.1"),
    ObjectIdentifier::new_unwrap("1.2.840.10040.4.3"),
];
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// A certificate, as far as trust in Notary depends on it.
#[derive(Debug, Clone)]
pub struct Leaf {
    /// The certificate in DER.
    pub der: Vec<u8>,
    /// The SubjectPublicKeyInfo in DER.
    pub spki: Vec<u8>,
    /// The subject's common name; empty if there is none.
    pub common_name: Untrusted,
    /// First moment of validity.
    pub not_before: Timestamp,
    /// Last moment of validity.
    pub not_after: Timestamp,
    /// Whether this is a certificate authority.
    pub is_ca: bool,
    parsed: Box<Certificate>,
}

/// Why a certificate is not accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// Ends before it starts.
    #[error("the certificate ends before it starts")]
    Inverted,
    /// Signed with SHA-1.
    #[error("the certificate is signed with SHA-1")]
    Sha1,
    /// RSA below 2048 bits.
    #[error("the certificate holds an RSA key below 2048 bits")]
    Weak,
    /// Neither ECDSA nor RSA.
    #[error("the certificate holds neither an ECDSA nor an RSA key")]
    KeyKind,
    /// Past its end.
    #[error("the certificate ended on {}", .0.strftime("%Y-%m-%d %H:%M UTC"))]
    Expired(Timestamp),
    /// Before its start, by more than a day.
    #[error("the certificate starts on {}", .0.strftime("%Y-%m-%d %H:%M UTC"))]
    NotYetValid(Timestamp),
}

impl Leaf {
    /// Reads one certificate in DER.
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let parsed = Certificate::from_der(der).ok()?;
        let tbs = parsed.tbs_certificate();
        let common_name = tbs
            .subject()
            .iter_rdn()
            .flat_map(|rdn| rdn.iter())
            .filter(|atv| atv.oid == COMMON_NAME)
            .last()
            .map(|atv| Untrusted::from_bytes(atv.value.value()))
            .unwrap_or_default();
        let time = |t: x509_cert::time::Time| Timestamp::from_second(i64::try_from(t.to_unix_duration().as_secs()).ok()?).ok();
        let constraints = tbs.get_extension::<BasicConstraints>().ok()?;
        Some(Self {
            der: der.to_vec(),
            spki: tbs.subject_public_key_info().to_der().ok()?,
            common_name,
            not_before: time(tbs.validity().not_before)?,
            not_after: time(tbs.validity().not_after)?,
            is_ca: constraints.is_some_and(|(_, c)| c.ca),
            parsed: Box::new(parsed),
        })
    }

    /// The key type that metadata must name for this certificate; none for other algorithms.
    pub fn key_type(&self) -> Option<KeyType> {
        match self.parsed.tbs_certificate().subject_public_key_info().algorithm.oid {
            EC_PUBLIC_KEY => Some(KeyType::EcdsaX509),
            RSA_ENCRYPTION => Some(KeyType::RsaX509),
            _ => None,
        }
    }

    /// The checks of protocol 7.2, step 4. Without `now` the dates are left out, as for a root that was trusted before.
    pub fn check(&self, now: Option<Timestamp>) -> Result<(), CertificateError> {
        if self.not_before > self.not_after {
            return Err(CertificateError::Inverted);
        }
        if SHA1_SIGNATURES.contains(&self.parsed.signature_algorithm().oid) {
            return Err(CertificateError::Sha1);
        }
        let material = match self.key_type() {
            Some(KeyType::EcdsaX509) => Material::ecdsa_spki(&self.spki),
            Some(_) => Material::rsa_spki(&self.spki),
            None => return Err(CertificateError::KeyKind),
        };
        if let super::key::Algorithm::Rsa(bits) = material.algorithm()
            && bits < limits::RSA_BITS
        {
            return Err(CertificateError::Weak);
        }
        let Some(now) = now else { return Ok(()) };
        if now > self.not_after {
            return Err(CertificateError::Expired(self.not_after));
        }
        if now.checked_add(24.hours()).unwrap_or(Timestamp::MAX) < self.not_before {
            return Err(CertificateError::NotYetValid(self.not_before));
        }
        Ok(())
    }

    /// Whether the common name speaks for a GUN: equal to it, or a prefix of it followed by `*` (protocol 7.2, step 3).
    pub fn names(&self, gun: &Gun) -> bool {
        let cn = self.common_name.raw();
        cn == gun.as_str() || (cn.ends_with('*') && gun.as_str().starts_with(cn.trim_end_matches('*')))
    }

    /// The certificate as one PEM block, as Notary writes it: 64 columns, `\n`, no headers.
    pub fn to_pem(&self) -> String {
        let block = pem::Pem::new("CERTIFICATE", self.der.clone());
        pem::encode_config(&block, pem::EncodeConfig::new().set_line_ending(pem::LineEnding::LF))
    }

    /// The whole certificate.
    pub(super) fn parsed(&self) -> &Certificate {
        &self.parsed
    }
}

/// The first usable certificate block, as the canonical ID wants it: blocks with headers, of another kind or unreadable
/// are passed over (protocol 3.3).
pub fn first_certificate(text: &[u8]) -> Option<Leaf> {
    let blocks = pem::parse_many(text).ok()?;
    blocks
        .iter()
        .filter(|b| b.tag() == "CERTIFICATE" && b.headers().iter().next().is_none())
        .find_map(|b| Leaf::from_der(b.contents()))
}

/// A root key's certificates, read strictly: a leaf first, then authorities.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// The certificate that holds the key.
    pub leaf: Leaf,
    /// Authorities that came with it.
    pub intermediates: Vec<Leaf>,
}

impl Bundle {
    /// Reads PEM in which every block must be a certificate, exactly one of them no authority, and that one first
    /// (protocol 7.2, steps 1 and 2). More than [`limits::CERTIFICATES`] are not read.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut certificates = Vec::new();
        let blocks = pem::parse_many(text).ok()?;
        if blocks.len() > limits::CERTIFICATES {
            return None;
        }
        for block in blocks {
            if block.tag() != "CERTIFICATE" {
                return None;
            }
            certificates.push(Leaf::from_der(block.contents())?);
        }
        let (leaf, intermediates) = certificates.split_first()?;
        if leaf.is_ca || intermediates.iter().any(|c| !c.is_ca) {
            return None;
        }
        Some(Self { leaf: leaf.clone(), intermediates: intermediates.to_vec() })
    }

    /// The key that leaf and intermediates make, in canonical PEM, with the type of the leaf (protocol 7.2, last part).
    pub fn rebuilt_key(&self) -> Option<PublicKey> {
        let text: String = std::iter::once(&self.leaf).chain(&self.intermediates).map(Leaf::to_pem).collect();
        Some(PublicKey::new(self.leaf.key_type()?, text.into_bytes()))
    }
}

/// The authorities in PEM that are acceptable at `now`; others are passed over, as Notary does with pinned authorities.
pub fn authorities(text: &[u8], now: Timestamp) -> Vec<Leaf> {
    let blocks = pem::parse_many(text).unwrap_or_default();
    let all = blocks.iter().filter(|b| b.tag() == "CERTIFICATE").filter_map(|b| Leaf::from_der(b.contents()));
    all.filter(|c| c.is_ca && c.check(Some(now)).is_ok()).collect()
}
