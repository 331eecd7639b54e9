//! Pins: what the configuration says about a repository's root is never passed over.
use super::{assert_refused, assert_whole};
use crate::forge::{
    Cert, Client, Forge, GUN, Holder, Key, Served, bundle,
    cert::{CODE_SIGNING, EMAIL, SERVER_AUTH},
    key_of,
};
use claviger::tuf::{collection::Anchor, name::KeyId, pinning::Pinning, x509::Leaf};
use x509_cert::ext::pkix::KeyUsages;

fn client() -> Client {
    Client::new(&Forge::good().gun)
}

fn keys(gun: &str, ids: &[KeyId]) -> Pinning {
    Pinning { certs: vec![(gun.into(), ids.to_vec())], ..Pinning::default() }
}

fn authority(prefix: &str, der: &[u8]) -> Pinning {
    Pinning { ca: vec![(prefix.into(), vec![Leaf::from_der(der).unwrap()])], ..Pinning::default() }
}

fn stranger() -> KeyId {
    KeyId::from_digest([9; 32])
}

#[test]
fn a_pin_is_not_ignored_on_first_use() {
    let served = Served::new(Forge::good().publish());
    for pins in [keys(GUN, &[stranger()]), keys("lab.example/*", &[stranger()]), keys("*", &[stranger()]), keys(GUN, &[])] {
        assert_refused(&client().pinned(pins), &served, "root", "not-pinned");
    }
    for gun in [GUN, "lab.example/*", "*"] {
        let collection = assert_whole(&client().pinned(keys(gun, &[stranger(), key_of("root").id()])), &served);
        assert_eq!(collection.anchor(), Anchor::Pinned);
    }
    assert_eq!(assert_whole(&client(), &served).anchor(), Anchor::FirstUse);
}

#[test]
fn a_pin_is_not_ignored_for_a_remembered_root() {
    let files = Forge::good().publish();
    let remembering = client().with_cache(&files);
    assert_eq!(assert_whole(&remembering, &Served::new(files.clone())).anchor(), Anchor::Remembered);
    assert_refused(&remembering.clone().pinned(keys(GUN, &[stranger()])), &Served::new(files.clone()), "root", "not-pinned");
    assert_whole(&remembering.clone().pinned(keys(GUN, &[key_of("root").id()])), &Served::new(files.clone()));
    // Nor when the server does not answer: the update stops before it asks for a timestamp.
    assert_refused(&remembering.pinned(keys(GUN, &[stranger()])), &Served::default(), "root", "not-pinned");
}

#[test]
fn a_pin_is_not_ignored_in_a_rotation() {
    let before = Forge::good();
    let next_key = Cert::of(GUN).around(&Key::p256("next root"));
    let mut after = before.next();
    *after.holder("root") = Holder::of(next_key.alone());
    after.holder("root").signing.push(key_of("root"));
    let remembering = client().with_cache(&before.publish());
    let served = Served::new(after.publish());
    assert_refused(&remembering.clone().pinned(keys(GUN, &[key_of("root").id()])), &served, "root", "not-pinned");
    assert_whole(&remembering.clone().pinned(keys(GUN, &[key_of("root").id(), next_key.id()])), &served);
    // A pin on the new key alone: the remembered root leads to it.
    assert_whole(&remembering.pinned(keys(GUN, &[next_key.id()])), &served);
}

#[test]
fn a_pin_that_fails_does_not_fall_through_to_another() {
    let served = Served::new(Forge::good().publish());
    let wildcard_would_do = Pinning {
        certs: vec![(GUN.into(), vec![stranger()]), ("lab.example/*".into(), vec![key_of("root").id()])],
        ..Pinning::default()
    };
    assert_refused(&client().pinned(wildcard_would_do), &served, "root", "not-pinned");
    let longer_wildcard_wins = Pinning {
        certs: vec![("lab.example/*".into(), vec![key_of("root").id()]), ("lab.example/forge/*".into(), vec![stranger()])],
        ..Pinning::default()
    };
    assert_refused(&client().pinned(longer_wildcard_wins), &served, "root", "not-pinned");
    let no_such_authority = Cert::authority("CA").self_signed(&Key::p256("CA"));
    assert_refused(&client().pinned(authority("lab.example", &no_such_authority)), &served, "root", "not-pinned");
}

