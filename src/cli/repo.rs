//! `repo list`, `repo show`, `repo verify`.
use super::{
    context::Context,
    output::{self, Failure},
};
use crate::{
    finding::{Finding, Severity},
    repository::{LoadError, Look, Mode},
    tuf::{
        collection::{Anchor, Freshness},
        name::Gun,
    },
    views::{
        chain::{ChainKey, ChainNode, NodeState, Whereabouts},
        columns::columns,
        repositories::RepositoryDetail,
    },
};
use serde_json::{Value, json};

/// Lists repositories known to the cache and to the server.
pub async fn list(context: &Context) -> Result<(), Failure> {
    let inventory = context.repositories().inventory().await;
    for note in &inventory.notes {
        output::complain(&format!("claviger: {note}"));
    }
    if context.options.json {
        let repositories: Vec<Value> = inventory
            .known
            .iter()
            .map(|k| json!({ "gun": k.gun.as_str(), "cached": k.cached, "on_server": k.on_server }))
            .collect();
        let all = json!({ "schema": "claviger/repo-list/1", "repositories": repositories, "notes": inventory.notes });
        return Ok(output::say_json(&all)?);
    }
    if inventory.known.is_empty() {
        return Ok(output::say("No repositories are known here.\n")?);
    }
    let mut rows = vec![["REPOSITORY".to_owned(), "KNOWN FROM".to_owned()]];
    rows.extend(inventory.known.iter().map(|k| {
        let from = match (k.cached, k.on_server) {
            (true, Some(true)) => "cache, server",
            (false, Some(true)) => "server",
            _ => "cache",
        };
        [k.gun.to_string(), from.to_owned()]
    }));
    Ok(output::say(&columns(&rows, 0, 3))?)
}

/// Shows the chain of trust. A repository that is not trusted is shown too, marked as what it is, with exit status 3.
pub async fn show(context: &Context, typed: &str) -> Result<(), Failure> {
    let gun = context.reference(typed)?.gun;
    match context.load(&gun, Mode::Usual).await {
        Ok(loaded) => {
            let here = context.keys_here();
            let detail = RepositoryDetail::new(&loaded, &here);
            if context.options.json {
                output::say_json(&detail_json(&detail))?
            } else {
                output::say(&detail_text(&detail))?
            }
            context.refused_roles(&loaded)
        }
        Err(error) if is_untrusted(&error) => {
            let look = context.repositories().look(&gun).await.unwrap_or_default();
            let failure = context.load_failure(&gun, error);
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
    let gun = context.reference(typed)?.gun;
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
    let detail = RepositoryDetail::new(&loaded, &context.keys_here());
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
        let roles = detail.chain.walk().len();
        output::say(&format!(
            "{gun} is verified: {roles} roles, {} signed names. {}\n",
            detail.tags.len(),
            anchor_sentence(detail.anchor)
        ))?;
    }
    context.refused_roles(&loaded)
}

fn is_untrusted(error: &LoadError) -> bool {
    matches!(error, LoadError::Refused(_) | LoadError::RememberedRoot { .. })
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
            "Its root was seen now for the first time: compare its key IDs with the owner's before you rely on it."
        }
    }
}

fn detail_text(d: &RepositoryDetail) -> String {
    let mut out = format!("{}\n", d.gun);
    let fresh = match d.freshness {
        Freshness::Live => "The server answered now.".to_owned(),
        Freshness::Cached => "The server did not answer: this is not fresh.".to_owned(),
    };
    out.push_str(&format!("Verified. {} {fresh}\n\n", anchor_sentence(d.anchor)));
    node_text(&d.chain, 0, &mut out);
    if !d.findings.is_empty() {
        out.push_str("\nFindings\n");
        out.extend(d.findings.iter().map(finding_line));
    }
    out
}

/// A finding in one line.
pub fn finding_line(f: &Finding) -> String {
    let mark = match f.severity {
        Severity::Error => "ERROR",
        Severity::Warn => "WARN ",
        Severity::Info => "info ",
    };
    format!("  {mark} {}\n", f.text)
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
    if node.role.as_str().starts_with("targets") {
        line.push_str(&format!(", {} names", node.targets));
    }
    if !node.paths.is_empty() {
        let paths: Vec<String> =
            node.paths.iter().map(|p| if p.as_str().is_empty() { "everything".into() } else { p.to_string() }).collect();
        line.push_str(&format!(", may sign {}", paths.join(", ")));
    }
    out.push_str(&line);
    out.push('\n');
    for key in &node.keys {
        out.push_str(&format!("{indent}    {}\n", key_text(key)));
    }
    for child in &node.children {
        node_text(child, depth + 1, out);
    }
}

fn key_text(key: &ChainKey) -> String {
    let place = match &key.whereabouts {
        Whereabouts::Here(_) => "private key here",
        Whereabouts::Server => "held by the server",
        Whereabouts::Elsewhere => "private key not here",
    };
    let signed = if key.signed { "signed" } else { "did not sign" };
    let certificate =
        key.certificate.as_ref().map(|(cn, end)| format!(", certificate of {} until {}", cn.shown(), end.strftime("%Y-%m-%d")));
    format!("key {} {}, {signed}, {place}{}", key.canonical_id.short(), key.algorithm, certificate.unwrap_or_default())
}

fn detail_json(d: &RepositoryDetail) -> Value {
    json!({
        "schema": "claviger/repo/1",
        "gun": d.gun.as_str(),
        "trusted": true,
        "anchor": anchor_word(d.anchor),
        "source": match d.freshness { Freshness::Live => "server", Freshness::Cached => "cache" },
        "verified_at": d.verified_at.to_string(),
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
            "private_key": match &k.whereabouts { Whereabouts::Here(_) => "here", Whereabouts::Server => "server", Whereabouts::Elsewhere => "elsewhere" },
            "certificate": k.certificate.as_ref().map(|(cn, end)| json!({ "common_name": cn.raw(), "expires": end.to_string() })),
        })).collect::<Vec<_>>(),
    })
}

/// A finding as JSON.
pub fn finding_json(f: &Finding) -> Value {
    json!({ "code": f.code, "severity": f.severity.as_str(), "text": f.text, "remedy": f.offered().map(|r| r.0) })
}

fn look_text(gun: &Gun, failure: &Failure, look: &Look) -> String {
    let mut out = format!("{gun}\nNOT TRUSTED: {}\n\nWhat the server says, none of it verified:\n", failure.message);
    for f in &look.files {
        let what = match (&f.claims, &f.problem) {
            (Some(c), _) => {
                let names = if f.names.is_empty() { String::new() } else { format!(", {} names", f.names.len() + f.more_names) };
                format!(
                    "claims version {}, until {}, {} signatures{names}",
                    c.version,
                    c.expires.strftime("%Y-%m-%d"),
                    c.signatures
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
        "trusted": false,
        "reason": { "code": failure.code, "message": failure.message },
        "unverified": files,
    })
}
