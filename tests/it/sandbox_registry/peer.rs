//! Both registries behind one way of asking: the real `docker-registry` on a socket, and ours in this process.
pub use crate::sandbox_support::Answer;

use crate::peers::program;
use claviger::sandbox::{Call, Registry, registry::limits};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Headers of a request, with names in lower case.
pub type Headers = Vec<(String, String)>;

/// Somebody who can be asked.
pub trait Peer {
    fn ask(&self, method: &str, target: &str, headers: &Headers, body: &[u8]) -> Answer;

    /// Pushes a blob in one piece; the answer to its end.
    fn push(&self, name: &str, digest: &str, bytes: &[u8]) -> Answer {
        let begun = self.ask("POST", &format!("/v2/{name}/blobs/uploads/"), &vec![], b"");
        assert_eq!(begun.status, 202, "{}", begun.text());
        let target = format!("{}&digest={digest}", begun.header("location").unwrap());
        self.ask("PUT", &target, &octets(), bytes)
    }
}

/// What clients say of a blob that they send.
pub fn octets() -> Headers {
    vec![("content-type".to_owned(), "application/octet-stream".to_owned())]
}

/// An empty registry of ours, in memory.
pub fn ours() -> Registry {
    Registry::in_memory(limits::ROOM)
}

impl Peer for Registry {
    fn ask(&self, method: &str, target: &str, headers: &Headers, body: &[u8]) -> Answer {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let call = Call::new(method, path).with_query(query).with_headers(headers).with_body(body);
        let answer = self.handle(&call);
        let mut headers: Headers = answer.headers.into_iter().map(|(n, v)| (n.to_lowercase(), v.into_owned())).collect();
        // What the connection adds.
        if !headers.iter().any(|(n, _)| n == "content-length") {
            headers.push(("content-length".to_owned(), answer.body.len().to_string()));
        }
        Answer { status: answer.status, headers, body: if method == "HEAD" { Vec::new() } else { answer.body } }
    }
}

/// The real registry with an empty directory. Ends with this value.
pub struct RealRegistry {
    child: Child,
    address: SocketAddr,
    directory: tempfile::TempDir,
}

impl RealRegistry {
    pub fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let config = directory.path().join("registry.yml");
        // Somebody else may take the port between our look at it and the server's start, so this is tried again.
        for _ in 0..5 {
            let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
            let settings = format!(
                "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
                 storage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}\n\
                 http: {{addr: \"{address}\", relativeurls: true}}\n",
                directory.path().join("data").display()
            );
            std::fs::write(&config, settings).unwrap();
            let mut child = Command::new(program::program("docker-registry"))
                .arg("serve")
                .arg(&config)
                .env_clear()
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let until = Instant::now() + Duration::from_secs(20);
            while Instant::now() < until && child.try_wait().unwrap().is_none() {
                if TcpStream::connect(address).is_ok() {
                    return Self { child, address, directory };
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        panic!("docker-registry does not start");
    }

    /// Where it keeps content.
    pub fn blob(&self, digest: &str) -> std::path::PathBuf {
        let digits = digest.strip_prefix("sha256:").unwrap();
        let all = self.directory.path().join("data/docker/registry/v2/blobs/sha256");
        all.join(&digits[..2]).join(digits).join("data")
    }

    /// Host and port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Peer for RealRegistry {
    fn ask(&self, method: &str, target: &str, headers: &Headers, body: &[u8]) -> Answer {
        let mut socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        // HTTP/1.0, so that no answer comes in chunks.
        let mut request = format!("{method} {target} HTTP/1.0\r\nHost: localhost\r\nContent-Length: {}\r\n", body.len());
        headers.iter().for_each(|(n, v)| request.push_str(&format!("{n}: {v}\r\n")));
        request.push_str("\r\n");
        socket.write_all(request.as_bytes()).unwrap();
        // It may have answered and closed before it has read everything.
        let _ = socket.write_all(body);
        let mut bytes = Vec::new();
        let _ = socket.read_to_end(&mut bytes);
        let end = bytes.windows(4).position(|w| w == b"\r\n\r\n").unwrap_or_else(|| panic!("no answer to {method} {target}"));
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|l| l.split_once(": ").unwrap()).map(|(n, v)| (n.to_lowercase(), v.to_owned())).collect();
        Answer { status, headers, body: bytes[end + 4..].to_vec() }
    }
}

impl Drop for RealRegistry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
