//! A robot sits before the real binary in a pseudo-terminal.
mod changes;
mod child;
pub mod driver;
mod ends;
mod files;
mod login;
mod memory;
mod places;
mod plain;
mod plain_store;
mod resume;
mod sandbox;
mod scan;
mod staged;
mod tour;
mod wizard;

use driver::{Robot, Start};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// A home of its own with a trust directory in it, and a server that nobody runs.
pub struct Home {
    pub dir: TempDir,
}

impl Home {
    /// With a copy of a trust directory that the old tools have made.
    pub fn with(fixture: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/trustdirs").join(fixture);
        copy(&from, &dir.path().join(".docker/trust")).unwrap();
        Self { dir }
    }

    /// With nothing in it.
    pub fn empty() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    /// Starts claviger in it.
    pub fn start(&self, arguments: &[&str], size: (u16, u16)) -> Robot {
        self.start_with(arguments, size, &[])
    }

    /// The same with more variables.
    pub fn start_with(&self, arguments: &[&str], size: (u16, u16), variables: &[(&'static str, &str)]) -> Robot {
        let mut all = self.variables();
        all.extend(variables.iter().map(|(n, v)| (*n, (*v).to_owned())));
        let program = PathBuf::from(env!("CARGO_BIN_EXE_claviger"));
        let arguments = arguments.iter().map(|a| (*a).to_owned()).collect();
        Robot::start(Start { program: &program, arguments, variables: all, size })
    }

    /// Starts claviger as a person does: from a shell with job control.
    pub fn start_in_shell(&self, size: (u16, u16)) -> Robot {
        let mut variables = self.variables();
        variables.push(("PS1", "READY> ".to_owned()));
        let arguments = vec!["-i".to_owned()];
        let mut robot = Robot::start(Start { program: Path::new("/bin/sh"), arguments, variables, size });
        robot.see("READY>");
        robot.press(&format!("clear; {}\n", env!("CARGO_BIN_EXE_claviger")));
        robot
    }

    fn variables(&self) -> Vec<(&'static str, String)> {
        let home = self.dir.path().to_string_lossy().into_owned();
        vec![("HOME", home), ("DOCKER_CONTENT_TRUST_SERVER", "https://127.0.0.1:9".to_owned())]
    }
}

/// Copies a directory with everything in it.
pub fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &target)?,
            false => {
                fs::copy(entry.path(), target)?;
            }
        }
    }
    Ok(())
}
