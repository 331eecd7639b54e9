//! A repository's life, with tools that alternate in an order made by chance from a fixed seed: after each operation all three
//! see what was asked for, with empty caches. At its end it is deleted and begun again, by each.
mod deed;
mod model;

use super::{begun, digest, docker_sees, key};
use crate::{
    peers::{
        desk::{At, Desk},
        listing,
        program::Answer,
        server::{Kind, NotaryServer},
    },
    served_sandbox::Served,
};
use deed::{By, DECK, Deed};
use model::{Model, SIGNERS, Seeded};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How many operations a life has at least.
const OPERATIONS: usize = 30;

/// Who begins the repository. The first signers come by another tool.
enum Begins {
    Docker,
    Notary,
    Claviger,
}

/// The first signers come; the paths of their public keys.
fn signers(desk: &Desk, gun: &str, run: impl Fn(&[&str]) -> Answer) -> Vec<String> {
    let all: Vec<String> = SIGNERS[..2].iter().map(|name| key(desk, name)).collect();
    for (name, public) in SIGNERS.iter().zip(&all) {
        run(&["signer", "add", "--key", public, name, gun]);
    }
    all
}

struct Life {
    desk: Desk,
    gun: String,
    /// The public keys of signers.
    keys: BTreeMap<&'static str, String>,
    model: Model,
    chance: Seeded,
    /// How many names were given.
    number: usize,
    said: Vec<String>,
}

impl Life {
    fn new(desk: Desk, gun: &str, begins: &Begins, seed: u64) -> Self {
        let first = match begins {
            Begins::Docker => begun(&desk, gun, &SIGNERS[..2]),
            Begins::Notary => {
                begun(&desk, gun, &[]);
                signers(&desk, gun, |args| desk.claviger(&[args, &["--yes"]].concat()).ok())
            }
            Begins::Claviger => {
                desk.claviger(&["init", gun, "--create-root", "--yes"]).ok();
                signers(&desk, gun, |args| desk.docker_trust(args).ok())
            }
        };
        let mut keys: BTreeMap<&str, String> = SIGNERS.into_iter().zip(first).collect();
        keys.insert("carol", key(&desk, "carol"));
        let mut model = Model { roots: 1, ..Model::default() };
        SIGNERS[..2].iter().for_each(|name| model.add_signer(name));
        Self { desk, gun: gun.to_owned(), keys, model, chance: Seeded(seed), number: 0, said: Vec::new() }
    }

