//! Certificates around root keys, good ones and bad ones.
use super::key::{Key, Secret};
use claviger::tuf::{key::KeyType, x509::Leaf};
use der::{Decode as _, Encode as _, asn1::ObjectIdentifier, asn1::SetOfVec};
use jiff::Timestamp;
use rsa::{
    RsaPrivateKey, RsaPublicKey,
    signature::{Keypair, Signer},
};
use std::time::SystemTime;
use x509_cert::{
    TbsCertificate,
    attr::AttributeTypeAndValue,
    builder::{Builder as _, CertificateBuilder, profile::BuilderProfile},
    ext::{
        Extension, ToExtension as _,
        pkix::{BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages},
    },
    name::{Name, RdnSequence, RelativeDistinguishedName},
    serial_number::SerialNumber,
    spki::{self, AlgorithmIdentifierOwned, DynSignatureAlgorithmIdentifier, SubjectPublicKeyInfo, SubjectPublicKeyInfoRef},
    time::{Time, Validity},
};

/// What a certificate says.
#[derive(Clone)]
pub struct Cert {
    pub common_name: String,
    pub from: Timestamp,
    pub to: Timestamp,
    pub ca: bool,
    /// The extended key usage, if there is one.
    pub usage: Option<&'static str>,
    /// The key usage, if there is one.
    pub key_usage: Option<KeyUsages>,
    /// How many authorities may come below.
    pub path_length: Option<u8>,
    /// One more extension, of which nobody has heard or which is not judged, and whether it is critical.
    pub more: Option<(&'static str, bool)>,
    /// Tells certificates of one key apart.
    pub serial: u32,
    /// Says that it was signed with SHA-1 (RSA issuers only).
    pub sha1: bool,
}

pub const CODE_SIGNING: &str = "1.3.6.1.5.5.7.3.3";
pub const SERVER_AUTH: &str = "1.3.6.1.5.5.7.3.1";
pub const EMAIL: &str = "1.3.6.1.5.5.7.3.4";

impl Cert {
    /// As Notary makes them.
    pub fn of(common_name: &str) -> Self {
        let (from, to) = ("2026-01-01T00:00:00Z".parse().unwrap(), "2036-01-01T00:00:00Z".parse().unwrap());
        Self {
            common_name: common_name.into(),
            from,
            to,
            ca: false,
            usage: Some(CODE_SIGNING),
            key_usage: None,
            path_length: None,
            more: None,
            serial: 1,
            sha1: false,
        }
    }

    pub fn authority(common_name: &str) -> Self {
        Self { ca: true, usage: None, ..Self::of(common_name) }
    }

    /// The certificate in DER, by the key's own signature.
    pub fn self_signed(&self, key: &Key) -> Vec<u8> {
        self.issued(key, &self.common_name, key)
    }

    /// The certificate in DER, by another's signature.
    pub fn issued(&self, key: &Key, issuer: &str, issuer_key: &Key) -> Vec<u8> {
        let spki = match key.public.key_type() {
            KeyType::Ecdsa | KeyType::Rsa => key.public.public_bytes().to_vec(),
            _ => key.public.leaf().unwrap().spki,
        };
        let time = |t: Timestamp| Time::try_from(SystemTime::from(t)).unwrap();
        let builder = CertificateBuilder::new(
            Profile { cert: self.clone(), issuer: name(issuer) },
            SerialNumber::from(self.serial),
            Validity::new(time(self.from), time(self.to)),
            SubjectPublicKeyInfo::try_from(spki.as_slice()).unwrap(),
        )
        .unwrap();
        let made = match &*issuer_key.secret {
            Secret::P256(k) => builder.build::<_, p256::ecdsa::DerSignature>(k).unwrap(),
            Secret::P384(k) => builder.build::<_, p384::ecdsa::DerSignature>(k).unwrap(),
            Secret::Rsa(k) => {
                builder.build::<_, rsa::pkcs1v15::Signature>(&RsaIssuer { key: (**k).clone(), sha1: self.sha1 }).unwrap()
            }
            _ => unreachable!("no test needs such an issuer"),
        };
        made.to_der().unwrap()
    }

