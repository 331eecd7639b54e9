//! Changing the passphrase of a key. Its old one is asked, its new one twice; the file is whole at every moment.
use super::{Workplace, failure::not_done, unlock};
use crate::{
    keys::{self, KeyEntry, Resealed},
    operator::{Deed, Fut, Review, SecretKind, SecretWanted, Session, Step, Stop},
    text::Untrusted,
    trust_dir::shown,
    tuf::name::KeyId,
};
use std::fmt;

/// The new passphrase.
pub const PASSPHRASE: Step = Step { name: "passphrase", says: "Choose the new passphrase." };
/// Encrypting.
pub const SEAL: Step = Step { name: "seal", says: "The key is encrypted anew, in memory." };
/// The look before it is stored.
pub const REVIEW: Step = Step { name: "review", says: "Look at what will change." };
/// Storing it.
pub const STORE: Step = Step { name: "store", says: "The new file takes the place of the old one and is read back." };

/// What has not happened as long as nothing has.
pub const NOTHING: &str = "the key is as it was, with its old passphrase";
/// What to know afterwards.
pub const NEXT: &str = "Copies and backups of the file still have the old passphrase.";

/// A key whose passphrase was changed.
#[derive(Debug, Clone)]
pub struct Changed {
    /// The key.
    pub id: KeyId,
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the key {} has a new passphrase", self.id)
    }
}

/// Changes the passphrase of a listed key.
pub fn run<'s>(place: Workplace, entry: KeyEntry, session: &'s mut Session<'_>) -> Fut<'s, Result<Changed, Stop>> {
    Box::pin(async move {
        place.may_write(NOTHING)?;
        let held = unlock::unlock(session, &entry).await?;
        let name = unlock::called(&entry);
        let wanted = SecretWanted {
            label: name.clone(),
            role: entry.role.as_ref().map(|r| r.raw().to_owned()).unwrap_or_default(),
            key_id: entry.id.map(|id| id.hex()),
            kind: SecretKind::Replacement,
            again: None,
        };
        let given = session.secret(PASSPHRASE, wanted).await?;
        let of = name.clone();
        let resealed = session
            .work(SEAL, format!("encrypting {name}"), move |stop| {
                held.reseal(&given.passphrase, stop).map_err(|e| not_done(&e, &of, NOTHING))
            })
            .await?;
        session.review(REVIEW, review(&entry, &resealed)).await?;
        let deed = Deed::default().replaces(&entry.path, resealed.before(), resealed.bytes());
        session
            .act(STORE, format!("storing {name}"), deed, move || {
                resealed.store(&place.trust_dir).map_err(|e| not_done(&e, &name, NOTHING))?;
                Ok(Changed { id: resealed.id() })
            })
            .await
    })
}

fn review(entry: &KeyEntry, resealed: &Resealed) -> Review {
    let rounds = keys::rounds(resealed.bytes()).unwrap_or_default();
    let mut facts = vec![
        ("Key", resealed.id().hex()),
        ("Role", entry.role.as_ref().map(Untrusted::shown).unwrap_or_default().into()),
        ("File", shown(&entry.path)),
        ("Before", unlock::protection(entry)),
        ("After", format!("the new passphrase, {rounds} rounds of key derivation")),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    Review { title: "A new passphrase".to_owned(), facts, findings: Vec::new(), verb: "Change the passphrase", plan: None }
}
