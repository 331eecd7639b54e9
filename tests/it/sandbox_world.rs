//! The world to practise on: each repository is as its story says, and the keystore has the problems it should have.
use claviger::{
    sandbox::{Call, PASSPHRASE, Sandbox, SandboxError},
    secret::Passphrase,
    tuf::{
        Refusal,
        collection::{Anchor, RoleState, TrustedCollection},
        envelope::Document,
        name::{BaseRole, Gun, RoleName},
        pinning::Pinning,
        request::Request,
        root::Root,
        update::{Reply, Step, Update},
    },
};
use jiff::{SignedDuration, Timestamp};
use std::{collections::BTreeMap, sync::Mutex};

const NOW: &str = "2026-11-21T10:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn gun(name: &str) -> Gun {
    Gun::new(&format!("sandbox.test/{name}")).unwrap()
}

fn role(name: &str) -> RoleName {
    RoleName::new(name).unwrap()
}

/// Follows one repository as every client does, over the sandbox's transport, and notes what was asked for.
async fn follow(
    s: &Sandbox,
    gun: &Gun,
    cached: bool,
    at: Timestamp,
    asked: &Mutex<Vec<Request>>,
) -> Result<TrustedCollection, Refusal> {
    let mut cache = BTreeMap::new();
    for r in ["root", "timestamp", "snapshot", "targets", "targets/releases"].map(role) {
        if let Some(bytes) = cached.then(|| s.trust_dir().read_metadata(gun, &r, 1 << 20).unwrap()).flatten() {
            cache.insert(r, bytes);
        }
    }
    let transport = s.transport();
    let mut update = Update::new(gun.clone(), at, Pinning::default(), cache);
    let mut step = update.start()?;
    loop {
        let request = match step {
            Step::Done(outcome) => return Ok(outcome.collection),
            Step::Fetch(request) => request,
        };
        let answer = transport.get(gun, &request).await;
        asked.lock().unwrap().push(request);
        step = update.give(match answer {
            Ok(bytes) => Reply::Bytes(bytes),
            Err(claviger::notary::TransportError::NotThere { .. }) => Reply::NotThere,
            Err(other) => panic!("{other}"),
        })?;
    }
}

async fn verify(s: &Sandbox, name: &str) -> Result<TrustedCollection, Refusal> {
    follow(s, &gun(name), false, now(), &Mutex::default()).await
}

fn sandbox() -> Sandbox {
    Sandbox::new(now(), None).unwrap()
}

/// Names that a role signs within its paths.
fn signed(c: &TrustedCollection, by: &str) -> Vec<String> {
    let mut names: Vec<_> = c.signed().filter(|(r, _, _)| r.name.as_str() == by).map(|(_, n, _)| n.to_owned()).collect();
    names.sort();
    names
}

#[tokio::test]
async fn every_repository_is_as_its_story_says() {
    let s = sandbox();
    let names: Vec<String> = s.guns().iter().map(|g| g.as_str().trim_start_matches("sandbox.test/").to_owned()).collect();
    assert_eq!(
        names,
        [
            "legacy/archive",
            "legacy/payments",
            "odd/names",
            "platform/base",
            "platform/tools",
            "shop/backend",
            "shop/docs",
            "shop/frontend",
            "shop/mobile",
            "shop/search"
        ]
    );

    let c = verify(&s, "shop/frontend").await.unwrap();
    assert_eq!((c.refused().count(), c.anchor(), signed(&c, "targets/releases").len()), (0, Anchor::FirstUse, 12));
    let algorithms: Vec<_> =
        c.role(&role("targets/releases")).unwrap().keys.keys.iter().map(|k| k.algorithm().to_string()).collect();
    assert_eq!(algorithms, ["ecdsa-p256", "rsa-2048", "ecdsa-p256", "rsa-2048"]);
    assert_eq!(signed(&c, "targets/carol"), ["2.3.0-beta1"]);

    let c = verify(&s, "shop/backend").await.unwrap();
    assert_eq!(c.refused().count(), 0);
    assert_eq!(c.role(&role("targets/board")).unwrap().verified().unwrap().signed_by().len(), 2);
    assert!(matches!(c.role(&role("targets/experiments")).unwrap().state, RoleState::Unpublished));
    assert_eq!(c.role(&role("targets/api/edge")).unwrap().paths.prefixes(), ["api/edge/"]);
    assert_eq!(signed(&c, "targets/api/edge"), ["api/edge/nightly"]);
    assert_eq!(signed(&c, "targets/api/stable/hotfix"), ["api/stable/hotfix-1.4.2"]);

    let c = verify(&s, "shop/mobile").await.unwrap();
    let refused: Vec<_> = c.refused().map(|(r, why)| (r.as_str(), why.clone())).collect();
    assert_eq!(refused, [("targets/releases", Refusal::Threshold { role: role("targets/releases"), need: 1, have: 0 })]);
    assert_eq!(signed(&c, "targets/bob").len(), 3);

    let c = verify(&s, "shop/search").await.unwrap();
    let refused: Vec<_> = c.refused().map(|(r, why)| (r.as_str(), why.code())).collect();
    assert_eq!(refused, [("targets/releases", "expired")]);
    assert_eq!(signed(&c, "targets"), ["1.1", "1.2"]);

    let c = verify(&s, "shop/docs").await.unwrap();
    assert_eq!((c.roles().len(), signed(&c, "targets").len()), (1, 3));

    let c = verify(&s, "platform/tools").await.unwrap();
    assert_eq!(c.refused().count(), 0);
    let left = c.root().expires().duration_since(now());
    assert!(left > SignedDuration::ZERO && left < SignedDuration::from_hours(183 * 24), "{left}");
    let leaf = c.root().keys_of(BaseRole::Root).unwrap().keys[0].leaf().unwrap();
    assert!(leaf.not_after > now() && leaf.not_after.duration_since(now()) < SignedDuration::from_hours(183 * 24));

    assert_eq!(verify(&s, "legacy/payments").await.unwrap_err().code(), "expired");
    assert!(matches!(verify(&s, "legacy/payments").await, Err(Refusal::Expired { role, .. }) if role.as_str() == "targets"));
    assert!(matches!(verify(&s, "legacy/archive").await, Err(Refusal::Expired { role, .. }) if role.as_str() == "timestamp"));

    let c = verify(&s, "odd/names").await.unwrap();
    assert_eq!(c.refused().count(), 0);
    assert!(signed(&c, "targets/releases").iter().any(|n| n.contains('\u{1b}')));
    assert_eq!(signed(&c, "targets/releases").len(), 6);
}

