//! Root, targets and snapshot have other keys, or their first.
use super::{desk, everywhere, holds, json, owned, published, run};
use crate::changing::begun;

#[test]
fn a_key_that_is_rotated_is_the_old_one_or_the_new_one_and_both_are_there() {
    let (desk, gun) = desk("rotate");
    begun(&desk, &gun, &[]);
    for role in ["targets", "snapshot"] {
        let still_signs = |gun: &str, when: &str| {
            let signed = run(&desk, &["witness", gun, "targets", "--yes"]);
            assert!(signed.status.success(), "{when}: {signed:?}");
        };
        let kills = everywhere(&desk, |_| gun.clone(), |gun| owned(&["key", "rotate", gun, role, "--yes"]), still_signs);
        assert!(kills >= 70, "{role}: only {kills} kills");
    }
}

#[test]
fn a_repository_that_is_begun_is_there_with_its_keys_or_not_at_all() {
    let (desk, gun) = desk("init");
    // A root key that opens fast, as the old tools make it.
    begun(&desk, &format!("{gun}-other"), &[]);
    let kills = everywhere(
        &desk,
        |n| format!("{gun}-{n}"),
        |gun| owned(&["init", gun, "--yes"]),
        |gun, when| {
            // Before anything was done there is nothing to go on with.
            if published(&desk, gun).is_none() {
                let done = run(&desk, &["init", gun, "--yes"]);
                assert!(done.status.success(), "{when}: {done:?}");
            }
        },
    );
    assert!(kills >= 80, "only {kills} kills");
}

#[test]
fn a_root_key_that_comes_is_here_and_one_that_goes_is_not_missed() {
    let (desk, gun) = desk("root-key");
    begun(&desk, &gun, &[]);
    // A root key that opens fast, as the old tools make it.
    desk.notary(&["key", "generate", "ecdsa"]).ok();
    let listed = json(&run(&desk, &["key", "list", "--json"]));
    let first = published(&desk, &gun).unwrap()["root"][0].clone();
    let roots = listed.as_array().unwrap().iter().filter(|k| k["role"] == "root" && k["id"] != first.as_str());
    let second = roots.map(|k| k["id"].as_str().unwrap().to_owned()).next().unwrap();
    let root = || published(&desk, &gun).unwrap().remove("root").unwrap();
    let is = |there: bool, when: &str| {
        if root().contains(&second) != there {
            let (verb, key) = if there { ("add", ["--key", &second].to_vec()) } else { ("remove", vec![second.as_str()]) };
            let done = run(&desk, &[&["root-key", verb, &gun], key.as_slice(), &["--yes"]].concat());
            assert!(done.status.success(), "{when}: {done:?}");
        }
        assert_eq!((root().contains(&second), root().contains(&first)), (there, true), "{when}");
        holds(&desk, &gun, when);
    };
    let add = |gun: &str| owned(&["root-key", "add", gun, "--key", &second, "--yes"]);
    let kills = everywhere(&desk, |_| gun.clone(), add, |_, when| is(false, when));
    assert!(kills >= 40, "only {kills} kills while it came");
    is(true, "before it goes");
    let remove = |gun: &str| owned(&["root-key", "remove", gun, &second, "--yes"]);
    let kills = everywhere(&desk, |_| gun.clone(), remove, |_, when| is(true, when));
    assert!(kills >= 40, "only {kills} kills while it went");
}
