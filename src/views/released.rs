//! What docker would pull for a tag: what `targets/releases` signs, else `targets`; nobody else's word counts.
use super::tags::releases;
use crate::{
    registry::Digest,
    repository::image::Signed,
    tuf::{
        collection::{Role, RoleState, TrustedCollection},
        name::RoleName,
    },
};

/// What is signed for everybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Released {
    /// What is signed.
    pub signed: Signed,
    /// Who signed it.
    pub role: RoleName,
}

/// Why nothing is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotReleased {
    /// A role that comes first was refused: what it would say is not known.
    #[error("{role} is not trusted ({why}), and what it signs comes first")]
    Refused {
        /// Which one.
        role: RoleName,
        /// Why.
        why: String,
    },
    /// Others have signed it, and nobody for everybody.
    #[error("it is signed by {0} only, and not released")]
    ByOthers(String),
    /// Nobody has signed it.
    #[error("nobody has signed it")]
    ByNobody,
    /// What was signed is no digest that images have.
    #[error("{0} signs it without SHA-256, by which images are named")]
    NoDigest(RoleName),
}

/// What is released under a tag.
///
/// # Errors
/// [`NotReleased`]
pub fn released(collection: &TrustedCollection, tag: &str) -> Result<Released, NotReleased> {
    let mut first: Vec<&Role> = collection.roles().iter().filter(|r| releases(&r.name)).collect();
    // `targets/releases` before `targets`.
    first.sort_by_key(|r| std::cmp::Reverse(r.name.as_str().len()));
    for role in first {
        if let RoleState::Refused(why) = &role.state {
            return Err(NotReleased::Refused { role: role.name.clone(), why: why.to_string() });
        }
        let Some((_, _, meta)) = collection.signed().find(|(r, name, _)| r.name == role.name && *name == tag) else { continue };
        let digest = meta.sha256().and_then(|hash| Digest::from_digits(&base16ct::lower::encode_string(&hash)));
        let size = u64::try_from(meta.length).ok();
        return match digest.zip(size) {
            Some((digest, size)) => Ok(Released { signed: Signed { digest, size }, role: role.name.clone() }),
            None => Err(NotReleased::NoDigest(role.name.clone())),
        };
    }
    let others: Vec<&str> = collection.signed().filter(|(_, name, _)| *name == tag).map(|(r, ..)| r.name.as_str()).collect();
    Err(if others.is_empty() { NotReleased::ByNobody } else { NotReleased::ByOthers(others.join(", ")) })
}
