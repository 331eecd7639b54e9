//! Staged changes: they go out with whatever is published next, as with the old tools, unless somebody wants only the new.
use super::{NOTHING, wishes, wishes::Here};
use crate::{
    failure::Failure,
    finding::{Finding, Severity},
    repository::change::{Basis, Plan},
    trust_dir::{StagedFile, TrustDir},
    tuf::{
        change::Change,
        collection::TrustedCollection,
        name::{Gun, KeyId, RoleName},
        staged::Staged,
    },
};

/// How many are named before the rest is counted.
const NAMED: usize = 8;

fn has_key(c: &TrustedCollection, role: &RoleName, id: &KeyId) -> bool {
    c.role(role).is_some_and(|r| r.keys.keys.iter().any(|k| k.canonical_id() == *id || k.id() == *id))
}

/// What is staged for one repository.
#[derive(Debug, Clone, Default)]
pub struct Waiting(pub Vec<One>);

/// One staged change.
#[derive(Debug, Clone)]
pub struct One {
    /// The name of its file.
    pub name: String,
    /// The file; none if it could not be read.
    pub bytes: Option<Vec<u8>>,
    /// What it says; or why nobody knows.
    pub staged: Result<Staged, String>,
}

impl Waiting {
    /// Reads what is staged.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn read(trust_dir: &TrustDir, gun: &Gun) -> Result<Self, Failure> {
        let failed = |e: crate::trust_dir::TrustDirError| Failure::new("staged", e.to_string(), NOTHING, e.remedy());
        let files = trust_dir.staged(gun).map_err(failed)?;
        let one = |(name, read): StagedFile| {
            let staged = read.as_ref().map_err(Clone::clone).and_then(|b| Staged::read(b).map_err(|e| e.to_string()));
            One { name, bytes: read.ok(), staged }
        };
        Ok(Self(files.into_iter().map(one).collect()))
    }

    /// Whether nothing is staged.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The roles that it would make, and that may have been there before.
    pub fn new_roles(&self) -> Vec<RoleName> {
        let role = |one: &One| match &one.staged {
            Ok(Staged::Change(Change::Delegate(d))) => Some(d.role.clone()),
            _ => None,
        };
        self.0.iter().filter_map(role).collect()
    }

    /// What changes by it.
    ///
    /// # Errors
    /// If one of them is not understood: nothing is published then, as with the old tools.
    pub fn changes(&self, gun: &Gun, basis: &Basis, here: &Here) -> Result<Vec<Change>, Failure> {
        let c = basis.collection();
        let mut all = Vec::new();
        for (number, one) in self.0.iter().enumerate() {
            match &one.staged {
                Ok(Staged::Change(change)) => {
                    let mut change = change.clone();
                    if let Change::Delegate(d) = &mut change
                        && c.role(&d.role).is_some()
                    {
                        // The old tools keep the threshold of a role that is there, and pass over what it does not have.
                        d.threshold = None;
                        d.remove_keys.retain(|id| has_key(c, &d.role, id));
                        d.remove_paths.retain(|p| c.role(&d.role).is_some_and(|r| r.paths.prefixes().contains(p)));
                    }
                    all.push(change);
                }
                Ok(Staged::Purge(keys)) => all.extend(wishes::purge(c, keys, here)?),
                Err(why) => {
                    let message = format!("{gun}: the staged change {number} is not understood: {why}");
                    let hint = format!(
                        "`claviger reset {} -n {number}` throws it away; --only leaves all that is staged where it is.",
                        gun.word()
                    );
                    return Err(Failure::new("staged", message, NOTHING, hint));
                }
            }
        }
        Ok(all)
    }

    /// Which of them cannot be.
    pub fn to_blame(&self, gun: &Gun, basis: &Basis, here: &Here) -> Failure {
        let fails = |n: &usize| {
            let until = Self(self.0.iter().take(n + 1).cloned().collect());
            let changes = until.changes(gun, basis, here).unwrap_or_default();
            Plan::new(basis, &changes, &changes).err().map(|e| (*n, e))
        };
        let (number, why) = match (0..self.0.len()).find_map(|n| fails(&n)) {
            Some((n, e)) => (n.to_string(), e.to_string()),
            None => ("?".to_owned(), "together they cannot be".to_owned()),
        };
        let message = format!("{gun}: the staged change {number} cannot be published: {why}");
        let hint =
            format!("`claviger reset {} -n {number}` throws it away; --only leaves all that is staged where it is.", gun.word());
        Failure::new("staged", message, NOTHING, hint)
    }

    /// What is said of it on the page of a plan.
    pub fn finding(&self, goes_out: bool) -> Option<Finding> {
        let n = self.0.len();
        let mut what: Vec<String> =
            self.0.iter().take(NAMED).filter_map(|o| o.staged.as_ref().ok().map(ToString::to_string)).collect();
        if n > NAMED {
            what.push(format!("and {} more", n - NAMED));
        }
        let what = what.join("; ");
        let text = match (goes_out, n) {
            (true, 1) => format!("1 staged change goes out with it, unless --only is said: {what}"),
            (true, n) => format!("{n} staged changes go out with it, unless --only is said: {what}"),
            (false, n) => format!("Staged before, and left as it is: {n} changes: {what}"),
        };
        let severity = if goes_out { Severity::Warn } else { Severity::Info };
        (n > 0).then(|| Finding::new("staged", severity, text))
    }

    /// Takes away what has been published, and only that.
    ///
    /// # Errors
    /// If it cannot be taken away: it would be published again.
    pub fn take_away(&self, trust_dir: &TrustDir, gun: &Gun) -> Result<(), Failure> {
        if self.is_empty() {
            return Ok(());
        }
        let failed = |e: crate::trust_dir::TrustDirError| {
            let hint = format!("`claviger reset {} --all` takes it away. {}", gun.word(), e.remedy());
            Failure::new("staged-still", e.to_string(), "it was published, and what was staged is staged still", hint)
        };
        let mut writer = trust_dir.write().map_err(failed)?;
        let taken: Vec<_> = self.0.iter().map(|one| writer.remove_staged(gun, &one.name, one.bytes.as_deref())).collect();
        taken.into_iter().collect::<Result<Vec<()>, _>>().map(drop).map_err(failed)
    }
}
