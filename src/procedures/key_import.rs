//! Taking keys from a file that others made: `key load` and `key import`. What will land where is shown before; each key is
//! stored under its ID, encrypted as strongly as a new one, and read back.
mod label;

use self::label::{Label, signer};
use super::{Workplace, failure::not_done, key_failure, told_to_end};
use crate::{
    failure::Failure,
    finding::{Finding, Severity},
    keys::{self, Block, Blocks, Elsewhere, Iterations, KeyError, KeyRole, PrivateKey, Protection, Sealed, Stored},
    operator::{Choice, Deed, Field, Form, Fut, Review, SecretKind, SecretWanted, Session, Step, Stop, as_text},
    secret::{Given, Passphrase},
    text::Untrusted,
    trust_dir::shown,
    tuf::{
        key::Algorithm,
        name::{Gun, KeyId},
    },
};
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

/// The file, and what its keys are for.
pub const WISH: Step = Step { name: "wish", says: "Name the file, and say what its keys are for if it does not." };
/// The passphrase of a key in the file.
pub const UNLOCK: Step = Step { name: "unlock", says: "Give the passphrase that opens the key in the file." };
/// The passphrase for keys that have none.
pub const PASSPHRASE: Step = Step { name: "passphrase", says: "Choose the passphrase for keys that have none." };
/// Opening one.
pub const OPEN: Step = Step { name: "open", says: "The key is opened and signs a test message." };
/// Encrypting.
pub const SEAL: Step = Step { name: "seal", says: "The keys are encrypted, in memory." };
/// The look before they are stored.
pub const REVIEW: Step = Step { name: "review", says: "Look at which keys will be stored, and where." };
/// Storing them.
pub const STORE: Step = Step { name: "store", says: "The keys are stored and read back." };

/// What has not happened as long as nothing has.
pub const NOTHING: &str = "no key was stored";
/// What is wrong where no file was named.
const NO_FILE: &str = "a file is needed";
/// How often a person may try.
const TRIES: usize = 3;

/// The names of the fields, which are those of the command line.
pub mod field {
    /// The file.
    pub const FILE: &str = "file";
    /// What its keys are for.
    pub const ROLE: &str = "role";
    /// The signer whose keys they are.
    pub const NAME: &str = "name";
    /// The repository they belong to.
    pub const GUN: &str = "gun";
}

/// Says that the file knows what its keys are for.
pub const AS_LABELLED: &str = "as-labelled";

/// A key that is stored now.
#[derive(Debug, Clone)]
pub struct Imported {
    /// The key.
    pub id: KeyId,
    /// The role in its file.
    pub role: KeyRole,
    /// Its repository.
    pub gun: Option<Gun>,
    /// What it computes with.
    pub algorithm: Algorithm,
    /// Where it is.
    pub path: PathBuf,
    /// Whether it was there before, and was left as it was.
    pub was_there: bool,
}

/// The keys of a file.
#[derive(Debug, Clone)]
pub struct AllImported(pub Vec<Imported>);

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.was_there { "was there already, and is as it was" } else { "was stored and read back" };
        write!(f, "the {} key {} {what}", self.role.as_str(), self.id)
    }
}

impl fmt::Display for AllImported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let new = self.0.iter().filter(|k| !k.was_there).count();
        match (new, self.0.len() - new) {
            (1, 0) => write!(f, "one key was stored and read back"),
            (n, 0) => write!(f, "{n} keys were stored and read back"),
            (0, _) => write!(f, "every key was there already, and is as it was"),
            (n, m) => write!(f, "{n} stored and read back; {m} there already, and left as they were"),
        }
    }
}

impl AllImported {
    /// What to know afterwards.
    pub fn next(&self) -> &'static str {
        match self.0.iter().any(|k| k.was_there) {
            true => "What was there has the passphrase that it had, which may be another: `claviger key test` tries it.",
            false => "The file that they came from is as it was. If it is no backup, remove it.",
        }
    }
}

