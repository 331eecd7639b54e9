//! The walk over `targets` and the delegations below it, parents before children (protocol 9.4).
use super::{Phase, Reply, Step, Update, by_hash, checked_bytes, not_older};
use crate::tuf::{
    Malformed,
    collection::{Role, RoleState},
    limits,
    name::{BaseRole, RoleName},
    paths::Paths,
    refusal::Refusal,
    role_keys::RoleKeys,
    targets::Targets,
    verified::{self, Verified},
};

/// A role whose turn has not come.
pub(super) struct Waiting {
    pub(super) name: RoleName,
    pub(super) keys: RoleKeys,
    pub(super) stated: Paths,
    pub(super) paths: Paths,
}

impl Update {
    /// Takes roles from the cache as long as that goes, and asks for the first that must be fetched.
    pub(super) fn next_role(&mut self) -> Result<Step, Refusal> {
        while let Some(w) = self.waiting.front() {
            let meta = self.snapshot.as_ref().and_then(|s| s.meta(&w.name)).cloned();
            match meta {
                None if w.name.base().is_some() => return Err(Refusal::NotListed { role: w.name.clone() }),
                None if self.was_published(w) => {
                    let why = Refusal::NotListed { role: w.name.clone() };
                    self.settle(RoleState::Refused(why));
                }
                None => self.settle(RoleState::Unpublished),
                Some(meta) => match self.kept(&w.name).filter(|b| meta.fits(b)).cloned() {
                    Some(bytes) => self.accept_role(&bytes)?,
                    None => {
                        self.phase = Phase::Roles;
                        return by_hash(&w.name, &meta);
                    }
                },
            }
        }
        self.finish()
    }

    /// What is kept of a role and may be taken for what the server has.
    fn kept(&self, role: &RoleName) -> Option<&Vec<u8>> {
        self.cache.get(role).filter(|_| !self.asked_for.contains(role))
    }

    /// Whether a file of this role, by its present keys, is remembered: then a snapshot that does not name the role hides it.
    fn was_published(&self, w: &Waiting) -> bool {
        let kept = self.cache.get(&w.name).map(|b| verified::parse::<Targets>(&w.name, b));
        kept.is_some_and(|d| d.and_then(|d| Verified::check(d, &w.name, &w.keys)).is_ok())
    }

    pub(super) fn take_role(&mut self, reply: Reply) -> Result<Step, Refusal> {
        let Some(name) = self.waiting.front().map(|w| w.name.clone()) else { return self.finish() };
        let meta =
            self.snapshot.as_ref().and_then(|s| s.meta(&name)).cloned().ok_or(Refusal::NotListed { role: name.clone() })?;
        match checked_bytes(reply, &name, &meta, BaseRole::Snapshot) {
            Err(why) => self.refuse(why)?,
            Ok(bytes) => {
                self.accept_role(&bytes)?;
                let verified = self.roles.last().is_some_and(|r| r.name == name && r.verified().is_some());
                if verified {
                    self.fetched.insert(name, bytes);
                }
            }
        }
        self.next_role()
    }

    /// Verifies the file of the role in front and settles its state. For `targets` a refusal ends the attempt.
    fn accept_role(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        let Some(w) = self.waiting.front() else { return Ok(()) };
        let name = w.name.clone();
        let checked = self.check_role(w, bytes);
        let late = match &checked {
            Ok(file) => file.check_fresh(&name, self.now),
            Err(_) => Ok(()),
        };
        let checked = self.but_for_time(late).and(checked);
        let Some(w) = self.waiting.front() else { return Ok(()) };
        match checked {
            Err(why) => {
                // What is older than, or something else than, what was seen before is nothing to build on.
                if matches!(why, Refusal::Threshold { .. } | Refusal::NoSignatures { .. }) {
                    self.set_aside(&name, bytes);
                }
                self.refuse(why)
            }
            Ok(file) => {
                let (role, more) = (w.name.clone(), file.delegations().len());
                let below = role.branch().map(|b| (self.below.get(&b).copied().unwrap_or_default() + more, b));
                let in_all = self.roles.len() + self.waiting.len() + more;
                let limit = match &below {
                    Some((n, _)) if *n > limits::ROLES_BELOW => Some(limits::ROLES_BELOW),
                    _ => Some(limits::ROLES_IN_ALL).filter(|limit| in_all > *limit),
                };
                if let Some(limit) = limit {
                    return self.refuse(Refusal::Malformed { role, why: Malformed::TooMany("roles", limit) });
                }
                if let Some((n, branch)) = below {
                    self.below.insert(branch, n);
                }
                let below: Vec<Waiting> = file
                    .delegations()
                    .iter()
                    .map(|d| {
                        let keys = file.keys_of(d).map_err(|why| Refusal::Malformed { role: d.name.clone(), why })?;
                        Ok(Waiting { name: d.name.clone(), keys, stated: d.paths.clone(), paths: w.paths.restrict(&d.paths) })
                    })
                    .collect::<Result<_, Refusal>>()?;
                self.settle(RoleState::Verified(Box::new(file)));
                self.waiting.extend(below);
                self.note_file(&name, bytes);
                Ok(())
            }
        }
    }

    fn check_role(&self, w: &Waiting, bytes: &[u8]) -> Result<Verified<Targets>, Refusal> {
        let document = verified::parse::<Targets>(&w.name, bytes)?;
        document.payload.check_children(&w.name).map_err(|why| Refusal::Malformed { role: w.name.clone(), why })?;
        let file = Verified::check(document, &w.name, &w.keys)?;
        // The file kept from before may be this very one; then there is nothing to compare.
        if let Some(kept) = self.cache.get(&w.name).filter(|b| b.as_slice() != bytes) {
            let seen = verified::parse::<Targets>(&w.name, kept).and_then(|d| Verified::check(d, &w.name, &w.keys));
            if let Ok(seen) = seen {
                not_older(&w.name, &seen, &file)?;
            }
        }
        Ok(file)
    }

    /// Keeps what a refused file says, for somebody who may sign it again.
    fn set_aside(&mut self, name: &RoleName, bytes: &[u8]) {
        if let Some(beside) = &mut self.beside
            && let Ok(document) = verified::parse::<Targets>(name, bytes)
            && document.payload.check_children(name).is_ok()
        {
            beside.refused.insert(name.clone(), document.payload);
        }
    }

    fn refuse(&mut self, why: Refusal) -> Result<(), Refusal> {
        if self.waiting.front().is_none_or(|w| w.name.base().is_some()) {
            return Err(why);
        }
        self.settle(RoleState::Refused(why));
        Ok(())
    }

    fn settle(&mut self, state: RoleState) {
        if let Some(w) = self.waiting.pop_front() {
            self.roles.push(Role { name: w.name, keys: w.keys, paths: w.paths, stated_paths: w.stated, state });
        }
    }
}
