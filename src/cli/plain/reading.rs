//! What only reads, line by line: repositories, and what one signs and who may sign there.
use super::Plain;
use crate::{
    cli::{output::Failure, repo, tags},
    procedures::repository::{load_failure, refused_roles},
    repository::{LoadError, Loaded, Mode, Situation},
    tuf::name::Gun,
    views::{repositories::RepositoryDetail, reservations::reservations},
};
use jiff::Timestamp;

/// What can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Which repositories there are.
    List,
    /// The chain of trust.
    Chain,
    /// What is signed.
    Tags,
    /// The people who may sign.
    Signers,
    /// The roles that are delegated to.
    Delegations,
}

impl Reading {
    /// By its name on the command line.
    pub fn of(verb: &str) -> Option<Self> {
        Some(match verb {
            "repo list" => Self::List,
            "repo show" => Self::Chain,
            "tags" => Self::Tags,
            "signer list" => Self::Signers,
            "delegation list" => Self::Delegations,
            _ => return None,
        })
    }
}

impl Plain {
    /// Says what was read, as the command does.
    pub async fn read(&self, reading: Reading) -> Result<(), Failure> {
        let all = self.desk.repositories();
        if reading == Reading::List {
            let inventory = all.inventory().await;
            inventory.notes.iter().try_for_each(|note| self.talk.say(&format!("  ! {note}")))?;
            return self.talk.say(repo::list_text(&inventory).trim_end());
        }
        let asked = self.pick("Which repository? Its name", |typed| {
            self.place.repository(typed).map_err(|_| "That names no repository. stop goes back to the commands.")
        });
        let Some(reference) = asked.await? else { return Ok(()) };
        let gun = reference.gun;
        match all.load(&gun, Timestamp::now(), Mode::Usual, &|_| {}).await {
            Ok(loaded) => self.say_read(reading, &loaded),
            Err(error) => self.say_untrusted(reading, &gun, error).await,
        }
    }

    fn say_read(&self, reading: Reading, loaded: &Loaded) -> Result<(), Failure> {
        let all = self.desk.repositories();
        for said in reservations(loaded, all.trust_dir(), self.place.read_only.as_deref(), true) {
            self.talk.say(&format!("  ! {said}"))?;
        }
        let c = &loaded.collection;
        let text = match reading {
            Reading::Tags => tags::tags_text(c),
            Reading::Signers => tags::signers_text(c),
            Reading::Delegations => tags::delegations_text(c),
            Reading::Chain | Reading::List => {
                repo::detail_text(&RepositoryDetail::new(loaded, &self.desk.keys_here(), all.trust_dir()))
            }
        };
        self.talk.say(text.trim_end())?;
        refused_roles(c).map_or(Ok(()), Err)
    }

    /// What it claims is shown where the whole of it is asked for, marked as what it is.
    async fn say_untrusted(&self, reading: Reading, gun: &Gun, error: LoadError) -> Result<(), Failure> {
        let all = self.desk.repositories();
        let shows = reading == Reading::Chain && error.situation() == Situation::NotTrustworthy;
        let failure = load_failure(all, gun, error);
        if shows {
            let look = all.look(gun).await.unwrap_or_default();
            self.talk.say(repo::look_text(gun, &failure, &look).trim_end())?;
        }
        Err(failure)
    }
}
