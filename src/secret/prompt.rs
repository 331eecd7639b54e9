//! Asking a person.
use super::{Passphrase, PassphraseError};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Write as _},
    sync::{Mutex, PoisonError},
};

/// Someone who can be asked for a secret.
pub trait Prompt {
    /// Shows `text` and reads one line without showing it. White space at either end is removed, as Notary and docker
    /// do. Fails with [`PassphraseError::NoTerminal`] if there is nobody to ask, with [`PassphraseError::Interrupted`]
    /// on Ctrl-C, which must end everything and not only this question, and with [`PassphraseError::GivenUp`] at the end
    /// of the input.
    fn ask(&mut self, text: &str) -> Result<Passphrase, PassphraseError>;

    /// Shows a line, such as why the question comes again.
    fn note(&mut self, text: &str);
}

/// The terminal the program runs in (`/dev/tty`), whatever standard input and output are.
pub struct TerminalPrompt;

/// The terminal and how it was before a question, while one is being asked.
static ASKING: Mutex<Option<(File, Termios)>> = Mutex::new(None);

/// Gives the terminal back as it was after a question, or while one is still being asked: for a program that ends
/// meanwhile.
pub fn give_terminal_back() {
    if let Some((tty, before)) = ASKING.lock().unwrap_or_else(PoisonError::into_inner).take() {
        // There is nothing that could be done about a failure.
        let _ = tcsetattr(&tty, OptionalActions::Now, &before);
    }
}

fn remember(terminal: (File, Termios)) {
    *ASKING.lock().unwrap_or_else(PoisonError::into_inner) = Some(terminal);
}

impl Prompt for TerminalPrompt {
    fn ask(&mut self, text: &str) -> Result<Passphrase, PassphraseError> {
        let tty = File::open("/dev/tty").map_err(|_| PassphraseError::NoTerminal)?;
        let before = tcgetattr(&tty).map_err(|_| PassphraseError::NoTerminal)?;
        // The echo ends before the prompt is seen: what somebody types or pastes the moment it stands must not show.
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&tty, OptionalActions::Now, &quiet).map_err(|_| PassphraseError::NoTerminal)?;
        remember((tty, before));
        let typed = rpassword::prompt_password(text);
        give_terminal_back();
        let typed = Passphrase::from(typed.map_err(|e| refusal(e.kind()))?);
        Ok(Passphrase::new(typed.expose().trim_ascii().to_vec()))
    }

    fn note(&mut self, text: &str) {
        // To the person who was asked, wherever standard error goes. Without a terminal nobody was.
        if let Ok(mut tty) = OpenOptions::new().write(true).open("/dev/tty") {
            let _ = writeln!(tty, "{text}");
        }
    }
}

/// What it means that a line could not be read.
fn refusal(kind: ErrorKind) -> PassphraseError {
    match kind {
        ErrorKind::Interrupted => PassphraseError::Interrupted,
        ErrorKind::UnexpectedEof => PassphraseError::GivenUp,
        _ => PassphraseError::NoTerminal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupt_is_not_the_end_of_the_input() {
        assert_eq!(refusal(ErrorKind::Interrupted), PassphraseError::Interrupted);
        assert_eq!(refusal(ErrorKind::UnexpectedEof), PassphraseError::GivenUp);
        assert_eq!(refusal(ErrorKind::NotFound), PassphraseError::NoTerminal);
    }
}
