//! A line that is typed.
use crate::tui::{fit, ink::Ink, theme::Tone};
use tui_input::Input;

/// Draws what was typed into so many columns; returns the column of the cursor. A long text is shown from where the cursor
/// is seen.
pub fn draw(ink: &mut Ink<'_>, x: u16, y: u16, columns: u16, input: &Input, tone: Tone) -> u16 {
    let typed = ink.theme.shown(input.value()).into_owned();
    let before: String = input.value().chars().take(input.cursor()).collect();
    let cursor = fit::width(&ink.theme.shown(&before));
    let skip = cursor.saturating_sub(usize::from(columns));
    let (mut passed, mut seen) = (0, typed.as_str());
    for (at, c) in typed.char_indices() {
        if passed >= skip {
            seen = typed.get(at..).unwrap_or_default();
            break;
        }
        passed += fit::width(c.encode_utf8(&mut [0; 4]));
    }
    ink.clip(x, y, columns, seen, tone);
    x + u16::try_from(cursor.saturating_sub(passed)).unwrap_or(0)
}
