//! Procedures that ask the screen: answers reach them, going back and stopping too, and what they do is done.
use claviger::{
    journal::State,
    keys,
    operator::{Answer, Question, Stop},
    procedures::Workplace,
    secret::{Given, Passphrase, Source},
    trust_dir::TrustDir,
    tui::{
        action::Action,
        wizard::{Asked, Done, Work, Works},
    },
};
use std::{path::Path, time::Duration};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

struct Bench {
    dir: tempfile::TempDir,
    place: Workplace,
    works: Works,
    actions: UnboundedReceiver<Action>,
}

impl Bench {
    fn new(read_only: Option<&str>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let place = Workplace {
            trust_dir: TrustDir::new(dir.path().join("trust")),
            repositories: None,
            state: Some(State::of(&dir.path().join("state"), dir.path())),
            read_only: read_only.map(str::to_owned),
            exact: false,
            public_dir: dir.path().into(),
            tour: None,
        };
        let (send, actions) = unbounded_channel();
        Self { works: Works::new(place.clone(), send), place, dir, actions }
    }

    async fn next(&mut self) -> Action {
        tokio::time::timeout(Duration::from_secs(60), self.actions.recv()).await.expect("something comes").unwrap()
    }

    /// The next thing that is asked; what is only said is passed over.
    async fn asked(&mut self) -> Asked {
        loop {
            match self.next().await {
                Action::Asked(a) if !matches!(a.question, Question::Working(_)) => return *a,
                Action::Asked(_) | Action::Began => {}
                other => panic!("{other:?}"),
            }
        }
    }

    async fn finished(&mut self) -> Result<Done, claviger::failure::Failure> {
        loop {
            match self.next().await {
                Action::Finished(result) => return *result,
                Action::Asked(a) if matches!(a.question, Question::Working(_)) => {}
                Action::Began => {}
                other => panic!("{other:?}"),
            }
        }
    }

    fn name(&mut self, asked: &Asked, name: &str) {
        let Question::Form(form) = &asked.question else { panic!("{asked:?}") };
        let mut values = claviger::operator::Values::of(form);
        values.set("name", name);
        self.works.answer(Ok(Answer::Values(values)));
    }

    fn passphrase(&self, text: &str) {
        let passphrase = Passphrase::from(text.to_owned());
        self.works.answer(Ok(Answer::Secret(Given { passphrase, source: Source::Typed })));
    }

    fn left(&self) -> (usize, bool) {
        (keys::list(&self.place.trust_dir).entries.len(), self.dir.path().join("ana.pub").exists())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_made_after_going_back_changed_and_removed() {
    let mut b = Bench::new(None);
    b.works.start(Work::GenerateKey);
    let form = b.asked().await;
    assert!(!form.may_go_back);
    b.name(&form, "wrong");
    let secret = b.asked().await;
    assert!(secret.may_go_back && matches!(secret.question, Question::Secret(_)));
    b.works.answer(Err(Stop::Back));
    let form = b.asked().await;
    let Question::Form(f) = &form.question else { panic!() };
    assert_eq!(f.fields[0].initial, "wrong", "what was filled in is still there");
    b.name(&form, "ana");
    b.asked().await;
    b.passphrase("correct horse");
    assert!(matches!(b.asked().await.question, Question::Review(_)));
    assert_eq!(b.left(), (0, false), "nothing is written before it was accepted");
    b.works.answer(Ok(Answer::Accepted));
    let done = b.finished().await.unwrap();
    assert!(done.happened.starts_with("The ana key ") && done.happened.ends_with("read back."), "{done:?}");
    assert_eq!(b.left(), (1, true));
    let path = done.key.unwrap();
    let before = std::fs::read(&path).unwrap();

    b.works.start(Work::ChangePassphrase(path.clone()));
    b.asked().await;
    b.passphrase("wrong");
    let again = b.asked().await;
    assert!(matches!(&again.question, Question::Secret(w) if w.again.is_some()), "{again:?}");
    b.passphrase("correct horse");
    b.asked().await;
    b.passphrase("another passphrase");
    b.asked().await;
    b.works.answer(Ok(Answer::Accepted));
    assert_eq!(b.finished().await.unwrap().key.as_deref(), Some(path.as_path()));
    assert_ne!(std::fs::read(&path).unwrap(), before);

    b.works.start(Work::RemoveKey(path.clone()));
    let Question::Confirm(confirm) = b.asked().await.question else { panic!() };
    b.works.answer(Ok(Answer::Typed(confirm.typed)));
    assert_eq!(b.finished().await.unwrap().key, None);
    assert_eq!(b.left().0, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_stopped_at_any_question_has_done_nothing_and_says_so() {
    for (questions, way) in [(0, "cancel"), (0, "stop"), (1, "cancel"), (1, "stop"), (2, "cancel"), (2, "stop"), (2, "end")] {
        let mut b = Bench::new(None);
        b.works.start(Work::GenerateKey);
        let form = b.asked().await;
        if questions > 0 {
            b.name(&form, "ana");
            b.asked().await;
        }
        if questions > 1 {
            b.passphrase("correct horse");
            b.asked().await;
        }
        match way {
            "cancel" => b.works.answer(Err(Stop::Cancelled)),
            "stop" => b.works.stop(),
            _ => b.works.end().await,
        }
        let failure = b.finished().await.unwrap_err();
        assert_eq!(failure.happened(), "You have stopped here.");
        assert_eq!(failure.rest(), ["No key was made."]);
        assert_eq!(b.left(), (0, false), "{questions} {way}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_stopped_before_its_first_question_asks_nothing() {
    for _ in 0..50 {
        let mut b = Bench::new(None);
        b.works.start(Work::GenerateKey);
        b.works.stop();
        loop {
            // It may have been asked just before; nobody need answer it.
            match b.next().await {
                Action::Asked(_) => {}
                Action::Finished(result) => break assert_eq!(result.unwrap_err().rest(), ["No key was made."]),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirmation_that_is_not_what_was_asked_for_removes_nothing() {
    let mut b = Bench::new(None);
    let private = b.place.trust_dir.private();
    std::fs::create_dir_all(&private).unwrap();
    let path = private.join("garbage.key");
    std::fs::write(&path, "x").unwrap();
    b.works.start(Work::RemoveKey(path.clone()));
    b.asked().await;
    b.works.answer(Ok(Answer::Typed("yes".to_owned())));
    assert_eq!(b.finished().await.unwrap_err().code, "not-confirmed");
    assert!(path.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_only_session_and_a_key_that_is_gone_end_before_anything_is_asked() {
    let mut b = Bench::new(Some("--read-only"));
    b.works.start(Work::GenerateKey);
    assert_eq!(b.finished().await.unwrap_err().code, "read-only");
    let mut b = Bench::new(None);
    b.works.start(Work::ChangePassphrase(Path::new("/nowhere/\u{1b}x.key").into()));
    let failure = b.finished().await.unwrap_err();
    assert!(failure.code == "not-there" && !failure.message.contains('\u{1b}'), "{failure:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_leaves_while_a_key_is_stored_leaves_nothing_half_done() {
    for wait in [0, 1, 3, 10, 30] {
        let mut b = Bench::new(None);
        b.works.start(Work::GenerateKey);
        let form = b.asked().await;
        b.name(&form, "ana");
        b.asked().await;
        b.passphrase("correct horse");
        b.asked().await;
        b.works.answer(Ok(Answer::Accepted));
        tokio::time::sleep(Duration::from_millis(wait)).await;
        b.works.end().await;
        let done = b.finished().await.is_ok();
        assert_eq!(b.left(), (usize::from(done), done), "after {wait} ms");
    }
}
