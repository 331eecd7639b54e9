//! Mending the permissions of what lies in `private/`: files for their owner only, directories too. What will change is shown before.
use super::{Workplace, failure::not_done};
use crate::{
    failure::ended,
    finding::{Finding, Severity},
    keys::{KeyError, problem::code},
    operator::{Deed, Fut, Review, Session, Step, Stop},
    trust_dir::{Left, Loose, Modes, shown},
};
use std::{fmt, path::Path};

/// Looking.
pub const LOOK: Step = Step { name: "look", says: "The permissions of everything in private/ are looked at." };
/// The look before anything changes.
pub const REVIEW: Step = Step { name: "review", says: "Look at which permissions will change." };
/// Mending.
pub const MEND: Step = Step { name: "mend", says: "Each file and directory is made its owner's only." };

/// What has not happened as long as nothing has.
pub const NOTHING: &str = "no permissions were changed";
/// What to know afterwards.
pub const NEXT: &str = "Whoever could read a key before may have a copy: if others use this machine, think of rotating it.";
/// Most files that a review names one by one.
const NAMED: usize = 200;

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Mended {
    /// What has other permissions now.
    pub mended: Vec<Loose>,
    /// What is as it was and should not be, and why.
    pub left: Vec<Left>,
}

impl fmt::Display for Mended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.mended.len(), self.left.len()) {
            (0, 0) => return write!(f, "nothing in private/ is open to others"),
            (0, _) => write!(f, "no permissions were changed")?,
            (1, _) => write!(f, "one file or directory is its owner's only now")?,
            (n, _) => write!(f, "{n} files and directories are their owner's only now")?,
        }
        match self.left.len() {
            0 => Ok(()),
            1 => write!(f, "; one is left as it was"),
            n => write!(f, "; {n} are left as they were"),
        }
    }
}

impl Mended {
    /// Whether everything went well.
    pub fn is_whole(&self) -> bool {
        self.left().is_empty()
    }

    /// What is left, each with its reason, as sentences.
    pub fn left(&self) -> Vec<String> {
        self.left.iter().map(|l| ended(&format!("{} is left: {}", shown(&l.path), l.why))).collect()
    }
}

/// Mends what can be mended.
pub fn run<'s>(place: Workplace, session: &'s mut Session<'_>) -> Fut<'s, Result<Mended, Stop>> {
    Box::pin(async move {
        place.may_write(NOTHING)?;
        let dir = place.trust_dir.clone();
        let Modes { loose, left } = session.work(LOOK, "looking at permissions", move |_| Ok(dir.modes())).await?;
        if loose.is_empty() {
            return Ok(Mended { mended: loose, left });
        }
        session.review(REVIEW, review(&place, &loose, &left)).await?;
        session
            .act(MEND, "mending permissions", Deed::default(), move || {
                let dir = place.trust_dir;
                let mut writer = dir.write().map_err(|e| not_done(&KeyError::from(e), "", NOTHING))?;
                let mut done = Mended { mended: Vec::with_capacity(loose.len()), left };
                for thing in loose {
                    match writer.mend(&thing) {
                        Ok(()) => done.mended.push(thing),
                        Err(e) => done.left.push(Left { path: thing.path, why: e.to_string() }),
                    }
                }
                // What was in a directory that nobody could look into is seen now.
                let unseen: Vec<Left> = dir.modes().loose.into_iter().filter_map(|l| unseen(l, &done)).collect();
                done.left.extend(unseen);
                Ok(done)
            })
            .await
    })
}

/// What should be mended and was not in the review.
fn unseen(loose: Loose, done: &Mended) -> Option<Left> {
    let named = done.left.iter().any(|l| l.path == loose.path);
    (!named).then(|| Left { path: loose.path, why: "it could not be seen before; repeat this to mend it".to_owned() })
}

fn review(place: &Workplace, loose: &[Loose], left: &[Left]) -> Review {
    let short = |path: &Path| shown(path.strip_prefix(place.trust_dir.path()).unwrap_or(path));
    let mut facts = vec![("In", shown(place.trust_dir.path()))];
    for l in loose.iter().take(NAMED) {
        let name = if l.is_directory { "Directory" } else { "File" };
        facts.push((name, format!("mode {:04o} becomes {:04o}: {}", l.mode, l.mended(), short(&l.path))));
    }
    if loose.len() > NAMED {
        facts.push(("And", format!("{} more, in the same way", loose.len() - NAMED)));
    }
    let says = |l: &Left| Finding::new(code::OPEN_TO_OTHERS, Severity::Warn, format!("{} is left: {}", short(&l.path), l.why));
    let findings = left.iter().take(NAMED).map(says).collect();
    Review { title: "Permissions".to_owned(), facts, findings, verb: "Change the permissions", plan: None }
}
