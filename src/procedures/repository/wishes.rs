//! From what is wanted to the changes that bring it about in one repository.
use super::wanted::{RELEASES, Wanted, ids, role, signer_role, targets, usage};
use crate::{
    failure::Failure,
    finding::{Finding, Severity},
    keys::KeyEntry,
    repository::change::{Basis, NEAR},
    text::Untrusted,
    tuf::{
        change::{Change, Delegate},
        collection::{Role, TrustedCollection},
        file_meta::FileMeta,
        key::PublicKey,
        name::{BaseRole, Gun, KeyId, RoleName},
    },
};
use jiff::ToSpan as _;
use std::collections::{BTreeMap, BTreeSet};

/// Private keys that are here, by their IDs.
pub type Here = BTreeMap<KeyId, KeyEntry>;

/// The changes.
pub fn changes(wanted: &Wanted, keys: &[PublicKey], basis: &Basis, here: &Here) -> Result<Vec<Change>, Failure> {
    let c = basis.collection();
    match wanted {
        Wanted::Sign { tag, sha256, size, signer, .. } => sign(c, tag, &meta(sha256, *size)?, signer.as_deref(), here),
        Wanted::Revoke { tag, .. } => revoke(c, tag.as_deref(), here),
        Wanted::AddSigner { name, .. } => add_signer(name, keys),
        Wanted::RemoveSigner { name, key, .. } => remove_signer(c, name, key.as_deref(), here),
        Wanted::AddDelegation { role: name, paths, threshold, .. } => {
            let mut delegate = Delegate::to(usage(role(name))?);
            delegate.add_keys = keys.to_vec();
            delegate.add_paths = paths.clone();
            delegate.threshold = *threshold;
            Ok(vec![Change::Delegate(delegate)])
        }
        Wanted::RemoveDelegation { role: name, keys, paths, all_paths, .. } => {
            let role = usage(role(name))?;
            if keys.is_empty() && paths.is_empty() && !all_paths {
                return Ok(vec![Change::Undelegate(role)]);
            }
            let mut delegate = Delegate::to(role);
            delegate.remove_keys = usage(ids(keys))?;
            delegate.remove_paths = paths.clone();
            delegate.clear_paths = *all_paths;
            Ok(vec![Change::Delegate(delegate)])
        }
        Wanted::Purge { keys, .. } => purge(c, &usage(ids(keys))?, here),
        Wanted::Witness { roles, .. } => roles.iter().map(|r| Ok(Change::Witness(signable(r, false)?))).collect(),
        Wanted::Leave { who, .. } => leave(c, &keys_of(c, who), here),
        Wanted::Only(inner) | Wanted::Stage(inner) => changes(inner, keys, basis, here),
        // Their changes hang on what is asked, or are staged already.
        Wanted::Rotate(_)
        | Wanted::RootKeys(_)
        | Wanted::Begin(_)
        | Wanted::Delete(_)
        | Wanted::Publish { .. }
        | Wanted::Reset { .. } => Ok(Vec::new()),
        Wanted::Renew { roles, until, .. } => {
            let roles = match roles.is_empty() {
                true => ending(basis),
                false => roles.iter().map(|r| signable(r, true)).collect::<Result<_, _>>()?,
            };
            if until.is_some_and(|until| until <= jiff::Timestamp::now()) {
                return Err(Failure::new("usage", "that end is over already", super::NOTHING, "Give a date to come.").exit(2));
            }
            Ok(roles.into_iter().map(|role| Change::Renew { role, until: *until }).collect())
        }
    }
}

fn meta(sha256: &str, size: i64) -> Result<FileMeta, Failure> {
    let digest =
        KeyId::new(sha256).map_err(|_| Failure::new("usage", "a digest is 64 hexadecimal digits", super::NOTHING, "").exit(2));
    let mut bytes = [0; 32];
    let digits = digest?.hex();
    // It was read as one just now.
    let _ = base16ct::lower::decode(digits.as_bytes(), &mut bytes);
    Ok(FileMeta::from_sha256(size, bytes))
}

