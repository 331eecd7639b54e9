//! What holds for every procedure on keys, whoever operates it: one can go back on every page, nothing is done before all is
//! answered, and a record of everything that was asked and answered holds no secret.
use claviger::{
    failure::Failure,
    keys::{self, KeyEntry, KeyRole},
    operator::{Answer, Cancel, Fut, Operator, Question, SecretKind, Session, Step, Stop, Values, run},
    procedures::{
        Workplace,
        key_export::{self, Half},
        key_generate, key_import, key_passwd, key_remove,
    },
    secret::{Given, Passphrase, Source},
    trust_dir::TrustDir,
};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

const OLD: &str = "the-old-passphrase";
const NEW: &str = "the-new-passphrase";

/// A trust directory with one key, and a file with another.
struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let bench = Self { folder: tempfile::tempdir().unwrap() };
        let (rounds, passphrase) = (keys::Iterations::worthless(), Passphrase::from(OLD.to_owned()));
        let key = || keys::generate(keys::NewKey::EcdsaP256).unwrap();
        let role = |name| KeyRole::parse(name).unwrap();
        keys::store(&bench.place().trust_dir, &role("alice"), None, &key(), &passphrase, rounds).unwrap();
        let text = keys::encode(&role("bob"), None, &key(), &passphrase, rounds, &|| false).unwrap();
        fs::write(bench.path("bob.pem"), text).unwrap();
        fs::set_permissions(bench.path("bob.pem"), PermissionsExt::from_mode(0o600)).unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn place(&self) -> Workplace {
        Workplace { trust_dir: TrustDir::new(self.path("trust")), read_only: None, exact: false, public_dir: ".".into() }
    }

    fn entry(&self) -> KeyEntry {
        keys::list(&self.place().trust_dir).entries.into_iter().find(|e| e.role.as_ref().unwrap().raw() == "alice").unwrap()
    }

    /// Every file below, with what is in it; without the lock.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        fn walk(dir: &Path, out: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for entry in fs::read_dir(dir).unwrap().flatten() {
                if entry.path().is_dir() {
                    walk(&entry.path(), out);
                } else if entry.file_name() != ".claviger.lock" {
                    out.insert(entry.path(), fs::read(entry.path()).unwrap());
                }
            }
        }
        let mut out = BTreeMap::new();
        walk(self.folder.path(), &mut out);
        out
    }
}

/// Answers as a person does who knows what they want; goes back, or stops, at one question. Notes everything.
struct Person {
    fields: BTreeMap<&'static str, String>,
    /// The number of the question at which they go back, once.
    back_at: Option<usize>,
    /// The number of the question at which they stop.
    stop_at: Option<usize>,
    asked: usize,
    /// Everything that was asked, answered and done.
    record: String,
    acts: usize,
}

