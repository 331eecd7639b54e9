//! How the real tools join a sandbox: the files that they read, and what a shell must be told.
use super::{
    http::Shell,
    world::{PASSPHRASE, Sandbox, SandboxError, write_new},
};
use crate::text::shell_word;
use std::{
    fs::DirBuilder,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

/// Everything that `notary` and `docker trust` need to see a sandbox as their own world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The server's address.
    pub url: String,
    /// The authority that signed its certificate, in a file where docker looks for it.
    pub ca_file: PathBuf,
    /// docker's configuration directory; the trust directory is `trust/` in it.
    pub docker_config: PathBuf,
    /// A configuration file for `notary -c`.
    pub notary_config: PathBuf,
    /// Environment variables, in the order in which they should be printed.
    pub variables: Vec<(&'static str, String)>,
}

impl Sandbox {
    /// Writes the files with which the real tools find `shell`, which serves this sandbox, and says how to use them.
    ///
    /// # Errors
    /// [`SandboxError::Files`].
    pub fn invite(&self, shell: &Shell) -> Result<Invitation, SandboxError> {
        let docker_config = self.path().join("docker");
        let tls = docker_config.join("tls").join(shell.address().to_string());
        DirBuilder::new().recursive(true).mode(0o700).create(&tls).map_err(|e| SandboxError::files(&tls, e))?;
        let ca_file = tls.join("ca.crt");
        replace(&ca_file, shell.ca_pem())?;
        replace(&docker_config.join("config.json"), "{}\n")?;
        let notary_config = self.path().join("notary.json");
        let url = shell.url();
        let text = |p: &Path| p.to_string_lossy().into_owned();
        let config = serde_json::json!({
            "trust_dir": text(self.trust_dir().path()),
            "remote_server": { "url": url, "root_ca": text(&ca_file) },
        });
        replace(&notary_config, &format!("{config:#}\n"))?;
        let mut variables = vec![("DOCKER_CONFIG", text(&docker_config)), ("DOCKER_CONTENT_TRUST_SERVER", url.clone())];
        variables.extend(crate::secret::VARIABLES.map(|name| (name, PASSPHRASE.to_owned())));
        Ok(Invitation { url, ca_file, docker_config, notary_config, variables })
    }
}

impl Invitation {
    /// Lines for a POSIX shell: variables for both tools, and an alias, because `notary` reads the address and the
    /// certificate of its server from a file only.
    pub fn lines(&self) -> Vec<String> {
        let exports = self.variables.iter().map(|(name, value)| format!("export {name}={}", quoted(value)));
        let notary = format!("notary -c {}", quoted(&self.notary_config.to_string_lossy()));
        exports.chain([format!("alias notary={}", quoted(&notary))]).collect()
    }
}

fn quoted(word: &str) -> String {
    shell_word(word.as_bytes())
}

/// Writes a file of the sandbox's own, in place of one from an earlier start.
fn replace(path: &Path, text: &str) -> Result<(), SandboxError> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(SandboxError::files(path, e)),
        _ => write_new(path, text.as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_survive_a_shell() {
        for word in ["", "two words", "it's", "$(boom)"] {
            let script = format!("printf %s {}", quoted(word));
            let out = std::process::Command::new("sh").arg("-c").arg(script).output().unwrap();
            assert_eq!(out.stdout, word.as_bytes());
        }
    }
}
