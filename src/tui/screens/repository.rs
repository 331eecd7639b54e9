//! The page of one repository: its verdict on top of everything, then the chain of trust, tags or findings.
use super::super::{
    ink::Ink,
    layer::{Context, Tab},
    shelf::Repo,
    standing::Standing,
    state::State,
    theme::Tone,
    when,
    widgets::pane::Lines,
};
use super::{chain, findings, repositories, tags, unknown};
use crate::tuf::collection::Freshness;
use ratatui::layout::Rect;

/// Rows above the list: name, verdict in two rows, tabs, and a gap before findings.
pub const HEAD: u16 = 4;
/// The row of the tabs.
const TABS: u16 = 3;

/// Draws the page.
pub fn draw(state: &State, page: Context, ink: &mut Ink<'_>) {
    let Some(repo) = state.open_repo() else { return };
    let x = ink.put(0, 0, "Repositories  ", Tone::Dim);
    let room = ink.width().saturating_sub(x);
    ink.clip_middle(x, 0, room, repo.gun.as_str(), Tone::Strong);
    banner(state, repo, &mut ink.rows(1, TABS));
    for (tab, (x, _), text) in tab_places(state) {
        let here = state.repo_page().is_some_and(|p| p.tab == tab);
        let end = ink.put(x, TABS, &text, if here { Tone::Accent } else { Tone::Plain });
        if here && end > x {
            let pointer = ink.glyphs().pointer;
            ink.put(x, TABS, pointer, Tone::Accent);
        }
    }
    if let Some(text) = waiting(repo) {
        ink.right(TABS, &text, Tone::Warn);
    }
    let mut below = ink.rows(HEAD, u16::MAX);
    match page {
        Context::Unknown => unknown::draw(state, &mut below),
        Context::Tags => tags::draw(state, repo, &mut below),
        Context::Findings => findings::draw(state, &mut below),
        _ => chain::draw(state, repo, &mut below),
    }
}

/// That something is staged, and the key that shows it.
fn waiting(repo: &Repo) -> Option<String> {
    match repo.staged.as_ref()? {
        Ok(rows) if rows.is_empty() => None,
        Ok(rows) => Some(format!("{} staged: t ", rows.len())),
        Err(_) => Some("staged: unreadable: t ".to_owned()),
    }
}

/// What is to be said about a repository as a whole, and whether that is a word of distrust.
pub fn verdict(repo: &Repo) -> (String, bool) {
    let refused = repo.known.as_ref().map(|k| k.tree.refused()).unwrap_or_default();
    match &repo.standing {
        Standing::Refused(why) => (format!("NOT TRUSTED: {why}"), true),
        Standing::Expired(why) => (format!("NOT TRUSTED: EXPIRED: {why}"), true),
        Standing::NotAllowed(why) => (format!("Not allowed: {why}"), false),
        Standing::Unreachable(why) => (format!("No answer: {why}"), false),
        Standing::Unreadable(why) => (format!("Unreadable: {why}"), false),
        Standing::NotThere => ("The server has no such repository.".to_owned(), false),
        Standing::Unsigned => ("Unsigned: it has images, and no trust data that is known.".to_owned(), false),
        Standing::Unread => ("Not read yet.".to_owned(), false),
        Standing::NotFresh => ("Not fresh: the server did not answer; this is from the cache".to_owned(), false),
        Standing::Faulty if !refused.is_empty() => {
            let are = if refused.len() == 1 { "is" } else { "are" };
            (format!("Verified in part: {} {are} refused", refused.join(", ")), false)
        }
        Standing::Faulty => ("Verified, with a problem: see its findings".to_owned(), false),
        Standing::Warned => ("Verified, with a warning: see its findings".to_owned(), false),
        Standing::Verified => ("Verified".to_owned(), false),
    }
}

fn banner(state: &State, repo: &Repo, ink: &mut Ink<'_>) {
    let (text, distrust) = verdict(repo);
    if distrust {
        let mut part = ink.rows(0, 2);
        let mut lines = Lines::bare(state.theme, part.width().saturating_sub(2));
        lines.say("", &text, Tone::Alarm);
        lines.cut(2);
        for y in 0..2 {
            let line = lines.lines.get(usize::from(y)).map_or("", |l| l.text.as_str());
            part.put(1, y, line, Tone::Alarm);
            part.paint_row(y, Tone::Alarm);
        }
        return;
    }
    let mark = repo.standing.mark(ink.glyphs());
    let reading = match (&repo.step, &state.job) {
        (Some(step), Some(_)) => format!("   reading again: {step}"),
        _ => String::new(),
    };
    ink.line(0, &[(mark, repo.standing.tone()), (" ", Tone::Plain), (&text, repo.standing.tone()), (&reading, Tone::Dim)]);
    let Some(known) = &repo.known else { return };
    let (root, root_tone) = repositories::anchor(known.anchor);
    let (answer, answer_tone) = repositories::freshness(known.freshness);
    let read = match (known.freshness, known.as_of) {
        (Freshness::Live, _) => format!("   read {}", when::moment(known.verified_at)),
        (Freshness::Cached, Some(t)) => format!("   as of {}", when::moment(t)),
        (Freshness::Cached, None) => String::new(),
    };
    ink.line(
        1,
        &[("  root ", Tone::Dim), (root, root_tone), ("   answer ", Tone::Dim), (answer, answer_tone), (&read, Tone::Dim)],
    );
}

/// The tabs with start, end and text.
fn tab_places(state: &State) -> Vec<(Tab, (u16, u16), String)> {
    let Some(known) = state.open_repo().and_then(|r| r.known.as_ref()) else { return Vec::new() };
    let mut x = 0;
    Tab::ALL
        .into_iter()
        .map(|tab| {
            let text = match tab {
                Tab::Chain => " Chain of trust ".to_owned(),
                Tab::Tags => format!(" Tags {} ", known.tags.rows().len()),
                Tab::Findings => format!(" Findings {} ", known.findings.len()),
            };
            let start = x;
            x += u16::try_from(text.len()).unwrap_or(0) + 1;
            (tab, (start, x), text)
        })
        .collect()
}

/// The tab at a point of the screen.
pub fn tab_at(state: &State, content: Rect, x: u16, y: u16) -> Option<Tab> {
    if y != content.y + TABS || x < content.x {
        return None;
    }
    tab_places(state).into_iter().find(|(_, (from, to), _)| (content.x + from..content.x + to).contains(&x)).map(|(t, ..)| t)
}
