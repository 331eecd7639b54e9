//! The tools that use the same files, and what the environment tells them.
use super::{Area, Check};
use crate::secret::VARIABLES;
use std::{
    io::Read as _,
    os::unix::process::CommandExt as _,
    process::{Command, Stdio},
    time::Duration,
};

/// From this version on docker verifies nothing, whatever is set.
const VERIFIES_NOTHING: u32 = 29;
/// From this version on the builder that ignores content trust is the usual one.
const BUILDS_UNVERIFIED: u32 = 23;
/// How long a tool may take to say its version.
const PATIENCE: Duration = Duration::from_secs(3);
/// More than any version has.
const LONGEST: u64 = 4096;

/// Which there are, and what they will do.
pub fn tools() -> Vec<Check> {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
    let asked = std::env::var("DOCKER_CONTENT_TRUST").unwrap_or_default();
    let mut all = vec![docker(says("docker", "--version").as_deref(), &asked)];
    // Packages of it print no version.
    all.push(Check::good(
        Area::Tools,
        match says("notary", "version") {
            Some(_) => "notary: installed; it moves keys of old layouts, with losses, when it first opens them",
            None => "notary: not installed, and not needed",
        },
    ));
    let set: Vec<&str> = VARIABLES.into_iter().filter(|name| is_set(name)).collect();
    if !set.is_empty() {
        let text = format!("{} in the environment: every program started from here can read it", set.join(", "));
        all.push(Check::warn(Area::Tools, text, "Unset it, and use --passphrase-file or type the passphrase."));
    }
    all
}

/// What docker will verify.
fn docker(version: Option<&str>, asked: &str) -> Check {
    let Some(version) = version else { return Check::good(Area::Tools, "docker: not installed, and not needed") };
    // Docker takes everything that says no for no, and everything else for yes.
    let wanted = !["", "0", "f", "F", "false", "False", "FALSE"].contains(&asked);
    let build = |n| if n >= BUILDS_UNVERIFIED { "; build only with DOCKER_BUILDKIT=0" } else { " and build" };
    match (major(version), wanted) {
        (Some(n), true) if n >= VERIFIES_NOTHING => Check::warn(
            Area::Tools,
            format!("{version}: DOCKER_CONTENT_TRUST is set, but this version ignores it: pull, run and build verify nothing"),
            "Verify with `claviger repo verify GUN` and `claviger tags GUN`, and pull by the digest that they print.",
        ),
        (Some(n), false) if n >= VERIFIES_NOTHING => {
            Check::info(Area::Tools, format!("{version}: this version verifies nothing on pull, run and build"))
        }
        (Some(n), true) => {
            Check::good(Area::Tools, format!("{version}: DOCKER_CONTENT_TRUST is set; verifies on pull, run{}", build(n)))
        }
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

/// What a tool prints, in one line; nothing if there is no such tool, or it says nothing in time. It gets no variable but
/// those that it needs to be found and to run.
fn says(tool: &str, argument: &str) -> Option<String> {
    let mut command = Command::new(tool);
    command.arg(argument).env_clear().stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    for name in ["PATH", "HOME"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    // A group of its own, so that what it has started ends with it.
    let mut child = command.process_group(0).spawn().ok()?;
    let (stdout, group) = (child.stdout.take()?, rustix::process::Pid::from_child(&child));
    let (send, receive) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = stdout.take(LONGEST).read_to_end(&mut text);
        // Whoever waited may have given up.
        let _ = send.send(text);
    });
    let text = receive.recv_timeout(PATIENCE);
    // What has ended already is not there to be killed.
    let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    let _ = child.wait();
    let text = text.ok()?;
    let text = String::from_utf8_lossy(&text);
    let line: Vec<&str> = text.split_whitespace().collect();
    (!line.is_empty()).then(|| line.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Severity;

    #[test]
    fn whether_docker_verifies_is_said_by_its_version_and_what_is_asked_of_it() {
        for (version, asked, severity, says) in [
            ("Docker version 20.10.24+dfsg1, build 297e128", "1", None, "verifies on pull, run and build"),
            ("Docker version 28.2.2, build e6534b4", "", Some(Severity::Info), "verifies nothing, because"),
            ("Docker version 28.2.2, build e6534b4", "False", Some(Severity::Info), "verifies nothing, because"),
            ("Docker version 28.2.2, build e6534b4", "yes", None, "build only with DOCKER_BUILDKIT=0"),
            ("Docker version 29.0.1, build x", "true", Some(Severity::Warn), "ignores it"),
            ("Docker version 29.0.1, build x", "0", Some(Severity::Info), "verifies nothing on pull"),
            ("podman", "1", Some(Severity::Info), "not known"),
        ] {
            let check = docker(Some(version), asked);
            assert!(check.severity == severity && check.text.contains(says), "{version} {asked:?}: {check:?}");
        }
        assert_eq!(docker(None, "1").severity, None);
    }

    #[test]
    fn a_tool_that_is_not_there_or_hangs_says_nothing() {
        assert_eq!(says("no-tool-is-called-so", "--version"), None);
        assert_eq!(says("cat", "/dev/full/not/there"), None);
        assert_eq!(says("echo", "Docker version 28.2.2").as_deref(), Some("Docker version 28.2.2"));
        // Nor does one that has no end, or leaves another behind that holds what it writes to.
        let script = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(script.path(), "echo said; sleep 600 & exit 0").unwrap();
        assert_eq!(says("sh", script.path().to_str().unwrap()), None);
        assert!(says("yes", "no end").is_some_and(|text| text.starts_with("no end")));
        assert_eq!(says("sleep", "600"), None);
    }
}
