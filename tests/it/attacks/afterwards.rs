//! What a server shows after something was published: nothing older than what is remembered is taken, whatever was wrong
//! before, and nothing that held is passed over when it does not.
use crate::forge::{
    Files, Forge, Key, Served, VERSION,
    disk::{remember, repositories, wait_for},
    key_of, now, role,
};
use claviger::{
    keys::{KeyError, Signature, Signer},
    repository::change::{Plan, Unproven},
    trust_dir::TrustDir,
    tuf::{change::Change, file_meta::FileMeta, key::PublicKey, pinning::Pinning},
};
use std::collections::BTreeMap;

impl Signer for Key {
    fn public(&self) -> &PublicKey {
        &self.public
    }

    fn sign(&self, payload: &[u8]) -> Result<Signature, KeyError> {
        Ok(Signature { method: self.method(), bytes: self.raw_signature(&self.method(), payload) })
    }
}

/// A repository that holds for as long as clocks are right, which are read after publishing.
fn forge() -> Forge {
    let mut forge = Forge::good();
    let end = "2090-01-01T00:00:00Z".parse().unwrap();
    forge.expires = forge.holders.keys().map(|name| (name.clone(), end)).collect();
    forge
}

/// The same after one more publication of every delegation.
fn newer(forge: &Forge) -> Forge {
    let mut newer = forge.next();
    newer.versions.insert(role("root"), VERSION);
    newer
}

/// Makes snapshot and timestamp so much newer, with the server's keys.
fn vouch(forge: &Forge, by: u64, files: &mut Files) {
    let mut forge = forge.clone();
    for name in ["snapshot", "timestamp"] {
        forge.versions.insert(role(name), VERSION + by);
    }
    forge.vouch(files);
}

/// Whoever remembers the newest files signs a name as `targets/c`, on what a server shows, and looks at what it shows then: the
/// new file, and what else it makes of the files. What comes of it, and what is remembered of `targets/a`.
fn publishes(before: &Files, then: impl FnOnce(&mut Files), late: &[&str]) -> (Result<(), Unproven>, Vec<u8>) {
    let forge = newer(&forge());
    let home = tempfile::tempdir().unwrap();
    let dir = TrustDir::new(home.path());
    remember(&dir, &forge.gun, &forge.publish());
    let shows = |served: &Served| repositories(&dir, served, Pinning::default(), Box::new(|_| {}));
    let basis = wait_for(shows(&Served::new(before.clone())).basis(&forge.gun, &[], now(), &|_| {})).unwrap();
    let sign = [Change::Sign { role: role("targets/c"), name: "new".into(), meta: FileMeta::from_sha256(7, [7; 32]) }];
    let key = key_of("targets/c");
    let keys = BTreeMap::from([(key.public.canonical_id(), &key as &dyn Signer)]);
    let signed = Plan::new(&basis, &sign, &sign).unwrap().unwrap().sign(&keys).unwrap();
    let mut files = before.clone();
    files.extend(signed.files.iter().cloned());
    then(&mut files);
    vouch(&forge, 3, &mut files);
    let served = Served { late: late.iter().map(|name| role(name)).collect(), ..Served::new(files) };
    let result = wait_for(signed.verify(&shows(&served), &|_| {})).map(|not_kept| assert!(not_kept.is_none()));
    (result, dir.remembered(&forge.gun, 1 << 20).unwrap().remove(&role("targets/a")).unwrap())
}

#[test]
fn a_role_that_was_rolled_back_before_a_change_is_not_remembered_older_after_it() {
    let (old, new) = (forge().publish(), newer(&forge()).publish());
    let mut before = new.clone();
    before.insert(role("targets/a"), old[&role("targets/a")].clone());
    vouch(&forge(), 2, &mut before);
    let (result, remembered) = publishes(&before, |_| {}, &[]);
    assert!(result.is_ok(), "it was refused before, which the plan says: {result:?}");
    assert_eq!(remembered, new[&role("targets/a")]);
}

#[test]
fn a_role_that_is_rolled_back_while_somebody_publishes_is_said_and_not_remembered() {
    let (old, new) = (forge().publish(), newer(&forge()).publish());
    for late in [&[][..], &["targets/a"]] {
        let back = |files: &mut Files| drop(files.insert(role("targets/a"), old[&role("targets/a")].clone()));
        let (result, remembered) = publishes(&new, back, late);
        assert!(matches!(&result, Err(Unproven::Broken(broken, _)) if *broken == role("targets/a")), "{late:?}: {result:?}");
        assert_eq!(remembered, new[&role("targets/a")]);
    }
    // Control: one that is only late.
    let (result, remembered) = publishes(&new, |_| {}, &["targets/a"]);
    assert!(result.is_ok() && remembered == new[&role("targets/a")], "{result:?}");
}

#[test]
fn a_role_that_breaks_while_somebody_publishes_is_said() {
    let new = newer(&forge()).publish();
    let breaks = |files: &mut Files| drop(files.insert(role("targets/a"), b"{}".to_vec()));
    let (result, remembered) = publishes(&new, breaks, &[]);
    assert!(matches!(&result, Err(Unproven::Broken(broken, _)) if *broken == role("targets/a")), "{result:?}");
    assert_eq!(remembered, new[&role("targets/a")]);
}
