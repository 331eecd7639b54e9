//! Reading a file that somebody else may have put there.
use rustix::{
    fs::{Mode, OFlags},
    io::Errno,
};
use std::{
    fs::{File, OpenOptions},
    io::Read,
    os::{
        fd::OwnedFd,
        unix::fs::{MetadataExt, OpenOptionsExt},
    },
    path::Path,
};
use zeroize::Zeroizing;

/// Largest key file that is read, in bytes. The largest real one, RSA with 16384 bits, has some 13 KiB.
pub const MAX_KEY_FILE: u64 = 1 << 20;

/// Why a file was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is a symbolic link.
    #[error("it is a symbolic link")]
    Symlink,
    /// It is a directory, a pipe, a socket or a device.
    #[error("it is not a regular file")]
    NotAFile,
    /// It has more bytes than fit.
    #[error("it has {size} bytes; at most {limit} are read")]
    TooLarge {
        /// Its size.
        size: u64,
        /// The most that would have been read.
        limit: u64,
    },
    /// The system refused.
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// A file's bytes, and what the system says about it.
pub struct Opened {
    /// The content; erased when dropped, because it may be a private key.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Permission bits.
    pub mode: u32,
    /// When it was last written, in seconds and nanoseconds since 1970.
    pub modified: (i64, i64),
}

/// Reads a regular file of at most `limit` bytes. Never follows a symbolic link at the end of the path and never waits:
/// a pipe or a device in its place is an error.
pub fn read_regular(path: &Path, limit: u64) -> Result<Opened, ReadError> {
    read_open(open_for_reading(path)?, limit)
}

/// Opens a regular file and gives its size; the same holds as for [`read_regular`].
pub fn open_regular(path: &Path) -> Result<(File, u64), ReadError> {
    let file = open_for_reading(path)?;
    let meta = file.metadata()?;
    if meta.is_file() { Ok((file, meta.len())) } else { Err(ReadError::NotAFile) }
}

fn open_for_reading(path: &Path) -> Result<File, ReadError> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path).map_err(unopened)
}

/// [`read_regular`] for a name in an open directory, which no link can change any more.
pub(super) fn read_regular_at(directory: &OwnedFd, name: impl rustix::path::Arg, limit: u64) -> Result<Opened, ReadError> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let opened = rustix::fs::openat(directory, name, flags, Mode::empty());
    read_open(File::from(opened.map_err(|e| unopened(e.into()))?), limit)
}

fn unopened(e: std::io::Error) -> ReadError {
    match e.raw_os_error().map(Errno::from_raw_os_error) {
        Some(Errno::LOOP) => ReadError::Symlink,
        // A socket cannot be opened at all.
        Some(Errno::NXIO) => ReadError::NotAFile,
        _ => ReadError::Io(e),
    }
}

fn read_open(mut file: File, limit: u64) -> Result<Opened, ReadError> {
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(ReadError::NotAFile);
    }
    let size = meta.len();
    if size > limit {
        return Err(ReadError::TooLarge { size, limit });
    }
    // One buffer with room for one byte more than expected: a full read ends without a second system call growing it,
    // and a file that grew meanwhile is noticed.
    let mut bytes = Zeroizing::new(vec![0; usize::try_from(size).unwrap_or(usize::MAX).saturating_add(1)]);
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|r| !r.is_empty()) {
        match file.read(rest) {
            Ok(0) => break,
            Ok(n) => {
                filled += n;
                if filled as u64 == size {
                    break;
                }
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e.into()),
        }
    }
    bytes.truncate(filled);
    Ok(Opened { bytes, mode: meta.mode() & 0o7777, modified: (meta.mtime(), meta.mtime_nsec()) })
}
