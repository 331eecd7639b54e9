//! The question for a passphrase: while it stands, the terminal itself is read, past the state and the event reader.
use super::{action::Action, events::Events, sitting::Sitting};
use crate::{
    operator::{SecretKind, SecretWanted},
    secret::{
        Slate, Stop, TerminalLine,
        dialogue::{self, Ask, Typed},
    },
};
use std::io;
use tokio::{
    sync::mpsc::UnboundedSender,
    task::{JoinHandle, spawn_blocking},
};

/// A question for a passphrase that stands.
pub struct Asking {
    wanted: SecretWanted,
    answer: JoinHandle<Typed>,
    /// Words that were drawn, until they are typed.
    pub slate: Slate,
    /// Held to be dropped: that ends the reading.
    stop: Stop,
}

impl Asking {
    /// Begins to read, after the event reader has come to rest. What was typed before is thrown away.
    pub async fn begin(wanted: SecretWanted, events: &mut Events, actions: UnboundedSender<Action>) -> io::Result<Self> {
        events.rest().await;
        let (mut line, stop) = TerminalLine::open()?;
        let of = wanted.clone();
        let slate = Slate::default();
        let shown = slate.clone();
        let answer = spawn_blocking(move || {
            let may_be_remembered = Sitting::may_remember(&of);
            let what = Ask { new: of.kind != SecretKind::Existing, role: &of.role, may_be_remembered };
            dialogue::ask(what, &shown, |heard| line.read(heard), |said| drop(actions.send(Action::Said(said))))
        });
        Ok(Self { wanted, answer, slate, stop })
    }

    /// Ends the reading, and forgets what was typed: it must not reach whoever reads the terminal next.
    pub async fn end(self) {
        drop(self.stop);
        let _ = self.answer.await;
    }

    /// What was typed, and for what. A part of the program that has panicked gives none.
    pub async fn answer(asking: &mut Option<Self>) -> (Typed, Option<SecretWanted>) {
        let typed = match asking {
            Some(a) => (&mut a.answer).await.unwrap_or(Typed::Gone),
            None => std::future::pending().await,
        };
        (typed, asking.take().map(|a| a.wanted))
    }
}
