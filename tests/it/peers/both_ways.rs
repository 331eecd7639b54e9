//! Keys go both ways between claviger and the old tools: what one wrote the other lists, unlocks, encrypts anew and signs with.
//! Where the old tools fail without a word, claviger does it or says no.

use super::desk::{Desk, OTHER_PASSPHRASE};
use super::program::{docker, run};
use super::server::{Kind, NotaryServer};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const DIFFERENT: &str = "a different passphrase";
/// The passphrase of encrypted files among the fixtures.
const OF_FIXTURES: &str = "gold-delegation";

fn desk(name: &str) -> Desk {
    Desk::new(NotaryServer::shared(Kind::Local), name)
}

fn ids(desk: &Desk) -> Vec<String> {
    let files = std::fs::read_dir(desk.trust_dir().join("private")).into_iter().flatten().flatten();
    let mut ids: Vec<String> =
        files.map(|f| f.file_name().to_str().expect("UTF-8").strip_suffix(".key").expect("a key").to_owned()).collect();
    ids.sort();
    ids
}

/// Every private key among the fixtures in PEM, copied so that only its owner can read it.
fn files(desk: &Desk) -> BTreeMap<String, PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/pem");
    let all = std::fs::read_dir(folder).expect("the fixtures").flatten();
    let keys = all.map(|f| (f.file_name().into_string().expect("UTF-8"), f.path()));
    keys.filter(|(name, _)| name.ends_with(".key") || name.ends_with("key+cert.pem"))
        .map(|(name, path)| {
            let text = String::from_utf8_lossy(&std::fs::read(path).expect("a fixture")).into_owned();
            (name.clone(), desk.write(&name, &text).into())
        })
        .collect()
}

/// What the old tools do with a file that docker should load.
fn docker_loads(file: &Path) -> &'static str {
    let desk = desk("docker-load");
    let mut environment = desk.environment();
    if String::from_utf8_lossy(&std::fs::read(file).expect("a file")).contains("ENCRYPTED") {
        environment.retain(|(name, _)| *name != "DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE");
        environment.push(("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", OF_FIXTURES.into()));
    }
    let arguments = ["trust", "key", "load", "--name", "alice", file.to_str().expect("UTF-8")];
    let answer = run(&docker(), &arguments, &environment, "");
    match (answer.status, ids(&desk).len()) {
        (0, 1) => "stored",
        (0, 0) => "SAYS YES, STORES NOTHING",
        (_, 0) => "refused",
        other => panic!("{other:?}: {answer:?}"),
    }
}

#[test]
fn every_file_that_holds_a_usable_key_is_loaded_and_the_old_tools_use_it_and_every_other_is_refused() {
    let maker = desk("load");
    let fixtures = maker.write("fixtures", &format!("{OF_FIXTURES}\n"));
    let fresh = maker.write("fresh", &format!("{OTHER_PASSPHRASE}\n"));
    let (mut loaded, mut table) = (0, String::new());
    for (name, file) in files(&maker) {
        let text = String::from_utf8_lossy(&std::fs::read(&file).expect("a file")).into_owned();
        let encrypted = text.contains("ENCRYPTED");
        let desk = desk("loaded");
        let passphrases = if encrypted { &fixtures } else { &fresh };
        let arguments = ["key", "load", file.to_str().expect("UTF-8"), "--name", "alice", "--passphrase-file", passphrases];
        let answer = desk.claviger(&arguments);
        let usable = !name.starts_with("rsa1024") && !name.starts_with("empty") && !name.starts_with("garbage");
        let docker = docker_loads(&file);
        let mut then = String::new();
        if usable {
            answer.ok();
            let [id] = &ids(&desk)[..] else { panic!("{name}: {:?}", ids(&desk)) };
            assert!(desk.notary(&["key", "list"]).ok().stdout.contains(id), "{name}");
            // Another passphrase, given by notary: it has to open the key first.
            let old = if encrypted { OF_FIXTURES } else { OTHER_PASSPHRASE };
            if name.starts_with("ed25519") {
                then = "notary and claviger list it".to_owned();
            } else {
                super::generated_keys::change_passphrase(&desk, id, old, DIFFERENT);
                let different = desk.write("different", &format!("{DIFFERENT}\n"));
                desk.claviger(&["key", "test", id, "--passphrase-file", &different]).ok();
                then = "notary encrypts it anew, claviger opens that".to_owned();
            }
            loaded += 1;
        } else {
            let answer = answer.refused();
            assert!(answer.stderr.contains("No key was stored"), "{name}: {answer:?}");
            assert_eq!(ids(&desk), [""; 0], "{name}");
        }
        table.push_str(&format!("{name:<38} {:<8} docker: {docker:<26} {then}\n", if usable { "loaded" } else { "refused" }));
    }
    println!("{table}");
    assert!(loaded > 20, "{table}");
    assert!(table.contains("SAYS YES, STORES NOTHING"), "the old tool does better than it did:\n{table}");
}

