//! What the screen holds of keys and repositories: rows made ready off the drawing thread.
use super::{
    roster::{Listed, Roster},
    standing::Standing,
    tree::Tree,
};
use crate::{
    finding::{Finding, Severity},
    repository::Look,
    text,
    tuf::{
        collection::{Anchor, Freshness},
        name::{Gun, KeyId, RoleName},
    },
    views::{
        desk::Inventory, keys::KeyRow, keys::KeyRows, keys::hides_keys, repositories::Health, repositories::RepositoryRow,
        staged::StagedRow, tags::TagRow,
    },
};
use jiff::Timestamp;
use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
};

/// How far reading has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Progress {
    /// Going on.
    #[default]
    Reading,
    /// Everything was read.
    Done,
    /// The user stopped it.
    Stopped,
}

impl Listed for KeyRow {
    const ORDERS: &'static [&'static str] = &["Role", "Repository", "ID", "Algorithm", "Problems"];

    fn haystack(&self) -> String {
        let id = self.id.map(|i| i.hex()).unwrap_or_default();
        // A filter looks in what is seen, not in what lies behind it.
        let gun = self.gun.as_ref().map(|g| g.shown()).unwrap_or_default();
        let algorithm = self.algorithm.map(|a| a.to_string()).unwrap_or_default();
        // A file that is named after its key is found by the ID; the less text, the faster the filter.
        let named_after_key = self.path.file_stem().is_some_and(|n| n == id.as_str());
        let path = if named_after_key && !self.legacy { Default::default() } else { text::path(&self.path) };
        format!("{} {gun} {id} {algorithm} {path}", self.role.shown())
    }

    fn compare(&self, other: &Self, order: usize) -> Ordering {
        match order {
            1 => self.gun.cmp(&other.gun),
            2 => self.id.cmp(&other.id),
            3 => self.algorithm.cmp(&other.algorithm),
            4 => other.severity().cmp(&self.severity()),
            _ => Ordering::Equal,
        }
    }
}

/// Keys, with their number by role.
#[derive(Debug, Default)]
pub struct KeyShelf {
    /// All keys.
    pub roster: Roster<KeyRow>,
    /// How many of each role, most first.
    pub roles: Vec<(String, usize)>,
    /// How many have an error, and how many only a warning.
    pub problems: (usize, usize),
    /// What is wrong with the directory as a whole.
    pub directory: Vec<Finding>,
    /// Those that could sign, by the IDs of their files.
    pub usable: HashSet<KeyId>,
}

impl KeyShelf {
    /// Makes rows ready.
    pub fn new(keys: KeyRows) -> Self {
        let rows = keys.rows;
        let mut roles: HashMap<String, usize> = HashMap::new();
        let mut problems = (0, 0);
        let usable = rows.iter().filter(|r| !r.legacy && r.fault().is_none()).filter_map(|r| r.id).collect();
        for row in &rows {
            *roles.entry(row.role.shown().into()).or_default() += 1;
            match row.severity() {
                Some(Severity::Error) => problems.0 += 1,
                Some(Severity::Warn) => problems.1 += 1,
                _ => {}
            }
        }
        let mut roles: Vec<(String, usize)> = roles.into_iter().collect();
        roles.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Self { roles, problems, directory: keys.problems, usable, roster: Roster::new(rows) }
    }

    /// Why not one key could be listed although there may be some.
    pub fn unread(&self) -> Option<&Finding> {
        self.directory.iter().find(|f| self.roster.rows().is_empty() && hides_keys(f))
    }
}

impl Listed for TagRow {
    const ORDERS: &'static [&'static str] = &["Name", "Digest", "Signers"];

    fn haystack(&self) -> String {
        let signers: Vec<&str> = self.signers().collect();
        format!("{} {} {}", self.name.shown(), self.digest_hex(), signers.join(" "))
    }

    fn compare(&self, other: &Self, order: usize) -> Ordering {
        match order {
            1 => self.digest.cmp(&other.digest),
            2 => self.signers().cmp(other.signers()),
            _ => Ordering::Equal,
        }
    }
}

/// What is known of a repository after it was read.
#[derive(Debug)]
pub struct Known {
    /// Why its root is trusted.
    pub anchor: Anchor,
    /// How new it is.
    pub freshness: Freshness,
    /// When it was verified.
    pub verified_at: Timestamp,
    /// If it came from the cache: when that was kept.
    pub as_of: Option<Timestamp>,
    /// The role that expires first, timestamp aside.
    pub next_expiry: Option<(RoleName, Timestamp)>,
    /// The base role that expires first, the timestamp included.
    pub end: Option<(RoleName, Timestamp)>,
    /// The chain of trust.
    pub tree: Tree,
    /// What it signs.
    pub tags: Roster<TagRow>,
    /// What is notable, worst first.
    pub findings: Vec<Finding>,
}

