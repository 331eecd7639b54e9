//! What ends the program from outside: Ctrl-C, SIGTERM, and SIGHUP, which comes when the terminal is closed.
use super::output::Failure;
use crate::{os, tui::Ended};
use std::{future::pending, io};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Signals that end the program, from the moment on at which they are listened to.
pub struct Signals {
    interrupt: Signal,
    terminate: Signal,
    /// None where whoever started the program wants it to go on without its terminal, as `nohup` does.
    hang_up: Option<Signal>,
}

impl Signals {
    /// Listens from now on.
    pub fn listen() -> io::Result<Self> {
        // Asked before anything listens: who listens ignores nothing any more.
        let stays = os::ignores_hang_up();
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: if stays { None } else { Some(signal(SignalKind::hangup())?) },
        })
    }

    /// The next of them.
    pub async fn heard(&mut self) -> Ended {
        let hung_up = async {
            match &mut self.hang_up {
                Some(signal) => signal.recv().await,
                None => pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => Ended::Interrupted,
            _ = self.terminate.recv() => Ended::Terminated,
            _ = hung_up => Ended::HungUp,
        }
    }
}

/// The next of these, if there are any.
pub async fn of(signals: &mut Option<Signals>) -> Ended {
    match signals {
        Some(signals) => signals.heard().await,
        None => pending().await,
    }
}

/// What is said of a program that was ended; `nothing` is what did not happen.
pub fn failure(ended: Ended, nothing: impl Into<String>) -> Failure {
    named(ended, Failure::interrupted(nothing))
}

/// A failure that says which signal has ended the work, where it was one.
pub fn named(ended: Ended, failure: Failure) -> Failure {
    if !failure.is_interrupt() {
        return failure;
    }
    let why = match ended {
        Ended::Quit | Ended::Interrupted => "interrupted",
        Ended::Terminated => "ended by SIGTERM",
        Ended::HungUp => "the terminal was closed",
    };
    Failure { message: why.to_owned(), ..failure }.exit(ended.exit_code())
}
