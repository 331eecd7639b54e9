//! What servers and clients make of several keys and of thresholds above one: the rows of docs/thresholds.md.
use super::{begun, code, key, outcome, sign};
use crate::peers::{
    desk::{At, Desk, OTHER_PASSPHRASE, ROOT_PASSPHRASE},
    listing,
    program::Answer,
    server::{Kind, NotaryServer},
};
use claviger::{
    keys::{self, PrivateKey, Signer},
    net::HttpSettings,
    notary::http::Http,
    repository::{
        Repositories, Servers,
        change::{Basis, Plan},
    },
    secret::Passphrase,
    trust_dir::TrustDir,
    tuf::{
        change::Change,
        key::PublicKey,
        name::{BaseRole, Gun, KeyId},
        pinning::Pinning,
    },
};
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

fn desk(name: &str) -> (Desk, String) {
    (Desk::new(NotaryServer::shared(Kind::Local), name), format!("registry.example/thresholds/{name}"))
}

/// Work with root keys that is published.
#[track_caller]
pub fn root_key(desk: &Desk, verb: &str, gun: &str, more: &[&str]) -> Answer {
    let done = desk.claviger(&[&["root-key", verb, gun], more, &["--yes", "--json", "--confirm", gun]].concat()).ok();
    assert_eq!(outcome(&done), "published", "{verb} {more:?}: {done:?}");
    done
}

/// Everybody sees these tags, and so many root keys: those who come now, and those who have read it before.
#[track_caller]
pub fn all_see(desk: &Desk, gun: &str, before: &[&Desk], tags: &[&str], roots: usize) {
    let fresh = desk.fresh();
    for one in before.iter().copied().chain([&fresh]) {
        let listed = listing::tags(&one.notary(&["list", gun]).ok().stdout);
        assert_eq!(listed.len(), tags.len(), "notary lists {listed:?}");
        let seen = one.docker_trust(&["inspect", gun]).ok();
        let seen: serde_json::Value = serde_json::from_str(&seen.stdout).unwrap();
        let names = seen[0]["SignedTags"].as_array().unwrap().iter().map(|t| t["SignedTag"].as_str().unwrap());
        assert_eq!(names.collect::<Vec<_>>(), tags, "{seen}");
        let keys = seen[0]["AdministrativeKeys"].as_array().unwrap().iter().find(|k| k["Name"] == "Root").unwrap();
        assert_eq!(keys["Keys"].as_array().unwrap().len(), roots, "{seen}");
        let ours = one.claviger(&["inspect", gun]).ok();
        assert_eq!(serde_json::from_str::<serde_json::Value>(&ours.stdout).unwrap(), seen);
        one.claviger(&["repo", "verify", gun]).ok();
    }
}

/// Somebody who has read it, and follows.
pub fn follower(desk: &Desk, gun: &str) -> Desk {
    let one = desk.fresh();
    one.notary(&["list", gun]).ok();
    one
}

/// The keys of a role that are here.
fn held(desk: &Desk, role: &str) -> Vec<PublicKey> {
    let all = keys::list(&TrustDir::new(desk.trust_dir())).entries.into_iter();
    let all = all.filter(|e| e.role.as_ref().is_some_and(|r| r.raw() == role));
    all.map(|e| keys::unlock(&e, Some(&Passphrase::from(OTHER_PASSPHRASE.to_owned()))).unwrap().public().clone()).collect()
}

