//! Changes of repositories that are begun where only a part of them is known: what is missing is asked on one page, what is
//! wrong is said there, and stopping at any page leaves everything as it was.
use claviger::{
    failure::Failure,
    journal::State,
    keys::{self, KeyRole, NewKey},
    operator::{Answer, Cancel, Field, Fut, Operator, Question, Step, Stop, Values},
    procedures::{
        self, CANCELLED, Done, Recording, Work, Workplace,
        repository::{Beginning, Deletion, NewSigner, RootAct, RootKeys, Rotation, Wanted},
    },
    repository::{Images, Mode, Repositories, Servers},
    sandbox::{HOST, PASSPHRASE, Sandbox, registry},
    secret::{Given, Passphrase, Source},
    tuf::{
        collection::TrustedCollection,
        name::{BaseRole, Gun},
        pinning::Pinning,
    },
};
use jiff::Timestamp;
use std::{fs, path::Path, sync::Arc};
use tokio::sync::Notify;

pub(super) const GUN: &str = "sandbox.test/shop/frontend";

/// What is filled into a form, by the names of its fields.
type Fills<'a> = Vec<(&'static str, &'a str)>;

/// A world to practise on, and somebody's place in it.
pub(super) struct World {
    pub(super) sandbox: Sandbox,
    pub(super) place: Workplace,
    pub(super) dir: tempfile::TempDir,
}

impl World {
    pub(super) fn new() -> Self {
        Self::of(Sandbox::new(Timestamp::now(), None).unwrap())
    }

    /// One whose registry keeps what comes to it on the disk.
    pub(super) fn on_disk(directory: &Path) -> Self {
        Self::of(Sandbox::kept(Timestamp::now(), directory).unwrap())
    }

    fn of(sandbox: Sandbox) -> Self {
        let images = Arc::new(registry::InProcess::new(sandbox.registry().clone()));
        let images = Images { registry: images, name: HOST.to_owned(), host: HOST.to_owned(), all: false };
        let servers = Servers::fixed_with(sandbox.transport(), images);
        let dir = tempfile::tempdir().unwrap();
        let place = Workplace {
            trust_dir: sandbox.trust_dir().clone(),
            repositories: Some(Repositories::new(servers, sandbox.trust_dir().clone(), Pinning::default(), true)),
            state: Some(State::of(dir.path(), sandbox.path())),
            read_only: None,
            exact: false,
            public_dir: dir.path().into(),
            tour: None,
        };
        Self { sandbox, place, dir }
    }

    async fn perform(&self, wanted: Wanted, person: &mut Person) -> Result<Done, Failure> {
        self.work(Work::Ask(Box::new(wanted)), person).await
    }

    pub(super) async fn work(&self, work: Work, person: &mut Person) -> Result<Done, Failure> {
        let recording = Recording::new(&self.place, work.clone());
        procedures::perform(&work, &self.place, recording, person, Cancel::default()).await
    }

    async fn seen(&self) -> TrustedCollection {
        let all = self.place.repositories.as_ref().unwrap();
        all.load(&Gun::new(GUN).unwrap(), Timestamp::now(), Mode::CleanCache, &|_| {}).await.unwrap().collection
    }

    /// The file with somebody's public key.
    fn public(&self, name: &str) -> (String, String) {
        let key = keys::generate(NewKey::EcdsaP256).unwrap();
        let path = self.dir.path().join(format!("{name}.pub"));
        fs::write(&path, keys::public_file(&KeyRole::parse(name).unwrap(), key.public()).unwrap()).unwrap();
        (path.to_str().unwrap().to_owned(), key.id().hex())
    }
}

