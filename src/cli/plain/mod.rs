//! The workstation line by line, for screen readers, serial consoles and terminals that can do no more: a menu of the same
//! commands, and the same procedures.
pub mod fields;
mod operator;
mod past;
mod reading;
pub mod talk;

use super::{args::Arguments, key, output::Failure};
use crate::{
    operator::{Cancel, Stop},
    procedures::{
        CANCELLED, KeyFile, Recording, Which, Work, Workplace,
        key_export::Half,
        perform,
        repository::{Inquiry, Wanted, push::Destination},
    },
    tui::{
        action::Command,
        changing::Row,
        palette::{self, Offer},
    },
    views::{
        desk::{Desk, World},
        keys::KeyRow,
    },
};
use clap::CommandFactory as _;
use operator::PlainOperator;
use reading::Reading;
use talk::{Said, Talk};

/// Most keys that are listed to choose from; whoever has more types the start of an ID.
const LISTED: usize = 100;
/// Fewest digits of an ID that are taken for one.
const DIGITS: usize = 4;

/// What the menu has, in the order of the table: commands that only read print what the command line prints.
fn menu() -> Vec<Offer> {
    let mut seen = Vec::new();
    let mut all: Vec<Offer> = palette::offers()
        .filter(|offer| {
            let command = offer.command();
            let fits = command.begins_work()
                || Reading::of(offer.verb).is_some()
                || matches!(command, Command::Place(1 | 3) | Command::Open | Command::Staged | Command::Quit);
            // Another word for the same.
            let is_new = seen.last().is_none_or(|last| !std::ptr::eq(*last, offer.entry));
            seen.push(offer.entry);
            fits && is_new
        })
        .collect();
    // What there is comes before what can be done with it.
    all.sort_by_key(|o| !matches!(o.command(), Command::Place(_)));
    all
}

/// What an entry of the menu does: as the help of its command says, where one command is one entry.
fn about(offer: &Offer) -> String {
    let all = Arguments::command();
    let command = offer.verb.split(' ').try_fold(&all, |c, word| c.find_subcommand(word));
    match command.and_then(clap::Command::get_about) {
        Some(about) if !offer.verb.starts_with("key export") => about.to_string(),
        _ => offer.entry.help.to_owned(),
    }
}

/// Opens the workstation, until somebody leaves.
pub async fn open(desk: Desk, place: Workplace, unicode: bool, stop: Cancel) -> Result<(), Failure> {
    let plain = Plain { desk, place, talk: Talk::standard(unicode), stop };
    plain.greet()?;
    let offers = menu();
    plain.list(&offers)?;
    loop {
        if plain.stop.is_set() {
            return Err(Failure::interrupted("nothing was left half done"));
        }
        let said = match plain.talk.ask("\nNumber or command (? lists them, 0 leaves)").await {
            Ok(said) => said,
            // Nobody types any more.
            Err(Stop::Cancelled | Stop::Back) => return Ok(()),
            Err(Stop::Failed(failure)) => return Err(failure),
        };
        match said {
            Said::Text(text) if text == "0" => return Ok(()),
            Said::Text(text) => match find(&offers, &text) {
                Some(offer) if offer.command() == Command::Quit => return Ok(()),
                Some(offer) => match plain.run(offer).await {
                    Err(failure) if failure.is_interrupt() => return Err(failure),
                    Err(failure) => plain.say_failure(&failure)?,
                    Ok(()) => {}
                },
                None => plain.talk.say("  There is no such command here. claviger --help has all of them.")?,
            },
            Said::Stop => return Ok(()),
            Said::Nothing | Said::Back | Said::Help => plain.list(&offers)?,
        }
    }
}

/// The entry that was meant: by its number, or by what it is called.
fn find<'o>(offers: &'o [Offer], typed: &str) -> Option<&'o Offer> {
    if let Ok(number) = typed.parse::<usize>() {
        return offers.get(number.checked_sub(1)?);
    }
    let typed = typed.split_whitespace().collect::<Vec<_>>().join(" ");
    offers.iter().find(|o| o.entry.verbs.contains(&typed.as_str()))
}

struct Plain {
    desk: Desk,
    place: Workplace,
    talk: Talk,
    stop: Cancel,
}

