//! Another key for a role: the new one in, what it must vouch for signed again, the old one out, in one publication.
use super::{
    NOTHING, Report,
    desk::Desk,
    key_files::{certificate, public_keys},
    keyed::{KeyWork, filled, pins_allow, publish, seen},
    new_keys::{Private, Source},
    report::Outcome,
    road::{Look, READ, reading},
    wanted::{Rotation, role, usage},
    wishes::Here,
};
use crate::{
    failure::Failure,
    finding::{Finding, Severity},
    keys::{KeyEntry, KeyRole},
    notary::ServerRole,
    operator::{Choice, Field, Form, Session, Step, Stop, Values, as_text},
    repository::change::Basis,
    tuf::{
        change::{Change, Delegate},
        key::PublicKey,
        name::{BaseRole, KeyId, RoleName},
    },
};
use std::collections::BTreeMap;

/// Which key goes, and which comes.
pub const WISH: Step = Step { name: "wish", says: "Say which key goes, and where the new one comes from." };

/// The names of the fields, which are those of the command line.
pub mod field {
    /// The key that goes.
    pub const OLD: &str = "old";
    /// The one that comes.
    pub const KEY: &str = "key";
    /// Who keeps it.
    pub const KEEPER: &str = "keeper";
    /// The certificate in which it stands.
    pub const CERT: &str = "cert";
}

/// The server keeps the key.
pub const SERVER: &str = "server";
/// It is kept here.
pub const LOCAL: &str = "local";

/// A rotation, understood.
#[derive(Debug, Clone)]
pub struct Chosen {
    role: RoleName,
    old: Option<KeyId>,
}

/// Does it.
pub async fn run(mut desk: Desk, rotation: Rotation, session: &mut Session<'_>) -> Result<Report, Stop> {
    let gun = rotation.gun()?;
    let basis = session.wait(READ, reading(std::slice::from_ref(&gun)), desk.basis(&gun)).await?;
    let role = usage(role(&rotation.role))?;
    let form = form(&basis, &role, &desk.here)?;
    let values = session.form(WISH, form).await?;
    let Some(()) = choose(&mut desk, &basis, role, &values, session.is_resumed())? else {
        return Ok(Report::of(gun, Outcome::AsWanted));
    };
    publish(desk, &basis, session).await
}

/// Makes the plan with what was given for the fields, and touches nothing.
pub async fn look(mut desk: Desk, rotation: &Rotation, fields: &BTreeMap<&'static str, String>) -> Result<Look, Failure> {
    let gun = rotation.gun()?;
    let basis = desk.basis(&gun).await?;
    let role = usage(role(&rotation.role))?;
    let form = form(&basis, &role, &desk.here)?;
    let values = filled(&desk.wanted, &form, fields)?;
    match choose(&mut desk, &basis, role, &values, false)? {
        Some(()) => seen(&desk, &basis),
        None => Ok(Look::nothing(Report::of(gun, Outcome::AsWanted))),
    }
}

/// What is asked: which key goes, and where the new one comes from.
fn form(basis: &Basis, role: &RoleName, here: &Here) -> Result<Form, Failure> {
    let current = current(basis, role)?;
    let ids: Vec<KeyId> = current.iter().map(PublicKey::canonical_id).collect();
    let initial = match ids.as_slice() {
        [one] => one.hex(),
        _ => String::new(),
    };
    let several = format!("{role} has several keys; name the one that goes: {}", hexes(&ids));
    let old =
        Field::text(field::OLD, "Old key", "the ID of the key of this role that goes").with(initial).checked(move |typed, _| {
            match typed {
                "" => Err(several.clone()),
                typed => KeyId::new(typed).map(|_| None).map_err(|_| "a key ID has 64 hexadecimal digits".to_owned()),
            }
        });
    let mut fields = vec![old];
    let is_root = |e: &KeyEntry| e.role.as_ref().is_some_and(|r| r.raw() == "root");
    let fits = here.iter().filter(|(_, e)| role.base() != Some(BaseRole::Root) || is_root(e));
    let (is_here, is_delegation) = (fits.map(|(id, _)| *id).collect::<Vec<_>>(), role.is_delegation());
    let of = if role.base() == Some(BaseRole::Root) { "root " } else { "" };
    let key = Field::path(field::KEY, "New key", "empty: a new one is made here; else the ID of a key that is here").checked(
        move |typed, values| match KeyId::new(typed) {
            Ok(id) if is_here.contains(&id) => Ok(Some("it is here".to_owned())),
            Ok(_) => Err(format!("no such {of}key is here; `claviger key load` takes it from a file")),
            Err(_) if typed.is_empty() && values.get(field::KEEPER) == SERVER => Ok(Some("the server makes one".to_owned())),
            Err(_) if typed.is_empty() => Ok(Some("a new one is made here".to_owned())),
            Err(_) if is_delegation => Ok(Some("the file of a public key".to_owned())),
            Err(_) => Err("a key ID has 64 hexadecimal digits".to_owned()),
        },
    );
    match role.base() {
        Some(BaseRole::Timestamp) => {}
        Some(BaseRole::Snapshot) => {
            let keepers = vec![
                Choice { value: SERVER, meaning: "the server makes it and signs by itself, so that others can publish too" },
                Choice { value: LOCAL, meaning: "it is kept here, and whoever publishes needs it" },
            ];
            let by = "who signs which versions belong together";
            // Who keeps it now is taken where nothing is said.
            let is_ours = ids.iter().any(|id| here.contains_key(id));
            fields.push(Field::choice(field::KEEPER, "Kept by", by, keepers).with(if is_ours { LOCAL } else { SERVER }));
            fields.push(key);
        }
        Some(BaseRole::Root) => {
            fields.push(key);
            let help = "empty: one is made for ten years; else a PEM file around the new key, naming this repository";
            fields.push(Field::path(field::CERT, "Certificate", help));
        }
        _ => fields.push(key),
    }
    Ok(Form { title: format!("Another {role} key"), fields })
}