/// A repository.
#[derive(Debug)]
pub struct Repo {
    /// Its name.
    pub gun: Gun,
    /// What was found.
    pub health: Health,
    /// How it stands now.
    pub standing: Standing,
    /// Everything known of it.
    pub known: Option<Known>,
    /// What is being fetched for it right now.
    pub step: Option<String>,
    /// What its files claim, after the user wanted to see that. Nothing of it was verified.
    pub look: Option<Result<Look, String>>,
    /// What to do next, if it was refused.
    pub advice: Option<&'static str>,
    /// What is staged for it, or why that cannot be read; nothing before it was.
    pub staged: Option<Result<Vec<StagedRow>, String>>,
    /// Whether it may be read unasked: that trusts no root which is new here.
    pub anchored: bool,
}

impl Repo {
    /// A repository that was not looked at yet.
    pub fn unread(gun: Gun) -> Self {
        Self {
            gun,
            health: Health::Unknown,
            standing: Standing::Unread,
            known: None,
            step: None,
            look: None,
            advice: None,
            staged: None,
            anchored: false,
        }
    }

    /// The same, if nobody signs it as far as is known.
    fn unsigned(mut self, is: bool) -> Self {
        if is {
            (self.health, self.standing) = (Health::Unsigned, Standing::Unsigned);
        }
        self
    }

    /// Makes what was read ready to be shown.
    pub fn new(row: RepositoryRow, now: Timestamp) -> Self {
        let known = row.detail.map(|d| {
            let end = |n: &crate::views::chain::ChainNode| n.expires.map(|t| (n.role.clone(), t));
            let below = d.chain.children.iter().filter(|c| c.role.base().is_some()).filter_map(end);
            Known {
                anchor: d.anchor,
                freshness: d.freshness,
                verified_at: d.verified_at,
                as_of: d.as_of,
                next_expiry: d.next_expiry,
                end: end(&d.chain).into_iter().chain(below).min_by_key(|(_, t)| *t),
                tree: Tree::new(d.chain),
                tags: Roster::new(d.tags),
                findings: d.findings,
            }
        });
        let mut repo = Self { health: row.health, known, advice: row.advice, ..Self::unread(row.gun) };
        repo.judge(now);
        repo
    }

    /// How many changes are staged for it, as far as is known.
    pub fn waiting(&self) -> Option<usize> {
        self.staged.as_ref()?.as_ref().ok().map(Vec::len)
    }

    /// Judges anew how it stands; whether that changed.
    pub fn judge(&mut self, now: Timestamp) -> bool {
        let known = self.known.as_ref();
        let standing = Standing::of(&self.health, known.map(|k| k.freshness), known.and_then(|k| k.end.as_ref()), now);
        let changed = standing != self.standing;
        self.standing = standing;
        changed
    }

    /// The role that expires first and when, as long as it is trusted.
    pub fn next_expiry(&self) -> Option<&(RoleName, Timestamp)> {
        self.known.as_ref().and_then(|k| k.next_expiry.as_ref())
    }
}

impl Listed for Repo {
    const ORDERS: &'static [&'static str] = &["Repository", "Health", "Expires"];

    fn haystack(&self) -> String {
        format!("{} {}", self.gun, self.standing.word())
    }

    fn compare(&self, other: &Self, order: usize) -> Ordering {
        let by_name = || self.gun.cmp(&other.gun);
        let end = |r: &Self| r.next_expiry().map_or(Timestamp::MAX, |(_, t)| *t);
        match order {
            1 => self.standing.cmp(&other.standing).then_with(by_name),
            2 => end(self).cmp(&end(other)).then_with(by_name),
            _ => by_name(),
        }
    }
}

/// Repositories, and what could not be asked about them.
#[derive(Debug, Default)]
pub struct RepoShelf {
    /// All repositories.
    pub roster: Roster<Repo>,
    /// Their numbers by name.
    pub index: HashMap<Gun, usize>,
    /// What could not be asked or read.
    pub notes: Vec<String>,
}

impl RepoShelf {
    /// Takes a new inventory; what is known of repositories that are still there is kept.
    pub fn take(&mut self, inventory: Inventory) {
        let Inventory { guns, anchored, unsigned, notes } = inventory;
        let mut old: HashMap<Gun, Repo> =
            std::mem::take(&mut self.roster).into_rows().into_iter().map(|r| (r.gun.clone(), r)).collect();
        let was_read = |repo: &Repo| !matches!(repo.standing, Standing::Unread | Standing::Unsigned);
        let row = |g: Gun| {
            let (anchored, unsigned) = (anchored.contains(&g), unsigned.contains(&g));
            Repo { anchored, ..old.remove(&g).filter(was_read).unwrap_or_else(|| Repo::unread(g).unsigned(unsigned)) }
        };
        let rows: Vec<Repo> = guns.into_iter().map(row).collect();
        self.index = rows.iter().enumerate().map(|(i, r)| (r.gun.clone(), i)).collect();
        self.roster = Roster::new(rows);
        self.notes = notes;
    }

    /// A repository by name.
    pub fn by_name(&self, gun: &Gun) -> Option<&Repo> {
        self.roster.get(*self.index.get(gun)?)
    }

    /// The same, to change it.
    pub fn by_name_mut(&mut self, gun: &Gun) -> Option<&mut Repo> {
        let i = *self.index.get(gun)?;
        self.roster.rows_mut().get_mut(i)
    }
}
