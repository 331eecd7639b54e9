//! Several root keys: one comes in beside those that are there, one goes, and how many of them must sign.
use super::{
    NOTHING, Report,
    begin::NEW,
    desk::Desk,
    key_files::certificate,
    keyed::{KeyWork, filled, pins_allow, publish, seen},
    new_keys::{Private, Source},
    report::Outcome,
    road::{Look, READ, reading},
    rotate::field::{CERT, KEY, OLD},
    wanted::{RootAct, RootKeys, usage},
    wishes::Here,
};
use crate::{
    failure::Failure,
    finding::{Finding, Severity},
    keys::{KeyEntry, KeyRole},
    operator::{Field, Form, Session, Step, Stop, Values, as_text},
    repository::change::Basis,
    tuf::{
        change::Change,
        key::PublicKey,
        name::{BaseRole, KeyId},
        role_keys::RoleKeys,
    },
};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// Which key, and how many must sign.
pub const WISH: Step = Step { name: "wish", says: "Say which root key is meant, and how many of them must sign the root." };

/// How many keys must sign.
pub const THRESHOLD: &str = "threshold";
/// The keys that are there and stay: whoever goes on with it sees by them whether the one that was to come has come.
const STAY: &str = "stay";

/// What is to become of the root keys, understood.
struct Chosen {
    goes: Option<KeyId>,
    threshold: Option<u64>,
}

/// Does it.
pub async fn run(mut desk: Desk, wanted: RootKeys, session: &mut Session<'_>) -> Result<Report, Stop> {
    let gun = wanted.gun()?;
    let basis = session.wait(READ, reading(std::slice::from_ref(&gun)), desk.basis(&gun)).await?;
    let now = root_keys(&basis)?;
    // Of work that goes on the answers are kept, and what they were checked against may be there since.
    let values = session.form(WISH, form(&wanted, &now, &desk.here, session.is_resumed())).await?;
    match choose(&mut desk, &basis, (&wanted, &now), &values, session.is_resumed())? {
        Some(()) => publish(desk, &basis, session).await,
        None => Ok(Report::of(gun, Outcome::AsWanted)),
    }
}

/// Makes the plan with what was given for the fields, and touches nothing.
pub async fn look(mut desk: Desk, wanted: &RootKeys, fields: &BTreeMap<&'static str, String>) -> Result<Look, Failure> {
    let gun = wanted.gun()?;
    let basis = desk.basis(&gun).await?;
    let now = root_keys(&basis)?;
    let values = filled(&desk.wanted, &form(wanted, &now, &desk.here, false), fields)?;
    match choose(&mut desk, &basis, (wanted, &now), &values, false)? {
        Some(()) => seen(&desk, &basis),
        None => Ok(Look::nothing(Report::of(gun, Outcome::AsWanted))),
    }
}

fn root_keys(basis: &Basis) -> Result<RoleKeys, Failure> {
    let malformed = |_| Failure::new("not-metadata", "the root names no keys of its own", NOTHING, "");
    basis.collection().root().keys_of(BaseRole::Root).map_err(malformed)
}

/// One key in two certificates is one.
fn distinct(keys: &[PublicKey]) -> BTreeSet<KeyId> {
    keys.iter().map(PublicKey::canonical_id).collect()
}

fn hexes(ids: impl IntoIterator<Item = KeyId>) -> String {
    ids.into_iter().map(|id| id.hex()).collect::<Vec<_>>().join(", ")
}

fn spaced(ids: &BTreeSet<KeyId>) -> String {
    ids.iter().map(KeyId::hex).collect::<Vec<_>>().join(" ")
}

