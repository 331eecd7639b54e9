//! What the work on a whole store has come to: each file with its outcome, and a status that says whether something is left.
use crate::{
    cli::{
        context::Context,
        output::{self, Failure},
    },
    failure::sentence,
    operator::as_text,
    procedures::{
        UNCERTAIN, UNCONFIRMED,
        key_mend::Mended,
        key_migrate::Migrated,
        key_strengthen::{One, Outcome, Strengthened},
    },
    trust_dir::shown,
    tuf::name::Gun,
};
use serde_json::json;

/// Says what moved and what stays. Fails if a key stays in an old layout.
pub fn say_migrated(context: &Context, done: &Migrated) -> Result<(), Failure> {
    if context.options.json {
        let moved = done.moved.iter().map(|m| {
            json!({
                "id": m.id.hex(),
                "role": m.role.raw(),
                "gun": m.gun.as_ref().map(Gun::as_str),
                "from": as_text::of(&m.from),
                "to": as_text::of(&m.to),
            })
        });
        let stayed = done.stayed.iter().map(|s| {
            json!({ "path": as_text::of(&s.path), "reason": s.why, "key": s.is_key, "copied": s.is_copied && done.copy.is_some() })
        });
        output::say_json(&json!({
            "schema": "claviger/key-migrate/1",
            "copy": done.copy.as_ref().map(|c| as_text::of(c)),
            "moved": moved.collect::<Vec<_>>(),
            "stayed": stayed.collect::<Vec<_>>(),
        }))?;
    } else {
        let mut out = format!("{}\n", done.happened());
        done.moved.iter().for_each(|m| out.push_str(&format!("  {}  {}\n", m.id, m.role.shown())));
        done.left().iter().for_each(|l| out.push_str(&format!("{l}\n")));
        output::say(&out)?;
    }
    let keys = done.stayed.iter().filter(|s| s.is_key).count();
    let them = if keys == 1 { "one key file".to_owned() } else { format!("{keys} key files") };
    let left = format!("{them} in old layouts {} not moved", if keys == 1 { "was" } else { "were" });
    match keys {
        0 if !done.unconfirmed.is_empty() => {
            let message = "the disk did not confirm all of it";
            let hint = "Look at the disk; then see with `claviger key test` what is there. The copy has every key.";
            Err(Failure::new(UNCONFIRMED, message, UNCERTAIN, hint))
        }
        0 => Ok(()),
        _ if done.ended_early => Err(Failure::interrupted(format!("{left}; repeat the command for the rest"))),
        _ => {
            let hint = "The reasons are above, file by file; mend them, then repeat the command for the rest.";
            Err(Failure::new("not-migrated", format!("{them} could not be moved"), left, hint))
        }
    }
}

/// Says what was mended and what was left. Fails if something is still open to others.
pub fn say_mended(context: &Context, done: &Mended) -> Result<(), Failure> {
    if context.options.json {
        let mode = |bits: u32| format!("{bits:04o}");
        let mended = done.mended.iter();
        let mended = mended.map(|m| json!({ "path": as_text::of(&m.path), "from": mode(m.mode), "to": mode(m.mended()) }));
        let left = done.left.iter().map(|l| json!({ "path": as_text::of(&l.path), "reason": l.why }));
        output::say_json(&json!({
            "schema": "claviger/key-mend/1",
            "mended": mended.collect::<Vec<_>>(),
            "left": left.collect::<Vec<_>>(),
        }))?;
    } else {
        let mut out = format!("{}\n", sentence(&done.to_string()));
        done.mended.iter().for_each(|m| out.push_str(&format!("  {:04o}  {}\n", m.mended(), shown(&m.path))));
        done.left().iter().for_each(|l| out.push_str(&format!("{l}\n")));
        output::say(&out)?;
    }
    match done.left.len() {
        0 => Ok(()),
        n => {
            let message = format!("{n} could not be mended");
            let hint = "The reasons are above; mend them, then repeat the command for the rest.";
            Err(Failure::new("not-mended", message, "their permissions are as they were", hint))
        }
    }
}

/// Says what came of it, key by key. Fails if one is not as it should be.
pub fn say_strengthened(context: &Context, done: &Strengthened) -> Result<(), Failure> {
    let word = |outcome: &Outcome| match outcome {
        Outcome::Strengthened => "strengthened",
        Outcome::Already => "already",
        Outcome::Unencrypted => "unencrypted",
        Outcome::Failed(_) => "failed",
        Outcome::NotReached => "not-reached",
    };
    if context.options.json {
        let keys = done.keys.iter().map(|k| {
            let mut key = json!({ "id": k.id.map(|id| id.hex()), "path": as_text::of(&k.path), "outcome": word(&k.outcome) });
            if let (Outcome::Failed(f), Some(key)) = (&k.outcome, key.as_object_mut()) {
                key.insert("code".to_owned(), f.code.into());
                key.insert("message".to_owned(), f.message.as_str().into());
            }
            key
        });
        output::say_json(&json!({ "schema": "claviger/key-strengthen/1", "keys": keys.collect::<Vec<_>>() }))?;
    } else {
        let mut out = format!("{}\n", sentence(&done.to_string()));
        for k in &done.keys {
            let id = k.id.map_or_else(|| shown(&k.path), |id| id.hex());
            let more = match &k.outcome {
                Outcome::Failed(f) => f.message.as_str(),
                Outcome::Strengthened => "as strong as a new key, with the passphrase it had or was given",
                Outcome::Already => "as it was: strong enough",
                Outcome::Unencrypted => "as it was: no passphrase protects it",
                Outcome::NotReached => "as it was: not reached",
            };
            out.push_str(&format!("  {id}  {more}\n"));
        }
        output::say(&out)?;
    }
    let first = done.keys.iter().find_map(|k| if let Outcome::Failed(f) = &k.outcome { Some(f) } else { None });
    match (done.failed(), first) {
        (0, _) => Ok(()),
        (n, _) if done.ended_early => {
            Err(Failure::interrupted(format!("{n} keys are as they were; repeat the command for the rest")))
        }
        (1, Some(only)) if done.keys.len() == 1 => Err(only.clone()),
        (n, first) => {
            let message = format!("{n} of {} keys were not done", done.keys.len());
            let (code, exit) = first.map_or(("key", 1), |f| (f.code, f.exit));
            let uncertain = |k: &One| matches!(&k.outcome, Outcome::Failed(f) if f.code == UNCONFIRMED);
            let these = if done.keys.iter().any(uncertain) { UNCERTAIN } else { "these keys are as they were" };
            let hint = "The reasons are above, key by key; repeat the command for the rest.";
            Err(Failure::new(code, message, these, hint).exit(exit))
        }
    }
}
