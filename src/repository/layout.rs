//! An OCI image layout: a directory with an index, and content in files that are named by their digests. Whoever has written
//! it is not believed: nothing is followed out of it, and a file that is not what its name says is not sent to its end.
use crate::{
    registry::{
        Digest, Hasher, Pieces, Reading,
        document::{self, Document, Part},
        manifest::BYTES,
    },
    text::Untrusted,
    trust_dir::{ReadError, open_regular, read_regular, shown},
};
use std::{
    ffi::OsStr,
    fs::File,
    io::{self, Read as _},
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Most bytes of the file that says that it is a layout.
const MARK: u64 = 4096;
/// How much of a file is read at a time.
const PIECE: usize = 64 << 10;
/// Most names that are listed for whoever has to choose.
const LISTED: usize = 20;

/// Why a layout cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// There is none.
    #[error("{} is no OCI image layout: {why}", shown(.path))]
    None {
        /// What was looked at.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// It has several images, and none was named.
    #[error("{} holds {count} images: {}", shown(.path), .names.join(", "))]
    Several {
        /// The layout.
        path: PathBuf,
        /// How many there are.
        count: usize,
        /// What they go by, of very many only some; printable.
        names: Vec<String>,
    },
    /// It has none that goes by this name.
    #[error("{} holds no image {}; it holds {}", shown(.path), .name.shown(), .names.join(", "))]
    NotThere {
        /// The layout.
        path: PathBuf,
        /// What was asked for.
        name: Untrusted,
        /// What there is, printable.
        names: Vec<String>,
    },
    /// A piece of an image is not what it should be.
    #[error("{what} cannot be sent: {why}")]
    Piece {
        /// The piece.
        what: Digest,
        /// Why.
        why: String,
    },
    /// An image has more pieces than any.
    #[error("the image has more than {} pieces", super::image::PIECES)]
    Endless,
}

impl LayoutError {
    /// What to do next.
    pub fn remedy(&self) -> String {
        match self {
            Self::None { .. } => "Write one, such as with `skopeo copy … oci:DIR:NAME`, and give its directory.".to_owned(),
            Self::Several { .. } | Self::NotThere { .. } => "Name one behind a colon, such as DIR:NAME.".to_owned(),
            Self::Piece { .. } | Self::Endless => "Write the layout anew from where the image comes from.".to_owned(),
        }
    }
}

/// A layout, and the images that its index names.
#[derive(Debug, Clone)]
pub struct Layout {
    path: PathBuf,
    images: Vec<(Option<Untrusted>, Part)>,
}

impl Layout {
    /// Reads the index of a layout.
    ///
    /// # Errors
    /// [`LayoutError::None`].
    pub fn open(path: &Path) -> Result<Self, LayoutError> {
        let none = |why: String| LayoutError::None { path: path.to_owned(), why };
        let file =
            |name: &str, limit| read_regular(&path.join(name), limit).map_err(|e| none(format!("{name} cannot be read: {e}")));
        let mark: serde_json::Value =
            serde_json::from_slice(&file("oci-layout", MARK)?.bytes).map_err(|e| none(format!("oci-layout is no mark: {e}")))?;
        let version = mark.get("imageLayoutVersion").and_then(|v| v.as_str()).unwrap_or_default();
        if !version.starts_with("1.") {
            return Err(none(format!("it is of the version \"{}\", and 1 is known", Untrusted::new(version).shown())));
        }
        // Where a directory is a link, its files are somebody else's.
        for (directory, must_be) in [("blobs", true), ("blobs/sha256", true), ("blobs/sha512", false)] {
            match path.join(directory).symlink_metadata() {
                Ok(found) if found.is_dir() => {}
                Ok(_) => return Err(none(format!("{directory} is no directory"))),
                Err(e) if !must_be && e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(none(format!("{directory} cannot be read: {e}"))),
            }
        }
        let images = document::references(&file("index.json", BYTES)?.bytes).map_err(|why| none(format!("index.json: {why}")))?;
        if images.is_empty() {
            return Err(none("its index names no image".to_owned()));
        }
        Ok(Self { path: path.to_owned(), images })
    }

    /// Opens what was typed, `LAYOUT` or `LAYOUT:NAME`, and finds the image in it that is meant: the only one, or the one that
    /// goes by this name or digest.
    ///
    /// # Errors
    /// [`LayoutError`].
    pub fn find(typed: &Path) -> Result<(Self, Part), LayoutError> {
        let (path, name) = split(typed);
        let layout = Self::open(&path)?;
        let part = layout.image(name.as_ref())?.clone();
        Ok((layout, part))
    }

    fn image(&self, name: Option<&Untrusted>) -> Result<&Part, LayoutError> {
        let path = || self.path.clone();
        match (name, self.images.as_slice()) {
            (None, [(_, only)]) => Ok(only),
            (None, all) => Err(LayoutError::Several { path: path(), count: all.len(), names: self.names() }),
            (Some(name), all) => {
                let is_it = |(own, part): &&(Option<Untrusted>, Part)| {
                    own.as_ref().is_some_and(|own| own.raw() == name.raw()) || part.digest.as_str() == name.raw()
                };
                let mut found = all.iter().filter(is_it).map(|(_, part)| part);
                let first = found.next();
                // The same one may stand there twice.
                match first.filter(|first| found.all(|other| other.digest == first.digest)) {
                    Some(part) => Ok(part),
                    None if first.is_some() => Err(LayoutError::Several { path: path(), count: all.len(), names: self.names() }),
                    None => Err(LayoutError::NotThere { path: path(), name: name.clone(), names: self.names() }),
                }
            }
        }
    }

    /// What its images go by.
    fn names(&self) -> Vec<String> {
        let name = |(name, part): &(Option<Untrusted>, Part)| match name {
            Some(name) => name.shown().to_string(),
            None => part.digest.to_string(),
        };
        let more = self.images.len().checked_sub(LISTED).filter(|n| *n > 0).map(|n| format!("and {n} more"));
        self.images.iter().take(LISTED).map(name).chain(more).collect()
    }

    fn file(&self, digest: &Digest) -> PathBuf {
        let algorithm = digest.as_str().split(':').next().unwrap_or_default();
        self.path.join("blobs").join(algorithm).join(digest.digits())
    }

    /// Reads a manifest, which must be what its digest says.
    ///
    /// # Errors
    /// [`LayoutError::Piece`].
    pub fn manifest(&self, part: &Part) -> Result<(Vec<u8>, Document), LayoutError> {
        let wrong = |why: String| LayoutError::Piece { what: part.digest.clone(), why };
        if !part.digest.is_sha256() {
            return Err(wrong("manifests are signed by SHA-256, and it is named by something else".to_owned()));
        }
        if part.size > BYTES {
            return Err(wrong(format!("it is said to have {} bytes, and no manifest has more than {BYTES}", part.size)));
        }
        let read = read_regular(&self.file(&part.digest), part.size).map_err(|e| wrong(unread(&e)))?;
        let found = Digest::of(&read.bytes);
        if read.bytes.len() as u64 != part.size || found != part.digest {
            return Err(wrong(format!("its file has {} bytes with the digest {found}", read.bytes.len())));
        }
        let document = Document::read(&read.bytes, part.shape).map_err(wrong)?;
        Ok((read.bytes.to_vec(), document))
    }

    /// Whether there is a file for a blob, of its size: what is in it is looked at when it is sent.
    ///
    /// # Errors
    /// [`LayoutError::Piece`].
    pub fn has(&self, part: &Part) -> Result<(), LayoutError> {
        let wrong = |why: String| LayoutError::Piece { what: part.digest.clone(), why };
        let (_, size) = open_regular(&self.file(&part.digest)).map_err(|e| wrong(unread(&e)))?;
        match size == part.size {
            true => Ok(()),
            false => Err(wrong(format!("its file has {size} bytes, and it is said to have {}", part.size))),
        }
    }

    /// A blob, to be sent. `sent` counts its bytes.
    pub fn blob(&self, part: &Part, sent: &Arc<AtomicU64>) -> Blob {
        let (file, digest, size) = (self.file(&part.digest), part.digest.clone(), part.size);
        Blob { file, digest, size, sent: sent.clone(), spoilt: Arc::default() }
    }
}

fn unread(error: &ReadError) -> String {
    match error {
        ReadError::Io(e) if e.kind() == io::ErrorKind::NotFound => "the layout has no file for it".to_owned(),
        ReadError::TooLarge { size, limit } => format!("its file has {size} bytes, and it is said to have {limit}"),
        other => format!("its file cannot be read: {other}"),
    }
}

/// A directory, and what stands behind a colon. A directory may have a colon in its name, and a name may have one too.
fn split(typed: &Path) -> (PathBuf, Option<Untrusted>) {
    let bytes = typed.as_os_str().as_bytes();
    if typed.is_dir() {
        return (typed.to_owned(), None);
    }
    let colons = bytes.iter().enumerate().filter(|(_, b)| **b == b':').map(|(at, _)| at);
    let cut = |at: usize| {
        let (path, name) = (bytes.get(..at)?, bytes.get(at.saturating_add(1)..)?);
        Some((PathBuf::from(OsStr::from_bytes(path)), Untrusted::from_bytes(name)))
    };
    match colons.rev().filter_map(cut).find(|(path, _)| path.is_dir()) {
        Some((path, name)) => (path, Some(name)),
        None => (typed.to_owned(), None),
    }
}

/// A file of a layout that is hashed while it is sent. Its last bytes are not sent unless all of them are what its name says.
pub struct Blob {
    file: PathBuf,
    digest: Digest,
    size: u64,
    sent: Arc<AtomicU64>,
    spoilt: Arc<Mutex<Option<String>>>,
}

impl Blob {
    /// Why it is not what its name says, if that was seen when it was sent.
    pub fn spoilt(&self) -> Option<LayoutError> {
        let why = self.spoilt.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        Some(LayoutError::Piece { what: self.digest.clone(), why })
    }
}

impl Pieces for Blob {
    fn size(&self) -> u64 {
        self.size
    }

    fn begin(&self) -> io::Result<Reading> {
        let spoilt = self.spoilt.clone();
        let fail = move |why: String| {
            *spoilt.lock().unwrap_or_else(PoisonError::into_inner) = Some(why.clone());
            io::Error::other(why)
        };
        let (file, size) = open_regular(&self.file).map_err(|e| fail(unread(&e)))?;
        if size != self.size {
            return Err(fail(format!("its file has {size} bytes, and it is said to have {}", self.size)));
        }
        let (hash, digest, sent) = (Some(self.digest.hasher()), self.digest.clone(), self.sent.clone());
        Ok(Box::new(Hashed { file, hash, digest, left: size, sent, fail }))
    }
}

struct Hashed<F> {
    file: File,
    /// None once it was held against the digest.
    hash: Option<Hasher>,
    digest: Digest,
    left: u64,
    sent: Arc<AtomicU64>,
    fail: F,
}

impl<F: Fn(String) -> io::Error> Hashed<F> {
    /// The next piece; none at the end.
    fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(hash) = &mut self.hash else { return Ok(None) };
        let mut piece = vec![0; usize::try_from(self.left).unwrap_or(PIECE).min(PIECE)];
        self.file.read_exact(&mut piece).map_err(|e| match e.kind() {
            io::ErrorKind::UnexpectedEof => (self.fail)("its file has become shorter while it was read".to_owned()),
            _ => (self.fail)(format!("its file cannot be read: {e}")),
        })?;
        hash.update(&piece);
        self.left = self.left.saturating_sub(piece.len() as u64);
        if self.left == 0 {
            // Nobody gets the end of something else.
            let found = self.hash.take().map(Hasher::finish);
            if let Some(other) = found.filter(|found| *found != self.digest) {
                return Err((self.fail)(format!("its file is something else, with the digest {other}")));
            }
        }
        self.sent.fetch_add(piece.len() as u64, Ordering::Relaxed);
        Ok(Some(piece).filter(|p| !p.is_empty()))
    }
}

impl<F: Fn(String) -> io::Error + Send> Iterator for Hashed<F> {
    type Item = io::Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.read().transpose()
    }
}
