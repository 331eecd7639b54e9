//! What a plan would break, what it leaves broken, and what else somebody should know before it is signed.
use super::{
    Basis,
    audience::{After, is_released},
    roots, vouched,
};
use crate::{
    finding::{Finding, Severity},
    text::Untrusted,
    tuf::{
        change::{Change, Delegate},
        draft::Draft,
        file_meta::FileMeta,
        key::PublicKey,
        name::{BaseRole, RoleName},
        targets::Targets,
        x509::Leaf,
    },
};
use jiff::{Timestamp, ToSpan as _};
use std::collections::BTreeSet;

/// How many names are named before the rest is counted.
const NAMED: usize = 8;
/// How near an end is worth a word, in days.
pub const NEAR: i64 = 180;

/// Everything notable, worst first. What is `asked` for now is no surprise; the other changes may be.
pub fn of(basis: &Basis, draft: &Draft, (changes, asked): (&[Change], &[Change]), after: &After) -> Vec<Finding> {
    let mut all = Vec::new();
    let changed = |role: &RoleName| draft.changed().any(|r| r == role);
    for (role, why) in after.newly_refused() {
        let file = basis.collection.role(role).and_then(|r| r.verified());
        let names = file.map(|f| f.targets().map(|(n, _)| n.to_owned()).collect::<Vec<_>>()).unwrap_or_default();
        let text = match names.len() {
            0 => format!("{role} will not verify any more: {why}"),
            _ => format!(
                "{role} will not verify any more: {why}. What it signs cannot be had until it is signed again: {}",
                some(&names)
            ),
        };
        all.push(Finding::new("role-broken", Severity::Error, text).with_remedy("witness"));
    }
    let wanted = |name: &String| asked.iter().any(|c| matches!(c, Change::Unsign { name: n, .. } if n == name));
    let unpulled: BTreeSet<String> = after.not_pulled().into_iter().filter(|n| !wanted(n)).collect();
    let unlisted: Vec<String> = after.lost().into_iter().filter(|n| !wanted(n) && !unpulled.contains(n)).collect();
    let unpulled: Vec<String> = unpulled.into_iter().collect();
    let mut lost = |says: &str, names: &[String]| {
        if !names.is_empty() {
            all.push(Finding::new("tags-lost", Severity::Error, format!("{says}: {}", some(names))));
        }
    };
    lost("Docker will not pull these any more", &unpulled);
    lost("These, which docker does not pull now either, will not be found any more", &unlisted);
    let signed = |name: &String| asked.iter().any(|c| matches!(c, Change::Sign { name: n, .. } if n == name));
    for (name, from, to) in after.moved().into_iter().filter(|(name, ..)| !signed(name)) {
        let name = Untrusted::new(name.as_str());
        let text = format!(
            "Docker will pull another image as {}: {} instead of {}",
            name.shown(),
            vouched::digest(to),
            vouched::digest(from)
        );
        all.push(Finding::new("another-image", Severity::Error, text));
    }
    vouched::unread(basis, draft, changes, &mut all);
    vouched::below(basis, draft, changes, &mut all);
    vouched::unowned(basis, draft, changes, &mut all);
    let revoked = asked.iter().filter_map(|c| match c {
        Change::Unsign { name, .. } => Some(name),
        _ => None,
    });
    // Whoever names the last tag knows what goes.
    if after.nothing_stays() && revoked.collect::<BTreeSet<_>>().len() != 1 {
        let text = "No tag of the repository stays signed".to_owned();
        all.push(Finding::new("nothing-stays", Severity::Error, text));
    }
    for (name, meta) in changes.iter().filter_map(|c| match c {
        Change::Sign { name, meta, .. } => Some((name, meta)),
        _ => None,
    }) {
        if meta.sha256().is_none() {
            let text = format!("{} has no SHA-256, without which docker pulls nothing", Untrusted::new(name.as_str()).shown());
            all.push(Finding::new("no-sha256", Severity::Error, text));
        }
    }
    for (role, at) in basis.overdue().iter().filter(|(r, _)| !changed(r)) {
        let text = format!("{role} is over since {}, and this plan does not renew it", at.strftime("%Y-%m-%d %H:%M UTC"));
        all.push(Finding::new("still-expired", Severity::Warn, text).with_remedy("renew"));
    }
    let named =
        |role: &RoleName| changes.iter().any(|c| matches!(c, Change::Witness(r) | Change::Renew { role: r, .. } if r == role));
    for (role, at) in basis.overdue().iter().filter(|(r, _)| changed(r) && !named(r)) {
        let one = |(name, meta): (&str, &FileMeta)| format!("{} {}", Untrusted::new(name).shown(), vouched::digest(meta));
        let names: Vec<String> = draft.file(role).map(|f| f.targets().map(one).collect()).unwrap_or_default();
        let text = format!(
            "{role} is over since {}; signing it makes all of it valid again: {}",
            at.strftime("%Y-%m-%d %H:%M UTC"),
            some(&names)
        );
        all.push(Finding::new("revived", Severity::Error, text));
    }
    for (role, version) in basis.unnamed.iter().filter(|(r, v)| **v > 0 && changed(r)) {
        let text = format!(
            "The server keeps version {version} of {role}, which no snapshot names: the role has ended and come back, or the server \
             hides what it says. It begins anew here, without that"
        );
        all.push(Finding::new("begins-anew", Severity::Error, text));
    }
    for (role, file) in draft.taken_over() {
        all.push(taken_over(role, file));
    }
    if basis.ground.is_first_contact {
        let ids: Vec<String> = basis.collection.base_keys(BaseRole::Root).iter().map(|k| k.id().hex()).collect();
        let text = format!(
            "This machine meets the root of {} for the first time; compare its key with the owner's: {}",
            basis.collection.gun(),
            ids.join(", ")
        );
        all.push(Finding::new("root-first-seen", Severity::Warn, text));
    }
    for change in changes {
        if let Change::Delegate(Delegate { role, add_keys, .. }) = change
            && !add_keys.is_empty()
            && let Some(file) = basis.returning.get(role)
        {
            let names: Vec<String> = file.targets().map(|(name, _)| name.to_owned()).collect();
            let what = if names.is_empty() { "no name".to_owned() } else { some(&names) };
            // What docker pulls from is nobody's alone.
            let severity = if is_released(role) && !names.is_empty() { Severity::Error } else { Severity::Warn };
            let text = format!(
                "{role} was here before, and the server keeps its last file. If one of the new keys has signed that, what it says counts \
                 again: {what}. If none has, the role does not hold until it is signed again"
            );
            all.push(Finding::new("role-was-here", severity, text));
        }
    }
    vouched::only_theirs(basis, draft, changes, &mut all);
    keys_that_stay(draft, changes, basis, &mut all);
    delegated(basis, changes, draft, &mut all);
    near_ends(basis, draft, &mut all);
    roots::several(draft, changes, &mut all);
    all.sort_by_key(|f| std::cmp::Reverse(f.severity));
    all
}