/// Docker's rule: where there are delegations, every one directly below `targets` that may sign the name and whose key is here;
/// else `targets`.
fn sign(c: &TrustedCollection, tag: &str, meta: &FileMeta, signer: Option<&str>, here: &Here) -> Result<Vec<Change>, Failure> {
    let direct: Vec<_> = c.roles().iter().filter(|r| r.name.is_child_of(&targets())).collect();
    let is_here = |keys: &[PublicKey]| keys.iter().any(|k| here.contains_key(&k.canonical_id()));
    let mut roles: Vec<RoleName> = match (direct.is_empty(), signer) {
        (true, None) => vec![targets()],
        (true, Some(name)) => {
            return Err(no_signer(c, name));
        }
        (false, None) => direct.iter().filter(|r| is_here(&r.keys.keys) && r.paths.allow(tag)).map(|r| r.name.clone()).collect(),
        (false, Some(name)) => {
            let own = usage(role(&signer_role(name)))?;
            let found = direct.iter().find(|r| r.name == own).ok_or_else(|| no_signer(c, name))?;
            let releases = direct.iter().filter(|r| {
                r.name.as_str() == RELEASES
                    && r.keys.keys.iter().any(|k| found.keys.keys.iter().any(|o| o.canonical_id() == k.canonical_id()))
            });
            if !found.paths.allow(tag) {
                let paths: Vec<String> =
                    found.paths.prefixes().iter().map(|p| Untrusted::new(p.as_str()).shown().to_string()).collect();
                let message = format!("{own} may sign only what begins with {}", paths.join(" or "));
                let hint = format!("`claviger delegation add {} {own} --paths …` lets it sign more.", c.gun().word());
                return Err(Failure::new("not-admitted", message, super::NOTHING, hint));
            }
            let may = |r: &&&Role| r.paths.allow(tag);
            [found].into_iter().chain(releases).filter(may).map(|r| r.name.clone()).collect()
        }
    };
    roles.sort();
    if roles.is_empty() {
        let may: Vec<&&Role> = direct.iter().filter(|r| r.paths.allow(tag)).collect();
        let all: Vec<String> = may
            .iter()
            .flat_map(|r| r.keys.keys.iter().map(move |k| format!("{} {}", r.name, k.canonical_id().short())))
            .collect();
        let shown = Untrusted::new(tag);
        let (message, hint) = match all.is_empty() {
            true => (
                format!("{} may be signed by delegations only, and none of them may sign \"{}\"", c.gun(), shown.shown()),
                format!(
                    "`claviger delegation list {0}` says what each may sign; `claviger delegation add {0} ROLE --paths …` lets one sign \
                     more, `claviger signer add` brings one who may sign any name.",
                    c.gun().word()
                ),
            ),
            false => (
                format!(
                    "{} may be signed by delegations only, and no key of one that may sign \"{}\" is here; these may: {}",
                    c.gun(),
                    shown.shown(),
                    all.join(", ")
                ),
                "Load the key of a signer (`claviger key load`), or have one added (`claviger signer add`) by whoever has the \
                 targets key."
                    .to_owned(),
            ),
        };
        return Err(Failure::new("no-signing-key", message, super::NOTHING, hint));
    }
    Ok(roles.into_iter().map(|role| Change::Sign { role, name: tag.to_owned(), meta: meta.clone() }).collect())
}

fn no_signer(c: &TrustedCollection, name: &str) -> Failure {
    let message = format!("{} has no signer {}", c.gun(), Untrusted::new(name).shown());
    Failure::new("no-such-signer", message, super::NOTHING, format!("`claviger signer list {}` lists them.", c.gun().word()))
}

/// Out of every role that can be signed here.
fn revoke(c: &TrustedCollection, tag: Option<&str>, here: &Here) -> Result<Vec<Change>, Failure> {
    let mut all = Vec::new();
    let mut left = BTreeSet::new();
    for (role, name, _) in c.signed().filter(|(_, name, _)| tag.is_none_or(|t| t == *name)) {
        let need = usize::try_from(role.keys.threshold).unwrap_or(usize::MAX);
        let can = role.keys.keys.iter().filter(|k| here.contains_key(&k.canonical_id())).count() >= need;
        match can {
            true => all.push(Change::Unsign { role: role.name.clone(), name: name.to_owned() }),
            false => drop(left.insert(role.name.clone())),
        }
    }
    let shown = tag.map_or_else(|| "any tag".to_owned(), |t| format!("the tag {}", Untrusted::new(t).shown()));
    let unread: Vec<String> = c.refused().map(|(role, _)| role.to_string()).collect();
    if all.is_empty() && left.is_empty() && !unread.is_empty() {
        let message = format!("nobody who can be verified signs {shown} in {}; {} cannot be", c.gun(), unread.join(", "));
        let hint = format!("`claviger repo show {}` says why; `claviger witness` brings a role back.", c.gun().word());
        return Err(Failure::new("not-all", message, super::NOTHING, hint));
    }
    if all.is_empty() && left.is_empty() {
        let message = format!("nobody signs {shown} in {}", c.gun());
        return Err(Failure::new(
            "no-such-tag",
            message,
            super::NOTHING,
            format!("`claviger tags {}` lists what is signed.", c.gun().word()),
        ));
    }
    if !left.is_empty() {
        let roles: Vec<String> = left.iter().map(ToString::to_string).collect();
        let shown = if tag.is_none() { "some tags".to_owned() } else { shown };
        let message = format!("{shown} would stay signed by {}, whose keys are not here", roles.join(", "));
        return Err(Failure::new(
            "not-all",
            message,
            super::NOTHING,
            "Have those who hold these keys revoke it too; or remove them with `claviger signer remove`.",
        ));
    }
    Ok(all)
}

