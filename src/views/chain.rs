//! A repository's chain of trust as a tree: who signs what, until when, with which key, and where that key is.
use crate::{
    finding::Finding,
    text::Printable,
    tuf::{
        key::Algorithm,
        name::{KeyId, RoleName},
    },
};
use jiff::Timestamp;
use std::path::PathBuf;

/// Where the private half of a key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whereabouts {
    /// In the trust directory.
    Here(PathBuf),
    /// With the server, which signs by itself.
    Server,
    /// Not in this trust directory.
    Elsewhere,
}

/// A key of a role.
#[derive(Debug, Clone)]
pub struct ChainKey {
    /// The ID in metadata.
    pub id: KeyId,
    /// The ID of the key file.
    pub canonical_id: KeyId,
    /// What it computes with.
    pub algorithm: Algorithm,
    /// Whether its good signature stands under the role's file.
    pub signed: bool,
    /// Common name and end of its certificate, if it has one.
    pub certificate: Option<(Printable, Timestamp)>,
    /// Where its private half is.
    pub whereabouts: Whereabouts,
}

/// What became of a role's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeState {
    /// Verified.
    Verified,
    /// Delegated to, nothing published.
    Unpublished,
    /// Refused, with the reason.
    Refused(String),
}

/// A role in the tree: root above timestamp, snapshot and targets; delegations below their parents.
#[derive(Debug, Clone)]
pub struct ChainNode {
    /// The role.
    pub role: RoleName,
    /// What became of its file.
    pub state: NodeState,
    /// Version of its file.
    pub version: Option<u64>,
    /// End of its file.
    pub expires: Option<Timestamp>,
    /// How many keys must sign.
    pub threshold: u64,
    /// Its keys.
    pub keys: Vec<ChainKey>,
    /// Prefixes that it may sign; none for base roles other than targets.
    pub paths: Vec<Printable>,
    /// How many names it signs.
    pub targets: usize,
    /// What is notable, worst first.
    pub findings: Vec<Finding>,
    /// Roles below.
    pub children: Vec<ChainNode>,
}
