//! Moving keys from old layouts to today's (protocol 1.5). Notary does that too, unasked, and loses what it cannot read, roles
//! that only a directory names, roles with `_` in them, second blocks, and whatever else lies there.
//! Here a key moves only if nothing of it is lost; everything else stays, with the reason.
use super::{KeyEntry, KeyError, KeyRole, list, pem_file, pem_file::PemFile, problem::code, write_new};
use crate::{
    text::Untrusted,
    trust_dir::{MAX_KEY_FILE, OldFiles, ReadError, TrustDir, TrustDirError, read_regular, shown},
    tuf::name::{Gun, KeyId, RoleName},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{DirBuilder, File},
    io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};
use zeroize::Zeroizing;

/// What is wrong with a file that is not moved: it is no key, or something of it would be lost.
const KEEPS_IT: [&str; 10] = [
    code::NAME,
    code::SYMLINK,
    code::NOT_A_FILE,
    code::UNREADABLE,
    code::OVERSIZED,
    code::EMPTY,
    code::DAMAGED,
    code::NOT_A_KEY,
    code::WRONG_CONTENT,
    code::MORE_BLOCKS,
];

/// What would be done with everything in old layouts.
pub struct Migration {
    /// Keys that move.
    pub moves: Vec<Move>,
    /// What stays where it is.
    pub stays: Vec<Stay>,
    /// Whether directories of old layouts are empty, as an interrupted move leaves them.
    pub has_empty_directories: bool,
    /// What the copy holds: every regular file in those directories, because Notary removes them whole.
    files: Vec<PathBuf>,
}

/// A key that moves to `private/<id>.key`. Its encryption is not touched: no passphrase is needed.
pub struct Move {
    /// The key.
    pub id: KeyId,
    /// The role it will be labelled with.
    pub role: Untrusted,
    /// The repository it will be labelled with.
    pub gun: Option<Gun>,
    /// Where it is.
    pub from: PathBuf,
    /// Where it will be.
    pub to: PathBuf,
    old: Zeroizing<Vec<u8>>,
    new: Zeroizing<Vec<u8>>,
    /// The file that is at the new place already and says the same, if there is one.
    there: Option<Zeroizing<Vec<u8>>>,
}

/// A file that stays where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    /// The file.
    pub path: PathBuf,
    /// Why, printable.
    pub why: String,
    /// Whether it is, or is named like, a key.
    pub is_key: bool,
    /// Whether the copy holds it.
    pub is_copied: bool,
}

impl Migration {
    /// Looks at everything in old layouts. Changes nothing.
    pub fn plan(dir: &TrustDir) -> Result<Self, KeyError> {
        let old = dir.old_files()?;
        let has_empty_directories = old.has_empty_directories();
        let OldFiles { files, others, .. } = old;
        let mut stays: BTreeMap<PathBuf, (String, bool)> = BTreeMap::new();
        let mut moves: Vec<Move> = Vec::new();
        for entry in list(dir).entries.into_iter().filter(|e| e.legacy.is_some()) {
            match Move::of(dir, &entry) {
                Ok(found) => moves.push(found),
                Err(why) => drop(stays.insert(entry.path, (why, true))),
            }
        }
        let mut first: BTreeMap<KeyId, &[u8]> = BTreeMap::new();
        let mut differ: BTreeSet<KeyId> = BTreeSet::new();
        for m in &moves {
            if **first.entry(m.id).or_insert(&m.new) != **m.new {
                differ.insert(m.id);
            }
        }
        let (contradicted, moves): (Vec<_>, Vec<_>) = moves.into_iter().partition(|m| differ.contains(&m.id));
        for m in contradicted {
            stays
                .insert(m.from, ("another file in an old layout has the same ID and says something else of it".to_owned(), true));
        }
        let moving: BTreeSet<&Path> = moves.iter().map(|m| m.from.as_path()).collect();
        for path in files.iter().chain(&others).map(|relative| dir.path().join(relative)) {
            if !moving.contains(path.as_path()) {
                stays.entry(path).or_insert_with(|| ("it is no key file".to_owned(), false));
            }
        }
        let copied: BTreeSet<PathBuf> = files.iter().map(|relative| dir.path().join(relative)).collect();
        let stays = stays.into_iter().map(|(path, (why, is_key))| Stay { is_copied: copied.contains(&path), path, why, is_key });
        Ok(Self { stays: stays.collect(), moves, has_empty_directories, files })
    }

