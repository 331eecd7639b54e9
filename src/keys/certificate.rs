//! The certificate in which a root key speaks for one repository (protocol 7.1).
use super::{KeyError, PrivateKey, pem_file, private::Numbers};
use crate::tuf::name::Gun;
use der::{
    Any, DateTime, Encode, Tag,
    asn1::{GeneralizedTime, ObjectIdentifier, SetOfVec, UtcTime},
};
use jiff::Timestamp;
use sha2::Sha256;
use std::time::Duration;
use x509_cert::{
    Certificate, TbsCertificate,
    attr::AttributeTypeAndValue,
    builder::{self, Builder, CertificateBuilder, profile::BuilderProfile},
    ext::{
        Extension, ToExtension,
        pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages},
    },
    name::{Name, RdnSequence, RelativeDistinguishedName},
    serial_number::SerialNumber,
    spki::{SubjectPublicKeyInfo, SubjectPublicKeyInfoRef},
    time::{Time, Validity},
};

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");
const CODE_SIGNING: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.3");
/// From this year on certificates carry a GeneralizedTime (RFC 5280, 4.1.2.5).
const GENERALIZED_FROM: u16 = 2050;
/// Bits of chance in a serial number, in bytes.
const SERIAL: usize = 16;

/// Makes the self-signed certificate that Notary makes for a root key: the common name is the GUN, however long; key
/// usage (critical) digital signature and key encipherment, extended key usage code signing, basic constraints
/// (critical) no authority, nothing else. `random` fills the serial number; both ends are cut to seconds.
///
/// Returns one PEM block, whose bytes are the `public` of an `ecdsa-x509` or `rsa-x509` key.
///
/// # Errors
/// [`KeyError::TooWeak`] for a key that must not sign, [`KeyError::Unsupported`] for one that Notary accepts in no
/// certificate (Ed25519, P-521), [`KeyError::Internal`] for a time that no certificate can carry.
pub fn root_certificate(
    gun: &Gun,
    key: &PrivateKey,
    random: &mut dyn FnMut(&mut [u8]) -> Result<(), getrandom::Error>,
    not_before: Timestamp,
    not_after: Timestamp,
) -> Result<String, KeyError> {
    if !key.may_sign() {
        return Err(KeyError::TooWeak(key.algorithm()));
    }
    let mut serial = [0; SERIAL];
    random(&mut serial).map_err(|_| KeyError::Internal("the random generator"))?;
    let failed = |_: builder::Error| KeyError::Internal("making the certificate");
    let encoding = |_: der::Error| KeyError::Internal("making the certificate");
    let builder = CertificateBuilder::new(
        NotaryRoot { name: common_name(gun).map_err(encoding)? },
        SerialNumber::new(&serial).map_err(encoding)?,
        Validity::new(time(not_before)?, time(not_after)?),
        SubjectPublicKeyInfo::try_from(key.public().public_bytes()).map_err(|_| KeyError::Internal("making the certificate"))?,
    )
    .map_err(failed)?;
    let certificate: Certificate = match &*key.numbers {
        Numbers::P256(k) => builder.build::<_, p256::ecdsa::DerSignature>(&p256::ecdsa::SigningKey::from(k)),
        Numbers::P384(k) => builder.build::<_, p384::ecdsa::DerSignature>(&p384::ecdsa::SigningKey::from(k)),
        Numbers::Rsa(k) => builder.build::<_, rsa::pkcs1v15::Signature>(&rsa::pkcs1v15::SigningKey::<Sha256>::new((**k).clone())),
        Numbers::P224(_) | Numbers::P521(_) | Numbers::Ed25519(_) => {
            return Err(KeyError::Unsupported(format!("a root certificate for a key of kind {}", key.algorithm())));
        }
    }
    .map_err(failed)?;
    Ok(pem_file::write("CERTIFICATE", &[], &certificate.to_der().map_err(encoding)?).to_string())
}

/// Notary's template.
struct NotaryRoot {
    name: Name,
}

impl BuilderProfile for NotaryRoot {
    fn get_issuer(&self, subject: &Name) -> Name {
        subject.clone()
    }

    fn get_subject(&self) -> Name {
        self.name.clone()
    }

    fn build_extensions(
        &self,
        _: SubjectPublicKeyInfoRef<'_>,
        _: SubjectPublicKeyInfoRef<'_>,
        tbs: &TbsCertificate,
    ) -> builder::Result<Vec<Extension>> {
        let usage = KeyUsage(KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment);
        let mut all = vec![usage.to_extension(tbs.subject(), &[])?];
        all.push(ExtendedKeyUsage(vec![CODE_SIGNING]).to_extension(tbs.subject(), &all)?);
        all.push(BasicConstraints { ca: false, path_len_constraint: None }.to_extension(tbs.subject(), &all)?);
        Ok(all)
    }
}

/// The subject, built from parts: a GUN may hold what the text form of names would need escaped, and may be longer than
/// the 64 characters that X.520 allows. A PrintableString where the characters allow it, as Go writes it.
fn common_name(gun: &Gun) -> der::Result<Name> {
    let printable = |c: char| c.is_ascii_alphanumeric() || " '()+,-./:=?".contains(c);
    let tag = if gun.as_str().chars().all(printable) { Tag::PrintableString } else { Tag::Utf8String };
    let attribute = AttributeTypeAndValue { oid: COMMON_NAME, value: Any::new(tag, gun.as_str().as_bytes())? };
    let mut sequence = RdnSequence::default();
    sequence.push(RelativeDistinguishedName::from(SetOfVec::try_from(vec![attribute])?));
    Ok(Name::hazmat_from_rdn_sequence(sequence))
}

