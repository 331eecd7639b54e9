//! What an update asks for besides a new state.
use super::action::Ended;
use crate::tuf::name::Gun;

/// Something to be done outside the state. Numbers are those of the reading: see [`super::action::Action::KeysRead`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Read all keys.
    ReadKeys(u64),
    /// Ask which repositories there are.
    TakeInventory(u64),
    /// Read and verify these, without trusting a root that is new here for longer than they are shown.
    Load(u64, Vec<Gun>),
    /// Read and verify this one, which the user asked for by name.
    Open(u64, Gun),
    /// Fetch what the files of this one claim, without verifying them.
    Look(u64, Gun),
    /// Stop everything that runs.
    StopAll,
    /// Hand this text, which is public, to the terminal's clipboard.
    Copy(String),
    /// Stop this process until it is continued.
    Suspend,
    /// Draw every cell again.
    Repaint,
    /// End the program.
    Leave(Ended),
}
