//! `claviger doctor`: what stands in the way, and a report of it that can be sent to somebody.
use super::{
    args::Options,
    context::Context,
    output::{self, Failure},
};
use crate::{
    doctor::{self, Check},
    finding::Severity,
    procedures::Workplace,
    settings::Settings,
    tui::Examiner,
};
use futures_util::FutureExt as _;
use serde_json::json;
use std::{path::PathBuf, sync::Arc};

/// Looks at everything whenever the workstation is asked to.
pub fn examiner(place: Workplace, settings: Settings) -> Examiner {
    let home = home();
    Arc::new(move || doctor::examine(place.clone(), settings.clone(), home.clone()).boxed())
}

fn home() -> Option<PathBuf> {
    std::env::var_os("HOME").map(PathBuf::from).filter(|h| h.is_absolute())
}

/// Looks at everything, and says it.
pub async fn examine(options: Options, report: bool) -> Result<(), Failure> {
    let as_json = options.json;
    let home = home();
    let checks = match Context::new(options) {
        Ok(context) => doctor::examine(context.workplace(), context.settings, home.clone()).await,
        Err(failure) => {
            let mut all = vec![doctor::unusable_settings(failure.happened(), failure.hint)];
            all.extend(doctor::without_settings().await);
            all
        }
    };
    if as_json {
        let all = checks.iter().map(
            |c| json!({ "area": c.area.as_str(), "severity": c.word(), "text": c.text, "detail": c.detail, "next": c.next }),
        );
        let value =
            json!({ "schema": "claviger/doctor/1", "version": env!("CARGO_PKG_VERSION"), "checks": all.collect::<Vec<_>>() });
        output::say_json(&value)?;
    } else if report {
        output::say(&in_a_report(&checks, home))?;
    } else {
        output::say(&in_words(&checks, true))?;
    }
    let errors = checks.iter().filter(|c| c.severity == Some(Severity::Error)).count();
    match errors {
        0 => Ok(()),
        n => {
            let message = if n == 1 { "one check found an error".to_owned() } else { format!("{n} checks found an error") };
            Err(Failure::new("unwell", message, "nothing was changed", "What mends each stands below it."))
        }
    }
}

/// For people: what is well in short, what is not with what mends it.
fn in_words(checks: &[Check], detailed: bool) -> String {
    let mut text = String::new();
    let mut area = None;
    for check in checks {
        if area != Some(check.area) {
            let gap = if area.is_none() { "" } else { "\n" };
            text.push_str(&format!("{gap}{}\n", check.area.as_str()));
            area = Some(check.area);
        }
        let detail = check.detail.as_ref().filter(|_| detailed).map(|d| format!(" ({d})")).unwrap_or_default();
        text.push_str(&format!("  {:<6} {}{detail}\n", check.word(), check.text));
        if let Some(next) = &check.next {
            text.push_str(&format!("         {next}\n"));
        }
    }
    text
}

/// To be sent: the same, with the home directory as `~`, without machines that no setting names, and which program and system
/// this is.
fn in_a_report(checks: &[Check], home: Option<PathBuf>) -> String {
    let system = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let system = system.lines().find_map(|l| l.strip_prefix("PRETTY_NAME=")).map_or("unknown system", |n| n.trim_matches('"'));
    let uname = rustix::system::uname();
    let kernel = format!("{} {}", uname.sysname().to_string_lossy(), uname.release().to_string_lossy());
    let features = [(cfg!(feature = "network"), "network"), (cfg!(feature = "sandbox"), "sandbox")];
    let features: Vec<&str> = features.into_iter().filter(|(there, _)| *there).map(|(_, name)| name).collect();
    let head = format!(
        "claviger {}, with {}\n{system}, {kernel}, {}\n\n",
        env!("CARGO_PKG_VERSION"),
        if features.is_empty() { "neither network nor sandbox".to_owned() } else { features.join(" and ") },
        std::env::consts::ARCH,
    );
    let text = format!("{head}{}", in_words(checks, false));
    match home.as_ref().and_then(|h| h.to_str()).map(|h| h.trim_end_matches('/')).filter(|h| !h.is_empty()) {
        Some(home) => without_home(&text, home),
        None => text,
    }
}

/// The home directory as `~`, where it is whole and not the beginning of another name.
fn without_home(text: &str, home: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(home) {
        let (before, from) = rest.split_at(at);
        let after = from.get(home.len()..).unwrap_or_default();
        let goes_on = after.chars().next().is_some_and(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'));
        out.push_str(before);
        out.push_str(if goes_on { home } else { "~" });
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_home_directory_itself_becomes_a_tilde() {
        let text = "/home/ana/.docker (x) /home/anatol/t /home/ana is used; /home/ana";
        assert_eq!(without_home(text, "/home/ana"), "~/.docker (x) /home/anatol/t ~ is used; ~");
    }
}
