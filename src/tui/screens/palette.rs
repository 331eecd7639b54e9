//! The palette over a page: verbs that fit what is typed in the line below, what each does, and why it cannot be done now; and
//! messages of the old tools.
use super::super::{fit, ink::Ink, layer::Context, palette, state::State, theme::Tone, widgets::table};
use ratatui::layout::Rect;

/// Columns of a verb, unless it is longer.
const VERB: u16 = 19;
/// Columns of the mark beside the selected row.
const POINTER: u16 = 2;

/// Where the rows are.
pub fn body(content: Rect) -> Rect {
    super::help::body(content)
}

/// Draws the palette.
pub fn draw(state: &State, ink: &mut Ink<'_>) {
    let Some(open) = state.palette() else { return };
    let mut inside = ink.boxed("Commands");
    let Some(view) = state.view(Context::Palette) else { return };
    if view.is_empty() {
        inside.clip(POINTER, 0, inside.width(), "No command is called so. Backspace takes back.", Tone::Plain);
        return;
    }
    let all: Vec<palette::Offer> = palette::offers().collect();
    let height = inside.height();
    for (line, index) in view.on_screen(usize::from(height)) {
        let Ok(y) = u16::try_from(line) else { continue };
        let Some(offer) = all.get(index) else {
            if let Some((_, message)) = palette::message(index) {
                let x = inside.put(POINTER, y, "what means: ", Tone::Accent);
                let room = inside.width().saturating_sub(x + 1);
                inside.clip(x, y, room, message.text, Tone::Plain);
            }
            if open.view.selected() == Some(index) {
                table::select(&mut inside, y);
            }
            continue;
        };
        let why = offer.why_not(state);
        let (verb, help) = if why.is_some() { (Tone::Dim, Tone::Dim) } else { (Tone::Accent, Tone::Plain) };
        let end = inside.put(POINTER, y, offer.verb, verb);
        let x = end.max(POINTER + VERB) + 1;
        let room = usize::from(inside.width().saturating_sub(x + 1));
        let dots = inside.glyphs().dots;
        match &why {
            Some(why) => inside.put(x, y, &fit::end(why, room, dots), Tone::Warn),
            None => inside.put(x, y, &fit::end(offer.entry.help, room, dots), help),
        };
        if open.view.selected() == Some(index) {
            table::select(&mut inside, y);
        }
    }
    table::scroll_bar(&mut inside, 0, height, view.top(), view.len());
}
