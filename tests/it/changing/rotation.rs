//! Keys that claviger rotates are the keys that everybody sees from then on.
use super::{begun, code, docker_sees, everywhere, key, outcome, sign};
use crate::peers::{
    desk::Desk,
    listing,
    server::{Kind, NotaryServer},
};
use std::fs;

fn desk(name: &str) -> (Desk, String) {
    (Desk::new(NotaryServer::shared(Kind::Local), name), format!("registry.example/rotation/{name}"))
}

/// The IDs of a role's keys, as claviger sees them with nothing remembered.
fn keys_of(desk: &Desk, gun: &str, role: &str) -> Vec<String> {
    let seen = desk.fresh().claviger(&["repo", "show", gun, "--json"]).ok();
    let all: serde_json::Value = serde_json::from_str(&seen.stdout).unwrap();
    let of = all["roles"].as_array().unwrap().iter().find(|r| r["role"] == role).unwrap_or_else(|| panic!("{all}"));
    of["keys"].as_array().unwrap().iter().map(|k| k["id"].as_str().unwrap().to_owned()).collect()
}

fn rotate(desk: &Desk, gun: &str, role: &str, more: &[&str]) {
    let done = desk.claviger(&[&["key", "rotate", gun, role, "--yes", "--json"], more].concat()).ok();
    assert_eq!(outcome(&done), "published", "{role}: {done:?}");
}

#[test]
fn every_key_can_be_rotated_and_all_go_on_with_it() {
    everywhere("all", |desk, gun| {
        begun(desk, gun, &["alice"]);
        sign(desk, gun, "v0", &[]).ok();
        // Somebody who has read it before, and follows.
        let follower = desk.fresh();
        follower.notary(&["list", gun]).ok();
        let turns: [(&str, &[&str]); 6] = [
            ("targets", &[]),
            ("snapshot", &[]),
            ("root", &[]),
            ("snapshot", &["-r"]),
            ("timestamp", &["-r"]),
            ("targets/alice", &[]),
        ];
        for (number, (role, more)) in turns.into_iter().enumerate() {
            let before = keys_of(desk, gun, role);
            rotate(desk, gun, role, more);
            let after = keys_of(desk, gun, role);
            assert!(after.len() == 1 && after != before, "{role}: {before:?} {after:?}");
            // Each of the old tools goes on with it.
            let tag = format!("v{}", number + 1);
            if number % 2 == 0 {
                let sha256 = super::digest(&tag);
                let roles = ["-r", "targets/alice", "-r", "targets/releases"];
                desk.notary(&[&["addhash", gun, &tag, "100", "--sha256", &sha256][..], &roles, &["-p"]].concat()).ok();
            } else {
                sign(desk, gun, &tag, &[]).ok();
            }
            let (tags, signers) = docker_sees(desk, gun);
            assert_eq!((tags.len(), signers), (number + 2, vec!["alice".to_owned()]), "after {role}");
            let listed = listing::tags(&follower.notary(&["list", gun]).ok().stdout);
            assert_eq!(listed.len(), number + 2, "after {role}, for one with an old cache");
        }
    });
}

#[test]
fn after_a_rotation_by_the_old_tool_claviger_goes_on_and_back() {
    everywhere("back", |desk, gun| {
        begun(desk, gun, &[]);
        for (role, more) in [("targets", &[][..]), ("snapshot", &[]), ("snapshot", &["-r"]), ("timestamp", &["-r"])] {
            desk.notary(&[&["key", "rotate", gun, role], more].concat()).ok();
            assert_eq!(outcome(&sign(desk, gun, &format!("after-{role}{}", more.len()), &[]).ok()), "published");
            rotate(desk, gun, role, more);
            desk.notary(&["witness", gun, "targets", "-p"]).ok();
        }
        desk.notary_with_input(&["key", "rotate", gun, "root"], "yes\n").ok();
        rotate(desk, gun, "root", &[]);
        assert_eq!(listing::tags(&desk.fresh().notary(&["list", gun]).ok().stdout).len(), 4);
    });
}

