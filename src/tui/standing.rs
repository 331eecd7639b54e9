//! How a repository stands at this moment, in one word and one mark. What was verified an hour ago may have expired
//! since, and what came from the cache because the server did not answer is not fresh: neither is called verified.
use super::theme::{Glyphs, Tone};
use crate::{
    finding::Severity,
    text::count,
    tuf::{collection::Freshness, name::RoleName},
    views::repositories::Health,
};
use jiff::Timestamp;

/// How a repository stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Refused; nothing of it is trusted.
    Refused(String),
    /// It was verified, and has expired since.
    Expired(String),
    /// It may not be read.
    NotAllowed(String),
    /// The server did not answer and nothing valid was at hand.
    Unreachable(String),
    /// What is remembered of it cannot be read.
    Unreadable(String),
    /// The server has no such repository.
    NotThere,
    /// Verified, but something does not work as it is.
    Faulty,
    /// The server did not answer; what was at hand is still valid.
    NotFresh,
    /// Verified, but something should be done.
    Warned,
    /// Verified.
    Verified,
    /// The registry has images of it, and nobody is known to sign them.
    Unsigned,
    /// Not looked at yet.
    Unread,
}

impl Standing {
    /// Judges by what was found and the time it is now.
    ///
    /// `end` is the role that ends first, the timestamp included: it ends trust as any other does.
    pub fn of(health: &Health, freshness: Option<Freshness>, end: Option<&(RoleName, Timestamp)>, now: Timestamp) -> Self {
        match health {
            Health::Unknown => Self::Unread,
            Health::Unsigned => Self::Unsigned,
            Health::Refused(why) => Self::Refused(why.to_string()),
            Health::NotThere => Self::NotThere,
            Health::NotAllowed(why) => Self::NotAllowed(why.to_string()),
            Health::Unreachable(why) => Self::Unreachable(why.to_string()),
            Health::Unreadable(why) => Self::Unreadable(why.to_string()),
            Health::Verified(worst) => {
                if let Some((role, end)) = end
                    && *end <= now
                {
                    return Self::Expired(format!("{role} has expired since it was read; press r to read it again"));
                }
                match (freshness, worst) {
                    (_, Some(Severity::Error)) => Self::Faulty,
                    (Some(Freshness::Cached), _) => Self::NotFresh,
                    (_, Some(Severity::Warn)) => Self::Warned,
                    _ => Self::Verified,
                }
            }
        }
    }

    /// One or two words, at most 13 columns.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Refused(_) => "NOT TRUSTED",
            Self::Expired(_) => "EXPIRED",
            Self::NotAllowed(_) => "not allowed",
            Self::Unreachable(_) => "no answer",
            Self::Unreadable(_) => "unreadable",
            Self::NotThere => "not there",
            Self::Faulty => "problem",
            Self::NotFresh => "not fresh",
            Self::Warned => "warning",
            Self::Verified => "verified",
            Self::Unsigned => "unsigned",
            Self::Unread => "not read yet",
        }
    }

    /// So many of them: `1 problem`, `2 problems`.
    pub fn counted(&self, n: usize) -> String {
        match self {
            Self::Faulty | Self::Warned => count(n, self.word()),
            _ => format!("{n} {}", self.word()),
        }
    }

    /// One column.
    pub fn mark(&self, g: &Glyphs) -> &'static str {
        match self {
            Self::Refused(_) | Self::Expired(_) | Self::Faulty => g.cross,
            Self::NotAllowed(_) | Self::Unreachable(_) | Self::Unreadable(_) | Self::NotFresh | Self::Warned => "!",
            Self::NotThere | Self::Unsigned | Self::Unread => g.dot,
            Self::Verified => g.tick,
        }
    }

    /// Its tone.
    pub fn tone(&self) -> Tone {
        match self {
            Self::Refused(_) | Self::Expired(_) | Self::Faulty => Tone::Bad,
            Self::NotAllowed(_) | Self::Unreachable(_) | Self::Unreadable(_) | Self::NotFresh | Self::Warned => Tone::Warn,
            Self::NotThere | Self::Unsigned | Self::Unread => Tone::Dim,
            Self::Verified => Tone::Good,
        }
    }

    /// Why nothing of it may be trusted now, if that is so.
    pub fn distrust(&self) -> Option<&str> {
        match self {
            Self::Refused(why) | Self::Expired(why) => Some(why),
            _ => None,
        }
    }

    /// Whether it was verified, is still valid, and may be shown as trusted.
    pub fn is_trusted(&self) -> bool {
        matches!(self, Self::Verified | Self::Warned | Self::Faulty | Self::NotFresh)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_expired_since_it_was_read_is_not_called_verified() {
        let now: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        let end = Some((RoleName::new("timestamp").unwrap(), now));
        let s = Standing::of(&Health::Verified(None), Some(Freshness::Live), end.as_ref(), now);
        assert_eq!(s.word(), "EXPIRED");
        assert!(!s.is_trusted() && s.distrust().is_some());
    }

    #[test]
    fn what_came_from_the_cache_is_not_called_verified() {
        let s = Standing::of(&Health::Verified(None), Some(Freshness::Cached), None, Timestamp::UNIX_EPOCH);
        assert_eq!(s.word(), "not fresh");
    }

    #[test]
    fn only_what_was_refused_or_has_expired_is_distrusted() {
        let of = |h| Standing::of(&h, Some(Freshness::Live), None, Timestamp::UNIX_EPOCH);
        let why = || crate::text::Printable::from_untrusted("why");
        assert_eq!(of(Health::Refused(why())).distrust(), Some("why"));
        for h in [
            Health::Unknown,
            Health::Unsigned,
            Health::NotThere,
            Health::Unreachable(why()),
            Health::Unreadable(why()),
            Health::NotAllowed(why()),
        ] {
            let s = of(h);
            assert!(s.distrust().is_none() && !s.is_trusted(), "{s:?}");
        }
        assert!(of(Health::Verified(Some(Severity::Warn))).is_trusted());
    }
}
