//! Who we would be to the server, and where that is written. Nothing is sent, no program is run and nobody is asked.
use super::{Area, Check};
use crate::{
    net::{HttpSettings, LoginError, login::Source},
    settings::Settings,
    text::Untrusted,
};

/// Looks for the login of the server in force.
pub fn logins(settings: &Settings) -> Vec<Check> {
    let Ok(server) = settings.server_for(super::OF_DOCKER) else { return Vec::new() };
    let is_set = settings.server.is_some();
    // An address that cannot be used is said where the server is looked at.
    let Ok(http) = HttpSettings::from_settings(settings, server.value) else { return Vec::new() };
    let registry = match is_set {
        true => http.itself(),
        false => Some("docker.io".to_owned()),
    };
    let (Some(registry), Some(logins)) = (registry, &http.logins) else { return Vec::new() };
    let shown = Untrusted::new(registry.as_str()).shown();
    let mut all = match logins.source(&registry) {
        Ok(source) => of_source(&shown.to_string(), source),
        Err(e) => vec![broken(&e)],
    };
    if std::env::var_os("NOTARY_AUTH").is_some_and(|v| !v.is_empty()) {
        all.push(match is_set {
            true => Check::good(Area::Logins, "NOTARY_AUTH is set: it is for the server that is set, where docker has no login"),
            false => Check::warn(
                Area::Logins,
                "NOTARY_AUTH is set, and is not used: it belongs to no registry, and no server is set",
                "Name the server that it is for with --server or DOCKER_CONTENT_TRUST_SERVER, or unset it.",
            ),
        });
    }
    all
}

fn broken(e: &LoginError) -> Check {
    Check::error(Area::Logins, e.to_string(), e.remedy())
}

fn of_source(registry: &str, source: Source) -> Vec<Check> {
    match source {
        Source::Nowhere => vec![Check::good(
            Area::Logins,
            format!("no login for {registry} is written anywhere: it is asked as nobody, and then whoever is at the terminal"),
        )],
        Source::Account { user, origin, identity } => {
            let what = if identity { "an identity token" } else { "a login" };
            let found = Check::good(Area::Logins, format!("{what} for {registry}, from {origin}"));
            // A person's name is nothing for a report.
            vec![if user.raw().is_empty() { found } else { found.detail(format!("as {}", user.raw())) }]
        }
        Source::Helper { name, origin } => {
            let program = format!("docker-credential-{}", name.shown());
            let asked = format!("the login for {registry} is asked of the credential helper {program}, which {origin} names");
            vec![match in_path(name.raw()) {
                true => Check::good(Area::Logins, format!("{asked}; it was not asked now")),
                false => Check::error(
                    Area::Logins,
                    format!("{asked}, and it is not installed (not found in PATH)"),
                    "Install it, or remove it from credHelpers and credsStore in docker's config.json and log in again.",
                ),
            }]
        }
    }
}

fn in_path(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let program = format!("docker-credential-{name}");
    !name.contains('/') && std::env::split_paths(&path).any(|folder| folder.join(&program).is_file())
}
