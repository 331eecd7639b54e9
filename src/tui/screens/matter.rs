//! A matter that is about no single key or repository: what it is, and what to do.
use super::super::{
    ink::Ink,
    layer::{Context, Layer},
    state::State,
    theme::Tone,
    widgets::pane::Lines,
};

/// Draws the page.
pub fn draw(state: &State, ink: &mut Ink<'_>) {
    let subject = state
        .layers
        .iter()
        .find_map(|l| if let Layer::Matter(m) = l { Some(super::overview::subject(state, m.matter.subject)) } else { None });
    ink.line(0, &[("Overview  ", Tone::Dim), (&subject.unwrap_or_default(), Tone::Strong)]);
    let (lines, body) = (lines(state, ink.width()), super::body(Context::Matter, ink.area()));
    super::text(state, Context::Matter, &mut ink.on(body), &lines);
}

/// The lines of the page.
pub fn lines(state: &State, columns: u16) -> Lines {
    let mut l = Lines::new(state.theme, columns.saturating_sub(2));
    let Some(matter) = state.layers.iter().find_map(|l| if let Layer::Matter(m) = l { Some(&m.matter) } else { None }) else {
        return l;
    };
    let (_, tone) = super::mark(Some(matter.severity), state.theme.glyphs());
    l.say(matter.severity.as_str(), &matter.text, tone);
    if let Some(next) = matter.next {
        l.gap();
        l.say("Next", next, Tone::Plain);
    }
    l
}
