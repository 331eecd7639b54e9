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
