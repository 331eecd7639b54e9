//! Writing a file for elsewhere that was not there: whole or not there at all, readable by its owner only.
use rustix::{
    fs::{AtFlags, CWD, Mode, OFlags},
    io::Errno,
};
use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    os::fd::AsRawFd as _,
    path::Path,
};
use zeroize::Zeroizing;

/// Writes a file that was not there, down to the disk, and reads it back. A kill at any moment leaves all of it or nothing;
/// if this fails, nothing is left.
pub fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let above = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match unnamed(above, path, bytes) {
        // Not every file system knows files without a name, and they get one only where there is /proc.
        Err(e) if matches!(Errno::from_io_error(&e), Some(Errno::OPNOTSUPP | Errno::ISDIR | Errno::INVAL | Errno::NOENT)) => {
            named(above, path, bytes)?;
        }
        done => done?,
    }
    let mut read = Zeroizing::new(Vec::with_capacity(bytes.len() + 1));
    let durable = File::open(path)
        .and_then(|file| file.take(bytes.len() as u64 + 1).read_to_end(&mut read))
        .and_then(|_| if *read == bytes { Ok(()) } else { Err(io::Error::other("it did not read back as it was written")) })
        .and_then(|()| File::open(above)?.sync_all());
    durable.inspect_err(|_| {
        // It is ours, and perhaps not whole.
        let _ = std::fs::remove_file(path);
    })
}

/// By way of a file that has no name before it is whole.
fn unnamed(above: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::open(above, flags, Mode::RUSR | Mode::WUSR)?);
    file.write_all(bytes)?;
    file.sync_all()?;
    let descriptor = format!("/proc/self/fd/{}", file.as_raw_fd());
    Ok(rustix::fs::linkat(CWD, descriptor, CWD, path, AtFlags::SYMLINK_FOLLOW)?)
}

/// By way of a file with another name, which a kill may leave.
fn named(above: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = tempfile::Builder::new().prefix(".claviger-").tempfile_in(above)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist_noclobber(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_new_file_is_whole_private_and_never_takes_the_place_of_another() {
        let dir = tempfile::tempdir().unwrap();
        for (n, write) in [unnamed, named].into_iter().enumerate() {
            let path = dir.path().join(n.to_string());
            write(dir.path(), &path, b"text").unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), b"text");
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
            assert_eq!(write(dir.path(), &path, b"other").unwrap_err().kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(std::fs::read(&path).unwrap(), b"text");
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 2, "nothing else is left");
        assert!(write_new(&dir.path().join("0"), b"other").is_err());
    }
}