#[test]
fn a_bundle_of_ours_goes_into_notary_and_one_of_notarys_comes_back() {
    let ours = desk("bundle");
    let file = ours.write("passphrase", &format!("{OTHER_PASSPHRASE}\n"));
    for (name, algorithm) in [("alice", "ecdsa"), ("bob", "rsa2048")] {
        let arguments = ["key", "generate", name, "--algorithm", algorithm, "--dir", ours.path(), "--passphrase-file", &file];
        ours.claviger(&arguments).ok();
    }
    let generate = ["key", "generate", "t", "--role", "targets", "--gun", "peers.test/bundle", "--dir", ours.path()];
    ours.claviger(&[&generate[..], &["--passphrase-file", &file]].concat()).ok();
    let bundle = ours.folder_file("bundle.pem");
    ours.claviger(&["key", "export", "-o", &bundle]).ok();

    let theirs = desk("unbundled");
    theirs.notary(&["key", "import", &bundle]).ok();
    assert_eq!(ids(&theirs), ids(&ours));
    let listed = theirs.notary(&["key", "list"]).ok().stdout;
    assert!(listed.contains("alice") && listed.contains("targets") && listed.contains("peers.test/bundle"), "{listed}");
    let back = theirs.folder_file("back.pem");
    theirs.notary(&["key", "export", "-o", &back]).ok();

    let again = desk("back");
    std::fs::set_permissions(&back, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a mode");
    again.claviger(&["key", "import", &back, "--passphrase-file", &file]).ok();
    assert_eq!(ids(&again), ids(&ours));
    for id in ids(&again) {
        again.claviger(&["key", "test", &id, "--passphrase-file", &file]).ok();
    }
    let said = again.claviger(&["key", "list"]).ok().stdout;
    assert!(said.contains("alice") && said.contains("peers.test/bundle"), "{said}");
}

#[test]
fn a_key_with_a_new_passphrase_opens_in_notary_with_that_one_only() {
    let desk = desk("passwd");
    let old = desk.write("old", &format!("{OTHER_PASSPHRASE}\n"));
    let new = desk.write("new", &format!("{DIFFERENT}\n"));
    desk.claviger(&["key", "generate", "alice", "--dir", desk.path(), "--passphrase-file", &old]).ok();
    let [id] = &ids(&desk)[..] else { panic!("{:?}", ids(&desk)) };
    desk.claviger(&["key", "passwd", id, "--passphrase-file", &old, "--new-passphrase-file", &new]).ok();
    super::generated_keys::change_passphrase(&desk, id, DIFFERENT, OTHER_PASSPHRASE);
    desk.claviger(&["key", "test", id, "--passphrase-file", &old]).ok();
    desk.claviger(&["key", "test", id, "--passphrase-file", &new]).refused();
}

#[test]
fn a_key_that_was_removed_is_gone_for_notary_too() {
    let desk = desk("removed");
    let file = desk.write("passphrase", &format!("{OTHER_PASSPHRASE}\n"));
    desk.claviger(&["key", "generate", "alice", "--dir", desk.path(), "--passphrase-file", &file]).ok();
    let [id] = &ids(&desk)[..] else { panic!("{:?}", ids(&desk)) };
    desk.claviger(&["key", "remove", id]).refused();
    assert!(desk.notary(&["key", "list"]).ok().stdout.contains(id));
    desk.claviger(&["key", "remove", id, "--confirm", &id[..12]]).ok();
    assert!(!desk.notary(&["key", "list"]).ok().stdout.contains(id));
}
