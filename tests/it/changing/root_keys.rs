//! Root keys that come and go: what claviger does with several, and what it refuses.
use super::{
    begun, code, everywhere, sign,
    thresholds::{all_see, follower, lose, root_key},
};
use crate::peers::{
    desk::{Desk, ROOT_PASSPHRASE},
    server::{Kind, NotaryServer},
};
use claviger::{
    keys::{self, certificate::root_certificate},
    secret::Passphrase,
    trust_dir::TrustDir,
    tuf::name::Gun,
};
use jiff::{Timestamp, ToSpan as _};
use serde_json::Value;
use std::fs;

fn desk(name: &str) -> (Desk, String) {
    (Desk::new(NotaryServer::shared(Kind::Local), name), format!("registry.example/root-keys/{name}"))
}

/// The root keys and their threshold, as claviger sees them with nothing remembered.
fn roots(desk: &Desk, gun: &str) -> (Vec<String>, u64) {
    let seen = desk.fresh().claviger(&["repo", "show", gun, "--json"]).ok();
    let all: Value = serde_json::from_str(&seen.stdout).unwrap();
    let root = all["roles"].as_array().unwrap().iter().find(|r| r["role"] == "root").unwrap();
    let ids = root["keys"].as_array().unwrap().iter().map(|k| k["id"].as_str().unwrap().to_owned());
    (ids.collect(), root["threshold"].as_u64().unwrap())
}

fn held(desk: &Desk) -> usize {
    fs::read_dir(desk.trust_dir().join("private")).unwrap().count()
}

fn refused(desk: &Desk, args: &[&str]) -> (i32, String, String) {
    let before = held(desk);
    let refused = desk.claviger(&[args, &["--yes", "--json"]].concat()).refused();
    assert_eq!(held(desk), before, "no key is made for what is refused");
    (refused.status, if refused.stderr.starts_with('{') { code(&refused) } else { String::new() }, refused.stderr)
}

#[test]
fn a_root_key_comes_and_another_goes_and_all_follow() {
    everywhere("root-keys", |desk, gun| {
        begun(desk, gun, &["alice"]);
        sign(desk, gun, "v0", &[]).ok();
        let before = follower(desk, gun);
        let first = roots(desk, gun).0.remove(0);
        let done: Value = serde_json::from_str(&root_key(desk, "add", gun, &["--key", "new"]).stdout).unwrap();
        let second = done["keys_made"][0]["id"].as_str().unwrap().to_owned();
        assert_eq!(roots(desk, gun), (vec![first.clone(), second.clone()], 1));
        all_see(desk, gun, &[&before], &["v0"], 2);
        // Another one that is here, and both must sign from then on.
        let spare = desk.claviger(&["key", "generate", "spare", "--role", "root", "--dir", desk.path(), "--json"]).ok();
        let third = serde_json::from_str::<Value>(&spare.stdout).unwrap()["id"].as_str().unwrap().to_owned();
        root_key(desk, "add", gun, &["--key", &third, "--threshold", "2"]);
        assert_eq!(roots(desk, gun).1, 2);
        all_see(desk, gun, &[&before], &["v0"], 3);
        root_key(desk, "remove", gun, &[&first]);
        lose(desk, &first);
        assert_eq!(roots(desk, gun), (vec![second, third], 2));
        sign(desk, gun, "v1", &[]).ok();
        all_see(desk, gun, &[&before], &["v0", "v1"], 2);
    });
}

#[test]
fn a_lost_root_key_is_taken_out_by_the_one_that_is_left() {
    let (desk, gun) = desk("lost");
    begun(&desk, &gun, &["alice"]);
    sign(&desk, &gun, "v0", &[]).ok();
    let lost = roots(&desk, &gun).0.remove(0);
    let before = follower(&desk, &gun);
    root_key(&desk, "add", &gun, &["--key", "new"]);
    lose(&desk, &lost);
    // The other one goes on meanwhile.
    desk.claviger(&["key", "rotate", &gun, "targets", "--yes"]).ok();
    all_see(&desk, &gun, &[&before], &["v0"], 2);
    root_key(&desk, "remove", &gun, &[&lost]);
    let (left, threshold) = roots(&desk, &gun);
    assert!(left.len() == 1 && left[0] != lost && threshold == 1, "{left:?}");
    sign(&desk, &gun, "v1", &[]).ok();
    all_see(&desk, &gun, &[&before], &["v0", "v1"], 1);
}

