//! Changes are staged for later, in the form that the old tools read; or staged changes are thrown away.
use super::{
    NOTHING, Report,
    desk::Desk,
    outcome::draft_failure,
    report::Outcome,
    road::{Look, READ, reading},
    waiting::Waiting,
    wanted::usage,
    wishes,
};
use crate::{
    failure::Failure,
    operator::{Deed, Review, Session, Step, Stop},
    repository::change::{Basis, Plan},
    text::count,
    trust_dir::TrustDirError,
    tuf::{
        change::Change,
        name::{Gun, RoleName},
        staged::Staged,
    },
};
use jiff::Timestamp;
use std::{collections::BTreeSet, fmt};

/// A look at it.
pub const REVIEW: Step = Step { name: "review", says: "Read what will be staged." };
/// A look at what goes.
pub const GOES: Step = Step { name: "review", says: "Read what will be thrown away. What is published stays as it is." };
/// Writing.
pub const STAGE: Step = Step { name: "stage", says: "The changes are staged; nothing is signed or published." };
/// Removing.
pub const RESET: Step = Step { name: "reset", says: "The staged changes are thrown away." };

/// Files of changes that are ready to be staged.
struct Ready {
    gun: Gun,
    says: Vec<String>,
    files: Vec<Vec<u8>>,
}

/// How many there were.
struct Count(usize);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&count(self.0, "change"))
    }
}

/// Stages what is wanted.
pub async fn run(desk: Desk, session: &mut Session<'_>) -> Result<Report, Stop> {
    let guns = desk.wanted.guns();
    let mut report = Report::default();
    for gun in guns {
        let basis = session.wait(READ, reading(std::slice::from_ref(&gun)), desk.basis(&gun)).await?;
        let Some(ready) = ready(&desk, &basis)? else {
            report.all.push((gun, Outcome::AsWanted));
            continue;
        };
        session.review(REVIEW, review(&ready)).await?;
        let trust_dir = desk.trust_dir.clone();
        let Ready { gun: of, files, .. } = ready;
        let staged = session.act(STAGE, format!("staging for {gun}"), Deed::default(), move || {
            let failed = |e: TrustDirError| Failure::new("staged", e.to_string(), "not all of it was staged", e.remedy());
            let mut writer = trust_dir.write().map_err(failed)?;
            let count = files.len();
            let mut nanoseconds = Timestamp::now().as_nanosecond();
            for bytes in files {
                // The order of their names is the order in which they are applied.
                nanoseconds += 1;
                let name = format!("{nanoseconds:020}_{}.change", uuid().map_err(|e| unmade(&e))?);
                writer.stage(&of, &name, &bytes).map_err(failed)?;
            }
            Ok(Count(count))
        });
        let count = staged.await?.0;
        report.all.push((gun, Outcome::Staged(count)));
    }
    Ok(report)
}

/// Shows what would be staged.
pub async fn look(desk: Desk) -> Result<Look, Failure> {
    let mut look = Look::nothing(Report::default());
    for gun in desk.wanted.guns() {
        match ready(&desk, &*desk.basis(&gun).await?)? {
            Some(ready) => look.review.facts.extend(review(&ready).facts),
            None => look.others.all.push((gun, Outcome::AsWanted)),
        }
    }
    Ok(look)
}

fn unmade(error: &getrandom::Error) -> Failure {
    Failure::new("random", error.to_string(), "not all of it was staged", "")
}

/// A random name, as the old tools give.
fn uuid() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    let n = u128::from_be_bytes(bytes) & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
    let hex = format!("{n:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    Ok([part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-"))
}

