//! What a repository signs, one row for each name and digest.
use crate::{
    text::Untrusted,
    tuf::{collection::TrustedCollection, name::RoleName},
};

/// One signed name with one digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagRow {
    /// The name; it comes from a signer.
    pub name: Untrusted,
    /// SHA-256 of what it stands for, 64 hexadecimal digits; empty if the signer named none.
    pub digest: String,
    /// Bytes; for an image the size of its manifest.
    pub size: i64,
    /// Roles that sign this pair, in tree order.
    pub roles: Vec<RoleName>,
    /// The roles besides `targets` and `targets/releases`, without their first `targets/`.
    pub signers: Vec<String>,
    /// Whether docker would pull it: `targets` or `targets/releases` signs it.
    pub released: bool,
}

/// All rows, in natural order of the names (`v2` before `v10`).
pub fn tag_rows(collection: &TrustedCollection) -> Vec<TagRow> {
    let _ = collection;
    Vec::new()
}
