//! Raising the key derivation of a whole store: each key that is protected by fewer rounds than a new one is encrypted anew, with the
//! passphrase that it has. What fails is named, and the others go on; running it again does the rest.
use super::{Workplace, failure::not_done, told_to_end, unlock};
use crate::{
    failure::{Failure, ended},
    finding::{Finding, Severity},
    keys::{self, Held, KeyEntry, KeyError, Resealed, Strength, problem::code},
    operator::{Choice, Deed, Field, Form, Fut, Review, SecretKind, SecretWanted, Session, Step, Stop, Values},
    secret::Passphrase,
    text::Untrusted,
    trust_dir::shown,
    tuf::name::KeyId,
};
use std::{fmt, path::PathBuf, sync::Arc};

/// Looking.
pub const LOOK: Step = Step { name: "look", says: "The protection of every key is looked at." };
/// How it is to be done.
pub const WISH: Step = Step { name: "wish", says: "Say how passphrases are asked, and what becomes of keys that have none." };
/// A new passphrase.
pub const PASSPHRASE: Step = Step { name: "passphrase", says: "Choose a passphrase for a key that has none." };
/// Encrypting.
pub const SEAL: Step = Step { name: "seal", says: "The key is encrypted anew, in memory." };
/// The look before anything is stored.
pub const REVIEW: Step = Step { name: "review", says: "Look at which keys will be stored anew." };
/// Storing one.
pub const STORE: Step = Step { name: "store", says: "The new file takes the place of the old one and is read back." };

/// What has not happened as long as nothing has.
pub const NOTHING: &str = "no key was changed";
/// What to know afterwards.
pub const NEXT: &str = "Copies and backups of the files are still protected as they were: make new ones.";

/// The names of the fields, which are those of the command line.
pub mod field {
    /// Whether a passphrase that opened one key is tried on the next.
    pub const ASK: &str = "ask";
    /// What becomes of keys that nothing protects.
    pub const UNENCRYPTED: &str = "unencrypted";
}

/// Asks for the passphrase of each key.
pub const EACH: &str = "each";
/// Tries the passphrase of one key on the next before it asks.
pub const SAME: &str = "same";
/// Leaves keys without a passphrase as they are.
pub const LEAVE: &str = "leave";
/// Gives a passphrase to keys that have none.
pub const PROTECT: &str = "protect";

/// What came of it for one key.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It is protected as a new key is.
    Strengthened,
    /// It was before.
    Already,
    /// Nothing protects it, and that was left so.
    Unencrypted,
    /// It is as it was.
    Failed(Failure),
    /// It is as it was: somebody ended the work before it came to it.
    NotReached,
}

/// One key.
#[derive(Debug, Clone)]
pub struct One {
    /// Its ID, if its file's name is one.
    pub id: Option<KeyId>,
    /// What it is called.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Strengthened {
    /// Every key that was looked at.
    pub keys: Vec<One>,
    /// Whether somebody ended it before all was done.
    pub ended_early: bool,
}

impl Strengthened {
    fn count(&self, which: fn(&Outcome) -> bool) -> usize {
        self.keys.iter().filter(|k| which(&k.outcome)).count()
    }

    /// How many are protected better than before.
    pub fn strengthened(&self) -> usize {
        self.count(|o| matches!(o, Outcome::Strengthened))
    }

    /// Whether everything went well.
    pub fn is_whole(&self) -> bool {
        self.left().is_empty()
    }

    /// What is protected as it was and should not be, each with its reason, as sentences.
    pub fn left(&self) -> Vec<String> {
        let why = |k: &One| match &k.outcome {
            Outcome::Strengthened | Outcome::Already => None,
            Outcome::Unencrypted => Some(format!("{}: no passphrase protects it", k.name)),
            Outcome::NotReached => Some(format!("{}: it was not reached", k.name)),
            Outcome::Failed(failure) => Some(failure.message.clone()),
        };
        self.keys.iter().filter_map(why).map(|text| ended(&text)).collect()
    }

    /// How many are as they were, though they should not be.
    pub fn failed(&self) -> usize {
        self.count(|o| matches!(o, Outcome::Failed(_) | Outcome::NotReached))
    }
}

impl fmt::Display for Strengthened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.strengthened() {
            0 => write!(f, "no key was changed")?,
            1 => write!(f, "one key is protected as a new one is")?,
            n => write!(f, "{n} keys are protected as new ones are")?,
        }
        for (n, says) in [
            (self.count(|o| matches!(o, Outcome::Already)), "strong enough before"),
            (self.count(|o| matches!(o, Outcome::Unencrypted)), "without a passphrase, and left so"),
            (self.failed(), "not done"),
        ] {
            if n > 0 {
                write!(f, "; {n} {says}")?;
            }
        }
        Ok(())
    }
}

