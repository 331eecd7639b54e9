//! Testing a key: it is opened, held against its file's name, and signs a line that nobody can use. Nothing is changed.
use super::unlock;
use crate::{
    keys::{self, KeyEntry, Tested},
    operator::{Fut, Session, Stop},
    trust_dir::shown,
};
use std::fmt;

/// What has not happened as long as nothing has.
pub const NOTHING: &str = "the key was not tested";
/// What to know afterwards.
pub const NEXT: &str = "Nothing was changed.";

/// A key that passed.
#[derive(Debug, Clone)]
pub struct Passed {
    /// What the key is called: its ID, or its file.
    pub name: String,
    /// What the test showed.
    pub tested: Tested,
}

impl fmt::Display for Passed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let algorithm = self.tested.algorithm;
        write!(f, "the key {} is good: it opens, is the one that its name says ({algorithm}), and signs", self.name)
    }
}

/// Tests a listed key.
pub fn run<'s>(entry: KeyEntry, session: &'s mut Session<'_>) -> Fut<'s, Result<Passed, Stop>> {
    Box::pin(async move {
        let name = entry.id.map_or_else(|| shown(&entry.path), |id| id.hex());
        let tested = unlock::opened(session, &entry, name.clone(), |entry, passphrase, stop| {
            keys::unlock_until(entry, passphrase, stop).and_then(|key| keys::prove(&key))
        });
        Ok(Passed { tested: tested.await?, name })
    })
}
