//! What must hold for any bytes at all. The fuzzer looks for bytes for which it does not; `tests/it/fuzz_corpus.rs` runs
//! the same over the kept ones.
use claviger::{
    keys::{self, pem_file},
    sandbox::{Call, Server},
    text::{self, Untrusted},
    tuf::{
        envelope::{self, Document, Payload},
        json::{self, Value},
        key::PublicKey,
        listing::{Snapshot, TimestampFile},
        name::{Gun, KeyId, RoleName},
        pinning::Pinning,
        root::Root,
        targets::Targets,
        update::{Reply, Step, Update},
        x509,
    },
};
use jiff::Timestamp;
use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

/// Metadata of every type.
pub fn metadata(data: &[u8]) {
    document::<Root>(data);
    document::<Targets>(data);
    document::<Snapshot>(data);
    document::<TimestampFile>(data);
    canonical(data);
}

/// What is parsed and written means the same when it is read, and is then written with the same bytes.
fn document<T: Payload>(data: &[u8]) {
    let Ok(first) = Document::<T>::parse(data) else { return };
    let meaning = envelope::canonical_payload(&first.payload).expect("what was parsed has a canonical form");
    let Ok(written) = first.encode() else {
        // Only text with control characters cannot be written, as in Go.
        assert!(meaning.iter().any(|b| *b < 0x20));
        return;
    };
    let second = Document::<T>::parse(&written).expect("what was written is read");
    assert_eq!(second.signatures, first.signatures);
    assert_eq!(second.signed_bytes(), meaning, "what is written means what was read");
    let again = second.encode().expect("it was written before");
    // As in Go: the keys of missing delegations are written as null, and null is read as none.
    let null_keys = again != written && String::from_utf8_lossy(&written).contains("\"delegations\":{\"keys\":null");
    assert!(again == written || null_keys, "it is written with the same bytes");
    let third = Document::<T>::parse(&again).expect("what was written is read");
    assert!(third.encode().expect("it was written before") == again);
}

/// The canonical form is its own canonical form, for any JSON that has one and no control characters.
fn canonical(data: &[u8]) {
    let Ok(value) = Value::parse(data) else { return };
    let Ok(once) = json::canonical(&value) else { return };
    let Some(stored) = json::escape_html(&once) else { return };
    for text in [&once, &stored] {
        let again = Value::parse(text).expect("the canonical form is JSON");
        assert_eq!(&json::canonical(&again).expect("it has one"), &once);
    }
}

/// Key files, certificates and public keys.
pub fn pem(data: &[u8]) {
    let content = keys::inspect(data);
    if let Ok(blocks) = keys::pem_file::parse_all(data, 8) {
        // Whoever takes one block takes the first of them.
        assert!(keys::pem_file::parse(data).is_ok_and(|first| first.label == blocks[0].label && blocks.len() <= 8));
    }
    assert!(content.problems.iter().all(|p| format!("{p:?}").chars().all(text::is_plain)));
    let _ = x509::first_certificate(data);
    if let Some(bundle) = x509::Bundle::parse(data)
        && let Some(key) = bundle.rebuilt_key()
    {
        // The layout that IDs hash is its own fixed point.
        let again = x509::Bundle::parse(key.public_bytes()).expect("it was written here");
        assert_eq!(again.rebuilt_key().map(|k| k.id()), Some(key.id()));
    }
    for name in ["ecdsa", "rsa", "ed25519", "ecdsa-x509", "rsa-x509", "other"] {
        let key = PublicKey::new(claviger::tuf::key::KeyType::parse(name), data.to_vec());
        let _ = (key.algorithm(), key.canonical_id(), key.material().identity());
    }
    let Ok(file) = pem_file::parse(data) else { return };
    let headers: Vec<(&str, &str)> = file.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let plain = |s: &str| pem_file::header_fits(s) && !s.contains([':', '-']);
    let mut names: Vec<&str> = headers.iter().map(|(n, _)| *n).collect();
    names.sort_unstable();
    names.dedup();
    let labelled = !file.label.is_empty()
        && file.label.bytes().all(|b| b.is_ascii_uppercase() || b == b' ')
        && file.label.trim() == file.label;
    if labelled && names.len() == headers.len() && headers.iter().all(|(n, v)| plain(n) && pem_file::header_fits(v)) {
        let written = pem_file::write(&file.label, &headers, &file.der);
        let again = pem_file::parse(written.as_bytes()).expect("what was written is read");
        assert_eq!((&again.label, &*again.der), (&file.label, &*file.der));
        assert!(headers.iter().all(|(n, v)| again.header(n) == Some(*v)));
    }
}

