//! The list of private keys, with the selected one below.
use super::super::{
    ink::Ink,
    layer::Context,
    state::State,
    theme::Tone,
    widgets::table::{self, Cell, Column, fixed, rest},
};
use super::{Empty, key};
use crate::views::keys::KeyRow;

const COLUMNS: [Column; 6] =
    [fixed("", 1), fixed("Role", 10), rest("Repository"), fixed("ID", 12), fixed("Algorithm", 10), fixed("Enc.", 4)];
const WIDE: [Column; 6] =
    [fixed("", 1), fixed("Role", 20), rest("Repository"), fixed("ID", 12), fixed("Algorithm", 10), fixed("Encrypted", 9)];
/// Which column each order of the list stands for.
const SORTED: [usize; 5] = [1, 2, 3, 4, 0];

/// Draws the list.
pub fn draw(state: &State, ink: &mut Ink<'_>) {
    let view = &state.keys_view;
    let all = state.keys.roster.rows().len();
    super::title(ink, "Keys", view.len(), all, view.filter());
    let (list, pane) = super::split(super::below(ink.area(), 1));
    if view.is_empty() {
        return empty(state, &mut ink.on(list));
    }
    let sorted = SORTED.get(view.order()).copied();
    let columns = if list.width >= super::WIDE { &WIDE } else { &COLUMNS };
    table::draw(&mut ink.on(list), columns, sorted, view, |i| {
        state.keys.roster.get(i).map(|k| row(k, state)).unwrap_or_default()
    });
    if let Some(k) = state.selected_key() {
        super::pane(ink, pane, "Enter shows all", |columns| key::describe(state, k, columns));
    }
}

fn row(k: &KeyRow, state: &State) -> Vec<Cell<'static>> {
    let (mark, tone) = super::mark(k.severity(), state.theme.glyphs());
    let known = |t: Option<String>| t.unwrap_or_else(|| "?".to_owned());
    let encrypted = match k.encrypted {
        Some(true) => ("yes", Tone::Plain),
        Some(false) => ("NO", Tone::Warn),
        None => ("?", Tone::Dim),
    };
    let role = if k.role.shown().as_str().is_empty() { "?".to_owned() } else { k.role.shown().into() };
    let gun = k.gun.as_ref().map(|g| String::from(g.shown())).unwrap_or_default();
    vec![
        (mark.into(), tone),
        (role.into(), Tone::Plain),
        (gun.into(), Tone::Plain),
        (known(k.id.map(|i| i.short())).into(), Tone::Plain),
        (known(k.algorithm.map(|a| a.to_string())).into(), Tone::Plain),
        (encrypted.0.into(), encrypted.1),
    ]
}

fn empty(state: &State, ink: &mut Ink<'_>) {
    let filtered = state.view(Context::Keys).is_some_and(|v| !v.filter().is_empty());
    let empty = Empty {
        progress: state.keys_progress,
        filtered: filtered.then_some("No key matches the filter."),
        stopped: "r reads the keys.",
    };
    empty.draw(state, ink, |lines| {
        // What could not be read may be full of keys: to invite to make one now would be to lose sight of them.
        if state.keys.unread().is_some() {
            lines.say("", "The private keys could not be read; it is not known whether there are any.", Tone::Bad);
            lines.gap();
            return super::findings::say_all(lines, "", &state.keys.directory);
        }
        lines.say("", &format!("No private keys in {}.", state.facts.trust_dir), Tone::Strong);
        lines.gap();
        if state.read_only.is_none() {
            lines.say("", "n makes a key here, i takes keys from a file.", Tone::Plain);
        }
        lines.say("", "claviger key generate NAME makes a signing key.", Tone::Plain);
        lines.say("", "claviger --trust-dir DIR opens another trust directory.", Tone::Plain);
        lines.say("", "claviger sandbox shows a world to practise on.", Tone::Plain);
    });
}
