//! The one table of what can be asked for: key bindings, footer and help are all made from it, so that they cannot
//! disagree.
mod changes;
mod reasons;
mod table;

pub use reasons::{never, why_not};
pub use table::TABLE;

use super::{
    action::{Command, Edit},
    layer::{Context, Layer},
    state::State,
    theme::Glyphs,
};
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::borrow::Cow;

/// A key as the table names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Key {
    /// A character; capitals with Shift.
    Char(char),
    /// A character with Ctrl.
    Ctrl(char),
    /// Any other key.
    Code(KeyCode),
}

impl Key {
    /// What was pressed; nothing for releases and for combinations that mean nothing here.
    pub fn of(event: &KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release || event.modifiers.contains(KeyModifiers::ALT) {
            return None;
        }
        Some(match event.code {
            KeyCode::Char(c) if event.modifiers.contains(KeyModifiers::CONTROL) => Self::Ctrl(c.to_ascii_lowercase()),
            KeyCode::Char(c) => Self::Char(c),
            code => Self::Code(code),
        })
    }

    /// As it is written on the screen.
    pub fn label(self, g: &Glyphs) -> Cow<'static, str> {
        let ascii = g.up_down.is_ascii();
        let word = |s: &'static str| Cow::Borrowed(s);
        match self {
            Self::Char(' ') => word("Space"),
            Self::Char(c) => Cow::Owned(c.to_string()),
            Self::Ctrl(c) => Cow::Owned(format!("^{}", c.to_ascii_uppercase())),
            Self::Code(KeyCode::Up) => word(if ascii { "up" } else { "↑" }),
            Self::Code(KeyCode::Down) => word(if ascii { "down" } else { "↓" }),
            Self::Code(KeyCode::Left) => word(if ascii { "left" } else { "←" }),
            Self::Code(KeyCode::Right) => word(if ascii { "right" } else { "→" }),
            Self::Code(KeyCode::PageUp) => word("PgUp"),
            Self::Code(KeyCode::PageDown) => word("PgDn"),
            Self::Code(KeyCode::BackTab) => word("Shift-Tab"),
            Self::Code(code) => Cow::Owned(format!("{code:?}")),
        }
    }
}

/// A line of the table.
#[derive(Debug)]
pub struct Entry {
    /// What happens.
    pub command: Command,
    /// The keys that make it happen, the best known first.
    pub keys: &'static [Key],
    /// Its name in the footer: one or two words. Empty if the footer does not name it.
    pub name: &'static str,
    /// What it does, in the help.
    pub help: &'static str,
    /// Where it applies.
    pub at: &'static [Context],
    /// In the footer, a lower number stands further left and is dropped later.
    pub rank: u8,
    /// What the command line calls it: the verbs in the palette. None if it only moves about.
    pub verbs: &'static [&'static str],
    /// Whether the verbs work everywhere, not only where the keys do.
    pub anywhere: bool,
}

impl Entry {
    /// Where its verbs work, for somebody who is elsewhere.
    pub fn elsewhere(&self) -> &'static str {
        match self.at {
            at if at.contains(&Context::Keys) => "It works on the selected key, in Keys.",
            at if at.contains(&Context::Deed) => "It works on interrupted work, in Journal.",
            _ => "It works on the selected repository, in Repositories.",
        }
    }
}

/// The lines that apply in a context.
pub fn entries(context: Context) -> impl Iterator<Item = &'static Entry> {
    TABLE.iter().filter(move |e| e.at.contains(&context))
}

/// What a key asks for in a context.
pub fn lookup(context: Context, key: Key) -> Option<Command> {
    entries(context).find(|e| e.keys.contains(&key)).map(|e| e.command)
}

/// What a key does in a line of text, besides what the table says.
pub fn edit(key: Key) -> Option<Edit> {
    Some(match key {
        Key::Char(c) => Edit::Insert(c.to_string()),
        Key::Ctrl('u') => Edit::Clear,
        Key::Ctrl('w') => Edit::DeleteWord,
        Key::Ctrl('a') => Edit::Home,
        Key::Ctrl('e') => Edit::End,
        Key::Ctrl('h') => Edit::Backspace,
        Key::Code(KeyCode::Backspace) => Edit::Backspace,
        Key::Code(KeyCode::Delete) => Edit::Delete,
        Key::Code(KeyCode::Left) => Edit::Left,
        Key::Code(KeyCode::Right) => Edit::Right,
        Key::Code(KeyCode::Home) => Edit::Home,
        Key::Code(KeyCode::End) => Edit::End,
        _ => return None,
    })
}

/// What the footer calls an entry now.
pub fn name(state: &State, entry: &Entry) -> &'static str {
    match (entry.command, state.wizard()) {
        (Command::Back, Some(w)) if entry.name == "back" && !w.may_go_back => "cancel",
        _ => entry.name,
    }
}

/// Whether the footer names an entry now. Stopping is named only while something runs; what cannot be done is left
/// out there, and shown with its reason in the help.
pub fn in_footer(state: &State, entry: &Entry) -> bool {
    !entry.name.is_empty() && why_not(state, entry.command).is_none()
}

/// The context that the help is about.
pub fn helped(state: &State) -> Context {
    match state.layers.last() {
        Some(Layer::Help(_)) => state.page(),
        _ => state.context(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for c in Context::ALL {
            let mut seen = HashMap::new();
            for e in entries(c) {
                for k in e.keys {
                    assert!(seen.insert(k, e.command).is_none(), "{k:?} twice in {c:?}");
                }
            }
        }
    }

    #[test]
    fn every_line_can_be_pressed_explained_and_reached() {
        for e in TABLE {
            let reached = !e.keys.is_empty() || e.anywhere && !e.verbs.is_empty();
            assert!(reached && !e.help.is_empty() && !e.at.is_empty(), "{e:?}");
            for c in e.at {
                for k in e.keys {
                    assert_eq!(lookup(*c, *k), Some(e.command));
                }
            }
        }
    }

    #[test]
    fn one_can_leave_from_everywhere() {
        for c in Context::ALL {
            assert_eq!(lookup(c, Key::Ctrl('c')), Some(Command::Interrupt), "{c:?}");
            assert_ne!(lookup(c, Key::Ctrl('x')) == Some(Command::Lock), c == Context::Locked, "{c:?}");
        }
        assert_eq!(lookup(Context::Locked, Key::Code(KeyCode::Enter)), Some(Command::Unlock));
        assert_eq!(lookup(Context::Locked, Key::Char('q')), Some(Command::Quit));
        for c in Context::UNLOCKED.iter().copied() {
            assert_eq!(lookup(c, Key::Code(KeyCode::Esc)), Some(Command::Back), "{c:?}");
            let page = lookup(c, Key::Char('1')).is_some();
            assert_eq!(lookup(c, Key::Char('q')) == Some(Command::Quit), page, "{c:?}");
            assert_eq!(lookup(c, Key::Char(':')) == Some(Command::Palette), page, "{c:?}");
        }
    }

    #[test]
    fn letters_are_text_in_the_filter() {
        for c in ('a'..='z').chain(['/', '?', ' ']) {
            assert_eq!(lookup(Context::Filter, Key::Char(c)), None);
            assert_eq!(edit(Key::Char(c)), Some(Edit::Insert(c.to_string())));
        }
    }
}
