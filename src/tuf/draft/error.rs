//! Why a change cannot be made.
use crate::tuf::{Malformed, json::JsonError, name::RoleName};

/// Why a change cannot be made. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// Nobody delegates to it.
    #[error("there is no role {0}")]
    NoSuchRole(RoleName),
    /// It does not verify, so nothing can be built on it.
    #[error("{role} does not verify: {why}")]
    Refused {
        /// The role.
        role: RoleName,
        /// Why it does not.
        why: String,
    },
    /// Somebody may sign as it, and the server has nothing of it.
    #[error("the server has no file of {0}, or hides it: whether it signs the name is not known")]
    NoFile(RoleName),
    /// The role may not sign this name.
    #[error("{role} may not sign \"{}\": none of its paths begins it", crate::text::Untrusted::new(name.as_str()).shown())]
    NotAdmitted {
        /// The role.
        role: RoleName,
        /// The name.
        name: String,
    },
    /// The parent may not sign what would be delegated.
    #[error("{parent} may not sign {}, and so cannot delegate that", names(path))]
    NotTheParents {
        /// Who would delegate.
        parent: RoleName,
        /// The prefix.
        path: String,
    },
    /// A key that is to go is not there.
    #[error("{role} has no key {id}")]
    NoSuchKey {
        /// The role.
        role: RoleName,
        /// The start of its ID.
        id: String,
    },
    /// A prefix that is to go is not there.
    #[error("{role} has no path \"{}\"", crate::text::Untrusted::new(path.as_str()).shown())]
    NoSuchPath {
        /// The role.
        role: RoleName,
        /// The prefix.
        path: String,
    },
    /// A delegation would name no key, or fewer than must sign.
    #[error("{role} would have {}, of which {threshold} must sign", crate::text::count(*keys, "key"))]
    TooFewKeys {
        /// The role.
        role: RoleName,
        /// How many it would have.
        keys: usize,
        /// How many must sign.
        threshold: u64,
    },
    /// A key that nobody could verify with.
    #[error("the key {id} cannot be used: {why}")]
    Unusable {
        /// The key's ID.
        id: String,
        /// Why.
        why: String,
    },
    /// Something would have more parts than are read.
    #[error("{0} would have more {1} than any client reads")]
    TooMany(RoleName, &'static str),
    /// No version is left for it.
    #[error("{0} has used up its versions")]
    NoVersion(RoleName),
    /// A file cannot be written.
    #[error("{role} cannot be written: {why}")]
    Unwritable {
        /// The role.
        role: RoleName,
        /// Why.
        why: JsonError,
    },
    /// A file would not be what it should be.
    #[error("{role} would not be metadata: {why}")]
    Malformed {
        /// The role.
        role: RoleName,
        /// Why.
        why: Malformed,
    },
}

/// Names that begin so.
fn names(path: &str) -> String {
    match path {
        "" => "any name".to_owned(),
        path => format!("what begins with \"{}\"", crate::text::Untrusted::new(path).shown()),
    }
}