/// Somebody who fills in fields, accepts everything, and leaves at a question if told to.
#[derive(Default)]
pub(super) struct Person {
    fills: Vec<(&'static str, String)>,
    leaves_at: Option<usize>,
    /// Is told when that is so, and then never hears of it again.
    falls_asleep: Option<Arc<Notify>>,
    /// What was asked: the names of the steps.
    pub(super) asked: Vec<&'static str>,
    typed: Vec<String>,
    fields: Vec<Field>,
}

impl Person {
    pub(super) fn who_fills(fills: &[(&'static str, &str)]) -> Self {
        Self { fills: fills.iter().map(|(n, v)| (*n, (*v).to_owned())).collect(), ..Self::default() }
    }
}

impl Operator for Person {
    fn put<'a>(&'a mut self, step: Step, question: &'a Question, _: bool) -> Fut<'a, Result<Answer, Stop>> {
        Box::pin(async move {
            if let Question::Working(_) = question {
                return Ok(Answer::Seen);
            }
            if self.leaves_at == Some(self.asked.len()) {
                if let Some(told) = &self.falls_asleep {
                    told.notify_one();
                    std::future::pending::<()>().await;
                }
                return Err(Stop::Cancelled);
            }
            self.asked.push(step.name);
            Ok(match question {
                Question::Form(form) => {
                    let mut values = Values::of(form);
                    self.fields = form.fields.clone();
                    for (name, value) in &self.fills {
                        let is_asked = form.fields.iter().any(|f| f.name == *name);
                        assert!(is_asked || self.asked.len() > 1, "{name} is not asked: {form:?}");
                        if is_asked {
                            values.set(name, value.clone());
                        }
                    }
                    Answer::Values(values)
                }
                Question::Review(_) => Answer::Accepted,
                Question::Confirm(confirm) => {
                    self.typed.push(confirm.typed.clone());
                    Answer::Typed(confirm.typed.clone())
                }
                Question::Secret(_) => {
                    Answer::Secret(Given { passphrase: Passphrase::from(PASSPHRASE.to_owned()), source: Source::Typed })
                }
                Question::Working(_) => Answer::Seen,
            })
        })
    }
}

fn sign(gun: &str, tag: &str) -> Wanted {
    Wanted::Sign { gun: gun.into(), tag: tag.into(), sha256: String::new(), size: 0, signer: None }
}

fn add_signer() -> Wanted {
    Wanted::AddSigner { guns: vec![GUN.into()], name: String::new(), keys: Vec::new() }
}

fn remove_signer(name: &str) -> Wanted {
    Wanted::RemoveSigner { guns: vec![GUN.into()], name: name.into(), key: None }
}

fn delegate(role: &str) -> Wanted {
    Wanted::AddDelegation { gun: GUN.into(), role: role.into(), keys: Vec::new(), paths: Vec::new(), threshold: None }
}

fn undelegate(role: &str) -> Wanted {
    Wanted::RemoveDelegation { gun: GUN.into(), role: role.into(), keys: Vec::new(), paths: Vec::new(), all_paths: false }
}

fn revoke(tag: Option<&str>) -> Wanted {
    Wanted::Revoke { gun: GUN.into(), tag: tag.map(str::to_owned) }
}

fn renew(role: &str) -> Wanted {
    Wanted::Renew { gun: GUN.into(), roles: vec![role.into()], until: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_missing_is_asked_on_one_page_and_then_it_is_done() {
    let world = World::new();
    let (dave, dave_id) = world.public("dave");
    let (qa, _) = world.public("qa");
    let digest = format!("sha256:{}", "ab".repeat(32));
    let witness = |roles: Vec<String>| Wanted::Witness { gun: GUN.into(), roles };
    let purge = |keys: Vec<String>| Wanted::Purge { gun: GUN.into(), keys };
    let steps: Vec<(Wanted, Fills<'_>, &[&str])> = vec![
        // The registry is asked what it stands for; nobody has to know a digest.
        (sign(GUN, ""), vec![("tag", "nightly"), ("as", "alice")], &["wanted", "plan", "unlock"]),
        (sign("", "rc"), vec![("gun", GUN), ("digest", &digest), ("size", "7")], &["wanted", "plan", "unlock", "unlock"]),
        (revoke(Some("rc")), vec![], &["plan", "unlock", "unlock"]),
        (revoke(None), vec![("tag", "nightly")], &["wanted", "plan", "unlock", "unlock"]),
        (add_signer(), vec![("name", "dave"), ("key", &dave)], &["wanted", "plan", "unlock"]),
        // Nothing breaks: the name is typed all the same.
        (remove_signer("dave"), vec![], &["wanted", "plan", "confirm", "unlock"]),
        (add_signer(), vec![("name", "dave"), ("key", &dave)], &["wanted", "plan", "unlock"]),
        (purge(Vec::new()), vec![("key", &dave_id)], &["wanted", "plan", "unlock"]),
        (delegate(""), vec![("role", "targets/qa"), ("key", &qa), ("paths", "test/, rc/")], &["wanted", "plan", "unlock"]),
        (undelegate("targets/qa"), vec![("what", "part"), ("paths", "rc/")], &["wanted", "plan", "unlock"]),
        (undelegate("targets/qa"), vec![], &["wanted", "plan", "unlock"]),
        (witness(vec!["targets/alice".into()]), vec![], &["plan", "unlock"]),
        (witness(Vec::new()), vec![("role", "targets/alice targets/ci")], &["wanted", "plan", "unlock", "unlock"]),
        (renew("targets"), vec![("until", "2031-01-02")], &["wanted", "plan", "unlock"]),
    ];
    for (wanted, fills, asked) in steps {
        let mut person = Person::who_fills(&fills);
        let done = world.perform(wanted.clone(), &mut person).await.unwrap_or_else(|e| panic!("{wanted:?}: {e:?}"));
        assert!(done.happened.contains("published and verified") && done.left.is_empty(), "{wanted:?}: {done:?}");
        assert_eq!(done.repositories, [Gun::new(GUN).unwrap()], "{wanted:?}");
        assert_eq!(person.asked, asked, "{wanted:?}");
        if let Wanted::RemoveSigner { name, .. } = &wanted {
            assert_eq!(&person.typed, std::slice::from_ref(name));
        }
    }
    let seen = world.seen().await;
    let names: Vec<&str> = seen.roles().iter().map(|r| r.name.as_str()).collect();
    assert!(!names.contains(&"targets/dave") && !names.contains(&"targets/qa"), "{names:?}");
    assert!(!seen.signed().any(|(_, name, _)| matches!(name, "rc" | "nightly")));
    let end = seen.roles().iter().find(|r| r.name.as_str() == "targets").unwrap().verified().unwrap().expires();
    assert_eq!(end.strftime("%Y-%m-%d").to_string(), "2031-01-02");
    assert!(world.place.interrupted().is_empty(), "what was asked was written down and closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_stops_at_any_page_leaves_everything_as_it_was() {
    let world = World::new();
    let versions = |c: &TrustedCollection| (c.snapshot().version(), c.roles().len());
    let before = versions(&world.seen().await);
    let (dave, _) = world.public("dave");
    let all: [(Wanted, Fills<'_>, usize); 8] = [
        (sign(GUN, "nightly"), vec![("as", "alice")], 3),
        (revoke(Some("1.0.0")), vec![], 2),
        (add_signer(), vec![("name", "dave"), ("key", &dave)], 3),
        (remove_signer("bob"), vec![], 4),
        (delegate(""), vec![("role", "targets/qa"), ("key", &dave), ("what", "any")], 3),
        (undelegate("targets/bob"), vec![], 3),
        (Wanted::Witness { gun: GUN.into(), roles: vec!["targets/alice".into()] }, vec![], 2),
        (renew("targets"), vec![], 3),
    ];
    for (wanted, fills, questions) in all {
        for leaves_at in 0..questions {
            let mut person = Person { leaves_at: Some(leaves_at), ..Person::who_fills(&fills) };
            let stopped = world.perform(wanted.clone(), &mut person).await.unwrap_err();
            assert_eq!((stopped.code, person.asked.len()), (CANCELLED, leaves_at), "{wanted:?}: {stopped:?}");
            assert_eq!(stopped.did_not_happen, "nothing was signed or published");
        }
    }
    assert_eq!(versions(&world.seen().await), before);
    assert!(world.place.interrupted().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_goes_on_with_it_need_not_fill_it_in_again() {
    let world = World::new();
    let told = Arc::new(Notify::new());
    let fills = [("tag", "nightly"), ("as", "alice")];
    let mut person = Person { leaves_at: Some(2), falls_asleep: Some(told.clone()), ..Person::who_fills(&fills) };
    tokio::select! {
        ended = world.perform(sign(GUN, ""), &mut person) => panic!("{ended:?}"),
        () = told.notified() => {}
    }
    assert_eq!(person.asked, ["wanted", "plan"]);
    let all = world.place.interrupted();
    let [found] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(found.command, "sign");
    let (work, recording) = world.place.interrupted_work(&found.id).unwrap().take_up(&world.place).unwrap();
    let mut person = Person::default();
    let done = procedures::perform(&work, &world.place, recording, &mut person, Cancel::default()).await.unwrap();
    assert!(done.happened.contains("published and verified"), "{done:?}");
    assert_eq!(person.asked, ["plan", "unlock"]);
    assert!(world.seen().await.signed().any(|(_, name, _)| name == "nightly"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_said_at_its_field_before_anything_is_read() {
    let world = World::new();
    let (dave, _) = world.public("dave");
    let private = world.dir.path().join("private.pem");
    fs::write(&private, "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n").unwrap();
    let private = private.to_str().unwrap().to_owned();
    let none: &[(&'static str, &str)] = &[];
    let hex = "ab".repeat(32);
    let cases: Vec<(Wanted, Fills<'_>, &str, &str)> = vec![
        (sign(GUN, ""), none.into(), "tag", "a tag is needed"),
        (sign(GUN, "a b"), none.into(), "tag", "no spaces"),
        (sign(GUN, "new"), vec![("digest", "sha256:12"), ("size", "7")], "digest", "64 hexadecimal digits"),
        (sign(GUN, "new"), vec![("digest", &hex)], "size", "needs the size"),
        (sign(GUN, "new"), vec![("size", "7")], "size", "leave this empty"),
        (sign(GUN, "new"), vec![("digest", &hex), ("size", "0")], "size", "at least 1"),
        (sign(GUN, "new"), vec![("as", "Al ice")], "as", "lower-case letters"),
        (sign("", "new"), none.into(), "gun", "a repository is needed"),
        (sign("", "new"), vec![("gun", "../up")], "gun", "names no repository"),
        (sign("", "new"), vec![("gun", "sandbox.test/a:1")], "gun", "names the tag 1"),
        (revoke(None), vec![("what", "every-tag"), ("tag", "1.0")], "tag", "every tag is meant"),
        (add_signer(), vec![("name", "releases"), ("key", &dave)], "name", "nobody's name"),
        (add_signer(), vec![("name", "dave")], "key", "a file is needed"),
        (add_signer(), vec![("name", "dave"), ("key", &private)], "key", "holds a private key"),
        (add_signer(), vec![("name", "dave"), ("key", &dave), ("others", "a/../b")], "others", "names no repository"),
        (remove_signer("bob"), vec![("key", "12")], "key", "is no key ID"),
        (delegate(""), none.into(), "role", "a role is needed"),
        (delegate(""), vec![("role", "targets")], "role", "only roles below targets"),
        (delegate(""), vec![("role", "targets/qa")], "paths", "say how the names begin"),
        (delegate(""), vec![("role", "targets/qa"), ("what", "any"), ("paths", "a/")], "paths", "choose \"these\""),
        (delegate(""), vec![("role", "targets/qa"), ("paths", "a/,,b/")], "paths", "beside a comma"),
        (delegate("targets/qa"), vec![("threshold", "0")], "threshold", "at least 1"),
        (undelegate("targets/bob"), vec![("what", "part")], "key", "keys or names are needed"),
        (undelegate("targets/bob"), vec![("key", &hex)], "key", "choose \"part\""),
        (Wanted::Purge { gun: GUN.into(), keys: vec![] }, none.into(), "key", "an ID is needed"),
        (Wanted::Witness { gun: GUN.into(), roles: vec![] }, none.into(), "role", "a role is needed"),
        (renew("snapshot"), none.into(), "role", "made anew with every publication"),
        (renew("targets"), vec![("until", "soon")], "until", "a date is"),
        (renew("targets"), vec![("until", "2001-01-01")], "until", "over already"),
    ];
    for (wanted, fills, field, says) in cases {
        let mut person = Person::who_fills(&fills);
        // What a check finds by looking is the procedure's to say, where nobody could mend it.
        let failed = world.perform(wanted.clone(), &mut person).await.unwrap_err();
        let mut values = Values::default();
        person.fields.iter().for_each(|f| values.set(f.name, f.initial.clone()));
        person.fills.iter().for_each(|(n, v)| values.set(n, v.clone()));
        let judged = person.fields.iter().find(|f| f.name == field).unwrap().judge(&values);
        let why = judged.unwrap_err();
        assert!(why.contains(says), "{wanted:?}: {why}");
        assert!(failed.did_not_happen.starts_with("nothing was"), "{failed:?}");
        assert_eq!(person.asked, ["wanted"], "{wanted:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_asks_by_itself_is_asked_only_what_it_does_not_know() {
    let world = World::new();
    let rotate = |role: &str| Wanted::Rotate(Rotation { gun: GUN.into(), role: role.into() });
    let leave = |who: &str| Wanted::Leave { guns: vec![GUN.into()], who: who.into() };
    let delete = || Wanted::Delete(Deletion { gun: GUN.into(), remote: false });
    let begin = || Wanted::Begin(Beginning { gun: String::new(), signer: None });
    let (dave, _) = world.public("dave");
    let with_signer = Wanted::Begin(Beginning { gun: String::new(), signer: Some(NewSigner::default()) });
    let cases: Vec<(Wanted, Fills<'_>, &[&str])> = vec![
        (rotate("targets"), vec![], &["wish", "plan"]),
        (rotate(""), vec![("role", "targets")], &["wanted", "wish", "plan"]),
        // Whoever pins the root has to be thought of.
        (rotate("root"), vec![], &["wish", "plan", "confirm"]),
        (root_keys(RootAct::Add), vec![("key", "new")], &["wish", "plan", "confirm"]),
        (leave("bob"), vec![], &["wanted", "plan", "confirm"]),
        (leave(""), vec![("name", "bob")], &["wanted", "plan", "confirm"]),
        (delete(), vec![("what", "everywhere")], &["wanted", "review"]),
        (begin(), vec![("gun", "sandbox.test/shop/new")], &["wanted"]),
        (with_signer, vec![("gun", "sandbox.test/shop/new"), ("name", "dave"), ("key", &dave)], &["wanted"]),
    ];
    for (wanted, fills, asked) in cases {
        let mut person = Person { leaves_at: Some(asked.len()), ..Person::who_fills(&fills) };
        let stopped = world.perform(wanted.clone(), &mut person).await.unwrap_err();
        assert_eq!((stopped.code, person.asked.as_slice()), (CANCELLED, asked), "{wanted:?}: {stopped:?}");
    }
}

fn root_keys(act: RootAct) -> Wanted {
    Wanted::RootKeys(RootKeys { gun: GUN.into(), act })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn root_keys_come_and_go_and_a_name_is_typed_for_each() {
    let world = World::new();
    let roots = async || {
        let keys = world.seen().await.root().keys_of(BaseRole::Root).unwrap();
        (keys.keys.iter().map(|k| k.canonical_id().hex()).collect::<Vec<_>>(), keys.threshold)
    };
    let (first, _) = roots().await;
    let remove = || root_keys(RootAct::Remove { key: first[0].clone() });
    let steps = [
        (root_keys(RootAct::Add), vec![("key", "new")], &["wish", "plan", "confirm", "unlock", "passphrase"], (2, 1)),
        (root_keys(RootAct::Threshold), vec![("threshold", "2")], &["wish", "plan", "confirm", "unlock", "unlock"], (2, 2)),
        (remove(), vec![("threshold", "1")], &["wish", "plan", "confirm", "unlock", "unlock"], (1, 1)),
    ];
    for (wanted, fills, asked, (keys, threshold)) in steps {
        let mut person = Person::who_fills(&fills);
        world.perform(wanted.clone(), &mut person).await.unwrap_or_else(|e| panic!("{wanted:?}: {e:?}"));
        assert_eq!((person.asked.as_slice(), person.typed.as_slice()), (&asked[..], &[GUN.to_owned()][..]), "{wanted:?}");
        let (ids, must) = roots().await;
        assert_eq!((ids.len(), must), (keys, threshold), "{wanted:?}");
    }
    assert_ne!(roots().await.0, first);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_goes_on_with_a_root_key_that_has_come_makes_no_other() {
    let world = World::new();
    let told = Arc::new(Notify::new());
    let mut person = Person { leaves_at: Some(2), falls_asleep: Some(told.clone()), ..Person::who_fills(&[("key", "new")]) };
    tokio::select! {
        ended = world.perform(root_keys(RootAct::Add), &mut person) => panic!("{ended:?}"),
        () = told.notified() => {}
    }
    let found = world.place.interrupted().remove(0).id;
    // It was published after all, before anything could be said.
    world.perform(root_keys(RootAct::Add), &mut Person::who_fills(&[("key", "new")])).await.unwrap();
    let version = world.seen().await.root().version();
    let (work, recording) = world.place.interrupted_work(&found).unwrap().take_up(&world.place).unwrap();
    let mut person = Person::default();
    procedures::perform(&work, &world.place, recording, &mut person, Cancel::default()).await.unwrap();
    assert!(person.asked.is_empty(), "{:?}", person.asked);
    assert_eq!(world.seen().await.root().version(), version);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_registry_does_not_have_is_not_signed() {
    let world = World::new();
    let failed = world.perform(sign(GUN, "never-pushed"), &mut Person::default()).await.unwrap_err();
    assert_eq!((failed.code, failed.did_not_happen.as_str()), ("no-such-tag", "nothing was signed or published"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_place_asks_nothing() {
    let mut world = World::new();
    world.place.read_only = Some("--read-only".to_owned());
    for wanted in [sign(GUN, ""), revoke(None), add_signer(), remove_signer("bob"), delegate(""), renew("targets")] {
        let mut person = Person::default();
        assert_eq!(world.perform(wanted, &mut person).await.unwrap_err().code, "read-only");
        assert!(person.asked.is_empty());
    }
    drop(world.sandbox);
}

/// Somebody who accepts everything until another plan is shown, and then stops. While the first one is read, somebody else
/// lets the same name into the second repository with another key.
struct Stops<'w> {
    world: &'w World,
    meanwhile: Wanted,
    reviews: usize,
}

impl Operator for Stops<'_> {
    fn put<'a>(&'a mut self, step: Step, question: &'a Question, may_go_back: bool) -> Fut<'a, Result<Answer, Stop>> {
        Box::pin(async move {
            if let Question::Review(review) = question {
                self.reviews += 1;
                if review.plan.as_ref().is_some_and(|plan| plan.is_another) {
                    return Err(Stop::Cancelled);
                }
                if self.reviews == 1 {
                    let others = Work::Change(Box::new(self.meanwhile.clone()));
                    self.world.work(others, &mut Person::default()).await.unwrap();
                }
            }
            Person::default().put(step, question, may_go_back).await
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_stops_at_the_second_of_several_is_told_that_the_first_is_published() {
    let world = World::new();
    let second = "sandbox.test/shop/docs";
    let (dave, _) = world.public("dave");
    let (other, _) = world.public("other");
    let adds = |guns: &[&str], key: &str| Wanted::AddSigner {
        guns: guns.iter().map(|g| (*g).to_owned()).collect(),
        name: "dave".to_owned(),
        keys: vec![key.to_owned()],
    };
    let work = Work::Change(Box::new(adds(&[GUN, second], &dave)));
    let mut stops = Stops { world: &world, meanwhile: adds(&[second], &other), reviews: 0 };
    let recording = Recording::new(&world.place, work.clone());
    let done = procedures::perform(&work, &world.place, recording, &mut stops, Cancel::default()).await.unwrap();
    assert_eq!(stops.reviews, 2, "control: another plan was shown");
    assert_eq!(done.exit, Some(1), "{done:?}");
    assert!(done.happened.starts_with("1 of 2 repositories was published and verified, 1 was not"), "{done:?}");
    assert!(done.left.iter().any(|l| l.contains("othing was signed or published")), "{done:?}");
    assert!(world.seen().await.roles().iter().any(|r| r.name.as_str() == "targets/dave"), "the first is published");
}
