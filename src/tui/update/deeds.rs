//! The journal: reading it, opening a piece of work, going on with what was interrupted, closing it.
use super::{navigate, wizard};
use crate::{
    failure::Failure,
    finding::Severity,
    tui::{
        effect::Effect,
        layer::{Context, DeedPage, Layer, Place},
        ledger::{Ledger, LedgerRow},
        roster::View,
        shelf::Progress,
        state::{Attention, Notice, State, Subject},
        theme::Tone,
        wizard::Wizard,
    },
    views::transcript::Transcript,
};

/// What to do about a journal that cannot be read or whose chain does not hold.
const ABOUT_PROBLEM: &str = "Somebody, or a fault, has changed it after it was written, or its permissions. Compare it with a copy in a backup; \
     claviger journal says the same on the command line.";

/// Reads the journal.
pub fn read(state: &mut State) -> Vec<Effect> {
    state.journal_progress = Progress::Reading;
    vec![Effect::ReadJournal(state.epoch)]
}

/// Takes the journal in. What is open of it is read again.
pub fn journal_read(state: &mut State, ledger: Ledger) -> Vec<Effect> {
    let selected = state.journal_view.selected().and_then(|i| state.journal.roster.get(i)).map(|r| r.row.work.clone());
    state.journal = ledger;
    state.journal_progress = Progress::Done;
    state.journal_view.refresh(&state.journal.roster);
    let again = selected.and_then(|work| state.journal.roster.rows().iter().position(|r| r.row.work == work));
    if let Some(i) = again {
        state.journal_view.select(i);
    }
    state.stale.attention = true;
    let Some(open) = state.deed_page().map(|p| p.work.clone()) else { return Vec::new() };
    if state.journal.find(&open).is_some() {
        return vec![Effect::ReadTranscript(open)];
    }
    wizard::close_others(state);
    if state.wizard().is_none() {
        let text = "Nothing is kept of that work: nothing had been done in it.".to_owned();
        state.notice = Some(Notice { text, tone: Tone::Plain });
    }
    Vec::new()
}

/// Takes in what was written down of a piece of work, if its page is still open.
pub fn transcript_read(state: &mut State, work: &str, transcript: Result<Transcript, String>) -> Vec<Effect> {
    if let Some(page) = state.deed_page_mut().filter(|p| p.work == work) {
        page.transcript = Some(transcript);
    }
    Vec::new()
}

/// Opens the page of a piece of work.
pub fn open(state: &mut State, index: usize) -> Vec<Effect> {
    let Some(row) = state.journal.roster.get(index) else { return Vec::new() };
    let work = row.row.work.to_string();
    state.layers.push(Layer::Deed(DeedPage { work: work.clone(), transcript: None, closing: false, scroll: View::default() }));
    vec![Effect::ReadTranscript(work)]
}

/// Goes on with the selected work, on top of everything.
pub fn resume(state: &mut State) -> Vec<Effect> {
    if !matches!(state.page(), Context::Journal | Context::Deed) {
        return show_open(state);
    }
    let Some(row) = state.selected_deed() else { return Vec::new() };
    let Some(work) = row.resumable().cloned() else { return Vec::new() };
    let name = row.row.work.to_string();
    state.layers.push(Layer::Wizard(Box::new(Wizard::new(work))));
    vec![Effect::Resume(name)]
}

/// To the first work that waits.
fn show_open(state: &mut State) -> Vec<Effect> {
    let Some(i) = state.journal.roster.rows().iter().position(LedgerRow::is_open) else { return Vec::new() };
    navigate::go(state, Place::Journal);
    state.journal_view.set_filter("", &state.journal.roster);
    state.journal_view.select(i);
    open(state, i)
}

/// Closes the open work, when that is asked for twice.
pub fn give_up(state: &mut State) -> Vec<Effect> {
    let Some(page) = state.deed_page_mut() else { return Vec::new() };
    if !std::mem::replace(&mut page.closing, true) {
        let text = "X once more closes it: nobody can go on with it then; what was done stays.".to_owned();
        state.notice = Some(Notice { text, tone: Tone::Warn });
        return Vec::new();
    }
    let work = state.selected_deed().filter(|r| r.is_open()).map(|r| r.row.work.to_string());
    work.map(|work| vec![Effect::GiveUp(work)]).unwrap_or_default()
}

/// Says whether it was closed.
pub fn given_up(state: &mut State, result: Result<(), Failure>) -> Vec<Effect> {
    let (text, tone) = match result {
        Ok(()) => ("Closed. What was done stays as it is.".to_owned(), Tone::Plain),
        Err(failure) => (format!("{} {}", failure.happened(), failure.rest().join(" ")), Tone::Warn),
    };
    state.notice = Some(Notice { text, tone });
    read(state)
}

/// What somebody should know: interrupted work, and a journal that does not hold.
pub fn attention(state: &State) -> Vec<Attention> {
    let problem = state.journal.problem.iter().map(|text| Attention {
        severity: Severity::Error,
        subject: Subject::Journal,
        text: text.clone(),
        next: Some(ABOUT_PROBLEM),
    });
    let rows = state.journal.roster.rows().iter().enumerate().filter(|(_, r)| r.needs_attention());
    let of = |(i, r): (usize, &LedgerRow)| {
        let cut = r.cut.as_ref()?;
        Some(Attention { severity: Severity::Warn, subject: Subject::Deed(i), text: cut.says.clone(), next: None })
    };
    problem.chain(rows.filter_map(of)).collect()
}