impl Plain {
    fn greet(&self) -> Result<(), Failure> {
        let facts = self.desk.facts();
        let world = match facts.world {
            World::Online => "ONLINE",
            World::Sandbox => "SANDBOX: nothing here is real",
            World::Offline => "OFFLINE",
        };
        self.talk.say(&format!("claviger {}, line by line. {world}.", env!("CARGO_PKG_VERSION")))?;
        self.talk.say(&format!("Trust directory: {}", facts.trust_dir))?;
        self.say_interrupted()
    }

    fn list(&self, offers: &[Offer]) -> Result<(), Failure> {
        self.talk.say("\nCommands:")?;
        for (number, offer) in offers.iter().enumerate() {
            self.talk.say(&format!("  {}  {}: {}", number + 1, offer.verb, about(offer)))?;
        }
        Ok(())
    }

    fn say_failure(&self, failure: &Failure) -> Result<(), Failure> {
        let mark = if failure.code == CANCELLED { "" } else { "Failed. " };
        self.talk.say(&format!("\n{mark}{}", failure.happened()))?;
        failure.rest().iter().try_for_each(|sentence| self.talk.say(&format!("  {sentence}")))
    }

    async fn run(&self, offer: &Offer) -> Result<(), Failure> {
        let one = |row: Option<KeyRow>| row.map(|r| r.path);
        if let Some(reading) = Reading::of(offer.verb) {
            return self.read(reading).await;
        }
        let work = match offer.command() {
            Command::Place(3) => return self.list_journal(),
            Command::Place(_) => return self.list_keys().await,
            Command::Resume => {
                let Some(found) = self.choose_interrupted().await? else { return Ok(()) };
                let (work, recording) = found.take_up(&self.place)?;
                return self.perform(&work, recording).await;
            }
            Command::GiveUp => {
                let Some(found) = self.choose_interrupted().await? else { return Ok(()) };
                let asks = "It cannot be gone on with after that; what was done stays. Type yes to close it";
                match self.talk.ask(asks).await {
                    Ok(Said::Text(text)) if text.trim() == "yes" => found.give_up(&self.place)?,
                    Err(Stop::Failed(failure)) => return Err(failure),
                    _ => return self.talk.say("\nIt stays as it is."),
                }
                return self.talk.say("\nClosed. What was done stays as it is.");
            }
            Command::Open => {
                let Some(row) = self.choose().await? else { return Ok(()) };
                return self.talk.say(key::describe(&row).trim_end());
            }
            Command::Staged => return self.list_staged().await,
            Command::NewKey => Some(Work::GenerateKey),
            Command::LoadKeys => Some(Work::LoadKeys),
            Command::ExportAll => Some(Work::ExportKeys(Which::All, Half::Private)),
            Command::ExportKey => {
                one(self.choose().await?).map(|p| Work::ExportKeys(Which::These(vec![KeyFile(p)]), Half::Private))
            }
            Command::ExportPublic => {
                one(self.choose().await?).map(|p| Work::ExportKeys(Which::These(vec![KeyFile(p)]), Half::Public))
            }
            Command::ChangePassphrase => one(self.choose().await?).map(Work::ChangePassphrase),
            Command::RemoveKey => one(self.choose().await?).map(Work::RemoveKey),
            Command::TestKey => one(self.choose().await?).map(Work::TestKey),
            Command::StrengthenKeys => Some(Work::StrengthenKeys(None)),
            Command::Tour => Some(Work::Tour),
            Command::MigrateKeys => Some(Work::MigrateKeys),
            Command::MendPermissions => Some(Work::MendPermissions),
            Command::Inquire(about) => Some(Work::Inquire(Inquiry { about, gun: String::new(), tag: String::new() })),
            Command::PushImage => Some(Work::PushImage(Destination::default())),
            Command::Stage(changing) => Some(Work::Ask(Box::new(Wanted::Stage(Box::new(changing.of(&Row::default())))))),
            // Nothing is selected here: all of it is asked.
            Command::Change(changing) => Some(Work::Ask(Box::new(changing.of(&Row::default())))),
            _ => None,
        };
        let Some(work) = work else { return Ok(()) };
        self.perform(&work, Recording::new(&self.place, work.clone())).await
    }

