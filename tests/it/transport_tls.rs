//! TLS: who is believed, and why not.
use crate::loopback::{Server, reply};
use claviger::{
    net::{HttpError, HttpSettings, TlsFault, Why},
    notary::{Transport as _, TransportError, http::Http},
    settings::ClientPair,
};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use std::{path::PathBuf, sync::Arc};
use tempfile::TempDir;

/// An authority with its file.
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pub dir: TempDir,
}

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = Self {
            issuer: CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap(),
            dir: tempfile::tempdir().unwrap(),
        };
        std::fs::write(authority.ca(), authority.issuer.pem()).unwrap();
        authority
    }

    pub fn ca(&self) -> PathBuf {
        self.dir.path().join("ca.crt")
    }

    /// A certificate and its key, PEM.
    fn leaf(&self, name: &str, usage: ExtendedKeyUsagePurpose, change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.extended_key_usages = vec![usage];
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    pub fn server(&self, name: &str, change: impl FnOnce(&mut CertificateParams)) -> (String, String) {
        self.leaf(name, ExtendedKeyUsagePurpose::ServerAuth, change)
    }

    /// A client certificate and its key as files.
    pub fn client(&self) -> ClientPair {
        let (cert, key) = self.leaf("operator", ExtendedKeyUsagePurpose::ClientAuth, |_| {});
        let pair = ClientPair { cert: self.dir.path().join("client.cert"), key: self.dir.path().join("client.key") };
        std::fs::write(&pair.cert, cert).unwrap();
        std::fs::write(&pair.key, key).unwrap();
        pair
    }
}

