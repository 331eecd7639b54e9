//! What became of each repository.
use super::{NEXT, NEXT_WITH_KEYS, Wanted, new_keys::MadeKey};
use crate::{failure::Failure, tuf::name::Gun};
use std::{fmt, path::PathBuf};

/// What became of one.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It was published and verified again: the roles that changed, with their versions.
    Published(Vec<(String, u64)>),
    /// It was as wanted already.
    AsWanted,
    /// It was deleted; where its copy is.
    Deleted {
        /// Whether the server has deleted it.
        at_server: bool,
        /// The copy.
        copy: PathBuf,
    },
    /// So many changes were staged.
    Staged(usize),
    /// So many staged changes were thrown away.
    Reset(usize),
    /// It was not changed.
    Failed(Failure),
}

impl Report {
    /// What became of these, and of those.
    pub fn and(mut self, other: Self) -> Self {
        self.all.extend(other.all);
        self.made.extend(other.made);
        self
    }
}

impl Outcome {
    /// The word in JSON.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Published(_) => "published",
            Self::AsWanted => "as-wanted",
            Self::Deleted { .. } => "deleted",
            Self::Staged(_) => "staged",
            Self::Reset(_) => "reset",
            Self::Failed(f) if matches!(f.code, "unknown" | "unproven") => f.code,
            Self::Failed(_) => "failed",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Published(roles) => {
                let all: Vec<String> = roles.iter().map(|(r, v)| format!("{r} version {v}")).collect();
                write!(f, "published and verified: {}", all.join(", "))
            }
            Self::AsWanted => f.write_str("as wanted already"),
            Self::Deleted { at_server, copy } => {
                let at = if *at_server { "deleted at its server and here" } else { "forgotten here" };
                write!(f, "{at}; a copy is in {}", crate::trust_dir::shown(copy))
            }
            Self::Staged(n) => write!(f, "{n} changes were staged, and nothing was published"),
            Self::Reset(n) => write!(f, "{n} staged changes were thrown away"),
            Self::Failed(failure) => write!(f, "{}; {}", failure.message, failure.did_not_happen),
        }
    }
}

/// What became of all.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// By repository, in the order in which they were named.
    pub all: Vec<(Gun, Outcome)>,
    /// Keys that were made for it.
    pub made: Vec<MadeKey>,
}

impl Report {
    /// Of one repository.
    pub fn of(gun: Gun, outcome: Outcome) -> Self {
        Self { all: vec![(gun, outcome)], made: Vec::new() }
    }

    /// Of a removal that goes on, what is not there was removed before that could be said: there had been a plan.
    pub fn settle(&mut self, wanted: &Wanted) {
        const GONE: [&str; 5] = ["no-such-signer", "no-such-tag", "no-such-role", "no-such-key", "no-such-path"];
        let removes_one = match wanted {
            Wanted::Revoke { .. } | Wanted::RemoveSigner { .. } | Wanted::Purge { .. } | Wanted::Leave { .. } => true,
            // Of several things, one may be there still.
            Wanted::RemoveDelegation { keys, paths, .. } => keys.len() + paths.len() <= 1,
            _ => false,
        };
        for (_, outcome) in &mut self.all {
            if removes_one && matches!(outcome, Outcome::Failed(f) if GONE.contains(&f.code)) {
                *outcome = Outcome::AsWanted;
            }
        }
    }

    /// How many failed.
    pub fn failed(&self) -> usize {
        self.all.iter().filter(|(_, o)| matches!(o, Outcome::Failed(_))).count()
    }

    /// Whether it is not certain of one of them what it is now.
    pub fn is_uncertain(&self) -> bool {
        self.all.iter().any(|(_, o)| matches!(o.as_str(), "unknown" | "unproven"))
    }

    /// The exit status.
    pub fn exit(&self) -> u8 {
        let failed = self.all.iter().filter_map(|(_, o)| match o {
            Outcome::Failed(f) => Some(f.exit),
            _ => None,
        });
        if failed.clone().any(|exit| exit == 3) { 3 } else { failed.map(|_| 1).max().unwrap_or(0) }
    }

    /// What did not go well, each as a sentence.
    pub fn left(&self) -> Vec<String> {
        let failed = self.all.iter().filter(|(_, o)| matches!(o, Outcome::Failed(_)));
        failed.map(|(_, o)| crate::failure::sentence(&o.to_string())).collect()
    }

    /// What to know afterwards.
    pub fn next(&self) -> &'static str {
        match self.all.iter().any(|(_, o)| matches!(o, Outcome::Published(_))) {
            true if self.made.is_empty() => NEXT,
            true => NEXT_WITH_KEYS,
            false => "",
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.all.as_slice() {
            [(gun, outcome)] => {
                write!(f, "{gun}: {outcome}")?;
                self.made.iter().try_for_each(|key| write!(f, "; the new {} key is {}", key.role.as_str(), key.id))
            }
            all => {
                let was = all.iter().filter(|(_, o)| matches!(o, Outcome::AsWanted)).count();
                let done = all.len() - was - self.failed();
                let what = match all.iter().any(|(_, o)| matches!(o, Outcome::Staged(_))) {
                    true => "have staged changes now",
                    false => "were published and verified",
                };
                write!(f, "{done} of {} repositories {what}", all.len())?;
                if was > 0 {
                    write!(f, ", {was} were as wanted already")?;
                }
                if self.failed() > 0 {
                    write!(f, ", {} were not", self.failed())?;
                }
                Ok(())
            }
        }
    }
}
