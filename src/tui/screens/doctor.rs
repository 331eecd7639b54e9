//! What stands in the way: the server and who we are to it, files, tools; each with what mends it.
use super::super::{ink::Ink, layer::Context, state::State, theme::Tone, widgets::pane::Lines};
use crate::{
    doctor::{Area, Check},
    finding::Severity,
};

/// Draws the page.
pub fn draw(state: &State, ink: &mut Ink<'_>) {
    let summary = match state.doctor_page().map(|p| p.checks.as_deref()) {
        Some(Some(checks)) => summary(checks),
        _ => ("looking…".to_owned(), Tone::Dim),
    };
    ink.line(0, &[("Doctor  ", Tone::Dim), (&summary.0, summary.1)]);
    let (lines, body) = (lines(state, ink.width()), super::body(Context::Doctor, ink.area()));
    super::text(state, Context::Doctor, &mut ink.on(body), &lines);
}

/// How it is, in a few words.
fn summary(checks: &[Check]) -> (String, Tone) {
    let count = |severity| checks.iter().filter(|c| c.severity == Some(severity)).count();
    match (count(Severity::Error), count(Severity::Warn)) {
        (0, 0) => ("nothing stands in the way".to_owned(), Tone::Good),
        (0, 1) => ("1 warning".to_owned(), Tone::Warn),
        (0, n) => (format!("{n} warnings"), Tone::Warn),
        (1, _) => ("1 error".to_owned(), Tone::Bad),
        (n, _) => (format!("{n} errors"), Tone::Bad),
    }
}

/// The lines of the page: what is not well first, then everything, what leads out of this machine before what is in it.
pub fn lines(state: &State, columns: u16) -> Lines {
    let mut l = Lines::marked(state.theme, columns.saturating_sub(2));
    let Some(page) = state.doctor_page() else { return l };
    let Some(checks) = &page.checks else {
        l.say(
            "",
            "Whatever could stand in the way is looked at. Nothing is changed, and nobody is asked for a secret.",
            Tone::Dim,
        );
        return l;
    };
    let mut unwell: Vec<&Check> = checks.iter().filter(|c| is_unwell(c)).collect();
    unwell.sort_by_key(|c| std::cmp::Reverse(c.severity));
    if !unwell.is_empty() {
        l.heading("To be mended");
        unwell.iter().for_each(|check| say(state, &mut l, check, &format!("{}: ", check.area.as_str())));
        l.gap();
    }
    let mut all: Vec<&Check> = checks.iter().collect();
    all.sort_by_key(|c| ORDER.iter().position(|a| *a == c.area));
    for (n, part) in all.chunk_by(|a, b| a.area == b.area).enumerate() {
        if n > 0 {
            l.gap();
        }
        l.heading(&part.first().map(|c| heading(c.area)).unwrap_or_default());
        part.iter().for_each(|check| say(state, &mut l, check, ""));
    }
    l
}

/// What leads out of this machine, what is in it, and what was set.
const ORDER: [Area; 10] = [
    Area::Server,
    Area::Registry,
    Area::Logins,
    Area::TrustDir,
    Area::Keys,
    Area::Journal,
    Area::Tools,
    Area::Readers,
    Area::Memory,
    Area::Settings,
];

fn is_unwell(check: &Check) -> bool {
    matches!(check.severity, Some(Severity::Error | Severity::Warn))
}

/// The name of a part, as a title.
fn heading(area: Area) -> String {
    let mut name = area.as_str().to_owned();
    if let Some(first) = name.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    name
}

fn say(state: &State, l: &mut Lines, check: &Check, before: &str) {
    let (mark, tone) = match check.severity {
        None => (state.theme.glyphs().tick, Tone::Plain),
        severity => super::mark(severity, state.theme.glyphs()),
    };
    let detail = check.detail.as_ref().map(|d| format!(" ({d})")).unwrap_or_default();
    l.say(mark, &format!("{before}{}{detail}", check.text), tone);
    // What mends it is said once, where it is asked for.
    if let Some(next) = check.next.as_ref().filter(|_| !before.is_empty() || !is_unwell(check)) {
        l.say("", next, Tone::Dim);
    }
}
