//! What single procedures on keys promise beyond what holds for all of them.
use crate::{
    procedures::pem,
    procedures_bench::{Bench, OLD, Person},
};
use claviger::{
    failure::Failure,
    keys::{self, Iterations, KeyRole, NewKey, Strength, problem::code},
    operator::{Answer, Cancel, Fut, Operator, Question, Step, Stop, run},
    procedures::{
        key_import, key_mend, key_migrate,
        key_strengthen::{self, EACH, LEAVE, PROTECT, SAME},
        key_test,
    },
    secret::{Given, Passphrase, Source},
};
use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
};

/// Gives these passphrases one after the other, all from the same source.
struct Tries {
    left: Vec<&'static str>,
    source: Source,
    asked: usize,
}

impl Operator for Tries {
    fn put<'a>(&'a mut self, _: Step, question: &'a Question, _: bool) -> Fut<'a, Result<Answer, Stop>> {
        Box::pin(async move {
            match question {
                Question::Secret(wanted) => {
                    assert!(wanted.label.contains("alice key") && wanted.again.is_some() == (self.asked > 0), "{wanted:?}");
                    self.asked += 1;
                    let passphrase = Passphrase::from(self.left.remove(0).to_owned());
                    Ok(Answer::Secret(Given { passphrase, source: self.source }))
                }
                _ => Ok(Answer::Seen),
            }
        })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_may_try_three_times_and_a_variable_once() {
    let bench = Bench::new();
    let variable = Source::Variable("NOTARY_DELEGATION_PASSPHRASE");
    for (left, source, asked, opens) in [
        (vec!["no", "nor this", OLD], Source::Typed, 3, true),
        (vec!["1", "2", "3", OLD], Source::Typed, 3, false),
        (vec!["1", OLD], variable, 1, false),
        (vec!["1", OLD], Source::File, 1, false),
    ] {
        let mut tries = Tries { left, source, asked: 0 };
        let tested = run(&mut tries, Cancel::default(), |s| key_test::run(bench.entry(), s)).await;
        assert_eq!(tries.asked, asked, "{source:?}");
        match opens {
            true => assert_eq!(Some(tested.unwrap().tested.id), bench.entry().id),
            false => assert!(matches!(&tested, Err(Stop::Failed(f)) if f.code == "passphrase"), "{tested:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_changes_nothing_and_a_read_only_session_may_do_it() {
    let bench = Bench::new();
    let before = bench.files();
    let mut person = Person::new([].into());
    let passed = run(&mut person, Cancel::default(), |s| key_test::run(bench.entry(), s)).await.unwrap();
    assert!(passed.to_string().contains(" is good: "), "{passed}");
    assert_eq!((bench.files(), person.acts), (before, 0));
}

/// A person who says, once so much was done, that it should end.
struct Impatient {
    person: Person,
    cancel: Cancel,
    /// How many things are done before.
    after: usize,
}

impl Operator for Impatient {
    fn put<'a>(&'a mut self, step: Step, question: &'a Question, back: bool) -> Fut<'a, Result<Answer, Stop>> {
        self.person.put(step, question, back)
    }

    fn ended(&mut self, step: Step, result: Result<&str, &Failure>) {
        self.person.ended(step, result);
        self.after = self.after.saturating_sub(1);
        if self.after == 0 {
            self.cancel.set();
        }
    }
}

fn impatient(fields: &[(&'static str, String)], after: usize) -> (Impatient, Cancel) {
    let cancel = Cancel::default();
    (Impatient { person: Person::new(fields.iter().cloned().collect()), cancel: cancel.clone(), after }, cancel)
}

fn fields(all: &[(&'static str, &str)]) -> Person {
    Person::new(all.iter().map(|(n, v)| (*n, (*v).to_owned())).collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_amid_an_import_says_which_keys_were_stored_and_which_were_not() {
    let bench = Bench::new();
    let text: String = (0..3).map(|_| pem(&[])).collect();
    fs::write(bench.path("three.pem"), text).unwrap();
    fs::set_permissions(bench.path("three.pem"), PermissionsExt::from_mode(0o600)).unwrap();
    let before = keys::list(&bench.place().trust_dir).entries.len();
    let (mut operator, cancel) = impatient(&[("file", bench.path("three.pem").to_str().unwrap().to_owned())], 2);
    let place = bench.place();
    let ended = run(&mut operator, cancel, |s| key_import::run(place.clone(), s)).await;
    let Err(Stop::Failed(failure)) = ended else { panic!("{ended:?}") };
    assert!(failure.is_interrupt(), "{failure:?}");
    let entries = keys::list(&bench.place().trust_dir).entries;
    assert_eq!(entries.len(), before + 2);
    let (not, stored) = failure.did_not_happen.split_once("; stored: ").unwrap();
    let stored: Vec<&str> = stored.split(", ").collect();
    let not = not.strip_prefix("not stored: ").unwrap();
    assert!(stored.len() == 2 && stored.iter().all(|id| entries.iter().any(|e| e.id.unwrap().hex() == *id)), "{failure:?}");
    assert!(not.len() == 64 && entries.iter().all(|e| e.id.unwrap().hex() != not), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupt_between_two_keys_leaves_the_rest_for_the_next_run() {
    let bench = Bench::new();
    let place = bench.place();
    let (mut operator, cancel) = impatient(&[("ask", SAME.to_owned())], 1);
    let done = run(&mut operator, cancel, |s| key_strengthen::run(place.clone(), None, s)).await.unwrap();
    assert!(done.ended_early && done.strengthened() == 1 && done.failed() == 1, "{done}");
    let done = run(&mut fields(&[]), Cancel::default(), |s| key_strengthen::run(place.clone(), None, s)).await.unwrap();
    assert!(!done.ended_early && done.strengthened() == 1 && done.failed() == 0, "{done}");
    assert_eq!(done.to_string(), "one key is protected as a new one is; 1 strong enough before");
    // The copy is made, and nothing moved.
    let (mut operator, cancel) = impatient(&[("copy", bench.path("copy").to_str().unwrap().to_owned())], 1);
    let done = run(&mut operator, cancel, |s| key_migrate::run(place.clone(), s)).await.unwrap();
    assert!(done.ended_early && done.moved.is_empty() && done.stayed.len() == 1 && bench.path("copy").exists(), "{done}");
    let again = fields(&[("copy", bench.path("again").to_str().unwrap())]);
    let done = run(&mut { again }, Cancel::default(), |s| key_migrate::run(place.clone(), s)).await.unwrap();
    assert_eq!((done.moved.len(), done.stayed.len()), (1, 0), "{done}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passphrase_is_tried_on_the_next_key_only_if_the_operator_allows() {
    for (ask, asked) in [(EACH, 2), (SAME, 1)] {
        let bench = Bench::new();
        let (mut person, place) = (fields(&[("ask", ask)]), bench.place());
        let done = run(&mut person, Cancel::default(), |s| key_strengthen::run(place.clone(), None, s)).await.unwrap();
        assert_eq!((done.strengthened(), person.record.matches("unlock Secret").count()), (2, asked), "{ask}");
        let entries = keys::list(&bench.place().trust_dir).entries;
        assert!(entries.iter().all(|e| e.strength() == Strength::Enough), "{ask}: {entries:?}");
        let old = Passphrase::from(OLD.to_owned());
        assert!(entries.iter().all(|e| keys::unlock(e, Some(&old)).is_ok()), "{ask}");
        // A root key needs more than others.
        let root = entries.iter().find(|e| e.role.as_ref().unwrap().raw() == "root").unwrap();
        assert_eq!(keys::rounds(&fs::read(&root.path).unwrap()), Some(1_300_000));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_does_not_open_stays_as_it_is_and_the_others_go_on() {
    let bench = Bench::new();
    let (place, key) = (bench.place(), keys::generate(NewKey::EcdsaP256).unwrap());
    let (role, other) = (KeyRole::parse("aaron").unwrap(), Passphrase::from("nobody knows".to_owned()));
    keys::store(&place.trust_dir, &role, None, &key, &other, Iterations::worthless()).unwrap();
    let before = fs::read(place.trust_dir.key_path(key.id())).unwrap();
    let mut person = fields(&[]);
    let done = run(&mut person, Cancel::default(), |s| key_strengthen::run(place.clone(), None, s)).await.unwrap();
    assert_eq!((done.strengthened(), done.failed(), done.left().len()), (2, 1, 1), "{done}");
    assert!(done.left()[0].contains("aaron key"), "{:?}", done.left());
    assert_eq!(fs::read(place.trust_dir.key_path(key.id())).unwrap(), before);
    // Named alone, only that one is tried.
    let only = vec![place.trust_dir.key_path(key.id())];
    let done = run(&mut person, Cancel::default(), |s| key_strengthen::run(place.clone(), Some(only.clone()), s)).await.unwrap();
    assert_eq!((done.keys.len(), done.failed()), (1, 1), "{done}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_without_a_passphrase_gets_one_only_if_that_is_wanted() {
    let bench = Bench::new();
    let place = bench.place();
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/trustdirs/delegation-inputs/jeff.key");
    let path = place.trust_dir.private().join("29fe684c5c3c3658d57f08f6a7d782a12f7a678256856aaa77c41e94bbe42274.key");
    fs::copy(fixture, &path).unwrap();
    let before = fs::read(&path).unwrap();
    for (wanted, changed) in [(LEAVE, false), (PROTECT, true)] {
        let mut person = fields(&[("unencrypted", wanted)]);
        let only = vec![path.clone()];
        let done =
            run(&mut person, Cancel::default(), |s| key_strengthen::run(place.clone(), Some(only.clone()), s)).await.unwrap();
        assert_eq!((done.strengthened() == 1, fs::read(&path).unwrap() != before), (changed, changed), "{wanted}: {done}");
    }
    let entry = keys::list(&place.trust_dir).entries.into_iter().find(|e| e.path == path).unwrap();
    assert!(keys::unlock(&entry, Some(&Passphrase::from(OLD.to_owned()))).is_ok(), "the new one that was given");
}

#[tokio::test(flavor = "multi_thread")]
async fn permissions_that_are_wrong_are_named_before_and_links_are_not_followed() {
    let bench = Bench::new();
    let (place, outside) = (bench.place(), bench.path("outside"));
    fs::write(&outside, "x").unwrap();
    fs::set_permissions(&outside, PermissionsExt::from_mode(0o644)).unwrap();
    symlink(&outside, place.trust_dir.private().join("link.key")).unwrap();
    let mut person = fields(&[]);
    let done = run(&mut person, Cancel::default(), |s| key_mend::run(place.clone(), s)).await.unwrap();
    assert_eq!((done.mended.len(), done.left.len()), (2, 0), "the old layout's directory and its file: {done:?}");
    for mended in &done.mended {
        let below = mended.path.strip_prefix(place.trust_dir.path()).unwrap().display().to_string();
        assert!(
            person.record.contains(&format!("becomes {:04o}: {below}", mended.mended())),
            "{below} was not in the review: {}",
            person.record
        );
    }
    assert_eq!(fs::metadata(&outside).unwrap().permissions().mode() & 0o777, 0o644);
    assert!(keys::list(&place.trust_dir).entries.iter().all(|e| e.problems.iter().all(|p| p.code != code::OPEN_TO_OTHERS)));
}
