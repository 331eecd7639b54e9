//! The operator of a screen: each question goes to the screen as an action, and its answer comes back through a channel.
use super::Asked;
use crate::{
    failure::Failure,
    operator::{Answer, Cancel, Deed, Fut, Operator, Question, Step, Stop},
    tui::action::Action,
};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::{mpsc::UnboundedSender, oneshot};

/// Where the answer to the question that is on the screen goes.
#[derive(Clone, Default)]
pub struct Reply(Arc<Mutex<Option<Sender>>>);

type Sender = oneshot::Sender<Result<Answer, Stop>>;

impl Reply {
    /// Answers the question, if there is one.
    pub fn send(&self, answer: Result<Answer, Stop>) {
        if let Some(reply) = self.take() {
            // Who asked may have gone: then nobody wants to know.
            let _ = reply.send(answer);
        }
    }

    /// Whoever asked learns that there will be no answer.
    pub fn withdraw(&self) {
        drop(self.take());
    }

    fn take(&self) -> Option<Sender> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn awaited(&self) -> oneshot::Receiver<Result<Answer, Stop>> {
        let (reply, answer) = oneshot::channel();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reply);
        answer
    }
}

/// Asks on the screen.
pub struct ScreenOperator {
    /// Where questions go.
    pub actions: UnboundedSender<Action>,
    /// Where answers come from.
    pub reply: Reply,
    /// Set by whoever does not want to go on.
    pub cancel: Cancel,
}

impl Operator for ScreenOperator {
    fn put<'a>(&'a mut self, step: Step, question: &'a Question, may_go_back: bool) -> Fut<'a, Result<Answer, Stop>> {
        let asked = Action::Asked(Box::new(Asked { step, question: question.clone(), may_go_back }));
        if let Question::Working(_) = question {
            let _ = self.actions.send(asked);
            return Box::pin(async { Ok(Answer::Seen) });
        }
        let answer = self.reply.awaited();
        // Whoever stops sets this first and withdraws the question then, so that one of the two is seen.
        if self.cancel.is_set() {
            self.reply.withdraw();
            return Box::pin(async { Err(Stop::Cancelled) });
        }
        let _ = self.actions.send(asked);
        Box::pin(async { answer.await.unwrap_or(Err(Stop::Cancelled)) })
    }

    fn begins(&mut self, _: Step, _: &str, _: &Deed) -> Result<(), Failure> {
        let _ = self.actions.send(Action::Began);
        Ok(())
    }

    fn progress(&mut self, how_far: &str) {
        let _ = self.actions.send(Action::Came(how_far.to_owned()));
    }
}
