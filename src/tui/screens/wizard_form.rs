//! A form: each field with what it is understood as, or what is wrong with it.
use super::super::{
    ink::Ink,
    theme::{Glyphs, Tone},
    widgets::{
        input,
        pane::{LABEL, Lines},
        table,
    },
    wizard::{FieldState, FormPage},
};
use crate::operator::{Field, Kind};
use ratatui::layout::Rect;

/// Columns of the mark beside the field that has the input.
const POINTER: u16 = 2;

/// Draws the fields; returns where the cursor belongs.
pub fn draw(form: &FormPage, ink: &mut Ink<'_>) -> Option<(u16, u16)> {
    let columns = ink.width().saturating_sub(POINTER + 2);
    let mut lines = Lines::new(ink.theme, columns);
    lines.heading(&form.form.title);
    lines.gap();
    // The first and the last row of the field that has the input.
    let mut here = (0, 0);
    for (i, (field, state)) in form.fields().enumerate() {
        let first = lines.lines.len();
        value(&mut lines, field, state, i == form.focus);
        below(&mut lines, field, state, ink.glyphs());
        if i == form.focus {
            here = (first, lines.lines.len());
        }
    }
    let rows = usize::from(ink.height());
    let top = here.1.saturating_sub(rows).min(here.0);
    let a = ink.area();
    let mut part = ink.on(Rect { x: a.x + POINTER, width: a.width.saturating_sub(POINTER), ..a });
    lines.draw(&mut part, top);
    table::scroll_bar(&mut part, 0, a.height, top, lines.lines.len());
    let y = u16::try_from(here.0 - top).unwrap_or(u16::MAX);
    let pointer = ink.glyphs().pointer;
    ink.put(0, y, pointer, Tone::Accent);
    let (field, state) = form.fields().nth(form.focus)?;
    if let Kind::Choice(_) = field.kind {
        return None;
    }
    let x = POINTER + LABEL;
    let room = ink.width().saturating_sub(x + 2);
    let cursor = input::draw(ink, x, y, room, &state.input, Tone::Strong);
    Some((a.x + cursor, a.y + y)).filter(|(_, y)| *y < a.bottom())
}

/// The line with what stands in the field. Text that has the input is drawn over it, with its cursor.
fn value(lines: &mut Lines, field: &Field, state: &FieldState, focused: bool) {
    let (text, tone) = match (&field.kind, state.input.value()) {
        (Kind::Choice(_), v) if focused => (format!("< {v} >"), Tone::Strong),
        (Kind::Choice(_), v) => (v.to_owned(), Tone::Plain),
        (Kind::Text | Kind::Path, _) if focused => (String::new(), Tone::Strong),
        (Kind::Text | Kind::Path, "") => ("(empty)".to_owned(), Tone::Dim),
        (Kind::Text | Kind::Path, v) => (v.to_owned(), Tone::Plain),
    };
    lines.one(field.label, &text, tone);
}

/// What it is understood as, what is wrong with it, or what helps to fill it.
fn below(lines: &mut Lines, field: &Field, state: &FieldState, g: &Glyphs) {
    let meaning = match &field.kind {
        Kind::Choice(options) => options.iter().find(|o| o.value == state.input.value()).map_or(field.help, |o| o.meaning),
        Kind::Text | Kind::Path => field.help,
    };
    match &state.verdict {
        Err(why) if state.touched => lines.say("", &format!("! {why}"), Tone::Warn),
        Ok(Some(understood)) => lines.say("", &format!("{} {understood}", g.tick), Tone::Good),
        Ok(None) | Err(_) => lines.say("", meaning, Tone::Dim),
    }
}
