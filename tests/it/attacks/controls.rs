//! What is no attack must succeed, or a refusal says nothing.
use super::assert_whole;
use crate::forge::{Cert, Client, Files, Forge, GUN, Holder, Key, Served, key_of, role};
use claviger::tuf::{
    collection::{Anchor, Freshness},
    key::{KeyType, PublicKey},
    material::{Message, Method},
    name::Gun,
};

fn client() -> Client {
    Client::new(&Forge::good().gun)
}

#[test]
fn control_updates_with_and_without_a_cache() {
    let (before, after) = (Forge::good(), Forge::good().next());
    let mut served = Served::new(before.publish());
    let outcome = client().update(&mut served).unwrap();
    assert_eq!((outcome.collection.anchor(), outcome.collection.freshness()), (Anchor::FirstUse, Freshness::Live));
    assert_eq!(outcome.fetched.len(), 7);
    assert_eq!(outcome.fetched.first().unwrap().0, role("root"));
    assert_eq!(outcome.fetched.last().unwrap().0, role("timestamp"));
    let remembering = client().after(&outcome);
    // Nothing is new: one question.
    let mut again = Served::new(before.publish());
    remembering.update(&mut again).unwrap();
    assert_eq!(again.asked, ["timestamp.json"]);
    let collection = assert_whole(&remembering, &Served::new(after.publish()));
    assert_eq!((collection.anchor(), collection.signed().count()), (Anchor::Remembered, 8));
}

#[test]
fn control_every_kind_of_key_signs() {
    let rsa = Key::rsa_2048();
    let kinds = [
        Key::p256("k"),
        Key::p384("k"),
        Key::p521("k"),
        Key::ed25519("k"),
        rsa.clone(),
        Cert::of("x").around(&Key::p384("k")),
        Cert::of("x").around(&rsa),
        Cert::of("x").around(&Key::p256("k")),
    ];
    for key in &kinds {
        for name in ["targets", "targets/a", "snapshot", "timestamp"] {
            let mut forge = Forge::good();
            *forge.holder(name) = Holder::of(std::slice::from_ref(key));
            assert_whole(&client(), &Served::new(forge.publish()));
        }
    }
    for key in [Key::p256("k"), Key::p384("k"), rsa] {
        let mut forge = Forge::good();
        *forge.holder("root") = Holder::of(&[Cert::of(GUN).around(&key)]);
        assert_whole(&client(), &Served::new(forge.publish()));
    }
}

#[test]
fn control_a_p521_signature_by_another_program_verifies() {
    let spki = include_bytes!("../../fixtures/forge/p521.spki.der").to_vec();
    let signature = include_bytes!("../../fixtures/forge/p521.signature");
    let key = PublicKey::new(KeyType::Ecdsa, spki);
    assert!(key.material().verify(&Method::Ecdsa, &Message::new(b"signed by another program"), signature));
    assert!(!key.material().verify(&Method::Ecdsa, &Message::new(b"signed by another prograM"), signature));
}

#[test]
fn control_a_threshold_of_two_among_three_is_reached_by_any_two() {
    let officers: Vec<Key> = [Key::p256("1"), Key::ed25519("2"), Key::rsa_2048()].to_vec();
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        for name in ["targets", "targets/a", "timestamp"] {
            let mut forge = Forge::good();
            *forge.holder(name) =
                Holder { named: officers.clone(), signing: vec![officers[a].clone(), officers[b].clone()], threshold: 2 };
            assert_whole(&client(), &Served::new(forge.publish()));
        }
    }
}

#[test]
fn control_a_rotation_of_every_base_role_at_once_recovers() {
    let before = Forge::good();
    let mut after = before.next();
    for name in ["targets", "snapshot", "timestamp"] {
        *after.holder(name) = Holder::of(&[Key::p256(&format!("second key of {name}"))]);
    }
    *after.holder("root") = Holder::of(&[Cert::of(GUN).around(&Key::p256("second root"))]);
    after.holder("root").signing.push(key_of("root"));
    let remembering = client().with_cache(&before.publish());
    let mut served = Served::new(after.publish());
    let outcome = remembering.update(&mut served).unwrap();
    assert_eq!(outcome.collection.root().version(), 6);
    let next = remembering.after(&outcome);
    assert_whole(&next, &Served::new(after.publish()));
    assert_whole(&next, &Served::new(after.next().publish()));
}

#[test]
fn control_keys_handed_to_the_server_are_followed() {
    // `notary key rotate snapshot -r`: the snapshot key becomes the server's, an ed25519 key.
    let before = Forge::good();
    let mut after = before.next();
    for name in ["snapshot", "timestamp"] {
        *after.holder(name) = Holder::of(&[Key::ed25519(&format!("server's {name}"))]);
    }
    assert_whole(&client().with_cache(&before.publish()), &Served::new(after.publish()));
}

#[test]
fn control_without_a_line_a_valid_remembered_timestamp_will_do() {
    let files = Forge::good().publish();
    let outcome = client().with_cache(&files).update_offline().unwrap();
    assert_eq!((outcome.collection.freshness(), outcome.fetched.len()), (Freshness::Cached, 0));
    assert_eq!(outcome.collection.signed().count(), 4);
}

#[test]
fn control_a_cache_that_does_not_verify_does_not_stand_in_the_way() {
    // Everything but the root may be lost or damaged; it is fetched again.
    let files = Forge::good().publish();
    for name in files.keys().filter(|r| r.as_str() != "root") {
        for damaged in [None, Some(b"{}".to_vec()), Some(vec![])] {
            let mut cache: Files = files.clone();
            match damaged {
                None => drop(cache.remove(name)),
                Some(bytes) => drop(cache.insert(name.clone(), bytes)),
            }
            let outcome = client().with_cache(&cache).update(&mut Served::new(files.clone())).unwrap();
            assert!(outcome.fetched.iter().any(|(r, b)| r == name && *b == files[name]), "{name}");
        }
    }
}

#[test]
fn control_long_names_and_unusual_guns_work() {
    for name in ["localhost:5000/a", "büro/é", "a", &"x/".repeat(100).trim_end_matches('/').to_owned()] {
        let mut forge = Forge::good();
        forge.gun = Gun::new(name).unwrap();
        *forge.holder("root") = Holder::of(&[Cert::of(name).around(&Key::p256("root"))]);
        assert_whole(&Client::new(&forge.gun), &Served::new(forge.publish()));
    }
}
