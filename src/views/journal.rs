//! The journal as it is shown: one row for each piece of work, the newest first, and whether the chain holds.
use crate::{
    journal::{Line, Record, State, StateError, event},
    text::{Printable, Untrusted},
};
use jiff::Timestamp;
use serde_json::{Value, json};

/// A journal.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Journal {
    /// The newest first.
    pub rows: Vec<JournalRow>,
    /// The hash of the last line.
    pub head: String,
    /// What is wrong with the chain, as a sentence.
    pub broken: Option<String>,
}

/// A piece of work in the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct JournalRow {
    /// What it is called.
    pub work: Printable,
    /// The command that does it.
    pub name: Printable,
    /// When it began to change something.
    pub began: Timestamp,
    /// When it ended; none if the journal does not say that it did.
    pub ended: Option<Timestamp>,
    /// How it ended: `done`, `failed`, `stopped`, `found`, `given up`; none if the journal does not say.
    pub outcome: Option<Printable>,
    /// What came of it, or what was being done.
    pub says: Printable,
}

impl Journal {
    /// Reads the journal of a trust directory. Without one nothing was ever done.
    ///
    /// # Errors
    /// If it cannot be read, or has more than can have been written.
    pub fn read(state: &State) -> Result<Self, StateError> {
        Ok(Self::of(&state.read_journal()?))
    }

    fn of(record: &Record) -> Self {
        let mut rows: Vec<JournalRow> = Vec::new();
        for line in &record.lines {
            let work = shown(line, "work");
            match line.event() {
                // It goes on after an interruption.
                event::BEGUN if rows.iter().any(|row| row.work == work && row.ended.is_none()) => {}
                event::BEGUN => rows.push(JournalRow {
                    name: shown(line, "name"),
                    began: line.at,
                    ended: None,
                    outcome: None,
                    says: shown(line, "what"),
                    work,
                }),
                event::END => {
                    let says = ["result", "message", "did_not_happen"].map(|name| line.text(name)).into_iter();
                    let says: Vec<&str> = says.filter(|text| !text.is_empty()).collect();
                    let says = Untrusted::new(says.join("; ")).shown();
                    let row = rows.iter_mut().rev().find(|row| row.work == work && row.ended.is_none());
                    let Some(row) = row else {
                        let (name, outcome) = (shown(line, "name"), Some(shown(line, "outcome")));
                        rows.push(JournalRow { name, began: line.at, ended: Some(line.at), outcome, says, work });
                        continue;
                    };
                    row.ended = Some(line.at);
                    row.outcome = Some(shown(line, "outcome"));
                    // Who stopped it said nothing more.
                    if !says.as_str().is_empty() {
                        row.says = says;
                    }
                }
                _ => {}
            }
        }
        rows.reverse();
        Self { rows, head: record.head.clone(), broken: broken(record) }
    }

    /// As JSON.
    pub fn json(&self) -> Value {
        let entries = self.rows.iter().map(|r| {
            json!({
                "work": r.work.to_string(),
                "name": r.name.to_string(),
                "began": r.began.to_string(),
                "ended": r.ended.map(|t| t.to_string()),
                "outcome": r.outcome.as_ref().map(ToString::to_string),
                "says": r.says.to_string(),
            })
        });
        json!({
            "schema": "claviger/journal/1",
            "entries": entries.collect::<Vec<_>>(),
            "head": self.head,
            "broken": self.broken,
        })
    }
}

fn shown(line: &Line, name: &str) -> Printable {
    Untrusted::new(line.text(name)).shown()
}

/// What is wrong with a chain, as a sentence.
pub fn broken(record: &Record) -> Option<String> {
    match (&record.broken, record.torn) {
        (Some((line, why)), _) => Some(format!("The chain does not hold at line {line}: {why}. What follows is not shown.")),
        // Left by a power cut; the next entry says so.
        (None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::saying;

    fn state() -> (tempfile::TempDir, State) {
        let dir = tempfile::tempdir().unwrap();
        let state = State::of(&dir.path().join("state"), &dir.path().join("trust"));
        (dir, state)
    }

    #[test]
    fn a_piece_of_work_is_one_row_with_its_end_and_one_without_shows_what_it_was_doing() {
        let (_dir, state) = state();
        assert_eq!(Journal::read(&state).unwrap().rows, []);
        assert!(!state.path().exists(), "reading makes nothing");
        for work in ["a", "b"] {
            let begun = [("work", work.into()), ("name", "key passwd".into()), ("what", "storing\u{1b}[2J".into())];
            state.note(saying("begun", begun)).unwrap();
        }
        let end = [("work", "a".into()), ("outcome", "done".into()), ("result", "it is done".into())];
        state.note(saying("end", end)).unwrap();
        let journal = Journal::read(&state).unwrap();
        let rows: Vec<_> = journal.rows.iter().map(|r| (r.work.to_string(), r.says.to_string(), r.outcome.is_some())).collect();
        assert_eq!(rows[1], ("a".to_owned(), "it is done".to_owned(), true));
        assert_eq!((rows[0].0.as_str(), rows[0].2), ("b", false));
        assert!(!rows[0].1.contains('\u{1b}'), "{}", rows[0].1);
        assert_eq!(journal.broken, None);
    }

    #[test]
    fn work_that_goes_on_after_an_interruption_stays_one_row_and_ends() {
        let (_dir, state) = state();
        for (event, what) in [("begun", "storing"), ("begun", "storing again"), ("end", "")] {
            let said = [("work", "a".into()), ("name", "key passwd".into()), ("what", what.into()), ("outcome", "done".into())];
            state.note(saying(event, said)).unwrap();
        }
        let rows = Journal::read(&state).unwrap().rows;
        assert_eq!(rows.iter().map(|r| r.outcome.is_some()).collect::<Vec<_>>(), [true]);
    }

    #[test]
    fn a_journal_in_which_a_line_was_changed_says_so_and_shows_nothing_after_it() {
        let (_dir, state) = state();
        for work in ["a", "b", "c"] {
            state.note(saying("begun", [("work", work.into()), ("what", "x".into())])).unwrap();
        }
        let text = std::fs::read_to_string(state.journal()).unwrap().replace("\"work\":\"b\"", "\"work\":\"z\"");
        std::fs::write(state.journal(), text).unwrap();
        let journal = Journal::read(&state).unwrap();
        assert!(journal.broken.as_deref().unwrap().contains("line 4"), "{:?}", journal.broken);
        assert_eq!(journal.rows.iter().map(|r| r.work.as_str()).collect::<Vec<_>>(), ["a"], "what was changed is not shown");
    }
}
