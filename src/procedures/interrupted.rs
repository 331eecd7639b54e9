//! Work that a kill or a power cut has ended: how far it came, told by the files themselves; then it is closed, gone on with,
//! or given up.
use super::{
    Work, Workplace,
    record::{Recording, here, named, outcome, unwritable},
};
use crate::{
    failure::Failure,
    journal::{Found, Line, event, saying},
    operator::{Change, Deed, Filled, as_text, hash},
    text::Untrusted,
    trust_dir::shown,
};
use jiff::Timestamp;
use std::{io, path::Path, time::Duration};

/// What has not happened when such work cannot be closed or gone on with.
const NOTHING: &str = "nothing was changed; the work stays as it is";

/// Work that did not end.
#[derive(Debug, Clone)]
pub struct Interrupted {
    /// What it is called in the state directory.
    pub id: String,
    /// When it was begun.
    pub at: Timestamp,
    /// What it is; none if this version does not know it.
    pub work: Option<Work>,
    /// The command that does it.
    pub command: String,
    /// What was being done; empty before anything was.
    pub what: String,
    /// What had been done before that, the oldest first.
    pub earlier: Vec<String>,
    /// How far it came.
    pub came: Came,
    /// Files that it made and that are of no use without what it did not come to: taken away when it is settled.
    pub leftovers: Vec<String>,
    found: Found,
}

/// How far work came, by what is in the files now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// Only questions were answered.
    Answered,
    /// To its end; only the journal does not say so. How it ended.
    Ended(String),
    /// What had begun has changed nothing.
    Nothing,
    /// So many of so many files are as they should be.
    Partly(usize, usize),
    /// Everything that had begun is done.
    Wholly,
    /// The files do not say: something else was being changed.
    Untold,
    /// Another has changed these meanwhile, or they cannot be read.
    Otherwise(Vec<String>),
}

impl Workplace {
    /// Work here that was interrupted, the oldest first. Changes nothing.
    pub fn interrupted(&self) -> Vec<Interrupted> {
        let found = self.state.as_ref().map(crate::journal::State::unfinished).unwrap_or_default();
        found.into_iter().map(Interrupted::of).collect()
    }

    /// Interrupted work that can be gone on with or closed, by its name.
    ///
    /// # Errors
    /// If there is none of this name.
    pub fn interrupted_work(&self, id: &str) -> Result<Interrupted, Failure> {
        let found = self.settle()?.into_iter().find(|i| i.id == id && !i.is_over());
        found.ok_or_else(|| {
            let message = "nothing waits there any more: somebody has gone on with it, or closed it";
            Failure::new("no-such-work", message, NOTHING, "The journal says how it ended.")
        })
    }

    /// The same, and closes what came to its end, or had none: that is not found again.
    ///
    /// # Errors
    /// If the journal cannot be written; then what was found is found again.
    pub fn settle(&self) -> Result<Vec<Interrupted>, Failure> {
        let all = self.interrupted();
        if self.read_only.is_none() && !all.is_empty() {
            // Whoever writes next sweeps what was left; that need not wait. If another writes now, that one does it.
            if self.trust_dir.path().is_dir() {
                drop(self.trust_dir.write_within(Duration::ZERO));
            }
            for found in all.iter().filter(|i| !i.leftovers.is_empty()) {
                let mut transcript = found.found.take().map_err(|e| unwritable(&e, NOTHING))?;
                let removed = found.take_away();
                let said = saying(event::WITHDRAWN, [("removed", removed.join(", ").into())]);
                transcript.say_durably(said).map_err(|e| unwritable(&e, NOTHING))?;
            }
            for found in all.iter().filter(|i| i.is_over()) {
                let transcript = found.found.take().map_err(|e| unwritable(&e, NOTHING))?;
                match found.came {
                    Came::Answered => transcript.forget(),
                    _ => {
                        let said = outcome("found", [("result", found.sentence())]);
                        transcript.end(named(said, &found.command)).map_err(|e| unwritable(&e, NOTHING))?;
                    }
                }
            }
        }
        Ok(all)
    }
}

impl Interrupted {
    fn of(found: Found) -> Self {
        let first = found.lines.first();
        let work: Option<Work> = first.and_then(|l| serde_json::from_value(l.entry.get("work")?.clone()).ok());
        let begun = found.lines.iter().rev().find(|l| l.event() == event::BEGUN);
        let since = found.lines.iter().rev().take_while(|l| l.event() != event::BEGUN);
        let is_done = since.into_iter().any(|l| l.event() == event::DONE);
        let ended = found.lines.iter().rev().find(|l| l.event() == event::END);
        let (came, leftovers) = match (ended, begun) {
            _ if !found.is_whole => (Came::Otherwise(vec!["its record, which is damaged".to_owned()]), Vec::new()),
            (Some(end), _) => (Came::Ended(printable(end, "outcome")), Vec::new()),
            (None, None) => (Came::Answered, Vec::new()),
            (None, Some(begun)) => match how_far(begun) {
                (Came::Untold, _) if is_done => (Came::Wholly, Vec::new()),
                (Came::Nothing, left) if !left.is_empty() && !may_leave(work.as_ref(), &left) => {
                    (Came::Otherwise(left.iter().map(|c| shown(&c.path)).collect()), Vec::new())
                }
                came => came,
            },
        };
        Self {
            id: found.id.clone(),
            at: first.map_or(Timestamp::UNIX_EPOCH, |l| l.at),
            command: match &work {
                Some(work) => work.command().to_owned(),
                None => first.map(|l| printable(l, "name")).unwrap_or_default(),
            },
            what: begun.map(|l| printable(l, "what")).unwrap_or_default(),
            earlier: done_before(&found.lines),
            work,
            came,
            leftovers: leftovers.iter().map(|c| shown(&c.path)).collect(),
            found,
        }
    }

