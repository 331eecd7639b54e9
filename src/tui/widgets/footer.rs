//! The bottom line: the keys that work now, made from the table of actions.
use crate::tui::{
    action::Command,
    fit,
    ink::Ink,
    keymap::{self, Entry},
    state::State,
    theme::{Glyphs, Tone},
};

/// Draws the keys: the way to all commands, to the help and out stands at the right, always.
pub fn draw(state: &State, ink: &mut Ink<'_>) {
    let mut entries: Vec<&Entry> = keymap::entries(state.context()).filter(|e| keymap::in_footer(state, e)).collect();
    entries.sort_by_key(|e| e.rank);
    let (ends, work): (Vec<&Entry>, Vec<&Entry>) =
        entries.into_iter().partition(|e| matches!(e.command, Command::Palette | Command::Help | Command::Quit));
    let g = ink.glyphs();
    let columns = |e: &Entry| fit::width(&label(e, g)) + 1 + fit::width(keymap::name(state, e)) + 2;
    let reserved: usize = ends.iter().map(|e| columns(e)).sum();
    let mut room = usize::from(ink.width()).saturating_sub(reserved + 1);
    let mut x = 1;
    for e in work {
        let needed = columns(e);
        if needed > room {
            continue;
        }
        room -= needed;
        x = one(state, ink, x, e);
    }
    let mut x = ink.width().saturating_sub(u16::try_from(reserved.saturating_sub(1)).unwrap_or(u16::MAX));
    for e in ends {
        x = one(state, ink, x, e);
    }
}

fn one(state: &State, ink: &mut Ink<'_>, x: u16, e: &Entry) -> u16 {
    let x = ink.put(x, 0, &label(e, ink.glyphs()), Tone::Accent);
    ink.put(x + 1, 0, keymap::name(state, e), Tone::Plain) + 2
}

/// The key as the footer names it: pairs stand together.
fn label(e: &Entry, g: &Glyphs) -> String {
    match e.command {
        Command::Up | Command::PreviousField => g.up_down.to_owned(),
        Command::TabLeft | Command::TurnLeft => g.left_right.to_owned(),
        _ => e.keys.first().map(|k| k.label(g).into_owned()).unwrap_or_default(),
    }
}