    /// Whose keys are whose, of all that there ever were.
    fn owners(&self) -> BTreeMap<String, &'static str> {
        let listed: Value = serde_json::from_str(&self.desk.claviger(&["key", "list", "--json"]).ok().stdout).unwrap();
        let ids = listed.as_array().unwrap().iter().filter_map(|k| {
            let owner = SIGNERS.into_iter().find(|s| k["role"].as_str().unwrap().split('-').next() == Some(s))?;
            Some((k["id"].as_str().unwrap().to_owned(), owner))
        });
        ids.collect()
    }

    /// The root keys.
    fn roots(&self) -> Vec<String> {
        let seen = self.desk.fresh().claviger(&["repo", "show", &self.gun, "--json"]).ok();
        let all: Value = serde_json::from_str(&seen.stdout).unwrap();
        let root = all["roles"].as_array().unwrap().iter().find(|r| r["role"] == "root").unwrap();
        root["keys"].as_array().unwrap().iter().map(|k| k["id"].as_str().unwrap().to_owned()).collect()
    }

    /// Whether all three see what should be there.
    fn check(&self) {
        let fresh = self.desk.fresh();
        let said = self.said.join("\n");
        let listed = listing::tags(&fresh.notary(&["list", &self.gun]).ok().stdout);
        let names: BTreeSet<String> = listed.iter().map(|t| t.name.clone()).collect();
        assert_eq!(names, self.model.names(), "notary list after\n{said}");
        assert!(listed.iter().all(|t| t.digest == digest(&t.name)), "{listed:?}");
        let delegations = listing::delegations(&fresh.notary(&["delegation", "list", &self.gun]).ok().stdout);
        let owners = self.owners();
        let seen: BTreeMap<String, (BTreeSet<&str>, &str)> = delegations
            .iter()
            .map(|d| (d.role.clone(), (d.keys.iter().map(|id| owners[id]).collect(), d.paths[0].as_str())))
            .collect();
        assert_eq!(seen, self.model.roles, "notary delegation list after\n{said}");
        assert!(delegations.iter().all(|d| d.keys.len() == self.model.roles[&d.role].0.len()), "one key each after\n{said}");
        let (tags, signers) = docker_sees(&self.desk, &self.gun);
        let released = self.model.tags.get("targets/releases").cloned().unwrap_or_default();
        assert_eq!(tags.into_iter().collect::<BTreeSet<_>>(), released, "docker trust inspect after\n{said}");
        let mut expected = self.model.there();
        expected.extend(self.model.roles.contains_key("targets/qa").then_some("qa"));
        expected.sort_unstable();
        assert_eq!(signers, expected, "docker trust inspect after\n{said}");
        assert_eq!(self.roots().len(), self.model.roots, "root keys after\n{said}");
        fresh.claviger(&["repo", "verify", &self.gun]).ok();
    }

    /// Everything that the deck holds, and its end.
    fn live(mut self) {
        self.check();
        let (mut deck, mut done) = (DECK.to_vec(), 0);
        loop {
            let possible: Vec<usize> = (0..deck.len()).filter(|i| deck[*i].0.is_possible(&self.model)).collect();
            if possible.is_empty() {
                break;
            }
            let (deed, by) = deck.swap_remove(possible[self.chance.below(possible.len())]);
            self.does(deed, by);
            self.check();
            done += 1;
        }
        assert!(done >= OPERATIONS, "only {done} operations; left: {deck:?}");
        self.begins_anew();
    }

    /// It is deleted and begun again, by each in turn, and signed in by the other.
    fn begins_anew(mut self) {
        let gun = self.gun.clone();
        for ours in [true, false] {
            if ours {
                self.said.push("claviger delete --remote, notary init".to_owned());
                self.desk.claviger(&["delete", &gun, "--remote", "--confirm", &gun]).ok();
            } else {
                self.said.push("notary delete --remote, claviger init".to_owned());
                self.desk.notary(&["delete", &gun, "--remote"]).ok();
            }
            let fresh = self.desk.fresh();
            fresh.notary(&["list", &gun]).refused();
            fresh.docker_trust(&["inspect", &gun]).refused();
            fresh.claviger(&["repo", "show", &gun]).refused();
            if ours {
                self.desk.notary(&["init", &gun, "-p"]).ok();
            } else {
                let root = self.a_root_key();
                self.desk.claviger(&["init", &gun, "--root-key", &root, "--yes"]).ok();
            }
            self.model = Model { roots: 1, ..Model::default() };
            self.keys.insert("alice", key(&self.desk, &format!("alice-{ours}")));
            self.does(Deed::SignerComes, if ours { By::Claviger } else { By::TheOld });
            self.check();
            self.does(Deed::Tag, if ours { By::TheOld } else { By::Claviger });
            self.check();
        }
    }

    /// One of the root keys that are here.
    fn a_root_key(&self) -> String {
        let listed: Value = serde_json::from_str(&self.desk.claviger(&["key", "list", "--json"]).ok().stdout).unwrap();
        let root = listed.as_array().unwrap().iter().find(|k| k["role"] == "root").unwrap();
        root["id"].as_str().unwrap().to_owned()
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("so far:\n{}", self.said.join("\n"));
        }
    }
}

#[test]
fn a_life_with_alternating_tools_on_a_server_in_memory() {
    Life::new(
        Desk::new(NotaryServer::shared(Kind::Local), "life-memory"),
        "registry.example/life/memory",
        &Begins::Docker,
        0x2545_f491,
    )
    .live();
}

#[test]
fn a_life_with_alternating_tools_on_a_server_with_a_database_and_a_signer() {
    Life::new(
        Desk::new(NotaryServer::shared(Kind::Postgres), "life-database"),
        "registry.example/life/database",
        &Begins::Notary,
        0x9e37_79b9,
    )
    .live();
}

#[test]
fn a_life_with_alternating_tools_on_the_sandboxs_server() {
    let served = Served::start();
    let url = served.value("url").to_owned();
    let at = At { address: url.trim_start_matches("https://").to_owned(), url, ca: served.value("ca_file").into() };
    Life::new(Desk::at(at, "life-sandbox"), "sandbox.test/life/here", &Begins::Claviger, 0x85eb_ca6b).live();
}