    /// How many files the copy will hold.
    pub fn copied(&self) -> usize {
        self.files.len()
    }

    /// Copies every regular file of the old layouts into a new directory, with the same paths below it: down to the disk, and
    /// read back. What moves is copied as it was when it was looked at, or this fails.
    pub fn copy_to(&self, dir: &TrustDir, to: &Path) -> Result<(), KeyError> {
        let failed = |path: &Path, source: io::Error| KeyError::Write { path: shown(path), source };
        let make = |path: &Path| DirBuilder::new().mode(0o700).create(path).map_err(|e| failed(path, e));
        make(to)?;
        let mut made = BTreeSet::from([to.to_owned()]);
        let moving: BTreeMap<&Path, &Move> = self.moves.iter().map(|m| (m.from.as_path(), m)).collect();
        for relative in &self.files {
            let (from, there) = (dir.path().join(relative), to.join(relative));
            let mut above: Vec<&Path> = there.ancestors().skip(1).take_while(|p| *p != to).collect();
            above.reverse();
            for directory in above {
                if made.insert(directory.to_owned()) {
                    make(directory)?;
                }
            }
            let read = read_regular(&from, MAX_KEY_FILE).map_err(|source| KeyError::File { path: shown(&from), source })?;
            if moving.get(from.as_path()).is_some_and(|m| *m.old != *read.bytes) {
                return Err(TrustDirError::Changed(shown(&from)).into());
            }
            write_new(&there, &read.bytes).map_err(|e| failed(&there, e))?;
        }
        // Each file's own directory is on the disk; these are the names of the directories.
        made.iter().rev().filter_map(|d| d.parent()).try_for_each(|d| {
            let d = if d.as_os_str().is_empty() { Path::new(".") } else { d };
            File::open(d).and_then(|d| d.sync_all()).map_err(|e| failed(to, e))
        })
    }
}

impl Move {
    /// How a listed key would move, or why it cannot.
    fn of(dir: &TrustDir, entry: &KeyEntry) -> Result<Self, String> {
        if let Some(problem) = entry.problems.iter().find(|p| KEEPS_IT.contains(&p.code)) {
            return Err(problem.text.clone());
        }
        let id = entry.id.ok_or("the file's name is no key ID")?;
        let read = read_regular(&entry.path, MAX_KEY_FILE).map_err(|e| format!("it cannot be read: {e}"))?;
        let pem = pem_file::parse(&read.bytes).map_err(|e| e.to_string())?;
        let place = entry.legacy.clone().unwrap_or_default();
        let label = |name: &str, of_place: Option<Untrusted>| match (
            pem.header(name).filter(|h| !h.is_empty()).map(Untrusted::new),
            of_place,
        ) {
            (Some(says), Some(place)) if says != place => {
                Err(format!("its label says \"{}\" and its place says \"{}\"", says.shown(), place.shown()))
            }
            (says, place) => Ok(says.or(place)),
        };
        let role = label("role", place.role)?;
        let role = role.ok_or("nothing says which role it has; move it out of private/ and take it with `key import --role`")?;
        let known = KeyRole::parse(role.raw());
        if known.is_err() && RoleName::new(role.raw()).is_err() {
            return Err(format!("\"{}\" is no role and no signer's name", role.shown()));
        }
        // Only these belong to a repository; another key keeps what its own label says.
        let gun = match known.is_ok_and(|r| r.has_gun()) {
            true => {
                let gun = label("gun", place.gun)?
                    .ok_or_else(|| format!("a {} key belongs to a repository, and nothing says to which", role.shown()))?;
                Some(Gun::new(gun.raw()).map_err(|e| format!("\"{}\" cannot be a repository's name: {e}", gun.shown()))?)
            }
            false => None,
        };
        let new = labelled(&pem, role.raw(), gun.as_ref().map(Gun::as_str))?;
        let to = dir.key_path(id);
        let there = match read_regular(&to, MAX_KEY_FILE) {
            Err(ReadError::Io(e)) if e.kind() == io::ErrorKind::NotFound => None,
            Ok(there) if says_the_same(&there.bytes, &new) => Some(there.bytes),
            Ok(_) => {
                return Err(format!(
                    "{} is there already and is another file; `key test` says which of the two opens",
                    shown(&to)
                ));
            }
            Err(e) => return Err(format!("{} is in the way: {e}", shown(&to))),
        };
        Ok(Self { id, role, gun, from: entry.path.clone(), to, old: read.bytes, new, there })
    }

