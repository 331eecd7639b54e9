//! Secrets, and where they come from.
pub mod dialogue;
mod file;
mod line;
mod passphrases;
mod prompt;
mod slate;
mod strength;
pub mod words;

pub use file::PassphraseFile;
pub use line::{Heard, Line, Stop, TerminalLine};
pub use passphrases::{Given, PassphraseError, Passphrases, Source, VARIABLES, Wanted, least_bits, least_characters, weakness};
pub use prompt::{Prompt, TerminalPrompt, give_terminal_back, read_one_line};
pub use slate::Slate;
pub use strength::{Level, Strength};

use crate::os::strongroom;
use zeroize::Zeroizing;

/// A passphrase: in the strongroom, and erased from memory when dropped. It cannot be printed, compared by accident or copied, because it has
/// neither `Debug` nor `Display` nor `Clone`.
pub struct Passphrase(Zeroizing<Vec<u8>>);

impl Passphrase {
    /// Takes the bytes of a passphrase, as they came.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self::of(&Zeroizing::new(bytes))
    }

    fn of(bytes: &[u8]) -> Self {
        Self(strongroom(|| Zeroizing::new(bytes.to_vec())))
    }

    /// The bytes, for the one function that derives a key from them.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Whether there is nothing in it. Notary takes an empty passphrase to mean "store unencrypted".
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it would not do for a new key of this role.
    pub fn is_weak_for(&self, role: &str) -> bool {
        let guessable = || Strength::of_passphrase(self).bits < least_bits(role);
        self.trimmed_chars() < least_characters(role) || guessable()
    }

    /// The same once more, where two have to hold it for a moment.
    pub(crate) fn another(&self) -> Self {
        Self::of(&self.0)
    }

    /// Number of characters, not counting white space at either end.
    fn trimmed_chars(&self) -> usize {
        let trimmed = self.0.trim_ascii();
        std::str::from_utf8(trimmed).map_or(trimmed.len(), |s| s.chars().count())
    }

    /// Whether two passphrases are the same.
    fn same(&self, other: &Passphrase) -> bool {
        *self.0 == *other.0
    }
}

impl From<String> for Passphrase {
    fn from(text: String) -> Self {
        Self::new(text.into_bytes())
    }
}
