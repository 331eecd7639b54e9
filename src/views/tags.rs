//! What a repository signs, one row for each name and digest.
use super::natural;
use crate::{
    text::Untrusted,
    tuf::{
        collection::TrustedCollection,
        name::{KeyId, RoleName},
    },
};

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
    let mut signed: Vec<_> = collection.signed().map(|(role, name, meta)| (name, meta.sha256(), meta, role)).collect();
    // Stable: of one pair the roles stay in tree order, and the first one's size is shown. The order tells all names apart.
    signed.sort_by(|a, b| natural::compare(a.0, b.0).then_with(|| a.1.cmp(&b.1)));
    let mut rows: Vec<TagRow> = Vec::with_capacity(signed.len());
    for (name, digest, meta, role) in signed {
        let digest = digest.map(KeyId::from_digest);
        match rows.last_mut().filter(|last| last.name.raw() == name && last.digest == digest) {
            Some(row) => {
                row.released = row.released || releases(&role.name);
                row.roles.push(role.name.clone());
            }
            None => rows.push(TagRow {
                name: Untrusted::new(name),
                digest,
                size: meta.length,
                roles: vec![role.name.clone()],
                released: releases(&role.name),
            }),
        }
    }
    rows
}
