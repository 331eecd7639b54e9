//! Whether certificates lead from a root key's leaf to an authority that the configuration names (protocol 8.1), by the
//! rules of RFC 5280, section 6. What an authority may not do, nothing that it signed can do for it.
//!
//! Stricter than Notary in one place: constraints on names are not judged here, so an authority that has them is refused.
use super::{
    limits,
    material::{Material, Message, Method},
    x509::{Bundle, Leaf},
};
use der::{Encode, asn1::ObjectIdentifier};
use jiff::Timestamp;
use x509_cert::ext::pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage};

/// Extensions that may be critical: what they say is judged below, or does not limit what a key may sign.
const UNDERSTOOD: [ObjectIdentifier; 8] = [
    // basic constraints, key usage, extended key usage
    ObjectIdentifier::new_unwrap("2.5.29.19"),
    ObjectIdentifier::new_unwrap("2.5.29.15"),
    ObjectIdentifier::new_unwrap("2.5.29.37"),
    // other names, key identifiers, where revocations are listed, policies
    ObjectIdentifier::new_unwrap("2.5.29.17"),
    ObjectIdentifier::new_unwrap("2.5.29.14"),
    ObjectIdentifier::new_unwrap("2.5.29.35"),
    ObjectIdentifier::new_unwrap("2.5.29.31"),
    ObjectIdentifier::new_unwrap("2.5.29.32"),
];
const NAME_CONSTRAINTS: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.30");
const CODE_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3");
const SERVER: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
const ANYTHING: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37.0");

/// Purposes for which a certificate may stand: those that Notary accepts.
#[derive(Clone, Copy)]
struct Purposes {
    code: bool,
    server: bool,
}

impl Purposes {
    /// What a certificate allows; without the extension, everything.
    fn of(certificate: &Leaf) -> Self {
        match certificate.parsed().tbs_certificate().get_extension::<ExtendedKeyUsage>() {
            Ok(None) => Self { code: true, server: true },
            Ok(Some((_, usage))) => {
                let has = |oid| usage.0.iter().any(|o| *o == oid || *o == ANYTHING);
                Self { code: has(CODE_SIGNING), server: has(SERVER) }
            }
            Err(_) => Self { code: false, server: false },
        }
    }

    /// What both allow.
    fn and(self, other: Self) -> Self {
        Self { code: self.code && other.code, server: self.server && other.server }
    }

    fn is_empty(self) -> bool {
        !self.code && !self.server
    }
}

/// Whether a chain leads from the leaf of `bundle` over its other certificates to one of `authorities`, all valid at `now`.
pub fn leads_to(bundle: &Bundle, authorities: &[Leaf], now: Timestamp) -> bool {
    if has_unknown_demands(&bundle.leaf) {
        return false;
    }
    let usable = |c: &&Leaf| c.is_ca && c.check(Some(now)).is_ok();
    let mut search = Search {
        authorities: authorities.iter().filter(usable).collect(),
        intermediates: bundle.intermediates.iter().filter(usable).collect(),
        checks: 0,
    };
    search.climb(&bundle.leaf, 0, Purposes::of(&bundle.leaf))
}

struct Search<'a> {
    authorities: Vec<&'a Leaf>,
    intermediates: Vec<&'a Leaf>,
    /// Signatures looked at. Certificates that all signed each other would otherwise make the search endless.
    checks: usize,
}

impl<'a> Search<'a> {
    /// Goes up from a certificate with `below` authorities under it.
    fn climb(&mut self, from: &Leaf, below: usize, purposes: Purposes) -> bool {
        for authority in self.authorities.clone() {
            let is_it = authority.der == from.der;
            if is_it || (!purposes_of_issuer(authority, below, purposes).is_empty() && self.signed(from, authority)) {
                return true;
            }
        }
        for (at, issuer) in self.intermediates.clone().into_iter().enumerate() {
            let left = purposes_of_issuer(issuer, below, purposes);
            if left.is_empty() || !self.signed(from, issuer) {
                continue;
            }
            let all = self.intermediates.clone();
            self.intermediates.remove(at);
            if self.climb(issuer, below + 1, left) {
                return true;
            }
            self.intermediates = all;
        }
        false
    }

    fn signed(&mut self, certificate: &Leaf, issuer: &Leaf) -> bool {
        let (mine, theirs) = (certificate.parsed().tbs_certificate(), issuer.parsed().tbs_certificate());
        if mine.issuer() != theirs.subject() || self.checks >= limits::CHAIN_CHECKS {
            return false;
        }
        self.checks += 1;
        let (Ok(tbs), Some(signature)) = (mine.to_der(), certificate.parsed().signature().as_bytes()) else { return false };
        verify(&certificate.parsed().signature_algorithm().oid, &issuer.spki, &tbs, signature)
    }
}

/// For which of `purposes` an authority may issue a certificate that has `below` authorities under it.
fn purposes_of_issuer(issuer: &Leaf, below: usize, purposes: Purposes) -> Purposes {
    let tbs = issuer.parsed().tbs_certificate();
    let may_sign = match tbs.get_extension::<KeyUsage>() {
        Ok(usage) => usage.is_none_or(|(_, u)| u.key_cert_sign()),
        Err(_) => false,
    };
    let long_enough = match tbs.get_extension::<BasicConstraints>() {
        Ok(Some((_, c))) => c.ca && c.path_len_constraint.is_none_or(|n| below <= usize::from(n)),
        _ => false,
    };
    if may_sign && long_enough && !has_unknown_demands(issuer) {
        purposes.and(Purposes::of(issuer))
    } else {
        Purposes { code: false, server: false }
    }
}

/// Whether a certificate has a critical extension that is not judged here, or constraints on names.
fn has_unknown_demands(certificate: &Leaf) -> bool {
    let extensions = certificate.parsed().tbs_certificate().extensions();
    extensions.into_iter().flatten().any(|e| e.extn_id == NAME_CONSTRAINTS || (e.critical && !UNDERSTOOD.contains(&e.extn_id)))
}

/// Signatures on certificates are in DER, and their hash is the certificate's choice.
fn verify(algorithm: &ObjectIdentifier, spki: &[u8], tbs: &[u8], signature: &[u8]) -> bool {
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
