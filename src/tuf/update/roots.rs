//! The way from the root that is trusted to the newest one (protocol 8.4).
use super::{Phase, Reply, Step, Update, bytes_of, fetch, role};
use crate::tuf::{
    envelope::Document,
    file_meta::FileMeta,
    limits,
    name::BaseRole,
    refusal::Refusal,
    request::Which,
    root::Root,
    root_trust::{Judge, TrustedRoot},
    verified,
};

impl Update {
    pub(super) fn first_root(&mut self, reply: Reply) -> Result<Step, Refusal> {
        let bytes = bytes_of(reply, BaseRole::Root, limits::METADATA)?;
        let document = verified::parse::<Root>(&role(BaseRole::Root), &bytes)?;
        let judge = Judge { gun: &self.gun, previous: None, rule: Some(self.pinning.rule(&self.gun)), now: Some(self.now) };
        self.root = Some(judge.judge(document)?);
        self.fetched.insert(role(BaseRole::Root), bytes);
        self.begin_road()
    }

    /// Asks for the newest root: by the hash in a verified snapshot if there is one, else by name.
    pub(super) fn ask_newest_root(&mut self, why: Refusal) -> Result<Step, Refusal> {
        let known = self.snapshot.as_ref().and_then(|s| s.meta(&role(BaseRole::Root)).and_then(FileMeta::sha256));
        let held = self.root()?.root().sha256();
        self.first_failure = Some(why);
        self.phase = Phase::NewestRoot;
        Ok(match known {
            Some(hash) if hash != held => fetch(BaseRole::Root, Which::Sha256(hash), limits::METADATA),
            _ => fetch(BaseRole::Root, Which::Current, limits::METADATA),
        })
    }

    pub(super) fn newest_root(&mut self, reply: Reply) -> Result<Step, Refusal> {
        let first = self.first_failure.clone();
        let bytes = match (reply, first.clone()) {
            // What failed first says more than a missing root, unless the repository is gone altogether.
            (Reply::NotThere, Some(why)) if !matches!(why, Refusal::Missing { .. }) => return Err(why),
            (reply, _) => bytes_of(reply, BaseRole::Root, limits::METADATA)?,
        };
        let name = role(BaseRole::Root);
        let document = verified::parse::<Root>(&name, &bytes)?;
        let current = self.root()?.clone();
        let (seen, got) = (current.root().version(), document.payload.common.version);
        if document.sha256 == current.root().sha256() {
            return Err(first.unwrap_or(Refusal::Missing { role: name }));
        }
        if got < seen {
            return Err(Refusal::Rollback { role: name, seen, got });
        }
        if got == seen {
            return Err(Refusal::Equivocation { role: name, version: got });
        }
        match self.judge_newest(&current, document) {
            Ok(root) => self.adopt(root, bytes),
            Err(Refusal::RootRotation { .. }) if got > seen + 1 => {
                let steps = got - seen;
                if steps > limits::ROOT_STEPS {
                    return Err(Refusal::TooManyRoots { steps, limit: limits::ROOT_STEPS });
                }
                let next = seen + 1;
                self.phase = Phase::RootStep { walker: Box::new(current), next, newest: bytes, newest_version: got };
                Ok(fetch(BaseRole::Root, Which::Version(next), limits::METADATA))
            }
            Err(why) => Err(why),
        }
    }

    pub(super) fn root_step(
        &mut self,
        reply: Reply,
        walker: &TrustedRoot,
        wanted: u64,
        newest: Vec<u8>,
        newest_version: u64,
    ) -> Result<Step, Refusal> {
        let bytes = bytes_of(reply, BaseRole::Root, limits::METADATA)?;
        let document = verified::parse::<Root>(&role(BaseRole::Root), &bytes)?;
        let got = document.payload.common.version;
        if got != wanted {
            return Err(Refusal::WrongRootVersion { wanted, got });
        }
        let walker = Judge { gun: &self.gun, previous: Some(walker), rule: None, now: None }.judge(document)?;
        let next = wanted + 1;
        if next < newest_version {
            self.phase = Phase::RootStep { walker: Box::new(walker), next, newest, newest_version };
            return Ok(fetch(BaseRole::Root, Which::Version(next), limits::METADATA));
        }
        let document = verified::parse::<Root>(&role(BaseRole::Root), &newest)?;
        let root = self.judge_newest(&walker, document)?;
        self.adopt(root, newest)
    }

    fn judge_newest(&self, previous: &TrustedRoot, document: Document<Root>) -> Result<TrustedRoot, Refusal> {
        let rule = Some(self.pinning.rule(&self.gun));
        Judge { gun: &self.gun, previous: Some(previous), rule, now: Some(self.now) }.judge(document)
    }

    fn adopt(&mut self, root: TrustedRoot, bytes: Vec<u8>) -> Result<Step, Refusal> {
        self.root = Some(root);
        self.fetched.insert(role(BaseRole::Root), bytes);
        self.begin_road()
    }
}
