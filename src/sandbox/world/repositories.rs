//! The repositories of the world, each with its story. Times are days before now.
use super::{
    SandboxError,
    author::{Author, Owner, Pushed},
    people::{self, Identity, People},
};
use crate::{
    keys::PrivateKey,
    sandbox::{registry::Registry, store::Repository},
    tuf::{json::Value, name::BaseRole},
};
use jiff::Timestamp;
use std::{borrow::Cow, sync::Arc};

/// A repository and the owner's keys that lie in the trust directory.
pub struct Story {
    /// What is on the server.
    pub repository: Repository,
    /// What is in the registry.
    pub pushed: Pushed,
    /// Private keys at this desk, with the role that the file names.
    pub keys: Vec<(BaseRole, Arc<PrivateKey>)>,
    /// What this machine remembers of the repository.
    pub remembered: Remembered,
}

/// What the cache holds of a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remembered {
    /// Nothing: it was never looked at.
    Nothing,
    /// Only the first root.
    FirstRoot,
    /// Everything that is current.
    Everything,
}

/// Pushes the images of all stories. The registry has no host in its names.
pub fn push(stories: &[Story], registry: &Registry) -> Result<(), SandboxError> {
    for story in stories {
        let gun = story.repository.gun().as_str();
        let name = gun.split_once('/').map_or(gun, |(_, name)| name);
        for (tag, image) in &story.pushed {
            registry.keep(name, tag, image).map_err(|_| SandboxError::Internal("keeping an image"))?;
        }
    }
    Ok(())
}

/// Everything that is needed to tell a story.
pub struct Teller<'a> {
    now: Timestamp,
    people: &'a People,
}

impl<'a> Teller<'a> {
    /// Tells the stories of these people.
    pub fn new(now: Timestamp, people: &'a People) -> Self {
        Self { now, people }
    }

