//! Asking a person.
use super::{Passphrase, PassphraseError};

/// Someone who can be asked for a secret.
pub trait Prompt {
    /// Shows `text` and reads one line without showing it. White space at either end is removed, as Notary and docker
    /// do. Fails with [`PassphraseError::NoTerminal`] if there is nobody to ask.
    fn ask(&mut self, text: &str) -> Result<Passphrase, PassphraseError>;

    /// Shows a line, such as why the question comes again.
    fn note(&mut self, text: &str);
}

/// The terminal the program runs in (`/dev/tty`), whatever standard input and output are.
pub struct TerminalPrompt;

impl Prompt for TerminalPrompt {
    fn ask(&mut self, text: &str) -> Result<Passphrase, PassphraseError> {
        let typed = rpassword::prompt_password(text).map_err(|e| match e.kind() {
            std::io::ErrorKind::Interrupted | std::io::ErrorKind::UnexpectedEof => PassphraseError::GivenUp,
            _ => PassphraseError::NoTerminal,
        })?;
        let typed = Passphrase::from(typed);
        Ok(Passphrase::new(typed.expose().trim_ascii().to_vec()))
    }

    fn note(&mut self, text: &str) {
        eprintln!("{text}");
    }
}
