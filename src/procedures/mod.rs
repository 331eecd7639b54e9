//! Guided work: one file per piece of it. A procedure reads from top to bottom like the paper script of a ceremony; it asks
//! through a [`Session`] and never draws or prints. Screen, command line and tests run the same one.
mod failure;
mod interrupted;
pub mod key_export;
pub mod key_generate;
pub mod key_import;
pub mod key_mend;
pub mod key_migrate;
pub mod key_passwd;
pub mod key_remove;
pub mod key_strengthen;
pub mod key_test;
pub mod paths;
mod record;
pub mod repository;
pub mod tour;
mod unlock;
mod work;

pub use crate::trust_dir::PATIENCE;
pub use failure::{UNCERTAIN, UNCONFIRMED, key_failure, passphrase_failure};
pub use interrupted::{Came, Interrupted};
pub use record::{Recording, unwritable};
pub use work::{CANCELLED, Done, KeyFile, Row, Which, Work, perform};

use crate::{
    failure::Failure,
    journal::State,
    keys::{self, KeyEntry},
    notary::reference::{self, Reference},
    operator::{Session, Step, Stop},
    repository::Repositories,
    trust_dir::{TrustDir, shown},
    tuf::name::Gun,
};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

/// Where procedures work.
#[derive(Clone)]
pub struct Workplace {
    /// The trust directory.
    pub trust_dir: TrustDir,
    /// Repositories, and the servers that have them; none where only keys are worked on.
    pub repositories: Option<Repositories>,
    /// Where what is done is remembered; none without a home directory.
    pub state: Option<State>,
    /// Why nothing may be written, if nothing may.
    pub read_only: Option<String>,
    /// Whether names are taken verbatim, as `notary` does.
    pub exact: bool,
    /// Where the public half of a new key goes, if nothing else is said.
    pub public_dir: PathBuf,
    /// Makes the world of the tour, where there is one.
    pub tour: Option<tour::MakeWorld>,
}

impl Workplace {
    /// Fails where nothing may be written. `nothing` says what did not happen.
    fn may_write(&self, nothing: &str) -> Result<(), Failure> {
        match &self.read_only {
            None => Ok(()),
            Some(why) => {
                Err(Failure::new("read-only", format!("this is a read-only session ({why})"), nothing, "Leave out --read-only."))
            }
        }
    }

    /// The key in this file, as it is now.
    pub async fn key_at(&self, path: &Path) -> Result<KeyEntry, Failure> {
        self.listed().await?.into_iter().find(|e| e.path == path).ok_or_else(|| gone(path))
    }

    /// The keys in these files, as they are now.
    pub async fn keys_at(&self, paths: &[PathBuf]) -> Result<Vec<KeyEntry>, Failure> {
        let mut listed: HashMap<PathBuf, KeyEntry> = self.listed().await?.into_iter().map(|e| (e.path.clone(), e)).collect();
        paths.iter().map(|path| listed.remove(path).ok_or_else(|| gone(path))).collect()
    }

    async fn listed(&self) -> Result<Vec<KeyEntry>, Failure> {
        let trust_dir = self.trust_dir.clone();
        let listing = tokio::task::spawn_blocking(move || keys::list(&trust_dir)).await;
        Ok(listing.map_err(|e| Failure::new("internal", e.to_string(), "nothing was changed", ""))?.entries)
    }

    /// Understands the name of a repository.
    ///
    /// # Errors
    /// If it names none, or a tag of it.
    pub fn repository(&self, typed: &str) -> Result<Reference, String> {
        let cached = |gun: &Gun| self.trust_dir.metadata_dir(gun).is_dir();
        let reference = reference::read(typed, self.exact, &cached).map_err(|e| e.to_string())?;
        match &reference.tag {
            None => Ok(reference),
            Some(tag) => Err(format!("it names the tag {}; name the repository without it", tag.shown())),
        }
    }

    /// The repositories whose root is remembered.
    pub fn remembered(&self) -> Vec<String> {
        let guns = self.trust_dir.guns().guns;
        guns.into_iter().filter(|g| g.has_root).map(|g| g.gun.to_string()).collect()
    }
}

fn gone(path: &Path) -> Failure {
    let message = format!("{} is not there any more", shown(path));
    Failure::new("not-there", message, "nothing was changed", "Read the keys again to see which there are.")
}

/// Whether somebody wants it to end: asked between two things each of which is done whole or not at all.
async fn told_to_end(session: &mut Session<'_>, step: Step, what: &str) -> Result<bool, Stop> {
    session.work(step, what, |stop| Ok(stop())).await
}