/// What is asked.
fn form(wanted: &RootKeys, now: &RoleKeys, here: &Here, is_resumed: bool) -> Form {
    let ids = distinct(&now.keys);
    let (count, must) = (ids.len(), now.threshold);
    let (title, mut fields, after) = match &wanted.act {
        RootAct::Add => ("One more root key", coming(&ids, here, is_resumed), count + 1),
        RootAct::Remove { key } => ("One root key less", vec![going(ids, key, is_resumed)], count.saturating_sub(1)),
        RootAct::Threshold => ("How many sign the root", Vec::new(), count),
    };
    let is_asked = matches!(wanted.act, RootAct::Threshold);
    let help = if is_asked { "how many root keys must sign" } else { "how many root keys must sign; empty: as now" };
    let threshold = Field::text(THRESHOLD, "Threshold", help).checked(move |typed, _| {
        let needed = match typed.parse::<u64>() {
            Ok(n @ 1..) => n,
            _ if typed.is_empty() && !is_asked => must,
            _ => return Err("it is a number, at least 1".to_owned()),
        };
        match needed <= after as u64 || is_resumed {
            true => Ok(Some(format!("{needed} of {after}; now {must} of {count}"))),
            false => Err(format!("{needed} would have to sign, and there would be {after}; say how many must (at most {after})")),
        }
    });
    fields.push(threshold);
    Form { title: format!("{title}: {}", wanted.gun), fields }
}

/// Which key comes, and beside which.
fn coming(ids: &BTreeSet<KeyId>, here: &Here, is_resumed: bool) -> Vec<Field> {
    let is_root = |e: &&KeyEntry| e.role.as_ref().is_some_and(|r| r.raw() == "root");
    let known: Vec<KeyId> = here.values().filter(is_root).filter_map(|e| e.id).filter(|id| !ids.contains(id)).collect();
    let none = match known.is_empty() {
        true => format!("`{NEW}` makes one; `claviger key load --role root` takes one from a file"),
        false => format!("name one that is here, or `{NEW}` makes one; these are here: {}", hexes(known.iter().copied())),
    };
    let (there, help) = (ids.clone(), "the ID of a root key that is here; `new` makes one");
    let has = move |id: &KeyId| there.contains(id);
    let key = Field::text(KEY, "Root key", help).checked(move |typed, values| match (typed, KeyId::new(typed)) {
        ("", _) if !values.get(CERT).is_empty() => Ok(Some("that of the certificate".to_owned())),
        ("", _) => Err(none.clone()),
        (NEW, _) if !values.get(CERT).is_empty() => Err("a certificate has its key already; leave this empty".to_owned()),
        (NEW, _) => Ok(Some("a new root key is made here".to_owned())),
        (_, Ok(id)) if known.contains(&id) => Ok(Some("it is here".to_owned())),
        (_, Ok(id)) if is_resumed && has(&id) => Ok(Some("it has come".to_owned())),
        (_, Ok(_)) if known.is_empty() => Err(format!("no such root key is here that could come; {none}")),
        (_, Ok(_)) => Err(format!("no such root key is here that could come; these could: {}", hexes(known.iter().copied()))),
        _ => Err("a key ID has 64 hexadecimal digits".to_owned()),
    });
    let help = "empty: one is made for ten years; else a PEM file around the key, naming this repository";
    let there = ids.clone();
    let stay = Field::text(STAY, "Stay", "the root keys that are there").with(spaced(ids)).checked(move |typed, _| {
        match typed == spaced(&there) || is_resumed {
            true => Ok(None),
            false => Err(format!("the root keys that stay are {}", spaced(&there))),
        }
    });
    vec![key, Field::path(CERT, "Certificate", help), stay]
}

/// Which key goes.
fn going(ids: BTreeSet<KeyId>, named: &str, is_resumed: bool) -> Field {
    Field::text(OLD, "Root key", "the ID of the root key that goes").with(named).checked(move |typed, _| {
        let all = || format!("the root keys are {}", hexes(ids.iter().copied()));
        match KeyId::new(typed) {
            _ if ids.len() < 2 && !is_resumed => Err("the root has one key only; add another one first, or rotate it".to_owned()),
            Ok(id) if ids.contains(&id) || is_resumed => Ok(None),
            Ok(_) => Err(format!("the root has no such key; {}", all())),
            Err(_) if typed.is_empty() => Err(format!("name the one that goes; {}", all())),
            Err(_) => Err("a key ID has 64 hexadecimal digits".to_owned()),
        }
    })
}

