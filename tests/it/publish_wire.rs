//! Writing to a Notary server through our own client: the real server, the sandbox's over HTTP and the sandbox's without a
//! socket give the same answers to the same publications; with tokens no more is asked for than is needed.
mod misbehaving;
mod with_tokens;

use crate::{
    forge::{Forge, Holder, Key, edit, role},
    peers::{
        program::{program, run, scratch},
        server::NotaryServer,
    },
    sandbox_publish::told::{Owner, in_days, root_key},
};
use claviger::{
    keys::{NewKey, PrivateKey, Signer as _, certificate::root_certificate, generate},
    net::HttpSettings,
    notary::{Change, PublishError, ServerRole, Transport, TransportError, http::Http},
    sandbox::{Authority, InProcess, Server, Shell},
    tuf::{
        envelope::{Common, Expiry, Payload},
        file_meta::FileMeta,
        key::{KeyType, PublicKey},
        name::{BaseRole, Gun, RoleName},
        request::{Request, Which},
        role_keys::KeyIds,
        root::Root,
        sign::Unsigned,
        targets::Targets,
    },
};
use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::Arc,
};

type Files = Vec<(RoleName, Vec<u8>)>;

fn gun(name: &str) -> Gun {
    Gun::new(name).unwrap()
}

fn http(url: String, ca: PathBuf) -> Http {
    Http::new(&HttpSettings { ca: Some(ca), ..HttpSettings::new(url) }).unwrap()
}

fn sandbox() -> Arc<Server> {
    Arc::new(Server::new(Arc::new(Timestamp::now), []))
}

fn files(parts: &[(&str, Vec<u8>)]) -> Files {
    parts.iter().map(|(name, bytes)| (role(name), bytes.clone())).collect()
}

/// What of an answer must be the same for every server: its kind, and its words but for hashes.
fn essence(answer: &Result<(), PublishError>) -> String {
    let is_hash = |w: &str| matches!(w.len(), 64 | 128) && w.bytes().all(|b| b.is_ascii_hexdigit());
    match answer {
        Ok(()) => "accepted".to_owned(),
        Err(e) => e.to_string().split(' ').map(|w| if is_hash(w) { "#" } else { w }).collect::<Vec<_>>().join(" "),
    }
}

/// An owner whose server, behind a transport, makes timestamps, and snapshots too if they are left to it.
async fn owner(transport: &dyn Transport, name: &str, leaves_snapshots: bool) -> Owner {
    let mut forge = Forge::good();
    forge.gun = gun(name);
    *forge.holder("root") = Holder::of(&[root_key(name, "root")]);
    for name in forge.holders.keys() {
        forge.versions.insert(name.clone(), 1);
        forge.expires.insert(name.clone(), in_days(500));
    }
    let roles = [ServerRole::Timestamp, ServerRole::Snapshot];
    for which in roles.into_iter().filter(|r| *r == ServerRole::Timestamp || leaves_snapshots) {
        let public = transport.server_key(&gun(name), which).await.unwrap();
        *forge.holder(which.as_str()) = Holder::of(&[Key { public, ..Key::p256("nobody has the private half") }]);
    }
    Owner { gun: name.to_owned(), forge }
}

/// Which timestamp the server has: it makes a new one at every publication.
async fn timestamp(transport: &dyn Transport, gun: &Gun) -> Result<Vec<u8>, TransportError> {
    let request = Request { role: role("timestamp"), which: Which::Current, limit: 1 << 20 };
    transport.get(gun, &request).await
}

/// What a server is told, and what it answers.
struct Story<'t> {
    transport: &'t dyn Transport,
    answers: Vec<(&'static str, String)>,
}

impl Story<'_> {
    /// Publishes; the timestamp says whether anything was stored.
    async fn publish(&mut self, what: &'static str, name: &str, parts: &[(&str, Vec<u8>)]) {
        let before = timestamp(self.transport, &gun(name)).await.ok();
        let answer = self.transport.publish(&gun(name), &files(parts)).await;
        let after = timestamp(self.transport, &gun(name)).await.ok();
        assert_eq!(before != after, answer.is_ok(), "{what}: {answer:?}");
        assert!(answer.as_ref().err().is_none_or(PublishError::is_certain), "{what}: {answer:?}");
        self.answers.push((what, essence(&answer)));
    }
}

