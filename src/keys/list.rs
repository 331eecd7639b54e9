//! The listing of every key, with everything that is wrong. Made to be fast: each file is opened and read once, no
//! passphrase is tried.
use super::{KeyEntry, problem};
use crate::{
    finding::Finding,
    trust_dir::{Found, TrustDir, WalkProblem},
    tuf::name::KeyId,
};
use std::{
    cmp::Reverse,
    collections::HashSet,
    sync::{Mutex, PoisonError, mpsc},
};

/// Files that one thread takes at a time. A store with fewer is read by one thread.
const BATCH: usize = 128;
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
    let (mut entries, problems) = examine(dir);
    let mut ids: Vec<KeyId> = entries.iter().filter_map(|e| e.id).collect();
    ids.sort_unstable();
    let twice: HashSet<KeyId> = ids.array_windows().filter(|[a, b]| a == b).map(|[a, _]| *a).collect();
    for entry in &mut entries {
        if let Some(id) = entry.id.filter(|id| !twice.is_empty() && twice.contains(id)) {
            let files = ids.partition_point(|i| *i <= id) - ids.partition_point(|i| *i < id);
            entry.problems.push(problem::duplicate(files - 1));
        }
        entry.problems.sort_by_key(|p| Reverse(p.severity));
    }
    Listing { entries, problems: problems.iter().map(problem::walk).collect() }
}

/// Looks at every file, while others are still being found.
fn examine(dir: &TrustDir) -> (Vec<KeyEntry>, Vec<WalkProblem>) {
    let (send, receive) = mpsc::channel::<Vec<Found>>();
    let receive = Mutex::new(receive);
    let work = || {
        let mut entries = Vec::new();
        let next = || receive.lock().unwrap_or_else(PoisonError::into_inner).recv();
        while let Ok(batch) = next() {
            entries.extend(batch.into_iter().map(KeyEntry::examine));
        }
        entries
    };
    std::thread::scope(|scope| {
        let others = std::thread::available_parallelism().map_or(1, usize::from).min(THREADS) - 1;
        let (mut threads, mut batch) = (Vec::new(), Vec::new());
        let problems = dir.walk_private_with(&mut |found| {
            batch.push(found);
            if batch.len() == BATCH {
                if threads.is_empty() {
                    threads.extend((0..others).map(|_| scope.spawn(work)));
                }
                // It is received below at the latest.
                let _ = send.send(std::mem::replace(&mut batch, Vec::with_capacity(BATCH)));
            }
        });
        let _ = send.send(batch);
        drop(send);
        let mut entries: Vec<KeyEntry> = work();
        for thread in threads {
            match thread.join() {
                Ok(more) => entries.extend(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        (in_order(entries), problems)
    })
}

/// By path. What is sorted is their numbers: entries are large.
fn in_order(entries: Vec<KeyEntry>) -> Vec<KeyEntry> {
    let mut slots: Vec<Option<KeyEntry>> = entries.into_iter().map(Some).collect();
    let mut order: Vec<usize> = (0..slots.len()).collect();
    let path = |n: &usize| slots.get(*n).and_then(Option::as_ref).map(|e| e.path.as_os_str());
    order.sort_unstable_by(|a, b| path(a).cmp(&path(b)));
    order.into_iter().filter_map(|n| slots.get_mut(n).and_then(Option::take)).collect()
}
