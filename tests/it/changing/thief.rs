//! A server in the hands of somebody who has its keys: what it shows after a change is signed by all that it can sign with,
//! and is caught all the same.
use super::lying::{GUN, carried_out, place, tag_by};
use crate::forge::{Files, json, role, signed_text, with_signatures};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use claviger::{
    keys::{PrivateKey, Signer as _, decode},
    notary::{Answer, ChangeRecord, PublishError, ServerRole, Transport, TransportError},
    procedures::repository::{Outcome, Wanted},
    sandbox::Sandbox,
    text::Untrusted,
    trust_dir::TrustDir,
    tuf::{
        envelope::Signature,
        key::PublicKey,
        name::{Gun, RoleName},
        request::{Request, Which},
    },
};
use futures_util::{FutureExt as _, future::BoxFuture};
use jiff::Timestamp;
use serde_json::{Map, Value, json as object};
use sha2::{Digest as _, Sha256, Sha512};
use std::{
    path::Path,
    sync::{Arc, Mutex},
};

/// What the thief makes of the files, knowing those of before.
type Turn = fn(&mut Files, &Files);

/// The keys of the server, from where it keeps them.
struct Loot {
    snapshot: PrivateKey,
    timestamp: PrivateKey,
}

impl Loot {
    fn of(world: &Sandbox) -> Self {
        let kept = std::fs::read_to_string(world.path().join("server.jsonl")).unwrap();
        let began: Value = serde_json::from_str(kept.lines().next().unwrap()).unwrap();
        let of_gun = began["collections"].as_array().unwrap().iter().find(|c| c["gun"] == GUN).unwrap();
        let key = |name: &str| decode(of_gun[name].as_str().unwrap().as_bytes(), None, &|| false).unwrap().key;
        Self { snapshot: key("snapshot"), timestamp: key("timestamp") }
    }

    /// Vouches for the files, as newer than anything that was shown before.
    fn vouch(&self, files: &mut Files) {
        let vouched = files.iter().filter(|(r, _)| !["snapshot", "timestamp"].contains(&r.as_str()));
        let all: Map<String, Value> = vouched.map(|(r, file)| (r.to_string(), meta(file))).collect();
        let snapshot = signed(&files[&role("snapshot")], &self.snapshot, |s| s["meta"] = all.into());
        let timestamp = signed(&files[&role("timestamp")], &self.timestamp, |t| t["meta"]["snapshot"] = meta(&snapshot));
        files.extend([(role("snapshot"), snapshot), (role("timestamp"), timestamp)]);
    }
}

fn meta(file: &[u8]) -> Value {
    let (sha256, sha512) = (STANDARD.encode(Sha256::digest(file)), STANDARD.encode(Sha512::digest(file)));
    object!({ "length": file.len(), "hashes": { "sha256": sha256, "sha512": sha512 } })
}

/// The file of a later version, with a change.
fn signed(file: &[u8], key: &PrivateKey, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let text = json(&signed_text(file), |signed| {
        signed["version"] = (signed["version"].as_u64().unwrap() + 5).into();
        change(signed);
    });
    with_signatures(format!("{{\"signed\":{text},\"signatures\":[]}}").as_bytes(), |message| {
        let made = key.sign(message).unwrap();
        vec![Signature { key_id: key.id().hex(), method: made.method, bytes: made.bytes }]
    })
}

/// All current files of the repository.
async fn files(of: &dyn Transport) -> Files {
    let gun = Gun::new(GUN).unwrap();
    let get = async |name: RoleName| {
        let asked = Request { role: name.clone(), which: Which::Current, limit: 1 << 20 };
        (name, of.get(&gun, &asked).await.unwrap())
    };
    let mut files = Files::from([get(role("timestamp")).await, get(role("snapshot")).await]);
    let snapshot: Value = serde_json::from_str(&signed_text(&files[&role("snapshot")])).unwrap();
    for name in snapshot["meta"].as_object().unwrap().keys() {
        files.extend([get(role(name)).await]);
    }
    files
}

/// The server that was taken over: honest until somebody publishes, which it takes.
struct Thief {
    honest: Arc<dyn Transport>,
    loot: Loot,
    /// What was there long before.
    old: Files,
    turn: Turn,
    shown: Mutex<Option<Files>>,
}