    /// Whether the key is at its new place already, so that only the old file goes.
    pub fn is_there(&self) -> bool {
        self.there.is_some()
    }

    /// The bytes of the file that moves, and those that it is labelled with.
    pub fn bytes(&self) -> (&[u8], &[u8]) {
        (&self.old, &self.new)
    }

    /// Moves it. First the file is labelled where it lies, so that Notary's own move would lose nothing either, whenever
    /// it comes; then it is stored at its new place and read back; and only when the disk has confirmed that, the old file goes.
    pub fn perform(&self, dir: &TrustDir) -> Result<(), KeyError> {
        let mut writer = dir.write()?;
        let there = || read_regular(&self.to, MAX_KEY_FILE).map(|read| read.bytes).ok();
        let mut here = &self.old;
        match &self.there {
            Some(before) if there().is_some_and(|now| *now == **before) => {}
            Some(_) => return Err(TrustDirError::Changed(shown(&self.to)).into()),
            // A file that says the same has moved before this one.
            None if there().is_some_and(|now| *now == *self.new) => {}
            None => {
                if *self.old != *self.new {
                    writer.replace_key(&self.from, &self.old, &self.new)?;
                    here = &self.new;
                }
                writer.create_key(self.id, &self.new)?;
                if there().is_none_or(|now| *now != *self.new) {
                    writer.take_back_key(self.id)?;
                    return Err(KeyError::NotReadBack);
                }
            }
        }
        Ok(writer.remove_key(&self.from, here)?)
    }
}

/// The same block with its labels; nothing else is changed.
fn labelled(pem: &PemFile, role: &str, gun: Option<&str>) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut headers = headers(pem);
    headers.insert("role", role);
    if let Some(gun) = gun {
        headers.insert("gun", gun);
    }
    if headers.iter().any(|(name, value)| !pem_file::header_fits(name) || !pem_file::header_fits(value)) {
        return Err("a label in it cannot be written again".to_owned());
    }
    let headers: Vec<(&str, &str)> = headers.into_iter().collect();
    let text = pem_file::write(&pem.label, &headers, &pem.der);
    let new = Zeroizing::new(text.as_bytes().to_vec());
    let again = pem_file::parse(&new).map_err(|e| e.to_string())?;
    match again.der == pem.der && again.label == pem.label {
        true => Ok(new),
        false => Err("it cannot be written again as it is".to_owned()),
    }
}

/// Of a label that is there twice the last one counts.
fn headers(pem: &PemFile) -> BTreeMap<&str, &str> {
    pem.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

/// Whether two files hold the same block with the same labels.
fn says_the_same(a: &[u8], b: &[u8]) -> bool {
    match (pem_file::parse(a), pem_file::parse(b)) {
        (Ok(a), Ok(b)) => !a.more && !b.more && a.label == b.label && a.der == b.der && headers(&a) == headers(&b),
        _ => false,
    }
}

/// Removes the directories of old layouts in which nothing is left.
pub fn remove_empty_old_directories(dir: &TrustDir) -> Result<(), KeyError> {
    Ok(dir.write()?.remove_empty_old_directories()?)
}
