//! Roots that should not be believed, and walks that should not be made.
use super::{assert_refused, assert_whole};
use crate::forge::{
    Cert, Client, Files, Forge, GUN, Holder, Key, Served, VERSION, bundle, json, key_of, reseal, role, with_signatures,
};
use claviger::tuf::{Refusal, key::KeyType, limits, request::Which, update::Step, update::Update};

fn client() -> Client {
    Client::new(&Forge::good().gun)
}

/// The good repository with this root key, alone and signing.
fn rooted(key: Key) -> Forge {
    let mut forge = Forge::good();
    *forge.holder("root") = Holder::of(&[key]);
    forge
}

/// The nth root key of a repository that rotates it, in a certificate of its own.
fn nth(n: u64) -> Key {
    Cert::of(GUN).around(&Key::p256(&format!("root key {n}")))
}

/// Version `n` of a repository that has had another root key in every version, signed as Notary does: by the new key and
/// the one before.
fn rotated(n: u64) -> Forge {
    let mut forge = rooted(nth(n));
    forge.holder("root").signing = if n == 1 { vec![nth(1)] } else { vec![nth(n), nth(n - 1)] };
    for name in ["timestamp", "snapshot", "targets", "targets/a", "targets/a/b", "targets/c"] {
        forge.versions.insert(role(name), VERSION + n);
    }
    forge.versions.insert(role("root"), n);
    forge
}

/// What a server holds after rotations up to version `n`, with all roots before it.
fn rotations(n: u64) -> Served {
    let mut served = Served::new(rotated(n).publish());
    served.roots = (1..=n).map(|i| (i, rotated(i).root_file())).collect();
    served
}

fn remembers(n: u64) -> Client {
    client().with_cache(&rotated(n).publish())
}

#[test]
fn a_root_rotation_without_the_old_key_is_refused() {
    let mut thief = rotated(2);
    thief.holder("root").signing = vec![nth(2)];
    let mut served = Served::new(thief.publish());
    served.roots.insert(2, thief.root_file());
    let why = assert_refused(&remembers(1), &served, "root", "root-rotation");
    assert_eq!(why, Refusal::RootRotation { from: 1, to: 2 });
}

#[test]
fn a_root_rotation_with_the_old_key_only_is_refused() {
    let mut forge = rotated(2);
    forge.holder("root").signing = vec![nth(1)];
    assert_refused(&remembers(1), &Served::new(forge.publish()), "root", "threshold");
}

#[test]
fn a_root_rotation_needs_the_old_threshold() {
    let keys: Vec<Key> = (0..3).map(|i| Cert::of(GUN).around(&Key::p256(&format!("officer {i}")))).collect();
    let mut before = Forge::good();
    *before.holder("root") = Holder { threshold: 2, ..Holder::of(&keys) };
    let mut after = before.next();
    // One officer alone makes himself the only one.
    *after.holder("root") = Holder::of(&keys[..1]);
    let client = client().with_cache(&before.publish());
    assert_refused(&client, &Served::new(after.publish()), "root", "root-rotation");
    after.holder("root").signing = keys[..2].to_vec();
    assert_whole(&client, &Served::new(after.publish()));
}

#[test]
fn a_root_walk_with_a_missing_step_is_refused() {
    let mut served = rotations(4);
    served.roots.remove(&3);
    assert_refused(&remembers(1), &served, "root", "missing");
}

#[test]
fn a_root_walk_with_a_step_of_another_version_is_refused() {
    for (asked, given) in [(2, 3), (2, 1), (2, 4), (3, 2)] {
        let mut served = rotations(4);
        served.roots.insert(asked, rotated(given).root_file());
        let why = assert_refused(&remembers(1), &served, "root", "wrong-root-version");
        assert_eq!(why, Refusal::WrongRootVersion { wanted: asked, got: given });
    }
}

