//! The desk at which both faces sit: it reads keys and repositories and lays out what they show.
use super::{
    chain::KeysHere,
    keys::{KeyRows, key_rows, keys_here},
    repositories::RepositoryRow,
    staged::{StagedRow, staged_rows},
};
use crate::{
    repository::{Mode, Repositories},
    text::Printable,
    tuf::name::Gun,
};
use jiff::Timestamp;
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};

/// Which world this is. The screen shows it so that it cannot be missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    /// A real server may be asked.
    Online,
    /// The embedded world, where nothing is real.
    Sandbox,
    /// No network code, or none wanted.
    Offline,
}

/// What stands at the top of every screen.
#[derive(Debug, Clone)]
pub struct Facts {
    /// Which world.
    pub world: World,
    /// The trust directory.
    pub trust_dir: Printable,
    /// The server, as far as there is one for all repositories.
    pub server: Option<Printable>,
    /// The configuration file in force.
    pub config: Option<Printable>,
}

/// Which repositories there are, and what stood in the way of knowing more.
#[derive(Debug, Clone)]
pub struct Inventory {
    /// Repositories known to the cache or the server, sorted.
    pub guns: Vec<Gun>,
    /// Those among them that may be read unasked, because that trusts no new root: theirs is remembered or pinned, or
    /// the whole world is our own. Others may be names that only the server's unsigned feed gives.
    pub anchored: HashSet<Gun>,
    /// Those among them that have images, and no trust data that anybody knows of.
    pub unsigned: HashSet<Gun>,
    /// What could not be asked or read, in printable sentences.
    pub notes: Vec<String>,
}

/// Reads what the faces show. Cheap to clone; its methods may be called from any task.
#[derive(Clone)]
pub struct Desk {
    facts: Facts,
    repositories: Repositories,
    /// Where private keys were when they were last listed.
    here: Arc<Mutex<Option<Arc<KeysHere>>>>,
}

impl Desk {
    /// A desk over one trust directory and its servers.
    pub fn new(facts: Facts, repositories: Repositories) -> Self {
        Self { facts, repositories, here: Arc::default() }
    }

    /// What stands at the top.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// The repositories that are read here.
    pub fn repositories(&self) -> &Repositories {
        &self.repositories
    }

    /// All keys, root keys first, then by repository, role and ID. Reads files: call it off the thread that draws.
    pub fn keys(&self) -> KeyRows {
        let rows = key_rows(self.repositories.trust_dir());
        *self.here.lock().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(keys_here(&rows.rows)));
        rows
    }

    /// Which private keys lie in the trust directory, as of the last listing. Reads files if there was none.
    pub fn keys_here(&self) -> Arc<KeysHere> {
        let known = self.here.lock().unwrap_or_else(PoisonError::into_inner).clone();
        known.unwrap_or_else(|| Arc::new(keys_here(&self.keys().rows)))
    }

    /// What is staged for a repository, or why that cannot be read. Reads files.
    pub fn staged(&self, gun: &Gun) -> Result<Vec<StagedRow>, String> {
        staged_rows(self.repositories.trust_dir(), gun)
    }

    /// Repositories in the cache and, if it answers, on the server.
    pub async fn inventory(&self) -> Inventory {
        let all = self.repositories.inventory().await;
        let ours = self.facts.world == World::Sandbox;
        let anchored = all.known.iter().filter(|k| ours || k.is_anchored()).map(|k| k.gun.clone()).collect();
        let unsigned = all.known.iter().filter(|k| k.is_unsigned()).map(|k| k.gun.clone()).collect();
        Inventory { unsigned, guns: all.known.into_iter().map(|k| k.gun).collect(), anchored, notes: all.notes }
    }

    /// Loads and verifies one repository. What nobody `asked` for by name makes no root an anchor that was none. `step` is
    /// told which role's file is being fetched. Dropping the future cancels.
    pub async fn repository(&self, gun: Gun, asked: bool, step: impl Fn(&str) + Send + Sync) -> RepositoryRow {
        let here = self.keys_here();
        let mode = if asked || self.facts.world == World::Sandbox { Mode::Usual } else { Mode::Browse };
        let result = self.repositories.load(&gun, Timestamp::now(), mode, &|p| step(p.role.as_str())).await;
        RepositoryRow::new(gun, result, &here, self.repositories.trust_dir())
    }
}
