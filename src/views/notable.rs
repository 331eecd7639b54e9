//! What is notable about a verified repository.
use super::chain::{ChainNode, NodeState};
use crate::{
    finding::{Finding, Remedy, Severity},
    text::{Printable, count},
    trust_dir::TrustDirError,
    tuf::{
        collection::{Anchor, Freshness, Role, TrustedCollection},
        name::{BaseRole, KeyId},
    },
};
use jiff::Timestamp;
use std::collections::HashSet;

/// Days before its end at which a root becomes a warning: six months, because within them Notary re-signs the root on
/// every publish and so locks out whoever has no root key (protocol 12.3).
const ROOT_NEAR: i64 = 183;
/// Days before its end at which another role becomes a warning.
const NEAR: i64 = 30;
/// Days before its end at which another role is worth knowing.
const SOON: i64 = 183;

/// Whole days from `now` to `then`, rounded down.
pub fn days_until(then: Timestamp, now: Timestamp) -> i64 {
    then.duration_since(now).as_secs().div_euclid(86_400)
}

/// What is notable about one role of the chain.
pub(super) fn role(node: &ChainNode, now: Timestamp) -> Vec<Finding> {
    let name = &node.role;
    let mut found = Vec::new();
    if let NodeState::Refused(why) = &node.state {
        let text = format!("{name} is not trusted, nor is anything below it: {}", Printable::from_untrusted(why));
        found.push(Finding { remedy: Some(Remedy("witness")), ..Finding::new("role-refused", Severity::Error, text) });
    }
    let able = node.keys.iter().filter(|k| k.algorithm.may_sign()).count() as u64;
    if able < node.threshold {
        let (need, has) = (count(node.threshold, "signature"), count(able, "usable key"));
        let text = format!("{name} needs {need} and has {has}: it can never be signed again as it is");
        found.push(Finding { remedy: Some(Remedy("signer add")), ..Finding::new("role-keys-missing", Severity::Error, text) });
    }
    for key in node.keys.iter().filter(|k| !k.algorithm.may_sign()) {
        let text = format!("the key {} of {name} ({}) never counts", key.canonical_id.short(), key.algorithm);
        found.push(Finding::new("role-key-unusable", Severity::Warn, text));
    }
    if let Some(at) = node.expires.filter(|_| name.base() != Some(BaseRole::Timestamp)) {
        found.extend(ending(&format!("{name}"), at, now, name.base() == Some(BaseRole::Root), "renew"));
    }
    if name.base() == Some(BaseRole::Root) {
        for key in &node.keys {
            if let Some((_, end)) = &key.certificate {
                found.extend(ending(
                    &format!("the root certificate of key {}", key.canonical_id.short()),
                    *end,
                    now,
                    true,
                    "key rotate",
                ));
            }
        }
    }
    found
}

fn ending(what: &str, at: Timestamp, now: Timestamp, root: bool, remedy: &'static str) -> Option<Finding> {
    let days = days_until(at, now);
    let (severity, code) = match root {
        true if days < ROOT_NEAR => (Severity::Warn, "root-expires-soon"),
        false if days < NEAR => (Severity::Warn, "role-expires-soon"),
        false if days < SOON => (Severity::Info, "role-expires"),
        _ => return None,
    };
    let text = format!("{what} expires in {}, on {}", count(usize::try_from(days).unwrap_or(0), "day"), at.strftime("%Y-%m-%d"));
    Some(Finding { remedy: Some(Remedy(remedy)), ..Finding::new(code, severity, text) })
}

/// What is notable about what a role may sign.
pub(super) fn paths(role: &Role) -> Vec<Finding> {
    let mut found = Vec::new();
    let (stated, real) = (role.stated_paths.prefixes(), role.paths.prefixes());
    if stated.is_empty() {
        found.push(Finding::new(
            "role-without-paths",
            Severity::Warn,
            format!("{} may sign no name at all: it has no paths", role.name),
        ));
    }
    let kept: HashSet<&String> = real.iter().collect();
    let lost: Vec<String> =
        stated.iter().filter(|p| !kept.contains(p)).map(|p| format!("\"{}\"", Printable::from_untrusted(p))).collect();
    if !lost.is_empty() {
        let text = format!("{} may not sign {}: the role above may not either", role.name, lost.join(", "));
        found.push(Finding::new("paths-beyond-parent", Severity::Warn, text));
    }
    if let Some(file) = role.verified() {
        let outside = file.targets().filter(|(n, _)| !role.paths.allow(n)).count();
        if outside > 0 {
            let what = match outside {
                1 => "1 name outside its paths; it is not shown and docker does not pull it".to_owned(),
                n => format!("{n} names outside its paths; they are not shown and docker does not pull them"),
            };
            let text = format!("{} signs {what}", role.name);
            found.push(Finding::new("names-outside-paths", Severity::Warn, text));
        }
    }
    found
}

/// The IDs by which people compare the root: those of the bare keys, as in the names of key files and as every program
/// that shows a key shows it. Certificates have IDs of their own, which are wanted in pins only.
pub fn root_keys(collection: &TrustedCollection) -> Vec<KeyId> {
    collection.base_keys(BaseRole::Root).iter().map(|k| k.canonical_id()).collect()
}

/// What is notable about a repository as a whole.
pub(super) fn collection(
    collection: &TrustedCollection,
    as_of: Option<Timestamp>,
    not_kept: Option<&TrustDirError>,
) -> Vec<Finding> {
    let mut found = Vec::new();
    if collection.anchor() == Anchor::FirstUse {
        let keys = root_keys(collection).iter().map(KeyId::hex).collect::<Vec<_>>().join(", ");
        let text = format!(
            "its root was seen now for the first time and trusted for want of anything to compare it with; its root key is {keys}"
        );
        found.push(Finding { remedy: Some(Remedy("pin set")), ..Finding::new("first-use", Severity::Info, text) });
    }
    if collection.freshness() == Freshness::Cached {
        let expires = collection.timestamp().expires().strftime("%Y-%m-%d");
        let as_of = as_of.map(|t| format!(" as of {}", t.strftime("%Y-%m-%d %H:%M UTC"))).unwrap_or_default();
        let text = format!(
            "the server did not answer; this is what was last seen{as_of}, and it may be out of date (good until {expires})"
        );
        found.push(Finding::new("not-fresh", Severity::Warn, text));
    }
    if let Some(why) = not_kept {
        let text = format!("it was verified but could not be remembered: {}", Printable::from_untrusted(&why.to_string()));
        found.push(Finding::new("not-remembered", Severity::Warn, text));
    }
    found
}
