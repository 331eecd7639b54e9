//! The list of repositories: how each stands, why its root is trusted, how fresh it is, and what expires next.
use super::super::{
    ink::Ink,
    shelf::Repo,
    state::State,
    theme::Tone,
    when,
    widgets::{
        pane::Lines,
        table::{self, Cell, Column, fixed, rest},
    },
};
use super::Empty;
use crate::{
    text::count,
    tuf::collection::{Anchor, Freshness},
};

/// A narrow list leaves the freshness to the health, which says "not fresh".
const COLUMNS: [Column; 5] = [fixed("", 1), fixed("Health", 12), rest("Repository"), fixed("Root", 10), fixed("Expires", 8)];
const WIDE: [Column; 6] =
    [fixed("", 1), fixed("Health", 12), rest("Repository"), fixed("Root", 10), fixed("Expires", 9), fixed("Answer", 6)];
/// Which column each order of the list stands for.
const SORTED: [usize; 3] = [2, 1, 4];

/// Draws the list.
pub fn draw(state: &State, ink: &mut Ink<'_>) {
    let view = &state.repos_view;
    let all = state.repos.roster.rows().len();
    super::title(ink, "Repositories", view.len(), all, view.filter());
    let (list, pane) = super::split(super::below(ink.area(), 1));
    if view.is_empty() {
        return empty(state, &mut ink.on(list));
    }
    let sorted = SORTED.get(view.order()).copied();
    let columns: &[Column] = if list.width >= super::WIDE { &WIDE } else { &COLUMNS };
    table::draw(&mut ink.on(list), columns, sorted, view, |i| {
        state.repos.roster.get(i).map(|r| row(r, state)).unwrap_or_default()
    });
    if let Some(repo) = state.selected_repo() {
        super::pane(ink, pane, "Enter shows all", |columns| describe(state, repo, columns));
    }
}

fn row<'a>(r: &'a Repo, state: &State) -> Vec<Cell<'a>> {
    let g = state.theme.glyphs();
    let reading = state.job.is_some() && r.step.is_some();
    let (mark, word, tone) = if reading {
        (state.spinner(), "reading…", Tone::Accent)
    } else {
        (r.standing.mark(g), r.standing.word(), r.standing.tone())
    };
    // Of what is not trusted, nothing else is shown in the list: it would look like a fact.
    let known = r.known.as_ref().filter(|_| r.standing.is_trusted());
    let (root, root_tone) = known.map_or(("", Tone::Plain), |k| anchor(k.anchor));
    let (answer, answer_tone) = known.map_or(("", Tone::Plain), |k| freshness(k.freshness));
    let (end, end_tone) = match known.and_then(|k| k.next_expiry.as_ref()) {
        Some((_, t)) => (when::left(state.now, *t), when::tone(state.now, *t, false)),
        None => (String::new(), Tone::Plain),
    };
    vec![
        (mark.into(), tone),
        (word.into(), tone),
        (r.gun.as_str().into(), Tone::Plain),
        (root.into(), root_tone),
        (end.into(), end_tone),
        (answer.into(), answer_tone),
    ]
}

/// The word for why a root is trusted.
pub fn anchor(a: Anchor) -> (&'static str, Tone) {
    match a {
        Anchor::Pinned => ("pinned", Tone::Good),
        Anchor::Remembered => ("remembered", Tone::Plain),
        Anchor::FirstUse => ("first use", Tone::Warn),
    }
}

/// The word for how fresh it is.
pub fn freshness(f: Freshness) -> (&'static str, Tone) {
    match f {
        Freshness::Live => ("live", Tone::Plain),
        Freshness::Cached => ("cached", Tone::Warn),
    }
}

/// The same in sentences.
pub fn say_trust(l: &mut Lines, repo: &Repo) {
    let Some(known) = &repo.known else { return };
    let (text, tone) = match known.anchor {
        Anchor::Pinned => ("pinned by the configuration", Tone::Good),
        Anchor::Remembered => ("remembered: seen before, or follows from one that was", Tone::Plain),
        Anchor::FirstUse => ("seen now for the first time; nothing vouches for it but the server", Tone::Warn),
    };
    l.say("Root", text, tone);
    let (text, tone) = match known.freshness {
        Freshness::Live => (format!("from the server, verified {}", when::moment(known.verified_at)), Tone::Plain),
        Freshness::Cached => {
            let as_of = known.as_of.map(|t| format!(" as of {}", when::moment(t))).unwrap_or_default();
            (format!("NOT FRESH: the server did not answer; from the cache{as_of}, still valid"), Tone::Warn)
        }
    };
    l.say("Answer", &text, tone);
}

fn describe(state: &State, r: &Repo, columns: u16) -> Lines {
    let mut l = Lines::new(state.theme, columns);
    l.say("Name", r.gun.as_str(), Tone::Plain);
    match super::repository::verdict(r) {
        (text, _) if r.known.is_none() || !r.standing.is_trusted() => l.say("State", &text, r.standing.tone()),
        _ => {}
    }
    if let Some(known) = r.known.as_ref().filter(|_| r.standing.is_trusted()) {
        if let Some(f) = known.findings.first() {
            super::findings::say_all(&mut l, "Finding", std::slice::from_ref(f));
            if known.findings.len() > 1 {
                l.say("", &format!("and {} more", known.findings.len() - 1), Tone::Dim);
            }
        }
        say_trust(&mut l, r);
        if let Some((role, end)) = &known.next_expiry {
            let text = format!("{role} {}, on {}", when::clause(state.now, *end), when::date(*end));
            l.say("Expires", &text, when::tone(state.now, *end, false));
        }
        l.say("Signs", &count(known.tags.rows().len(), "name"), Tone::Plain);
    }
    l
}

fn empty(state: &State, ink: &mut Ink<'_>) {
    let empty = Empty {
        progress: state.repos_progress,
        filtered: (!state.repos_view.filter().is_empty()).then_some("No repository matches the filter."),
        stopped: "R looks for repositories again.",
    };
    empty.draw(state, ink, |lines| {
        lines.say("", "No repositories are known here.", Tone::Strong);
        lines.gap();
        lines.say("", "claviger repo show GUN reads one from its server; after that it is listed here.", Tone::Plain);
        for note in &state.repos.notes {
            lines.gap();
            lines.say("", note, Tone::Warn);
        }
    });
}
