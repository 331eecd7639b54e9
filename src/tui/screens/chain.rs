//! The chain of trust as a tree: who signs what, until when, with which key, and where that key is.
use super::super::{
    ink::Ink,
    shelf::Repo,
    standing::Standing,
    state::State,
    theme::{Glyphs, Tone},
    tree::{Branch, Line},
    when,
    widgets::{
        pane::Lines,
        table::{self, Cell, Column, fixed, rest},
    },
};
use crate::{
    text,
    text::count,
    tuf::name::BaseRole,
    views::chain::{ChainKey, ChainNode, NodeState, Whereabouts},
};

const COLUMNS: [Column; 5] = [rest("Role and keys"), fixed("Ver.", 5), fixed("Until", 10), fixed("", 9), fixed("Needs", NEEDS)];
const NEEDS: u16 = 7;

/// Draws the tree and what is selected in it.
pub fn draw(state: &State, repo: &Repo, ink: &mut Ink<'_>) {
    let (Some(known), Some(page)) = (&repo.known, state.repo_page()) else { return };
    let (list, pane) = super::split(ink.area());
    let trusted = repo.standing.is_trusted();
    let folded = |b: &Branch| page.folded.contains(&b.node.role);
    let mut part = ink.on(list);
    let lines: Vec<usize> = page.chain.on_screen(usize::from(part.height())).map(|(_, i)| i).collect();
    table::draw(&mut part, &COLUMNS, None, &page.chain, |i| match known.tree.line(i) {
        Some((b, Line::Role)) if !matches!(b.node.state, NodeState::Refused(_)) => role(state, b, trusted, folded(b)),
        _ => Vec::new(),
    });
    // Paths, keys and reasons need the whole width; a role without a file all but the last column.
    let g = part.glyphs();
    let whole = part.width().saturating_sub(4);
    for (y, i) in lines.iter().enumerate() {
        let y = u16::try_from(y + 1).unwrap_or(u16::MAX);
        let (text, tone, room) = match known.tree.line(*i) {
            Some((b, Line::Role)) => match &b.node.state {
                NodeState::Refused(why) => {
                    (format!("{}{} {}  REFUSED: {why}", stem(b, g), g.cross, b.node.role), Tone::Bad, whole)
                }
                NodeState::Unpublished => {
                    (format!("{}  nothing published", title(b, g.dot, g, folded(b))), Tone::Dim, whole.saturating_sub(NEEDS + 1))
                }
                NodeState::Verified => continue,
            },
            Some((b, Line::Paths)) => (format!("{}{}", below(b, g), paths(&b.node)), Tone::Dim, whole),
            Some((b, Line::Key(k))) => match b.node.keys.get(k) {
                Some(k) => (format!("{}{}", below(b, g), key(k, &b.node.state, g, trusted)), key_tone(k, trusted), whole),
                None => continue,
            },
            _ => continue,
        };
        part.clip(2, y, room, &text, tone);
        if page.chain.selected() == Some(*i) {
            table::select(&mut part, y);
        }
    }
    if let Some((b, line)) = page.chain.selected().and_then(|i| known.tree.line(i)) {
        let more = match line {
            Line::Key(k) if b.node.keys.get(k).is_some_and(|k| file(k).is_some()) => "Enter shows all",
            _ => "a taller terminal shows all",
        };
        super::pane(ink, pane, more, |columns| describe(state, repo, b, line, columns));
    }
}

/// The lines of the tree left of a role.
fn stem(b: &Branch, g: &Glyphs) -> String {
    let mut out = String::new();
    let depth = b.guides.len();
    for (i, more) in b.guides.iter().enumerate() {
        out.push_str(match (i + 1 == depth, more) {
            (true, true) => g.branch,
            (true, false) => g.last,
            (false, true) => g.pipe,
            (false, false) => "   ",
        });
    }
    out
}

/// The lines of the tree left of what belongs to a role.
fn below(b: &Branch, g: &Glyphs) -> String {
    let mut out: String = b.guides.iter().map(|more| if *more { g.pipe } else { "   " }).collect();
    out.push_str(if b.has_children { g.pipe } else { "   " });
    out
}

/// A role's place in the tree, mark and name.
fn title(b: &Branch, mark: &str, g: &Glyphs, folded: bool) -> String {
    let more = if folded { format!(" {}", g.dots) } else { String::new() };
    format!("{}{mark} {}{more}", stem(b, g), b.node.role)
}

fn role(state: &State, b: &Branch, trusted: bool, folded: bool) -> Vec<Cell<'static>> {
    let g = state.theme.glyphs();
    let n = &b.node;
    let (name, tone) = match (&n.state, trusted) {
        // Written over the columns that stay empty.
        (NodeState::Refused(_) | NodeState::Unpublished, _) => (String::new(), Tone::Plain),
        (NodeState::Verified, false) => (title(b, "?", g, folded), Tone::Dim),
        (NodeState::Verified, true) => (title(b, g.tick, g, folded), Tone::Strong),
    };
    let own = matches!(n.role.base(), Some(BaseRole::Timestamp | BaseRole::Snapshot));
    let (date, left, end_tone) = match n.expires {
        Some(t) => (when::date(t), when::left(state.now, t), when::tone(state.now, t, own)),
        None => (String::new(), String::new(), Tone::Plain),
    };
    let end_tone = if trusted { end_tone } else { Tone::Dim };
    vec![
        (name.into(), tone),
        (n.version.map(|v| format!("v{v}")).unwrap_or_default().into(), Tone::Plain),
        (date.into(), end_tone),
        (left.into(), end_tone),
        (format!("{} of {}", n.threshold, n.keys.len()).into(), Tone::Plain),
    ]
}

