//! A registry's directory. Content lies under its digest, and small files say what belongs to a repository:
//!
//! ```text
//! blobs/DIGITS                       content
//! repositories/NAME/blobs/DIGITS     empty: the repository has this blob
//! repositories/NAME/manifests/DIGITS the media type: the repository has this manifest
//! repositories/NAME/tags/TAG         the digest that the tag stands for
//! temporary/N                        being written; nothing there was ever answered for
//! ```
//!
//! `NAME` has `+` for `/`, which no name holds. Each file is written elsewhere, brought to the disk, renamed into its place,
//! and the place is brought to the disk: so each is there whole or not at all, and what the next step refers to is there
//! before it. A crash between two steps leaves something that nothing refers to, which the next start takes away.
use super::{
    manifest::Kind,
    store::{Content, Repository},
};
use crate::registry::{Digest, Name, Tag};
use rustix::fs::FlockOperation;
use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    fs::{DirBuilder, File, OpenOptions},
    io::{ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

const BLOBS: &str = "blobs";
const MANIFESTS: &str = "manifests";
const TAGS: &str = "tags";
const REPOSITORIES: &str = "repositories";
const TEMPORARY: &str = "temporary";

/// A directory that no other registry uses at the same time.
pub struct Disk {
    path: PathBuf,
    /// Holds the lock as long as it is open.
    _lock: File,
    written: u64,
    waits: bool,
}

/// A registry as it lies on the disk.
#[derive(Default)]
pub struct Found {
    pub repositories: BTreeMap<Name, Repository>,
    pub contents: BTreeMap<Digest, Content>,
    /// Files that cannot be read or make no sense, and why. They stay as they are, and count for nothing.
    pub spoilt: Vec<(PathBuf, String)>,
}

impl Disk {
    /// Opens a directory, makes what is missing in it, and reads what is there.
    pub fn open(path: &Path) -> std::io::Result<(Self, Found)> {
        let path = std::path::absolute(path)?;
        make(&path)?;
        let lock = File::open(&path)?;
        rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|e| match e {
            rustix::io::Errno::WOULDBLOCK => std::io::Error::new(ErrorKind::ResourceBusy, "another registry uses it"),
            e => e.into(),
        })?;
        let temporary = path.join(TEMPORARY);
        match std::fs::remove_dir_all(&temporary) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        for name in [TEMPORARY, BLOBS, REPOSITORIES] {
            make(&path.join(name))?;
        }
        let disk = Self { path, _lock: lock, written: 0, waits: true };
        let found = disk.read()?;
        Ok((disk, found))
    }

    /// Whether what is done from now on waits until the disk has it.
    pub fn wait(&mut self, wait: bool) {
        self.waits = wait;
    }

    /// Keeps content, from now on also through a power cut.
    pub fn put_content(&mut self, digest: &Digest, bytes: &[u8]) -> std::io::Result<Content> {
        let path = self.path.join(BLOBS).join(digest.digits());
        self.put(&path, bytes)?;
        Ok(Content::File { path, size: bytes.len() as u64 })
    }

    /// Takes content away to which nothing refers.
    pub fn remove_content(&mut self, digest: &Digest) -> std::io::Result<()> {
        remove(&self.path.join(BLOBS).join(digest.digits()))
    }

    /// Writes down that a repository has a blob.
    pub fn put_blob(&mut self, name: &Name, digest: &Digest) -> std::io::Result<()> {
        self.put(&self.place(name, BLOBS).join(digest.digits()), b"")
    }

    /// Writes down that a repository has a blob no more.
    pub fn remove_blob(&mut self, name: &Name, digest: &Digest) -> std::io::Result<()> {
        remove(&self.place(name, BLOBS).join(digest.digits()))
    }

    /// Writes down that a repository has a manifest.
    pub fn put_manifest(&mut self, name: &Name, digest: &Digest, kind: Kind) -> std::io::Result<()> {
        self.put(&self.place(name, MANIFESTS).join(digest.digits()), kind.media_type().as_bytes())
    }

    /// Writes down that a repository has a manifest no more.
    pub fn remove_manifest(&mut self, name: &Name, digest: &Digest) -> std::io::Result<()> {
        remove(&self.place(name, MANIFESTS).join(digest.digits()))
    }

    /// Writes down what a tag stands for.
    pub fn put_tag(&mut self, name: &Name, tag: &Tag, digest: &Digest) -> std::io::Result<()> {
        self.put(&self.place(name, TAGS).join(tag.as_str()), digest.as_str().as_bytes())
    }

    /// Writes down that a tag stands for nothing.
    pub fn remove_tag(&mut self, name: &Name, tag: &Tag) -> std::io::Result<()> {
        remove(&self.place(name, TAGS).join(tag.as_str()))
    }

    fn place(&self, name: &Name, what: &str) -> PathBuf {
        self.path.join(REPOSITORIES).join(name.as_str().replace('/', "+")).join(what)
    }

    /// Writes a file whole, in place of one that may be there.
    fn put(&mut self, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
        let directory = path.parent().ok_or(ErrorKind::InvalidInput)?;
        make(directory)?;
        self.written += 1;
        let temporary = self.path.join(TEMPORARY).join(self.written.to_string());
        let written = (|| {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
            file.write_all(bytes)?;
            if self.waits {
                file.sync_all()?;
            }
            std::fs::rename(&temporary, path)
        })();
        if let Err(e) = written {
            // What cannot be taken away now is taken away at the next start.
            let _ = std::fs::remove_file(&temporary);
            return Err(e);
        }
        if self.waits { sync(directory) } else { Ok(()) }
    }

    fn read(&self) -> std::io::Result<Found> {
        let mut found = Found::default();
        for (name, path) in entries(&self.path.join(BLOBS))? {
            let Some(digest) = name.to_str().and_then(Digest::from_digits) else {
                found.spoilt.push((path, NO_NAME.to_owned()));
                continue;
            };
            // Content that a disk has spoilt is not there, and can be pushed again.
            match read_file(&path, super::store::ROOM) {
                Ok(bytes) if Digest::of(&bytes) == digest => {
                    found.contents.insert(digest, Content::File { path, size: bytes.len() as u64 });
                }
                Ok(_) => found.spoilt.push((path, "its content does not have its digest".to_owned())),
                Err(e) => found.spoilt.push((path, e.to_string())),
            }
        }
        for (name, path) in entries(&self.path.join(REPOSITORIES))? {
            let Some(name) = name.to_str().and_then(|n| Name::new(&n.replace('+', "/")).ok()) else {
                found.spoilt.push((path, NO_NAME.to_owned()));
                continue;
            };
            let repository = found.repository(&path);
            found.repositories.insert(name, repository);
        }
        Ok(found)
    }
}

