//! Which repositories there are: those in the cache, and those in the server's change feed. The feed is unsigned; it only
//! says where to look.
use super::Repositories;
use crate::{
    notary::{Change, TransportError},
    tuf::name::Gun,
};
use std::collections::BTreeMap;

/// Records asked for at once.
const PAGE: i32 = 1000;
/// Most pages that are read.
const PAGES: usize = 1000;

/// A repository that somebody knows of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Its name.
    pub gun: Gun,
    /// Whether the cache remembers its root.
    pub cached: bool,
    /// Whether the server's change feed names it.
    pub on_server: bool,
}

/// Repositories, sorted by name, and what stood in the way of knowing more.
#[derive(Debug, Clone, Default)]
pub struct Inventory {
    /// The repositories.
    pub known: Vec<Known>,
    /// Printable sentences.
    pub notes: Vec<String>,
}

impl Repositories {
    /// Asks the cache and the server.
    pub async fn inventory(&self) -> Inventory {
        let mut out = Inventory::default();
        let mut known: BTreeMap<Gun, (bool, bool)> = BTreeMap::new();
        let cached = self.trust_dir().guns();
        known.extend(cached.guns.into_iter().filter(|c| c.has_root).map(|c| (c.gun, (true, false))));
        out.notes.extend(
            cached
                .refused
                .iter()
                .map(|r| format!("a directory in the cache is no repository: \"{}\": {}", r.name.shown(), r.why)),
        );
        match self.servers().common() {
            None => {}
            Some(Err(e)) => out.notes.push(format!("the server was not asked for its repositories: {e}")),
            Some(Ok(server)) => match read_feed(server.as_ref(), &mut out.notes).await {
                Ok(guns) => guns.into_iter().for_each(|g| known.entry(g).or_default().1 = true),
                Err(e) => out.notes.push(format!("the server did not list its repositories: {e}")),
            },
        }
        out.known = known.into_iter().map(|(gun, (cached, on_server))| Known { gun, cached, on_server }).collect();
        out
    }
}

async fn read_feed(server: &dyn crate::notary::Transport, notes: &mut Vec<String>) -> Result<Vec<Gun>, TransportError> {
    let mut there: BTreeMap<Gun, bool> = BTreeMap::new();
    let mut refused = 0usize;
    let mut from: Option<String> = None;
    for _ in 0..PAGES {
        let page = server.change_feed(None, from.as_deref(), PAGE).await?;
        for record in &page {
            match Gun::new(record.gun.raw()) {
                Ok(gun) => drop(there.insert(gun, record.change != Change::Deletion)),
                Err(_) => refused += 1,
            }
        }
        let last = page.last().map(|r| r.id.raw().to_owned());
        // A server that repeats itself would keep us for ever.
        if page.len() < PAGE as usize || last.is_none() || last == from {
            break;
        }
        from = last;
    }
    if refused > 0 {
        notes.push(format!("the server names {refused} repositories whose names cannot be used; they were left out"));
    }
    Ok(there.into_iter().filter(|(_, there)| *there).map(|(g, _)| g).collect())
}
