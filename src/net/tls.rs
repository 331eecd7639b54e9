//! Whose certificates are accepted, and how we show who we are.
use super::settings::{HttpError, HttpSettings, Proxy, host_and_port};
use crate::settings::ClientPair;
use reqwest::{Certificate, Client, Identity, Url, redirect, retry};
use std::{
    fs,
    io::Read as _,
    path::{Path, PathBuf},
    time::Duration,
};
use zeroize::Zeroizing;

/// Largest TLS file that is read: the CA bundle of a whole platform has a quarter of it.
const TLS_FILE: u64 = 1 << 20;

/// What TLS needs, read and checked.
pub(super) struct Material {
    /// Authorities from files.
    roots: Vec<Certificate>,
    /// Whether the platform's authorities count too.
    platform: bool,
    identity: Option<Identity>,
}

impl Material {
    /// Reads the files that the settings name, and docker's for this server.
    pub(super) fn read(settings: &HttpSettings, base: &Url) -> Result<Self, HttpError> {
        // reqwest asks rustls for the process's provider; a second installation changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let plain = base.scheme() == "http";
        let docker = DockerFiles::of(settings, base)?;
        let (files, platform) = match &settings.ca {
            Some(only) => (vec![only.clone()], false),
            // Without TLS nobody's certificate is looked at.
            None => (docker.roots.into_iter().chain(settings.more_ca.iter().cloned()).collect(), !plain),
        };
        let mut roots = Vec::new();
        for file in &files {
            roots.extend(certificates(file)?);
        }
        let identity = settings.client.as_ref().or(docker.client.as_ref()).map(identity).transpose()?;
        Ok(Self { roots, platform, identity })
    }

    /// Makes the client, which shows who we are to whoever is `known`. Reads the platform's authorities if they count, as they do
    /// for strangers: a server without TLS may send us to one with.
    pub(super) fn client(&self, proxy: Proxy, connect: Duration, known: bool) -> reqwest::Result<Client> {
        let mut builder = Client::builder()
            .user_agent(concat!("claviger/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .referer(false)
            .http1_only()
            .tls_info(true)
            .connect_timeout(connect);
        let roots = self.roots.iter().cloned();
        builder = if self.platform || !known { builder.tls_certs_merge(roots) } else { builder.tls_certs_only(roots) };
        if let Some(identity) = self.identity.as_ref().filter(|_| known) {
            builder = builder.identity(identity.clone());
        }
        if proxy == Proxy::None {
            builder = builder.no_proxy();
        }
        builder.build()
    }
}

/// The client certificate that a server would be shown, if there is one: the one that was set, else docker's for this server.
///
/// # Errors
/// [`HttpError`]: the address is none that may be used, or docker's directory for it cannot be used.
pub fn client_pair(settings: &HttpSettings) -> Result<Option<ClientPair>, HttpError> {
    let docker = DockerFiles::of(settings, &super::settings::base(settings)?)?;
    Ok(settings.client.clone().or(docker.client))
}

/// What docker's directory for one server holds: `*.crt` authorities, `X.cert` with `X.key` a client certificate.
#[derive(Default)]
struct DockerFiles {
    roots: Vec<PathBuf>,
    client: Option<ClientPair>,
}

impl DockerFiles {
    fn of(settings: &HttpSettings, base: &Url) -> Result<Self, HttpError> {
        let mut found = Self::default();
        for dir in &settings.docker_tls {
            if base.scheme() != "http" && found.is_empty() {
                found = Self::list(&dir.join(host_and_port(base)))?;
            }
        }
        Ok(found)
    }

    fn is_empty(&self) -> bool {
        self.roots.is_empty() && self.client.is_none()
    }

    fn list(dir: &Path) -> Result<Self, HttpError> {
        let failed = |reason| HttpError::Unreadable { path: dir.to_owned(), reason };
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(e) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
                return Ok(Self::default());
            }
            Err(e) => return Err(failed(e)),
        };
        let mut found = Self::default();
        let mut certs = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed)?.path();
            match path.extension().and_then(|e| e.to_str()) {
                Some("crt") => found.roots.push(path),
                Some("cert") => certs.push(path),
                _ => {}
            }
        }
        // The order of a directory is no order; the first by name serves.
        found.roots.sort();
        certs.sort();
        for cert in certs {
            let key = cert.with_extension("key");
            if !key.is_file() {
                return Err(HttpError::File { path: cert, reason: "has no private key beside it (same name, ending in .key)" });
            }
            found.client.get_or_insert(ClientPair { cert, key });
        }
        Ok(found)
    }
}

fn certificates(path: &Path) -> Result<Vec<Certificate>, HttpError> {
    let wrong = |reason| HttpError::File { path: path.to_owned(), reason };
    let found = Certificate::from_pem_bundle(&read(path)?).map_err(|_| wrong("holds a certificate that cannot be read"))?;
    if found.is_empty() { Err(wrong("holds no certificate in PEM form")) } else { Ok(found) }
}

fn identity(files: &ClientPair) -> Result<Identity, HttpError> {
    let wrong = |path: &Path, reason| HttpError::File { path: path.to_owned(), reason };
    let key = read(&files.key)?;
    let text = String::from_utf8_lossy(&key);
    if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(wrong(&files.key, "is encrypted, and TLS needs a key that is not"));
    }
    if !text.contains("PRIVATE KEY-----") {
        return Err(wrong(&files.key, "holds no private key in PEM form"));
    }
    let cert = read(&files.cert)?;
    if !String::from_utf8_lossy(&cert).contains("BEGIN CERTIFICATE-----") {
        return Err(wrong(&files.cert, "holds no certificate in PEM form"));
    }
    let mut both = Zeroizing::new(Vec::with_capacity(key.len() + cert.len() + 1));
    both.extend_from_slice(&key);
    both.push(b'\n');
    both.extend_from_slice(&cert);
    Identity::from_pem(&both).map_err(|_| wrong(&files.key, "and its certificate cannot be used as a pair"))
}

/// Reads a whole file, which may be a private key.
fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, HttpError> {
    let failed = |reason| HttpError::Unreadable { path: path.to_owned(), reason };
    let file = fs::File::open(path).map_err(failed)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(16 << 10));
    file.take(TLS_FILE + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > TLS_FILE {
        return Err(HttpError::File { path: path.to_owned(), reason: "is too large to be what it should be" });
    }
    Ok(bytes)
}