impl Found {
    /// Reads what a repository has. Entries whose content is not there say nothing.
    fn repository(&mut self, path: &Path) -> Repository {
        let mut has = Repository::default();
        for (name, _) in self.entries(&path.join(BLOBS)) {
            has.blobs.extend(self.kept(&name));
        }
        for (name, path) in self.entries(&path.join(MANIFESTS)) {
            let Some(digest) = self.kept(&name) else { continue };
            if let Some(kind) = self.text(&path, "it names no kind of manifest", Kind::of) {
                has.manifests.insert(digest, kind);
            }
        }
        let tags = path.join(TAGS);
        has.tags = tags.is_dir().then(BTreeMap::new);
        for (name, path) in self.entries(&tags) {
            let Some(tag) = name.to_str().and_then(Tag::new) else {
                self.spoilt.push((path, NO_NAME.to_owned()));
                continue;
            };
            let digest = self.text(&path, "it names no digest", Digest::new).filter(|d| has.manifests.contains_key(d));
            if let (Some(tags), Some(digest)) = (&mut has.tags, digest) {
                tags.insert(tag, digest);
            }
        }
        has
    }

    /// The digest whose content is there.
    fn kept(&self, name: &OsStr) -> Option<Digest> {
        name.to_str().and_then(Digest::from_digits).filter(|d| self.contents.contains_key(d))
    }

    fn entries(&mut self, path: &Path) -> Vec<(OsString, PathBuf)> {
        entries(path).unwrap_or_else(|e| {
            self.spoilt.push((path.to_owned(), e.to_string()));
            Vec::new()
        })
    }

    /// What a small file says; if it says nothing that can be understood, it is noted.
    fn text<T>(&mut self, path: &Path, otherwise: &str, read: impl Fn(&str) -> Option<T>) -> Option<T> {
        let why = match read_file(path, SMALL) {
            Ok(bytes) => match std::str::from_utf8(&bytes).ok().and_then(&read) {
                Some(said) => return Some(said),
                None => otherwise.to_owned(),
            },
            Err(e) => e.to_string(),
        };
        self.spoilt.push((path.to_owned(), why));
        None
    }
}

/// What is said of a file whose name stands for nothing.
const NO_NAME: &str = "its name stands for nothing";
/// Most bytes of a file that names something.
const SMALL: u64 = 1 << 10;

/// Reads a file that is one: who opens a pipe waits for somebody to write into it.
fn read_file(path: &Path, limit: u64) -> std::io::Result<Vec<u8>> {
    let about = std::fs::symlink_metadata(path)?;
    match about.is_file() {
        false => Err(std::io::Error::other("it is no file")),
        true if about.len() > limit => Err(std::io::Error::other(format!("it has more than {limit} bytes"))),
        true => std::fs::read(path),
    }
}

/// What lies in a directory that may not be there.
fn entries(path: &Path) -> std::io::Result<Vec<(OsString, PathBuf)>> {
    match std::fs::read_dir(path) {
        Ok(entries) => entries.map(|e| e.map(|e| (e.file_name(), e.path()))).collect(),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(e) => Err(e),
    }
}

/// Makes sure of a directory, down to the disk.
fn make(path: &Path) -> std::io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = path.parent().ok_or(ErrorKind::InvalidInput)?;
    make(above)?;
    match DirBuilder::new().mode(0o700).create(path) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(e),
        _ => sync(above),
    }
}

fn remove(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(e) if e.kind() != ErrorKind::NotFound => Err(e),
        _ => sync(path.parent().ok_or(ErrorKind::InvalidInput)?),
    }
}

/// Brings a directory's entries to the disk.
fn sync(directory: &Path) -> std::io::Result<()> {
    match File::open(directory) {
        Ok(directory) => directory.sync_all(),
        // Nothing was ever put there.
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        Err(e) => Err(e),
    }
}
