//! What is written down of a piece of work: everything, and no secret; and that work which a kill has ended is found, told
//! and gone on with. Here a kill is the procedure dropped where it waits; `killed.rs` kills the program.
use crate::procedures_bench::{Bench, NEW, OLD, Person};
use claviger::{
    failure::Failure,
    journal::{Record, saying},
    operator::{Answer, Cancel, Deed, Fut, Operator, Question, Step, Stop},
    procedures::{self, CANCELLED, Came, Done, Interrupted, KeyFile, Recording, Which, Work, key_export::Half},
    views::journal::Journal,
};
use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, path::PathBuf};
use tokio::sync::oneshot;

type Fields = BTreeMap<&'static str, String>;

/// Every piece of work on keys, with what is filled into its forms.
fn works(bench: &Bench) -> Vec<(Work, Fields)> {
    let alice = bench.entry().path;
    let files = || Which::These(vec![KeyFile(alice.clone())]);
    vec![
        (Work::GenerateKey, [("name", "carol".to_owned()), ("dir", text(bench.folder.path().to_owned()))].into()),
        (Work::LoadKeys, [("file", text(bench.path("bob.pem")))].into()),
        (Work::ExportKeys(files(), Half::Private), [("output", text(bench.path("out.pem")))].into()),
        (Work::ExportKeys(files(), Half::Public), [("output", text(bench.path("out.pub")))].into()),
        (Work::ChangePassphrase(alice.clone()), Fields::new()),
        (Work::RemoveKey(alice.clone()), Fields::new()),
        (Work::MigrateKeys, Fields::new()),
        (Work::StrengthenKeys(None), Fields::new()),
        (Work::MendPermissions, Fields::new()),
    ]
}

const WORKS: usize = 9;

fn text(path: PathBuf) -> String {
    path.to_str().unwrap().to_owned()
}

/// The n-th piece of work on a fresh desk.
fn fresh(n: usize) -> (Bench, Work, Fields) {
    let bench = Bench::new();
    let (work, fields) = works(&bench).into_iter().nth(n).unwrap();
    (bench, work, fields)
}

async fn perform(bench: &Bench, work: &Work, recording: Recording, operator: &mut dyn Operator) -> Result<Done, Failure> {
    procedures::perform(work, &bench.place(), recording, operator, Cancel::default()).await
}

/// Somebody who answers until a question, and then is never heard of again.
struct Until {
    person: Person,
    at: usize,
    gone: Option<oneshot::Sender<()>>,
}

impl Operator for Until {
    fn put<'a>(&'a mut self, step: Step, question: &'a Question, may_go_back: bool) -> Fut<'a, Result<Answer, Stop>> {
        Box::pin(async move {
            if !matches!(question, Question::Working(_)) && self.person.asked + 1 == self.at {
                drop(self.gone.take());
                std::future::pending::<()>().await;
            }
            self.person.put(step, question, may_go_back).await
        })
    }
}