#[test]
fn a_pin_with_capital_letters_is_not_ignored() {
    let mut forge = Forge::good();
    forge.gun = claviger::tuf::name::Gun::new("Lab.Example/App").unwrap();
    *forge.holder("root") = Holder::of(&[Cert::of("Lab.Example/App").around(&Key::p256("root"))]);
    let client = Client::new(&forge.gun).pinned(keys("Lab.Example/App", &[stranger()]));
    assert_refused(&client, &Served::new(forge.publish()), "root", "not-pinned");
}

#[test]
fn a_pin_of_one_key_does_not_lower_the_threshold() {
    let other = Cert::of(GUN).around(&Key::p256("second root"));
    let mut forge = Forge::good();
    *forge.holder("root") = Holder { threshold: 2, ..Holder::of(&[key_of("root"), other]) };
    let served = Served::new(forge.publish());
    assert_whole(&client(), &served);
    assert_refused(&client().pinned(keys(GUN, &[key_of("root").id()])), &served, "root", "threshold");
}

#[test]
fn a_pinned_authority_must_have_signed() {
    let (root, ca, middle) = (Key::p256("root"), Key::p256("CA"), Key::p256("middle"));
    let ca_cert = Cert::authority("CA").self_signed(&ca);
    let middle_cert = Cert::authority("Middle").issued(&middle, "CA", &ca);
    let serve = |key: Key| {
        let mut forge = Forge::good();
        *forge.holder("root") = Holder::of(&[key]);
        Served::new(forge.publish())
    };
    let leaf = |cert: Cert, issuer: &str, by: &Key| cert.issued(&root, issuer, by);
    let tls = Cert { usage: Some(SERVER_AUTH), ..Cert::of(GUN) };
    let pinned = || client().pinned(authority("lab.example", &ca_cert));
    // By the authority, and by one below it that comes along.
    assert_whole(&pinned(), &serve(bundle(&root, &[leaf(tls.clone(), "CA", &ca)])));
    assert_whole(&pinned(), &serve(bundle(&root, &[leaf(tls.clone(), "Middle", &middle), middle_cert.clone()])));
    let refused = [
        ("signed by itself", bundle(&root, &[tls.self_signed(&root)])),
        ("by somebody of the same name", bundle(&root, &[leaf(tls.clone(), "CA", &Key::p256("not the CA"))])),
        ("without the one between", bundle(&root, &[leaf(tls.clone(), "Middle", &middle)])),
        (
            "the one between made itself",
            bundle(&root, &[leaf(tls.clone(), "Middle", &middle), Cert::authority("Middle").self_signed(&middle)]),
        ),
        ("for another purpose", bundle(&root, &[leaf(Cert { usage: Some(EMAIL), ..tls.clone() }, "CA", &ca)])),
    ];
    for (what, key) in refused {
        println!("{what}");
        assert_refused(&pinned(), &serve(key), "root", "not-pinned");
    }
    // An authority whose time is over signs for nobody, and neither does a certificate that is none.
    let over = Cert { to: "2026-06-01T00:00:00Z".parse().unwrap(), ..Cert::authority("CA") }.self_signed(&ca);
    let by_ca = serve(bundle(&root, &[leaf(tls.clone(), "CA", &ca)]));
    assert_refused(&client().pinned(authority("lab.example", &over)), &by_ca, "root", "not-pinned");
    let no_authority = Cert { ca: false, ..Cert::authority("CA") }.self_signed(&ca);
    assert_refused(&client().pinned(authority("lab.example", &no_authority)), &by_ca, "root", "not-pinned");
    // The name must fit all the same.
    let elsewhere = serve(bundle(&root, &[Cert { usage: None, ..Cert::of("other") }.issued(&root, "CA", &ca)]));
    assert_refused(&pinned(), &elsewhere, "root", "root-certificate");
}

