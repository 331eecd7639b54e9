//! The terminal: taken over at the start, given back whole however the program ends.
//!
//! Raw mode, the alternate screen, the mouse and bracketed paste are switched on and off together, by `enter` and
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
    cell::Cell,
    io::{self, BufWriter, Stdout, Write as _},
    sync::{
        Arc, Mutex, Once, PoisonError,
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

/// Held while anything is written, so that a panic elsewhere does not give the terminal back in the middle of a frame,
/// nor a frame follow after.
static PEN: Mutex<()> = Mutex::new(());

thread_local! {
    /// Whether this thread holds the pen: if it panics, it must not wait for itself.
    static WRITING: Cell<bool> = const { Cell::new(false) };
}

/// Something has panicked: nothing may be written any more.
#[derive(Debug)]
pub struct Panicked;

/// Writes to the terminal, unless something has panicked.
pub fn write<T>(f: impl FnOnce() -> T) -> Result<T, Panicked> {
    let _pen = PEN.lock().unwrap_or_else(PoisonError::into_inner);
    if has_panicked() {
        return Err(Panicked);
    }
    WRITING.set(true);
    let out = f();
    WRITING.set(false);
    Ok(out)
}

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
            let pen = (!WRITING.get()).then(|| PEN.lock().unwrap_or_else(PoisonError::into_inner));
            PANICKED.store(true, Ordering::SeqCst);
            leave();
            drop(pen);
            woken.notify_one();
            before(info);
        }));
    });
}

/// Whether something has panicked since the terminal was taken over.
pub fn has_panicked() -> bool {
    PANICKED.load(Ordering::SeqCst)
}
