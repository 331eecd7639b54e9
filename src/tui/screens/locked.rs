//! The page of the lock. There is no password that opens it: it only forgets.
use super::super::{
    ink::Ink,
    state::{Locked, State},
    theme::Tone,
    widgets::pane::Lines,
};

/// What it says first.
pub const SAYS: &str = "Locked: every passphrase was forgotten.";

/// Draws the page.
pub fn draw(state: &State, ink: &mut Ink<'_>) {
    let mut lines = Lines::bare(state.theme, ink.width().saturating_sub(2));
    lines.gap();
    lines.say("", SAYS, Tone::Strong);
    lines.gap();
    let why = match state.locked {
        Some(Locked::Idle) => "Nobody has pressed a key for a while.",
        _ => "You asked for it.",
    };
    lines.say("", why, Tone::Plain);
    if state.wizard().is_some_and(|w| w.acted && w.is_working()) {
        lines.gap();
        lines.say("", "What had begun to write goes on, and its result is shown afterwards.", Tone::Plain);
    }
    lines.gap();
    lines.say(
        "",
        "Press Enter to go on. There is no password: whoever sits here can, but keys ask for their passphrases again.",
        Tone::Plain,
    );
    lines.draw(ink, 0);
}
