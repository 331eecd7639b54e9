//! What a procedure holds: typed questions, going back by running again, and the border after which there is no way back.
use super::{Answer, Confirm, Deed, Form, Fut, Operator, Question, Review, SecretKind, SecretWanted, Step, Stop, Values};
use crate::{
    failure::Failure,
    secret::{Given, weakness},
};
use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Display,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// How often it is looked whether somebody has cancelled what is waited for.
const LOOK: Duration = Duration::from_millis(50);

/// Says to work that does not wait for anything that it should end. Clones say the same.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Says it.
    pub fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was said.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// An answer that is given again when the procedure runs again. Passphrases are none: they are asked anew.
enum Kept {
    Values(Values),
    Accepted,
    Typed(String),
    Secret,
}

/// A form as it was filled in before a piece of work was interrupted: the name of its step, and its values by name.
pub type Filled = (String, BTreeMap<String, String>);

struct Entry {
    step: &'static str,
    question: Question,
    kept: Kept,
}

/// What a procedure holds. Everything asked goes through it, and everything done.
pub struct Session<'o> {
    operator: &'o mut dyn Operator,
    cancel: Cancel,
    log: Vec<Entry>,
    at: usize,
    /// Forms that were filled in before, in order.
    filled: VecDeque<Filled>,
    /// What was filled in where somebody goes back to.
    earlier: Option<(&'static str, Values)>,
    resumed: bool,
    acted: bool,
}

/// Runs a procedure. When somebody goes back, it runs again with the answers so far but for the last; that is possible
/// until something was done.
pub async fn run<T>(
    operator: &mut dyn Operator,
    cancel: Cancel,
    procedure: impl for<'s> FnMut(&'s mut Session<'_>) -> Fut<'s, Result<T, Stop>> + Send,
) -> Result<T, Stop> {
    run_with(None, operator, cancel, procedure).await
}

/// [`run`] for work that was interrupted, if there is an earlier run: forms that were filled in are not asked again, as long as they come in the same
/// order and what is in them is still right. Everything else is asked: passphrases because nobody keeps them, and whether to
/// go on because the world may be another.
pub async fn run_with<T>(
    earlier_run: Option<Vec<Filled>>,
    operator: &mut dyn Operator,
    cancel: Cancel,
    mut procedure: impl for<'s> FnMut(&'s mut Session<'_>) -> Fut<'s, Result<T, Stop>> + Send,
) -> Result<T, Stop> {
    let resumed = earlier_run.is_some();
    let (mut log, mut earlier, mut filled) = (Vec::new(), None, VecDeque::from(earlier_run.unwrap_or_default()));
    loop {
        let mut session =
            Session { operator: &mut *operator, cancel: cancel.clone(), log, at: 0, filled, earlier, resumed, acted: false };
        match procedure(&mut session).await {
            Err(Stop::Back) if !session.acted && session.at > 0 => {
                filled = VecDeque::new();
                session.log.truncate(session.at);
                earlier = session.log.pop().and_then(|last| match last.kept {
                    Kept::Values(values) => Some((last.step, values)),
                    _ => None,
                });
                log = session.log;
            }
            result => return result,
        }
    }
}

