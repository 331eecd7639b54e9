//! The listing of every key, with everything that is wrong. Made to be fast: each file is opened and read once, no
//! passphrase is tried.
use super::{KeyEntry, problem};
use crate::{
    finding::Finding,
    trust_dir::{Found, TrustDir},
    tuf::name::KeyId,
};
use std::{cmp::Reverse, collections::HashMap};

/// Fewer files than this are read by one thread.
const WORTH_A_THREAD: usize = 128;
/// Most threads that read.
const THREADS: usize = 4;

/// Every key file of a trust directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// One entry for each file, in the order of their paths. Nothing is left out.
    pub entries: Vec<KeyEntry>,
    /// What is wrong with the directories; with such a problem there may be keys that are not listed.
    pub problems: Vec<Finding>,
}

/// Lists the keys below `private/`. Fails never: what cannot be read is an entry or a problem.
pub fn list(dir: &TrustDir) -> Listing {
    let walk = dir.walk_private();
    let problems = walk.problems.iter().map(problem::walk).collect();
    let mut entries = examine(walk.found);
    let mut count: HashMap<KeyId, usize> = HashMap::with_capacity(entries.len());
    for id in entries.iter().filter_map(|e| e.id) {
        *count.entry(id).or_default() += 1;
    }
    for entry in &mut entries {
        let files = entry.id.and_then(|id| count.get(&id)).copied().unwrap_or_default();
        if files > 1 {
            entry.problems.push(problem::duplicate(files - 1));
        }
        entry.problems.sort_by_key(|p| Reverse(p.severity));
    }
    Listing { entries, problems }
}

fn examine(mut found: Vec<Found>) -> Vec<KeyEntry> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    let threads = if found.len() < WORTH_A_THREAD { 1 } else { cores };
    let share = found.len().div_ceil(threads).max(1);
    let mut shares = Vec::with_capacity(threads);
    while found.len() > share {
        let rest = found.split_off(found.len() - share);
        shares.push(rest);
    }
    std::thread::scope(|scope| {
        let others: Vec<_> =
            shares.into_iter().rev().map(|s| scope.spawn(|| s.into_iter().map(KeyEntry::examine).collect())).collect();
        let mut entries: Vec<KeyEntry> = found.into_iter().map(KeyEntry::examine).collect();
        for other in others {
            match other.join() {
                Ok(part) => entries.extend::<Vec<KeyEntry>>(part),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        entries
    })
}
