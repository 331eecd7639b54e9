//! A procedure talks to an operator: it asks everything it needs through one trait, and knows nothing of screens, terminals
//! or scripts. Whoever implements [`Operator`] can run every procedure.
mod deed;
mod question;
mod session;

pub use deed::{Change, Deed, as_text, hash};
pub use question::{
    Answer, Check, Choice, Confirm, Field, Form, Kind, PlanAsked, Question, Review, SecretKind, SecretWanted, Step, Values,
};
pub use session::{Cancel, Filled, Session, run, run_with};

use crate::failure::Failure;
use std::{future::Future, pin::Pin};

/// What an operator or a procedure promises to do.
pub type Fut<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Why there is no answer, or no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// To the question before this one.
    Back,
    /// Not at all.
    Cancelled,
    /// It did not work.
    Failed(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// Somebody, or something, that answers.
pub trait Operator: Send {
    /// Asks. With `may_go_back` the answer may be [`Stop::Back`].
    fn put<'a>(&'a mut self, step: Step, question: &'a Question, may_go_back: bool) -> Fut<'a, Result<Answer, Stop>>;

    /// Is told that something with an effect begins now, and what it will have done. An error keeps it from being done.
    fn begins(&mut self, _step: Step, _what: &str, _deed: &Deed) -> Result<(), Failure> {
        Ok(())
    }

    /// Is told how far it has come, in less than a line, as often as somebody could want to see it.
    fn progress(&mut self, _how_far: &str) {}

    /// Is told how it ended: with a result in a few words, or not.
    fn ended(&mut self, _step: Step, _result: Result<&str, &Failure>) {}
}