fn add_signer(name: &str, keys: &[PublicKey]) -> Result<Vec<Change>, Failure> {
    Ok(signer_roles(name, keys)?.into_iter().map(Change::Delegate).collect())
}

/// What is delegated to a signer.
pub fn signer_roles(name: &str, keys: &[PublicKey]) -> Result<Vec<Delegate>, Failure> {
    let of = |role| {
        let mut delegate = Delegate::to(role);
        delegate.add_keys = keys.to_vec();
        delegate.add_paths = vec![String::new()];
        delegate
    };
    Ok(vec![of(usage(role(&signer_role(name)))?), of(usage(role(RELEASES))?)])
}

fn remove_signer(c: &TrustedCollection, name: &str, key: Option<&str>, here: &Here) -> Result<Vec<Change>, Failure> {
    let own = usage(role(&signer_role(name)))?;
    let signer = c.role(&own).ok_or_else(|| no_signer(c, name))?;
    let wanted = key.map(|k| usage(ids(&[k.to_owned()]))).transpose()?.unwrap_or_default();
    let theirs: Vec<KeyId> =
        signer.keys.keys.iter().map(PublicKey::canonical_id).filter(|id| key.is_none() || wanted.contains(id)).collect();
    if theirs.is_empty() {
        let message = format!("{} has no such key in {}", Untrusted::new(name).shown(), c.gun());
        return Err(Failure::new(
            "no-such-key",
            message,
            super::NOTHING,
            format!("`claviger signer list {}` lists the keys.", c.gun().word()),
        ));
    }
    let mut all = Vec::new();
    let releases = usage(role(RELEASES))?;
    if let Some(r) = c.role(&releases) {
        let (go, stay): (Vec<_>, Vec<_>) = r.keys.keys.iter().map(PublicKey::canonical_id).partition(|id| theirs.contains(id));
        match stay.is_empty() {
            _ if go.is_empty() => {}
            // Nobody would be left to sign what docker pulls, and a role without keys blocks everybody who publishes.
            true => all.push(Change::Undelegate(releases)),
            false => {
                let mut delegate = Delegate::to(releases.clone());
                delegate.remove_keys = go;
                all.push(Change::Delegate(delegate));
                all.extend(healed(r, &theirs, here));
            }
        }
    }
    let all_of_them = theirs.len() == signer.keys.keys.len();
    all.push(match all_of_them {
        true => Change::Undelegate(own),
        false => {
            let mut delegate = Delegate::to(own);
            delegate.remove_keys = theirs;
            Change::Delegate(delegate)
        }
    });
    Ok(all)
}

/// Signs a role again that would not hold without these keys, where the others are here.
fn healed(r: &Role, gone: &[KeyId], here: &Here) -> Option<Change> {
    let stay: Vec<&PublicKey> = r.keys.keys.iter().filter(|k| !gone.contains(&k.canonical_id())).collect();
    let signed = r.verified().map(|v| v.signed_by().to_vec())?;
    let holds = stay.iter().filter(|k| signed.contains(&k.id())).count() as u64 >= r.keys.threshold;
    let can = stay.iter().filter(|k| here.contains_key(&k.canonical_id())).count() as u64 >= r.keys.threshold;
    (!holds && can).then(|| Change::Witness(r.name.clone()))
}

/// The keys of a signer in one repository; or the one key that is named.
pub fn keys_of(c: &TrustedCollection, who: &str) -> BTreeSet<KeyId> {
    match (KeyId::new(who), role(&signer_role(who))) {
        (Ok(id), _) => {
            let names = |r: &Role| r.name.is_delegation() && r.keys.keys.iter().any(|k| k.canonical_id() == id);
            c.roles().iter().any(names).then_some(id).into_iter().collect()
        }
        (_, Ok(own)) => c.role(&own).map(|r| r.keys.keys.iter().map(PublicKey::canonical_id).collect()).unwrap_or_default(),
        _ => BTreeSet::new(),
    }
}