    /// A root key in this certificate, self-signed, as metadata names it.
    pub fn around(&self, key: &Key) -> Key {
        bundle(key, &[self.self_signed(key)])
    }
}

/// A key under the name that a row of certificates gives it.
pub fn bundle(key: &Key, certificates: &[Vec<u8>]) -> Key {
    let leaf = Leaf::from_der(&certificates[0]).unwrap();
    let pem: String = certificates.iter().map(|c| Leaf::from_der(c).unwrap().to_pem()).collect();
    key.known_as(leaf.key_type().unwrap(), pem.into_bytes())
}

/// An RSA issuer that says which hash it used. SHA-1 is only claimed: nobody looks at that signature.
struct RsaIssuer {
    key: RsaPrivateKey,
    sha1: bool,
}

impl Keypair for RsaIssuer {
    type VerifyingKey = RsaPublicKey;
    fn verifying_key(&self) -> RsaPublicKey {
        self.key.to_public_key()
    }
}

impl DynSignatureAlgorithmIdentifier for RsaIssuer {
    fn signature_algorithm_identifier(&self) -> spki::Result<AlgorithmIdentifierOwned> {
        let oid = if self.sha1 { "1.2.840.113549.1.1.5" } else { "1.2.840.113549.1.1.11" };
        Ok(AlgorithmIdentifierOwned { oid: ObjectIdentifier::new_unwrap(oid), parameters: Some(der::Any::null()) })
    }
}

impl Signer<rsa::pkcs1v15::Signature> for RsaIssuer {
    fn try_sign(&self, message: &[u8]) -> rsa::signature::Result<rsa::pkcs1v15::Signature> {
        rsa::pkcs1v15::SigningKey::<sha2::Sha256>::new(self.key.clone()).try_sign(message)
    }
}

struct Profile {
    cert: Cert,
    issuer: Name,
}

impl BuilderProfile for Profile {
    fn get_issuer(&self, _: &Name) -> Name {
        self.issuer.clone()
    }
    fn get_subject(&self) -> Name {
        name(&self.cert.common_name)
    }
    fn build_extensions(
        &self,
        _: SubjectPublicKeyInfoRef<'_>,
        _: SubjectPublicKeyInfoRef<'_>,
        tbs: &TbsCertificate,
    ) -> x509_cert::builder::Result<Vec<Extension>> {
        let constraints = BasicConstraints { ca: self.cert.ca, path_len_constraint: self.cert.path_length };
        let mut all = vec![constraints.to_extension(tbs.subject(), &[])?];
        if let Some(usage) = self.cert.usage {
            all.push(ExtendedKeyUsage(vec![ObjectIdentifier::new_unwrap(usage)]).to_extension(tbs.subject(), &all)?);
        }
        if let Some(usage) = self.cert.key_usage {
            all.push(KeyUsage(usage.into()).to_extension(tbs.subject(), &all)?);
        }
        if let Some((oid, critical)) = self.cert.more {
            let extn_value = der::asn1::OctetString::new([5, 0]).unwrap();
            all.push(Extension { extn_id: ObjectIdentifier::new_unwrap(oid), critical, extn_value });
        }
        Ok(all)
    }
}

fn name(common_name: &str) -> Name {
    let value = der::Any::new(der::Tag::Utf8String, common_name.as_bytes()).unwrap();
    let atv = AttributeTypeAndValue { oid: ObjectIdentifier::new_unwrap("2.5.4.3"), value };
    let mut sequence = RdnSequence::default();
    sequence.push(RelativeDistinguishedName::from(SetOfVec::try_from(vec![atv]).unwrap()));
    Name::from_der(&sequence.to_der().unwrap()).unwrap()
}