fn taken_over(role: &RoleName, file: &Targets) -> Finding {
    let names: Vec<String> = file.targets().map(|(n, _)| n.to_owned()).collect();
    let says = match names.len() {
        0 => "it signs no name".to_owned(),
        _ => format!("it signs {}", some(&names)),
    };
    let text = format!("What {role} says did not verify, and is vouched for anew: {says}");
    Finding::new("vouched-anew", Severity::Error, text)
}

/// Keys of a role that goes which other roles still name.
fn keys_that_stay(draft: &Draft, changes: &[Change], basis: &Basis, all: &mut Vec<Finding>) {
    for change in changes {
        let Change::Undelegate(role) = change else { continue };
        let Some(gone) = basis.collection.role(role) else { continue };
        let ids: BTreeSet<_> = gone.keys.keys.iter().map(|k| k.canonical_id()).collect();
        let names = |r: &&crate::tuf::collection::Role| {
            draft.delegation(&r.name).is_some_and(|(_, keys)| keys.keys.iter().any(|k| ids.contains(&k.canonical_id())))
        };
        let roles: Vec<String> = basis.collection.roles().iter().filter(names).map(|r| r.name.to_string()).collect();
        if !roles.is_empty() {
            let text = format!("The keys of {role} may still sign as {}", some(&roles));
            all.push(Finding::new("key-stays", Severity::Warn, text));
        }
    }
}