/// Publishes what no command makes, on the one road; whatever is refused on it is said.
async fn changed(desk: &Desk, gun: &str, change: impl Fn(&Basis) -> Change) -> Result<(), String> {
    let at = At::of(NotaryServer::shared(Kind::Local));
    let http = Http::new(&HttpSettings { ca: Some(at.ca), ..HttpSettings::new(at.url) }).unwrap();
    let dir = TrustDir::new(desk.trust_dir());
    let all = Repositories::new(Servers::fixed(Arc::new(http)), dir.clone(), Pinning::default(), true);
    let basis = all.basis(&Gun::new(gun).unwrap(), &[], Timestamp::now(), &|_| {}).await.unwrap();
    let changes = [change(&basis)];
    let plan = Plan::new(&basis, &changes, &changes).map_err(|e| e.to_string())?.unwrap();
    let mut ring: BTreeMap<KeyId, PrivateKey> = BTreeMap::new();
    for entry in keys::list(&dir).entries {
        let is_root = entry.role.as_ref().is_some_and(|r| r.raw() == "root");
        let of = if is_root { ROOT_PASSPHRASE } else { OTHER_PASSPHRASE };
        let key = keys::unlock(&entry, Some(&Passphrase::from(of.to_owned()))).unwrap();
        ring.insert(key.id(), key);
    }
    let ring: BTreeMap<KeyId, &dyn Signer> = ring.iter().map(|(id, k)| (*id, k as &dyn Signer)).collect();
    let signed = plan.sign(&ring).map_err(|e| e.to_string())?;
    signed.publish(&all).await.map_err(|e| e.to_string())?;
    signed.verify(&all, &|_| {}).await.map(drop).map_err(|e| e.to_string())
}

/// The keys that a base role has, and these, of which so many must sign.
fn with(basis: &Basis, role: BaseRole, more: &[PublicKey], threshold: u64) -> Change {
    let mut keys = basis.collection().base_keys(role);
    keys.extend(more.iter().filter(|k| !basis.collection().base_keys(role).iter().any(|b| b.id() == k.id())).cloned());
    assert_eq!(keys.len(), 2);
    Change::Keys { role, keys, threshold }
}

fn spare(desk: &Desk, gun: &str, name: &str, role: &str) {
    desk.claviger(&["key", "generate", name, "--role", role, "--gun", gun, "--dir", desk.path()]).ok();
}

/// Takes the private half of a key away.
pub fn lose(desk: &Desk, id: &str) {
    fs::remove_file(desk.trust_dir().join("private").join(format!("{id}.key"))).unwrap();
}

fn file_of(desk: &Desk, key: &PublicKey) -> PathBuf {
    desk.trust_dir().join("private").join(format!("{}.key", key.canonical_id().hex()))
}

/// Signs a tag with notary; its answer.
fn notary_signs(desk: &Desk, gun: &str, tag: &str, roles: &[&str]) -> Answer {
    let roles: Vec<&str> = roles.iter().flat_map(|r| ["-r", r]).collect();
    desk.notary(&[&["addhash", gun, tag, "100", "--sha256", &super::digest(tag)], &roles[..], &["-p"]].concat())
}

#[test]
fn several_root_keys_are_followed_by_all_with_any_threshold_and_back() {
    let (desk, gun) = desk("roots");
    begun(&desk, &gun, &["alice"]);
    sign(&desk, &gun, "v0", &[]).ok();
    let first = follower(&desk, &gun);
    root_key(&desk, "add", &gun, &["--key", "new"]);
    all_see(&desk, &gun, &[&first], &["v0"], 2);
    let second = follower(&desk, &gun);
    // Two of two, two of three, three of three, and back again; the first of those who follow skips steps.
    root_key(&desk, "threshold", &gun, &["2"]);
    all_see(&desk, &gun, &[&second], &["v0"], 2);
    root_key(&desk, "add", &gun, &["--key", "new"]);
    all_see(&desk, &gun, &[&second], &["v0"], 3);
    root_key(&desk, "threshold", &gun, &["3"]);
    sign(&desk, &gun, "v1", &[]).ok();
    all_see(&desk, &gun, &[&first, &second], &["v0", "v1"], 3);
    root_key(&desk, "threshold", &gun, &["1"]);
    all_see(&desk, &gun, &[&first, &second], &["v0", "v1"], 3);
}