fn time(at: Timestamp) -> Result<Time, KeyError> {
    let outside = KeyError::Internal("putting the time into a certificate");
    let seconds = u64::try_from(at.as_second()).map_err(|_| KeyError::Internal("putting the time into a certificate"))?;
    let Ok(date) = DateTime::from_unix_duration(Duration::from_secs(seconds)) else { return Err(outside) };
    if date.year() >= GENERALIZED_FROM {
        return Ok(Time::GeneralTime(GeneralizedTime::from_date_time(date)));
    }
    UtcTime::from_date_time(date).map(Time::UtcTime).map_err(|_| outside)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        keys::{NewKey, decode, generate},
        secret::Passphrase,
        tuf::{key::KeyType, key::PublicKey, x509::Bundle},
    };
    use jiff::ToSpan;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn make(gun: &str, key: &PrivateKey) -> String {
        let mut random = |b: &mut [u8]| getrandom::fill(b);
        root_certificate(&Gun::new(gun).unwrap(), key, &mut random, at("2026-11-21T02:03:04.9Z"), at("2036-11-18T02:03:04.9Z"))
            .unwrap()
    }

    fn rsa() -> PrivateKey {
        decode(
            include_bytes!("../../tests/fixtures/pem/rsa2048-pkcs8-enc-sha1prf.key"),
            Some(&Passphrase::new(b"gold-delegation".to_vec())),
            &|| false,
        )
        .unwrap()
        .key
    }

    #[test]
    fn a_root_certificate_is_what_notary_accepts() {
        let (ec, rsa) = (generate(NewKey::EcdsaP256).unwrap(), rsa());
        for (key, kind) in [(&ec, KeyType::EcdsaX509), (&rsa, KeyType::RsaX509)] {
            let long = format!("registry.lab.example:5000/{}", "a_long-name/".repeat(40) + "x");
            for gun in ["sandbox.test/shop/frontend", &long, "bücher.example/é"] {
                let pem = make(gun, key);
                let public = PublicKey::new(kind.clone(), pem.clone().into_bytes());
                assert_eq!(public.canonical_id(), key.id());
                let bundle = Bundle::parse(pem.as_bytes()).unwrap();
                assert!(bundle.leaf.names(&Gun::new(gun).unwrap()) && !bundle.leaf.is_ca);
                assert_eq!(bundle.leaf.check(Some(at("2030-01-01T00:00:00Z"))), Ok(()));
                assert_eq!(bundle.rebuilt_key().unwrap().id(), public.id());
                assert_eq!(
                    (bundle.leaf.not_before, bundle.leaf.not_after),
                    (at("2026-11-21T02:03:04Z"), at("2036-11-18T02:03:04Z"))
                );
            }
        }
    }

    #[test]
    fn a_root_certificate_has_the_fields_of_notarys_own_and_no_others() {
        // A certificate that the real `notary init` made, out of the published fixtures.
        let theirs = {
            use base64::Engine as _;
            let file =
                std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/published/docker-trust/1.root.json")).unwrap();
            let file: serde_json::Value = serde_json::from_slice(&file).unwrap();
            let keys = file["signed"]["keys"].as_object().unwrap();
            let root = keys.values().find(|k| k["keytype"] == "ecdsa-x509").unwrap();
            base64::engine::general_purpose::STANDARD.decode(root["keyval"]["public"].as_str().unwrap()).unwrap()
        };
        let gun = "registry.lab.example/gold/app";
        let ours = make(gun, &generate(NewKey::EcdsaP256).unwrap());
        let shape = |pem: &[u8]| {
            use der::Decode;
            let c = Certificate::from_der(&pem::parse(pem).unwrap().into_contents()).unwrap();
            let t = c.tbs_certificate();
            let e: Vec<_> =
                t.extensions().unwrap().iter().map(|e| (e.extn_id, e.critical, e.extn_value.as_bytes().to_vec())).collect();
            assert_eq!(t.subject(), t.issuer());
            assert!(t.serial_number().as_bytes().len() <= SERIAL + 1);
            (t.version(), t.signature().clone(), t.subject().to_der().unwrap(), e, t.subject_unique_id().is_none())
        };
        assert_eq!(shape(ours.as_bytes()), shape(&theirs));
    }

    #[test]
    fn two_certificates_of_one_key_differ_by_their_serial() {
        let key = generate(NewKey::EcdsaP256).unwrap();
        assert_ne!(make("a/b", &key), make("a/b", &key));
    }

    #[test]
    fn a_certificate_that_ends_after_2049_is_readable() {
        let key = generate(NewKey::EcdsaP256).unwrap();
        let start = at("2049-06-01T00:00:00Z");
        let end = start + (24 * 365).hours();
        let pem = root_certificate(&Gun::new("a").unwrap(), &key, &mut |b| getrandom::fill(b), start, end).unwrap();
        assert_eq!(Bundle::parse(pem.as_bytes()).unwrap().leaf.not_after, end);
        let before_1970 = at("1960-01-01T00:00:00Z");
        assert!(root_certificate(&Gun::new("a").unwrap(), &key, &mut |b| getrandom::fill(b), before_1970, end).is_err());
    }

    #[test]
    fn a_weak_key_gets_no_certificate() {
        let weak = decode(include_bytes!("../../tests/fixtures/pem/rsa1024-pkcs8.key"), None, &|| false).unwrap().key;
        let made = root_certificate(
            &Gun::new("a").unwrap(),
            &weak,
            &mut |b| getrandom::fill(b),
            Timestamp::UNIX_EPOCH,
            Timestamp::UNIX_EPOCH,
        );
        assert!(matches!(made, Err(KeyError::TooWeak(_))));
    }
}
