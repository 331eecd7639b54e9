//! What is asked of a repository and its registry, and changes nothing: which digest is trusted for a tag, whether the image is
//! there as it was signed, and what the registry's tags lead to beside what is signed.
mod image;
mod tags;

pub use image::{Verified, reason, state_word, verify, word};
pub use tags::{Stated, WORDS, tags};

use super::{
    ask::fields::{self, usage},
    reading_failure, refused_roles,
};
use crate::{
    failure::{Failure, sentence},
    operator::{Field, Form, Fut, Session, Step, Stop, Values},
    procedures::{Done, Workplace},
    repository::{Loaded, Mode, Repositories},
    text::Untrusted,
    tuf::name::Gun,
    views::{
        released::{Released, released},
        repositories::source_word,
        reservations::reservations,
    },
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What is asked.
pub const ASKED: Step = Step { name: "asked", says: "Say what is asked. Nothing is changed by it." };
/// What is signed.
pub const SIGNED: Step = Step { name: "signed", says: "What is signed is fetched and verified." };
/// What has not happened, whatever comes of it.
pub const NOTHING: &str = "nothing was changed";
/// What the name by digest is for.
pub const BY_DIGEST: &str = "By this name every program that runs images gets exactly what was signed:";
/// What no signature says.
pub const NOT_SAID: &str = "a signature says who vouches for these bytes, not that they do no harm";

/// The names of the fields, which are those of the command line.
pub mod field {
    pub use super::fields::field::{GUN, TAG};

    /// The platform.
    pub const PLATFORM: &str = "platform";
}

/// What can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum About {
    /// Which digest a tag is trusted to stand for.
    Reference,
    /// Whether the registry has the image that was signed, whole.
    Image,
    /// What the registry's tags lead to.
    Tags,
}

/// What is asked of which repository; what is empty is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inquiry {
    /// What about.
    pub about: About,
    /// The repository.
    pub gun: String,
    /// The tag.
    pub tag: String,
}

impl About {
    /// The command.
    pub fn command(self) -> &'static str {
        match self {
            Self::Reference => "image resolve",
            Self::Image => "image verify",
            Self::Tags => "tags --registry-state",
        }
    }

    /// What it is called on a screen.
    pub fn title(self) -> &'static str {
        match self {
            Self::Reference => "The trusted digest of a tag",
            Self::Image => "An image and its signature",
            Self::Tags => "The registry's tags and what is signed",
        }
    }
}

/// Which digest a tag is trusted to stand for.
pub struct Resolved {
    /// The repository.
    pub gun: Gun,
    /// The tag, which may be any name.
    pub tag: Untrusted,
    /// What is signed.
    pub found: Released,
    /// Where that comes from, for scripts.
    pub source: &'static str,
    /// How far it may be relied on.
    pub reservations: Vec<String>,
}

impl Resolved {
    /// What every program that runs images understands.
    pub fn reference(&self) -> String {
        format!("{}@{}", self.gun, self.found.signed.digest)
    }

    /// The name that was asked about.
    pub fn name(&self) -> String {
        format!("{}:{}", self.gun, self.tag.shown())
    }
}

impl fmt::Display for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is signed by {}; {NOT_SAID}", self.name(), self.found.role)
    }
}

impl From<Resolved> for Done {
    fn from(resolved: Resolved) -> Self {
        Self {
            happened: sentence(&resolved.to_string()),
            left: sentences(&resolved.reservations),
            next: BY_DIGEST,
            copy: Some(resolved.reference()),
            ..Self::default()
        }
    }
}

/// Says which digest is trusted for a tag.
pub fn resolve<'s>(place: Workplace, asked: Inquiry, session: &'s mut Session<'_>) -> Fut<'s, Result<Resolved, Stop>> {
    Box::pin(async move {
        let (gun, values) = meant(&place, &asked, Vec::new(), session).await?;
        trusted(&place, gun, tag(&asked, &values), session).await
    })
}

/// What is trusted under a tag.
async fn trusted(place: &Workplace, gun: Gun, tag: Untrusted, session: &mut Session<'_>) -> Result<Resolved, Stop> {
    let (loaded, reservations) = signed(place, &gun, session).await?;
    match released(&loaded.collection, tag.raw()) {
        Ok(found) => {
            let source = source_word(loaded.collection.freshness());
            Ok(Resolved { gun, tag, found, source, reservations })
        }
        Err(why) => {
            let message = format!("there is no trusted digest for {gun}:{}: {why}", tag.shown());
            let next = format!("`claviger tags {}` shows what is signed, and by whom.", gun.word());
            Err(Failure::new("not-released", message, "nothing was fetched from a registry", next).exit(3).into())
        }
    }
}

/// What is signed, and how far that may be relied on.
async fn signed(place: &Workplace, gun: &Gun, session: &mut Session<'_>) -> Result<(Loaded, Vec<String>), Stop> {
    let all = repositories(place)?;
    let loaded = async { all.load(gun, Timestamp::now(), Mode::Usual, &|_| {}).await.map_err(|e| reading_failure(all, gun, e)) };
    let loaded = session.wait(SIGNED, format!("verifying {gun}"), loaded).await?;
    let reservations = reservations(&loaded, &place.trust_dir, place.read_only.as_deref(), true);
    Ok((loaded, reservations))
}

/// Asks for what is not known yet, besides it for what the `more` fields are about; and says which repository is meant.
async fn meant(place: &Workplace, asked: &Inquiry, more: Vec<Field>, session: &mut Session<'_>) -> Result<(Gun, Values), Stop> {
    let unnamed = asked.gun.is_empty().then(|| fields::repository(place));
    let needs_tag = asked.about != About::Tags && asked.tag.is_empty();
    let tag = needs_tag.then(|| fields::tag("the name that was signed, such as 1.4", None));
    let fields: Vec<Field> = unnamed.into_iter().chain(tag).chain(more).collect();
    let title = match (asked.gun.as_str(), asked.tag.as_str()) {
        ("", _) => asked.about.title().to_owned(),
        (gun, "") => Untrusted::new(gun).shown().to_string(),
        (gun, tag) => format!("{}:{}", Untrusted::new(gun).shown(), Untrusted::new(tag).shown()),
    };
    let form = Form { title, fields };
    let values = if form.fields.is_empty() { Values::of(&form) } else { session.form(ASKED, form).await? };
    let typed = if asked.gun.is_empty() { values.get(field::GUN) } else { &asked.gun };
    Ok((place.repository(typed).map_err(usage)?.gun, values))
}

fn tag(asked: &Inquiry, values: &Values) -> Untrusted {
    Untrusted::new(if asked.tag.is_empty() { values.get(field::TAG) } else { &asked.tag })
}

fn repositories(place: &Workplace) -> Result<&Repositories, Failure> {
    let none = || Failure::new("no-registry", "no server and no registry can be asked here", NOTHING, "");
    place.repositories.as_ref().ok_or_else(none)
}

fn sentences(all: &[String]) -> Vec<String> {
    all.iter().map(|one| sentence(one)).collect()
}
