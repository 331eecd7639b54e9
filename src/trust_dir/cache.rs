//! Cached metadata: which repositories there are, and what is remembered of each.
use super::{ReadError, TrustDir, TrustDirError, read::read_regular_at, shown};
use crate::{
    text::Untrusted,
    tuf::name::{BaseRole, Gun, RoleName},
};
use rustix::{
    fs::{AtFlags, Dir, FileType, Mode, OFlags, open, openat, statat},
    io::Errno,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    os::{fd::OwnedFd, unix::ffi::OsStrExt},
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
    /// Whether there is, or may be, a cached root: it counts even if it cannot be read. Notary makes the directory even
    /// for a command that found nothing.
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
            Ok(m) if m.is_symlink() => out.refuse(Path::new("tuf"), "it is a symbolic link, which is not followed"),
            _ => out.directory(&tuf, Path::new(""), 0, &mut budget),
        }
        out.guns.sort_unstable();
        out.refused.sort_unstable();
        out
    }

    /// Roles of which metadata is cached, base roles first. Names that are no roles are passed over, whatever stands under
    /// the name of a role is listed, even if it cannot be read. Follows no link.
    ///
    /// # Errors
    /// If a directory that may hold more cannot be read: then nobody knows what is remembered.
    pub fn cached_roles(&self, gun: &Gun) -> Result<Vec<RoleName>, TrustDirError> {
        let mut roles = Vec::new();
        let mut waiting = vec![String::new()];
        while let Some(prefix) = waiting.pop() {
            let path: PathBuf = self.metadata_dir(gun).join(&prefix).components().collect();
            let failed = |e: Errno| unreadable(&path, ReadError::Io(e.into()));
            let Some(fd) = self.open_below(&path)? else { continue };
            for entry in Dir::read_from(&fd).map_err(failed)? {
                let entry = entry.map_err(failed)?;
                let Ok(name) = entry.file_name().to_str() else { continue };
                if matches!(name, "." | "..") {
                    continue;
                }
                let kind = match entry.file_type() {
                    // Not every file system says it in its directories.
                    FileType::Unknown => match statat(&fd, name, AtFlags::SYMLINK_NOFOLLOW) {
                        Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                        Err(Errno::NOENT) => continue,
                        Err(e) => return Err(failed(e)),
                    },
                    kind => kind,
                };
                let below = format!("{prefix}{name}/");
                if kind == FileType::Directory {
                    if below.matches('/').count() <= crate::tuf::limits::ROLE_NAME / 2 {
                        waiting.push(below);
                    }
                } else if let Some(stem) = name.strip_suffix(".json") {
                    roles.extend(RoleName::new(&format!("{prefix}{stem}")));
                } else if kind == FileType::Symlink && below.starts_with("targets/") {
                    // Delegations may lie behind it.
                    return Err(unreadable(&path.join(name), ReadError::Symlink));
                }
            }
        }
        roles.sort_by_key(|r: &RoleName| (r.base().is_none(), r.clone()));
        Ok(roles)
    }

    /// All that is remembered of a repository: the cached file of each role. Empty if it was never met.
    ///
    /// # Errors
    /// Only what is not there counts as not remembered. A file or directory that cannot be read, one with more than
    /// `limit` bytes, a link, or files without a root are errors: to go on would mean to trust whatever comes.
    pub fn remembered(&self, gun: &Gun, limit: u64) -> Result<BTreeMap<RoleName, Vec<u8>>, TrustDirError> {
        let mut files = BTreeMap::new();
        let listed = self.cached_roles(gun)?;
        // The base roles are read whether they were listed or not: a listing that lost a name must not lose the root.
        let base: BTreeSet<RoleName> = BaseRole::ALL.map(RoleName::from).into();
        for role in base.into_iter().chain(listed.iter().filter(|r| r.base().is_none()).cloned()) {
            if let Some(bytes) = self.read_metadata(gun, &role, limit)? {
                files.insert(role, bytes);
            }
        }
        let root = BaseRole::Root.into();
        if files.contains_key(&root) || (files.is_empty() && listed.is_empty()) {
            return Ok(files);
        }
        Err(TrustDirError::RootLost(shown(&self.metadata_dir(gun))))
    }

    /// Cached metadata of one role; none if there is none. Reads at most `limit` bytes: a larger file is an error, and
    /// what it holds is not looked at. Follows no link, in place of the file or of a directory on the way.
    pub fn read_metadata(&self, gun: &Gun, role: &RoleName, limit: u64) -> Result<Option<Vec<u8>>, TrustDirError> {
        let path = self.metadata_path(gun, role);
        let (Some(directory), Some(name)) = (path.parent(), path.file_name().and_then(|n| n.to_str())) else { return Ok(None) };
        let Some(fd) = self.open_below(directory)? else { return Ok(None) };
        match read_regular_at(&fd, name, limit) {
            Ok(mut opened) => Ok(Some(std::mem::take(&mut *opened.bytes))),
            Err(ReadError::Io(e)) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(unreadable(&path, source)),
        }
    }

    /// Opens a directory below the trust directory for reading, component by component without following links; none if
    /// it is not there.
    fn open_below(&self, path: &Path) -> Result<Option<OwnedFd>, TrustDirError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut place = self.path().to_owned();
        // Where the trust directory is, its owner says; that may be a link.
        let mut at = match open(&place, flags, Mode::empty()) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(None),
            Err(e) => return Err(unreadable(&place, ReadError::Io(e.into()))),
        };
        for part in path.strip_prefix(self.path()).into_iter().flat_map(Path::components) {
            place.push(part);
            at = match openat(&at, part.as_os_str(), flags | OFlags::NOFOLLOW, Mode::empty()) {
                Ok(fd) => fd,
                Err(Errno::NOENT) => return Ok(None),
                Err(Errno::LOOP) => return Err(unreadable(&place, ReadError::Symlink)),
                // A link opened as a directory without following it.
                Err(Errno::NOTDIR) if place.is_symlink() => return Err(unreadable(&place, ReadError::Symlink)),
                Err(e) => return Err(unreadable(&place, ReadError::Io(e.into()))),
            };
        }
        Ok(Some(at))
    }
}

fn unreadable(path: &Path, source: ReadError) -> TrustDirError {
    TrustDirError::Read { path: shown(path), source }
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
            Ok(gun) => {
                let root = metadata.join("root.json").symlink_metadata();
                let has_root = !matches!(root, Err(e) if e.kind() == std::io::ErrorKind::NotFound);
                self.guns.push(CachedGun { gun, has_root });
            }
            Err(why) => self.refuse(relative, why),
        }
    }
}
