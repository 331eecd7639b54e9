//! Findings: what is the matter, how bad it is, and what mends it.
use super::super::{ink::Ink, layer::Context, state::State, theme::Tone, widgets::pane::Lines};
use crate::{
    finding::{Finding, Severity},
    views::next_step::next_step,
};

/// Draws the findings of the open repository.
pub fn draw(state: &State, ink: &mut Ink<'_>) {
    let lines = lines(state, ink.width());
    super::text(state, Context::Findings, ink, &lines);
}

/// The lines of the page.
pub fn lines(state: &State, columns: u16) -> Lines {
    let mut l = Lines::new(state.theme, columns.saturating_sub(2));
    match state.open_repo().and_then(|r| r.known.as_ref()).map(|k| k.findings.as_slice()) {
        None | Some([]) => l.say("", "Nothing was found.", Tone::Plain),
        Some(all) => {
            for f in all {
                say_all(&mut l, "", std::slice::from_ref(f));
                l.gap();
            }
        }
    }
    l
}

/// Writes findings: the worst first, as they come. The severity is a word as well as a tone.
pub fn say_all(l: &mut Lines, label: &str, findings: &[Finding]) {
    for (i, f) in findings.iter().enumerate() {
        let word = f.severity.as_str();
        let tone = match f.severity {
            Severity::Error => Tone::Bad,
            Severity::Warn => Tone::Warn,
            Severity::Info => Tone::Plain,
        };
        let label = match (label, i) {
            ("", _) => word,
            (label, 0) => label,
            _ => "",
        };
        let text = if label == word { f.text.clone() } else { format!("{word}: {}", f.text) };
        l.say(label, &text, tone);
        if let Some(remedy) = f.offered() {
            l.say("", &format!("remedy: {remedy}"), Tone::Plain);
        } else if let Some(next) = next_step(f) {
            l.say("", &format!("next: {next}"), Tone::Plain);
        }
    }
}
