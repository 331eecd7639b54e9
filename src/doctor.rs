//! What stands in the way: looks at the trust directory, the journal, the settings, the server and the machine, and says of
//! each what it found, how bad that is, and what mends it. Changes nothing, asks for no passphrase, and shows nobody who it is.
mod machine;
mod place;
mod readers;
#[cfg(feature = "network")]
mod server;
mod tools;

use crate::{
    finding::Severity,
    procedures::Workplace,
    settings::{Settings, Sourced},
    text::Untrusted,
};
use std::{fmt::Display, path::PathBuf};

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What it is about.
    pub area: Area,
    /// How bad it is; nothing if all is well.
    pub severity: Option<Severity>,
    /// What was found, as a sentence.
    pub text: String,
    /// More of it, which may name machines that no setting names: not for a report.
    pub detail: Option<String>,
    /// What mends it, as a sentence.
    pub next: Option<String>,
}

/// What checks are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Area {
    /// Where keys and the cache are.
    TrustDir,
    /// Private keys.
    Keys,
    /// What was done.
    Journal,
    /// What was set, and where.
    Settings,
    /// The way to the server.
    Server,
    /// How secrets are kept in memory.
    Memory,
    /// Other programs that use the same files.
    Tools,
    /// What hardware tokens are reached through.
    Readers,
}

impl Area {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TrustDir => "trust directory",
            Self::Keys => "keys",
            Self::Journal => "journal",
            Self::Settings => "settings",
            Self::Server => "server",
            Self::Memory => "memory",
            Self::Tools => "tools",
            Self::Readers => "readers",
        }
    }
}

impl Check {
    fn good(area: Area, text: impl Into<String>) -> Self {
        Self { area, severity: None, text: printable(text), detail: None, next: None }
    }

    fn info(area: Area, text: impl Into<String>) -> Self {
        Self { severity: Some(Severity::Info), ..Self::good(area, text) }
    }

    fn warn(area: Area, text: impl Into<String>, next: impl Into<String>) -> Self {
        Self { severity: Some(Severity::Warn), next: Some(printable(next)), ..Self::good(area, text) }
    }

    fn error(area: Area, text: impl Into<String>, next: impl Into<String>) -> Self {
        Self { severity: Some(Severity::Error), ..Self::warn(area, text, next) }
    }

    /// The same with more to it; nothing if that is empty.
    #[cfg(feature = "network")]
    fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(printable(detail)).filter(|d| !d.is_empty()), ..self }
    }

    /// `ok`, `info`, `warn` or `error`.
    pub fn word(&self) -> &'static str {
        self.severity.map_or("ok", Severity::as_str)
    }
}

fn printable(text: impl Into<String>) -> String {
    Untrusted::new(text).shown().into()
}

/// Looks at everything. `home` is the home directory, if there is one.
pub async fn examine(place: Workplace, settings: Settings, home: Option<PathBuf>) -> Vec<Check> {
    let of_files = {
        let settings = settings.clone();
        aside(move || files(&place, &settings, home))
    };
    let (mut all, server, machine) = tokio::join!(of_files, server(&settings), without_settings());
    all.extend(server);
    all.extend(machine);
    all
}

/// What can be looked at where the settings cannot be used.
pub async fn without_settings() -> Vec<Check> {
    aside(|| {
        let mut all = machine::memory();
        all.extend(tools::tools());
        all.extend(readers::readers());
        all
    })
    .await
}

/// Looks at files beside the tasks that listen.
async fn aside(look: impl FnOnce() -> Vec<Check> + Send + 'static) -> Vec<Check> {
    match tokio::task::spawn_blocking(look).await {
        Ok(checks) => checks,
        Err(e) => match e.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The program is ending.
            Err(_) => Vec::new(),
        },
    }
}

fn files(place: &Workplace, settings: &Settings, home: Option<PathBuf>) -> Vec<Check> {
    let mut all = place::trust_dir(place, settings, home.as_deref());
    all.extend(place::keys(&place.trust_dir));
    all.extend(place::journal(place));
    all.extend(of_settings(settings));
    all
}

#[cfg(feature = "network")]
async fn server(settings: &Settings) -> Vec<Check> {
    server::server(settings).await
}

#[cfg(not(feature = "network"))]
async fn server(_: &Settings) -> Vec<Check> {
    vec![Check::good(Area::Server, "not looked at: this build of claviger contains no network code")]
}

/// That the settings cannot be used.
pub fn unusable_settings(why: String, next: String) -> Check {
    let why = format!("{why} The trust directory, keys, the journal and the server were not looked at.");
    Check::error(Area::Settings, why, next)
}

/// Every setting that somebody has made, and those that matter without.
fn of_settings(s: &Settings) -> Vec<Check> {
    let say =
        |name: &str, value: &dyn Display, from: &dyn Display| Check::good(Area::Settings, format!("{name}: {value} ({from})"));
    let path = |p: &PathBuf| Untrusted::new(p.to_string_lossy()).shown();
    let mut all = Vec::new();
    match &s.config {
        Some(file) => all.push(say("configuration file", &path(&file.value), &file.origin)),
        None => all.push(Check::good(Area::Settings, "configuration file: none, and none is needed")),
    }
    match &s.server {
        Some(server) => all.push(say("server", &without_account(&server.value), &server.origin)),
        None => all.push(Check::good(Area::Settings, "server: the one of each repository's registry (default)")),
    }
    if let Some(origin) = &s.network.checks_off {
        let text = format!("{origin} asks for connections without TLS checks, so no server is asked");
        all.push(Check::error(Area::Settings, text, "Remove it; name the authority of a private server with --tlscacert."));
    }
    all.extend(s.network.ca.iter().map(|ca| say("certificate authority", &path(&ca.value), &ca.origin)));
    all.extend(s.network.client.iter().map(|c| say("client certificate", &path(&c.value.cert), &c.origin)));
    if !s.network.plain_http.value.is_empty() {
        all.push(say("hosts asked without TLS", &s.network.plain_http.value.join(", "), &s.network.plain_http.origin));
    }
    let pins = &s.trust_pinning;
    let count = pins.value.certs.len() + pins.value.ca.len();
    let first = if pins.value.disable_tofu { "refused" } else { "trusted on first use" };
    all.push(say("roots", &format!("{count} pinned, others {first}"), &pins.origin));
    let mut set = |name, s: &Sourced<bool>| all.push(say(name, if s.value { &"yes" } else { &"no" }, &s.origin));
    set("read only", &s.read_only);
    set("colours", &s.color);
    set("ASCII only", &s.ascii);
    let lock = match s.lock_after.value.as_secs() {
        0 => "never".to_owned(),
        n => format!("{n} s"),
    };
    all.push(say("locked when idle for", &lock, &s.lock_after.origin));
    all
}

/// An address without the account that somebody has put into it, however it is written, and without what follows the path.
fn without_account(address: &str) -> String {
    let (scheme, rest) = match address.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('@') => (format!("{scheme}://"), rest),
        _ => (String::new(), address),
    };
    let rest = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    format!("{scheme}{rest}")
}

#[cfg(test)]
mod tests;
