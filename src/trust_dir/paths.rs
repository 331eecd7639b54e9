//! Where things are (protocol 1.1).
use crate::tuf::name::{Gun, KeyId, RoleName};
use std::path::{Path, PathBuf};

/// A trust directory: a path and the layout below it. Making one touches no file, and the directory need not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrustDir {
    root: PathBuf,
}

impl TrustDir {
    /// Names a directory.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { root: path.into() }
    }

    /// The directory itself.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// `private/`, where the private keys are.
    pub fn private(&self) -> PathBuf {
        self.root.join("private")
    }

    /// `private/<id>.key`: the only place where Notary and docker look for a key.
    pub fn key_path(&self, id: KeyId) -> PathBuf {
        self.private().join(Self::key_name(id))
    }

    /// `<id>.key`.
    pub(super) fn key_name(id: KeyId) -> String {
        format!("{id}.key")
    }

    /// `tuf/`, where the metadata of every repository is kept.
    pub fn tuf(&self) -> PathBuf {
        self.root.join("tuf")
    }

    /// `tuf/<gun>/metadata/`. A [`Gun`] cannot climb, so this is always below the trust directory.
    pub fn metadata_dir(&self, gun: &Gun) -> PathBuf {
        self.tuf().join(gun.as_str()).join("metadata")
    }

    /// `tuf/<gun>/metadata/<role>.json`.
    pub fn metadata_path(&self, gun: &Gun, role: &RoleName) -> PathBuf {
        self.metadata_dir(gun).join(format!("{role}.json"))
    }
}
