//! What a change leaves for somebody else to witness is written down for them, and whoever follows it mends it.
use super::{begun, code, digest, docker_sees, everywhere, outcome, sign};
use crate::peers::{
    desk::Desk,
    listing,
    program::Answer,
    server::{Kind, NotaryServer},
};
use serde_json::Value;
use std::{
    fs,
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// Takes the private keys of these signers from a desk; where they are now.
pub fn take_keys(desk: &Desk, signers: &[&str]) -> Vec<PathBuf> {
    let private = desk.trust_dir().join("private");
    let mut taken = Vec::new();
    for entry in fs::read_dir(private).unwrap().flatten() {
        let text = fs::read_to_string(entry.path()).unwrap();
        if signers.iter().any(|name| text.contains(&format!("role: {name}"))) {
            let elsewhere = desk.file(entry.file_name().to_str().unwrap());
            fs::rename(entry.path(), &elsewhere).unwrap();
            taken.push(elsewhere);
        }
    }
    assert_eq!(taken.len(), signers.len());
    taken
}

/// Requests that are in the state directory of a desk.
pub fn kept(desk: &Desk) -> Vec<PathBuf> {
    let all = fs::read_dir(desk.file("home/.local/state/claviger")).unwrap().flatten();
    let found = all.flat_map(|state| fs::read_dir(state.path().join("witness-requests")).into_iter().flatten().flatten());
    let mut found: Vec<PathBuf> = found.map(|e| e.path()).collect();
    found.sort();
    found
}

#[track_caller]
fn json(answer: &Answer) -> Value {
    serde_json::from_str(&answer.stdout).unwrap_or_else(|e| panic!("{e}: {answer:?}"))
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

/// The command that a request says, without the program.
fn command(text: &str) -> Vec<String> {
    let line = text.lines().find_map(|l| l.trim().strip_prefix("claviger witness ")).unwrap();
    ["witness"].into_iter().chain(line.split(' ')).map(str::to_owned).collect()
}

#[test]
fn whoever_follows_a_witness_request_brings_back_what_went_with_a_signer() {
    everywhere("requested", |desk, gun| {
        begun(desk, gun, &["alice", "bob"]);
        for tag in ["v1", "v2"] {
            sign(desk, gun, tag, &["--as", "alice"]).ok();
        }
        let listed = listing::delegations(&desk.notary(&["delegation", "list", gun]).ok().stdout);
        let of = |role: &str| listed.iter().find(|d| d.role == role).unwrap().keys[0].clone();
        let (alice, bob) = (of("targets/alice"), of("targets/bob"));
        let keys = take_keys(desk, &["alice", "bob"]);
        let remove = ["signer", "remove", "alice", gun];
        let plan = desk.claviger(&[&remove[..], &["--dry-run"]].concat()).ok();
        assert!(plan.stdout.contains("there is a witness request for targets/releases"), "{plan:?}");
        desk.claviger(&[&remove[..], &["--yes"]].concat()).refused();
        assert!(kept(desk).is_empty(), "nothing was published");
        let done = desk.claviger(&[&remove[..], &["--yes", "--confirm", "alice", "--json"]].concat()).ok();
        let requests = json(&done)["witness_requests"].clone();
        assert_eq!((requests[0]["gun"].as_str(), requests[0]["role"].as_str()), (Some(gun), Some("targets/releases")));
        let file = PathBuf::from(requests[0]["file"].as_str().unwrap());
        assert_eq!((kept(desk), requests.as_array().unwrap().len()), (vec![file.clone()], 1));
        assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
        let text = fs::read_to_string(&file).unwrap();
        for part in ["signer remove", gun, "targets/releases, version", "1 of these keys", &bob, "v1", "v2", "100 bytes"] {
            assert!(text.contains(part), "{part} is not in it:\n{text}");
        }
        for tag in ["v1", "v2"] {
            assert!(text.contains(&format!("sha256:{}", digest(tag))), "{text}");
        }
        assert!(!text.contains(&alice), "who was removed is not asked:\n{text}");
        assert!(text.is_ascii() && text.lines().all(|l| l.len() <= 100), "{text}");
        assert_eq!(docker_sees(desk, gun), (Vec::new(), vec!["bob".to_owned()]));
        // Bob, at a machine of his own.
        let bobs = desk.fresh();
        let private = bobs.trust_dir().join("private");
        fs::create_dir_all(&private).unwrap();
        let his = keys.iter().find(|k| k.to_str().unwrap().contains(&bob)).unwrap();
        fs::copy(his, private.join(his.file_name().unwrap())).unwrap();
        bobs.claviger(&["repo", "show", gun]);
        let words = command(&text);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        bobs.claviger(&[&words[..], &["--yes", "--confirm", gun]].concat()).ok();
        assert_eq!(docker_sees(desk, gun), (vec!["v1".to_owned(), "v2".to_owned()], vec!["bob".to_owned()]));
        assert!(kept(&bobs).is_empty(), "nothing is left to witness");
    });
}

fn desk(name: &str) -> (Desk, String) {
    (Desk::new(NotaryServer::shared(Kind::Local), name), format!("registry.example/request/{name}"))
}

#[test]
fn whatever_takes_a_key_says_what_is_left_to_witness_and_no_request_takes_the_place_of_another() {
    let (desk, gun) = desk("others");
    let keys = begun(&desk, &gun, &["alice", "bob"]);
    let listed = listing::delegations(&desk.notary(&["delegation", "list", &gun]).ok().stdout);
    let alice = listed.iter().find(|d| d.role == "targets/alice").unwrap().keys[0].clone();
    sign(&desk, &gun, "v1", &["--as", "alice"]).ok();
    take_keys(&desk, &["alice", "bob"]);
    let mut seen: Vec<(PathBuf, u64)> = Vec::new();
    for (command, confirm) in [
        (vec!["delegation", "purge", &gun, "--key", &alice], gun.as_str()),
        (vec!["delegation", "remove", &gun, "targets/releases", &alice], &gun),
        (vec!["signer", "leave", "alice", &gun], "alice"),
    ] {
        let told = desk.claviger(&[&command[..], &["--yes", "--confirm", confirm, "--json"]].concat()).ok();
        let file = json(&told)["witness_requests"][0]["file"].as_str().unwrap().to_owned();
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(&format!("claviger {} {}", command[0], command[1])) && text.contains("v1"), "{text}");
        let now: Vec<(PathBuf, u64)> = kept(&desk).into_iter().map(|p| (p.clone(), p.metadata().unwrap().ino())).collect();
        assert_eq!(now.len(), seen.len() + 1);
        assert!(seen.iter().all(|before| now.contains(before)), "another one is gone");
        seen = now;
        // With the key of the only signature there again, it counts again.
        desk.claviger(&["signer", "add", "--key", &keys[0], "alice", &gun, "--yes"]).ok();
    }
}

#[test]
fn nobody_is_asked_to_witness_where_nothing_is_left_or_nothing_was_published() {
    let (desk, gun) = desk("nothing-left");
    begun(&desk, &gun, &["alice", "bob"]);
    sign(&desk, &gun, "v1", &["--as", "alice"]).ok();
    // What is staged is not published.
    let staged = desk.claviger(&["signer", "remove", "alice", &gun, "--stage", "--json"]).ok();
    assert_eq!((outcome(&staged).as_str(), json(&staged)["witness_requests"].as_array().unwrap().len()), ("staged", 0));
    desk.claviger(&["reset", &gun, "--all"]).ok();
    // Bob's key is here and vouches for it in the same publication.
    let plan = desk.claviger(&["signer", "remove", "alice", &gun, "--dry-run"]).ok();
    assert!(!plan.stdout.contains("witness request"), "{plan:?}");
    let done = desk.claviger(&["signer", "remove", "alice", &gun, "--yes", "--json"]).ok();
    assert_eq!((outcome(&done).as_str(), json(&done)["witness_requests"].as_array().unwrap().len()), ("published", 0));
    assert!(kept(&desk).is_empty());
}

#[test]
fn a_witness_request_that_cannot_be_written_is_said_and_what_was_published_stays() {
    let (desk, gun) = desk("unwritten");
    begun(&desk, &gun, &["alice", "bob"]);
    sign(&desk, &gun, "v1", &["--as", "alice"]).ok();
    take_keys(&desk, &["alice", "bob"]);
    let state = fs::read_dir(desk.file("home/.local/state/claviger")).unwrap().flatten().next().unwrap().path();
    fs::write(state.join("witness-requests"), "something else").unwrap();
    let done = desk.claviger(&["signer", "remove", "alice", &gun, "--yes", "--confirm", "alice", "--json"]).refused();
    assert_eq!((done.status, code(&done).as_str(), outcome(&done).as_str()), (1, "request", "published"), "{done:?}");
    assert!(json(&done)["witness_requests"][0]["file"].is_null(), "{done:?}");
    assert!(done.stderr.contains(&format!("claviger witness {gun} targets/releases")), "{done:?}");
    assert_eq!(docker_sees(&desk, &gun).1, ["bob"]);
}
