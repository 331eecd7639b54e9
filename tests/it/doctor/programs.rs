//! Doctor runs `docker` and `notary` from PATH: whatever they are, they learn nothing and hold nobody up.
use super::{doctor, said};
use crate::robot::driver::wait_gone;
use claviger::secret::VARIABLES;
use std::{fs, os::unix::fs::PermissionsExt, path::Path};

const SECRET: &str = "hunter2-in-the-environment";

/// A folder with programs in the place of `docker` and `notary`, and the PATH that finds them first.
fn with_programs(script: &str) -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    for name in ["docker", "notary"] {
        fs::write(dir.path().join(name), format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(dir.path().join(name), PermissionsExt::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:/usr/bin:/bin", dir.path().display());
    (dir, path)
}

/// The names of the variables in a dump of them.
fn names(dump: &Path) -> Vec<String> {
    let text = fs::read_to_string(dump).unwrap();
    let mut names: Vec<String> = text.split('\0').filter_map(|v| Some(v.split_once('=')?.0.to_owned())).collect();
    // A shell sets these for itself.
    names.retain(|n| !["PWD", "OLDPWD", "SHLVL", "_"].contains(&n.as_str()));
    names.sort();
    names
}

#[test]
fn no_passphrase_reaches_a_program_that_doctor_runs() {
    let (dir, path) = with_programs("env -0 > $0.env; cat > $0.input; echo $* > $0.arguments; echo Docker version 28.2.2");
    let mut command = doctor(dir.path(), &path);
    command.envs(VARIABLES.map(|name| (name, SECRET))).env("DOCKER_AUTH_CONFIG", SECRET);
    let report = said(&command.output().unwrap());
    assert!(report.contains("Docker version 28.2.2") && report.contains("notary: installed"), "{report}");
    assert!(!report.contains(SECRET), "{report}");
    for (name, argument) in [("docker", "--version"), ("notary", "version")] {
        let of = |what: &str| dir.path().join(format!("{name}.{what}"));
        assert_eq!(names(&of("env")), ["HOME", "PATH"], "{name}");
        assert!(!fs::read_to_string(of("env")).unwrap().contains(SECRET), "{name}");
        assert_eq!(fs::read_to_string(of("input")).unwrap(), "", "{name}");
        assert_eq!(fs::read_to_string(of("arguments")).unwrap().trim(), argument, "{name}");
    }
}

#[test]
fn a_program_that_never_ends_does_not_hold_doctor_up_and_ends_with_it() {
    // One that says nothing, one that never stops saying something, and one that leaves others behind that hold its output.
    for script in ["echo $$ > $0.pid; exec sleep 3600", "echo $$ > $0.pid; exec yes", "sleep 3600 & echo $! > $0.pid; exit 0"] {
        let (dir, path) = with_programs(script);
        let report = said(&doctor(dir.path(), &path).output().unwrap());
        assert!(
            report.contains("docker: installed, and did not say") || report.contains("not known whether"),
            "{script}: {report}"
        );
        for name in ["docker.pid", "notary.pid"] {
            let pid = fs::read_to_string(dir.path().join(name)).unwrap();
            wait_gone(pid.trim().parse().unwrap());
        }
    }
}

#[test]
fn what_a_program_says_of_itself_does_not_attack_the_terminal() {
    let (dir, path) = with_programs(r"printf 'Docker version 29.0\033[2J\033]0;x\007\n'");
    for more in [&[][..], &["--json"], &["--report"]] {
        let report = said(&doctor(dir.path(), &path).args(more).output().unwrap());
        assert!(report.contains("Docker version 29.0<1b>[2J"), "{report}");
    }
}
