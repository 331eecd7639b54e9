//! The one table of what can be asked for: key bindings, footer and help are all made from it, so that they cannot
//! disagree.
use super::{
    action::{Command, Edit},
    layer::{Context, Layer},
    shelf::Progress,
    standing::Standing,
    state::State,
    theme::Glyphs,
    wizard::Page,
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
}

use Context as C;
use Key::{Char, Code, Ctrl};
const UP: Key = Code(KeyCode::Up);
const DOWN: Key = Code(KeyCode::Down);
const ENTER: Key = Code(KeyCode::Enter);
const ESC: Key = Code(KeyCode::Esc);
/// Where letters are commands, and there is something to move in.
const ALL: &[C] = &[
    C::Overview,
    C::Matter,
    C::Keys,
    C::Key,
    C::Repositories,
    C::Unknown,
    C::Chain,
    C::Tags,
    C::Findings,
    C::Help,
    C::Review,
    C::Outcome,
];
const PAGES: &[C] = &[C::Overview, C::Matter, C::Keys, C::Key, C::Repositories, C::Unknown, C::Chain, C::Tags, C::Findings];
const OF_REPOSITORY: &[C] = &[C::Unknown, C::Chain, C::Tags, C::Findings];
const IN_REPOSITORY: &[C] = &[C::Chain, C::Tags, C::Findings];
const PLACES: &[C] = &[C::Overview, C::Keys, C::Repositories];
const LISTS: &[C] = &[C::Keys, C::Repositories, C::Tags];
const FORM: &[C] = &[C::Form, C::Choice];
/// Pages of guided work that ask something which the screen itself reads.
const QUESTIONS: &[C] = &[C::Form, C::Choice, C::Review, C::Confirm];
/// Everywhere but on the page of the lock.
const UNLOCKED: &[C] = &[
    C::Overview,
    C::Matter,
    C::Keys,
    C::Key,
    C::Repositories,
    C::Unknown,
    C::Chain,
    C::Tags,
    C::Findings,
    C::Help,
    C::Filter,
    C::Form,
    C::Choice,
    C::Secret,
    C::Review,
    C::Confirm,
    C::Working,
    C::Outcome,
];
/// Where letters are text, and where nothing moves.
const TYPING: &[C] = &[C::Filter, C::Form, C::Choice, C::Confirm, C::Working];

const fn entry(
    command: Command,
    keys: &'static [Key],
    name: &'static str,
    help: &'static str,
    at: &'static [Context],
    rank: u8,
) -> Entry {
    Entry { command, keys, name, help, at, rank }
}

