//! Old files, files that do not belong together, files without end.
use super::{assert_delegation_refused, assert_refused, assert_whole, update};
use crate::forge::{Cert, Client, Files, Forge, GUN, Key, Served, VERSION, json, key_of, role};
use claviger::tuf::{
    Refusal, limits,
    request::Which,
    update::{Reply, Step, Update},
};

/// Two publications of one repository, the older first.
fn two() -> (Forge, Files, Forge, Files) {
    let before = Forge::good();
    let after = before.next();
    let (old, new) = (before.publish(), after.publish());
    (before, old, after, new)
}

#[test]
fn rollback_of_the_whole_repository() {
    let (_, mut old, forge, new) = two();
    let client = Client::new(&forge.gun).with_cache(&new);
    assert_refused(&client, &Served::new(old.clone()), "root", "rollback");
    old.insert(role("root"), new[&role("root")].clone());
    let why = assert_refused(&client, &Served::new(old), "timestamp", "rollback");
    assert_eq!(why, Refusal::Rollback { role: role("timestamp"), seen: VERSION + 1, got: VERSION });
}

#[test]
fn rollback_behind_a_new_timestamp() {
    let (_, old, forge, new) = two();
    let client = Client::new(&forge.gun).with_cache(&new);
    let mut files = old.clone();
    files.insert(role("root"), new[&role("root")].clone());
    forge.next().vouch_for_snapshot(&mut files);
    assert_refused(&client, &Served::new(files), "snapshot", "rollback");
}

#[test]
fn rollback_of_targets_behind_a_new_snapshot() {
    let (_, old, forge, new) = two();
    let client = Client::new(&forge.gun).with_cache(&new);
    let mut files = new.clone();
    files.insert(role("targets"), old[&role("targets")].clone());
    forge.next().vouch(&mut files);
    assert_refused(&client, &Served::new(files), "targets", "rollback");
}

#[test]
fn rollback_of_a_delegation_behind_a_new_snapshot() {
    let (_, old, forge, new) = two();
    let client = Client::new(&forge.gun).with_cache(&new);
    for name in ["targets/a", "targets/a/b", "targets/c"] {
        let mut files = new.clone();
        files.insert(role(name), old[&role(name)].clone());
        forge.next().vouch(&mut files);
        assert_delegation_refused(&client, &Served::new(files), name, "rollback");
    }
}

#[test]
fn rollback_of_root() {
    let (_, old, forge, new) = two();
    let client = Client::new(&forge.gun).with_cache(&new);
    let mut files = new.clone();
    files.insert(role("root"), old[&role("root")].clone());
    forge.next().vouch(&mut files);
    let why = assert_refused(&client, &Served::new(files), "root", "rollback");
    assert_eq!(why, Refusal::Rollback { role: role("root"), seen: VERSION + 1, got: VERSION });
}

#[test]
fn rollback_by_leaving_a_published_delegation_out_of_the_snapshot() {
    let (_, _, forge, new) = two();
    let mut files = new.clone();
    files.remove(&role("targets/c"));
    forge.next().vouch(&mut files);
    let served = Served::new(files);
    let mut client = Client::new(&forge.gun).with_cache(&new);
    assert_delegation_refused(&client, &served, "targets/c", "not-listed");
    // It stays so in the next update, when the snapshot without it is the remembered one.
    let outcome = client.update(&mut served.clone()).unwrap();
    client = client.after(&outcome);
    assert_delegation_refused(&client, &served, "targets/c", "not-listed");
    // Whoever never saw it published cannot know.
    assert_whole(&Client::new(&forge.gun), &served);
}

#[test]
fn freeze_ends_when_the_first_file_expires() {
    for name in ["root", "snapshot", "targets", "timestamp"] {
        let mut forge = Forge::good();
        forge.expires.insert(role(name), "2027-06-01T00:00:00Z".parse().unwrap());
        let files = forge.publish();
        let served = Served::new(files.clone());
        for client in [Client::new(&forge.gun), Client::new(&forge.gun).with_cache(&files)] {
            assert_whole(&client.clone().at("2027-06-01T00:00:00Z"), &served);
            assert_refused(&client.at("2027-06-01T00:00:01Z"), &served, name, "expired");
        }
    }
}

#[test]
fn freeze_of_a_delegation_ends_when_it_expires() {
    let mut forge = Forge::good();
    forge.expires.insert(role("targets/a"), "2027-06-01T00:00:00Z".parse().unwrap());
    let files = forge.publish();
    let served = Served::new(files.clone());
    for client in [Client::new(&forge.gun), Client::new(&forge.gun).with_cache(&files)] {
        assert_whole(&client.clone().at("2027-06-01T00:00:00Z"), &served);
        assert_delegation_refused(&client.at("2027-06-01T00:00:01Z"), &served, "targets/a", "expired");
    }
}

