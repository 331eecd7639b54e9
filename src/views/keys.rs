//! Rows of the key listing.
use super::chain::{Fault, KeyFile, KeysHere, TOO_WEAK};
use crate::{
    finding::{Finding, Severity},
    keys::{KeyEntry, list, problem::code},
    text::Untrusted,
    trust_dir::TrustDir,
    tuf::{
        envelope::Document,
        key::{Algorithm, PublicKey},
        limits,
        name::{BaseRole, Gun, KeyId, RoleName},
        root::Root,
        targets::Targets,
    },
};
use jiff::Timestamp;
use std::{collections::HashMap, path::PathBuf};

/// One private key, or a file that should be one.
#[derive(Debug, Clone)]
pub struct KeyRow {
    /// The ID that the file's name claims.
    pub id: Option<KeyId>,
    /// The role in the file's header; empty if there is none.
    pub role: Untrusted,
    /// The repository in the file's header.
    pub gun: Option<Untrusted>,
    /// What the key computes with; unknown for an encrypted key that no metadata names.
    pub algorithm: Option<Algorithm>,
    /// Whether a passphrase protects it; unknown for a file that cannot be read.
    pub encrypted: Option<bool>,
    /// The file's time.
    pub modified: Option<Timestamp>,
    /// Where it lies.
    pub path: PathBuf,
    /// Whether the file lies in a layout that Notary 0.4 left behind.
    pub legacy: bool,
    /// Repositories in the local cache whose metadata names this key, with the role it has there.
    pub used_by: Vec<(Gun, RoleName)>,
    /// What is wrong with it, worst first.
    pub problems: Vec<Finding>,
}

impl KeyRow {
    /// The worst that is wrong.
    pub fn severity(&self) -> Option<Severity> {
        self.problems.iter().map(|p| p.severity).max()
    }

    /// Why it could not sign, as far as that is seen without its passphrase. What weakens it and does not keep it from
    /// signing is none.
    pub fn fault(&self) -> Option<Fault> {
        fault(&self.problems)
    }
}

/// Why a key with these problems could not sign.
pub fn fault(problems: &[Finding]) -> Option<Fault> {
    problems.iter().find_map(|p| {
        let words = match p.code {
            code::EMPTY => "the file is empty",
            code::WRONG_CONTENT => "it holds another key",
            code::SYMLINK => "it is a symbolic link, which is not followed",
            code::WEAK_KEY => return Some(TOO_WEAK),
            code::UNREADABLE => "it cannot be read",
            code::DAMAGED | code::CRASHES_NOTARY => "damaged",
            code::OVERSIZED | code::NOT_A_FILE | code::NOT_A_KEY => "it is no key",
            code::UNSUPPORTED | code::ITERATIONS => "its encryption cannot be undone",
            _ => return None,
        };
        Some(Fault { code: p.code, words })
    })
}

/// What a listing of keys says.
#[derive(Debug, Clone, Default)]
pub struct KeyRows {
    /// Keys, root keys first, then by repository, role and ID.
    pub rows: Vec<KeyRow>,
    /// What is wrong with the directory as a whole.
    pub problems: Vec<Finding>,
}

/// Whether a problem with the directory means that there may be keys which were not listed.
pub fn hides_keys(problem: &Finding) -> bool {
    matches!(problem.code, code::DIRECTORY_UNREADABLE | code::SYMLINK)
}

/// Lists all keys of a trust directory.
pub fn key_rows(trust_dir: &TrustDir) -> KeyRows {
    let listing = list(trust_dir);
    let mut uses = uses(trust_dir);
    let mut rows: Vec<KeyRow> = listing.entries.into_iter().map(|e| key_row(e, &mut uses)).collect();
    let order = |r: &KeyRow| r.role.raw() != BaseRole::Root.as_str();
    rows.sort_by(|a, b| {
        let (x, y) = ((order(a), &a.gun, &a.role, a.id, &a.path), (order(b), &b.gun, &b.role, b.id, &b.path));
        x.cmp(&y)
    });
    KeyRows { rows, problems: listing.problems }
}

fn key_row(entry: KeyEntry, uses: &mut HashMap<KeyId, Use>) -> KeyRow {
    let used = entry.id.and_then(|id| uses.get(&id));
    KeyRow {
        algorithm: entry.algorithm.or(used.map(|u| u.algorithm)),
        used_by: used.map(|u| u.by.clone()).unwrap_or_default(),
        encrypted: entry.encrypted(),
        id: entry.id,
        role: entry.role.unwrap_or_default(),
        gun: entry.gun_claimed,
        modified: entry.modified,
        path: entry.path,
        legacy: entry.legacy.is_some(),
        problems: entry.problems,
    }
}

/// Where each private key lies, and whether its file could sign. Of several files with one name, one that could.
pub fn keys_here(rows: &[KeyRow]) -> KeysHere {
    let mut here = KeysHere::with_capacity(rows.len());
    for row in rows {
        let Some(id) = row.id else { continue };
        let file = KeyFile { path: row.path.clone(), fault: row.fault() };
        match here.get(&id) {
            Some(KeyFile { fault: None, .. }) => {}
            _ => drop(here.insert(id, file)),
        }
    }
    here
}

/// Who uses a key, as cached metadata says. The cache is not verified for this: it is a hint, not a proof.
struct Use {
    algorithm: Algorithm,
    by: Vec<(Gun, RoleName)>,
}

fn uses(trust_dir: &TrustDir) -> HashMap<KeyId, Use> {
    let mut uses: HashMap<KeyId, Use> = HashMap::new();
    // A file may give one key to thousands of roles; its certificate is read once.
    let mut canonical: HashMap<KeyId, KeyId> = HashMap::new();
    for gun in trust_dir.guns().guns.into_iter().map(|g| g.gun) {
        let mut note = |key: &PublicKey, role: &RoleName| {
            let id = *canonical.entry(key.id()).or_insert_with(|| key.canonical_id());
            let used = uses.entry(id).or_insert_with(|| Use { algorithm: key.algorithm(), by: Vec::new() });
            used.by.push((gun.clone(), role.clone()));
        };
        for role in trust_dir.cached_roles(&gun).unwrap_or_default() {
            let Ok(Some(bytes)) = trust_dir.read_metadata(&gun, &role, limits::METADATA) else { continue };
            match role.base() {
                Some(BaseRole::Root) => {
                    let Ok(root) = Document::<Root>::parse(&bytes) else { continue };
                    for base in BaseRole::ALL {
                        let keys = root.payload.keys_of(base).map(|k| k.keys).unwrap_or_default();
                        keys.iter().for_each(|k| note(k, &base.into()));
                    }
                }
                Some(BaseRole::Targets) | None => {
                    let Ok(file) = Document::<Targets>::parse(&bytes) else { continue };
                    for d in file.payload.delegations() {
                        let keys = file.payload.keys_of(d).map(|k| k.keys).unwrap_or_default();
                        keys.iter().for_each(|k| note(k, &d.name));
                    }
                }
                Some(BaseRole::Snapshot | BaseRole::Timestamp) => {}
            }
        }
    }
    uses
}