/// The table.
pub const TABLE: &[Entry] = &[
    entry(Command::Up, &[UP, Char('k')], "move", "one line up", ALL, 0),
    entry(Command::Down, &[DOWN, Char('j')], "", "one line down", ALL, 0),
    entry(Command::HalfUp, &[Ctrl('u'), Code(KeyCode::PageUp)], "", "half a screen up", ALL, 0),
    entry(Command::HalfDown, &[Ctrl('d'), Code(KeyCode::PageDown)], "", "half a screen down", ALL, 0),
    entry(Command::First, &[Char('g'), Code(KeyCode::Home)], "", "to the first line", ALL, 0),
    entry(Command::Last, &[Char('G'), Code(KeyCode::End)], "", "to the last line", ALL, 0),
    entry(Command::Open, &[ENTER, Char('l'), Code(KeyCode::Right)], "open", "open what is selected", PLACES, 1),
    entry(Command::TabLeft, &[Code(KeyCode::Left), Char('h')], "chain/tags", "to the tab on the left", IN_REPOSITORY, 1),
    entry(Command::TabRight, &[Code(KeyCode::Right), Char('l')], "", "to the tab on the right", IN_REPOSITORY, 1),
    entry(Command::Open, &[ENTER], "open", "open the selected key; fold or unfold a role", &[C::Chain], 3),
    entry(Command::Fold, &[Char(' ')], "fold", "fold or unfold the selected role", &[C::Chain], 4),
    entry(Command::Back, &[ESC, Code(KeyCode::Backspace)], "back", "out; clears a filter first", IN_REPOSITORY, 2),
    entry(
        Command::Back,
        &[ESC, Char('h'), Code(KeyCode::Left), Code(KeyCode::Backspace)],
        "back",
        "out",
        &[C::Key, C::Matter, C::Unknown],
        2,
    ),
    entry(Command::Look, &[Char('v')], "claims", "see what its files claim, unverified; once more hides it", &[C::Unknown], 5),
    entry(Command::Back, &[ESC, Char('?'), Char('q')], "close", "close the help", &[C::Help], 2),
    entry(Command::Back, &[ESC], "", "clear the filter, or stop reading", PLACES, 2),
    entry(Command::Filter, &[Char('/')], "filter", "filter: lines with all these words", LISTS, 3),
    entry(Command::Sort, &[Char('s')], "sort", "sort by the next column", LISTS, 5),
    entry(Command::Refresh, &[Char('r')], "read again", "read again: all keys", &[C::Keys, C::Key], 4),
    entry(Command::Refresh, &[Char('r')], "read again", "read and verify this repository again", &[C::Repositories], 4),
    entry(Command::Refresh, &[Char('r')], "read again", "read and verify this repository again", OF_REPOSITORY, 4),
    entry(Command::RefreshAll, &[Char('r'), Char('R')], "read again", "read everything again", &[C::Overview, C::Matter], 4),
    entry(Command::RefreshAll, &[Char('R')], "all", "read and verify all repositories again", &[C::Repositories], 5),
    entry(Command::Cancel, &[Char('c')], "stop", "stop reading", PAGES, 6),
    entry(Command::Copy, &[Char('y')], "copy ID", "copy the key's ID", &[C::Keys, C::Key], 6),
    entry(Command::Copy, &[Char('y')], "copy name", "copy the repository's name", &[C::Repositories], 6),
    entry(Command::Copy, &[Char('y')], "copy", "copy the role's name or the key's ID", &[C::Chain], 6),
    entry(Command::Copy, &[Char('y')], "copy digest", "copy the digest", &[C::Tags], 6),
    entry(Command::NewKey, &[Char('n')], "new key", "make a key", &[C::Keys], 2),
    entry(Command::ChangePassphrase, &[Char('p')], "passphrase", "change the key's passphrase", &[C::Keys, C::Key], 3),
    entry(
        Command::TestKey,
        &[Char('t')],
        "test",
        "test the key: does it open, and is it the one its name says",
        &[C::Keys, C::Key],
        4,
    ),
    entry(Command::RemoveKey, &[Char('D')], "remove", "remove the key, after a look at what needs it", &[C::Keys, C::Key], 5),
    entry(Command::StrengthenKeys, &[Char('S')], "", "protect all keys as new ones are", &[C::Keys], 6),
    entry(Command::MigrateKeys, &[Char('M')], "", "move keys of old layouts to today's, after a copy", &[C::Keys], 6),
    entry(Command::MendPermissions, &[Char('P')], "", "mend the permissions of key files", &[C::Keys], 6),
    entry(Command::Place(0), &[Char('1')], "", "to the overview", PAGES, 7),
    entry(Command::Place(1), &[Char('2')], "", "to the keys", PAGES, 7),
    entry(Command::Place(2), &[Char('3')], "", "to the repositories", PAGES, 7),
    entry(Command::NextPlace, &[Code(KeyCode::Tab)], "places", "to the next place", PAGES, 7),
    entry(Command::PreviousPlace, &[Code(KeyCode::BackTab)], "", "to the place before", PAGES, 7),
    entry(Command::Help, &[Char('?')], "help", "show this help", PAGES, 8),
    entry(Command::Help, &[Char('?')], "help", "show this help", &[C::Choice, C::Review, C::Working, C::Outcome], 8),
    entry(Command::Repaint, &[Ctrl('l')], "", "draw the screen again", ALL, 9),
    entry(Command::Suspend, &[Ctrl('z')], "", "to the shell; fg comes back", ALL, 9),
    entry(Command::Quit, &[Char('q')], "quit", "leave", PAGES, 9),
    entry(Command::Interrupt, &[Ctrl('c')], "", "leave at once", ALL, 9),
    entry(Command::KeepFilter, &[ENTER], "keep", "keep the filter and go back to the list", &[C::Filter], 1),
    entry(Command::Back, &[ESC], "clear", "clear the filter", &[C::Filter], 2),
    entry(Command::Up, &[UP], "move", "one line up", &[C::Filter], 3),
    entry(Command::Down, &[DOWN], "", "one line down", &[C::Filter], 3),
    entry(Command::Enter, &[ENTER], "next", "to the next field; from the last one, on", FORM, 1),
    entry(Command::TurnLeft, &[Code(KeyCode::Left)], "choose", "the choice before", &[C::Choice], 2),
    entry(Command::TurnRight, &[Code(KeyCode::Right), Char(' ')], "", "the next choice", &[C::Choice], 2),
    entry(Command::PreviousField, &[UP, Code(KeyCode::BackTab)], "field", "to the field before", FORM, 3),
    entry(Command::NextField, &[DOWN, Code(KeyCode::Tab)], "", "to the next field", FORM, 3),
    entry(Command::Continue, &[Ctrl('d')], "continue", "on, if nothing is wrong", FORM, 4),
    entry(Command::Accept, &[ENTER], "done", "take what was typed", &[C::Secret], 1),
    entry(Command::Clear, &[Ctrl('u')], "clear", "begin the line again", &[C::Secret], 3),
    entry(Command::Remember, &[Ctrl('r')], "remember", "remember the passphrase until locked, or do not", &[C::Secret], 4),
    entry(Command::Accept, &[ENTER], "accept", "do what the page says", &[C::Review], 1),
    entry(Command::Accept, &[ENTER], "go ahead", "do what the page says, once it is typed in full", &[C::Confirm], 1),
    entry(Command::Up, &[UP], "", "one line up", &[C::Confirm], 3),
    entry(Command::Down, &[DOWN], "", "one line down", &[C::Confirm], 3),
    entry(Command::HalfUp, &[Code(KeyCode::PageUp)], "", "half a screen up", &[C::Confirm], 3),
    entry(Command::HalfDown, &[Code(KeyCode::PageDown)], "", "half a screen down", &[C::Confirm], 3),
    entry(Command::Back, &[ESC], "back", "to the question before; from the first one, out: nothing is done", QUESTIONS, 2),
    entry(Command::Back, &[ESC], "back", "to the question before; from the first one, out: nothing is done", &[C::Secret], 2),
    entry(Command::Back, &[ESC], "cancel", "stop, unless it has begun to write", &[C::Working], 2),
    entry(Command::Back, &[ENTER, ESC, Char('q')], "close", "back to where you were", &[C::Outcome], 1),
    entry(Command::Repaint, &[Ctrl('l')], "", "draw the screen again", &[C::Form, C::Choice, C::Confirm, C::Working], 9),
    entry(Command::Suspend, &[Ctrl('z')], "", "to the shell; fg comes back", TYPING, 9),
    entry(Command::Interrupt, &[Ctrl('c')], "", "leave at once", TYPING, 9),
    entry(Command::Interrupt, &[Ctrl('c')], "", "leave at once", &[C::Secret], 9),
    entry(Command::Lock, &[Ctrl('x')], "", "forget every passphrase, and lock", UNLOCKED, 9),
    entry(Command::Unlock, &[ENTER], "go on", "go on; there is nothing to type", &[C::Locked], 1),
    entry(Command::Repaint, &[Ctrl('l')], "", "draw the screen again", &[C::Locked], 9),
    entry(Command::Suspend, &[Ctrl('z')], "", "to the shell; fg comes back", &[C::Locked], 9),
    entry(Command::Quit, &[Char('q')], "quit", "leave", &[C::Locked], 9),
    entry(Command::Interrupt, &[Ctrl('c')], "", "leave at once", &[C::Locked], 9),
];