#[test]
fn a_delegation_key_goes_out_of_every_role_and_what_it_signed_stays() {
    let (desk, gun) = desk("delegation");
    begun(&desk, &gun, &["alice", "bob"]);
    sign(&desk, &gun, "v1", &["--as", "alice"]).ok();
    let old = keys_of(&desk, &gun, "targets/alice").remove(0);
    rotate(&desk, &gun, "targets/alice", &[]);
    let new = keys_of(&desk, &gun, "targets/alice").remove(0);
    let releases = keys_of(&desk, &gun, "targets/releases");
    assert!(releases.contains(&new) && !releases.contains(&old) && releases.len() == 2, "{releases:?}");
    assert_eq!(docker_sees(&desk, &gun), (vec!["v1".to_owned()], vec!["alice".to_owned(), "bob".to_owned()]));
    // Without the new key nothing more is signed as alice.
    fs::remove_file(desk.trust_dir().join("private").join(format!("{new}.key"))).unwrap();
    assert_eq!(code(&sign(&desk, &gun, "v2", &["--as", "alice"]).refused()), "no-signing-key");
    let mine = key(&desk, "mine");
    rotate(&desk, &gun, "targets/alice", &["--key", &mine, "--confirm", &gun]);
    assert_eq!(docker_sees(&desk, &gun).0, ["v1"], "the owner gives her another key, which is here");
}

#[test]
fn a_key_of_ones_own_takes_the_place() {
    let (desk, gun) = desk("own");
    begun(&desk, &gun, &[]);
    desk.claviger(&["key", "generate", "spare", "--role", "targets", "--gun", &gun, "--dir", desk.path()]).ok();
    let listed: serde_json::Value = serde_json::from_str(&desk.claviger(&["key", "list", "--json"]).ok().stdout).unwrap();
    let current = keys_of(&desk, &gun, "targets");
    let spare = listed.as_array().unwrap().iter().map(|k| k["id"].as_str().unwrap().to_owned());
    let spare: Vec<String> = spare.filter(|id| !current.contains(id)).collect();
    let targets = |id: &String| listed.as_array().unwrap().iter().any(|k| k["id"] == **id && k["role"] == "targets");
    let spare = spare.into_iter().find(targets).unwrap();
    rotate(&desk, &gun, "targets", &["--key", &spare]);
    assert_eq!(keys_of(&desk, &gun, "targets"), std::slice::from_ref(&spare));
    // The same root key in another certificate is another key to clients, and the same here.
    let root = keys_of(&desk, &gun, "root");
    let held = desk.claviger(&["key", "list", "--json"]).ok().stdout;
    let held: serde_json::Value = serde_json::from_str(&held).unwrap();
    let id = held.as_array().unwrap().iter().find(|k| k["role"] == "root").unwrap()["id"].as_str().unwrap().to_owned();
    rotate(&desk, &gun, "root", &["--key", &id]);
    let seen = desk.fresh().notary(&["list", &gun]).ok();
    assert!(listing::tags(&seen.stdout).is_empty());
    let after = desk.claviger(&["repo", "show", &gun, "--json"]).ok().stdout;
    assert!(after.contains(&id) && root.len() == 1, "{after}");
    let none = ["key", "rotate", &gun, "targets", "--key", &"ab".repeat(32), "--yes", "--json"];
    assert_eq!(desk.claviger(&none).refused().status, 2, "a key that is not here");
    let gone = ["key", "rotate", &gun, "targets", "--old", &"ab".repeat(32), "--yes", "--json"];
    assert_eq!(code(&desk.claviger(&gone).refused()), "no-such-key");
    for wrong in [&["targets", "-r"][..], &["root", "-r"], &["timestamp", "--key", &spare], &["targets", "--cert", "x"]] {
        assert_eq!(desk.claviger(&[&["key", "rotate", &gun], wrong, &["--yes"]].concat()).refused().status, 2, "{wrong:?}");
    }
}

