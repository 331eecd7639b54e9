//! The loop: events and results come in, the state changes, a frame goes out. When nothing happens, nothing is drawn.
use super::{
    action::{Action, Command, Ended},
    draw,
    effect::{Effect, Reply},
    events::Events,
    idle::Idle,
    keymap::{self, Key},
    layout,
    runner::{Examiner, Runner},
    screens,
    secret_page::Asking,
    sitting::Sitting,
    slate,
    state::State,
    terminal::{self, Guard, Screen},
    theme::Theme,
    update::update_all,
    wizard::{Work, Works},
};
use crate::{
    operator::{Answer, SecretWanted, Stop},
    os::uptime,
    procedures::Workplace,
    secret::dialogue::Typed,
    views::desk::Desk,
};
use crossterm::{
    clipboard::CopyToClipboard,
    event::{Event, MouseButton, MouseEventKind},
    execute, queue,
    terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate},
};
use jiff::Timestamp;
use ratatui::layout::Rect;
use rustix::{
    io::Errno,
    process::{Signal, getpid, getsid, kill_current_process_group, kill_process},
};
use std::{io, sync::Arc, time::Duration};
use tokio::{
    signal::unix::{Signal as Signals, SignalKind, signal},
    sync::{Notify, mpsc},
};

/// Rows that one notch of the wheel moves.
const NOTCH: isize = 3;
/// While something is read, the spinner moves this often.
const SPIN: Duration = Duration::from_millis(120);
/// The time on the screen is at most this old.
const CLOCK: Duration = Duration::from_secs(60);
/// So many events are taken together before a frame is drawn.
const BATCH: usize = 4096;

/// How the screen is to be shown.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Colours and characters.
    pub theme: Theme,
    /// Whether the mouse is listened to. If it is not, the terminal's own selection works as ever.
    pub mouse: bool,
    /// When nobody has done anything for so long, every passphrase is forgotten.
    pub lock_after: Duration,
}

impl Options {
    /// What the environment says of the terminal (see [`Theme::detect`]), with the mouse.
    pub fn from_env() -> Self {
        Self { theme: Theme::detect(|name| std::env::var(name).ok()), mouse: true, lock_after: Idle::default().after }
    }
}

/// Why the screen could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ScreenError {
    /// The terminal could not be used.
    #[error("the terminal cannot be used: {0}")]
    Terminal(#[from] io::Error),
    /// A part of the program has panicked; its message was printed.
    #[error("claviger has a fault and has stopped; see with `claviger key list` what was done")]
    Panicked,
}

impl From<terminal::Panicked> for ScreenError {
    fn from(_: terminal::Panicked) -> Self {
        Self::Panicked
    }
}

/// Shows the workstation, whose procedures work at `place`, until the user leaves or a signal ends it. The terminal is whole again when this returns,
/// and also when it does not: after a panic, and while the process is stopped.
///
/// Draws in the task that calls it, so that task should be the main one. Files are read on blocking threads that
/// cannot be stopped: end the runtime with `shutdown_background`, or leaving waits for them.
pub async fn run(desk: Desk, place: Workplace, examiner: Examiner, options: Options) -> Result<Ended, ScreenError> {
    let panicked = Arc::new(Notify::new());
    terminal::hook_panics(panicked.clone());
    let mut session = Session::new(desk, place, examiner, options)?;
    let ended = session.run(&panicked).await;
    session.leave().await;
    match ended {
        // What writes to a terminal that has gone learns it before the signal comes.
        Err(ScreenError::Terminal(e)) if e.raw_os_error() == Some(Errno::IO.raw_os_error()) => Ok(Ended::HungUp),
        ended => ended,
    }
}

/// Everything the loop holds.
struct Session {
    state: State,
    runner: Runner,
    works: Works,
    actions: mpsc::UnboundedSender<Action>,
    results: mpsc::UnboundedReceiver<Action>,
    events: Events,
    /// While a passphrase is typed, the events rest.
    asking: Option<Asking>,
    sitting: Sitting,
    screen: Screen,
    guard: Guard,
    signals: SignalSet,
    /// Whether the terminal may show something else than the last frame.
    stale: bool,
    ended: Option<Ended>,
    /// Whether something was painted past the last frame.
    painted: bool,
}