/// What begins work that writes.
const WRITES: &[Command] = &[
    Command::NewKey,
    Command::ChangePassphrase,
    Command::RemoveKey,
    Command::StrengthenKeys,
    Command::MigrateKeys,
    Command::MendPermissions,
];

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
        Char(c) => Edit::Insert(c.to_string()),
        Ctrl('u') => Edit::Clear,
        Ctrl('w') => Edit::DeleteWord,
        Ctrl('a') => Edit::Home,
        Ctrl('e') => Edit::End,
        Ctrl('h') => Edit::Backspace,
        Code(KeyCode::Backspace) => Edit::Backspace,
        Code(KeyCode::Delete) => Edit::Delete,
        Code(KeyCode::Left) => Edit::Left,
        Code(KeyCode::Right) => Edit::Right,
        Code(KeyCode::Home) => Edit::Home,
        Code(KeyCode::End) => Edit::End,
        _ => return None,
    })
}

/// Why a command can do nothing now; nothing if it can.
pub fn why_not(state: &State, command: Command) -> Option<Cow<'static, str>> {
    in_work(state, command).or_else(|| in_general(state, command).map(Cow::Borrowed))
}

fn in_general(state: &State, command: Command) -> Option<&'static str> {
    let page = state.page();
    let nothing_listed = state.view(page).is_none_or(|v| v.is_empty());
    match command {
        Command::Open | Command::Fold if nothing_listed => Some("Nothing is selected."),
        Command::Copy if nothing_listed && page != Context::Key => Some("Nothing is selected."),
        Command::Copy if state.copyable().is_none() => Some("There is no valid ID or digest to copy."),
        Command::Look if state.looking.is_some() => Some("It is being looked at. c stops that."),
        Command::Look if !state.open_repo().is_some_and(|r| matches!(r.standing, Standing::Refused(_))) => {
            Some("Only what was refused is looked at unverified.")
        }
        Command::Filter if state.roster_len(page) == 0 => Some("There is nothing to filter."),
        Command::Sort if state.roster_len(page) == 0 => Some("There is nothing to sort."),
        Command::Cancel if !state.is_busy() => Some("Nothing is running."),
        Command::Refresh if matches!(page, Context::Keys | Context::Key) && state.keys_progress == Progress::Reading => {
            Some("The keys are being read. c stops that.")
        }
        Command::Refresh if page == Context::Repositories && nothing_listed => {
            Some("No repository is selected. R looks for all.")
        }
        Command::Refresh if state.is_reading_target() => Some("It is being read. c stops that."),
        Command::RefreshAll if state.job.is_some() || state.repos_progress == Progress::Reading => {
            Some("Repositories are being read. c stops that.")
        }
        Command::ChangePassphrase | Command::RemoveKey | Command::TestKey if state.selected_key().is_none() => {
            Some("Nothing is selected.")
        }
        Command::Suspend if !state.has_shell => Some("There is no shell to go back to."),
        _ => None,
    }
}

