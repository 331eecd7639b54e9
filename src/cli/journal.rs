//! What was done here: `journal`, `resume`, and what is said of work that was interrupted.
use super::{
    args::Options,
    context::Context,
    key::Line,
    output::{self, Failure},
};
use crate::{
    journal::{State, StateError},
    operator::Cancel,
    procedures::{Came, Interrupted, passphrase_failure},
    secret::PassphraseFile,
    text::{Printable, Untrusted},
    views::{
        columns::columns,
        journal::{Journal, broken},
        transcript::Transcript,
    },
};
use serde_json::{Value, json};
use std::{borrow::Cow, path::Path, sync::Arc};

/// What has not happened when the journal is not shown.
const NOTHING: &str = "nothing was changed";
/// What has not happened when work is not gone on with.
const AS_IT_IS: &str = "nothing was changed; the work stays as it is";
/// Pieces of interrupted work that are named at the start of another command.
const NAMED: usize = 3;

/// Says which work was interrupted, and closes what needs no more.
pub fn say_interrupted(context: &Context) {
    let place = context.workplace();
    let found = place.settle().unwrap_or_else(|failure| {
        output::note(&failure.happened());
        place.interrupted()
    });
    // Where only questions were answered, whoever answered them knows.
    let found: Vec<&Interrupted> = found.iter().filter(|i| i.came != Came::Answered).collect();
    for i in found.iter().take(NAMED) {
        output::note(format!("{} {}", i.sentence(), i.next()).trim());
    }
    if let Some(more) = found.len().checked_sub(NAMED).filter(|n| *n > 0) {
        output::note(&format!("{more} more pieces of work were interrupted: `claviger resume` lists them."));
    }
}

/// Lists what was done, or prints the transcript of one piece of work.
pub fn journal(context: &Context, work: Option<&str>) -> Result<(), Failure> {
    let Some(state) = context.workplace().state else { return Err(no_state()) };
    match work {
        None => list(&state, &context.options),
        Some(work) => transcript(&state, work, &context.options),
    }
}

