//! The overview: how many there are, what needs attention, what expires next, and what to do.
use super::super::{
    fit,
    ink::Ink,
    shelf::{Progress, Repo},
    standing::Standing,
    state::{State, Subject},
    theme::Tone,
    when,
    widgets::{pane::Lines, table},
};
use crate::{text, views::desk::World};
use ratatui::layout::Rect;

/// Rows above the list: two counts of two rows each, a gap, a heading.
const HEAD: u16 = 6;
/// From so many rows on there is more than the list: the selected line in full, and what expires next.
const ROOM_FOR_MORE: u16 = 18;
/// Rows of the selected line in full, with the line above it.
const DETAIL: u16 = 3;
/// Rows of what expires next, with its heading.
const EXPIRIES: u16 = 4;
/// Rows of the advice, with the gap above it.
const ADVICE: u16 = 2;
/// Columns of labels and counts.
const LABEL: u16 = 14;
const COUNT: u16 = 6;

/// Where the list of what needs attention is.
pub fn body(content: Rect) -> Rect {
    let foot = if content.height >= ROOM_FOR_MORE { DETAIL + EXPIRIES + ADVICE } else { ADVICE };
    let head = HEAD.min(content.height);
    Rect { y: content.y + head, height: content.height.saturating_sub(head + foot), ..content }
}

/// Draws the overview.
pub fn draw(state: &State, ink: &mut Ink<'_>) {
    keys(state, ink);
    repositories(state, ink);
    let count = state.attention.len() + state.more_attention;
    let count = if count == 0 { String::new() } else { format!("  {count}") };
    ink.rows(HEAD - 1, HEAD).line(0, &[("Needs attention", Tone::Strong), (&count, Tone::Dim)]);
    let list = body(ink.area());
    attention(state, &mut ink.on(list));
    let bottom = ink.height();
    if bottom >= ROOM_FOR_MORE {
        let advice = bottom - ADVICE;
        detail(state, &mut ink.rows(advice - EXPIRIES - DETAIL, advice - EXPIRIES));
        expiries(state, &mut ink.rows(advice - EXPIRIES, advice));
    }
    let x = ink.put(0, bottom.saturating_sub(1), "Next  ", Tone::Strong);
    let room = ink.width().saturating_sub(x);
    ink.clip(x, bottom.saturating_sub(1), room, next(state), Tone::Plain);
}

fn keys(state: &State, ink: &mut Ink<'_>) {
    ink.put(0, 0, "Keys", Tone::Strong);
    if state.keys_progress == Progress::Reading && state.keys.roster.rows().is_empty() {
        ink.put(LABEL, 0, "reading…", Tone::Dim);
        return;
    }
    if state.keys.unread().is_some() {
        ink.put(LABEL, 0, "could not be read", Tone::Bad);
        return;
    }
    ink.put(LABEL, 0, &state.keys.roster.rows().len().to_string(), Tone::Strong);
    let dot = format!(" {} ", ink.glyphs().dot);
    let name = |r: &str| if r.is_empty() { "without a role".to_owned() } else { r.to_owned() };
    let roles: Vec<String> = state.keys.roles.iter().map(|(r, n)| format!("{n} {}", name(r))).collect();
    let room = ink.width().saturating_sub(LABEL + COUNT);
    ink.clip(LABEL + COUNT, 0, room, &roles.join(&dot), Tone::Plain);
    let g = ink.glyphs();
    let (errors, warnings) = state.keys.problems;
    let mut x = LABEL;
    if errors > 0 {
        x = ink.put(x, 1, &format!("{} {errors} with an error   ", g.cross), Tone::Bad);
    }
    if warnings > 0 {
        ink.put(x, 1, &format!("! {warnings} with a warning"), Tone::Warn);
    } else if errors == 0 && !state.keys.roster.rows().is_empty() {
        ink.put(x, 1, &format!("{} no problem found", g.tick), Tone::Good);
    }
}

fn repositories(state: &State, ink: &mut Ink<'_>) {
    ink.put(0, 2, "Repositories", Tone::Strong);
    let rows = state.repos.roster.rows();
    if state.repos_progress == Progress::Reading && rows.is_empty() {
        ink.put(LABEL, 2, "reading…", Tone::Dim);
        return;
    }
    ink.put(LABEL, 2, &rows.len().to_string(), Tone::Strong);
    let g = ink.glyphs();
    // In order of standing, the worst first; what is well stands in the first row.
    let mut counts: Vec<(&Standing, usize)> = Vec::new();
    for repo in rows {
        match counts.iter_mut().find(|(s, _)| s.word() == repo.standing.word()) {
            Some((_, n)) => *n += 1,
            None => counts.push((&repo.standing, 1)),
        }
    }
    counts.sort_by(|a, b| a.0.cmp(b.0));
    let well = |s: &Standing| matches!(s, Standing::Verified | Standing::Unsigned | Standing::Unread);
    let text = |s: &Standing, n| format!("{} {}", s.mark(g), s.counted(n));
    let mut x = LABEL + COUNT;
    for (standing, n) in counts.iter().filter(|(s, _)| well(s)) {
        x = ink.put(x, 2, &text(standing, *n), standing.tone()) + 3;
    }
    // The others may need a second row, which is the gap otherwise.
    let (mut x, mut y) = (LABEL, 3);
    for (standing, n) in counts.iter().filter(|(s, _)| !well(s)) {
        let text = text(standing, *n);
        let columns = u16::try_from(fit::width(&text)).unwrap_or(u16::MAX);
        if x > LABEL && x.saturating_add(columns) > ink.width() {
            (x, y) = (LABEL, y + 1);
        }
        x = ink.put(x, y, &text, standing.tone()) + 2;
    }
}

