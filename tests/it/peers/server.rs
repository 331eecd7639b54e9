//! The real `notary-server`, alone or with the real `notary-signer`, in memory or in PostgreSQL, on loopback.

use super::pki::Pki;
use super::postgres::{Cluster, Tables};
use super::process::{Launch, Process, START};
use super::program::{program, scratch};
use rustix::process::Pid;
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Which servers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `notary-server` in memory that keeps its keys itself: they are Ed25519.
    Local,
    /// `notary-server` in memory with a `notary-signer` that holds its keys: they are ECDSA P-256.
    Signer,
    /// The same two with PostgreSQL below both, as they are run in earnest.
    Postgres,
}

/// A Notary server that ends with the test that started it, or with the test program.
pub struct NotaryServer {
    port: u16,
    /// The server, and before it what it needs.
    processes: Vec<Process>,
}

impl NotaryServer {
    /// One in memory with keys of its own.
    pub fn memory_local() -> Self {
        Self::ready(vec![server(&json!({"type": "local"}), &in_memory())])
    }

    /// One in memory that wants tokens; `token` says from whom, as its configuration does.
    pub fn with_tokens(token: &Value) -> Self {
        let process = on_a_free_port("notary-server", &[], |port| {
            let mut settings = server_settings(port, &json!({"type": "local"}), &in_memory());
            settings["auth"] = json!({"type": "token", "options": token});
            settings
        });
        Self::ready(vec![process])
    }

    /// One in memory whose keys a `notary-signer` holds, in memory too.
    pub fn memory_with_signer() -> Self {
        let signer = signer(&in_memory());
        let server = server(&held_by(&signer), &in_memory());
        Self::ready(vec![signer, server])
    }

    /// One whose files are in a database of its own, and whose keys a `notary-signer` holds in another.
    pub fn postgres_with_signer() -> Self {
        let cluster = Cluster::shared();
        let in_database = |tables| json!({"backend": "postgres", "db_url": cluster.database(tables)});
        let mut of_keys = in_database(Tables::Signer);
        of_keys["default_alias"] = ALIAS.into();
        let signer = signer(&of_keys);
        let server = server(&held_by(&signer), &in_database(Tables::Server));
        Self::ready(vec![signer, server])
    }

    /// One with a database that takes no file any more once it was told so.
    pub fn postgres_that_breaks() -> (Self, impl FnOnce()) {
        let cluster = Cluster::shared();
        let url = cluster.database(Tables::Server);
        let server = server(&json!({"type": "local"}), &json!({"backend": "postgres", "db_url": url}));
        let breaks = move || cluster.run(&url, "alter table tuf_files add constraint full_disk check (false) not valid");
        (Self::ready(vec![server]), breaks)
    }

    /// The one of this kind that all tests share, which lives until the test program ends.
    pub fn shared(kind: Kind) -> &'static Self {
        static LOCAL: OnceLock<NotaryServer> = OnceLock::new();
        static SIGNER: OnceLock<NotaryServer> = OnceLock::new();
        static POSTGRES: OnceLock<NotaryServer> = OnceLock::new();
        match kind {
            Kind::Local => LOCAL.get_or_init(Self::memory_local),
            Kind::Signer => SIGNER.get_or_init(Self::memory_with_signer),
            Kind::Postgres => POSTGRES.get_or_init(Self::postgres_with_signer),
        }
    }

    fn ready(processes: Vec<Process>) -> Self {
        let server = Self { port: processes.last().expect("a server").port, processes };
        let deadline = Instant::now() + START;
        while let Err(why) = server.health() {
            assert!(Instant::now() < deadline, "notary-server is not healthy: {why}\n{}", server.log());
            std::thread::sleep(Duration::from_millis(5));
        }
        server
    }

    /// `127.0.0.1:PORT`, as in URLs and in docker's folder of certificates.
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The same, to connect to.
    pub fn socket_address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// `https://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("https://{}", self.address())
    }

    /// The certificate authority that vouches for it.
    pub fn ca(&self) -> PathBuf {
        Pki::shared().file("ca.crt")
    }

    /// `GET /_notary_server/health`, which answers 200 when the server and its signer work.
    fn health(&self) -> Result<(), String> {
        let answer = self.get("/_notary_server/health").map_err(|error| error.to_string())?;
        if answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.0 200") { Ok(()) } else { Err(answer) }
    }

    /// What the server answers to a plain GET, head and body, without any of the code under test.
    pub fn get(&self, path: &str) -> std::io::Result<String> {
        ask(self.port, "GET", path, "")
    }

    /// The same with another method and more lines in its head, each with its end.
    pub fn ask(&self, method: &str, path: &str, headers: &str) -> std::io::Result<String> {
        ask(self.port, method, path, headers)
    }

    /// What the server and its signer wrote, from the end.
    pub fn log(&self) -> String {
        self.processes.iter().map(Process::log).collect::<Vec<_>>().join("\n")
    }
}

/// Docker's registry, with a folder of its own, that wants tokens.
pub struct Registry(Process);

