//! A verification from a clean cache believes nothing but the remembered root, and forgets nothing.
use crate::forge::{
    Files, Forge, GUN, Holder, Key, Served, VERSION,
    disk::{remember, repositories, tree, wait_for},
    json, now, role,
};
use claviger::{
    repository::{LoadError, Mode},
    trust_dir::TrustDir,
    tuf::{
        Refusal,
        collection::{Anchor, TrustedCollection},
        name::Gun,
        pinning::Pinning,
    },
};

/// Verifies from a clean cache. Whatever comes of it, nothing is written.
fn verify(remembered: &Files, served: &Served) -> Result<TrustedCollection, Refusal> {
    let home = tempfile::tempdir().unwrap();
    let (dir, gun) = (TrustDir::new(home.path()), Gun::new(GUN).unwrap());
    remember(&dir, &gun, remembered);
    let before = tree(home.path());
    let all = repositories(&dir, served, Pinning::default(), Box::new(|_| {}));
    let result = wait_for(all.load(&gun, now(), Mode::CleanCache, &|_| {}));
    assert!(tree(home.path()) == before, "verifying has written");
    match result {
        Ok(loaded) => Ok(loaded.collection),
        Err(LoadError::Refused(why)) => Err(why),
        Err(other) => panic!("not a refusal: {other}"),
    }
}

/// Two publications, the older first, with a root that is the same in both.
fn two() -> (Forge, Files, Files) {
    let forge = Forge::good();
    let mut after = forge.next();
    after.versions.insert(role("root"), VERSION);
    (after.clone(), forge.publish(), after.publish())
}

/// The newest files, but for these roles, which are older; vouched for by what is newer than anything that was seen.
fn partly_old(forge: &Forge, old: &Files, new: &Files, names: &[&str]) -> Served {
    let mut files = new.clone();
    names.iter().for_each(|n| drop(files.insert(role(n), old[&role(n)].clone())));
    let mut next = forge.clone();
    for name in ["snapshot", "timestamp"] {
        next.versions.insert(role(name), VERSION + 2);
    }
    match names {
        [] | ["timestamp"] => {}
        ["snapshot"] => next.vouch_for_snapshot(&mut files),
        _ => next.vouch(&mut files),
    }
    Served::new(files)
}

#[test]
fn a_clean_cache_does_not_hide_a_rollback() {
    let (forge, old, new) = two();
    let why = verify(&new, &Served::new(old.clone())).unwrap_err();
    assert_eq!(why, Refusal::Rollback { role: role("timestamp"), seen: VERSION + 1, got: VERSION });
    // The older snapshot vouches for older files, so these come with it.
    let mut behind = partly_old(&forge, &old, &new, &["snapshot"]);
    for name in ["targets", "targets/a", "targets/a/b", "targets/c"] {
        behind.files.insert(role(name), old[&role(name)].clone());
    }
    let why = verify(&new, &behind).unwrap_err();
    assert_eq!(why, Refusal::Rollback { role: role("snapshot"), seen: VERSION + 1, got: VERSION });
    let why = verify(&new, &partly_old(&forge, &old, &new, &["targets"])).unwrap_err();
    assert_eq!(why, Refusal::Rollback { role: role("targets"), seen: VERSION + 1, got: VERSION });
    for name in ["targets/a", "targets/a/b", "targets/c"] {
        let collection = verify(&new, &partly_old(&forge, &old, &new, &[name])).unwrap();
        let refused: Vec<_> = collection.refused().map(|(r, why)| (r.as_str(), why.code())).collect();
        assert_eq!(refused, [(name, "rollback")]);
    }
    // The root.
    let why = verify(&Forge::good().next().publish(), &Served::new(old.clone())).unwrap_err();
    assert_eq!(why.code(), "rollback");
    // Control: who remembers only the root cannot know.
    assert!(verify(&Files::from([(role("root"), new[&role("root")].clone())]), &Served::new(old)).is_ok());
}

#[test]
fn a_file_that_is_late_is_no_older_for_it() {
    let (forge, old, new) = two();
    for name in ["targets/a", "targets/a/b", "targets/c"] {
        let late = [role(name)].into();
        let served = Served { late, ..partly_old(&forge, &old, &new, &[name]) };
        let refused = verify(&new, &served).unwrap();
        let refused: Vec<_> = refused.refused().map(|(r, why)| (r.as_str(), why.code())).collect();
        assert_eq!(refused, [(name, "rollback")]);
        // One that is only late is taken when it comes.
        let served = Served { late: [role(name)].into(), ..Served::new(new.clone()) };
        assert_eq!(verify(&new, &served).unwrap().refused().count(), 0, "{name}");
    }
}

#[test]
fn a_clean_cache_does_not_hide_equivocation() {
    let (forge, _, new) = two();
    for name in ["timestamp", "snapshot", "targets", "targets/a"] {
        let mut other = new.clone();
        forge.edit(&mut other, name, |t| json(&t, |v| v["expires"] = "2027-12-31T00:00:00Z".into()));
        match name {
            "timestamp" => {}
            _ => other = partly_old(&forge, &other.clone(), &other, &[name]).files,
        }
        match verify(&new, &Served::new(other)) {
            Err(why) => assert_eq!(why, Refusal::Equivocation { role: role(name), version: VERSION + 1 }),
            Ok(c) => {
                let refused: Vec<_> = c.refused().map(|(r, why)| (r.as_str(), why.code())).collect();
                assert_eq!(refused, [("targets/a", "equivocation")]);
            }
        }
    }
}

#[test]
fn a_clean_cache_does_not_hide_that_a_delegation_was_left_out() {
    let (forge, _, mut new) = two();
    let remembered = new.clone();
    new.remove(&role("targets/c"));
    let collection = verify(&remembered, &partly_old(&forge, &remembered, &new, &["targets"])).unwrap();
    let refused: Vec<_> = collection.refused().map(|(r, why)| (r.as_str(), why.code())).collect();
    assert_eq!(refused, [("targets/c", "not-listed")]);
}

#[test]
fn a_clean_cache_takes_no_file_from_what_is_remembered() {
    let (_, _, new) = two();
    for name in ["snapshot", "targets"] {
        let mut served = Served::new(new.clone());
        served.files.remove(&role(name));
        assert_eq!(verify(&new, &served).unwrap_err(), Refusal::Missing { role: role(name) });
    }
    let mut served = Served::new(new.clone());
    served.files.insert(role("targets/a"), b"{}".to_vec());
    let collection = verify(&new, &served).unwrap();
    let refused: Vec<_> = collection.refused().map(|(r, why)| (r.as_str(), why.code())).collect();
    assert_eq!(refused, [("targets/a", "checksum")]);
}

#[test]
fn control_from_a_clean_cache_good_repositories_verify() {
    let (forge, old, new) = two();
    for remembered in [&Files::new(), &old, &new] {
        let collection = verify(remembered, &Served::new(new.clone())).unwrap();
        let anchor = if remembered.is_empty() { Anchor::FirstUse } else { Anchor::Remembered };
        assert_eq!((collection.anchor(), collection.refused().count()), (anchor, 0));
    }
    // After a rotation of the keys lower versions are how a repository recovers.
    let mut healed = forge;
    healed.versions.insert(role("root"), VERSION + 1);
    for name in ["targets", "snapshot", "timestamp"] {
        *healed.holder(name) = Holder::of(&[Key::p256(&format!("new key of {name}"))]);
        healed.versions.insert(role(name), 1);
    }
    assert_eq!(verify(&new, &Served::new(healed.publish())).unwrap().timestamp().version(), 1);
}