    /// Whether there is nothing to go on with.
    pub fn is_over(&self) -> bool {
        match self.came {
            Came::Ended(_) => true,
            Came::Wholly => self.work.as_ref().is_none_or(Work::has_one_act),
            Came::Answered => self.filled().is_empty(),
            _ => false,
        }
    }

    /// What happened, as a sentence.
    pub fn sentence(&self) -> String {
        let what = if self.what.is_empty() { String::new() } else { format!(" while {}", self.what) };
        let when = self.at.strftime("%Y-%m-%d %H:%M UTC");
        let came = match &self.came {
            Came::Answered => "nothing had been done".to_owned(),
            Came::Ended(outcome) => format!("it had come to its end ({outcome})"),
            Came::Nothing => match &self.work {
                _ if !self.earlier.is_empty() => "nothing of that had been changed".to_owned(),
                Some(work) => format!("nothing had been changed: {}", work.nothing()),
                None => "nothing had been changed".to_owned(),
            },
            Came::Partly(done, all) => format!("{done} of {all} files had been written"),
            Came::Wholly if self.is_over() => "that had been done, completely".to_owned(),
            Came::Wholly => "that had been done; what comes after it may not have been".to_owned(),
            Came::Untold => "how far it came, the files do not say".to_owned(),
            Came::Otherwise(paths) => format!("how far it came cannot be told, because of {}", paths.join(", ")),
        };
        let left = match self.leftovers.as_slice() {
            [] => String::new(),
            paths => format!(" Made before, and of no use without it: {}; taken away.", paths.join(", ")),
        };
        let earlier = match self.earlier.as_slice() {
            [] => String::new(),
            [one] => format!(" Before that, this had been done: {one}."),
            [.., last] => format!(" Before that, {} others had been done, the last: {last}.", self.earlier.len()),
        };
        format!("`{}` of {when} was interrupted{what}; {came}.{earlier}{left}", self.command)
    }

    /// What to do next.
    pub fn next(&self) -> String {
        if self.is_over() {
            return String::new();
        }
        format!("`claviger resume {}` goes on with it; with --give-up it is closed.", self.id)
    }

    /// The forms that were filled in, as they were at the end.
    pub fn filled(&self) -> Vec<Filled> {
        let mut answers: Vec<&Line> = Vec::new();
        for line in &self.found.lines {
            match line.event() {
                event::ANSWER => {
                    // A question that came again begins a new way from there.
                    if let Some(at) = answers.iter().position(|l| same_question(l, line)) {
                        answers.truncate(at);
                    }
                    answers.push(line);
                }
                event::BACK => drop(answers.pop()),
                _ => {}
            }
        }
        let values = |line: &&Line| {
            let answer = line.entry.get("answer")?.as_object()?;
            line.entry.get("question")?.get("form")?;
            let texts = answer.iter().map(|(n, v)| (n.clone(), v.as_str().unwrap_or_default().to_owned()));
            Some((line.text("step").to_owned(), texts.collect()))
        };
        answers.iter().filter_map(values).collect()
    }

    /// Takes it up.
    ///
    /// # Errors
    /// If this version does not know the work, somebody else has taken it up, or it is over.
    pub fn take_up(&self, place: &Workplace) -> Result<(Work, Recording), Failure> {
        let Some(work) = &self.work else {
            let hint = "Use the version that began it, or close it with --give-up.";
            return Err(Failure::new(
                "unknown-work",
                format!("{} is work that this version does not know", self.id),
                NOTHING,
                hint,
            ));
        };
        place.may_write(NOTHING)?;
        let first = self.found.lines.first();
        let was_in = first.map(|l| as_text::path(l.text("directory"))).unwrap_or_default();
        if was_in != here() {
            let was_in = shown(&was_in);
            let message = format!("the work was begun in {was_in}, and files that it names are meant from there");
            return Err(Failure::new("elsewhere", message, NOTHING, "Go to that directory, then repeat the command."));
        }
        let exact = first.and_then(|l| l.entry.get("exact")?.as_bool()).unwrap_or_default();
        if exact != place.exact {
            let with = if exact { "with" } else { "without" };
            let message = format!("the work was begun {with} --exact, which says how names of repositories are meant");
            return Err(Failure::new("elsewhere", message, NOTHING, format!("Repeat the command {with} --exact.")));
        }
        if !self.found.is_whole {
            let hint = "Look at what it was about, then close it with --give-up.";
            return Err(Failure::new("damaged-record", "the record of the work is damaged", NOTHING, hint));
        }
        let transcript = self.found.take().map_err(|e| unwritable(&e, NOTHING))?;
        Ok((work.clone(), Recording::again(place, work.clone(), transcript, self.filled())))
    }

