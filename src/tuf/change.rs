//! What can be changed in a repository. These are the changes that Notary stages (protocol 12.2), and those that it makes
//! without staging them: new keys of base roles, and new dates.
use super::{
    file_meta::FileMeta,
    key::PublicKey,
    name::{BaseRole, KeyId, RoleName},
};
use jiff::Timestamp;

/// One change.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// A role signs that a name stands for something.
    Sign {
        /// The role.
        role: RoleName,
        /// The name.
        name: String,
        /// What it stands for.
        meta: FileMeta,
    },
    /// A role does not sign a name any more.
    Unsign {
        /// The role.
        role: RoleName,
        /// The name.
        name: String,
    },
    /// A role is delegated to, or what is delegated to it changes.
    Delegate(Delegate),
    /// A role is not delegated to any more.
    Undelegate(RoleName),
    /// A role is signed again as it is, also where too few of its keys have signed it so far.
    Witness(RoleName),
    /// A base role gets other keys.
    Keys {
        /// The role.
        role: BaseRole,
        /// All its keys.
        keys: Vec<PublicKey>,
        /// How many of them must sign.
        threshold: u64,
    },
    /// A role is signed again with another end, or with as long a life as a new one has.
    Renew {
        /// The role.
        role: RoleName,
        /// Its end.
        until: Option<Timestamp>,
    },
}

/// What is delegated to a role. Keys that are removed are named by their canonical IDs, and removed before others are added.
#[derive(Debug, Clone, PartialEq)]
pub struct Delegate {
    /// The role.
    pub role: RoleName,
    /// How many keys must sign; none leaves it as it is, or makes it 1.
    pub threshold: Option<u64>,
    /// Keys that may sign from now on.
    pub add_keys: Vec<PublicKey>,
    /// Keys that may not any more.
    pub remove_keys: Vec<KeyId>,
    /// Prefixes that may be signed from now on.
    pub add_paths: Vec<String>,
    /// Prefixes that may not any more.
    pub remove_paths: Vec<String>,
    /// Whether none of the prefixes so far stays.
    pub clear_paths: bool,
}

impl Delegate {
    /// Nothing changes yet.
    pub fn to(role: RoleName) -> Self {
        Self {
            role,
            threshold: None,
            add_keys: Vec::new(),
            remove_keys: Vec::new(),
            add_paths: Vec::new(),
            remove_paths: Vec::new(),
            clear_paths: false,
        }
    }
}

impl Change {
    /// The role whose file changes with it.
    pub fn file(&self) -> RoleName {
        match self {
            Self::Sign { role, .. } | Self::Unsign { role, .. } | Self::Witness(role) | Self::Renew { role, .. } => role.clone(),
            Self::Delegate(Delegate { role, .. }) | Self::Undelegate(role) => {
                role.parent().unwrap_or_else(|| BaseRole::Targets.into())
            }
            Self::Keys { .. } => BaseRole::Root.into(),
        }
    }
}
