//! A repository that was verified as a whole.
use super::{
    file_meta::FileMeta,
    key::PublicKey,
    listing::{Snapshot, TimestampFile},
    name::{BaseRole, Gun, RoleName},
    paths::Paths,
    refusal::Refusal,
    role_keys::RoleKeys,
    root::Root,
    root_trust::TrustedRoot,
    targets::Targets,
    verified::Verified,
};

/// Why the root is trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The configuration pins it.
    Pinned,
    /// It was seen before, or follows from one that was.
    Remembered,
    /// It was seen now for the first time, and nothing contradicts it.
    FirstUse,
}

/// How new the newest is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// The server answered in this update.
    Live,
    /// The server did not answer; a timestamp that is still valid was at hand.
    Cached,
}

/// What became of a role below `targets`, or of `targets` itself.
#[derive(Debug, Clone)]
pub enum RoleState {
    /// Verified.
    Verified(Box<Verified<Targets>>),
    /// Delegated to, but it has published nothing.
    Unpublished,
    /// Refused, and nothing below it was looked at.
    Refused(Refusal),
}

/// `targets` or a delegation, with what the role above says of it.
#[derive(Debug, Clone)]
pub struct Role {
    /// Its name.
    pub name: RoleName,
    /// Its keys and threshold.
    pub keys: RoleKeys,
    /// What it may sign, within what its parents may.
    pub paths: Paths,
    /// What it may sign by its own entry alone, as the file says it.
    pub stated_paths: Paths,
    /// What became of its file.
    pub state: RoleState,
}

impl Role {
    /// Its file, if it was verified.
    pub fn verified(&self) -> Option<&Verified<Targets>> {
        match &self.state {
            RoleState::Verified(t) => Some(t),
            _ => None,
        }
    }
}

/// A repository as its signers and its server want it seen. Made only by a successful [`super::update::Update`].
#[derive(Debug, Clone)]
pub struct TrustedCollection {
    pub(super) gun: Gun,
    pub(super) anchor: Anchor,
    pub(super) freshness: Freshness,
    pub(super) root: TrustedRoot,
    pub(super) timestamp: Verified<TimestampFile>,
    pub(super) snapshot: Verified<Snapshot>,
    pub(super) roles: Vec<Role>,
}

impl TrustedCollection {
    /// Whose it is.
    pub fn gun(&self) -> &Gun {
        &self.gun
    }

    /// Why its root is trusted.
    pub fn anchor(&self) -> Anchor {
        self.anchor
    }

    /// How new it is.
    pub fn freshness(&self) -> Freshness {
        self.freshness
    }

    /// The root.
    pub fn root(&self) -> &Verified<Root> {
        self.root.root()
    }

    /// The timestamp.
    pub fn timestamp(&self) -> &Verified<TimestampFile> {
        &self.timestamp
    }

    /// The snapshot.
    pub fn snapshot(&self) -> &Verified<Snapshot> {
        &self.snapshot
    }

    /// `targets` and all delegations, parents before children, level by level as Notary walks them.
    pub fn roles(&self) -> &[Role] {
        &self.roles
    }

    /// A role by name.
    pub fn role(&self, name: &RoleName) -> Option<&Role> {
        self.roles.iter().find(|r| r.name == *name)
    }

    /// Whether nobody delegates to a role any more: the file that would is verified. Of a role below one that is not, this is
    /// not known.
    pub fn has_ended(&self, role: &RoleName) -> bool {
        let Some(parent) = role.parent() else { return false };
        match self.role(&parent) {
            Some(above) => above.verified().is_some() && self.role(role).is_none(),
            None => self.has_ended(&parent),
        }
    }

    /// The keys of a base role.
    pub fn base_keys(&self, role: BaseRole) -> Vec<PublicKey> {
        self.root().keys_of(role).map(|k| k.keys).unwrap_or_default()
    }

    /// Roles that were refused, each with the reason.
    pub fn refused(&self) -> impl Iterator<Item = (&RoleName, &Refusal)> {
        self.roles.iter().filter_map(|r| match &r.state {
            RoleState::Refused(why) => Some((&r.name, why)),
            _ => None,
        })
    }

    /// Everything that verified roles sign within their paths: role, name, and what the name stands for.
    pub fn signed(&self) -> impl Iterator<Item = (&Role, &str, &FileMeta)> {
        self.roles
            .iter()
            .filter_map(|r| r.verified().map(|t| (r, t)))
            .flat_map(|(r, t)| t.targets().filter(|(n, _)| r.paths.allow(n)).map(move |(n, m)| (r, n, m)))
    }
}
