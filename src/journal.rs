//! The one kind of record: lines of JSON, each with the hash of the line before, so that nothing in the middle can be
//! changed or left out unseen. The journal of a trust directory is such a file, and so is the transcript of each piece of work.
//!
//! A line is `{"seq":N,"at":TIME,"prev":HEX,"event":…,…}`; `prev` is the SHA-256 of the line before without its end, in
//! hexadecimal digits, and 64 zeros in the first line. `sed -n 3p FILE | tr -d '\n' | sha256sum` gives the fourth line's.
//! A line that a power cut left unfinished stays: the next one says so.
pub mod event;
mod state;
mod unfinished;

pub use state::{State, StateError};
pub use unfinished::{Found, Transcript};

use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
};

/// What an entry says, by name. `event` is what kind it is.
pub type Entry = Map<String, Value>;

/// The names in a line that belong to the chain.
const LINKS: [&str; 3] = ["seq", "at", "prev"];
/// The event that says that the line before is unfinished.
const TORN: &str = "torn";
/// How much of a file's end is looked at for its last line, at first.
const TAIL: u64 = 1 << 20;

/// An entry with its place in the chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its number, from one.
    pub seq: u64,
    /// When it was written, by the clock of that machine.
    pub at: Timestamp,
    /// What it says.
    pub entry: Entry,
}

impl Line {
    /// A text in it; empty if there is none of this name.
    pub fn text(&self, name: &str) -> &str {
        self.entry.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// What kind of entry it is.
    pub fn event(&self) -> &str {
        self.text("event")
    }
}

/// What a record holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Record {
    /// Its entries, as far as the chain holds.
    pub lines: Vec<Line>,
    /// The hash of the last line, which says everything before it.
    pub head: String,
    /// Where the chain does not hold, and why; nothing after that is in `lines`.
    pub broken: Option<(u64, String)>,
    /// Whether its last line is unfinished, as after a power cut.
    pub torn: bool,
}

impl Record {
    /// Reads a record and follows its chain.
    pub fn read(bytes: &[u8]) -> Self {
        let mut record = Self { head: first(), ..Self::default() };
        let mut torn_before = false;
        for (seq, line) in (1..).zip(bytes.split_inclusive(|b| *b == b'\n')) {
            let Some(line) = line.strip_suffix(b"\n") else {
                record.torn = true;
                break;
            };
            match parse(line) {
                Ok((link, prev)) => {
                    let wrong = if link.seq != seq {
                        Some(format!("it says that it is line {}", link.seq))
                    } else if prev != record.head {
                        // One of the two was changed, and nobody can tell which.
                        if !torn_before {
                            record.lines.pop();
                        }
                        Some("it does not follow from the line before it, which is not shown either".to_owned())
                    } else if torn_before != (link.event() == TORN) {
                        Some("the line before it cannot be read".to_owned())
                    } else {
                        None
                    };
                    if let Some(why) = wrong {
                        record.broken = Some((seq, why));
                        return record;
                    }
                    torn_before = false;
                    record.lines.push(link);
                }
                // The next line that can be read must say so, and follow from it: power cuts may come one after the other.
                Err(_) => torn_before = true,
            }
            record.head = hash(line);
        }
        if torn_before {
            record.broken = Some((record.lines.last().map_or(1, |l| l.seq + 1), "it cannot be read".to_owned()));
        }
        record
    }
}

/// A record that is being written.
#[derive(Debug)]
pub struct Chain {
    file: File,
    seq: u64,
    head: String,
}

