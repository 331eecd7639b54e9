//! An image is pushed.
use super::{desk, everywhere_with, json, owned, run};
use crate::{
    peers::program::scratch,
    sandbox_registry::{
        images::sha256,
        peer::{Peer as _, RealRegistry},
        skopeo::layout,
    },
};

#[test]
fn a_tag_leads_to_the_whole_image_or_nowhere_and_the_next_start_sends_the_rest() {
    let (registry, (desk, _)) = (RealRegistry::start(), desk("image-push"));
    let from = scratch("killed-push");
    let digest = sha256(layout(&from));
    let from = from.to_str().unwrap();
    let tag = |gun: &str| format!("{gun}:1.0");
    // Whether the tag is there; then all of the image is.
    let is_whole = |gun: &str, when: &str| {
        let name = gun.split_once('/').unwrap().1;
        let is_there = registry.ask("GET", &format!("/v2/{name}/tags/list"), &vec![], b"").text().contains("\"1.0\"");
        if is_there {
            let seen = run(&desk, &["image", "push", from, &tag(gun), "--dry-run", "--json"]);
            assert!(seen.status.success(), "{when}: {seen:?}");
            let seen = json(&seen);
            let lacks = seen["pieces"].as_array().unwrap().iter().filter(|p| p["state"] != "there").count();
            assert_eq!((lacks, &seen["before"]), (0, &digest.as_str().into()), "{when}: {seen}");
        }
        is_there
    };
    let kills = everywhere_with(
        &desk,
        |n| format!("{}/team/app{n}", registry.address()),
        str::to_owned,
        |gun| owned(&["image", "push", from, &tag(gun), "--yes"]),
        |gun, when| {
            is_whole(gun, when);
        },
        |gun, when| {
            // Before anything was done there is nothing to go on with.
            if !is_whole(gun, when) {
                let done = run(&desk, &["image", "push", from, &tag(gun), "--yes"]);
                assert!(done.status.success() && is_whole(gun, when), "{when}: {done:?}");
            }
        },
    );
    assert!(kills >= 40, "only {kills} kills");
}
