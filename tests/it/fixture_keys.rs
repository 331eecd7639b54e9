//! Every private key that the real tools made: it unlocks with its passphrase and is the key that its name says.
use claviger::{
    keys::{self, KeyError, problem::code},
    secret::Passphrase,
    trust_dir::TrustDir,
};
use std::path::{Path, PathBuf};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// Every trust directory, and how many keys are in it.
const DIRECTORIES: [(&str, usize); 7] = [
    ("trustdirs/docker-trust", 6),
    ("trustdirs/notary-full", 8),
    ("trustdirs/notary-server-managed-snapshot", 3),
    ("staged/trustdir-init-and-add-unpublished", 3),
    ("staged/trustdir-many-changes-unpublished", 8),
    ("oldlayout/before-hand-made", 4),
    ("oldlayout/after-hand-made", 4),
];

fn passphrase(directory: &str, role: &str) -> Passphrase {
    let phrase = match (directory.contains("docker"), role) {
        (true, "root") => "gold-droot",
        (true, _) => "gold-drepo",
        // The move of Notary lost the role of this one.
        (false, "root" | "") => "gold-root",
        (false, "targets") => "gold-targets",
        (false, "snapshot") => "gold-snapshot",
        (false, _) => "gold-delegation",
    };
    Passphrase::from(phrase.to_owned())
}

#[test]
fn every_key_unlocks_with_its_passphrase_and_is_the_one_its_name_says() {
    let mut files = 0;
    for (name, count) in DIRECTORIES {
        let listing = keys::list(&TrustDir::new(fixtures().join(name)));
        assert_eq!(listing.entries.len(), count, "{name}");
        for entry in listing.entries {
            let role = entry.role.as_ref().map(|r| r.raw().to_owned()).unwrap_or_default();
            let key = keys::unlock(&entry, Some(&passphrase(name, &role))).unwrap_or_else(|e| panic!("{:?}: {e}", entry.path));
            let tested = keys::prove(&key).unwrap_or_else(|e| panic!("{:?}: {e}", entry.path));
            let stem = entry.path.file_stem().unwrap().to_str().unwrap();
            assert_eq!(tested.id.hex(), stem.split('_').next().unwrap());
            assert_eq!(entry.encrypted(), Some(true));
            let wrong = keys::unlock(&entry, Some(&Passphrase::from("gold".to_owned())));
            assert!(matches!(wrong, Err(KeyError::WrongPassphrase)), "{:?}", entry.path);
            files += 1;
        }
    }
    // No key file is left out, wherever it lies.
    let mut found = 0;
    let mut folders: Vec<PathBuf> = ["trustdirs", "staged", "oldlayout"].map(|d| fixtures().join(d)).into();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "key") && path.components().any(|c| c.as_os_str() == "private") {
                found += 1;
            }
        }
    }
    assert_eq!((files, found), (36, 36));
}

#[test]
fn the_keys_that_were_delegation_inputs_are_the_ones_that_were_imported() {
    for (name, id) in [
        ("jeff", "29fe684c5c3c3658d57f08f6a7d782a12f7a678256856aaa77c41e94bbe42274"),
        ("ana", "4d8255dfc972e6d2840d23dbc2db013c206881d24a0776cfd7dfde96a1aba5a0"),
        ("big", "d3dc76aff075f21b514a20b0046f12be70ed07e7497dbbe75370bc12de643649"),
    ] {
        let bytes = std::fs::read(fixtures().join(format!("trustdirs/delegation-inputs/{name}.key"))).unwrap();
        assert_eq!(keys::decode(&bytes, None, &|| false).unwrap().key.id().hex(), id);
    }
}

#[test]
fn keys_before_notary_0_4_are_listed_where_they_lie_with_the_role_and_gun_of_their_place() {
    let listing = keys::list(&TrustDir::new(fixtures().join("oldlayout/before-hand-made")));
    let mut said: Vec<_> = listing
        .entries
        .iter()
        .map(|e| {
            let legacy = e.problems.iter().find(|p| p.code == code::LEGACY_LAYOUT).expect("shown as legacy");
            assert_eq!(legacy.remedy.unwrap().0, "key migrate");
            (e.role.as_ref().unwrap().raw().to_owned(), e.gun().map(|g| g.to_string()))
        })
        .collect();
    said.sort();
    let gun = Some("lab.example/old/app".to_owned());
    assert_eq!(
        said,
        [("delegation".into(), None), ("root".into(), None), ("snapshot".into(), gun.clone()), ("targets".into(), gun)]
    );
    // After Notary's own move the root key is there, and nothing says that it is one.
    let after = keys::list(&TrustDir::new(fixtures().join("oldlayout/after-hand-made")));
    let lost: Vec<_> = after.entries.iter().filter(|e| e.problems.iter().any(|p| p.code == code::ROLE_MISSING)).collect();
    assert_eq!(lost.len(), 1);
}

#[test]
fn what_the_real_tools_wrote_has_no_problem_but_weak_derivation() {
    for (name, _) in DIRECTORIES.iter().filter(|(n, _)| !n.starts_with("oldlayout")) {
        for entry in keys::list(&TrustDir::new(fixtures().join(name))).entries {
            // A checkout does not keep modes, so those of the files are not ours to judge here.
            let codes: Vec<_> = entry.problems.iter().map(|p| p.code).filter(|c| *c != code::OPEN_TO_OTHERS).collect();
            assert_eq!(codes, [code::WEAK_DERIVATION], "{:?}", entry.path);
        }
    }
}
