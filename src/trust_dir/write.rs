//! Writing: locked, atomic, durable, private, and never through a symbolic link.
use super::{TrustDir, TrustDirError, read::read_regular_at, shown};
use crate::tuf::name::{Gun, KeyId, RoleName};
use rustix::{
    fs::{AtFlags, Mode, OFlags, RenameFlags},
    io::Errno,
};
use std::{
    ffi::{OsStr, OsString},
    fs::{DirBuilder, File, TryLockError},
    io::{Read, Seek, Write as _},
    os::{
        fd::OwnedFd,
        unix::{ffi::OsStrExt as _, fs::DirBuilderExt},
    },
    path::Path,
    time::{Duration, Instant},
};

const LOCK: &str = ".claviger.lock";
const TEMPORARY: &str = ".claviger.tmp";
/// Files among the temporary ones that could not be swept and are passed by.
const MOST_TEMPORARY: u64 = 10_000;
/// How long a write waits for another to finish.
pub const PATIENCE: Duration = Duration::from_secs(10);
/// How often the lock is tried meanwhile.
const RETRY: Duration = Duration::from_millis(20);

/// The right to write in a trust directory, held until it is dropped. Other writers wait.
#[derive(Debug)]
pub struct Writer<'a> {
    dir: &'a TrustDir,
    root: OwnedFd,
    temporary: OwnedFd,
    lock: File,
    counter: u64,
    durable: bool,
    /// Directories above the trust directory in which one was made; not on the disk yet.
    above: Vec<File>,
}

impl TrustDir {
    /// Takes the lock, making the directory if it is not there. Waits up to ten seconds for another writer, then fails
    /// naming it. Hold it for a write, never for a session.
    pub fn write(&self) -> Result<Writer<'_>, TrustDirError> {
        self.write_within(PATIENCE)
    }

    /// [`TrustDir::write`] with another time to wait.
    pub fn write_within(&self, patience: Duration) -> Result<Writer<'_>, TrustDirError> {
        let io = |what, e: std::io::Error| TrustDirError::Io { what, path: shown(self.path()), source: e };
        let missing: Vec<&Path> = self.path().ancestors().take_while(|p| p.symlink_metadata().is_err()).collect();
        DirBuilder::new().recursive(true).mode(0o700).create(self.path()).map_err(|e| io("make", e))?;
        let above =
            missing.iter().filter_map(|made| made.parent()).map(|p| if p.as_os_str().is_empty() { Path::new(".") } else { p });
        let above = above.map(File::open).collect::<Result<_, _>>().map_err(|e| io("open", e))?;
        let root = rustix::fs::open(self.path(), OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
            .map_err(|e| io("open", e.into()))?;
        let lock = self.take_lock(&root, patience)?;
        // It is made anew each time: nothing is lost with it.
        let temporary = subdirectory(self, &root, Path::new(TEMPORARY))?.fd;
        let writer = Writer { dir: self, root, temporary, lock, counter: 0, durable: true, above };
        writer.sweep();
        Ok(writer)
    }

    fn take_lock(&self, root: &OwnedFd, patience: Duration) -> Result<File, TrustDirError> {
        let path = self.path().join(LOCK);
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let mut file = File::from(rustix::fs::openat(root, LOCK, flags, private_file()).map_err(|e| failed("open", &path, e))?);
        let until = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if Instant::now() < until => std::thread::sleep(RETRY),
                Err(TryLockError::WouldBlock) => {
                    return Err(TrustDirError::Locked { path: shown(self.path()), holder: holder(&mut file) });
                }
                Err(TryLockError::Error(e)) => return Err(TrustDirError::Io { what: "lock", path: shown(&path), source: e }),
            }
        }
        let says = |e| TrustDirError::Io { what: "write", path: shown(&path), source: e };
        file.set_len(0).map_err(says)?;
        file.rewind().map_err(says)?;
        writeln!(file, "{}", std::process::id()).map_err(says)?;
        Ok(file)
    }
}

