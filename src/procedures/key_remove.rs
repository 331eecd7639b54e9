//! Removing a key: what needs it and what copies there are is shown, and the start of its ID has to be typed.
use super::{Workplace, failure::not_done, unlock};
use crate::{
    keys::{self, Doomed, KeyEntry},
    operator::{Confirm, Deed, Fut, Session, Step, Stop},
    trust_dir::shown,
    views::keys::key_rows,
};
use std::{fmt, path::PathBuf};

/// Looking.
pub const LOOK: Step = Step { name: "look", says: "What needs the key, and where else it is, is looked at." };
/// The confirmation.
pub const CONFIRM: Step = Step { name: "confirm", says: "Read what is lost with the key, and type the start of its ID." };
/// Removing it.
pub const REMOVE: Step = Step { name: "remove", says: "The file is removed." };

/// What has not happened as long as nothing has.
pub const NOTHING: &str = "the key is still there";
/// What to know afterwards.
pub const NEXT: &str = "Copies and backups of it stay where they are.";
/// Repositories that are named.
const NAMED: usize = 8;

/// A key that was removed.
#[derive(Debug, Clone)]
pub struct Removed {
    /// What it was called.
    pub name: String,
    /// Where it was.
    pub path: PathBuf,
}

impl fmt::Display for Removed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the file {} was removed", shown(&self.path))
    }
}

/// Removes a listed key.
pub fn run<'s>(place: Workplace, entry: KeyEntry, session: &'s mut Session<'_>) -> Fut<'s, Result<Removed, Stop>> {
    Box::pin(async move {
        place.may_write(NOTHING)?;
        let name = unlock::called(&entry);
        let (looked, of, called) = (entry.clone(), place.clone(), name.clone());
        let (doomed, confirm) = session
            .work(LOOK, format!("looking at what needs the {name}"), move |_| {
                let doomed = Doomed::read(&looked).map_err(|e| not_done(&e, &called, NOTHING))?;
                Ok((doomed, confirm(&of, &looked)))
            })
            .await?;
        session.confirm(CONFIRM, confirm).await?;
        let path = entry.path.clone();
        let deed = Deed::default().removes(&path, doomed.bytes());
        session
            .act(REMOVE, format!("removing {}", shown(&path)), deed, move || {
                doomed.remove(&place.trust_dir).map_err(|e| not_done(&e, &name, NOTHING))?;
                Ok(Removed { name, path })
            })
            .await
    })
}

fn confirm(place: &Workplace, entry: &KeyEntry) -> Confirm {
    let others: Vec<String> = keys::list(&place.trust_dir)
        .entries
        .into_iter()
        .filter(|e| e.id.is_some() && e.id == entry.id && e.path != entry.path)
        .map(|e| shown(&e.path))
        .collect();
    let used = key_rows(&place.trust_dir).rows.into_iter().find(|r| r.path == entry.path).map(|r| r.used_by).unwrap_or_default();
    let mut consequences = Vec::new();
    match used.len() {
        0 => consequences.push("No repository in the cache names this key; others may.".to_owned()),
        n => {
            let mut named: Vec<String> = used.iter().take(NAMED).map(|(gun, role)| format!("{gun} ({role})")).collect();
            if n > NAMED {
                named.push(format!("{} more", n - NAMED));
            }
            consequences
                .push(format!("These repositories name it: {}. Without it their role cannot be signed.", named.join(", ")));
        }
    }
    if entry.problems.iter().any(|p| p.code == keys::problem::code::MORE_BLOCKS) {
        consequences.push("The file holds more than one PEM block; all of them go, and another one may be a key too.".to_owned());
    }
    match others.len() {
        0 => consequences.push("No other copy of it is known here. Without a backup it is lost for ever.".to_owned()),
        _ => consequences.push(format!("Other files that claim the same ID stay: {}.", others.join(", "))),
    }
    Confirm {
        title: format!("{} will be removed: {}", unlock::called(entry), shown(&entry.path)),
        consequences,
        typed: typed(entry),
    }
}

/// What has to be typed: the start of the ID, or the file's name where there is none.
fn typed(entry: &KeyEntry) -> String {
    match entry.id {
        Some(id) => id.hex().chars().take(12).collect(),
        None => entry
            .path
            .file_name()
            .map(|n| crate::text::Untrusted::from_bytes(n.as_encoded_bytes()).shown().into())
            .unwrap_or_default(),
    }
}
