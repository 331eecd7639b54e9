//! What changes, read from the files themselves and never from what somebody wished for.
use crate::{
    finding::{Finding, Severity},
    text::{Untrusted, count},
    tuf::{
        draft::Draft,
        file_meta::FileMeta,
        key::PublicKey,
        name::{BaseRole, KeyId, RoleName},
        role_keys::RoleKeys,
        root::Root,
        targets::{Delegation, Targets},
    },
};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// How many lines of a file's changes stand on a page.
pub const LINES: usize = 10_000;

impl FileDifference {
    /// More changes than stand on a page.
    pub(super) fn is_cut(&self) -> Option<Finding> {
        let more = self.lines.len().checked_sub(LINES).filter(|more| *more > 0)?;
        let text = format!("{} of {} do not stand on this page; `--dry-run --json` has all", count(more, "change"), self.role);
        Some(Finding::new("not-on-the-page", Severity::Error, text))
    }

    /// A file that holds for less time than the one before.
    pub(super) fn ends_sooner(&self) -> Option<Finding> {
        let (Some(old), new) = self.expires else { return None };
        let day = |t: Timestamp| t.strftime("%Y-%m-%d").to_string();
        let text = format!("{} ends on {}, sooner than now ({})", self.role, day(new), day(old));
        (day(new) < day(old)).then(|| Finding::new("ends-sooner", Severity::Warn, text))
    }
}

/// How one role's file changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDifference {
    /// The role.
    pub role: RoleName,
    /// Its version so far, if it has one, and its new one.
    pub version: (Option<u64>, u64),
    /// Its end so far, and its new one.
    pub expires: (Option<Timestamp>, Timestamp),
    /// What changes in it; empty if it is only signed again.
    pub lines: Vec<Line>,
}

/// One thing that changes. Printable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// How.
    pub mark: Mark,
    /// What.
    pub what: String,
}

/// How something changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It is new.
    Added,
    /// It goes.
    Removed,
    /// It becomes something else.
    Changed,
}

impl Mark {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }

    /// The sign before a line.
    pub fn sign(self) -> char {
        match self {
            Self::Added => '+',
            Self::Removed => '-',
            Self::Changed => '~',
        }
    }
}

fn line(mark: Mark, what: String) -> Line {
    Line { mark, what }
}

/// All of a first root.
pub fn of_first_root(root: &Root) -> Vec<Line> {
    let mut lines = Vec::new();
    for role in BaseRole::ALL {
        keys(&mut lines, role.as_str(), &[], &root.keys_of(role).map(|k| k.keys).unwrap_or_default());
    }
    lines
}

/// All of a first list of targets.
pub fn nothing_yet() -> Vec<Line> {
    vec![line(Mark::Added, "an empty list: no tag is signed yet".to_owned())]
}

/// What changes in a root.
pub fn of_root(draft: &Draft) -> Vec<Line> {
    let mut lines = Vec::new();
    for role in BaseRole::ALL {
        let none = || RoleKeys { keys: Vec::new(), threshold: 0 };
        let before = draft.root_before().keys_of(role).unwrap_or_else(|_| none());
        let after = draft.root().keys_of(role).unwrap_or_else(|_| none());
        keys(&mut lines, role.as_str(), &before.keys, &after.keys);
        threshold(&mut lines, role.as_str(), before.threshold, after.threshold);
    }
    lines
}

