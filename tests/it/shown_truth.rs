//! What commands say of keys, roots and roles is what is known: no key is "here" that could not sign, nothing is called
//! remembered that is not, nobody is said not to have signed what was never judged.
use super::served_sandbox::Served;
use claviger::{
    trust_dir::TrustDir,
    views::{
        chain::{Whereabouts, chain},
        keys::{key_rows, keys_here},
    },
};
use serde_json::Value;
use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

const WELL: &str = "sandbox.test/shop/backend";
const IN_PART: &str = "sandbox.test/shop/mobile";
const REFUSED: &str = "sandbox.test/legacy/payments";

/// Runs a command with a trust directory of its own against a served sandbox, or against nobody.
fn run(served: &Served, trust_dir: &Path, server: Option<&str>, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_claviger"))
        .args(arguments)
        .args(["--server", server.unwrap_or(served.value("url")), "--tlscacert", served.value("ca_file")])
        .arg("--trust-dir")
        .arg(trust_dir)
        .env_clear()
        .env("HOME", trust_dir)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

fn out(o: &Output) -> String {
    String::from_utf8(o.stdout.clone()).unwrap()
}

fn err(o: &Output) -> String {
    String::from_utf8(o.stderr.clone()).unwrap()
}

fn json(o: &Output) -> Value {
    serde_json::from_slice(&o.stdout).unwrap_or_else(|e| panic!("{e}: {} {}", out(o), err(o)))
}

fn role<'a>(shown: &'a Value, name: &str) -> &'a Value {
    shown["roles"].as_array().unwrap().iter().find(|r| r["role"] == name).unwrap()
}

