//! Every trust directory, old layout and staged change that the real tools left: what each program lists and opens, before and
//! after the other one has encrypted every key anew. One row each, printed.

use super::desk::Desk;
use super::filled::each;
use super::generated_keys::change_passphrase;
use super::server::{Kind, NotaryServer};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Mutex;

/// Each with the repository of its staged changes, if it has some, and the lines by which its keys open.
const STORES: [(&str, Option<&str>, &str); 7] = [
    ("trustdirs/docker-trust", None, "root=gold-droot\ntargets=gold-drepo\ndelegation=gold-drepo\n"),
    ("trustdirs/notary-full", None, NOTARY),
    ("trustdirs/notary-server-managed-snapshot", None, NOTARY),
    ("staged/trustdir-init-and-add-unpublished", Some("lab.example/gold/app"), NOTARY),
    ("staged/trustdir-many-changes-unpublished", Some("lab.example/gold/app"), NOTARY),
    ("oldlayout/before-hand-made", None, NOTARY),
    // Notary's own move has lost the role of the root key, which so opens by its ID only.
    (
        "oldlayout/after-hand-made",
        None,
        "e18d009991f34e26ec5629f31d1f1e73327d57418ff6b8ca15dfb843fabe79b7=gold-root\ntargets=gold-targets\nsnapshot=gold-snapshot\ndelegation=gold-delegation\n",
    ),
];
const NOTARY: &str = "root=gold-root\ntargets=gold-targets\nsnapshot=gold-snapshot\ndelegation=gold-delegation\n";
/// What notary encrypts with in the end.
const AFTERWARDS: &str = "encrypted anew by notary";

/// The fixture's passphrase for a key of this role.
fn phrase(store: &str, role: &str) -> &'static str {
    match (store.ends_with("docker-trust"), role) {
        (true, "root") => "gold-droot",
        (true, _) => "gold-drepo",
        (false, "root" | "") => "gold-root",
        (false, "targets") => "gold-targets",
        (false, "snapshot") => "gold-snapshot",
        (false, _) => "gold-delegation",
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a fixture") {
        let entry = entry.expect("a fixture");
        match entry.file_type().expect("a kind").is_dir() {
            true => copy(&entry.path(), &to.join(entry.file_name())),
            false => drop(std::fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy")),
        }
    }
}

/// The IDs that `notary` lists.
fn notary_lists(desk: &Desk) -> BTreeSet<String> {
    let listed = desk.notary(&["key", "list"]).ok().stdout;
    listed.split_whitespace().filter(|w| w.len() == 64).map(str::to_owned).collect()
}

/// The IDs that claviger lists, with their roles.
fn claviger_lists(desk: &Desk) -> BTreeMap<String, String> {
    let listed: Value = serde_json::from_str(&desk.claviger(&["key", "list", "--json"]).ok().stdout).expect("JSON");
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    listed.as_array().expect("a list").iter().map(|k| (text(&k["id"]), text(&k["role"]))).collect()
}

fn claviger_opens(desk: &Desk, ids: &BTreeSet<String>, file: &str) -> usize {
    let mut arguments = vec!["key", "test", "--json", "--passphrase-file", file];
    arguments.extend(ids.iter().map(String::as_str));
    let tested: Value = serde_json::from_str(&desk.claviger(&arguments).stdout).expect("JSON");
    tested["results"].as_array().expect("a list").iter().filter(|r| r["outcome"] == "good").count()
}

/// How many staged changes `notary status` shows.
fn staged(desk: &Desk, gun: Option<&str>) -> Option<usize> {
    let shown = desk.notary(&["status", gun?]).ok().stdout;
    Some(shown.lines().filter(|l| l.split_whitespace().next().is_some_and(|n| n.parse::<usize>().is_ok())).count())
}

