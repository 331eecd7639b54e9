//! Every setting, with where it came from.
//!
//! [`Settings::resolve`] is a pure function over the command line's [`Flags`], the [`Environment`] and a function that
//! reads files. One configuration file is in force, or none: `--config FILE`, else
//! `$XDG_CONFIG_HOME/claviger/config.toml`, else `~/.notary/config.json`. They are never merged.
mod file;
mod sourced;

pub use sourced::{Origin, Sourced};

use crate::text::Untrusted;
use file::Config;
use std::{
    collections::BTreeMap,
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

/// The variables of a process.
pub type Environment = BTreeMap<String, OsString>;

/// Reads a whole file; none if there is no such file.
pub type ReadFile<'r> = &'r dyn Fn(&Path) -> io::Result<Option<Vec<u8>>>;

/// Reads a file for [`Settings::resolve`], at most as much of it as a configuration may have.
///
/// # Errors
/// Any but that there is no such file.
pub fn read_file(path: &Path) -> io::Result<Option<Vec<u8>>> {
    use io::Read as _;
    let opened = match std::fs::File::open(path) {
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(None),
        other => other?,
    };
    let mut bytes = Vec::new();
    opened.take(file::CONFIG_FILE + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// What the command line says.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `--trust-dir`
    pub trust_dir: Option<PathBuf>,
    /// `--server`
    pub server: Option<String>,
    /// `--tlscacert`
    pub tlscacert: Option<PathBuf>,
    /// `--tlscert`
    pub tlscert: Option<PathBuf>,
    /// `--tlskey`
    pub tlskey: Option<PathBuf>,
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--state-dir`
    pub state_dir: Option<PathBuf>,
    /// `--registry`
    pub registry: Option<String>,
    /// `--plain-http`, once for each host
    pub plain_http: Vec<String>,
    /// `--read-only`
    pub read_only: bool,
}

/// A client certificate and its private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientPair {
    /// The certificate, PEM.
    pub cert: PathBuf,
    /// The key, PEM, unencrypted.
    pub key: PathBuf,
}

/// Where the images of a registry are: `URL`, or `NAME=URL` for names that begin with `NAME/` only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryAddress {
    /// What the names of its images begin with; none: the registry stands in for all.
    pub name: Option<String>,
    /// Its address.
    pub url: String,
}

impl RegistryAddress {
    fn read(set: Sourced<String>) -> Result<Sourced<Self>, SettingsError> {
        let Sourced { value, origin } = set;
        let (name, url) = match value.split_once('=').filter(|(name, _)| !name.contains("://")) {
            Some((name, url)) => (Some(name.to_owned()), url.to_owned()),
            None => (None, value),
        };
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b':');
        let reason = match &name {
            Some(name) if name.is_empty() || !name.bytes().all(plain) => {
                "the part before = is no registry that a name could begin with"
            }
            _ if url.is_empty() => "it names no address",
            _ => return Ok(Sourced::new(Self { name, url }, origin)),
        };
        Err(SettingsError::Value { origin, reason })
    }
}

/// How to talk to servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// The only authority to accept; none: the platform's, and docker's for the server.
    pub ca: Option<Sourced<PathBuf>>,
    /// How we show who we are; none: docker's for the server.
    pub client: Option<Sourced<ClientPair>>,
    /// A setting that asks for no TLS checks; connecting is refused while it stands.
    pub checks_off: Option<Origin>,
    /// Hosts that may be asked without TLS.
    pub plain_http: Sourced<Vec<String>>,
    /// Hosts besides the server's and the registry's own that may ask for a login.
    pub trusted_realms: Sourced<Vec<String>>,
    /// Longest wait for a connection.
    pub connect: Sourced<Duration>,
    /// Longest wait for the next bytes.
    pub idle: Sourced<Duration>,
    /// Longest wait for one answer.
    pub whole: Sourced<Duration>,
    /// How often a request is sent again.
    pub retries: Sourced<u32>,
    /// The first pause before that.
    pub back_off: Sourced<Duration>,
    /// The longest pause.
    pub longest_pause: Sourced<Duration>,
    /// Most requests at the same time.
    pub parallel: Sourced<u32>,
    /// Whether the system's proxy is used.
    pub proxy: Sourced<bool>,
}

/// Which roots are accepted (protocol 8.1). GUNs are case-sensitive; a trailing `*` stands for any end.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustPinning {
    /// IDs of root keys by GUN.
    pub certs: BTreeMap<String, Vec<String>>,
    /// Files of CA certificates by the beginning of a GUN.
    pub ca: BTreeMap<String, PathBuf>,
    /// Whether a repository that was never seen and that nothing pins is refused.
    pub disable_tofu: bool,
}

/// All settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The configuration file in force.
    pub config: Option<Sourced<PathBuf>>,
    /// The trust directory.
    pub trust_dir: Sourced<PathBuf>,
    /// Docker's configuration directory; none without a home directory.
    pub docker_dir: Option<Sourced<PathBuf>>,
    /// Where state is kept; each trust directory has a directory of its own in it. None without a home directory.
    pub state_dir: Option<Sourced<PathBuf>>,
    /// The Notary server, unless it goes by the registry: [`Settings::server_for`].
    pub server: Option<Sourced<String>>,
    /// Where images are, unless it goes by their names.
    pub registry: Option<Sourced<RegistryAddress>>,
    /// How to talk to servers.
    pub network: Network,
    /// Which roots are accepted.
    pub trust_pinning: Sourced<TrustPinning>,
    /// Whether nothing that writes or signs is offered.
    pub read_only: Sourced<bool>,
    /// Whether to use colours.
    pub color: Sourced<bool>,
    /// Whether to draw with ASCII only.
    pub ascii: Sourced<bool>,
    /// When nobody has pressed a key for so long, the workstation forgets every passphrase.
    pub lock_after: Sourced<Duration>,
}

/// Why the settings cannot be used. Nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// A path is wanted below the home directory, and there is none.
    #[error("HOME is not set, so there is no place for {0}")]
    NoHome(&'static str),
    /// The file that `--config` names is not there.
    #[error("there is no configuration file {}", shown(.0))]
    NoConfig(PathBuf),
    /// The configuration cannot be read.
    #[error("the configuration {} cannot be read: {reason}", shown(.path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// The configuration is not understood.
    #[error("the configuration {} is not understood: {}", shown(.path), .reason.shown())]
    Config {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: Untrusted,
    },
    /// A value that cannot be used.
    #[error("{origin}: {reason}")]
    Value {
        /// Where the value comes from.
        origin: Origin,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Nothing says which server to ask, and the name has no registry in it.
    #[error("no Notary server is known for {}: its name does not begin with a registry", .0.shown())]
    NoServer(Untrusted),
}

impl SettingsError {
    /// What to do next, as one sentence.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NoHome(_) => "Set HOME, or name the directory with --trust-dir.",
            Self::NoConfig(_) | Self::Unreadable { .. } => "Check the path and its permissions, or name another file (--config).",
            Self::Config { .. } | Self::Value { .. } => "Mend or remove this setting.",
            Self::NoServer(_) => "Name one with --server or DOCKER_CONTENT_TRUST_SERVER.",
        }
    }
}

fn shown(path: &Path) -> crate::text::Printable {
    Untrusted::new(path.to_string_lossy()).shown()
}

impl Settings {
    /// Decides every setting: flag, then variable, then file, then default.
    ///
    /// # Errors
    /// [`SettingsError`] when a file that should be read cannot be, or holds something that is not understood.
    pub fn resolve(flags: &Flags, environment: &Environment, read: ReadFile<'_>) -> Result<Self, SettingsError> {
        let places = Places { environment };
        let config = Config::find(flags.config.as_deref(), &places, read)?;
        let docker_dir = places
            .path("DOCKER_CONFIG")
            .or_else(|| places.home().map(|home| Sourced::new(home.join(".docker"), Origin::Default)));
        let trust_dir = places
            .flag(flags.trust_dir.as_deref(), "--trust-dir")
            .or_else(|| config.trust_dir.clone())
            .or_else(|| docker_dir.as_ref().map(|d| Sourced::new(d.value.join("trust"), d.origin.clone())))
            .ok_or(SettingsError::NoHome("the trust directory"))?;
        let state_dir = places
            .flag(flags.state_dir.as_deref(), "--state-dir")
            .or_else(|| config.state_dir.clone())
            .or_else(|| places.absolute("XDG_STATE_HOME").map(|dir| Sourced::new(dir.value.join("claviger"), dir.origin)))
            .or_else(|| places.home().map(|home| Sourced::new(home.join(".local/state/claviger"), Origin::Default)));
        let server = match &flags.server {
            Some(url) => Some(Sourced::new(url.clone(), Origin::Flag("--server"))),
            None => places.text("DOCKER_CONTENT_TRUST_SERVER")?.or_else(|| config.server.clone()),
        };
        let registry = match &flags.registry {
            Some(url) => Some(Sourced::new(url.clone(), Origin::Flag("--registry"))),
            None => places.text("CLAVIGER_REGISTRY")?.or_else(|| config.registry.clone()),
        };
        Ok(Self {
            trust_dir,
            state_dir,
            server,
            registry: registry.map(RegistryAddress::read).transpose()?,
            docker_dir,
            network: network(flags, &places, &config)?,
            read_only: match flags.read_only {
                true => Sourced::new(true, Origin::Flag("--read-only")),
                false => config.read_only.clone().unwrap_or(Sourced::new(false, Origin::Default)),
            },
            color: places.color(config.color.clone()),
            ascii: places.ascii(config.ascii.clone()),
            trust_pinning: config.trust_pinning.clone().unwrap_or_default(),
            lock_after: config.lock_after.clone().unwrap_or(Sourced::new(Duration::from_secs(600), Origin::Default)),
            config: config.path,
        })
    }

    /// The server for a GUN: the one that was set, else by the registry that the name begins with, as docker does
    /// (protocol 11.4).
    ///
    /// # Errors
    /// [`SettingsError::NoServer`] when nothing is set and the name has no registry.
    pub fn server_for(&self, gun: &str) -> Result<Sourced<String>, SettingsError> {
        if let Some(server) = &self.server {
            return Ok(server.clone());
        }
        match registry_of(gun) {
            Some("docker.io" | "index.docker.io") => Ok(Sourced::new("https://notary.docker.io".into(), Origin::Default)),
            Some(host) => Ok(Sourced::new(format!("https://{host}"), Origin::Default)),
            None => Err(SettingsError::NoServer(Untrusted::new(gun))),
        }
    }
}

/// The registry that a repository's name begins with, by docker's rule: a first part with a dot or a colon, or `localhost`.
pub fn registry_of(name: &str) -> Option<&str> {
    name.split_once('/').map(|(first, _)| first).filter(|first| *first == "localhost" || first.contains(['.', ':']))
}

fn network(flags: &Flags, places: &Places<'_>, config: &Config) -> Result<Network, SettingsError> {
    let (cert, key) = (places.flag(flags.tlscert.as_deref(), "--tlscert"), places.flag(flags.tlskey.as_deref(), "--tlskey"));
    let plain_http = match flags.plain_http.as_slice() {
        [] => config.plain_http.clone().unwrap_or_default(),
        hosts => Sourced::new(hosts.to_vec(), Origin::Flag("--plain-http")),
    };
    let time = |from: &Option<Sourced<Duration>>, default| from.clone().unwrap_or(Sourced::new(default, Origin::Default));
    Ok(Network {
        ca: places.flag(flags.tlscacert.as_deref(), "--tlscacert").or_else(|| config.ca.clone()),
        client: match (cert, key) {
            (None, None) => pair(config.cert.clone(), config.key.clone())?,
            given => pair(given.0, given.1)?,
        },
        checks_off: config.checks_off.clone(),
        plain_http,
        trusted_realms: config.trusted_realms.clone().unwrap_or_default(),
        connect: time(&config.connect, Duration::from_secs(10)),
        idle: time(&config.idle, Duration::from_secs(30)),
        whole: time(&config.whole, Duration::from_secs(300)),
        retries: config.retries.clone().unwrap_or(Sourced::new(2, Origin::Default)),
        back_off: time(&config.back_off, Duration::from_millis(200)),
        longest_pause: time(&config.longest_pause, Duration::from_secs(20)),
        parallel: config.parallel.clone().unwrap_or(Sourced::new(8, Origin::Default)),
        proxy: config.proxy.clone().unwrap_or(Sourced::new(true, Origin::Default)),
    })
}

/// A certificate without its key is a mistake, and so is the reverse.
fn pair(cert: Option<Sourced<PathBuf>>, key: Option<Sourced<PathBuf>>) -> Result<Option<Sourced<ClientPair>>, SettingsError> {
    let alone =
        |origin| Err(SettingsError::Value { origin, reason: "a client certificate and its key are given together, or neither" });
    match (cert, key) {
        (None, None) => Ok(None),
        (Some(c), Some(k)) => Ok(Some(Sourced::new(ClientPair { cert: c.value, key: k.value }, c.origin))),
        (Some(one), None) | (None, Some(one)) => alone(one.origin),
    }
}

/// The environment, as far as it says where things are.
struct Places<'e> {
    environment: &'e Environment,
}

impl Places<'_> {
    /// A variable that is set to something.
    fn variable(&self, name: &str) -> Option<&OsString> {
        self.environment.get(name).filter(|v| !v.is_empty())
    }

    fn path(&self, name: &'static str) -> Option<Sourced<PathBuf>> {
        self.variable(name).map(|v| Sourced::new(PathBuf::from(v), Origin::Variable(name)))
    }

    /// As [`Self::path`], but a relative path counts as not set (the XDG specification says so).
    fn absolute(&self, name: &'static str) -> Option<Sourced<PathBuf>> {
        self.path(name).filter(|p| p.value.is_absolute())
    }

    fn text(&self, name: &'static str) -> Result<Option<Sourced<String>>, SettingsError> {
        let wrong = SettingsError::Value { origin: Origin::Variable(name), reason: "the value is not UTF-8" };
        let Some(value) = self.variable(name) else { return Ok(None) };
        Ok(Some(Sourced::new(value.to_str().ok_or(wrong)?.to_owned(), Origin::Variable(name))))
    }

    fn home(&self) -> Option<PathBuf> {
        self.variable("HOME").map(PathBuf::from)
    }

    fn flag(&self, path: Option<&Path>, name: &'static str) -> Option<Sourced<PathBuf>> {
        path.map(|p| Sourced::new(self.expand(p), Origin::Flag(name)))
    }

    /// `~` and `~/…` below the home directory.
    fn expand(&self, path: &Path) -> PathBuf {
        match (path.strip_prefix("~"), self.home()) {
            (Ok(rest), Some(home)) if rest.as_os_str().is_empty() => home,
            (Ok(rest), Some(home)) => home.join(rest),
            _ => path.to_owned(),
        }
    }

    /// `NO_COLOR`, and terminals that have none; a configuration is more particular than either (no-color.org).
    fn color(&self, config: Option<Sourced<bool>>) -> Sourced<bool> {
        let off = |name| Sourced::new(false, Origin::Variable(name));
        config.unwrap_or_else(|| {
            if self.variable("NO_COLOR").is_some() {
                off("NO_COLOR")
            } else if self.variable("TERM").is_some_and(|t| t == "dumb") {
                off("TERM")
            } else {
                Sourced::new(true, Origin::Default)
            }
        })
    }

    /// Whether the locale or the terminal can show no more than ASCII.
    fn ascii(&self, config: Option<Sourced<bool>>) -> Sourced<bool> {
        config.unwrap_or_else(|| {
            if self.variable("TERM").is_some_and(|t| t == "linux" || t == "dumb") {
                return Sourced::new(true, Origin::Variable("TERM"));
            }
            let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|n| Some((n, self.variable(n)?)));
            match locale {
                Some((name, value)) => {
                    let value = value.to_string_lossy().to_ascii_lowercase();
                    Sourced::new(!(value.contains("utf-8") || value.contains("utf8")), Origin::Variable(name))
                }
                None => Sourced::new(true, Origin::Default),
            }
        })
    }
}

#[cfg(test)]
mod tests;
