//! Cached metadata: which repositories there are, and what is remembered of each.
use super::{ReadError, TrustDir, TrustDirError, read::read_regular, shown};
use crate::{
    text::Untrusted,
    tuf::name::{Gun, RoleName},
};
use std::{
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// How deep directories below `tuf/` are followed: more components than this cannot be in a GUN that fits its limit.
const MAX_DEPTH: usize = crate::tuf::limits::GUN / 2 + 1;
/// Most directories that are looked at below `tuf/`.
const MAX_DIRECTORIES: usize = 1 << 20;

/// A repository that has a place in the cache.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct CachedGun {
    /// Its name.
    pub gun: Gun,
    /// Whether a root is cached. Notary makes the directory even for a command that found nothing.
    pub has_root: bool,
}

/// A directory below `tuf/` that cannot be a repository.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RefusedName {
    /// Its path below `tuf/`.
    pub name: Untrusted,
    /// Why it is none.
    pub why: String,
}

/// What [`TrustDir::guns`] found, each part in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Guns {
    /// The repositories.
    pub guns: Vec<CachedGun>,
    /// What was refused or could not be looked at.
    pub refused: Vec<RefusedName>,
}

impl TrustDir {
    /// The repositories that have a directory `metadata` in the cache. Follows no link.
    pub fn guns(&self) -> Guns {
        let mut out = Guns::default();
        let mut budget = MAX_DIRECTORIES;
        let tuf = self.tuf();
        match tuf.symlink_metadata() {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return out,
            _ => out.directory(&tuf, Path::new(""), 0, &mut budget),
        }
        out.guns.sort_unstable();
        out.refused.sort_unstable();
        out
    }

    /// Roles of which metadata is cached, base roles first. Names that are no roles are passed over. Follows no link.
    pub fn cached_roles(&self, gun: &Gun) -> Vec<RoleName> {
        let dir = self.metadata_dir(gun);
        let mut roles = Vec::new();
        let mut waiting = vec![(dir, String::new(), 0)];
        while let Some((dir, prefix, depth)) = waiting.pop() {
            let Ok(entries) = std::fs::read_dir(&dir) else { continue };
            for entry in entries.flatten() {
                let (Ok(kind), Ok(name)) = (entry.file_type(), entry.file_name().into_string()) else { continue };
                if kind.is_dir() && depth < crate::tuf::limits::ROLE_NAME / 2 {
                    waiting.push((entry.path(), format!("{prefix}{name}/"), depth + 1));
                } else if kind.is_file()
                    && let Some(stem) = name.strip_suffix(".json")
                {
                    roles.extend(RoleName::new(&format!("{prefix}{stem}")));
                }
            }
        }
        roles.sort_by_key(|r| (r.base().is_none(), r.clone()));
        roles
    }

    /// Cached metadata of one role; none if there is none. Reads at most `limit` bytes: a larger file is an error, and
    /// what it holds is not looked at.
    pub fn read_metadata(&self, gun: &Gun, role: &RoleName, limit: u64) -> Result<Option<Vec<u8>>, TrustDirError> {
        let path = self.metadata_path(gun, role);
        match read_regular(&path, limit) {
            Ok(mut opened) => Ok(Some(std::mem::take(&mut *opened.bytes))),
            Err(ReadError::Io(e)) if matches!(e.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
                Ok(None)
            }
            Err(source) => Err(TrustDirError::Read { path: shown(&path), source }),
        }
    }
}

impl Guns {
    fn refuse(&mut self, relative: &Path, why: impl Into<String>) {
        self.refused.push(RefusedName { name: Untrusted::from_bytes(relative.as_os_str().as_bytes()), why: why.into() });
    }

    fn directory(&mut self, path: &Path, relative: &Path, depth: usize, budget: &mut usize) {
        if depth > MAX_DEPTH || *budget == 0 {
            return self.refuse(relative, "directories are nested too deeply, or there are too many; the rest was not looked at");
        }
        *budget -= 1;
        let entries = match std::fs::read_dir(path) {
            Ok(entries) => entries,
            Err(e) => return self.refuse(relative, format!("it cannot be read: {e}")),
        };
        let mut below: Vec<(PathBuf, PathBuf)> = Vec::new();
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(e) => return self.refuse(relative, format!("it cannot be read: {e}")),
            };
            let name = entry.file_name();
            match entry.file_type() {
                Ok(t) if t.is_dir() && name == "metadata" && depth > 0 => self.candidate(relative, &entry.path()),
                Ok(t) if t.is_dir() && name == "changelist" && depth > 0 => {}
                Ok(t) if t.is_dir() => below.push((entry.path(), relative.join(name))),
                Ok(t) if t.is_symlink() && entry.path().is_dir() => {
                    self.refuse(&relative.join(name), "it is a symbolic link, which is not followed");
                }
                _ => {}
            }
        }
        for (path, relative) in below {
            self.directory(&path, &relative, depth + 1, budget);
        }
    }

    fn candidate(&mut self, relative: &Path, metadata: &Path) {
        let name = relative.as_os_str().as_bytes();
        match std::str::from_utf8(name)
            .map_err(|_| "the name is not UTF-8".to_owned())
            .and_then(|n| Gun::new(n).map_err(|e| e.to_string()))
        {
            Ok(gun) => self.guns.push(CachedGun { gun, has_root: metadata.join("root.json").is_file() }),
            Err(why) => self.refuse(relative, why),
        }
    }
}