fn attention(state: &State, ink: &mut Ink<'_>) {
    if state.attention.is_empty() {
        let unread = state.repos.roster.rows().iter().any(|r| r.standing == Standing::Unread);
        let everything = state.keys_progress == Progress::Done && state.repos_progress == Progress::Done && !unread;
        if everything {
            ink.put(2, 0, "Nothing.", Tone::Plain);
        } else {
            ink.put(2, 0, "Nothing so far; not everything was read yet.", Tone::Dim);
        }
        return;
    }
    let g = ink.glyphs();
    let subject_columns = (ink.width() / 3).clamp(20, 40);
    let view = &state.attention_view;
    let height = usize::from(ink.height());
    for (y, i) in view.on_screen(height) {
        let Some(a) = state.attention.get(i) else { continue };
        let y = u16::try_from(y).unwrap_or(u16::MAX);
        let (mark, tone) = super::mark(Some(a.severity), g);
        ink.put(2, y, mark, tone);
        ink.clip_middle(4, y, subject_columns, &subject(state, a.subject), Tone::Plain);
        let x = 5 + subject_columns;
        let room = ink.width().saturating_sub(x + 1);
        ink.clip(x, y, room, &a.text, tone);
        if view.selected() == Some(i) {
            table::select(ink, y);
        }
    }
    let height = ink.height();
    table::scroll_bar(ink, 0, height, view.top(), view.len());
}

/// The selected line in full.
fn detail(state: &State, ink: &mut Ink<'_>) {
    let Some(a) = state.attention_view.selected().and_then(|i| state.attention.get(i)) else { return };
    let g = ink.glyphs();
    ink.rule(0, g.horizontal, Tone::Dim);
    let mut l = Lines::bare(state.theme, ink.width());
    l.say("", &format!("{}: {}", subject(state, a.subject), a.text), Tone::Plain);
    if l.cut(usize::from(ink.height()).saturating_sub(1)) {
        ink.right(0, " Enter shows all ", Tone::Accent);
    }
    l.draw(&mut ink.rows(1, u16::MAX), 0);
}

/// What a line is about.
pub fn subject(state: &State, subject: Subject) -> String {
    match subject {
        Subject::Repository(i) => state.repos.roster.get(i).map(|r| r.gun.to_string()).unwrap_or_default(),
        Subject::Key(i) => match state.keys.roster.get(i) {
            Some(k) => match (k.id, k.path.file_name()) {
                (Some(id), _) => format!("{} key {}", k.role.shown(), id.short()).trim_start().to_owned(),
                (None, Some(name)) => text::path(name.as_ref()).into(),
                (None, None) => "a file".to_owned(),
            },
            None => String::new(),
        },
        Subject::Deed(i) => state.journal.roster.get(i).map(|r| r.row.name.to_string()).unwrap_or_default(),
        Subject::Journal => "journal".to_owned(),
        Subject::TrustDir => "trust directory".to_owned(),
        Subject::Server => "server".to_owned(),
    }
}

fn expiries(state: &State, ink: &mut Ink<'_>) {
    ink.put(0, 0, "Expires next", Tone::Strong);
    let trusted = |r: &&Repo| r.standing.is_trusted() && r.next_expiry().is_some();
    let order = state.repos.roster.in_order(2).iter().filter_map(|i| state.repos.roster.get(*i as usize)).filter(trusted);
    let mut y = 1;
    for repo in order.take(usize::from(EXPIRIES - 1)) {
        let Some((role, end)) = repo.next_expiry() else { continue };
        let tone = when::tone(state.now, *end, role.as_str() == "timestamp");
        ink.put(2, y, &when::left(state.now, *end), tone);
        ink.put(12, y, &when::date(*end), Tone::Plain);
        let room = ink.width().saturating_sub(24 + 18);
        ink.clip_middle(24, y, room, repo.gun.as_str(), Tone::Plain);
        let x = ink.width().saturating_sub(17);
        ink.clip_middle(x, y, 16, role.as_str(), Tone::Dim);
        y += 1;
    }
    if y == 1 {
        ink.put(2, 1, "Nothing that was read has an end to watch.", Tone::Dim);
    }
}

fn next(state: &State) -> &'static str {
    let nothing = state.keys.roster.rows().is_empty() && state.repos.roster.rows().is_empty() && state.keys.unread().is_none();
    if state.is_busy() {
        "Wait, or look around: what is found appears as it is read."
    } else if state.keys_progress == Progress::Stopped || state.repos_progress == Progress::Stopped {
        "Reading was stopped. r reads everything."
    } else if nothing {
        "claviger key generate NAME makes a key."
    } else if state.facts.world == World::Sandbox {
        "Enter opens the selected line. T takes the tour."
    } else if !state.attention.is_empty() {
        "Enter opens the selected line and says what to do."
    } else if state.repos.roster.rows().iter().any(|r| r.standing == Standing::Unread) {
        "Some repositories are new here: 3, then Enter reads one."
    } else {
        "Nothing has to be done. r reads everything again."
    }
}
