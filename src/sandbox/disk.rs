//! A server's memory on the disk: one file with a line for the world it began with, and one for everything that was done
//! since. A line is written and confirmed by the disk before it is acknowledged; one that was cut off never happened.
use super::{
    keys::ServerKeys,
    publish::Transaction,
    store::{Published, Repository},
};
use crate::{
    keys::{self, KeyError, PrivateKey},
    tuf::name::{BaseRole, Gun, RoleName},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
    sync::Arc,
};

/// The version of what a line says.
const FORMAT: &str = "claviger/sandbox-server/1";

/// Why a server's memory cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// The system says no.
    #[error("{0}")]
    File(#[from] io::Error),
    /// Another server has it.
    #[error("another program serves this sandbox")]
    Busy,
    /// A line makes no sense.
    #[error("line {0} is damaged")]
    Damaged(usize),
    /// A key cannot be written.
    #[error("{0}")]
    Key(#[from] KeyError),
}

/// What was done.
#[derive(Serialize, Deserialize)]
#[serde(tag = "done", rename_all = "lowercase")]
pub(super) enum Line {
    /// The world began.
    Began { format: String, collections: Vec<Collection> },
    /// A key was made for whoever asked.
    Key { gun: String, role: String, private: String },
    /// Files were stored in one go; the timestamp is the last of them.
    Stored { gun: String, files: Vec<Stored> },
    /// A collection was deleted.
    Deleted { gun: String, at: Timestamp },
}

/// A collection at the beginning.
#[derive(Serialize, Deserialize)]
pub(super) struct Collection {
    gun: String,
    frozen: bool,
    timestamp: String,
    snapshot: Option<String>,
    files: Vec<Stored>,
}

/// A file.
#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    role: String,
    version: u64,
    at: Timestamp,
    bytes: String,
}

/// The file, open and locked.
pub(super) struct Disk {
    file: File,
    /// Where the next line begins.
    end: u64,
    /// Whether a line that could not be written could not be taken away either.
    is_lost: bool,
}

impl Disk {
    /// Makes the file, with the world as it begins.
    pub fn create(path: &Path, collections: &[&Repository]) -> Result<Self, DiskError> {
        let file = options().create_new(true).open(path)?;
        let mut disk = Self::locked(file)?;
        let collections = collections.iter().map(|c| Collection::of(c)).collect::<Result<_, _>>()?;
        disk.append(&Line::Began { format: FORMAT.to_owned(), collections })?;
        let directory = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
        File::open(directory)?.sync_all()?;
        Ok(disk)
    }

    /// Opens the file and reads what was done. A last line that was cut off is taken away.
    pub fn open(path: &Path) -> Result<(Self, Vec<Line>), DiskError> {
        let mut disk = Self::locked(options().open(path)?)?;
        let mut text = Vec::new();
        disk.file.read_to_end(&mut text)?;
        let whole = memchr::memrchr(b'\n', &text).map_or(0, |at| at + 1);
        let lines = text.get(..whole).unwrap_or_default().split_inclusive(|b| *b == b'\n');
        let read = |(n, line): (usize, &[u8])| serde_json::from_slice(line).map_err(|_| DiskError::Damaged(n + 1));
        let lines: Vec<Line> = lines.enumerate().map(read).collect::<Result<_, _>>()?;
        if lines.is_empty() {
            return Err(DiskError::Damaged(1));
        }
        disk.end = whole as u64;
        if whole < text.len() {
            disk.file.set_len(disk.end)?;
            disk.file.sync_all()?;
        }
        disk.file.seek(SeekFrom::Start(disk.end))?;
        Ok((disk, lines))
    }

