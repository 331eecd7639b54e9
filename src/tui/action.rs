//! What can happen: what the user asks for, and what comes back from the background.
use super::{
    changing::Changing,
    layer::Tab,
    ledger::Ledger,
    shelf::{KeyShelf, Repo},
    wizard::Asked,
};
use crate::{
    doctor::Check,
    failure::Failure,
    procedures::{Done, repository::About},
    repository::Look,
    secret::dialogue::Said,
    tuf::name::Gun,
    views::{desk::Inventory, staged::StagedRow, transcript::Transcript},
};
use jiff::Timestamp;
use std::time::Duration;

/// What a user can ask for. The table in [`super::keymap`] says with which key and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// One row up.
    Up,
    /// One row down.
    Down,
    /// Half a screen up.
    HalfUp,
    /// Half a screen down.
    HalfDown,
    /// To the first row.
    First,
    /// To the last row.
    Last,
    /// Into the selected row.
    Open,
    /// Fold or unfold the selected role.
    Fold,
    /// Out of this page, filter or overlay.
    Back,
    /// To the page's tab on the left.
    TabLeft,
    /// To the page's tab on the right.
    TabRight,
    /// To a place, by number from 0.
    Place(usize),
    /// To the next place.
    NextPlace,
    /// To the place before.
    PreviousPlace,
    /// Begin to filter.
    Filter,
    /// Keep the filter and go on.
    KeepFilter,
    /// Sort by the next column.
    Sort,
    /// Read what is selected again.
    Refresh,
    /// Read everything again.
    RefreshAll,
    /// Stop what is running.
    Cancel,
    /// See what the files of a refused repository claim.
    Look,
    /// Look at what stands in the way.
    Examine,
    /// Copy the selected ID, name or digest.
    Copy,
    /// Make a key.
    NewKey,
    /// Take the keys of a file.
    LoadKeys,
    /// Write the selected key to a file.
    ExportKey,
    /// Write its public half to a file.
    ExportPublic,
    /// Write all keys to a file.
    ExportAll,
    /// Change the selected key's passphrase.
    ChangePassphrase,
    /// Remove the selected key.
    RemoveKey,
    /// Test the selected key.
    TestKey,
    /// Move keys of old layouts.
    MigrateKeys,
    /// Raise the key derivation of all keys.
    StrengthenKeys,
    /// Mend permissions.
    MendPermissions,
    /// Change the selected repository.
    Change(Changing),
    /// Stage a change of the selected repository for later.
    Stage(Changing),
    /// Open the selected repository at this tab.
    Show(Tab),
    /// See what is staged for it.
    Staged,
    /// Send an image to the registry of the selected repository.
    PushImage,
    /// Ask the selected repository, or its registry.
    Inquire(About),
    /// Walk through content trust.
    Tour,
    /// Go on with the selected work.
    Resume,
    /// Close the open work.
    GiveUp,
    /// To the next field of a form.
    NextField,
    /// To the field before.
    PreviousField,
    /// The rest of a file's name or verb, or to the next field.
    Complete,
    /// The choice before in a field.
    TurnLeft,
    /// The next choice in a field.
    TurnRight,
    /// To the next field; from the last one, on.
    Enter,
    /// On from a form, if nothing is wrong.
    Continue,
    /// Accept what the page says.
    Accept,
    /// Begin a passphrase again.
    Clear,
    /// Remember the passphrase that is typed, or do not.
    Remember,
    /// Draw a passphrase of words by lot.
    Draw,
    /// Forget every passphrase, and close the screen until somebody goes on.
    Lock,
    /// Go on after that.
    Unlock,
    /// Show the keys.
    Help,
    /// Ask for a verb of the command line.
    Palette,
    /// Do what the palette has selected.
    RunSelected,
    /// Go back to the shell for a while.
    Suspend,
    /// Draw everything again.
    Repaint,
    /// Leave.
    Quit,
    /// Leave, as interrupted.
    Interrupt,
}