#[test]
fn a_root_walk_with_a_forged_step_is_refused() {
    let mut thief = rotated(2);
    thief.holder("root").signing = vec![nth(2)];
    let mut served = rotations(3);
    served.roots.insert(2, thief.root_file());
    assert_refused(&remembers(1), &served, "root", "root-rotation");
    // A step that does not hold by its own keys, though its predecessor's signed it.
    thief.holder("root").signing = vec![nth(1)];
    served.roots.insert(2, thief.root_file());
    assert_refused(&remembers(1), &served, "root", "threshold");
    served.roots.insert(2, b"{}".to_vec());
    assert_refused(&remembers(1), &served, "root", "malformed");
    served.roots.insert(2, vec![b' '; limits::METADATA as usize + 1]);
    assert_refused(&remembers(1), &served, "root", "too-long");
    served.roots.insert(2, rotated(2).root_file());
    assert_whole(&remembers(1), &served);
}

#[test]
fn a_root_walk_ends_in_a_root_that_follows_from_it() {
    // All steps are good; the newest is signed by its own key only.
    let mut thief = rotated(4);
    thief.holder("root").signing = vec![nth(4)];
    let mut served = rotations(4);
    served.files = thief.publish();
    let why = assert_refused(&remembers(1), &served, "root", "root-rotation");
    assert_eq!(why, Refusal::RootRotation { from: 3, to: 4 });
}

#[test]
fn a_root_walk_does_not_follow_more_steps_than_the_limit() {
    let far = |steps: u64| {
        let mut thief = rotated(2);
        thief.holder("root").signing = vec![nth(2)];
        thief.versions.insert(role("root"), 1 + steps);
        Served::new(thief.publish())
    };
    let why = assert_refused(&remembers(1), &far(limits::ROOT_STEPS + 1), "root", "too-many-roots");
    assert_eq!(why, Refusal::TooManyRoots { steps: limits::ROOT_STEPS + 1, limit: limits::ROOT_STEPS });
    // At the limit the walk begins, and the first step is asked for.
    let mut served = far(limits::ROOT_STEPS);
    assert!(remembers(1).update(&mut served).is_err());
    assert_eq!(served.asked.last().unwrap(), "2.root.json");
    // Whoever only claims that there are many roots gets one question out of it.
    assert_eq!(served.asked.iter().filter(|f| f.ends_with(".root.json")).count(), 1);
}

#[test]
fn a_root_that_was_trusted_is_not_replaced_by_one_met_for_the_first_time() {
    // Another repository's owner, same name, lower or equal version: nothing of it is believed.
    let mut other = rooted(nth(9));
    for version in [1, VERSION, VERSION + 1, VERSION + 2] {
        other.versions.insert(role("root"), version);
        let mut served = Served::new(other.publish());
        served.roots = (1..10).map(|n| (n, other.root_file())).collect();
        let remembering = client().with_cache(&Forge::good().publish());
        let why = remembering.update(&mut served).unwrap_err();
        let code = match version {
            1 => "rollback",
            VERSION => "equivocation",
            v if v == VERSION + 1 => "root-rotation",
            _ => "wrong-root-version",
        };
        assert_eq!(why.code(), code, "{why}");
    }
}

#[track_caller]
fn assert_certificate_refused(key: Key, reason: &str) {
    let why = assert_refused(&client(), &Served::new(rooted(key).publish()), "root", "root-certificate");
    assert!(why.to_string().contains(reason), "{why}");
}

#[test]
fn a_root_certificate_for_another_repository_is_refused() {
    let bare = Key::p256("root");
    for name in [
        "lab.example/forge/app2",
        "lab.example/forge/ap",
        "lab.example/forge",
        "Lab.example/forge/app",
        "",
        "lab.example/other/*",
        "*/forge/app",
        "lab.example/*/app",
        "lab.example/forge/app\0",
    ] {
        assert_certificate_refused(Cert::of(name).around(&bare), "names");
    }
    for name in [GUN, "lab.example/forge/*", "lab.example/*", "lab.example/forge/app*"] {
        assert_whole(&client(), &Served::new(rooted(Cert::of(name).around(&bare)).publish()));
    }
}

