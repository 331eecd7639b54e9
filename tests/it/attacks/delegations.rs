//! Names that climb, strangers among the delegations, and trees that grow without end.
use super::{assert_delegation_refused, assert_refused, assert_whole, update};
use crate::forge::{Cert, Client, Files, Forge, Holder, Key, Served, json, key_of, role};
use claviger::tuf::{
    collection::RoleState,
    limits,
    name::{Gun, KeyId, RoleName},
};

fn client() -> Client {
    Client::new(&Forge::good().gun)
}

/// The good repository in which `holder` says something else, signs it, and is vouched for.
fn with(holder: &str, change: impl FnOnce(&mut serde_json::Value)) -> Files {
    let (forge, mut files) = Forge::good_files();
    forge.edit(&mut files, holder, |t| json(&t, change));
    if holder == "snapshot" {
        forge.vouch_for_snapshot(&mut files)
    } else {
        forge.vouch(&mut files)
    }
    files
}

const CLIMBING: [&str; 14] = [
    "targets/../root",
    "targets/..",
    "../targets",
    "targets/a/../../../x",
    "/targets/a",
    "targets//a",
    "targets/./a",
    "targets/a/",
    "targets/",
    "targets/A",
    "targets/a\u{0}",
    "targets/a b",
    "targets\\a",
    "targets/%2e%2e/root",
];

#[test]
fn a_gun_that_climbs_cannot_be_made() {
    for name in [
        "../../../../tmp/reverse",
        "a/../../b",
        "..",
        "/etc/passwd",
        "a//b",
        "a/./b",
        "a\\..\\b",
        "a/%2e%2e/b",
        "a\0b",
        "a/_trust/tuf",
        "x/metadata",
    ] {
        assert!(Gun::new(name).is_err(), "{name}");
    }
}

#[test]
fn a_role_name_that_climbs_is_refused() {
    for name in CLIMBING {
        assert!(RoleName::new(name).is_err(), "{name}");
        let served = Served::new(with("targets", |v| v["delegations"]["roles"][0]["name"] = name.into()));
        assert_refused(&client(), &served, "targets", "malformed");
        let below = Served::new(with("targets/a", |v| v["delegations"]["roles"][0]["name"] = name.into()));
        assert_delegation_refused(&client(), &below, "targets/a", "malformed");
    }
}

#[test]
fn a_name_that_climbs_in_a_snapshot_is_never_asked_for() {
    let served = Served::new(with("snapshot", |v| {
        let entry = v["meta"]["targets/a"].clone();
        for name in CLIMBING {
            v["meta"][name] = entry.clone();
        }
    }));
    let mut asked = served.clone();
    let collection = client().update(&mut asked).unwrap().collection;
    assert_eq!(collection.roles().len(), 4);
    assert!(asked.asked.iter().all(|f| !f.contains("..") && !f.contains('%') && !f.starts_with('/')), "{:?}", asked.asked);
    assert_eq!(collection.snapshot().roles().count(), 5);
}

#[test]
fn a_key_id_that_climbs_cannot_be_made() {
    for id in ["../../root", "", "..", &"A".repeat(64), &"g".repeat(64), &"0".repeat(63), &"0".repeat(65)] {
        assert!(KeyId::new(id).is_err(), "{id}");
        let served = Served::new(with("targets", |v| v["delegations"]["roles"][0]["keyids"] = vec![id].into()));
        assert_refused(&client(), &served, "targets", "malformed");
    }
}

#[test]
fn a_delegation_to_a_stranger_is_refused() {
    // `targets` may name its own children only, not grandchildren and not base roles.
    for name in ["targets/a/b", "root", "snapshot", "timestamp", "targets"] {
        let served = Served::new(with("targets", |v| v["delegations"]["roles"][0]["name"] = name.into()));
        assert_refused(&client(), &served, "targets", "malformed");
    }
    // `targets/a` may not name itself, its parent, its sibling, or a child of its sibling: no loop can be made.
    for name in ["targets/a", "targets", "targets/c", "targets/c/d", "targets/a/b/c", "targets/ab"] {
        let served = Served::new(with("targets/a", |v| v["delegations"]["roles"][0]["name"] = name.into()));
        assert_delegation_refused(&client(), &served, "targets/a", "malformed");
    }
}

#[test]
fn a_role_that_is_delegated_to_twice_is_refused() {
    let served = Served::new(with("targets", |v| {
        let mut second = v["delegations"]["roles"][0].clone();
        second["keyids"] = v["delegations"]["roles"][1]["keyids"].clone();
        v["delegations"]["roles"].as_array_mut().unwrap().push(second);
    }));
    assert_refused(&client(), &served, "targets", "malformed");
}

