//! What a repository signs, one row for each name and digest.
use super::natural;
use crate::{
    text::Untrusted,
    tuf::{
        collection::TrustedCollection,
        name::{KeyId, RoleName},
    },
};
use std::collections::HashMap;

/// One signed name with one digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagRow {
    /// The name; it comes from a signer.
    pub name: Untrusted,
    /// SHA-256 of what it stands for; none if the signer named none.
    pub digest: Option<KeyId>,
    /// Bytes; for an image the size of its manifest.
    pub size: i64,
    /// Roles that sign this pair, in tree order.
    pub roles: Vec<RoleName>,
    /// Whether docker would pull it: `targets` or `targets/releases` signs it.
    pub released: bool,
}

impl TagRow {
    /// The digest in hexadecimal; empty if there is none.
    pub fn digest_hex(&self) -> String {
        self.digest.map(|d| d.hex()).unwrap_or_default()
    }

    /// The people behind the roles: those besides `targets` and `targets/releases`, without their first `targets/`.
    pub fn signers(&self) -> impl Iterator<Item = &str> {
        self.roles.iter().filter(|r| !releases(r)).map(signer_name)
    }
}

/// Whether what this role signs is what docker pulls.
pub fn releases(role: &RoleName) -> bool {
    matches!(role.as_str(), "targets" | "targets/releases")
}

/// The name of the person behind a delegation.
pub fn signer_name(role: &RoleName) -> &str {
    role.as_str().strip_prefix("targets/").unwrap_or(role.as_str())
}

/// All rows, in natural order of the names (`v2` before `v10`), then by digest.
pub fn tag_rows(collection: &TrustedCollection) -> Vec<TagRow> {
    let mut rows: Vec<TagRow> = Vec::new();
    let mut at: HashMap<(&str, Option<[u8; 32]>), usize> = HashMap::new();
    for (role, name, meta) in collection.signed() {
        let digest = meta.sha256();
        let index = *at.entry((name, digest)).or_insert_with(|| {
            rows.push(TagRow {
                name: Untrusted::new(name),
                digest: digest.map(KeyId::from_digest),
                size: meta.length,
                roles: Vec::new(),
                released: false,
            });
            rows.len() - 1
        });
        if let Some(row) = rows.get_mut(index) {
            row.released = row.released || releases(&role.name);
            row.roles.push(role.name.clone());
        }
    }
    drop(at);
    rows.sort_by(|a, b| natural::compare(a.name.raw(), b.name.raw()).then(a.digest.cmp(&b.digest)));
    rows
}