fn hexes(ids: &[KeyId]) -> String {
    ids.iter().map(KeyId::hex).collect::<Vec<_>>().join(", ")
}

fn current(basis: &Basis, role: &RoleName) -> Result<Vec<PublicKey>, Failure> {
    let c = basis.collection();
    match role.base() {
        Some(base) => Ok(c.base_keys(base)),
        None => c.role(role).map(|r| r.keys.keys.clone()).ok_or_else(|| {
            let hint = format!("`claviger delegation list {}` lists the roles.", c.gun().word());
            Failure::new("no-such-role", format!("{} has no role {role}", c.gun()), NOTHING, hint)
        }),
    }
}

/// Understands what was filled in. None if work that goes on finds the key gone that was to go: there had been a plan, so it
/// was one.
fn choose(desk: &mut Desk, basis: &Basis, role: RoleName, values: &Values, is_resumed: bool) -> Result<Option<()>, Failure> {
    let c = basis.collection();
    let typed = values.get(field::OLD);
    let old = usage(KeyId::new(typed).map_err(|_| format!("{} is no key ID", crate::text::Untrusted::new(typed).shown())))?;
    if !current(basis, &role)?.iter().any(|k| k.canonical_id() == old) {
        if is_resumed {
            return Ok(None);
        }
        let hint = format!("`claviger repo show {}` lists the keys of each role.", c.gun().word());
        return Err(Failure::new("no-such-key", format!("{role} has no key {old}"), NOTHING, hint));
    }
    let by_server = role.base() == Some(BaseRole::Timestamp) || values.get(field::KEEPER) == SERVER;
    let certified = role.base() == Some(BaseRole::Root);
    let held = KeyId::new(values.get(field::KEY)).ok();
    let source = match (role.base(), values.get(field::KEY), values.get(field::CERT)) {
        (Some(BaseRole::Timestamp), ..) => Source::Server { role: ServerRole::Timestamp, new: true },
        (Some(BaseRole::Snapshot), "", _) if by_server => Source::Server { role: ServerRole::Snapshot, new: true },
        (Some(BaseRole::Snapshot), ..) if by_server => {
            return usage(Err("a key of yours cannot be the server's; leave out one of the two".to_owned()));
        }
        (Some(BaseRole::Root), _, file) if !file.is_empty() => Source::There(certificate(&as_text::path(file), c.gun())?),
        (None, file, _) if !file.is_empty() && held.is_none() => {
            let mut keys = public_keys(&[file.to_owned()])?;
            Source::There(keys.remove(0))
        }
        (base, ..) => {
            let made = || base.map_or_else(|| KeyRole::Signer(signer_name(&role)), KeyRole::Base);
            Source::Ours { key: held.map_or_else(|| Private::Made(made()), Private::Held), certified }
        }
    };
    let new = match &source {
        Source::There(key) => Some(key.canonical_id()),
        other => other.around(),
    };
    let affected = c.roles().iter().filter(|r| role.is_delegation() && r.keys.keys.iter().any(|k| k.canonical_id() == old));
    let has = |keys: &[PublicKey]| keys.iter().any(|k| Some(k.canonical_id()) == new);
    let taken = affected.filter(|r| has(&r.keys.keys)).map(|r| r.name.to_string()).next();
    let is_same_root = certified && new == Some(old);
    if let Some(id) = new
        && !is_same_root
        && (taken.is_some() || has(&current(basis, &role)?))
    {
        let of = taken.unwrap_or_else(|| role.to_string());
        return usage(Err(format!("{id} is a key of {of} already; take the old one out instead")));
    }
    if let Some(BaseRole::Root) = role.base() {
        let threshold = c.root().keys_of(BaseRole::Root).map_or(1, |k| k.threshold);
        let mut stay = current(basis, &role)?;
        stay.retain(|k| k.canonical_id() != old);
        pins_allow(desk, c.gun(), (&stay, threshold), Some(&source))?;
    }
    desk.comes(vec![source]);
    // A server's key takes the place of all others.
    desk.chosen = Some(Box::new(Chosen { role, old: (!by_server).then_some(old) }));
    Ok(Some(()))
}

