//! Changes that were staged: `tuf/<gun>/changelist/` (protocol 12.1).
use super::{
    ReadError, TrustDir, TrustDirError, Writer, read_regular, shown,
    write::{failed, subdirectory},
};
use crate::tuf::{name::Gun, staged::CHANGE};
use rustix::fs::AtFlags;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Most changes that are read.
const MOST: usize = 100_000;

/// The name of a staged file, and what is in it or why it cannot be read.
pub type StagedFile = (String, Result<Vec<u8>, String>);

impl TrustDir {
    /// `tuf/<gun>/changelist/`, where changes wait that were staged.
    pub fn changelist_dir(&self, gun: &Gun) -> PathBuf {
        self.tuf().join(gun.as_str()).join("changelist")
    }

    /// What is staged, in the order in which it would be published: names of files, and what is in them. Directories are
    /// passed over, as the old tools do.
    ///
    /// # Errors
    /// If the directory cannot be read. A file that cannot be, or that is too large or a link, is named with the reason: nothing
    /// is published then that may be half of what was meant.
    pub fn staged(&self, gun: &Gun) -> Result<Vec<StagedFile>, TrustDirError> {
        let directory = self.changelist_dir(gun);
        let unreadable = |path: &Path, source| TrustDirError::Read { path: shown(path), source };
        let entries = match fs::read_dir(&directory) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(e) => return Err(unreadable(&directory, ReadError::Io(e))),
            Ok(entries) => entries,
        };
        let mut all = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| unreadable(&directory, ReadError::Io(e)))?;
            let path = entry.path();
            if entry.file_type().is_ok_and(|t| t.is_dir()) {
                continue;
            }
            if all.len() >= MOST {
                let why = io::Error::other("more changes are staged than are read");
                return Err(unreadable(&directory, ReadError::Io(why)));
            }
            let Ok(name) = entry.file_name().into_string() else {
                return Err(unreadable(&path, ReadError::NotAFile));
            };
            let read = read_regular(&path, CHANGE).map(|mut read| std::mem::take(&mut *read.bytes));
            all.push((name, read.map_err(|e| e.to_string())));
        }
        all.sort();
        Ok(all)
    }
}

impl Writer<'_> {
    /// Removes a file that was staged, if it still holds what was read; one that could not be read goes as it is, and what a
    /// link leads to stays.
    ///
    /// # Errors
    /// If it holds something else by now, or cannot be removed.
    pub fn remove_staged(&mut self, gun: &Gun, name: &str, old: Option<&[u8]>) -> Result<(), TrustDirError> {
        let path = self.dir().changelist_dir(gun).join(name);
        let fd = subdirectory(self.dir(), self.root(), Path::new(&format!("tuf/{gun}/changelist")))?.fd;
        if path.symlink_metadata().is_err_and(|e| e.kind() == io::ErrorKind::NotFound) {
            return Ok(());
        }
        if let Some(old) = old {
            self.still_holds(&fd, name.as_ref(), &path, old)?;
        }
        rustix::fs::unlinkat(&fd, name, AtFlags::empty()).map_err(|e| failed("remove", &path, e))?;
        rustix::fs::fsync(&fd).map_err(|e| failed("remove", &path, e))
    }

    /// Stages a change under a name that is not taken.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn stage(&mut self, gun: &Gun, name: &str, bytes: &[u8]) -> Result<(), TrustDirError> {
        self.put(Path::new(&format!("tuf/{gun}/changelist")), name, bytes, false)
    }
}
