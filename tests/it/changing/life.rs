//! Half a repository's life, with tools that alternate at random from a fixed seed: after each operation all three see what
//! was asked for, with empty caches.
use super::{begun, digest, docker_sees, key, outcome, sign};
use crate::{
    peers::{
        desk::{At, Desk},
        listing,
        program::Answer,
        server::{Kind, NotaryServer},
    },
    served_sandbox::Served,
};
use std::collections::{BTreeMap, BTreeSet};

/// How many operations.
const OPERATIONS: usize = 36;
const SIGNERS: [&str; 3] = ["alice", "bob", "carol"];

/// What should be there: by role its key's signers, its paths, and its tags.
#[derive(Default)]
struct Model {
    roles: BTreeMap<String, (BTreeSet<&'static str>, &'static str)>,
    tags: BTreeMap<String, BTreeSet<String>>,
}

impl Model {
    fn signers(&self) -> Vec<String> {
        let named = self.roles.keys().filter_map(|r| r.strip_prefix("targets/")).filter(|n| *n != "releases" && *n != "qa");
        named.map(str::to_owned).collect()
    }

    fn add_signer(&mut self, name: &'static str) {
        self.roles.insert(format!("targets/{name}"), ([name].into(), ""));
        self.roles.entry("targets/releases".into()).or_insert_with(|| (BTreeSet::new(), "")).0.insert(name);
    }

    fn remove_signer(&mut self, name: &'static str) {
        let own = format!("targets/{name}");
        self.roles.remove(&own);
        self.tags.remove(&own);
        if let Some((keys, _)) = self.roles.get_mut("targets/releases") {
            keys.remove(name);
        }
    }

    fn names(&self) -> BTreeSet<String> {
        self.tags.values().flatten().cloned().collect()
    }
}

struct Seeded(u64);

impl Seeded {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n as u64).unwrap()
    }
}

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
    keys: BTreeMap<&'static str, String>,
    ids: BTreeMap<String, &'static str>,
    model: Model,
    chance: Seeded,
    tag: usize,
    said: Vec<String>,
}

impl Life {
    fn new(desk: Desk, gun: &str, begins: Begins, seed: u64) -> Self {
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
        let mut model = Model::default();
        SIGNERS[..2].iter().for_each(|name| model.add_signer(name));
        let listed = desk.claviger(&["key", "list", "--json"]).ok();
        let listed: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
        let ids = listed.as_array().unwrap().iter().filter_map(|k| {
            let role = SIGNERS.into_iter().find(|s| k["role"] == *s)?;
            Some((k["id"].as_str().unwrap().to_owned(), role))
        });
        Self { ids: ids.collect(), desk, gun: gun.to_owned(), keys, model, chance: Seeded(seed), tag: 0, said: Vec::new() }
    }

    fn notary(&mut self, args: &[&str]) {
        self.said.push(format!("notary {}", args.join(" ")));
        self.desk.notary(args).ok();
    }

    fn adds(&mut self, tag: &str, roles: &[String; 2], more: &[&str]) {
        let (gun, sha256) = (self.gun.clone(), digest(tag));
        let args = ["addhash", &gun, tag, "100", "--sha256", &sha256, "-r", &roles[0], "-r", &roles[1]];
        self.notary(&[&args[..], more].concat());
    }

    fn claviger(&mut self, args: &[&str]) {
        self.said.push(format!("claviger {}", args.join(" ")));
        let answer = self.desk.claviger(&[args, &["--yes", "--json"]].concat()).ok();
        assert_eq!(outcome(&answer), "published", "{answer:?}");
    }

