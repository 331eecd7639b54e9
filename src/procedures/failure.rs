//! What is said when a key does not do what it should.
use crate::failure::Failure;
use crate::{
    keys::KeyError,
    secret::PassphraseError,
    trust_dir::{ReadError, TrustDirError, disk_remedy, typed},
};

const NOTHING: &str = "nothing was changed";
/// The code of what was done and the disk did not confirm.
pub const UNCONFIRMED: &str = "unconfirmed";
/// What is not certain then.
pub const UNCERTAIN: &str = "that it lasts through a power cut is not certain";

/// [`key_failure`] where `nothing` says what did not happen, if that is certain.
pub fn not_done(error: &KeyError, of: &str, nothing: &str) -> Failure {
    match error {
        KeyError::TrustDir(TrustDirError::Unconfirmed { .. }) => key_failure(error, of),
        _ => key_failure(error, of).instead(nothing),
    }
}

/// The three sentences. `of` is the key's name.
pub fn key_failure(error: &KeyError, of: &str) -> Failure {
    let (code, exit, hint) = match error {
        KeyError::Passphrase(e) => return passphrase_failure(e, of),
        KeyError::Stopped => return Failure::interrupted(NOTHING),
        KeyError::WrongPassphrase => {
            ("passphrase", 1, "Check which key it is for: `claviger key show KEY_ID` names its role and repository.")
        }
        KeyError::PassphraseNeeded => ("passphrase-missing", 1, "Give it by --passphrase-file, by a variable, or at a terminal."),
        KeyError::NotItsName { .. } => ("wrong-content", 1, "Do not use this file; restore the key from a backup."),
        KeyError::NameIsNoId => (
            "name-is-no-id",
            1,
            "If you know which key it is, name the file KEY_ID.key and test it again; else restore the key from a backup.",
        ),
        KeyError::Damaged(_) | KeyError::TooManyIterations(_) => ("damaged", 1, "Restore the key from a backup."),
        KeyError::Unsupported(_) => (
            "damaged",
            1,
            "If it is its encryption, `openssl pkey -in FILE -aes256 -out NEW.pem` writes another; else use the program that made it.",
        ),
        KeyError::File { source: ReadError::Symlink, .. } => {
            ("symlink", 1, "Put the key's file in the place of the link: notary does not follow it either.")
        }
        KeyError::File { source: ReadError::Io(e), .. } if e.kind() == std::io::ErrorKind::NotFound => {
            ("not-there", 1, "Check the path, then repeat the command.")
        }
        KeyError::File { source: ReadError::Io(_), .. } => {
            ("unreadable", 1, "Mend the file's permissions, then repeat the command.")
        }
        KeyError::File { .. } => ("not-a-key-file", 1, "`claviger key show` says what is there."),
        KeyError::TooWeak(_) => ("weak-key", 1, "Make a new key and replace this one."),
        KeyError::TrustDir(e @ TrustDirError::Unconfirmed { .. }) => {
            return Failure::new(UNCONFIRMED, named(of, error), UNCERTAIN, e.remedy());
        }
        KeyError::TrustDir(TrustDirError::Locked { .. }) => {
            ("locked", 1, "Wait until the other program is done, then repeat the command.")
        }
        KeyError::TrustDir(e) => return Failure::new("key", named(of, error), NOTHING, e.remedy()),
        KeyError::Write { source, .. } => ("key", 1, disk_remedy(source)),
        KeyError::NotReadBack => ("key", 1, "Look at the disk: it does not give back what it takes."),
        KeyError::OtherRole { .. } => ("key", 1, "Leave out the role, or give the one that it has."),
        KeyError::InTheWay { .. } => ("key", 1, "Look at that file with `claviger key show`, then mend it or move it away."),
        KeyError::OpenToOthers { path, .. } => {
            let hint = format!("Mend it with: `chmod 600 {}`", typed(path));
            return Failure::new("open-to-others", named(of, error), NOTHING, hint);
        }
        KeyError::Foreign { conversion, to, .. } => {
            let hint = format!("Convert it with: `{conversion}`; then load {to}, and remove it");
            return Failure::new("not-pem", named(of, error), NOTHING, hint);
        }
        KeyError::MoreThanOne => (
            "more-than-one-block",
            1,
            "Look at what else is in the file, and give each key a file of its own: `claviger key import` does.",
        ),
        KeyError::NoKeyIn(_) => ("no-key", 1, "Give the file of the private key, in PEM."),
        KeyError::GunNeeded(_) | KeyError::NoSuchRole => ("usage", 2, ""),
        _ => ("key", 1, ""),
    };
    Failure::new(code, named(of, error), NOTHING, hint).exit(exit)
}

/// The same for a passphrase that there is not. `of` is empty where no key is concerned.
pub fn passphrase_failure(error: &PassphraseError, of: &str) -> Failure {
    let code = match error {
        PassphraseError::Interrupted => return Failure::interrupted(NOTHING),
        PassphraseError::Conflict(..) => "passphrase-conflict",
        PassphraseError::NoFile(_) | PassphraseError::File { .. } | PassphraseError::FileNotPrivate { .. } => "passphrase-file",
        PassphraseError::NotInFile { .. } | PassphraseError::NoTerminal | PassphraseError::GivenUp => "passphrase-missing",
        PassphraseError::Empty(_) | PassphraseError::TooShort { .. } | PassphraseError::Guessable(_) => "passphrase-weak",
    };
    let failure = Failure::new(code, named(of, error), NOTHING, error.remedy());
    if error.is_usage() { failure.exit(2) } else { failure }
}

fn named(of: &str, error: &dyn std::fmt::Display) -> String {
    if of.is_empty() { error.to_string() } else { format!("{of}: {error}") }
}
