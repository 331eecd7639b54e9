//! A repository of which nothing is trusted: why, what to do, and, if the user wants to see it, what its files claim.
use super::super::{
    ink::Ink, layer::Context, shelf::Repo, standing::Standing, state::State, theme::Tone, when, widgets::pane::Lines,
};
use crate::{
    repository::{Look, Seen},
    text::count,
};

/// So many names of a file are listed.
const NAMES: usize = 50;

/// Draws the page below the verdict.
pub fn draw(state: &State, ink: &mut Ink<'_>) {
    let lines = lines(state, ink.width());
    super::text(state, Context::Unknown, ink, &lines);
}

/// The lines of the page.
pub fn lines(state: &State, columns: u16) -> Lines {
    let mut l = Lines::bare(state.theme, columns.saturating_sub(2));
    let Some(repo) = state.open_repo() else { return l };
    let (what, next) = advice(repo, state.is_reading_target());
    // The verdict has two rows at the top. A longer one stands here in full.
    if let Some(why) = repo.standing.distrust() {
        let mut whole = Lines::bare(state.theme, columns.saturating_sub(2));
        whole.say("", &super::repository::verdict(repo).0, Tone::Plain);
        if whole.lines.len() > 2 {
            l.say("", &format!("Why: {why}"), Tone::Bad);
            l.gap();
        }
    }
    l.say("", what, Tone::Plain);
    l.gap();
    if let Some(advice) = repo.advice {
        l.say("", advice, Tone::Plain);
    }
    l.say("", next, Tone::Plain);
    match &repo.look {
        None => {}
        Some(Err(why)) => {
            l.gap();
            l.say("", &format!("Its files could not be looked at: {why}"), Tone::Warn);
        }
        Some(Ok(look)) => claims(&mut l, look),
    }
    l
}

fn advice(repo: &Repo, reading: bool) -> (&'static str, &'static str) {
    match &repo.standing {
        _ if reading => ("It is being read.", "Its chain of trust appears here when it was verified."),
        Standing::Unread => ("It was not read yet.", "r reads and verifies it."),
        Standing::Unsigned => (
            "The registry has images of it, and the server's list names no trust data: whoever pulls them has nobody's word.",
            "r asks the server for it all the same.",
        ),
        Standing::Refused(_) if repo.look.is_some() => (
            "What was read did not pass verification, so nothing of it is trusted. What its files claim stands below.",
            "Do not pull from it. r reads it again; v hides what its files claim.",
        ),
        Standing::Refused(_) => (
            "What was read did not pass verification, so nothing of it is shown. What was trusted before stays in the cache.",
            "Do not pull from it. r reads it again; v shows what its files claim.",
        ),
        Standing::NotThere => {
            ("The server answered that it has no such repository.", "Check the name, and the server at the top.")
        }
        Standing::NotAllowed(_) => (
            "The server did not allow it to be read, or the way to a login failed; the reason stands above.",
            "Mend that, or log in with docker login; then press r.",
        ),
        Standing::Unreadable(_) => (
            "What is remembered of it cannot be read, so there is nothing to judge by, and the server was not asked.",
            "Mend the file or its permissions, then press r.",
        ),
        _ => (
            "The server could not be asked, and nothing valid was at hand.",
            "Check the network, and the server at the top; r tries again.",
        ),
    }
}

/// What files claim. Every line of it is toned down, and the heading says that it proves nothing.
fn claims(l: &mut Lines, look: &Look) {
    l.gap();
    l.say("", "CLAIMS, NOT TRUSTED: nothing below was verified; anybody could have written it.", Tone::Bad);
    for Seen { role, claims, names, more_names, problem } in &look.files {
        let text = match (claims, problem) {
            (Some(c), _) => {
                let signatures = count(c.signatures, "signature");
                format!("{role} claims version {}, until {}, {signatures} unchecked", c.version, when::date(c.expires))
            }
            (None, Some(why)) => format!("{role} could not be read: {why}"),
            (None, None) => format!("{role} says nothing"),
        };
        l.say("", &text, Tone::Plain);
        if !names.is_empty() {
            let mut shown: Vec<String> = names.iter().take(NAMES).map(|n| n.shown().into()).collect();
            let rest = names.len().saturating_sub(NAMES) + more_names;
            if rest > 0 {
                shown.push(format!("and {rest} more"));
            }
            l.say("", &format!("  names: {}", shown.join(", ")), Tone::Dim);
        }
    }
}
