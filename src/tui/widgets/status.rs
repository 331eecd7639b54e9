//! The line above the footer: the filter that is typed, a sentence for the user, or how far reading has come. When
//! there is nothing to say it is a line.
use crate::tui::{
    fit,
    ink::Ink,
    layer::Layer,
    shelf::Progress,
    state::{Job, State},
    theme::Tone,
};

/// Draws the line; returns the column of the cursor if something is typed here.
pub fn draw(state: &State, ink: &mut Ink<'_>) -> Option<u16> {
    if let Some(Layer::Filter(input)) = state.layers.last() {
        let x = ink.put(1, 0, "Filter: ", Tone::Accent);
        let room = ink.width().saturating_sub(x + 24);
        let cursor = super::input::draw(ink, x, 0, room, input, Tone::Strong);
        let shown = state.view(state.page()).map_or(0, |v| v.len());
        ink.right(0, &format!("{shown} of {} ", state.roster_len(state.page())), Tone::Dim);
        return Some(cursor);
    }
    if let (Some(palette), None) = (state.palette(), &state.notice) {
        let x = ink.put(1, 0, ":", Tone::Accent);
        let room = ink.width().saturating_sub(x + 24);
        return Some(super::input::draw(ink, x, 0, room, &palette.input, Tone::Strong));
    }
    if let Some(notice) = &state.notice {
        ink.clip(1, 0, ink.width().saturating_sub(2), &notice.text, notice.tone);
    } else if let Some(job) = &state.job {
        progress(state, job, ink);
    } else if let Some(gun) = &state.looking {
        let x = ink.put(1, 0, state.spinner(), Tone::Accent);
        let x = ink.put(x + 1, 0, "looking, without verifying, at ", Tone::Plain);
        let room = ink.width().saturating_sub(x + 10);
        ink.clip_middle(x, 0, room, gun.as_str(), Tone::Plain);
        ink.right(0, stops(state), Tone::Dim);
    } else if let Some(what) = reading(state) {
        let x = ink.put(1, 0, state.spinner(), Tone::Accent);
        ink.put(x + 1, 0, what, Tone::Plain);
        ink.right(0, stops(state), Tone::Dim);
    } else {
        let line = ink.glyphs().horizontal;
        ink.rule(0, line, Tone::Dim);
        let says = match state.remembered {
            0 => return None,
            1 => " one passphrase is remembered; ^X forgets it ".to_owned(),
            n => format!(" {n} passphrases are remembered; ^X forgets them "),
        };
        ink.right(0, &says, Tone::Dim);
    }
    None
}

/// How it is stopped, where that key works.
fn stops(state: &State) -> &'static str {
    if state.wizard().is_some() { "" } else { "c stops " }
}

fn reading(state: &State) -> Option<&'static str> {
    match (state.keys_progress, state.repos_progress) {
        (Progress::Reading, Progress::Reading) => Some("reading keys, and asking which repositories there are"),
        (Progress::Reading, _) => Some("reading keys"),
        (_, Progress::Reading) => Some("asking which repositories there are"),
        _ if state.journal_progress == Progress::Reading => Some("reading the journal"),
        _ => None,
    }
}

/// How many of how many, which one, and what of it.
fn progress(state: &State, job: &Job, ink: &mut Ink<'_>) {
    const BAR: u16 = 12;
    let x = ink.put(1, 0, state.spinner(), Tone::Accent);
    let x = ink.put(x + 1, 0, &format!("{} of {}  ", job.done, job.total), Tone::Strong);
    let bar = ink.width().saturating_sub(BAR + 10);
    let g = ink.glyphs();
    for i in 0..BAR {
        let (mark, tone) = if i < job.columns(BAR) { (g.done, Tone::Accent) } else { (g.to_come, Tone::Dim) };
        ink.put(bar + i, 0, mark, tone);
    }
    ink.right(0, stops(state), Tone::Dim);
    let latest = job.latest.and_then(|i| state.repos.roster.get(i));
    let Some(repo) = latest else { return };
    let room = bar.saturating_sub(x + 1);
    let step = repo.step.as_deref().map(|s| format!(" {} {s}", g.dot)).unwrap_or_default();
    let columns = u16::try_from(fit::width(&step)).unwrap_or(u16::MAX).min(room / 2);
    let x = ink.clip_middle(x, 0, room.saturating_sub(columns), repo.gun.as_str(), Tone::Plain);
    ink.clip(x, 0, columns, &step, Tone::Dim);
}
