//! The directories of old layouts (protocol 1.5). Notary moves the keys in them when it opens the trust directory, and removes
//! them whole: so what matters is everything that lies there, not only keys.
use super::{MAX_KEY_FILE, ReadError, TrustDir, TrustDirError, Writer, shown, write::subdirectory};
use rustix::fs::AtFlags;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// The directories below `private/` that Notary removes.
const OLD: [&str; 3] = ["root_keys", "tuf_keys", "trusted_certificates"];
/// How deep directories are followed.
const MAX_DEPTH: usize = 64;

/// What lies in the directories of old layouts. Paths are relative to the trust directory, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OldFiles {
    /// Regular files that a copy can hold, whatever they are.
    pub files: Vec<PathBuf>,
    /// Links, devices and files that are larger than any key.
    pub others: Vec<PathBuf>,
    /// The directories, each after what is in it.
    directories: Vec<PathBuf>,
}

impl OldFiles {
    /// Whether there are directories with nothing in them, at any depth.
    pub fn has_empty_directories(&self) -> bool {
        let holds = |d: &PathBuf| self.files.iter().chain(&self.others).any(|f| f.starts_with(d));
        self.directories.iter().any(|d| !holds(d))
    }
}

impl TrustDir {
    /// Everything in the directories of old layouts. Follows no link, and fails if something cannot be looked at.
    pub fn old_files(&self) -> Result<OldFiles, TrustDirError> {
        let mut found = OldFiles::default();
        if fs::symlink_metadata(self.private()).is_ok_and(|m| m.is_symlink()) {
            return Err(TrustDirError::Symlink(shown(&self.private())));
        }
        for name in OLD {
            let relative = Path::new("private").join(name);
            match fs::symlink_metadata(self.path().join(&relative)) {
                Ok(m) if m.is_dir() => self.walk_old(relative, 0, &mut found)?,
                Ok(_) => found.others.push(relative),
                Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
                Err(e) => return Err(self.unread(&relative, e)),
            }
        }
        found.files.sort_unstable();
        found.others.sort_unstable();
        Ok(found)
    }

    fn walk_old(&self, relative: PathBuf, depth: usize, found: &mut OldFiles) -> Result<(), TrustDirError> {
        if depth > MAX_DEPTH {
            return Err(self.unread(&relative, io::Error::other("it is nested too deeply")));
        }
        let failed = |e| self.unread(&relative, e);
        for entry in fs::read_dir(self.path().join(&relative)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let below = relative.join(entry.file_name());
            let meta = fs::symlink_metadata(entry.path()).map_err(|e| self.unread(&below, e))?;
            if meta.is_dir() {
                self.walk_old(below, depth + 1, found)?;
            } else if meta.is_file() && meta.len() <= MAX_KEY_FILE {
                found.files.push(below);
            } else {
                found.others.push(below);
            }
        }
        found.directories.push(relative);
        Ok(())
    }

    fn unread(&self, relative: &Path, e: io::Error) -> TrustDirError {
        TrustDirError::Read { path: shown(&self.path().join(relative)), source: ReadError::Io(e) }
    }
}

impl Writer<'_> {
    /// Removes the directories of old layouts in which nothing is left. One that comes back after a power cut is empty, and
    /// nobody misses it or minds it.
    pub fn remove_empty_old_directories(&mut self) -> Result<(), TrustDirError> {
        for directory in self.dir().old_files()?.directories {
            if let (Some(above), Some(name)) = (directory.parent(), directory.file_name()) {
                let fd = subdirectory(self.dir(), self.root(), above)?.fd;
                // Whatever is in it stays, and so does the directory.
                let _ = rustix::fs::unlinkat(&fd, name, AtFlags::REMOVEDIR);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn everything_in_old_directories_is_found_and_only_empty_ones_go() {
        let home = tempfile::tempdir().unwrap();
        let dir = TrustDir::new(home.path());
        let put = |name: &str, bytes: &[u8]| {
            let path = dir.private().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        };
        put("today.key", b"x");
        put("root_keys/notes.txt", b"x");
        put("tuf_keys/a/b/c.key", b"x");
        put("trusted_certificates/x.crt", b"x");
        put("root_keys/large", &vec![0; MAX_KEY_FILE as usize + 1]);
        put("root_keys/fits", &vec![0; MAX_KEY_FILE as usize]);
        symlink("/etc/passwd", dir.private().join("root_keys/link")).unwrap();
        fs::create_dir_all(dir.private().join("tuf_keys/empty/er")).unwrap();
        let found = dir.old_files().unwrap();
        let names = |paths: &[PathBuf]| paths.iter().map(|p| p.to_str().unwrap().replace("private/", "")).collect::<Vec<_>>();
        assert_eq!(
            names(&found.files),
            ["root_keys/fits", "root_keys/notes.txt", "trusted_certificates/x.crt", "tuf_keys/a/b/c.key"]
        );
        assert_eq!(names(&found.others), ["root_keys/large", "root_keys/link"]);
        assert!(found.has_empty_directories());
        dir.write().unwrap().remove_empty_old_directories().unwrap();
        assert!(!dir.private().join("tuf_keys/empty").exists() && !dir.old_files().unwrap().has_empty_directories());
        assert_eq!(dir.old_files().unwrap().files, found.files);
        fs::remove_file(dir.private().join("tuf_keys/a/b/c.key")).unwrap();
        dir.write().unwrap().remove_empty_old_directories().unwrap();
        assert!(!dir.private().join("tuf_keys").exists() && dir.private().join("root_keys").exists());
    }

    #[test]
    fn a_link_in_the_place_of_private_is_not_called_empty() {
        let home = tempfile::tempdir().unwrap();
        fs::create_dir_all(home.path().join("elsewhere/root_keys")).unwrap();
        symlink(home.path().join("elsewhere"), home.path().join("private")).unwrap();
        assert!(matches!(TrustDir::new(home.path()).old_files(), Err(TrustDirError::Symlink(_))));
        assert_eq!(TrustDir::new("/nonexistent").old_files().unwrap(), OldFiles::default());
    }
}