impl Command {
    /// Whether it begins guided work.
    pub fn begins_work(self) -> bool {
        self.writes() || matches!(self, Self::TestKey | Self::Inquire(_) | Self::Tour)
    }

    /// Whether it begins work that writes.
    pub fn writes(self) -> bool {
        matches!(
            self,
            Self::NewKey
                | Self::LoadKeys
                | Self::ExportKey
                | Self::ExportPublic
                | Self::ExportAll
                | Self::ChangePassphrase
                | Self::RemoveKey
                | Self::StrengthenKeys
                | Self::MigrateKeys
                | Self::MendPermissions
                | Self::Change(_)
                | Self::Stage(_)
                | Self::PushImage
                | Self::Resume
                | Self::GiveUp
        )
    }
}

/// How the program was asked to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The user left.
    Quit,
    /// Ctrl-C, or SIGINT.
    Interrupted,
    /// SIGTERM.
    Terminated,
    /// SIGHUP, or the terminal is gone.
    HungUp,
}

impl Ended {
    /// The exit status: 0, or what a shell reports for the signal.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Quit => 0,
            Self::Interrupted => 130,
            Self::Terminated => 143,
            Self::HungUp => 129,
        }
    }
}

/// An editing key in a line of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Insert text, typed or pasted.
    Insert(String),
    /// Delete the character before the cursor.
    Backspace,
    /// Delete the character under the cursor.
    Delete,
    /// Delete the word before the cursor.
    DeleteWord,
    /// Delete everything.
    Clear,
    /// Move the cursor left.
    Left,
    /// Move the cursor right.
    Right,
    /// Move the cursor to the start.
    Home,
    /// Move the cursor to the end.
    End,
}

/// Anything that changes the state.
#[derive(Debug)]
pub enum Action {
    /// The first thing of all: begin to read.
    Start,
    /// The user asked for something.
    Do(Command),
    /// The user edits the filter, or a field.
    Edit(Edit),
    /// The mouse was clicked at a column and row of the screen.
    Click(u16, u16),
    /// The mouse wheel was turned by so many rows, down if positive.
    Wheel(isize),
    /// The terminal has so many columns and rows now.
    Resize(u16, u16),
    /// It is this time now.
    Clock(Timestamp),
    /// The machine has been running for so long, asleep or not.
    Uptime(Duration),
    /// Something is going on; the spinner moves.
    Spin,
    /// All keys were read. The number is that of the reading, so that a stopped one cannot come in late.
    KeysRead(u64, Box<KeyShelf>),
    /// The journal was read.
    JournalRead(u64, Box<Ledger>),
    /// This was written down of a piece of work, or why that cannot be read.
    TranscriptRead(String, Result<Transcript, String>),
    /// This stands in the way, or does not.
    Examined(Vec<Check>),
    /// Interrupted work was closed, or why not.
    GivenUp(Result<(), Failure>),
    /// It is known which repositories there are.
    InventoryTaken(u64, Inventory),
    /// A repository is being read; this is fetched now.
    Step(u64, Gun, String),
    /// A repository was read.
    Loaded(u64, Box<Repo>),
    /// This is what the files of a repository claim, or why that could not be seen. Nothing of it was verified.
    Looked(u64, Gun, Box<Result<Look, String>>),
    /// This is staged for a repository, or why that cannot be read.
    StagedRead(Gun, Result<Vec<StagedRow>, String>),
    /// A procedure asks something, or says what it is doing.
    Asked(Box<Asked>),
    /// What is said at the question for a passphrase.
    Said(Said),
    /// So many passphrases are remembered.
    Remembers(usize),
    /// A passphrase was typed; it went to the procedure by another way.
    SecretTyped,
    /// A procedure has begun something that has an effect.
    Began,
    /// That has come so far.
    Came(String),
    /// A procedure has ended.
    Finished(Box<Result<Done, Failure>>),
    /// A signal asks to end.
    End(Ended),
}
