//! Repositories: a row each, and everything about one.
use super::{chain::ChainNode, tags::TagRow};
use crate::{
    finding::{Finding, Severity},
    text::Printable,
    tuf::{
        collection::{Anchor, Freshness},
        name::{Gun, RoleName},
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
