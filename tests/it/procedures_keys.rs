//! What single procedures on keys promise beyond what holds for all of them.
use crate::procedures_bench::{Bench, OLD, Person};
use claviger::{
    operator::{Answer, Cancel, Fut, Operator, Question, Step, Stop, run},
    procedures::key_test,
    secret::{Given, Passphrase, Source},
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