    /// All repositories, told side by side: most of the time goes into signatures.
    pub fn tell(&self) -> Result<Vec<Story>, SandboxError> {
        type Tell<'a> = fn(&Teller<'a>) -> Result<Story, SandboxError>;
        let stories: [Tell<'a>; 10] = [
            Self::frontend,
            Self::backend,
            Self::mobile,
            Self::search,
            Self::docs,
            Self::base,
            Self::tools,
            Self::payments,
            Self::archive,
            Self::names,
        ];
        std::thread::scope(|scope| {
            let told = stories.map(|story| scope.spawn(move || story(self)));
            told.into_iter().map(|t| t.join().unwrap_or(Err(SandboxError::Internal("making a repository")))).collect()
        })
    }

    fn begin(&self, name: &str, born: i64) -> Result<(Author, Arc<PrivateKey>), SandboxError> {
        let targets = Identity::fresh()?;
        let key = targets.key.clone();
        let owner = Owner { root: self.people.root.clone(), targets, snapshot: None };
        Ok((Author::new(&format!("sandbox.test/{name}"), self.now, born, owner)?, key))
    }

    fn end(author: Author, targets: Arc<PrivateKey>, remembered: Remembered) -> Result<Story, SandboxError> {
        let (repository, pushed) = author.finish(false)?;
        Ok(Story { repository, pushed, keys: vec![(BaseRole::Targets, targets)], remembered })
    }

    /// Several signers as docker sets them up, one with an RSA key, and a machine. Everybody signs for
    /// `targets/releases`; one tag waits for its release. In the registry a nightly build has never been signed, and
    /// `latest` was pushed again after it was.
    fn frontend(&self) -> Result<Story, SandboxError> {
        let p = self.people;
        let (mut a, key) = self.begin("shop/frontend", 420)?;
        a.publish(420)?;
        for (name, who) in
            [("targets/alice", &p.alice), ("targets/bob", &p.bob), ("targets/carol", &p.carol), ("targets/ci", &p.ci)]
        {
            a.delegate(name, &[who], 1, &[""])?;
        }
        a.delegate("targets/releases", &[&p.alice, &p.bob, &p.carol, &p.ci], 1, &[""])?;
        a.publish(419)?;
        a.tag(&["targets/releases", "targets/alice"], &["1.0.0", "1.0.1", "1.1.0"])?;
        a.publish(300)?;
        a.tag(&["targets/releases", "targets/bob"], &["1.2.0", "1.2.1", "2.0.0-rc1"])?;
        a.publish(170)?;
        a.tag(&["targets/releases", "targets/ci"], &["2.0.0", "2.0.1", "2.1.0", "latest"])?;
        a.tag(&["targets/bob"], &["2.1.0"])?;
        a.publish(41)?;
        a.build_for(&["amd64", "arm64"]);
        a.tag(&["targets/releases", "targets/alice"], &["2.2.0", "2.2.1"])?;
        a.tag(&["targets/carol"], &["2.3.0-beta1"])?;
        a.publish(6)?;
        a.push("nightly");
        a.push_also_as("2.2.1", "latest");
        Self::end(a, key, Remembered::Everything)
    }

    /// Roles below roles, each with its own prefix; a prefix that leads out of the parent's and therefore counts for
    /// nothing; a role that needs two signatures; a role that has published nothing.
    fn backend(&self) -> Result<Story, SandboxError> {
        let p = self.people;
        let (mut a, key) = self.begin("shop/backend", 260)?;
        a.delegate("targets/api", &[&p.alice], 1, &["api/"])?;
        a.delegate("targets/db", &[&p.bob, &p.ci], 1, &["db/"])?;
        a.delegate("targets/board", &[&p.alice, &p.carol], 2, &["release/"])?;
        a.delegate("targets/experiments", &[&p.carol], 1, &["lab/", "api/lab/"])?;
        a.publish(260)?;
        a.delegate("targets/api/stable", &[&p.carol], 1, &["api/stable/"])?;
        a.delegate("targets/api/edge", &[&p.ci], 1, &["api/edge/", "tools/"])?;
        a.delegate("targets/api/stable/hotfix", &[&p.alice], 1, &["api/stable/hotfix-"])?;
        a.tag(&["targets/api"], &["api/overview"])?;
        a.tag(&["targets/api/stable"], &["api/stable/1.4.0", "api/stable/1.4.1", "api/stable/1.5.0"])?;
        a.tag(&["targets/api/edge"], &["api/edge/nightly", "tools/outside-its-prefix"])?;
        a.publish(120)?;
        a.tag(&["targets/api/stable/hotfix"], &["api/stable/hotfix-1.4.2"])?;
        a.tag(&["targets/db"], &["db/schema-12", "db/schema-13"])?;
        a.tag(&["targets/board"], &["release/2026.1", "release/2026.2"])?;
        a.tag(&["targets"], &["all-in-one"])?;
        a.publish(9)?;
        Self::end(a, key, Remembered::Everything)
    }

    /// Bob left, and carol's key replaced his in `targets/releases`; nobody signed the file again, so that what he
    /// released cannot be pulled any more.
    fn mobile(&self) -> Result<Story, SandboxError> {
        let p = self.people;
        let (mut a, key) = self.begin("shop/mobile", 380)?;
        a.delegate("targets/bob", &[&p.bob], 1, &[""])?;
        a.delegate("targets/releases", &[&p.bob], 1, &[""])?;
        a.tag(&["targets/releases", "targets/bob"], &["3.0", "3.1", "3.2"])?;
        a.publish(380)?;
        a.delegate("targets/releases", &[&p.carol], 1, &[""])?;
        a.delegate("targets/carol", &[&p.carol], 1, &[""])?;
        a.publish(17)?;
        Self::end(a, key, Remembered::Nothing)
    }

    /// A delegation that nobody has signed for three years.
    fn search(&self) -> Result<Story, SandboxError> {
        let p = self.people;
        let (mut a, key) = self.begin("shop/search", 1107)?;
        a.delegate("targets/releases", &[&p.alice], 1, &[""])?;
        a.tag(&["targets/releases"], &["0.9", "1.0"])?;
        a.publish(1107)?;
        a.tag(&["targets"], &["1.1", "1.2"])?;
        a.publish(80)?;
        Self::end(a, key, Remembered::Nothing)
    }

    /// No delegations: the owner signs everything.
    fn docs(&self) -> Result<Story, SandboxError> {
        let (mut a, key) = self.begin("shop/docs", 150)?;
        a.tag(&["targets"], &["2025", "2026", "latest"])?;
        a.publish(150)?;
        Self::end(a, key, Remembered::Nothing)
    }

    /// The root was replaced three times, and this machine has seen only the first. The owner holds the snapshot key,
    /// as `notary` sets it up.
    fn base(&self) -> Result<Story, SandboxError> {
        let (targets, snapshot) = (Identity::fresh()?, Identity::fresh()?);
        let roots = [people::fresh()?, people::fresh()?, people::fresh()?, people::fresh()?];
        let [first, second, third, fourth] = roots.clone();
        let mut keys = vec![(BaseRole::Targets, targets.key.clone()), (BaseRole::Snapshot, snapshot.key.clone())];
        keys.extend([first.clone(), fourth.clone()].map(|k| (BaseRole::Root, k)));
        let owner = Owner { root: first, targets, snapshot: Some(snapshot) };
        let mut a = Author::new("sandbox.test/platform/base", self.now, 900, owner)?;
        a.build_for(&["amd64", "arm64"]);
        a.tag(&["targets"], &["bookworm"])?;
        a.publish(900)?;
        a.rotate_root(second, 610)?;
        a.publish(610)?;
        a.tag(&["targets"], &["trixie"])?;
        a.rotate_root(third, 330)?;
        a.publish(330)?;
        a.rotate_root(fourth, 33)?;
        a.delegate("targets/releases", &[&self.people.ci], 1, &[""])?;
        a.tag(&["targets/releases"], &["trixie-20", "trixie-21"])?;
        let data = [("build", Value::Int(421)), ("notes", Value::Str(Cow::Borrowed("long-term support")))];
        a.custom("trixie", Value::Object(data.map(|(k, v)| (Cow::Borrowed(k), v)).into()))?;
        a.publish(33)?;
        let (repository, pushed) = a.finish(false)?;
        Ok(Story { repository, pushed, keys, remembered: Remembered::FirstRoot })
    }

    /// A root that ends in less than four months.
    fn tools(&self) -> Result<Story, SandboxError> {
        let p = self.people;
        let (mut a, key) = self.begin("platform/tools", 10 * 365 - 110)?;
        a.tag(&["targets"], &["1.0"])?;
        a.publish(10 * 365 - 110)?;
        a.delegate("targets/releases", &[&p.alice, &p.ci], 1, &[""])?;
        a.delegate("targets/alice", &[&p.alice], 1, &[""])?;
        a.tag(&["targets/releases", "targets/alice"], &["7.4", "7.5"])?;
        a.tag(&["targets"], &["7.5"])?;
        a.publish(60)?;
        Self::end(a, key, Remembered::Everything)
    }

    /// Nobody has signed `targets` for three years: clients refuse the whole repository.
    fn payments(&self) -> Result<Story, SandboxError> {
        let (mut a, key) = self.begin("legacy/payments", 1400)?;
        a.tag(&["targets"], &["4.0", "4.1"])?;
        a.publish(1400)?;
        a.tag(&["targets"], &["4.2"])?;
        a.publish(3 * 365 + 20)?;
        Self::end(a, key, Remembered::Nothing)
    }

    /// The server stopped signing timestamps: either it is broken, or somebody shows an old state.
    fn archive(&self) -> Result<Story, SandboxError> {
        let (mut a, _) = self.begin("legacy/archive", 700)?;
        a.tag(&["targets"], &["final"])?;
        a.publish(200)?;
        let (repository, pushed) = a.finish(true)?;
        Ok(Story { repository, pushed, keys: Vec::new(), remembered: Remembered::Nothing })
    }

    /// Names that try to be something else on a terminal: colours, cursor movements, reversed and invisible text.
    fn names(&self) -> Result<Story, SandboxError> {
        let p = self.people;
        let (mut a, key) = self.begin("odd/names", 25)?;
        a.delegate("targets/releases", &[&p.alice], 1, &["", "v\u{202e}gnp.exe/", "\u{9b}31mred/"])?;
        a.tag(&["targets"], &["v1.0", "<script>&amp;", "日本語", "naïve"])?;
        a.tag(
            &["targets/releases"],
            &[
                "safe\u{1b}[2J\u{1b}[1;31mOWNED\u{1b}[0m",
                "title\u{1b}]0;all good\u{7}",
                "v1.0\u{202e}5.2v",
                "v1\u{200b}.0",
                "\u{9b}8m-hidden",
                "v2.0\u{2028}verified: yes",
            ],
        )?;
        a.allow_control_characters("targets/releases")?;
        a.publish(25)?;
        Self::end(a, key, Remembered::Nothing)
    }
}
