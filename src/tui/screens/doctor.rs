//! What stands in the way: the server and who we are to it, files, tools; each with what mends it.
use super::super::{ink::Ink, layer::Context, state::State, theme::Tone, widgets::pane::Lines};
use crate::{doctor::Check, finding::Severity};

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

/// The lines of the page.
pub fn lines(state: &State, columns: u16) -> Lines {
    let mut l = Lines::new(state.theme, columns.saturating_sub(2));
    let Some(page) = state.doctor_page() else { return l };
    let Some(checks) = &page.checks else {
        l.say(
            "",
            "The server, logins, files, settings and tools are looked at; nothing is changed, and nobody is asked for a secret.",
            Tone::Dim,
        );
        return l;
    };
    let g = state.theme.glyphs();
    let mut area = None;
    for check in checks {
        if area.is_some_and(|a| a != check.area) {
            l.gap();
        }
        let label = if area == Some(check.area) { "" } else { check.area.as_str() };
        area = Some(check.area);
        let (mark, tone) = match check.severity {
            None => (g.tick, Tone::Plain),
            severity => super::mark(severity, g),
        };
        let detail = check.detail.as_ref().map(|d| format!(" ({d})")).unwrap_or_default();
        l.say(label, &format!("{mark} {}{detail}", check.text), tone);
        if let Some(next) = &check.next {
            l.say("", &format!("  {next}"), Tone::Dim);
        }
    }
    l
}