#[test]
fn the_old_tools_go_on_below_a_root_of_several_keys_and_cannot_rotate_it() {
    let (desk, gun) = desk("old-tools");
    begun(&desk, &gun, &["alice"]);
    sign(&desk, &gun, "v0", &[]).ok();
    root_key(&desk, "add", &gun, &["--key", "new", "--threshold", "2"]);
    let before = follower(&desk, &gun);
    let bob = key(&desk, "bob");
    desk.docker_trust(&["signer", "add", "--key", &bob, "bob", &gun]).ok();
    desk.notary(&["key", "rotate", &gun, "targets"]).ok();
    desk.notary(&["key", "rotate", &gun, "timestamp", "-r"]).ok();
    desk.docker_sign(&gun, "v0");
    all_see(&desk, &gun, &[&before], &["v0"], 2);
    let refused = desk.notary_with_input(&["key", "rotate", &gun, "root"], "yes\n").refused();
    assert!(refused.stdout.contains("found 1 of 2 needed keys"), "{refused:?}");
    all_see(&desk, &gun, &[&before], &["v0"], 2);
    // Where one signature is enough, it takes all others out.
    root_key(&desk, "threshold", &gun, &["1"]);
    desk.notary_with_input(&["key", "rotate", &gun, "root"], "yes\n").ok();
    all_see(&desk, &gun, &[&before], &["v0"], 1);
}

