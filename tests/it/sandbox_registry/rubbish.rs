//! Requests that nobody in his right mind sends: none harms the registry, and none leaves its directory.
use super::{
    images::{DOCKER, DOCKER_LIST, LAYER, OCI, OCI_INDEX, accepting, push_image, sha256},
    peer::{Headers, Peer, ours},
};
use claviger::sandbox::{Registry, registry::limits::ROOM};
use proptest::prelude::{Just, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest};

fn word() -> impl Strategy<Value = String> {
    let known = [
        "",
        "/",
        "//",
        ".",
        "..",
        "%2e%2e",
        "%2f",
        "%00",
        "%ff",
        "%",
        "a",
        "A",
        "shop",
        "docs",
        "+",
        "_catalog",
        "v2",
        "tags",
        "list",
        "manifests",
        "blobs",
        "uploads",
        "latest",
        "sha256:",
        "sha512:",
        "n=",
        "last=",
        "digest=",
        "mount=",
        "from=",
        "&",
        "=",
        "-1",
        "18446744073709551616",
        "_state=0",
        "repositories",
        "temporary",
        ";",
    ];
    prop_oneof![
        4 => prop::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => Just(sha256(LAYER)),
        1 => "\\PC{0,8}",
    ]
}

fn text() -> impl Strategy<Value = String> {
    (prop::collection::vec(word(), 0..10), any::<bool>()).prop_map(|(words, slashes)| words.join(if slashes { "/" } else { "" }))
}

fn method() -> impl Strategy<Value = String> {
    let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW", ""];
    prop::sample::select(known.to_vec()).prop_map(str::to_owned)
}

fn headers() -> impl Strategy<Value = Headers> {
    let name = prop::sample::select(vec!["range", "content-range", "content-type", "accept", "if-none-match", "if-range"]);
    let kinds = prop::sample::select(vec![DOCKER, DOCKER_LIST, OCI, OCI_INDEX, "application/octet-stream"]);
    let value = prop_oneof![kinds.prop_map(str::to_owned), "(bytes=)?[0-9]{0,21}-[0-9]{0,21}", text()];
    prop::collection::vec((name.prop_map(str::to_owned), value), 0..3)
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    let json = "\\{(\"(schemaVersion|mediaType|config|layers|manifests|digest)\":(2|\\[\\]|\\{\\}|null|\"x\"),?){0,5}\\}";
    prop_oneof![prop::collection::vec(any::<u8>(), 0..64), json.prop_map(String::into_bytes)]
}

proptest! {
    #[test]
    fn no_request_harms_the_registry_or_leaves_its_directory(
        requests in prop::collection::vec((method(), text(), text(), headers(), body()), 1..40)
    ) {
        let home = tempfile::tempdir().unwrap();
        let place = home.path().join("in/registry");
        let on_disk = Registry::on_disk(&place, ROOM).unwrap();
        let in_memory = ours();
        for registry in [&in_memory, &on_disk] {
            assert_eq!(push_image(registry, "kept", "1", "kept").status, 201);
        }
        for (method, path, query, headers, body) in &requests {
            for target in [format!("/v2/{path}?{query}"), format!("{path}?{query}")] {
                let (a, b) = (in_memory.ask(method, &target, headers, body), on_disk.ask(method, &target, headers, body));
                prop_assert_eq!(a.status, b.status, "{} {}", method, target);
                prop_assert!((200..=416).contains(&a.status) || a.status == 500, "{} {}: {}", method, target, a.status);
            }
        }
        for registry in [&in_memory, &on_disk] {
            let kept = registry.ask("GET", "/v2/kept/manifests/1", &accepting(OCI), b"");
            prop_assert_eq!(kept.status, 200);
        }
        let beside = |path: &std::path::Path| std::fs::read_dir(path).unwrap().map(|e| e.unwrap().file_name()).collect::<Vec<_>>();
        prop_assert_eq!(beside(home.path()), ["in"]);
        prop_assert_eq!(beside(&home.path().join("in")), ["registry"]);
        let mut inside = beside(&place);
        inside.sort();
        prop_assert_eq!(inside, ["blobs", "repositories", "temporary"]);
    }
}

#[test]
fn a_blob_that_is_not_what_it_is_called_is_refused_and_not_there() {
    let registry = ours();
    let digest = sha256("what was signed");
    let refused = registry.push("shop/docs", &digest, b"what was sent");
    assert_eq!((refused.status, &*refused.code()), (400, "DIGEST_INVALID"));
    for name in ["what was signed", "what was sent"] {
        assert_eq!(registry.ask("GET", &format!("/v2/shop/docs/blobs/{}", sha256(name)), &vec![], b"").status, 404);
    }
    assert_eq!(registry.ask("GET", "/v2/_catalog", &vec![], b"").text(), "{\"repositories\":[]}\n");
}

#[test]
fn an_upload_goes_on_only_where_it_began_and_only_once() {
    let registry = ours();
    let begun = registry.ask("POST", "/v2/mine/blobs/uploads/", &vec![], b"");
    let place = begun.header("location").unwrap();
    let octets = super::peer::octets();
    // Another repository, whose owner is another.
    let elsewhere = place.replace("/mine/", "/yours/");
    for method in ["GET", "PATCH", "PUT", "DELETE"] {
        let answer = registry.ask(method, &format!("{elsewhere}&digest={}", sha256("x")), &octets, b"x");
        assert_eq!((answer.status, &*answer.code()), (404, "BLOB_UPLOAD_INVALID"), "{method}");
    }
    // A part that comes twice, as after a lost answer, is not appended twice.
    assert_eq!(registry.ask("PATCH", place, &octets, b"x").status, 202);
    assert_eq!(registry.ask("PATCH", place, &octets, b"x").status, 404);
    let now = place.replace("_state=0", "_state=1");
    assert_eq!(registry.ask("PUT", &format!("{now}&digest={}", sha256("x")), &octets, b"").status, 201);
    assert_eq!(registry.ask("PUT", &format!("{now}&digest={}", sha256("x")), &octets, b"").status, 404);
}
