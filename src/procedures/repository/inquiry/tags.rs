//! What the registry's tags lead to, beside what is signed.
use super::{Inquiry, meant, refused_roles, repositories, sentences, signed};
use crate::{
    failure::{Failure, sentence},
    operator::{Fut, Session, Step, Stop},
    procedures::{Done, Row, Workplace},
    repository::TagsError,
    text::count,
    tuf::name::Gun,
    views::{
        tag_state::{StatedTags, TagState, tags_of},
        tags::tag_rows,
    },
};
use std::{
    fmt,
    sync::atomic::{AtomicUsize, Ordering::Relaxed},
};

/// The registry is asked.
pub const LOOK: Step = Step { name: "look", says: "The registry is asked what each tag leads to." };

/// Both sides.
pub struct Stated {
    /// The repository.
    pub gun: Gun,
    /// What is signed, and what the registry has.
    pub all: StatedTags,
    /// How far it may be relied on, and what is missing.
    pub notes: Vec<String>,
    /// That not every role is trusted, if one is not.
    pub refused: Option<Failure>,
}

/// Holds the registry's tags against what is signed.
pub fn tags<'s>(place: Workplace, asked: Inquiry, session: &'s mut Session<'_>) -> Fut<'s, Result<Stated, Stop>> {
    Box::pin(async move {
        let (gun, _) = meant(&place, &asked, Vec::new(), session).await?;
        let (loaded, mut notes) = signed(&place, &gun, session).await?;
        let (rows, all) = (tag_rows(&loaded.collection), repositories(&place)?);
        let (done, of) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let found = async {
            let step = |now, all| {
                done.store(now, Relaxed);
                of.store(all, Relaxed);
            };
            all.registry_tags(&gun, tags_of(&rows), step).await.map_err(|e| failure(&e))
        };
        let how_far = || match of.load(Relaxed) {
            0 => String::new(),
            of => format!("{} of {of} tags were looked up", done.load(Relaxed)),
        };
        let registry = session.wait_watched(LOOK, format!("asking the registry for the tags of {gun}"), found, how_far).await?;
        if registry.refused > 0 {
            notes.push(format!("the registry names {} that cannot be used; left out", count(registry.refused, "tag")));
        }
        if !registry.whole {
            notes.push("the registry's list of tags was cut; there may be more".to_owned());
        }
        if let Some(why) = &registry.why {
            let (n, verb) = (registry.unknown.len(), if registry.unknown.len() == 1 { "leads" } else { "lead" });
            notes.push(format!("the registry did not say what {} {verb} to: {why}", count(n, "tag")));
        }
        let refused = refused_roles(&loaded.collection);
        Ok(Stated { gun, all: StatedTags::new(rows, refused.is_some(), registry), notes, refused })
    })
}

impl Stated {
    /// Whether there is nothing on either side.
    pub fn is_empty(&self) -> bool {
        self.all.signed.is_empty() && self.all.others.is_empty()
    }

    /// A line for each, those first that are not as whoever signed them would have it.
    fn rows(&self) -> Vec<Row> {
        if self.is_empty() {
            return Vec::new();
        }
        let signed = self.all.signed.iter().map(|(row, state)| {
            let elsewhere = state.elsewhere().map(|d| short(d.digits())).unwrap_or_default();
            let released = if row.released { "yes" } else { "no" };
            let digest = row.digest.map(|d| short(&d.hex())).unwrap_or_default();
            let cells = [state.word().to_owned(), digest, elsewhere, released.to_owned(), row.name.shown().to_string()];
            (cells, matches!(state, TagState::Moved(_) | TagState::Missing))
        });
        let others = self.all.others.iter().map(|(tag, digest)| {
            let to = digest.as_ref().map(|d| short(d.digits())).unwrap_or_default();
            ([self.all.word(digest.as_ref()).to_owned(), String::new(), to, "no".to_owned(), tag.as_str().to_owned()], false)
        });
        let mut all: Vec<([String; 5], bool)> = signed.chain(others).collect();
        all.sort_by_key(|([state, ..], _)| ORDER.iter().position(|known| state == known));
        let heads = ["REGISTRY", "SIGNED", "LEADS TO", "RELEASED", "NAME"].map(str::to_owned);
        Row::table(heads, all)
    }
}

/// The words, in the order in which somebody wants to see them.
const ORDER: [&str; 5] = ["moved", "missing", "unknown", "unsigned", "signed"];

impl fmt::Display for Stated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return write!(f, "{} signs nothing, and the registry has no tags of it", self.gun);
        }
        let words = self.all.signed.iter().map(|(_, state)| state.word());
        let words: Vec<&str> = words.chain(self.all.others.iter().map(|(_, d)| self.all.word(d.as_ref()))).collect();
        let many = |word: &&str| words.iter().filter(|w| *w == word).count();
        let said = ORDER.iter().rev().filter(|word| many(word) > 0).map(|word| format!("{} {word}", many(word)));
        write!(f, "{}: {}", self.gun, said.collect::<Vec<_>>().join(", "))
    }
}

impl From<Stated> for Done {
    fn from(stated: Stated) -> Self {
        let refused = stated.refused.iter().flat_map(|f| [vec![f.happened()], f.rest()].concat());
        Self {
            happened: sentence(&stated.to_string()),
            left: sentences(&stated.notes).into_iter().chain(refused).collect(),
            rows: stated.rows(),
            exit: stated.refused.as_ref().map(|f| f.exit),
            next: if stated.is_empty() { "" } else { WORDS },
            ..Self::default()
        }
    }
}

/// What the words mean.
pub const WORDS: &str = "signed: the tag leads to what is signed. moved: to something else. missing: the registry has no such tag. \
    unsigned: nobody has signed it. unknown: that cannot be said, because no tag has such a name, or a role that may have signed it \
    is not trusted, or the registry did not answer.";

fn short(digits: &str) -> String {
    digits.chars().take(12).collect()
}

fn failure(error: &TagsError) -> Failure {
    let nothing = "nothing is shown, because what the registry has is not known";
    let next = format!("{} `claviger tags` without --registry-state shows what is signed.", error.remedy());
    Failure::new("registry", error.to_string(), nothing, next)
}