#[test]
fn where_too_few_root_keys_are_at_hand_nothing_is_signed_and_it_says_which_could() {
    let (desk, gun) = desk("two-of-two");
    begun(&desk, &gun, &["alice"]);
    root_key(&desk, "add", &gun, &["--key", "new", "--threshold", "2"]);
    let before = roots(&desk, &gun);
    lose(&desk, &before.0[0]);
    for args in [
        &["root-key", "remove", &gun, &before.0[0], "--threshold", "1"][..],
        &["root-key", "add", &gun, "--key", "new"],
        &["root-key", "threshold", &gun, "1"],
        &["key", "rotate", &gun, "root", "--old", &before.0[0]],
        &["renew", &gun, "--role", "root"],
    ] {
        let (status, code, says) = refused(&desk, args);
        assert_eq!((status, code.as_str()), (1, "no-signing-key"), "{args:?}: {says}");
        assert!(says.contains("root needs 2 signatures, and 1 of its keys is at hand") && says.contains(&before.0[0][..12]));
    }
    let dry = desk.claviger(&["root-key", "threshold", &gun, "1", "--dry-run"]).refused();
    assert!(dry.stdout.contains("root needs 2 signatures, and 1 of its keys is at hand"), "{dry:?}");
    assert_eq!(roots(&desk, &gun), before);
}

#[test]
fn no_more_root_keys_must_sign_than_there_are_and_the_last_one_stays() {
    let (desk, gun) = desk("above");
    begun(&desk, &gun, &[]);
    let only = roots(&desk, &gun).0.remove(0);
    for args in [
        &["root-key", "add", &gun, "--key", "new", "--threshold", "3"][..],
        &["root-key", "add", &gun, "--key", "new", "--threshold", "0"],
        &["root-key", "threshold", &gun, "2"],
        &["root-key", "threshold", &gun, "0"],
        &["root-key", "remove", &gun, &only],
        &["root-key", "remove", &gun, &"ab".repeat(32)],
    ] {
        let (status, code, says) = refused(&desk, args);
        assert_eq!((status, code.as_str()), (2, "usage"), "{args:?}: {says}");
    }
    root_key(&desk, "add", &gun, &["--key", "new", "--threshold", "2"]);
    let (status, _, says) = refused(&desk, &["root-key", "remove", &gun, &only]);
    assert!(status == 2 && says.contains("2 would have to sign, and there would be 1"), "{says}");
    root_key(&desk, "remove", &gun, &[&only, "--threshold", "1"]);
    assert_eq!((roots(&desk, &gun).0.len(), roots(&desk, &gun).1), (1, 1));
}

#[test]
fn a_rotation_of_one_of_several_root_keys_keeps_the_others_and_the_threshold() {
    let (desk, gun) = desk("rotated");
    begun(&desk, &gun, &["alice"]);
    sign(&desk, &gun, "v0", &[]).ok();
    let before = follower(&desk, &gun);
    root_key(&desk, "add", &gun, &["--key", "new"]);
    root_key(&desk, "add", &gun, &["--key", "new", "--threshold", "2"]);
    let (old, _) = roots(&desk, &gun);
    let (status, _, says) = refused(&desk, &["key", "rotate", &gun, "root"]);
    assert!(status == 2 && says.contains("has several keys; name the one that goes"), "{says}");
    // One of three is lost; the two that are left put another in its place.
    lose(&desk, &old[1]);
    desk.claviger(&["key", "rotate", &gun, "root", "--old", &old[1], "--yes"]).ok();
    let (new, threshold) = roots(&desk, &gun);
    assert!(threshold == 2 && new.len() == 3 && new[..2] == [old[0].clone(), old[2].clone()] && new[2] != old[1], "{new:?}");
    all_see(&desk, &gun, &[&before], &["v0"], 3);
}

