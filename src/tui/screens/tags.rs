//! What a repository signs: name, digest, signers, and whether docker would pull it.
use super::super::{
    ink::Ink,
    shelf::Repo,
    state::State,
    theme::Tone,
    widgets::{
        pane::Lines,
        table::{self, Cell, Column, fixed, rest},
    },
};
use crate::views::tags::TagRow;

const COLUMNS: [Column; 4] = [rest("Name"), fixed("Digest", 12), fixed("Signers", 16), fixed("Released", 8)];

/// Draws the list and the selected row.
pub fn draw(state: &State, repo: &Repo, ink: &mut Ink<'_>) {
    let (Some(known), Some(page)) = (&repo.known, state.repo_page()) else { return };
    let (list, pane) = super::split(ink.area());
    let view = &page.tags;
    let trusted = repo.standing.is_trusted();
    if view.is_empty() {
        let text =
            if view.filter().is_empty() { "Nothing is signed here yet." } else { "No name matches the filter. Esc clears it." };
        ink.put(2, 1, text, Tone::Plain);
        return;
    }
    let mut part = ink.on(list);
    table::draw(&mut part, &COLUMNS, Some(view.order()), view, |i| {
        known.tags.get(i).map(|t| row(t, trusted)).unwrap_or_default()
    });
    if !view.filter().is_empty() {
        let text = format!(" {} of {}: {} ", view.len(), known.tags.rows().len(), view.filter());
        part.right(0, &text, Tone::Accent);
    }
    if let Some(tag) = state.selected_tag() {
        super::pane(ink, pane, "a taller terminal shows all", |columns| describe(state, tag, trusted, columns));
    }
}

fn row(t: &TagRow, trusted: bool) -> Vec<Cell<'static>> {
    let people: Vec<&str> = t.signers().collect();
    let signers = match people.as_slice() {
        [] => t.roles.iter().map(|r| r.as_str()).collect::<Vec<_>>().join(", "),
        people => people.join(", "),
    };
    let (released, tone) = match (t.released, trusted) {
        (_, false) => ("not read", Tone::Bad),
        (true, true) => ("yes", Tone::Good),
        (false, true) => ("NO", Tone::Warn),
    };
    vec![
        (t.name.shown().as_str().to_owned().into(), Tone::Plain),
        (t.digest.map_or_else(|| "none".to_owned(), |d| d.short()).into(), Tone::Plain),
        (signers.into(), Tone::Plain),
        (released.into(), tone),
    ]
}

fn describe(state: &State, t: &TagRow, trusted: bool, columns: u16) -> Lines {
    let mut l = Lines::new(state.theme, columns);
    match t.digest {
        Some(d) => l.digits("Digest", "sha256:", &d.hex(), Tone::Plain),
        None => l.say("Digest", "none: the signer named no SHA-256", Tone::Warn),
    }
    let released = match (trusted, t.released) {
        (false, _) => ("not judged: this repository is not trusted", Tone::Bad),
        (true, true) => ("yes: docker pulls it", Tone::Good),
        (true, false) => ("NO: neither targets nor targets/releases signs it, so docker does not pull it", Tone::Warn),
    };
    l.say("Released", released.0, released.1);
    let roles: Vec<&str> = t.roles.iter().map(|r| r.as_str()).collect();
    l.say("Signed by", &roles.join(", "), Tone::Plain);
    l.say("Name", t.name.shown().as_str(), Tone::Plain);
    l.say("Size", &format!("{} bytes", t.size), Tone::Plain);
    l
}