impl Transport for Thief {
    fn get<'a>(&'a self, gun: &'a Gun, request: &'a Request) -> Answer<'a, Vec<u8>> {
        let shown = self.shown.lock().unwrap().as_ref().map(|files| files.get(&request.role).cloned());
        match (shown, &request.which) {
            (Some(file), Which::Current | Which::Sha256(_)) => {
                async move { file.ok_or(TransportError::NotThere { code: None, message: None }) }.boxed()
            }
            _ => self.honest.get(gun, request),
        }
    }
    fn change_feed<'a>(&'a self, gun: Option<&'a Gun>, from: Option<&'a str>, records: i32) -> Answer<'a, Vec<ChangeRecord>> {
        self.honest.change_feed(gun, from, records)
    }
    fn ping(&self) -> Answer<'_, ()> {
        self.honest.ping()
    }
    fn address(&self) -> &Untrusted {
        self.honest.address()
    }
    fn publish<'a>(&'a self, gun: &'a Gun, sent: &'a [(RoleName, Vec<u8>)]) -> BoxFuture<'a, Result<(), PublishError>> {
        async move {
            self.honest.publish(gun, sent).await?;
            let mut files = files(&*self.honest).await;
            (self.turn)(&mut files, &self.old);
            self.loot.vouch(&mut files);
            *self.shown.lock().unwrap() = Some(files);
            Ok(())
        }
        .boxed()
    }
    fn server_key<'a>(&'a self, gun: &'a Gun, role: ServerRole) -> Answer<'a, PublicKey> {
        self.honest.server_key(gun, role)
    }
    fn new_server_key<'a>(&'a self, gun: &'a Gun, role: ServerRole) -> Answer<'a, PublicKey> {
        self.honest.new_server_key(gun, role)
    }
    fn delete<'a>(&'a self, gun: &'a Gun) -> Answer<'a, ()> {
        self.honest.delete(gun)
    }
}

fn removes(name: &str) -> Wanted {
    Wanted::RemoveSigner { guns: vec![GUN.into()], name: name.into(), key: None }
}

/// Somebody who has seen the repository before, or nothing of it, wants something of the server. What is said, and whether
/// anything that they remembered of it is another afterwards.
async fn caught(wanted: Wanted, has_seen_it: bool, turn: Turn) -> (Result<Outcome, String>, bool) {
    let home = tempfile::tempdir().unwrap();
    let world = Sandbox::kept(Timestamp::now(), &home.path().join("world")).unwrap();
    let loot = Loot::of(&world);
    let old = files(&*world.transport()).await;
    let honest = place(&world, world.trust_dir(), world.transport());
    for (tag, signer) in [("first", "alice"), ("second", "ci")] {
        assert!(matches!(carried_out(&honest, tag_by(tag, signer)).await, Ok(Outcome::Published(_))));
    }
    let trust_dir = match has_seen_it {
        true => world.trust_dir().clone(),
        false => keys_only(world.trust_dir(), &home.path().join("new")),
    };
    let thief = Thief { honest: world.transport(), loot, old, turn, shown: Mutex::default() };
    let lied_to = place(&world, &trust_dir, Arc::new(thief));
    let remembered = || trust_dir.remembered(&Gun::new(GUN).unwrap(), 1 << 20).unwrap();
    let before = remembered();
    let said = carried_out(&lied_to, wanted).await;
    (said.map_err(|f| format!("{} {}: {}", f.exit, f.code, f.message)), remembered() == before)
}

/// The same keys where nothing was ever seen.
fn keys_only(of: &TrustDir, to: &Path) -> TrustDir {
    std::fs::create_dir_all(to.join("private")).unwrap();
    for key in claviger::keys::list(of).entries {
        std::fs::copy(&key.path, to.join("private").join(key.path.file_name().unwrap())).unwrap();
    }
    TrustDir::new(to)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thief_of_the_servers_keys_is_caught_whatever_is_shown_after_a_change() {
    let turns: [(&str, Wanted, Turn); 7] = [
        ("targets/ci", tag_by("new", "alice"), |now, old| drop(now.insert(role("targets/ci"), old[&role("targets/ci")].clone()))),
        ("targets/ci", tag_by("new", "alice"), |now, _| drop(now.remove(&role("targets/ci")))),
        ("targets/ci", tag_by("new", "alice"), |now, _| drop(now.insert(role("targets/ci"), b"{}".to_vec()))),
        ("targets/alice", tag_by("new", "alice"), |now, old| {
            now.insert(role("targets/alice"), old[&role("targets/alice")].clone());
        }),
        ("targets/releases", tag_by("new", "alice"), |now, _| drop(now.remove(&role("targets/releases")))),
        ("targets", removes("alice"), |now, old| drop(now.insert(role("targets"), old[&role("targets")].clone()))),
        ("targets/releases", removes("alice"), |now, old| {
            now.insert(role("targets/releases"), old[&role("targets/releases")].clone());
        }),
    ];
    for has_seen_it in [true, false] {
        for (n, (broken, wanted, turn)) in turns.iter().enumerate() {
            let (said, is_as_before) = caught(wanted.clone(), has_seen_it, *turn).await;
            let said = said.expect_err(&format!("{n} {has_seen_it}"));
            assert!(said.starts_with("3 unproven: ") && said.contains(broken), "{n} {has_seen_it}: {said}");
            assert!(is_as_before, "{n} {has_seen_it}");
        }
    }
    // Control: nothing but what the server may do.
    let (said, is_as_before) = caught(tag_by("new", "alice"), true, |_, _| {}).await;
    assert!(matches!(said, Ok(Outcome::Published(_))) && !is_as_before, "{said:?}");
}
