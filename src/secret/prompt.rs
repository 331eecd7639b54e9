//! Asking a person.
use super::{
    Passphrase, PassphraseError,
    line::{Line, MOST, Stop, TerminalLine},
};
use crate::os::strongroom;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::{
    fs::{File, OpenOptions},
    io::{self, ErrorKind, Read as _, Write as _},
    os::fd::AsFd as _,
    sync::{Mutex, MutexGuard, PoisonError},
};
use zeroize::Zeroizing;

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

/// A question that is being asked on the terminal.
struct Asked {
    tty: File,
    /// How the terminal was before.
    before: Termios,
    /// Dropped, it ends the reading.
    _reading: Stop,
}

/// Questions on the terminal. There is one at a time.
struct Questions {
    asked: Option<Asked>,
    /// The program is ending: no other question comes.
    over: bool,
}

static QUESTIONS: Mutex<Questions> = Mutex::new(Questions { asked: None, over: false });

fn questions() -> MutexGuard<'static, Questions> {
    QUESTIONS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// For a program that ends: gives the terminal back as it was before a question, if one is still being asked. That question
/// ends as interrupted, and no other one comes.
pub fn give_terminal_back() {
    let mut questions = questions();
    questions.over = true;
    questions.end();
}

impl Questions {
    /// Ends the echo and remembers how the terminal was. It must happen before the prompt is seen: what somebody types or
    /// pastes the moment it stands must not show. Nothing changes the terminal after that but whoever gives it back, so that
    /// it is whole however the program ends.
    fn begin(&mut self, tty: File, reading: Stop) -> Result<(), PassphraseError> {
        if self.over {
            return Err(PassphraseError::Interrupted);
        }
        let before = tcgetattr(&tty).map_err(|_| PassphraseError::NoTerminal)?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL | LocalModes::ICANON | LocalModes::ISIG);
        tcsetattr(&tty, OptionalActions::Now, &quiet).map_err(|_| PassphraseError::NoTerminal)?;
        self.asked = Some(Asked { tty, before, _reading: reading });
        Ok(())
    }

    fn end(&mut self) {
        if let Some(Asked { tty, before, .. }) = self.asked.take() {
            // There is nothing that could be done about a failure.
            let _ = tcsetattr(&tty, OptionalActions::Now, &before);
        }
    }
}

impl Prompt for TerminalPrompt {
    fn ask(&mut self, text: &str) -> Result<Passphrase, PassphraseError> {
        let no_terminal = |_| PassphraseError::NoTerminal;
        let mut tty = OpenOptions::new().read(true).write(true).open("/dev/tty").map_err(no_terminal)?;
        let (mut line, reading) = TerminalLine::one_of_several().map_err(no_terminal)?;
        questions().begin(tty.try_clone().map_err(no_terminal)?, reading)?;
        let typed = read_what_fits(&mut tty, &mut line, text);
        let mut questions = questions();
        questions.end();
        if questions.over {
            return Err(PassphraseError::Interrupted);
        }
        match typed.map_err(|e| refusal(e.kind()))? {
            Line::Entered(passphrase) => Ok(passphrase),
            Line::Interrupt => Err(PassphraseError::Interrupted),
            Line::Gone => Err(PassphraseError::NoTerminal),
            Line::Escape | Line::Lock | Line::TooLong => Err(PassphraseError::GivenUp),
        }
    }

    fn note(&mut self, text: &str) {
        // To the person who was asked, wherever standard error goes. Without a terminal nobody was.
        if let Ok(mut tty) = OpenOptions::new().write(true).open("/dev/tty") {
            let _ = writeln!(tty, "{text}");
        }
    }
}

/// Shows a prompt and reads what is typed until there is a line that fits, or none will come.
fn read_what_fits(tty: &mut File, line: &mut TerminalLine, text: &str) -> io::Result<Line> {
    loop {
        write!(tty, "{text}")?;
        let typed = line.read(&mut |_| {});
        writeln!(tty)?;
        match typed {
            Line::TooLong => writeln!(tty, "That is longer than {MOST} bytes. Nothing of it was taken.")?,
            typed => return Ok(typed),
        }
    }
}

/// The one line that is piped in, without white space at its ends. Nothing else keeps a copy of it, as the buffer of the
/// standard library would.
pub fn read_one_line() -> io::Result<Passphrase> {
    strongroom(|| {
        let mut input = File::from(io::stdin().as_fd().try_clone_to_owned()?);
        let mut bytes = Zeroizing::new(vec![0; MOST + 1]);
        let mut used = 0;
        while let Some(rest) = bytes.get_mut(used..).filter(|r| !r.is_empty()) {
            match input.read(rest) {
                Ok(0) => break,
                Ok(n) => used += n,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        one_line(bytes.get(..used).unwrap_or_default())
    })
}

fn one_line(bytes: &[u8]) -> io::Result<Passphrase> {
    let wrong = |why: String| Err(io::Error::new(ErrorKind::InvalidData, why));
    if bytes.len() > MOST {
        return wrong(format!("it is longer than {MOST} bytes"));
    }
    let line = bytes.trim_ascii();
    match line.contains(&b'\n') {
        true => wrong("it has more than one line".to_owned()),
        false => Ok(Passphrase::of(line)),
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
    fn one_line_is_a_passphrase_and_more_is_not() {
        assert_eq!(one_line(b"  a b\r\n").unwrap().expose(), b"a b");
        assert!(one_line(b"").unwrap().is_empty());
        assert!(one_line(&[b'x'; MOST]).is_ok() && one_line(&[b'x'; MOST + 1]).is_err());
        let error = one_line(b"hunter2\nhunter3\n").err().unwrap().to_string();
        assert!(error.contains("more than one line") && !error.contains("hunter"), "{error}");
    }

    #[test]
    fn an_interrupt_is_not_the_end_of_the_input() {
        assert_eq!(refusal(ErrorKind::Interrupted), PassphraseError::Interrupted);
        assert_eq!(refusal(ErrorKind::UnexpectedEof), PassphraseError::GivenUp);
        assert_eq!(refusal(ErrorKind::NotFound), PassphraseError::NoTerminal);
    }
}