/// Takes the keys of a file.
pub fn run<'s>(place: Workplace, session: &'s mut Session<'_>) -> Fut<'s, Result<AllImported, Stop>> {
    Box::pin(async move {
        place.may_write(NOTHING)?;
        let values = session.form(WISH, form(&place)).await?;
        let file = as_text::path(values.get(field::FILE));
        if file.as_os_str().is_empty() {
            let hint = "Name the file that holds the keys.";
            return Err(Failure::new("usage", format!("{}: {NO_FILE}", field::FILE), NOTHING, hint).exit(2).into());
        }
        let Blocks { keys, others } = keys::read_blocks(&file).map_err(|e| not_stored(&e, &shown(&file)))?;
        let mut opened = Vec::with_capacity(keys.len());
        let mut known: Vec<Arc<Passphrase>> = Vec::new();
        let count = keys.len();
        for (number, block) in keys.into_iter().enumerate() {
            let label = Label::of(&place, &block, &values).map_err(|why| {
                let message = format!("{}, key {} of {count}: {why}", shown(&file), number + 1);
                Failure::new(
                    "usage",
                    message,
                    NOTHING,
                    "Give the role and the repository that fit, or mend the label in the file.",
                )
                .exit(2)
            })?;
            opened.push(open(session, block, label, &mut known).await?);
        }
        let unprotected = |o: &&mut Open| o.passphrase.is_none();
        while let Some(role) = opened.iter_mut().find(unprotected).map(|o| o.label.role.clone()) {
            let mut of_role: Vec<&mut Open> =
                opened.iter_mut().filter(|o| o.passphrase.is_none() && o.label.role == role).collect();
            let key_id = if let [one] = &of_role[..] { Some(one.key.id().hex()) } else { None };
            let wanted = SecretWanted {
                label: format!("the {} {} of the file", role.as_str(), if key_id.is_some() { "key" } else { "keys" }),
                role: role.as_str().to_owned(),
                key_id,
                kind: SecretKind::New,
                again: None,
            };
            let given = Arc::new(session.secret(PASSPHRASE, wanted).await?.passphrase);
            of_role.iter_mut().for_each(|o| o.passphrase = Some(given.clone()));
        }
        let dir = place.trust_dir.clone();
        let (ready, elsewhere) = session
            .work(SEAL, "encrypting", move |stop| {
                let ready = opened.into_iter().map(|o| o.seal(stop)).collect::<Result<Vec<_>, _>>()?;
                Ok((ready, Arc::new(Elsewhere::find(&dir))))
            })
            .await?;
        session.review(REVIEW, review(&place, &file, &ready, &others)).await?;
        store(session, &place, ready, &elsewhere).await
    })
}

fn form(place: &Workplace) -> Form {
    let place = place.clone();
    let roles = [
        (AS_LABELLED, "as the file says; a key without a label is a delegation key"),
        ("delegation", "signs for a person, in any repository that delegates to them"),
        ("root", "names all other keys of a repository; kept offline"),
        ("targets", "signs targets and names signers of one repository"),
        ("snapshot", "signs snapshots of one repository"),
    ];
    Form {
        title: "Keys from a file".to_owned(),
        fields: vec![
            Field::path(field::FILE, "File", "PEM as OpenSSL or docker makes it, or a bundle of notary's")
                .checked_by_looking(|path, _| holds(path)),
            Field::choice(
                field::ROLE,
                "For",
                "what the keys may sign",
                roles.into_iter().map(|(value, meaning)| Choice { value, meaning }).collect(),
            ),
            Field::text(field::NAME, "Signer", "whose delegation keys they are, if the file does not say").checked(
                |name, values| match (name, values.get(field::ROLE)) {
                    ("", _) => Ok(None),
                    (_, "root" | "targets" | "snapshot") => {
                        Err("only a delegation key belongs to a signer; leave this empty".to_owned())
                    }
                    (name, _) => signer(name).map(|_| None),
                },
            ),
            Field::text(field::GUN, "Repository", "of targets and snapshot keys, if the file does not say").checked(
                move |typed, values| match (typed, values.get(field::ROLE)) {
                    ("", _) => Ok(None),
                    (_, "root" | "delegation") => Err("such a key belongs to no single repository; leave this empty".to_owned()),
                    (typed, _) => {
                        let gun = place.repository(typed)?.gun;
                        Ok((gun.as_str() != typed).then(|| format!("understood as {gun}")))
                    }
                },
            ),
        ],
    }
}

/// What a file holds, or why it cannot be used.
fn holds(path: &str) -> Result<Option<String>, String> {
    if path.is_empty() {
        return Err(NO_FILE.to_owned());
    }
    let blocks = keys::read_blocks(&as_text::path(path)).map_err(|e| {
        let f = key_failure(&e, "");
        if f.hint.is_empty() { f.message } else { format!("{}. {}", f.message, f.hint) }
    })?;
    Ok(Some(match blocks.keys.len() {
        1 => "holds one private key".to_owned(),
        n => format!("holds {n} private keys"),
    }))
}

