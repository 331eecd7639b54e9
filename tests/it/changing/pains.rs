//! What people of this field have suffered, one promise each.
use super::{begun, code, digest, docker_sees, everywhere, key, outcome, sign, witness_request::take_keys};
use crate::peers::{
    desk::Desk,
    listing,
    server::{Kind, NotaryServer},
};
use std::fs;

fn desk(name: &str) -> (Desk, String) {
    (Desk::new(NotaryServer::shared(Kind::Local), name), format!("registry.example/pains/{name}"))
}

#[test]
fn a_removed_signer_is_really_gone_and_what_docker_pulls_stays() {
    let (desk, gun) = desk("really-gone");
    begun(&desk, &gun, &["alice", "bob"]);
    // Only alice has signed what docker pulls.
    sign(&desk, &gun, "v1", &["--as", "alice"]).ok();
    let done = desk.claviger(&["signer", "remove", "alice", &gun, "--yes", "--json"]).ok();
    assert!(done.stdout.contains("targets/releases"), "bob vouches for it in the same publication: {done:?}");
    assert_eq!(docker_sees(&desk, &gun), (vec!["v1".to_owned()], vec!["bob".to_owned()]));
    let listed = desk.fresh().notary(&["delegation", "list", &gun]).ok().stdout;
    assert!(!listed.contains("targets/alice"), "{listed}");
    let again = desk.claviger(&["signer", "remove", "alice", &gun, "--yes", "--json"]).refused();
    assert_eq!(code(&again), "no-such-signer");
}

