//! The lines of the table.
use super::{Context, Context as C, Entry, Key, Key::Char, Key::Code, Key::Ctrl};
use crate::{
    procedures::repository::About,
    tui::{action::Command, changing::Changing, layer::Tab},
};
use crossterm::event::KeyCode;

const UP: Key = Code(KeyCode::Up);
const DOWN: Key = Code(KeyCode::Down);
const ENTER: Key = Code(KeyCode::Enter);
const ESC: Key = Code(KeyCode::Esc);
const INTO: &[Key] = &[ENTER, Char('l'), Code(KeyCode::Right)];
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
    C::Journal,
    C::Deed,
    C::Staged,
    C::Message,
    C::Doctor,
    C::Help,
    C::Review,
    C::Outcome,
];
const PAGES: &[C] = &[
    C::Overview,
    C::Matter,
    C::Keys,
    C::Key,
    C::Repositories,
    C::Unknown,
    C::Chain,
    C::Tags,
    C::Findings,
    C::Journal,
    C::Deed,
    C::Staged,
    C::Message,
    C::Doctor,
];
const OF_REPOSITORY: &[C] = &[C::Unknown, C::Chain, C::Tags, C::Findings];
const IN_REPOSITORY: &[C] = &[C::Chain, C::Tags, C::Findings];
/// Where a repository is selected, or is the page.
const REPOSITORY: &[C] = &[C::Repositories, C::Unknown, C::Chain, C::Tags, C::Findings];
const PLACES: &[C] = &[C::Overview, C::Keys, C::Repositories, C::Journal];
const LISTS: &[C] = &[C::Keys, C::Repositories, C::Tags, C::Journal];
const FORM: &[C] = &[C::Form, C::Choice];
/// Pages of guided work that ask something which the screen itself reads.
const QUESTIONS: &[C] = &[C::Form, C::Choice, C::Review, C::Confirm];
/// Where letters are text, and where nothing moves.
const TYPING: &[C] = &[C::Filter, C::Palette, C::Form, C::Choice, C::Confirm, C::Working];

const fn entry(
    command: Command,
    keys: &'static [Key],
    name: &'static str,
    help: &'static str,
    at: &'static [Context],
    rank: u8,
) -> Entry {
    Entry { command, keys, name, help, at, rank, verbs: &[], anywhere: false }
}

const fn change(
    changing: Changing,
    keys: &'static [Key],
    name: &'static str,
    help: &'static str,
    at: &'static [Context],
    rank: u8,
) -> Entry {
    entry(Command::Change(changing), keys, name, help, at, rank)
}

/// What is begun by its name only, and is not published now.
const fn stage(changing: Changing, help: &'static str) -> Entry {
    entry(Command::Stage(changing), &[], "", help, REPOSITORY, 9)
}

impl Entry {
    /// The same, called so on the command line. In the palette it works where its keys do.
    const fn verbs(self, verbs: &'static [&'static str]) -> Self {
        Self { verbs, ..self }
    }

    /// The same, called so on the command line. In the palette it works everywhere.
    const fn anywhere(self, verbs: &'static [&'static str]) -> Self {
        Self { verbs, anywhere: true, ..self }
    }
}