#[test]
fn a_root_certificate_outside_of_its_dates_is_refused() {
    let bare = Key::p256("root");
    let dated =
        |from: &str, to: &str| Cert { from: from.parse().unwrap(), to: to.parse().unwrap(), ..Cert::of(GUN) }.around(&bare);
    assert_certificate_refused(dated("2020-01-01T00:00:00Z", "2026-12-31T23:59:59Z"), "ended");
    assert_certificate_refused(dated("2027-01-02T00:00:01Z", "2036-01-01T00:00:00Z"), "starts");
    assert_certificate_refused(dated("2030-01-01T00:00:00Z", "2026-01-01T00:00:00Z"), "before it starts");
    // A day of leeway for clocks, and the last second counts.
    assert_whole(&client(), &Served::new(rooted(dated("2027-01-02T00:00:00Z", "2036-01-01T00:00:00Z")).publish()));
    assert_whole(&client(), &Served::new(rooted(dated("2020-01-01T00:00:00Z", "2027-01-01T00:00:00Z")).publish()));
}

#[test]
fn a_root_certificate_signed_with_sha_1_is_refused() {
    assert_certificate_refused(Cert { sha1: true, ..Cert::of(GUN) }.around(&Key::rsa_2048()), "SHA-1");
    assert_whole(&client(), &Served::new(rooted(Cert::of(GUN).around(&Key::rsa_2048())).publish()));
}

#[test]
fn a_root_certificate_with_rsa_1024_is_refused() {
    assert_certificate_refused(Cert::of(GUN).around(&Key::rsa_1024()), "2048");
}

#[test]
fn a_root_certificate_that_is_an_authority_is_refused() {
    assert_certificate_refused(Cert::authority(GUN).around(&Key::p256("root")), "authority");
    // Two that are none, and an authority in front.
    let (a, b) = (Key::p256("a"), Key::p256("b"));
    let leaf = |k: &Key| Cert::of(GUN).self_signed(k);
    assert_certificate_refused(bundle(&a, &[leaf(&a), leaf(&b)]), "authority");
    assert_certificate_refused(bundle(&a, &[Cert::authority("CA").self_signed(&b), leaf(&a)]), "authority");
}

#[test]
fn a_bare_root_key_is_refused() {
    for key in [Key::p256("root"), Key::rsa_2048(), Key::ed25519("root")] {
        assert_certificate_refused(key, "bare");
    }
}

#[test]
fn a_root_bundle_with_an_expired_intermediate_is_refused() {
    let (leaf, authority) = (Key::p256("leaf"), Key::p256("authority"));
    let with = |to: &str| {
        let above = Cert { to: to.parse().unwrap(), ..Cert::authority("CA") }.self_signed(&authority);
        bundle(&leaf, &[Cert::of(GUN).issued(&leaf, "CA", &authority), above])
    };
    assert_whole(&client(), &Served::new(rooted(with("2030-01-01T00:00:00Z")).publish()));
    let expired = rooted(with("2026-06-01T00:00:00Z"));
    assert_certificate_refused(with("2026-06-01T00:00:00Z"), "ended on");
    // It could still hand on to a successor, when it was remembered from better days.
    let mut successor = rooted(nth(2)).next();
    successor.holder("root").signing = vec![nth(2), with("2026-06-01T00:00:00Z")];
    let remembering = client().with_cache(&expired.publish());
    assert_whole(&remembering, &Served::new(successor.publish()));
}