/// What changes in `targets` or a delegation.
pub fn of_targets(before: Option<&Targets>, after: &Targets) -> Vec<Line> {
    let mut names = Vec::new();
    let map = |t: &Targets| t.targets().map(|(n, m)| (n.to_owned(), m.clone())).collect::<BTreeMap<String, FileMeta>>();
    let (old, new) = (before.map(map).unwrap_or_default(), map(after));
    for (name, meta) in &new {
        let shown = || Untrusted::new(name.as_str()).shown().to_string();
        match old.get(name) {
            None => names.push(line(Mark::Added, format!("{} {}", shown(), described(meta)))),
            Some(was) if was != meta => {
                names.push(line(Mark::Changed, format!("{} {}, was {}", shown(), described(meta), described(was))));
            }
            Some(_) => {}
        }
    }
    for (name, meta) in old.iter().filter(|(n, _)| !new.contains_key(*n)) {
        names.push(line(Mark::Removed, format!("{} {}", Untrusted::new(name.as_str()).shown(), described(meta))));
    }
    let mut lines = Vec::new();
    let find = |t: Option<&Targets>, role: &RoleName| t.and_then(|t| t.delegations().iter().find(|d| d.name == *role).cloned());
    for d in after.delegations() {
        delegation(&mut lines, before.zip(find(before, &d.name)), (after, d));
    }
    for (file, d) in before.iter().flat_map(|file| file.delegations().iter().map(move |d| (file, d))) {
        if find(Some(after), &d.name).is_none() {
            lines.push(line(Mark::Removed, format!("the role {}, with its keys", d.name)));
            let gone = file.keys_of(d).map(|k| k.keys).unwrap_or_default();
            keys(&mut lines, d.name.as_str(), &gone, &[]);
        }
    }
    // Whoever may sign comes before what was signed, of which there may be more than anybody reads.
    lines.extend(names);
    lines
}

fn delegation(lines: &mut Vec<Line>, before: Option<(&Targets, Delegation)>, (file, d): (&Targets, &Delegation)) {
    let of = |t: &Targets, d: &Delegation| t.keys_of(d).map(|k| k.keys).unwrap_or_default();
    let name = d.name.as_str();
    if before.is_none() {
        let n = d.key_ids.threshold;
        lines.push(line(Mark::Added, format!("the role {name}; {n} of its keys must sign")));
    }
    let old_keys = before.as_ref().map(|(t, b)| of(t, b)).unwrap_or_default();
    keys(lines, name, &old_keys, &of(file, d));
    if let Some((_, b)) = &before {
        threshold(lines, name, b.key_ids.threshold, d.key_ids.threshold);
    }
    let none = [];
    let old_paths = before.as_ref().map_or(&none[..], |(_, b)| b.paths.prefixes());
    let new_paths = d.paths.prefixes();
    let path = |p: &String| match p.as_str() {
        "" => "any name".to_owned(),
        p => format!("names that begin with \"{}\"", Untrusted::new(p).shown()),
    };
    for p in new_paths.iter().filter(|p| !old_paths.contains(p)) {
        lines.push(line(Mark::Added, format!("{name} may sign {}", path(p))));
    }
    for p in old_paths.iter().filter(|p| !new_paths.contains(p)) {
        lines.push(line(Mark::Removed, format!("{name} may sign {}", path(p))));
    }
}

fn keys(lines: &mut Vec<Line>, role: &str, before: &[PublicKey], after: &[PublicKey]) {
    for key in after.iter().filter(|k| !before.contains(k)) {
        lines.push(line(Mark::Added, format!("{role} key {}", named(key))));
    }
    for key in before.iter().filter(|k| !after.contains(k)) {
        lines.push(line(Mark::Removed, format!("{role} key {}", named(key))));
    }
}

fn threshold(lines: &mut Vec<Line>, role: &str, before: u64, after: u64) {
    if before != after {
        lines.push(line(Mark::Changed, format!("{role} needs {}, was {before}", count(after, "signature"))));
    }
}

/// A key by the ID that its owner sees; a certificate by its own as well.
fn named(key: &PublicKey) -> String {
    if let Some(what) = key.is_to_come() {
        return what.to_owned();
    }
    let (id, canonical) = (key.id(), key.canonical_id());
    let of = |id: KeyId| id.hex();
    match id == canonical {
        true => format!("{} ({})", of(id), key.algorithm()),
        false => {
            let until = key.leaf().map(|l| format!(" until {}", l.not_after.strftime("%Y-%m-%d"))).unwrap_or_default();
            format!("{} ({}, in the certificate {}{until})", of(canonical), key.algorithm(), of(id))
        }
    }
}

/// What a name stands for.
pub fn described(meta: &FileMeta) -> String {
    let digest =
        meta.sha256().map_or_else(|| "no SHA-256".to_owned(), |d| format!("sha256:{}", base16ct::lower::encode_string(&d)));
    match meta.beside_sha256() {
        None => format!("{digest} ({} bytes)", meta.length),
        // Whoever accepts this accepts exactly these data.
        Some(fingerprint) => format!("{digest} ({} bytes, other data {fingerprint})", meta.length),
    }
}
