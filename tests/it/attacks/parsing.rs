//! Files that two readers could read differently, and files that cost more than they may.
use super::{assert_refused, assert_whole};
use crate::forge::{Cert, Client, Files, Forge, GUN, Holder, Key, Served, json, key_of, replace, role, seal, signed_text};
use claviger::tuf::limits;

fn client() -> Client {
    Client::new(&Forge::good_files().0.gun)
}

/// The good repository with another text for what a base role signs, signed by that role, and vouched for.
fn signed_as(name: &str, change: impl FnOnce(String) -> String) -> Files {
    let (forge, mut files) = Forge::good_files();
    forge.edit(&mut files, name, change);
    match name {
        "timestamp" => {}
        "snapshot" => forge.vouch_for_snapshot(&mut files),
        _ => forge.vouch(&mut files),
    }
    files
}

#[track_caller]
fn assert_malformed(name: &str, change: impl FnOnce(String) -> String) {
    assert_refused(&client(), &Served::new(signed_as(name, change)), name, "malformed");
}

#[track_caller]
fn assert_fine(name: &str, change: impl FnOnce(String) -> String) {
    assert_whole(&client(), &Served::new(signed_as(name, change)));
}

/// Replaces a whole file, envelope and all.
#[track_caller]
fn assert_malformed_file(name: &str, change: impl FnOnce(String) -> Vec<u8>) {
    let (forge, mut files) = Forge::good_files();
    let bytes = change(String::from_utf8(files[&role(name)].clone()).unwrap());
    files.insert(role(name), bytes);
    match name {
        "timestamp" => {}
        "snapshot" => forge.vouch_for_snapshot(&mut files),
        _ => forge.vouch(&mut files),
    }
    assert_refused(&client(), &Served::new(files), name, "malformed");
}

const BASE: [&str; 4] = ["root", "targets", "snapshot", "timestamp"];

#[test]
fn a_member_that_stands_twice_is_refused() {
    for name in BASE {
        assert_malformed(name, |t| replace(&t, "\"version\":5", "\"version\":5,\"version\":6"));
        assert_malformed(name, |t| replace(&t, "\"version\":5", "\"version\":5,\"\\u0076ersion\":6"));
        assert_malformed(name, |t| replace(&t, "{\"_type\"", "{\"_type\":\"Root\",\"_type\""));
        // Outside of what is signed.
        assert_malformed_file(name, |t| replace(&t, "{\"signed\"", "{\"signed\":{},\"signed\"").into_bytes());
        assert_malformed_file(name, |t| replace(&t, "\"signatures\":[", "\"signatures\":[],\"signatures\":[").into_bytes());
        assert_malformed_file(name, |t| replace(&t, "\"method\":", "\"method\":\"eddsa\",\"method\":").into_bytes());
    }
    assert_malformed("targets", |t| {
        replace(&t, "\"tag-of-targets\":", "\"tag-of-targets\":{\"hashes\":{},\"length\":1},\"tag-of-targets\":")
    });
    assert_malformed("snapshot", |t| replace(&t, "\"targets\":{", "\"targets\":{\"hashes\":{},\"length\":1},\"targets\":{"));
    assert_malformed("root", |t| replace(&t, "\"roles\":{", "\"roles\":{\"root\":{\"keyids\":[],\"threshold\":1},"));
}

#[test]
fn a_member_that_differs_by_case_is_refused() {
    // Go takes each of these for the member that it resembles, and the last of them wins.
    for name in BASE {
        for twin in ["Version", "VERSION", "ver\u{17f}ion", "ver\\u017fion"] {
            assert_malformed(name, |t| replace(&t, "\"version\":5", &format!("\"version\":5,\"{twin}\":6")));
            assert_malformed(name, |t| replace(&t, "\"version\":5", &format!("\"{twin}\":5")));
        }
        for twin in ["Signed", "\u{17f}igned", "\u{17f}igne\u{44}"] {
            assert_malformed_file(name, |t| replace(&t, "{\"signed\"", &format!("{{\"{twin}\":{{}},\"signed\"")).into_bytes());
        }
        assert_malformed_file(name, |t| replace(&t, "\"keyid\":", "\"\u{212a}eyid\":\"00\",\"keyid\":").into_bytes());
    }
    assert_malformed("root", |t| replace(&t, "\"keys\":", "\"\u{212a}eys\":{},\"keys\":"));
    assert_malformed("root", |t| replace(&t, "\"threshold\":1", "\"threshold\":1,\"thre\u{17f}hold\":2"));
    assert_malformed("root", |t| replace(&t, "\"keytype\":", "\"KeyType\":\"rsa\",\"keytype\":"));
    assert_malformed("targets", |t| replace(&t, "\"name\":", "\"Name\":\"targets/z\",\"name\":"));
    assert_malformed("targets", |t| replace(&t, "\"paths\":", "\"path\u{17f}\":[\"\"],\"paths\":"));
    assert_malformed("snapshot", |t| replace(&t, "\"length\":", "\"Length\":1,\"length\":"));
    // Names that are data are themselves: a tag may be called anything.
    assert_fine("targets", |t| {
        replace(&t, "\"tag-of-targets\":", "\"VERSION\":{\"hashes\":{},\"length\":1},\"tag-of-targets\":")
    });
}

