//! Logging in to the real `docker-registry`, as a process, with an issuer of tokens of our own. Its catalogue is asked for:
//! that is what a login most often lacks the right to.
use super::authentication::{PRIVATE, PUBLIC, REGISTRY, World, issuer, says};
use crate::{
    peers::{program::Answer, server::Registry},
    sandbox_registry::images::sha256,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::ffi::OsString;

/// What the catalogue wants.
const CATALOGUE: &str = "registry:catalog:*";

/// `repo list` with the registry, whose images have the names of these tests.
fn list(world: &World, registry: &Registry, more: &[(&str, OsString)]) -> Answer {
    let at = format!("{REGISTRY}={}", registry.url());
    world.claviger(&["repo", "list", "--json", "--registry", &at], more).ok()
}

/// The catalogue was read: it names nothing, and that is known.
#[track_caller]
fn reads(answer: &Answer) {
    let all: Value = serde_json::from_str(&answer.stdout).unwrap();
    let notes = all["notes"].as_array().unwrap();
    assert!(!notes.iter().any(|n| n.as_str().unwrap().contains("the registry https://")), "{answer:?}");
    let read = all["repositories"].as_array().unwrap().iter().all(|r| r["in_registry"] == json!(false));
    assert!(read, "{answer:?}");
}

/// It was not, and one note says all of this.
#[track_caller]
fn refused(answer: &Answer, parts: &[&str]) {
    let all: Value = serde_json::from_str(&answer.stdout).unwrap();
    let notes = all["notes"].as_array().unwrap();
    let note = notes.iter().map(|n| n.as_str().unwrap()).find(|n| n.contains("the registry https://127.0.0.1:"));
    let note = note.unwrap_or_else(|| panic!("no note about the registry in {answer:?}"));
    for part in ["did not list its repositories"].iter().chain(parts) {
        assert!(note.contains(part), "{part:?} is not in\n{note}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_list_a_registry_lists_it_and_who_may_not_is_told_who_refused_what_and_as_whom() {
    let world = World::new(issuer(), "127.0.0.1");
    let registry = world.registry();
    let ask = |more: &[(&str, OsString)]| list(&world, &registry, more);

    refused(&ask(&[]), &["the server does not allow", CATALOGUE, "(status 401)", "asked without a login", "docker login"]);
    world.login("alice", "alice-secret");
    reads(&ask(&[]));
    world.login("bob", "bob-secret");
    refused(&ask(&[]), &["the server does not allow", CATALOGUE, "asked as bob, with the login from", "config.json"]);
    world.login("alice", "wrong-secret");
    refused(&ask(&[]), &["the issuer of tokens at https://127.0.0.1:", CATALOGUE, "bad credentials", "asked as alice"]);
    world.docker_config(&json!({"auths": {REGISTRY: {"identitytoken": world.identity_token()}}}));
    reads(&ask(&[]));
    world.docker_config(&json!({"auths": {REGISTRY: {"identitytoken": "worthless"}}}));
    refused(&ask(&[]), &["the issuer of tokens", "asked with the identity token from", "config.json"]);
    // A login for the Notary server is none for the registry.
    world.docker_config(&json!({}));
    let notary_auth = [("NOTARY_AUTH", OsString::from(STANDARD.encode("alice:alice-secret")))];
    refused(&ask(&notary_auth), &["asked without a login"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_helper_gives_the_login_of_a_registry_or_is_named() {
    let world = World::new(issuer(), "127.0.0.1");
    let registry = world.registry();
    let ask = || list(&world, &registry, &[]);
    let login = r#"{\"ServerURL\":\"x\",\"Username\":\"alice\",\"Secret\":\"alice-secret\"}"#;
    world.helper("works", &format!("printf '%s' \"{login}\""));
    reads(&ask());
    for (name, script, why) in [
        ("fails", "echo alice-secret; exit 3", "failed"),
        ("rubbish", "echo alice-secret", "answered with something that is no login"),
        ("hangs", "sleep 600", "did not answer within 10 s, and was ended"),
    ] {
        world.helper(name, script);
        refused(&ask(), &[&format!("the credential helper docker-credential-{name} {why}")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_issuer_of_a_registry_is_on_its_host_or_trusted() {
    let world = World::new(issuer(), "localhost");
    let registry = world.registry();
    world.login("alice", "alice-secret");
    refused(&list(&world, &registry, &[]), &["neither the registry's host nor a trusted one; nothing was sent there"]);
    assert_eq!(world.asked(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_has_expired_is_not_fetched_for_ever() {
    let world = World::new(issuer().with_age(SignedDuration::from_hours(1)), "127.0.0.1");
    let registry = world.registry();
    world.login("alice", "alice-secret");
    let answer = list(&world, &registry, &[]);
    refused(&answer, &["the server does not allow", CATALOGUE, "asked as alice"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tags_of_a_repository_are_for_those_who_may_pull() {
    let world = World::published();
    let registry = world.registry();
    let at = format!("{REGISTRY}={}", registry.url());
    let tags = || world.claviger(&["tags", PRIVATE, "--registry-state", "--json", "--registry", &at], &[]);
    // She may read the repository at both.
    world.login("alice", "alice-secret");
    assert_eq!(tags().ok().stdout.trim(), "[]");
    // Trust data may be read by those who may not pull: registries name rights after their own names.
    let other = world.claviger(&["tags", PUBLIC, "--registry-state", "--registry", &at], &[]).ok();
    assert!(other.stdout.contains("the registry has no tags of it"), "{other:?}");
    world.login("bob", "bob-secret");
    let refused = world.claviger(&["tags", PUBLIC, "--registry-state", "--registry", &at], &[]);
    let name = PUBLIC.split_once('/').unwrap().1;
    says(&refused, &["did not say what its tags lead to", &format!("repository:{name}:pull"), "asked as bob"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_held_against_what_is_signed_with_the_login_of_its_registry_and_a_refusal_names_scope_and_refuser() {
    let world = World::published();
    let registry = world.registry();
    let manifest = world.push(&registry, "team/public:v1");
    let (digest, size) = (sha256(&manifest), manifest.len().to_string());
    let digits = digest.split_once(':').unwrap().1;
    world.notary(&["addhash", PUBLIC, "v1", &size, "--sha256", digits, "-p"]);
    let (at, image) = (format!("{REGISTRY}={}", registry.url()), format!("{PUBLIC}:v1"));
    let verify = |more: &[&str]| world.claviger(&[&["image", "verify", &image, "--registry", &at], more].concat(), &[]);
    let scope = "repository:team/public:pull";

    // Who reads what is signed may do that without a login here; the registry wants one.
    let resolved = world.claviger(&["image", "resolve", &image], &[]).ok();
    assert_eq!(resolved.stdout, format!("{PUBLIC}@{digest}\n"));
    says(&verify(&[]), &["the server does not allow", scope, "(status 401)", "asked without a login", "docker login"]);
    world.login("alice", "alice-secret");
    let answer = verify(&["--json"]).ok();
    let all: Value = serde_json::from_str(&answer.stdout).unwrap();
    assert_eq!((&all["verified"], all["pieces"].as_array().unwrap().len()), (&json!(true), 3), "{answer:?}");
    // He may read the trust data of the repository, and at the registry nothing.
    world.login("bob", "bob-secret");
    let refused = verify(&[]);
    says(
        &refused,
        &["the registry https://127.0.0.1:", "did not give", &digest, "the server does not allow", scope, "asked as bob"],
    );
    says(&refused, &["Whether the image is as it was signed is not known"]);
    world.login("alice", "wrong-secret");
    says(&verify(&[]), &["the issuer of tokens at https://127.0.0.1:", scope, "bad credentials", "asked as alice"]);
}
