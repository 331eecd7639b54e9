//! Rows of the key listing.
use crate::{
    finding::{Finding, Severity},
    text::Printable,
    tuf::{
        key::Algorithm,
        name::{Gun, KeyId},
    },
};
use jiff::Timestamp;
use std::path::PathBuf;

/// One private key, or a file that should be one.
#[derive(Debug, Clone)]
pub struct KeyRow {
    /// The ID that the file's name claims.
    pub id: Option<KeyId>,
    /// The role in the file's header; empty if there is none.
    pub role: Printable,
    /// The repository in the file's header.
    pub gun: Option<Printable>,
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
    /// Repositories in the local cache whose metadata names this key, with the roles it has there.
    pub used_by: Vec<(Gun, String)>,
    /// What is wrong with it, worst first.
    pub problems: Vec<Finding>,
}

impl KeyRow {
    /// The worst that is wrong.
    pub fn severity(&self) -> Option<Severity> {
        self.problems.iter().map(|p| p.severity).max()
    }
}
