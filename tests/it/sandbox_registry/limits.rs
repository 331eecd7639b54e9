//! Each limit, at it and one beyond it. Names and tags have theirs beside their spelling, and in the table.
use super::{
    images::{CONFIG, OCI, OCI_INDEX, of_kind, push_image, sha256},
    peer::{Peer, octets, ours},
};
use claviger::sandbox::{Registry, registry::limits};

#[test]
fn a_manifest_may_be_so_large_and_not_a_byte_larger() {
    let registry = ours();
    let manifest = r#"{"schemaVersion":2,"manifests":[]}"#;
    let mut body = manifest.as_bytes().to_vec();
    body.resize(limits::MANIFEST, b' ');
    assert_eq!(registry.ask("PUT", "/v2/a/manifests/x", &of_kind(OCI_INDEX), &body).status, 201);
    body.push(b' ');
    let refused = registry.ask("PUT", "/v2/a/manifests/y", &of_kind(OCI_INDEX), &body);
    assert_eq!((refused.status, &*refused.code()), (400, "MANIFEST_INVALID"));
}

#[test]
fn a_full_registry_says_so_stores_nothing_and_takes_again_what_fits() {
    // A blob, and that there is a repository that has it, are three things.
    let blob = vec![b'x'; 5000];
    let room = 3 * limits::EACH + blob.len() as u64;
    let push = |room: u64| Registry::in_memory(room).push("a", &sha256(&blob), &blob);
    assert_eq!(push(room).status, 201);
    let refused = push(room - 1);
    assert_eq!((refused.status, &*refused.code()), (413, "DENIED"), "{}", refused.text());
    assert!(refused.text().contains("nothing was stored"));

    let registry = Registry::in_memory(room);
    // Parts of uploads need room too, and give it back when they are given up.
    let begin = || registry.ask("POST", "/v2/a/blobs/uploads/", &vec![], b"").header("location").unwrap().to_owned();
    for _ in 0..3 {
        let place = begin();
        let much = vec![b'y'; (room - limits::EACH) as usize];
        let more = registry.ask("PATCH", &place, &octets(), &much);
        assert_eq!(more.status, 202);
        let place = more.header("location").unwrap();
        assert_eq!(registry.ask("PATCH", place, &octets(), b"z").status, 413);
        assert_eq!(registry.ask("POST", "/v2/b/blobs/uploads/", &vec![], b"").status, 413);
        assert_eq!(registry.ask("DELETE", place, &vec![], b"").status, 204);
    }
    assert_eq!(registry.push("a", &sha256(&blob), &blob).status, 201);
    // What is there already needs no room, and what is deleted makes some.
    assert_eq!(registry.ask("POST", "/v2/a/blobs/uploads/", &vec![], b"").status, 413);
    let place = format!("/v2/a/blobs/{}", sha256(&blob));
    assert_eq!(registry.ask("GET", &place, &vec![], b"").body, blob);
    assert_eq!(registry.ask("DELETE", &place, &vec![], b"").status, 202);
    assert_eq!(registry.push("a", &sha256("other"), b"other").status, 201);
}

#[test]
fn one_upload_too_many_costs_the_one_that_was_left_alone_for_longest() {
    let registry = ours();
    let begin = || registry.ask("POST", "/v2/a/blobs/uploads/", &vec![], b"").header("location").unwrap().to_owned();
    let all: Vec<String> = (0..limits::UPLOADS).map(|_| begin()).collect();
    let there = |place: &String| registry.ask("GET", place, &vec![], b"").status == 204;
    assert!(all.iter().all(there));
    let last = begin();
    assert_eq!(all.iter().filter(|p| !there(p)).collect::<Vec<_>>(), [&all[0]]);
    assert!(there(&last));
    // Whoever goes on with one keeps it.
    let gone_on = registry.ask("PATCH", &all[1], &octets(), b"x").header("location").unwrap().to_owned();
    let others = [begin(), begin()];
    assert!(there(&gone_on) && others.iter().all(there));
    assert!(!there(&all[2]) && !there(&all[3]) && there(&all[4]));
}

