//! Where what is remembered of a trust directory lies: beside it, never in it.
use super::{Chain, Entry, Record, Transcript, entry, unfinished::Found};
use jiff::Timestamp;
use rustix::fs::OFlags;
use sha2::{Digest as _, Sha256};
use std::{
    fs::{DirBuilder, File, Metadata, OpenOptions, TryLockError},
    io::{self, Read as _},
    os::unix::{
        ffi::OsStrExt as _,
        fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    },
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// The journal's file.
const JOURNAL: &str = "journal.jsonl";
/// Transcripts of work that has not ended.
const OPEN: &str = "open";
/// Transcripts of work that has.
const ENDED: &str = "transcripts";
/// Largest record that is read: a transcript of a hundred thousand keys has some 30 MB.
pub(super) const MAX_RECORD: u64 = 256 << 20;
/// What is wrong with a record, or the place of one, that others can write.
const NOT_OURS: &str = "it belongs to another user, or others can write it";
/// How long an entry waits for another program to write its own.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it takes to start a program, on a busy machine.
const AN_INSTANT: Duration = Duration::from_millis(300);
/// How often that is tried meanwhile.
const RETRY: Duration = Duration::from_millis(10);

/// What is remembered of one trust directory: `<state>/<id of the trust directory>/`. Nothing is made before something is
/// to be remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    dir: PathBuf,
    trust_dir: PathBuf,
}

/// Why something could not be remembered.
#[derive(Debug, thiserror::Error)]
#[error("{path} cannot be {what}: {source}")]
pub struct StateError {
    /// What was tried, as a participle.
    pub what: &'static str,
    /// The file or directory.
    pub path: PathText,
    /// What the system says.
    pub source: io::Error,
}

impl StateError {
    /// What to do about it, as a sentence.
    pub fn remedy(&self) -> &'static str {
        match self.source.kind() {
            io::ErrorKind::FileTooLarge => "It has more than claviger writes: look at it, and move it away.",
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                "Make room for it, or name another directory with --state-dir."
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                "Mend its permissions, or name another directory with --state-dir."
            }
            io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory => {
                "Something else is in its place: look at it, and move it away."
            }
            _ => "Look at it and at the disk it is on, or name another directory with --state-dir.",
        }
    }
}

/// A path as it may be printed.
#[derive(Debug)]
pub struct PathText(PathBuf);

impl std::fmt::Display for PathText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        crate::text::path(&self.0).fmt(f)
    }
}

/// An error about a file or directory.
pub(super) fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StateError {
    move |source| StateError { what, path: PathText(path.to_owned()), source }
}

impl State {
    /// That of a trust directory, below the directory for all of them.
    pub fn of(all: &Path, trust_dir: &Path) -> Self {
        let trust_dir = canonical(trust_dir);
        let digest = Sha256::digest(trust_dir.as_os_str().as_bytes());
        let id = base16ct::lower::encode_string(digest.get(..8).unwrap_or_default());
        Self { dir: all.join(id), trust_dir }
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        &self.dir
    }

    /// Reads the journal; an empty one if there is none.
    ///
    /// # Errors
    /// If it cannot be read, or has more than can have been written.
    pub fn read_journal(&self) -> Result<Record, StateError> {
        let path = self.journal();
        match read(&path) {
            Ok(bytes) => Ok(Record::read(&bytes)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Record::read(&[])),
            Err(e) => Err(failed("read", &path)(e)),
        }
    }

    /// The journal's file, which need not be there.
    pub fn journal(&self) -> PathBuf {
        self.dir.join(JOURNAL)
    }

    /// Reads the transcript of a piece of work, ended or not, and says where it lies; none if there is none of this name.
    ///
    /// # Errors
    /// If it cannot be read, or has more than can have been written.
    pub fn read_transcript(&self, id: &str) -> Result<Option<(PathBuf, Record)>, StateError> {
        if !is_name(id) {
            return Ok(None);
        }
        for path in [self.transcript(id), self.open_path(id)] {
            match read(&path) {
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(e) => return Err(failed("read", &path)(e)),
                Ok(bytes) => return Ok(Some((path, Record::read(&bytes)))),
            }
        }
        Ok(None)
    }

