//! What the screen holds of the journal: one row for each piece of work, with what was cut short among them.
use super::{roster::Listed, roster::Roster, theme::Tone};
use crate::{
    procedures::{Came, Interrupted, Work, Workplace},
    text::{Printable, Untrusted},
    views::journal::{Journal, JournalRow},
};
use std::cmp::Ordering;

/// A piece of work in the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct LedgerRow {
    /// What the journal says.
    pub row: JournalRow,
    /// How it was interrupted, if it was.
    pub cut: Option<CutShort>,
}

/// Work that was interrupted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutShort {
    /// How far it came, as a sentence.
    pub says: String,
    /// What it is; none if this version does not know it.
    pub work: Option<Work>,
    /// Whether it waits for somebody to go on with it or to close it.
    pub is_open: bool,
    /// Whether only questions had been answered.
    pub only_asked: bool,
}

impl CutShort {
    fn of(found: &Interrupted) -> Self {
        Self {
            says: found.sentence(),
            work: found.work.clone(),
            is_open: !found.is_over(),
            only_asked: found.came == Came::Answered,
        }
    }
}

impl LedgerRow {
    /// How it stands, in a word or two.
    pub fn word(&self) -> &str {
        match (&self.cut, &self.row.outcome) {
            (Some(cut), _) if cut.is_open => "interrupted",
            (_, Some(outcome)) => outcome.as_str(),
            (_, None) => "not ended",
        }
    }

    /// How that is meant.
    pub fn tone(&self) -> Tone {
        match self.word() {
            "done" => Tone::Plain,
            "given up" | "found" => Tone::Dim,
            _ => Tone::Warn,
        }
    }

    /// Whether somebody can go on with it, or close it.
    pub fn is_open(&self) -> bool {
        self.cut.as_ref().is_some_and(|c| c.is_open)
    }

    /// What it is if somebody can go on with it here.
    pub fn resumable(&self) -> Option<&Work> {
        self.cut.as_ref().filter(|c| c.is_open)?.work.as_ref()
    }

    /// Whether somebody should know of it.
    pub fn needs_attention(&self) -> bool {
        self.cut.as_ref().is_some_and(|c| !c.only_asked)
    }
}

impl Listed for LedgerRow {
    const ORDERS: &'static [&'static str] = &["When", "Command", "Outcome"];

    fn haystack(&self) -> String {
        let when = self.row.began.strftime("%Y-%m-%d %H:%M");
        format!("{when} {} {} {} {}", self.row.name, self.word(), self.row.says, self.row.work)
    }

    fn compare(&self, other: &Self, order: usize) -> Ordering {
        match order {
            1 => self.row.name.as_str().cmp(other.row.name.as_str()),
            2 => other.is_open().cmp(&self.is_open()).then_with(|| self.word().cmp(other.word())),
            _ => Ordering::Equal,
        }
    }
}

/// The journal.
#[derive(Debug, Default)]
pub struct Ledger {
    /// The newest first.
    pub roster: Roster<LedgerRow>,
    /// Why it cannot be read, or where its chain does not hold, as a sentence.
    pub problem: Option<String>,
}

impl Ledger {
    /// Reads the journal and looks for interrupted work. `settled` is what was found, and perhaps closed, when this session began: it is said
    /// as long as that goes on.
    pub fn read(place: &Workplace, settled: &[Interrupted]) -> Self {
        let (journal, unreadable) = match place.state.as_ref().map(Journal::read) {
            None => (Journal::default(), Some("HOME is not set, so there is no place for the journal.".to_owned())),
            Some(Ok(journal)) => (journal, None),
            Some(Err(e)) => (Journal::default(), Some(format!("{e}."))),
        };
        let open = place.interrupted();
        let closed = settled.iter().filter(|s| s.is_over() && open.iter().all(|o| o.id != s.id) && s.came != Came::Answered);
        let distrusted = place.state.as_ref().and_then(|state| Some(format!("{}.", state.distrusted()?)));
        let problem = distrusted.or(unreadable).or(journal.broken);
        Self::new(journal.rows, open.iter().chain(closed), problem)
    }

    fn new<'a>(rows: Vec<JournalRow>, found: impl Iterator<Item = &'a Interrupted>, problem: Option<String>) -> Self {
        let mut rows: Vec<LedgerRow> = rows.into_iter().map(|row| LedgerRow { row, cut: None }).collect();
        for i in found {
            let cut = Some(CutShort::of(i));
            match rows.iter_mut().find(|r| r.row.work.as_str() == i.id) {
                Some(row) => row.cut = cut,
                // Work in which nothing had begun is not in the journal.
                None => rows.push(LedgerRow { row: unlisted(i), cut }),
            }
        }
        Self::of(rows, problem)
    }

    /// Makes rows ready.
    pub fn of(mut rows: Vec<LedgerRow>, problem: Option<String>) -> Self {
        rows.sort_by_key(|r| std::cmp::Reverse(r.row.began));
        Self { roster: Roster::new(rows), problem }
    }

    /// The row of a piece of work.
    pub fn find(&self, work: &str) -> Option<&LedgerRow> {
        self.roster.rows().iter().find(|r| r.row.work.as_str() == work)
    }
}

fn unlisted(found: &Interrupted) -> JournalRow {
    let text = |t: &str| Untrusted::new(t).shown();
    JournalRow {
        work: text(&found.id),
        name: text(&found.command),
        began: found.at,
        ended: None,
        outcome: None,
        says: match found.came {
            Came::Answered => Printable::from_untrusted("questions were answered; nothing had begun"),
            _ => text(&found.sentence()),
        },
    }
}