impl Writer<'_> {
    /// The trust directory.
    pub(super) fn dir(&self) -> &TrustDir {
        self.dir
    }

    /// The trust directory, open.
    pub(super) fn root(&self) -> &OwnedFd {
        &self.root
    }

    /// Where files are made before they have their place.
    pub(super) fn temporary(&self) -> &OwnedFd {
        &self.temporary
    }

    /// A name among the temporary files that nobody has.
    pub(super) fn aside(&mut self) -> OsString {
        loop {
            self.counter += 1;
            let name = OsString::from(self.counter.to_string());
            if rustix::fs::statat(&self.temporary, &name, AtFlags::SYMLINK_NOFOLLOW).is_err() {
                return name;
            }
        }
    }

    /// Removes what was put aside, with all that is below it.
    pub(super) fn sweep_one(&self, name: &OsStr) -> std::io::Result<()> {
        std::fs::remove_dir_all(self.dir.path().join(TEMPORARY).join(name))
    }

    /// Writes without waiting for the disk from now on: for a directory that is thrown away, such as a sandbox's, where
    /// a power cut loses nothing. Everything else about a write stays.
    pub fn without_waiting_for_the_disk(mut self) -> Self {
        self.durable = false;
        self
    }

    /// Stores a new private key as `private/<id>.key`, readable by its owner only. When it returns, the file is on the
    /// disk. Fails if the file is there already.
    pub fn create_key(&mut self, id: KeyId, bytes: &[u8]) -> Result<(), TrustDirError> {
        self.put(Path::new("private"), &TrustDir::key_name(id), bytes, false)
    }

    /// Stores metadata as `tuf/<gun>/metadata/<role>.json`, in place of what was there.
    pub fn put_metadata(&mut self, gun: &Gun, role: &RoleName, bytes: &[u8]) -> Result<(), TrustDirError> {
        let (directory, name) = metadata_place(gun, role);
        self.put(Path::new(&directory), &name, bytes, true)
    }

    /// Takes back a key that was stored by this writer and turned out wrong.
    pub fn take_back_key(&mut self, id: KeyId) -> Result<(), TrustDirError> {
        let fd = subdirectory(self.dir, &self.root, Path::new("private"))?.fd;
        let place = self.dir.key_path(id);
        rustix::fs::unlinkat(&fd, TrustDir::key_name(id), AtFlags::empty()).map_err(|e| failed("remove", &place, e))?;
        rustix::fs::fsync(&fd).map_err(|e| failed("remove", &place, e))
    }

    /// Puts other bytes in the place of a key file, if it still holds `old`. At every moment it is whole, the old file or the
    /// new one. When it returns, the new one is on the disk.
    pub fn replace_key(&mut self, path: &Path, old: &[u8], new: &[u8]) -> Result<(), TrustDirError> {
        let (fd, name) = self.key_file(path)?;
        self.still_holds(&fd, &name, path, old)?;
        let temporary = self.temporary_file(new).map_err(|source| io("write", path, source))?;
        let swapped = match rustix::fs::renameat_with(&self.temporary, &temporary, &fd, &name, RenameFlags::EXCHANGE) {
            // Not every file system knows how; then only what came since the look above can be lost.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                rustix::fs::renameat(&self.temporary, &temporary, &fd, &name).map(|()| false)
            }
            swapped => swapped.map(|()| true),
        };
        let swapped = swapped.map_err(|e| {
            let _ = rustix::fs::unlinkat(&self.temporary, &temporary, AtFlags::empty());
            failed("write", path, e)
        })?;
        let as_meant = holds(&fd, &name, new);
        if swapped && !(as_meant && holds(&self.temporary, &temporary, old)) {
            // Somebody else has written it between the look and the exchange, or the disk does not give back what it took:
            // what was there goes back.
            rustix::fs::renameat_with(&self.temporary, &temporary, &fd, &name, RenameFlags::EXCHANGE)
                .map_err(|e| failed("put back", path, e))?;
            let _ = rustix::fs::unlinkat(&self.temporary, &temporary, AtFlags::empty());
            return Err(match as_meant {
                true => TrustDirError::Changed(shown(path)),
                false => io("read back", path, std::io::ErrorKind::InvalidData.into()),
            });
        }
        // Both files have been whole and on the disk before: if this fails, only which of them the name means is not certain.
        rustix::fs::fsync(&fd).map_err(|e| unconfirmed("written", path, e.into()))?;
        if swapped {
            let _ = rustix::fs::unlinkat(&self.temporary, &temporary, AtFlags::empty());
        }
        Ok(())
    }

    /// Removes a key file, if it still holds `old`.
    pub fn remove_key(&mut self, path: &Path, old: &[u8]) -> Result<(), TrustDirError> {
        let (fd, name) = self.key_file(path)?;
        self.still_holds(&fd, &name, path, old)?;
        rustix::fs::unlinkat(&fd, &name, AtFlags::empty()).map_err(|e| failed("remove", path, e))?;
        rustix::fs::fsync(&fd).map_err(|e| unconfirmed("removed", path, e.into()))
    }

    /// The directory of a file below `private/`, and the file's name in it.
    fn key_file(&self, path: &Path) -> Result<(OwnedFd, OsString), TrustDirError> {
        let below = path.strip_prefix(self.dir.path()).ok().filter(|p| p.starts_with("private"));
        let (Some(directory), Some(name)) = (below.and_then(Path::parent), path.file_name()) else {
            return Err(io("write", path, std::io::ErrorKind::InvalidInput.into()));
        };
        Ok((subdirectory(self.dir, &self.root, directory)?.fd, name.to_owned()))
    }

    pub(super) fn still_holds(&self, fd: &OwnedFd, name: &OsStr, path: &Path, old: &[u8]) -> Result<(), TrustDirError> {
        if holds(fd, name, old) { Ok(()) } else { Err(TrustDirError::Changed(shown(path))) }
    }

    /// Writes a file under a name of its own among the temporary ones, down to the disk. Nothing is left if that fails.
    fn temporary_file(&mut self, bytes: &[u8]) -> std::io::Result<OsString> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let (name, file) = loop {
            self.counter += 1;
            let name = OsString::from(self.counter.to_string());
            match rustix::fs::openat(&self.temporary, &name, flags, private_file()) {
                Ok(file) => break (name, file),
                // Nobody else writes there while the lock is held, and what was left is swept; where that failed it is passed by.
                Err(Errno::EXIST) if self.counter < MOST_TEMPORARY => {}
                Err(e) => return Err(e.into()),
            }
        };
        let mut file = File::from(file);
        // The mode of a new file passes through the umask, which may have taken something away.
        let written = rustix::fs::fchmod(&file, private_file())
            .map_err(std::io::Error::from)
            .and_then(|()| file.write_all(bytes))
            .and_then(|()| if self.durable { file.sync_all() } else { Ok(()) });
        if let Err(e) = written {
            let _ = rustix::fs::unlinkat(&self.temporary, &name, AtFlags::empty());
            return Err(e);
        }
        Ok(name)
    }

    pub(super) fn put(&mut self, directory: &Path, name: &str, bytes: &[u8], replace: bool) -> Result<(), TrustDirError> {
        let place = self.dir.path().join(directory).join(name);
        let Subdirectory { fd, changed } = subdirectory(self.dir, &self.root, directory)?;
        let temporary = self.temporary_file(bytes).map_err(|source| io("write", &place, source))?;
        let placed = match replace {
            true => rustix::fs::renameat(&self.temporary, &temporary, &fd, name),
            false => rename_new(&self.temporary, &temporary, &fd, name),
        };
        placed.map_err(|e| {
            let _ = rustix::fs::unlinkat(&self.temporary, &temporary, AtFlags::empty());
            match e {
                Errno::EXIST if !replace => TrustDirError::Exists(shown(&place)),
                e => io("write", &place, e.into()),
            }
        })?;
        if self.durable {
            // Once each, when all is in its place: to wait in between would end one transaction of the file system after
            // the other.
            let confirmed = rustix::fs::fsync(&fd)
                .and_then(|()| changed.iter().rev().try_for_each(rustix::fs::fsync))
                .map_err(std::io::Error::from)
                .and_then(|()| self.above.drain(..).try_for_each(|d| d.sync_all()));
            return confirmed.map_err(|source| match replace {
                true => unconfirmed("written", &place, source),
                // What is new and perhaps not there after a power cut is better not there at all.
                false => match rustix::fs::unlinkat(&fd, name, AtFlags::empty()) {
                    Ok(()) => io("write", &place, source),
                    Err(_) => unconfirmed("written", &place, source),
                },
            });
        }
        Ok(())
    }

    /// Removes what a writer left that was interrupted. Nobody else writes while the lock is held.
    fn sweep(&self) {
        let Ok(entries) = rustix::fs::Dir::read_from(&self.temporary) else { return };
        for entry in entries.flatten() {
            if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
                let _ = match rustix::fs::unlinkat(&self.temporary, entry.file_name(), AtFlags::empty()) {
                    // A repository that was being forgotten.
                    Err(Errno::ISDIR) => self.sweep_one(OsStr::from_bytes(entry.file_name().to_bytes())),
                    other => other.map_err(Into::into),
                };
            }
        }
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        let _ = rustix::fs::unlinkat(&self.root, TEMPORARY, AtFlags::REMOVEDIR);
        // The file stays: removing a lock that others wait for would let two of them in. Closing it gives the lock up.
        let _ = self.lock.set_len(0);
    }
}

