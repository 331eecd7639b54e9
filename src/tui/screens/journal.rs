//! The list of what was done here, with the selected piece of work below.
use super::super::{
    ink::Ink,
    ledger::LedgerRow,
    state::State,
    theme::Tone,
    when,
    widgets::table::{self, Cell, Column, Cut, fixed},
};
use super::{Empty, deed};

const WHAT: Column = Column { title: "What", width: 0, cut: Cut::End };
const COLUMNS: [Column; 5] = [fixed("", 1), fixed("When", 10), fixed("Command", 14), fixed("Outcome", 11), WHAT];
const WIDE: [Column; 5] = [fixed("", 1), fixed("When (UTC)", 16), fixed("Command", 14), fixed("Outcome", 11), WHAT];
/// Which column each order of the list stands for.
const SORTED: [usize; 3] = [1, 2, 3];

/// Draws the list.
pub fn draw(state: &State, ink: &mut Ink<'_>) {
    let view = &state.journal_view;
    let all = state.journal.roster.rows().len();
    super::title(ink, "Journal", view.len(), all, view.filter());
    if let Some(problem) = state.journal.problem.as_ref().filter(|_| view.filter().is_empty()) {
        let room = ink.width().saturating_sub(16);
        ink.clip(15, 0, room, problem, Tone::Bad);
    }
    let (list, pane) = super::split(super::below(ink.area(), 1));
    if view.is_empty() {
        return empty(state, &mut ink.on(list));
    }
    let sorted = SORTED.get(view.order()).copied();
    let wide = list.width >= super::WIDE;
    table::draw(&mut ink.on(list), if wide { &WIDE } else { &COLUMNS }, sorted, view, |i| {
        state.journal.roster.get(i).map(|r| row(r, state, wide)).unwrap_or_default()
    });
    if let Some(r) = state.selected_deed() {
        super::pane(ink, pane, "Enter shows all", |columns| deed::describe(state, r, columns));
    }
}

fn row(r: &LedgerRow, state: &State, wide: bool) -> Vec<Cell<'static>> {
    let g = state.theme.glyphs();
    let tone = r.tone();
    let mark = match r.word() {
        "done" => g.tick,
        "failed" => g.cross,
        _ if tone == Tone::Warn => "!",
        _ => "",
    };
    let when = if wide { r.row.began.strftime("%Y-%m-%d %H:%M").to_string() } else { when::date(r.row.began) };
    vec![
        (mark.into(), tone),
        (when.into(), Tone::Plain),
        (r.row.name.to_string().into(), Tone::Plain),
        (r.word().to_owned().into(), tone),
        (r.row.says.to_string().into(), Tone::Plain),
    ]
}

fn empty(state: &State, ink: &mut Ink<'_>) {
    let empty = Empty {
        progress: state.journal_progress,
        filtered: (!state.journal_view.filter().is_empty()).then_some("Nothing in the journal matches the filter."),
        stopped: "r reads the journal.",
    };
    empty.draw(state, ink, |lines| {
        if let Some(problem) = &state.journal.problem {
            return lines.say("", problem, Tone::Bad);
        }
        lines.say("", "Nothing was done with this trust directory so far.", Tone::Strong);
        lines.gap();
        lines.say("", "Every change made with claviger is written down here, with its questions and answers.", Tone::Plain);
    });
}
