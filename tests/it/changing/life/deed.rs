//! What can happen to a repository, by which tool.
use super::{Life, model::Model};
use crate::{
    changing::{digest, key, outcome, sign},
    peers::listing,
};

/// Who does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Claviger,
    /// `notary` or `docker trust`.
    TheOld,
}

#[derive(Debug, Clone, Copy)]
pub enum Deed {
    Tag,
    TagGoes,
    /// One tool stages it, the other publishes it.
    Staged,
    SignerComes,
    SignerGoes,
    /// Somebody leaves, with all keys.
    Leave,
    /// A key goes out of every role.
    Purge,
    RoleComes,
    RoleGoes,
    /// A signer has another key from then on.
    AnotherKey,
    Rotate(&'static [&'static str]),
    RootKeyComes,
    RootKeyGoes,
    Witness,
    Renew,
}

/// Everything that one life holds, in an order that chance makes.
#[rustfmt::skip]
pub const DECK: [(Deed, By); 35] = {
    use By::{Claviger, TheOld};
    use Deed::{AnotherKey, Leave, Purge, Renew, RoleComes, RoleGoes, RootKeyComes, RootKeyGoes, Rotate, SignerComes, SignerGoes, Staged, Tag, TagGoes, Witness};
    [
        (Tag, Claviger), (Tag, Claviger), (Tag, TheOld), (Tag, TheOld),
        (TagGoes, Claviger), (TagGoes, TheOld),
        (Staged, Claviger), (Staged, TheOld),
        (SignerComes, Claviger), (SignerComes, TheOld),
        // `docker trust signer remove` does nothing since 26.0, and `notary` has no word for it.
        (SignerGoes, Claviger), (Leave, Claviger),
        // `notary` leaves roles without any key.
        (Purge, Claviger),
        (RoleComes, Claviger), (RoleComes, TheOld), (RoleGoes, Claviger), (RoleGoes, TheOld),
        // `notary` cannot.
        (AnotherKey, Claviger), (AnotherKey, Claviger), (RootKeyComes, Claviger), (RootKeyGoes, Claviger),
        (Rotate(&["targets"]), Claviger), (Rotate(&["targets"]), TheOld),
        (Rotate(&["root"]), Claviger), (Rotate(&["root"]), TheOld),
        (Rotate(&["snapshot"]), Claviger), (Rotate(&["snapshot"]), TheOld),
        (Rotate(&["snapshot", "-r"]), Claviger), (Rotate(&["snapshot", "-r"]), TheOld),
        (Rotate(&["timestamp", "-r"]), Claviger), (Rotate(&["timestamp", "-r"]), TheOld),
        (Witness, Claviger), (Witness, TheOld), (Renew, Claviger), (Renew, TheOld),
    ]
};

impl Deed {
    /// Whether there is something for it to happen to.
    pub fn is_possible(self, model: &Model) -> bool {
        match self {
            Self::TagGoes => !model.names().is_empty(),
            Self::SignerComes => model.away().is_some(),
            Self::SignerGoes | Self::Leave | Self::Purge => model.there().len() > 1,
            Self::RoleComes => !model.roles.contains_key("targets/qa"),
            Self::RoleGoes => model.roles.contains_key("targets/qa"),
            Self::RootKeyGoes => model.roots > 1,
            _ => true,
        }
    }
}

impl Life {
    /// One operation, by one of the tools.
    pub fn does(&mut self, deed: Deed, by: By) {
        let (ours, gun) = (by == By::Claviger, self.gun.clone());
        match deed {
            Deed::Tag => self.tags(ours),
            Deed::TagGoes => {
                let Some(tag) = self.model.names().into_iter().next() else { return };
                let image = format!("{gun}:{tag}");
                if ours {
                    self.claviger(&["revoke", &image]);
                } else {
                    self.docker(&["revoke", &image, "--yes"]);
                }
                self.model.revoke(&tag);
            }
            Deed::Staged => self.stages(ours),
            Deed::SignerComes => self.signer_comes(ours),
            Deed::SignerGoes => {
                let name = self.somebody();
                // Names that only this signer has signed may go with it.
                self.claviger(&["signer", "remove", name, &gun, "--confirm", name]);
                self.model.remove_signer(name);
            }
            Deed::Leave => {
                let name = self.somebody();
                self.claviger(&["signer", "leave", name, &gun, "--confirm", name]);
                self.model.purge(name);
            }
            Deed::Purge => {
                let name = self.somebody();
                let all = listing::delegations(&self.desk.notary(&["delegation", "list", &gun]).ok().stdout);
                let own = all.into_iter().find(|d| d.role == format!("targets/{name}")).unwrap();
                self.claviger(&["delegation", "purge", &gun, "--key", &own.keys[0], "--confirm", &gun]);
                self.model.purge(name);
            }
            Deed::RoleComes => {
                let public = self.keys["alice"].clone();
                if ours {
                    self.claviger(&["delegation", "add", &gun, "targets/qa", &public, "--paths", "qa/"]);
                } else {
                    self.notary(&["delegation", "add", &gun, "targets/qa", &public, "--paths", "qa/", "-p"]);
                }
                self.model.roles.insert("targets/qa".into(), (["alice"].into(), "qa/"));
            }
            Deed::RoleGoes => {
                if ours {
                    self.claviger(&["delegation", "remove", &gun, "targets/qa"]);
                } else {
                    self.notary(&["delegation", "remove", &gun, "targets/qa", "-y", "-p"]);
                }
                self.model.roles.remove("targets/qa");
            }
            Deed::AnotherKey => {
                let name = self.somebody();
                self.number += 1;
                let public = key(&self.desk, &format!("{name}-{}", self.number));
                self.claviger(&["key", "rotate", &gun, &format!("targets/{name}"), "--key", &public]);
                self.keys.insert(name, public);
            }
            Deed::Rotate(what) => {
                let mut rotation = [&["key", "rotate", &gun], what].concat();
                if ours {
                    let old = self.roots().pop().filter(|_| what == ["root"]);
                    rotation.extend(old.as_deref().map(|id| ["--old", id]).into_iter().flatten());
                    self.claviger(&rotation);
                } else {
                    self.said.push(format!("notary {}", rotation.join(" ")));
                    self.desk.notary_with_input(&rotation, "yes\n").ok();
                    // One key of its own takes the place of all.
                    self.model.roots = if what == ["root"] { 1 } else { self.model.roots };
                }
            }
            Deed::RootKeyComes => {
                self.claviger(&["root-key", "add", &gun, "--key", "new"]);
                self.model.roots += 1;
            }
            Deed::RootKeyGoes => {
                let goes = self.roots().swap_remove(0);
                self.claviger(&["root-key", "remove", &gun, &goes]);
                self.model.roots -= 1;
            }
            Deed::Witness if ours => self.claviger(&["witness", &gun, "targets/releases"]),
            Deed::Witness => self.notary(&["witness", &gun, "targets/releases", "-p"]),
            Deed::Renew if ours => self.claviger(&["renew", &gun, "--role", "targets"]),
            Deed::Renew => self.notary(&["witness", &gun, "targets", "-p"]),
        }
    }

