//! A repository's chain of trust as a tree: who signs what, until when, with which key, and where that key is.
use super::notable;
use crate::{
    finding::Finding,
    text::{Printable, Untrusted},
    tuf::{
        collection::{Role, RoleState, TrustedCollection},
        key::{Algorithm, PublicKey},
        name::{BaseRole, KeyId, RoleName},
        role_keys::RoleKeys,
    },
};
use jiff::Timestamp;
use std::{collections::HashMap, path::PathBuf};

/// Private keys at hand, by canonical ID.
pub type KeysHere = HashMap<KeyId, PathBuf>;

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
    /// Common name and end of its certificate, if it has one. Whoever made the certificate chose the name.
    pub certificate: Option<(Untrusted, Timestamp)>,
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

/// Lays a verified repository out as a tree, judged at `now`.
pub fn chain(collection: &TrustedCollection, here: &KeysHere, now: Timestamp) -> ChainNode {
    let base = |role: BaseRole, version, expires, signed_by: &[KeyId]| {
        let keys = collection.root().keys_of(role).unwrap_or_else(|_| RoleKeys { keys: Vec::new(), threshold: 1 });
        let mut node = node(role.into(), &keys, signed_by, here);
        (node.state, node.version, node.expires) = (NodeState::Verified, Some(version), Some(expires));
        node.findings = notable::role(&node, now);
        node
    };
    let (root, timestamp, snapshot) = (collection.root(), collection.timestamp(), collection.snapshot());
    let mut top = base(BaseRole::Root, root.version(), root.expires(), root.signed_by());
    top.children.push(base(BaseRole::Timestamp, timestamp.version(), timestamp.expires(), timestamp.signed_by()));
    top.children.push(base(BaseRole::Snapshot, snapshot.version(), snapshot.expires(), snapshot.signed_by()));
    let below: Vec<ChainNode> = collection.roles().iter().map(|r| role_node(r, here, now)).collect();
    top.children.extend(nest(below));
    top
}

fn role_node(role: &Role, here: &KeysHere, now: Timestamp) -> ChainNode {
    let signed_by = role.verified().map(|t| t.signed_by().to_vec()).unwrap_or_default();
    let mut node = node(role.name.clone(), &role.keys, &signed_by, here);
    node.paths = role.stated_paths.prefixes().iter().map(|p| Printable::from_untrusted(p)).collect();
    match &role.state {
        RoleState::Verified(t) => {
            (node.state, node.version, node.expires) = (NodeState::Verified, Some(t.version()), Some(t.expires()));
            node.targets = t.targets().filter(|(n, _)| role.paths.allow(n)).count();
        }
        RoleState::Unpublished => node.state = NodeState::Unpublished,
        RoleState::Refused(why) => node.state = NodeState::Refused(why.to_string()),
    }
    node.findings = notable::role(&node, now);
    node.findings.extend(notable::paths(role));
    node
}

fn node(role: RoleName, keys: &RoleKeys, signed_by: &[KeyId], here: &KeysHere) -> ChainNode {
    ChainNode {
        keys: keys.keys.iter().map(|k| chain_key(k, &role, signed_by, here)).collect(),
        role,
        state: NodeState::Unpublished,
        version: None,
        expires: None,
        threshold: keys.threshold,
        paths: Vec::new(),
        targets: 0,
        findings: Vec::new(),
        children: Vec::new(),
    }
}

fn chain_key(key: &PublicKey, role: &RoleName, signed_by: &[KeyId], here: &KeysHere) -> ChainKey {
    let whereabouts = match here.get(&key.canonical_id()) {
        Some(path) => Whereabouts::Here(path.clone()),
        // Only servers hold timestamp keys. A snapshot key may be theirs or somebody else's.
        None if role.base() == Some(BaseRole::Timestamp) => Whereabouts::Server,
        None => Whereabouts::Elsewhere,
    };
    ChainKey {
        id: key.id(),
        canonical_id: key.canonical_id(),
        algorithm: key.algorithm(),
        signed: signed_by.contains(&key.id()),
        certificate: key.leaf().map(|l| (l.common_name, l.not_after)),
        whereabouts,
    }
}

/// Hangs each role below its parent; parents stand before children in `roles`.
fn nest(roles: Vec<ChainNode>) -> Vec<ChainNode> {
    let mut top: Vec<ChainNode> = Vec::new();
    for role in roles {
        match top.iter_mut().find_map(|t| t.find_mut(role.role.parent().as_ref())) {
            Some(parent) => parent.children.push(role),
            None => top.push(role),
        }
    }
    top
}

impl ChainNode {
    fn find_mut(&mut self, name: Option<&RoleName>) -> Option<&mut ChainNode> {
        if Some(&self.role) == name {
            return Some(self);
        }
        self.children.iter_mut().find_map(|c| c.find_mut(name))
    }

    /// This node and all below it, parents first.
    pub fn walk(&self) -> Vec<&ChainNode> {
        let mut all = vec![self];
        all.extend(self.children.iter().flat_map(ChainNode::walk));
        all
    }
}