/// The table.
pub const TABLE: &[Entry] = &[
    entry(Command::Up, &[UP, Char('k')], "move", "one line up", ALL, 0),
    entry(Command::Down, &[DOWN, Char('j')], "", "one line down", ALL, 0),
    entry(Command::HalfUp, &[Ctrl('u'), Code(KeyCode::PageUp)], "", "half a screen up", ALL, 0),
    entry(Command::HalfDown, &[Ctrl('d'), Code(KeyCode::PageDown)], "", "half a screen down", ALL, 0),
    entry(Command::First, &[Char('g'), Code(KeyCode::Home)], "", "to the first line", ALL, 0),
    entry(Command::Last, &[Char('G'), Code(KeyCode::End)], "", "to the last line", ALL, 0),
    entry(Command::Open, INTO, "open", "open what is selected", &[C::Overview], 1),
    entry(Command::Open, INTO, "open", "open the selected key", &[C::Keys], 1).verbs(&["key show"]),
    entry(Command::Open, INTO, "open", "open the selected repository", &[C::Repositories], 1).verbs(&["repo show"]),
    entry(Command::Open, INTO, "open", "open the selected work: how it stands, and its transcript", &[C::Journal], 1),
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
        &[C::Key, C::Matter, C::Unknown, C::Deed, C::Staged, C::Message, C::Doctor],
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
    entry(Command::Refresh, &[Char('r')], "read again", "read the journal again", &[C::Journal, C::Deed], 4),
    entry(Command::Refresh, &[Char('r')], "read again", "read again what is staged", &[C::Staged], 4),
    entry(Command::Examine, &[Char('r')], "look again", "look again at what stands in the way", &[C::Doctor], 4),
    entry(Command::Examine, &[Char('d')], "doctor", "what stands in the way: server, logins, files, tools", &[C::Overview], 8)
        .anywhere(&["doctor"]),
    entry(Command::Tour, &[Char('T')], "tour", "a walk through content trust, in a world made for it", &[C::Overview], 7)
        .anywhere(&["sandbox --tour"]),
    entry(Command::RefreshAll, &[Char('r'), Char('R')], "read again", "read everything again", &[C::Overview, C::Matter], 4),
    entry(Command::RefreshAll, &[Char('R')], "all", "read and verify all repositories again", &[C::Repositories], 5),
    entry(Command::Cancel, &[Char('c')], "stop", "stop reading", PAGES, 6),
    entry(Command::Copy, &[Char('y')], "copy ID", "copy the key's ID", &[C::Keys, C::Key], 6),
    entry(Command::Copy, &[Char('y')], "copy name", "copy the repository's name", &[C::Repositories], 6),
    entry(Command::Copy, &[Char('y')], "copy", "copy the role's name or the key's ID", &[C::Chain], 6),
    entry(Command::Copy, &[Char('y')], "copy digest", "copy the digest", &[C::Tags], 6),
    entry(Command::Copy, &[Char('y')], "copy name", "copy the name of the work", &[C::Journal, C::Deed], 6),
    entry(Command::Resume, &[Char('o')], "go on", "go on with the interrupted work", &[C::Journal, C::Deed], 2)
        .anywhere(&["resume"]),
    entry(Command::GiveUp, &[Char('X')], "close", "close the interrupted work; what was done stays", &[C::Deed], 3)
        .verbs(&["resume --give-up"]),
    entry(Command::NewKey, &[Char('n')], "new key", "make a key", &[C::Keys], 2).anywhere(&["key generate"]),
    entry(Command::LoadKeys, &[Char('i')], "load", "take the keys of a file", &[C::Keys], 4)
        .anywhere(&["key load", "key import"]),
    entry(Command::ChangePassphrase, &[Char('p')], "passphrase", "change the key's passphrase", &[C::Keys, C::Key], 3)
        .verbs(&["key passwd"]),
    entry(Command::ExportKey, &[Char('e')], "export", "write the key to a file, still encrypted", &[C::Keys, C::Key], 6)
        .verbs(&["key export"]),
    entry(Command::ExportPublic, &[Char('u')], "", "write the key's public half to a file", &[C::Keys, C::Key], 7)
        .verbs(&["key export --public"]),
    entry(Command::ExportAll, &[Char('E')], "", "write all keys to a file, still encrypted", &[C::Keys], 7)
        .anywhere(&["key export"]),
    entry(
        Command::TestKey,
        &[Char('t')],
        "test",
        "test the key: does it open, and is it the one its name says",
        &[C::Keys, C::Key],
        4,
    )
    .verbs(&["key test"]),
    entry(Command::StrengthenKeys, &[Char('S')], "", "protect all keys as new ones are", &[C::Keys], 6)
        .anywhere(&["key strengthen"]),
    entry(Command::MigrateKeys, &[Char('M')], "", "move keys of old layouts to today's, after a copy", &[C::Keys], 6)
        .anywhere(&["key migrate"]),
    entry(Command::MendPermissions, &[Char('P')], "", "mend the permissions of key files", &[C::Keys], 6).anywhere(&["key mend"]),
    entry(Command::RemoveKey, &[Char('D')], "remove", "remove the key, after a look at what needs it", &[C::Keys, C::Key], 4)
        .verbs(&["key remove"]),
    change(Changing::Sign, &[Char('S')], "sign", "sign a tag for an image", REPOSITORY, 2).anywhere(&["sign"]),
    change(Changing::Revoke, &[Char('D')], "revoke", "revoke the tag: nobody is to find it any more", &[C::Tags], 2)
        .anywhere(&["revoke"]),
    change(Changing::AddSigner, &[Char('a')], "add signer", "let somebody sign", REPOSITORY, 4).anywhere(&["signer add"]),
    change(Changing::TakeBack, &[Char('D')], "remove", "remove the signer, or take the delegation back", &[C::Chain], 2),
    change(Changing::RemoveSigner, &[], "", "take a signer's right to sign", &[C::Chain], 9).anywhere(&["signer remove"]),
    change(Changing::Delegate, &[Char('A')], "delegate", "delegate to a role, or give it more keys and names", REPOSITORY, 5)
        .anywhere(&["delegation add"]),
    change(Changing::Undelegate, &[], "", "take a role away, or some of its keys and names", &[C::Chain], 9)
        .anywhere(&["delegation remove"]),
    change(Changing::Purge, &[Char('P')], "", "take the key out of every role that names it", &[C::Chain], 7)
        .anywhere(&["delegation purge"]),
    change(Changing::Witness, &[Char('w')], "witness", "sign the role again as it is, to vouch for it", &[C::Chain], 5)
        .anywhere(&["witness"]),
    change(Changing::Renew, &[Char('e')], "renew", "sign again for longer what ends", REPOSITORY, 5).anywhere(&["renew"]),
    change(Changing::Rotate, &[Char('K')], "", "give the role another key", &[C::Chain], 6).anywhere(&["key rotate"]),
    change(Changing::AddRootKey, &[Char('+')], "", "add a root key beside those that are there", &[C::Chain], 7)
        .anywhere(&["root-key add"]),
    change(Changing::RemoveRootKey, &[Char('-')], "", "take a root key out", &[C::Chain], 7).anywhere(&["root-key remove"]),
    change(Changing::RootThreshold, &[], "", "say how many root keys must sign the root", &[C::Chain], 9)
        .anywhere(&["root-key threshold"]),
    change(Changing::Begin, &[Char('n')], "new", "begin a repository", &[C::Repositories], 6).anywhere(&["init"]),
    change(Changing::BeginWithSigner, &[], "", "begin a repository in which somebody may sign", &[C::Repositories], 9)
        .anywhere(&["signer add --init"]),
    change(Changing::Leave, &[], "", "take somebody, or a key, out of every role", REPOSITORY, 9).anywhere(&["signer leave"]),
    entry(Command::Show(Tab::Tags), &[], "", "what the repository signs", REPOSITORY, 9).anywhere(&["tags"]),
    entry(Command::Show(Tab::Chain), &[], "", "who may sign", REPOSITORY, 9).anywhere(&["signer list"]),
    entry(Command::Show(Tab::Chain), &[], "", "which roles the repository delegates to", REPOSITORY, 9)
        .anywhere(&["delegation list"]),
    entry(Command::Staged, &[Char('t')], "", "what is staged and not published", REPOSITORY, 7).verbs(&["status"]),
    change(Changing::Publish, &[Char('p')], "publish", "publish what is staged, all of it", &[C::Staged], 2),
    change(Changing::Publish, &[], "", "publish what was staged", REPOSITORY, 9).anywhere(&["publish"]),
    change(Changing::ResetThis, &[Char('D')], "throw away", "throw the selected change away", &[C::Staged], 3),
    change(Changing::ResetAll, &[Char('X')], "all", "throw away all that is staged", &[C::Staged], 3),
    change(Changing::Reset, &[], "", "throw staged changes away", REPOSITORY, 9).anywhere(&["reset"]),
    stage(Changing::Sign, "sign a tag: staged, for later").anywhere(&["sign --stage"]),
    stage(Changing::Revoke, "revoke a tag: staged, for later").anywhere(&["revoke --stage"]),
    stage(Changing::AddSigner, "let somebody sign: staged, for later").anywhere(&["signer add --stage"]),
    stage(Changing::RemoveSigner, "take a signer's right: staged, for later").anywhere(&["signer remove --stage"]),
    stage(Changing::Delegate, "delegate to a role: staged, for later").anywhere(&["delegation add --stage"]),
    stage(Changing::Undelegate, "take a role away: staged, for later").anywhere(&["delegation remove --stage"]),
    stage(Changing::Purge, "take a key out: staged, for later").anywhere(&["delegation purge --stage"]),
    stage(Changing::Leave, "take somebody out: staged, for later").anywhere(&["signer leave --stage"]),
    stage(Changing::Witness, "sign a role again: staged, for later").anywhere(&["witness --stage"]),
    entry(Command::PushImage, &[Char('p')], "", "push an image from an OCI layout to the registry", REPOSITORY, 6)
        .anywhere(&["image push"]),
    entry(
        Command::Inquire(About::Image),
        &[Char('v')],
        "verify",
        "fetch the image from the registry, and hold every piece against what is signed",
        &[C::Tags],
        3,
    )
    .anywhere(&["image verify"]),
    entry(Command::Inquire(About::Reference), &[Char('i')], "", "the image's name by the digest that is signed", &[C::Tags], 6)
        .anywhere(&["image resolve"]),
    entry(
        Command::Inquire(About::Tags),
        &[Char('o')],
        "",
        "what the registry's tags lead to, beside what is signed",
        REPOSITORY,
        6,
    )
    .anywhere(&["tags --registry-state"]),
    change(Changing::Delete, &[], "", "forget the repository, and have its server delete it", REPOSITORY, 9)
        .anywhere(&["delete"]),
    entry(Command::Place(0), &[Char('1')], "", "to the overview", PAGES, 7),
    entry(Command::Place(1), &[Char('2')], "", "to the keys", PAGES, 7).anywhere(&["key list"]),
    entry(Command::Place(2), &[Char('3')], "", "to the repositories", PAGES, 7).anywhere(&["repo list"]),
    entry(Command::Place(3), &[Char('4')], "", "to the journal", PAGES, 7).anywhere(&["journal"]),
    entry(Command::NextPlace, &[Code(KeyCode::Tab)], "places", "to the next place", PAGES, 7),
    entry(Command::PreviousPlace, &[Code(KeyCode::BackTab)], "", "to the place before", PAGES, 7),
    entry(Command::Help, &[Char('?')], "help", "show this help", PAGES, 8),
    entry(Command::Help, &[Char('?')], "help", "show this help", &[C::Choice, C::Review, C::Working, C::Outcome], 8),
    entry(Command::Palette, &[Char(':')], "command", "a command by its name, as on the command line", PAGES, 8),
    entry(Command::Repaint, &[Ctrl('l')], "", "draw the screen again", ALL, 9),
    entry(Command::Suspend, &[Ctrl('z')], "", "to the shell; fg comes back", ALL, 9),
    entry(Command::Quit, &[Char('q')], "quit", "leave", PAGES, 9).anywhere(&["quit"]),
    entry(Command::Interrupt, &[Ctrl('c')], "", "leave at once", ALL, 9),
    entry(Command::KeepFilter, &[ENTER], "keep", "keep the filter and go back to the list", &[C::Filter], 1),
    entry(Command::Back, &[ESC], "clear", "clear the filter", &[C::Filter], 2),
    entry(Command::Up, &[UP], "move", "one line up", &[C::Filter], 3),
    entry(Command::Down, &[DOWN], "", "one line down", &[C::Filter], 3),
    entry(Command::RunSelected, &[ENTER], "do it", "do what is selected", &[C::Palette], 1),
    entry(Command::Complete, &[Code(KeyCode::Tab)], "complete", "put the selected command into the line", &[C::Palette], 4),
    entry(Command::Back, &[ESC], "close", "close the commands", &[C::Palette], 2),
    entry(Command::Up, &[UP], "move", "one line up", &[C::Palette], 3),
    entry(Command::Down, &[DOWN], "", "one line down", &[C::Palette], 3),
    entry(Command::Enter, &[ENTER], "next", "to the next field; from the last one, on", FORM, 1),
    entry(Command::TurnLeft, &[Code(KeyCode::Left)], "choose", "the choice before", &[C::Choice], 2),
    entry(Command::TurnRight, &[Code(KeyCode::Right), Char(' ')], "", "the next choice", &[C::Choice], 2),
    entry(Command::PreviousField, &[UP, Code(KeyCode::BackTab)], "field", "to the field before", FORM, 3),
    entry(Command::NextField, &[DOWN], "", "to the next field", FORM, 3),
    entry(Command::Complete, &[Code(KeyCode::Tab)], "", "the rest of a file's name, or to the next field", FORM, 3),
    entry(Command::Continue, &[Ctrl('d')], "continue", "on, if nothing is wrong", FORM, 4),
    entry(Command::Accept, &[ENTER], "done", "take what was typed", &[C::Secret], 1),
    entry(Command::Clear, &[Ctrl('u')], "clear", "begin the line again", &[C::Secret], 3),
    entry(
        Command::Draw,
        &[Ctrl('g')],
        "words",
        "draw a new passphrase of words by lot, and show it until it is typed",
        &[C::Secret],
        3,
    ),
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
    entry(Command::Copy, &[Char('y')], "copy", "copy the name by its digest", &[C::Outcome], 2),
    entry(Command::Repaint, &[Ctrl('l')], "", "draw the screen again", &[C::Form, C::Choice, C::Confirm, C::Working], 9),
    entry(Command::Suspend, &[Ctrl('z')], "", "to the shell; fg comes back", TYPING, 9),
    entry(Command::Interrupt, &[Ctrl('c')], "", "leave at once", TYPING, 9),
    entry(Command::Interrupt, &[Ctrl('c')], "", "leave at once", &[C::Secret], 9),
    entry(Command::Lock, &[Ctrl('x')], "", "forget every passphrase, and lock", C::UNLOCKED, 9).anywhere(&["lock"]),
    entry(Command::Unlock, &[ENTER], "go on", "go on; there is nothing to type", &[C::Locked], 1),
    entry(Command::Repaint, &[Ctrl('l')], "", "draw the screen again", &[C::Locked], 9),
    entry(Command::Suspend, &[Ctrl('z')], "", "to the shell; fg comes back", &[C::Locked], 9),
    entry(Command::Quit, &[Char('q')], "quit", "leave", &[C::Locked], 9),
    entry(Command::Interrupt, &[Ctrl('c')], "", "leave at once", &[C::Locked], 9),
];