/// For somebody whom no repository that was read knows.
pub fn unknown(gun: &Gun, who: &str) -> Failure {
    let who = Untrusted::new(who);
    let message = match KeyId::new(who.raw()) {
        Ok(id) => format!("{gun}: no role names the key {id}"),
        Err(_) => format!("{gun}: nobody is called {} in what was read; keys may stand in other roles", who.shown()),
    };
    let hint = format!("`claviger delegation list {}` lists roles and keys. A key is named by its whole ID.", gun.word());
    Failure::new("no-such-signer", message, super::NOTHING, hint)
}

/// These keys out of every role; nothing where nobody knows them.
pub fn leave(c: &TrustedCollection, keys: &BTreeSet<KeyId>, here: &Here) -> Result<Vec<Change>, Failure> {
    let names = |r: &Role| r.name.is_delegation() && r.keys.keys.iter().any(|k| keys.contains(&k.canonical_id()));
    let keys: Vec<KeyId> = keys.iter().copied().collect();
    if c.roles().iter().any(names) { purge(c, &keys, here) } else { Ok(Vec::new()) }
}

/// Roles that are not those of the name that leaves, and go because they have no other keys: somebody else signs there, or
/// nobody does any more.
pub fn others_who_leave(who: &str, changes: &[Change]) -> Vec<Finding> {
    let own = signer_role(who);
    let is_theirs = |r: &RoleName| r.as_str() == own || r.as_str().starts_with(&format!("{own}/"));
    let gone = changes.iter().filter_map(|c| match c {
        Change::Undelegate(role) if KeyId::new(who).is_err() && !is_theirs(role) => Some(role),
        _ => None,
    });
    let says = |role: &RoleName| {
        let who = Untrusted::new(who);
        format!("{role} has no key but those of {}, and goes with them, whoever else signs there", who.shown())
    };
    gone.map(|role| Finding::new("goes-too", Severity::Error, says(role))).collect()
}

/// Keys out of every role that names them. What the keys that stay can vouch for, and have not, they sign again.
pub fn purge(c: &TrustedCollection, keys: &[KeyId], here: &Here) -> Result<Vec<Change>, Failure> {
    let mut all = Vec::new();
    let mut gone: Vec<String> = Vec::new();
    for r in c.roles().iter().filter(|r| r.name.is_delegation()) {
        if gone.iter().any(|above| r.name.as_str().starts_with(above)) {
            continue;
        }
        let named: Vec<KeyId> = r.keys.keys.iter().map(PublicKey::canonical_id).filter(|id| keys.contains(id)).collect();
        if named.is_empty() {
            continue;
        }
        match named.len() == r.keys.keys.len() {
            true => {
                gone.push(format!("{}/", r.name));
                all.push(Change::Undelegate(r.name.clone()));
            }
            false => {
                let mut delegate = Delegate::to(r.name.clone());
                delegate.remove_keys = named;
                all.push(Change::Delegate(delegate));
                all.extend(healed(r, keys, here));
            }
        }
    }
    if all.is_empty() {
        let named: Vec<String> = keys.iter().map(KeyId::short).collect();
        let message = format!("no role of {} names {}", c.gun(), named.join(", "));
        return Err(Failure::new(
            "no-such-key",
            message,
            super::NOTHING,
            format!("`claviger delegation list {}` lists the keys.", c.gun().word()),
        ));
    }
    Ok(all)
}

/// A role that can be signed again by itself.
fn signable(name: &str, with_root: bool) -> Result<RoleName, Failure> {
    let role = usage(role(name))?;
    match role.base() {
        Some(BaseRole::Snapshot | BaseRole::Timestamp) => {
            let why = format!("the {role} is made anew with every publication; name another role");
            Err(Failure::new("usage", why, super::NOTHING, "").exit(2))
        }
        Some(BaseRole::Root) if !with_root => {
            let hint = "`claviger renew GUN --role root` signs the root again.";
            Err(Failure::new("usage", "the root has no witness", super::NOTHING, hint).exit(2))
        }
        _ => Ok(role),
    }
}

/// Roles that have expired or will be worth a word soon, but for those that the server renews.
fn ending(basis: &Basis) -> Vec<RoleName> {
    let near = jiff::Timestamp::now().checked_add((NEAR * 24).hours()).unwrap_or(jiff::Timestamp::MAX);
    let c = basis.collection();
    let root = (c.root().expires() < near).then(|| RoleName::from(BaseRole::Root));
    let others = c.roles().iter().filter(|r| r.verified().is_some_and(|v| v.expires() < near)).map(|r| r.name.clone());
    root.into_iter().chain(others).collect()
}
