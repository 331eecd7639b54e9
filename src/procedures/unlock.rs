//! Opening a stored key with the passphrase that somebody gives.
use super::key_failure;
use crate::{
    keys::{Held, KeyEntry, KeyError, Protection},
    operator::{SecretKind, SecretWanted, Session, Step, Stop},
    secret::Passphrase,
    text::Untrusted,
};

/// The passphrase of a stored key.
pub const UNLOCK: Step = Step { name: "unlock", says: "Give the passphrase of the key." };

/// How often a person may try.
const TRIES: usize = 3;

/// Opens a key. A wrong passphrase from a file or a variable fails at once; a person has three tries.
pub async fn unlock(session: &mut Session<'_>, entry: &KeyEntry) -> Result<Held, Stop> {
    opened(session, entry, called(entry), Held::unlock).await
}

/// What a key is opened with: what is listed, the passphrase if there is one, and whether to stop.
type Open<T> = fn(&KeyEntry, Option<&Passphrase>, &dyn Fn() -> bool) -> Result<T, KeyError>;

/// Asks for the passphrase of a key, as often as it may be asked, and does what it opens. `name` is what failures call the key.
pub async fn opened<T: Send + 'static>(
    session: &mut Session<'_>,
    entry: &KeyEntry,
    name: String,
    open: Open<T>,
) -> Result<T, Stop> {
    let mut again = None;
    for last in (0..TRIES).map(|n| n + 1 == TRIES) {
        let given = match needs_passphrase(entry) {
            true => Some(session.secret(UNLOCK, wanted(entry, &again)).await?),
            false => None,
        };
        let typed = given.as_ref().is_some_and(|g| g.source.is_typed());
        let (entry, of) = (entry.clone(), name.clone());
        let opened = session
            .work(UNLOCK, format!("opening {}", called(&entry)), move |stop| {
                Ok(open(&entry, given.as_ref().map(|g| &g.passphrase), stop)
                    .map_err(|e| (e.is_passphrase(), key_failure(&e, &of))))
            })
            .await?;
        match opened {
            Ok(opened) => return Ok(opened),
            Err((true, _)) if typed && !last => again = Some("That passphrase does not open the key.".to_owned()),
            Err((_, failure)) => return Err(failure.into()),
        }
    }
    Err(Stop::Cancelled)
}

/// Whether a passphrase can help: where none can, nobody is asked for one.
fn needs_passphrase(entry: &KeyEntry) -> bool {
    entry.id.is_some() && entry.encrypted() == Some(true)
}

fn wanted(entry: &KeyEntry, again: &Option<String>) -> SecretWanted {
    SecretWanted {
        label: called(entry),
        role: entry.role.as_ref().map(|r| r.raw().to_owned()).unwrap_or_default(),
        key_id: entry.id.map(|id| id.hex()),
        kind: SecretKind::Existing,
        again: again.clone(),
    }
}

/// What protects a key, in words.
pub fn protection(entry: &KeyEntry) -> String {
    match entry.protection {
        Some(Protection::None) => "not encrypted".to_owned(),
        Some(Protection::Pbkdf2 { iterations, .. }) => format!("passphrase, {iterations} rounds of key derivation"),
        Some(Protection::OldPem(_)) => "passphrase, one round of MD5".to_owned(),
        Some(Protection::Unsupported) | None => "unknown".to_owned(),
    }
}

/// What the key is called: its role, the start of its ID, and the repository if it is of one.
pub fn called(entry: &KeyEntry) -> String {
    let role = entry.role.as_ref().map(Untrusted::shown).unwrap_or_default();
    let short: String = entry.id.map_or_else(|| "of unknown ID".to_owned(), |id| id.hex().chars().take(12).collect());
    let of = entry.gun().map(|gun| format!(" of {gun}")).unwrap_or_default();
    format!("{role} key {short}{of}").trim_start().to_owned()
}