    /// Where the transcript of a piece of work that has ended lies.
    pub fn transcript(&self, id: &str) -> PathBuf {
        self.dir.join(ENDED).join(file_name(id))
    }

    /// Writes an entry into the journal, down to the disk.
    ///
    /// # Errors
    /// If the journal cannot be written, or others write into it all the time.
    pub fn note(&self, said: Entry) -> Result<(), StateError> {
        make(&self.dir)?;
        let path = self.journal();
        let file = append_to(&path)?;
        lock(&file, PATIENCE).map_err(failed("locked", &path))?;
        let write = || {
            let mut chain = Chain::go_on(file)?;
            if chain.is_empty() {
                let mut first = entry("opened");
                first.insert("trust_dir".to_owned(), self.trust_dir.to_string_lossy().into());
                chain.append(Timestamp::now(), first)?;
            }
            chain.append(Timestamp::now(), said)?;
            chain.sync()
        };
        write().map_err(failed("written", &path))?;
        sync_directory(&self.dir)
    }

    /// Begins the transcript of a piece of work. It is there until [`Transcript::end`] or [`Transcript::forget`].
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn begin(&self, first: Entry) -> Result<Transcript, StateError> {
        let open = self.dir.join(OPEN);
        make(&open)?;
        let stamp = Timestamp::now().strftime("%Y%m%dT%H%M%SZ");
        for n in 0u32.. {
            let id = format!("{stamp}-{}-{n}", std::process::id());
            let path = open.join(file_name(&id));
            match options().create_new(true).open(&path) {
                Ok(file) => {
                    lock(&file, PATIENCE).map_err(failed("locked", &path))?;
                    // Before it was locked, another program may have taken it for one that was left, and closed it.
                    if is_at(&file, &path) {
                        return Transcript::begun(self.clone(), id, file, first);
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                Err(e) => return Err(failed("made", &path)(e)),
            }
        }
        Err(failed("made", &open)(io::ErrorKind::AlreadyExists.into()))
    }

    /// Pieces of work that were begun here and have not ended, though the program that did them has: the oldest first. What
    /// is at work now is left out, and so are files that are no transcripts. Changes nothing.
    pub fn unfinished(&self) -> Vec<Found> {
        let open = self.dir.join(OPEN);
        if ![&self.dir, &open].into_iter().all(|dir| dir.metadata().is_ok_and(|m| is_ours(&m))) {
            return Vec::new();
        }
        let Ok(entries) = std::fs::read_dir(open) else { return Vec::new() };
        let mut ids: Vec<String> = entries
            .flatten()
            .filter_map(|e| e.file_name().into_string().ok()?.strip_suffix(".jsonl").map(str::to_owned))
            .collect();
        ids.retain(|id| is_name(id));
        ids.sort_unstable();
        ids.into_iter().filter_map(|id| Found::read(self, id)).collect()
    }

    /// What of it others could have written, as a sentence: that is neither believed nor written.
    pub fn distrusted(&self) -> Option<String> {
        let open = self.dir.join(OPEN);
        let transcripts = std::fs::read_dir(&open).into_iter().flatten().flatten().map(|e| e.path());
        let mut all = [self.dir.clone(), open.clone(), self.journal()].into_iter().chain(transcripts);
        let not_ours = all.find(|path| path.symlink_metadata().is_ok_and(|m| !is_ours(&m)))?;
        Some(format!("{} is not believed, and nothing is written there: {NOT_OURS}", PathText(not_ours)))
    }

    /// Where the transcript of a piece of work that has not ended lies.
    pub fn open_path(&self, id: &str) -> PathBuf {
        self.dir.join(OPEN).join(file_name(id))
    }

    /// Moves a transcript to those that have ended.
    pub(super) fn file_away(&self, id: &str) -> Result<(), StateError> {
        let (from, to) = (self.open_path(id), self.transcript(id));
        make(&self.dir.join(ENDED))?;
        std::fs::rename(&from, &to).map_err(failed("moved", &from))?;
        sync_directory(&self.dir.join(ENDED))?;
        sync_directory(&self.dir.join(OPEN))
    }
}

/// Whether a piece of work of ours can be called so: it has nothing in it that leads elsewhere.
fn is_name(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

/// Reads a record, whoever wrote it.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    let file = OpenOptions::new().read(true).custom_flags(flags.cast_signed()).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    let mut bytes = Vec::new();
    file.take(MAX_RECORD + 1).read_to_end(&mut bytes)?;
    match bytes.len() as u64 > MAX_RECORD {
        true => Err(io::ErrorKind::FileTooLarge.into()),
        false => Ok(bytes),
    }
}

fn file_name(id: &str) -> String {
    format!("{id}.jsonl")
}

/// The same path, however somebody got there: what is there of it without links, and the rest as it is.
fn canonical(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    for above in path.ancestors() {
        if let (Ok(there), Ok(rest)) = (above.canonicalize(), path.strip_prefix(above)) {
            return there.components().chain(rest.components()).collect();
        }
    }
    path
}

fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY).bits();
    options.read(true).append(true).mode(0o600).custom_flags(flags.cast_signed());
    options
}

