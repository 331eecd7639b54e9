//! The transcript of a procedure, written while it runs: every question with its answer, everything done with its result. Of
//! a passphrase it says that it was entered, and no more.
use super::{Work, Workplace};
use crate::{
    failure::Failure,
    journal::{Entry, State, StateError, Transcript, entry, event, saying},
    operator::{Answer, Cancel, Deed, Filled, Fut, Operator, Question, Session, Step, Stop, as_text, run_with},
};
use serde_json::{Map, Value, json};
use std::{fmt::Display, path::PathBuf};

/// The version of what a transcript says.
const SCHEMA: &str = "claviger/transcript/1";
/// What is said where there is no result yet.
const NO_STATE: &str = "HOME is not set, so there is no place for the journal";

/// Where a piece of work is recorded.
pub struct Recording {
    state: Option<State>,
    exact: bool,
    work: Work,
    /// Work that was interrupted: its transcript, and the forms that were filled in.
    earlier: Option<(Transcript, Vec<Filled>)>,
}

impl Recording {
    /// Of work that begins.
    pub fn new(place: &Workplace, work: Work) -> Self {
        Self { state: place.state.clone(), exact: place.exact, work, earlier: None }
    }

    /// Of work that goes on.
    pub fn again(place: &Workplace, work: Work, transcript: Transcript, filled: Vec<Filled>) -> Self {
        Self { state: place.state.clone(), exact: place.exact, work, earlier: Some((transcript, filled)) }
    }

    /// Runs the procedure, recorded.
    ///
    /// # Errors
    /// Those of the procedure; and that it cannot be recorded: then nothing is asked and nothing done.
    pub async fn run<T: Display>(
        self,
        operator: &mut dyn Operator,
        cancel: Cancel,
        procedure: impl for<'s> FnMut(&'s mut Session<'_>) -> Fut<'s, Result<T, Stop>> + Send,
    ) -> Result<T, Stop> {
        self.run_judged(operator, cancel, |_| true, procedure).await
    }

    /// [`Recording::run`] for work of several parts, some of which may not have gone well: then it is not written down as done.
    ///
    /// # Errors
    /// The same.
    pub async fn run_judged<T: Display>(
        self,
        operator: &mut dyn Operator,
        cancel: Cancel,
        is_whole: fn(&T) -> bool,
        procedure: impl for<'s> FnMut(&'s mut Session<'_>) -> Fut<'s, Result<T, Stop>> + Send,
    ) -> Result<T, Stop> {
        let Self { state, exact, work, earlier } = self;
        if !work.is_recorded() {
            return run_with(None, operator, cancel, procedure).await;
        }
        let (transcript, filled) = earlier.map_or((None, None), |(t, filled)| (Some(t), Some(filled)));
        let resumed = transcript.is_some();
        let mut recorder = Recorder { inner: operator, state, exact, work, transcript, acted: false, trouble: None };
        if resumed {
            recorder.say(entry(event::RESUMED))?;
        }
        let result = run_with(filled, &mut recorder, cancel, procedure).await;
        recorder.end(result, is_whole, resumed)
    }
}

struct Recorder<'o> {
    inner: &'o mut dyn Operator,
    state: Option<State>,
    exact: bool,
    work: Work,
    transcript: Option<Transcript>,
    acted: bool,
    /// What could not be recorded of something that was done.
    trouble: Option<StateError>,
}

impl Operator for Recorder<'_> {
    fn put<'a>(&'a mut self, step: Step, question: &'a Question, may_go_back: bool) -> Fut<'a, Result<Answer, Stop>> {
        Box::pin(async move {
            if let Question::Working(_) = question {
                return self.inner.put(step, question, may_go_back).await;
            }
            // Before it is asked, so that nobody types for nothing.
            self.begin()?;
            let answer = self.inner.put(step, question, may_go_back).await;
            match &answer {
                Ok(Answer::Seen) => {}
                Ok(answer) => self.say(answered(step, question, answer))?,
                Err(Stop::Back) => self.say(saying(event::BACK, [("step", step.name.into())]))?,
                Err(_) => {}
            }
            answer
        })
    }

    fn begins(&mut self, step: Step, what: &str, deed: &Deed) -> Result<(), Failure> {
        self.inner.begins(step, what, deed)?;
        let changes = serde_json::to_value(deed).map_err(|e| Failure::new("internal", e.to_string(), self.work.nothing(), ""))?;
        self.begin()?;
        let mut said = saying(event::BEGUN, [("step", step.name.into()), ("says", step.says.into()), ("what", what.into())]);
        said.extend(changes.as_object().cloned().unwrap_or_default());
        let Some(transcript) = &mut self.transcript else { return Ok(()) };
        let id = transcript.id().to_owned();
        let written = transcript.say_durably(said).and_then(|()| match (&self.state, self.acted) {
            (Some(state), false) => {
                let name = self.work.command();
                state.note(saying(event::BEGUN, [("work", id.into()), ("name", name.into()), ("what", what.into())]))
            }
            _ => Ok(()),
        });
        written.map_err(|e| self.unwritable(&e))?;
        self.acted = true;
        Ok(())
    }

    fn progress(&mut self, how_far: &str) {
        self.inner.progress(how_far);
    }

    fn ended(&mut self, step: Step, result: Result<&str, &Failure>) {
        let said = match result {
            Ok(done) => saying(event::DONE, [("step", step.name.into()), ("result", done.into())]),
            Err(f) => saying(
                event::FAILED,
                [("step", step.name.into()), ("code", f.code.into()), ("message", f.message.clone().into())],
            ),
        };
        if let Some(transcript) = &mut self.transcript
            && let Err(e) = transcript.say(said)
        {
            self.trouble.get_or_insert(e);
        }
        self.inner.ended(step, result);
    }
}

