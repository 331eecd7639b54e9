//! The help: every key that works on the page below, made from the table of actions. What cannot be done now says why.
use super::super::{fit, ink::Ink, keymap, layer::Context, state::State, theme::Tone, widgets::table};
use ratatui::layout::Rect;
use std::borrow::Cow;

/// Columns of the keys.
const KEYS: u16 = 14;

/// Where the lines are.
pub fn body(content: Rect) -> Rect {
    Rect {
        x: content.x + 2.min(content.width),
        y: content.y + 1.min(content.height),
        width: content.width.saturating_sub(4),
        height: content.height.saturating_sub(2),
    }
}

/// Keys, what they do, and why not now.
pub fn lines(state: &State) -> Vec<(String, &'static str, Option<Cow<'static, str>>)> {
    let g = state.theme.glyphs();
    keymap::entries(keymap::helped(state))
        // What has no key is begun by its name.
        .filter(|e| !e.keys.is_empty())
        .map(|e| {
            // The first three are enough to know.
            let keys: Vec<_> = e.keys.iter().take(3).map(|k| k.label(g)).collect();
            (keys.join(" "), e.help, keymap::why_not(state, e.command))
        })
        .collect()
}

/// Draws the help over the page.
pub fn draw(state: &State, ink: &mut Ink<'_>) {
    let name = match keymap::helped(state) {
        Context::Overview => "Overview",
        Context::Keys => "Keys",
        Context::Key => "Key",
        Context::Matter => "Needs attention",
        Context::Repositories => "Repositories",
        Context::Journal => "Journal",
        Context::Deed => "Work",
        Context::Staged => "Staged",
        Context::Message => "Message",
        Context::Doctor => "Doctor",
        Context::Unknown => "Repository",
        Context::Chain => "Chain of trust",
        Context::Tags => "Tags",
        Context::Findings => "Findings",
        Context::Form | Context::Choice => "Form",
        Context::Secret => "Passphrase",
        Context::Review => "Review",
        Context::Confirm => "Confirmation",
        Context::Working => "At work",
        Context::Outcome => "Result",
        Context::Locked => "Locked",
        Context::Palette => "Commands",
        Context::Help | Context::Filter => "Filter",
    };
    let mut inside = ink.boxed(&format!("Help {} {name}", state.theme.glyphs().dot));
    let lines = lines(state);
    let top = state.view(Context::Help).map_or(0, |v| v.cursor());
    for (y, (keys, help, why)) in lines.iter().skip(top).take(usize::from(inside.height())).enumerate() {
        let y = u16::try_from(y).unwrap_or(u16::MAX);
        let tone = if why.is_some() { Tone::Dim } else { Tone::Accent };
        inside.clip(0, y, KEYS, keys, tone);
        let x = inside.clip(KEYS + 1, y, inside.width(), help, if why.is_some() { Tone::Dim } else { Tone::Plain });
        if let Some(why) = why {
            let room = usize::from(inside.width().saturating_sub(x + 2));
            let dots = inside.glyphs().dots;
            inside.put(x + 2, y, &fit::end(why, room, dots), Tone::Warn);
        }
    }
    let height = inside.height();
    table::scroll_bar(&mut inside, 0, height, top, lines.len());
}