#[test]
fn unknown_members_are_signed_and_ignored() {
    for name in BASE {
        assert_fine(name, |t| replace(&t, "\"version\":5", "\"version\":5,\"x\":{\"y\":[1,null,true,\"z\"]}"));
    }
}

#[test]
fn an_unsigned_member_beside_the_signed_ones_changes_nothing() {
    let forge = Forge::good();
    let mut files = forge.publish();
    for name in ["root", "targets", "targets/a"] {
        let text = String::from_utf8(files[&role(name)].clone()).unwrap();
        files.insert(role(name), replace(&text, "{\"signed\"", "{\"extra\":1,\"signed\"").into_bytes());
    }
    forge.vouch(&mut files);
    assert_whole(&client(), &Served::new(files));
}

#[test]
fn deep_nesting_is_refused() {
    let nested = |n: usize| format!("\"version\":5,\"x\":{}1{}", "[".repeat(n), "]".repeat(n));
    for name in BASE {
        // The value stands in two objects already.
        assert_fine(name, |t| replace(&t, "\"version\":5", &nested(limits::JSON_DEPTH - 2)));
        assert_malformed(name, |t| replace(&t, "\"version\":5", &nested(limits::JSON_DEPTH - 1)));
        assert_malformed(name, |t| replace(&t, "\"version\":5", &nested(200_000)));
    }
}

#[test]
fn a_version_is_a_plain_positive_integer_below_the_limit() {
    let bad = [
        "0",
        "-1",
        "-0",
        "1.0",
        "1e0",
        "5E0",
        "1.5",
        "NaN",
        "Infinity",
        "-Infinity",
        "null",
        "true",
        "\"5\"",
        "[5]",
        "{}",
        "05",
        "+5",
        "0x5",
        "5_0",
        "1e400",
        "2147483647",
        "2147483648",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551621",
        "340282366920938463463374607431768211461",
        "",
    ];
    for name in BASE {
        for v in bad {
            assert_malformed(name, |t| replace(&t, "\"version\":5", &format!("\"version\":{v}")));
        }
    }
    for v in ["1", "5", "2147483646"] {
        assert_fine("timestamp", |t| replace(&t, "\"version\":5", &format!("\"version\":{v}")));
    }
}

#[test]
fn lengths_and_numbers_that_canonical_json_cannot_carry_are_refused() {
    for v in ["1.5", "1e300", "9223372036854775807", "9223372036854775808", "-9223372036854775808", "1e19"] {
        assert_malformed("targets", |t| replace(&t, "\"version\":5", &format!("\"version\":5,\"x\":{v}")));
    }
    for v in ["-1", "1.0", "\"1\"", "null", "1e3"] {
        assert_malformed("timestamp", |t| {
            let length = Forge::good().publish()[&role("snapshot")].len();
            replace(&t, &format!("\"length\":{length}"), &format!("\"length\":{v}"))
        });
    }
    for v in ["1.0", "1e0", "\"1\""] {
        assert_malformed("targets", |t| replace(&t, "\"length\":528", &format!("\"length\":{v}")));
    }
}

#[test]
fn a_time_has_one_form_only() {
    let with = |time: &str| {
        let time = time.to_owned();
        move |t: String| json(&t, |v| v["expires"] = time.into())
    };
    let bad = [
        "",
        "never",
        "2028",
        "2028-01-01",
        "2028-01-01T00:00:00",
        "2028-01-01 00:00:00Z",
        "2028-01-01t00:00:00Z",
        "2028-01-01T00:00:00z",
        "2028-01-01T00:00Z",
        "2028-01-01T00Z",
        "2028-01-01T00:00:00,5Z",
        "2028-01-01T00:00:00.Z",
        "2028-01-01T00:00:00.1234567890Z",
        "2028-01-01T00:00:00+0200",
        "2028-01-01T00:00:00+02",
        "2028-01-01T00:00:00+02:00:00",
        "2028-01-01T00:00:00+26:00",
        "2028-01-01T00:00:00Z[UTC]",
        "2028-01-01T00:00:00+01:00[Europe/Berlin]",
        "2028-01-01T00:00:00Z[u-ca=hebrew]",
        "20280101T000000Z",
        "+002028-01-01T00:00:00Z",
        "-002028-01-01T00:00:00Z",
        "2028-W01-1T00:00:00Z",
        "2028-02-30T00:00:00Z",
        "2028-13-01T00:00:00Z",
        "2028-01-01T24:00:00Z",
        "2028-01-01T00:60:00Z",
        "2028-12-31T23:59:60Z",
        " 2028-01-01T00:00:00Z",
        "2028-01-01T00:00:00Z ",
        "2028-01-01T00:00:00Z\0",
        "1830297600",
        "12028-01-01T00:00:00Z",
        "２028-01-01T00:00:00Z",
    ];
    for name in BASE {
        for time in bad {
            assert_malformed(name, with(time));
        }
        assert_malformed(name, |t| json(&t, |v| v["expires"] = 1_830_297_600.into()));
    }
    for time in [
        "2028-01-01T00:00:00Z",
        "2028-01-01T00:00:00.100Z",
        "2028-01-01T00:00:00.123456789+02:00",
        "2028-01-01T00:00:00-11:30",
        "9999-12-30T00:00:00Z",
    ] {
        assert_fine("timestamp", with(time));
    }
}