#[test]
fn a_client_that_pins_root_keys_counts_only_those() {
    let (desk, gun) = desk("pins");
    begun(&desk, &gun, &[]);
    let shown = desk.claviger(&["repo", "show", &gun, "--json"]).ok();
    let shown: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
    let pin = shown["roles"][0]["keys"][0]["metadata_id"].as_str().unwrap().to_owned();
    let sees = || {
        let one = desk.fresh();
        let file = one.write("pins.json", &format!(r#"{{"trust_pinning": {{"certs": {{"{gun}": ["{pin}"]}}}}}}"#));
        let (theirs, ours) =
            (one.notary(&["list", &gun, "-c", &file]), one.claviger(&["repo", "verify", &gun, "--config", &file]));
        assert_eq!(theirs.status == 0, ours.status == 0, "{theirs:?} {ours:?}");
        ours.status
    };
    assert_eq!(sees(), 0);
    root_key(&desk, "add", &gun, &["--key", "new"]);
    assert_eq!(sees(), 0, "the one that it pins has signed");
    root_key(&desk, "threshold", &gun, &["2"]);
    assert_eq!(sees(), 3, "two must sign, and it counts one");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_targets_keys_are_followed_by_all_and_all_that_must_sign_are_needed() {
    let (desk, gun) = desk("targets");
    begun(&desk, &gun, &[]);
    let before = follower(&desk, &gun);
    spare(&desk, &gun, "spare", "targets");
    let both = held(&desk, "targets");
    assert_eq!(both.len(), 2);
    let mut tags = Vec::new();
    for (threshold, (ours, theirs)) in [(1, ("a", "b")), (2, ("c", "d"))] {
        changed(&desk, &gun, |basis| with(basis, BaseRole::Targets, &both, threshold)).await.unwrap();
        sign(&desk, &gun, ours, &[]).ok();
        notary_signs(&desk, &gun, theirs, &["targets"]).ok();
        tags.extend([ours, theirs]);
        all_see(&desk, &gun, &[&before], &tags, 1);
    }
    let copy: Vec<_> = both.iter().map(|k| (file_of(&desk, k), fs::read(file_of(&desk, k)).unwrap())).collect();
    lose(&desk, &both[0].canonical_id().hex());
    assert_eq!(code(&sign(&desk, &gun, "e", &[]).refused()), "no-signing-key");
    let refused = notary_signs(&desk, &gun, "e", &["targets"]).refused();
    assert!(refused.stdout.contains("found 1 of 2 needed keys"), "{refused:?}");
    desk.docker_trust(&["signer", "add", "--key", &key(&desk, "alice"), "alice", &gun]).refused();
    all_see(&desk, &gun, &[&before], &tags, 1);
    // It is not rotated, and both private keys are gone all the same.
    copy.iter().for_each(|(path, bytes)| fs::write(path, bytes).unwrap());
    let refused = desk.notary(&["key", "rotate", &gun, "targets"]).refused();
    assert!(refused.stdout.contains("found 1 of 2 needed keys"), "{refused:?}");
    assert!(copy.iter().all(|(path, _)| !path.exists()));
    all_see(&desk, &gun, &[&before], &tags, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_snapshot_keys_are_followed_by_all_but_never_ours_and_the_servers_together() {
    let (desk, gun) = desk("snapshot");
    begun(&desk, &gun, &[]);
    let before = follower(&desk, &gun);
    spare(&desk, &gun, "spare", "snapshot");
    let spares = held(&desk, "snapshot");
    changed(&desk, &gun, |basis| with(basis, BaseRole::Snapshot, &spares, 1)).await.unwrap();
    sign(&desk, &gun, "a", &[]).ok();
    notary_signs(&desk, &gun, "b", &["targets"]).ok();
    all_see(&desk, &gun, &[&before], &["a", "b"], 1);
    let both = changed(&desk, &gun, |basis| with(basis, BaseRole::Snapshot, &spares, 2)).await.unwrap_err();
    assert!(both.contains("snapshot needs 2 signatures, and 1"), "{both}");
    all_see(&desk, &gun, &[&before], &["a", "b"], 1);
    // Two that are both here.
    spare(&desk, &gun, "second", "snapshot");
    let ours = held(&desk, "snapshot");
    assert_eq!(ours.len(), 2, "{ours:?}");
    let two = Change::Keys { role: BaseRole::Snapshot, keys: ours, threshold: 2 };
    changed(&desk, &gun, |_| two.clone()).await.unwrap();
    sign(&desk, &gun, "c", &[]).ok();
    notary_signs(&desk, &gun, "d", &["targets"]).ok();
    all_see(&desk, &gun, &[&before], &["a", "b", "c", "d"], 1);
}

#[test]
fn a_delegation_of_two_of_two_is_followed_by_all_and_needs_both() {
    let (desk, gun) = desk("delegations");
    begun(&desk, &gun, &["alice"]);
    sign(&desk, &gun, "a", &[]).ok();
    let before = follower(&desk, &gun);
    let two = key(&desk, "alice-two");
    let mut tags = vec!["a"];
    for (role, (ours, theirs)) in [("targets/alice", ("b", "c")), ("targets/releases", ("d", "e"))] {
        desk.claviger(&["delegation", "add", &gun, role, &two, "--yes"]).ok();
        // What one key has signed has to be signed by both before both must.
        desk.claviger(&["witness", &gun, role, "--yes"]).ok();
        desk.claviger(&["delegation", "add", &gun, role, "--threshold", "2", "--yes"]).ok();
        sign(&desk, &gun, ours, &[]).ok();
        notary_signs(&desk, &gun, theirs, &["targets/alice", "targets/releases"]).ok();
        desk.docker_sign(&gun, "a");
        tags.extend([ours, theirs]);
        all_see(&desk, &gun, &[&before], &tags, 1);
    }
    let id = |file: &str| listing_id(Path::new(file));
    lose(&desk, &id(&two));
    assert_eq!(code(&sign(&desk, &gun, "f", &[]).refused()), "no-signing-key");
    notary_signs(&desk, &gun, "f", &["targets/alice", "targets/releases"]).refused();
    // It says that it signed, and has thrown away what was staged.
    desk.docker_sign(&gun, "a");
    assert!(desk.claviger(&["status", &gun]).ok().stdout.contains("Nothing is staged"));
    all_see(&desk, &gun, &[&before], &tags, 1);
}

/// The ID of a key by the file of its public half.
fn listing_id(file: &Path) -> String {
    claviger::procedures::repository::public_keys(&[file.to_str().unwrap().to_owned()]).unwrap()[0].canonical_id().hex()
}

#[test]
fn every_row_of_the_page_of_thresholds_stands_on_a_test() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/thresholds.md")).unwrap();
    let here = include_str!("thresholds.rs").to_owned() + include_str!("root_keys.rs");
    let rows: Vec<&str> = page.lines().filter(|l| l.starts_with("| ") && l.ends_with("` |")).collect();
    assert!(rows.len() > 10, "{rows:?}");
    for row in rows {
        let test = row.trim_end_matches("` |").rsplit('`').next().unwrap();
        assert!(here.contains(&format!("fn {test}() {{")), "there is no test {test}");
    }
}