/// What is delegated in vain, or not for long; and what it means for whoever signed so far.
fn delegated(basis: &Basis, changes: &[Change], draft: &Draft, all: &mut Vec<Finding>) {
    let is_first = !basis.collection.roles().iter().any(|r| r.name.is_delegation());
    if is_first && changes.iter().any(|c| matches!(c, Change::Delegate(d) if !d.add_keys.is_empty())) {
        let text = "These are the first signers: from now on tags are signed in their roles, and the targets key alone signs none. \
                    Whoever holds it and goes on signing tags has to be a signer too, with a key of their own";
        all.push(Finding::new("first-signers", Severity::Info, text));
    }
    for change in changes {
        let Change::Delegate(delegate @ Delegate { role, .. }) = change else { continue };
        if draft.paths_of(role).is_some_and(|p| p.prefixes().is_empty()) {
            let text = format!("{role} may sign no name: it has no path that those above it may sign");
            all.push(Finding::new("no-paths", Severity::Warn, text));
        }
        all.extend(certificates_near_end(delegate, basis.ground.now));
        all.extend(delegate.add_keys.iter().filter_map(|key| of_somebody_else(basis, draft, role, key)));
    }
}

/// A new key that another role names already.
fn of_somebody_else(basis: &Basis, draft: &Draft, role: &RoleName, key: &PublicKey) -> Option<Finding> {
    let id = key.canonical_id();
    // Every signer's key is in the releases as well.
    let is_somebody = |r: &RoleName| r.is_delegation() && !is_released(r);
    let names = |r: &&RoleName| draft.delegation(r).is_some_and(|(_, keys)| keys.keys.iter().any(|k| k.canonical_id() == id));
    let roles = basis.collection.roles().iter().map(|r| &r.name).filter(|r| is_somebody(r) && *r != role);
    let others: Vec<String> = roles.filter(names).map(ToString::to_string).collect();
    let text = format!("The new key {} of {role} is one of {} too: whoever holds it signs as both", id.short(), some(&others));
    (is_somebody(role) && !others.is_empty()).then(|| Finding::new("shared-key", Severity::Warn, text))
}

/// Certificates of new keys that end soon.
pub fn certificates_near_end(delegate: &Delegate, now: Timestamp) -> Vec<Finding> {
    let Ok(near) = now.checked_add((NEAR * 24).hours()) else { return Vec::new() };
    let ends = |leaf: Leaf| {
        let (role, end) = (&delegate.role, leaf.not_after.strftime("%Y-%m-%d"));
        let text = format!("A certificate of {role} ends on {end}; clients go on taking it");
        Finding::new("certificate-near-end", Severity::Info, text)
    };
    delegate.add_keys.iter().filter_map(|k| k.leaf()).filter(|l| l.not_after < near).map(ends).collect()
}

fn near_ends(basis: &Basis, draft: &Draft, all: &mut Vec<Finding>) {
    let Ok(near) = basis.ground.now.checked_add((NEAR * 24).hours()) else { return };
    let root = basis.collection.root();
    let is_changed = |role: BaseRole| draft.changed().any(|r| r.base() == Some(role));
    if root.expires() < near && root.expires() >= basis.ground.now && !is_changed(BaseRole::Root) {
        let text = format!("The root ends on {}; whoever holds its key should renew it", root.expires().strftime("%Y-%m-%d"));
        all.push(Finding::new("root-near-end", Severity::Warn, text).with_remedy("renew"));
    }
    for key in draft.root().keys_of(BaseRole::Root).map(|k| k.keys).unwrap_or_default() {
        if let Some(leaf) = key.leaf().filter(|l| l.not_after < near) {
            let text = format!(
                "The certificate of the root key {} ends on {}; only a rotation of the root key gives it another",
                key.canonical_id().short(),
                leaf.not_after.strftime("%Y-%m-%d")
            );
            all.push(Finding::new("certificate-near-end", Severity::Warn, text).with_remedy("key rotate"));
        }
    }
}

/// Some names, and how many more there are.
pub fn some(names: &[String]) -> String {
    let mut shown: Vec<String> = names.iter().take(NAMED).map(|n| Untrusted::new(n.as_str()).shown().to_string()).collect();
    if names.len() > NAMED {
        shown.push(format!("and {} more", names.len() - NAMED));
    }
    shown.join(", ")
}