#[test]
fn a_root_certificate_in_another_layout_is_refused() {
    let key = key_of("root");
    let pem = String::from_utf8(key.public.public_bytes().to_vec()).unwrap();
    let layouts = [
        format!("text before\n{pem}"),
        format!("{pem}\n"),
        pem.replace('\n', "\r\n"),
        pem.replacen('\n', "\nrole: root\n\n", 1),
        pem.trim_end().to_owned(),
        format!("{pem}-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
        pem.replace("CERTIFICATE", "TRUSTED CERTIFICATE"),
        format!("{pem}{pem}"),
        String::new(),
    ];
    for text in layouts {
        let odd = key.known_as(KeyType::EcdsaX509, text.clone().into_bytes());
        let why = assert_refused(&client(), &Served::new(rooted(odd).publish()), "root", "root-certificate");
        println!("{why}");
    }
    // The right text under the type of another algorithm.
    assert_certificate_refused(key.known_as(KeyType::RsaX509, pem.into_bytes()), "written");
}

#[test]
fn a_root_whose_threshold_only_bad_certificates_would_reach_is_refused() {
    let good = key_of("root");
    let other = Cert::of("somebody/else").around(&Key::p256("b"));
    let mut forge = Forge::good();
    *forge.holder("root") = Holder { threshold: 2, ..Holder::of(&[good, other]) };
    let why = assert_refused(&client(), &Served::new(forge.publish()), "root", "threshold");
    assert_eq!(why, Refusal::Threshold { role: role("root"), need: 2, have: 1 });
}

#[test]
fn a_remembered_root_that_is_damaged_is_not_replaced_silently() {
    let served = Served::new(Forge::good().publish());
    let remembered = |bytes: Vec<u8>| client().with_cache(&Files::from([(role("root"), bytes)]));
    let root = Forge::good().root_file();
    assert_refused(&remembered(root[..root.len() / 2].to_vec()), &served, "root", "malformed");
    assert_refused(&remembered(Vec::new()), &served, "root", "malformed");
    assert_refused(&remembered(with_signatures(&root, |_| vec![])), &served, "root", "no-signatures");
    assert_refused(&remembered(reseal(&root, &[Key::p256("x")], |t| t)), &served, "root", "threshold");
    let other = rooted(Cert::of("other").around(&Key::p256("o"))).root_file();
    assert_refused(&remembered(other), &served, "root", "root-certificate");
}

#[test]
fn an_expired_remembered_root_is_not_used_and_leads_only_to_its_successors() {
    let mut old = rotated(1);
    old.expires.insert(role("root"), "2026-06-01T00:00:00Z".parse().unwrap());
    let remembering = client().with_cache(&old.publish());
    // The server has nothing newer.
    assert_refused(&remembering, &Served::new(old.publish()), "root", "expired");
    assert_refused(&remembering, &Served::new(Files::new()), "root", "expired");
    // It has something newer that does not follow.
    assert_refused(&remembering, &Served::new(rooted(nth(7)).publish()), "root", "missing");
    // It has a successor three rotations ahead.
    assert_whole(&remembering, &rotations(4));
}

#[test]
fn the_newest_root_by_hash_is_held_against_that_hash() {
    let (before, after) = (Forge::good(), Forge::good().next());
    let mut files = after.publish();
    // Signed as it must be, but not the one that the snapshot names.
    forge_other_end(&after, &mut files);
    let served = Served::new(files);
    assert_refused(&client().with_cache(&before.publish()), &served, "root", "checksum");
    // The question was for the hash.
    let mut update = Update::new(before.gun.clone(), crate::forge::now(), Default::default(), before.publish());
    let mut server = served.clone();
    let mut step = update.start().unwrap();
    let mut by_hash = false;
    while let Step::Fetch(request) = step {
        by_hash |= request.role.as_str() == "root" && matches!(request.which, Which::Sha256(_));
        match update.give(server.reply(&request)) {
            Ok(next) => step = next,
            Err(_) => break,
        }
    }
    assert!(by_hash);
}

fn forge_other_end(forge: &Forge, files: &mut Files) {
    forge.edit(files, "root", |t| json(&t, |v| v["expires"] = "2027-12-31T00:00:00Z".into()));
}

#[test]
fn three_root_rotations_in_one_update_are_followed() {
    let mut served = rotations(4);
    let outcome = remembers(1).update(&mut served).unwrap();
    assert_eq!(outcome.collection.root().version(), 4);
    let roots: Vec<_> = served.asked.iter().filter(|f| f.contains("root")).map(String::as_str).collect();
    assert_eq!(roots[1..], ["2.root.json", "3.root.json"]);
    assert_eq!(outcome.fetched[0].1, served.files[&role("root")], "only the newest is kept");
}
