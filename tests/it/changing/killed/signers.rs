//! A signer goes.
use super::{desk, everywhere, everywhere_with, holds, json, owned, published, run};
use crate::changing::{
    begun, sign,
    witness_request::{kept, take_keys},
};
use std::fs;

#[test]
fn a_signer_who_is_removed_is_gone_or_there_and_the_next_start_removes_them() {
    let (desk, one) = desk("signer-remove");
    let two = format!("{one}-two");
    let keys = begun(&desk, &one, &["alice", "bob"]);
    for (name, key) in ["alice", "bob"].iter().zip(&keys) {
        desk.docker_trust(&["signer", "add", "--key", key, name, &two]).ok();
    }
    let both = [&one, &two];
    for gun in both {
        run(&desk, &["repo", "show", gun]);
        sign(&desk, gun, "v1", &["--as", "alice"]).ok();
    }
    let kills = everywhere(
        &desk,
        |_| one.clone(),
        |_| owned(&["signer", "remove", "alice", &one, &two, "--yes"]),
        |_, when| {
            for gun in both {
                let gone = run(&desk, &["signer", "remove", "alice", gun, "--yes", "--json"]);
                let was = String::from_utf8_lossy(&gone.stderr).contains("no-such-signer");
                assert!(gone.status.success() || was, "{when}: {gone:?}");
                let tags = json(&run(&desk.fresh(), &["tags", gun, "--json"]));
                assert_eq!(tags[0]["name"], "v1", "{when}: what docker pulls stays");
                let back = run(&desk, &["signer", "add", "--key", &keys[0], "alice", gun, "--yes"]);
                assert!(back.status.success(), "{when}: {back:?}");
                sign(&desk, gun, "v1", &["--as", "alice"]).ok();
            }
        },
    );
    assert!(kills >= 100, "only {kills} kills");
}

#[test]
fn whoever_must_sign_again_after_a_signer_was_removed_is_told_wherever_it_was_killed() {
    let (desk, gun) = desk("signer-request");
    let keys = begun(&desk, &gun, &["alice", "bob"]);
    sign(&desk, &gun, "v1", &["--as", "alice"]).ok();
    let is_broken = || !json(&run(&desk.fresh(), &["repo", "show", &gun, "--json"]))["refused"].as_array().unwrap().is_empty();
    // Bob's key is elsewhere, so nobody here can sign what only alice has signed.
    take_keys(&desk, &["bob"]);
    let kills = everywhere_with(
        &desk,
        |_| gun.clone(),
        |_| "alice".to_owned(),
        |gun| owned(&["signer", "remove", "alice", gun, "--yes", "--confirm", "alice"]),
        |gun, when| holds(&desk, gun, when),
        |gun, when| {
            let gone = !published(&desk, gun).unwrap().contains_key("targets/alice");
            assert_eq!(gone, is_broken(), "{when}: what only she signed goes with her");
            assert!(!gone || !kept(&desk).is_empty(), "{when}: nobody is told what to sign");
            kept(&desk).iter().for_each(|file| fs::remove_file(file).unwrap());
            if gone {
                let back = run(&desk, &["signer", "add", "--key", &keys[0], "alice", gun, "--yes"]);
                assert!(back.status.success() && !is_broken(), "{when}: {back:?}");
            }
        },
    );
    assert!(kills >= 50, "only {kills} kills");
}