#[test]
fn what_is_no_single_json_value_is_refused() {
    let after = |tail: &'static [u8]| move |t: String| [t.as_bytes(), tail].concat();
    let before = |head: &'static [u8]| move |t: String| [head, t.as_bytes()].concat();
    for name in BASE {
        assert_malformed_file(name, after(b"{}"));
        assert_malformed_file(name, after(b"\0"));
        assert_malformed_file(name, after(b"// end"));
        assert_malformed_file(name, before(b"\xef\xbb\xbf"));
        assert_malformed_file(name, before(b")]}',\n"));
        for whole in [
            &b""[..],
            b"null",
            b"[]",
            b"{}",
            b"\"\"",
            b"{\"signed\":null,\"signatures\":[]}",
            b"\xff\xfe",
            b"{\"signed\":{},\"signatures\":{}}",
        ] {
            assert_malformed_file(name, |_| whole.to_vec());
        }
        // Text that is no UTF-8, and half of a surrogate pair.
        assert_malformed_file(name, |t| [replace(&t, "{\"signed\"", "{\"x\":\"").as_bytes(), b"\xc3\x28\"}"].concat());
        assert_malformed(name, |t| replace(&t, "\"version\":5", "\"version\":5,\"x\":\"\\ud800\""));
    }
}

#[test]
fn a_member_of_another_type_is_refused() {
    for (name, member) in [
        ("root", "keys"),
        ("root", "roles"),
        ("root", "expires"),
        ("targets", "targets"),
        ("targets", "delegations"),
        ("snapshot", "meta"),
        ("timestamp", "meta"),
    ] {
        for wrong in [serde_json::json!(1), serde_json::json!("x"), serde_json::json!([1]), serde_json::json!(true)] {
            assert_malformed(name, |t| json(&t, |v| v[member] = wrong));
        }
    }
    for (name, member) in [("root", "keys"), ("root", "roles"), ("snapshot", "meta"), ("timestamp", "meta")] {
        assert_malformed(name, |t| json(&t, |v| drop(v.as_object_mut().unwrap().remove(member))));
        assert_malformed(name, |t| json(&t, |v| v[member] = serde_json::json!({})));
    }
    for missing in BASE {
        assert_malformed("root", |t| json(&t, |v| drop(v["roles"].as_object_mut().unwrap().remove(missing))));
    }
    assert_malformed("snapshot", |t| json(&t, |v| drop(v["meta"].as_object_mut().unwrap().remove("targets"))));
}

#[test]
fn a_file_that_is_vouched_for_without_a_sound_hash_is_refused() {
    for (file, entry) in [("timestamp", "snapshot"), ("snapshot", "targets"), ("snapshot", "targets/a")] {
        for hashes in [
            serde_json::json!({}),
            serde_json::json!(null),
            serde_json::json!({"sha256": ""}),
            serde_json::json!({"sha256": "AAAA"}),
            serde_json::json!({"md5": "AAAAAAAAAAAAAAAAAAAAAA=="}),
            serde_json::json!({"sha256": null}),
        ] {
            assert_malformed(file, |t| json(&t, |v| v["meta"][entry]["hashes"] = hashes));
        }
    }
}

#[test]
fn one_good_hash_does_not_excuse_a_bad_one() {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let zeros = STANDARD.encode([0u8; 64]);
    let files = signed_as("timestamp", |t| json(&t, |v| v["meta"]["snapshot"]["hashes"]["sha512"] = zeros.into()));
    assert_refused(&client(), &Served::new(files), "snapshot", "checksum");
}