impl Session<'_> {
    /// Whether this goes on with work that was interrupted: what it was to do may be done already.
    pub fn is_resumed(&self) -> bool {
        self.resumed
    }

    async fn ask(&mut self, step: Step, question: Question) -> Result<Answer, Stop> {
        if let Some(entry) = self.log.get(self.at) {
            let again = match &entry.kept {
                _ if entry.step != step.name || entry.question != question => None,
                Kept::Values(v) => Some(Answer::Values(v.clone())),
                Kept::Accepted => Some(Answer::Accepted),
                Kept::Typed(t) => Some(Answer::Typed(t.clone())),
                Kept::Secret => None,
            };
            match again {
                Some(answer) => {
                    self.at += 1;
                    return Ok(answer);
                }
                // What follows may hang on the answer that comes now.
                None => self.log.truncate(self.at),
            }
        }
        if let Some(values) = self.filled_before(step, &question) {
            self.log.push(Entry { step: step.name, question, kept: Kept::Values(values.clone()) });
            self.at += 1;
            return Ok(Answer::Values(values));
        }
        let answer = self.put(step, &self.as_filled_before(step, &question)).await?;
        let kept = match &answer {
            Answer::Values(v) => Kept::Values(v.clone()),
            Answer::Secret(_) => Kept::Secret,
            Answer::Accepted => Kept::Accepted,
            Answer::Typed(t) => Kept::Typed(t.clone()),
            Answer::Seen => return Ok(answer),
        };
        self.log.push(Entry { step: step.name, question, kept });
        self.at += 1;
        Ok(answer)
    }

    /// What a form was filled with before the work was interrupted, if it can still be taken.
    fn filled_before(&mut self, step: Step, question: &Question) -> Option<Values> {
        let Question::Form(form) = question else { return None };
        let (name, before) = self.filled.pop_front()?;
        let mut values = Values::of(form);
        for field in &form.fields {
            if let Some(value) = before.get(field.name) {
                values.set(field.name, value.clone());
            }
        }
        let problems = form.problems(&values);
        if name == step.name && problems.is_empty() {
            return Some(values);
        }
        for field in form.fields.iter().filter(|f| problems.iter().any(|(name, _)| *name == f.name)) {
            values.set(field.name, field.initial.clone());
        }
        // What follows was an answer to something else; but whoever fills this in again need not type it again.
        self.filled.clear();
        self.earlier = (name == step.name).then_some((step.name, values));
        None
    }

    /// A form that is asked again shows what was in it.
    fn as_filled_before(&self, step: Step, question: &Question) -> Question {
        let mut question = question.clone();
        if let (Question::Form(form), Some((before, values))) = (&mut question, &self.earlier)
            && *before == step.name
        {
            form.fields.iter_mut().for_each(|f| f.initial = values.get(f.name).to_owned());
        }
        question
    }

    async fn put(&mut self, step: Step, question: &Question) -> Result<Answer, Stop> {
        let may_go_back = !self.acted && self.at > 0;
        if self.cancel.is_set() && !self.acted {
            return Err(Stop::Cancelled);
        }
        match self.operator.put(step, question, may_go_back).await {
            // Nobody may go back over what was done, whatever the operator thinks.
            Err(Stop::Back) if !may_go_back => Err(Stop::Cancelled),
            _ if self.cancel.is_set() && !self.acted => Err(Stop::Cancelled),
            answer => answer,
        }
    }

    /// Asks for several fields at once. What comes back has been judged.
    pub async fn form(&mut self, step: Step, form: Form) -> Result<Values, Stop> {
        let checks = form.clone();
        match self.ask(step, Question::Form(form)).await? {
            Answer::Values(values) => match checks.problems(&values).into_iter().next() {
                None => Ok(values),
                Some((field, why)) => {
                    Err(Failure::new("usage", format!("{field}: {why}"), "nothing was done", "").exit(2).into())
                }
            },
            _ => Err(out_of_turn()),
        }
    }

    /// Asks for a passphrase. A new one has been judged when it comes back.
    pub async fn secret(&mut self, step: Step, wanted: SecretWanted) -> Result<Given, Stop> {
        let (new, role) = (wanted.kind != SecretKind::Existing, wanted.role.clone());
        match self.ask(step, Question::Secret(wanted)).await? {
            Answer::Secret(given) => match new.then(|| weakness(&given, &role)).flatten() {
                None => Ok(given),
                Some(why) => Err(Failure::new("passphrase-weak", why.to_string(), "nothing was done", why.remedy()).into()),
            },
            _ => Err(out_of_turn()),
        }
    }

    /// Shows what will be done, and comes back when it was accepted.
    pub async fn review(&mut self, step: Step, review: Review) -> Result<(), Stop> {
        match self.ask(step, Question::Review(review)).await? {
            Answer::Accepted => Ok(()),
            _ => Err(out_of_turn()),
        }
    }

    /// Shows what follows, and comes back when exactly what was to be typed was typed.
    pub async fn confirm(&mut self, step: Step, confirm: Confirm) -> Result<(), Stop> {
        let wanted = confirm.typed.clone();
        match self.ask(step, Question::Confirm(confirm)).await? {
            Answer::Typed(typed) if typed == wanted => Ok(()),
            Answer::Typed(_) => Err(Failure::new(
                "not-confirmed",
                "what was typed is not what was asked for",
                "nothing was done",
                format!("To go ahead, type {wanted}."),
            )
            .into()),
            _ => Err(out_of_turn()),
        }
    }

    /// Does something that takes time and has no effect. It is told how to notice that it should end.
    pub async fn work<T: Send + 'static>(
        &mut self,
        step: Step,
        what: impl Into<String>,
        work: impl FnOnce(&dyn Fn() -> bool) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Stop> {
        self.put(step, &Question::Working(what.into())).await?;
        let cancel = self.cancel.clone();
        let result = aside(move || work(&|| cancel.is_set())).await;
        if self.cancel.is_set() && !self.acted {
            return Err(Stop::Cancelled);
        }
        Ok(result?)
    }

    /// Waits for something that has no effect, such as an answer. It is given up when somebody cancels.
    pub async fn wait<T>(
        &mut self,
        step: Step,
        what: impl Into<String>,
        answer: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T, Stop> {
        self.put(step, &Question::Working(what.into())).await?;
        let (cancel, acted) = (self.cancel.clone(), self.acted);
        let cancelled = async move {
            while acted || !cancel.is_set() {
                tokio::time::sleep(LOOK).await;
            }
        };
        tokio::select! {
            answer = answer => Ok(answer?),
            () = cancelled => Err(Stop::Cancelled),
        }
    }

    /// [`Session::wait`] for something that takes long: `how_far` says meanwhile how far it has come, once it is not empty.
    pub async fn wait_watched<T>(
        &mut self,
        step: Step,
        what: impl Into<String>,
        answer: impl Future<Output = Result<T, Failure>> + Send,
        how_far: impl Fn() -> String + Send,
    ) -> Result<T, Stop> {
        self.put(step, &Question::Working(what.into())).await?;
        let mut answer = std::pin::pin!(answer);
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => return Ok(answer?),
                () = tokio::time::sleep(LOOK) => {
                    if self.cancel.is_set() && !self.acted {
                        return Err(Stop::Cancelled);
                    }
                    let so_far = how_far();
                    if !so_far.is_empty() {
                        self.operator.progress(&so_far);
                    }
                }
            }
        }
    }

    /// [`Session::act`] for something that is waited for: it is not given up before it has ended.
    pub async fn act_waiting<T: Display>(
        &mut self,
        step: Step,
        what: impl Into<String>,
        work: impl Future<Output = Result<T, Failure>> + Send,
    ) -> Result<T, Stop> {
        let what = what.into();
        self.put(step, &Question::Working(what.clone())).await?;
        self.operator.begins(step, &what, &Deed::default())?;
        self.acted = true;
        let result = work.await;
        match &result {
            Ok(done) => self.operator.ended(step, Ok(&done.to_string())),
            Err(failure) => self.operator.ended(step, Err(failure)),
        }
        Ok(result?)
    }

    /// [`Session::act_waiting`] for something that can be left where it is at any moment, and then fails as `left` says: what was
    /// done of it is of no use without its end, and does no harm. `how_far` says meanwhile how far it has come.
    pub async fn act_watched<T: Display>(
        &mut self,
        step: Step,
        what: impl Into<String>,
        left: Failure,
        work: impl Future<Output = Result<T, Failure>> + Send,
        how_far: impl Fn() -> String + Send,
    ) -> Result<T, Stop> {
        let what = what.into();
        self.put(step, &Question::Working(what.clone())).await?;
        self.operator.begins(step, &what, &Deed::default())?;
        self.acted = true;
        let mut work = std::pin::pin!(work);
        let result = loop {
            tokio::select! {
                biased;
                result = &mut work => break result,
                () = tokio::time::sleep(LOOK) => {
                    if self.cancel.is_set() {
                        break Err(left);
                    }
                    self.operator.progress(&how_far());
                }
            }
        };
        match &result {
            Ok(done) => self.operator.ended(step, Ok(&done.to_string())),
            Err(failure) => self.operator.ended(step, Err(failure)),
        }
        Ok(result?)
    }

    /// Does something that has an effect: `deed` says which, so that whoever finds it interrupted knows how far it came. From
    /// here on there is no way back; and it is not begun if somebody has just cancelled.
    pub async fn act<T: Display + Send + 'static>(
        &mut self,
        step: Step,
        what: impl Into<String>,
        deed: Deed,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Stop> {
        let what = what.into();
        self.put(step, &Question::Working(what.clone())).await?;
        self.operator.begins(step, &what, &deed)?;
        self.acted = true;
        let result = aside(work).await;
        match &result {
            Ok(done) => self.operator.ended(step, Ok(&done.to_string())),
            Err(failure) => self.operator.ended(step, Err(failure)),
        }
        Ok(result?)
    }
}

fn out_of_turn() -> Stop {
    Failure::new("internal", "the answer does not fit the question", "nothing was done", "").into()
}

/// Runs what keeps a core busy, or waits for the disk, beside the tasks that listen.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T, Failure> + Send + 'static) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(e) => match e.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(e) => Err(Failure::new("start", e.to_string(), "nothing was changed", "")),
        },
    }
}

#[cfg(test)]
mod tests;
