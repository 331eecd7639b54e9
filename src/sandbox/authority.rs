//! The authority that vouches for the sandbox's servers: made at each start, shared by all that serve one world, and
//! trusted by nobody who was not told to.
use super::http::ShellError;
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

/// How long the certificates hold, from a day before they are made.
const CERTIFICATE_LIFE: Duration = Duration::from_secs(90 * 24 * 60 * 60);
const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A certificate authority for this machine's own names.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

impl Authority {
    /// Makes one.
    ///
    /// # Errors
    /// [`ShellError::Certificate`].
    pub fn new() -> Result<Self, ShellError> {
        let mut params = limited(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        params.distinguished_name.push(DnType::CommonName, "claviger sandbox, worthless elsewhere");
        let key = KeyPair::generate()?;
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), pem })
    }

    /// Its certificate, which clients must trust, in PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// TLS that shows a new certificate of this authority.
    pub(super) fn tls(&self) -> Result<ServerConfig, ShellError> {
        let mut leaf = limited(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        leaf.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        leaf.distinguished_name.push(DnType::CommonName, "claviger sandbox");
        let key = KeyPair::generate()?;
        let certificate = leaf.signed_by(&key, &self.issuer)?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let mut tls = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(tls)
    }
}

fn limited(names: Vec<String>) -> Result<CertificateParams, rcgen::Error> {
    let from = SystemTime::now().checked_sub(A_DAY).unwrap_or(SystemTime::UNIX_EPOCH);
    let until = from.checked_add(CERTIFICATE_LIFE).unwrap_or(from);
    let mut params = CertificateParams::new(names)?;
    (params.not_before, params.not_after) = (from.into(), until.into());
    Ok(params)
}