fn signed_by(forge: &Forge) -> Vec<(String, String)> {
    let collection = assert_whole(&Client::new(&forge.gun), &Served::new(forge.publish()));
    collection.signed().map(|(r, tag, _)| (r.name.to_string(), tag.to_owned())).collect()
}

#[test]
fn a_delegation_signs_nothing_outside_of_its_paths() {
    let mut forge = Forge::good();
    forge.paths.insert(role("targets/a"), vec!["team/".into()]);
    forge.tags.insert(
        role("targets/a"),
        vec!["team/x".into(), "team".into(), "latest".into(), "../team/x".into(), "Team/x".into(), "".into()],
    );
    let of_a: Vec<_> = signed_by(&forge).into_iter().filter(|(r, _)| r == "targets/a").map(|(_, t)| t).collect();
    assert_eq!(of_a, ["team/x"]);
}

#[test]
fn a_delegation_cannot_hand_on_more_than_it_has() {
    let mut forge = Forge::good();
    forge.paths.insert(role("targets/a"), vec!["team/".into()]);
    forge.tags.insert(role("targets/a/b"), vec!["team/x".into(), "team/y".into(), "latest".into(), "other".into()]);
    for (paths, seen) in [
        (vec!["", "t", "other"], vec![]),
        (vec!["team/x", ""], vec!["team/x"]),
        (vec!["team/"], vec!["team/x", "team/y"]),
        (vec![], vec![]),
    ] {
        forge.paths.insert(role("targets/a/b"), paths.iter().map(|p| p.to_string()).collect());
        let of_b: Vec<_> = signed_by(&forge).into_iter().filter(|(r, _)| r == "targets/a/b").map(|(_, t)| t).collect();
        assert_eq!(of_b, seen, "{paths:?}");
    }
}

#[test]
fn a_remembered_delegation_is_verified_by_its_present_delegator() {
    // The owner took the key of `targets/a` away; its old file still lies in the cache and in the snapshot.
    let forge = Forge::good();
    let old = forge.publish();
    let mut after = Forge::good();
    after.versions.insert(role("targets"), 6);
    after.holder("targets/a").named = vec![Key::p256("the successor of a")];
    let mut files = after.publish();
    files.insert(role("targets/a"), old[&role("targets/a")].clone());
    after.versions.extend([(role("snapshot"), 6), (role("timestamp"), 6)]);
    after.vouch(&mut files);
    for client in [client(), client().with_cache(&old)] {
        assert_delegation_refused(&client, &Served::new(files.clone()), "targets/a", "threshold");
    }
}

#[test]
fn an_unpublished_delegation_shows_nothing() {
    let mut forge = Forge::good();
    forge.add_role("targets/new");
    let mut files = forge.publish();
    files.remove(&role("targets/new"));
    forge.vouch(&mut files);
    let collection = assert_whole(&client(), &Served::new(files));
    assert!(matches!(collection.role(&role("targets/new")).unwrap().state, RoleState::Unpublished));
    assert!(collection.signed().all(|(r, _, _)| r.name.as_str() != "targets/new"));
}

#[test]
fn a_refused_delegation_leaves_the_signatures_of_others() {
    // Two signers of one tag: when one of them is refused the other still speaks.
    let mut forge = Forge::good();
    for name in ["targets/a", "targets/c"] {
        forge.tags.insert(role(name), vec!["shared".into()]);
    }
    let mut files = forge.publish();
    files.remove(&role("targets/a"));
    let served = Served::new(files);
    let collection = assert_delegation_refused(&client(), &served, "targets/a", "missing");
    assert_eq!(
        collection.signed().filter(|(_, t, _)| *t == "shared").map(|(r, ..)| r.name.as_str()).collect::<Vec<_>>(),
        ["targets/c"]
    );
}

#[test]
fn a_very_wide_tree_is_cut_at_the_limit() {
    // Delegations that nobody has published cost no file, so a few files could name millions.
    let wide = |n: usize| {
        with("targets/a/b", |v| {
            let like = serde_json::json!({"keyids": [], "threshold": 1, "paths": [""]});
            let role = |i: usize| {
                let mut r = like.clone();
                r["name"] = format!("targets/a/b/r{i}").into();
                r
            };
            v["delegations"]["roles"] = (0..n).map(role).collect();
        })
    };
    // `a/b` itself is below `a` too; `targets`, `a` and `c` are there besides.
    let collection = assert_whole(&client(), &Served::new(wide(limits::ROLES_BELOW - 1)));
    assert_eq!(collection.roles().len(), limits::ROLES_BELOW + 3);
    assert_delegation_refused(&client(), &Served::new(wide(limits::ROLES_BELOW)), "targets/a/b", "malformed");
    assert_delegation_refused(&client(), &Served::new(wide(limits::ROLES + 1)), "targets/a/b", "malformed");
}