/// Whose certificates clients show.
#[derive(Clone, Copy)]
pub enum Clients<'a> {
    /// They are not asked.
    Nobody,
    /// One from there, or none.
    May(&'a Authority),
    /// One from there.
    Must(&'a Authority),
}

/// A server with this certificate; with `clients`, one that insists on a certificate from there.
pub fn serve(
    leaf: &(String, String),
    clients: Option<&Authority>,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> Server {
    let config = settings(leaf, clients.map_or(Clients::Nobody, Clients::Must), versions);
    Server::tls(config, |_, s| s.write_all(&reply("200 OK", "", "{}")))
}

/// What a server with this certificate needs for TLS.
pub fn tls(leaf: &(String, String), clients: Clients<'_>) -> rustls::ServerConfig {
    settings(leaf, clients, rustls::ALL_VERSIONS)
}

fn settings(
    leaf: &(String, String),
    clients: Clients<'_>,
    versions: &[&'static rustls::SupportedProtocolVersion],
) -> rustls::ServerConfig {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider.clone()).with_protocol_versions(versions).unwrap();
    let of = |authority: &Authority| {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(authority.issuer.der().clone()).unwrap();
        rustls::server::WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone())
    };
    let builder = match clients {
        Clients::Nobody => builder.with_no_client_auth(),
        Clients::May(authority) => builder.with_client_cert_verifier(of(authority).allow_unauthenticated().build().unwrap()),
        Clients::Must(authority) => builder.with_client_cert_verifier(of(authority).build().unwrap()),
    };
    let cert = CertificateDer::from_pem_slice(leaf.0.as_bytes()).unwrap();
    let key = PrivateKeyDer::from_pem_slice(leaf.1.as_bytes()).unwrap();
    builder.with_single_cert(vec![cert], key).unwrap()
}

fn https(server: &Server) -> HttpSettings {
    HttpSettings::new(format!("https://localhost:{}", server.addr.port()))
}

async fn fault(settings: &HttpSettings) -> TlsFault {
    match Http::new(settings).unwrap().ping().await {
        Err(e @ TransportError::Unreachable { why: Why::Tls(fault), .. }) => {
            assert!(!e.is_server_away(), "a certificate that does not hold is no power cut");
            assert!(!e.remedy().is_empty());
            fault
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn the_given_authority_is_believed() {
    let authority = Authority::new("ours");
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let server = serve(&authority.server("localhost", |_| {}), None, &[version]);
        let settings = HttpSettings { ca: Some(authority.ca()), ..https(&server) };
        Http::new(&settings).unwrap().ping().await.unwrap();
    }
}

#[tokio::test]
async fn an_unknown_authority_is_refused_on_loopback_too() {
    let (authority, other) = (Authority::new("ours"), Authority::new("other"));
    let server = serve(&authority.server("localhost", |_| {}), None, rustls::ALL_VERSIONS);
    for stranger in [other, Authority::new("ours")] {
        assert_eq!(fault(&HttpSettings { ca: Some(stranger.ca()), ..https(&server) }).await, TlsFault::UnknownAuthority);
    }
    // The platform's authorities do not know it either.
    assert_eq!(fault(&https(&server)).await, TlsFault::UnknownAuthority);
    assert_eq!(server.requests(), 0, "nothing was asked");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused() {
    let authority = Authority::new("ours");
    let server = serve(&authority.server("notary.example.com", |_| {}), None, rustls::ALL_VERSIONS);
    assert_eq!(fault(&HttpSettings { ca: Some(authority.ca()), ..https(&server) }).await, TlsFault::WrongName);
}

/// A server that was reached by mistake, or by an attack, chooses what stands in its certificate.
#[test]
fn names_in_a_servers_certificate_do_not_attack_the_terminal() {
    let authority = Authority::new("ours");
    let leaf = authority.server("elsewhere.test", |p| {
        let hostile = "Mallory\u{1b}[2J\u{1b}]0;t\u{7}\r\n\u{7f}";
        p.subject_alt_names.push(rcgen::SanType::DnsName(hostile.try_into().unwrap()));
        p.distinguished_name.push(rcgen::DnType::CommonName, "Mallory\u{1b}[2J\u{202e}\u{9b}31m");
    });
    let server = serve(&leaf, None, rustls::DEFAULT_VERSIONS);
    for more in [None, Some("--json")] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_claviger"));
        command.args(["tags", "example.test/a", "--server", &format!("https://localhost:{}", server.addr.port()), "--tlscacert"]);
        command.arg(authority.ca()).args(more).env_clear().env("HOME", authority.dir.path());
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        assert_ne!(output.status.code(), Some(0));
        assert!(output.stdout.is_empty());
        let bad = output.stderr.iter().find(|b| **b != b'\n' && !(b' '..=b'~').contains(*b));
        assert_eq!(bad, None, "{}", String::from_utf8_lossy(&output.stderr).escape_debug());
        assert!(String::from_utf8_lossy(&output.stderr).contains("Mallory"), "the name is part of what is said");
    }
}

#[tokio::test]
async fn a_certificate_outside_its_time_is_refused() {
    let authority = Authority::new("ours");
    let expired =
        authority.server("localhost", |p| (p.not_before, p.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1)));
    let early =
        authority.server("localhost", |p| (p.not_before, p.not_after) = (date_time_ymd(4001, 1, 1), date_time_ymd(4002, 1, 1)));
    for (leaf, wanted) in [(expired, TlsFault::Expired), (early, TlsFault::NotYetValid)] {
        let server = serve(&leaf, None, rustls::ALL_VERSIONS);
        assert_eq!(fault(&HttpSettings { ca: Some(authority.ca()), ..https(&server) }).await, wanted);
    }
}

#[tokio::test]
async fn a_client_certificate_is_shown_where_it_is_wanted() {
    let (authority, other) = (Authority::new("ours"), Authority::new("other"));
    let leaf = authority.server("localhost", |_| {});
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let server = serve(&leaf, Some(&authority), &[version]);
        let settings = HttpSettings { ca: Some(authority.ca()), ..https(&server) };
        let with = |client| HttpSettings { client: Some(client), ..settings.clone() };
        Http::new(&with(authority.client())).unwrap().ping().await.unwrap();
        let same_name = Authority::new("ours");
        let found = [fault(&settings).await, fault(&with(other.client())).await, fault(&with(same_name.client())).await];
        assert!(found.iter().all(|f| *f == TlsFault::ClientCertificateWanted), "{version:?}: {found:?}");
    }
}

#[tokio::test]
async fn a_port_without_tls_is_named_as_such() {
    let server = Server::saying(reply("200 OK", "", "{}"));
    assert_eq!(fault(&https(&server)).await, TlsFault::Protocol);
}

#[tokio::test]
async fn dockers_directory_for_the_server_is_used_and_only_that() {
    let authority = Authority::new("ours");
    let server = serve(&authority.server("localhost", |_| {}), Some(&authority), rustls::ALL_VERSIONS);
    let docker = tempfile::tempdir().unwrap();
    let put = |host: &str| {
        let dir = docker.path().join(host);
        std::fs::create_dir(&dir).unwrap();
        for file in ["ca.crt", "client.cert", "client.key"] {
            std::fs::copy(authority.dir.path().join(file), dir.join(file)).unwrap();
        }
    };
    authority.client();
    put("localhost");
    let settings = HttpSettings { docker_tls: vec![docker.path().to_owned()], ..https(&server) };
    assert_eq!(fault(&settings).await, TlsFault::UnknownAuthority, "the port belongs to the name");
    put(&format!("localhost:{}", server.addr.port()));
    Http::new(&settings).unwrap().ping().await.unwrap();
    // A given CA means only this one.
    let other = Authority::new("other");
    assert_eq!(fault(&HttpSettings { ca: Some(other.ca()), ..settings }).await, TlsFault::UnknownAuthority);
}

#[test]
fn files_that_cannot_serve_are_named_before_anybody_is_asked() {
    let authority = Authority::new("ours");
    let pair = authority.client();
    let dir = authority.dir.path();
    let file = |name: &str, text: &str| {
        std::fs::write(dir.join(name), text).unwrap();
        dir.join(name)
    };
    let docker = dir.join("tls/x.example");
    std::fs::create_dir_all(&docker).unwrap();
    std::fs::write(docker.join("lonely.cert"), "").unwrap();
    let base = HttpSettings::new("https://x.example");
    let key = |key| Some(ClientPair { key, ..pair.clone() });
    for (settings, name) in [
        (HttpSettings { ca: Some(dir.join("none.crt")), ..base.clone() }, "none.crt"),
        (HttpSettings { ca: Some(file("empty.crt", "")), ..base.clone() }, "empty.crt holds no certificate"),
        (HttpSettings { ca: Some(file("large.crt", &"x".repeat((1 << 20) + 1))), ..base.clone() }, "large.crt is too large"),
        (
            HttpSettings { client: key(file("a.key", "-----BEGIN ENCRYPTED PRIVATE KEY-----\n")), ..base.clone() },
            "a.key is encrypted",
        ),
        (HttpSettings { client: key(file("b.key", "x")), ..base.clone() }, "b.key holds no private key"),
        (HttpSettings { docker_tls: vec![dir.join("tls")], ..base.clone() }, "lonely.cert has no private key"),
    ] {
        let e = Http::new(&settings).err().unwrap();
        assert!(matches!(e, HttpError::File { .. } | HttpError::Unreadable { .. }));
        assert!(e.to_string().contains(name), "{e}");
        assert!(!e.remedy().is_empty() && !e.did_not_happen().is_empty());
    }
}
