//! Certificates around keys (protocol 7): reading them, and the rules that Notary applies to them.
use super::{
    key::{KeyType, PublicKey},
    limits,
    material::{Material, Message, Method},
    name::Gun,
};
use crate::text::Untrusted;
use der::{Decode, Encode, asn1::ObjectIdentifier};
use jiff::{Timestamp, ToSpan};
use x509_cert::{
    Certificate,
    ext::pkix::{BasicConstraints, ExtendedKeyUsage},
};

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

    /// Whether `issuer` signed this certificate and may do so.
    pub fn is_signed_by(&self, issuer: &Leaf) -> bool {
        let (mine, theirs) = (self.parsed.tbs_certificate(), issuer.parsed.tbs_certificate());
        if !issuer.is_ca || mine.issuer() != theirs.subject() {
            return false;
        }
        let (Ok(tbs), Some(signature)) = (mine.to_der(), self.parsed.signature().as_bytes()) else { return false };
        verify_certificate_signature(&self.parsed.signature_algorithm().oid, &issuer.spki, &tbs, signature)
    }

    /// Whether the extended key usage, if there is one, allows signing code, serving TLS or anything.
    pub fn usage_allows_signing(&self) -> bool {
        const ALLOWED: [&str; 3] = ["1.3.6.1.5.5.7.3.3", "1.3.6.1.5.5.7.3.1", "2.5.29.37.0"];
        match self.parsed.tbs_certificate().get_extension::<ExtendedKeyUsage>() {
            Ok(None) => true,
            Ok(Some((_, usage))) => usage.0.iter().any(|o| ALLOWED.contains(&o.to_string().as_str())),
            Err(_) => false,
        }
    }
}

/// Signatures on certificates are in DER, and their hash is the certificate's choice.
fn verify_certificate_signature(algorithm: &ObjectIdentifier, spki: &[u8], tbs: &[u8], signature: &[u8]) -> bool {
    use p256::ecdsa::signature::{Verifier, hazmat::PrehashVerifier};
    use sha2::{Digest, Sha256, Sha384, Sha512};
    let digest = match algorithm.to_string().as_str() {
        "1.2.840.10045.4.3.2" => Sha256::digest(tbs).to_vec(),
        "1.2.840.10045.4.3.3" => Sha384::digest(tbs).to_vec(),
        "1.2.840.10045.4.3.4" => Sha512::digest(tbs).to_vec(),
        "1.2.840.113549.1.1.11" => {
            return Material::rsa_spki(spki).verify(&Method::RsaPkcs1v15, &Message::new(tbs), signature);
        }
        "1.2.840.113549.1.1.12" | "1.2.840.113549.1.1.13" => {
            let Material::Rsa(key, _) = Material::rsa_spki(spki) else { return false };
            let Ok(s) = rsa::pkcs1v15::Signature::try_from(signature) else { return false };
            return if algorithm.to_string().ends_with("12") {
                rsa::pkcs1v15::VerifyingKey::<Sha384>::new(*key).verify(tbs, &s).is_ok()
            } else {
                rsa::pkcs1v15::VerifyingKey::<Sha512>::new(*key).verify(tbs, &s).is_ok()
            };
        }
        _ => return false,
    };
    match Material::ecdsa_spki(spki) {
        Material::P256(k) => p256::ecdsa::Signature::from_der(signature).is_ok_and(|s| k.verify_prehash(&digest, &s).is_ok()),
        Material::P384(k) => p384::ecdsa::Signature::from_der(signature).is_ok_and(|s| k.verify_prehash(&digest, &s).is_ok()),
        Material::P521(k) => {
            let mut wide = vec![0u8; 66usize.saturating_sub(digest.len())];
            wide.extend_from_slice(&digest);
            p521::ecdsa::Signature::from_der(signature).is_ok_and(|s| k.verify_prehash(&wide, &s).is_ok())
        }
        _ => false,
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
    /// (protocol 7.2, steps 1 and 2).
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut certificates = Vec::new();
        for block in pem::parse_many(text).ok()? {
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

    /// Whether a chain leads from the leaf over the intermediates to one of `authorities`, all valid at `now`.
    pub fn chains_to(&self, authorities: &[Leaf], now: Timestamp) -> bool {
        let usable: Vec<&Leaf> = authorities.iter().filter(|c| c.is_ca && c.check(Some(now)).is_ok()).collect();
        let mut reached = vec![&self.leaf];
        let mut waiting: Vec<&Leaf> = self.intermediates.iter().filter(|c| c.check(Some(now)).is_ok()).collect();
        while let Some(current) = reached.pop() {
            if usable.iter().any(|a| a.der == current.der || current.is_signed_by(a)) {
                return true;
            }
            let (next, rest) = waiting.into_iter().partition(|i| current.is_signed_by(i));
            waiting = rest;
            let next: Vec<&Leaf> = next;
            reached.extend(next);
        }
        false
    }
}

/// The authorities in PEM that are acceptable at `now`; others are passed over, as Notary does with pinned authorities.
pub fn authorities(text: &[u8], now: Timestamp) -> Vec<Leaf> {
    let blocks = pem::parse_many(text).unwrap_or_default();
    let all = blocks.iter().filter(|b| b.tag() == "CERTIFICATE").filter_map(|b| Leaf::from_der(b.contents()));
    all.filter(|c| c.is_ca && c.check(Some(now)).is_ok()).collect()
}
