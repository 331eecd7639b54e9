//! The configuration file: our TOML, or notary's JSON.
use super::{Origin, Places, ReadFile, SettingsError, Sourced, TrustPinning};
use crate::text::Untrusted;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

/// Most bytes of a configuration file.
pub(super) const CONFIG_FILE: u64 = 1 << 20;

/// Longest time that can be set.
const LONGEST: f64 = 86_400.0;

/// What the file in force says, whichever of the two it is.
#[derive(Debug, Default)]
pub(super) struct Config {
    pub path: Option<Sourced<PathBuf>>,
    pub trust_dir: Option<Sourced<PathBuf>>,
    pub state_dir: Option<Sourced<PathBuf>>,
    pub server: Option<Sourced<String>>,
    pub registry: Option<Sourced<String>>,
    pub ca: Option<Sourced<PathBuf>>,
    pub cert: Option<Sourced<PathBuf>>,
    pub key: Option<Sourced<PathBuf>>,
    pub checks_off: Option<Origin>,
    pub plain_http: Option<Sourced<Vec<String>>>,
    pub trusted_realms: Option<Sourced<Vec<String>>>,
    pub connect: Option<Sourced<Duration>>,
    pub idle: Option<Sourced<Duration>>,
    pub whole: Option<Sourced<Duration>>,
    pub retries: Option<Sourced<u32>>,
    pub back_off: Option<Sourced<Duration>>,
    pub longest_pause: Option<Sourced<Duration>>,
    pub parallel: Option<Sourced<u32>>,
    pub proxy: Option<Sourced<bool>>,
    pub trust_pinning: Option<Sourced<TrustPinning>>,
    pub read_only: Option<Sourced<bool>>,
    pub color: Option<Sourced<bool>>,
    pub ascii: Option<Sourced<bool>>,
    pub lock_after: Option<Sourced<Duration>>,
}

impl Config {
    /// Reads the file that `named` names, or the first that is found where one may be.
    pub(super) fn find(named: Option<&Path>, places: &Places<'_>, read: ReadFile<'_>) -> Result<Self, SettingsError> {
        let try_read = |path: &Path| read(path).map_err(|reason| SettingsError::Unreadable { path: path.to_owned(), reason });
        if let Some(path) = named {
            let path = places.expand(path);
            let bytes = try_read(&path)?.ok_or_else(|| SettingsError::NoConfig(path.clone()))?;
            return Self::read(Sourced::new(path, Origin::Flag("--config")), &bytes, places);
        }
        let ours = match places.absolute("XDG_CONFIG_HOME") {
            Some(dir) => Some(dir),
            None => places.home().map(|h| Sourced::new(h.join(".config"), Origin::Default)),
        }
        .map(|dir| Sourced::new(dir.value.join("claviger/config.toml"), dir.origin));
        let notarys = places.home().map(|h| Sourced::new(h.join(".notary/config.json"), Origin::Default));
        for path in [ours, notarys].into_iter().flatten() {
            if let Some(bytes) = try_read(&path.value)? {
                return Self::read(path, &bytes, places);
            }
        }
        Ok(Self::default())
    }

    /// TOML cannot begin with a brace and JSON must, so the content says which it is.
    fn read(path: Sourced<PathBuf>, bytes: &[u8], places: &Places<'_>) -> Result<Self, SettingsError> {
        let wrong = |reason: String| SettingsError::Config { path: path.value.clone(), reason: Untrusted::new(reason) };
        if bytes.len() as u64 > CONFIG_FILE {
            return Err(wrong(format!("it is longer than {CONFIG_FILE} bytes")));
        }
        let text = std::str::from_utf8(bytes).map_err(|e| wrong(e.to_string()))?;
        let at = At { path: &path.value, places };
        let mut config = if text.trim_start().starts_with('{') {
            notary(&serde_json::from_str(text).map_err(|e| wrong(e.to_string()))?, &at)
        } else {
            let read: Ours = toml::from_str(text).map_err(|e| wrong(in_one_line(&e, text)))?;
            ours(read, &at)?
        };
        config.path = Some(path);
        Ok(config)
    }
}

