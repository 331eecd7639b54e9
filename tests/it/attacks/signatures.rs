//! Signatures that should not count, or not twice.
use super::{assert_delegation_refused, assert_refused, assert_whole};
use crate::forge::{
    Cert, Client, Files, Forge, GUN, Holder, Key, Served, bundle, json, key_of, message, role, signed_text, with_signatures,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use claviger::tuf::{Refusal, envelope::Signature, key::KeyType, limits, material::Method, x509::Leaf};

fn client() -> Client {
    Client::new(&Forge::good().gun)
}

/// A repository whose `targets` has these keys and threshold, with these signatures under its file.
fn targets_signed(named: &[Key], threshold: u64, make: impl Fn(&[u8]) -> Vec<Signature>) -> Served {
    let mut forge = Forge::good();
    *forge.holder("targets") = Holder { named: named.to_vec(), signing: named.to_vec(), threshold };
    let mut files = forge.publish();
    files.insert(role("targets"), with_signatures(&files[&role("targets")], make));
    forge.vouch(&mut files);
    Served::new(files)
}

#[track_caller]
fn assert_threshold(served: &Served, need: u64, have: u64) {
    let why = assert_refused(&client(), served, "targets", "threshold");
    assert_eq!(why, Refusal::Threshold { role: role("targets"), need, have });
}

#[test]
fn duplicate_key_ids_count_once() {
    let k = key_of("targets");
    let served = targets_signed(&[k.clone(), k.clone()], 2, |m| vec![k.sign(m)]);
    assert_threshold(&served, 2, 1);
}

#[test]
fn duplicate_signature_ids_count_once() {
    let (a, b) = (Key::p256("one"), Key::rsa_2048());
    let served = targets_signed(&[a.clone(), b.clone()], 2, |m| vec![a.sign(m), a.sign(m), a.sign(m)]);
    assert_threshold(&served, 2, 1);
    // Each of these has other bytes, and all are good.
    let served = targets_signed(&[a.clone(), b.clone()], 2, |m| vec![b.sign(m), b.sign(m), b.sign_as(Method::RsaPkcs1v15, m)]);
    assert_threshold(&served, 2, 1);
    assert_whole(&client(), &targets_signed(&[a.clone(), b.clone()], 2, |m| vec![b.sign(m), a.sign(m)]));
}

#[test]
fn one_key_in_two_certificates_counts_once() {
    let bare = Key::p256("owner");
    let first = Cert::of("a").around(&bare);
    let second = Cert { serial: 2, ..Cert::of("a") }.around(&bare);
    assert_ne!(first.id(), second.id());
    for pair in [[first.clone(), second.clone()], [bare.clone(), first.clone()]] {
        let served = targets_signed(&pair, 2, |m| pair.iter().map(|k| k.sign(m)).collect());
        assert_threshold(&served, 2, 1);
    }
    // The root role too.
    let mut forge = Forge::good();
    let [a, b] = [1, 2].map(|serial| Cert { serial, ..Cert::of(GUN) }.around(&bare));
    *forge.holder("root") = Holder { threshold: 2, ..Holder::of(&[a, b]) };
    assert_refused(&client(), &Served::new(forge.publish()), "root", "threshold");
}

#[test]
fn a_bad_signature_does_not_spoil_a_good_one_and_does_not_count() {
    let k = key_of("targets");
    let bad = |m: &[u8]| {
        let mut s = k.sign(m);
        s.bytes[40] ^= 0x80;
        s
    };
    assert_whole(&client(), &targets_signed(k.alone(), 1, |m| vec![bad(m), k.sign(m)]));
    assert_threshold(&targets_signed(k.alone(), 1, |m| vec![bad(m)]), 1, 0);
}

#[test]
fn a_signature_by_another_role_does_not_count() {
    let k = key_of("targets");
    for other in ["root", "snapshot", "timestamp", "targets/a", "targets/c"] {
        let other = key_of(other);
        assert_threshold(&targets_signed(k.alone(), 1, |m| vec![other.sign(m)]), 1, 0);
        // Nor under the name of the right key.
        let renamed = |m: &[u8]| vec![Signature { key_id: k.id().hex(), ..other.sign(m) }];
        assert_threshold(&targets_signed(k.alone(), 1, renamed), 1, 0);
    }
}

#[test]
fn method_confusion_the_key_decides_how_it_verifies() {
    let methods = [
        Method::Ecdsa,
        Method::EdDsa,
        Method::RsaPss,
        Method::RsaPkcs1v15,
        Method::PyCrypto,
        Method::Other("hmac".into()),
        Method::Other("".into()),
        Method::Other("none".into()),
    ];
    for key in [Key::p256("k"), Key::ed25519("k"), Key::rsa_2048()] {
        let right = key.method();
        for method in methods.iter().filter(|m| **m != right) {
            let lie = |m: &[u8]| vec![Signature { method: method.clone(), ..key.sign(m) }];
            assert_threshold(&targets_signed(key.alone(), 1, lie), 1, 0);
        }
        assert_whole(&client(), &targets_signed(key.alone(), 1, |m| vec![key.sign(m)]));
    }
}

#[test]
fn key_type_confusion_a_key_is_what_its_bytes_are() {
    let (ec, ed, rsa) = (Key::p256("k"), Key::ed25519("k"), Key::rsa_2048());
    let (ec_cert, rsa_cert) = (Cert::of("x").around(&ec), Cert::of("x").around(&rsa));
    let types = [
        KeyType::Ecdsa,
        KeyType::Rsa,
        KeyType::Ed25519,
        KeyType::EcdsaX509,
        KeyType::RsaX509,
        KeyType::Other("ecdsa-sha2-nistp256".into()),
        KeyType::Other("ECDSA".into()),
    ];
    for key in [ec, ed, rsa, ec_cert, rsa_cert] {
        for t in types.iter().filter(|t| *t != key.public.key_type()) {
            let lie = key.known_as(t.clone(), key.public.public_bytes().to_vec());
            assert_threshold(&targets_signed(lie.alone(), 1, |m| vec![lie.sign(m)]), 1, 0);
        }
    }
}

#[test]
fn an_ecdsa_signature_has_one_form_only() {
    let key = Key::p256("k");
    let raw = |m: &[u8]| key.sign(m).bytes;
    type Form<'a> = (&'static str, &'a dyn Fn(&[u8]) -> Vec<u8>);
    let forms: [Form; 6] = [
        ("in DER", &|m| p256::ecdsa::Signature::from_slice(&raw(m)).unwrap().to_der().as_bytes().to_vec()),
        ("with a byte more", &|m| [raw(m), vec![0]].concat()),
        ("with a byte less", &|m| raw(m)[..63].to_vec()),
        ("of zeros", &|_| vec![0; 64]),
        ("empty", &|_| vec![]),
        ("padded", &|m| [&[0], &raw(m)[..32], &[0], &raw(m)[32..]].concat()),
    ];
    for (name, form) in forms {
        let served = targets_signed(key.alone(), 1, |m| vec![Signature { bytes: form(m), ..key.sign(m) }]);
        println!("{name}");
        assert_threshold(&served, 1, 0);
    }
}

#[test]
fn an_ed25519_key_of_small_order_signs_nothing() {
    // The neutral element as key and as R with s = 0 satisfies the equation for every message.
    let mut point = vec![0u8; 32];
    point[0] = 1;
    let weak = Key::ed25519("k").known_as(KeyType::Ed25519, point.clone());
    let universal = |_: &[u8]| {
        let bytes = [point.as_slice(), &[0; 32]].concat();
        vec![Signature { key_id: weak.id().hex(), method: Method::EdDsa, bytes }]
    };
    assert_threshold(&targets_signed(weak.alone(), 1, universal), 1, 0);
}

#[test]
fn rsa_below_2048_bits_never_counts() {
    let weak = Key::rsa_1024();
    for method in [Method::RsaPss, Method::RsaPkcs1v15] {
        let served = targets_signed(weak.alone(), 1, |m| vec![weak.sign_as(method.clone(), m)]);
        assert_threshold(&served, 1, 0);
    }
    let in_certificate = Cert::of("x").around(&weak);
    assert_threshold(&targets_signed(in_certificate.alone(), 1, |m| vec![in_certificate.sign(m)]), 1, 0);
}

#[test]
fn a_delegation_certificate_that_notary_refuses_does_not_count() {
    let sha1 = Cert { sha1: true, ..Cert::of("x") }.around(&Key::rsa_2048());
    let mut inverted = Cert::of("x");
    std::mem::swap(&mut inverted.from, &mut inverted.to);
    let inverted = inverted.around(&Key::p256("k"));
    let weak = Cert::of("x").around(&Key::rsa_1024());
    for key in [sha1, inverted, weak] {
        let mut forge = Forge::good();
        *forge.holder("targets/a") = Holder::of(&[key]);
        assert_delegation_refused(&client(), &Served::new(forge.publish()), "targets/a", "threshold");
    }
    // Neither its end, nor its name, nor being an authority counts against it.
    let fine = Cert { to: "2026-02-01T00:00:00Z".parse().unwrap(), ca: true, ..Cert::of("anybody") }.around(&Key::rsa_2048());
    let mut forge = Forge::good();
    *forge.holder("targets/a") = Holder::of(&[fine]);
    assert_whole(&client(), &Served::new(forge.publish()));
}

#[test]
fn what_was_added_after_signing_is_not_signed() {
    let forge = Forge::good();
    for (name, target) in [("targets", "targets"), ("targets/a", "targets"), ("snapshot", "meta"), ("timestamp", "meta")] {
        let mut files = forge.publish();
        let signatures = with_signatures(&files[&role(name)], |m| forge.signers(&role(name)).iter().map(|k| k.sign(m)).collect());
        let text = String::from_utf8(signatures).unwrap();
        let grown =
            text.replacen(&format!("\"{target}\":{{"), &format!("\"{target}\":{{\"added\":{{\"hashes\":{{}},\"length\":1}},"), 1);
        assert_ne!(text, grown);
        files.insert(role(name), grown.into_bytes());
        match name {
            "snapshot" => forge.vouch_for_snapshot(&mut files),
            "timestamp" => {}
            _ => forge.vouch(&mut files),
        }
        match name {
            "targets/a" => drop(assert_delegation_refused(&client(), &Served::new(files), name, "threshold")),
            _ => drop(assert_refused(&client(), &Served::new(files), name, "threshold")),
        }
    }
}

/// Publishes the good repository with another text for what `targets` signs, signed by its owner.
fn targets_text(change: impl FnOnce(String) -> String) -> (Forge, Files) {
    let (forge, mut files) = Forge::good_files();
    forge.edit(&mut files, "targets", change);
    forge.vouch(&mut files);
    (forge, files)
}

#[test]
fn a_key_under_another_id_is_refused() {
    let (a, c) = (key_of("targets/a").id().hex(), key_of("targets/c").id().hex());
    let (_, files) = targets_text(|t| {
        json(&t, |v| {
            let keys = v["delegations"]["keys"].as_object_mut().unwrap();
            let stolen = keys[&c].clone();
            keys.insert(a, stolen);
        })
    });
    assert_refused(&client(), &Served::new(files), "targets", "malformed");
}

#[test]
fn private_material_in_a_public_key_is_refused() {
    for private in [serde_json::json!(""), serde_json::json!("c2VjcmV0"), serde_json::json!({})] {
        let id = key_of("targets/a").id().hex();
        let (_, files) = targets_text(|t| json(&t, |v| v["delegations"]["keys"][&id]["keyval"]["private"] = private));
        assert_refused(&client(), &Served::new(files), "targets", "malformed");
    }
}

#[test]
fn a_threshold_below_one_or_that_is_no_number_is_refused() {
    for threshold in
        [serde_json::json!(0), serde_json::json!(-1), serde_json::json!(1.0), serde_json::json!("1"), serde_json::json!(null)]
    {
        let (_, files) = targets_text(|t| json(&t, |v| v["delegations"]["roles"][0]["threshold"] = threshold));
        assert_refused(&client(), &Served::new(files), "targets", "malformed");
    }
}

#[test]
fn a_threshold_above_the_number_of_keys_is_never_reached() {
    let k = key_of("targets");
    assert_threshold(&targets_signed(k.alone(), 2, |m| vec![k.sign(m)]), 2, 1);
    assert_threshold(&targets_signed(k.alone(), 1 << 40, |m| vec![k.sign(m)]), 1 << 40, 1);
}

#[test]
fn a_role_that_names_a_key_which_is_not_there_is_refused() {
    let (_, files) =
        targets_text(|t| json(&t, |v| v["delegations"]["roles"][0]["keyids"] = serde_json::json!(["00".repeat(32)])));
    assert_refused(&client(), &Served::new(files), "targets", "malformed");
}

#[test]
fn a_role_without_keys_signs_nothing() {
    for keyids in [serde_json::json!([]), serde_json::json!(null)] {
        let (_, files) = targets_text(|t| json(&t, |v| v["delegations"]["roles"][0]["keyids"] = keyids));
        assert_delegation_refused(&client(), &Served::new(files), "targets/a", "threshold");
    }
}

#[test]
fn bad_signatures_of_one_key_without_end_are_not_all_looked_at() {
    // Each of them costs as much as a good one. Whoever wants his signature to count puts it before the fifth bad one.
    let k = key_of("targets");
    let bad = |m: &[u8], i: usize| {
        let mut s = k.sign(m);
        s.bytes[i % 64] ^= 0x80;
        s
    };
    let after = |n: usize| targets_signed(k.alone(), 1, |m| (0..n).map(|i| bad(m, i)).chain([k.sign(m)]).collect());
    assert_whole(&client(), &after(limits::BAD_SIGNATURES - 1));
    assert_threshold(&after(limits::BAD_SIGNATURES), 1, 0);
}

#[test]
fn absurd_numbers_of_signatures_are_refused() {
    let k = key_of("targets");
    let many = |n: usize| targets_signed(k.alone(), 1, |m| (1..n).map(junk).chain([k.sign(m)]).collect());
    fn junk(i: usize) -> Signature {
        Signature { key_id: format!("{i:064x}"), method: Method::Ecdsa, bytes: vec![1; 64] }
    }
    assert_whole(&client(), &many(limits::SIGNATURES));
    assert_refused(&client(), &many(limits::SIGNATURES + 1), "targets", "malformed");
}

#[test]
fn signature_bytes_that_are_no_base64_are_refused() {
    for sig in ["!!!!", "AAA", "AA AA", "QUJD\n"] {
        let forge = Forge::good();
        let mut files = forge.publish();
        let text = signed_text(&files[&role("targets")]);
        let id = key_of("targets").id().hex();
        let list = serde_json::json!([{"keyid": id, "method": "ecdsa", "sig": sig}]);
        files.insert(role("targets"), format!("{{\"signed\":{text},\"signatures\":{list}}}").into_bytes());
        forge.vouch(&mut files);
        assert_refused(&client(), &Served::new(files), "targets", "malformed");
    }
}

#[test]
fn the_signature_covers_the_meaning_not_the_layout() {
    // Members in another order, white space, other escapes: the same message, as every Notary verifier sees it.
    let (forge, mut files) = Forge::good_files();
    let text = signed_text(&files[&role("targets")]);
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let pretty = serde_json::to_string_pretty(&value).unwrap().replace("targets", "t\\u0061rgets");
    assert_eq!(message(&pretty), text.as_bytes());
    let signature = key_of("targets").sign(text.as_bytes());
    files.insert(role("targets"), crate::forge::envelope(&pretty, std::slice::from_ref(&signature)));
    forge.vouch(&mut files);
    assert_whole(&client(), &Served::new(files.clone()));
    value["version"] = 6.into();
    files.insert(role("targets"), crate::forge::envelope(&value.to_string(), &[signature]));
    forge.vouch(&mut files);
    assert_refused(&client(), &Served::new(files), "targets", "threshold");
}

#[test]
fn a_certificate_is_known_by_its_first_block() {
    // A second certificate behind the first adds no second key.
    let (a, b) = (Key::p256("a"), Key::p256("b"));
    let certs = [Cert::of("x").self_signed(&a), Cert::of("x").self_signed(&b)];
    let both = bundle(&a, &certs);
    let by_second = b.known_as(KeyType::EcdsaX509, both.public.public_bytes().to_vec());
    assert_eq!(Leaf::from_der(&certs[1]).unwrap().key_type(), Some(KeyType::EcdsaX509));
    assert_threshold(&targets_signed(both.alone(), 1, |m| vec![by_second.sign(m)]), 1, 0);
    assert_whole(&client(), &targets_signed(both.alone(), 1, |m| vec![both.sign(m)]));
    assert!(!STANDARD.encode(both.public.public_bytes()).is_empty());
}
