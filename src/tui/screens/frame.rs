//! The frame around every screen: top, places, status and footer.
use super::super::{
    ink::Ink,
    layer::{Context, Layer, Place},
    layout::{self, Areas},
    shelf::Progress,
    state::State,
    theme::Tone,
    widgets::{badge, footer, status},
};
use ratatui::{Frame, buffer::Buffer, layout::Rect};

/// Draws everything. Changes nothing but the frame.
pub fn draw(state: &State, frame: &mut Frame<'_>) {
    let area = frame.area();
    if let Some(cursor) = paint(state, area, frame.buffer_mut()) {
        frame.set_cursor_position(cursor);
    }
}

/// Draws on a part of a buffer; returns where the cursor belongs, if anything is typed.
pub fn paint(state: &State, area: Rect, buffer: &mut Buffer) -> Option<(u16, u16)> {
    let mut ink = Ink::new(buffer, area, state.theme);
    let Some(areas) = layout::areas(area) else {
        too_small(state, &mut ink);
        return None;
    };
    badge::draw(&mut ink.on(areas.top), &state.facts);
    rules(&areas, &mut ink);
    places(state, &areas, &mut ink);
    if state.locked.is_some() {
        super::locked::draw(state, &mut ink.on(areas.content));
        footer::draw(state, &mut ink.on(areas.footer));
        return None;
    }
    let typed = match state.wizard() {
        Some(_) => super::wizard::draw(state, &mut ink.on(areas.content)),
        None => {
            super::draw(state, state.page(), &mut ink.on(areas.content));
            None
        }
    };
    let helped = matches!(state.layers.last(), Some(Layer::Help(_)));
    if helped {
        super::draw(state, Context::Help, &mut ink.on(areas.content));
    }
    if state.palette().is_some() {
        super::draw(state, Context::Palette, &mut ink.on(areas.content));
    }
    let cursor = status::draw(state, &mut ink.on(areas.status));
    footer::draw(state, &mut ink.on(areas.footer));
    cursor.map(|x| (areas.status.x + x, areas.status.y)).or(typed.filter(|_| !helped))
}

fn too_small(state: &State, ink: &mut Ink<'_>) {
    let (w, h) = layout::SMALLEST;
    let does = match state.context() {
        Context::Secret => "What you type still goes into the passphrase: Ctrl-U clears it, Esc goes back.",
        context if context.takes_text() => "What you type still goes into the line. Ctrl-C leaves.",
        context if context.is_wizard() => "Ctrl-C leaves.",
        _ => "q quits.",
    };
    ink.wrapped(0, 0, &format!("This terminal is too small: claviger needs {w} columns and {h} rows. {does}"), Tone::Plain);
}

fn rules(areas: &Areas, ink: &mut Ink<'_>) {
    let g = ink.glyphs();
    ink.on(areas.upper_rule).rule(0, g.horizontal, Tone::Dim);
    if areas.in_a_row {
        return;
    }
    let x = areas.places.right().saturating_sub(1);
    let mut column = ink.on(Rect { x, width: 1, ..areas.places });
    for y in 0..column.height() {
        column.put(0, y, g.vertical, Tone::Dim);
    }
    ink.on(Rect { x, width: 1, ..areas.upper_rule }).put(0, 0, g.tee_down, Tone::Dim);
}

fn places(state: &State, areas: &Areas, ink: &mut Ink<'_>) {
    let pointer = ink.glyphs().pointer;
    for place in Place::ALL {
        let here = place == state.place;
        let mut line = ink.on(layout::place_area(areas, place));
        line.put(0, 0, &layout::place_label(place), if here { Tone::Accent } else { Tone::Plain });
        if here {
            line.put(0, 0, pointer, Tone::Accent);
        }
        if !areas.in_a_row {
            line.right(0, &count(state, place), Tone::Dim);
        }
    }
}

/// How many there are, where that is known; nothing behind the longest name, which needs the room.
fn count(state: &State, place: Place) -> String {
    match place {
        Place::Keys if state.keys.unread().is_some() => "?".to_owned(),
        Place::Journal if state.journal_progress == Progress::Done => short(state.journal.roster.rows().len()),
        Place::Keys if state.keys_progress == Progress::Done => short(state.keys.roster.rows().len()),
        _ => String::new(),
    }
}

fn short(n: usize) -> String {
    if n < 10_000 { n.to_string() } else { format!("{}k", n / 1000) }
}