#[test]
fn freeze_by_cutting_the_line_ends_with_the_remembered_timestamp() {
    let mut forge = Forge::good();
    forge.expires.insert(role("timestamp"), "2027-01-15T00:00:00Z".parse().unwrap());
    let client = Client::new(&forge.gun).with_cache(&forge.publish());
    assert!(client.update_offline().is_ok());
    let why = client.at("2027-01-15T00:00:01Z").update_offline().unwrap_err();
    assert_eq!((why.code(), super::blamed(&why)), ("expired", role("timestamp")));
}

#[test]
fn a_timestamp_that_is_only_remembered_must_still_be_signed_by_the_present_key() {
    let forge = Forge::good();
    let mut files = forge.publish();
    let stolen = crate::forge::reseal(&files[&role("timestamp")], &[Key::p256("stranger")], |t| t);
    files.insert(role("timestamp"), stolen);
    let why = Client::new(&forge.gun).with_cache(&files).update_offline().unwrap_err();
    assert_eq!(why.code(), "threshold");
}

#[test]
fn mix_and_match_of_two_publications() {
    let (_, old, forge, new) = two();
    let mixed = |name: &str, base: &Files, other: &Files| {
        let mut files = base.clone();
        files.insert(role(name), other[&role(name)].clone());
        Served::new(files)
    };
    let fresh = Client::new(&forge.gun);
    for name in ["snapshot", "targets"] {
        // Each file is good by itself and signed by the right key. The newer of both is longer.
        assert_refused(&fresh, &mixed(name, &new, &old), name, "checksum");
        assert_refused(&fresh, &mixed(name, &old, &new), name, if name == "targets" { "too-long" } else { "checksum" });
    }
    assert_refused(&fresh, &mixed("root", &new, &old), "root", "checksum");
    for name in ["targets/a", "targets/a/b", "targets/c"] {
        assert_delegation_refused(&fresh, &mixed(name, &new, &old), name, "checksum");
    }
}

#[test]
fn mix_and_match_of_two_repositories_with_the_same_server_keys() {
    let mut other = Forge::good();
    *other.holder("targets") = crate::forge::Holder::of(&[Key::p256("targets of another repository")]);
    let (forge, mut files) = (Forge::good(), Forge::good().publish());
    files.insert(role("targets"), other.publish()[&role("targets")].clone());
    forge.vouch(&mut files);
    assert_refused(&Client::new(&forge.gun), &Served::new(files), "targets", "threshold");
}

/// The same version, signed by the same key, with another end: a second file under the first one's number.
fn second_file(forge: &Forge, files: &Files, name: &str) -> Files {
    let mut files = files.clone();
    forge.edit(&mut files, name, |t| json(&t, |v| v["expires"] = "2027-12-31T00:00:00Z".into()));
    match name {
        "timestamp" => {}
        "snapshot" => forge.next().vouch_for_snapshot(&mut files),
        _ => forge.next().vouch(&mut files),
    }
    files
}

#[test]
fn equivocation_of_every_base_role() {
    let (_, _, forge, new) = two();
    let client = Client::new(&forge.gun).with_cache(&new);
    for name in ["root", "targets", "snapshot", "timestamp"] {
        let served = Served::new(second_file(&forge, &new, name));
        let why = assert_refused(&client, &served, name, "equivocation");
        assert_eq!(why, Refusal::Equivocation { role: role(name), version: VERSION + 1 });
        assert!(update(&Client::new(&forge.gun), &served).is_ok(), "who saw nothing before cannot know");
    }
}

#[test]
fn equivocation_of_a_delegation() {
    let (_, _, forge, new) = two();
    let client = Client::new(&forge.gun).with_cache(&new);
    for name in ["targets/a", "targets/a/b"] {
        assert_delegation_refused(&client, &Served::new(second_file(&forge, &new, name)), name, "equivocation");
    }
}

#[test]
fn endless_data_is_not_read() {
    let (_, old, forge, mut new) = two();
    let spaces = |files: &mut Files, name: &str, n: usize| files.get_mut(&role(name)).unwrap().resize(n, b' ');
    spaces(&mut new, "timestamp", limits::TIMESTAMP as usize);
    assert_whole(&Client::new(&forge.gun), &Served::new(new.clone()));
    spaces(&mut new, "timestamp", limits::TIMESTAMP as usize + 1);
    for client in [Client::new(&forge.gun), Client::new(&forge.gun).with_cache(&old)] {
        assert_refused(&client, &Served::new(new.clone()), "timestamp", "too-long");
    }
    let (_, old, forge, new) = two();
    for name in ["snapshot", "targets", "targets/a"] {
        let mut files = new.clone();
        let grown = files[&role(name)].len() + 1;
        spaces(&mut files, name, grown);
        for client in [Client::new(&forge.gun), Client::new(&forge.gun).with_cache(&old)] {
            match name {
                "targets/a" => assert_delegation_refused(&client, &Served::new(files.clone()), name, "too-long"),
                _ => assert_refused(&client, &Served::new(files.clone()), name, "too-long"),
            };
        }
    }
}