impl Registry {
    /// One that wants tokens; `token` says from whom, as its configuration does.
    pub fn with_tokens(token: &Value) -> Self {
        let pki = Pki::shared();
        let root = scratch("registry");
        let process = on_a_free_port("docker-registry", &[], |port| {
            json!({
                "version": "0.1", "log": {"level": "info"}, "storage": {"filesystem": {"rootdirectory": root}},
                "http": {
                    "addr": format!("127.0.0.1:{port}"),
                    "tls": {"certificate": pki.file("server.crt"), "key": pki.file("server.key")}
                },
                "auth": {"token": token}
            })
        });
        Self(process)
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.0.port)
    }

    /// What it answers, head and body.
    pub fn ask(&self, method: &str, path: &str, headers: &str) -> std::io::Result<String> {
        ask(self.0.port, method, path, headers)
    }
}

/// Asks a server on loopback without any of the code under test.
fn ask(port: u16, method: &str, path: &str, headers: &str) -> std::io::Result<String> {
    let mut socket = TcpStream::connect(("127.0.0.1", port))?;
    socket.set_read_timeout(Some(START))?;
    let name = "127.0.0.1".try_into().expect("an address");
    let mut session = rustls::ClientConnection::new(tls_settings(), name).map_err(std::io::Error::other)?;
    let mut stream = rustls::Stream::new(&mut session, &mut socket);
    write!(stream, "{method} {path} HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\n{headers}\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// What the signer calls the passphrase of the keys in its database; a variable says which it is.
const ALIAS: &str = "tests";

fn in_memory() -> Value {
    json!({"backend": "memory"})
}

fn server(trust: &Value, storage: &Value) -> Process {
    on_a_free_port("notary-server", &[], |port| server_settings(port, trust, storage))
}

fn server_settings(port: u16, trust: &Value, storage: &Value) -> Value {
    let pki = Pki::shared();
    json!({
        "server": {
            "http_addr": format!("127.0.0.1:{port}"), "tls_cert_file": pki.file("server.crt"), "tls_key_file": pki.file("server.key")
        },
        "trust_service": trust, "logging": {"level": "info"}, "storage": storage
    })
}

fn signer(storage: &Value) -> Process {
    let pki = Pki::shared();
    let passphrase = format!("NOTARY_SIGNER_{}", ALIAS.to_uppercase());
    on_a_free_port("notary-signer", &[(&passphrase, "of keys in a database")], |port| {
        json!({
            "server": {
                "grpc_addr": format!("127.0.0.1:{port}"), "tls_cert_file": pki.file("server.crt"),
                "tls_key_file": pki.file("server.key"), "client_ca_file": pki.file("ca.crt")
            },
            "logging": {"level": "info"}, "storage": storage
        })
    })
}

/// What a server is told of the signer that holds its keys.
fn held_by(signer: &Process) -> Value {
    let pki = Pki::shared();
    json!({
        "type": "remote", "hostname": "127.0.0.1", "port": signer.port.to_string(), "key_algorithm": "ecdsa",
        "tls_ca_file": pki.file("ca.crt"), "tls_client_cert": pki.file("client.crt"), "tls_client_key": pki.file("client.key")
    })
}

/// Starts a server that reads its settings from a file.
fn on_a_free_port(name: &'static str, environment: &[(&str, &str)], settings: impl Fn(u16) -> Value) -> Process {
    Process::on_a_free_port(name, |port, folder| {
        let file = folder.join("settings.json");
        std::fs::write(&file, settings(port).to_string()).expect("settings");
        let mut launch = Launch::new(program(name), [before_settings(name).into(), file.into()]);
        launch.environment = environment.iter().map(|(name, value)| ((*name).to_owned(), value.into())).collect();
        launch
    })
}

fn tls_settings() -> Arc<rustls::ClientConfig> {
    static SETTINGS: OnceLock<Arc<rustls::ClientConfig>> = OnceLock::new();
    let make = || {
        use rustls::pki_types::{CertificateDer, pem::PemObject};
        let mut roots = rustls::RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_file(Pki::shared().file("ca.crt")).expect("a certificate"))
            .expect("a certificate authority");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().expect("TLS 1.2 and 1.3");
        Arc::new(builder.with_root_certificates(roots).with_no_client_auth())
    };
    SETTINGS.get_or_init(make).clone()
}

impl Drop for NotaryServer {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.log());
        }
    }
}

/// What a program wants to read before the name of its configuration. JSON is YAML, so all of them get JSON.
fn before_settings(name: &str) -> &'static str {
    if name == "docker-registry" { "serve" } else { "-config" }
}

#[test]
fn a_server_ends_with_its_test() {
    for server in [NotaryServer::memory_with_signer(), NotaryServer::postgres_with_signer()] {
        let pids: Vec<Pid> = server.processes.iter().map(|process| process.pid).collect();
        assert_eq!(pids.len(), 2);
        let alive = |pid: &Pid| Path::new("/proc").join(pid.as_raw_nonzero().to_string()).exists();
        assert!(pids.iter().all(alive));
        drop(server);
        assert!(!pids.iter().any(alive), "a server outlived its test");
    }
}

#[test]
fn the_kinds_of_servers_sign_with_the_keys_they_are_said_to() {
    for (kind, key_type) in [(Kind::Local, "ed25519"), (Kind::Signer, "ecdsa"), (Kind::Postgres, "ecdsa")] {
        let answer = NotaryServer::shared(kind).get("/v2/peers.test/keys/_trust/tuf/timestamp.key").expect("an answer");
        assert!(answer.contains(&format!("\"keytype\":\"{key_type}\"")), "{kind:?}: {answer}");
    }
}
