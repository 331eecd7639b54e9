//! The operator of a screen: each question goes to the screen as an action, and its answer comes back through a channel.
//! Here too is the one place that knows which procedures there are.
use super::{Asked, Done, Work};
use crate::{
    failure::{Failure, sentence},
    operator::{Answer, Cancel, Fut, Operator, Question, Step, Stop, run},
    procedures::{Workplace, key_generate, key_mend, key_migrate, key_passwd, key_remove, key_strengthen, key_test},
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

    fn begins(&mut self, _: Step, _: &str) -> Result<(), Failure> {
        let _ = self.actions.send(Action::Began);
        Ok(())
    }
}

/// Does a piece of work from its first question to its end.
pub async fn perform(work: Work, place: Workplace, mut operator: ScreenOperator) -> Result<Done, Failure> {
    let (nothing, cancel) = (work.nothing(), operator.cancel.clone());
    let done = match work {
        Work::GenerateKey => run(&mut operator, cancel, |s| key_generate::run(place.clone(), s)).await.map(|made| Done {
            happened: sentence(&made.to_string()),
            next: key_generate::NEXT,
            key: Some(made.path),
            ..Done::default()
        }),
        Work::ChangePassphrase(path) => {
            let entry = place.key_at(&path).await?;
            run(&mut operator, cancel, |s| key_passwd::run(place.clone(), entry.clone(), s)).await.map(|changed| Done {
                happened: sentence(&changed.to_string()),
                next: key_passwd::NEXT,
                key: Some(path),
                ..Done::default()
            })
        }
        Work::RemoveKey(path) => {
            let entry = place.key_at(&path).await?;
            run(&mut operator, cancel, |s| key_remove::run(place.clone(), entry.clone(), s)).await.map(|removed| Done {
                happened: sentence(&removed.to_string()),
                next: key_remove::NEXT,
                ..Done::default()
            })
        }
        Work::TestKey(path) => {
            let entry = place.key_at(&path).await?;
            run(&mut operator, cancel, |s| key_test::run(entry.clone(), s)).await.map(|passed| Done {
                happened: sentence(&passed.to_string()),
                next: key_test::NEXT,
                ..Done::default()
            })
        }
        Work::MigrateKeys => run(&mut operator, cancel, |s| key_migrate::run(place.clone(), s)).await.map(|done| Done {
            happened: done.happened(),
            left: done.left(),
            next: if done.moved.is_empty() { "" } else { key_migrate::NEXT },
            key: done.moved.into_iter().next().map(|m| m.to),
        }),
        Work::StrengthenKeys => {
            run(&mut operator, cancel, |s| key_strengthen::run(place.clone(), None, s)).await.map(|done| Done {
                happened: sentence(&done.to_string()),
                left: done.left(),
                next: if done.strengthened() == 0 { "" } else { key_strengthen::NEXT },
                key: None,
            })
        }
        Work::MendPermissions => run(&mut operator, cancel, |s| key_mend::run(place.clone(), s)).await.map(|done| Done {
            happened: sentence(&done.to_string()),
            left: done.left(),
            next: if done.mended.is_empty() { "" } else { key_mend::NEXT },
            key: None,
        }),
    };
    done.map_err(|stop| match stop {
        Stop::Failed(failure) => failure,
        Stop::Back | Stop::Cancelled => Failure::new(super::CANCELLED, "you have stopped here", nothing, ""),
    })
}
