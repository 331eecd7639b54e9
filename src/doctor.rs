//! What stands in the way: looks at the trust directory, the journal, the settings, the server and the machine, and says of
//! each what it found, how bad that is, and what mends it. Changes nothing, asks for no passphrase, and shows nobody who it is.
#[cfg(feature = "network")]
mod client;
#[cfg(feature = "network")]
mod logins;
mod machine;
mod place;
#[cfg(feature = "network")]
mod proxy;
mod readers;
#[cfg(feature = "network")]
mod server;
mod set;
mod tools;

use crate::{finding::Severity, procedures::Workplace, settings::Settings, text::Untrusted};
use std::path::PathBuf;

/// A repository of docker's own registry, whose server is the one that docker asks if nothing is set.
#[cfg(feature = "network")]
const OF_DOCKER: &str = "docker.io/library/alpine";
/// When a certificate has less time left than this, somebody should know.
#[cfg(feature = "network")]
const CERTIFICATE_NEAR: i64 = 14 * 24 * 60 * 60;

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
    /// The way to the registry.
    Registry,
    /// Who we are to them.
    Logins,
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
            Self::Registry => "registry",
            Self::Logins => "logins",
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

/// What can be looked at in a sandbox, which opens nothing of the user's and runs nobody.
pub async fn in_sandbox() -> Vec<Check> {
    let here = "a sandbox: its server and its registry are in this process, and nothing of yours is opened";
    let mut all = vec![Check::good(Area::Server, here)];
    all.extend(aside(machine::memory).await);
    all
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
    all.extend(set::settings(settings));
    all
}

#[cfg(feature = "network")]
async fn server(settings: &Settings) -> Vec<Check> {
    let of_logins = {
        let settings = settings.clone();
        aside(move || logins::logins(&settings))
    };
    let (mut all, registry, logins) = tokio::join!(server::server(settings), server::registry(settings), of_logins);
    all.extend(registry);
    all.extend(logins);
    all
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
