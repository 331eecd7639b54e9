//! A server to which the story of a publisher is told, and an owner with keys to tell it.
use crate::{
    forge::{Cert, Files, Forge, Holder, Key, role},
    sandbox_support::{Answer, ask, send},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use claviger::tuf::{
    key::{KeyType, PublicKey},
    name::Gun,
};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::{net::SocketAddr, sync::OnceLock};

/// A server, and what it answered so far.
pub struct Told {
    pub address: SocketAddr,
    pub ca: String,
    pub answers: Vec<(String, u16, String, Vec<Option<String>>)>,
}

pub fn body(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, bytes) in parts {
        body.extend(b"--frontier\r\n");
        body.extend(format!("Content-Disposition: form-data; name=\"files\"; filename=\"{name}\"\r\n").bytes());
        body.extend(b"Content-Type: application/octet-stream\r\n\r\n");
        body.extend(*bytes);
        body.extend(b"\r\n");
    }
    body.extend(b"--frontier--\r\n");
    body
}

pub const FORM: &str = "Content-Type: multipart/form-data; boundary=frontier\r\n";

impl Told {
    pub fn note(&mut self, what: &str, answer: &Answer) {
        let headers = ["content-type", "cache-control", "www-authenticate"].map(|n| answer.header(n).map(str::to_owned));
        // Hashes differ, because the servers' keys do; and Go compares them in any order, so either may be the one that is named.
        let is_hash = |w: &str| matches!(w.len(), 64 | 128) && w.bytes().all(|b| b.is_ascii_hexdigit());
        let text: Vec<_> = answer
            .text()
            .split('"')
            .map(|t| t.split(' ').map(|w| if is_hash(w) { "#" } else { w }.to_owned()).collect::<Vec<_>>().join(" "))
            .collect();
        let text = text.join("\"").replace("sha512 checksum for", "sha256 checksum for");
        self.answers.push((what.to_owned(), answer.status, text, headers.into()));
    }

    pub fn post(&mut self, what: &str, gun: &str, headers: &str, body: &[u8]) -> u16 {
        let answer = send(self.address, &self.ca, "POST", &format!("/v2/{gun}/_trust/tuf/"), headers, body);
        self.note(what, &answer);
        answer.status
    }

    pub fn publish(&mut self, what: &str, gun: &str, parts: &[(&str, &[u8])]) -> u16 {
        self.post(what, gun, FORM, &body(parts))
    }

    pub fn get(&self, gun: &str, file: &str) -> Answer {
        ask(self.address, &self.ca, "GET", &format!("/v2/{gun}/_trust/{file}"))
    }

    /// The public key with which the server signs for a role.
    pub fn key(&self, gun: &str, role: &str) -> Key {
        let answer: Value = serde_json::from_slice(&self.get(gun, &format!("tuf/{role}.key")).body).unwrap();
        let public = STANDARD.decode(answer["keyval"]["public"].as_str().unwrap()).unwrap();
        let public = PublicKey::new(KeyType::parse(answer["keytype"].as_str().unwrap()), public);
        Key { public, ..Key::p256("nobody has the private half") }
    }

    /// What its snapshot and timestamp say: versions, and which roles there are.
    pub fn look(&mut self, what: &str, gun: &str) {
        let mut seen = String::new();
        for file in ["root", "targets", "targets/a", "targets/a/b", "snapshot", "timestamp"] {
            let answer = self.get(gun, &format!("tuf/{file}.json"));
            let parsed: Value = serde_json::from_slice(&answer.body).unwrap();
            let signed = &parsed["signed"];
            let roles: Vec<_> = signed["meta"].as_object().into_iter().flat_map(|m| m.keys()).collect();
            seen.push_str(&format!("{file} {} {} {roles:?}\n", answer.status, signed["version"]));
        }
        self.answers.push((what.to_owned(), 0, seen, Vec::new()));
    }
}

/// An owner with all keys but those of the server.
pub struct Owner {
    pub gun: String,
    pub forge: Forge,
}

/// So many days from the start of the tests: a certificate that is made twice must be the same.
pub fn in_days(days: i64) -> Timestamp {
    static NOW: OnceLock<Timestamp> = OnceLock::new();
    NOW.get_or_init(Timestamp::now).checked_add(SignedDuration::from_hours(24 * days)).unwrap()
}

pub fn root_key(gun: &str, label: &str) -> Key {
    Cert { from: in_days(-1), to: in_days(1000), ..Cert::of(gun) }.around(&Key::p256(label))
}

impl Owner {
    pub fn new(told: &Told, gun: &str) -> Self {
        let mut forge = Forge::good();
        forge.gun = Gun::new(gun).unwrap();
        *forge.holder("root") = Holder::of(&[root_key(gun, "root")]);
        for name in forge.holders.keys() {
            forge.versions.insert(name.clone(), 1);
            forge.expires.insert(name.clone(), in_days(500));
        }
        *forge.holder("timestamp") = Holder::of(&[told.key(gun, "timestamp")]);
        Self { gun: gun.to_owned(), forge }
    }

    /// One who leaves snapshots to the server.
    pub fn leaving_snapshots(told: &Told, gun: &str) -> Self {
        let mut owner = Self::new(told, gun);
        *owner.forge.holder("snapshot") = Holder::of(&[told.key(gun, "snapshot")]);
        owner
    }

    pub fn root(&self) -> Vec<u8> {
        self.forge.root_file()
    }

    pub fn file(&self, name: &str) -> Vec<u8> {
        self.forge.targets_file(&role(name))
    }

    pub fn version(&mut self, name: &str, version: u64) -> &mut Self {
        self.forge.versions.insert(role(name), version);
        self
    }

    pub fn snapshot(&self, names: &[&str]) -> Vec<u8> {
        let file = |n: &&str| (role(n), if *n == "root" { self.root() } else { self.file(n) });
        self.forge.snapshot_file(&names.iter().map(file).collect::<Files>())
    }
}
