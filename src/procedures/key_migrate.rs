//! Moving keys from old layouts to today's, after a copy. Nothing moves unless it was asked for; what cannot move without a loss
//! stays and is named. Running it again does the rest.
use super::{
    Workplace,
    failure::{UNCONFIRMED, not_done},
    told_to_end,
};
use crate::{
    failure::{Failure, ended, sentence},
    finding::{Finding, Severity},
    keys::{self, Migration, Move, Stay, problem::code},
    operator::{Deed, Field, Form, Fut, Review, Session, Step, Stop, as_text},
    text::Untrusted,
    trust_dir::{TrustDir, shown},
    tuf::name::{Gun, KeyId},
};
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Looking.
pub const LOOK: Step = Step { name: "look", says: "Every file in the directories of old layouts is looked at." };
/// Where the copy goes.
pub const WISH: Step = Step { name: "wish", says: "Say where a copy of everything in old layouts goes." };
/// The look before anything moves.
pub const REVIEW: Step = Step { name: "review", says: "Look at which key goes where, and what stays." };
/// The copy.
pub const COPY: Step = Step { name: "copy", says: "The copy is made and read back." };
/// Moving a key.
pub const MOVE: Step = Step { name: "move", says: "The key is stored at its new place and read back; then the old file goes." };
/// Removing what is empty.
pub const TIDY: Step = Step { name: "tidy", says: "Directories in which nothing is left are removed." };

/// What has not happened as long as nothing has.
pub const NOTHING: &str = "no key was moved";
/// What to know afterwards.
pub const NEXT: &str = "Test a key that was moved; then keep the copy with your backups, or remove it.";
/// What becomes of what stays.
pub const NOTARY_REMOVES: &str =
    "notary and docker trust remove these directories, with everything in them, whenever they open the keys";

/// The names of the fields, which are those of the command line.
pub mod field {
    /// Where the copy goes.
    pub const COPY: &str = "copy";
}

/// A key that lies in today's layout now.
#[derive(Debug, Clone)]
pub struct Moved {
    /// The key.
    pub id: KeyId,
    /// Its label.
    pub role: Untrusted,
    /// Its repository.
    pub gun: Option<Gun>,
    /// Where it was.
    pub from: PathBuf,
    /// Where it is.
    pub to: PathBuf,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Migrated {
    /// Where the copy is, if one was needed.
    pub copy: Option<PathBuf>,
    /// What moved.
    pub moved: Vec<Moved>,
    /// What stays, and why.
    pub stayed: Vec<Stay>,
    /// What the disk did not confirm of what moved, as sentences.
    pub unconfirmed: Vec<String>,
    /// Whether somebody ended it before all was done.
    pub ended_early: bool,
}

impl fmt::Display for Migrated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.moved.len(), self.stayed.len()) {
            (0, 0) => return write!(f, "nothing lies in an old layout"),
            (0, _) => write!(f, "no key was moved")?,
            (1, _) => write!(f, "one key lies in today's layout now")?,
            (n, _) => write!(f, "{n} keys lie in today's layout now")?,
        }
        match self.stayed.len() {
            0 => Ok(()),
            1 => write!(f, "; one file stays where it is"),
            n => write!(f, "; {n} files stay where they are"),
        }
    }
}

