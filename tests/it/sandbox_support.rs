//! Servers for the sandbox's tests: the real notary-server and the sandbox's shell, and a client that sends a request
//! line exactly as it is given.
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::ring, pki_types::CertificateDer};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The code of the first error.
    pub fn code(&self) -> String {
        let body: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        body["errors"][0]["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// Sends one request over TLS, target and all verbatim, and reads to the end.
pub fn ask(address: SocketAddr, ca_pem: &str, method: &str, target: &str) -> Answer {
    send(address, ca_pem, method, target, "", b"")
}

/// The same with header lines, each with its end, and a body.
pub fn send(address: SocketAddr, ca_pem: &str, method: &str, target: &str, headers: &str, body: &[u8]) -> Answer {
    let said = || String::from_utf8_lossy(body).into_owned();
    try_send(address, ca_pem, method, target, headers, body)
        .unwrap_or_else(|| panic!("no answer to {method} {target}: {}", said()))
}

/// The same, where the server may go away before it has answered.
pub fn try_send(address: SocketAddr, ca_pem: &str, method: &str, target: &str, headers: &str, body: &[u8]) -> Option<Answer> {
    let mut tls = begin(address, ca_pem)?;
    // HTTP/1.0, so that no answer comes in chunks.
    let head = format!("{method} {target} HTTP/1.0\r\nHost: localhost\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
    // In one go: what comes in two waits for the other side to say that it has the first.
    tls.write_all(&[head.as_bytes(), body].concat()).ok()?;
    finish(tls)
}

/// A connection on which nothing was said yet.
pub fn begin(address: SocketAddr, ca_pem: &str) -> Option<StreamOwned<ClientConnection, TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(pem::parse(ca_pem).unwrap().into_contents())).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), "localhost".try_into().unwrap()).unwrap();
    let socket = TcpStream::connect(address).ok()?;
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    Some(StreamOwned::new(connection, socket))
}

/// Reads the answer, to the end of the connection.
pub fn finish(mut tls: StreamOwned<ClientConnection, TcpStream>) -> Option<Answer> {
    let mut bytes = Vec::new();
    // Go closes without saying goodbye in TLS; who is killed does too.
    let _ = tls.read_to_end(&mut bytes);
    let end = bytes.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers = lines.map(|l| l.split_once(": ").unwrap()).map(|(n, v)| (n.to_lowercase(), v.to_owned())).collect();
    Some(Answer { status, headers, body: bytes[end + 4..].to_vec() })
}

/// The real notary-server with its store in memory. Ends with this value.
pub struct RealServer {
    child: Child,
    pub address: SocketAddr,
    pub ca_pem: String,
    directory: tempfile::TempDir,
}

impl RealServer {
    pub fn start() -> Self {
        Self::serving(&[])
    }

    /// One that serves only collections whose names begin so; all, if nothing is given.
    pub fn serving(prefixes: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let (certificate, key) = (directory.path().join("server.crt"), directory.path().join("server.key"));
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        // Somebody else may take the port between our look at it and the server's start, so this is tried again.
        for _ in 0..5 {
            let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let config = directory.path().join("server.json");
            let mut text = serde_json::json!({
                "server": { "http_addr": address.to_string(), "tls_cert_file": certificate, "tls_key_file": key },
                "trust_service": { "type": "local" }, "logging": { "level": "error" }, "storage": { "backend": "memory" },
            });
            if !prefixes.is_empty() {
                text["repositories"] = serde_json::json!({ "gun_prefixes": prefixes });
            }
            std::fs::write(&config, text.to_string()).unwrap();
            let mut child = Command::new("notary-server")
                .arg("-config")
                .arg(&config)
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("the test needs the Debian package notary (notary-server)");
            let until = Instant::now() + Duration::from_secs(20);
            while Instant::now() < until && child.try_wait().unwrap().is_none() {
                if TcpStream::connect(address).is_ok() {
                    return Self { child, address, ca_pem: made.cert.pem(), directory };
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!("notary-server does not start");
    }

    /// Runs the real notary against this server; it must succeed.
    pub fn notary(&self, arguments: &[&str]) {
        let config = self.directory.path().join("notary.json");
        let text = serde_json::json!({
            "trust_dir": self.directory.path().join("trust"),
            "remote_server": { "url": format!("https://{}", self.address), "root_ca": self.directory.path().join("server.crt") },
        });
        std::fs::write(&config, text.to_string()).unwrap();
        let mut command = tool("notary", self.directory.path());
        for role in ["ROOT", "TARGETS", "SNAPSHOT", "DELEGATION"] {
            command.env(format!("NOTARY_{role}_PASSPHRASE"), "practise-only");
        }
        let out = command.arg("-c").arg(config).args(arguments).output().unwrap();
        assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A tool with nothing of this machine's in its environment.
pub fn tool(name: &str, home: &Path) -> Command {
    let mut command = Command::new(name);
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", home).stdin(Stdio::null());
    command
}
