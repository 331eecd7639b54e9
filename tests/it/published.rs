//! Metadata published by the real tools: read, verified, written again. Made by Debian's `notary` 0.7.0 and
//! `docker trust` 28.2.2 against `notary-server` and `notary-signer`.
use claviger::tuf::{
    Refusal,
    collection::{Anchor, TrustedCollection},
    envelope::{Document, Payload},
    listing::{Snapshot, TimestampFile},
    name::Gun,
    pinning::Pinning,
    request::{Request, Which},
    root::Root,
    targets::Targets,
    update::{Reply, Step, Update},
};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

const NOW: &str = "2026-11-22T00:00:00Z";

/// Directory and GUN of each published repository.
const REPOSITORIES: [(&str, &str); 4] = [
    ("delegation-ec-p384", "lab.example/st/ec-p384"),
    ("docker-trust", "registry.lab.example/gold/app"),
    ("ecdsa-serverkeys", "lab.example/gold/srvsnap"),
    ("ed25519-serverkeys", "lab.example/gold/app"),
];

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for e in std::fs::read_dir(dir).unwrap() {
        let p = e.unwrap().path();
        if p.is_dir() { out.extend(files(&p)) } else { out.push(p) }
    }
    out.sort();
    out
}

fn published(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/published").join(name)
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The role of a fixture file: `3.root.json`, `targets/1.jeff.json`.
fn type_of(path: &Path) -> &'static str {
    let name = path.file_stem().unwrap().to_str().unwrap();
    match name.rsplit('.').next().unwrap() {
        "root" => "Root",
        "snapshot" => "Snapshot",
        "timestamp" => "Timestamp",
        _ => "Targets",
    }
}

fn again<T: Payload>(bytes: &[u8]) -> Vec<u8> {
    Document::<T>::parse(bytes).unwrap().encode().unwrap()
}

#[test]
fn every_published_file_is_written_again_byte_for_byte() {
    let mut count = 0;
    for (dir, _) in REPOSITORIES {
        for path in files(&published(dir)) {
            let bytes = std::fs::read(&path).unwrap();
            let written = match type_of(&path) {
                "Root" => again::<Root>(&bytes),
                "Snapshot" => again::<Snapshot>(&bytes),
                "Timestamp" => again::<TimestampFile>(&bytes),
                _ => again::<Targets>(&bytes),
            };
            assert!(written == bytes, "{}", path.display());
            count += 1;
        }
    }
    println!("{count} published files written again");
    assert_eq!(count, 88);
}

/// A server that holds all files of a directory, with one root and one timestamp as the current ones.
struct Served {
    by_hash: BTreeMap<[u8; 32], Vec<u8>>,
    root: Vec<u8>,
    timestamp: Vec<u8>,
    used: BTreeSet<[u8; 32]>,
}

impl Served {
    fn reply(&mut self, request: &Request) -> Reply {
        let bytes = match (&request.which, request.role.as_str()) {
            (Which::Current, "root") => Some(self.root.clone()),
            (Which::Current, "timestamp") => Some(self.timestamp.clone()),
            (Which::Sha256(h), _) => self.by_hash.get(h).cloned(),
            _ => None,
        };
        match bytes {
            Some(b) => {
                self.used.insert(sha256(&b));
                Reply::Bytes(b)
            }
            None => Reply::NotThere,
        }
    }
}

fn update(gun: &str, served: &mut Served) -> Result<TrustedCollection, Refusal> {
    let mut update = Update::new(Gun::new(gun).unwrap(), NOW.parse().unwrap(), Pinning::default(), BTreeMap::new());
    let mut step = update.start()?;
    loop {
        match step {
            Step::Done(outcome) => return Ok(outcome.collection),
            Step::Fetch(request) => step = update.give(served.reply(&request))?,
        }
    }
}

#[test]
fn every_published_file_verifies_as_part_of_the_repository_that_it_was_published_in() {
    for (dir, gun) in REPOSITORIES {
        let all: Vec<(PathBuf, Vec<u8>)> =
            files(&published(dir)).into_iter().map(|p| (p.clone(), std::fs::read(p).unwrap())).collect();
        let of_type = |t: &str| all.iter().filter(|(p, _)| type_of(p) == t).map(|(_, b)| b.clone()).collect::<Vec<_>>();
        let mut verified = BTreeSet::new();
        for root in of_type("Root") {
            for timestamp in of_type("Timestamp") {
                let by_hash = all.iter().map(|(_, b)| (sha256(b), b.clone())).collect();
                let mut served = Served { by_hash, root: root.clone(), timestamp, used: BTreeSet::new() };
                if let Ok(c) = update(gun, &mut served) {
                    assert_eq!(c.refused().count(), 0);
                    assert_eq!(c.anchor(), Anchor::FirstUse);
                    verified.extend(served.used);
                }
            }
        }
        for (path, bytes) in &all {
            assert!(verified.contains(&sha256(bytes)), "{} was not verified", path.display());
        }
    }
}