    async fn perform(&self, work: &Work, recording: Recording) -> Result<(), Failure> {
        let mut operator = PlainOperator::new(self.talk.clone());
        let done = perform(work, &self.place, recording, &mut operator, self.stop.clone()).await?;
        let left: String = done.left.iter().map(|l| format!("\n  {l}")).collect();
        let done_or_not = if done.is_untrusted() { "Not trusted." } else { "Done." };
        self.talk.say(&format!("\n{done_or_not} {}{left}", done.happened))?;
        if !done.next.is_empty() {
            self.talk.say(&format!("  {}", done.next))?;
        }
        if let Some(copy) = &done.copy {
            self.talk.say(&format!("  {copy}"))?;
        }
        done.rows.iter().try_for_each(|row| self.talk.say(&format!("  {}", row.text)))
    }

    async fn rows(&self) -> Result<Vec<KeyRow>, Failure> {
        let desk = self.desk.clone();
        let failed = |e: tokio::task::JoinError| Failure::new("internal", e.to_string(), "nothing was changed", "");
        let keys = tokio::task::spawn_blocking(move || desk.keys()).await.map_err(failed)?;
        for problem in &keys.problems {
            self.talk.say(&format!("  {}: {}", problem.severity, problem.text))?;
        }
        if keys.rows.is_empty() {
            self.talk.say(&format!("There are no keys in {}.", self.desk.facts().trust_dir))?;
        }
        Ok(keys.rows)
    }

    async fn list_keys(&self) -> Result<(), Failure> {
        let rows = self.rows().await?;
        for (number, row) in rows.iter().enumerate() {
            self.talk.say(&format!("  {}  {}", number + 1, key::in_a_line(row)))?;
        }
        Ok(())
    }

    /// One of the keys; none if somebody does not want any.
    async fn choose(&self) -> Result<Option<KeyRow>, Failure> {
        let rows = self.rows().await?;
        if rows.is_empty() {
            return Ok(None);
        }
        for (number, row) in rows.iter().take(LISTED).enumerate() {
            self.talk.say(&format!("  {}  {}", number + 1, key::in_a_line(row)))?;
        }
        if rows.len() > LISTED {
            self.talk.say(&format!("  and {} more", rows.len() - LISTED))?;
        }
        let chosen = self.pick("Which key? Its number, or the start of its ID", |said| {
            let number = said.parse::<usize>().ok().and_then(|n| rows.get(n.checked_sub(1)?));
            let start = said.to_ascii_lowercase();
            let mut named = rows.iter().filter(|r| start.len() >= DIGITS && r.id.is_some_and(|id| id.hex().starts_with(&start)));
            match (number, named.next(), named.next()) {
                (Some(row), _, _) | (None, Some(row), None) => Ok(row.clone()),
                (None, Some(_), Some(_)) => Err("Several keys begin so. Give more digits, or the number."),
                (None, None, _) => Err("There is no such key. stop goes back to the commands."),
            }
        });
        chosen.await
    }

    /// What somebody picks from a list, which `find` looks for or says why it is not there; none if somebody does not want any.
    async fn pick<T>(&self, asks: &str, find: impl Fn(&str) -> Result<T, &'static str>) -> Result<Option<T>, Failure> {
        loop {
            match self.talk.ask(asks).await {
                Ok(Said::Text(said)) => match find(&said) {
                    Ok(picked) => return Ok(Some(picked)),
                    Err(why) => self.talk.say(&format!("  {why}"))?,
                },
                Ok(Said::Back | Said::Stop) | Err(Stop::Cancelled | Stop::Back) => return Ok(None),
                Ok(Said::Nothing | Said::Help) => {}
                Err(Stop::Failed(failure)) => return Err(failure),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_menu_has_every_work_that_the_screen_has() {
        let offers = menu();
        let verbs: Vec<&str> = offers.iter().map(|o| o.verb).collect();
        let keys = palette::offers().map(|o| o.verb).filter(|v| v.starts_with("key "));
        for verb in keys.filter(|v| *v != "key import") {
            assert!(verbs.contains(&verb), "{verb} is not in {verbs:?}");
        }
        assert!(verbs.contains(&"quit") && verbs.len() > 10, "{verbs:?}");
        for (number, offer) in offers.iter().enumerate() {
            assert_eq!(find(&offers, &(number + 1).to_string()).unwrap().command(), offer.command());
            assert!(!about(offer).is_empty());
        }
        assert_eq!(find(&offers, "key  import").unwrap().command(), Command::LoadKeys);
        assert!(find(&offers, "0").is_none() && find(&offers, "99").is_none() && find(&offers, "repo verify").is_none());
    }
}