/// What is wrong and in which line, without the picture that the TOML reader draws.
fn in_one_line(error: &toml::de::Error, text: &str) -> String {
    let line = error.span().and_then(|s| text.get(..s.start)).map(|before| before.matches('\n').count() + 1);
    let message = error.message().split('\n').collect::<Vec<_>>().join(", ");
    line.map_or(message.clone(), |n| format!("line {n}: {message}"))
}

/// Where values come from, and what their paths are relative to.
struct At<'a> {
    path: &'a Path,
    places: &'a Places<'a>,
}

impl At<'_> {
    fn origin(&self, key: &'static str) -> Origin {
        Origin::File { path: self.path.to_owned(), key }
    }

    fn value<T>(&self, key: &'static str, value: Option<T>) -> Option<Sourced<T>> {
        value.map(|v| Sourced::new(v, self.origin(key)))
    }

    /// Empty means not set, as in notary's configuration.
    fn text(&self, key: &'static str, value: Option<&str>) -> Option<Sourced<String>> {
        self.value(key, value.filter(|s| !s.is_empty()).map(str::to_owned))
    }

    fn file(&self, key: &'static str, value: Option<&str>) -> Option<Sourced<PathBuf>> {
        self.value(key, value.filter(|s| !s.is_empty()).map(|p| self.resolve(p)))
    }

    fn resolve(&self, path: &str) -> PathBuf {
        let expanded = self.places.expand(Path::new(path));
        match self.path.parent() {
            Some(dir) => dir.join(expanded),
            None => expanded,
        }
    }

    fn time(&self, key: &'static str, seconds: Option<f64>) -> Result<Option<Sourced<Duration>>, SettingsError> {
        match seconds {
            None => Ok(None),
            Some(s) if s > 0.0 && s <= LONGEST => Ok(self.value(key, Some(Duration::from_secs_f64(s)))),
            Some(_) => Err(self.wrong(key, "a time is more than 0 and at most 86400 seconds")),
        }
    }

    fn wrong(&self, key: &'static str, reason: &'static str) -> SettingsError {
        SettingsError::Value { origin: self.origin(key), reason }
    }
}

/// Our TOML. A key that we do not know is a mistake that should not go unnoticed.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Ours {
    trust_dir: Option<String>,
    state_dir: Option<String>,
    server: Option<String>,
    registry: Option<String>,
    plain_http: Option<Vec<String>>,
    trusted_realms: Option<Vec<String>>,
    read_only: Option<bool>,
    lock_after: Option<f64>,
    tls: Tls,
    network: NetworkTable,
    trust_pinning: Option<Pinning>,
    screen: Screen,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Tls {
    ca: Option<String>,
    cert: Option<String>,
    key: Option<String>,
}

