//! A sandbox that is kept: what it acknowledged is there after a restart, whatever ended it.
use crate::{
    forge::{Cert, Forge, Holder, Key, role},
    served_sandbox::Served,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use claviger::{
    sandbox::{Call, Sandbox, SandboxError, Server},
    tuf::{
        key::{KeyType, PublicKey},
        name::Gun,
    },
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::{
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

const GUN: &str = "sandbox.test/kept";
pub const FORM: (&str, &str) = ("content-type", "multipart/form-data; boundary=b");

fn later(days: i64) -> Timestamp {
    Timestamp::now().checked_add(SignedDuration::from_hours(24 * days)).unwrap()
}

/// An owner of a collection on this server, who leaves snapshots to it.
pub fn owner(server: &Server, gun: &str) -> Forge {
    let mut forge = Forge::good();
    forge.gun = Gun::new(gun).unwrap();
    let cert = Cert { from: later(-1), to: later(900), ..Cert::of(gun) };
    *forge.holder("root") = Holder::of(&[cert.around(&Key::p256("root"))]);
    for name in ["timestamp", "snapshot"] {
        let answer = server.handle(&Call::get(&format!("/v2/{gun}/_trust/tuf/{name}.key")));
        let key: Value = serde_json::from_slice(&answer.body).unwrap();
        let public = STANDARD.decode(key["keyval"]["public"].as_str().unwrap()).unwrap();
        let public = PublicKey::new(KeyType::parse(key["keytype"].as_str().unwrap()), public);
        *forge.holder(name) = Holder::of(&[Key { public, ..Key::p256("nobody") }]);
    }
    for name in forge.holders.keys() {
        forge.versions.insert(name.clone(), 1);
        forge.expires.insert(name.clone(), later(500));
    }
    forge
}

/// A form with these files, as [`FORM`] says.
pub fn form(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, bytes) in files {
        body.extend(format!("--b\r\nContent-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n\r\n").bytes());
        body.extend(bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--b--");
    body
}

/// Publishes files; the status.
fn publish(server: &Server, gun: &str, files: &[(&str, Vec<u8>)]) -> u16 {
    let body = form(files);
    let headers = [(FORM.0.to_owned(), FORM.1.to_owned())];
    server.handle(&Call::new("POST", &format!("/v2/{gun}/_trust/tuf/")).with_headers(&headers).with_body(&body)).status
}

/// Everything that can be asked of a server.
fn all(server: &Server) -> Vec<Vec<u8>> {
    let get = |path: String| server.handle(&Call::get(&path)).body;
    let files = server.guns().into_iter().flat_map(|gun| {
        let names = [
            "root.json",
            "targets.json",
            "snapshot.json",
            "timestamp.json",
            "targets/releases.json",
            "timestamp.key",
            "snapshot.key",
        ];
        names.map(|n| format!("/v2/{gun}/_trust/tuf/{n}"))
    });
    let mut all: Vec<_> = files.map(get).collect();
    all.push(server.handle(&Call::get("/v2/_trust/changefeed").with_query("records=10000")).body);
    all
}

#[test]
fn what_was_acknowledged_is_there_after_a_restart() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("kept");
    let sandbox = Sandbox::kept(Timestamp::now(), &dir).unwrap();
    let server = sandbox.server();
    let mut forge = owner(server, GUN);
    assert_eq!(publish(server, GUN, &[("root", forge.root_file()), ("targets", forge.targets_file(&role("targets")))]), 200);
    forge.versions.insert(role("targets"), 2);
    assert_eq!(publish(server, GUN, &[("targets", forge.targets_file(&role("targets")))]), 200);
    // A key that was asked for and waits for its root; a collection that is deleted.
    let waiting = server.handle(&Call::new("POST", &format!("/v2/{GUN}/_trust/tuf/timestamp.key"))).body;
    assert_eq!(server.handle(&Call::new("DELETE", "/v2/sandbox.test/shop/docs/_trust/tuf/")).status, 200);
    let before = all(server);
    assert!(matches!(Sandbox::kept(Timestamp::now(), &dir), Err(SandboxError::Memory { .. })), "two at a time");
    drop(sandbox);
    // A program that another test starts at this moment has the lock too, until it runs.
    let deadline = Instant::now() + Duration::from_secs(20);
    let again = loop {
        match Sandbox::kept(Timestamp::now(), &dir) {
            Err(SandboxError::Memory { .. }) if Instant::now() < deadline => std::thread::yield_now(),
            opened => break opened.unwrap(),
        }
    };
    let server = again.server();
    assert_eq!(all(server), before);
    assert_eq!(server.handle(&Call::new("POST", &format!("/v2/{GUN}/_trust/tuf/timestamp.key"))).body, waiting);
    assert_eq!(server.handle(&Call::get("/v2/sandbox.test/shop/docs/_trust/tuf/root.json")).status, 404);
    // It goes on.
    forge.versions.insert(role("targets"), 3);
    assert_eq!(publish(server, GUN, &[("targets", forge.targets_file(&role("targets")))]), 200);
}

#[test]
fn a_line_that_was_cut_off_never_happened_and_one_that_was_changed_is_not_believed() {
    let place = tempfile::tempdir().unwrap();
    let clock = || Arc::new(Timestamp::now);
    let file = place.path().join("memory");
    let server = Server::create(clock(), &file, []).unwrap();
    let mut forge = owner(&server, GUN);
    assert_eq!(publish(&server, GUN, &[("root", forge.root_file()), ("targets", forge.targets_file(&role("targets")))]), 200);
    let (before, length) = (all(&server), fs::metadata(&file).unwrap().len());
    forge.versions.insert(role("targets"), 2);
    assert_eq!(publish(&server, GUN, &[("targets", forge.targets_file(&role("targets")))]), 200);
    drop(server);
    let whole = fs::read(&file).unwrap();
    for cut in [whole.len() as u64 - 1, length + 1, (length + whole.len() as u64) / 2] {
        fs::write(&file, &whole[..usize::try_from(cut).unwrap()]).unwrap();
        let server = Server::open(clock(), &file).unwrap();
        assert_eq!(all(&server), before, "cut at {cut}");
        assert_eq!(fs::metadata(&file).unwrap().len(), length);
        assert_eq!(publish(&server, GUN, &[("targets", forge.targets_file(&role("targets")))]), 200);
    }
    let mut changed = whole.clone();
    changed[usize::try_from(length).unwrap() - 9] = b'\n';
    fs::write(&file, &changed).unwrap();
    assert!(Server::open(clock(), &file).is_err());
    assert_eq!(fs::read(&file).unwrap(), changed, "nothing is mended in it");
}

#[test]
fn only_a_sandbox_is_destroyed_and_only_what_is_of_it() {
    let place = tempfile::tempdir().unwrap();
    let destroy = |dir: &Path| Sandbox::destroy(dir);
    assert!(matches!(destroy(place.path()), Err(SandboxError::NotOurs(_))));
    let (dir, mine) = (place.path().join("kept"), place.path().join("mine"));
    fs::create_dir(&mine).unwrap();
    fs::write(mine.join("file"), "x").unwrap();
    let sandbox = Sandbox::kept(Timestamp::now(), &dir).unwrap();
    assert!(matches!(destroy(&dir), Err(SandboxError::Memory { .. })), "while it is served");
    drop(sandbox);
    // A link is removed, not what it leads to.
    fs::remove_dir_all(dir.join("registry")).unwrap();
    std::os::unix::fs::symlink(&mine, dir.join("registry")).unwrap();
    fs::write(dir.join("notes"), "mine").unwrap();
    let left = destroy(&dir).unwrap();
    assert_eq!(left, [dir.join("notes").to_string_lossy()]);
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 1);
    assert!(mine.join("file").exists());
    assert!(matches!(destroy(&dir), Err(SandboxError::NotOurs(_))));
    // One whose making was cut off can be ended too.
    let half = place.path().join("half");
    drop(Sandbox::kept(Timestamp::now(), &half).unwrap());
    fs::write(half.join("server.jsonl"), "{").unwrap();
    assert!(matches!(Sandbox::kept(Timestamp::now(), &half), Err(SandboxError::Memory { .. })));
    assert_eq!(destroy(&half).unwrap(), Vec::<String>::new());
    assert!(!half.exists());
}

#[test]
fn a_kept_sandbox_is_served_again_with_what_was_done_in_it() {
    let place = tempfile::tempdir().unwrap();
    let dir = place.path().join("kept");
    let first = Served::kept(&dir);
    let made = first.claviger(&["tags", "sandbox.test/shop/frontend", "--json"]);
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    assert_eq!(first.end(), Some(0));
    assert!(dir.join("server.jsonl").exists());
    let second = Served::kept(&dir);
    assert_eq!(second.claviger(&["tags", "sandbox.test/shop/frontend", "--json"]).stdout, made.stdout);
    assert_eq!(second.end(), Some(0));
}
