//! What stands in the way: looks at the trust directory, the journal, the settings and the machine, and says of each what it
//! found, how bad that is, and what mends it. Changes nothing, asks no server and no passphrase.
mod machine;
mod place;
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
    /// How secrets are kept in memory.
    Memory,
    /// Other programs that use the same files.
    Tools,
}

impl Area {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TrustDir => "trust directory",
            Self::Keys => "keys",
            Self::Journal => "journal",
            Self::Settings => "settings",
            Self::Memory => "memory",
            Self::Tools => "tools",
        }
    }
}

impl Check {
    fn good(area: Area, text: impl Into<String>) -> Self {
        Self { area, severity: None, text: printable(text), next: None }
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

    /// `ok`, `info`, `warn` or `error`.
    pub fn word(&self) -> &'static str {
        self.severity.map_or("ok", Severity::as_str)
    }
}

fn printable(text: impl Into<String>) -> String {
    Untrusted::new(text).shown().into()
}

/// Looks at everything. `home` is the home directory, if there is one.
pub fn examine(place: &Workplace, settings: &Settings, home: Option<PathBuf>) -> Vec<Check> {
    let mut all = place::trust_dir(place, settings, home.as_deref());
    all.extend(place::keys(&place.trust_dir));
    all.extend(place::journal(place));
    all.extend(of_settings(settings));
    all.extend(without_settings());
    all
}

/// What can be looked at where the settings cannot be used.
pub fn without_settings() -> Vec<Check> {
    let mut all = machine::memory();
    all.extend(tools::tools());
    all
}

/// That the settings cannot be used.
pub fn unusable_settings(why: String, next: String) -> Check {
    let why = format!("{why} The trust directory, keys and the journal were not looked at.");
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
