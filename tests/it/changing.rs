//! Changing repositories with claviger, held against the real `notary`, `docker trust` and `notary-server`, and the
//! sandbox's server.
mod beginning;
mod killed;
mod life;
mod lying;
mod pains;
mod race;
mod root_keys;
mod rotation;
mod staged;
mod thief;
mod thresholds;
mod witness_request;

use super::{
    peers::{
        desk::{At, Desk},
        program::Answer,
        server::{Kind, NotaryServer},
    },
    served_sandbox::Served,
};
use serde_json::Value;

/// The same on a real server with its storage in memory, on one with a database and a signer, and on the sandbox's.
pub fn everywhere(name: &str, test: impl Fn(&Desk, &str)) {
    for kind in [Kind::Local, Kind::Postgres] {
        let desk = Desk::new(NotaryServer::shared(kind), &format!("{name}-{kind:?}").to_lowercase());
        test(&desk, &format!("registry.example/everywhere/{name}"));
    }
    let served = Served::start();
    let url = served.value("url").to_owned();
    let at = At { address: url.trim_start_matches("https://").to_owned(), url, ca: served.value("ca_file").into() };
    test(&Desk::at(at, &format!("{name}-sandbox")), &format!("sandbox.test/everywhere/{name}"));
}

/// A digest that stands for an image.
pub fn digest(of: &str) -> String {
    super::sandbox_registry::images::sha256(of.as_bytes()).trim_start_matches("sha256:").to_owned()
}

/// A key that is in the store of the desk, labelled with a signer's name; its public half.
pub fn key(desk: &Desk, name: &str) -> String {
    desk.signer_key(name)
}

/// A repository that docker has begun, with these signers; the paths of their public keys.
pub fn begun(desk: &Desk, gun: &str, signers: &[&str]) -> Vec<String> {
    let all: Vec<String> = signers.iter().map(|name| key(desk, name)).collect();
    for (name, public) in signers.iter().zip(&all) {
        desk.docker_trust(&["signer", "add", "--key", public, name, gun]).ok();
    }
    if signers.is_empty() {
        desk.notary(&["init", gun, "-p"]).ok();
        desk.notary(&["key", "rotate", gun, "snapshot", "-r"]).ok();
    }
    // The root is known here from now on.
    desk.claviger(&["repo", "show", gun]).ok();
    all
}

/// Signs a tag with claviger.
pub fn sign(desk: &Desk, gun: &str, tag: &str, more: &[&str]) -> Answer {
    let (name, sha256) = (format!("{gun}:{tag}"), format!("sha256:{}", digest(tag)));
    desk.claviger(&[&["sign", &name, "--digest", &sha256, "--size", "100", "--yes", "--json"], more].concat())
}

/// What became of the only repository.
#[track_caller]
pub fn outcome(answer: &Answer) -> String {
    let all: Value = serde_json::from_str(&answer.stdout).unwrap_or_else(|e| panic!("{e}: {answer:?}"));
    all["repositories"][0]["outcome"].as_str().unwrap().to_owned()
}

/// The code of the error.
#[track_caller]
pub fn code(answer: &Answer) -> String {
    let last = answer.stderr.lines().last().unwrap_or_default();
    let all: Value = serde_json::from_str(last).unwrap_or_else(|e| panic!("{e}: {answer:?}"));
    all["error"]["code"].as_str().unwrap().to_owned()
}

/// What docker sees with an empty cache: the names that it pulls, and the signers.
pub fn docker_sees(desk: &Desk, gun: &str) -> (Vec<String>, Vec<String>) {
    let answer = desk.fresh().docker_trust(&["inspect", gun]).ok();
    let all: Value = serde_json::from_str(&answer.stdout).unwrap();
    let names = |list: &Value, member: &str| {
        let mut all: Vec<String> =
            list.as_array().into_iter().flatten().map(|v| v[member].as_str().unwrap().to_owned()).collect();
        all.sort();
        all
    };
    (names(&all[0]["SignedTags"], "SignedTag"), names(&all[0]["Signers"], "Name"))
}
