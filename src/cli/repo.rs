//! `repo list`, `repo show`, `repo verify`.
use super::{
    context::Context,
    output::{self, Failure},
};
use crate::{
    finding::Finding,
    repository::{Inventory, Look, Mode, Situation},
    text::count,
    tuf::{
        collection::{Anchor, Freshness},
        name::Gun,
    },
    views::{
        chain::{ChainKey, ChainNode, NodeState, Whereabouts},
        columns::columns,
        repositories::{RepositoryDetail, source_word},
    },
};
use serde_json::{Value, json};

/// Lists repositories known to the cache, to the server and to the registry.
pub async fn list(context: &Context) -> Result<(), Failure> {
    let inventory = context.repositories().inventory().await;
    for note in &inventory.notes {
        output::complain(&format!("claviger: {note}"));
    }
    if context.options.json {
        let repositories: Vec<Value> = inventory
            .known
            .iter()
            .map(|k| json!({ "gun": k.gun.as_str(), "cached": k.cached, "on_server": k.on_server, "in_registry": k.in_registry }))
            .collect();
        let all = json!({ "schema": "claviger/repo-list/1", "repositories": repositories, "notes": inventory.notes });
        return Ok(output::say_json(&all)?);
    }
    Ok(output::say(&list_text(&inventory))?)
}

/// The repositories, for people.
pub fn list_text(inventory: &Inventory) -> String {
    if inventory.known.is_empty() {
        return "No repositories are known here.\n".to_owned();
    }
    let mut rows = vec![["REPOSITORY".to_owned(), "KNOWN FROM".to_owned()]];
    rows.extend(inventory.known.iter().map(|k| {
        let from = [("cache", k.cached), ("server", k.on_server == Some(true)), ("registry", k.in_registry == Some(true))];
        let from: Vec<&str> = from.into_iter().filter(|(_, named)| *named).map(|(who, _)| who).collect();
        [k.gun.to_string(), from.join(", ")]
    }));
    columns(&rows, 0, 3)
}

/// Shows the chain of trust. A repository that is not trusted is shown too, marked as what it is, with exit status 3.
pub async fn show(context: &Context, typed: &str) -> Result<(), Failure> {
    let gun = context.gun(typed)?;
    match context.load(&gun, Mode::Usual).await {
        Ok(loaded) => {
            let here = context.keys_here();
            let detail = RepositoryDetail::new(&loaded, &here, context.trust_dir());
            if context.options.json {
                output::say_json(&detail_json(&detail))?
            } else {
                output::say(&detail_text(&detail))?
            }
            context.refused_roles(&loaded)
        }
        Err(error) if error.situation() == Situation::NotTrustworthy => {
            let look = context.repositories().look(&gun).await.unwrap_or_default();
            let failure = context.show_failure(&gun, error);
            if context.options.json {
                output::say_json(&look_json(&gun, &failure, &look))?;
            } else {
                output::say(&look_text(&gun, &failure, &look))?;
            }
            Err(failure)
        }
        Err(error) => Err(context.load_failure(&gun, error)),
    }
}

/// Verifies from a clean cache, with nothing but the remembered root.
pub async fn verify(context: &Context, typed: &str) -> Result<(), Failure> {
    let gun = context.gun(typed)?;
    let result = context.load(&gun, Mode::CleanCache).await;
    let loaded = match result {
        Err(error) => {
            let failure = context.load_failure(&gun, error);
            if context.options.json {
                let reason = json!({ "code": failure.code, "message": failure.message });
                output::say_json(
                    &json!({ "schema": "claviger/repo-verify/1", "gun": gun.as_str(), "verified": false, "reason": reason }),
                )?;
            }
            return Err(failure);
        }
        Ok(loaded) => loaded,
    };
    let detail = RepositoryDetail::new(&loaded, &context.keys_here(), context.trust_dir());
    let refused: Vec<Value> = loaded
        .collection
        .refused()
        .map(|(r, why)| json!({ "role": r.as_str(), "code": why.code(), "message": why.to_string() }))
        .collect();
    if context.options.json {
        output::say_json(&json!({
            "schema": "claviger/repo-verify/1",
            "gun": gun.as_str(),
            "verified": refused.is_empty(),
            "anchor": anchor_word(detail.anchor),
            "refused": refused,
        }))?;
    } else if refused.is_empty() {
        let (roles, names) = (count(detail.chain.walk().len(), "role"), count(detail.tags.len(), "signed name"));
        output::say(&format!("{gun} is verified: {roles}, {names}. {}\n", anchor_sentence(detail.anchor)))?;
        if detail.anchor == Anchor::FirstUse {
            output::say(&root_key_lines(&detail))?;
        }
    }
    context.refused_roles(&loaded)
}

