//! The trust directory (protocol 1): where things are in it, reading, and the only code that writes there.
//!
//! Reading creates nothing. Every write happens through a [`Writer`], which holds the lock `.claviger.lock`, prepares
//! each file under `.claviger.tmp/` and renames it into place, so that a file is either the old one or the new one. No
//! write follows a symbolic link, and no reading of metadata does; the trust directory itself may be one.
mod cache;
mod changelist;
mod forget;
mod modes;
mod old;
mod paths;
mod read;
mod walk;
mod write;

pub use cache::{CachedGun, Guns, RefusedName};
pub use changelist::StagedFile;
pub use modes::{Left, Loose, Modes};
pub use old::OldFiles;
pub use paths::TrustDir;
pub use read::{MAX_KEY_FILE, Opened, ReadError, open_regular, read_regular};
pub use walk::{Found, FoundKind, Legacy, Walk, WalkProblem};
pub use write::{PATIENCE, Writer};

use crate::text;
use std::{io, os::unix::ffi::OsStrExt, path::Path};

/// Why something in the trust directory could not be done. Every message says what was not done.
#[derive(Debug, thiserror::Error)]
pub enum TrustDirError {
    /// Another process holds the lock.
    #[error("the trust directory {path} is being written by {holder}; nothing was changed. Try again when it has finished")]
    Locked {
        /// The trust directory, printable.
        path: String,
        /// Who holds the lock: "process 1234", or "another process" if it did not say.
        holder: String,
    },
    /// A directory or file on the way is a symbolic link.
    #[error("{0} is a symbolic link, which no write follows; nothing was changed there")]
    Symlink(String),
    /// A file that was to be new is there already.
    #[error("{0} exists already; it was left as it is")]
    Exists(String),
    /// A file is not any more what it was when it was looked at.
    #[error("{0} has changed meanwhile; it was left as it is")]
    Changed(String),
    /// A file was written or removed, and the disk did not confirm it.
    #[error("{path} was {what}, but the disk did not confirm it: {source}")]
    Unconfirmed {
        /// What was done.
        what: &'static str,
        /// The file, printable.
        path: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// The system refused.
    #[error("cannot {what} {path}: {source}; it was not changed")]
    Io {
        /// What was being done.
        what: &'static str,
        /// On what, printable.
        path: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// Files of a repository are remembered, but not the root in which they are anchored.
    #[error("{0} remembers files of this repository but not its root, so a stranger's root would be believed")]
    RootLost(String),
    /// What is remembered changes faster than it can be verified.
    #[error("another program changed {path} while it was used, {times} times in a row")]
    Restless {
        /// The repository's directory of metadata, printable.
        path: String,
        /// How often it was tried.
        times: usize,
    },
    /// A file is not what it should be.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file, printable.
        path: String,
        /// What is wrong with it.
        source: ReadError,
    },
}

impl TrustDirError {
    /// What to do next.
    pub fn remedy(&self) -> String {
        match self {
            Self::Locked { .. } | Self::Restless { .. } => "Try again when the other program has finished.".to_owned(),
            Self::RootLost(path) => format!(
                "Put root.json back from a backup; or compare the root with the owner's, move {path} away (keys are not in it) and try again."
            ),
            Self::Symlink(_) | Self::Read { source: ReadError::Symlink, .. } => {
                "Put what the link points to in its place: no link is followed in the trust directory.".to_owned()
            }
            Self::Exists(_) => "Move it away, or choose another name.".to_owned(),
            Self::Unconfirmed { .. } => {
                "Look at the disk, then see with `claviger key list` and `claviger key test` what is there.".to_owned()
            }
            Self::Changed(_) => "Look at it again, then repeat the command.".to_owned(),
            Self::Read { source: ReadError::NotAFile | ReadError::TooLarge { .. }, .. } => {
                "Put the file back from a backup, or move it away if you know that it is not needed.".to_owned()
            }
            Self::Io { source, .. } | Self::Read { source: ReadError::Io(source), .. } => disk_remedy(source).to_owned(),
        }
    }
}

/// What to do where the system refuses to read or write.
pub fn disk_remedy(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "Make room on the disk, then repeat the command.",
        io::ErrorKind::ReadOnlyFilesystem => "Make the disk writable, then repeat the command.",
        _ => "Mend the file or its permissions.",
    }
}

/// A path as it can be typed to a shell: what is printed so names this file and no other.
pub fn typed(path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes();
    // What begins with a dash would be taken for an option.
    text::shell_word(&if bytes.starts_with(b"-") { [b"./", bytes].concat() } else { bytes.to_owned() })
}

/// A path as a terminal may show it.
pub fn shown(path: &Path) -> String {
    text::path(path).into()
}

#[cfg(test)]
mod tests;