/// Times in seconds.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct NetworkTable {
    connect_timeout: Option<f64>,
    idle_timeout: Option<f64>,
    request_timeout: Option<f64>,
    retries: Option<u32>,
    back_off: Option<f64>,
    longest_pause: Option<f64>,
    parallel: Option<u32>,
    proxy: Option<ProxyWord>,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum ProxyWord {
    System,
    None,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Pinning {
    certs: BTreeMap<String, Vec<String>>,
    ca: BTreeMap<String, String>,
    disable_tofu: bool,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Screen {
    color: Option<bool>,
    ascii: Option<bool>,
}

fn ours(read: Ours, at: &At<'_>) -> Result<Config, SettingsError> {
    let net = &read.network;
    if net.retries.is_some_and(|n| n > 10) {
        return Err(at.wrong("network.retries", "at most 10"));
    }
    if net.parallel.is_some_and(|n| n == 0 || n > 64) {
        return Err(at.wrong("network.parallel", "1 to 64"));
    }
    Ok(Config {
        path: None,
        checks_off: None,
        trust_dir: at.file("trust_dir", read.trust_dir.as_deref()),
        state_dir: at.file("state_dir", read.state_dir.as_deref()),
        server: at.text("server", read.server.as_deref()),
        registry: at.text("registry", read.registry.as_deref()),
        plain_http: at.value("plain_http", read.plain_http),
        trusted_realms: at.value("trusted_realms", read.trusted_realms),
        read_only: at.value("read_only", read.read_only),
        ca: at.file("tls.ca", read.tls.ca.as_deref()),
        cert: at.file("tls.cert", read.tls.cert.as_deref()),
        key: at.file("tls.key", read.tls.key.as_deref()),
        connect: at.time("network.connect_timeout", net.connect_timeout)?,
        idle: at.time("network.idle_timeout", net.idle_timeout)?,
        whole: at.time("network.request_timeout", net.request_timeout)?,
        retries: at.value("network.retries", net.retries),
        back_off: at.time("network.back_off", net.back_off)?,
        longest_pause: at.time("network.longest_pause", net.longest_pause)?,
        parallel: at.value("network.parallel", net.parallel),
        proxy: at.value("network.proxy", net.proxy.map(|p| p == ProxyWord::System)),
        trust_pinning: at.value("trust_pinning", read.trust_pinning.map(|p| pinning(p.certs, p.ca, p.disable_tofu, at))),
        color: at.value("screen.color", read.screen.color),
        ascii: at.value("screen.ascii", read.screen.ascii),
        lock_after: at.time("lock_after", read.lock_after)?,
    })
}

/// Notary's JSON, as far as it concerns us (protocol 8.1, 11.3); it has keys that only notary needs.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Notary {
    trust_dir: Option<String>,
    remote_server: RemoteServer,
    trust_pinning: Option<NotaryPinning>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct RemoteServer {
    url: Option<String>,
    root_ca: Option<String>,
    tls_client_cert: Option<String>,
    tls_client_key: Option<String>,
    #[serde(rename = "skipTLSVerify")]
    skip_tls_verify: serde_json::Value,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct NotaryPinning {
    certs: BTreeMap<String, Vec<String>>,
    ca: BTreeMap<String, String>,
    disable_tofu: bool,
}

fn notary(read: &Notary, at: &At<'_>) -> Config {
    let remote = &read.remote_server;
    // Notary takes "true", "1" and 1 for true; here everything counts as true that is not plainly false.
    let checks_off = match &remote.skip_tls_verify {
        serde_json::Value::Null | serde_json::Value::Bool(false) => false,
        serde_json::Value::String(s) => !matches!(s.to_ascii_lowercase().as_str(), "" | "false" | "f" | "0"),
        serde_json::Value::Number(n) => n.as_i64() != Some(0),
        _ => true,
    };
    let pins = |p: &NotaryPinning| pinning(p.certs.clone(), p.ca.clone(), p.disable_tofu, at);
    Config {
        trust_dir: at.file("trust_dir", read.trust_dir.as_deref()),
        server: at.text("remote_server.url", remote.url.as_deref()),
        ca: at.file("remote_server.root_ca", remote.root_ca.as_deref()),
        cert: at.file("remote_server.tls_client_cert", remote.tls_client_cert.as_deref()),
        key: at.file("remote_server.tls_client_key", remote.tls_client_key.as_deref()),
        checks_off: checks_off.then(|| at.origin("remote_server.skipTLSVerify")),
        trust_pinning: at.value("trust_pinning", read.trust_pinning.as_ref().map(pins)),
        ..Config::default()
    }
}

fn pinning(certs: BTreeMap<String, Vec<String>>, ca: BTreeMap<String, String>, disable_tofu: bool, at: &At<'_>) -> TrustPinning {
    TrustPinning { certs, ca: ca.into_iter().map(|(gun, path)| (gun, at.resolve(&path))).collect(), disable_tofu }
}
