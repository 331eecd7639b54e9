//! The world itself: a server with repositories that have something to show, and a trust directory with the keys of the
//! person at this desk. Signed by our own code, the same in every sandbox but for the keys, and placed in time relative
//! to now.
mod author;
mod keystore;
mod people;
mod repositories;

use super::{
    disk::{Disk, DiskError},
    registry::{Registry, limits},
    server::{Clock, Server},
    transport::InProcess,
};
use crate::{
    keys::KeyError,
    notary::Transport,
    trust_dir::{TrustDir, TrustDirError, shown},
    tuf::{json::JsonError, name::Gun},
};
use jiff::{SignedDuration, Timestamp};
use std::{
    fs::{DirBuilder, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
    time::Instant,
};

/// The registry in the names of a sandbox's repositories.
pub const HOST: &str = "sandbox.test";

/// The passphrase of every key in a sandbox. It is no secret, and it is derived with 2,048 rounds only.
pub const PASSPHRASE: &str = "practise-only";

/// The file by which a sandbox on the disk is known.
const MARK: &str = "THIS-IS-A-SANDBOX";
const MARK_TEXT: &str = "A world of claviger to practise on. Its keys are worthless: every passphrase is \"practise-only\".\n\
                         Everything here may be deleted.\n";

/// What the server knows, in a sandbox that stays.
const MEMORY: &str = "server.jsonl";
/// Where public halves of keys go that are made in a sandbox.
const PUBLIC: &str = "public";
/// The images in its registry, in a sandbox that stays.
pub(in crate::sandbox) const IMAGES: &str = "registry";
/// The ports of its servers, in a sandbox that stays.
const PORTS: &str = "ports.json";
/// Everything that a sandbox is made of.
const CONTENTS: [&str; 7] = [MEMORY, IMAGES, PORTS, PUBLIC, "docker", "state", "notary.json"];

/// Why there is no sandbox.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// A directory or file cannot be made or removed.
    #[error("cannot use {path} for a sandbox: {source}")]
    Files {
        /// Which, printable.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The directory holds something.
    #[error("{0} is not empty; nothing was changed there. Name a directory that is empty or does not exist")]
    NotEmpty(String),
    /// The directory is not one of ours.
    #[error("{0} is no sandbox; nothing was changed there. A sandbox has a file THIS-IS-A-SANDBOX")]
    NotOurs(String),
    /// What its server knows cannot be read, or not be written.
    #[error("what the sandbox's server knows cannot be used ({path}): {source}")]
    Memory {
        /// The file, printable.
        path: String,
        /// Why.
        source: DiskError,
    },
    /// The images in its registry cannot be read or written.
    #[error("the sandbox's images cannot be used ({path}): {source}")]
    Images {
        /// Their directory, printable.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A key cannot be made or stored.
    #[error("the sandbox's keys cannot be made: {0}")]
    Key(#[from] KeyError),
    /// The trust directory cannot be written.
    #[error("the sandbox's trust directory cannot be written: {0}")]
    TrustDir(#[from] TrustDirError),
    /// A metadata file cannot be written.
    #[error("the sandbox's metadata cannot be made: {0}")]
    Metadata(#[from] JsonError),
    /// Something that cannot be expected to fail has failed.
    #[error("{0} failed; there is no sandbox")]
    Internal(&'static str),
}

impl SandboxError {
    pub(in crate::sandbox) fn files(path: &Path, source: std::io::Error) -> Self {
        Self::Files { path: shown(path), source }
    }

    fn images(path: &Path, source: std::io::Error) -> Self {
        Self::Images { path: shown(path), source }
    }

    fn memory(path: &Path, source: DiskError) -> Self {
        Self::Memory { path: shown(path), source }
    }
}

/// A world to practise on. One in a temporary directory vanishes when it is dropped.
pub struct Sandbox {
    place: Place,
    trust_dir: TrustDir,
    server: Arc<Server>,
    registry: Arc<Registry>,
}

enum Place {
    Temporary(tempfile::TempDir),
    Kept(PathBuf),
}

impl Sandbox {
    /// Makes a world in which it is `now`; from there its clock runs. Without a directory it lies in a temporary one
    /// that vanishes with it; a directory that is given must be empty or not be there, and stays.
    ///
    /// # Errors
    /// [`SandboxError`]; what was written until then stays in a directory that was given.
    pub fn new(now: Timestamp, directory: Option<&Path>) -> Result<Self, SandboxError> {
        let started = Instant::now();
        let clock: Clock = Arc::new(move || {
            let passed = SignedDuration::try_from(started.elapsed()).unwrap_or(SignedDuration::MAX);
            now.checked_add(passed).unwrap_or(now)
        });
        Self::with_clock(now, clock, directory)
    }

    /// As [`Sandbox::new`], with a clock of the caller's for what the server does later.
    ///
    /// # Errors
    /// As [`Sandbox::new`].
    pub fn with_clock(now: Timestamp, clock: Clock, directory: Option<&Path>) -> Result<Self, SandboxError> {
        let place = match directory {
            None => {
                let made = tempfile::Builder::new().prefix("claviger-sandbox-").tempdir();
                Place::Temporary(made.map_err(|e| SandboxError::files(&std::env::temp_dir(), e))?)
            }
            Some(path) => Place::Kept(empty(path)?),
        };
        let root = place.path();
        write_new(&root.join(MARK), MARK_TEXT.as_bytes())?;
        let docker = root.join("docker");
        DirBuilder::new().mode(0o700).create(&docker).map_err(|e| SandboxError::files(&docker, e))?;
        let trust_dir = TrustDir::new(docker.join("trust"));
        // What was done on a day was done that morning. Reckoned from this very moment, whole days until an end would be one
        // fewer a second later, and two lines of one screen would differ.
        let morning =
            now.checked_sub(SignedDuration::from_hours(6)).map_err(|_| SandboxError::Internal("reckoning with time"))?;
        let people = people::People::new(morning)?;
        let stories = repositories::Teller::new(morning, &people).tell()?;
        keystore::fill(&trust_dir, &people, &stories)?;
        let public = root.join(PUBLIC);
        DirBuilder::new().mode(0o700).create(&public).map_err(|e| SandboxError::files(&public, e))?;
        let images = root.join(IMAGES);
        let registry = match &place {
            Place::Temporary(_) => Registry::in_memory(limits::ROOM),
            Place::Kept(_) => Registry::on_disk(&images, limits::ROOM).map_err(|e| SandboxError::images(&images, e))?,
        };
        let registry = registry.begun(|registry| repositories::push(&stories, registry))?;
        let repositories = stories.into_iter().map(|s| s.repository);
        let memory = root.join(MEMORY);
        let server = match &place {
            Place::Temporary(_) => Server::new(clock, repositories),
            Place::Kept(_) => Server::create(clock, &memory, repositories).map_err(|e| SandboxError::memory(&memory, e))?,
        };
        Ok(Self { place, trust_dir, server: Arc::new(server), registry: Arc::new(registry) })
    }

    /// Opens the world that lies in a directory, as it was left; makes one there if the directory is empty or not there.
    ///
    /// # Errors
    /// [`SandboxError`]
    pub fn kept(now: Timestamp, directory: &Path) -> Result<Self, SandboxError> {
        if !is_ours(directory) {
            return Self::new(now, Some(directory));
        }
        let root = std::path::absolute(directory).map_err(|e| SandboxError::files(directory, e))?;
        let memory = root.join(MEMORY);
        let server = Server::open(Arc::new(Timestamp::now), &memory).map_err(|e| SandboxError::memory(&memory, e))?;
        let images = root.join(IMAGES);
        let registry = Registry::on_disk(&images, limits::ROOM).map_err(|e| SandboxError::images(&images, e))?;
        let trust_dir = TrustDir::new(root.join("docker/trust"));
        Ok(Self { place: Place::Kept(root), trust_dir, server: Arc::new(server), registry: Arc::new(registry) })
    }

    /// Ends a world that was kept: removes what it is made of, and the directory if nothing else is in it. Gives the names
    /// of what is.
    ///
    /// # Errors
    /// [`SandboxError`]; some of it may be gone then.
    pub fn destroy(directory: &Path) -> Result<Vec<String>, SandboxError> {
        if !is_ours(directory) {
            return Err(SandboxError::NotOurs(shown(directory)));
        }
        let memory = directory.join(MEMORY);
        let unserved = Disk::unserved(&memory).map_err(|e| SandboxError::memory(&memory, e))?;
        // The mark goes last: until then it can be done again.
        for name in CONTENTS.into_iter().chain([MARK]) {
            let path = directory.join(name);
            let removed = match path.symlink_metadata() {
                Ok(m) if m.is_dir() => std::fs::remove_dir_all(&path),
                Ok(_) => std::fs::remove_file(&path),
                Err(e) => Err(e),
            };
            removed.or_else(|e| if e.kind() == ErrorKind::NotFound { Ok(()) } else { Err(SandboxError::files(&path, e)) })?;
        }
        drop(unserved);
        let failed = |e| SandboxError::files(directory, e);
        let others: Result<Vec<String>, _> =
            std::fs::read_dir(directory).map_err(failed)?.map(|e| Ok(shown(&e?.path()))).collect();
        let others = others.map_err(failed)?;
        if others.is_empty() {
            std::fs::remove_dir(directory).map_err(failed)?;
        }
        Ok(others)
    }

    /// Where a sandbox that stays keeps its ports.
    #[cfg(feature = "network")]
    pub(in crate::sandbox) fn kept_ports(&self) -> Option<PathBuf> {
        matches!(self.place, Place::Kept(_)).then(|| self.path().join(PORTS))
    }

    /// Where public halves of keys go that are made here.
    pub fn public_dir(&self) -> PathBuf {
        self.path().join(PUBLIC)
    }

    /// The sandbox's own directory: docker's configuration directory is `docker/` in it.
    pub fn path(&self) -> &Path {
        self.place.path()
    }

    /// Its trust directory, `docker/trust/`.
    pub fn trust_dir(&self) -> &TrustDir {
        &self.trust_dir
    }

    /// Its server, asked in this process.
    pub fn transport(&self) -> Arc<dyn Transport> {
        Arc::new(InProcess::new(self.server.clone()))
    }

    /// Its server, for a shell around it.
    pub fn server(&self) -> &Arc<Server> {
        &self.server
    }

    /// Its registry, asked in this process: the images of `sandbox.test/NAME` are in the repository `NAME`.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.registry
    }

    /// The repositories on its server, sorted.
    pub fn guns(&self) -> Vec<Gun> {
        self.server.guns()
    }

    /// The passphrase of each of its keys.
    pub fn passphrase(&self) -> &'static str {
        PASSPHRASE
    }
}

impl Place {
    fn path(&self) -> &Path {
        match self {
            Self::Temporary(t) => t.path(),
            Self::Kept(p) => p,
        }
    }
}

/// Whether a directory has our mark.
fn is_ours(directory: &Path) -> bool {
    let mark = directory.join(MARK);
    let is_file = mark.symlink_metadata().is_ok_and(|m| m.is_file() && m.len() == MARK_TEXT.len() as u64);
    is_file && std::fs::read(&mark).is_ok_and(|text| text == MARK_TEXT.as_bytes())
}

/// Makes sure of a directory with nothing in it.
fn empty(path: &Path) -> Result<PathBuf, SandboxError> {
    let failed = |e| SandboxError::files(path, e);
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
    if std::fs::read_dir(path).map_err(failed)?.next().is_some() {
        return Err(SandboxError::NotEmpty(shown(path)));
    }
    std::path::absolute(path).map_err(failed)
}

/// Writes a file that was not there, for its owner only.
pub(in crate::sandbox) fn write_new(path: &Path, bytes: &[u8]) -> Result<(), SandboxError> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    options.open(path).and_then(|mut f| f.write_all(bytes)).map_err(|e| SandboxError::files(path, e))
}

/// So many days after a moment; before it, if negative.
fn days(from: Timestamp, days: i64) -> Result<Timestamp, SandboxError> {
    let hours = SignedDuration::from_hours(days.saturating_mul(24));
    from.checked_add(hours).map_err(|_| SandboxError::Internal("reckoning with time"))
}
