//! A person's machine: one trust directory, and the clients that work on it.

use super::program::{Answer, docker, program, run, scratch};
use super::server::NotaryServer;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// Passphrase of root keys on a desk.
pub const ROOT_PASSPHRASE: &str = "root passphrase of a desk";
/// Passphrase of every other key; docker has one for all of them.
pub const OTHER_PASSPHRASE: &str = "other passphrase of a desk";

/// A home of its own, in which `notary` and `docker trust` share a trust directory as they do on a real machine.
pub struct Desk {
    at: At,
    folder: PathBuf,
}

/// Where a Notary server is, and who vouches for it.
#[derive(Clone)]
pub struct At {
    pub address: String,
    pub url: String,
    pub ca: PathBuf,
}

impl At {
    /// A real one.
    pub fn of(server: &NotaryServer) -> Self {
        Self { address: server.address(), url: server.url(), ca: server.ca() }
    }
}

impl Desk {
    /// An empty one that knows the server.
    pub fn new(server: &'static NotaryServer, name: &str) -> Self {
        Self::at(At::of(server), name)
    }

    /// The same for a server that is there.
    pub fn at(at: At, name: &str) -> Self {
        let desk = Self { at, folder: scratch(name) };
        let certificates = desk.docker_config().join("tls").join(&desk.at.address);
        std::fs::create_dir_all(&certificates).expect("a folder");
        std::fs::create_dir_all(desk.folder.join("home")).expect("a folder");
        std::fs::copy(&desk.at.ca, certificates.join("ca.crt")).expect("a certificate");
        desk
    }

    /// Another one that knows nothing yet but the same server.
    pub fn fresh(&self) -> Self {
        Self::at(self.at.clone(), "fresh")
    }

    /// A file in the desk's folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A file in the desk's folder, with content that nobody else may read.
    pub fn write(&self, name: &str, content: &str) -> String {
        let path = self.file(name);
        std::fs::write(&path, content).expect("a file");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("a mode");
        path.to_str().expect("a path in UTF-8").to_owned()
    }

    fn docker_config(&self) -> PathBuf {
        self.folder.join("docker")
    }

    /// The trust directory.
    pub fn trust_dir(&self) -> PathBuf {
        self.docker_config().join("trust")
    }

    /// The environment of every client. Hardware is out of reach: `notary` would take the first token that it sees.
    pub fn environment(&self) -> Vec<(&'static str, OsString)> {
        vec![
            ("HOME", self.folder.join("home").into()),
            ("PCSCLITE_CSOCK_NAME", "/nonexistent".into()),
            ("NOTARY_ROOT_PASSPHRASE", ROOT_PASSPHRASE.into()),
            ("NOTARY_TARGETS_PASSPHRASE", OTHER_PASSPHRASE.into()),
            ("NOTARY_SNAPSHOT_PASSPHRASE", OTHER_PASSPHRASE.into()),
            ("NOTARY_DELEGATION_PASSPHRASE", OTHER_PASSPHRASE.into()),
            ("DOCKER_CONFIG", self.docker_config().into()),
            ("DOCKER_CONTENT_TRUST_SERVER", self.at.url.clone().into()),
            ("DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE", ROOT_PASSPHRASE.into()),
            ("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", OTHER_PASSPHRASE.into()),
        ]
    }

    /// The arguments with which `notary` works on this desk, before a command's own.
    pub fn notary_arguments(&self) -> Vec<OsString> {
        let mut arguments: Vec<OsString> = ["-s", &self.at.url, "--tlscacert"].map(OsString::from).to_vec();
        arguments.extend([self.at.ca.clone().into_os_string(), "-d".into(), self.trust_dir().into_os_string()]);
        arguments
    }

    /// Runs `notary ARGS`.
    pub fn notary(&self, args: &[&str]) -> Answer {
        self.notary_with_input(args, "")
    }

    /// Runs `notary ARGS` and answers its questions.
    pub fn notary_with_input(&self, args: &[&str], input: &str) -> Answer {
        let mut all = self.notary_arguments();
        all.extend(args.iter().map(OsString::from));
        run(&program("notary"), &all, &self.environment(), input)
    }

    /// Runs `docker trust ARGS`. There is no engine: only what `docker trust` does itself works.
    pub fn docker_trust(&self, args: &[&str]) -> Answer {
        let all: Vec<&str> = std::iter::once("trust").chain(args.iter().copied()).collect();
        run(&docker(), &all, &self.environment(), "")
    }

    /// The arguments with which `claviger` works on this desk, behind a command's own.
    pub fn claviger_arguments(&self, args: &[&str]) -> Vec<OsString> {
        let mut all: Vec<OsString> = args.iter().map(OsString::from).collect();
        all.extend(["--server", &self.at.url, "--tlscacert"].map(OsString::from));
        all.extend([self.at.ca.clone().into_os_string(), "--trust-dir".into(), self.trust_dir().into_os_string()]);
        all
    }

    /// Runs `claviger ARGS` on the same trust directory.
    pub fn claviger(&self, args: &[&str]) -> Answer {
        run(env!("CARGO_BIN_EXE_claviger").as_ref(), &self.claviger_arguments(args), &self.environment(), "")
    }

    /// Signs a tag that the repository has already with `docker trust sign`, which needs no engine for that.
    pub fn docker_sign(&self, gun: &str, tag: &str) {
        let answer = self.docker_trust(&["sign", &format!("{gun}:{tag}")]).ok();
        assert!(answer.stdout.contains("Successfully signed"), "{answer:?}");
    }

    /// Makes a key pair with `docker trust key generate`; the path of its public half.
    pub fn signer_key(&self, name: &str) -> String {
        self.docker_trust(&["key", "generate", name, "--dir", self.path()]).ok();
        self.folder_file(&format!("{name}.pub"))
    }

    /// The desk's folder as text.
    pub fn path(&self) -> &str {
        self.folder.to_str().expect("a path in UTF-8")
    }

    /// A file in the desk's folder, as text.
    pub fn folder_file(&self, name: &str) -> String {
        format!("{}/{name}", self.path())
    }

    /// Stages additions by writing change files as `notary add` does (sorted by name, applied in that order).
    pub fn stage_targets(&self, gun: &str, targets: impl Iterator<Item = (String, serde_json::Value)>) {
        use base64::Engine;
        let folder = self.trust_dir().join("tuf").join(gun).join("changelist");
        std::fs::create_dir_all(&folder).expect("a changelist");
        for (number, (name, meta)) in targets.enumerate() {
            let data = base64::engine::general_purpose::STANDARD.encode(meta.to_string());
            let change = serde_json::json!({"action": "create", "role": "targets", "type": "target", "path": name, "data": data});
            let file = folder.join(format!(
                "{:020}_00000000-0000-4000-8000-{number:012}.change",
                1_700_000_000_000_000_000_u64 + number as u64
            ));
            std::fs::write(file, change.to_string()).expect("a change");
        }
    }
}