    /// Closes it. What was done stays.
    ///
    /// # Errors
    /// If nothing may be written, or the journal cannot be.
    pub fn give_up(&self, place: &Workplace) -> Result<(), Failure> {
        place.may_write(NOTHING)?;
        let transcript = self.found.take().map_err(|e| unwritable(&e, NOTHING))?;
        match self.came {
            Came::Answered => transcript.forget(),
            _ => {
                let said = outcome("given up", [("result", self.sentence())]);
                transcript.end(named(said, &self.command)).map_err(|e| unwritable(&e, NOTHING))?;
            }
        }
        Ok(())
    }

    /// Removes what is of no use alone, if it is still what was written.
    fn take_away(&self) -> Vec<String> {
        let begun = self.found.lines.iter().rev().find(|l| l.event() == event::BEGUN);
        let changes = begun.and_then(deed).map(|d| d.changes).unwrap_or_default();
        let left = changes.iter().filter(|c| c.only_with_others && standing(c) == Standing::After);
        left.filter(|c| std::fs::remove_file(&c.path).is_ok()).map(|c| shown(&c.path)).collect()
    }
}

/// Whether these files may be taken away: a record alone is not enough for that.
fn may_leave(work: Option<&Work>, left: &[Change]) -> bool {
    work.is_some_and(|w| left.iter().all(|c| w.leaves(&c.path)))
}

/// What was begun and done before the last thing that was begun.
fn done_before(lines: &[Line]) -> Vec<String> {
    let last = lines.iter().rposition(|l| l.event() == event::BEGUN).unwrap_or_default();
    let before = lines.get(..last).unwrap_or_default();
    let mut done: Vec<String> = Vec::new();
    let mut what = None;
    for line in before {
        match line.event() {
            event::BEGUN => what = Some(printable(line, "what")),
            event::DONE => done.extend(what.take()),
            _ => {}
        }
    }
    done
}

fn printable(line: &Line, name: &str) -> String {
    Untrusted::new(line.text(name)).shown().into()
}

fn same_question(one: &Line, other: &Line) -> bool {
    one.text("step") == other.text("step") && one.entry.get("question") == other.entry.get("question")
}

fn deed(begun: &Line) -> Option<Deed> {
    serde_json::from_value(serde_json::Value::Object(begun.entry.clone())).ok()
}

/// What a file is now.
#[derive(Debug, PartialEq, Eq)]
enum Standing {
    Before,
    After,
    Neither,
}

fn standing(change: &Change) -> Standing {
    let now = match read(&change.path) {
        Ok(now) => now,
        Err(_) => return Standing::Neither,
    };
    match now {
        now if now == change.after => Standing::After,
        now if now == change.before || now.is_some() && now == change.midway => Standing::Before,
        _ => Standing::Neither,
    }
}

/// The hash of a file; none if it is not there.
fn read(path: &Path) -> io::Result<Option<String>> {
    match path.symlink_metadata() {
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(None),
        Err(e) => return Err(e),
        Ok(m) if !m.is_file() => return Err(io::ErrorKind::InvalidInput.into()),
        Ok(_) => {}
    }
    crate::trust_dir::read_regular(path, crate::trust_dir::MAX_KEY_FILE)
        .map(|read| Some(hash(&read.bytes)))
        .map_err(|e| io::Error::other(e.to_string()))
}

/// How far something came, and what it has left that is of no use alone.
fn how_far(begun: &Line) -> (Came, Vec<Change>) {
    let Some(Deed { changes }) = deed(begun) else {
        return (Came::Otherwise(vec!["the record itself".to_owned()]), Vec::new());
    };
    let standings: Vec<Standing> = changes.iter().map(standing).collect();
    let neither: Vec<String> =
        changes.iter().zip(&standings).filter(|(_, s)| **s == Standing::Neither).map(|(c, _)| shown(&c.path)).collect();
    let done: Vec<&Change> = changes.iter().zip(&standings).filter(|(_, s)| **s == Standing::After).map(|(c, _)| c).collect();
    let came = match done.len() {
        _ if changes.is_empty() => Came::Untold,
        _ if !neither.is_empty() => Came::Otherwise(neither),
        0 => Came::Nothing,
        n if n == changes.len() => Came::Wholly,
        _ if done.iter().all(|c| c.only_with_others) => return (Came::Nothing, done.into_iter().cloned().collect()),
        n => Came::Partly(n, changes.len()),
    };
    (came, Vec::new())
}