impl Person {
    fn new(fields: BTreeMap<&'static str, String>) -> Self {
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

    fn begins(&mut self, step: Step, what: &str) -> Result<(), Failure> {
        self.acts += 1;
        self.record.push_str(&format!("{} begins {what}\n", step.name));
        Ok(())
    }

    fn ended(&mut self, step: Step, result: Result<&str, &Failure>) {
        self.record.push_str(&format!("{} ended {result:?}\n", step.name));
    }
}

/// A procedure with what is filled into its forms.
struct Case {
    name: &'static str,
    fields: fn(&Bench) -> BTreeMap<&'static str, String>,
    run: for<'s> fn(&Bench, &'s mut Session<'_>) -> Fut<'s, Result<String, Stop>>,
}

fn boxed<'s, T: std::fmt::Display + 's>(result: Fut<'s, Result<T, Stop>>) -> Fut<'s, Result<String, Stop>> {
    Box::pin(async move { result.await.map(|done| done.to_string()) })
}

fn text(path: PathBuf) -> String {
    path.to_str().unwrap().to_owned()
}

const CASES: [Case; 6] = [
    Case {
        name: "generate",
        fields: |b| [("name", "carol".to_owned()), ("dir", text(b.folder.path().to_owned()))].into(),
        run: |b, s| boxed(key_generate::run(b.place(), s)),
    },
    Case {
        name: "import",
        fields: |b| [("file", text(b.path("bob.pem")))].into(),
        run: |b, s| boxed(key_import::run(b.place(), s)),
    },
    Case { name: "passwd", fields: |_| [].into(), run: |b, s| boxed(key_passwd::run(b.place(), b.entry(), s)) },
    Case { name: "remove", fields: |_| [].into(), run: |b, s| boxed(key_remove::run(b.place(), b.entry(), s)) },
    Case {
        name: "export",
        fields: |b| [("output", text(b.path("out.pem")))].into(),
        run: |b, s| boxed(key_export::run(vec![b.entry()], Half::Private, s)),
    },
    Case {
        name: "export --public",
        fields: |b| [("output", text(b.path("out.pub")))].into(),
        run: |b, s| boxed(key_export::run(vec![b.entry()], Half::Public, s)),
    },
];

async fn played(case: &Case, bench: &Bench, back_at: Option<usize>, stop_at: Option<usize>) -> (Result<String, Stop>, Person) {
    let mut person = Person { back_at, stop_at, ..Person::new((case.fields)(bench)) };
    let result = run(&mut person, Cancel::default(), |s| (case.run)(bench, s)).await;
    (result, person)
}

#[tokio::test(flavor = "multi_thread")]
async fn one_can_go_back_on_every_page_and_the_work_is_done_once() {
    for case in &CASES {
        let (result, straight) = played(case, &Bench::new(), None, None).await;
        assert!(result.is_ok(), "{}: {result:?}", case.name);
        for at in 1..=straight.asked {
            let bench = Bench::new();
            let before = bench.files();
            let (result, person) = played(case, &bench, Some(at), None).await;
            assert!(result.is_ok(), "{} back at {at}: {result:?}\n{}", case.name, person.record);
            assert_eq!(person.acts, 1, "{} back at {at}", case.name);
            assert!(at == 1 || person.asked > straight.asked, "{} back at {at}: it was not asked again", case.name);
            assert_ne!(bench.files(), before, "{} back at {at}", case.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_stops_at_any_page_has_changed_nothing() {
    for case in &CASES {
        let bench = Bench::new();
        let before = bench.files();
        for at in 1.. {
            let (result, person) = played(case, &bench, None, Some(at)).await;
            if result.is_ok() {
                assert!(at > 1, "{} asks nothing", case.name);
                break;
            }
            assert_eq!((result, person.acts), (Err(Stop::Cancelled), 0), "{} stopped at {at}", case.name);
            assert_eq!(bench.files(), before, "{} stopped at {at}", case.name);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_everything_that_was_asked_and_done_is_complete_and_holds_no_secret() {
    for case in &CASES {
        let (result, person) = played(case, &Bench::new(), None, None).await;
        let done = result.unwrap();
        assert!(person.record.contains(&format!("ended Ok({done:?})")), "{}: {}", case.name, person.record);
        for secret in [OLD, NEW] {
            assert!(!person.record.contains(secret), "{}: {}", case.name, person.record);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_session_asks_nothing_and_changes_nothing() {
    let bench = Bench::new();
    let before = bench.files();
    let place = Workplace { read_only: Some("--read-only".to_owned()), ..bench.place() };
    let entry = bench.entry();
    let mut person = Person::new(BTreeMap::new());
    let results = [
        run(&mut person, Cancel::default(), |s| boxed(key_generate::run(place.clone(), s))).await,
        run(&mut person, Cancel::default(), |s| boxed(key_import::run(place.clone(), s))).await,
        run(&mut person, Cancel::default(), |s| boxed(key_passwd::run(place.clone(), entry.clone(), s))).await,
        run(&mut person, Cancel::default(), |s| boxed(key_remove::run(place.clone(), entry.clone(), s))).await,
    ];
    for result in results {
        assert!(matches!(&result, Err(Stop::Failed(f)) if f.code == "read-only"), "{result:?}");
    }
    assert_eq!((person.asked, bench.files()), (0, before));
}
