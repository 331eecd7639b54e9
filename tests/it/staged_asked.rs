//! Which staged changes go is asked by their numbers, and numbers mean only what they meant when they were typed.
use claviger::{
    operator::{Answer, Cancel, Filled, Fut, Operator, Question, Step, Stop, Values, run_with},
    procedures::{
        Workplace,
        repository::{Report, Wanted, ask},
    },
    repository::{Repositories, Servers},
    sandbox::Sandbox,
    tuf::{name::Gun, pinning::Pinning},
};
use jiff::Timestamp;
use std::{fs, path::PathBuf};

const GUN: &str = "sandbox.test/shop/frontend";

/// Fills in what and which, and accepts everything.
struct Person(&'static str, &'static str);

impl Operator for Person {
    fn put<'a>(&'a mut self, _: Step, question: &'a Question, _: bool) -> Fut<'a, Result<Answer, Stop>> {
        Box::pin(async move {
            Ok(match question {
                Question::Review(_) => Answer::Accepted,
                Question::Confirm(confirm) => Answer::Typed(confirm.typed.clone()),
                Question::Form(form) => {
                    let mut values = Values::of(form);
                    values.set("what", self.0);
                    values.set("number", self.1);
                    Answer::Values(values)
                }
                _ => Answer::Seen,
            })
        })
    }
}

/// A place with three changes staged, and where they are.
fn place(world: &Sandbox) -> (Workplace, PathBuf) {
    let trust_dir = world.trust_dir().clone();
    let changes = trust_dir.changelist_dir(&Gun::new(GUN).unwrap());
    fs::create_dir_all(&changes).unwrap();
    for (n, tag) in ["a", "b", "c"].iter().enumerate() {
        let change = format!(r#"{{"action":"delete","role":"targets","type":"target","path":"{tag}","data":null}}"#);
        fs::write(changes.join(format!("{n}_x.change")), change).unwrap();
    }
    let repositories = Repositories::new(Servers::fixed(world.transport()), trust_dir.clone(), Pinning::default(), true);
    let (repositories, public_dir) = (Some(repositories), world.path().into());
    (Workplace { trust_dir, repositories, state: None, read_only: None, exact: true, public_dir, tour: None }, changes)
}

fn left(changes: &PathBuf) -> Vec<String> {
    let mut all: Vec<String> = fs::read_dir(changes).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    all.sort();
    all
}

async fn asked(place: &Workplace, person: &mut Person, earlier: Option<Vec<Filled>>) -> Result<Report, Stop> {
    let wanted = Wanted::Reset { gun: GUN.into(), names: Vec::new() };
    run_with(earlier, person, Cancel::default(), |s| ask(place.clone(), wanted.clone(), s)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn staged_changes_go_by_their_numbers_or_all_and_nothing_else_goes() {
    let world = Sandbox::new(Timestamp::now(), None).unwrap();
    let (place, changes) = place(&world);
    for (what, number) in [("these", ""), ("these", "3"), ("these", "-1"), ("these", "0 x"), ("all", "0"), ("some", "0")] {
        assert!(asked(&place, &mut Person(what, number), None).await.is_err(), "{what} {number}");
        assert_eq!(left(&changes).len(), 3, "{what} {number}");
    }
    asked(&place, &mut Person("these", "2, 0 0"), None).await.unwrap();
    assert_eq!(left(&changes), ["1_x.change"]);
    asked(&place, &mut Person("all", ""), None).await.unwrap();
    assert!(left(&changes).is_empty());
    assert!(asked(&place, &mut Person("all", ""), None).await.is_err(), "nothing is staged");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_that_were_typed_before_an_interruption_throw_nothing_away() {
    let world = Sandbox::new(Timestamp::now(), None).unwrap();
    let (place, changes) = place(&world);
    let typed = [("what", "these"), ("number", "0")].map(|(name, value)| (name.to_owned(), value.to_owned()));
    let earlier: Vec<Filled> = vec![("wanted".to_owned(), typed.into())];
    match asked(&place, &mut Person("these", "0"), Some(earlier)).await {
        Err(Stop::Failed(failure)) => assert!(failure.message.contains("other numbers"), "{failure:?}"),
        other => panic!("{other:?}"),
    }
    assert_eq!(left(&changes).len(), 3);
}
