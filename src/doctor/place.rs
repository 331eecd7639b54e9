//! The trust directory, its keys and its journal.
use super::{Area, Check};
use crate::{
    finding::{Finding, Severity},
    keys,
    procedures::Workplace,
    settings::Settings,
    text::count,
    trust_dir::{TrustDir, shown},
    views::journal::Journal,
};
use rustix::{
    fs::{Access, access, statvfs},
    io::Errno,
};
use std::{
    cmp::Reverse,
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// Less room than this, and a key may not fit.
const LITTLE: u64 = 1 << 20;

/// Which trust directory is used, whether it can be, and which others there are.
pub fn trust_dir(place: &Workplace, settings: &Settings, home: Option<&Path>) -> Vec<Check> {
    let path = place.trust_dir.path();
    let mut all = Vec::new();
    let used = format!("{} is used ({})", shown(path), settings.trust_dir.origin);
    match path.metadata() {
        Ok(m) if m.is_dir() => {
            all.push(Check::good(Area::TrustDir, used));
            all.extend(writable(Area::TrustDir, path, place.read_only.is_some()));
        }
        Ok(_) => all.push(Check::error(
            Area::TrustDir,
            format!("{used}, but it is no directory"),
            "Move that file away, or name another directory with --trust-dir.",
        )),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            all.push(Check::info(Area::TrustDir, format!("{used}; it is not there yet, and the first key makes it")));
        }
        Err(e) => all.push(Check::error(
            Area::TrustDir,
            format!("{used}, but it cannot be looked at: {e}"),
            "Mend the permissions of the directories above it.",
        )),
    }
    all.extend(others(path, settings, home));
    // Loose ones are among what is wrong with keys.
    let modes = place.trust_dir.modes();
    let left = modes.left.iter().map(|l| {
        let text = format!("{}: {}", shown(&l.path), l.why);
        Check::warn(Area::TrustDir, text, "Its owner, or the administrator of this machine, can mend it.")
    });
    all.extend(left);
    all
}

/// Whether files can be written in a directory, and how much fits.
fn writable(area: Area, dir: &Path, read_only: bool) -> Option<Check> {
    let free = statvfs(dir).map(|s| s.f_bavail.saturating_mul(s.f_frsize)).ok();
    Some(match access(dir, Access::WRITE_OK | Access::EXEC_OK) {
        _ if read_only => return None,
        Err(Errno::ROFS) => Check::warn(
            area,
            format!("{} is on a medium that cannot be written", shown(dir)),
            "Reading works. To change something, copy it to another medium, or mount this one for writing.",
        ),
        Err(e) => Check::warn(
            area,
            format!("{} cannot be written: {}", shown(dir), std::io::Error::from(e)),
            "Reading works. To change something, mend its permissions.",
        ),
        Ok(()) => match free {
            Some(free) if free < LITTLE => Check::error(
                area,
                format!("there is no room on the medium of {}", shown(dir)),
                "Make room there first. What does not fit is refused, and nothing is lost.",
            ),
            _ => return None,
        },
    })
}

/// Other trust directories that there are, where the tools look for them.
fn others(used: &Path, settings: &Settings, home: Option<&Path>) -> Vec<Check> {
    let mut candidates: Vec<PathBuf> = settings.docker_dir.iter().map(|d| d.value.join("trust")).collect();
    candidates.extend(home.iter().flat_map(|h| [h.join(".docker/trust"), h.join(".notary")]));
    candidates.sort();
    candidates.dedup();
    let same = |a: &Path, b: &Path| a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b);
    candidates.retain(|c| !same(c, used));
    let keys_in = |dir: PathBuf| (keys::list(&TrustDir::new(&dir)).entries.len(), dir);
    let found = candidates.into_iter().map(keys_in).filter(|(keys, _)| *keys > 0);
    found
        .map(|(keys, dir)| {
            let text = format!("another has {} and is not used: {}", count(keys, "key file"), shown(&dir));
            Check { next: Some(format!("`claviger --trust-dir {}` opens it.", shown(&dir))), ..Check::info(Area::TrustDir, text) }
        })
        .collect()
}

/// What is wrong with keys, by kind.
pub fn keys(dir: &TrustDir) -> Vec<Check> {
    let listing = keys::list(dir);
    // The worst first; the first of each kind stands for all.
    let mut kinds: BTreeMap<_, (usize, &Finding)> = BTreeMap::new();
    let of_keys = listing.entries.iter().flat_map(|e| &e.problems);
    for f in of_keys.chain(&listing.problems).filter(|f| f.severity > Severity::Info) {
        kinds.entry((Reverse(f.severity), f.code)).or_insert((0, f)).0 += 1;
    }
    let mut all: Vec<Check> = kinds
        .into_values()
        .map(|(n, f)| {
            let (code, text) = (f.code, &f.text);
            let text = if n == 1 { format!("{code}: {text}") } else { format!("{code}, {n} times; for one: {text}") };
            let next = f.offered().map_or_else(
                || "`claviger key list` names the files.".to_owned(),
                |remedy| format!("`claviger {remedy}` mends it."),
            );
            Check { severity: Some(f.severity), next: Some(next), ..Check::good(Area::Keys, text) }
        })
        .collect();
    let text = match (listing.entries.len(), all.is_empty()) {
        (0, true) => "no key files".to_owned(),
        (n, true) => format!("{}, nothing wrong with any", count(n, "key file")),
        (n, false) => count(n, "key file"),
    };
    all.insert(0, Check::good(Area::Keys, text));
    all
}

/// Whether what is done can be written down, whether the journal holds, and what was interrupted.
pub fn journal(place: &Workplace) -> Vec<Check> {
    let Some(state) = &place.state else {
        let text = "HOME is not set, so there is no place for the journal, and nothing can be changed";
        return vec![Check::error(Area::Journal, text, "Set HOME, or name a directory with --state-dir.")];
    };
    if let Some(why) = state.distrusted() {
        let next = "Give it to its owner alone (chmod go-w), after a look at who has changed what.";
        return vec![Check::error(Area::Journal, why, next)];
    }
    let path = shown(&state.journal());
    let mut all = vec![match Journal::read(state) {
        Ok(journal) => match journal.broken {
            Some(broken) => Check::error(
                Area::Journal,
                format!("{path}: {broken}"),
                "Somebody, or a fault, has changed it after it was written. Compare it with a copy in a backup.",
            ),
            None if journal.rows.is_empty() => Check::good(Area::Journal, format!("{path}: nothing was done so far")),
            None => {
                Check::good(Area::Journal, format!("{path}: {} of work, and the chain holds", count(journal.rows.len(), "piece")))
            }
        },
        Err(e) => Check::error(Area::Journal, e.to_string(), e.remedy()),
    }];
    if let Some(there) = state.path().ancestors().find(|p| p.is_dir()) {
        all.extend(writable(Area::Journal, there, place.read_only.is_some()));
    }
    all.extend(place.interrupted().iter().map(|i| {
        let next = if i.is_over() { "The next command on keys closes it.".to_owned() } else { i.next() };
        Check::warn(Area::Journal, i.sentence(), next)
    }));
    all
}
