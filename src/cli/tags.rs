//! `tags`, `inspect`, `signer list`, `delegation list`: what a repository signs, and who may sign.
use super::{
    context::Context,
    output::{self, Failure},
};
use crate::{
    repository::{Loaded, Mode},
    tuf::{
        collection::{Role, TrustedCollection},
        name::RoleName,
    },
    views::{
        columns::columns,
        docker::{Inspected, inspect_json, inspect_pretty},
        tags::{TagRow, releases, signer_name, tag_rows},
    },
};
use serde_json::{Value, json};

/// Lists what a repository signs. Prints what verified; exit status 3 if any role was refused.
pub async fn tags(context: &Context, typed: &str) -> Result<(), Failure> {
    let loaded = load(context, typed).await?;
    if context.options.json {
        let list: Vec<_> = tag_rows(&loaded.collection).iter().map(row_json).collect();
        output::say_json(&list.into())?;
    } else {
        output::say(&tags_text(&loaded.collection))?;
    }
    context.refused_roles(&loaded)
}

/// What a repository signs, for people.
pub fn tags_text(c: &TrustedCollection) -> String {
    let rows = tag_rows(c);
    if rows.is_empty() {
        return format!("{} signs nothing.\n", c.gun());
    }
    let mut lines = vec![HEADS.map(str::to_owned)];
    lines.extend(rows.iter().map(row_text));
    columns(&lines, 0, 3)
}

/// What the columns of a list of tags are.
pub const HEADS: [&str; 5] = ["NAME", "DIGEST", "SIZE", "ROLES", "RELEASED"];

/// A signed name as a line.
pub fn row_text(t: &TagRow) -> [String; 5] {
    let roles: Vec<&str> = t.roles.iter().map(RoleName::as_str).collect();
    let released = if t.released { "yes" } else { "no" };
    [t.name.shown().into(), t.digest_hex(), t.size.to_string(), roles.join(", "), released.to_owned()]
}

/// A signed name for scripts.
pub fn row_json(t: &TagRow) -> Value {
    json!({
        "name": t.name.raw(),
        "digest": t.digest.map(|d| format!("sha256:{d}")),
        "size": t.size,
        "roles": t.roles.iter().map(RoleName::as_str).collect::<Vec<_>>(),
        "signers": t.signers().collect::<Vec<_>>(),
        "released": t.released,
    })
}

/// Prints what `docker trust inspect` prints for all names that can be read, and an error for the others.
pub async fn inspect(context: &Context, names: &[String], pretty: bool) -> Result<(), Failure> {
    let mut inspected = Vec::new();
    let mut failures = Vec::new();
    let mut unread = false;
    for (n, typed) in names.iter().enumerate() {
        let one = async {
            let reference = context.reference(typed)?;
            let loaded = context.load(&reference.gun, Mode::Usual).await.map_err(|e| context.load_failure(&reference.gun, e))?;
            let tag = reference.tag.as_ref().map(|t| t.raw().to_owned());
            inspected.push(Inspected::new(reference.typed, &loaded.collection, tag.as_deref()));
            context.refused_roles(&loaded)
        };
        if let Err(failure) = one.await {
            failures.push(failure);
            // Docker stops at the first that it cannot read; one that was read in part was read.
            unread = inspected.len() < n + 1;
            if pretty && unread {
                break;
            }
        }
    }
    if pretty {
        // Docker prints the gap before it tries the next one, so it stands there even if that fails.
        let gap = if unread && !inspected.is_empty() { "\n\n" } else { "" };
        output::say(&format!("{}{gap}", inspect_pretty(&inspected)))?
    } else {
        output::say_json_text(&inspect_json(&inspected))?
    }
    match failures.into_iter().reduce(|first, next| {
        output::print_failure(&first, context.options.json);
        next
    }) {
        Some(last) => Err(last),
        None => Ok(()),
    }
}