#[test]
fn only_a_file_that_could_sign_is_called_here() {
    let served = Served::start();
    let private = TrustDir::new(served.value("trust_dir")).private();
    let of = |shown: &Value| role(shown, "targets")["keys"][0].clone();
    let before = of(&json(&served.claviger(&["repo", "show", WELL, "--json"])));
    assert_eq!((&before["private_key"], &before["private_key_problem"]), (&"here".into(), &Value::Null));
    let file = private.join(format!("{}.key", before["id"].as_str().unwrap()));
    let whole = std::fs::read(&file).unwrap();
    let plain = "-----BEGIN PRIVATE KEY-----\n\nMIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg";
    type Harm<'a> = &'a dyn Fn();
    let truncated = || std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let emptied = || std::fs::write(&file, b"").unwrap();
    let foreign = || std::fs::write(&file, plain).unwrap();
    let linked = || {
        let aside = private.with_file_name("aside");
        std::fs::write(&aside, &whole).unwrap();
        std::fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink(&aside, &file).unwrap();
    };
    let harms: [(Harm<'_>, &[&str]); 4] =
        [(&truncated, &["damaged"]), (&emptied, &["empty"]), (&foreign, &["damaged"]), (&linked, &["symlink"])];
    for (harm, codes) in harms {
        harm();
        let after = of(&json(&served.claviger(&["repo", "show", WELL, "--json"])));
        assert_eq!(after["private_key"], "unusable");
        assert!(codes.contains(&after["private_key_problem"].as_str().unwrap()), "{after}");
        let text = out(&served.claviger(&["repo", "show", WELL]));
        let line = text.lines().find(|l| l.contains(&before["id"].as_str().unwrap()[..12])).unwrap();
        assert!(line.contains("private key here, but "), "{line}");
    }
}

#[test]
fn a_file_that_holds_another_key_is_not_the_key_that_it_is_named_after() {
    let sandbox = claviger::sandbox::Sandbox::new(jiff::Timestamp::now(), None).unwrap();
    let rows = key_rows(sandbox.trust_dir()).rows;
    let here = keys_here(&rows);
    let mut seen = std::collections::BTreeSet::new();
    for row in &rows {
        let Some(id) = row.id else { continue };
        let worst = row
            .problems
            .iter()
            .map(|p| p.code)
            .find(|c| ["wrong-content", "weak-key", "empty", "damaged", "symlink"].contains(c));
        let twice = rows.iter().filter(|r| r.id == Some(id)).count() > 1;
        if let (Some(code), false) = (worst, twice) {
            assert_eq!(here[&id].fault.unwrap().code, code, "{}", row.path.display());
            seen.insert(code);
        }
        if row.problems.is_empty() {
            assert_eq!(here[&id].fault, None);
        }
    }
    assert!(seen.len() >= 2, "the sandbox has bad files of several kinds: {seen:?}");
}

#[test]
fn the_root_has_one_id_wherever_people_are_to_compare_it() {
    let served = Served::start();
    let fresh = tempfile::tempdir().unwrap();
    let shown = run(&served, fresh.path(), None, &["repo", "show", WELL]);
    let (text, note) = (out(&shown), err(&shown));
    let as_json = json(&run(&served, fresh.path(), None, &["repo", "show", WELL, "--json"]));
    let key = &role(&as_json, "root")["keys"][0];
    let (id, certificate) = (key["id"].as_str().unwrap(), key["metadata_id"].as_str().unwrap());
    assert_ne!(id, certificate);
    assert!(note.contains("trusted from now on") && note.contains(id) && !note.contains(certificate), "{note}");
    assert!(text.contains(&format!("Root key {id}\n")), "{text}");
    assert!(text.contains(&format!("certificate ID, for trust_pinning: {certificate}\n")), "{text}");
    let findings = text.split("Findings").nth(1).unwrap();
    assert!(
        findings.contains(id) && !text.replace(&format!("trust_pinning: {certificate}"), "").contains(&certificate[..12]),
        "{text}"
    );
    // What is called the certificate ID is what a pin wants; the ID of the key is refused, and the hint says why.
    let other = tempfile::tempdir().unwrap();
    let config = other.path().join("config.json");
    for (pin, status) in [(certificate, 0), (id, 3)] {
        std::fs::write(&config, format!(r#"{{"trust_pinning":{{"certs":{{"{WELL}":["{pin}"]}}}}}}"#)).unwrap();
        let answer = run(&served, other.path(), None, &["tags", WELL, "--config", config.to_str().unwrap()]);
        assert_eq!(answer.status.code(), Some(status), "{}", err(&answer));
        assert_eq!(err(&answer).contains("certificate ID, not the ID of the key"), status == 3, "{}", err(&answer));
    }
    let verified = run(&served, tempfile::tempdir().unwrap().path(), None, &["repo", "verify", WELL]);
    assert!(out(&verified).contains(id), "{}", out(&verified));
}

#[test]
fn a_root_that_is_not_remembered_is_not_said_to_be() {
    let served = Served::start();
    let fresh = tempfile::tempdir().unwrap();
    let read_only = err(&run(&served, fresh.path(), None, &["tags", WELL, "--read-only"]));
    assert!(read_only.contains("trusted for this command only; not remembered, because"), "{read_only}");
    assert!(read_only.contains("--read-only") && !read_only.contains("from now on"), "{read_only}");
    // A directory in the place of the lock: nothing can be written, by whomever.
    std::fs::create_dir(fresh.path().join(".claviger.lock")).unwrap();
    let blocked = err(&run(&served, fresh.path(), None, &["tags", WELL]));
    assert!(blocked.contains("trusted for this command only; not remembered, because"), "{blocked}");
    assert!(!blocked.contains("from now on"), "{blocked}");
}

#[test]
fn a_tag_is_not_dropped_by_a_command_that_takes_a_repository() {
    let served = Served::start();
    let tagged = format!("{WELL}:nope");
    for command in [&["repo", "verify"][..], &["repo", "show"], &["tags"], &["signer", "list"], &["delegation", "list"]] {
        let mut all = command.to_vec();
        all.push(&tagged);
        let answer = served.claviger(&all);
        assert_eq!(answer.status.code(), Some(2), "{command:?}");
        assert!(
            out(&answer).is_empty() && err(&answer).contains("names a tag; this command takes a repository"),
            "{}",
            err(&answer)
        );
    }
    assert_eq!(served.claviger(&["inspect", &format!("{WELL}:all-in-one")]).status.code(), Some(0), "inspect takes a tag");
}

#[test]
fn nobody_is_accused_of_not_signing_what_was_refused() {
    let served = Served::start();
    let answer = served.claviger(&["repo", "show", IN_PART]);
    let text = out(&answer);
    assert_eq!(answer.status.code(), Some(3));
    assert!(text.contains("Verified in part: targets/releases is refused."), "{text}");
    let (before, refused) = text.split_once("targets/releases  NOT TRUSTED").unwrap();
    let refused: Vec<&str> = refused.lines().take(2).collect();
    assert!(refused[1].contains("not judged whether it signed") && !refused.join("").contains("names"), "{refused:?}");
    assert!(before.contains("signed"), "others are judged");
    let shown = json(&served.claviger(&["repo", "show", IN_PART, "--json"]));
    assert_eq!((&shown["trusted"], &shown["verified"]), (&false.into(), &"in-part".into()));
    assert_eq!(shown["refused"], serde_json::json!(["targets/releases"]));
    let releases = role(&shown, "targets/releases");
    assert_eq!((&releases["targets"], &releases["keys"][0]["signed"]), (&Value::Null, &Value::Null));
    let backend = out(&served.claviger(&["repo", "show", WELL]));
    let (_, quiet) = backend.split_once("targets/experiments  nothing published yet").unwrap();
    let quiet: Vec<&str> = quiet.lines().take(2).collect();
    assert!(!quiet.join("").contains("name") && !quiet[1].contains("sign,"), "{quiet:?}");
    let whole = json(&served.claviger(&["repo", "show", WELL, "--json"]));
    assert_eq!((&whole["trusted"], &whole["verified"]), (&true.into(), &"whole".into()));
}

#[test]
fn a_hint_does_not_lead_back_to_the_command_that_gives_it() {
    let served = Served::start();
    let shown = err(&served.claviger(&["repo", "show", REFUSED]));
    assert!(!shown.contains("repo show"), "{shown}");
    let tags = err(&served.claviger(&["tags", REFUSED]));
    assert!(tags.contains("`claviger repo show` shows what it says, unverified"), "{tags}");
}

#[test]
fn what_comes_from_the_cache_says_as_of_when() {
    let served = Served::start();
    let fresh = tempfile::tempdir().unwrap();
    assert_eq!(run(&served, fresh.path(), None, &["tags", WELL]).status.code(), Some(0));
    let kept = fresh.path().join("tuf").join(WELL).join("metadata/timestamp.json");
    let then = std::time::SystemTime::now() - std::time::Duration::from_secs(5 * 3600);
    std::fs::File::options().write(true).open(&kept).unwrap().set_modified(then).unwrap();
    let moment = jiff::Timestamp::try_from(then).unwrap();
    let said = moment.strftime("as of %Y-%m-%d %H:%M UTC").to_string();
    let nobody = Some("https://127.0.0.1:1");
    let shown = run(&served, fresh.path(), nobody, &["repo", "show", WELL]);
    assert!(out(&shown).contains(&said) && err(&shown).contains(&said), "{said}: {} {}", out(&shown), err(&shown));
    let as_json = json(&run(&served, fresh.path(), nobody, &["repo", "show", WELL, "--json"]));
    assert_eq!((&as_json["source"], &as_json["as_of"]), (&"cache".into(), &moment.to_string().into()));
    let live = json(&run(&served, fresh.path(), None, &["repo", "show", WELL, "--json"]));
    assert_eq!((&live["source"], &live["as_of"]), (&"server".into(), &Value::Null));
}

#[test]
fn with_json_every_line_beside_the_result_is_json_too() {
    let served = Served::start();
    let fresh = tempfile::tempdir().unwrap();
    let answer = run(&served, fresh.path(), None, &["tags", WELL, "--json"]);
    let notes: Vec<Value> =
        err(&answer).lines().map(|l| serde_json::from_str(l).unwrap_or_else(|e| panic!("{e}: {l}"))).collect();
    assert!(notes.iter().any(|n| n["note"].as_str().unwrap().contains("seen now for the first time")), "{notes:?}");
    json(&answer);
}

#[tokio::test]
async fn a_key_that_is_named_by_metadata_as_too_weak_is_not_here() {
    use claviger::{
        repository::{Mode, Repositories, Servers},
        tuf::pinning::Pinning,
    };
    let sandbox = claviger::sandbox::Sandbox::new(jiff::Timestamp::now(), None).unwrap();
    let repositories =
        Repositories::new(Servers::fixed(sandbox.transport()), sandbox.trust_dir().clone(), Pinning::default(), false);
    let mut seen = 0;
    for gun in sandbox.guns() {
        let Ok(loaded) = repositories.load(&gun, jiff::Timestamp::now(), Mode::Usual, &|_| {}).await else { continue };
        // Every key has a whole file here, as if nobody had looked into it.
        let all = loaded.collection.roles().iter().flat_map(|r| &r.keys.keys);
        let file = |path: &str| claviger::views::chain::KeyFile { path: path.into(), fault: None };
        let here = all.map(|k| (k.canonical_id(), file("a.key"))).collect();
        let top = chain(&loaded.collection, &here, jiff::Timestamp::now());
        for key in top.walk().iter().filter(|n| n.role.is_delegation()).flat_map(|n| &n.keys) {
            let weak = matches!(key.algorithm, claviger::tuf::key::Algorithm::Rsa(bits) if bits < 2048);
            assert_eq!(matches!(key.whereabouts, Whereabouts::Here(_)), !weak, "{key:?}");
            seen += 1;
        }
    }
    assert!(seen > 5);
}
