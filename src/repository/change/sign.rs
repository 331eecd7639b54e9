//! Signing a plan. Which keys there are, the caller knows.
use super::{Ground, Plan};
use crate::{
    keys::{KeyError, Signer},
    text::count,
    tuf::{
        envelope::{Common, Expiry},
        file_meta::FileMeta,
        json::JsonError,
        listing::Snapshot,
        name::{BaseRole, KeyId, RoleName},
        publication::{Objection, Publication},
        role_keys::RoleKeys,
        sign::Unsigned,
    },
};
use jiff::{Timestamp, ToSpan as _};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// Lifetime of a snapshot (protocol 5), in days.
const SNAPSHOT_LIFE: i64 = 3 * 365;

/// Files that are ready to be published.
pub struct Signed {
    pub(super) ground: Arc<Ground>,
    /// The files.
    pub files: Vec<(RoleName, Vec<u8>)>,
    /// Roles that hold, and will.
    pub(super) must_hold: BTreeSet<RoleName>,
    /// Those that say what they said before.
    pub(super) only_again: BTreeSet<RoleName>,
}

/// What a role lacks, in words.
fn not_enough(need: u64, have: usize, ids: &[KeyId]) -> String {
    if ids.is_empty() {
        return "has no key, so nobody can sign it".to_owned();
    }
    let need = count(need, "signature");
    let are = if have == 1 { "is" } else { "are" };
    let ids: Vec<String> = ids.iter().map(KeyId::short).collect();
    format!("needs {need}, and {have} of its keys {are} at hand; it can be signed with {}", ids.join(", "))
}

/// Why a plan was not signed.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// Not enough of a role's keys are here.
    #[error("{role} {}", not_enough(*need, *have, ids))]
    NotEnough {
        /// The role.
        role: RoleName,
        /// How many must sign.
        need: u64,
        /// How many can.
        have: usize,
        /// The keys that may, by the IDs of their files.
        ids: Vec<KeyId>,
    },
    /// A key of the plan is not there yet.
    #[error("a key of {0} is still to come")]
    ToCome(RoleName),
    /// A key did not sign.
    #[error("the key {} did not sign {role}: {error}", id.short())]
    Key {
        /// The role.
        role: RoleName,
        /// The key.
        id: KeyId,
        /// Why.
        error: KeyError,
    },
    /// A file cannot be written.
    #[error("{role} cannot be written: {error}")]
    Unwritable {
        /// The role.
        role: RoleName,
        /// Why.
        error: JsonError,
    },
    /// What was signed would be refused.
    #[error("what was signed would be refused: {}", objection(.0))]
    Objection(Objection),
}

/// What a server would say.
fn objection(objection: &Objection) -> String {
    match objection {
        Objection::Stored(why) => format!("what the server has does not hold: {why}"),
        Objection::Root(why) | Objection::Targets(why) | Objection::Snapshot(why) => why.to_string(),
        Objection::NoRoot => "there is no root".to_owned(),
        Objection::RootVersion { current, new } => format!("root version {new} does not follow version {current}"),
        Objection::NotDelegated(role) => format!("nobody delegates to {role}"),
        Objection::NoTargets => "there is no targets file".to_owned(),
        Objection::OtherFile { role, .. } => format!("the snapshot names another {role} file"),
        Objection::Unwritable(why) => why.to_string(),
    }
}

impl Signed {
    /// The roles that people sign, with their versions.
    pub fn versions(&self) -> Vec<(String, u64)> {
        self.files.iter().filter_map(|(role, bytes)| Some((role.to_string(), super::publish::version_of(bytes)?))).collect()
    }
}

impl Plan {
    /// Who must sign what; of each as many as its threshold says.
    pub fn needs(&self) -> impl Iterator<Item = (RoleName, &RoleKeys)> {
        self.files.iter().flat_map(|f| f.needs.iter().map(|need| (f.role.clone(), need)))
    }

    /// Signs every file with all keys that are given and may, and the snapshot if its key is among them. `keys` are by
    /// canonical ID. What comes out has been held against everything that a server checks.
    ///
    /// # Errors
    /// [`SignError`]; nothing was signed that could be used.
    pub fn sign(self, keys: &BTreeMap<KeyId, &dyn Signer>) -> Result<Signed, SignError> {
        if let Some(role) = self.awaits_key() {
            return Err(SignError::ToCome(role));
        }
        let same = self.differences.iter().filter(|d| d.lines.is_empty()).map(|d| d.role.clone());
        let only_again = same.collect();
        let mut files = Vec::new();
        for file in self.files {
            files.push((file.role.clone(), signed(&file.role, file.unsigned, &file.needs, keys)?));
        }
        let has_snapshot = self.snapshot.keys.iter().any(|k| keys.contains_key(&k.canonical_id()));
        if has_snapshot {
            let role = RoleName::from(BaseRole::Snapshot);
            let mut meta = self.ground.listed.clone();
            meta.retain(|r, _| !self.gone.contains(r));
            meta.extend(files.iter().map(|(role, bytes)| (role.clone(), FileMeta::of(bytes))));
            let end = self.ground.now.checked_add((SNAPSHOT_LIFE * 24).hours()).unwrap_or(Timestamp::MAX);
            let snapshot = Snapshot::new(Common { version: self.ground.snapshot_version + 1, expires: Expiry::at(end) }, meta);
            let unsigned = Unsigned::new(&snapshot).map_err(|error| SignError::Unwritable { role: role.clone(), error })?;
            files.push((role.clone(), signed(&role, unsigned, std::slice::from_ref(&self.snapshot), keys)?));
        }
        let sent: BTreeMap<RoleName, &[u8]> = files.iter().map(|(r, b)| (r.clone(), b.as_slice())).collect();
        let stored = |role: &RoleName| self.ground.files.get(role);
        let publication = Publication { gun: &self.ground.gun, now: self.ground.now, stored: &stored, sent: &sent };
        publication.check().map_err(SignError::Objection)?;
        Ok(Signed { ground: self.ground, files, must_hold: self.must_hold, only_again })
    }
}

fn signed(
    role: &RoleName,
    mut file: Unsigned,
    needs: &[RoleKeys],
    keys: &BTreeMap<KeyId, &dyn Signer>,
) -> Result<Vec<u8>, SignError> {
    let mut done = BTreeSet::new();
    for need in needs {
        let mut have = BTreeSet::new();
        for public in &need.keys {
            let id = public.canonical_id();
            let Some(key) = keys.get(&id) else { continue };
            have.insert(id);
            if done.insert(public.id()) {
                let made = key.sign(file.bytes()).map_err(|error| SignError::Key { role: role.clone(), id, error })?;
                file.add(public.id(), made.method, made.bytes);
            }
        }
        if (have.len() as u64) < need.threshold {
            let ids = need.keys.iter().map(|k| k.canonical_id()).collect();
            return Err(SignError::NotEnough { role: role.clone(), need: need.threshold, have: have.len(), ids });
        }
    }
    file.into_file().map_err(|error| SignError::Unwritable { role: role.clone(), error })
}
