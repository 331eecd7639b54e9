//! A workplace for procedures without a face, and a person who answers them.
use claviger::{
    failure::Failure,
    journal::State,
    keys::{self, KeyEntry, KeyRole},
    operator::{Answer, Deed, Fut, Operator, Question, SecretKind, Step, Stop, Values},
    procedures::Workplace,
    secret::{Given, Passphrase, Source},
    trust_dir::TrustDir,
};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

pub const OLD: &str = "the-old-passphrase";
pub const NEW: &str = "the-new-passphrase";

/// A trust directory with two keys, of which one lies in an old layout, and a file with a third.
pub struct Bench {
    pub folder: tempfile::TempDir,
    /// Where the journal goes: beside what is looked at.
    pub state: tempfile::TempDir,
}

impl Bench {
    pub fn new() -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap(), state: tempfile::tempdir().unwrap() };
        let (rounds, passphrase) = (keys::Iterations::worthless(), Passphrase::from(OLD.to_owned()));
        let key = || keys::generate(keys::NewKey::EcdsaP256).unwrap();
        let role = |name| KeyRole::parse(name).unwrap();
        keys::store(&bench.place().trust_dir, &role("alice"), None, &key(), &passphrase, rounds).unwrap();
        // Nobody has cared for the permissions of these.
        let old = key();
        let text = keys::encode(&role("root"), None, &old, &passphrase, rounds, &|| false).unwrap();
        let place = bench.path("trust/private/root_keys");
        fs::create_dir(&place).unwrap();
        fs::write(place.join(format!("{}.key", old.id())), text).unwrap();
        let text = keys::encode(&role("bob"), None, &key(), &passphrase, rounds, &|| false).unwrap();
        fs::write(bench.path("bob.pem"), text).unwrap();
        fs::set_permissions(bench.path("bob.pem"), PermissionsExt::from_mode(0o600)).unwrap();
        bench
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn place(&self) -> Workplace {
        Workplace {
            trust_dir: TrustDir::new(self.path("trust")),
            repositories: None,
            state: Some(State::of(self.state.path(), &self.path("trust"))),
            read_only: None,
            exact: false,
            public_dir: ".".into(),
            tour: None,
        }
    }

    pub fn entry(&self) -> KeyEntry {
        keys::list(&self.place().trust_dir).entries.into_iter().find(|e| e.role.as_ref().unwrap().raw() == "alice").unwrap()
    }

    /// Every file below, with its mode and what is in it; without the lock.
    pub fn files(&self) -> BTreeMap<PathBuf, (u32, Vec<u8>)> {
        fn walk(dir: &Path, out: &mut BTreeMap<PathBuf, (u32, Vec<u8>)>) {
            for entry in fs::read_dir(dir).unwrap().flatten() {
                if entry.path().is_dir() {
                    walk(&entry.path(), out);
                } else if entry.file_name() != ".claviger.lock" {
                    let mode = entry.metadata().unwrap().permissions().mode();
                    out.insert(entry.path(), (mode, fs::read(entry.path()).unwrap()));
                }
            }
        }
        let mut out = BTreeMap::new();
        walk(self.folder.path(), &mut out);
        out
    }
}

/// Answers as a person does who knows what they want; goes back, or stops, at one question. Notes everything.
pub struct Person {
    pub fields: BTreeMap<&'static str, String>,
    /// The number of the question at which they go back, once.
    pub back_at: Option<usize>,
    /// The number of the question at which they stop.
    pub stop_at: Option<usize>,
    pub asked: usize,
    /// Everything that was asked, answered and done.
    pub record: String,
    pub acts: usize,
}

impl Person {
    pub fn new(fields: BTreeMap<&'static str, String>) -> Self {
        Self { fields, back_at: None, stop_at: None, asked: 0, record: String::new(), acts: 0 }
    }

    fn answer(&mut self, question: &Question, may_go_back: bool) -> Result<Answer, Stop> {
        if matches!(question, Question::Working(_)) {
            return Ok(Answer::Seen);
        }
        self.asked += 1;
        if self.stop_at == Some(self.asked) {
            return Err(Stop::Cancelled);
        }
        if self.back_at == Some(self.asked) && may_go_back {
            self.back_at = None;
            return Err(Stop::Back);
        }
        Ok(match question {
            Question::Form(form) => {
                let mut values = Values::of(form);
                for field in &form.fields {
                    if let Some(value) = self.fields.get(field.name) {
                        values.set(field.name, value.clone());
                    }
                }
                Answer::Values(values)
            }
            Question::Secret(wanted) => {
                let text = if wanted.kind == SecretKind::Replacement { NEW } else { OLD };
                Answer::Secret(Given { passphrase: Passphrase::from(text.to_owned()), source: Source::Typed })
            }
            Question::Review(_) => Answer::Accepted,
            Question::Confirm(confirm) => Answer::Typed(confirm.typed.clone()),
            Question::Working(_) => Answer::Seen,
        })
    }
}

impl Operator for Person {
    fn put<'a>(&'a mut self, step: Step, question: &'a Question, may_go_back: bool) -> Fut<'a, Result<Answer, Stop>> {
        Box::pin(async move {
            let answer = self.answer(question, may_go_back);
            self.record.push_str(&format!("{} {question:?} {answer:?}\n", step.name));
            answer
        })
    }

    fn begins(&mut self, step: Step, what: &str, _: &Deed) -> Result<(), Failure> {
        self.acts += 1;
        self.record.push_str(&format!("{} begins {what}\n", step.name));
        Ok(())
    }

    fn ended(&mut self, step: Step, result: Result<&str, &Failure>) {
        self.record.push_str(&format!("{} ended {result:?}\n", step.name));
    }
}