#[tokio::test]
async fn a_machine_that_remembers_the_first_root_walks_to_the_fourth() {
    let s = sandbox();
    let base = gun("platform/base");
    let cached = s.trust_dir().read_metadata(&base, &role("root"), 1 << 20).unwrap().unwrap();
    assert_eq!(Document::<Root>::parse(&cached).unwrap().payload.common.version, 1);
    let asked = Mutex::default();
    let c = follow(&s, &base, true, now(), &asked).await.unwrap();
    assert_eq!((c.root().version(), c.anchor(), c.refused().count()), (4, Anchor::Remembered, 0));
    let names: Vec<_> = asked.into_inner().unwrap().iter().map(Request::file_name).collect();
    assert!(names.contains(&"2.root.json".to_owned()) && names.contains(&"3.root.json".to_owned()), "{names:?}");
    let custom = c.role(&role("targets")).unwrap().verified().unwrap().target("trixie").unwrap().custom.clone();
    assert!(custom.is_some());
}

#[tokio::test]
async fn what_is_remembered_is_what_the_server_has() {
    let s = sandbox();
    for name in ["shop/frontend", "shop/backend", "platform/tools"] {
        let asked = Mutex::default();
        let c = follow(&s, &gun(name), true, now(), &asked).await.unwrap();
        assert_eq!(c.anchor(), Anchor::Remembered);
        assert_eq!(asked.into_inner().unwrap()[0].file_name(), "timestamp.json");
    }
}

#[tokio::test]
async fn a_year_later_the_server_has_kept_signing_where_it_can() {
    let later = now() + SignedDuration::from_hours(365 * 24);
    let s = Sandbox::with_clock(now(), std::sync::Arc::new(move || later), None).unwrap();
    let c = follow(&s, &gun("shop/docs"), false, later, &Mutex::default()).await.unwrap();
    assert!(c.timestamp().expires() > later);
    assert_eq!(follow(&s, &gun("legacy/archive"), false, later, &Mutex::default()).await.unwrap_err().code(), "expired");
}

#[test]
fn the_layout_is_the_same_each_time() {
    let layout = |s: &Sandbox| {
        let private = std::fs::read_dir(s.trust_dir().private()).unwrap().count();
        let feed = s.server().handle(&Call::get("/v2/_trust/changefeed").with_query("records=1000"));
        let feed: serde_json::Value = serde_json::from_slice(&feed.body).unwrap();
        let story: Vec<_> = feed["records"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| (r["GUN"].to_string(), r["Version"].to_string(), r["CreatedAt"].to_string()))
            .collect();
        (private, s.guns(), story)
    };
    assert_eq!(layout(&sandbox()), layout(&sandbox()));
}

#[test]
fn the_keystore_has_good_keys_and_each_problem_once() {
    let s = sandbox();
    let listing = claviger::keys::list(s.trust_dir());
    let passphrase = Passphrase::from(PASSPHRASE.to_owned());
    let count = |code: &str| listing.entries.iter().filter(|e| e.problems.iter().any(|p| p.code == code)).count();
    for code in ["damaged", "empty", "open-to-others", "weak-key", "wrong-content"] {
        assert_eq!(count(code), 1, "{code}: {listing:?}");
    }
    assert_eq!(count("unencrypted"), 3);
    let unlocked = listing.entries.iter().filter(|k| claviger::keys::unlock(k, Some(&passphrase)).is_ok()).count();
    assert_eq!((listing.entries.len(), unlocked), (21, 18));
}

#[test]
fn a_sandbox_leaves_nothing_and_touches_nothing_that_was_there() {
    let s = sandbox();
    let path = s.path().to_owned();
    assert!(path.join("docker/trust/private").is_dir());
    drop(s);
    assert!(!path.exists());

    let place = tempfile::tempdir().unwrap();
    std::fs::write(place.path().join("mine"), "precious").unwrap();
    assert!(matches!(Sandbox::new(now(), Some(place.path())), Err(SandboxError::NotEmpty(_))));
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 1);

    let kept = place.path().join("a/world");
    drop(Sandbox::new(now(), Some(&kept)).unwrap());
    assert!(kept.join("docker/trust/private").is_dir());
    assert!(matches!(Sandbox::new(now(), Some(&kept)), Err(SandboxError::NotEmpty(_))));
    assert!(place.path().join("mine").exists());
}