/// Lists the people who may sign.
pub async fn signers(context: &Context, typed: &str) -> Result<(), Failure> {
    let loaded = load(context, typed).await?;
    if context.options.json {
        let list: Vec<_> = people(&loaded.collection)
            .map(|r| {
                let keys: Vec<_> = r
                    .keys
                    .keys
                    .iter()
                    .map(|k| json!({ "id": k.canonical_id().hex(), "algorithm": k.algorithm().to_string() }))
                    .collect();
                json!({ "name": signer_name(&r.name), "role": r.name.as_str(), "keys": keys, "paths": r.stated_paths.prefixes() })
            })
            .collect();
        output::say_json(&list.into())?;
    } else {
        output::say(&signers_text(&loaded.collection))?;
    }
    context.refused_roles(&loaded)
}

fn people(c: &TrustedCollection) -> impl Iterator<Item = &Role> {
    c.roles().iter().filter(|r| !releases(&r.name))
}

/// The people who may sign, for people.
pub fn signers_text(c: &TrustedCollection) -> String {
    if people(c).next().is_none() {
        return format!("{} has no signers besides its owner.\n", c.gun());
    }
    let mut lines = vec![["SIGNER", "KEYS", "ALGORITHM"].map(str::to_owned)];
    for r in people(c) {
        let mut name = signer_name(&r.name).to_owned();
        for k in &r.keys.keys {
            lines.push([std::mem::take(&mut name), k.canonical_id().hex(), k.algorithm().to_string()]);
        }
        if r.keys.keys.is_empty() {
            lines.push([name, "no key".into(), String::new()]);
        }
    }
    columns(&lines, 0, 3)
}

/// Lists delegated roles, as `notary delegation list` does.
pub async fn delegations(context: &Context, typed: &str) -> Result<(), Failure> {
    let loaded = load(context, typed).await?;
    if context.options.json {
        let list: Vec<_> = delegated(&loaded.collection)
            .into_iter()
            .map(|r| {
                json!({
                    "role": r.name.as_str(),
                    "paths": r.stated_paths.prefixes(),
                    "key_ids": r.keys.keys.iter().map(|k| k.canonical_id().hex()).collect::<Vec<_>>(),
                    "threshold": r.keys.threshold,
                })
            })
            .collect();
        output::say_json(&list.into())?;
    } else {
        output::say(&delegations_text(&loaded.collection))?;
    }
    context.refused_roles(&loaded)
}

fn delegated(c: &TrustedCollection) -> Vec<&Role> {
    let mut roles: Vec<_> = c.roles().iter().filter(|r| r.name.is_delegation()).collect();
    roles.sort_by(|a, b| a.name.cmp(&b.name));
    roles
}

/// Delegated roles, for people.
pub fn delegations_text(c: &TrustedCollection) -> String {
    let roles = delegated(c);
    if roles.is_empty() {
        return format!("{} delegates to nobody.\n", c.gun());
    }
    let mut lines = vec![["ROLE", "PATHS", "KEY IDS", "THRESHOLD"].map(str::to_owned)];
    for r in roles {
        let mut paths: Vec<String> = r.stated_paths.prefixes().iter().map(|p| crate::text::escape(p).into_owned()).collect();
        paths.sort_unstable();
        let mut paths = paths.into_iter().map(|p| if p.is_empty() { "\"\" <all paths>".to_owned() } else { p });
        let mut keys = r.keys.keys.iter().map(|k| k.canonical_id().hex());
        let (mut name, mut threshold) = (r.name.to_string(), r.keys.threshold.to_string());
        loop {
            let (path, key) = (paths.next(), keys.next());
            if name.is_empty() && path.is_none() && key.is_none() {
                break;
            }
            lines.push([
                std::mem::take(&mut name),
                path.unwrap_or_default(),
                key.unwrap_or_default(),
                std::mem::take(&mut threshold),
            ]);
        }
    }
    columns(&lines, 0, 4)
}

pub(super) async fn load(context: &Context, typed: &str) -> Result<Loaded, Failure> {
    let gun = context.gun(typed)?;
    context.load(&gun, Mode::Usual).await.map_err(|e| context.load_failure(&gun, e))
}
