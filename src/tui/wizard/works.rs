//! Runs procedures beside the task that draws, one at a time.
use super::operator::{Reply, ScreenOperator};
use crate::{
    failure::Failure,
    operator::{Answer, Cancel, Stop},
    procedures::{PATIENCE, Recording, Work, Workplace, perform},
    tui::action::Action,
};
use std::time::Duration;
use tokio::{sync::mpsc::UnboundedSender, task::JoinHandle};

/// Whoever leaves waits at most this long for something that has begun and must not be left half done: longer than that waits
/// for another program.
const GRACE: Duration = PATIENCE.saturating_add(Duration::from_secs(5));

/// Runs procedures.
pub struct Works {
    place: Workplace,
    actions: UnboundedSender<Action>,
    running: Option<Running>,
}

struct Running {
    task: JoinHandle<()>,
    cancel: Cancel,
    reply: Reply,
}

impl Works {
    /// Works at `place`; questions and results go to `actions`.
    pub fn new(place: Workplace, actions: UnboundedSender<Action>) -> Self {
        Self { place, actions, running: None }
    }

    /// Why nothing may be written here, if nothing may.
    pub fn read_only(&self) -> Option<&str> {
        self.place.read_only.as_deref()
    }

    /// Begins a piece of work.
    pub fn start(&mut self, work: Work) {
        let recording = Recording::new(&self.place, work.clone());
        self.begin(move || Ok((work, recording)));
    }

    /// Goes on with interrupted work.
    pub fn resume(&mut self, work: &str) {
        let (place, work) = (self.place.clone(), work.to_owned());
        self.begin(move || place.interrupted_work(&work)?.take_up(&place));
    }

    fn begin(&mut self, take: impl FnOnce() -> Result<(Work, Recording), Failure> + Send + 'static) {
        let (cancel, reply, actions) = (Cancel::default(), Reply::default(), self.actions.clone());
        let mut operator = ScreenOperator { actions: actions.clone(), reply: reply.clone(), cancel: cancel.clone() };
        let (place, told) = (self.place.clone(), cancel.clone());
        let task = tokio::spawn(async move {
            // Records are read, and another program may hold them for a while.
            let taken = tokio::task::spawn_blocking(take)
                .await
                .unwrap_or_else(|e| Err(Failure::new("internal", e.to_string(), "nothing was changed", "")));
            let result = match taken {
                Ok((work, recording)) => perform(&work, &place, recording, &mut operator, told).await,
                Err(failure) => Err(failure),
            };
            let _ = actions.send(Action::Finished(Box::new(result)));
        });
        self.running = Some(Running { task, cancel, reply });
    }

    /// Answers the question that is on the screen.
    pub fn answer(&self, answer: Result<Answer, Stop>) {
        if let Some(r) = &self.running {
            r.reply.send(answer);
        }
    }

    /// Says that it should end, if nothing was done yet.
    pub fn stop(&self) {
        if let Some(r) = &self.running {
            r.cancel.set();
            r.reply.withdraw();
        }
    }

    /// Ends, and waits for what has begun.
    pub async fn end(&mut self) {
        self.stop();
        if let Some(r) = self.running.take() {
            let _ = tokio::time::timeout(GRACE, r.task).await;
        }
    }
}