/// Moves every key that can move.
pub fn run<'s>(place: Workplace, session: &'s mut Session<'_>) -> Fut<'s, Result<Migrated, Stop>> {
    Box::pin(async move {
        place.may_write(NOTHING)?;
        let dir = place.trust_dir.clone();
        let look = move || Migration::plan(&dir).map_err(|e| not_done(&e, "", NOTHING));
        let plan = session.work(LOOK, "looking at old layouts", move |_| look()).await?;
        if plan.moves.is_empty() {
            if plan.has_empty_directories {
                tidy(session, &place).await;
            }
            return Ok(Migrated { stayed: plan.stays, ..Migrated::default() });
        }
        let copy = as_text::path(session.form(WISH, form(&place)).await?.get(field::COPY));
        session.review(REVIEW, review(&place, &plan, &copy)).await?;
        let plan = Arc::new(plan);
        let (all, dir, to) = (plan.clone(), place.trust_dir.clone(), copy.clone());
        session.act(COPY, format!("copying to {}", shown(&copy)), Deed::default(), move || make_copy(&all, &dir, &to)).await?;
        let mut done = Migrated { copy: Some(copy), stayed: plan.stays.clone(), ..Migrated::default() };
        let mut given_up = false;
        for number in 0..plan.moves.len() {
            let Some(key) = plan.moves.get(number) else { break };
            let what = format!("moving key {} of {}: {}", number + 1, plan.moves.len(), key.id);
            if !given_up && told_to_end(session, MOVE, &what).await? {
                (done.ended_early, given_up) = (true, true);
            }
            if given_up {
                done.stay(key, "it was not reached".to_owned());
                continue;
            }
            let (all, dir) = (plan.clone(), place.trust_dir.clone());
            let moved = session.act(MOVE, what, deed(key), move || match all.moves.get(number) {
                Some(key) => key.perform(&dir).map_err(|e| not_done(&e, "", "the key is still where it was")).map(|()| key.id),
                None => Err(Failure::new("internal", "there is no such key", NOTHING, "")),
            });
            match moved.await {
                Ok(_) => done.moved.push(Moved::of(key)),
                // The old file is away: only whether it stays away is not certain.
                Err(Stop::Failed(failure)) if failure.code == UNCONFIRMED && key.from.symlink_metadata().is_err() => {
                    done.moved.push(Moved::of(key));
                    done.unconfirmed.push(failure.happened());
                }
                Err(Stop::Failed(failure)) => {
                    // Who waits for a lock in vain would wait as long for each.
                    given_up = failure.code == "locked";
                    done.stay(key, failure.message);
                }
                Err(stop) => return Err(stop),
            }
        }
        tidy(session, &place).await;
        Ok(done)
    })
}

impl Moved {
    fn of(key: &Move) -> Self {
        let Move { id, role, gun, from, to, .. } = key;
        Self { id: *id, role: role.clone(), gun: gun.clone(), from: from.clone(), to: to.clone() }
    }
}

impl Migrated {
    /// What happened and where the copy is, as a sentence.
    pub fn happened(&self) -> String {
        let copy = self.copy.as_ref().map(|c| format!("; what was there before is in {}", shown(c)));
        sentence(&format!("{self}{}", copy.unwrap_or_default()))
    }

    /// Whether everything went well.
    pub fn is_whole(&self) -> bool {
        self.left().is_empty()
    }

    /// What stays, each with its reason, and what becomes of it, as sentences.
    pub fn left(&self) -> Vec<String> {
        let stays = self.stayed.iter().map(|s| ended(&format!("{} stays: {}", shown(&s.path), s.why)));
        let then = (!self.stayed.is_empty()).then(|| sentence(NOTARY_REMOVES));
        self.unconfirmed.iter().cloned().chain(stays).chain(then).collect()
    }

    fn stay(&mut self, key: &Move, why: String) {
        self.stayed.push(Stay { path: key.from.clone(), why, is_key: true, is_copied: true });
    }
}

/// The file at the new place, and that the old one goes.
fn deed(key: &Move) -> Deed {
    let (old, new) = key.bytes();
    match key.is_there() {
        true => Deed::default().removes(&key.from, old),
        false => Deed::default().creates(&key.to, new).removes_after(&key.from, old, new),
    }
}

/// Removes what an interrupted run, or this one, has left empty. Nothing depends on it.
async fn tidy(session: &mut Session<'_>, place: &Workplace) {
    let dir = place.trust_dir.clone();
    let tidied = session.act(TIDY, "removing empty directories", Deed::default(), move || {
        keys::remove_empty_old_directories(&dir).map_err(|e| not_done(&e, "", "empty directories are still there"))?;
        Ok("what was empty is gone")
    });
    let _ = tidied.await;
}