/// What a role may sign, and how many names it does.
fn paths(n: &ChainNode) -> String {
    let what = match n.paths.as_slice() {
        [] => "may sign nothing: no paths".to_owned(),
        all if all.iter().any(|p| p.as_str().is_empty()) => "may sign everything".to_owned(),
        all => {
            let names: Vec<String> = all.iter().map(|p| format!("{p}*")).collect();
            format!("may sign {}", names.join(", "))
        }
    };
    match n.targets {
        // Nothing is known of what a refused role signs, and one that has published nothing says so in its own line.
        None => what,
        Some(0) => format!("{what}; signs no name"),
        Some(n) => format!("{what}; signs {}", count(n, "name")),
    }
}

fn key(k: &ChainKey, state: &NodeState, g: &Glyphs, trusted: bool) -> String {
    let (mark, word) = match (k.signed, trusted) {
        (Some(true), true) => (g.tick, "signed by"),
        (Some(false), true) => (g.dot, "not signed by"),
        (None, _) if *state == NodeState::Unpublished => (g.dot, "key"),
        // Whether it signed was not judged, or does not hold any more.
        _ => ("?", "key"),
    };
    format!("{mark} {word} {} {:<10} {}", k.canonical_id.short(), k.algorithm.to_string(), whereabouts(k).0)
}

fn key_tone(k: &ChainKey, trusted: bool) -> Tone {
    if k.signed == Some(true) && trusted { Tone::Good } else { Tone::Dim }
}

fn whereabouts(k: &ChainKey) -> (&'static str, String) {
    match &k.whereabouts {
        Whereabouts::Here(path) => ("key here", format!("here: {}", text::path(path))),
        Whereabouts::Unusable(path, fault) => ("key here, UNUSABLE", format!("here, but {}: {}", fault.words, text::path(path))),
        Whereabouts::Server => ("key at server", "with the server, which signs by itself".to_owned()),
        Whereabouts::Elsewhere => ("key elsewhere", "not in this trust directory".to_owned()),
    }
}

/// The file of a key, if there is one here.
fn file(k: &ChainKey) -> Option<&std::path::Path> {
    match &k.whereabouts {
        Whereabouts::Here(path) | Whereabouts::Unusable(path, _) => Some(path),
        Whereabouts::Server | Whereabouts::Elsewhere => None,
    }
}

fn describe(state: &State, repo: &Repo, b: &Branch, line: Line, columns: u16) -> Lines {
    let trusted = repo.standing.is_trusted();
    let mut l = Lines::new(state.theme, columns);
    let n = &b.node;
    if let Line::Key(i) = line
        && let Some(k) = n.keys.get(i)
    {
        l.digits("Key", "", &k.canonical_id.hex(), Tone::Plain);
        let unusable = matches!(k.whereabouts, Whereabouts::Unusable(..));
        match &k.whereabouts {
            Whereabouts::Here(path) => l.say("Here", text::path(path).as_str(), Tone::Plain),
            _ => l.say("Private", &whereabouts(k).1, if unusable { Tone::Bad } else { Tone::Plain }),
        }
        let signed = match (k.signed, &n.state) {
            _ if !trusted => ("not judged: this repository is not trusted", Tone::Bad),
            (Some(true), _) => ("yes, a good signature stands under this role's file", Tone::Good),
            (Some(false), _) => ("no", Tone::Plain),
            (None, NodeState::Unpublished) => ("nothing to sign yet: the role has published nothing", Tone::Plain),
            (None, _) => ("not judged: the role's file was refused", Tone::Warn),
        };
        l.say("Signed", signed.0, signed.1);
        if k.canonical_id != k.id {
            l.digits("Cert. ID", "", &k.id.hex(), Tone::Plain);
            l.say("", "the certificate's own ID, which trust_pinning wants", Tone::Dim);
        }
        if let Some((name, end)) = &k.certificate {
            let text = format!("{}, until {} ({})", name.shown(), when::date(*end), when::clause(state.now, *end));
            l.say("Certificate", &text, when::tone(state.now, *end, false));
        }
        l.say("Algorithm", &k.algorithm.to_string(), Tone::Plain);
        return l;
    }
    l.say("Role", n.role.as_str(), Tone::Strong);
    match &n.state {
        NodeState::Refused(why) => l.say("REFUSED", why, Tone::Bad),
        NodeState::Unpublished => l.say("State", "delegated to, but nothing was published", Tone::Plain),
        NodeState::Verified if !trusted => l.say("State", "not judged: this repository is not trusted", Tone::Bad),
        NodeState::Verified if repo.standing == Standing::NotFresh => {
            l.say("State", "from the cache: its signatures hold, but the server may have newer", Tone::Warn);
        }
        NodeState::Verified => l.say("State", "verified", Tone::Good),
    }
    super::findings::say_all(&mut l, "Findings", &n.findings);
    if let Some(t) = n.expires {
        let text = format!("{} ({})", when::moment(t), when::clause(state.now, t));
        l.say("Until", &text, Tone::Plain);
    }
    if !n.paths.is_empty() {
        l.say("Paths", &paths(n), Tone::Plain);
    }
    let here = n.keys.iter().filter(|k| matches!(k.whereabouts, Whereabouts::Here(_))).count();
    l.say("Keys", &format!("{} of {} must sign; {here} of them here", n.threshold, n.keys.len()), Tone::Plain);
    l
}