/// Opens a record for going on with it, or beginning it.
fn append_to(path: &Path) -> Result<File, StateError> {
    regular(options().create(true).open(path)).map_err(failed("opened", path))
}

/// Opens a record that is there for going on with it.
pub(super) fn reopen(path: &Path) -> Result<File, StateError> {
    regular(options().open(path)).map_err(failed("opened", path))
}

/// Whether this is the file that has the name.
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    let (open, there) = (file.metadata(), path.symlink_metadata());
    matches!((open, there), (Ok(a), Ok(b)) if (a.dev(), a.ino()) == (b.dev(), b.ino()))
}

fn regular(opened: io::Result<File>) -> io::Result<File> {
    let file = opened?;
    let m = file.metadata()?;
    match m.is_file() {
        true if is_ours(&m) => Ok(file),
        true => Err(io::Error::other(NOT_OURS)),
        false => Err(io::Error::other("it is no regular file")),
    }
}

/// Whether nobody else could have written it: what a record says is believed.
fn is_ours(m: &Metadata) -> bool {
    m.uid() == rustix::process::geteuid().as_raw() && m.mode() & 0o022 == 0
}

/// Takes the lock of a file, which goes when the file is closed.
fn lock(file: &File, patience: Duration) -> io::Result<()> {
    patiently(patience, || file.try_lock())
}

/// Takes a lock of a record, exclusive or shared, unless somebody is at work on it. A program that is just being started by
/// another thread here has a copy of every open file for an instant: that is nobody's work.
pub(super) fn unless_at_work(lock: impl Fn() -> Result<(), TryLockError>) -> io::Result<()> {
    patiently(AN_INSTANT, lock)
}

fn patiently(patience: Duration, lock: impl Fn() -> Result<(), TryLockError>) -> io::Result<()> {
    let until = Instant::now() + patience;
    loop {
        match lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if Instant::now() < until => std::thread::sleep(RETRY),
            Err(TryLockError::WouldBlock) => return Err(io::Error::other("another program holds it")),
            Err(TryLockError::Error(e)) => return Err(e),
        }
    }
}

/// Makes a directory that only its owner can enter, and those above it, down to the disk.
fn make(dir: &Path) -> Result<(), StateError> {
    match dir.metadata() {
        Ok(m) if m.is_dir() && is_ours(&m) => return Ok(()),
        Ok(m) if m.is_dir() => return Err(failed("used", dir)(io::Error::other(NOT_OURS))),
        _ => {}
    }
    let missing: Vec<&Path> = dir.ancestors().take_while(|p| p.symlink_metadata().is_err()).collect();
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(failed("made", dir))?;
    missing.iter().filter_map(|made| made.parent()).try_for_each(sync_directory)
}

fn sync_directory(dir: &Path) -> Result<(), StateError> {
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    File::open(dir).and_then(|d| d.sync_all()).map_err(failed("confirmed", dir))
}