/// One word for scripts.
pub fn anchor_word(anchor: Anchor) -> &'static str {
    match anchor {
        Anchor::Pinned => "pinned",
        Anchor::Remembered => "remembered",
        Anchor::FirstUse => "first-use",
    }
}

fn anchor_sentence(anchor: Anchor) -> &'static str {
    match anchor {
        Anchor::Pinned => "Its root is the one that the configuration pins.",
        Anchor::Remembered => "Its root is the one seen before, or follows from it.",
        Anchor::FirstUse => {
            "Its root was seen now for the first time: compare its root key with the owner's before you rely on it."
        }
    }
}

/// The chain of trust, for people.
pub fn detail_text(d: &RepositoryDetail) -> String {
    let mut out = format!("{}\n", d.gun);
    let fresh = match d.freshness {
        Freshness::Live => "The server answered now.".to_owned(),
        Freshness::Cached => match d.as_of {
            Some(t) => format!("The server did not answer: this is not fresh, but as of {}.", t.strftime("%Y-%m-%d %H:%M UTC")),
            None => "The server did not answer: this is not fresh.".to_owned(),
        },
    };
    let verified = match d.refused().as_slice() {
        [] => "Verified.".to_owned(),
        [one] => format!("Verified in part: {one} is refused."),
        all => format!("Verified in part: {} are refused.", all.iter().map(|r| r.as_str()).collect::<Vec<_>>().join(", ")),
    };
    out.push_str(&format!("{verified} {} {fresh}\n{}\n", anchor_sentence(d.anchor), root_key_lines(d)));
    node_text(&d.chain, 0, &mut out);
    if !d.findings.is_empty() {
        out.push_str("\nFindings\n");
        out.extend(d.findings.iter().map(finding_line));
    }
    out
}

/// The root's keys in full, to be compared, and what a pin would name.
fn root_key_lines(d: &RepositoryDetail) -> String {
    let mut out = String::new();
    for key in &d.chain.keys {
        out.push_str(&format!("Root key {}\n", key.canonical_id));
        if key.id != key.canonical_id {
            out.push_str(&format!("  certificate ID, for trust_pinning: {}\n", key.id));
        }
    }
    out
}

/// A finding in one line.
pub fn finding_line(f: &Finding) -> String {
    format!("  {:<5} {}\n", f.severity, f.text)
}

fn node_text(node: &ChainNode, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    let mut line = format!("{indent}{}", node.role);
    match &node.state {
        NodeState::Verified => {
            if let (Some(v), Some(e)) = (node.version, node.expires) {
                line.push_str(&format!("  version {v}, until {}", e.strftime("%Y-%m-%d")));
            }
        }
        NodeState::Unpublished => line.push_str("  nothing published yet"),
        NodeState::Refused(why) => line.push_str(&format!("  NOT TRUSTED: {why}")),
    }
    if node.threshold > 1 {
        line.push_str(&format!(", {} signatures needed", node.threshold));
    }
    if let Some(names) = node.targets.filter(|_| node.role.as_str().starts_with("targets")) {
        line.push_str(&format!(", {}", count(names, "name")));
    }
    if !node.paths.is_empty() {
        let paths: Vec<String> =
            node.paths.iter().map(|p| if p.as_str().is_empty() { "everything".into() } else { p.to_string() }).collect();
        line.push_str(&format!(", may sign {}", paths.join(", ")));
    }
    out.push_str(&line);
    out.push('\n');
    for key in &node.keys {
        out.push_str(&format!("{indent}    {}\n", key_text(key, &node.state)));
    }
    for child in &node.children {
        node_text(child, depth + 1, out);
    }
}

fn key_text(key: &ChainKey, state: &NodeState) -> String {
    let place = match &key.whereabouts {
        Whereabouts::Here(_) => "private key here".to_owned(),
        Whereabouts::Unusable(_, fault) => format!("private key here, but {}", fault.words),
        Whereabouts::Server => "held by the server".to_owned(),
        Whereabouts::Elsewhere => "private key not here".to_owned(),
    };
    let signed = match (key.signed, state) {
        (Some(true), _) => "signed, ",
        (Some(false), _) => "did not sign, ",
        (None, NodeState::Unpublished) => "",
        (None, _) => "not judged whether it signed, ",
    };
    let certificate =
        key.certificate.as_ref().map(|(cn, end)| format!(", certificate of {} until {}", cn.shown(), end.strftime("%Y-%m-%d")));
    format!("key {} {}, {signed}{place}{}", key.canonical_id.short(), key.algorithm, certificate.unwrap_or_default())
}

