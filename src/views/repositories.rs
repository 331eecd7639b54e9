//! Repositories: a row each, and everything about one.
use super::{
    chain::{ChainNode, KeysHere, chain},
    notable,
    tags::{TagRow, tag_rows},
};
use crate::{
    finding::{Finding, Severity},
    notary::TransportError,
    repository::{LoadError, Loaded},
    text::Printable,
    tuf::{
        collection::{Anchor, Freshness},
        name::{BaseRole, Gun, RoleName},
    },
};
use jiff::Timestamp;

/// How a repository stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Not looked at yet.
    Unknown,
    /// Verified; the worst finding, if there is one.
    Verified(Option<Severity>),
    /// Refused; the reason in one line. Nothing of it is trusted.
    Refused(Printable),
    /// The server has no such repository.
    NotThere,
    /// The server does not allow reading it.
    NotAllowed(Printable),
    /// The server could not be reached and nothing valid was at hand.
    Unreachable(Printable),
}

/// A repository in the listing.
#[derive(Debug, Clone)]
pub struct RepositoryRow {
    /// Its name.
    pub gun: Gun,
    /// How it stands.
    pub health: Health,
    /// Everything known of it, once it was loaded and verified.
    pub detail: Option<Box<RepositoryDetail>>,
}

/// Everything about one verified repository.
#[derive(Debug, Clone)]
pub struct RepositoryDetail {
    /// Its name.
    pub gun: Gun,
    /// Why its root is trusted.
    pub anchor: Anchor,
    /// How new it is.
    pub freshness: Freshness,
    /// When it was verified.
    pub verified_at: Timestamp,
    /// The role that expires first, timestamp aside.
    pub next_expiry: Option<(RoleName, Timestamp)>,
    /// Root of the chain of trust.
    pub chain: ChainNode,
    /// What it signs.
    pub tags: Vec<TagRow>,
    /// What is notable, worst first.
    pub findings: Vec<Finding>,
}

impl RepositoryDetail {
    /// Lays a verified repository out.
    pub fn new(loaded: &Loaded, here: &KeysHere) -> Self {
        let (c, now) = (&loaded.collection, loaded.verified_at);
        let chain = chain(c, here, now);
        let mut findings = notable::collection(c, loaded.not_kept.as_ref());
        let nodes = chain.walk();
        findings.extend(nodes.iter().flat_map(|n| n.findings.iter().cloned()));
        findings.sort_by_key(|f| std::cmp::Reverse(f.severity));
        let lasting = nodes.iter().filter(|n| n.role.base() != Some(BaseRole::Timestamp));
        let next_expiry = lasting.filter_map(|n| n.expires.map(|e| (n.role.clone(), e))).min_by_key(|(_, e)| *e);
        Self {
            gun: c.gun().clone(),
            anchor: c.anchor(),
            freshness: c.freshness(),
            verified_at: now,
            next_expiry,
            tags: tag_rows(c),
            findings,
            chain,
        }
    }

    /// The worst that was found.
    pub fn severity(&self) -> Option<Severity> {
        self.findings.iter().map(|f| f.severity).max()
    }
}

impl RepositoryRow {
    /// What became of loading a repository.
    pub fn new(gun: Gun, result: Result<Loaded, LoadError>, here: &KeysHere) -> Self {
        match result {
            Ok(loaded) => {
                let detail = RepositoryDetail::new(&loaded, here);
                Self { gun, health: Health::Verified(detail.severity()), detail: Some(Box::new(detail)) }
            }
            Err(e) => Self { gun, health: Health::of(&e), detail: None },
        }
    }
}

impl Health {
    fn of(error: &LoadError) -> Self {
        let words = Printable::from_untrusted(&error.to_string());
        match error {
            LoadError::NotThere(_) => Self::NotThere,
            LoadError::Transport { error: TransportError::NotAllowed { .. }, .. } => Self::NotAllowed(words),
            LoadError::Transport { error, .. } if error.is_server_away() => Self::Unreachable(words),
            LoadError::NoServer(_) => Self::Unreachable(words),
            _ => Self::Refused(words),
        }
    }
}