/// Publications of every kind that a server tells apart.
async fn tell(transport: &dyn Transport) -> Vec<(&'static str, String)> {
    let mut story = Story { transport, answers: Vec::new() };
    let name = "lab.test/wire";
    let mut o = owner(transport, name, true).await;
    story.publish("no root at all", name, &[("targets", o.file("targets"))]).await;
    story.publish("the first", name, &[("root", o.root()), ("targets", o.file("targets"))]).await;
    story.publish("the same again", name, &[("root", o.root()), ("targets", o.file("targets"))]).await;
    story.publish("delegations", name, &[("targets/a", o.file("targets/a")), ("targets/a/b", o.file("targets/a/b"))]).await;
    story.publish("no JSON", name, &[("targets", b"hello".to_vec())]).await;
    let another = Key::p256("another");
    o.version("targets", 2);
    let by_another = edit::seal(edit::signed_text(&o.file("targets")).as_bytes(), another.alone());
    story.publish("targets by another", name, &[("targets", by_another)]).await;
    let mut stranger = o.forge.clone();
    stranger.add_role("targets/nobody");
    let file = stranger.targets_file(&role("targets/nobody"));
    story.publish("a delegation that nobody made", name, &[("targets/nobody", file)]).await;
    o.version("root", 3);
    story.publish("root 3 after 1", name, &[("root", o.root())]).await;
    o.version("root", 2);
    let mut thief = o.forge.clone();
    *thief.holder("root") = Holder::of(&[root_key(name, "a thief's")]);
    story.publish("a thief's root", name, &[("root", thief.root_file())]).await;
    o.version("root", 1);
    story.publish("nothing", name, &[]).await;

    let name = "lab.test/wire/own-snapshots";
    let mut o = owner(transport, name, false).await;
    let both = ["root", "targets"];
    story.publish("no snapshot", name, &[("root", o.root()), ("targets", o.file("targets"))]).await;
    let by_another = edit::seal(edit::signed_text(&o.snapshot(&both)).as_bytes(), another.alone());
    let (root, targets) = (o.root(), o.file("targets"));
    story.publish("a snapshot by another", name, &[("root", root), ("targets", targets), ("snapshot", by_another)]).await;
    let all = [("root", o.root()), ("targets", o.file("targets")), ("snapshot", o.snapshot(&both))];
    story.publish("one's own snapshot", name, &all).await;
    o.version("targets", 2);
    let older = [("targets", o.file("targets")), ("snapshot", o.snapshot(&both))];
    story.publish("a snapshot that is not newer", name, &older).await;

    let name = "lab.test/wire/own-timestamp";
    let mut o = owner(transport, name, true).await;
    *o.forge.holder("timestamp") = Holder::of(&[Key::p256("mine")]);
    story.publish("a timestamp key of one's own", name, &[("root", o.root()), ("targets", o.file("targets"))]).await;
    story.answers
}

#[tokio::test(flavor = "multi_thread")]
async fn every_publication_has_the_same_outcome_with_the_real_server_and_the_sandbox_with_and_without_a_socket() {
    let real = NotaryServer::memory_local();
    let shell = Shell::start(&Authority::new().unwrap(), sandbox().service(), 0).unwrap();
    let ca = scratch("wire").join("ca.crt");
    std::fs::write(&ca, shell.ca_pem()).unwrap();
    let theirs = tell(&http(real.url(), real.ca())).await;
    let served = tell(&http(shell.url(), ca)).await;
    let in_process = tell(&InProcess::new(sandbox())).await;
    assert_eq!(served, theirs);
    assert_eq!(in_process, theirs);
    let wanted = [
        ("no root at all", "ErrValidation"),
        ("the first", "accepted"),
        ("the same again", "a newer version"),
        ("delegations", "accepted"),
        ("no JSON", "MALFORMED_JSON"),
        ("targets by another", "ErrBadTargets"),
        ("a delegation that nobody made", "ErrBadTargets"),
        ("root 3 after 1", "ErrBadRoot"),
        ("a thief's root", "ErrBadRoot"),
        ("nothing", "accepted"),
        ("no snapshot", "ErrBadHierarchy"),
        ("a snapshot by another", "ErrBadSnapshot"),
        ("one's own snapshot", "accepted"),
        ("a snapshot that is not newer", "a newer version"),
        ("a timestamp key of one's own", "ErrBadRoot"),
    ];
    assert_eq!(theirs.len(), wanted.len());
    for ((what, answer), (case, part)) in theirs.iter().zip(wanted) {
        println!("{what}: {answer}");
        assert_eq!(*what, case);
        assert!(answer.contains(part), "{what}: {answer}");
    }
    shell.stop().await;
}

/// A file as this program makes it.
fn signed<T: Payload>(payload: &T, id: &PublicKey, key: &PrivateKey) -> Vec<u8> {
    let mut unsigned = Unsigned::new(payload).unwrap();
    let signature = key.sign(unsigned.bytes()).unwrap();
    unsigned.add(id.id(), signature.method, signature.bytes);
    unsigned.into_file().unwrap()
}

