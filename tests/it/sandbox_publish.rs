//! What is published to the sandbox's server is taken or refused as the real one does, in its words: the same story is
//! told to both.
pub mod told;
mod updating;

use crate::{
    forge::{Cert, Holder, Key, edit, role},
    peers::server::NotaryServer,
    sandbox_support::{ask, send},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use claviger::{
    sandbox::{Authority, Server, Shell},
    tuf::key::{KeyType, PublicKey},
};
use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use told::{FORM, Owner, Told, body, in_days, root_key};

/// Bodies that are none, and parts that are none.
fn syntax(told: &mut Told) {
    let gun = "lab.test/syntax";
    told.post("no form", gun, "", b"");
    told.post("another form", gun, "Content-Type: application/json\r\n", b"{}");
    told.post("no boundary", gun, "Content-Type: multipart/form-data\r\n", &body(&[("root", b"{}")]));
    told.post("no part", gun, FORM, &body(&[]));
    // Not a body that is cut off: at that the real server breaks down, and answers nothing.
    told.post(
        "no name",
        gun,
        FORM,
        b"--frontier\r\nContent-Disposition: form-data; name=\"files\"\r\n\r\n{}\r\n--frontier--\r\n",
    );
    for name in ["", ".json", "bogus", "Root", "targets/A", "targets//a", "root.json.json", "<&>"] {
        told.publish(&format!("the name {name:?}"), gun, &[(name, b"{}")]);
    }
    for json in [
        "",
        "hello",
        "[]",
        "{}",
        "{\"signed\":[]}",
        "{\"signed\":{\"version\":\"1\"}}",
        "{\"signed\":{\"version\":1.5}}",
        "{\"signed\":{\"expires\":\"tomorrow\"}}",
        "{\"signed\":{\"expires\":1}}",
        "{\"signed\":{\"_type\":1}}",
        "{\"signatures\":{}}",
        "{\"signatures\":[{\"sig\":\"?\"}]}",
        "{\"signatures\":[{\"keyid\":1}]}",
        "{\"signed\":null,\"signatures\":null}",
        "{\"signed\":{\"version\":99999999999999999999}}",
    ] {
        told.publish(&format!("targets {json}"), gun, &[("targets", json.as_bytes())]);
    }
}

/// What spoils an owner's root.
type Spoil = fn(&mut Owner);
/// Another layout of a file.
type Layout = fn(&str) -> String;

/// Roots that are the first of a collection.
fn first_roots(told: &mut Told) {
    let fresh = |told: &Told, name: &str| Owner::leaving_snapshots(told, &format!("lab.test/first/{name}"));
    let owner = fresh(told, "none");
    told.publish("no root at all", &owner.gun, &[("targets", &owner.file("targets"))]);
    told.publish("a delegation alone", &owner.gun, &[("targets/a", &owner.file("targets/a"))]);
    told.publish("no targets", &owner.gun, &[("root", &owner.root())]);
    let mut owner = fresh(told, "version");
    for version in [3, 100] {
        let root = owner.version("root", version).root();
        told.publish(&format!("root {version} first"), &owner.gun, &[("root", &root), ("targets", &owner.file("targets"))]);
    }
    let root = owner.version("root", 2).root();
    told.publish("root 2 first", &owner.gun, &[("root", &root), ("targets", &owner.file("targets"))]);
    told.look("root 2 first", &owner.gun);

    let bad: [(&str, Spoil); 7] = [
        ("of another collection", |o| *o.forge.holder("root") = Holder::of(&[root_key("lab.test/other", "root")])),
        ("bare", |o| *o.forge.holder("root") = Holder::of(&[Key::p256("root")])),
        ("signed by another", |o| o.forge.holder("root").signing = vec![root_key(&o.gun, "another")]),
        ("unsigned", |o| o.forge.holder("root").signing = Vec::new()),
        ("without enough keys", |o| o.forge.holder("root").threshold = 2),
        ("whose certificate is over", |o| {
            let cert = Cert { from: in_days(-20), to: in_days(-10), ..Cert::of(&o.gun) };
            *o.forge.holder("root") = Holder::of(&[cert.around(&Key::p256("root"))]);
        }),
        ("whose certificate begins in ten days", |o| {
            let cert = Cert { from: in_days(10), to: in_days(20), ..Cert::of(&o.gun) };
            *o.forge.holder("root") = Holder::of(&[cert.around(&Key::p256("root"))]);
        }),
    ];
    for (what, change) in bad {
        let mut owner = fresh(told, &what.replace(' ', "-"));
        change(&mut owner);
        told.publish(&format!("a root {what}"), &owner.gun, &[("root", &owner.root()), ("targets", &owner.file("targets"))]);
    }
    let mut owner = fresh(told, "over");
    let at = "2020-02-03T04:05:06Z".parse().unwrap();
    owner.forge.expires.insert(role("root"), at);
    told.publish("a root that is over", &owner.gun, &[("root", &owner.root()), ("targets", &owner.file("targets"))]);
    let mut owner = fresh(told, "timestamp");
    *owner.forge.holder("timestamp") = Holder::of(&[Key::p256("mine")]);
    told.publish("a timestamp key of one's own", &owner.gun, &[("root", &owner.root()), ("targets", &owner.file("targets"))]);
    let owner = Owner::new(told, "lab.test/first/snapshot");
    told.publish("no snapshot", &owner.gun, &[("root", &owner.root()), ("targets", &owner.file("targets"))]);
}

/// Targets and delegations, where the server makes snapshots.
fn targets(told: &mut Told) {
    let gun = "lab.test/targets";
    let mut owner = Owner::leaving_snapshots(told, gun);
    told.publish("the first", gun, &[("root", &owner.root()), ("targets", &owner.file("targets"))]);
    told.look("the first", gun);
    told.publish("the same again", gun, &[("targets", &owner.file("targets"))]);
    told.publish("the same root again", gun, &[("root", &owner.root())]);
    owner.version("targets", 2);
    let good = owner.file("targets");
    let another = Key::p256("another");
    told.publish("signed by another", gun, &[("targets", &edit::seal(edit::signed_text(&good).as_bytes(), another.alone()))]);
    told.publish("unsigned", gun, &[("targets", &edit::seal(edit::signed_text(&good).as_bytes(), &[]))]);
    told.publish(
        "changed afterwards",
        gun,
        &[("targets", &String::from_utf8(good.clone()).unwrap().replace("\"version\":2", "\"version\":3").into_bytes())],
    );
    for version in [0, -1] {
        let signers = owner.forge.signers(&role("targets"));
        let file = edit::reseal(&good, &signers, |t| edit::replace(&t, "\"version\":2", &format!("\"version\":{version}")));
        told.publish(&format!("version {version}"), gun, &[("targets", &file)]);
    }
    let mut late = Owner { gun: gun.to_owned(), forge: owner.forge.clone() };
    late.forge.expires.insert(role("targets"), "2020-12-31T23:59:59Z".parse().unwrap());
    told.publish("over", gun, &[("targets", &late.file("targets"))]);
    told.look("after all these", gun);

    let mut stranger = owner.forge.clone();
    stranger.add_role("targets/nobody");
    stranger.add_role("targets/a/nobody");
    for name in ["targets/nobody", "targets/a/nobody", "targets/nobody/at-all"] {
        stranger.add_role(name);
        told.publish(&format!("{name} to whom nobody delegates"), gun, &[(name, &stranger.targets_file(&role(name)))]);
    }
    told.publish("a delegation below one that is not there", gun, &[("targets/a/b", &owner.file("targets/a/b"))]);
    told.publish("a delegation", gun, &[("targets/a", &owner.file("targets/a"))]);
    told.look("a delegation", gun);
    told.publish("a delegation below", gun, &[("targets/a/b", &owner.file("targets/a/b"))]);
    told.look("a delegation below", gun);
    owner.version("targets/a", 2);
    let file = edit::seal(edit::signed_text(&owner.file("targets/a")).as_bytes(), another.alone());
    told.publish("a delegation signed by another", gun, &[("targets/a", &file)]);
    told.publish("one good and one bad", gun, &[("targets", &good), ("targets/a", &file)]);
    told.look("one good and one bad", gun);

    told.publish("nothing", gun, &[]);
    told.look("nothing", gun);
    told.publish("a timestamp alone", gun, &[("timestamp", b"{\"signed\":{\"version\":9}}")]);
    told.look("a timestamp alone", gun);
    told.publish("twice, first the bad one", gun, &[("targets/a", &file), ("targets/a", &owner.file("targets/a"))]);
    owner.version("targets", 9);
    told.publish("versions are left out, and names end in .json", gun, &[("targets.json", &owner.file("targets"))]);
    told.look("versions are left out", gun);
    owner.version("targets", 8);
    told.publish("a version that was left out", gun, &[("targets", &owner.file("targets"))]);
}

/// Roots that follow one another.
fn later_roots(told: &mut Told) {
    let gun = "lab.test/later";
    let mut owner = Owner::leaving_snapshots(told, gun);
    told.publish("begin", gun, &[("root", &owner.root()), ("targets", &owner.file("targets"))]);
    for version in [3, 7] {
        let root = owner.version("root", version).root();
        told.publish(&format!("root {version} after 1"), gun, &[("root", &root)]);
    }
    owner.version("root", 2);
    let mut thief = owner.forge.clone();
    *thief.holder("root") = Holder::of(&[root_key(gun, "a thief's")]);
    told.publish("a thief's root", gun, &[("root", &thief.root_file())]);
    // A new key, signed with the old one too.
    let (old, new) = (root_key(gun, "root"), root_key(gun, "new root"));
    let mut next = owner.forge.clone();
    *next.holder("root") = Holder { named: vec![new.clone()], signing: vec![old.clone()], threshold: 1 };
    told.publish("a root signed with the old key only", gun, &[("root", &next.root_file())]);
    *next.holder("root") = Holder { named: vec![new.clone()], signing: vec![old.clone(), new.clone()], threshold: 1 };
    told.publish("a new root key", gun, &[("root", &next.root_file())]);
    told.look("a new root key", gun);
    told.publish("the root of before", gun, &[("root", &owner.root())]);
    owner.forge = next;
    *owner.forge.holder("root") = Holder::of(&[new]);

    // New targets keys, and nothing signed with them: nobody can read it any more, and delegations cannot be added.
    owner.version("root", 3);
    *owner.forge.holder("targets") = Holder::of(&[Key::p256("new targets")]);
    told.publish("new targets keys, and no targets", gun, &[("root", &owner.root())]);
    told.publish("a delegation after that", gun, &[("targets/a", &owner.file("targets/a"))]);
    owner.version("targets", 2);
    told.publish("targets by the new key", gun, &[("targets", &owner.file("targets"))]);
    told.look("targets by the new key", gun);

    // The server's own keys: what is asked for is used when a root names it.
    let answer = ask(told.address, &told.ca, "POST", &format!("/v2/{gun}/_trust/tuf/timestamp.key"));
    assert_eq!(answer.status, 200);
    let key: Value = serde_json::from_slice(&answer.body).unwrap();
    let before = told.key(gun, "timestamp");
    assert_ne!(STANDARD.encode(before.public.public_bytes()), key["keyval"]["public"].as_str().unwrap());
    let public = STANDARD.decode(key["keyval"]["public"].as_str().unwrap()).unwrap();
    let public = PublicKey::new(KeyType::parse(key["keytype"].as_str().unwrap()), public);
    *owner.forge.holder("timestamp") = Holder::of(&[Key { public: public.clone(), ..Key::p256("nobody") }]);
    owner.version("root", 4);
    told.publish("a new timestamp key", gun, &[("root", &owner.root())]);
    assert_eq!(told.key(gun, "timestamp").id(), public.id());
    told.look("a new timestamp key", gun);
}

/// Snapshots that owners make themselves, and files in another layout than Notary's.
fn snapshots(told: &mut Told) {
    let gun = "lab.test/snapshots";
    let mut owner = Owner::new(told, gun);
    let both = ["root", "targets"];
    let snapshot = owner.snapshot(&both);
    let (root, targets) = (owner.root(), owner.file("targets"));
    told.publish(
        "a snapshot of another root",
        gun,
        &[
            ("root", &root),
            ("targets", &targets),
            ("snapshot", &{
                let mut other = owner.forge.clone();
                other.expires.insert(role("root"), in_days(400));
                Owner { gun: gun.into(), forge: other }.snapshot(&both)
            }),
        ],
    );
    let signed = edit::signed_text(&snapshot);
    told.publish(
        "a snapshot by another",
        gun,
        &[("root", &root), ("targets", &targets), ("snapshot", &edit::seal(signed.as_bytes(), Key::p256("another").alone()))],
    );
    told.publish(
        "a snapshot without signatures",
        gun,
        &[("root", &root), ("targets", &targets), ("snapshot", &edit::seal(signed.as_bytes(), &[]))],
    );
    let mut late = owner.forge.clone();
    late.expires.insert(role("snapshot"), "2020-01-01T00:00:00Z".parse().unwrap());
    told.publish(
        "a snapshot that is over",
        gun,
        &[("root", &root), ("targets", &targets), ("snapshot", &Owner { gun: gun.into(), forge: late }.snapshot(&both))],
    );
    told.publish("a snapshot and no targets", gun, &[("root", &root), ("snapshot", &snapshot)]);
    let gun = "lab.test/snapshots/2";
    owner = Owner::new(told, gun);
    told.publish(
        "a snapshot",
        gun,
        &[("root", &owner.root()), ("targets", &owner.file("targets")), ("snapshot", &owner.snapshot(&both))],
    );
    told.look("a snapshot", gun);
    owner.version("targets", 2);
    told.publish(
        "a snapshot that is not newer",
        gun,
        &[("targets", &owner.file("targets")), ("snapshot", &owner.snapshot(&both))],
    );
    told.publish("targets without a snapshot", gun, &[("targets", &owner.file("targets"))]);
    owner.version("snapshot", 2);
    told.publish(
        "a snapshot that does not name what came with it",
        gun,
        &[("targets", &owner.file("targets")), ("targets/a", &owner.file("targets/a")), ("snapshot", &owner.snapshot(&both))],
    );
    told.publish("a newer snapshot", gun, &[("targets", &owner.file("targets")), ("snapshot", &owner.snapshot(&both))]);
    told.look("a newer snapshot", gun);

    // The server vouches for what it would have written itself (protocol 4.5).
    let layouts: [(&str, Layout); 4] = [
        ("with a line end", |t| format!("{t}\n")),
        ("with spaces", |t| t.replacen(':', ": ", 1)),
        ("with a member of no meaning", |t| t.replacen("\"signatures\":[{", "\"signatures\":[{\"more\":1,", 1)),
        ("with a method in capitals", |t| t.replacen("\"method\":\"ecdsa\"", "\"method\":\"ECDSA\"", 1)),
    ];
    for (days, (what, change)) in (600..).zip(layouts) {
        let gun = format!("lab.test/layout/{}", what.replace(' ', "-"));
        let mut owner = Owner::leaving_snapshots(told, &gun);
        // Not the file of another repository: see `of_another`.
        owner.forge.expires.insert(role("targets"), in_days(days));
        let text = String::from_utf8(owner.file("targets")).unwrap();
        told.publish(&format!("targets {what}"), &gun, &[("root", &owner.root()), ("targets", change(&text).as_bytes())]);
        let snapshot: Value = serde_json::from_slice(&told.get(&gun, "tuf/snapshot.json").body).unwrap();
        let named = STANDARD.decode(snapshot["signed"]["meta"]["targets"]["hashes"]["sha256"].as_str().unwrap()).unwrap();
        let answer = told.get(&gun, &format!("tuf/targets.{}.json", base16ct::lower::encode_string(&named)));
        assert_eq!(answer.status, 404, "{what}");
        told.note(&format!("targets {what} are read"), &answer);
    }
}

/// Deletion, and the change feed of all that.
fn deletion(told: &mut Told) {
    let gun = "lab.test/deleted";
    let owner = Owner::leaving_snapshots(told, gun);
    let delete = |told: &mut Told, what: &str| {
        let answer = ask(told.address, &told.ca, "DELETE", &format!("/v2/{gun}/_trust/tuf/"));
        told.note(what, &answer);
    };
    delete(told, "delete what is not there");
    let parts = [("root", owner.root()), ("targets", owner.file("targets"))];
    let parts: Vec<(&str, &[u8])> = parts.iter().map(|(n, b)| (*n, b.as_slice())).collect();
    told.publish("before", gun, &parts);
    delete(told, "delete");
    let answer = told.get(gun, "tuf/root.json");
    told.note("after it was deleted", &answer);
    told.publish("the same once more", gun, &parts);
    told.look("the same once more", gun);
    delete(told, "delete again");
    let feed = ask(told.address, &told.ca, "GET", "/v2/_trust/changefeed?records=1000");
    let feed: Value = serde_json::from_slice(&feed.body).unwrap();
    let records = feed["records"].as_array().unwrap().iter();
    let story: Vec<_> = records.map(|r| format!("{} {} {}\n", r["GUN"], r["Version"], r["Category"])).collect();
    // A database fills the hash of a deletion, which has none, with spaces to the width of its column.
    let hashes = feed["records"].as_array().unwrap().iter();
    assert!(
        hashes.map(|r| (r["Category"] == "deletion", r["SHA256"].as_str().unwrap().trim_end_matches(' ').len())).all(|x| [
            (true, 0),
            (false, 64)
        ]
        .contains(&x))
    );
    told.answers.push(("the change feed".into(), 0, story.concat(), Vec::new()));
}

/// Asks one repository by its hash for a file that only another has; the status of the answer.
fn of_another(told: &Told) -> u16 {
    let mut hash = String::new();
    for (days, gun) in [(700, "lab.test/another/there"), (701, "lab.test/another/here")] {
        let mut owner = Owner::leaving_snapshots(told, gun);
        owner.forge.expires.insert(role("targets"), in_days(days));
        let parts = [("root", owner.root()), ("targets", owner.file("targets"))];
        let parts: Vec<(&str, &[u8])> = parts.iter().map(|(n, b)| (*n, b.as_slice())).collect();
        let answer = send(told.address, &told.ca, "POST", &format!("/v2/{gun}/_trust/tuf/"), FORM, &body(&parts));
        assert_eq!(answer.status, 200, "{}", answer.text());
        if hash.is_empty() {
            hash = base16ct::lower::encode_string(&Sha256::digest(owner.file("targets")));
            assert_eq!(told.get(gun, &format!("tuf/targets.{hash}.json")).status, 200);
        }
    }
    told.get("lab.test/another/here", &format!("tuf/targets.{hash}.json")).status
}

/// What a server with a database and a signer answers otherwise than one that keeps everything in memory: to what, the part
/// of its answer, and why.
const OTHERWISE: &[(&[&str], &str, &str)] = &[
    (
        &["a timestamp key of one's own", "no snapshot", "targets without a snapshot"],
        r#""detail":{"Name":"ErrValidation","Error":{"Msg":"rpc error: code = NotFound desc = key # not found"}}}"#,
        "a signer says of a key that it does not hold that there is none, which the server takes for a failure",
    ),
    (
        &[
            "targets/a/nobody to whom nobody delegates",
            "targets/nobody/at-all to whom nobody delegates",
            "a delegation below one that is not there",
        ],
        r#""message":"Update sent by the client is invalid."}]}"#,
        "before a database it looks for the delegating role by the hash in the snapshot, where there is none",
    ),
];

/// The same for what is looked at: a role that no snapshot names has no hash to be looked for by, and that is an error there.
fn looked_at_in_memory(seen: &str) -> String {
    seen.replace(" 500 null []", " 404 null []")
}

/// Tells all stories to the server of the sandbox and to a real one, and compares what they answer. Before a database a real
/// one keeps files that were read in its memory, under their hash alone, and gives them to whoever asks any repository for it.
async fn every_publication_is_answered_as_by(real: NotaryServer, has_database: bool) {
    let shell =
        Shell::start(&Authority::new().unwrap(), Arc::new(Server::new(Arc::new(Timestamp::now), [])).service(), 0).unwrap();
    let ca = std::fs::read_to_string(real.ca()).unwrap();
    let mut theirs = Told { address: real.socket_address(), ca, answers: Vec::new() };
    let mut ours = Told { address: shell.address(), ca: shell.ca_pem().to_owned(), answers: Vec::new() };
    for told in [&mut theirs, &mut ours] {
        for story in [syntax, first_roots, targets, later_roots, snapshots, deletion] {
            story(told);
        }
    }
    let mut otherwise = 0;
    let rows = if has_database { OTHERWISE } else { &[] };
    let differ = theirs.answers.iter().zip(&ours.answers).filter(|((what, status, text, headers), mine)| {
        let row = rows.iter().find(|(whats, ..)| whats.contains(&what.as_str()));
        let text = match row {
            Some((_, part, why)) => {
                assert!(text.contains(part) && !mine.2.contains(part), "no more, though {why}: {what}: {text}");
                otherwise += 1;
                &mine.2
            }
            None if has_database && *status == 0 => &looked_at_in_memory(text),
            None => text,
        };
        (what, status, text, headers) != (&mine.0, &mine.1, &mine.2, &mine.3)
    });
    let differ: Vec<_> = differ.collect();
    for (theirs, ours) in &differ {
        println!("theirs {theirs:?}\nours   {ours:?}\n");
    }
    assert_eq!((differ.len(), theirs.answers.len()), (0, ours.answers.len()));
    assert_eq!(otherwise, rows.iter().map(|(whats, ..)| whats.len()).sum::<usize>());
    assert_eq!((of_another(&theirs), of_another(&ours)), (if has_database { 200 } else { 404 }, 404));
    let taken = ours.answers.iter().filter(|a| a.1 == 200).count();
    println!("{} answers alike, {taken} of them 200", ours.answers.len() - otherwise);
    assert!(taken > 20 && ours.answers.len() > 90, "{taken} {}", ours.answers.len());
    shell.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_publication_is_taken_or_refused_with_the_words_of_the_real_server() {
    every_publication_is_answered_as_by(NotaryServer::memory_local(), false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_publication_is_taken_or_refused_with_the_words_of_the_real_server_on_postgresql() {
    every_publication_is_answered_as_by(NotaryServer::postgres_with_signer(), true).await;
}
