//! How the real tools join a sandbox: the files that they read, and what a shell must be told.
use super::{
    http::Shell,
    world::{HOST, PASSPHRASE, Sandbox, SandboxError, write_new},
};
use crate::text::shell_word;
use base64::{Engine as _, engine::general_purpose::STANDARD};
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
    /// The registry, if there is one.
    pub registry: Option<InvitedRegistry>,
    /// Where tokens are given, if logins are asked for.
    pub tokens: Option<String>,
}

/// Where images are pushed to and pulled from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvitedRegistry {
    /// Its address.
    pub url: String,
    /// Its address as the first part of an image's name.
    pub host: String,
    /// The directory with the certificate of its authority, `ca.crt`, as `skopeo --cert-dir` wants it.
    pub cert_dir: PathBuf,
}

impl Sandbox {
    /// Writes the files with which the real tools find `shell`, which serves this sandbox, and says how to use them.
    ///
    /// # Errors
    /// [`SandboxError::Files`].
    pub fn invite(&self, shell: &Shell) -> Result<Invitation, SandboxError> {
        let docker_config = self.path().join("docker");
        let ca_file = trusted(&docker_config, shell)?.join("ca.crt");
        replace(&docker_config.join("config.json"), "{}\n")?;
        let notary_config = self.path().join("notary.json");
        let url = shell.url();
        let config = serde_json::json!({
            "trust_dir": text(self.trust_dir().path()),
            "remote_server": { "url": url, "root_ca": text(&ca_file) },
        });
        replace(&notary_config, &format!("{config:#}\n"))?;
        let mut variables = vec![("DOCKER_CONFIG", text(&docker_config)), ("DOCKER_CONTENT_TRUST_SERVER", url.clone())];
        variables.extend(crate::secret::VARIABLES.map(|name| (name, PASSPHRASE.to_owned())));
        Ok(Invitation { url, ca_file, docker_config, notary_config, variables, registry: None, tokens: None })
    }
}

impl Invitation {
    /// The same with a registry that `shell` serves.
    ///
    /// # Errors
    /// [`SandboxError::Files`].
    pub fn with_registry(mut self, shell: &Shell) -> Result<Self, SandboxError> {
        let cert_dir = trusted(&self.docker_config, shell)?;
        self.variables.push(("CLAVIGER_REGISTRY", format!("{HOST}={}", shell.url())));
        self.registry = Some(InvitedRegistry { url: shell.url(), host: shell.address().to_string(), cert_dir });
        Ok(self)
    }

    /// The same with the login of an account, which `shell` gives tokens to: in `NOTARY_AUTH`, and in docker's configuration
    /// for the registry and for the names of the sandbox's own repositories.
    ///
    /// # Errors
    /// [`SandboxError::Files`].
    pub(super) fn with_login(mut self, shell: &Shell, user: &str, password: &str) -> Result<Self, SandboxError> {
        trusted(&self.docker_config, shell)?;
        let login = STANDARD.encode(format!("{user}:{password}"));
        let hosts = self.registry.iter().map(|r| r.host.clone()).chain([HOST.to_owned()]);
        let logins: serde_json::Map<_, _> = hosts.map(|host| (host, serde_json::json!({ "auth": login }))).collect();
        let config = serde_json::json!({ "auths": logins });
        replace(&self.docker_config.join("config.json"), &format!("{config:#}\n"))?;
        self.variables.push(("NOTARY_AUTH", login));
        self.tokens = Some(shell.url());
        Ok(self)
    }

    /// Lines for a POSIX shell: variables for both tools, and an alias, because `notary` reads the address and the
    /// certificate of its server from a file only.
    pub fn lines(&self) -> Vec<String> {
        let exports = self.variables.iter().map(|(name, value)| format!("export {name}={}", quoted(value)));
        let notary = format!("notary -c {}", quoted(&self.notary_config.to_string_lossy()));
        let registry = self.registry.iter().flat_map(|r| {
            let skopeo =
                format!("skopeo copy --dest-cert-dir {} SOURCE docker://{}/NAME:TAG", quoted(&text(&r.cert_dir)), r.host);
            [format!("# registry: {}", r.url), format!("# an image goes there with: {skopeo}")]
        });
        exports.chain([format!("alias notary={}", quoted(&notary))]).chain(registry).collect()
    }
}

/// Puts the certificate of a shell's authority where docker looks for it, and says where that is.
fn trusted(docker_config: &Path, shell: &Shell) -> Result<PathBuf, SandboxError> {
    let directory = docker_config.join("tls").join(shell.address().to_string());
    DirBuilder::new().recursive(true).mode(0o700).create(&directory).map_err(|e| SandboxError::files(&directory, e))?;
    replace(&directory.join("ca.crt"), shell.ca_pem())?;
    Ok(directory)
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn quoted(word: &str) -> String {
    shell_word(word.as_bytes())
}

/// Writes a file of the sandbox's own, in place of one from an earlier start.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), SandboxError> {
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
