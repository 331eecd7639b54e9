//! Finding key files below `private/`, today's and old layouts (protocol 1.2, 1.5).
use super::TrustDir;
use crate::{text::Untrusted, trust_dir::shown, tuf::name::KeyId};
use std::{
    ffi::OsStr,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
};

/// How deep directories are followed.
const MAX_DEPTH: usize = 64;

/// What a found path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FoundKind {
    /// A regular file, as far as the directory says.
    File,
    /// A symbolic link, to a file or a directory. It is not followed.
    Symlink,
    /// A directory, pipe, socket or device with a name that ends in `.key`.
    Other,
}

/// The old layouts, which Notary moves to today's as soon as it opens the directory (protocol 1.5).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Legacy {
    /// The role that the file's name or directory gives: a suffix after the ID, else `root` below `root_keys/`.
    pub role: Option<Untrusted>,
    /// The GUN that the directory below `tuf_keys/` gives.
    pub gun: Option<Untrusted>,
    /// Whether the role is only in the directory's name. Notary's own migration loses it then.
    pub role_from_directory: bool,
}

/// Something below `private/` that is, or is named like, a key file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// Where in the path the part below `private/` begins.
    below: usize,
    /// What it is.
    pub kind: FoundKind,
    /// The ID that the name gives, if it is one: the name without `.key`, in old layouts up to the first `_`.
    pub id: Option<KeyId>,
    /// Set if the file is in an old layout.
    pub legacy: Option<Legacy>,
}

impl Found {
    /// The part of the path below `private/`.
    pub fn relative(&self) -> &Path {
        Path::new(OsStr::from_bytes(self.path.as_os_str().as_bytes().get(self.below..).unwrap_or_default()))
    }
}

/// What stood in the way of a complete walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WalkProblem {
    /// A directory could not be read; what is in it is unknown.
    Unreadable {
        /// Which, printable.
        path: String,
        /// The system's answer.
        why: String,
    },
    /// Others may read or change a directory.
    OpenToOthers {
        /// Which, printable.
        path: String,
        /// Its permission bits.
        mode: u32,
    },
    /// `private` itself is a symbolic link; it was not followed, as Notary does not follow it.
    PrivateIsALink {
        /// Where, printable.
        path: String,
    },
    /// Directories are nested too deeply; what is in this one was not looked at.
    TooDeep {
        /// Which, printable.
        path: String,
    },
}

/// Everything a walk found, in a fixed order (by path, byte by byte).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Walk {
    /// Key files and what is named like one.
    pub found: Vec<Found>,
    /// What stood in the way.
    pub problems: Vec<WalkProblem>,
}

impl TrustDir {
    /// Walks `private/`. Opens no key file and follows no link. A directory that does not exist holds nothing.
    pub fn walk_private(&self) -> Walk {
        let mut found = Vec::new();
        let problems = self.walk_private_with(&mut |f| found.push(f));
        found.sort_unstable_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
        Walk { found, problems }
    }

    /// [`TrustDir::walk_private`] that gives each file as soon as it is found, in no order. Returns what stood in the way.
    pub fn walk_private_with(&self, each: &mut dyn FnMut(Found)) -> Vec<WalkProblem> {
        let private = self.private();
        let mut walk = Walking { below: private.as_os_str().len() + 1, each, problems: Vec::new() };
        match private.symlink_metadata() {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => walk.problems.push(WalkProblem::Unreadable { path: shown(&private), why: e.to_string() }),
            Ok(m) if m.is_symlink() => walk.problems.push(WalkProblem::PrivateIsALink { path: shown(&private) }),
            Ok(m) if !m.is_dir() => {
                let why = "it is not a directory".to_owned();
                walk.problems.push(WalkProblem::Unreadable { path: shown(&private), why });
            }
            Ok(_) => walk.directory(&private, 0),
        }
        walk.problems
    }
}

struct Walking<'a> {
    /// Length of the path of `private/`, with the slash.
    below: usize,
    each: &'a mut dyn FnMut(Found),
    problems: Vec<WalkProblem>,
}

impl Walking<'_> {
    fn directory(&mut self, path: &Path, depth: usize) {
        if depth > MAX_DEPTH {
            self.problems.push(WalkProblem::TooDeep { path: shown(path) });
            return;
        }
        let unreadable = |e: std::io::Error| WalkProblem::Unreadable { path: shown(path), why: e.to_string() };
        match path.symlink_metadata() {
            Ok(m) if m.mode() & 0o077 != 0 => {
                self.problems.push(WalkProblem::OpenToOthers { path: shown(path), mode: m.mode() & 0o7777 });
            }
            _ => {}
        }
        let entries = match std::fs::read_dir(path) {
            Ok(entries) => entries,
            Err(e) => return self.problems.push(unreadable(e)),
        };
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(e) => return self.problems.push(unreadable(e)),
            };
            let name = entry.file_name();
            let named_key = name.as_bytes().ends_with(b".key");
            let kind = match entry.file_type() {
                Ok(t) if t.is_dir() => {
                    self.directory(&entry.path(), depth + 1);
                    FoundKind::Other
                }
                // A link to a directory hides keys whatever its name is.
                Ok(t) if t.is_symlink() && !named_key && entry.path().is_dir() => {
                    self.found(entry.path(), &name, FoundKind::Symlink);
                    continue;
                }
                Ok(t) if t.is_symlink() => FoundKind::Symlink,
                Ok(t) if t.is_file() => FoundKind::File,
                Ok(_) => FoundKind::Other,
                Err(_) => FoundKind::File,
            };
            if named_key {
                self.found(entry.path(), &name, kind);
            }
        }
    }

    fn found(&mut self, path: PathBuf, name: &OsStr, kind: FoundKind) {
        let stem = name.as_bytes().strip_suffix(b".key").and_then(|s| std::str::from_utf8(s).ok());
        let mut found = Found { path, below: self.below, kind, id: None, legacy: None };
        found.legacy = legacy(found.relative(), stem.unwrap_or_default());
        found.id = stem.and_then(|s| {
            let s = if found.legacy.is_some() { s.split_once('_').map_or(s, |(id, _)| id) } else { s };
            KeyId::new(s).ok()
        });
        (self.each)(found);
    }
}

fn legacy(relative: &Path, stem: &str) -> Option<Legacy> {
    if !relative.as_os_str().as_bytes().contains(&b'/') {
        return None;
    }
    let mut parts = relative.components().map(|c| c.as_os_str().as_bytes());
    let first = parts.next()?;
    parts.next()?;
    let suffix = stem.split_once('_').map(|(_, role)| Untrusted::new(role));
    match first {
        b"root_keys" => Some(Legacy {
            role_from_directory: suffix.is_none(),
            role: suffix.or_else(|| Some(Untrusted::new("root"))),
            gun: None,
        }),
        b"tuf_keys" => {
            let gun = relative.parent().and_then(|p| p.strip_prefix("tuf_keys").ok()).filter(|p| !p.as_os_str().is_empty());
            let gun = gun.map(|p| Untrusted::from_bytes(p.as_os_str().as_bytes()));
            Some(Legacy { role: suffix, gun, role_from_directory: false })
        }
        _ => None,
    }
}