    /// Makes sure that no server writes the file, and that none begins to while this value lives.
    pub fn unserved(path: &Path) -> Result<Option<Self>, DiskError> {
        match options().open(path) {
            Ok(file) => Self::locked(file).map(Some),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e.into()),
        }
    }

    fn locked(file: File) -> Result<Self, DiskError> {
        file.try_lock().map_err(|e| match e {
            std::fs::TryLockError::WouldBlock => DiskError::Busy,
            std::fs::TryLockError::Error(e) => e.into(),
        })?;
        Ok(Self { file, end: 0, is_lost: false })
    }

    /// Writes a line, and waits until the disk has it. What could not be written did not happen.
    pub fn append(&mut self, line: &Line) -> Result<(), DiskError> {
        if self.is_lost {
            return Err(io::Error::other("an earlier line could not be taken back").into());
        }
        let mut bytes = serde_json::to_vec(line).map_err(io::Error::other)?;
        bytes.push(b'\n');
        let written = self.file.write_all(&bytes).and_then(|()| self.file.sync_data());
        if let Err(e) = written {
            let back = self.file.set_len(self.end).and_then(|()| self.file.seek(SeekFrom::Start(self.end)));
            self.is_lost = back.and_then(|_| self.file.sync_all()).is_err();
            return Err(e.into());
        }
        self.end += bytes.len() as u64;
        Ok(())
    }
}

impl Line {
    /// The collections of the beginning; nothing if that makes no sense.
    pub fn world(self) -> Option<Vec<Repository>> {
        match self {
            Self::Began { format, collections } if format == FORMAT => collections.into_iter().map(Collection::read).collect(),
            _ => None,
        }
    }

    pub fn key(gun: &str, role: BaseRole, key: &PrivateKey) -> Result<Self, DiskError> {
        Ok(Self::Key { gun: gun.to_owned(), role: role.as_str().to_owned(), private: private(key)? })
    }

    pub fn stored(gun: &str, made: &Transaction) -> Self {
        let timestamp = RoleName::from(BaseRole::Timestamp);
        let files = made.files.iter().map(|(r, f)| (r, f)).chain([(&timestamp, &made.timestamp)]);
        Self::Stored { gun: gun.to_owned(), files: files.map(|(r, f)| Stored::of(r, f)).collect() }
    }
}

impl Stored {
    fn of(role: &RoleName, file: &Published) -> Self {
        let Published { version, bytes, stored } = file;
        Self { role: role.to_string(), version: *version, at: *stored, bytes: STANDARD.encode(bytes) }
    }

    /// The file, and whose it is; nothing if that makes no sense.
    pub fn read(self) -> Option<(RoleName, Published)> {
        let role = RoleName::new(&self.role).ok()?;
        Some((role, Published { version: self.version, bytes: STANDARD.decode(self.bytes).ok()?, stored: self.at }))
    }
}

impl Collection {
    fn of(repository: &Repository) -> Result<Self, DiskError> {
        let keys = repository.keys();
        let files = repository.roles().flat_map(|r| repository.files(&r).iter().map(|f| Stored::of(&r, f)).collect::<Vec<_>>());
        Ok(Self {
            gun: repository.gun().to_string(),
            frozen: repository.is_frozen(),
            timestamp: private(&keys.timestamp)?,
            snapshot: keys.snapshot.as_deref().map(private).transpose()?,
            files: files.collect(),
        })
    }

    /// The collection; nothing if that makes no sense.
    pub fn read(self) -> Option<Repository> {
        let snapshot = match self.snapshot {
            Some(text) => Some(Arc::new(key(&text)?)),
            None => None,
        };
        let keys = ServerKeys { timestamp: Arc::new(key(&self.timestamp)?), snapshot };
        let mut repository = Repository::new(Gun::new(&self.gun).ok()?, keys);
        for file in self.files {
            let (role, file) = file.read()?;
            repository.publish(role, file);
        }
        if self.frozen {
            repository.freeze();
        }
        Some(repository)
    }
}

/// A key of the server's, which is worthless elsewhere, as PEM.
fn private(key: &PrivateKey) -> Result<String, DiskError> {
    Ok(pem::encode(&pem::Pem::new("PRIVATE KEY", key.to_pkcs8()?.to_vec())))
}

/// Reads a key.
pub(super) fn key(text: &str) -> Option<PrivateKey> {
    keys::decode(text.as_bytes(), None, &|| false).ok().map(|d| d.key)
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).mode(0o600);
    options
}