/// A key that was opened.
struct Open {
    key: PrivateKey,
    label: Label,
    /// What opened it, and will protect it again; none if nothing protected it.
    passphrase: Option<Arc<Passphrase>>,
    before: Option<Protection>,
    /// Whether the passphrase would not do for a new key.
    weak: bool,
}

/// Opens a key of the file: with a passphrase that has opened another one, or with one that is asked.
async fn open(session: &mut Session<'_>, block: Block, label: Label, known: &mut Vec<Arc<Passphrase>>) -> Result<Open, Stop> {
    let before = block.content().protection;
    let block = Arc::new(block);
    let claimed = block.claimed();
    let name = match claimed {
        Some(id) => format!("{} key {}", label.role.as_str(), id.hex().chars().take(12).collect::<String>()),
        None => format!("the {} key of the file", label.role.as_str()),
    };
    if before == Some(Protection::None) {
        let key = attempt(session, &block, &name, None).await?.map_err(|(_, failure)| Stop::Failed(failure))?;
        return Ok(Open { key, label, passphrase: None, before, weak: false });
    }
    for passphrase in known.iter().rev().take(TRIES).cloned().collect::<Vec<_>>() {
        match attempt(session, &block, &name, Some(passphrase.clone())).await? {
            Ok(key) => {
                let weak = is_weak(&passphrase, &label);
                return Ok(Open { key, label, passphrase: Some(passphrase), before, weak });
            }
            Err((true, _)) => {}
            // No passphrase helps.
            Err((false, failure)) => return Err(failure.into()),
        }
    }
    let mut again = None;
    for last in (0..TRIES).map(|n| n + 1 == TRIES) {
        let wanted = SecretWanted {
            // Those who ask put an article before it.
            label: name.strip_prefix("the ").unwrap_or(&name).to_owned(),
            role: label.role.as_str().to_owned(),
            key_id: claimed.map(|id| id.hex()),
            kind: SecretKind::Existing,
            again: again.take(),
        };
        let Given { passphrase, source } = session.secret(UNLOCK, wanted).await?;
        let passphrase = Arc::new(passphrase);
        match attempt(session, &block, &name, Some(passphrase.clone())).await? {
            Ok(key) => {
                known.push(passphrase.clone());
                let weak = is_weak(&passphrase, &label);
                return Ok(Open { key, label, passphrase: Some(passphrase), before, weak });
            }
            Err((true, _)) if source.is_typed() && !last => again = Some("That passphrase does not open the key.".to_owned()),
            Err((_, failure)) => return Err(failure.into()),
        }
    }
    Err(Stop::Cancelled)
}

fn is_weak(passphrase: &Passphrase, label: &Label) -> bool {
    passphrase.is_weak_for(label.role.as_str())
}

type Attempt = Result<PrivateKey, (bool, Failure)>;

/// Opens a key and has it sign a test message. The error says whether another passphrase could help.
async fn attempt(
    session: &mut Session<'_>,
    block: &Arc<Block>,
    name: &str,
    with: Option<Arc<Passphrase>>,
) -> Result<Attempt, Stop> {
    let (block, of) = (block.clone(), name.to_owned());
    session
        .work(OPEN, format!("opening {name}"), move |stop| {
            let key = block.open(with.as_deref(), stop).and_then(|key| match key.may_sign() {
                true => keys::prove(&key).map(|_| key),
                false => Err(KeyError::TooWeak(key.algorithm())),
            });
            Ok(key.map_err(|e| (e.is_passphrase(), not_stored(&e, &of))))
        })
        .await
}

/// A key that is ready to be stored.
struct Ready {
    sealed: Sealed,
    imported: Imported,
    before: Option<Protection>,
    weak: bool,
}

impl Open {
    fn seal(self, stop: &dyn Fn() -> bool) -> Result<Ready, Failure> {
        let Self { key, label: Label { role, gun }, passphrase, before, weak } = self;
        let failed = |e: KeyError| not_stored(&e, &key.id().hex());
        let passphrase = passphrase.ok_or_else(|| failed(KeyError::PassphraseNeeded))?;
        let sealed = keys::seal(&role, gun.as_ref(), &key, &passphrase, Iterations::for_role(&role), stop).map_err(failed)?;
        let (id, algorithm) = (key.id(), key.public().algorithm());
        Ok(Ready {
            sealed,
            imported: Imported { id, role, gun, algorithm, path: PathBuf::new(), was_there: false },
            before,
            weak,
        })
    }
}

