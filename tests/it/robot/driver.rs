//! A pseudo-terminal with somebody sitting before it: starts a program, reads its screen, presses keys, resizes,
//! sends signals. Waits for what must appear, never for time to pass.
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    io::{Read, Write},
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// What takes longer has failed. Generous, because the machine may be busy with other tests.
const PATIENCE: Duration = Duration::from_secs(30);

/// The screen, and how often it changed.
struct Seen {
    parser: vt100::Parser,
    said: Vec<u8>,
    closed: bool,
}

/// Somebody before a terminal.
pub struct Robot {
    master: Box<dyn MasterPty + Send>,
    child: Box<dyn Child + Send + Sync>,
    writer: Box<dyn Write + Send>,
    seen: Arc<(Mutex<Seen>, Condvar)>,
    before: String,
    heard: usize,
}

/// A program to be started.
pub struct Start<'a> {
    pub program: &'a Path,
    pub arguments: Vec<String>,
    pub variables: Vec<(&'static str, String)>,
    pub size: (u16, u16),
}

impl Robot {
    /// Starts a program in a terminal of its own, with no variables but those given and a plain set of its own.
    pub fn start(s: Start<'_>) -> Self {
        let pty = native_pty_system().openpty(pty_size(s.size)).unwrap();
        let mut command = CommandBuilder::new(s.program);
        command.env_clear();
        let path = std::env::var("PATH").unwrap_or_default();
        for (name, value) in [("PATH", path.as_str()), ("TERM", "xterm-256color"), ("LANG", "C.UTF-8")] {
            command.env(name, value);
        }
        s.arguments.iter().for_each(|a| command.arg(a));
        s.variables.iter().for_each(|(n, v)| command.env(n, v));
        let master = pty.master;
        let before = settings(&*master);
        let child = pty.slave.spawn_command(command).unwrap();
        drop(pty.slave);
        let parser = vt100::Parser::new(rows(s.size), columns(s.size), 0);
        let seen = Arc::new((Mutex::new(Seen { parser, said: Vec::new(), closed: false }), Condvar::new()));
        let mut reader = master.try_clone_reader().unwrap();
        let shared = seen.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 65536];
            loop {
                let n = reader.read(&mut bytes).unwrap_or(0);
                let mut seen = shared.0.lock().unwrap_or_else(PoisonError::into_inner);
                seen.parser.process(&bytes[..n]);
                seen.said.extend_from_slice(&bytes[..n]);
                seen.closed = n == 0;
                shared.1.notify_all();
                if n == 0 {
                    break;
                }
            }
        });
        let writer = master.take_writer().unwrap();
        Self { master, child, writer, seen, before, heard: 0 }
    }

    /// Waits until the screen is as it should be.
    pub fn wait(&self, what: &str, mut is_so: impl FnMut(&vt100::Screen) -> bool) -> String {
        let end = Instant::now() + PATIENCE;
        let (lock, changed) = &*self.seen;
        let mut seen: MutexGuard<'_, Seen> = lock.lock().unwrap();
        loop {
            let screen = seen.parser.screen();
            if is_so(screen) {
                return screen.contents();
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && !seen.closed, "{what}: did not come; the screen is\n{}", screen.contents());
            (seen, _) = changed.wait_timeout(seen, left).unwrap();
        }
    }

    /// Waits until the screen shows a text.
    pub fn see(&self, text: &str) -> String {
        self.wait(&format!("{text:?}"), |s| s.contents().contains(text))
    }

    /// Waits until the screen shows a text no more.
    pub fn see_no(&self, text: &str) -> String {
        self.wait(&format!("no {text:?}"), |s| !s.contents().contains(text))
    }

    /// Waits until the program says something that it has not said before.
    pub fn hear(&mut self, text: &str) {
        let end = Instant::now() + PATIENCE;
        let (lock, changed) = &*self.seen;
        let mut seen: MutexGuard<'_, Seen> = lock.lock().unwrap();
        loop {
            let new = String::from_utf8_lossy(&seen.said[self.heard..]).into_owned();
            if let Some(at) = new.find(text) {
                self.heard += at + text.len();
                return;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(!left.is_zero() && !seen.closed, "{text:?} was not said; what was said is\n{new}");
            (seen, _) = changed.wait_timeout(seen, left).unwrap();
        }
    }

    /// Everything that was written to the terminal so far.
    pub fn said(&self) -> Vec<u8> {
        self.seen.0.lock().unwrap().said.clone()
    }

    /// What is on the screen now.
    pub fn screen(&self) -> String {
        self.seen.0.lock().unwrap().parser.screen().contents()
    }

    /// The text among everything that was written to the terminal so far, without the sequences that place and colour it.
    /// Sequences that do more than that (titles, clipboard and whatever else is set by a string) are a failure.
    pub fn written(&self) -> String {
        let said = String::from_utf8_lossy(&self.seen.0.lock().unwrap().said).into_owned();
        let (mut text, mut rest) = (String::new(), said.chars());
        while let Some(c) = rest.next() {
            match c {
                '\u{1b}' => match rest.next() {
                    Some('[') => drop(rest.find(|c| ('@'..='~').contains(c))),
                    Some('7' | '8' | '=' | '>') => {}
                    other => {
                        panic!("an unexpected sequence: {other:?} after {:?}", text.chars().rev().take(80).collect::<String>())
                    }
                },
                c => text.push(c),
            }
        }
        text
    }

    /// Presses keys, given as the bytes that a terminal sends.
    pub fn press(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).unwrap();
        self.writer.flush().unwrap();
    }

    /// Presses one key after the other, each when the one before was read.
    pub fn type_slowly(&mut self, text: &str) {
        use std::os::unix::fs::OpenOptionsExt as _;
        let name = self.master.tty_name().unwrap();
        let flags = rustix::fs::OFlags::NOCTTY.bits().cast_signed();
        let terminal = std::fs::OpenOptions::new().read(true).custom_flags(flags).open(name).unwrap();
        for c in text.chars() {
            self.press(c.encode_utf8(&mut [0; 4]));
            let end = Instant::now() + PATIENCE;
            while rustix::io::ioctl_fionread(&terminal).unwrap() > 0 {
                assert!(Instant::now() < end, "nobody reads the terminal; the screen is\n{}", self.screen());
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }

    /// Clicks with the left button at a column and row, from 0.
    pub fn click(&mut self, x: u16, y: u16) {
        self.press(&format!("\x1b[<0;{};{}M\x1b[<0;{};{}m", x + 1, y + 1, x + 1, y + 1));
    }

    /// Gives the terminal another size.
    pub fn resize(&self, size: (u16, u16)) {
        let mut seen = self.seen.0.lock().unwrap();
        seen.parser.screen_mut().set_size(rows(size), columns(size));
        self.master.resize(pty_size(size)).unwrap();
    }

    /// The process that was started.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.process_id().unwrap()).unwrap()).unwrap()
    }

    /// Sends a signal to it.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    /// Waits until a process is stopped, as the kernel sees it.
    pub fn wait_stopped(&self) {
        let path = format!("/proc/{}/stat", self.pid().as_raw_nonzero());
        let end = Instant::now() + PATIENCE;
        loop {
            let stat = std::fs::read_to_string(&path).unwrap();
            if stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T')) {
                return;
            }
            assert!(Instant::now() < end, "the process did not stop: {stat}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for the end and returns the exit status.
    pub fn end(&mut self) -> u32 {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.exit_code();
            }
            assert!(Instant::now() < end, "it did not end; the screen is\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until the terminal is as it was before: its own screen, a cursor, no mouse, no bracketed paste, and lines
    /// as they were set.
    pub fn wait_whole(&self) {
        let end = Instant::now() + PATIENCE;
        loop {
            let seen = self.seen.0.lock().unwrap();
            let s = seen.parser.screen();
            let lines = settings(&*self.master);
            let whole = !s.alternate_screen()
                && !s.hide_cursor()
                && !s.bracketed_paste()
                && s.mouse_protocol_mode() == vt100::MouseProtocolMode::None
                && lines == self.before;
            if whole {
                return;
            }
            assert!(
                Instant::now() < end,
                "the terminal was not given back whole: alternate screen {}, cursor hidden {}, paste {}, mouse {:?},\nlines {lines}\nbefore {}",
                s.alternate_screen(),
                s.hide_cursor(),
                s.bracketed_paste(),
                s.mouse_protocol_mode(),
                self.before
            );
            drop(seen);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The process that is in the foreground.
    pub fn foreground(&self) -> i32 {
        self.master.process_group_leader().unwrap()
    }
}

impl Drop for Robot {
    fn drop(&mut self) {
        // A test that has failed leaves nothing behind.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until a process that is not our child has ended.
pub fn wait_gone(pid: i32) {
    let end = Instant::now() + PATIENCE;
    loop {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        let ended = stat.is_empty() || stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(['Z', 'X']));
        if ended {
            return;
        }
        assert!(Instant::now() < end, "process {pid} has not ended: {stat}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn settings(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios())
}

fn pty_size((columns, rows): (u16, u16)) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

fn rows(size: (u16, u16)) -> std::num::NonZeroU16 {
    size.1.try_into().unwrap()
}

fn columns(size: (u16, u16)) -> std::num::NonZeroU16 {
    size.0.try_into().unwrap()
}
