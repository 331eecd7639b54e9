//! Private keys in files: reading everything Notary and docker read, listing with every problem named, unlocking,
//! testing, generating and storing (protocol 1 to 3).
mod blocks;
mod bundle;
pub mod certificate;
mod change;
pub mod dek;
mod entry;
pub mod envelope;
mod foreign;
mod generate;
mod inner;
mod kdf;
mod list;
mod migrate;
mod new_file;
pub mod pem_file;
mod private;
pub mod problem;
mod store;
mod unlock;

pub use blocks::{Block, Blocks, read_blocks};
pub use bundle::{bundled, public_text};
pub use change::{Doomed, Held, Resealed, rounds};
pub use entry::{Content, KeyEntry, Protection, Strength, inspect};
pub use envelope::{ITERATIONS, MAX_ITERATIONS, ROOT_ITERATIONS};
pub use foreign::Foreign;
pub use generate::{NewKey, generate};
pub use list::{Listing, list};
pub use migrate::{Migration, Move, Stay, remove_empty_old_directories};
pub use new_file::write_new;
pub use private::{PrivateKey, Signature, Signer};
pub use store::{Elsewhere, Iterations, KeyRole, Sealed, Stored, encode, public_file, seal, store, write_public};
pub use unlock::{Decoded, Tested, decode, prove, unlock, unlock_until};

use crate::{
    secret::PassphraseError,
    trust_dir::{ReadError, TrustDirError, shown},
    tuf::{key::Algorithm, name::KeyId},
};
use std::path::PathBuf;

/// Why something with a private key did not work.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The passphrase does not open the key; or the encrypted part is damaged, which looks the same.
    #[error("wrong passphrase? The key could not be decrypted with it")]
    WrongPassphrase,
    /// The key is encrypted and no passphrase was given.
    #[error("the key is encrypted; a passphrase is needed")]
    PassphraseNeeded,
    /// What is in the file is another key than its name says.
    #[error("the file is named {name} but holds the key {content}; it was not used")]
    NotItsName {
        /// The ID in the name.
        name: KeyId,
        /// The ID of the key that is in it.
        content: KeyId,
    },
    /// Only the first block of a file counts, and the others would be lost.
    #[error("the file holds more than one PEM block, of which only the first counts; the others would be lost")]
    MoreThanOne,
    /// The file's name is no key ID, so that nothing says which key should be in it.
    #[error("the file's name is no key ID, so it cannot be checked; it was not used")]
    NameIsNoId,
    /// The file is not what a key file is.
    #[error("the key file is damaged: {0}")]
    Damaged(&'static str),
    /// A kind of key or encryption that is not supported; printable.
    #[error("the key file uses {0}, which is not supported")]
    Unsupported(String),
    /// Deriving the key would take minutes or hours.
    #[error("the key file asks for {0} rounds of key derivation; at most {MAX_ITERATIONS} are done. It was not opened")]
    TooManyIterations(u64),
    /// The key may be looked at, but never signs.
    #[error("a key of kind {0} is too weak to sign; nothing was signed")]
    TooWeak(Algorithm),
    /// Somebody stopped it.
    #[error("stopped; nothing was changed")]
    Stopped,
    /// The file cannot be read.
    #[error("cannot read {path}: {source}")]
    File {
        /// The file, printable.
        path: String,
        /// Why.
        source: ReadError,
    },
    /// A file from which keys are taken can be read by others.
    #[error("others can read {} (mode {mode:04o}); nothing was taken from it", shown(path))]
    OpenToOthers {
        /// The file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file from which keys are taken has its key in a form that is not read.
    #[error("{what}")]
    Foreign {
        /// The form.
        what: Foreign,
        /// The line for a shell that makes PEM of it.
        conversion: String,
        /// The file that this makes.
        to: String,
    },
    /// A file from which keys should be taken has none; says why, printable.
    #[error("there is no private key in it: {0}")]
    NoKeyIn(String),
    /// The trust directory cannot be written.
    #[error(transparent)]
    TrustDir(#[from] TrustDirError),
    /// There is no passphrase.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// An empty passphrase would store the key unencrypted.
    #[error("the passphrase is empty; the key was not stored")]
    EmptyPassphrase,
    /// The key is stored already, under another role.
    #[error("the key {id} is stored already with the role {role}; nothing was changed")]
    OtherRole {
        /// The key.
        id: KeyId,
        /// The role it has, printable.
        role: String,
    },
    /// The key is stored already, in a file that cannot be read or is not where it should be.
    #[error("there is already a file for the key {id} at {path}; nothing was changed")]
    InTheWay {
        /// The key.
        id: KeyId,
        /// The file, printable.
        path: String,
    },
    /// The roles targets, snapshot and timestamp belong to a repository.
    #[error("a key for {0} belongs to a repository; name its GUN. Nothing was stored")]
    GunNeeded(&'static str),
    /// A name that is no role and no signer's name.
    #[error("a role is root, targets, snapshot or a signer's name in lower case letters, digits, - and _; nothing was stored")]
    NoSuchRole,
    /// What was written does not read back as the same key; it was removed again.
    #[error("what was written to the disk did not read back as the same key; what was there before is there again")]
    NotReadBack,
    /// A file that was to be new cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file, printable.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// Something that cannot be expected to fail has failed: no randomness, or an encoder refused.
    #[error("{0} failed; nothing was stored or signed")]
    Internal(&'static str),
}

impl KeyError {
    /// Whether another passphrase could help.
    pub fn is_passphrase(&self) -> bool {
        matches!(self, Self::WrongPassphrase)
    }
}

#[cfg(test)]
mod tests;