/// Signals that the screen answers.
struct SignalSet {
    term: Signals,
    hup: Signals,
    int: Signals,
    stop: Signals,
    cont: Signals,
    /// The terminal has another size: the event reader, which would say so, may be at rest.
    size: Signals,
}

impl Session {
    fn new(desk: Desk, place: Workplace, examiner: Examiner, options: Options) -> Result<Self, ScreenError> {
        let signals = SignalSet {
            term: signal(SignalKind::terminate())?,
            hup: signal(SignalKind::hangup())?,
            int: signal(SignalKind::interrupt())?,
            stop: signal(SignalKind::from_raw(Signal::TSTP.as_raw()))?,
            cont: signal(SignalKind::from_raw(Signal::CONT.as_raw()))?,
            size: signal(SignalKind::window_change())?,
        };
        let (actions, results) = mpsc::unbounded_channel();
        // The theme has decided, the configuration with it; the terminal library must not drop colours once more for NO_COLOR.
        crossterm::style::force_color_output(options.theme.colour);
        let mut state = State::new(desk.facts().clone(), options.theme, Timestamp::now());
        // A session's leader was started by a terminal, not by a shell: stopped, nobody would wake it.
        state.has_shell = getsid(None).is_ok_and(|s| s != getpid());
        let guard = Guard::take(options.mouse)?;
        let screen = terminal::screen()?;
        let runner = Runner::new(desk, place.clone(), examiner, actions.clone());
        let works = Works::new(place, actions.clone());
        state.read_only = works.read_only().map(str::to_owned);
        state.idle = Idle::new(options.lock_after);
        let sitting = Sitting::default();
        let events = Events::start()?;
        let (stale, ended, painted) = (true, None, false);
        Ok(Self {
            state,
            runner,
            works,
            actions,
            results,
            events,
            asking: None,
            sitting,
            screen,
            guard,
            signals,
            stale,
            ended,
            painted,
        })
    }