    fn somebody(&mut self) -> &'static str {
        let there = self.model.there();
        there[self.chance.below(there.len())]
    }

    /// The next tag, who signs it, and in which roles.
    fn next(&mut self) -> (String, &'static str, [String; 2]) {
        self.number += 1;
        let name = self.somebody();
        (format!("v{}", self.number), name, [format!("targets/{name}"), "targets/releases".to_owned()])
    }

    fn tags(&mut self, ours: bool) {
        let (gun, (tag, name, roles)) = (self.gun.clone(), self.next());
        if ours {
            self.said.push(format!("claviger sign {tag} --as {name}"));
            // Whoever comes back begins anew, and that is confirmed.
            let more = ["--as", name, "--confirm", &gun];
            assert_eq!(outcome(&sign(&self.desk, &gun, &tag, &more).ok()), "published");
        } else {
            self.adds(&tag, &roles, &["-p"]);
        }
        self.model.sign(roles, &tag);
    }

    fn stages(&mut self, publishes: bool) {
        let (gun, (tag, name, roles)) = (self.gun.clone(), self.next());
        if publishes {
            self.adds(&tag, &roles, &[]);
            self.claviger(&["publish", &gun, "--confirm", &gun]);
        } else {
            self.said.push(format!("claviger sign {tag} --as {name} --stage"));
            let sha256 = format!("sha256:{}", digest(&tag));
            let image = format!("{gun}:{tag}");
            let args = ["sign", &image, "--digest", &sha256, "--size", "100", "--as", name, "--stage", "--json"];
            assert_eq!(outcome(&self.desk.claviger(&args).ok()), "staged");
            self.notary(&["publish", &gun]);
        }
        self.model.sign(roles, &tag);
    }

    fn signer_comes(&mut self, ours: bool) {
        let Some(name) = self.model.away() else { return };
        let (gun, public) = (self.gun.clone(), self.keys[name].clone());
        let args = ["signer", "add", "--key", &public, name, &gun];
        if ours {
            self.claviger(&args);
        } else {
            self.docker(&args);
        }
        self.model.add_signer(name);
        // Whoever was here before comes back with what he had signed.
        let role = format!("targets/{name}");
        let fresh = self.desk.fresh().notary(&["list", &gun, "-r", &role]).ok();
        let own = listing::tags(&fresh.stdout).into_iter().filter(|t| t.role == role).map(|t| t.name);
        self.model.tags.insert(role.clone(), own.collect());
    }

    fn adds(&mut self, tag: &str, roles: &[String; 2], more: &[&str]) {
        let (gun, sha256) = (self.gun.clone(), digest(tag));
        let args = ["addhash", &gun, tag, "100", "--sha256", &sha256, "-r", &roles[0], "-r", &roles[1]];
        self.notary(&[&args[..], more].concat());
    }

    fn notary(&mut self, args: &[&str]) {
        self.said.push(format!("notary {}", args.join(" ")));
        self.desk.notary(args).ok();
    }

    fn docker(&mut self, args: &[&str]) {
        self.said.push(format!("docker trust {}", args.join(" ")));
        self.desk.docker_trust(args).ok();
    }

    fn claviger(&mut self, args: &[&str]) {
        self.said.push(format!("claviger {}", args.join(" ")));
        let answer = self.desk.claviger(&[args, &["--yes", "--json"]].concat()).ok();
        assert_eq!(outcome(&answer), "published", "{answer:?}");
    }
}