fn make_copy(plan: &Migration, dir: &TrustDir, to: &Path) -> Result<String, Failure> {
    plan.copy_to(dir, to).map_err(|e| {
        let partly = format!("{NOTHING}; a part of the copy may be in {}", shown(to));
        let failure = not_done(&e, "", &partly);
        let hint = "Mend that, and name another directory for the copy.".to_owned();
        if failure.hint.is_empty() { Failure { hint, ..failure } } else { failure }
    })?;
    Ok(format!("{} files were copied and read back", plan.copied()))
}

fn form(place: &Workplace) -> Form {
    let trust_dir = place.trust_dir.path().to_owned();
    let initial = as_text::of(&beside(&trust_dir));
    Form {
        title: "Keys in old layouts".to_owned(),
        fields: vec![
            Field::text(field::COPY, "Copy to", "a new directory, outside of the trust directory")
                .with(initial)
                .checked(move |to, _| is_new(&as_text::path(to), &trust_dir).map(|()| None)),
        ],
    }
}

/// A name beside the trust directory that nothing has yet.
fn beside(trust_dir: &Path) -> PathBuf {
    let name = trust_dir.file_name().unwrap_or("trust".as_ref());
    let named = |suffix: &str| {
        let mut name = name.to_owned();
        name.push("-before-migration");
        name.push(suffix);
        trust_dir.with_file_name(name)
    };
    let mut free = named("");
    for number in 2.. {
        if free.symlink_metadata().is_err() {
            break;
        }
        free = named(&format!("-{number}"));
    }
    free
}

fn is_new(to: &Path, trust_dir: &Path) -> Result<(), String> {
    if to.as_os_str().is_empty() {
        return Err("a directory is needed".to_owned());
    }
    if to.symlink_metadata().is_ok() {
        return Err(format!("{} is there already; the copy goes into a new directory", shown(to)));
    }
    let above = to.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let above = above.canonicalize().map_err(|e| format!("{}: {e}", shown(above)))?;
    if !above.is_dir() {
        return Err(format!("{} is no directory", shown(&above)));
    }
    match trust_dir.canonicalize() {
        Ok(inside) if above.starts_with(&inside) => Err("that is in the trust directory; name a place outside".to_owned()),
        _ => Ok(()),
    }
}

fn review(place: &Workplace, plan: &Migration, copy: &Path) -> Review {
    let short = |path: &Path| shown(path.strip_prefix(place.trust_dir.path()).unwrap_or(path));
    let mut facts = vec![("In", shown(place.trust_dir.path()))];
    for key in &plan.moves {
        facts.push(("Key", key.id.hex()));
        let of = key.gun.as_ref().map(|g| format!(" of {g}")).unwrap_or_default();
        facts.push(("Role", format!("{}{of}", key.role.shown())));
        facts.push(("From", short(&key.from)));
        let there = if key.is_there() { " (is there already and says the same: only the old file goes)" } else { "" };
        facts.push(("To", format!("{}{there}", short(&key.to))));
    }
    let copied = plan.copied();
    facts.push(("Copy", format!("{} ({copied} {})", shown(copy), if copied == 1 { "file" } else { "files" })));
    let mut findings: Vec<Finding> = plan.stays.iter().map(|s| stays(s, &short(&s.path))).collect();
    if !findings.is_empty() {
        let text = format!("{NOTARY_REMOVES}; take out what you need of what stays there");
        findings.push(Finding::new(code::LEGACY_LAYOUT, Severity::Warn, text));
    }
    Review { title: "Keys in old layouts".to_owned(), facts, findings, verb: "Make the copy, then move the keys", plan: None }
}

fn stays(stay: &Stay, path: &str) -> Finding {
    let severity = if stay.is_key { Severity::Error } else { Severity::Warn };
    let copied = if stay.is_copied { "" } else { "; the copy does not hold it" };
    Finding::new(code::LEGACY_LAYOUT, severity, format!("{path} stays: {}{copied}", stay.why))
}
