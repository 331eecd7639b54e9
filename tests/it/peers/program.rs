//! Finding programs, running them, and a place for what they write.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Where `make test` unpacks what the system does not have.
const UNPACKED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/target/peers/bin");

/// The whole path of a program.
///
/// # Panics
/// When it is not there: a missing peer is a failure, not a reason to leave a test out.
pub fn program(name: &str) -> PathBuf {
    find(name).unwrap_or_else(|missing| panic!("{missing}"))
}

fn find(name: &str) -> Result<PathBuf, String> {
    let missing = || format!("`{name}` is not installed, and these tests run against it. `make test` installs it.");
    candidates(name).next().ok_or_else(missing)
}

/// The docker client that knows `trust`: newer ones have it only as a plugin, which may not be there.
pub fn docker() -> PathBuf {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    let trusts = |path: &PathBuf| {
        let help = Command::new(path).args(["trust", "inspect", "--help"]).stdin(Stdio::null()).output();
        help.is_ok_and(|output| output.status.success())
    };
    let find = || {
        candidates("docker")
            .find(trusts)
            .expect("no `docker` with `trust` is installed, and these tests run against it. `make test` brings one.")
    };
    FOUND.get_or_init(find).clone()
}

fn candidates(name: &str) -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).chain([PathBuf::from(UNPACKED)]).collect();
    let name = name.to_owned();
    folders.into_iter().map(move |folder| folder.join(&name)).filter(|path| path.is_file())
}

/// A folder of its own for each call, below cargo's folder for tests. What a run wrote stays for whoever looks into a
/// failure, until the next run sweeps it away.
pub fn scratch(name: &str) -> PathBuf {
    static RUN: OnceLock<PathBuf> = OnceLock::new();
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let run = RUN.get_or_init(|| {
        let all = Path::new(env!("CARGO_TARGET_TMPDIR")).join("peers");
        for old in std::fs::read_dir(&all).into_iter().flatten().flatten() {
            if !Path::new("/proc").join(old.file_name()).exists() {
                // another run may sweep the same folder at this moment
                let _ = std::fs::remove_dir_all(old.path());
            }
        }
        all.join(std::process::id().to_string())
    });
    let folder = run.join(format!("{:03}-{name}", COUNT.fetch_add(1, Ordering::Relaxed)));
    std::fs::create_dir_all(&folder).expect("a folder for the test");
    folder
}

/// What a program answered.
#[derive(Clone, PartialEq, Eq)]
pub struct Answer {
    pub line: String,
    /// Exit status; -1 when a signal ended it.
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "$ {}\n{}{}[exit status {}]", self.line, self.stdout, self.stderr, self.status)
    }
}

impl Answer {
    /// # Panics
    /// When the program did not exit with 0; says all that it printed.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert!(self.status == 0, "this had to succeed:\n{self:?}");
        self
    }

    /// # Panics
    /// When the program exited with 0.
    #[track_caller]
    pub fn refused(self) -> Self {
        assert!(self.status != 0, "this had to fail:\n{self:?}");
        self
    }
}

/// Runs a program in an environment of nothing but `PATH` and what is given, with `input` on its standard input.
pub fn run<S: AsRef<OsStr>>(program: &Path, args: &[S], environment: &[(&str, OsString)], input: &str) -> Answer {
    let mut command = Command::new(program);
    command.args(args).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()));
    // a program that does not read its input is free not to
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    let output = child.wait_with_output().expect("the program's output");
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let words = args.iter().map(|arg| arg.as_ref().to_string_lossy().into_owned());
    Answer {
        line: std::iter::once(name.into_owned()).chain(words).collect::<Vec<_>>().join(" "),
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).expect("UTF-8 on stdout"),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn a_missing_program_is_a_failure_that_names_make_test() {
    let missing = find("no-such-peer").expect_err("a program that does not exist was found");
    assert!(missing.contains("`no-such-peer`") && missing.contains("`make test`"), "{missing}");
}

/// claviger as it is shipped. It is built if what is there is older than its source.
pub fn released() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or("cargo".into()));
        cargo.args(["build", "--release", "--locked", "--bin", "claviger", "--manifest-path", manifest]);
        let output = cargo.stdin(Stdio::null()).output().expect("cargo runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let debug = Path::new(env!("CARGO_BIN_EXE_claviger"));
        let target = debug.parent().and_then(Path::parent).expect("a binary lies in target/PROFILE");
        target.join("release/claviger")
    })
}