fn detail_json(d: &RepositoryDetail) -> Value {
    let refused: Vec<&str> = d.refused().into_iter().map(|r| r.as_str()).collect();
    json!({
        "schema": "claviger/repo/1",
        "gun": d.gun.as_str(),
        "verified": if refused.is_empty() { "whole" } else { "in-part" },
        "trusted": refused.is_empty(),
        "refused": refused,
        "anchor": anchor_word(d.anchor),
        "source": source_word(d.freshness),
        "verified_at": d.verified_at.to_string(),
        "as_of": d.as_of.map(|t| t.to_string()),
        "next_expiry": d.next_expiry.as_ref().map(|(r, at)| json!({ "role": r.as_str(), "expires": at.to_string() })),
        "roles": d.chain.walk().into_iter().map(node_json).collect::<Vec<_>>(),
        "findings": d.findings.iter().map(finding_json).collect::<Vec<_>>(),
    })
}

fn node_json(n: &ChainNode) -> Value {
    json!({
        "role": n.role.as_str(),
        "state": match n.state { NodeState::Verified => "verified", NodeState::Unpublished => "unpublished", NodeState::Refused(_) => "refused" },
        "reason": match &n.state { NodeState::Refused(why) => Some(why), _ => None },
        "version": n.version,
        "expires": n.expires.map(|e| e.to_string()),
        "threshold": n.threshold,
        "paths": n.paths.iter().map(|p| p.as_str()).collect::<Vec<_>>(),
        "targets": n.targets,
        "keys": n.keys.iter().map(|k| json!({
            "id": k.canonical_id.hex(),
            "metadata_id": k.id.hex(),
            "algorithm": k.algorithm.to_string(),
            "signed": k.signed,
            "private_key": match &k.whereabouts { Whereabouts::Here(_) => "here", Whereabouts::Unusable(..) => "unusable", Whereabouts::Server => "server", Whereabouts::Elsewhere => "elsewhere" },
            "private_key_problem": match &k.whereabouts { Whereabouts::Unusable(_, fault) => Some(fault.code), _ => None },
            "certificate": k.certificate.as_ref().map(|(cn, end)| json!({ "common_name": cn.raw(), "expires": end.to_string() })),
        })).collect::<Vec<_>>(),
    })
}

/// A finding as JSON.
pub fn finding_json(f: &Finding) -> Value {
    json!({ "code": f.code, "severity": f.severity.as_str(), "text": f.text, "remedy": f.offered().map(|r| r.0) })
}

/// The same, of a repository that is not trusted.
pub fn look_text(gun: &Gun, failure: &Failure, look: &Look) -> String {
    let mut out = format!("{gun}\nNOT TRUSTED: {}\n\nWhat the server says, none of it verified:\n", failure.message);
    for f in &look.files {
        let what = match (&f.claims, &f.problem) {
            (Some(c), _) => {
                let names =
                    if f.names.is_empty() { String::new() } else { format!(", {}", count(f.names.len() + f.more_names, "name")) };
                format!(
                    "claims version {}, until {}, {}{names}",
                    c.version,
                    c.expires.strftime("%Y-%m-%d"),
                    count(c.signatures, "signature")
                )
            }
            (None, Some(why)) => format!("cannot be read: {why}"),
            (None, None) => String::new(),
        };
        out.push_str(&format!("  {}  {what}\n", f.role));
    }
    out
}

fn look_json(gun: &Gun, failure: &Failure, look: &Look) -> Value {
    let files: Vec<Value> = look
        .files
        .iter()
        .map(|f| {
            json!({
                "role": f.role.as_str(),
                "claimed_version": f.claims.map(|c| c.version),
                "claimed_expires": f.claims.map(|c| c.expires.to_string()),
                "signatures": f.claims.map(|c| c.signatures),
                "names": f.names.iter().map(|n| n.raw()).collect::<Vec<_>>(),
                "problem": f.problem,
            })
        })
        .collect();
    json!({
        "schema": "claviger/repo/1",
        "gun": gun.as_str(),
        "verified": "no",
        "trusted": false,
        "reason": { "code": failure.code, "message": failure.message },
        "unverified": files,
    })
}