#[test]
fn a_signer_is_not_removed_unasked_where_that_breaks_what_docker_pulls() {
    let (desk, gun) = desk("would-break");
    begun(&desk, &gun, &["alice", "bob"]);
    sign(&desk, &gun, "v1", &["--as", "alice"]).ok();
    // Whoever owns the repository and holds no signer's key.
    for entry in fs::read_dir(desk.trust_dir().join("private")).unwrap().flatten() {
        let text = fs::read_to_string(entry.path()).unwrap();
        if text.contains("role: alice") || text.contains("role: bob") {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    let stopped = desk.claviger(&["signer", "remove", "alice", &gun, "--yes", "--json"]).refused();
    assert_eq!(code(&stopped), "not-confirmed");
    assert!(stopped.stderr.contains("targets/releases will not verify any more") && stopped.stderr.contains("v1"), "{stopped:?}");
    assert_eq!(docker_sees(&desk, &gun).1, ["alice", "bob"], "nothing was published");
    let done = desk.claviger(&["signer", "remove", "alice", &gun, "--yes", "--confirm", "alice", "--json"]).ok();
    assert_eq!(outcome(&done), "published");
}

#[test]
fn a_bricked_delegation_is_named_and_brought_back() {
    let (desk, gun) = desk("bricked");
    let keys = begun(&desk, &gun, &["alice", "bob"]);
    sign(&desk, &gun, "v1", &["--as", "alice"]).ok();
    let listed = listing::delegations(&desk.notary(&["delegation", "list", &gun]).ok().stdout);
    let alice = listed.iter().find(|d| d.role == "targets/alice").unwrap().keys[0].clone();
    // The old tool takes the key of the only signature away, and says that all is well.
    desk.notary(&["delegation", "remove", &gun, "targets/releases", &alice, "-p"]).ok();
    assert_eq!(docker_sees(&desk, &gun).0, Vec::<String>::new());
    let refused = sign(&desk, &gun, "v2", &["--as", "bob"]).refused();
    assert_eq!(code(&refused), "role-refused");
    assert!(refused.stderr.contains("claviger witness"), "{refused:?}");
    let witness = ["witness", &gun, "targets/releases", "--yes", "--json"];
    let unread = desk.claviger(&witness).refused();
    assert_eq!(code(&unread), "not-confirmed", "what did not verify is not vouched for unread");
    assert!(unread.stderr.contains("v1"), "{unread:?}");
    desk.claviger(&[&witness[..], &["--confirm", &gun]].concat()).ok();
    assert_eq!(docker_sees(&desk, &gun).0, ["v1"]);
    assert_eq!(keys.len(), 2);
}

#[test]
fn an_expired_repository_can_be_seen_and_renewed() {
    let (desk, gun) = desk("expired");
    begun(&desk, &gun, &[]);
    sign(&desk, &gun, "v1", &[]).ok();
    let soon = jiff::Timestamp::now().checked_add(jiff::Span::new().seconds(5)).unwrap();
    let soon = soon.round(jiff::Unit::Second).unwrap();
    desk.claviger(&["renew", &gun, "--role", "targets", "--until", &soon.to_string(), "--yes"]).ok();
    while jiff::Timestamp::now() <= soon {
        std::thread::yield_now();
    }
    desk.fresh().notary(&["list", &gun]).refused();
    let seen = desk.claviger(&["repo", "show", &gun, "--json"]);
    assert_eq!((seen.status, seen.stdout.contains("expired")), (3, true), "{seen:?}");
    let unread = sign(&desk, &gun, "v2", &[]).refused();
    assert_eq!(code(&unread), "not-confirmed", "signing the expired file makes all of it valid again");
    assert!(unread.stderr.contains("valid again: ") && unread.stderr.contains(" sha256:"), "it says what for: {unread:?}");
    assert_eq!(outcome(&sign(&desk, &gun, "v2", &["--confirm", &gun]).ok()), "published");
    let soon = jiff::Timestamp::now().checked_add(jiff::Span::new().seconds(5)).unwrap().round(jiff::Unit::Second).unwrap();
    desk.claviger(&["renew", &gun, "--role", "targets", "--until", &soon.to_string(), "--yes"]).ok();
    while jiff::Timestamp::now() <= soon {
        std::thread::yield_now();
    }
    let renewed = desk.claviger(&["renew", &gun, "--yes", "--json"]).ok();
    assert!(renewed.stdout.contains("\"targets\""), "{renewed:?}");
    let listed = desk.fresh().notary(&["list", &gun]).ok().stdout;
    assert_eq!(listing::tags(&listed).len(), 2, "{listed}");
}

#[test]
fn no_root_that_this_machine_has_not_met_is_accepted_by_yes() {
    let (desk, gun) = desk("first-contact");
    begun(&desk, &gun, &["alice"]);
    let other = desk.fresh();
    for entry in fs::read_dir(desk.trust_dir().join("private")).unwrap().flatten() {
        let private = other.trust_dir().join("private");
        fs::create_dir_all(&private).unwrap();
        fs::copy(entry.path(), private.join(entry.file_name())).unwrap();
    }
    let refused = sign(&other, &gun, "v1", &[]).refused();
    assert_eq!(code(&refused), "root-unknown");
    assert!(!other.trust_dir().join("tuf").exists(), "and it is not remembered");
    other.claviger(&["repo", "show", &gun]).ok();
    assert_eq!(outcome(&sign(&other, &gun, "v1", &[]).ok()), "published");
}

#[test]
fn no_signer_is_added_who_could_not_sign() {
    let (desk, gun) = desk("unusable");
    let good = begun(&desk, &gun, &["alice"]).remove(0);
    let openssl = |line: &str| {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let status = std::process::Command::new("openssl").args(words).current_dir(desk.path()).output().unwrap();
        assert!(status.status.success(), "{line}: {}", String::from_utf8_lossy(&status.stderr));
    };
    openssl("genpkey -algorithm ed25519 -out ed.pem");
    openssl("req -new -x509 -key ed.pem -subj /CN=ed -days 30 -out ed.crt");
    openssl("pkey -in ed.pem -pubout -out ed.pub");
    openssl("genrsa -out weak.pem 1024");
    openssl("rsa -in weak.pem -pubout -out weak.pub");
    openssl("req -new -x509 -key weak.pem -subj /CN=weak -days 30 -out weak.crt");
    openssl("ecparam -name prime256v1 -genkey -noout -out ec.pem");
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let ec = claviger::keys::generate(claviger::keys::NewKey::EcdsaP256).unwrap();
    let name = claviger::tuf::name::Gun::new("over").unwrap();
    let mut random = |b: &mut [u8]| getrandom::fill(b);
    let (from, until) = (at("2020-01-01T00:00:00Z"), at("2020-02-01T00:00:00Z"));
    let over = claviger::keys::certificate::root_certificate(&name, &ec, &mut random, from, until).unwrap();
    fs::write(desk.file("over.crt"), over).unwrap();
    openssl("req -new -x509 -key ec.pem -sha1 -subj /CN=sha1 -days 30 -out sha1.crt");
    let two = [fs::read(&good).unwrap(), fs::read(&good).unwrap()].concat();
    fs::write(desk.file("two.pub"), two).unwrap();
    fs::write(desk.file("none.pub"), "no key").unwrap();
    for (file, expected) in [
        ("ed.crt", "unusable-key"),
        ("ed.pub", "unusable-key"),
        ("weak.pub", "unusable-key"),
        ("weak.crt", "unusable-key"),
        ("over.crt", "unusable-key"),
        ("sha1.crt", "unusable-key"),
        ("ec.pem", "private-key"),
        ("two.pub", "no-public-key"),
        ("none.pub", "no-public-key"),
        ("not-there.pub", "unreadable"),
    ] {
        let path = desk.folder_file(file);
        let refused = desk.claviger(&["signer", "add", "--key", &path, "mallory", &gun, "--yes", "--json"]).refused();
        assert_eq!(code(&refused), expected, "{file}: {refused:?}");
    }
    assert_eq!(docker_sees(&desk, &gun).1, ["alice"]);
}

#[test]
fn revoking_names_where_a_tag_lives_on() {
    let (desk, gun) = desk("lives-on");
    begun(&desk, &gun, &["alice", "bob"]);
    sign(&desk, &gun, "v1", &[]).ok();
    for entry in fs::read_dir(desk.trust_dir().join("private")).unwrap().flatten() {
        if fs::read_to_string(entry.path()).unwrap().contains("role: bob") {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    let refused = desk.claviger(&["revoke", &format!("{gun}:v1"), "--yes", "--json"]).refused();
    assert_eq!(code(&refused), "not-all");
    assert!(refused.stderr.contains("targets/bob"), "{refused:?}");
    assert_eq!(docker_sees(&desk, &gun).0, ["v1"]);
}

#[test]
fn a_threshold_of_two_needs_two_keys() {
    let (desk, gun) = desk("threshold");
    begun(&desk, &gun, &[]);
    let (one, two) = (key(&desk, "one"), key(&desk, "two"));
    let add = ["delegation", "add", &gun, "targets/both", &one, &two, "--all-paths", "--threshold", "2", "--yes", "--json"];
    assert_eq!(outcome(&desk.claviger(&add).ok()), "published");
    let listed = listing::delegations(&desk.fresh().notary(&["delegation", "list", &gun]).ok().stdout);
    assert_eq!((listed[0].threshold, listed[0].keys.len()), (2, 2), "{listed:?}");
    assert_eq!(outcome(&sign(&desk, &gun, "v1", &["--as", "both"]).ok()), "published");
    let seen = listing::tags(&desk.fresh().notary(&["list", &gun]).ok().stdout);
    assert_eq!((seen.len(), seen[0].role.as_str()), (1, "targets/both"), "{seen:?}");
    for entry in fs::read_dir(desk.trust_dir().join("private")).unwrap().flatten() {
        if fs::read_to_string(entry.path()).unwrap().contains("role: two") {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    assert_eq!(code(&sign(&desk, &gun, "v2", &["--as", "both"]).refused()), "no-signing-key");
}

#[test]
fn a_plan_that_is_another_than_was_expected_is_not_carried_out() {
    let (desk, gun) = desk("expected");
    begun(&desk, &gun, &["alice"]);
    let image = format!("{gun}:v1");
    let sha256 = format!("sha256:{}", digest("v1"));
    let plan = desk.claviger(&["sign", &image, "--digest", &sha256, "--size", "100", "--dry-run", "--json"]).ok();
    let plan: serde_json::Value = serde_json::from_str(&plan.stdout).unwrap();
    let expected = plan["digest"].as_str().unwrap();
    let other = ["sign", &image, "--digest", &sha256, "--size", "101", "--expect", expected, "--json"];
    assert_eq!(code(&desk.claviger(&other).refused()), "plan-differs");
    let nobody = ["sign", &image, "--digest", &sha256, "--size", "100", "--json"];
    assert_eq!(code(&desk.claviger(&nobody).refused()), "not-confirmed");
    assert_eq!(docker_sees(&desk, &gun).0, Vec::<String>::new());
    let meant = ["sign", &image, "--digest", &sha256, "--size", "100", "--expect", expected, "--json"];
    assert_eq!(outcome(&desk.claviger(&meant).ok()), "published");
}

#[test]
fn a_role_that_was_removed_and_comes_back_can_publish() {
    let (desk, gun) = desk("comes-back");
    let bob = begun(&desk, &gun, &["alice", "bob"]).remove(1);
    sign(&desk, &gun, "v1", &["--as", "bob"]).ok();
    desk.claviger(&["signer", "remove", "bob", &gun, "--yes"]).ok();
    desk.claviger(&["signer", "add", "--key", &bob, "bob", &gun, "--yes"]).ok();
    assert_eq!(outcome(&sign(&desk, &gun, "v2", &["--as", "bob"]).ok()), "published");
    assert_eq!(docker_sees(&desk, &gun).0, ["v1", "v2"]);
}

#[test]
fn what_is_to_be_removed_and_is_not_there_is_no_success() {
    let (desk, gun) = desk("not-there");
    let alice = begun(&desk, &gun, &["alice"]).remove(0);
    let other = "ab".repeat(32);
    for (command, expected) in [
        (vec!["delegation", "remove", &gun, "targets/alice", &other], "no-such-key"),
        (vec!["delegation", "purge", &gun, "--key", &other], "no-such-key"),
        (vec!["delegation", "remove", &gun, "targets/alice", "--paths", "x/"], "no-such-path"),
        (vec!["signer", "remove", "alice", &gun, "--key", &other], "no-such-key"),
        (vec!["delegation", "remove", &gun, "targets/nobody"], "no-such-role"),
        (vec!["witness", &gun, "targets/nobody"], "no-such-role"),
    ] {
        let refused = desk.claviger(&[&command[..], &["--yes", "--json"]].concat()).refused();
        assert_eq!(code(&refused), expected, "{refused:?}");
    }
    // One key in two forms is one key.
    let double = ["delegation", "add", &gun, "targets/two", &alice, &alice, "--all-paths", "--threshold", "2", "--yes", "--json"];
    assert_eq!(code(&desk.claviger(&double).refused()), "too-few-keys");
    assert_eq!(docker_sees(&desk, &gun).1, ["alice"]);
}

#[test]
fn nothing_that_docker_pulls_goes_unread() {
    let (desk, gun) = desk("unread");
    begun(&desk, &gun, &["alice"]);
    sign(&desk, &gun, "v1", &[]).ok();
    for command in
        [vec!["delegation", "remove", &gun, "targets/releases"], vec!["revoke", &gun], vec!["signer", "remove", "alice", &gun]]
    {
        let unread = desk.claviger(&[&command[..], &["--yes", "--json"]].concat()).refused();
        assert_eq!(code(&unread), "not-confirmed", "{unread:?}");
    }
    assert_eq!(docker_sees(&desk, &gun).0, ["v1"]);
    assert_eq!(outcome(&desk.claviger(&["revoke", &gun, "--yes", "--json", "--confirm", &gun]).ok()), "published");
    assert_eq!(docker_sees(&desk, &gun).0, Vec::<String>::new());
}

#[test]
fn of_several_repositories_each_has_its_result_and_a_second_run_does_the_rest() {
    let (desk, one) = desk("several-one");
    let other = "registry.example/pains/several-other".to_owned();
    begun(&desk, &one, &["alice"]);
    begun_again(&desk, &other);
    let bob = key(&desk, "bob");
    let add = |guns: &[&str]| desk.claviger(&[&["signer", "add", "--key", &bob, "bob"], guns, &["--yes", "--json"]].concat());
    let some = add(&[&one, "registry.example/pains/nowhere", &other]).refused();
    let all: serde_json::Value = serde_json::from_str(&some.stdout).unwrap();
    let outcomes: Vec<&str> = all["repositories"].as_array().unwrap().iter().map(|r| r["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["published", "failed", "published"], "{some:?}");
    // What was not done whole is not written down as done.
    let journal: serde_json::Value = serde_json::from_str(&desk.claviger(&["journal", "--json"]).ok().stdout).unwrap();
    assert!(journal["entries"].as_array().unwrap().iter().any(|w| w["outcome"] == "in part"), "{journal}");
    let again: serde_json::Value = serde_json::from_str(&add(&[&one, &one, &other]).ok().stdout).unwrap();
    let outcomes: Vec<&str> = again["repositories"].as_array().unwrap().iter().map(|r| r["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["as-wanted", "as-wanted"], "named twice is once");
    assert_eq!(docker_sees(&desk, &other).1, ["alice", "bob"]);
}

/// A second repository with the signer whose key is there already.
fn begun_again(desk: &Desk, gun: &str) {
    desk.docker_trust(&["signer", "add", "--key", &desk.folder_file("alice.pub"), "alice", gun]).ok();
    desk.claviger(&["repo", "show", gun]).ok();
}

#[test]
fn a_signer_who_left_and_comes_back_is_not_taken_for_one_whose_file_is_hidden() {
    // Who signs the snapshot here names in it what there is: the file of a role that ended is not.
    everywhere("comes-back", |desk, gun| {
        let keys = begun(desk, gun, &["alice", "bob"]);
        desk.claviger(&["key", "rotate", gun, "snapshot", "--yes"]).ok();
        for tag in ["v1", "v2"] {
            assert_eq!(outcome(&sign(desk, gun, tag, &["--as", "alice"]).ok()), "published");
        }
        desk.claviger(&["signer", "remove", "alice", gun, "--yes"]).ok();
        desk.claviger(&["signer", "add", "alice", gun, "--key", &keys[0], "--yes"]).ok();
        desk.claviger(&["repo", "verify", gun]).ok();
        // What the server keeps of her may be what it hides: somebody has to want that it is left behind.
        let asked = sign(desk, gun, "v3", &["--as", "alice"]).refused();
        assert_eq!(code(&asked), "not-confirmed", "{asked:?}");
        assert_eq!(outcome(&sign(desk, gun, "v3", &["--as", "alice", "--confirm", gun]).ok()), "published");
        assert_eq!(outcome(&sign(desk, gun, "v4", &["--as", "alice"]).ok()), "published");
        assert!(docker_sees(desk, gun).0.contains(&"v4".to_owned()));
        desk.fresh().claviger(&["repo", "verify", gun]).ok();
    });
}

#[test]
fn a_role_that_the_old_tool_left_without_keys_is_named_and_gets_one() {
    let (desk, gun) = desk("no-keys");
    let alice = begun(&desk, &gun, &["alice", "bob"]).remove(0);
    let listed = listing::delegations(&desk.notary(&["delegation", "list", &gun]).ok().stdout);
    let id = listed.iter().find(|d| d.role == "targets/alice").unwrap().keys[0].clone();
    desk.notary(&["delegation", "purge", &gun, "--key", &id]).ok();
    desk.notary(&["publish", &gun]).ok();
    let shown = desk.claviger(&["repo", "show", &gun]).ok();
    let says = "targets/alice needs 1 signature and has 0 usable keys: it can never be signed again as it is";
    assert!(shown.stdout.contains(says), "{shown:?}");
    let refused = sign(&desk, &gun, "v1", &["--as", "alice"]).refused();
    assert_eq!(code(&refused), "no-signing-key");
    assert!(refused.stderr.contains("targets/alice has no key, so nobody can sign it"), "{refused:?}");
    // What the hint says is done.
    assert!(refused.stderr.contains(&format!("`claviger delegation add {gun} targets/alice FILE`")), "{refused:?}");
    desk.claviger(&["delegation", "add", &gun, "targets/alice", &alice, "--yes"]).ok();
    assert_eq!(outcome(&sign(&desk, &gun, "v1", &["--as", "alice"]).ok()), "published");
}

#[test]
fn what_a_signer_left_in_what_docker_pulls_is_not_signed_again_unread() {
    let (desk, gun) = desk("left-behind");
    begun(&desk, &gun, &["alice", "bob"]);
    sign(&desk, &gun, "v1", &["--as", "alice"]).ok();
    // Bob, who has no other key, puts this there and signs it nowhere under his own name.
    let hash = digest("evil");
    let alices = take_keys(&desk, &["alice"]).remove(0);
    desk.notary(&["addhash", "-p", &gun, "evil", "100", "--sha256", &hash, "-r", "targets/releases"]).ok();
    fs::rename(&alices, desk.trust_dir().join("private").join(alices.file_name().unwrap())).unwrap();
    let refused = desk.claviger(&["signer", "remove", "bob", &gun, "--yes", "--json"]).refused();
    assert_eq!(code(&refused), "not-confirmed");
    assert!(refused.stderr.contains(&format!("evil sha256:{hash}")) && !refused.stderr.contains("v1"), "{refused:?}");
    // Whoever gives their own key another one, perhaps because it was stolen, is told as well; and nobody else is asked.
    let plan = desk.claviger(&["key", "rotate", &gun, "targets/bob", "--dry-run", "--json"]).ok();
    let plan: serde_json::Value = serde_json::from_str(&plan.stdout).unwrap();
    let findings = plan["plans"][0]["findings"].as_array().unwrap();
    let unowned = findings.iter().find(|f| f["code"] == "unowned").unwrap_or_else(|| panic!("{findings:?}"));
    assert!(unowned["text"].as_str().unwrap().contains(&format!("evil sha256:{hash}")), "{unowned}");
    assert_eq!(unowned["severity"], "warn");
}

#[test]
fn whoever_lets_the_first_signer_in_is_told_that_the_targets_key_signs_no_tags_from_then_on() {
    let (desk, gun) = desk("let-in");
    begun(&desk, &gun, &[]);
    let [alice, bob] = ["alice", "bob"].map(|name| (name, key(&desk, name)));
    let add = |(name, key): &(&str, String), how: &str| {
        desk.claviger(&["signer", "add", "--key", key, name, &gun, "--json", how]).ok().stdout.contains("first-signers")
    };
    assert!(add(&alice, "--dry-run"));
    add(&alice, "--yes");
    assert!(!add(&bob, "--dry-run"), "control: the second");
}

#[test]
fn whoever_makes_docker_pull_another_image_reads_which() {
    let (desk, gun) = desk("another-image");
    let alice = key(&desk, "alice");
    begun(&desk, &gun, &[]);
    sign(&desk, &gun, "v1", &[]).ok();
    desk.claviger(&["signer", "add", "--key", &alice, "alice", &gun, "--yes"]).ok();
    let (image, other) = (format!("{gun}:v1"), format!("sha256:{}", digest("other")));
    desk.claviger(&["sign", &image, "--digest", &other, "--size", "100", "--as", "alice", "--yes"]).ok();
    let refused = desk.claviger(&["signer", "remove", "alice", &gun, "--yes", "--json"]).refused();
    assert_eq!(code(&refused), "not-confirmed");
    let says = format!("Docker will pull another image as v1: sha256:{} instead of {other}", digest("v1"));
    assert!(refused.stderr.contains(&says) && !refused.stderr.contains("docker goes on pulling"), "{refused:?}");
}

#[test]
fn roles_below_one_that_goes_are_named() {
    let (desk, gun) = desk("below");
    let keys = begun(&desk, &gun, &["alice", "bob"]);
    desk.claviger(&["delegation", "add", &gun, "targets/alice/team", &keys[1], "--all-paths", "--yes"]).ok();
    for command in [vec!["delegation", "remove", &gun, "targets/alice"], vec!["signer", "remove", "alice", &gun]] {
        let refused = desk.claviger(&[&command[..], &["--yes", "--json"]].concat()).refused();
        assert_eq!(code(&refused), "not-confirmed", "{refused:?}");
        assert!(refused.stderr.contains("With targets/alice go the roles below it, whoever signs there: targets/alice/team ("));
    }
}

#[test]
fn nobody_is_said_to_have_left_whom_nobody_knows() {
    let (desk, gun) = desk("nobody");
    begun(&desk, &gun, &["alice", "bob"]);
    let listed = listing::delegations(&desk.notary(&["delegation", "list", &gun]).ok().stdout);
    let short: String = listed[0].keys[0].chars().take(12).collect();
    for who in ["alcie", &short, &"ab".repeat(32)] {
        let refused = desk.claviger(&["signer", "leave", who, &gun, "--yes", "--json"]).refused();
        assert_eq!((code(&refused).as_str(), refused.status), ("no-such-signer", 1), "{refused:?}");
    }
}

#[test]
fn a_signer_with_a_key_that_is_not_among_what_docker_pulls_can_be_removed() {
    let (desk, gun) = desk("one-of-two");
    begun(&desk, &gun, &["alice", "bob"]);
    let second = key(&desk, "second");
    desk.notary(&["delegation", "add", "-p", &gun, "targets/alice", &second]).ok();
    desk.claviger(&["signer", "remove", "alice", &gun, "--yes"]).ok();
    assert_eq!(docker_sees(&desk, &gun).1, ["bob"]);
}

#[test]
fn a_role_that_goes_and_comes_back_in_one_publication_goes_on_where_it_was() {
    let (desk, gun) = desk("gone-and-back");
    let bob = begun(&desk, &gun, &["alice", "bob"]).remove(1);
    for tag in ["v1", "v2"] {
        sign(&desk, &gun, tag, &["--as", "bob"]).ok();
    }
    desk.notary(&["delegation", "remove", &gun, "targets/bob", "-y"]).ok();
    desk.notary(&["delegation", "add", &gun, "targets/bob", &bob, "--all-paths"]).ok();
    desk.notary(&["addhash", &gun, "v3", "100", "--sha256", &digest("v3"), "-r", "targets/bob"]).ok();
    let published = desk.claviger(&["publish", &gun, "--yes", "--confirm", &gun, "--json"]).ok();
    assert!(published.stdout.contains("\"version\": 3"), "above the two that the server has: {published:?}");
    let tags = listing::tags(&desk.fresh().notary(&["list", &gun, "-r", "targets/bob"]).ok().stdout);
    assert_eq!(tags.iter().filter(|t| t.role == "targets/bob").map(|t| t.name.as_str()).collect::<Vec<_>>(), ["v3"]);
}

#[test]
fn a_signer_who_may_not_sign_a_name_is_told_which_names() {
    let (desk, gun) = desk("paths");
    let keys = begun(&desk, &gun, &["alice", "bob"]);
    desk.claviger(&["delegation", "add", &gun, "targets/qa", &keys[0], "--paths", "qa/", "--yes"]).ok();
    let refused = sign(&desk, &gun, "v1", &["--as", "qa"]).refused();
    assert_eq!(code(&refused), "not-admitted");
    assert!(refused.stderr.contains("targets/qa may sign only what begins with qa/"), "{refused:?}");
}

#[test]
fn a_key_that_is_somebody_elses_too_is_named_before_it_is_let_in() {
    let (desk, gun) = desk("two-names");
    let keys = begun(&desk, &gun, &["alice", "bob"]);
    let seen = |name: &str, key: &str| {
        let look = desk.claviger(&["signer", "add", "--key", key, name, &gun, "--dry-run", "--json"]).ok();
        look.stdout.contains("shared-key")
    };
    assert!(seen("alison", &keys[0]));
    assert!(!seen("dave", &key(&desk, "dave")), "control: a key of his own");
}

#[test]
fn whoever_shares_a_key_with_somebody_who_leaves_is_named_before_they_leave_too() {
    let (desk, gun) = desk("shared");
    let keys = begun(&desk, &gun, &["alice", "bob"]);
    desk.claviger(&["signer", "add", "--key", &keys[0], "alison", &gun, "--yes"]).ok();
    let leave = |who: &str| desk.claviger(&["signer", "leave", who, &gun, "--dry-run", "--json"]).ok().stdout;
    let seen = leave("alison");
    assert!(seen.contains("goes-too") && seen.contains("targets/alice has no key but those of alison"), "{seen}");
    assert!(!leave("bob").contains("goes-too"), "control: a key of his own");
    let refused = desk.claviger(&["signer", "leave", "alison", &gun, "--yes", "--json"]).refused();
    assert_eq!(code(&refused), "not-confirmed", "{refused:?}");
}

#[test]
fn a_dry_run_says_to_programs_too_which_key_is_missing() {
    let (desk, gun) = desk("missing");
    begun(&desk, &gun, &["alice", "bob"]);
    let (name, sha256) = (format!("{gun}:v1"), format!("sha256:{}", digest("v1")));
    let look = || {
        let args = ["sign", &name, "--digest", &sha256, "--size", "100", "--as", "alice", "--dry-run", "--json"];
        let answer = desk.claviger(&args);
        // It cannot be done here, and whoever only looks at the status knows that too.
        assert_eq!(answer.status, i32::from(answer.stdout.contains("no-signing-key")), "{answer:?}");
        answer.stdout
    };
    let (there, missing) = (look(), "no-signing-key");
    assert!(!there.contains(missing), "control: {there}");
    take_keys(&desk, &["alice"]);
    let gone = look();
    assert!(gone.contains(missing), "{gone}");
    let plan = |json: &str| serde_json::from_str::<serde_json::Value>(json).unwrap()["digest"].clone();
    assert_eq!(plan(&there), plan(&gone), "the plan is the same");
}

#[test]
fn a_name_that_is_no_tag_is_signed_and_revoked_by_its_whole_name() {
    let (desk, gun) = desk("no-tag");
    begun(&desk, &gun, &["alice"]);
    sign(&desk, &gun, "v1", &[]).ok();
    let (name, sha256) = ("release/app 1.tar.gz", format!("sha256:{}", digest("app")));
    let signs = ["sign", &gun, "--name", name, "--digest", &sha256, "--size", "100", "--yes", "--json"];
    assert_eq!(outcome(&desk.claviger(&signs).ok()), "published");
    let listed = || desk.fresh().notary(&["list", &gun, "--roles", "targets/releases"]).ok().stdout;
    assert!(listed().contains(name), "{}", listed());
    let both = desk.claviger(&["revoke", &format!("{gun}:v1"), "--name", name, "--yes"]).refused();
    assert_eq!(both.status, 2, "{both:?}");
    assert_eq!(outcome(&desk.claviger(&["revoke", &gun, "--name", name, "--yes", "--json"]).ok()), "published");
    assert!(listed().contains("v1") && !listed().contains(name), "{}", listed());
}

#[test]
fn whoever_owns_another_repository_does_not_say_whose_keys_leave_this_one() {
    let (desk, gun) = desk("whose-keys");
    let keys = begun(&desk, &gun, &["alice", "bob"]);
    sign(&desk, &gun, "v1", &["--as", "alice"]).ok();
    // Public keys are no secret: a stranger calls alice's bob's.
    let (stranger, theirs) = (desk.fresh(), format!("{gun}-theirs"));
    stranger.docker_trust(&["signer", "add", "--key", &keys[0], "bob", &theirs]).ok();
    desk.claviger(&["repo", "show", &theirs]).ok();
    let left = desk.claviger(&["signer", "leave", "bob", &gun, &theirs, "--yes", "--json"]);
    assert_eq!(left.status, 1, "theirs cannot be signed here: {left:?}");
    assert_eq!(docker_sees(&desk, &gun).1, ["alice"]);
}

#[test]
fn whoever_takes_somebodys_place_types_the_name() {
    let (desk, gun) = desk("taken-over");
    begun(&desk, &gun, &["alice", "bob"]);
    let rotate = ["key", "rotate", &gun, "targets/bob", "--yes", "--json"];
    take_keys(&desk, &["bob"]);
    let unasked = desk.claviger(&rotate).refused();
    assert_eq!(code(&unasked), "not-confirmed");
    assert!(unasked.stderr.contains("can sign nothing any more as targets/bob"), "{unasked:?}");
    assert_eq!(outcome(&desk.claviger(&[&rotate[..], &["--confirm", &gun]].concat()).ok()), "published");
    // Control: one's own.
    assert_eq!(outcome(&desk.claviger(&["key", "rotate", &gun, "targets/alice", "--yes", "--json"]).ok()), "published");
}

#[test]
fn names_that_come_back_with_a_role_are_named_before() {
    let (desk, gun) = desk("comes-back-with");
    let keys = begun(&desk, &gun, &["alice", "bob"]);
    sign(&desk, &gun, "v1", &["--as", "alice"]).ok();
    desk.claviger(&["delegation", "remove", &gun, "targets/releases", "--yes", "--confirm", &gun]).ok();
    assert_eq!(docker_sees(&desk, &gun).0, Vec::<String>::new());
    let back = ["delegation", "add", &gun, "targets/releases", &keys[0], "--all-paths", "--yes", "--json"];
    let unasked = desk.claviger(&back).refused();
    assert_eq!(code(&unasked), "not-confirmed");
    assert!(unasked.stderr.contains("counts again: v1"), "{unasked:?}");
    desk.claviger(&[&back[..], &["--confirm", &gun]].concat()).ok();
    assert_eq!(docker_sees(&desk, &gun).0, ["v1"]);
}
