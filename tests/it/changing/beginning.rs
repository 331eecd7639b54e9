//! Repositories that claviger begins are repositories to everybody.
use super::{code, docker_sees, everywhere, key, outcome, sign};
use crate::peers::{
    desk::Desk,
    listing,
    server::{Kind, NotaryServer},
};
use std::fs;

fn desk(name: &str) -> (Desk, String) {
    (Desk::new(NotaryServer::shared(Kind::Local), name), format!("registry.example/beginning/{name}"))
}

/// The keys of a role that are on the desk.
fn held(desk: &Desk, role: &str) -> Vec<String> {
    let all: serde_json::Value = serde_json::from_str(&desk.claviger(&["key", "list", "--json"]).ok().stdout).unwrap();
    let of = all.as_array().unwrap().iter().filter(|k| k["role"] == role);
    of.map(|k| k["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_repository_that_claviger_begins_is_one_to_everybody() {
    everywhere("begun", |desk, gun| {
        for (name, keeper) in [("served", "server"), ("kept", "local")] {
            let gun = &format!("{gun}/{name}");
            let init = ["init", gun, "--create-root", "--snapshot", keeper, "--yes", "--json"];
            let done = desk.claviger(&init).ok();
            assert_eq!(outcome(&done), "published", "{done:?}");
            let made: serde_json::Value = serde_json::from_str(&done.stdout).unwrap();
            let roles: Vec<&str> = made["keys_made"].as_array().unwrap().iter().map(|k| k["role"].as_str().unwrap()).collect();
            // The root key of the first serves the second.
            let expected: &[&str] = match (name, keeper) {
                ("served", _) => &["root", "targets"],
                _ => &["targets", "snapshot"],
            };
            assert_eq!(roles, expected);
            assert!(listing::tags(&desk.fresh().notary(&["list", gun]).ok().stdout).is_empty());
            // The old tools go on with it, and claviger after them.
            desk.notary(&["addhash", gun, "v1", "100", "--sha256", &super::digest("v1"), "-p"]).ok();
            assert_eq!(outcome(&sign(desk, gun, "v2", &[]).ok()), "published");
            assert_eq!(docker_sees(desk, gun).0, ["v1", "v2"]);
            let again = desk.claviger(&init).refused();
            assert_eq!(code(&again), "already-there", "a second beginning is refused");
            let public = key(desk, &format!("alice-{name}"));
            desk.docker_trust(&["signer", "add", "--key", &public, "alice", gun]).ok();
            assert_eq!(docker_sees(desk, gun), (vec!["v1".to_owned(), "v2".to_owned()], vec!["alice".to_owned()]));
        }
    });
}

#[test]
fn no_root_key_is_made_unasked_and_none_is_guessed() {
    let (desk, gun) = desk("asked");
    let init = ["init", &gun, "--yes", "--json"];
    let none = desk.claviger(&init).refused();
    assert_eq!((none.status, code(&none)), (2, "usage".to_owned()), "{none:?}");
    assert!(none.stderr.contains("--create-root"), "{none:?}");
    assert!(held(&desk, "root").is_empty() && held(&desk, "targets").is_empty());
    for name in ["one", "two"] {
        desk.claviger(&["key", "generate", name, "--role", "root", "--dir", desk.path()]).ok();
    }
    let several = desk.claviger(&init).refused();
    let roots = held(&desk, "root");
    assert!(several.status == 2 && roots.iter().all(|id| several.stderr.contains(id)), "{several:?}");
    let both = desk.claviger(&[&init[..], &["--create-root"]].concat()).refused();
    assert_eq!(both.status, 2, "there are root keys, and so none is made: {both:?}");
    assert_eq!(outcome(&desk.claviger(&[&init[..], &["--root-key", &roots[1]]].concat()).ok()), "published");
    assert_eq!(held(&desk, "root").len(), 2);
    let seen = desk.fresh().claviger(&["repo", "show", &gun, "--json"]).ok();
    assert!(seen.stdout.contains(&roots[1]) && !seen.stdout.contains(&roots[0]), "{seen:?}");
    let another = format!("{gun}-another");
    desk.claviger(&["init", &another, "--root-key", "new", "--yes"]).ok();
    assert_eq!(held(&desk, "root").len(), 3, "one that was asked for is made");
}

#[test]
fn a_dry_run_makes_no_key_and_its_digest_accepts_the_same_plan() {
    let (desk, gun) = desk("dry");
    let dry = desk.claviger(&["init", &gun, "--create-root", "--dry-run", "--json"]).ok();
    let plan: serde_json::Value = serde_json::from_str(&dry.stdout).unwrap();
    let digest = plan["digest"].as_str().unwrap();
    assert!(held(&desk, "root").is_empty() && held(&desk, "targets").is_empty());
    desk.fresh().notary(&["list", &gun]).refused();
    let other = ["init", &gun, "--create-root", "--snapshot", "local", "--expect", digest, "--json"];
    assert_eq!(code(&desk.claviger(&other).refused()), "plan-differs");
    assert!(held(&desk, "root").is_empty(), "nothing is made for a plan that nobody accepted");
    let meant = ["init", &gun, "--create-root", "--expect", digest, "--json"];
    assert_eq!(outcome(&desk.claviger(&meant).ok()), "published");
}

#[test]
fn a_root_key_of_ones_own_in_its_own_certificate_is_taken_if_clients_take_it() {
    let (desk, gun) = desk("own");
    let openssl = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let done = std::process::Command::new("openssl").args(words).current_dir(desk.path()).output().unwrap();
        assert!(done.status.success(), "{line}: {}", String::from_utf8_lossy(&done.stderr));
    };
    openssl("ecparam -name prime256v1 -genkey -noout -out root.pem");
    openssl("pkcs8 -topk8 -in root.pem -out root.key -passout pass:a-long-enough-passphrase");
    fs::set_permissions(desk.file("root.key"), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    let conf = "[req]\nprompt=no\ndistinguished_name=n\nx509_extensions=e\n[n]\nCN=COMMON\n[e]\nbasicConstraints=BASIC\n";
    for (name, common, basic) in [
        ("good", gun.as_str(), "critical,CA:FALSE"),
        ("other", "registry.example/x", "CA:FALSE"),
        ("ca", gun.as_str(), "CA:TRUE"),
    ] {
        fs::write(desk.file(&format!("{name}.cnf")), conf.replace("COMMON", common).replace("BASIC", basic)).unwrap();
        openssl(&format!("req -new -x509 -key root.pem -config {name}.cnf -days 3000 -out {name}.crt"));
    }
    let passphrases = desk.write("passphrases", "root=a-long-enough-passphrase\ntargets=another-long-passphrase\n");
    let (root, file) = (desk.folder_file("root.key"), ["--passphrase-file", &passphrases]);
    for name in ["other", "ca"] {
        let cert = desk.folder_file(&format!("{name}.crt"));
        let init = ["init", &gun, "--root-key", &root, "--cert", &cert, "--yes", "--json"];
        let refused = desk.claviger(&[&init[..], &file].concat()).refused();
        assert_eq!(code(&refused), "unusable-certificate", "{name}: {refused:?}");
    }
    let cert = desk.folder_file("good.crt");
    let id = held(&desk, "root").remove(0);
    let init = ["init", &gun, "--root-key", &id, "--cert", &cert, "--yes", "--json"];
    assert_eq!(outcome(&desk.claviger(&[&init[..], &file].concat()).ok()), "published");
    assert!(listing::tags(&desk.fresh().notary(&["list", &gun]).ok().stdout).is_empty());
}

#[test]
fn what_is_remembered_of_a_repository_is_not_begun_over() {
    let (desk, gun) = desk("remembered");
    desk.claviger(&["init", &gun, "--create-root", "--yes"]).ok();
    desk.notary(&["delete", &gun, "--remote"]).ok();
    let fresh = desk.claviger(&["init", &gun, "--yes", "--json"]);
    assert_eq!(outcome(&fresh.ok()), "published", "deleted here and there, it can be begun again");
    desk.fresh().notary(&["delete", &gun, "--remote"]).ok();
    let refused = desk.claviger(&["init", &gun, "--yes", "--json"]).refused();
    assert_eq!(code(&refused), "already-there", "{refused:?}");
    assert!(refused.stderr.contains("remembers a root"), "{refused:?}");
}

#[test]
fn a_repository_is_begun_with_a_signer_where_that_is_said_and_docker_goes_on() {
    everywhere("with-signer", |desk, gun| {
        let public = key(desk, "alice");
        let add = |more: &[&str]| desk.claviger(&[&["signer", "add", "--key", &public, "alice", gun, "--json"], more].concat());
        let refused = add(&["--yes"]).refused();
        assert_eq!(code(&refused), "not-there");
        assert!(refused.stderr.contains("`signer add --init` begins it"), "{refused:?}");
        // Nor is a root key made, unless that is said.
        let refused = add(&["--init", "--yes"]).refused();
        assert!(refused.status == 2 && refused.stderr.contains("--create-root"), "{refused:?}");
        let dry = add(&["--init", "--create-root", "--dry-run"]).ok();
        assert!(dry.stdout.contains("the role targets/alice; 1 of its keys must sign"), "{dry:?}");
        assert!(held(desk, "root").is_empty() && held(desk, "targets").is_empty());
        let done = add(&["--init", "--create-root", "--yes"]).ok();
        assert_eq!(outcome(&done), "published", "{done:?}");
        assert!(done.stdout.contains("\"command\": \"signer add\""), "{done:?}");
        assert_eq!(docker_sees(desk, gun), (vec![], vec!["alice".to_owned()]));
        sign(desk, gun, "v1", &[]).ok();
        desk.docker_sign(gun, "v1");
        desk.docker_trust(&["signer", "add", "--key", &key(desk, "bob"), "bob", gun]).ok();
        assert_eq!(docker_sees(desk, gun), (vec!["v1".to_owned()], vec!["alice".to_owned(), "bob".to_owned()]));
        let again: serde_json::Value = serde_json::from_str(&add(&["--init", "--yes"]).ok().stdout).unwrap();
        assert_eq!(again["repositories"][0]["outcome"], "as-wanted", "a second time there is nothing to do");
    });
}

#[test]
fn a_signer_comes_to_repositories_that_are_there_and_to_those_that_begin() {
    let (desk, gun) = desk("mixed");
    desk.claviger(&["init", &gun, "--create-root", "--yes"]).ok();
    let public = key(&desk, "alice");
    let new = [format!("{gun}-new"), format!("{gun}-newer")];
    let all = ["signer", "add", "--key", &public, "--init", "alice", &new[0], &gun, &new[1]];
    let of = |answer: &crate::peers::program::Answer, list: &str| -> Vec<(String, String)> {
        let seen: serde_json::Value = serde_json::from_str(&answer.stdout).unwrap();
        let of = |v: &serde_json::Value, member: &str| v[member].as_str().unwrap_or_default().to_owned();
        seen[list].as_array().unwrap().iter().map(|r| (of(r, "gun"), of(r, "outcome"))).collect()
    };
    let roots = held(&desk, "root");
    let dry = desk.claviger(&[&all[..], &["--dry-run", "--json"]].concat()).ok();
    assert_eq!(of(&dry, "plans").len(), 3, "{dry:?}");
    let expects = desk.claviger(&[&all[..], &["--expect", &"ab".repeat(32), "--json"]].concat()).refused();
    assert_eq!((expects.status, code(&expects)), (2, "usage".to_owned()));
    let done = desk.claviger(&[&all[..], &["--yes", "--json"]].concat()).ok();
    let published = |g: &String| (g.clone(), "published".to_owned());
    assert_eq!(of(&done, "repositories"), [published(&new[0]), published(&gun), published(&new[1])]);
    assert_eq!(held(&desk, "root"), roots, "the only root key serves all");
    for one in [&gun, &new[0], &new[1]] {
        assert_eq!(docker_sees(&desk, one).1, ["alice"]);
    }
    // What is notable of the signer's key is said of both.
    let words = "req -x509 -newkey rsa:2048 -nodes -keyout erin.key -out erin.pem -days 30 -subj /CN=erin".split(' ');
    assert!(std::process::Command::new("openssl").args(words).current_dir(desk.path()).output().unwrap().status.success());
    for (begins, one) in [(true, format!("{gun}-later")), (false, gun.clone())] {
        let add = ["signer", "add", "--key", &desk.folder_file("erin.pem"), "erin", &one, "--dry-run"];
        let dry = desk.claviger(&[&add[..], if begins { &["--init"] } else { &[] }].concat()).ok();
        assert!(format!("{dry:?}").contains("A certificate of targets/erin ends on"), "{dry:?}");
    }
    // Where none is named and several are here, none is guessed, and what is there gets its signer all the same.
    desk.claviger(&["key", "generate", "second", "--role", "root", "--dir", desk.path()]).ok();
    let (bob, newest) = (key(&desk, "bob"), format!("{gun}-newest"));
    let bobs = ["signer", "add", "--key", &bob, "--init", "bob", &gun, &newest, "--yes", "--json"];
    let some = desk.claviger(&bobs).refused();
    assert_eq!((some.status, of(&some, "repositories")), (1, vec![published(&gun), (newest.clone(), "failed".to_owned())]));
    let root = desk.claviger(&[&bobs[..], &["--root-key", &roots[0]]].concat()).ok();
    assert_eq!(of(&root, "repositories"), [(gun.clone(), "as-wanted".to_owned()), published(&newest)]);
}
