//! Hashing by the algorithm that a digest names.
use super::Digest;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// Content that is hashed piece by piece.
pub enum Hasher {
    /// What content is kept and signed by.
    Sha256(Sha256),
    /// Rare.
    Sha384(Sha384),
    /// What a manifest may name its layers by as well.
    Sha512(Sha512),
}

impl Hasher {
    /// More of it.
    pub fn update(&mut self, piece: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(piece),
            Self::Sha384(hash) => hash.update(piece),
            Self::Sha512(hash) => hash.update(piece),
        }
    }

    /// The digest of all of it.
    pub fn finish(self) -> Digest {
        match self {
            Self::Sha256(hash) => Digest::of_hash("sha256", &hash.finalize()),
            Self::Sha384(hash) => Digest::of_hash("sha384", &hash.finalize()),
            Self::Sha512(hash) => Digest::of_hash("sha512", &hash.finalize()),
        }
    }
}