impl Chain {
    /// Goes on with a record, or begins one in an empty file. The file is open for reading and appending, and nobody else
    /// writes to it.
    pub fn go_on(mut file: File) -> io::Result<Self> {
        let mut tail = tail(&mut file)?;
        let mut chain = Self { file, seq: 0, head: first() };
        if tail.is_empty() {
            return Ok(chain);
        }
        let torn = !tail.ends_with(b"\n");
        if torn {
            chain.file.write_all(b"\n")?;
        } else {
            tail.pop();
        }
        let lines: Vec<&[u8]> = tail.split(|b| *b == b'\n').collect();
        let mut unread = 0;
        for line in lines.iter().rev() {
            if let Ok((link, _)) = parse(line) {
                chain.seq = link.seq;
                break;
            }
            unread += 1;
        }
        chain.seq += unread;
        chain.head = hash(lines.last().copied().unwrap_or_default());
        if unread > 0 {
            chain.append(Timestamp::now(), entry(TORN))?;
        }
        Ok(chain)
    }

    /// Writes an entry. It is on the disk after [`Self::sync`].
    pub fn append(&mut self, at: Timestamp, entry: Entry) -> io::Result<()> {
        let seq = self.seq + 1;
        let mut line = Map::new();
        for (name, value) in LINKS.into_iter().zip([seq.into(), at.to_string().into(), self.head.clone().into()]) {
            line.insert(name.to_owned(), value);
        }
        line.extend(entry.into_iter().filter(|(name, _)| !LINKS.contains(&name.as_str())));
        let mut text = serde_json::to_vec(&Value::Object(line))?;
        let head = hash(&text);
        text.push(b'\n');
        let end = self.file.seek(SeekFrom::End(0))?;
        // One call, so that a kill leaves all of it or nothing; a full disk may take a part of it, which goes.
        self.file.write_all(&text).inspect_err(|_| drop(self.file.set_len(end)))?;
        (self.seq, self.head) = (seq, head);
        Ok(())
    }

    /// Waits until the disk has everything.
    pub fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// The hash of the last line.
    pub fn head(&self) -> &str {
        &self.head
    }

    /// How many lines there are.
    pub fn len(&self) -> u64 {
        self.seq
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.seq == 0
    }
}

/// An entry of this kind that says nothing else yet.
pub fn entry(event: &str) -> Entry {
    Map::from_iter([("event".to_owned(), event.into())])
}

/// An entry of this kind that says these things.
pub fn saying<const N: usize>(event: &str, what: [(&str, Value); N]) -> Entry {
    let mut entry = entry(event);
    entry.extend(what.map(|(name, value)| (name.to_owned(), value)));
    entry
}

/// The end of a file, with at least its last whole line.
fn tail(file: &mut File) -> io::Result<Vec<u8>> {
    let end = file.seek(SeekFrom::End(0))?;
    let mut length = TAIL;
    loop {
        let start = end.saturating_sub(length);
        file.seek(SeekFrom::Start(start))?;
        let mut tail = Vec::new();
        file.take(end - start).read_to_end(&mut tail)?;
        if start == 0 || tail.split(|b| *b == b'\n').skip(1).any(|line| parse(line).is_ok()) {
            return Ok(tail);
        }
        length = length.saturating_mul(2);
    }
}

/// What the first line follows.
fn first() -> String {
    "0".repeat(64)
}

fn hash(line: &[u8]) -> String {
    base16ct::lower::encode_string(&Sha256::digest(line))
}

/// A line, and the hash that it says the line before has.
fn parse(line: &[u8]) -> Result<(Line, String), String> {
    let mut entry: Entry = serde_json::from_slice(line).map_err(|_| "it cannot be read".to_owned())?;
    let mut take = |name| entry.remove(name).ok_or_else(|| format!("it has no {name}"));
    let (seq, at, prev) = (take("seq")?, take("at")?, take("prev")?);
    let seq = seq.as_u64().ok_or("its seq is no number")?;
    let at = at.as_str().and_then(|t| t.parse().ok()).ok_or("its time cannot be read")?;
    let prev = prev.as_str().ok_or("its prev is no hash")?.to_owned();
    Ok((Line { seq, at, entry }, prev))
}

#[cfg(test)]
mod tests;
