//! What a server checks before it takes what somebody publishes (protocol 10.3).
use super::{
    envelope::{Document, Payload},
    file_meta::FileMeta,
    json::JsonError,
    listing::Snapshot,
    name::{BaseRole, Gun, RoleName},
    pinning::Rule,
    refusal::Refusal,
    root::Root,
    root_trust::{Judge, TrustedRoot},
    targets::Targets,
    verified::{self, Verified},
};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// The current file of a role, if there is one.
pub type Stored<'a> = &'a dyn Fn(&RoleName) -> Option<&'a [u8]>;

/// What is published where.
pub struct Publication<'a> {
    /// The collection.
    pub gun: &'a Gun,
    /// The time at which the files must be valid.
    pub now: Timestamp,
    /// What the server has.
    pub stored: Stored<'a>,
    /// What was sent.
    pub sent: &'a BTreeMap<RoleName, &'a [u8]>,
}

/// What may be stored, as far as it goes without the server's own keys.
#[derive(Debug)]
pub struct Accepted {
    root: TrustedRoot,
    targets: BTreeMap<RoleName, Verified<Targets>>,
    /// What was received or read, for a snapshot that was sent too.
    bytes: BTreeMap<RoleName, Vec<u8>>,
    meta: BTreeMap<RoleName, FileMeta>,
}

/// Why nothing of it may be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objection {
    /// What the server has does not hold, so nothing can follow it.
    Stored(Refusal),
    /// There is no root, neither stored nor sent.
    NoRoot,
    /// The root neither replaces the current version nor follows it.
    RootVersion {
        /// The version that is stored; 1 if there is none.
        current: u64,
        /// The version that was sent.
        new: u64,
    },
    /// The root does not hold.
    Root(Refusal),
    /// `targets` or a delegation does not hold.
    Targets(Refusal),
    /// Nobody delegates to this role.
    NotDelegated(RoleName),
    /// A delegation was sent, and there is no `targets` to delegate to it.
    NoTargets,
    /// The snapshot does not hold, or does not name a file it came with.
    Snapshot(Refusal),
    /// The snapshot names another file than the one it came with.
    OtherFile {
        /// Whose file.
        role: RoleName,
        /// The SHA-256 that the snapshot names.
        wanted: [u8; 32],
    },
    /// A file cannot be written again, which a snapshot must vouch for.
    Unwritable(JsonError),
}

impl Publication<'_> {
    /// Checks everything that was sent; the timestamp is never looked at.
    ///
    /// # Errors
    /// [`Objection`].
    pub fn check(&self) -> Result<Accepted, Objection> {
        let mut accepted = self.root()?;
        let mut roles: Vec<&RoleName> = self.sent.keys().filter(|r| is_signed_by_people(r)).collect();
        // Whoever delegates comes before those to whom it delegates.
        roles.sort_by_key(|r| (r.as_str().matches('/').count(), *r));
        for role in roles {
            for above in accepted.missing_above(role) {
                if let Some(bytes) = (self.stored)(&above) {
                    accepted.take(&above, bytes, None).map_err(|o| Objection::Stored(refusal_of(o, &above)))?;
                }
            }
            if let Some(bytes) = self.sent.get(role) {
                accepted.take(role, bytes, Some(self.now))?;
            }
        }
        if let Some(bytes) = self.sent.get(&BaseRole::Snapshot.into()) {
            accepted.check_snapshot(bytes, self.now)?;
        }
        Ok(accepted)
    }

    fn root(&self) -> Result<Accepted, Objection> {
        let name = RoleName::from(BaseRole::Root);
        let judge = |previous, now| Judge { gun: self.gun, previous, rule: Some(Rule::FirstUse), now };
        let stored = (self.stored)(&name);
        let current = stored.map(|bytes| {
            let root = judge(None, None).judge(verified::parse::<Root>(&name, bytes)?)?;
            // Its file may have expired, its certificate not.
            match judge(None, Some(self.now)).judge_again(&root) {
                Ok(()) | Err(Refusal::Expired { .. }) => Ok(root),
                Err(why) => Err(why),
            }
        });
        let current = current.transpose().map_err(Objection::Stored)?;
        let (root, bytes) = match (self.sent.get(&name), current, stored) {
            (Some(bytes), current, _) => {
                let document = verified::parse::<Root>(&name, bytes).map_err(Objection::Root)?;
                let (was, new) = (current.as_ref().map_or(1, |r| r.root().version()), document.payload.common.version);
                if new != was && new != was + 1 {
                    return Err(Objection::RootVersion { current: was, new });
                }
                (judge(current.as_ref(), Some(self.now)).judge(document).map_err(Objection::Root)?, *bytes)
            }
            (None, Some(root), Some(bytes)) => (root, bytes),
            _ => return Err(Objection::NoRoot),
        };
        let meta = BTreeMap::from([(name.clone(), written_again::<Root>(&name, bytes)?)]);
        Ok(Accepted { root, targets: BTreeMap::new(), bytes: BTreeMap::from([(name, bytes.to_vec())]), meta })
    }
}