#[test]
fn an_authority_signs_nothing_that_it_may_not() {
    let (root, ca, middle, lower) = (Key::p256("root"), Key::p256("CA"), Key::p256("middle"), Key::p256("lower"));
    let ca_cert = Cert::authority("CA").self_signed(&ca);
    let try_with = |cert: Cert| {
        let mut forge = Forge::good();
        *forge.holder("root") =
            Holder::of(&[bundle(&root, &[Cert::of(GUN).issued(&root, "Middle", &middle), cert.issued(&middle, "CA", &ca)])]);
        Served::new(forge.publish())
    };
    let plain = || Cert::authority("Middle");
    let pinned = || client().pinned(authority("lab.example", &ca_cert));
    let critical = |oid| Cert { more: Some((oid, true)), ..plain() };
    for good in [
        plain(),
        Cert { path_length: Some(0), ..plain() },
        Cert { key_usage: Some(KeyUsages::KeyCertSign), ..plain() },
        Cert { usage: Some(CODE_SIGNING), ..plain() },
        Cert { more: Some(("1.2.3.4", false)), ..plain() },
    ] {
        assert_whole(&pinned(), &try_with(good));
    }
    for (what, bad) in [
        ("it is for e-mail", Cert { usage: Some(EMAIL), ..plain() }),
        ("it is for servers, and what it signed is for code", Cert { usage: Some(SERVER_AUTH), ..plain() }),
        ("its key signs no certificates", Cert { key_usage: Some(KeyUsages::DigitalSignature), ..plain() }),
        ("it demands something unknown", critical("1.2.3.4")),
        ("it may name only some", critical("2.5.29.30")),
        ("it may name only some, and does not insist", Cert { more: Some(("2.5.29.30", false)), ..plain() }),
    ] {
        println!("{what}");
        assert_refused(&pinned(), &try_with(bad), "root", "not-pinned");
    }
    // One below an authority that may have none below it.
    let below = |length| {
        let chain = [
            Cert::of(GUN).issued(&root, "Lower", &lower),
            Cert::authority("Lower").issued(&lower, "Middle", &middle),
            Cert { path_length: length, ..plain() }.issued(&middle, "CA", &ca),
        ];
        let mut forge = Forge::good();
        *forge.holder("root") = Holder::of(&[bundle(&root, &chain)]);
        Served::new(forge.publish())
    };
    assert_whole(&pinned(), &below(Some(1)));
    assert_refused(&pinned(), &below(Some(0)), "root", "not-pinned");
}

#[test]
fn authorities_that_all_signed_each_other_end_the_search() {
    // Twelve of one name and one key: the ways through them are more than could ever be tried.
    let (root, ca, middle) = (Key::p256("root"), Key::p256("CA"), Key::p256("middle"));
    let ca_cert = Cert::authority("CA").self_signed(&ca);
    let mut chain = vec![Cert::of(GUN).issued(&root, "Middle", &middle)];
    chain.extend((1..=12).map(|serial| Cert { serial, ..Cert::authority("Middle") }.self_signed(&middle)));
    let serve = |chain: &[Vec<u8>]| {
        let mut forge = Forge::good();
        *forge.holder("root") = Holder::of(&[bundle(&root, chain)]);
        Served::new(forge.publish())
    };
    let pinned = client().pinned(authority("lab.example", &ca_cert));
    assert_refused(&pinned, &serve(&chain), "root", "not-pinned");
    // More certificates than that are not even read.
    chain.extend((13..=16).map(|serial| Cert { serial, ..Cert::authority("Middle") }.self_signed(&middle)));
    assert_refused(&client(), &serve(&chain), "root", "root-certificate");
}

#[test]
fn first_use_that_is_switched_off_trusts_nobody_new() {
    let off = Pinning { first_use_off: true, ..Pinning::default() };
    let (before, after) = (Forge::good(), Forge::good().next());
    let served = Served::new(after.publish());
    assert_refused(&client().pinned(off.clone()), &served, "root", "first-use-off");
    // What was seen before and what is pinned stay usable.
    assert_whole(&client().pinned(off.clone()).with_cache(&before.publish()), &served);
    assert_whole(&client().pinned(Pinning { first_use_off: true, ..keys(GUN, &[key_of("root").id()]) }), &served);
    assert_refused(
        &client().pinned(Pinning { first_use_off: true, ..keys("other", &[key_of("root").id()]) }),
        &served,
        "root",
        "first-use-off",
    );
}