#[test]
fn endless_data_every_request_says_the_most_that_it_takes() {
    let (_, old, forge, new) = two();
    for cache in [Files::new(), old] {
        let mut update = Update::new(forge.gun.clone(), crate::forge::now(), Default::default(), cache);
        let mut served = Served::new(new.clone());
        let mut step = update.start().unwrap();
        while let Step::Fetch(request) = step {
            let exact = new[&request.role].len() as u64;
            let most = match (request.role.as_str(), &request.which) {
                ("root", _) => limits::METADATA,
                ("timestamp", _) => limits::TIMESTAMP,
                (_, Which::Sha256(_)) => exact,
                _ => panic!("{} is asked for without its hash", request.file_name()),
            };
            assert_eq!(request.limit, most, "{}", request.file_name());
            step = update.give(served.reply(&request)).unwrap();
        }
    }
    // A root without end, to somebody who has none.
    let mut update = Update::new(forge.gun.clone(), crate::forge::now(), Default::default(), Files::new());
    update.start().unwrap();
    let why = update.give(Reply::TooLong).unwrap_err();
    assert_eq!(why, Refusal::TooLong { role: role("root"), limit: limits::METADATA });
}

#[test]
fn a_length_beyond_every_limit_is_cut_to_the_limit() {
    let forge = Forge::good();
    let mut files = forge.publish();
    forge.edit(&mut files, "timestamp", |t| json(&t, |v| v["meta"]["snapshot"]["length"] = (1u64 << 40).into()));
    let mut update = Update::new(forge.gun.clone(), crate::forge::now(), Default::default(), files.clone());
    let mut served = Served::new(files.clone());
    // The snapshot must be fetched: the remembered one is another.
    served.files = files;
    let Step::Fetch(timestamp) = update.start().unwrap() else { panic!() };
    update = Update::new(
        forge.gun.clone(),
        crate::forge::now(),
        Default::default(),
        Files::from([(role("root"), served.files[&role("root")].clone())]),
    );
    update.start().unwrap();
    let Step::Fetch(snapshot) = update.give(served.reply(&timestamp)).unwrap() else { panic!() };
    assert_eq!((snapshot.role.as_str(), snapshot.limit), ("snapshot", limits::METADATA));
}

#[test]
fn files_of_another_repository_are_not_installed() {
    let mut other = Forge::good();
    other.holder("root").named = vec![Cert::of("lab.example/forge/other").around(&Key::p256("root of the other"))];
    other.holder("root").signing = other.holder("root").named.clone();
    let client = Client::new(&claviger::tuf::name::Gun::new(GUN).unwrap());
    let why = assert_refused(&client, &Served::new(other.publish()), "root", "root-certificate");
    assert!(why.to_string().contains("lab.example/forge/other"), "{why}");
}

#[test]
fn fast_forward_is_refused_above_the_highest_version() {
    let mut forge = Forge::good();
    for name in ["root", "targets", "snapshot", "timestamp", "targets/a"] {
        forge.versions.insert(role(name), limits::VERSION);
    }
    assert_whole(&Client::new(&forge.gun), &Served::new(forge.publish()));
    forge.versions.insert(role("timestamp"), limits::VERSION + 1);
    assert_refused(&Client::new(&forge.gun), &Served::new(forge.publish()), "timestamp", "malformed");
}

#[test]
fn fast_forward_recovery_after_a_key_rotation() {
    // Whoever stole the keys of three roles sent their versions to the end of the scale.
    let mut stolen = Forge::good();
    for name in ["targets", "snapshot", "timestamp"] {
        stolen.versions.insert(role(name), limits::VERSION);
    }
    let client = Client::new(&stolen.gun).with_cache(&stolen.publish());
    // The owners make new keys for them and start over.
    let mut healed = Forge::good();
    healed.versions.insert(role("root"), VERSION + 1);
    for name in ["targets", "snapshot", "timestamp"] {
        *healed.holder(name) = crate::forge::Holder::of(&[Key::p256(&format!("new key of {name}"))]);
        healed.versions.insert(role(name), 1);
    }
    let collection = assert_whole(&client, &Served::new(healed.publish()));
    assert_eq!((collection.root().version(), collection.timestamp().version()), (VERSION + 1, 1));
    // With the keys unchanged the same low versions are a rollback.
    let mut unchanged = Forge::good();
    unchanged.versions = healed.versions.clone();
    assert_refused(&client, &Served::new(unchanged.publish()), "timestamp", "rollback");
}

#[test]
fn fast_forward_recovery_of_a_delegation_after_a_key_rotation() {
    let mut stolen = Forge::good();
    stolen.versions.insert(role("targets/a"), limits::VERSION);
    let client = Client::new(&stolen.gun).with_cache(&stolen.publish());
    let mut healed = Forge::good().next();
    *healed.holder("targets/a") = crate::forge::Holder::of(&[Key::p256("new key of a")]);
    healed.versions.insert(role("targets/a"), 1);
    assert_whole(&client, &Served::new(healed.publish()));
    *healed.holder("targets/a") = crate::forge::Holder::of(&[key_of("targets/a")]);
    assert_delegation_refused(&client, &Served::new(healed.publish()), "targets/a", "rollback");
}