/// Begins work that is cut off at its n-th question. Returns whether there was one.
async fn cut_off(bench: &Bench, work: &Work, fields: &Fields, at: usize) -> bool {
    let (gone, heard) = oneshot::channel();
    let mut until = Until { person: Person::new(fields.clone()), at, gone: Some(gone) };
    let recording = Recording::new(&bench.place(), work.clone());
    tokio::select! {
        biased;
        result = perform(bench, work, recording, &mut until) => {
            result.unwrap();
            false
        }
        _ = heard => true,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_is_cut_off_at_any_question_resumes_with_its_answers_asks_secrets_anew_and_is_done_once() {
    for n in 0..WORKS {
        let (bench, work, fields) = fresh(n);
        let mut straight = Person::new(fields);
        perform(&bench, &work, Recording::new(&bench.place(), work.clone()), &mut straight).await.unwrap();
        let has_form = straight.record.contains("wish Form(");
        for at in 1.. {
            let (bench, work, fields) = fresh(n);
            let before = bench.files();
            if !cut_off(&bench, &work, &fields, at).await {
                assert!(at > 1, "{work:?} asks nothing");
                break;
            }
            let when = format!("{work:?} at {at}");
            assert_eq!(bench.files(), before, "{when}: nothing is changed before everything is answered");
            let found = bench.place().interrupted();
            let [found] = found.as_slice() else { panic!("{when}: {found:?}") };
            assert_eq!((found.work.as_ref(), &found.came), (Some(&work), &Came::Answered), "{when}");
            let forms = found.filled().len();
            assert_eq!(forms, usize::from(has_form && at > 1), "{when}");
            // Whoever goes on does not say again what was said: with other values it would go wrong.
            let (work, recording) = found.take_up(&bench.place()).unwrap();
            assert!(found.take_up(&bench.place()).is_err(), "{when}: taken up twice");
            assert!(bench.place().interrupted().is_empty(), "{when}: what is at work is not interrupted");
            let mut person = Person::new(if forms > 0 { Fields::new() } else { fields.clone() });
            let done = perform(&bench, &work, recording, &mut person).await;
            assert!(done.is_ok(), "{when}: {done:?}\n{}", person.record);
            assert_eq!(person.acts, straight.acts, "{when}");
            assert!(bench.place().interrupted().is_empty(), "{when}: it has ended");
            let journal = Journal::read(&bench.place().state.unwrap()).unwrap();
            assert_eq!((journal.rows.len(), &journal.broken), (1, &None), "{when}");
            assert_eq!(journal.rows[0].outcome.as_ref().unwrap().as_str(), "done", "{when}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_transcript_has_every_question_answer_and_result_in_an_unbroken_chain_and_no_secret() {
    for n in 0..WORKS {
        let (bench, work, fields) = fresh(n);
        let mut person = Person::new(fields);
        let done = perform(&bench, &work, Recording::new(&bench.place(), work.clone()), &mut person).await.unwrap();
        let state = bench.place().state.unwrap();
        let journal = Journal::read(&state).unwrap();
        let id = journal.rows[0].work.as_str();
        let bytes = fs::read(state.transcript(id)).unwrap();
        let record = Record::read(&bytes);
        assert_eq!((&record.broken, record.torn), (&None, false), "{work:?}");
        let asked: Vec<&str> = person
            .record
            .lines()
            .filter(|l| !l.contains("Working(") && !l.contains(" begins ") && !l.contains(" ended "))
            .collect();
        let answers: Vec<_> = record.lines.iter().filter(|l| l.event() == "answer").collect();
        assert_eq!(answers.len(), asked.len(), "{work:?}: {asked:#?}");
        for (line, asked) in answers.iter().zip(&asked) {
            assert!(asked.starts_with(line.text("step")), "{work:?}: {asked}");
        }
        let events: Vec<&str> = record.lines.iter().map(|l| l.event()).filter(|e| *e != "answer").collect();
        let acts = ["begun", "done"].repeat(person.acts);
        assert_eq!(events, [&["work"][..], &acts, &["end"]].concat(), "{work:?}");
        let result = record.lines.last().unwrap().text("result");
        assert!(done.happened.starts_with(claviger::failure::sentence(result).trim_end_matches('.')), "{work:?}");
        let written = String::from_utf8(bytes).unwrap() + &fs::read_to_string(state.journal()).unwrap();
        for secret in [OLD, NEW] {
            assert!(!written.contains(secret), "{work:?}: {written}");
        }
        // The journal's entry holds the transcript's last hash: whoever has the journal has that too.
        assert!(written.contains(&format!("\"transcript\":\"{}\"", record.head)), "{work:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn work_in_which_nothing_was_done_leaves_nothing_behind() {
    for n in 0..WORKS {
        let (bench, work, fields) = fresh(n);
        let mut person = Person::new(fields);
        person.stop_at = Some(1);
        let stopped = perform(&bench, &work, Recording::new(&bench.place(), work.clone()), &mut person).await;
        assert_eq!(stopped.unwrap_err().code, CANCELLED, "{work:?}");
        assert!(bench.place().interrupted().is_empty(), "{work:?}");
        assert_eq!(Journal::read(&bench.place().state.unwrap()).unwrap().rows, [], "{work:?}");
    }
}

/// Somebody who answers everything, and does not want it to begin.
struct Refuses(Person);

impl Operator for Refuses {
    fn put<'a>(&'a mut self, step: Step, question: &'a Question, may_go_back: bool) -> Fut<'a, Result<Answer, Stop>> {
        self.0.put(step, question, may_go_back)
    }

    fn begins(&mut self, _: Step, _: &str, _: &Deed) -> Result<(), Failure> {
        Err(Failure::new("x", "it is not begun", "nothing was done", ""))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_operator_refuses_to_begin_is_neither_done_nor_written_down() {
    let (bench, work, fields) = fresh(0);
    let before = bench.files();
    let mut refuses = Refuses(Person::new(fields));
    let result = perform(&bench, &work, Recording::new(&bench.place(), work.clone()), &mut refuses).await;
    assert!(matches!(&result, Err(f) if f.code == "x"), "{result:?}");
    assert_eq!(bench.files(), before);
    assert_eq!(Journal::read(&bench.place().state.unwrap()).unwrap().rows, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_written_down_is_not_done_and_nobody_types_for_it() {
    for n in 0..WORKS {
        let (bench, work, fields) = fresh(n);
        let before = bench.files();
        // A file where the directory should be.
        let state = bench.place().state.unwrap();
        fs::write(state.path(), "in the way").unwrap();
        let mut person = Person::new(fields);
        let result = perform(&bench, &work, Recording::new(&bench.place(), work.clone()), &mut person).await;
        assert!(matches!(&result, Err(f) if f.code == "journal"), "{work:?}: {result:?}");
        assert_eq!((person.asked, person.acts), (0, 0), "{work:?}");
        assert_eq!(bench.files(), before, "{work:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_home_there_is_no_place_for_the_journal_and_nothing_is_done() {
    let (bench, work, fields) = fresh(0);
    let place = procedures::Workplace { state: None, ..bench.place() };
    let mut person = Person::new(fields);
    let result = procedures::perform(&work, &place, Recording::new(&place, work.clone()), &mut person, Cancel::default()).await;
    assert!(matches!(&result, Err(f) if f.code == "no-state" && f.hint.contains("--state-dir")), "{result:?}");
    assert_eq!(person.asked, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_does_not_fit_any_more_is_asked_again_with_what_was_typed() {
    let (bench, work, fields) = fresh(0);
    assert!(cut_off(&bench, &work, &fields, 2).await);
    // Somebody has made a file of that name since.
    fs::write(bench.path("carol.pub"), "x").unwrap();
    let found = bench.place().interrupted().remove(0);
    let (work, recording) = found.take_up(&bench.place()).unwrap();
    let elsewhere = bench.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    let mut person = Person::new([("dir", text(elsewhere.clone()))].into());
    perform(&bench, &work, recording, &mut person).await.unwrap();
    assert!(elsewhere.join("carol.pub").exists(), "the name was typed before: {}", person.record);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_somebody_has_changed_is_not_shown_as_whole() {
    let (bench, work, fields) = fresh(0);
    perform(&bench, &work, Recording::new(&bench.place(), work.clone()), &mut Person::new(fields)).await.unwrap();
    let journal = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_claviger"));
        command.args(["journal", "--trust-dir", bench.path("trust").to_str().unwrap(), "--state-dir"]);
        let output = command.arg(bench.state.path()).env_clear().output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap())
    };
    let (status, said) = journal();
    assert!(status == Some(0) && said.contains("was made, stored and read back"), "{said}");
    let path = bench.place().state.unwrap().journal();
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    for changed in [
        text.replace("storing the key", "showing the key"),
        [lines[0], lines[2]].join("\n") + "\n",
        [lines[0], lines[2], lines[1]].join("\n") + "\n",
        [lines[0], lines[1], lines[1], lines[2]].join("\n") + "\n",
    ] {
        fs::write(&path, &changed).unwrap();
        let (status, said) = journal();
        assert!(status == Some(3) && said.contains("chain does not hold at line"), "{changed}{said}");
        assert!(!said.contains("was made, stored"), "what comes after it is not shown: {said}");
    }
}

#[test]
fn a_session_says_what_a_power_cut_left_and_takes_away_what_is_of_no_use() {
    let bench = Bench::new();
    let (place, state) = (bench.place(), bench.place().state.unwrap());
    let (public, private) = (bench.path("carol.pub"), bench.path("trust/private/carol.key"));
    const PUBLIC: &str = "-----BEGIN PUBLIC KEY-----\n";
    let deed = Deed::default().creates_beside(&public, PUBLIC.as_bytes()).creates(&private, b"private");
    let begin = || {
        let first = [("name", "key generate".into()), ("work", serde_json::to_value(Work::GenerateKey).unwrap())];
        let mut transcript = state.begin(saying("work", first)).unwrap();
        let mut begun = saying("begun", [("what", "storing\u{1b}[2J it".into())]);
        begun.extend(serde_json::to_value(&deed).unwrap().as_object().cloned().unwrap());
        transcript.say_durably(begun).unwrap();
    };
    let says = || place.settle().unwrap().iter().map(Interrupted::sentence).collect::<Vec<_>>().join("\n");
    // Only the public half was written.
    begin();
    fs::write(&public, PUBLIC).unwrap();
    let said = says();
    assert!(said.contains("nothing had been changed: no key was made") && said.contains("taken away"), "{said}");
    assert!(!public.exists() && !said.contains('\u{1b}'), "{said}");
    assert!(says().contains("nothing had been changed") && !says().contains("taken away"), "it stays until somebody goes on");
    place.interrupted().remove(0).give_up(&place).unwrap();
    assert_eq!(says(), "");
    // Both were; that needs nobody.
    begin();
    fs::write(&public, PUBLIC).unwrap();
    fs::write(&private, "private").unwrap();
    assert!(says().contains("that had been done, completely"));
    assert_eq!(says(), "");
    // Somebody else has changed one: nobody can tell, and nothing is touched.
    begin();
    fs::write(&public, "something else").unwrap();
    assert!(says().contains("cannot be told, because of") && public.exists() && private.exists());
    // A record that names any other file has it neither taken away nor called of no use.
    let precious = bench.path("precious.txt");
    fs::write(&precious, PUBLIC).unwrap();
    let mut transcript =
        state.begin(saying("work", [("name", "x".into()), ("work", serde_json::to_value(Work::GenerateKey).unwrap())])).unwrap();
    let forged = Deed::default().creates_beside(&precious, PUBLIC.as_bytes()).creates(&bench.path("nowhere"), b"x");
    let mut begun = saying("begun", [("what", "x".into())]);
    begun.extend(serde_json::to_value(&forged).unwrap().as_object().cloned().unwrap());
    transcript.say_durably(begun).unwrap();
    drop(transcript);
    assert!(!says().contains("taken away") && precious.exists(), "{}", says());
    let outcomes: Vec<String> =
        Journal::read(&state).unwrap().rows.iter().map(|r| r.outcome.as_ref().unwrap().to_string()).collect();
    assert_eq!(outcomes, ["found", "given up"]);
}

#[test]
fn what_was_done_before_the_interruption_is_not_called_nothing() {
    let bench = Bench::new();
    let (place, state) = (bench.place(), bench.place().state.unwrap());
    let work = serde_json::to_value(Work::StrengthenKeys(None)).unwrap();
    let mut transcript = state.begin(saying("work", [("name", "key strengthen".into()), ("work", work)])).unwrap();
    let mut begins = |n: u32| {
        let deed = Deed::default().creates(&bench.path(&format!("nowhere{n}")), b"x");
        let mut begun = saying("begun", [("what", format!("storing key {n} of 3").into())]);
        begun.extend(serde_json::to_value(&deed).unwrap().as_object().cloned().unwrap());
        transcript.say_durably(begun).unwrap();
        if n < 3 {
            transcript.say_durably(saying("done", [("result", "stored".into())])).unwrap();
        }
    };
    (1..=3).for_each(&mut begins);
    drop(transcript);
    let found = place.interrupted().remove(0);
    let said = found.sentence();
    assert!(said.contains("interrupted while storing key 3 of 3; nothing of that had been changed"), "{said}");
    assert!(said.contains("2 others had been done, the last: storing key 2 of 3") && !said.contains("no key was"), "{said}");
    // Nothing is written in a read-only session, not even that it is closed.
    let reader = procedures::Workplace { read_only: Some("--read-only".into()), ..bench.place() };
    assert_eq!(found.give_up(&reader).unwrap_err().code, "read-only");
    assert_eq!(place.interrupted().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn work_goes_on_only_where_its_names_mean_the_same() {
    let (bench, work, fields) = fresh(0);
    assert!(cut_off(&bench, &work, &fields, 2).await);
    let place = procedures::Workplace { exact: true, ..bench.place() };
    let refused = place.interrupted().remove(0).take_up(&place).err().unwrap();
    assert!(refused.code == "elsewhere" && refused.hint.contains("without --exact"), "{refused:?}");
    let id = bench.place().interrupted().remove(0).id;
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_claviger"));
    command.args(["resume", &id, "--trust-dir", bench.path("trust").to_str().unwrap(), "--state-dir"]);
    let output = command.arg(bench.state.path()).env_clear().current_dir(bench.folder.path()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(1) && said.contains("the work was begun in"), "{said}");
    assert_eq!(bench.place().interrupted().len(), 1, "it is still there to go on with");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_damaged_or_that_others_can_write_is_neither_believed_nor_lost() {
    let (bench, work, fields) = fresh(0);
    assert!(cut_off(&bench, &work, &fields, 3).await);
    let state = bench.place().state.unwrap();
    let path = state.open_path(&bench.place().interrupted()[0].id);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replace("Say what the new key is for.", "Say something else.")).unwrap();
    let said = bench.place().settle().unwrap()[0].sentence();
    assert!(said.contains("its record, which is damaged") && path.exists(), "{said}");
    let found = bench.place().interrupted().remove(0);
    assert_eq!(found.take_up(&bench.place()).err().unwrap().code, "damaged-record");
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o666)).unwrap();
    assert!(bench.place().interrupted().is_empty());
    fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
    fs::set_permissions(state.path(), PermissionsExt::from_mode(0o777)).unwrap();
    assert!(bench.place().interrupted().is_empty());
    // That there is something is not passed over.
    let said = state.distrusted().unwrap();
    assert!(said.contains("is not believed, and nothing is written there"), "{said}");
    let refused = perform(&bench, &work, Recording::new(&bench.place(), work.clone()), &mut Person::new(fields)).await;
    assert!(refused.unwrap_err().message.contains("others can write it"));
}
