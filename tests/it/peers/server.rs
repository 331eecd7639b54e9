//! The real `notary-server`, alone or with the real `notary-signer`, on loopback.

use super::pki::Pki;
use super::program::{program, scratch};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a server may take until it answers; it takes 20 ms when nothing else runs.
const START: Duration = Duration::from_secs(20);

/// Which servers there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `notary-server` in memory that keeps its keys itself: they are Ed25519.
    Local,
    /// `notary-server` in memory with a `notary-signer` that holds its keys: they are ECDSA P-256.
    Signer,
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
        let server = Process::on_a_free_port("notary-server", |port| server_settings(port, json!({"type": "local"})));
        Self::ready(vec![server])
    }

    /// One in memory that wants tokens; `token` says from whom, as its configuration does.
    pub fn with_tokens(token: &serde_json::Value) -> Self {
        let settings = |port| {
            let mut settings = server_settings(port, json!({"type": "local"}));
            settings["auth"] = json!({"type": "token", "options": token});
            settings
        };
        Self::ready(vec![Process::on_a_free_port("notary-server", settings)])
    }

    /// One in memory whose keys a `notary-signer` holds.
    pub fn memory_with_signer() -> Self {
        let pki = Pki::shared();
        let signer = Process::on_a_free_port("notary-signer", |port| {
            json!({
                "server": {
                    "grpc_addr": format!("127.0.0.1:{port}"), "tls_cert_file": pki.file("server.crt"),
                    "tls_key_file": pki.file("server.key"), "client_ca_file": pki.file("ca.crt")
                },
                "logging": {"level": "info"}, "storage": {"backend": "memory"}
            })
        });
        let trust = json!({
            "type": "remote", "hostname": "127.0.0.1", "port": signer.port.to_string(), "key_algorithm": "ecdsa",
            "tls_ca_file": pki.file("ca.crt"), "tls_client_cert": pki.file("client.crt"), "tls_client_key": pki.file("client.key")
        });
        let server = Process::on_a_free_port("notary-server", |port| server_settings(port, trust.clone()));
        Self::ready(vec![signer, server])
    }

    /// The one of this kind that all tests share, which lives until the test program ends.
    pub fn shared(kind: Kind) -> &'static Self {
        static LOCAL: OnceLock<NotaryServer> = OnceLock::new();
        static SIGNER: OnceLock<NotaryServer> = OnceLock::new();
        match kind {
            Kind::Local => LOCAL.get_or_init(Self::memory_local),
            Kind::Signer => SIGNER.get_or_init(Self::memory_with_signer),
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
    pub fn with_tokens(token: &serde_json::Value) -> Self {
        let pki = Pki::shared();
        let root = scratch("registry");
        let process = Process::on_a_free_port("docker-registry", |port| {
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

fn server_settings(port: u16, trust: serde_json::Value) -> serde_json::Value {
    let pki = Pki::shared();
    json!({
        "server": {
            "http_addr": format!("127.0.0.1:{port}"), "tls_cert_file": pki.file("server.crt"), "tls_key_file": pki.file("server.key")
        },
        "trust_service": trust, "logging": {"level": "info"}, "storage": {"backend": "memory"}
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

/// A server process that is ended by its number when it goes out of use, and by the kernel when the test program ends.
struct Process {
    name: &'static str,
    port: u16,
    pid: Pid,
    log: PathBuf,
    /// Ends when the process has.
    waiting: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts a server on a port that was free a moment ago; another one if somebody took it since.
    fn on_a_free_port(name: &'static str, settings: impl Fn(u16) -> serde_json::Value) -> Self {
        let mut logs = String::new();
        for _ in 0..5 {
            let free = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
            let port = free.local_addr().expect("an address").port();
            drop(free);
            let process = Self::start(name, port, &settings(port));
            if process.listens() {
                return process;
            }
            logs.push_str(&process.log());
        }
        panic!("{name} does not start:\n{logs}");
    }

    fn start(name: &'static str, port: u16, settings: &serde_json::Value) -> Self {
        let folder = scratch(name);
        std::fs::write(folder.join("settings.json"), settings.to_string()).expect("settings");
        let log = folder.join("log");
        let file = File::create(&log).expect("a log");
        let mut command = Command::new(program("setpriv"));
        command
            .args(["--pdeathsig", "KILL", "--"])
            .arg(program(name))
            .arg(before_settings(name))
            .arg(folder.join("settings.json"));
        command.stdin(Stdio::null()).stdout(file.try_clone().expect("a log")).stderr(file);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        // The kernel ends a child with the *thread* that started it. A test's thread ends with the test, so a thread of
        // its own starts the server and waits for it.
        let (started, pid) = mpsc::channel();
        let waiting = std::thread::spawn(move || {
            let mut child = command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
            let _ = started.send(Pid::from_child(&child));
            let _ = child.wait();
        });
        let pid = pid.recv().unwrap_or_else(|_| panic!("{name} does not start"));
        Self { name, port, pid, log, waiting: Some(waiting) }
    }

    /// Waits until something accepts connections on the port; false when the process has ended instead.
    fn listens(&self) -> bool {
        let deadline = Instant::now() + START;
        while !self.has_ended() {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            assert!(Instant::now() < deadline, "{} does not listen:\n{}", self.name, self.log());
            std::thread::sleep(Duration::from_millis(2));
        }
        false
    }

    fn has_ended(&self) -> bool {
        self.waiting.as_ref().is_none_or(JoinHandle::is_finished)
    }

    fn log(&self) -> String {
        let text = read(&self.log);
        let lines: Vec<&str> = text.lines().collect();
        format!("--- {} ({})\n{}", self.name, self.log.display(), lines[lines.len().saturating_sub(40)..].join("\n"))
    }
}

/// What a program wants to read before the name of its configuration. JSON is YAML, so all of them get JSON.
fn before_settings(name: &str) -> &'static str {
    if name == "docker-registry" { "serve" } else { "-config" }
}

fn read(path: &Path) -> String {
    String::from_utf8_lossy(&std::fs::read(path).unwrap_or_default()).into_owned()
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.has_ended() {
            let _ = kill_process(self.pid, Signal::KILL);
        }
        let _ = self.waiting.take().map(JoinHandle::join);
    }
}

#[test]
fn a_server_ends_with_its_test() {
    let server = NotaryServer::memory_with_signer();
    let pids: Vec<Pid> = server.processes.iter().map(|process| process.pid).collect();
    assert_eq!(pids.len(), 2);
    let alive = |pid: &Pid| Path::new("/proc").join(pid.as_raw_nonzero().to_string()).exists();
    assert!(pids.iter().all(alive));
    drop(server);
    assert!(!pids.iter().any(alive), "a server outlived its test");
}

#[test]
fn the_two_kinds_of_servers_sign_with_the_keys_they_are_said_to() {
    for (kind, key_type) in [(Kind::Local, "ed25519"), (Kind::Signer, "ecdsa")] {
        let answer = NotaryServer::shared(kind).get("/v2/peers.test/keys/_trust/tuf/timestamp.key").expect("an answer");
        assert!(answer.contains(&format!("\"keytype\":\"{key_type}\"")), "{kind:?}: {answer}");
    }
}
