//! The top of every screen: where the keys are, which server is asked, and which world this is.
use crate::{
    tui::{fit, ink::Ink, theme::Tone},
    views::desk::{Facts, World},
};

/// The word of a world, and its tone.
pub fn of(world: World) -> (&'static str, Tone) {
    match world {
        World::Online => (" ONLINE ", Tone::BadgeOnline),
        World::Sandbox => (" SANDBOX ", Tone::BadgeSandbox),
        World::Offline => (" OFFLINE ", Tone::BadgeOffline),
    }
}

/// Draws the top line.
pub fn draw(ink: &mut Ink<'_>, facts: &Facts) {
    let (word, tone) = of(facts.world);
    // Without colour, brackets set the badge apart as well.
    let word = if ink.theme.colour { word.to_owned() } else { format!("[{word}]") };
    let badge = ink.right(0, &word, tone);
    let dot = format!("  {}  ", ink.glyphs().dot);
    let x = ink.put(1, 0, "claviger", Tone::Strong);
    let x = ink.put(x, 0, &dot, Tone::Dim);
    let server = match (&facts.server, facts.world) {
        (_, World::Offline) => "no server is asked".to_owned(),
        (Some(s), _) => s.to_string(),
        (None, World::Sandbox) => "nothing here is real".to_owned(),
        (None, World::Online) => "server by repository".to_owned(),
    };
    let room = badge.saturating_sub(x + 2);
    // Both are paths: their ends tell most, so both lose their middle. The server gets what it needs, up to half.
    let columns = |s: &str| u16::try_from(fit::width(s)).unwrap_or(u16::MAX);
    let gap = columns(&dot);
    let for_server = columns(&server).min(room.saturating_sub(gap) / 2);
    let x = ink.clip_middle(x, 0, room.saturating_sub(gap + for_server), facts.trust_dir.as_str(), Tone::Plain);
    let x = ink.put(x, 0, &dot, Tone::Dim);
    ink.clip_middle(x, 0, badge.saturating_sub(x + 1), &server, Tone::Plain);
}