impl Accepted {
    /// The root that holds from now on.
    pub fn root(&self) -> &Root {
        self.root.root()
    }

    /// What a snapshot made by the server says of the files that were looked at. It vouches for what Notary would write
    /// for them, and not for what was received: files in another layout become unreadable (protocol 4.5).
    pub fn meta(&self) -> &BTreeMap<RoleName, FileMeta> {
        &self.meta
    }

    /// The roles between `targets` and this one that were not looked at yet, from above.
    fn missing_above(&self, role: &RoleName) -> Vec<RoleName> {
        let above = std::iter::successors(role.parent(), RoleName::parent);
        let mut missing: Vec<_> = above.filter(|r| !self.targets.contains_key(r)).collect();
        missing.reverse();
        missing
    }

    /// Checks the file of `targets` or a delegation; its end only if there is a time.
    fn take(&mut self, role: &RoleName, bytes: &[u8], now: Option<Timestamp>) -> Result<(), Objection> {
        let malformed = |why| Objection::Targets(Refusal::Malformed { role: role.clone(), why });
        let keys = match role.parent() {
            None => self.root().keys_of(BaseRole::Targets).map_err(malformed)?,
            Some(parent) => {
                if !self.targets.contains_key(&BaseRole::Targets.into()) {
                    return Err(Objection::NoTargets);
                }
                let above = self.targets.get(&parent);
                let delegation = above.and_then(|t| Some((t, t.delegations().iter().find(|d| d.name == *role)?)));
                let (above, delegation) = delegation.ok_or_else(|| Objection::NotDelegated(role.clone()))?;
                above.keys_of(delegation).map_err(malformed)?
            }
        };
        let document = verified::parse::<Targets>(role, bytes).map_err(Objection::Targets)?;
        document.payload.check_children(role).map_err(malformed)?;
        let meta = document.encode().map(|bytes| FileMeta::of(&bytes)).map_err(Objection::Unwritable)?;
        let file = Verified::check(document, role, &keys).map_err(Objection::Targets)?;
        now.map_or(Ok(()), |now| file.check_fresh(role, now)).map_err(Objection::Targets)?;
        self.targets.insert(role.clone(), file);
        self.bytes.insert(role.clone(), bytes.to_vec());
        self.meta.insert(role.clone(), meta);
        Ok(())
    }

    /// Checks a snapshot against the root and against every file that was looked at.
    fn check_snapshot(&self, bytes: &[u8], now: Timestamp) -> Result<(), Objection> {
        let role = RoleName::from(BaseRole::Snapshot);
        let keys = self.root().keys_of(BaseRole::Snapshot);
        let keys = keys.map_err(|why| Objection::Snapshot(Refusal::Malformed { role: role.clone(), why }))?;
        let check = || {
            let file = Verified::check(verified::parse::<Snapshot>(&role, bytes)?, &role, &keys)?;
            file.check_fresh(&role, now)?;
            Ok(file)
        };
        let file = check().map_err(Objection::Snapshot)?;
        for (named, bytes) in &self.bytes {
            let not_listed = || Objection::Snapshot(Refusal::NotListed { role: named.clone() });
            let meta = file.meta(named).ok_or_else(not_listed)?;
            if !meta.fits(bytes) {
                let wanted = meta.sha256().ok_or_else(not_listed)?;
                return Err(Objection::OtherFile { role: named.clone(), wanted });
            }
        }
        Ok(())
    }
}

fn is_signed_by_people(role: &RoleName) -> bool {
    role.is_delegation() || role.base() == Some(BaseRole::Targets)
}

fn refusal_of(objection: Objection, role: &RoleName) -> Refusal {
    match objection {
        Objection::Targets(why) => why,
        _ => Refusal::NotListed { role: role.clone() },
    }
}

fn written_again<T: Payload>(role: &RoleName, bytes: &[u8]) -> Result<FileMeta, Objection> {
    let document: Document<T> = verified::parse(role, bytes).map_err(Objection::Root)?;
    document.encode().map(|bytes| FileMeta::of(&bytes)).map_err(Objection::Unwritable)
}
