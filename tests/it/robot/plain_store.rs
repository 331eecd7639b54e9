//! Every other piece of work on keys, line by line: loaded, tested, exported, mended, moved and encrypted anew.
use super::{Home, driver::Robot};
use claviger::{
    keys::{self, Iterations, KeyRole, NewKey},
    secret::Passphrase,
    trust_dir::TrustDir,
};
use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

const FIRST: &str = "first correct horse";
const SIZE: (u16, u16) = (100, 40);

fn talk(robot: &mut Robot, lines: &[(&str, &str)]) {
    for (heard, typed) in lines {
        robot.hear(heard);
        robot.press(&format!("{typed}\n"));
    }
}

/// A key in an old layout, open to others, protected by few rounds of key derivation.
fn old_key(trust: &Path) -> String {
    let key = keys::generate(NewKey::EcdsaP256).unwrap();
    let role = KeyRole::parse("root").unwrap();
    let passphrase = Passphrase::from(FIRST.to_owned());
    let text = keys::encode(&role, None, &key, &passphrase, Iterations::worthless(), &|| false).unwrap();
    let place = trust.join("private/root_keys");
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join(format!("{}.key", key.id())), text).unwrap();
    key.id().hex()
}

#[test]
fn the_store_is_filled_and_cared_for_line_by_line() {
    let home = Home::empty();
    let trust = home.dir.path().join(".docker/trust");
    let old = old_key(&trust);
    let (new, out) = (home.dir.path().join("new.pem"), home.dir.path().join("out.pem"));
    let key = keys::generate(NewKey::EcdsaP256).unwrap();
    let passphrase = Passphrase::from(FIRST.to_owned());
    let text = keys::encode(&KeyRole::parse("dora").unwrap(), None, &key, &passphrase, Iterations::worthless(), &|| false);
    fs::write(&new, text.unwrap()).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o600)).unwrap();
    let dora = key.id().hex();

    let mut robot = home.start(&["--plain"], SIZE);
    talk(&mut robot, &[("0 leaves", "key load"), ("File (", new.to_str().unwrap()), ("[as-labelled]", "")]);
    talk(&mut robot, &[("Signer (", ""), ("Repository (", ""), ("Passphrase of the dora key", FIRST), ("Store them?", "yes")]);
    talk(
        &mut robot,
        &[("Done. One key was stored", "key test"), ("Which key?", &dora[..8]), ("Passphrase of the dora key", FIRST)],
    );
    talk(&mut robot, &[("is good: it opens", "key export"), ("Which key?", &dora[..8]), ("File (", out.to_str().unwrap())]);
    talk(&mut robot, &[("Type yes", "yes"), ("Done. ", "key mend"), ("Change the permissions?", "yes")]);
    talk(&mut robot, &[("Done. ", "key migrate"), ("Copy to", ""), ("Type yes", "yes"), ("Done. ", "key strengthen")]);
    talk(&mut robot, &[("Passphrase of the root key", FIRST), ("Type yes", "yes"), ("Done. ", "journal")]);
    for done in ["key strengthen", "key migrate", "key mend", "key export", "key import"] {
        robot.hear(&format!("{done}, done"));
    }
    talk(&mut robot, &[("0 leaves", "0")]);
    assert_eq!(robot.end(), 0);

    assert!(out.exists());
    let all = keys::list(&TrustDir::new(&trust)).entries;
    let ids: Vec<String> = all.iter().map(|e| e.id.unwrap().hex()).collect();
    assert!(ids.len() == 2 && ids.contains(&old) && ids.contains(&dora), "{ids:?}");
    for entry in &all {
        assert!(entry.problems.is_empty(), "{:?}", entry.problems);
        assert_eq!(entry.path.parent().unwrap(), trust.join("private"));
        keys::unlock(entry, Some(&passphrase)).unwrap();
    }
    assert!(!String::from_utf8(robot.said()).unwrap().contains(FIRST));
}