/// Renames only if nothing has that name: to look first and rename then would replace what appears in between.
fn rename_new(from: &OwnedFd, temporary: &OsStr, to: &OwnedFd, name: &str) -> rustix::io::Result<()> {
    match rustix::fs::renameat_with(from, temporary, to, name, RenameFlags::NOREPLACE) {
        // Not every file system, nor every kernel, knows how.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => link_new(from, temporary, to, name),
        done => done,
    }
}

/// [`rename_new`] by way of a second name. A crash in between leaves the first one to be swept.
fn link_new(from: &OwnedFd, temporary: &OsStr, to: &OwnedFd, name: &str) -> rustix::io::Result<()> {
    rustix::fs::linkat(from, temporary, to, name, AtFlags::empty())?;
    rustix::fs::unlinkat(from, temporary, AtFlags::empty())
}

/// Whether a file holds exactly these bytes.
fn holds(directory: &OwnedFd, name: &OsStr, bytes: &[u8]) -> bool {
    read_regular_at(directory, name, bytes.len() as u64).is_ok_and(|read| *read.bytes == bytes)
}

fn private_file() -> Mode {
    Mode::RUSR | Mode::WUSR
}

pub(super) fn io(what: &'static str, path: &Path, source: std::io::Error) -> TrustDirError {
    TrustDirError::Io { what, path: shown(path), source }
}

