//! One piece of work: how it stands, what to do about it, and its transcript.
use super::super::{ink::Ink, layer::Context, ledger::LedgerRow, state::State, theme::Tone, when, widgets::pane::Lines};
use crate::views::transcript::Entry;

/// Entries of a transcript that are shown; the command line shows all.
const SHOWN: usize = 500;
/// Characters of one text that are shown: whoever wrote more wrote no transcript of ours.
const LONGEST: usize = 600;
/// Lines below one entry that are shown.
const BELOW: usize = 40;

/// Draws the page.
pub fn draw(state: &State, ink: &mut Ink<'_>) {
    let Some(r) = state.selected_deed() else { return };
    let when = when::moment(r.row.began);
    ink.line(0, &[("Journal  ", Tone::Dim), (r.row.name.as_str(), Tone::Strong), ("  ", Tone::Plain), (&when, Tone::Plain)]);
    let (lines, body) = (lines(state, ink.width()), super::body(Context::Deed, ink.area()));
    super::text(state, Context::Deed, &mut ink.on(body), &lines);
}

/// The lines of the page.
pub fn lines(state: &State, columns: u16) -> Lines {
    let Some(r) = state.selected_deed() else { return Lines::new(state.theme, columns) };
    let mut l = describe(state, r, columns.saturating_sub(2));
    l.gap();
    match state.deed_page().map(|p| &p.transcript) {
        None | Some(None) => l.say("Transcript", "reading…", Tone::Dim),
        Some(Some(Err(why))) => l.say("Transcript", why, Tone::Warn),
        Some(Some(Ok(transcript))) => {
            l.heading("Transcript");
            for entry in transcript.entries.iter().take(SHOWN) {
                say(&mut l, entry);
            }
            if transcript.entries.len() > SHOWN {
                let more = transcript.entries.len() - SHOWN;
                l.say("", &format!("and {more} more; claviger journal {} prints all", r.row.work), Tone::Dim);
            }
            if let Some(broken) = &transcript.broken {
                l.say("error", broken, Tone::Bad);
            }
        }
    }
    l
}

/// A line of the transcript, with what belongs to it.
fn say(l: &mut Lines, entry: &Entry) {
    let tone = match entry.event.as_str() {
        "failed" => Tone::Warn,
        "begun" | "done" | "end" => Tone::Strong,
        _ => Tone::Plain,
    };
    let cut = |text: &str| match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{} [cut]", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    };
    let at = entry.at.strftime("%H:%M:%S");
    l.say(&cut(entry.event.as_str()), &format!("{at}  {}", cut(entry.says.as_str())), tone);
    for more in entry.more.iter().take(BELOW) {
        l.say("", &format!("- {}", cut(more.as_str())), Tone::Dim);
    }
    if entry.more.len() > BELOW {
        l.say("", &format!("- and {} more", entry.more.len() - BELOW), Tone::Dim);
    }
}

/// How a piece of work stands, the most important first.
pub fn describe(state: &State, r: &LedgerRow, columns: u16) -> Lines {
    let mut l = Lines::new(state.theme, columns);
    if let Some(cut) = &r.cut {
        l.say("Interrupted", &cut.says, if cut.is_open { Tone::Warn } else { Tone::Plain });
    } else {
        l.say("What", r.row.says.as_str(), Tone::Plain);
    }
    if r.is_open() {
        l.say("Next", &next(state, r), Tone::Plain);
    }
    l.say("Outcome", outcome(r), r.tone());
    if let Some(ended) = r.row.ended {
        l.say("Ended", &when::moment(ended), Tone::Plain);
    }
    l.say("Work", r.row.work.as_str(), Tone::Plain);
    l
}

fn next(state: &State, r: &LedgerRow) -> String {
    let close = if state.deed_page().is_some() { "X closes it" } else { "Enter, then X, closes it" };
    match r.resumable() {
        _ if state.read_only.is_some() => "Start claviger without --read-only to go on with it, or to close it.".to_owned(),
        Some(_) => format!("o goes on with it; only passphrases are asked again. {close} and leaves what is there."),
        None => {
            let other = "This version does not know the work: go on with the one that began it.";
            format!("{other} {close} and leaves what is there.")
        }
    }
}

fn outcome(r: &LedgerRow) -> &str {
    match r.word() {
        "found" => "found complete after an interruption, and closed",
        "given up" => "given up: what was done stays",
        "not ended" => "not ended: another program may be at work on it",
        word => word,
    }
}
