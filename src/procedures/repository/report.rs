//! What became of each repository.
use super::{
    NEXT, NEXT_OF_REQUEST, NEXT_WITH_KEYS, NEXT_WITH_REQUEST, NEXT_WITH_SEVERAL_KEYS, Wanted, WitnessRequest, new_keys::MadeKey,
};
use crate::{failure::Failure, trust_dir::shown, tuf::name::Gun};
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
    /// The same, where what was verified could not be remembered.
    pub fn unremembered(mut self, why: Option<String>) -> Self {
        let gun = self.all.first().map(|(gun, _)| gun.clone());
        self.not_remembered.extend(gun.zip(why));
        self
    }

    /// What became of these, and of those.
    pub fn and(mut self, other: Self) -> Self {
        self.all.extend(other.all);
        self.made.extend(other.made);
        self.requests.extend(other.requests);
        self.not_remembered.extend(other.not_remembered);
        self.beside = self.beside.or(other.beside);
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

fn changes(n: usize) -> String {
    if n == 1 { "1 change was".to_owned() } else { format!("{n} changes were") }
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
                write!(f, "{at}; a copy is in {}", shown(copy))
            }
            Self::Staged(n) => write!(f, "{} staged, and nothing was published", changes(*n)),
            Self::Reset(n) => write!(f, "{} thrown away", changes(*n).replacen("change", "staged change", 1)),
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
    /// Requests to witness what it has left.
    pub requests: Vec<WitnessRequest>,
    /// What was published and verified, and could not be remembered here: why.
    pub not_remembered: Vec<(Gun, String)>,
    /// What is to be known beside all that.
    pub beside: Option<String>,
}

impl Report {
    /// Of one repository.
    pub fn of(gun: Gun, outcome: Outcome) -> Self {
        Self { all: vec![(gun, outcome)], ..Self::default() }
    }

    /// Of a removal that goes on, what is not there was removed before that could be said: there had been a plan.
    pub fn settle(&mut self, wanted: &Wanted) {
        for (_, outcome) in &mut self.all {
            if matches!(outcome, Outcome::Failed(f) if wanted.has_gone(f)) {
                *outcome = Outcome::AsWanted;
            }
        }
    }

    /// How many failed.
    pub fn failed(&self) -> usize {
        self.all.iter().filter(|(_, o)| matches!(o, Outcome::Failed(_))).count()
    }

    /// Whether all of it went well.
    pub fn is_whole(&self) -> bool {
        self.exit() == 0
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
        let unwritten = self.unwritten().map(|_| 1);
        if failed.clone().any(|exit| exit == 3) { 3 } else { failed.map(|_| 1).chain(unwritten).max().unwrap_or(0) }
    }

    /// What did not go well, each as a sentence.
    pub fn left(&self) -> Vec<String> {
        let failed = self.all.iter().filter(|(_, o)| matches!(o, Outcome::Failed(_)));
        let failed = failed.map(|(_, o)| crate::failure::sentence(&o.to_string()));
        let unwritten = self.unwritten().map(|f| format!("{} {}", f.happened(), f.rest().join(" ")));
        failed.chain(unwritten).chain(self.forgotten()).chain(self.beside.as_deref().map(crate::failure::sentence)).collect()
    }

    /// What is not remembered here, each as a sentence.
    pub fn forgotten(&self) -> impl Iterator<Item = String> {
        self.not_remembered.iter().map(|(gun, why)| {
            let says = format!("{gun} was verified but could not be remembered: {why}");
            format!("{} The next look at it knows only what was known before.", crate::failure::sentence(&says))
        })
    }

    /// Requests that could not be written. What they are about was published all the same.
    pub fn unwritten(&self) -> impl Iterator<Item = Failure> {
        self.requests.iter().filter_map(|request| {
            let why = request.file.as_ref().err()?;
            let message = format!("the witness request for {} in {} is missing: {}", request.role, request.gun, why.message);
            let hint = format!("Ask whoever holds one of its keys to run `{}`. {}", request.command(), why.hint);
            Some(Failure::new("request", message, "what was published is published all the same", hint.trim_end()))
        })
    }

    /// What to know afterwards.
    pub fn next(&self) -> &'static str {
        let is_requested = self.requests.iter().any(|r| r.file.is_ok());
        match self.all.iter().any(|(_, o)| matches!(o, Outcome::Published(_))) {
            true if self.made.len() > 1 => NEXT_WITH_SEVERAL_KEYS,
            true if !self.made.is_empty() => NEXT_WITH_KEYS,
            true if is_requested => NEXT_WITH_REQUEST,
            true => NEXT,
            false if is_requested => NEXT_OF_REQUEST,
            false => "",
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.all.as_slice() {
            [(gun, outcome)] => {
                write!(f, "{gun}: {outcome}")?;
                self.made.iter().try_for_each(|key| write!(f, "; the new {} key is {}", key.role.as_str(), key.id))?;
                let mut written = self.requests.iter().filter_map(|r| Some((&r.role, r.file.as_ref().ok()?)));
                written.try_for_each(|(role, file)| write!(f, "; the witness request for {role} is {}", shown(file)))
            }
            all => {
                let was = all.iter().filter(|(_, o)| matches!(o, Outcome::AsWanted)).count();
                let done = all.len() - was - self.failed();
                let what = match all.iter().any(|(_, o)| matches!(o, Outcome::Staged(_))) {
                    true if done == 1 => "has staged changes now",
                    true => "have staged changes now",
                    false if done == 1 => "was published and verified",
                    false => "were published and verified",
                };
                write!(f, "{done} of {} repositories {what}", all.len())?;
                if was > 0 {
                    write!(f, ", {was} {} as wanted already", if was == 1 { "was" } else { "were" })?;
                }
                if self.failed() > 0 {
                    write!(f, ", {} {} not", self.failed(), if self.failed() == 1 { "was" } else { "were" })?;
                }
                self.made.iter().try_for_each(|key| write!(f, "; the new {} key is {}", key.role.as_str(), key.id))?;
                let mut written = self.requests.iter().filter_map(|r| Some((r, r.file.as_ref().ok()?)));
                written
                    .try_for_each(|(r, file)| write!(f, "; the witness request for {} in {} is {}", r.role, r.gun, shown(file)))
            }
        }
    }
}
