//! A server that answers as it likes, and a client that updates from it.
use super::repo::{Files, now};
use claviger::tuf::{
    Refusal,
    name::{Gun, RoleName},
    pinning::Pinning,
    request::{Request, Which},
    update::{Outcome, Reply, Step, Update},
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};

/// What a server has to say to each question.
#[derive(Clone, Default)]
pub struct Served {
    /// The answer for a role, whether asked by name or by hash: a liar does not look at the hash.
    pub files: Files,
    /// `<n>.root.json`.
    pub roots: BTreeMap<u64, Vec<u8>>,
    /// Answers to exact file names, before everything else; `None` says that there is no such file.
    pub exactly: BTreeMap<String, Option<Vec<u8>>>,
    /// Roles whose file is not there when it is asked for first.
    pub late: BTreeSet<RoleName>,
    /// What was asked for.
    pub asked: Vec<String>,
}

impl Served {
    pub fn new(files: Files) -> Self {
        Self { files, ..Self::default() }
    }

    pub fn reply(&mut self, request: &Request) -> Reply {
        self.asked.push(request.file_name());
        if self.late.remove(&request.role) {
            return Reply::NotThere;
        }
        let bytes = match (self.exactly.get(&request.file_name()), &request.which) {
            (Some(answer), _) => answer.clone(),
            (None, Which::Version(n)) => self.roots.get(n).cloned(),
            (None, _) => self.files.get(&request.role).cloned(),
        };
        bytes.map_or(Reply::NotThere, Reply::Bytes)
    }
}

/// A client: what it has, what it is told to believe, and what its clock says.
#[derive(Clone)]
pub struct Client {
    pub gun: Gun,
    pub cache: Files,
    pub pinning: Pinning,
    pub now: Timestamp,
}

impl Client {
    pub fn new(gun: &Gun) -> Self {
        Self { gun: gun.clone(), cache: Files::new(), pinning: Pinning::default(), now: now() }
    }

    pub fn with_cache(mut self, files: &Files) -> Self {
        self.cache = files.clone();
        self
    }

    pub fn pinned(mut self, pinning: Pinning) -> Self {
        self.pinning = pinning;
        self
    }

    pub fn at(mut self, time: &str) -> Self {
        self.now = time.parse().unwrap();
        self
    }

    /// One update. More questions than any honest update has are a failure of their own.
    pub fn update(&self, served: &mut Served) -> Result<Outcome, Refusal> {
        let mut update = Update::new(self.gun.clone(), self.now, self.pinning.clone(), self.cache.clone());
        let mut step = update.start()?;
        for _ in 0..20_000 {
            match step {
                Step::Done(outcome) => return Ok(*outcome),
                Step::Fetch(request) => step = update.give(served.reply(&request))?,
            }
        }
        panic!("the update does not end");
    }

    /// One update with a server that does not answer.
    pub fn update_offline(&self) -> Result<Outcome, Refusal> {
        let mut update = Update::new(self.gun.clone(), self.now, self.pinning.clone(), self.cache.clone());
        update.start()?;
        assert!(update.wants_timestamp());
        match update.use_remembered_timestamp()? {
            Step::Done(outcome) => Ok(*outcome),
            Step::Fetch(request) => panic!("{} is needed though all is cached", request.file_name()),
        }
    }

    /// The cache after an update: what was fetched replaces what was there.
    pub fn after(&self, outcome: &Outcome) -> Self {
        let mut client = self.clone();
        client.cache.extend(outcome.fetched.iter().cloned());
        client
    }
}
