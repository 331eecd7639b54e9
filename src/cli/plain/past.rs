//! What was done, line by line: the journal, and going on with interrupted work or closing it.
use super::{LISTED, Plain};
use crate::{
    cli::output::Failure,
    procedures::{Came, Interrupted},
    views::journal::Journal,
};

/// What has not happened when the journal cannot be read.
const NOTHING: &str = "nothing was changed";

impl Plain {
    /// Says what was interrupted before this start, and closes what needs no more.
    pub fn say_interrupted(&self) -> Result<(), Failure> {
        let found = self.place.settle().unwrap_or_else(|_| self.place.interrupted());
        found.iter().filter(|i| i.came != Came::Answered).try_for_each(|i| self.talk.say(&i.sentence()))
    }

    /// Lists what was done, the newest first.
    pub fn list_journal(&self) -> Result<(), Failure> {
        let read = self.place.state.as_ref().map(Journal::read).transpose();
        let journal = read.map_err(|e| Failure::new("journal", e.to_string(), NOTHING, e.remedy()))?.unwrap_or_default();
        if journal.rows.is_empty() && journal.broken.is_none() {
            return self.talk.say("Nothing was done with this trust directory so far.");
        }
        for row in journal.rows.iter().take(LISTED) {
            let outcome = row.outcome.as_ref().map_or("not ended", |o| o.as_str());
            let when = row.began.strftime("%Y-%m-%d %H:%M");
            self.talk.say(&format!("  {when}  {}, {outcome}: {} ({})", row.name, row.says, row.work))?;
        }
        if journal.rows.len() > LISTED {
            self.talk.say(&format!("  and {} more; claviger journal prints all", journal.rows.len() - LISTED))?;
        }
        journal.broken.map_or(Ok(()), |broken| self.talk.say(&broken))
    }

    /// Lists what is staged for a repository that is asked for.
    pub async fn list_staged(&self) -> Result<(), Failure> {
        let asked = self.pick("Which repository? Its name", |typed| {
            self.place.repository(typed).map_err(|_| "That names no repository. stop goes back to the commands.")
        });
        let Some(reference) = asked.await? else { return Ok(()) };
        let gun = reference.gun;
        let rows = self.desk.staged(&gun).map_err(|why| Failure::new("staged", why, NOTHING, ""))?;
        if rows.is_empty() {
            return self.talk.say(&format!("Nothing is staged for {gun}."));
        }
        self.talk.say(&format!("Staged for {gun}, and not published:"))?;
        rows.iter().enumerate().try_for_each(|(number, row)| self.talk.say(&format!("  {number}  {}", row.sentence())))
    }

    /// One piece of interrupted work; none if there is none, or somebody does not want any.
    pub async fn choose_interrupted(&self) -> Result<Option<Interrupted>, Failure> {
        let mut open: Vec<Interrupted> = self.place.settle()?.into_iter().filter(|i| !i.is_over()).collect();
        if open.is_empty() {
            self.talk.say("No work is interrupted.")?;
            return Ok(None);
        }
        for (number, i) in open.iter().enumerate() {
            self.talk.say(&format!("  {}  {}", number + 1, i.sentence()))?;
        }
        let at = self.pick("Which work? Its number", |said| {
            let at = said.parse::<usize>().ok().and_then(|n| n.checked_sub(1)).filter(|at| *at < open.len());
            at.ok_or("There is no such work. stop goes back to the commands.")
        });
        Ok(at.await?.map(|at| open.swap_remove(at)))
    }
}
