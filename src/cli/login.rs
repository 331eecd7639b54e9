//! Asking on the terminal for a login that nothing else has.
use super::output;
use crate::{
    net::login::{Account, Proof},
    repository::Servers,
    secret::{PassphraseError, Prompt as _, TerminalPrompt},
    text::Untrusted,
};
use rustix::process::{Signal, getpid, kill_process};
use std::{
    fs::OpenOptions,
    io::{self, BufRead as _, BufReader, IsTerminal as _, Write as _},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Asks for logins if a person is at the terminal: one that types into this program and sees what it says.
pub fn may_ask(servers: &Servers) {
    if io::stdin().is_terminal() && io::stderr().is_terminal() && !output::as_json() {
        servers.asking(Arc::new(ask));
    }
}

/// Within this time a program that was told to end has ended.
const ENDS: Duration = Duration::from_secs(5);
/// One question at a time: several registries may want a login at once.
static TURN: Mutex<()> = Mutex::new(());

fn ask(registry: &str, host: &str) -> Option<Account> {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let mut tty = OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
    let question = format!("A login for {registry} is wanted; it will be sent to {host}. User name (none: press Enter): ");
    tty.write_all(output::safe(&question).as_bytes()).ok()?;
    let mut typed = String::new();
    BufReader::new(tty).read_line(&mut typed).ok()?;
    let user = Untrusted::new(typed.trim());
    if user.raw().is_empty() {
        return None;
    }
    match TerminalPrompt.ask(&format!("Password of {} (not shown): ", user.shown())) {
        Ok(password) if !password.is_empty() => {
            Some(Account { user, proof: Proof::Password(password), origin: "the terminal".to_owned() })
        }
        Err(PassphraseError::Interrupted) => {
            // While it reads a secret, the terminal does not send this signal itself.
            let _ = kill_process(getpid(), Signal::INT);
            // Without a login the question would be put to the server again; the program ends before that.
            std::thread::park_timeout(ENDS);
            None
        }
        _ => None,
    }
}