fn list(state: &State, options: &Options) -> Result<(), Failure> {
    let path = state.journal();
    let journal = Journal::read(state).map_err(|e| unreadable(&e))?;
    if options.json {
        output::say_json(&journal.json())?;
    } else if journal.rows.is_empty() && journal.broken.is_none() {
        output::note("nothing was done with this trust directory so far");
    } else {
        let mut cells: Vec<[Cow<'_, str>; 5]> = vec![["WHEN", "COMMAND", "OUTCOME", "WHAT", "WORK"].map(Cow::Borrowed)];
        cells.extend(journal.rows.iter().map(|r| {
            [
                r.began.strftime("%Y-%m-%d %H:%M:%S").to_string().into(),
                r.name.as_str().into(),
                r.outcome.as_ref().map_or("not ended", Printable::as_str).into(),
                r.says.as_str().into(),
                r.work.as_str().into(),
            ]
        }));
        output::say(&columns(&cells, 0, 2))?;
    }
    whole(journal.broken, &path)
}

fn transcript(state: &State, work: &str, options: &Options) -> Result<(), Failure> {
    let Some((path, record)) = state.read_transcript(work).map_err(|e| unreadable(&e))? else {
        let message = format!("there is no transcript of work called {}", Untrusted::new(work).shown());
        return Err(Failure::new("no-such-work", message, NOTHING, "`claviger journal` lists what was done."));
    };
    if options.json {
        let lines = record.lines.iter().map(|l| {
            let mut line = l.entry.clone();
            line.insert("at".to_owned(), l.at.to_string().into());
            Value::Object(line)
        });
        let lines: Vec<Value> = lines.collect();
        let value = json!({
            "schema": "claviger/transcript/1", "work": work, "lines": lines, "head": record.head, "broken": broken(&record),
        });
        output::say_json(&value)?;
    } else {
        for entry in Transcript::of(&record).entries {
            let at = entry.at.strftime("%Y-%m-%d %H:%M:%S");
            let more: String = entry.more.iter().map(|m| format!("{:31}{m}\n", "")).collect();
            output::say(&format!("{at}  {:<9} {}\n{more}", entry.event, entry.says))?;
        }
    }
    whole(broken(&record), &path)
}

/// Lists interrupted work that one can go on with.
pub fn interrupted(context: &Context) -> Result<(), Failure> {
    let open = open(context)?;
    if context.options.json {
        let all =
            open.iter().map(|i| json!({ "work": i.id, "name": i.command, "began": i.at.to_string(), "says": i.sentence() }));
        let value = json!({ "schema": "claviger/interrupted/1", "interrupted": all.collect::<Vec<_>>() });
        return Ok(output::say_json(&value)?);
    }
    if open.is_empty() {
        output::note("no work is interrupted");
    }
    open.iter().try_for_each(|i| output::say(&format!("{}  {}\n", i.id, i.sentence())))?;
    if !open.is_empty() {
        output::note("`claviger resume WORK` goes on with one of them, and with --give-up closes it");
    }
    Ok(())
}

/// Closes interrupted work.
pub fn give_up(context: &Context, work: &str) -> Result<(), Failure> {
    let found = the_one(context, work)?;
    found.give_up(&context.workplace())?;
    say_resumed(context, &found, "given up", &format!("{} It is closed.", found.sentence()))
}

/// Goes on with interrupted work.
pub async fn resume(context: &Context, work: &str, replacement: Option<&Path>, yes: bool, cancel: Cancel) -> Result<(), Failure> {
    let file = replacement.map(PassphraseFile::open).transpose().map_err(|e| passphrase_failure(&e, ""))?;
    let found = the_one(context, work)?;
    output::note(&found.sentence());
    let (work, recording) = found.take_up(&context.workplace())?;
    let mut line = Line::with(context, work, recording, cancel)?;
    line.operator.replacement = file.map(Arc::new);
    line.operator.plan.yes = yes;
    let done = line.perform(context).await?;
    let left: String = done.left.iter().map(|l| format!("\n{l}")).collect();
    let outcome = if done.exit.is_none() { "done" } else { "in part" };
    say_resumed(context, &found, outcome, format!("{} {}{left}", done.happened, done.next).trim())?;
    match done.exit {
        None => Ok(()),
        Some(exit) => {
            let hint = "The reasons are above; mend them, then repeat the command for the rest.";
            let nothing = match done.repositories.is_empty() {
                true => "what is named above is as it was",
                false => "what did not happen is said for each above",
            };
            Err(Failure::new("left", "not everything could be done", nothing, hint).exit(exit))
        }
    }
}

fn say_resumed(context: &Context, found: &Interrupted, outcome: &str, says: &str) -> Result<(), Failure> {
    if context.options.json {
        let value = json!({ "schema": "claviger/resume/1", "work": found.id, "outcome": outcome, "says": says });
        return Ok(output::say_json(&value)?);
    }
    Ok(output::say(&format!("{says}\n"))?)
}

/// Interrupted work that is not over; what is over is closed, and said.
fn open(context: &Context) -> Result<Vec<Interrupted>, Failure> {
    let place = context.workplace();
    if place.state.is_none() {
        return Err(no_state());
    }
    if let Some(why) = place.state.as_ref().and_then(State::distrusted) {
        let hint = "Give it to its owner alone (chmod go-w), after a look at who has changed what, then repeat the command.";
        return Err(Failure::new("journal", why, AS_IT_IS, hint));
    }
    let (over, open): (Vec<_>, Vec<_>) = place.settle()?.into_iter().partition(Interrupted::is_over);
    over.iter().filter(|i| i.came != Came::Answered).for_each(|i| output::note(&i.sentence()));
    Ok(open)
}

/// The interrupted work that was meant: by its name, or the start of it.
fn the_one(context: &Context, typed: &str) -> Result<Interrupted, Failure> {
    let mut meant = open(context)?.into_iter().filter(|i| !typed.is_empty() && i.id.starts_with(typed));
    match (meant.next(), meant.next()) {
        (Some(found), None) => Ok(found),
        _ => {
            let message = format!("no one piece of interrupted work is called {}", Untrusted::new(typed).shown());
            Err(Failure::new("no-such-work", message, AS_IT_IS, "`claviger resume` lists what was interrupted."))
        }
    }
}

fn whole(broken: Option<String>, path: &Path) -> Result<(), Failure> {
    match broken {
        None => Ok(()),
        Some(why) => {
            let message = format!("{}: {why}", crate::trust_dir::shown(path));
            let hint = "Somebody, or a fault, has changed it after it was written. Compare it with a copy in a backup.";
            Err(Failure::new("chain-broken", message, "what is not shown was not verified", hint).exit(3))
        }
    }
}

fn no_state() -> Failure {
    let message = "HOME is not set, so there is no place for the journal";
    Failure::new("no-state", message, NOTHING, "Set HOME, or name a directory with --state-dir.")
}

fn unreadable(e: &StateError) -> Failure {
    Failure::new("journal", e.to_string(), NOTHING, e.remedy())
}
