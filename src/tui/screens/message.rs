//! A message of the old tools: what it means, and what to do about it.
use super::super::{ink::Ink, layer::Context, state::State, theme::Tone, widgets::pane::Lines};

/// Draws the page.
pub fn draw(state: &State, ink: &mut Ink<'_>) {
    ink.line(0, &[("Messages  ", Tone::Dim), ("of notary and docker", Tone::Strong)]);
    let (lines, body) = (lines(state, ink.width()), super::body(Context::Message, ink.area()));
    super::text(state, Context::Message, &mut ink.on(body), &lines);
}

/// The lines of the page.
pub fn lines(state: &State, columns: u16) -> Lines {
    let mut l = Lines::new(state.theme, columns.saturating_sub(2));
    let Some(message) = state.message_page().and_then(|p| crate::views::messages::all().get(p.number)) else { return l };
    // What is code in the page is plain text here.
    let said = |text: &str| text.replace('`', "");
    l.say("Message", message.text, Tone::Strong);
    l.say("Printed by", &said(message.printed_by), Tone::Plain);
    l.gap();
    l.say("Cause", &said(message.cause), Tone::Plain);
    l.gap();
    l.say("Next", &said(message.next), Tone::Plain);
    l
}