    /// One operation, by one of the tools.
    fn step(&mut self) {
        let ours = self.chance.below(2) == 0;
        let gun = self.gun.clone();
        let there = self.model.signers();
        match self.chance.below(12) {
            // A new tag, by one signer or by all.
            0..=2 => {
                self.tag += 1;
                let tag = format!("v{}", self.tag);
                let name = SIGNERS.into_iter().find(|s| there.contains(&(*s).to_owned())).unwrap();
                let roles = [format!("targets/{name}"), "targets/releases".to_owned()];
                if ours {
                    self.said.push(format!("claviger sign {tag} --as {name}"));
                    // Whoever comes back begins anew, and that is confirmed.
                    let more = ["--as", name, "--confirm", &gun];
                    assert_eq!(outcome(&sign(&self.desk, &gun, &tag, &more).ok()), "published");
                } else {
                    self.adds(&tag, &roles, &["-p"]);
                }
                for role in roles {
                    self.model.tags.entry(role).or_default().insert(tag.clone());
                }
            }
            // A tag goes.
            3 => {
                let Some(tag) = self.model.names().into_iter().next() else { return };
                let image = format!("{gun}:{tag}");
                if ours {
                    self.claviger(&["revoke", &image]);
                } else {
                    self.said.push(format!("docker trust revoke {tag}"));
                    self.desk.docker_trust(&["revoke", &image, "--yes"]).ok();
                }
                self.model.tags.values_mut().for_each(|t| {
                    t.remove(&tag);
                });
            }
            // A signer comes, or goes.
            4 | 5 => match SIGNERS.into_iter().find(|s| !there.contains(&(*s).to_owned())) {
                Some(name) => {
                    let public = self.keys[name].clone();
                    if ours {
                        self.claviger(&["signer", "add", "--key", &public, name, &gun]);
                    } else {
                        self.said.push(format!("docker trust signer add {name}"));
                        self.desk.docker_trust(&["signer", "add", "--key", &public, name, &gun]).ok();
                    }
                    self.model.add_signer(name);
                    // Whoever was here before comes back with what he had signed.
                    let fresh = self.desk.fresh().notary(&["list", &gun, "-r", &format!("targets/{name}")]).ok();
                    let own: BTreeSet<String> = listing::tags(&fresh.stdout)
                        .into_iter()
                        .filter(|t| t.role == format!("targets/{name}"))
                        .map(|t| t.name)
                        .collect();
                    self.model.tags.insert(format!("targets/{name}"), own);
                }
                None => {
                    let name = SIGNERS[self.chance.below(3)];
                    // `docker trust signer remove` does nothing since 26.0.
                    self.claviger(&["signer", "remove", name, &gun]);
                    self.model.remove_signer(name);
                }
            },
            // A role for some names comes, or goes.
            6 => {
                let public = self.keys["alice"].clone();
                match (self.model.roles.remove("targets/qa"), ours) {
                    (None, ours) => {
                        if ours {
                            self.claviger(&["delegation", "add", &gun, "targets/qa", &public, "--paths", "qa/"]);
                        } else {
                            self.notary(&["delegation", "add", &gun, "targets/qa", &public, "--paths", "qa/", "-p"]);
                        }
                        self.model.roles.insert("targets/qa".into(), (["alice"].into(), "qa/"));
                    }
                    (Some(_), true) => self.claviger(&["delegation", "remove", &gun, "targets/qa"]),
                    (Some(_), false) => self.notary(&["delegation", "remove", &gun, "targets/qa", "-y", "-p"]),
                }
            }
            // What one tool stages, another publishes.
            7 => {
                self.tag += 1;
                let tag = format!("v{}", self.tag);
                let name = SIGNERS.into_iter().find(|s| there.contains(&(*s).to_owned())).unwrap();
                let roles = [format!("targets/{name}"), "targets/releases".to_owned()];
                if ours {
                    self.adds(&tag, &roles, &[]);
                    self.claviger(&["publish", &gun]);
                } else {
                    self.said.push(format!("claviger sign {tag} --as {name} --stage"));
                    let sha256 = format!("sha256:{}", digest(&tag));
                    let image = format!("{gun}:{tag}");
                    let args = ["sign", &image, "--digest", &sha256, "--size", "100", "--as", name, "--stage", "--json"];
                    assert_eq!(outcome(&self.desk.claviger(&args).ok()), "staged");
                    self.notary(&["publish", &gun]);
                }
                for role in roles {
                    self.model.tags.entry(role).or_default().insert(tag.clone());
                }
            }
            // A role has another key from then on.
            8 | 9 => {
                let turns: [&[&str]; 5] = [&["targets"], &["root"], &["snapshot"], &["snapshot", "-r"], &["timestamp", "-r"]];
                let rotation = [&["key", "rotate", &gun], turns[self.chance.below(turns.len())]].concat();
                if ours {
                    self.claviger(&rotation);
                } else {
                    self.said.push(format!("notary {}", rotation.join(" ")));
                    self.desk.notary_with_input(&rotation, "yes\n").ok();
                }
            }
            // Somebody vouches for what is there.
            10 => {
                if ours {
                    self.claviger(&["witness", &gun, "targets/releases"]);
                } else {
                    self.notary(&["witness", &gun, "targets/releases", "-p"]);
                }
            }
            // Nothing changes but versions and dates.
            _ => {
                if ours {
                    self.claviger(&["renew", &gun, "--role", "targets"]);
                } else {
                    self.notary(&["witness", &gun, "targets", "-p"]);
                }
            }
        }
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
        let seen: BTreeMap<String, (BTreeSet<&str>, &str)> = delegations
            .iter()
            .map(|d| (d.role.clone(), (d.keys.iter().map(|id| self.ids[id]).collect(), d.paths[0].as_str())))
            .collect();
        assert_eq!(seen, self.model.roles, "notary delegation list after\n{said}");
        let (tags, signers) = docker_sees(&self.desk, &self.gun);
        let released = self.model.tags.get("targets/releases").cloned().unwrap_or_default();
        assert_eq!(tags.into_iter().collect::<BTreeSet<_>>(), released, "docker trust inspect after\n{said}");
        let mut expected = self.model.signers();
        expected.extend(self.model.roles.contains_key("targets/qa").then(|| "qa".to_owned()));
        expected.sort();
        assert_eq!(signers, expected, "docker trust inspect after\n{said}");
        fresh.claviger(&["repo", "verify", &self.gun]).ok();
    }

    fn live(mut self) {
        self.check();
        let mut done = 0;
        while done < OPERATIONS {
            let before = self.said.len();
            self.step();
            if self.said.len() > before {
                self.check();
                done += 1;
            }
        }
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
fn half_a_life_with_alternating_tools_on_a_server_in_memory() {
    Life::new(
        Desk::new(NotaryServer::shared(Kind::Local), "life-memory"),
        "registry.example/life/memory",
        Begins::Docker,
        0x2545_f491,
    )
    .live();
}

#[test]
fn half_a_life_with_alternating_tools_on_a_server_with_a_database_and_a_signer() {
    Life::new(
        Desk::new(NotaryServer::shared(Kind::Postgres), "life-database"),
        "registry.example/life/database",
        Begins::Notary,
        0x9e37_79b9,
    )
    .live();
}

#[test]
fn half_a_life_with_alternating_tools_on_the_sandboxs_server() {
    let served = Served::start();
    let url = served.value("url").to_owned();
    let at = At { address: url.trim_start_matches("https://").to_owned(), url, ca: served.value("ca_file").into() };
    Life::new(Desk::at(at, "life-sandbox"), "sandbox.test/life/here", Begins::Claviger, 0x85eb_ca6b).live();
}