#[test]
fn a_very_wide_tree_of_many_parents_is_cut_at_the_limit() {
    let parents = limits::ROLES_IN_ALL / limits::ROLES_BELOW + 1;
    let mut forge = Forge::good();
    for i in 0..parents {
        forge.add_role(&format!("targets/p{i:02}"));
    }
    let mut files = forge.publish();
    for i in 0..parents {
        let name = format!("targets/p{i:02}");
        forge.edit(&mut files, &name, |t| {
            json(&t, |v| {
                let role = |n: usize| serde_json::json!({"keyids": [], "threshold": 1, "name": format!("{name}/r{n}")});
                v["delegations"]["roles"] = (0..limits::ROLES_BELOW).map(role).collect();
            })
        });
    }
    forge.vouch(&mut files);
    let collection = update(&client(), &Served::new(files)).unwrap();
    assert!(collection.roles().len() <= limits::ROLES_IN_ALL);
    let refused: Vec<_> = collection.refused().map(|(r, why)| (r.to_string(), why.code())).collect();
    assert_eq!(refused, [parents - 2, parents - 1].map(|i| (format!("targets/p{i:02}"), "malformed")));
}

#[test]
fn a_signer_who_delegates_without_end_does_not_take_the_room_of_others() {
    // `targets/a` comes first and asks for all the roles there may be; `targets/c` has a few of its own.
    let mut forge = Forge::good();
    for n in 0..5 {
        forge.add_role(&format!("targets/c/r{n}"));
    }
    let mut files = forge.publish();
    forge.edit(&mut files, "targets/a", |t| {
        json(&t, |v| {
            let role = |n: usize| serde_json::json!({"keyids": [], "threshold": 1, "name": format!("targets/a/r{n}")});
            v["delegations"]["roles"] = (0..limits::ROLES).map(role).collect();
        })
    });
    forge.vouch(&mut files);
    let collection = assert_delegation_refused(&client(), &Served::new(files), "targets/a", "malformed");
    assert!((0..5).all(|n| collection.role(&role(&format!("targets/c/r{n}"))).unwrap().verified().is_some()));
}

#[test]
fn prefixes_without_end_cost_no_time() {
    // Compared one by one these would be 256 million comparisons; a file may have no more of them.
    let prefixes = |n: usize| (0..n).map(|i| format!("p{i:05}/").into()).collect::<Vec<serde_json::Value>>();
    let build = |n: usize| {
        let mut forge = Forge::good();
        forge.tags.insert(role("targets/a/b"), (0..1000).map(|i| format!("p{i:05}/x")).collect());
        let mut files = forge.publish();
        forge.edit(&mut files, "targets", |t| json(&t, |v| v["delegations"]["roles"][0]["paths"] = prefixes(n).into()));
        forge.edit(&mut files, "targets/a", |t| json(&t, |v| v["delegations"]["roles"][0]["paths"] = prefixes(n).into()));
        forge.vouch(&mut files);
        Served::new(files)
    };
    let collection = assert_whole(&client(), &build(limits::PREFIXES));
    assert_eq!(collection.signed().filter(|(r, ..)| r.name.as_str() == "targets/a/b").count(), 1000);
    assert_refused(&client(), &build(limits::PREFIXES + 1), "targets", "malformed");
}

#[test]
fn a_very_deep_tree_ends_where_names_end() {
    let mut forge = Forge::good();
    let mut name = "targets/d".to_owned();
    while name.len() <= limits::ROLE_NAME {
        forge.add_role(&name);
        name.push_str("/d");
    }
    let deepest = name.len() - 2;
    let files = forge.publish();
    let collection = assert_whole(&client(), &Served::new(files.clone()));
    assert_eq!(collection.roles().last().unwrap().name.as_str().len(), deepest);
    let mut beyond = files;
    let last = collection.roles().last().unwrap().name.to_string();
    forge.edit(&mut beyond, &last, |t| {
        json(&t, |v| v["delegations"]["roles"] = serde_json::json!([{"keyids": [], "threshold": 1, "name": format!("{last}/d")}]))
    });
    forge.vouch(&mut beyond);
    assert_delegation_refused(&client(), &Served::new(beyond), &last, "malformed");
}

#[test]
fn a_delegation_with_the_key_of_the_root_certificate_is_only_a_delegation() {
    // The root's certificate names keys; it gives no power where it is not named.
    let mut forge = Forge::good();
    *forge.holder("targets/a") = Holder::of(&[key_of("root")]);
    assert_whole(&client(), &Served::new(forge.publish()));
    let mut thief = Forge::good();
    *thief.holder("root") = Holder {
        named: vec![key_of("root")],
        signing: vec![Cert::of(crate::forge::GUN).around(&key_of("targets/a"))],
        threshold: 1,
    };
    assert_refused(&client(), &Served::new(thief.publish()), "root", "threshold");
}