impl Recorder<'_> {
    /// Begins the transcript, if it was not.
    fn begin(&mut self) -> Result<(), Failure> {
        if self.transcript.is_some() {
            return Ok(());
        }
        let nothing = self.work.nothing();
        let Some(state) = &self.state else {
            let hint = "Set HOME, or name a directory with --state-dir.";
            return Err(Failure::new("no-state", NO_STATE, nothing, hint));
        };
        let work = serde_json::to_value(&self.work).map_err(|e| Failure::new("internal", e.to_string(), nothing, ""))?;
        let first = saying(
            event::WORK,
            [
                ("schema", SCHEMA.into()),
                ("name", self.work.command().into()),
                ("work", work),
                ("directory", as_text::of(&here()).into()),
                ("exact", self.exact.into()),
                ("claviger", env!("CARGO_PKG_VERSION").into()),
            ],
        );
        self.transcript = Some(state.begin(first).map_err(|e| self.unwritable(&e))?);
        Ok(())
    }

    fn say(&mut self, said: Entry) -> Result<(), Failure> {
        match &mut self.transcript {
            None => Ok(()),
            Some(transcript) => transcript.say(said).map_err(|e| unwritable(&e, self.work.nothing())),
        }
    }

    fn unwritable(&self, error: &StateError) -> Failure {
        unwritable(error, self.work.nothing())
    }

    /// Says how it ended. Where nothing was done, nothing is kept.
    fn end<T: Display>(self, result: Result<T, Stop>, is_whole: fn(&T) -> bool, resumed: bool) -> Result<T, Stop> {
        let Some(transcript) = self.transcript else { return result };
        if !self.acted && !resumed {
            transcript.forget();
            return result;
        }
        // Unless it is done now, what was done before the interruption is still to be settled.
        if !self.acted && result.is_err() {
            return result;
        }
        let said = match &result {
            Ok(done) => outcome(if is_whole(done) { "done" } else { "in part" }, [("result", done.to_string())]),
            Err(Stop::Failed(f)) => outcome(
                "failed",
                [("code", f.code.to_owned()), ("message", f.message.clone()), ("did_not_happen", f.did_not_happen.clone())],
            ),
            Err(_) => outcome("stopped", []),
        };
        let ended = transcript.end(named(said, self.work.command()));
        match (result, self.trouble.or(ended.err())) {
            (Ok(done), Some(e)) => {
                let message = format!("{done}; but {e}");
                let hint = "Make room for it, or mend its permissions: the next start then finds and says it.";
                Err(Failure::new("journal", message, "the journal does not say how it ended", hint).into())
            }
            (result, _) => result,
        }
    }
}

/// The directory that names of files go by.
pub fn here() -> PathBuf {
    std::env::current_dir().unwrap_or_default()
}

/// How a piece of work ended.
pub fn outcome<const N: usize>(outcome: &str, more: [(&str, String); N]) -> Entry {
    let mut said = saying(event::END, [("outcome", outcome.into())]);
    said.extend(more.map(|(name, value)| (name.to_owned(), value.into())));
    said
}

/// The same with the name of the work.
pub fn named(mut said: Entry, command: &str) -> Entry {
    said.insert("name".to_owned(), command.into());
    said
}

/// That the journal cannot be written.
pub fn unwritable(error: &StateError, nothing: &str) -> Failure {
    Failure::new("journal", format!("the journal cannot be kept: {error}"), nothing, error.remedy())
}

fn answered(step: Step, question: &Question, answer: &Answer) -> Entry {
    let answer: Value = match answer {
        Answer::Values(values) => Value::Object(values.iter().map(|(n, v)| (n.to_owned(), v.into())).collect::<Map<_, _>>()),
        Answer::Secret(_) => "entered".into(),
        Answer::Accepted => "accepted".into(),
        Answer::Typed(typed) => json!({ "typed": typed }),
        Answer::Seen => Value::Null,
    };
    saying(
        event::ANSWER,
        [("step", step.name.into()), ("says", step.says.into()), ("question", asked(question)), ("answer", answer)],
    )
}

/// What was on the page.
fn asked(question: &Question) -> Value {
    match question {
        Question::Form(form) => json!({ "form": form.title }),
        Question::Secret(wanted) => json!({ "passphrase": wanted.label, "role": wanted.role, "key": wanted.key_id }),
        Question::Review(review) => {
            let facts: Vec<_> = review.facts.iter().map(|(name, value)| json!([name, value])).collect();
            let findings: Vec<_> = review.findings.iter().map(|f| json!({ "code": f.code, "text": f.text })).collect();
            json!({ "review": review.title, "facts": facts, "findings": findings, "verb": review.verb })
        }
        Question::Confirm(confirm) => {
            json!({ "confirm": confirm.title, "consequences": confirm.consequences, "to_type": confirm.typed })
        }
        Question::Working(what) => json!({ "working": what }),
    }
}