/// Text for a terminal.
pub fn text(data: &[u8]) {
    let untrusted = Untrusted::from_bytes(data);
    assert!(untrusted.shown().as_str().chars().all(text::is_plain));
    assert!(format!("{untrusted:?}").chars().all(text::is_plain));
    // What is plain stays as it is.
    assert_eq!(text::escape(untrusted.shown().as_str()), untrusted.shown().as_str());
    if let Ok(s) = std::str::from_utf8(data) {
        assert_eq!(untrusted.raw(), s);
        names(s);
    }
}

/// Names that validate are safe as paths and on screens.
fn names(s: &str) {
    if let Ok(gun) = Gun::new(s) {
        assert_eq!(gun.as_str(), s);
        assert!(s.chars().all(text::is_plain) && s.split('/').all(|p| !matches!(p, "" | "." | "..")));
    }
    if let Ok(role) = RoleName::new(s) {
        assert!(role.base().is_some() != role.is_delegation());
        assert!(s.split('/').all(|p| !p.is_empty()) && !s.contains(['.', '\\', '\0']));
    }
    if let Ok(id) = KeyId::new(s) {
        assert_eq!(id.hex(), s);
    }
}

/// A server whose answers are the parts of `data` between bytes 0xFF (which no file contains), one after the other.
pub fn update(data: &[u8]) {
    let mut answers = data.split(|b| *b == 0xff);
    let now = "2026-11-22T00:00:00Z".parse().expect("a time");
    let gun = Gun::new("registry.lab.example/gold/app").expect("a name");
    let mut update = Update::new(gun, now, Pinning::default(), BTreeMap::new());
    let mut step = update.start();
    for asked in 0.. {
        match step {
            Err(why) => return assert!(why.to_string().chars().all(text::is_plain)),
            Ok(Step::Done(outcome)) => {
                assert!(outcome.collection.root().version() >= 1 && !outcome.collection.root().signed_by().is_empty());
                return;
            }
            Ok(Step::Fetch(_)) => step = update.give(answers.next().map_or(Reply::NotThere, |b| Reply::Bytes(b.to_vec()))),
        }
        assert!(asked < data.len() + 20_000, "the update ends");
    }
}

/// Anything that is sent to the sandbox's server is answered, as a form and as a request; what is refused changes nothing.
pub fn publish(data: &[u8]) {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let server = SERVER.get_or_init(|| Server::new(Arc::new(|| Timestamp::UNIX_EPOCH), []));
    let form = [("content-type".to_owned(), "multipart/form-data; boundary=b".to_owned())];
    let answer = server.handle(&Call::new("POST", "/v2/a/b/_trust/tuf/").with_headers(&form).with_body(data));
    assert_eq!(answer.status, 400, "nobody can publish a root whose time is not over in 1970");
    let text = String::from_utf8_lossy(data);
    let mut lines = text.splitn(4, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (method, path, query) = (line(), line(), line());
    let form = [("content-type".to_owned(), line().to_owned())];
    let answer = server.handle(&Call::new(method, path).with_query(query).with_headers(&form).with_body(data));
    assert!([200, 301, 400, 404, 405, 500].contains(&answer.status), "{}", answer.status);
    assert!(server.guns().is_empty());
}