/// A key, and what protects it anew if that has come so far.
struct Work {
    entry: KeyEntry,
    strength: Strength,
    resealed: Option<Resealed>,
    outcome: Outcome,
    weak_passphrase: bool,
}

/// Strengthens the keys in these files, or all.
pub fn run<'s>(
    place: Workplace,
    which: Option<Vec<PathBuf>>,
    session: &'s mut Session<'_>,
) -> Fut<'s, Result<Strengthened, Stop>> {
    Box::pin(async move {
        place.may_write(NOTHING)?;
        let dir = place.trust_dir.clone();
        let mut all: Vec<Work> = session
            .work(LOOK, "looking at every key", move |_| {
                let entries = keys::list(&dir).entries.into_iter();
                Ok(entries.filter(|e| which.as_ref().is_none_or(|w| w.contains(&e.path))).map(Work::new).collect())
            })
            .await?;
        let form = form(&all);
        let values = if form.fields.is_empty() { Values::of(&form) } else { session.form(WISH, form).await? };
        let mut known: Known = Known { reuse: values.get(field::ASK) == SAME, opened: None, chosen: Vec::new() };
        let protect = values.get(field::UNENCRYPTED) == PROTECT;
        for work in all.iter_mut().filter(|w| w.strength == Strength::Weak || protect && w.strength == Strength::None) {
            match reseal(session, &work.entry, &mut known).await {
                Ok((resealed, weak)) => (work.resealed, work.weak_passphrase) = (Some(resealed), weak),
                Err(Stop::Failed(failure)) if !failure.is_interrupt() => work.outcome = Outcome::Failed(failure),
                Err(stop) => return Err(stop),
            }
        }
        let count = all.iter().filter(|w| w.resealed.is_some()).count();
        if count > 0 {
            session.review(REVIEW, review(&place, &all)).await?;
        }
        let (mut number, mut given_up, mut ended_early) = (0, false, false);
        for work in &mut all {
            let Some(resealed) = work.resealed.take() else { continue };
            number += 1;
            let name = unlock::called(&work.entry);
            let what = format!("storing key {number} of {count}: {name}");
            if !given_up && told_to_end(session, STORE, &what).await? {
                (ended_early, given_up) = (true, true);
            }
            if given_up {
                work.outcome = Outcome::NotReached;
                continue;
            }
            let dir = place.trust_dir.clone();
            let deed = Deed::default().replaces(&work.entry.path, resealed.before(), resealed.bytes());
            let stored = session.act(STORE, what, deed, move || {
                resealed.store(&dir).map_err(|e| not_done(&e, &name, "the key is as it was"))?;
                Ok(format!("{name} was stored anew and read back"))
            });
            work.outcome = match stored.await {
                Ok(_) => Outcome::Strengthened,
                Err(Stop::Failed(failure)) => {
                    // Who waits for a lock in vain would wait as long for each.
                    given_up = failure.code == "locked";
                    Outcome::Failed(failure)
                }
                Err(stop) => return Err(stop),
            };
        }
        Ok(Strengthened { keys: all.into_iter().map(Work::result).collect(), ended_early })
    })
}

impl Work {
    fn new(entry: KeyEntry) -> Self {
        let strength = entry.strength();
        let outcome = match strength {
            Strength::Enough | Strength::Weak => Outcome::Already,
            Strength::None => Outcome::Unencrypted,
            Strength::Unknown => {
                let why = entry.problems.first().map_or("nothing says what protects it", |p| p.text.as_str());
                let message = format!("{}: {why}", shown(&entry.path));
                let hint = "`claviger key show` says what is there.";
                Outcome::Failed(Failure::new("not-a-key-file", message, "the file is as it was", hint))
            }
        };
        Self { entry, strength, resealed: None, outcome, weak_passphrase: false }
    }

    fn result(self) -> One {
        One { id: self.entry.id, name: unlock::called(&self.entry), path: self.entry.path, outcome: self.outcome }
    }
}

/// Passphrases that may be tried on the next key, if they may.
struct Known {
    reuse: bool,
    /// What opened the key before.
    opened: Option<Arc<Passphrase>>,
    /// What was chosen for keys that had none, by their role.
    chosen: Vec<(String, Arc<Passphrase>)>,
}

/// A key with the passphrase that opened it; none if it needed none.
type Opened = (Held, Option<Passphrase>);

fn open(entry: &KeyEntry, passphrase: Option<&Passphrase>, stop: &dyn Fn() -> bool) -> Result<Opened, KeyError> {
    Held::unlock(entry, passphrase, stop).map(|held| (held, passphrase.map(Passphrase::another)))
}

