//! The transcript of a piece of work: written while it is done, found again if it did not end.
use super::{
    Chain, Entry, Line, Record,
    state::{MAX_RECORD, State, StateError, failed, is_at, reopen, unless_at_work},
};
use jiff::Timestamp;
use std::{fs::File, io::Read as _};

/// A transcript that is being written. While it is, others see that the work is going on.
#[derive(Debug)]
pub struct Transcript {
    state: State,
    id: String,
    chain: Chain,
}

impl Transcript {
    pub(super) fn begun(state: State, id: String, file: File, first: Entry) -> Result<Self, StateError> {
        let chain = Chain::go_on(file).map_err(failed("written", &state.open_path(&id)))?;
        let mut transcript = Self { state, id, chain };
        transcript.say(first)?;
        Ok(transcript)
    }

    /// What it is called.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Writes an entry, which outlives the program but not a power cut.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn say(&mut self, entry: Entry) -> Result<(), StateError> {
        self.chain.append(Timestamp::now(), entry).map_err(failed("written", &self.state.open_path(&self.id)))
    }

    /// Writes an entry, and waits until the disk has it with everything before.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn say_durably(&mut self, entry: Entry) -> Result<(), StateError> {
        self.say(entry)?;
        self.chain.sync().map_err(failed("written", &self.state.open_path(&self.id)))
    }

    /// Writes the last entry, puts it into the journal too, with the hash of the transcript, and files the transcript away.
    ///
    /// # Errors
    /// If one of these cannot be done. What was written stays, and the work is found as unfinished.
    pub fn end(mut self, last: Entry) -> Result<(), StateError> {
        self.say_durably(last.clone())?;
        let mut noted = last;
        noted.insert("work".to_owned(), self.id.clone().into());
        noted.insert("transcript".to_owned(), self.chain.head().into());
        self.state.note(noted)?;
        self.state.file_away(&self.id)
    }

    /// Removes the transcript of work in which nothing was done.
    pub fn forget(self) {
        // If it stays, it is found, and says that nothing was done.
        let _ = std::fs::remove_file(self.state.open_path(&self.id));
    }
}

/// A transcript whose work has not ended, though nobody is at it.
#[derive(Debug, Clone)]
pub struct Found {
    /// What it is called.
    pub id: String,
    /// What it holds, as far as the chain does.
    pub lines: Vec<Line>,
    /// Whether the chain holds to its end.
    pub is_whole: bool,
    state: State,
}

impl Found {
    /// Reads a transcript; none if its work is going on, or if it is none.
    pub(super) fn read(state: &State, id: String) -> Option<Self> {
        let path = state.open_path(&id);
        // Whoever is at work holds the lock.
        let mut file = reopen(&path).ok()?;
        unless_at_work(|| file.try_lock_shared()).ok()?;
        let mut bytes = Vec::new();
        (&mut file).take(MAX_RECORD + 1).read_to_end(&mut bytes).ok()?;
        let too_long = bytes.len() as u64 > MAX_RECORD;
        let Record { lines, broken, .. } = Record::read(&bytes);
        Some(Self { id, lines, is_whole: broken.is_none() && !too_long, state: state.clone() })
    }

    /// Goes on with it.
    ///
    /// # Errors
    /// If it cannot be written, or somebody else has gone on with it.
    pub fn take(&self) -> Result<Transcript, StateError> {
        let path = self.state.open_path(&self.id);
        let gone = || failed("taken up", &path)(std::io::Error::other("somebody else has taken it up or ended it"));
        let file = reopen(&path)?;
        if unless_at_work(|| file.try_lock()).is_err() || !is_at(&file, &path) {
            return Err(gone());
        }
        let chain = Chain::go_on(file).map_err(failed("read", &path))?;
        Ok(Transcript { state: self.state.clone(), id: self.id.clone(), chain })
    }
}
