//! Forgetting a repository: its cached metadata and what was staged for it, after a copy. Keys are no part of it.
use super::{
    TrustDir, TrustDirError, Writer,
    write::{failed, io, metadata_place, subdirectory},
};
use crate::tuf::name::{Gun, RoleName};
use rustix::{fs::AtFlags, io::Errno};
use std::{
    fs::{self, DirBuilder, File},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

/// What belongs to a repository below its directory; directories beside these belong to other repositories.
const PARTS: [&str; 2] = ["metadata", "changelist"];
/// How deep directories of metadata are copied: as deep as a role's name may be.
const DEPTH: usize = crate::tuf::limits::ROLE_NAME / 2;

impl TrustDir {
    /// Whether anything is here of a repository.
    pub fn knows(&self, gun: &Gun) -> bool {
        // What cannot be looked at may be there.
        let is_not_there =
            |e: &std::io::Error| matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory);
        PARTS.iter().any(|part| self.part(gun, part).symlink_metadata().map_or_else(|e| !is_not_there(&e), |_| true))
    }

    fn part(&self, gun: &Gun, part: &str) -> PathBuf {
        self.tuf().join(gun.as_str()).join(part)
    }

    /// Copies all regular files that are here of a repository into a directory that is made for it, down to the disk. Says
    /// how many.
    ///
    /// # Errors
    /// If one cannot be read or written; what was copied stays.
    pub fn copy_repository(&self, gun: &Gun, to: &Path) -> Result<usize, TrustDirError> {
        let mut copied = 0;
        for part in PARTS {
            let from = self.part(gun, part);
            if from.symlink_metadata().is_ok_and(|m| m.is_dir()) {
                copied += copy(&from, &to.join(part), DEPTH)?;
            }
        }
        Ok(copied)
    }
}

fn copy(from: &Path, to: &Path, depth: usize) -> Result<usize, TrustDirError> {
    let wrong = |what: &'static str, path: &Path| {
        let path = path.to_owned();
        move |source| io(what, &path, source)
    };
    DirBuilder::new().recursive(true).mode(0o700).create(to).map_err(wrong("make", to))?;
    let mut copied = 0;
    for entry in fs::read_dir(from).map_err(wrong("read", from))? {
        let entry = entry.map_err(wrong("read", from))?;
        let (kind, path) = (entry.file_type().map_err(wrong("read", from))?, entry.path());
        let place = to.join(entry.file_name());
        if kind.is_dir() && depth > 0 {
            copied += copy(&path, &place, depth - 1)?;
        } else if kind.is_file() {
            fs::copy(&path, &place).map_err(wrong("copy", &path))?;
            File::open(&place).and_then(|f| f.sync_all()).map_err(wrong("write", &place))?;
            copied += 1;
        }
    }
    File::open(to).and_then(|f| f.sync_all()).map_err(wrong("write", to))?;
    Ok(copied)
}

impl Writer<'_> {
    /// Forgets the cached file of a role.
    ///
    /// # Errors
    /// If it cannot be taken away; it is not one that it was not there.
    pub fn forget_role(&mut self, gun: &Gun, role: &RoleName) -> Result<(), TrustDirError> {
        let (directory, name) = metadata_place(gun, role);
        let fd = subdirectory(self.dir(), self.root(), Path::new(&directory))?.fd;
        match rustix::fs::unlinkat(&fd, &name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(e) => Err(failed("remove", &self.dir().path().join(&directory).join(&name), e)),
        }
    }

    /// Forgets a repository. Each part is gone at once or not at all; what is below it goes afterwards.
    ///
    /// # Errors
    /// If a part cannot be taken away.
    pub fn forget(&mut self, gun: &Gun) -> Result<(), TrustDirError> {
        let home = format!("tuf/{gun}");
        let path = self.dir().path().join(&home);
        if path.symlink_metadata().is_err_and(|e| e.kind() == std::io::ErrorKind::NotFound) {
            return Ok(());
        }
        let directory = subdirectory(self.dir(), self.root(), Path::new(&home))?.fd;
        // What is staged goes first: without a root it could not be published, and with one it might be unasked.
        for part in PARTS.into_iter().rev() {
            let aside = self.aside();
            match rustix::fs::renameat(&directory, part, self.temporary(), &aside) {
                Ok(()) => {}
                Err(Errno::NOENT) => continue,
                Err(e) => return Err(failed("remove", &path.join(part), e)),
            }
            rustix::fs::fsync(&directory).map_err(|e| failed("remove", &path.join(part), e))?;
            // What is left of it here is swept by the next writer.
            let _ = self.sweep_one(&aside);
        }
        // Directories that hold nothing else any more go with it.
        let mut above = path;
        while above != self.dir().tuf() && fs::remove_dir(&above).is_ok() {
            let Some(parent) = above.parent() else { break };
            above = parent.to_owned();
        }
        Ok(())
    }
}