fn ready(desk: &Desk, basis: &Basis) -> Result<Option<Ready>, Failure> {
    let gun = basis.ground().gun.clone();
    let changes = wishes::changes(&desk.wanted, &desk.keys, basis, &desk.here)?;
    // What could not be published is not staged, nor what would change nothing beside what is staged already.
    let waiting = desk.waiting(&gun)?;
    let before = waiting.changes(&gun, basis, &desk.here)?;
    let with_it: Vec<Change> = before.iter().chain(&changes).cloned().collect();
    let planned = |all: &[Change]| Plan::new(basis, all, all).map(|p| p.map(|p| p.digest())).map_err(|e| draft_failure(&gun, &e));
    if planned(&with_it)? == planned(&before)? {
        return Ok(None);
    }
    let waiting = waiting.new_roles();
    let mut made: BTreeSet<RoleName> = waiting.into_iter().collect();
    let (mut says, mut files) = (Vec::new(), Vec::new());
    for change in changes {
        let is_new = |role: &RoleName| basis.collection().role(role).is_none() && !made.contains(role);
        let staged = Staged::Change(change.clone());
        let why = |e: crate::tuf::staged::StagedError| format!("{e}; leave out --stage");
        files.extend(usage(staged.write(is_new).map_err(why))?);
        says.push(staged.to_string());
        if let Change::Delegate(d) = change {
            made.insert(d.role);
        }
    }
    Ok(Some(Ready { gun, says, files }))
}

fn review(ready: &Ready) -> Review {
    let mut facts = vec![("Repository", ready.gun.to_string())];
    facts.extend(ready.says.iter().map(|s| ("Staged", s.clone())));
    facts.push(("Published", format!("nothing now; `claviger publish {}` does it", ready.gun.word())));
    Review { title: "For later".to_owned(), facts, findings: Vec::new(), verb: "Stage it", plan: None }
}

/// Throws staged changes away: the files of these names.
pub async fn reset(desk: Desk, gun: Gun, names: Vec<String>, session: &mut Session<'_>) -> Result<Report, Stop> {
    let waiting = chosen(&desk, &gun, &names)?;
    if waiting.is_empty() {
        return Ok(Report::of(gun, Outcome::AsWanted));
    }
    session.review(GOES, what_goes(&gun, &waiting)).await?;
    let (trust_dir, of) = (desk.trust_dir.clone(), gun.clone());
    let count = session
        .act(RESET, format!("throwing away what is staged for {gun}"), Deed::default(), move || {
            let count = Count(waiting.0.len());
            waiting.take_away(&trust_dir, &of).map_err(|f| f.instead("not all of it was thrown away"))?;
            Ok(count)
        })
        .await?;
    Ok(Report::of(gun, Outcome::Reset(count.0)))
}

/// Shows what would be thrown away.
pub fn look_at_reset(desk: &Desk, gun: &Gun, names: &[String]) -> Result<Look, Failure> {
    let waiting = chosen(desk, gun, names)?;
    if waiting.is_empty() {
        return Ok(Look::nothing(Report::of(gun.clone(), Outcome::AsWanted)));
    }
    Ok(Look { review: what_goes(gun, &waiting), ..Look::nothing(Report::default()) })
}

fn chosen(desk: &Desk, gun: &Gun, names: &[String]) -> Result<Waiting, Failure> {
    let mut waiting = desk.waiting(gun)?;
    waiting.0.retain(|one| names.contains(&one.name));
    Ok(waiting)
}

fn what_goes(gun: &Gun, waiting: &Waiting) -> Review {
    let mut facts = vec![("Repository", gun.to_string())];
    facts.extend(waiting.0.iter().map(|one| match &one.staged {
        Ok(staged) => ("Goes", staged.to_string()),
        Err(why) => ("Goes", format!("one that is not understood: {why}")),
    }));
    let title = "Throw staged changes away".to_owned();
    let verb = if waiting.0.len() == 1 { "Throw it away" } else { "Throw them away" };
    Review { title, facts, findings: Vec::new(), verb, plan: None }
}

/// What a repository without staged changes is told.
pub fn nothing_staged(gun: &Gun) -> Failure {
    Failure::new("nothing-staged", format!("nothing is staged for {gun}"), NOTHING, "")
}