#[test]
fn a_dry_run_of_a_rotation_makes_no_key_here_or_there() {
    let (desk, gun) = desk("dry");
    begun(&desk, &gun, &[]);
    let held = || fs::read_dir(desk.trust_dir().join("private")).unwrap().count();
    let before = held();
    for (role, more) in [("root", &[][..]), ("targets", &[]), ("snapshot", &["-r"]), ("timestamp", &[])] {
        let of = keys_of(&desk, &gun, role);
        let dry = desk.claviger(&[&["key", "rotate", &gun, role, "--dry-run", "--json"], more].concat()).ok();
        let plan: serde_json::Value = serde_json::from_str(&dry.stdout).unwrap();
        assert_eq!(plan["plans"][0]["files"][0]["role"], "root", "{dry:?}");
        assert_eq!((held(), keys_of(&desk, &gun, role)), (before, of), "{role}");
    }
}

#[test]
fn whoever_accepts_a_rotation_of_the_targets_key_accepts_what_it_will_vouch_for() {
    let (desk, gun) = desk("vouched");
    begun(&desk, &gun, &[]);
    let digest = || {
        let dry = desk.claviger(&["key", "rotate", &gun, "targets", "--dry-run", "--json"]).ok();
        let plan: serde_json::Value = serde_json::from_str(&dry.stdout).unwrap();
        plan["digest"].as_str().unwrap().to_owned()
    };
    let before = digest();
    assert_eq!(digest(), before, "nothing has changed");
    sign(&desk, &gun, "slipped-in", &[]).ok();
    assert_ne!(digest(), before, "the new key would sign another file");
    let rotation = ["key", "rotate", &gun, "targets", "--expect", &before, "--json"];
    assert_eq!(code(&desk.claviger(&rotation).refused()), "plan-differs");
}

#[test]
fn a_key_that_is_not_of_the_role_is_not_called_rotated() {
    let (desk, gun) = desk("not-of-it");
    begun(&desk, &gun, &[]);
    let other = format!("{gun}-other");
    desk.claviger(&["init", &other, "--yes"]).ok();
    let (root, foreign) = (keys_of(&desk, &gun, "root").remove(0), keys_of(&desk, &other, "targets").remove(0));
    for (role, old) in [("targets", &root), ("targets", &foreign), ("snapshot", &foreign)] {
        let refused = desk.claviger(&["key", "rotate", &gun, role, "--old", old, "--yes", "--json"]).refused();
        assert_eq!(code(&refused), "no-such-key", "{role}: {refused:?}");
    }
    let current = keys_of(&desk, &gun, "targets").remove(0);
    let same = desk.claviger(&["key", "rotate", &gun, "targets", "--key", &current, "--yes"]).refused();
    assert_eq!(same.status, 2, "it is the one that the role has: {same:?}");
}

#[test]
fn a_root_that_this_machines_own_pin_would_refuse_is_not_published() {
    let (desk, gun) = desk("pinned");
    begun(&desk, &gun, &[]);
    let root = keys_of(&desk, &gun, "root").remove(0);
    let seen = desk.claviger(&["repo", "show", &gun, "--json"]).ok();
    let all: serde_json::Value = serde_json::from_str(&seen.stdout).unwrap();
    let pinned = all["roles"][0]["keys"][0]["metadata_id"].as_str().unwrap();
    let config = desk.write("config.json", &format!(r#"{{"trust_pinning": {{"certs": {{"{gun}": ["{pinned}"]}}}}}}"#));
    let refused = desk.claviger(&["key", "rotate", &gun, "root", "--yes", "--json", "--config", &config]).refused();
    assert_eq!(code(&refused), "pinned", "{refused:?}");
    assert_eq!(keys_of(&desk, &gun, "root"), [root]);
}
