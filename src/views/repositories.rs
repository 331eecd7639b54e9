//! Repositories: a row each, and everything about one.
use super::{
    chain::{ChainNode, KeysHere, chain},
    notable,
    tags::{TagRow, tag_rows},
};
use crate::{
    finding::{Finding, Severity},
    repository::{LoadError, Loaded, Situation},
    text::Printable,
    trust_dir::TrustDir,
    tuf::{
        Refusal,
        collection::{Anchor, Freshness, TrustedCollection},
        name::{BaseRole, Gun, RoleName},
    },
};
use jiff::Timestamp;

/// How a repository stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Health {
    /// Not looked at yet.
    Unknown,
    /// Not looked at: the registry has images of it, and nobody is known to sign them.
    Unsigned,
    /// Verified; the worst finding, if there is one.
    Verified(Option<Severity>),
    /// Refused; the reason in one line. Nothing of it is trusted.
    Refused(Printable),
    /// The server has no such repository.
    NotThere,
    /// The server does not allow reading it.
    NotAllowed(Printable),
    /// The server could not be reached, or gave no answer that could be judged, and nothing valid was at hand.
    Unreachable(Printable),
    /// What is remembered of it cannot be read, so there is nothing to judge by.
    Unreadable(Printable),
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
    /// What to do next, if it was refused.
    pub advice: Option<&'static str>,
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
    /// If it came from the cache: when the remembered timestamp was kept.
    pub as_of: Option<Timestamp>,
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
    pub fn new(loaded: &Loaded, here: &KeysHere, trust_dir: &TrustDir) -> Self {
        let (c, now) = (&loaded.collection, loaded.verified_at);
        let as_of = as_of(c, trust_dir);
        let chain = chain(c, here, now);
        let mut findings = notable::collection(c, as_of, loaded.not_kept.as_ref());
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
            as_of,
            next_expiry,
            tags: tag_rows(c),
            findings,
            chain,
        }
    }

    /// Roles that were refused.
    pub fn refused(&self) -> Vec<&RoleName> {
        self.chain.refused()
    }

    /// The worst that was found.
    pub fn severity(&self) -> Option<Severity> {
        self.findings.iter().map(|f| f.severity).max()
    }
}

/// As of when a repository is shown that came from the cache: the time of the remembered timestamp's file.
pub fn as_of(collection: &TrustedCollection, trust_dir: &TrustDir) -> Option<Timestamp> {
    if collection.freshness() == Freshness::Live {
        return None;
    }
    let path = trust_dir.metadata_path(collection.gun(), &BaseRole::Timestamp.into());
    path.symlink_metadata().ok()?.modified().ok()?.try_into().ok()
}

/// Where what is shown comes from.
pub fn source_word(freshness: Freshness) -> &'static str {
    match freshness {
        Freshness::Live => "server",
        Freshness::Cached => "cache",
    }
}

/// What to do after a refusal.
pub fn after_refusal(why: &Refusal) -> &'static str {
    match why {
        Refusal::Expired { role, .. } => match role.base() {
            Some(BaseRole::Timestamp) => {
                "The server signs this file by itself, so something is wrong there: tell whoever runs it. Check this clock too."
            }
            Some(BaseRole::Snapshot) => "Whoever holds the snapshot key must sign it again: the server, or the owner.",
            _ => "Its owner must sign it again.",
        },
        Refusal::NotPinned => {
            "Do not rely on it. A pin in trust_pinning is the root's certificate ID, not the ID of the key: ask the owner for it, \
             and compare it with the pin."
        }
        Refusal::RootCertificate(_) => "Compare its root with the owner's before you do anything else.",
        Refusal::FirstUseOff => "Pin its root in the configuration: trust_pinning wants the root's certificate ID.",
        _ => "This can be an attack or a damaged server. Ask its owner by another way before you rely on it.",
    }
}

impl RepositoryRow {
    /// What became of loading a repository.
    pub fn new(gun: Gun, result: Result<Loaded, LoadError>, here: &KeysHere, trust_dir: &TrustDir) -> Self {
        match result {
            Ok(loaded) => {
                let detail = RepositoryDetail::new(&loaded, here, trust_dir);
                Self { gun, health: Health::Verified(detail.severity()), detail: Some(Box::new(detail)), advice: None }
            }
            Err(e) => {
                let advice = match &e {
                    LoadError::Refused(why) | LoadError::RememberedRoot { refusal: why, .. } => Some(after_refusal(why)),
                    _ => None,
                };
                Self { gun, health: Health::of(&e), detail: None, advice }
            }
        }
    }
}

impl Health {
    fn of(error: &LoadError) -> Self {
        let words = Printable::from_untrusted(&error.to_string());
        match error.situation() {
            Situation::NotThere => Self::NotThere,
            Situation::NotAllowed => Self::NotAllowed(words),
            Situation::NotReachable => Self::Unreachable(words),
            Situation::NotTrustworthy => Self::Refused(words),
            Situation::NotReadable => Self::Unreadable(words),
        }
    }
}
