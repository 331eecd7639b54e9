//! Writing to the real `notary-server` that wants tokens.
use super::{files, owner, timestamp};
use crate::authentication::{PRIVATE, PUBLIC, World, issuer};
use claviger::{
    net::AskedAs,
    notary::{PublishError, ServerRole, Transport as _, TransportError, http::Http},
    sandbox::{Call, Service},
    tuf::{
        name::Gun,
        request::{Request, Which},
    },
};
use std::sync::{Arc, Mutex};

/// A world, and the scopes for which its issuer was asked: by whom, and for what.
fn world() -> (World, Arc<Mutex<Vec<String>>>) {
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let note = asked.clone();
    let recorded = move |service: Service| -> Service {
        let note = note.clone();
        Arc::new(move |call: &Call<'_>| {
            let who = if call.header("authorization").is_some() { "a login" } else { "nobody" };
            let scope = call.query.split('&').find_map(|p| p.strip_prefix("scope=")).unwrap_or_default();
            let actions = scope.rsplit_once("%3A").map_or(scope, |(_, actions)| actions).replace("%2C", ",").replace("%2A", "*");
            note.lock().unwrap().push(format!("{who}: {actions}"));
            service(call)
        })
    };
    (World::changed(issuer(), "127.0.0.1", recorded), asked)
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_is_asked_for_than_is_needed() {
    let (world, asked) = world();
    world.login("alice", "alice-secret");
    let since = || std::mem::take(&mut *asked.lock().unwrap());
    let gun = Gun::new(PRIVATE).unwrap();
    let http = Http::new(&world.settings()).unwrap();
    let o = owner(&http, PRIVATE, true).await;
    assert_eq!(since(), ["nobody: push,pull", "a login: push,pull"]);
    let parts = files(&[("root", o.root()), ("targets", o.file("targets"))]);
    http.publish(&gun, &parts).await.unwrap();
    assert_eq!(since(), [] as [&str; 0], "what was given for the keys is good for it");
    timestamp(&http, &gun).await.unwrap();
    assert_eq!(since(), ["nobody: pull", "a login: pull"]);
    http.new_server_key(&gun, ServerRole::Snapshot).await.unwrap();
    http.delete(&gun).await.unwrap();
    assert_eq!(since(), ["nobody: *", "a login: *"]);
    // A publication alone asks at once with the login.
    Http::new(&world.settings()).unwrap().publish(&gun, &parts).await.unwrap();
    assert_eq!(since(), ["a login: push,pull"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_publish_is_told_what_is_missing_and_nothing_was_sent() {
    let (world, _) = world();
    world.login("alice", "alice-secret");
    let gun = Gun::new(PUBLIC).unwrap();
    let alice = Http::new(&world.settings()).unwrap();
    let mut o = owner(&alice, PUBLIC, true).await;
    alice.publish(&gun, &files(&[("root", o.root()), ("targets", o.file("targets"))])).await.unwrap();
    let before = timestamp(&alice, &gun).await.unwrap();
    o.version("targets", 2);
    let next = files(&[("targets", o.file("targets"))]);
    for user in ["bob", ""] {
        match user {
            "" => world.docker_config(&serde_json::json!({})),
            user => world.login(user, "bob-secret"),
        }
        let http = Http::new(&world.settings()).unwrap();
        let refused = http.publish(&gun, &next).await.unwrap_err();
        let text = refused.to_string();
        let PublishError::NotSent(TransportError::NotAllowed { status: 401, scope: Some(scope), denial, .. }) = &refused else {
            panic!("{refused:?}")
        };
        let (name, actions) = scope.raw().rsplit_once(':').unwrap();
        assert!(name == format!("repository:{PUBLIC}") && actions.contains("push"), "{}", scope.raw());
        assert!(text.contains(scope.raw()) && text.starts_with("nothing was published"), "{text}");
        match (&denial.asked_as, user) {
            (AskedAs::Account { user, .. }, "bob") => assert_eq!(user.raw(), "bob"),
            (AskedAs::Nobody, "") => assert!(refused.remedy().contains("docker login"), "{}", refused.remedy()),
            other => panic!("{other:?}"),
        }
        let denied = http.delete(&gun).await.unwrap_err();
        assert!(matches!(denied, TransportError::NotAllowed { scope: Some(_), .. }), "{denied:?}");
        assert_eq!(timestamp(&http, &gun).await.unwrap(), before);
    }
    world.login("bob", "wrong-secret");
    let refused = Http::new(&world.settings()).unwrap().publish(&gun, &next).await.unwrap_err();
    assert!(matches!(refused, PublishError::NotSent(TransportError::NotAllowed { .. })), "{refused:?}");
    assert!(refused.to_string().contains("the issuer of tokens"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_publication_arrives_whole_at_a_server_that_wants_a_login() {
    let (world, _) = world();
    world.login("alice", "alice-secret");
    let gun = Gun::new(PRIVATE).unwrap();
    let mut o = owner(&Http::new(&world.settings()).unwrap(), PRIVATE, true).await;
    let tags = (0..60_000).map(|n| format!("a-tag-with-a-long-name-{n}")).collect();
    o.forge.tags.insert(crate::forge::role("targets"), tags);
    let parts = files(&[("root", o.root()), ("targets", o.file("targets"))]);
    assert!(parts[1].1.len() > 6 << 20, "{}", parts[1].1.len());
    let http = Http::new(&world.settings()).unwrap();
    http.publish(&gun, &parts).await.unwrap();
    let request = Request { role: crate::forge::role("targets"), which: Which::Current, limit: 100 << 20 };
    assert!(http.get(&gun, &request).await.unwrap() == parts[1].1, "other bytes came back");
}