#[test]
fn absurd_numbers_of_keys_are_refused() {
    let with = |n: usize| {
        signed_as("root", |t| {
            json(&t, |v| {
                let have = v["keys"].as_object().unwrap().len();
                for i in 0..n - have {
                    let public = vec![(i % 251) as u8, (i / 251) as u8];
                    let key = claviger::tuf::key::PublicKey::new(claviger::tuf::key::KeyType::Ed25519, public.clone());
                    use base64::{Engine as _, engine::general_purpose::STANDARD};
                    let entry =
                        serde_json::json!({"keytype": "ed25519", "keyval": {"private": null, "public": STANDARD.encode(public)}});
                    v["keys"][key.id().hex()] = entry;
                }
            })
        })
    };
    assert_whole(&client(), &Served::new(with(limits::KEYS)));
    assert_refused(&client(), &Served::new(with(limits::KEYS + 1)), "root", "malformed");
    let ids = |n: usize| {
        signed_as("root", |t| json(&t, |v| v["roles"]["targets"]["keyids"] = vec![key_of("targets").id().hex(); n].into()))
    };
    assert_whole(&client(), &Served::new(ids(limits::KEYS)));
    assert_refused(&client(), &Served::new(ids(limits::KEYS + 1)), "root", "malformed");
}

#[test]
fn a_key_that_is_named_again_and_again_is_one_key() {
    // Eight hundred tolerated roles that name one large key a hundred times each: none of it may be multiplied.
    let large = vec![7u8; limits::KEY];
    let of = |size: usize, roles: usize| {
        signed_as("root", |t| {
            json(&t, |v| {
                use base64::{Engine as _, engine::general_purpose::STANDARD};
                let public = &large[..size.min(large.len())];
                let extra = vec![0u8; size.saturating_sub(large.len())];
                let public = [public, &extra].concat();
                let key = claviger::tuf::key::PublicKey::new(claviger::tuf::key::KeyType::Ed25519, public.clone());
                v["keys"][key.id().hex()] =
                    serde_json::json!({"keytype": "ed25519", "keyval": {"private": null, "public": STANDARD.encode(public)}});
                for i in 0..roles {
                    v["roles"][format!("other{i}")] = serde_json::json!({"keyids": vec![key.id().hex(); 100], "threshold": 1});
                }
            })
        })
    };
    let few = limits::KEY_REFERENCES / 100 - 1;
    let collection = assert_whole(&client(), &Served::new(of(limits::KEY, few)));
    assert_eq!(collection.root().keys_of(claviger::tuf::name::BaseRole::Root).unwrap().keys.len(), 1);
    assert_refused(&client(), &Served::new(of(limits::KEY, few + 2)), "root", "malformed");
    assert_refused(&client(), &Served::new(of(limits::KEY + 1, 1)), "root", "malformed");
}

#[test]
fn absurd_numbers_of_root_keys_are_refused() {
    let with = |n: usize| {
        let mut forge = Forge::good();
        let more = (1..n).map(|i| Cert { serial: i as u32 + 1, ..Cert::of(GUN) }.around(&Key::p256("root")));
        let keys: Vec<Key> = std::iter::once(key_of("root")).chain(more).collect();
        *forge.holder("root") = Holder { signing: key_of("root").alone().to_vec(), ..Holder::of(&keys) };
        Served::new(forge.publish())
    };
    assert_whole(&client(), &with(limits::ROOT_KEYS));
    assert_refused(&client(), &with(limits::ROOT_KEYS + 1), "root", "malformed");
}

#[test]
fn absurd_numbers_of_roles_are_refused() {
    let with = |n: usize| {
        signed_as("snapshot", |t| {
            json(&t, |v| {
                let have = v["meta"].as_object().unwrap().len();
                let entry = v["meta"]["targets"].clone();
                for i in 0..n - have {
                    v["meta"][format!("targets/r{i}")] = entry.clone();
                }
            })
        })
    };
    assert_whole(&client(), &Served::new(with(limits::ROLES)));
    assert_refused(&client(), &Served::new(with(limits::ROLES + 1)), "snapshot", "malformed");
}

#[test]
fn the_type_of_another_role_is_refused() {
    let forge = Forge::good();
    for (name, other) in [
        ("targets", "Root"),
        ("snapshot", "Timestamp"),
        ("timestamp", "Snapshot"),
        ("root", "Targets"),
        ("targets", "targets"),
        ("root", ""),
    ] {
        assert_malformed(name, |t| json(&t, |v| v["_type"] = other.into()));
    }
    // A file that another role signed as its own, under the first one's key.
    let mut files = forge.publish();
    let snapshot = signed_text(&files[&role("snapshot")]);
    files.insert(role("targets"), seal(snapshot.as_bytes(), &forge.signers(&role("targets"))));
    forge.vouch(&mut files);
    assert_refused(&client(), &Served::new(files), "targets", "malformed");
}
