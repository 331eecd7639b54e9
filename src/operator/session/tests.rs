use super::*;
use crate::{
    operator::{Field, SecretKind},
    secret::{Passphrase, Source},
};
use std::sync::Mutex;

const NAME: Step = Step { name: "name", says: "" };
const SECRET: Step = Step { name: "secret", says: "" };
const SURE: Step = Step { name: "sure", says: "" };
const DO: Step = Step { name: "do", says: "" };

/// Answers in order, and notes what was asked and whether one could go back.
#[derive(Default)]
struct Script {
    answers: Vec<Result<Answer, Stop>>,
    asked: Vec<(&'static str, Question, bool)>,
    acts: Vec<String>,
}

impl Operator for Script {
    fn put<'a>(&'a mut self, step: Step, question: &'a Question, may_go_back: bool) -> Fut<'a, Result<Answer, Stop>> {
        Box::pin(async move {
            self.asked.push((step.name, question.clone(), may_go_back));
            if matches!(question, Question::Working(_)) { Ok(Answer::Seen) } else { self.answers.remove(0) }
        })
    }

    fn begins(&mut self, step: Step, what: &str, _: &Deed) -> Result<(), Failure> {
        self.acts.push(format!("{}: {what}", step.name));
        Ok(())
    }

    fn ended(&mut self, _: Step, result: Result<&str, &Failure>) {
        self.acts.push(format!("{result:?}"));
    }
}

fn script(answers: Vec<Result<Answer, Stop>>) -> Script {
    Script { answers, ..Script::default() }
}

fn named(name: &str) -> Result<Answer, Stop> {
    let mut values = Values::default();
    values.set("name", name);
    Ok(Answer::Values(values))
}

fn secret(text: &str) -> Result<Answer, Stop> {
    Ok(Answer::Secret(Given { passphrase: Passphrase::from(text.to_owned()), source: Source::Typed }))
}

fn form() -> Form {
    let check = |v: &str, _: &Values| if v.is_empty() { Err("a name is needed".to_owned()) } else { Ok(None) };
    Form { title: String::new(), fields: vec![Field::text("name", "", "").checked(check)] }
}

fn wanted() -> SecretWanted {
    SecretWanted { label: String::new(), role: "root".into(), key_id: None, kind: SecretKind::New, again: None }
}

fn sure(typed: &str) -> Confirm {
    Confirm { title: String::new(), consequences: Vec::new(), typed: typed.to_owned() }
}

/// Name, passphrase, confirmation, deed, and a question after it.
fn procedure<'s>(session: &'s mut Session<'_>) -> Fut<'s, Result<String, Stop>> {
    Box::pin(async move {
        let name = session.form(NAME, form()).await?.get("name").to_owned();
        let length = session.secret(SECRET, wanted()).await?.passphrase.expose().len();
        session.confirm(SURE, sure(&name)).await?;
        let done = session.act(DO, "doing it", Deed::default(), move || Ok(format!("{name} {length}"))).await?;
        session.confirm(SURE, sure("after")).await?;
        Ok(done)
    })
}

async fn played(answers: Vec<Result<Answer, Stop>>) -> (Result<String, Stop>, Script) {
    let mut operator = script(answers);
    let result = run(&mut operator, Cancel::default(), procedure).await;
    (result, operator)
}

fn typed(text: &str) -> Result<Answer, Stop> {
    Ok(Answer::Typed(text.to_owned()))
}

#[tokio::test]
async fn going_back_asks_the_question_before_again_and_keeps_those_before_that() {
    let answers = vec![
        named("first"),
        secret("a passphrase"),
        Err(Stop::Back),
        Err(Stop::Back),
        named("second"),
        secret("another, longer one"),
        typed("second"),
        typed("after"),
    ];
    let (result, operator) = played(answers).await;
    assert_eq!(result, Ok("second 19".to_owned()));
    let steps: Vec<&str> = operator.asked.iter().map(|(step, ..)| *step).collect();
    assert_eq!(steps, ["name", "secret", "sure", "secret", "name", "secret", "sure", "do", "sure"]);
    assert!(operator.answers.is_empty());
}

#[tokio::test]
async fn a_form_that_is_asked_again_shows_what_was_filled_in() {
    let (_, operator) = played(vec![named("first"), Err(Stop::Back), Err(Stop::Cancelled)]).await;
    let [.., (_, Question::Form(form), false)] = &operator.asked[..] else { panic!("{:?}", operator.asked) };
    assert_eq!(form.fields[0].initial, "first");
}

#[tokio::test]
async fn after_something_was_done_there_is_no_way_back() {
    let answers = vec![named("n"), secret("a passphrase"), typed("n"), Err(Stop::Back)];
    let (result, operator) = played(answers).await;
    assert_eq!(result, Err(Stop::Cancelled));
    let could: Vec<bool> = operator.asked.iter().map(|(.., back)| *back).collect();
    assert_eq!(could, [false, true, true, true, false]);
    assert_eq!(operator.acts, ["do: doing it", "Ok(\"n 12\")"], "and it was done once");
}

#[tokio::test]
async fn nothing_is_done_before_everything_was_answered() {
    for answers in [
        vec![Err(Stop::Cancelled)],
        vec![named("n"), Err(Stop::Cancelled)],
        vec![named("n"), secret("a passphrase"), Err(Stop::Cancelled)],
        // What was refused, and answers that fit no question.
        vec![named("")],
        vec![named("n"), secret("too short")],
        vec![named("n"), secret("a passphrase"), typed("N")],
        vec![named("n"), secret("a passphrase"), typed("")],
        vec![secret("a passphrase")],
        vec![named("n"), named("n")],
        vec![named("n"), secret("a passphrase"), Ok(Answer::Accepted)],
    ] {
        let (result, operator) = played(answers).await;
        assert!(result.is_err());
        assert_eq!(operator.acts, [""; 0]);
    }
}

#[tokio::test]
async fn what_was_cancelled_is_not_begun() {
    let cancel = Cancel::default();
    let said = cancel.clone();
    let mut operator = script(vec![]);
    let result = run(&mut operator, cancel, move |session| {
        let said = said.clone();
        Box::pin(async move {
            let work = session.work(DO, "thinking", move |stop| {
                said.set();
                assert!(stop());
                Ok(())
            });
            work.await?;
            session.act(DO, "doing it", Deed::default(), || Ok("done")).await
        })
    });
    assert_eq!(result.await, Err(Stop::Cancelled));
    assert_eq!(operator.acts, [""; 0]);
}

#[tokio::test]
async fn what_may_not_begin_is_not_done() {
    struct Full(Script);
    impl Operator for Full {
        fn put<'a>(&'a mut self, step: Step, question: &'a Question, back: bool) -> Fut<'a, Result<Answer, Stop>> {
            self.0.put(step, question, back)
        }
        fn begins(&mut self, _: Step, _: &str, _: &Deed) -> Result<(), Failure> {
            Err(Failure::new("journal", "the journal cannot be written", "nothing was done", ""))
        }
    }
    let done = Arc::new(Mutex::new(false));
    let deed = done.clone();
    let mut full = Full(Script::default());
    let result = run(&mut full, Cancel::default(), move |session| {
        let deed = deed.clone();
        Box::pin(async move {
            session
                .act(DO, "doing it", Deed::default(), move || {
                    *deed.lock().unwrap() = true;
                    Ok("done")
                })
                .await
        })
    });
    assert!(matches!(result.await, Err(Stop::Failed(f)) if f.code == "journal"));
    assert!(!*done.lock().unwrap());
}

#[test]
fn no_answer_prints_a_passphrase() {
    let answer = secret("hunter2 hunter2").unwrap();
    assert_eq!(format!("{answer:?}"), "Secret(entered)");
}
