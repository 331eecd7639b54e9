//! What an update asks for besides a new state.
use super::action::Ended;
use crate::procedures::Work;
use crate::{
    operator::{SecretWanted, Values},
    tuf::name::Gun,
};

/// An answer to what a procedure asks. Passphrases are none: they go past the state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A form, filled in.
    Values(Values),
    /// A review was accepted.
    Accepted,
    /// What was typed to confirm.
    Typed(String),
    /// To the question before.
    Back,
    /// Not at all.
    Cancelled,
}

/// Something to be done outside the state. Numbers are those of the reading: see [`super::action::Action::KeysRead`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Read all keys.
    ReadKeys(u64),
    /// Read the journal, and look for interrupted work.
    ReadJournal(u64),
    /// Read what was written down of a piece of work.
    ReadTranscript(String),
    /// Ask which repositories there are.
    TakeInventory(u64),
    /// Read and verify these, without trusting a root that is new here for longer than they are shown.
    Load(u64, Vec<Gun>),
    /// Read and verify this one, which the user asked for by name.
    Open(u64, Gun),
    /// Fetch what the files of this one claim, without verifying them.
    Look(u64, Gun),
    /// Read what is staged for this one.
    ReadStaged(Gun),
    /// Look at what stands in the way.
    Examine,
    /// Stop everything that is read.
    StopAll,
    /// Begin a procedure.
    Perform(Work),
    /// Go on with interrupted work.
    Resume(String),
    /// Close interrupted work.
    GiveUp(String),
    /// Answer what it asks.
    Answer(Reply),
    /// Read a passphrase from the terminal.
    ReadSecret(SecretWanted),
    /// Tell the procedure to end, if nothing was done yet.
    StopWork,
    /// Forget every passphrase, that which is being typed too.
    Forget,
    /// Hand this text, which is public, to the terminal's clipboard.
    Copy(String),
    /// Stop this process until it is continued.
    Suspend,
    /// Draw every cell again.
    Repaint,
    /// End the program.
    Leave(Ended),
}
