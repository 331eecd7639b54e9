//! The terminal: taken over at the start, given back whole however the program ends.
//!
//! Raw mode, the alternate screen, the mouse and bracketed paste are switched on and off together, by [`enter`] and
//! [`leave`]. A panic in any thread gives the terminal back first, so that its message can be read, and tells the
//! screen to end.
use crossterm::{
    cursor,
    event::{DisableBracketedPaste, DisableMouseCapture, EnableBracketedPaste, EnableMouseCapture},
    execute,
    terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
};
use ratatui::{Terminal, backend::CrosstermBackend};
use std::{
    io::{self, BufWriter, Stdout, Write as _},
    sync::{
        Arc, Once,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::Notify;

/// What the screen is drawn to. The buffer holds a whole frame, so that it is written at once.
pub type Screen = Terminal<CrosstermBackend<BufWriter<Stdout>>>;

/// Bytes of a frame that are gathered before they are written.
const FRAME: usize = 128 * 1024;
/// Whether the terminal is ours at the moment.
static OURS: AtomicBool = AtomicBool::new(false);
/// Whether something has panicked.
static PANICKED: AtomicBool = AtomicBool::new(false);

/// Holds the terminal; dropping it gives it back.
#[derive(Debug)]
pub struct Guard {
    mouse: bool,
}

impl Guard {
    /// Takes the terminal over.
    pub fn take(mouse: bool) -> io::Result<Self> {
        let guard = Self { mouse };
        guard.enter()?;
        Ok(guard)
    }

    /// Takes the terminal over again, after [`leave`].
    pub fn enter(&self) -> io::Result<()> {
        // Set first: if half of this fails, all of it is undone.
        OURS.store(true, Ordering::SeqCst);
        enable_raw_mode()?;
        let mut out = io::stdout();
        execute!(out, EnterAlternateScreen, EnableBracketedPaste, cursor::Hide)?;
        if self.mouse {
            execute!(out, EnableMouseCapture)?;
        }
        Ok(())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        leave();
    }
}

/// Gives the terminal back, if it is ours. What fails is passed over: the rest matters the more.
pub fn leave() {
    if !OURS.swap(false, Ordering::SeqCst) {
        return;
    }
    let mut out = io::stdout();
    let _ = execute!(out, DisableMouseCapture, DisableBracketedPaste);
    let _ = execute!(out, LeaveAlternateScreen, cursor::Show);
    let _ = disable_raw_mode();
    let _ = out.flush();
}

/// A screen on standard output.
pub fn screen() -> io::Result<Screen> {
    Terminal::new(CrosstermBackend::new(BufWriter::with_capacity(FRAME, io::stdout())))
}

/// Makes a panic give the terminal back before it is reported, and then wake `woken`.
pub fn hook_panics(woken: Arc<Notify>) {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            leave();
            PANICKED.store(true, Ordering::SeqCst);
            woken.notify_one();
            before(info);
        }));
    });
}

/// Whether something has panicked since the terminal was taken over.
pub fn has_panicked() -> bool {
    PANICKED.load(Ordering::SeqCst)
}
