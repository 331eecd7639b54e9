//! The palette: opened, completed, and what it has selected is done as if its key had been pressed.
use crate::tui::{
    effect::Effect,
    layer::{Layer, MessagePage},
    palette::Palette,
    roster::View,
    state::{Notice, State},
    theme::Tone,
};

/// Opens it.
pub fn open(state: &mut State) {
    state.layers.push(Layer::Palette(Palette::default()));
}

/// Puts the selected verb into the line.
pub fn complete(state: &mut State) {
    if let Some(palette) = state.palette_mut() {
        palette.complete();
    }
}

/// Does what is selected. What cannot be done says why, and the palette stays.
pub fn run(state: &mut State) -> Vec<Effect> {
    if let Some(number) = state.palette().and_then(Palette::selected_message) {
        state.layers.pop();
        state.layers.push(Layer::Message(MessagePage { number, scroll: View::default() }));
        return Vec::new();
    }
    let Some(offer) = state.palette().and_then(Palette::selected) else { return Vec::new() };
    if let Some(why) = offer.why_not(state) {
        state.notice = Some(Notice { text: why.into_owned(), tone: Tone::Warn });
        return Vec::new();
    }
    state.layers.pop();
    super::run(state, offer.command())
}
