//! Other programs, run for what they print. They may hang, print without end and start others: one runs in a process group of
//! its own, which ends as a whole when it has said what it has to say, when its time is over, when this program is ended by a
//! signal, and when nobody waits any more.
use super::{raw, strongroom};
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process_group, waitid};
use std::{
    io::{self, Read as _, Write as _},
    os::unix::process::CommandExt as _,
    process::{Command, ExitStatus, Stdio},
    sync::{Mutex, PoisonError, mpsc},
    thread,
    time::{Duration, Instant},
};
use zeroize::Zeroizing;

/// How often one that has said everything is asked whether it has ended.
const PAUSE: Duration = Duration::from_millis(5);

/// Groups that are running now.
static RUNNING: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// What came of running a program.
#[derive(Debug)]
pub enum Ran {
    /// There is no such program.
    NotThere,
    /// It could not be started, or not be heard.
    Failed(io::Error),
    /// It was ended, because its time was over.
    Slow,
    /// It was ended, because it printed more than it may; so much of it was read.
    TooMuch(Zeroizing<Vec<u8>>),
    /// It has ended by itself.
    Done(ExitStatus, Zeroizing<Vec<u8>>),
}

/// Runs a program with this on its standard input, and reads at most so many bytes of its standard output. What it prints
/// to people is not read. What it says may be secret: it lies where secrets do.
pub fn run(mut command: Command, input: &[u8], patience: Duration, most: usize) -> Ran {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
    // At SIGKILL there is nobody left who could end it, so the kernel does.
    raw::end_with_this_thread(&mut command);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ran::NotThere,
        Err(e) => return Ran::Failed(e),
    };
    let group = Group::new(Pid::from_child(&child));
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let deadline = Instant::now() + patience;
    let (send, receive) = mpsc::channel();
    let input = Zeroizing::new(input.to_vec());
    thread::spawn(move || {
        // One that does not read its input may still know the answer.
        let _ = stdin.map(|mut stdin| stdin.write_all(&input));
        let mut said = strongroom(|| Zeroizing::new(Vec::with_capacity(most.saturating_add(1))));
        let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        let read = stdout.map_or(Ok(0), |stdout| stdout.take(limit).read_to_end(&mut said));
        // Whoever waited may have given up.
        let _ = send.send(read.map(|_| said));
    });
    let ran = match receive.recv_timeout(patience) {
        Err(_) => Ran::Slow,
        Ok(Err(e)) => Ran::Failed(e),
        Ok(Ok(said)) if said.len() > most => Ran::TooMuch(said),
        Ok(Ok(said)) if has_ended(group.0, deadline) => match group.end().and_then(|()| child.wait()) {
            Ok(status) => return Ran::Done(status, said),
            Err(e) => Ran::Failed(e),
        },
        Ok(Ok(_)) => Ran::Slow,
    };
    drop(group);
    let _ = child.wait();
    ran
}

/// Ends every program that runs now, with all that it has started: this one is about to end.
pub fn end_children() {
    for group in lock().drain(..) {
        let _ = kill_process_group(group, Signal::KILL);
    }
}

fn lock() -> std::sync::MutexGuard<'static, Vec<Pid>> {
    RUNNING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until a child has ended, and leaves its number to it, so that no other group can have that.
fn has_ended(child: Pid, deadline: Instant) -> bool {
    loop {
        match waitid(WaitId::Pid(child), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG) {
            Ok(Some(_)) => return true,
            Ok(None) if Instant::now() < deadline => thread::sleep(PAUSE),
            Err(rustix::io::Errno::INTR) => {}
            _ => return false,
        }
    }
}

/// A process group whose first process was not waited for yet; it ends with this value.
struct Group(Pid);

impl Group {
    fn new(first: Pid) -> Self {
        lock().push(first);
        Self(first)
    }

    /// Ends what is left of it.
    fn end(&self) -> io::Result<()> {
        let mut running = lock();
        // Somebody else may have ended it, and forgotten it, already.
        if let Some(at) = running.iter().position(|group| *group == self.0) {
            running.swap_remove(at);
            let _ = kill_process_group(self.0, Signal::KILL);
        }
        Ok(())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    fn is_there(pid: &str) -> bool {
        std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).is_ok_and(|stat| !stat.contains(") Z "))
    }

    fn ends(pid: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while is_there(pid) {
            assert!(Instant::now() < deadline, "{pid} is still there");
            thread::sleep(PAUSE);
        }
    }

    #[test]
    fn a_program_says_what_it_has_to_say_and_leaves_nobody_behind() {
        let long = Duration::from_secs(60);
        let Ran::Done(status, said) = run(sh("cat; sleep 600 >/dev/null 2>&1 & echo $!; exit 3"), b"in ", long, 100) else {
            panic!("it has not ended")
        };
        assert_eq!(status.code(), Some(3));
        let said = String::from_utf8_lossy(&said).into_owned();
        ends(said.trim_start_matches("in").trim());
        assert!(matches!(run(Command::new("no-program-is-called-so"), b"", long, 1), Ran::NotThere));
        assert!(matches!(run(sh("yes"), b"", long, 100), Ran::TooMuch(said) if said.len() == 101));
        assert!(matches!(run(sh("printf 12345"), b"", long, 5), Ran::Done(..)));
        assert!(matches!(run(sh("printf 123456"), b"", long, 5), Ran::TooMuch(_)));
    }

    #[test]
    fn one_that_hangs_or_holds_its_output_open_ends_with_all_that_it_has_started() {
        let dir = tempfile::tempdir().unwrap();
        for script in
            ["sleep 600 & echo $! > pid; wait", "sleep 600 & echo $! > pid; exit 0", "echo $$ > pid; exec >&-; sleep 600"]
        {
            let mut command = sh(script);
            command.current_dir(dir.path());
            assert!(matches!(run(command, b"", Duration::from_millis(500), 100), Ran::Slow), "{script}");
            ends(&std::fs::read_to_string(dir.path().join("pid")).unwrap());
        }
    }
}