#[test]
fn a_root_key_that_lies_elsewhere_comes_by_its_certificate_and_goes_on_there() {
    let (desk, gun) = desk("elsewhere");
    begun(&desk, &gun, &["alice"]);
    sign(&desk, &gun, "v0", &[]).ok();
    let before = follower(&desk, &gun);
    let other = follower(&desk, &gun);
    other.claviger(&["key", "generate", "spare", "--role", "root", "--dir", other.path()]).ok();
    let entry = keys::list(&TrustDir::new(other.trust_dir())).entries.remove(0);
    let private = keys::unlock(&entry, Some(&Passphrase::from(ROOT_PASSPHRASE.to_owned()))).unwrap();
    let certificate = |gun: &str, name: &str| {
        let (now, mut random) = (Timestamp::now(), |b: &mut [u8]| getrandom::fill(b));
        let pem = root_certificate(&Gun::new(gun).unwrap(), &private, &mut random, now, now + 1000.hours()).unwrap();
        desk.write(name, &pem)
    };
    let foreign = certificate("registry.example/another", "foreign.pem");
    assert_eq!(refused(&desk, &["root-key", "add", &gun, "--cert", &foreign]).1, "unusable-certificate");
    let theirs = certificate(&gun, "theirs.pem");
    let dry = desk.claviger(&["root-key", "add", &gun, "--cert", &theirs, "--dry-run"]).ok();
    assert!(dry.stdout.contains("is not here, and nothing here shows that anybody holds it"), "{dry:?}");
    root_key(&desk, "add", &gun, &["--cert", &theirs]);
    all_see(&desk, &gun, &[&before], &["v0"], 2);
    let (status, _, says) = refused(&desk, &["root-key", "add", &gun, "--cert", &theirs]);
    assert!(status == 2 && says.contains("is a root key"), "{says}");
    // Both must sign: no machine can alone.
    let (_, code, _) = refused(&desk, &["root-key", "threshold", &gun, "2"]);
    assert_eq!(code, "no-signing-key");
    let first = roots(&desk, &gun).0.remove(0);
    root_key(&other, "remove", &gun, &[&first]);
    all_see(&desk, &gun, &[&before, &desk], &["v0"], 1);
}

#[test]
fn a_root_key_is_never_made_or_chosen_unasked() {
    let (desk, gun) = desk("unasked");
    begun(&desk, &gun, &[]);
    let before = roots(&desk, &gun);
    for args in [
        &["root-key", "add", &gun][..],
        &["root-key", "add", &gun, "--key", &"ab".repeat(32)],
        &["root-key", "add", &gun, "--key", &before.0[0]],
        &["root-key", "add", &gun, "--key", "/nowhere/at/all"],
    ] {
        refused(&desk, args);
    }
    let held_before = held(&desk);
    let dry = desk.claviger(&["root-key", "add", &gun, "--key", "new", "--threshold", "2", "--dry-run"]).ok();
    for says in ["(new, made here, in a new certificate)", "root needs 2 signatures, was 1", "All 2 root keys must sign"] {
        assert!(dry.stdout.contains(says), "{dry:?}");
    }
    desk.claviger(&["root-key", "add", &gun, "--key", "new"]).refused();
    assert_eq!(desk.claviger(&["root-key", "threshold", &gun, "1", "--stage"]).refused().status, 2);
    assert_eq!((roots(&desk, &gun), held(&desk)), (before, held_before));
}

#[test]
fn root_keys_that_this_machines_own_pin_would_refuse_are_not_published() {
    let (desk, gun) = desk("pinned");
    begun(&desk, &gun, &[]);
    let seen: Value = serde_json::from_str(&desk.claviger(&["repo", "show", &gun, "--json"]).ok().stdout).unwrap();
    let (pin, id) = (seen["roles"][0]["keys"][0]["metadata_id"].as_str(), seen["roles"][0]["keys"][0]["id"].as_str());
    let (pin, id) = (pin.unwrap(), id.unwrap());
    let config = desk.write("config.json", &format!(r#"{{"trust_pinning": {{"certs": {{"{gun}": ["{pin}"]}}}}}}"#));
    let (_, code, says) = refused(&desk, &["root-key", "add", &gun, "--key", "new", "--threshold", "2", "--config", &config]);
    assert_eq!(code, "pinned", "two must sign, and the pin knows one: {says}");
    // Beside the one that is pinned, and one signature is enough.
    root_key(&desk, "add", &gun, &["--key", "new", "--config", &config]);
    for args in [&["root-key", "remove", &gun, id][..], &["root-key", "threshold", &gun, "2"]] {
        assert_eq!(refused(&desk, &[args, &["--config", &config]].concat()).1, "pinned", "{args:?}");
    }
    assert_eq!(roots(&desk, &gun).0.len(), 2);
}
