//! One private key: everything known of it, problems first, each with what mends it.
use super::super::{ink::Ink, layer::Context, state::State, theme::Tone, when, widgets::pane::Lines};
use crate::text;
use crate::views::keys::KeyRow;

/// Repositories of a key that are listed by name on the page.
const LISTED: usize = 100;

/// Draws the page.
pub fn draw(state: &State, ink: &mut Ink<'_>) {
    let Some(k) = state.selected_key() else { return };
    let role = if k.role.shown().as_str().is_empty() { "without a role".to_owned() } else { k.role.shown().into() };
    let id = k.id.map(|i| i.short()).unwrap_or_default();
    ink.line(0, &[("Keys  ", Tone::Dim), (&role, Tone::Strong), ("  ", Tone::Plain), (&id, Tone::Strong)]);
    let (lines, body) = (lines(state, ink.width()), super::body(Context::Key, ink.area()));
    super::text(state, Context::Key, &mut ink.on(body), &lines);
}

/// The lines of the page.
pub fn lines(state: &State, columns: u16) -> Lines {
    match state.selected_key() {
        Some(k) => describe(state, k, columns.saturating_sub(2)),
        None => Lines::new(state.theme, columns),
    }
}

/// Everything about a key, the most important first.
pub fn describe(state: &State, k: &KeyRow, columns: u16) -> Lines {
    let mut l = Lines::new(state.theme, columns);
    match k.id {
        Some(id) => l.digits("ID", "", &id.hex(), Tone::Plain),
        None => l.say("ID", "unknown: the file's name is not an ID", Tone::Warn),
    }
    super::findings::say_all(&mut l, "Problems", &k.problems);
    l.say("File", text::path(&k.path).as_str(), Tone::Plain);
    match k.used_by.as_slice() {
        [] => l.say("Used by", "no repository in the local cache names this key", Tone::Dim),
        all => {
            for (i, (gun, roles)) in all.iter().take(LISTED).enumerate() {
                l.say(if i == 0 { "Used by" } else { "" }, &format!("{gun} as {roles}"), Tone::Plain);
            }
            if all.len() > LISTED {
                l.say("", &format!("and {} more", all.len() - LISTED), Tone::Dim);
            }
        }
    }
    match k.role.shown().as_str().is_empty() {
        true => l.say("Role", "none in the file's header", Tone::Dim),
        false => l.say("Role", k.role.shown().as_str(), Tone::Plain),
    }
    if let Some(gun) = &k.gun {
        l.say("Repository", gun.shown().as_str(), Tone::Plain);
    }
    match (k.algorithm, k.encrypted) {
        (Some(a), _) => l.say("Algorithm", &a.to_string(), Tone::Plain),
        (None, Some(true)) => l.say("Algorithm", "unknown: encrypted, and no metadata names it", Tone::Dim),
        (None, _) => l.say("Algorithm", "unknown", Tone::Dim),
    }
    match k.encrypted {
        Some(true) => l.say("Encrypted", "yes, with a passphrase", Tone::Plain),
        Some(false) => l.say("Encrypted", "NO: whoever reads the file has the key", Tone::Warn),
        None => l.say("Encrypted", "unknown: the file cannot be read as a key", Tone::Warn),
    }
    if let Some(t) = k.modified {
        l.say("Modified", &when::moment(t), Tone::Plain);
    }
    if k.legacy {
        l.say("Layout", "legacy: left behind by an old Notary, read in place", Tone::Plain);
    }
    l
}
