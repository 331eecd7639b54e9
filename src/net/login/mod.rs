//! Who we are to a server: docker's logins, the programs that keep them, and `NOTARY_AUTH` (protocol 11.3, 11.4).
//!
//! Logins are kept by *registry*: the one that a repository's name begins with, whichever Notary server is asked for it. The
//! first of these that has one is taken: `DOCKER_AUTH_CONFIG`, docker's `config.json` (its `credHelpers`, its `credsStore`,
//! its `auths`), `NOTARY_AUTH`, whoever sits at the terminal. Nothing is read before a server asks for it.
mod docker;
mod helper;

use crate::{net::LoginError, os::strongroom, secret::Passphrase, text::Untrusted};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{fmt, path::PathBuf, sync::Arc};

/// Variables that hold credentials. Like those that hold passphrases, no child process inherits them.
pub const VARIABLES: [&str; 2] = ["NOTARY_AUTH", "DOCKER_AUTH_CONFIG"];

/// The name by which docker keeps the login of docker.io.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// What proves an account. It cannot be printed or copied.
pub enum Proof {
    /// A password.
    Password(Passphrase),
    /// An identity token, which gets tokens from an issuer and is nothing to anybody else.
    Identity(Passphrase),
}

/// An account with a server.
pub struct Account {
    /// Its name; empty if only an identity token is known.
    pub user: Untrusted,
    /// What proves it.
    pub proof: Proof,
    /// Where it was found, in words.
    pub origin: String,
}

/// Asks whoever is there for an account with a registry, which a host is to see; none if nobody is.
pub type Ask = Arc<dyn Fn(&str, &str) -> Option<Account> + Send + Sync>;

/// Where accounts are found.
#[derive(Clone, Default)]
pub struct Logins {
    /// Docker's configuration directory.
    pub docker_dir: Option<PathBuf>,
    /// The value of `DOCKER_AUTH_CONFIG`.
    pub docker_auth: Option<Arc<Passphrase>>,
    /// The value of `NOTARY_AUTH`.
    pub notary_auth: Option<Arc<Passphrase>>,
    /// Who is asked at last.
    pub ask: Option<Ask>,
}

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logins").field("docker_dir", &self.docker_dir).finish_non_exhaustive()
    }
}

impl Logins {
    /// The logins of this process: docker's in its directory, and those in the environment.
    pub fn of_process(docker_dir: Option<PathBuf>) -> Self {
        use std::os::unix::ffi::OsStringExt as _;
        let variable = |name: &str| {
            let value = strongroom(|| std::env::var_os(name).filter(|v| !v.is_empty()).map(|v| Passphrase::new(v.into_vec())));
            value.map(Arc::new)
        };
        Self { docker_dir, docker_auth: variable("DOCKER_AUTH_CONFIG"), notary_auth: variable("NOTARY_AUTH"), ask: None }
    }

    /// The account for a registry (`docker.io`, or a host with its port) that `host` is to see; none if there is none. It
    /// reads files and runs a program, so it may take a while.
    ///
    /// # Errors
    /// [`LoginError::Unreadable`] and [`LoginError::Helper`]: what should say who we are does not.
    pub fn find(&self, registry: &str, host: &str) -> Result<Option<Account>, LoginError> {
        let key = key(registry);
        let found = match self.of_docker(key)? {
            Found::Login(account) => account,
            Found::Helper { name, .. } => helper::get(&name, key)?,
        };
        match (found, &self.notary_auth) {
            (Some(account), _) => Ok(Some(account)),
            (None, Some(text)) => notary(text.expose()).map(Some),
            (None, None) => Ok(self.ask.as_ref().and_then(|ask| ask(registry, host))),
        }
    }

    /// Where [`find`](Self::find) would look first for the account of a registry. Files are read, but no program is run and
    /// nobody is asked.
    ///
    /// # Errors
    /// [`LoginError::Unreadable`]: what should say who we are does not.
    pub fn source(&self, registry: &str) -> Result<Source, LoginError> {
        let account = match (self.of_docker(key(registry))?, &self.notary_auth) {
            (Found::Helper { name, origin }, _) => return Ok(Source::Helper { name: Untrusted::new(name), origin }),
            (Found::Login(Some(account)), _) => account,
            (Found::Login(None), Some(text)) => notary(text.expose())?,
            (Found::Login(None), None) => return Ok(Source::Nowhere),
        };
        let identity = matches!(account.proof, Proof::Identity(_));
        Ok(Source::Account { user: account.user, origin: account.origin, identity })
    }

    fn of_docker(&self, key: &str) -> Result<Found, LoginError> {
        if let Some(text) = &self.docker_auth
            && let Some(account) = docker::from_variable(text.expose(), key)?
        {
            return Ok(Found::Login(Some(account)));
        }
        match &self.docker_dir {
            Some(dir) => docker::from_file(&dir.join("config.json"), key),
            None => Ok(Found::Login(None)),
        }
    }
}

/// What docker has for a registry.
enum Found {
    /// A login, or none.
    Login(Option<Account>),
    /// A program that is to be asked, by the end of its name, and the file that says so.
    Helper { name: String, origin: String },
}

/// Where an account would come from, without what proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// It is written down.
    Account {
        /// The name of the account; empty if only an identity token is known.
        user: Untrusted,
        /// Where, printable.
        origin: String,
        /// Whether an identity token proves it, not a password.
        identity: bool,
    },
    /// A program is asked, and after it `NOTARY_AUTH` and whoever is there.
    Helper {
        /// The end of its name.
        name: Untrusted,
        /// The file that names it, printable.
        origin: String,
    },
    /// Nothing is written down: whoever is there is asked.
    Nowhere,
}

/// The name by which docker keeps the login of a registry.
fn key(registry: &str) -> &str {
    match registry {
        "docker.io" | "index.docker.io" => DOCKER_HUB,
        other => other,
    }
}

/// `NOTARY_AUTH`. What cannot be read is an error: notary only warns, and goes on as nobody.
fn notary(text: &[u8]) -> Result<Account, LoginError> {
    let account = strongroom(|| basic(text.trim_ascii(), "NOTARY_AUTH".to_owned()));
    account.ok_or_else(|| LoginError::Unreadable {
        origin: "NOTARY_AUTH".to_owned(),
        reason: Untrusted::new("it is not user:password in base64"),
    })
}

/// Decodes `user:password`. White space and NULs at the password's end are no part of it.
fn basic(encoded: &[u8], origin: String) -> Option<Account> {
    let decoded = zeroize::Zeroizing::new(STANDARD.decode(encoded).ok()?);
    let at = decoded.iter().position(|b| *b == b':')?;
    let user = std::str::from_utf8(decoded.get(..at)?).ok()?;
    let mut password = decoded.get(at + 1..)?;
    while let [rest @ .., b'\0' | b'\n' | b'\r'] = password {
        password = rest;
    }
    if user.is_empty() || password.is_empty() {
        return None;
    }
    Some(Account { user: Untrusted::new(user), proof: Proof::Password(Passphrase::new(password.to_vec())), origin })
}

#[cfg(test)]
mod tests;