/// Understands what was filled in. None if work that goes on finds it done.
fn choose(
    desk: &mut Desk,
    basis: &Basis,
    (wanted, now): (&RootKeys, &RoleKeys),
    values: &Values,
    is_resumed: bool,
) -> Result<Option<()>, Failure> {
    let gun = basis.collection().gun();
    let threshold = values.get(THRESHOLD).parse().ok();
    let ids = distinct(&now.keys);
    let (goes, source) = match &wanted.act {
        RootAct::Add => (None, Some(source(values, basis)?)),
        RootAct::Remove { .. } => (KeyId::new(values.get(OLD)).ok(), None),
        RootAct::Threshold => (None, None),
    };
    let comes = match &source {
        Some(Source::There(key)) => Some(key.canonical_id()),
        other => other.as_ref().and_then(Source::around),
    };
    if is_resumed && is_done(desk, values, &ids, (goes, comes)) {
        return Ok(None);
    }
    if let Some(id) = comes.filter(|id| ids.contains(id)) {
        return usage(Err(format!("{id} is a root key of {gun} already")));
    }
    let mut stay = now.keys.clone();
    stay.retain(|k| Some(k.canonical_id()) != goes);
    pins_allow(desk, gun, (&stay, threshold.unwrap_or(now.threshold)), source.as_ref())?;
    desk.comes(source.into_iter().collect());
    desk.chosen = Some(Box::new(Chosen { goes, threshold }));
    Ok(Some(()))
}

/// Whether what was begun is there: the key that was to go has gone, or the one that was to come has come. One that was made
/// for it is known by being here, and not among those that were there before.
fn is_done(desk: &Desk, values: &Values, ids: &BTreeSet<KeyId>, (goes, comes): (Option<KeyId>, Option<KeyId>)) -> bool {
    let before: BTreeSet<KeyId> = values.get(STAY).split(' ').filter_map(|id| KeyId::new(id).ok()).collect();
    match (goes, comes) {
        (Some(id), _) => !ids.contains(&id),
        (None, Some(id)) => ids.contains(&id),
        (None, None) => !before.is_empty() && ids.difference(&before).any(|id| desk.here.contains_key(id)),
    }
}

/// Where the key that comes is.
fn source(values: &Values, basis: &Basis) -> Result<Source, Failure> {
    let held = KeyId::new(values.get(KEY)).ok();
    match (held, values.get(CERT)) {
        (Some(id), "") => Ok(Source::Ours { key: Private::Held(id), certified: true }),
        (None, "") => Ok(Source::Ours { key: Private::Made(KeyRole::Base(BaseRole::Root)), certified: true }),
        (held, file) => {
            let path: &Path = &as_text::path(file);
            let key = certificate(path, basis.collection().gun())?;
            match held.is_some_and(|id| id != key.canonical_id()) {
                true => usage(Err("the certificate is not one of this root key".to_owned())),
                false => Ok(Source::There(key)),
            }
        }
    }
}

impl KeyWork for Chosen {
    fn changes(&self, keys: &[PublicKey], basis: &Basis, _: &Here) -> Result<Vec<Change>, Failure> {
        let now = root_keys(basis)?;
        let mut all = now.keys;
        all.retain(|k| Some(k.canonical_id()) != self.goes);
        for key in keys {
            if !all.iter().any(|k| k.canonical_id() == key.canonical_id()) {
                all.push(key.clone());
            }
        }
        Ok(vec![Change::Keys { role: BaseRole::Root, keys: all, threshold: self.threshold.unwrap_or(now.threshold) }])
    }

    /// A certificate proves nothing of who holds its key.
    fn finding(&self, keys: &[PublicKey], here: &Here) -> Option<Finding> {
        let elsewhere = |k: &&PublicKey| k.is_to_come().is_none() && !here.contains_key(&k.canonical_id());
        let key = keys.iter().find(elsewhere)?.canonical_id();
        let text = format!("The private half of the root key {key} is not here, and nothing here shows that anybody holds it");
        Some(Finding::new("root-key-elsewhere", Severity::Warn, text))
    }
}
