//! A repository's chain of trust as a tree: who signs what, until when, with which key, and where that key is.
use super::notable;
use crate::{
    finding::Finding,
    keys::problem::code,
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

/// Key files at hand, by the canonical ID that their name claims.
pub type KeysHere = HashMap<KeyId, KeyFile>;

/// A file that should hold a private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Why it could not sign, if it could not.
    pub fault: Option<Fault>,
}

/// Why a file that should hold a private key could not sign with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// A stable name for scripts: that of the problem in the listing of keys.
    pub code: &'static str,
    /// How a sentence goes on after "here, but".
    pub words: &'static str,
}

/// A key that is whole and never signs.
pub const TOO_WEAK: Fault = Fault { code: code::WEAK_KEY, words: "too weak to sign" };

/// Where the private half of a key is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whereabouts {
    /// In the trust directory, in a file that could sign.
    Here(PathBuf),
    /// A file in the trust directory has its name and could not sign.
    Unusable(PathBuf, Fault),
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
    /// Whether its good signature stands under the role's file; unknown where that file was refused or is not there.
    pub signed: Option<bool>,
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
    /// How many names it signs; unknown where its file was refused or is not there.
    pub targets: Option<usize>,
    /// What is notable, worst first.
    pub findings: Vec<Finding>,
    /// Roles below.
    pub children: Vec<ChainNode>,
}

/// Lays a verified repository out as a tree, judged at `now`.
pub fn chain(collection: &TrustedCollection, here: &KeysHere, now: Timestamp) -> ChainNode {
    let mut known = KnownKeys { here, facts: HashMap::new() };
    let mut base = |role: BaseRole, version, expires, signed_by: &[KeyId]| {
        let keys = collection.root().keys_of(role).unwrap_or_else(|_| RoleKeys { keys: Vec::new(), threshold: 1 });
        let mut node = node(role.into(), &keys, Some(signed_by), &mut known);
        (node.state, node.version, node.expires) = (NodeState::Verified, Some(version), Some(expires));
        node.findings = notable::role(&node, now);
        node
    };
    let (root, timestamp, snapshot) = (collection.root(), collection.timestamp(), collection.snapshot());
    let mut top = base(BaseRole::Root, root.version(), root.expires(), root.signed_by());
    top.children.push(base(BaseRole::Timestamp, timestamp.version(), timestamp.expires(), timestamp.signed_by()));
    top.children.push(base(BaseRole::Snapshot, snapshot.version(), snapshot.expires(), snapshot.signed_by()));
    let below: Vec<ChainNode> = collection.roles().iter().map(|r| role_node(r, &mut known, now)).collect();
    top.children.extend(nest(below));
    top
}

fn role_node(role: &Role, known: &mut KnownKeys<'_>, now: Timestamp) -> ChainNode {
    // Who signed a file that was refused is not known: it may have been refused for another reason than its signatures.
    let signed_by = role.verified().map(|t| t.signed_by());
    let mut node = node(role.name.clone(), &role.keys, signed_by, known);
    node.paths = role.stated_paths.prefixes().iter().map(|p| Printable::from_untrusted(p)).collect();
    match &role.state {
        RoleState::Verified(t) => {
            (node.state, node.version, node.expires) = (NodeState::Verified, Some(t.version()), Some(t.expires()));
            node.targets = Some(t.targets().filter(|(n, _)| role.paths.allow(n)).count());
        }
        RoleState::Unpublished => node.state = NodeState::Unpublished,
        RoleState::Refused(why) => node.state = NodeState::Refused(why.to_string()),
    }
    node.findings = notable::role(&node, now);
    node.findings.extend(notable::paths(role));
    node
}

fn node(role: RoleName, keys: &RoleKeys, signed_by: Option<&[KeyId]>, known: &mut KnownKeys<'_>) -> ChainNode {
    ChainNode {
        keys: keys.keys.iter().map(|k| known.chain_key(k, &role, signed_by)).collect(),
        role,
        state: NodeState::Unpublished,
        version: None,
        expires: None,
        threshold: keys.threshold,
        paths: Vec::new(),
        targets: None,
        findings: Vec::new(),
        children: Vec::new(),
    }
}

/// What is known of the keys of a repository. A file may give one key to thousands of roles; its certificate is read once.
struct KnownKeys<'a> {
    here: &'a KeysHere,
    facts: HashMap<KeyId, KeyFacts>,
}

/// What a public key says of itself.
#[derive(Clone)]
struct KeyFacts {
    canonical_id: KeyId,
    algorithm: Algorithm,
    certificate: Option<(Untrusted, Timestamp)>,
}

impl KnownKeys<'_> {
    fn chain_key(&mut self, key: &PublicKey, role: &RoleName, signed_by: Option<&[KeyId]>) -> ChainKey {
        let KeyFacts { canonical_id, algorithm, certificate } = self
            .facts
            .entry(key.id())
            .or_insert_with(|| KeyFacts {
                canonical_id: key.canonical_id(),
                algorithm: key.algorithm(),
                certificate: key.leaf().map(|l| (l.common_name.clone(), l.not_after)),
            })
            .clone();
        let whereabouts = match self.here.get(&canonical_id) {
            Some(KeyFile { path, fault: Some(fault) }) => Whereabouts::Unusable(path.clone(), *fault),
            // An encrypted file does not say what it holds; metadata does.
            Some(KeyFile { path, fault: None }) if !algorithm.may_sign() => Whereabouts::Unusable(path.clone(), TOO_WEAK),
            Some(KeyFile { path, fault: None }) => Whereabouts::Here(path.clone()),
            // Only servers hold timestamp keys. A snapshot key may be theirs or somebody else's.
            None if role.base() == Some(BaseRole::Timestamp) => Whereabouts::Server,
            None => Whereabouts::Elsewhere,
        };
        let signed = signed_by.map(|ids| ids.contains(&key.id()));
        ChainKey { id: key.id(), canonical_id, algorithm, signed, certificate, whereabouts }
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

    /// The roles at or below this one whose files were refused, parents first.
    pub fn refused(&self) -> Vec<&RoleName> {
        self.walk().into_iter().filter(|n| matches!(n.state, NodeState::Refused(_))).map(|n| &n.role).collect()
    }

    /// This node and all below it, parents first.
    pub fn walk(&self) -> Vec<&ChainNode> {
        let mut all = vec![self];
        all.extend(self.children.iter().flat_map(ChainNode::walk));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tuf::key::KeyType;

    #[test]
    fn a_key_that_a_file_gives_to_thousands_of_roles_is_read_once() {
        let here = KeysHere::new();
        let mut known = KnownKeys { here: &here, facts: HashMap::new() };
        for i in 0..1000 {
            let role = RoleName::new(&format!("targets/r{i}")).unwrap();
            // Each reference is a key of its own that knows nothing of the others, as files give them.
            let key = PublicKey::new(KeyType::EcdsaX509, b"-----BEGIN CERTIFICATE-----".to_vec());
            let seen = known.chain_key(&key, &role, None);
            assert_eq!((seen.id, seen.signed), (key.id(), None));
        }
        assert_eq!(known.facts.len(), 1);
    }
}
