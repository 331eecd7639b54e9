//! What is staged for a repository: one line for each change as `notary status` numbers them, and the selected one in full.
use super::super::{
    ink::Ink,
    state::State,
    theme::Tone,
    widgets::{
        pane::Lines,
        table::{self, Cell, Column, fixed, rest},
    },
};
use crate::views::staged::StagedRow;

const COLUMNS: [Column; 4] = [fixed("#", 4), fixed("Change", 14), fixed("Role", 18), rest("Tag or paths")];

/// Draws the page.
pub fn draw(state: &State, ink: &mut Ink<'_>) {
    let Some(page) = state.staged_page() else { return };
    let x = ink.put(0, 0, "Staged  ", Tone::Dim);
    let room = ink.width().saturating_sub(x);
    ink.clip_middle(x, 0, room, page.gun.as_str(), Tone::Strong);
    let (list, pane) = super::split(super::below(ink.area(), 1));
    let rows = match state.staged_rows() {
        None => return say(state, ink, &[("reading…", Tone::Dim)]),
        Some(Err(why)) => return say(state, ink, &[(why, Tone::Bad)]),
        Some(Ok(rows)) if rows.is_empty() => {
            let how = "What notary stages appears here, and what :sign --stage and its like do.";
            return say(state, ink, &[("Nothing is staged for this repository.", Tone::Strong), (how, Tone::Plain)]);
        }
        Some(Ok(rows)) => rows,
    };
    table::draw(&mut ink.on(list), &COLUMNS, None, &page.view, |i| rows.get(i).map(|r| row(i, r)).unwrap_or_default());
    if let Some((number, r)) = page.view.selected().and_then(|i| Some((i, rows.get(i)?))) {
        super::pane(ink, pane, "a taller terminal shows all", |columns| describe(state, number, r, columns));
    }
}

fn say(state: &State, ink: &mut Ink<'_>, all: &[(&str, Tone)]) {
    let mut lines = Lines::bare(state.theme, ink.width());
    for (text, tone) in all {
        lines.gap();
        lines.say("", text, *tone);
    }
    lines.draw(&mut ink.rows(1, u16::MAX), 0);
}

fn row(number: usize, r: &StagedRow) -> Vec<Cell<'static>> {
    let tone = if r.is_understood { Tone::Plain } else { Tone::Warn };
    let paths: Vec<String> = r.paths.iter().map(|p| any(p.shown().as_str())).collect();
    vec![
        (number.to_string().into(), Tone::Dim),
        (r.change.into(), tone),
        (r.role.as_ref().map(ToString::to_string).unwrap_or_default().into(), Tone::Plain),
        (if r.is_understood { paths.join(", ") } else { r.text.clone() }.into(), tone),
    ]
}

/// A beginning of names: the empty one is that of all.
fn any(path: &str) -> String {
    if path.is_empty() { "any name".to_owned() } else { path.to_owned() }
}

fn describe(state: &State, number: usize, r: &StagedRow, columns: u16) -> Lines {
    let mut l = Lines::new(state.theme, columns);
    let label = format!("Change {number}");
    match r.is_understood {
        true => {
            l.say(&label, &r.text, Tone::Plain);
            l.say("Published", "not yet: the next change takes it along, a rotation does not", Tone::Plain);
        }
        false => {
            l.say(&label, &r.sentence(), Tone::Warn);
            l.say("", "What goes out with staged changes waits until it is thrown away.", Tone::Plain);
        }
    }
    l
}