/// The same for guided work.
fn in_work(state: &State, command: Command) -> Option<Cow<'static, str>> {
    if let (true, Some(why)) = (WRITES.contains(&command), &state.read_only) {
        return Some(format!("This is a read-only session ({why}): nothing is written.").into());
    }
    if state.context() == Context::Help {
        return None;
    }
    let wizard = state.wizard()?;
    match (command, &wizard.page) {
        (Command::Back, page) if wizard.acted && !matches!(page, Page::Outcome(_)) => {
            Some("It has begun to write, and is not stopped half-way.".into())
        }
        (Command::Remember, Page::Secret(page)) if !page.may_be_remembered() => {
            Some("Only the passphrase of a key that there is can be remembered.".into())
        }
        (Command::Back, _) if wizard.stopping && wizard.is_working() => Some("It is being stopped.".into()),
        (Command::Accept, Page::Review(_) | Page::Confirm(..)) if !wizard.is_read() => {
            Some("There is more below: read to the end, with Down or PgDn.".into())
        }
        (Command::Accept, Page::Confirm(confirm, input)) if input.value() != confirm.typed => {
            Some(format!("Type {} in full.", confirm.typed).into())
        }
        _ => None,
    }
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
        for c in [
            C::Overview,
            C::Matter,
            C::Keys,
            C::Key,
            C::Repositories,
            C::Unknown,
            C::Chain,
            C::Tags,
            C::Findings,
            C::Help,
            C::Filter,
            C::Form,
            C::Choice,
            C::Secret,
            C::Review,
            C::Confirm,
            C::Working,
            C::Outcome,
        ] {
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
            assert!(!e.keys.is_empty() && !e.help.is_empty() && !e.at.is_empty(), "{e:?}");
            for c in e.at {
                for k in e.keys {
                    assert_eq!(lookup(*c, *k), Some(e.command));
                }
            }
        }
    }

    #[test]
    fn one_can_leave_from_everywhere() {
        for c in PAGES.iter().copied() {
            assert_eq!(lookup(c, Char('q')), Some(Command::Quit));
            assert_eq!(lookup(c, ESC), Some(Command::Back));
        }
        for c in [C::Help, C::Filter, C::Form, C::Choice, C::Secret, C::Review, C::Confirm, C::Working, C::Outcome] {
            assert_eq!(lookup(c, Ctrl('c')), Some(Command::Interrupt));
            assert_eq!(lookup(c, ESC), Some(Command::Back));
        }
    }

    #[test]
    fn letters_are_text_in_the_filter() {
        for c in ('a'..='z').chain(['/', '?', ' ']) {
            assert_eq!(lookup(C::Filter, Char(c)), None);
            assert_eq!(edit(Char(c)), Some(Edit::Insert(c.to_string())));
        }
    }
}