#[test]
fn a_page_of_the_catalogue_may_be_so_long_and_not_an_entry_longer() {
    let registry = ours();
    let ask = |n: u64| registry.ask("GET", &format!("/v2/_catalog?n={n}"), &vec![], b"").status;
    assert_eq!((ask(limits::PAGE), ask(limits::PAGE + 1)), (200, 400));
}

#[test]
fn pages_of_tags_and_of_the_catalogue_follow_each_other_without_gap_or_repetition() {
    let registry = ours();
    let manifest = r#"{"schemaVersion":2,"manifests":[]}"#;
    let tags: Vec<String> = (0..7).map(|n| format!("T{n}")).collect();
    for tag in tags.iter().rev() {
        let target = format!("/v2/shop/docs/manifests/{tag}");
        assert_eq!(registry.ask("PUT", &target, &of_kind(OCI_INDEX), manifest.as_bytes()).status, 201);
    }
    let names: Vec<String> = (0..5).map(|n| format!("many/r-{n}")).collect();
    for name in &names {
        assert_eq!(registry.push(name, &sha256(CONFIG), CONFIG.as_bytes()).status, 201);
    }
    for (list, place, expected) in [("tags", "/v2/shop/docs/tags/list", tags), ("repositories", "/v2/_catalog", names)] {
        for n in 1..=8 {
            let (mut target, mut seen) = (format!("{place}?n={n}"), Vec::new());
            loop {
                let answer = registry.ask("GET", &target, &vec![], b"");
                let body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
                let page: Vec<String> = serde_json::from_value(body[list].clone()).unwrap();
                assert!(page.len() <= n, "{target}");
                seen.extend(page);
                let Some(link) = answer.header("link") else { break };
                target = link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned();
            }
            seen.retain(|name| name != "shop/docs");
            assert_eq!(seen, expected, "{place} by {n}");
        }
    }
    assert_eq!(registry.ask("GET", "/v2/shop/docs/tags/list?n=0", &vec![], b"").text(), "{\"name\":\"shop/docs\",\"tags\":[]}\n");
}

#[test]
fn pushes_at_the_same_time_do_not_lose_or_mix_anything() {
    let home = tempfile::tempdir().unwrap();
    for registry in [ours(), Registry::on_disk(home.path(), limits::ROOM).unwrap()] {
        std::thread::scope(|scope| {
            for n in 0..8 {
                let registry = &registry;
                scope.spawn(move || {
                    for tag in 0..4 {
                        // Half of the layers are everybody's, and one tag is.
                        let layer = if tag % 2 == 0 { "shared".to_owned() } else { format!("layer {n}") };
                        assert_eq!(push_image(registry, "shop/docs", &format!("{n}-{tag}"), &layer).status, 201);
                        assert_eq!(push_image(registry, "shop/docs", "latest", &layer).status, 201);
                    }
                });
            }
        });
        let tags = registry.ask("GET", "/v2/shop/docs/tags/list", &vec![], b"");
        let tags: serde_json::Value = serde_json::from_slice(&tags.body).unwrap();
        let tags: Vec<String> = serde_json::from_value(tags["tags"].clone()).unwrap();
        assert_eq!(tags.len(), 8 * 4 + 1);
        for tag in tags {
            let target = format!("/v2/shop/docs/manifests/{tag}");
            let answer = registry.ask("GET", &target, &super::images::accepting(OCI), b"");
            assert_eq!(answer.header("docker-content-digest"), Some(&*sha256(&answer.body)), "{tag}");
            let manifest: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
            let layer = manifest["layers"][0]["digest"].as_str().unwrap();
            let blob = registry.ask("GET", &format!("/v2/shop/docs/blobs/{layer}"), &vec![], b"");
            assert_eq!((blob.status, sha256(&blob.body)), (200, layer.to_owned()));
        }
    }
}
