//! The tools that use the same files, and what the environment tells them.
use super::{Area, Check};
use crate::{
    os::child::{self, Ran},
    secret::VARIABLES,
};
use std::{process::Command, time::Duration};

/// From this version on docker verifies nothing, whatever is set.
const VERIFIES_NOTHING: u32 = 29;
/// From this version on the builder that ignores content trust is the usual one.
const BUILDS_UNVERIFIED: u32 = 23;
/// How long a tool may take to say its version.
const PATIENCE: Duration = Duration::from_secs(3);
/// More than any version has.
const LONGEST: usize = 256;

/// What came of asking a tool.
#[derive(Debug, PartialEq, Eq)]
enum Tool {
    /// There is none.
    NotThere,
    /// It did not say anything in time.
    Silent,
    /// It said this.
    Says(String),
}

/// Which there are, and what they will do.
pub fn tools() -> Vec<Check> {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    let asked = std::env::var("DOCKER_CONTENT_TRUST").unwrap_or_default();
    let mut all = vec![docker(&ask("docker", "--version"), &asked)];
    // Packages of it print no version.
    all.push(match ask("notary", "version") {
        Tool::Says(_) => {
            Check::good(Area::Tools, "notary: installed; it moves keys of old layouts, with losses, when it first opens them")
        }
        Tool::Silent => silent("notary"),
        Tool::NotThere => Check::good(Area::Tools, "notary: not installed, and not needed"),
    });
    let set: Vec<&str> = VARIABLES.into_iter().filter(|name| is_set(name)).collect();
    if !set.is_empty() {
        let text = format!("{} in the environment: every program started from here can read it", set.join(", "));
        all.push(Check::warn(Area::Tools, text, "Unset it, and use --passphrase-file or type the passphrase."));
    }
    all
}

fn silent(tool: &str) -> Check {
    Check::info(Area::Tools, format!("{tool}: installed, and did not say its version within {} s", PATIENCE.as_secs()))
}

/// What docker will verify.
fn docker(tool: &Tool, asked: &str) -> Check {
    let version = match tool {
        Tool::Says(version) => version,
        Tool::Silent => return silent("docker"),
        Tool::NotThere => return Check::good(Area::Tools, "docker: not installed, and not needed"),
    };
    // Docker takes everything that says no for no, and everything else for yes.
    let wanted = !["", "0", "f", "F", "false", "False", "FALSE"].contains(&asked);
    let build = |n| if n >= BUILDS_UNVERIFIED { " (build only with DOCKER_BUILDKIT=0)" } else { " and build" };
    match (major(version), wanted) {
        (Some(n), true) if n >= VERIFIES_NOTHING => Check::warn(
            Area::Tools,
            format!(
                "{version}: DOCKER_CONTENT_TRUST is set, but this version ignores it: pull, create, run and build verify nothing, and push signs nothing"
            ),
            "Verify with `claviger repo verify GUN` and `claviger tags GUN`, and pull by the digest that they print.",
        ),
        (Some(n), false) if n >= VERIFIES_NOTHING => {
            Check::info(Area::Tools, format!("{version}: this version verifies nothing on pull, create, run and build"))
        }
        (Some(n), true) => Check::good(
            Area::Tools,
            format!("{version}: DOCKER_CONTENT_TRUST is set; verifies on pull, create, run{}, signs on push", build(n)),
        ),
        (Some(_), false) => {
            Check::info(Area::Tools, format!("{version}: verifies nothing, because DOCKER_CONTENT_TRUST is not set"))
        }
        (None, _) => Check::info(Area::Tools, format!("{version}: it is not known whether this version verifies anything")),
    }
}

/// The number before the first point.
fn major(version: &str) -> Option<u32> {
    version.split_whitespace().find_map(|word| word.split_once('.')?.0.parse().ok())
}

/// What a tool prints, in one line. It gets no variable but those that it needs to be found and to run.
fn ask(tool: &str, argument: &str) -> Tool {
    let mut command = Command::new(tool);
    command.arg(argument).env_clear();
    for name in ["PATH", "HOME"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    let text = match child::run(command, b"", PATIENCE, LONGEST) {
        Ran::NotThere | Ran::Failed(_) => return Tool::NotThere,
        Ran::Slow => return Tool::Silent,
        Ran::Done(_, text) | Ran::TooMuch(text) => text,
    };
    let text = String::from_utf8_lossy(&text);
    let line: Vec<&str> = text.split_whitespace().collect();
    if line.is_empty() { Tool::Silent } else { Tool::Says(line.join(" ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Severity;

    #[test]
    fn whether_docker_verifies_is_said_by_its_version_and_what_is_asked_of_it() {
        for (version, asked, severity, says) in [
            ("Docker version 20.10.24+dfsg1, build 297e128", "1", None, "verifies on pull, create, run and build, signs on push"),
            ("Docker version 28.2.2, build e6534b4", "", Some(Severity::Info), "verifies nothing, because"),
            ("Docker version 28.2.2, build e6534b4", "False", Some(Severity::Info), "verifies nothing, because"),
            ("Docker version 28.2.2, build e6534b4", "yes", None, "run (build only with DOCKER_BUILDKIT=0), signs"),
            ("Docker version 29.0.1, build x", "true", Some(Severity::Warn), "ignores it"),
            ("Docker version 29.0.1, build x", "0", Some(Severity::Info), "verifies nothing on pull"),
            ("podman", "1", Some(Severity::Info), "not known"),
        ] {
            let check = docker(&Tool::Says(version.to_owned()), asked);
            assert!(check.severity == severity && check.text.contains(says), "{version} {asked:?}: {check:?}");
        }
        assert_eq!(docker(&Tool::NotThere, "1").severity, None);
        assert!(docker(&Tool::Silent, "1").text.contains("did not say"));
    }

    #[test]
    fn a_tool_that_is_not_there_or_hangs_says_nothing() {
        assert_eq!(ask("no-tool-is-called-so", "--version"), Tool::NotThere);
        assert_eq!(ask("cat", "/dev/full/not/there"), Tool::Silent);
        assert_eq!(ask("echo", "Docker version 28.2.2"), Tool::Says("Docker version 28.2.2".to_owned()));
        // Nor does one that has no end, or leaves another behind that holds what it writes to.
        let script = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(script.path(), "echo said; sleep 600 & exit 0").unwrap();
        assert_eq!(ask("sh", script.path().to_str().unwrap()), Tool::Silent);
        assert!(matches!(ask("yes", "no end"), Tool::Says(text) if text.starts_with("no end") && text.len() < 300));
        assert_eq!(ask("sleep", "600"), Tool::Silent);
    }
}
