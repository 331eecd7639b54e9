//! What the registry holds: content by its digest, and repositories that refer to it. In memory, or in memory and in a
//! directory; what is in memory is never ahead of the disk.
use super::{
    answer::Fault,
    disk::{Disk, Found},
    manifest::Kind,
    upload::{Upload, UploadId},
};
use crate::registry::{Digest, Name, Tag};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{Read, Seek, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Most bytes that a registry holds, what is being uploaded among them, if it is not told otherwise.
pub const ROOM: u64 = 1 << 30;
/// What each thing that is kept counts besides its bytes: more than what is remembered about it takes.
pub const EACH: u64 = 1024;
/// Most uploads at a time. One more, and the one to which nothing was added for longest is forgotten: clients that were
/// interrupted leave theirs.
pub const UPLOADS: usize = 256;

/// Content under a digest.
#[derive(Debug, Clone)]
pub enum Content {
    /// In memory.
    Memory(Arc<[u8]>),
    /// On disk.
    File {
        /// Where.
        path: PathBuf,
        /// How much.
        size: u64,
    },
}

impl Content {
    /// How many bytes there are.
    pub fn size(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File { size, .. } => *size,
        }
    }

    /// Reads some of them; the range lies inside the content.
    pub fn read(&self, range: Range<u64>) -> std::io::Result<Vec<u8>> {
        let beyond = || std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        let place = |n: u64| usize::try_from(n).map_err(|_| beyond());
        match self {
            Self::Memory(bytes) => {
                let range = place(range.start)?..place(range.end)?;
                bytes.get(range).map(<[u8]>::to_vec).ok_or_else(beyond)
            }
            Self::File { path, .. } => {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(range.start))?;
                let mut bytes = vec![0; place(range.end.saturating_sub(range.start))?];
                file.read_exact(&mut bytes)?;
                Ok(bytes)
            }
        }
    }

    /// Reads all of it.
    pub fn all(&self) -> std::io::Result<Vec<u8>> {
        self.read(0..self.size())
    }
}

/// What belongs to a repository.
#[derive(Debug, Default)]
pub struct Repository {
    /// Blobs that were pushed or mounted.
    pub blobs: BTreeSet<Digest>,
    /// Manifests.
    pub manifests: BTreeMap<Digest, Kind>,
    /// Tags; none at all is another answer than none left.
    pub tags: Option<BTreeMap<Tag, Digest>>,
}

/// All that a registry holds.
pub struct Store {
    repositories: BTreeMap<Name, Repository>,
    contents: BTreeMap<Digest, Content>,
    /// In the order in which something was last added to them.
    uploads: Vec<(UploadId, Upload)>,
    disk: Option<Disk>,
    /// What lay there and counts for nothing, and why.
    pub spoilt: Vec<(PathBuf, String)>,
    room: u64,
    used: u64,
}

impl Store {
    /// One in memory.
    pub fn in_memory(room: u64) -> Self {
        let (repositories, contents, uploads, spoilt) = Default::default();
        Self { repositories, contents, uploads, disk: None, spoilt, room, used: 0 }
    }

    /// One in a directory, with what is there.
    pub fn on_disk(path: &Path, room: u64) -> std::io::Result<Self> {
        let (disk, Found { repositories, contents, spoilt }) = Disk::open(path)?;
        let mut store = Self { repositories, contents, spoilt, disk: Some(disk), ..Self::in_memory(room) };
        for digest in store.contents.keys().cloned().collect::<Vec<_>>() {
            store.forget_unused(&digest)?;
        }
        let entries = |r: &Repository| 1 + r.blobs.len() + r.manifests.len() + r.tags.as_ref().map_or(0, BTreeMap::len);
        let entries: usize = store.repositories.values().map(entries).sum();
        store.used = store.contents.values().map(|c| EACH + c.size()).sum::<u64>() + EACH * entries as u64;
        Ok(store)
    }

    /// Whether what is done waits until the disk has it.
    pub fn wait_for_disk(&mut self, wait: bool) {
        if let Some(disk) = &mut self.disk {
            disk.wait(wait);
        }
    }