fn unconfirmed(what: &'static str, path: &Path, source: std::io::Error) -> TrustDirError {
    TrustDirError::Unconfirmed { what, path: shown(path), source }
}

pub(super) fn failed(what: &'static str, path: &Path, e: Errno) -> TrustDirError {
    match e {
        Errno::LOOP => TrustDirError::Symlink(shown(path)),
        _ => io(what, path, e.into()),
    }
}

/// A directory below the trust directory.
pub(super) struct Subdirectory {
    pub(super) fd: OwnedFd,
    /// Those above it in which one was made, from the top. They are not on the disk yet.
    changed: Vec<OwnedFd>,
}

/// Opens a directory below the trust directory, component by component without following links, making what is missing.
pub(super) fn subdirectory(dir: &TrustDir, root: &OwnedFd, relative: &Path) -> Result<Subdirectory, TrustDirError> {
    let mut place = dir.path().to_owned();
    let mut fd = root.try_clone().map_err(|e| TrustDirError::Io { what: "open", path: shown(&place), source: e })?;
    let mut changed = Vec::new();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    for part in relative.components() {
        place.push(part);
        let open = || rustix::fs::openat(&fd, part.as_os_str(), flags, Mode::empty());
        let (opened, made) = match open() {
            Err(Errno::NOENT) => match rustix::fs::mkdirat(&fd, part.as_os_str(), Mode::RWXU) {
                Ok(()) => (open(), true),
                Err(Errno::EXIST) => (open(), false),
                Err(e) => return Err(failed("make", &place, e)),
            },
            opened => (opened, false),
        };
        let next = opened.map_err(|e| match e {
            // A link opened as a directory without following it.
            Errno::NOTDIR if place.is_symlink() => TrustDirError::Symlink(shown(&place)),
            e => failed("open", &place, e),
        })?;
        let above = std::mem::replace(&mut fd, next);
        if made {
            changed.push(above);
        }
    }
    Ok(Subdirectory { fd, changed })
}

pub(super) fn metadata_place(gun: &Gun, role: &RoleName) -> (String, String) {
    let base = format!("tuf/{gun}/metadata");
    match role.as_str().rsplit_once('/') {
        Some((parent, name)) => (format!("{base}/{parent}"), format!("{name}.json")),
        None => (base, format!("{role}.json")),
    }
}

/// Who wrote the lock file. It comes from a file, so only a number is believed.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.take(32).read_to_string(&mut text));
    match read.ok().and_then(|_| text.trim().parse::<u32>().ok()) {
        Some(pid) => format!("process {pid}"),
        None => "another process".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_appears_while_a_new_key_is_written_is_not_replaced() {
        let home = tempfile::tempdir().unwrap();
        let fd = OwnedFd::from(File::open(home.path()).unwrap());
        // Both ways, because a file system may know only the second.
        for (way, rename) in [("rename", rename_new as fn(&OwnedFd, &OsStr, &OwnedFd, &str) -> _), ("link", link_new)] {
            let (old, new) = (home.path().join("old"), home.path().join(way));
            fs::write(&old, b"mine").unwrap();
            fs::write(&new, b"theirs").unwrap();
            assert_eq!(rename(&fd, OsStr::new("old"), &fd, way), Err(Errno::EXIST), "{way}");
            assert_eq!((fs::read(&old).unwrap(), fs::read(&new).unwrap()), (b"mine".to_vec(), b"theirs".to_vec()), "{way}");
            fs::remove_file(&new).unwrap();
            assert_eq!(rename(&fd, OsStr::new("old"), &fd, way), Ok(()), "{way}");
            assert_eq!((old.exists(), fs::read(&new).unwrap()), (false, b"mine".to_vec()), "{way}");
        }
    }
}
