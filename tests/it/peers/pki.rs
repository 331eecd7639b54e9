//! Certificates for the servers, made anew in each run so that none of them ever expires in the repository.

use super::program::{program, scratch};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// PEM files, one folder for all servers of a run.
pub struct Pki {
    folder: PathBuf,
}

impl Pki {
    /// The one of this run.
    pub fn shared() -> &'static Self {
        static PKI: OnceLock<Pki> = OnceLock::new();
        PKI.get_or_init(Self::new)
    }

    fn new() -> Self {
        let pki = Self { folder: scratch("pki") };
        pki.openssl(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.crt -days 30 -subj /CN=peers-ca \
             -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign",
        );
        // Go refuses a server that has a common name only: the addresses must be alternative names
        pki.leaf("server", "extendedKeyUsage=serverAuth\nsubjectAltName=DNS:localhost,DNS:notarysigner,IP:127.0.0.1\n");
        pki.leaf("client", "extendedKeyUsage=clientAuth\n");
        pki
    }

    fn leaf(&self, name: &str, extensions: &str) {
        std::fs::write(self.folder.join("extensions"), format!("basicConstraints=CA:FALSE\n{extensions}")).expect("a file");
        self.openssl(&format!(
            "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"
        ));
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile extensions -out {name}.crt"
        ));
    }

    fn openssl(&self, line: &str) {
        openssl(&self.folder, line);
    }

    /// One of `ca.crt`, `server.crt`, `server.key`, `client.crt`, `client.key`.
    pub fn file(&self, name: &str) -> PathBuf {
        let path = self.folder.join(name);
        assert!(path.is_file(), "{} was not made", path.display());
        path
    }
}

/// Runs openssl in a folder; words are separated by spaces.
pub fn openssl(folder: &Path, line: &str) {
    let output = Command::new(program("openssl")).args(line.split_whitespace()).current_dir(folder).stdin(Stdio::null()).output();
    let output = output.expect("openssl starts");
    assert!(output.status.success(), "openssl {line}:\n{}", String::from_utf8_lossy(&output.stderr));
}