#[test]
fn what_either_program_has_encrypted_the_other_lists_and_opens_in_every_store() {
    let rows = Mutex::new(BTreeMap::new());
    each(&STORES, |(store, gun, lines)| {
        let desk = Desk::new(NotaryServer::shared(Kind::Local), "store");
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(store), &desk.trust_dir());
        let file = desk.write("passphrases", lines);
        let before = claviger_lists(&desk);
        let ids: BTreeSet<String> = before.keys().cloned().collect();
        let opened = claviger_opens(&desk, &ids, &file);
        // Only what is in an old layout moves, and only when it is asked for; then notary finds nothing to move.
        desk.claviger(&["key", "migrate"]).ok();
        assert_eq!(claviger_lists(&desk), before, "{store}");
        let listed = notary_lists(&desk);
        let changes = staged(&desk, *gun);
        desk.claviger(&["key", "mend"]).ok();
        desk.claviger(&["key", "strengthen", "--passphrase-file", &file]).ok();
        let (ours, theirs) = (claviger_opens(&desk, &ids, &file), notary_lists(&desk));
        assert_eq!(staged(&desk, *gun), changes, "{store}: staged changes");
        // Notary asks for the old passphrase, and encrypts with the new one: so it has opened what claviger wrote.
        for (id, role) in &before {
            change_passphrase(&desk, id, phrase(store, role), AFTERWARDS);
        }
        let after = desk.write("afterwards", AFTERWARDS);
        let again = claviger_opens(&desk, &ids, &after);
        let counts = [ids.len(), opened, listed.len(), ours, theirs.len(), before.len(), again];
        let changes = changes.map_or_else(|| "-".to_owned(), |n| n.to_string());
        rows.lock().expect("no test has failed").insert(*store, (counts, changes));
        assert_eq!((&listed, &theirs), (&ids, &ids), "{store}: what notary lists");
        assert!(counts.iter().all(|n| *n == ids.len()), "{store}: {counts:?}");
    });
    let rows = rows.into_inner().expect("no test has failed");
    let head = ["keys", "we open", "notary lists", "we encrypted:", "lists", "opens", "then we open", "staged"];
    println!("{:<44}{}", "store", head.map(|h| format!("{h:>14}")).concat());
    for (store, (counts, changes)) in &rows {
        println!("{store:<44}{}{changes:>14}", counts.map(|n| format!("{n:>14}")).concat());
    }
    assert_eq!(rows.len(), STORES.len());
}

#[test]
fn docker_trust_signs_with_a_store_that_was_mended_and_strengthened() {
    use std::os::unix::fs::PermissionsExt;
    let (desk, gun) = (Desk::new(NotaryServer::shared(Kind::Local), "cared"), "peers.test/cared-for");
    let public = desk.signer_key("alice");
    desk.docker_trust(&["signer", "add", "--key", &public, "alice", gun]).ok();
    for entry in std::fs::read_dir(desk.trust_dir().join("private")).expect("keys") {
        let path = entry.expect("a key").path();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    }
    let mended: Value = serde_json::from_str(&desk.claviger(&["key", "mend", "--json"]).ok().stdout).expect("JSON");
    assert!(mended["mended"].as_array().expect("a list").len() >= 3, "{mended:#}");
    let done: Value = serde_json::from_str(&desk.claviger(&["key", "strengthen", "--json"]).ok().stdout).expect("JSON");
    let outcomes: BTreeSet<&str> =
        done["keys"].as_array().expect("a list").iter().filter_map(|k| k["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["strengthened"].into(), "{done:#}");
    desk.notary(&["addhash", gun, "v1", "7", "--sha256", &"a".repeat(64), "--roles", "targets/releases", "-p"]).ok();
    desk.docker_sign(gun, "v1");
    let inspected: Value = serde_json::from_str(&desk.fresh().docker_trust(&["inspect", gun]).ok().stdout).expect("JSON");
    assert_eq!(inspected[0]["SignedTags"][0]["Signers"][0], "alice", "{inspected:#}");
}
