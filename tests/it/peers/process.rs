//! A server process on loopback that no test and no test program leaves behind.

use super::program::{program, scratch};
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsString;
use std::fs::File;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long a server may take until it answers; it takes 20 ms when nothing else runs.
pub const START: Duration = Duration::from_secs(20);

/// What is started.
pub struct Launch {
    /// The program and its arguments.
    pub command: Vec<OsString>,
    /// All of its environment but `PATH`.
    pub environment: Vec<(String, OsString)>,
    /// What ends it at once, and leaves nothing behind.
    pub end: End,
}

/// A signal that ends a program.
#[derive(Clone, Copy)]
pub enum End {
    /// Nobody can ask it anything afterwards.
    Kill,
    /// For one that has others to end first.
    Quit,
}

impl End {
    fn name(self) -> &'static str {
        match self {
            Self::Kill => "KILL",
            Self::Quit => "QUIT",
        }
    }

    fn signal(self) -> Signal {
        match self {
            Self::Kill => Signal::KILL,
            Self::Quit => Signal::QUIT,
        }
    }
}

impl Launch {
    /// A program that is ended by SIGKILL.
    pub fn new(program: PathBuf, arguments: impl IntoIterator<Item = OsString>) -> Self {
        let command = std::iter::once(program.into_os_string()).chain(arguments).collect();
        Self { command, environment: Vec::new(), end: End::Kill }
    }
}

/// A server process that is ended by its number when it goes out of use, and by the kernel when the test program ends,
/// however that ends.
pub struct Process {
    name: &'static str,
    pub port: u16,
    pub pid: Pid,
    log: PathBuf,
    end: End,
    /// Ends when the process has.
    waiting: Option<JoinHandle<()>>,
}

impl Process {
    /// Starts a server on a port that was free a moment ago; another one if somebody took it since.
    pub fn on_a_free_port(name: &'static str, launch: impl Fn(u16, &Path) -> Launch) -> Self {
        let mut logs = String::new();
        for _ in 0..5 {
            let free = TcpListener::bind("127.0.0.1:0").expect("a free port on loopback");
            let port = free.local_addr().expect("an address").port();
            drop(free);
            let folder = scratch(name);
            let process = Self::start(name, port, launch(port, &folder), &folder);
            if process.listens() {
                return process;
            }
            logs.push_str(&process.log());
        }
        panic!("{name} does not start:\n{logs}");
    }

    fn start(name: &'static str, port: u16, launch: Launch, folder: &Path) -> Self {
        let log = folder.join("log");
        let file = File::create(&log).expect("a log");
        let mut command = Command::new(program("setpriv"));
        command.args(["--pdeathsig", launch.end.name(), "--"]).args(launch.command);
        command.stdin(Stdio::null()).stdout(file.try_clone().expect("a log")).stderr(file);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).envs(launch.environment);
        // The kernel ends a child with the *thread* that started it. A test's thread ends with the test, so a thread of
        // its own starts the server and waits for it.
        let (started, pid) = mpsc::channel();
        let waiting = std::thread::spawn(move || {
            let mut child = command.spawn().unwrap_or_else(|error| panic!("{name} does not start: {error}"));
            let _ = started.send(Pid::from_child(&child));
            let _ = child.wait();
        });
        let pid = pid.recv().unwrap_or_else(|_| panic!("{name} does not start"));
        Self { name, port, pid, log, end: launch.end, waiting: Some(waiting) }
    }

    /// Waits until something accepts connections on the port; false when the process has ended instead.
    fn listens(&self) -> bool {
        let deadline = Instant::now() + START;
        while !self.has_ended() {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            assert!(Instant::now() < deadline, "{} does not listen:\n{}", self.name, self.log());
            std::thread::sleep(Duration::from_millis(2));
        }
        false
    }

    fn has_ended(&self) -> bool {
        self.waiting.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// The end of what it wrote.
    pub fn log(&self) -> String {
        let text = String::from_utf8_lossy(&std::fs::read(&self.log).unwrap_or_default()).into_owned();
        let lines: Vec<&str> = text.lines().collect();
        format!("--- {} ({})\n{}", self.name, self.log.display(), lines[lines.len().saturating_sub(40)..].join("\n"))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.has_ended() {
            let _ = kill_process(self.pid, self.end.signal());
        }
        let _ = self.waiting.take().map(JoinHandle::join);
    }
}
