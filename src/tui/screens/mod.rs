//! The screens, one file each. Every one draws from the state alone, and says where its list is.
pub mod chain;
pub mod deed;
mod doctor;
pub mod findings;
pub mod frame;
pub mod help;
pub mod journal;
pub mod key;
pub mod keys;
pub mod locked;
pub mod matter;
pub mod message;
pub mod overview;
pub mod palette;
pub mod repositories;
pub mod repository;
mod staged;
pub mod tags;
pub mod unknown;
pub mod wizard;
mod wizard_form;

use super::{
    ink::Ink,
    layer::Context,
    shelf::Progress,
    state::State,
    theme::{Glyphs, Tone},
    widgets::{pane::Lines, table},
};
use crate::finding::Severity;
use ratatui::layout::Rect;

/// From so many rows on, a list has a pane below it.
const ROOM_FOR_PANE: u16 = 12;
/// From so many rows on, that pane gets a quarter.
const ROOM_FOR_MORE: u16 = 24;
/// From so many columns on, a list shows what narrower ones leave to the pane.
pub const WIDE: u16 = 80;
/// Rows of that pane, with the line above it.
const PANE: u16 = 6;

/// Draws a page.
pub fn draw(state: &State, page: Context, ink: &mut Ink<'_>) {
    match page {
        Context::Overview => overview::draw(state, ink),
        Context::Keys => keys::draw(state, ink),
        Context::Key => key::draw(state, ink),
        Context::Matter => matter::draw(state, ink),
        Context::Repositories => repositories::draw(state, ink),
        Context::Journal => journal::draw(state, ink),
        Context::Deed => deed::draw(state, ink),
        Context::Staged => staged::draw(state, ink),
        Context::Message => message::draw(state, ink),
        Context::Doctor => doctor::draw(state, ink),
        Context::Unknown | Context::Chain | Context::Tags | Context::Findings => repository::draw(state, page, ink),
        Context::Help => help::draw(state, ink),
        Context::Palette => palette::draw(state, ink),
        // The frame draws what has a cursor.
        _ => {}
    }
}

/// Where the rows of a page's list, or the lines of its text, are on the screen.
pub fn body(of: Context, content: Rect) -> Rect {
    match of {
        Context::Overview => overview::body(content),
        Context::Keys | Context::Repositories | Context::Journal | Context::Staged => table::body(split(below(content, 1)).0),
        Context::Key | Context::Matter | Context::Deed | Context::Message | Context::Doctor => below(content, 2),
        Context::Chain | Context::Tags => table::body(split(below(content, repository::HEAD)).0),
        Context::Unknown | Context::Findings => below(content, repository::HEAD),
        Context::Help => help::body(content),
        Context::Palette => palette::body(content),
        Context::Filter | Context::Locked => content,
        Context::Form
        | Context::Choice
        | Context::Secret
        | Context::Review
        | Context::Confirm
        | Context::Working
        | Context::Outcome => wizard::body(of, content),
    }
}

/// How many lines a page of text has; nothing for a page with a list.
pub fn page_lines(state: &State, of: Context, content: Rect) -> Option<usize> {
    match of {
        Context::Key => Some(key::lines(state, content.width).lines.len()),
        Context::Deed => Some(deed::lines(state, content.width).lines.len()),
        Context::Message => Some(message::lines(state, content.width).lines.len()),
        Context::Doctor => Some(doctor::lines(state, content.width).lines.len()),
        Context::Matter => Some(matter::lines(state, content.width).lines.len()),
        Context::Unknown => Some(unknown::lines(state, content.width).lines.len()),
        Context::Findings => Some(findings::lines(state, content.width).lines.len()),
        Context::Help => Some(help::lines(state).len()),
        c if c.is_wizard() => wizard::page_lines(state, content),
        _ => None,
    }
}

/// The part below so many rows.
fn below(area: Rect, rows: u16) -> Rect {
    let rows = rows.min(area.height);
    Rect { y: area.y + rows, height: area.height - rows, ..area }
}

/// A list and the pane below it; the pane is empty where there is no room.
fn split(area: Rect) -> (Rect, Rect) {
    let pane = match area.height {
        h if h >= ROOM_FOR_MORE => h / 4,
        h if h >= ROOM_FOR_PANE => PANE,
        _ => 0,
    };
    let list = Rect { height: area.height - pane, ..area };
    (list, below(area, area.height - pane))
}

/// The title line of a list: its name, how much of it is shown, and the filter in force.
fn title(ink: &mut Ink<'_>, name: &str, shown: usize, all: usize, filter: &str) {
    let count = if filter.is_empty() { format!("  {all}") } else { format!("  {shown} of {all}") };
    let x = ink.line(0, &[(name, Tone::Strong), (&count, Tone::Dim)]);
    if !filter.is_empty() {
        let room = ink.width().saturating_sub(x + 3);
        ink.clip(x + 3, 0, room, &format!("filter: {filter}"), Tone::Accent);
    }
}

/// Draws a page of text, from where somebody has scrolled to.
fn text(state: &State, of: Context, ink: &mut Ink<'_>, lines: &Lines) {
    let top = state.view(of).map_or(0, |v| v.cursor());
    lines.draw(ink, top);
    let height = ink.height();
    table::scroll_bar(ink, 0, height, top, lines.lines.len());
}

/// What is said in the place of a list without rows.
struct Empty<'s> {
    /// How far reading has come.
    progress: Progress,
    /// What is said where a filter lets nothing through; none if no filter is in force.
    filtered: Option<&'s str>,
    /// What is said where reading was stopped.
    stopped: &'s str,
}

impl Empty<'_> {
    /// Says it; `nothing` says that there is nothing, where everything was read.
    fn draw(&self, state: &State, ink: &mut Ink<'_>, nothing: impl FnOnce(&mut Lines)) {
        let mut lines = Lines::bare(state.theme, ink.width());
        match (self.progress, self.filtered) {
            (Progress::Reading, _) => lines.say("", "reading…", Tone::Dim),
            (_, Some(filtered)) => lines.say("", &format!("{filtered} Esc clears it."), Tone::Plain),
            (Progress::Stopped, None) => lines.say("", &format!("Reading was stopped. {}", self.stopped), Tone::Plain),
            (Progress::Done, None) => nothing(&mut lines),
        }
        lines.draw(&mut ink.rows(1, u16::MAX), 0);
    }
}

/// Draws a pane below a list: a line, and what `describe` says for so many columns. `more` says on the
/// line where the rest is, if not all of it fits.
fn pane(ink: &mut Ink<'_>, area: Rect, more: &str, describe: impl FnOnce(u16) -> Lines) {
    let mut part = ink.on(area);
    if part.height() < 2 {
        return;
    }
    let line = part.glyphs().horizontal;
    part.rule(0, line, Tone::Dim);
    let mut lines = describe(part.width());
    if lines.cut(usize::from(part.height()) - 1) {
        part.right(0, &format!(" {more} "), Tone::Accent);
    }
    lines.draw(&mut part.rows(1, u16::MAX), 0);
}

/// The mark and tone of a severity.
fn mark(severity: Option<Severity>, g: &Glyphs) -> (&'static str, Tone) {
    match severity {
        Some(Severity::Error) => (g.cross, Tone::Bad),
        Some(Severity::Warn) => ("!", Tone::Warn),
        Some(Severity::Info) => ("i", Tone::Plain),
        None => ("", Tone::Plain),
    }
}