fn signer_name(role: &RoleName) -> String {
    let name = role.as_str().trim_start_matches("targets/").replace('/', "-");
    if name == "releases" { "delegation".to_owned() } else { name }
}

impl KeyWork for Chosen {
    /// The changes that bring the new key in and the old one out.
    fn changes(&self, keys: &[PublicKey], basis: &Basis, here: &Here) -> Result<Vec<Change>, Failure> {
        let Some(new) = keys.first() else { return Ok(Vec::new()) };
        match self.role.base() {
            Some(base) => Ok(self.of_base(base, new, basis)),
            None => self.of_delegations(new, basis, here),
        }
    }

    /// Who publishes signs the snapshot, where the server does not.
    fn finding(&self, keys: &[PublicKey], here: &Here) -> Option<Finding> {
        if let Some(old) = self.old.filter(|old| self.role.is_delegation() && !here.contains_key(old)) {
            let takes = keys.iter().any(|new| new.will_be_here() || here.contains_key(&new.canonical_id()));
            let who = if takes { ", and this machine signs in their place, what they have signed as it is" } else { "" };
            let text = format!(
                "The key {} that goes is not here: whoever holds it can sign nothing any more as {} or another role that names it{who}",
                old.hex(),
                self.role
            );
            return Some(Finding::new("taken-over", if takes { Severity::Error } else { Severity::Warn }, text));
        }
        let is_ours = self.role.base() == Some(BaseRole::Snapshot) && self.old.is_some();
        let text =
            "Only machines with the new snapshot key can publish from then on; with -r the server has it, and others can too";
        is_ours.then(|| Finding::new("snapshot-kept-here", Severity::Warn, text.to_owned()))
    }
}

impl Chosen {
    fn of_base(&self, role: BaseRole, new: &PublicKey, basis: &Basis) -> Vec<Change> {
        let c = basis.collection();
        let threshold = c.root().keys_of(role).map_or(1, |k| k.threshold);
        let Some(old) = self.old else { return vec![Change::Keys { role, keys: vec![new.clone()], threshold: 1 }] };
        let mut keys = c.base_keys(role);
        keys.retain(|k| k.canonical_id() != old && k.id() != new.id());
        keys.push(new.clone());
        vec![Change::Keys { role, keys, threshold }]
    }

    /// Every role that names the old key names the new one instead, and is signed again where that is possible here.
    fn of_delegations(&self, new: &PublicKey, basis: &Basis, here: &Here) -> Result<Vec<Change>, Failure> {
        let Some(old) = self.old else { return Ok(Vec::new()) };
        let mut all = Vec::new();
        let is_here = |k: &PublicKey| k.is_to_come().is_some() || here.contains_key(&k.canonical_id());
        for r in basis.collection().roles().iter().filter(|r| r.name.is_delegation()) {
            if !r.keys.keys.iter().any(|k| k.canonical_id() == old) {
                continue;
            }
            let mut delegate = Delegate::to(r.name.clone());
            delegate.remove_keys = vec![old];
            delegate.add_keys = vec![new.clone()];
            all.push(Change::Delegate(delegate));
            let stay = r.keys.keys.iter().filter(|k| k.canonical_id() != old);
            let can = stay.chain([new]).filter(|k| is_here(k)).count() as u64 >= r.keys.threshold;
            if r.verified().is_some() && can {
                all.push(Change::Witness(r.name.clone()));
            }
        }
        Ok(all)
    }
}