/// Opens a key and encrypts it anew. Nothing is stored. Says too whether the passphrase would not do for a new key.
async fn reseal(session: &mut Session<'_>, entry: &KeyEntry, known: &mut Known) -> Result<(Resealed, bool), Stop> {
    let name = unlock::called(entry);
    let role = entry.role.as_ref().map(|r| r.raw().to_owned()).unwrap_or_default();
    let mut opened = None;
    if let Some(passphrase) = known.opened.clone().filter(|_| known.reuse && entry.encrypted() == Some(true)) {
        let entry = entry.clone();
        let tried = session.work(unlock::UNLOCK, format!("opening {name}"), move |stop| {
            // Whatever is wrong is said when it is opened in earnest.
            Ok(open(&entry, Some(&passphrase), stop).ok())
        });
        opened = tried.await?;
    }
    let (held, passphrase) = match opened {
        Some(opened) => opened,
        None => unlock::opened(session, entry, name.clone(), open).await?,
    };
    let passphrase = match passphrase {
        Some(passphrase) => {
            let passphrase = Arc::new(passphrase);
            known.opened = Some(passphrase.clone());
            passphrase
        }
        None => match known.chosen.iter().find(|(of, _)| known.reuse && *of == role) {
            Some((_, passphrase)) => passphrase.clone(),
            None => {
                let key_id = entry.id.map(|id| id.hex());
                let wanted = SecretWanted { label: name.clone(), role: role.clone(), key_id, kind: SecretKind::New, again: None };
                let passphrase = Arc::new(session.secret(PASSPHRASE, wanted).await?.passphrase);
                known.chosen.push((role.clone(), passphrase.clone()));
                passphrase
            }
        },
    };
    let weak = passphrase.is_weak_for(&role);
    let resealed = session.work(SEAL, format!("encrypting {name}"), move |stop| {
        held.reseal(&passphrase, stop).map_err(|e| not_done(&e, &name, "the key is as it was"))
    });
    Ok((resealed.await?, weak))
}

fn form(all: &[Work]) -> Form {
    let count = |strength| all.iter().filter(|w| w.strength == strength).count();
    let mut fields = Vec::new();
    if count(Strength::Weak) + count(Strength::None) > 1 {
        let options = [
            (EACH, "ask for the passphrase of each key"),
            (SAME, "try the passphrase of one key on the next, and ask if it does not open it"),
        ];
        fields.push(Field::choice(field::ASK, "Ask", "how passphrases are asked", choices(options)));
    }
    if count(Strength::None) > 0 {
        let options = [(LEAVE, "leave them as they are"), (PROTECT, "give each a passphrase")];
        fields.push(Field::choice(
            field::UNENCRYPTED,
            "Unencrypted",
            "what becomes of keys without a passphrase",
            choices(options),
        ));
    }
    Form { title: "Stronger protection for all keys".to_owned(), fields }
}

fn choices(options: [(&'static str, &'static str); 2]) -> Vec<Choice> {
    options.into_iter().map(|(value, meaning)| Choice { value, meaning }).collect()
}

fn review(place: &Workplace, all: &[Work]) -> Review {
    let mut facts = vec![("In", shown(&place.trust_dir.private()))];
    let mut findings = Vec::new();
    for work in all {
        let name = unlock::called(&work.entry);
        if let Some(resealed) = &work.resealed {
            facts.push(("Key", resealed.id().hex()));
            facts.extend(work.entry.role.as_ref().map(|r| ("Role", Untrusted::shown(r).into())));
            facts.push(("Before", unlock::protection(&work.entry)));
            let same = if work.strength == Strength::None { "the new passphrase" } else { "the same passphrase" };
            let rounds = keys::rounds(resealed.bytes()).unwrap_or_default();
            facts.push(("After", format!("{same}, {rounds} rounds of key derivation")));
            if work.weak_passphrase {
                let text =
                    format!("the passphrase of the {name} is shorter than one for a new key may be; `key passwd` changes it");
                findings.push(Finding::new("passphrase-weak", Severity::Warn, text).with_remedy("key passwd"));
            }
            continue;
        }
        match &work.outcome {
            Outcome::Failed(failure) => {
                let text = format!("the {name} stays as it is: {}", failure.message);
                findings.push(Finding::new(code::WEAK_DERIVATION, Severity::Error, text));
            }
            Outcome::Unencrypted => {
                let text = format!("the {name} stays without a passphrase");
                findings.push(Finding::new(code::UNENCRYPTED, Severity::Warn, text));
            }
            _ => {}
        }
    }
    Review { title: "Stronger protection".to_owned(), facts, findings, verb: "Store the keys anew", plan: None }
}