    async fn run(&mut self, panicked: &Notify) -> Result<Ended, ScreenError> {
        // A complete frame stands before anything is read.
        self.frame()?;
        self.apply(vec![Action::Start]).await?;
        let mut spin = tokio::time::interval(SPIN);
        spin.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            if terminal::has_panicked() {
                return Err(ScreenError::Panicked);
            }
            if let Some(ended) = self.ended {
                return Ok(ended);
            }
            self.frame()?;
            let mut batch = Vec::new();
            let busy = self.state.spins();
            let rest = if self.state.locked.is_some() { CLOCK } else { self.state.idle.left(uptime()).min(CLOCK) };
            tokio::select! {
                biased;
                () = panicked.notified() => return Err(ScreenError::Panicked),
                _ = self.signals.term.recv() => batch.push(Action::End(Ended::Terminated)),
                _ = self.signals.hup.recv() => batch.push(Action::End(Ended::HungUp)),
                _ = self.signals.int.recv() => batch.push(Action::End(Ended::Interrupted)),
                _ = self.signals.stop.recv() => self.suspend(false).await?,
                _ = self.signals.cont.recv() => self.stale = true,
                _ = self.signals.size.recv() => self.stale = true,
                (typed, wanted) = Asking::answer(&mut self.asking) => {
                    self.lock_if_late().await?;
                    batch.extend(self.answered(typed, wanted)?);
                }
                event = self.events.recv() => match event {
                    Some(event) => {
                        self.lock_if_late().await?;
                        batch.extend(self.translate(event));
                    }
                    // The terminal is gone.
                    None => batch.push(Action::End(Ended::HungUp)),
                },
                Some(action) = self.results.recv() => {
                    self.lock_if_late().await?;
                    batch.push(action);
                }
                _ = spin.tick(), if busy => batch.push(Action::Spin),
                () = tokio::time::sleep(rest) => {}
            }
            // Whatever else is there already belongs to the same frame.
            while batch.len() < BATCH {
                match self.events.try_recv() {
                    Some(event) => {
                        // A key means what it means where the keys before it have led.
                        self.apply(std::mem::take(&mut batch)).await?;
                        batch.extend(self.translate(event));
                    }
                    None => match self.results.try_recv() {
                        Ok(action) => batch.push(action),
                        Err(_) => break,
                    },
                }
                if self.ended.is_some() {
                    break;
                }
            }
            batch.extend([Action::Clock(Timestamp::now()), Action::Uptime(uptime())]);
            self.apply(batch).await?;
        }
    }

    /// After a long sleep of the machine the first key locks, and does nothing else.
    async fn lock_if_late(&mut self) -> Result<(), ScreenError> {
        let now = uptime();
        match self.state.idle.is_over(now) {
            true => self.apply(vec![Action::Uptime(now)]).await,
            false => Ok(()),
        }
    }

    /// What an event of the terminal means where the user is.
    fn translate(&mut self, event: Event) -> Option<Action> {
        let context = self.state.context();
        match event {
            Event::Key(key) => {
                let key = Key::of(&key)?;
                match keymap::lookup(context, key) {
                    Some(command) => Some(Action::Do(command)),
                    None if context.takes_text() => keymap::edit(key).map(Action::Edit),
                    None => None,
                }
            }
            Event::Paste(text) if context.takes_text() => Some(Action::Edit(super::action::Edit::Insert(text))),
            Event::Mouse(m) => match m.kind {
                MouseEventKind::Down(MouseButton::Left) => Some(Action::Click(m.column, m.row)),
                MouseEventKind::ScrollUp => Some(Action::Wheel(-NOTCH)),
                MouseEventKind::ScrollDown => Some(Action::Wheel(NOTCH)),
                _ => None,
            },
            Event::Resize(columns, rows) => {
                // A terminal that was made smaller and larger again between two frames has lost what it could not show.
                self.stale = true;
                Some(Action::Resize(columns, rows))
            }
            _ => None,
        }
    }

    async fn apply(&mut self, batch: Vec<Action>) -> Result<(), ScreenError> {
        batch.iter().for_each(|action| self.learn(action));
        for effect in update_all(&mut self.state, batch) {
            match effect {
                Effect::Leave(how) => self.ended = Some(how),
                Effect::Suspend => self.suspend(true).await?,
                Effect::Repaint => self.stale = true,
                Effect::Copy(text) => {
                    terminal::write(|| execute!(self.screen.backend_mut(), CopyToClipboard::to_clipboard_from(text)))??;
                }
                Effect::Perform(work) => self.works.start(work),
                Effect::Resume(work) => self.works.resume(&work),
                Effect::Answer(reply) => {
                    if reply == Reply::Back {
                        self.sitting.go_back();
                    }
                    self.works.answer(answer(reply));
                }
                Effect::StopWork => self.works.stop(),
                Effect::ReadSecret(wanted) => match self.sitting.recall(&wanted) {
                    Some(given) => {
                        self.works.answer(Ok(Answer::Secret(given)));
                        let _ = self.actions.send(Action::SecretTyped);
                    }
                    None => self.asking = Some(Asking::begin(wanted, &mut self.events, self.actions.clone()).await?),
                },
                Effect::Forget => {
                    self.sitting.forget();
                    if let Some(asking) = self.asking.take() {
                        asking.end().await;
                        self.events.resume()?;
                    }
                }
                other => self.runner.start(other),
            }
        }
        Ok(())
    }

    /// Learns from what happens which passphrases have opened their keys, and which no longer do.
    fn learn(&mut self, action: &Action) {
        match action {
            Action::Asked(asked) => self.sitting.asked(asked),
            Action::Finished(result) => {
                self.sitting.ended(result.is_ok());
                if let (Ok(_), Some(Work::ChangePassphrase(path) | Work::RemoveKey(path))) =
                    (&**result, self.state.wizard().map(|w| &w.work))
                {
                    let name = path.file_stem().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
                    self.sitting.changed(name.split('_').next().unwrap_or_default());
                }
            }
            _ => return,
        }
        if self.sitting.count() != self.state.remembered {
            let _ = self.actions.send(Action::Remembers(self.sitting.count()));
        }
    }

    /// Hands over the passphrase that was typed, and reads keys again.
    fn answered(&mut self, typed: Typed, wanted: Option<SecretWanted>) -> Result<Option<Action>, ScreenError> {
        let action = match typed {
            Typed::Given(given, remember) => {
                if let Some(wanted) = wanted.filter(|_| remember) {
                    self.sitting.typed(&wanted, &given);
                }
                self.works.answer(Ok(Answer::Secret(given)));
                Some(Action::SecretTyped)
            }
            Typed::Escape => Some(Action::Do(Command::Back)),
            Typed::Interrupt => Some(Action::Do(Command::Interrupt)),
            Typed::Lock => Some(Action::Do(Command::Lock)),
            Typed::Gone => Some(Action::End(Ended::HungUp)),
        };
        self.events.resume()?;
        Ok(action)
    }

    /// Ends what is at work. What has begun to write is waited for, so that nothing is left half done.
    async fn leave(&mut self) {
        if let Some(asking) = self.asking.take() {
            asking.end().await;
        }
        self.works.end().await;
    }

    fn frame(&mut self) -> Result<(), ScreenError> {
        terminal::write(|| self.screen.autoresize())??;
        let size = self.screen.size()?;
        if (size.width, size.height) != self.state.size {
            update_all(&mut self.state, [Action::Resize(size.width, size.height)]);
        }
        let (screen, state) = (&mut self.screen, &self.state);
        // Only a whole new frame takes away what was painted past it.
        let slate = layout::areas(state.screen()).and_then(|areas| screens::wizard::slate(state, areas.content));
        let slate = slate.filter(|_| self.asking.as_ref().is_some_and(|asking| asking.slate.with(|_| ()).is_some()));
        let stale = self.stale || self.painted && slate.is_none();
        terminal::write(|| write_frame(screen, state, stale))??;
        self.stale = false;
        self.painted = match (slate, &self.asking) {
            (Some(area), Some(asking)) => {
                // If it was wiped meanwhile, the next frame is a new one all the same.
                slate::paint(&asking.slate, area)?;
                true
            }
            _ => false,
        };
        Ok(())
    }

    /// Gives the terminal back and stops until continued. `group`: the user pressed Ctrl-Z, and everything that runs
    /// in the foreground stops with us, as a terminal would have it (`make run` waits for us).
    async fn suspend(&mut self, group: bool) -> Result<(), ScreenError> {
        terminal::leave();
        let stopped = if group { kill_current_process_group(Signal::STOP) } else { kill_process(getpid(), Signal::STOP) };
        if stopped.is_ok() {
            // Another thread may take the signal a moment later: only what wakes us counts.
            self.signals.cont.recv().await;
        }
        terminal::write(|| self.guard.enter())??;
        self.stale = true;
        Ok(())
    }
}

fn answer(reply: Reply) -> Result<Answer, Stop> {
    match reply {
        Reply::Values(values) => Ok(Answer::Values(values)),
        Reply::Accepted => Ok(Answer::Accepted),
        Reply::Typed(text) => Ok(Answer::Typed(text)),
        Reply::Back => Err(Stop::Back),
        Reply::Cancelled => Err(Stop::Cancelled),
    }
}

fn write_frame(screen: &mut Screen, state: &State, stale: bool) -> io::Result<()> {
    // The terminal shows a frame at once, if it knows how; others pass these over.
    let whole = state.theme.unicode;
    if whole {
        queue!(screen.backend_mut(), BeginSynchronizedUpdate)?;
    }
    if stale {
        // `Terminal::clear` would ask the terminal where its cursor is, and wait for an answer that the event reader
        // has taken. Resizing to the size it has clears as well.
        let size = screen.size()?;
        screen.resize(Rect::new(0, 0, size.width, size.height))?;
    }
    screen.draw(|frame| draw(state, frame))?;
    if whole {
        execute!(screen.backend_mut(), EndSynchronizedUpdate)?;
    }
    Ok(())
}