    /// The names of all repositories, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.repositories.keys().map(Name::as_str)
    }

    /// The tags of a repository that has ever had one, sorted as bytes are.
    pub fn tags(&self, name: &Name) -> Option<impl Iterator<Item = &str>> {
        Some(self.repositories.get(name)?.tags.as_ref()?.keys().map(Tag::as_str))
    }

    /// A blob of a repository.
    pub fn blob(&self, name: &Name, digest: &Digest) -> Option<Content> {
        let has = self.repositories.get(name)?.blobs.contains(digest);
        has.then(|| self.contents.get(digest).cloned())?
    }

    /// A manifest of a repository.
    pub fn manifest(&self, name: &Name, digest: &Digest) -> Option<(Kind, Content)> {
        let kind = self.repositories.get(name)?.manifests.get(digest)?;
        Some((*kind, self.contents.get(digest)?.clone()))
    }

    /// What a tag stands for.
    pub fn tagged(&self, name: &Name, tag: &Tag) -> Option<Digest> {
        self.repositories.get(name)?.tags.as_ref()?.get(tag).cloned()
    }

    /// Keeps a blob.
    pub fn put_blob(&mut self, name: &Name, digest: &Digest, bytes: Vec<u8>) -> Result<(), Fault> {
        self.put_content(digest, bytes)?;
        self.or_forget(digest, |store| store.link_blob(name, digest))
    }

    /// Takes a blob of one repository over into another; false if there is none.
    pub fn mount(&mut self, from: &Name, name: &Name, digest: &Digest) -> Result<bool, Fault> {
        match self.blob(from, digest) {
            Some(_) => self.link_blob(name, digest).map(|()| true),
            None => Ok(false),
        }
    }

    /// Keeps a manifest, and what a tag stands for from now on.
    pub fn put_manifest(
        &mut self,
        name: &Name,
        tag: Option<&Tag>,
        digest: &Digest,
        kind: Kind,
        bytes: &[u8],
    ) -> Result<(), Fault> {
        self.put_content(digest, bytes.to_vec())?;
        self.or_forget(digest, |store| store.link_manifest(name, digest, kind))?;
        tag.map_or(Ok(()), |tag| store_tag(self, name, tag, digest))
    }

    /// Takes a blob out of a repository; false if there is none.
    pub fn remove_blob(&mut self, name: &Name, digest: &Digest) -> Result<bool, Fault> {
        let Some(repository) = self.repositories.get_mut(name).filter(|r| r.blobs.contains(digest)) else { return Ok(false) };
        if let Some(disk) = &mut self.disk {
            disk.remove_blob(name, digest).map_err(|_| Fault::disk())?;
        }
        repository.blobs.remove(digest);
        self.used = self.used.saturating_sub(EACH);
        self.forget_unused(digest).map_err(|_| Fault::disk())?;
        Ok(true)
    }

    /// Takes a manifest out of a repository, and the tags that stand for it; false if there is none.
    pub fn remove_manifest(&mut self, name: &Name, digest: &Digest) -> Result<bool, Fault> {
        let Some(repository) = self.repositories.get_mut(name).filter(|r| r.manifests.contains_key(digest)) else {
            return Ok(false);
        };
        let tags = repository.tags.iter().flatten().filter(|(_, d)| *d == digest).map(|(t, _)| t.clone()).collect::<Vec<_>>();
        // Tags first: none ever stands for a manifest that is not there.
        for tag in tags {
            if let Some(disk) = &mut self.disk {
                disk.remove_tag(name, &tag).map_err(|_| Fault::disk())?;
            }
            repository.tags.as_mut().and_then(|tags| tags.remove(&tag));
            self.used = self.used.saturating_sub(EACH);
        }
        if let Some(disk) = &mut self.disk {
            disk.remove_manifest(name, digest).map_err(|_| Fault::disk())?;
        }
        repository.manifests.remove(digest);
        self.used = self.used.saturating_sub(EACH);
        self.forget_unused(digest).map_err(|_| Fault::disk())?;
        Ok(true)
    }

    /// Begins an upload.
    pub fn start_upload(&mut self, id: UploadId, upload: Upload) -> Result<(), Fault> {
        if self.uploads.len() >= UPLOADS {
            let (_, forgotten) = self.uploads.remove(0);
            self.used = self.used.saturating_sub(EACH + forgotten.size());
        }
        self.take_room(EACH)?;
        self.uploads.push((id, upload));
        Ok(())
    }

    /// An upload.
    pub fn upload(&self, id: &UploadId) -> Option<&Upload> {
        self.uploads.iter().find(|(i, _)| i == id).map(|(_, u)| u)
    }

    /// Adds to an upload that is there.
    pub fn append(&mut self, id: &UploadId, bytes: &[u8]) -> Result<(), Fault> {
        self.take_room(bytes.len() as u64)?;
        if let Some(place) = self.uploads.iter().position(|(i, _)| i == id) {
            let (id, mut upload) = self.uploads.remove(place);
            upload.append(bytes);
            self.uploads.push((id, upload));
        }
        Ok(())
    }

    /// Ends an upload, and gives what it has brought. Its bytes need no more room.
    pub fn end_upload(&mut self, id: &UploadId) -> Option<Upload> {
        let place = self.uploads.iter().position(|(i, _)| i == id)?;
        let (_, upload) = self.uploads.remove(place);
        self.used = self.used.saturating_sub(EACH + upload.size());
        Some(upload)
    }

    fn take_room(&mut self, bytes: u64) -> Result<(), Fault> {
        let used = self.used.saturating_add(bytes);
        if used > self.room {
            return Err(Fault::full(self.room));
        }
        self.used = used;
        Ok(())
    }

    /// Takes room for something, does it, and gives the room back if it did not succeed.
    fn in_room<T>(&mut self, bytes: u64, act: impl FnOnce(&mut Self) -> std::io::Result<T>) -> Result<T, Fault> {
        self.take_room(bytes)?;
        act(self).map_err(|_| {
            self.used = self.used.saturating_sub(bytes);
            Fault::disk()
        })
    }

    fn put_content(&mut self, digest: &Digest, bytes: Vec<u8>) -> Result<(), Fault> {
        if self.contents.contains_key(digest) {
            return Ok(());
        }
        let content = self.in_room(EACH + bytes.len() as u64, |store| match &mut store.disk {
            Some(disk) => disk.put_content(digest, &bytes),
            None => Ok(Content::Memory(bytes.into())),
        })?;
        self.contents.insert(digest.clone(), content);
        Ok(())
    }

    fn repository(&mut self, name: &Name) -> Result<&mut Repository, Fault> {
        if !self.repositories.contains_key(name) {
            self.take_room(EACH)?;
        }
        Ok(self.repositories.entry(name.clone()).or_default())
    }

    fn link_blob(&mut self, name: &Name, digest: &Digest) -> Result<(), Fault> {
        if self.repository(name)?.blobs.contains(digest) {
            return Ok(());
        }
        self.in_room(EACH, |store| store.disk.as_mut().map_or(Ok(()), |disk| disk.put_blob(name, digest)))?;
        self.repository(name)?.blobs.insert(digest.clone());
        Ok(())
    }

    fn link_manifest(&mut self, name: &Name, digest: &Digest, kind: Kind) -> Result<(), Fault> {
        let known = self.repository(name)?.manifests.get(digest).copied();
        if known == Some(kind) {
            return Ok(());
        }
        let room = if known.is_some() { 0 } else { EACH };
        self.in_room(room, |store| store.disk.as_mut().map_or(Ok(()), |disk| disk.put_manifest(name, digest, kind)))?;
        self.repository(name)?.manifests.insert(digest.clone(), kind);
        Ok(())
    }

    /// Does something for content that was just stored, which must not stay if that fails.
    fn or_forget(&mut self, digest: &Digest, act: impl FnOnce(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        act(self).inspect_err(|_| {
            // If this fails too, the next start does it.
            let _ = self.forget_unused(digest);
        })
    }

    /// Takes content away that no repository refers to.
    fn forget_unused(&mut self, digest: &Digest) -> std::io::Result<()> {
        if self.repositories.values().any(|r| r.blobs.contains(digest) || r.manifests.contains_key(digest)) {
            return Ok(());
        }
        if let Some(disk) = &mut self.disk {
            disk.remove_content(digest)?;
        }
        if let Some(content) = self.contents.remove(digest) {
            self.used = self.used.saturating_sub(EACH + content.size());
        }
        Ok(())
    }
}

fn store_tag(store: &mut Store, name: &Name, tag: &Tag, digest: &Digest) -> Result<(), Fault> {
    let known = store.tagged(name, tag);
    if known.as_ref() == Some(digest) {
        return Ok(());
    }
    let room = if known.is_some() { 0 } else { EACH };
    store.in_room(room, |store| store.disk.as_mut().map_or(Ok(()), |disk| disk.put_tag(name, tag, digest)))?;
    store.repository(name)?.tags.get_or_insert_default().insert(tag.clone(), digest.clone());
    Ok(())
}