fn review(place: &Workplace, file: &Path, ready: &[Ready], others: &[Untrusted]) -> Review {
    let mut facts = vec![("From", shown(file))];
    let mut findings = Vec::new();
    for Ready { imported: k, before, weak, .. } in ready {
        let short: String = k.id.hex().chars().take(12).collect();
        facts.push(("Key", k.id.hex()));
        facts.push(("Role", k.role.as_str().to_owned()));
        facts.extend(k.gun.as_ref().map(|g| ("Repository", g.to_string())));
        facts.push(("Algorithm", k.algorithm.to_string()));
        let path = place.trust_dir.key_path(k.id);
        let there = if path.exists() { " (is there already, and stays as it is)" } else { "" };
        facts.push(("File", format!("{}{there}", shown(&path))));
        let same = if *before == Some(Protection::None) { "your passphrase" } else { "the passphrase it has" };
        facts.push(("Encryption", format!("{same}, {} rounds of key derivation", Iterations::for_role(&k.role))));
        if *weak {
            let text = format!("the passphrase of {short} is shorter than one for a new key may be; `key passwd` changes it");
            findings.push(Finding::new("passphrase-weak", Severity::Warn, text).with_remedy("key passwd"));
        }
    }
    if !others.is_empty() {
        let labels: Vec<String> = others.iter().map(|l| format!("\"{}\"", l.shown())).collect();
        findings.push(Finding::new("not-a-private-key", Severity::Info, format!("left aside: {}", labels.join(", "))));
    }
    Review { title: "Keys from a file".to_owned(), facts, findings, verb: "Store them", plan: None }
}

/// Stores one after the other. Each is whole or not there; what was stored before a failure, or before somebody ended it, stays
/// and is named.
async fn store(
    session: &mut Session<'_>,
    place: &Workplace,
    ready: Vec<Ready>,
    elsewhere: &Arc<Elsewhere>,
) -> Result<AllImported, Stop> {
    let ids: Vec<String> = ready.iter().map(|r| r.imported.id.hex()).collect();
    let mut done: Vec<Imported> = Vec::with_capacity(ready.len());
    for (number, Ready { sealed, imported, .. }) in ready.into_iter().enumerate() {
        let what = format!("storing key {} of {}: {}", number + 1, ids.len(), imported.id);
        if told_to_end(session, STORE, &what).await? {
            return Err(Failure::interrupted(what_was_stored(&done, ids.get(number..).unwrap_or_default())).into());
        }
        let (place, elsewhere) = (place.clone(), elsewhere.clone());
        let path = place.trust_dir.key_path(sealed.id());
        // One that is there already stays as it is.
        let deed = if path.exists() { Deed::default() } else { Deed::default().creates(&path, sealed.bytes()) };
        let stored = session.act(STORE, what, deed, move || {
            let failed = |e: KeyError| not_stored(&e, &imported.id.hex());
            Ok(match sealed.store_knowing(&place.trust_dir, &elsewhere, &mut || Ok(())).map_err(failed)? {
                Stored::New(path) => Imported { path, was_there: false, ..imported },
                Stored::AlreadyThere(path) => Imported { path, was_there: true, ..imported },
            })
        });
        match stored.await {
            Ok(one) => done.push(one),
            Err(Stop::Failed(failure)) if failure.did_not_happen == NOTHING => {
                let these = what_was_stored(&done, ids.get(number..).unwrap_or_default());
                return Err(failure.instead(these).into());
            }
            // Whether this one is there is not certain; those after it are not.
            Err(Stop::Failed(failure)) => {
                let after = what_was_stored(&done, ids.get(number + 1..).unwrap_or_default());
                let uncertain = format!("{}; {after}", failure.did_not_happen);
                return Err(failure.instead(uncertain).into());
            }
            Err(stop) => return Err(stop),
        }
    }
    Ok(AllImported(done))
}

/// Which keys were stored, and which were not.
fn what_was_stored(done: &[Imported], not: &[String]) -> String {
    let stored: Vec<String> = done.iter().filter(|k| !k.was_there).map(|k| k.id.hex()).collect();
    let not = if not.is_empty() { String::new() } else { format!("not stored: {}", not.join(", ")) };
    match (stored.is_empty(), not.is_empty()) {
        (true, _) if done.is_empty() => NOTHING.to_owned(),
        (true, true) => "no other key was stored".to_owned(),
        (true, false) => not,
        (false, true) => format!("stored: {}", stored.join(", ")),
        (false, false) => format!("{not}; stored: {}", stored.join(", ")),
    }
}

fn not_stored(error: &KeyError, of: &str) -> Failure {
    not_done(error, of, NOTHING)
}