/// A first publication with keys that this program made: a root and `targets` with one tag.
fn first(name: &Gun, tag: &str, server: [PublicKey; 2]) -> Files {
    let (root_key, targets_key) = (generate(NewKey::EcdsaP256).unwrap(), generate(NewKey::EcdsaP256).unwrap());
    let (from, to) = (in_days(-1), in_days(3650));
    let certificate = root_certificate(name, &root_key, &mut getrandom::fill, from, to).unwrap();
    let certified = PublicKey::new(KeyType::EcdsaX509, certificate.into_bytes());
    let [timestamp, snapshot] = server;
    let by_role = [
        (BaseRole::Root, certified.clone()),
        (BaseRole::Targets, targets_key.public().clone()),
        (BaseRole::Snapshot, snapshot),
        (BaseRole::Timestamp, timestamp),
    ];
    let keys = by_role.iter().map(|(_, k)| (k.id(), k.clone())).collect();
    let common = || Common { version: 1, expires: Expiry::at(in_days(1000)) };
    let root = Root::new(common(), keys, by_role.map(|(r, k)| (r, KeyIds::new(vec![k.id()], 1))));
    let tags = [(tag.into(), FileMeta::from_sha256(528, Sha256::digest(tag).into()))].into();
    let targets = Targets::new(common(), tags, Default::default(), Vec::new());
    let targets_public = targets_key.public().clone();
    files(&[("root", signed(&root, &certified, &root_key)), ("targets", signed(&targets, &targets_public, &targets_key))])
}

/// What the unmodified `notary` lists of a repository that it has never seen.
fn listed(url: &str, ca: &Path, name: &Gun) -> String {
    let trust = scratch("wire-reader").into_os_string();
    let arguments: [OsString; 8] = [
        "-s".into(),
        url.into(),
        "--tlscacert".into(),
        ca.into(),
        "-d".into(),
        trust.clone(),
        "list".into(),
        name.as_str().into(),
    ];
    let environment = [("HOME", trust), ("PCSCLITE_CSOCK_NAME", "/nonexistent".into())];
    run(&program("notary"), &arguments, &environment, "").ok().stdout
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_publication_is_accepted_and_notary_reads_it() {
    let real = NotaryServer::memory_local();
    let shell = Shell::start(&Authority::new().unwrap(), sandbox().service(), 0).unwrap();
    let ca = scratch("wire").join("ca.crt");
    std::fs::write(&ca, shell.ca_pem()).unwrap();
    for (url, ca) in [(real.url(), real.ca()), (shell.url(), ca)] {
        let transport = http(url.clone(), ca.clone());
        let name = gun("lab.test/wire/first/publication");
        let key = async |role| transport.server_key(&name, role).await.unwrap();
        let server = [key(ServerRole::Timestamp).await, key(ServerRole::Snapshot).await];
        transport.publish(&name, &first(&name, "a-tag-of-ours", server)).await.unwrap();
        let out = listed(&url, &ca, &name);
        assert!(out.contains("a-tag-of-ours") && out.contains("528") && out.contains("targets"), "{url}: {out}");
    }
    shell.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_given_and_renewed_and_everything_is_deleted_as_by_the_real_server() {
    let server = NotaryServer::memory_local();
    let (real, in_process) = (http(server.url(), server.ca()), InProcess::new(sandbox()));
    for transport in [&real as &dyn Transport, &in_process] {
        let name = gun("lab.test/wire/keys");
        transport.delete(&name).await.unwrap();
        let mut o = owner(transport, name.as_str(), true).await;
        let parts = [("root", o.root()), ("targets", o.file("targets"))];
        transport.publish(&name, &files(&parts)).await.unwrap();
        for (which, version) in [(ServerRole::Timestamp, 2), (ServerRole::Snapshot, 3)] {
            let named = transport.server_key(&name, which).await.unwrap();
            assert_eq!(named.id(), o.forge.holders[&role(which.as_str())].named[0].id(), "the one that the root names");
            let new = transport.new_server_key(&name, which).await.unwrap();
            assert_ne!(new.id(), named.id());
            assert_eq!(transport.server_key(&name, which).await.unwrap().id(), named.id(), "no root names the new one yet");
            *o.forge.holder(which.as_str()) = Holder::of(&[Key { public: new.clone(), ..Key::p256("nobody") }]);
            let root = o.version("root", version).root();
            transport.publish(&name, &files(&[("root", root)])).await.unwrap();
            assert_eq!(transport.server_key(&name, which).await.unwrap().id(), new.id());
        }
        transport.delete(&name).await.unwrap();
        assert!(matches!(timestamp(transport, &name).await, Err(TransportError::NotThere { .. })));
        let changes = transport.change_feed(Some(&name), None, 100).await.unwrap();
        assert_eq!(changes.iter().map(|c| &c.change).filter(|c| **c == Change::Deletion).count(), 1);
        transport.delete(&name).await.unwrap();
    }
}
