//! Events of the terminal, read by a thread of their own. It can rest, so that something else reads the terminal meanwhile:
//! a passphrase must not go through the library that makes events of what is typed, because it keeps copies.
use crossterm::event::{self, Event};
use rustix::{
    event::{PollFd, PollFlags, poll},
    io::Errno,
};
use std::{
    fs::File,
    io::{self, PipeReader, PipeWriter},
    time::Duration,
};
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::{JoinHandle, spawn_blocking},
};

/// What a key sends in several bytes comes within this time.
const MOMENT: Duration = Duration::from_millis(1);

/// What the terminal says.
pub struct Events {
    reading: Option<Reading>,
}

struct Reading {
    events: UnboundedReceiver<Event>,
    reader: JoinHandle<()>,
    /// Held to be dropped: that ends the reader.
    stop: PipeWriter,
}

impl Events {
    /// Begins to read.
    pub fn start() -> io::Result<Self> {
        let mut events = Self { reading: None };
        events.resume()?;
        Ok(events)
    }

    /// Stops reading. When this returns nobody reads the terminal, and what was read and not yet taken is forgotten.
    pub async fn rest(&mut self) {
        if let Some(Reading { reader, stop, .. }) = self.reading.take() {
            drop(stop);
            // It ends by itself; if it has panicked, the screen is on its way out.
            let _ = reader.await;
        }
    }

    /// Reads again.
    pub fn resume(&mut self) -> io::Result<()> {
        let tty = File::open("/dev/tty")?;
        let (stopped, stop) = io::pipe()?;
        let (forward, events) = unbounded_channel();
        // When it fails the terminal is gone; the end of the channel says so.
        let reader = spawn_blocking(move || drop(read(&tty, &stopped, &forward)));
        self.reading = Some(Reading { events, reader, stop });
        Ok(())
    }

    /// The next event; none if the terminal is gone. At rest it waits.
    pub async fn recv(&mut self) -> Option<Event> {
        match &mut self.reading {
            Some(r) => r.events.recv().await,
            None => std::future::pending().await,
        }
    }

    /// An event that is there already.
    pub fn try_recv(&mut self) -> Option<Event> {
        self.reading.as_mut()?.events.try_recv().ok()
    }
}

/// Forwards events until stopped. The library is asked only when there is something to read, so that it never waits for the
/// terminal where we could not end that.
fn read(tty: &File, stop: &PipeReader, forward: &UnboundedSender<Event>) -> io::Result<()> {
    loop {
        let mut fds = [PollFd::new(tty, PollFlags::IN), PollFd::new(stop, PollFlags::IN)];
        match poll(&mut fds, None) {
            Err(Errno::INTR) => continue,
            other => other?,
        };
        let [tty, stop] = fds.map(|f| f.revents());
        if !stop.is_empty() || tty != PollFlags::IN {
            return Ok(());
        }
        while event::poll(MOMENT)? {
            if forward.send(event::read()?).is_err() {
                return Ok(());
            }
        }
    }
}
