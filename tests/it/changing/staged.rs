//! Staged changes travel both ways between claviger and `notary`; and `delete` and `leave`.
use super::{begun, code, digest, docker_sees, everywhere, outcome, sign};
use crate::peers::{
    desk::Desk,
    listing,
    server::{Kind, NotaryServer},
};
use std::fs;

fn desk(name: &str) -> (Desk, String) {
    (Desk::new(NotaryServer::shared(Kind::Local), name), format!("registry.example/staged/{name}"))
}

/// What claviger says is staged.
fn staged(desk: &Desk, gun: &str) -> Vec<String> {
    let answer = desk.claviger(&["status", gun, "--json"]).ok();
    let all: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
    all["staged"].as_array().unwrap().iter().map(|s| s["change"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_notary_stages_claviger_shows_and_publishes() {
    everywhere("from-notary", |desk, gun| {
        let alice = begun(desk, gun, &["alice", "bob"]).remove(0);
        sign(desk, gun, "old", &[]).ok();
        let roles = ["-r", "targets/alice", "-r", "targets/releases"];
        desk.notary(&[&["addhash", gun, "new", "100", "--sha256", &digest("new")][..], &roles].concat()).ok();
        desk.notary(&["remove", gun, "old", "-r", "targets/releases"]).ok();
        desk.notary(&["delegation", "add", gun, "targets/qa", &alice, "--paths", "qa/,x<y>/"]).ok();
        desk.notary(&["witness", gun, "targets/bob"]).ok();
        assert_eq!(staged(desk, gun), ["sign", "sign", "revoke", "delegate", "delegate", "witness"]);
        desk.notary(&["status", gun]).ok();
        let done = desk.claviger(&["publish", gun, "--yes", "--confirm", gun, "--json"]).ok();
        assert_eq!(outcome(&done), "published", "{done:?}");
        assert!(staged(desk, gun).is_empty(), "what was published is not staged any more");
        assert_eq!(docker_sees(desk, gun), (vec!["new".into()], vec!["alice".into(), "bob".into(), "qa".into()]));
        let roles = listing::delegations(&desk.fresh().notary(&["delegation", "list", gun]).ok().stdout);
        let qa = roles.iter().find(|d| d.role == "targets/qa").unwrap();
        assert_eq!(qa.paths, ["qa/", "x<y>/"]);
        // What changes an existing role, and takes keys out of all.
        let id = qa.keys[0].clone();
        desk.notary(&["delegation", "remove", gun, "targets/qa", "--paths", "qa/"]).ok();
        desk.notary(&["delegation", "purge", gun, "--key", &id]).ok();
        let done = desk.claviger(&["publish", gun, "--yes", "--confirm", gun, "--json"]).ok();
        assert_eq!(outcome(&done), "published", "{done:?}");
        let roles = listing::delegations(&desk.fresh().notary(&["delegation", "list", gun]).ok().stdout);
        assert!(roles.iter().all(|d| !d.keys.contains(&id)), "{roles:?}");
        assert_eq!(docker_sees(desk, gun).0, ["new"], "bob vouches for what only alice had signed");
    });
}

#[test]
fn what_claviger_stages_notary_shows_and_publishes() {
    everywhere("to-notary", |desk, gun| {
        let keys = begun(desk, gun, &["alice", "bob"]);
        sign(desk, gun, "old", &[]).ok();
        let run = |args: &[&str]| {
            let answer = desk.claviger(&[args, &["--stage", "--json"]].concat()).ok();
            assert_eq!(outcome(&answer), "staged", "{answer:?}");
        };
        let sha256 = format!("sha256:{}", digest("new"));
        run(&["sign", &format!("{gun}:new"), "--digest", &sha256, "--size", "100"]);
        run(&["revoke", &format!("{gun}:old")]);
        run(&["delegation", "add", gun, "targets/qa", &keys[1], "--paths", "qa/"]);
        run(&["delegation", "add", gun, "targets/bob", &keys[0]]);
        run(&["witness", gun, "targets"]);
        assert!(docker_sees(desk, gun).0 == ["old"], "nothing is published");
        let shown = desk.notary(&["status", gun]).ok().stdout;
        for what in ["targets/qa", "new", "old", "witness"] {
            assert!(shown.contains(what), "{what}: {shown}");
        }
        desk.notary(&["publish", gun]).ok();
        assert!(staged(desk, gun).is_empty());
        assert_eq!(docker_sees(desk, gun), (vec!["new".into()], vec!["alice".into(), "bob".into(), "qa".into()]));
        let roles = listing::delegations(&desk.fresh().notary(&["delegation", "list", gun]).ok().stdout);
        let keys = |role: &str| roles.iter().find(|d| d.role == role).unwrap().keys.len();
        assert_eq!((keys("targets/qa"), keys("targets/bob"), keys("targets/alice")), (1, 2, 1));
        run(&["delegation", "remove", gun, "targets/qa"]);
        desk.notary(&["publish", gun]).ok();
        assert_eq!(docker_sees(desk, gun).1, ["alice", "bob"]);
        let refused = desk.claviger(&["key", "rotate", gun, "targets", "--stage", "--json"]).refused();
        assert_eq!(refused.status, 2, "what the old tools never stage is not staged");
        assert_eq!(desk.claviger(&["renew", gun, "--role", "targets", "--stage", "--json"]).refused().status, 2);
    });
}

#[test]
fn what_is_staged_goes_out_with_the_next_change_unless_only_that_is_wanted() {
    let (desk, gun) = desk("goes-out");
    begun(&desk, &gun, &["alice"]);
    let roles = ["-r", "targets/alice", "-r", "targets/releases"];
    desk.notary(&[&["addhash", &gun, "staged", "100", "--sha256", &digest("staged")][..], &roles].concat()).ok();
    let only = sign(&desk, &gun, "v1", &["--only"]).ok();
    assert_eq!((outcome(&only), staged(&desk, &gun).len()), ("published".to_owned(), 2));
    assert_eq!(docker_sees(&desk, &gun).0, ["v1"]);
    let dry = desk.claviger(&["witness", &gun, "targets", "--dry-run"]).ok();
    assert!(dry.stdout.contains("staged"), "the page says what goes out with it: {dry:?}");
    desk.claviger(&["key", "rotate", &gun, "targets", "--yes"]).ok();
    assert_eq!(staged(&desk, &gun).len(), 2, "a rotation goes out alone");
    sign(&desk, &gun, "v2", &[]).ok();
    assert_eq!((docker_sees(&desk, &gun).0.len(), staged(&desk, &gun).len()), (3, 0));
    assert_eq!(code(&desk.claviger(&["publish", &gun, "--yes", "--json"]).refused()), "nothing-staged");
}

#[test]
fn what_was_staged_before_takes_nothing_away_unread() {
    let (desk, gun) = desk("unread");
    begun(&desk, &gun, &[]);
    for tag in ["v1", "v2"] {
        sign(&desk, &gun, tag, &[]).ok();
    }
    for tag in ["v1", "v2"] {
        desk.notary(&["remove", &gun, tag]).ok();
    }
    let unread = sign(&desk, &gun, "v3", &[]).refused();
    assert_eq!(code(&unread), "not-confirmed", "{unread:?}");
    let all = desk.claviger(&["publish", &gun, "--yes", "--json"]).refused();
    assert_eq!(code(&all), "not-confirmed", "no tag would stay: {all:?}");
    assert_eq!(listing::tags(&desk.fresh().notary(&["list", &gun]).ok().stdout).len(), 2);
    assert_eq!(outcome(&sign(&desk, &gun, "v3", &["--confirm", &gun]).ok()), "published");
    // What changes nothing any more does not wait for a day on which it would.
    desk.notary(&["addhash", &gun, "v3", "100", "--sha256", &digest("v3")]).ok();
    assert_eq!(outcome(&desk.claviger(&["publish", &gun, "--yes", "--json"]).ok()), "as-wanted");
    assert!(staged(&desk, &gun).is_empty());
}

#[test]
fn a_link_among_what_is_staged_stops_nothing_but_publishing_it() {
    let (desk, gun) = desk("linked");
    begun(&desk, &gun, &[]);
    let changelist = desk.trust_dir().join("tuf").join(&gun).join("changelist");
    fs::create_dir_all(&changelist).unwrap();
    let target = desk.write("somewhere-else", "{}");
    std::os::unix::fs::symlink(&target, changelist.join("1_link.change")).unwrap();
    assert_eq!(code(&sign(&desk, &gun, "v1", &[]).refused()), "staged");
    assert_eq!(outcome(&sign(&desk, &gun, "v1", &["--only"]).ok()), "published");
    desk.claviger(&["key", "rotate", &gun, "targets", "--yes"]).ok();
    assert_eq!(staged(&desk, &gun), ["not-understood"]);
    desk.claviger(&["reset", &gun, "--all"]).ok();
    assert!(staged(&desk, &gun).is_empty() && fs::metadata(target).is_ok(), "what it led to stays");
}

#[test]
fn staged_changes_are_thrown_away_one_by_one_and_what_is_not_understood_is_not_published() {
    let (desk, gun) = desk("reset");
    begun(&desk, &gun, &[]);
    for tag in ["a", "b", "c"] {
        desk.notary(&["addhash", &gun, tag, "100", "--sha256", &digest(tag)]).ok();
    }
    assert_eq!(code(&desk.claviger(&["reset", &gun, "-n", "3", "--json"]).refused()), "no-such-change");
    let seen = desk.claviger(&["reset", &gun, "--all", "--dry-run"]).ok();
    assert!(
        seen.stdout.contains("Nothing was thrown away.") && seen.stdout.lines().filter(|l| l.starts_with("Goes")).count() == 3
    );
    assert_eq!(staged(&desk, &gun).len(), 3, "a look takes nothing away");
    desk.claviger(&["reset", &gun, "-n", "1"]).ok();
    let changelist = desk.trust_dir().join("tuf").join(&gun).join("changelist");
    fs::write(changelist.join("99999999999999999999_x.change"), "{}").unwrap();
    let refused = desk.claviger(&["publish", &gun, "--yes", "--json"]).refused();
    assert_eq!(code(&refused), "staged", "{refused:?}");
    assert_eq!(staged(&desk, &gun), ["sign", "sign", "not-understood"], "and nothing is lost");
    desk.claviger(&["reset", &gun, "-n", "2"]).ok();
    desk.claviger(&["publish", &gun, "--yes"]).ok();
    let listed = listing::tags(&desk.fresh().notary(&["list", &gun]).ok().stdout);
    assert_eq!(listed.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    desk.notary(&["addhash", &gun, "d", "100", "--sha256", &digest("d")]).ok();
    desk.claviger(&["reset", &gun, "--all"]).ok();
    assert!(staged(&desk, &gun).is_empty());
}

#[test]
fn nothing_is_deleted_by_accident_and_what_is_deleted_has_a_copy() {
    everywhere("deleted", |desk, gun| {
        begun(desk, gun, &["alice"]);
        sign(desk, gun, "v1", &[]).ok();
        let other = format!("{gun}/below");
        begun_too(desk, &other);
        for unconfirmed in [&["--remote"][..], &[], &["--remote", "--confirm", "yes"], &["--confirm", &other]] {
            let answer = desk.claviger(&[&["delete", gun, "--json"], unconfirmed].concat()).refused();
            assert_eq!(code(&answer), "not-confirmed", "{answer:?}");
        }
        assert_eq!(docker_sees(desk, gun).0, ["v1"]);
        let metadata = desk.trust_dir().join("tuf").join(gun).join("metadata");
        let local = desk.claviger(&["delete", gun, "--confirm", gun, "--json"]).ok();
        assert_eq!((outcome(&local).as_str(), metadata.exists()), ("deleted", false));
        assert_eq!(docker_sees(desk, gun).0, ["v1"], "the server has it still");
        let keys = || fs::read_dir(desk.trust_dir().join("private")).unwrap().count();
        let before = keys();
        let remote = desk.claviger(&["delete", gun, "--remote", "--confirm", gun]).ok();
        assert_eq!(keys(), before, "keys stay");
        desk.fresh().notary(&["list", gun]).refused();
        let copy = remote.stdout.split("a copy is in ").nth(1).unwrap().lines().next().unwrap().trim_end_matches('.').to_owned();
        let root = fs::read_to_string(format!("{copy}/server/root.json")).unwrap();
        assert!(root.contains("\"_type\":\"Root\"") && fs::metadata(format!("{copy}/server/targets.json")).is_ok(), "{copy}");
        let below = desk.trust_dir().join("tuf").join(&other).join("metadata/root.json");
        assert!(below.is_file(), "a repository whose name goes on is another one");
        // A real server with its storage in memory deletes whatever begins with the name.
        if !desk.path().contains("deleted-local") {
            assert_eq!(docker_sees(desk, &other).1, ["alice"]);
        }
        assert_eq!(code(&desk.claviger(&["delete", gun, "--remote", "--confirm", gun, "--json"]).refused()), "not-there");
        assert_eq!(outcome(&desk.claviger(&["init", gun, "--yes", "--json"]).ok()), "published", "and it can be begun anew");
    });
}

/// Another repository with a signer whose key is there.
fn begun_too(desk: &Desk, gun: &str) {
    desk.docker_trust(&["signer", "add", "--key", &desk.folder_file("alice.pub"), "alice", gun]).ok();
    desk.claviger(&["repo", "show", gun]).ok();
}

#[test]
fn who_leaves_is_out_of_every_repository_that_knows_them() {
    let (desk, one) = desk("leaves");
    let (two, three) = (format!("{one}/two"), format!("{one}/three"));
    let keys = begun(&desk, &one, &["alice", "bob"]);
    desk.docker_trust(&["signer", "add", "--key", &keys[1], "bob", &two]).ok();
    desk.docker_trust(&["signer", "add", "--key", &keys[0], "alice", &two]).ok();
    begun_too(&desk, &three);
    for gun in [&one, &two, &three] {
        desk.claviger(&["repo", "show", gun]).ok();
    }
    sign(&desk, &one, "v1", &["--as", "alice"]).ok();
    sign(&desk, &three, "v1", &["--as", "alice"]).ok();
    desk.claviger(&["delegation", "add", &one, "targets/qa", &keys[0], &keys[1], "--paths", "qa/", "--yes"]).ok();
    // Where nobody would be left, the name has to be typed.
    let unread = desk.claviger(&["signer", "leave", "alice", "--all", "--yes", "--json"]).refused();
    assert_eq!(code(&unread), "not-confirmed", "{unread:?}");
    let left = desk.claviger(&["signer", "leave", "alice", "--all", "--yes", "--confirm", "alice", "--json"]).ok();
    let all: serde_json::Value = serde_json::from_str(&left.stdout).unwrap();
    assert!(all["repositories"].as_array().unwrap().iter().all(|r| r["outcome"] == "published"), "{left:?}");
    for (gun, signers) in [(&one, &["bob", "qa"][..]), (&two, &["bob"]), (&three, &[])] {
        assert_eq!(docker_sees(&desk, gun).1, signers, "{gun}");
    }
    assert_eq!(docker_sees(&desk, &one).0, ["v1"], "bob vouches for what only alice had signed");
    // Under whatever name their key is known elsewhere.
    desk.claviger(&["delegation", "add", &three, "targets/deploy", &keys[1], "--all-paths", "--yes"]).ok();
    let guns = [one.as_str(), &three];
    let dry = desk.claviger(&["signer", "leave", "bob", guns[0], guns[1], "--dry-run", "--json"]).ok();
    let plans: serde_json::Value = serde_json::from_str(&dry.stdout).unwrap();
    assert_eq!(plans["plans"].as_array().unwrap().len(), 2, "{dry:?}");
    // Nobody knows the name any more, which is no success: it may have been another one.
    let again = desk.claviger(&["signer", "leave", "alice", "--all", "--yes", "--json"]).refused();
    let all: serde_json::Value = serde_json::from_str(&again.stdout).unwrap();
    assert!(all["repositories"].as_array().unwrap().iter().all(|r| r["outcome"] == "failed"), "{again:?}");
    let id = listing::delegations(&desk.fresh().notary(&["delegation", "list", &two]).ok().stdout)[0].keys[0].clone();
    let left = desk.claviger(&["signer", "leave", &id, &two, "--yes", "--confirm", &id, "--json"]).ok();
    assert_eq!(outcome(&left), "published");
    assert!(docker_sees(&desk, &two).1.is_empty());
}
