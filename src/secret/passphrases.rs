//! Where passphrases come from, in the order that was decided: a file, Notary's variables, docker's, a prompt.
use super::{Passphrase, PassphraseFile, Prompt, Strength};
use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStringExt,
    path::Path,
};

/// The environment variables that can hold a passphrase. A child process must not inherit them.
pub const VARIABLES: [&str; 6] = [
    "NOTARY_ROOT_PASSPHRASE",
    "NOTARY_TARGETS_PASSPHRASE",
    "NOTARY_SNAPSHOT_PASSPHRASE",
    "NOTARY_DELEGATION_PASSPHRASE",
    "DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE",
    "DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE",
];

/// Fewest characters of a new passphrase, whoever gives it.
const MIN_CHARS: usize = 8;
/// Fewest characters of a new passphrase for a root key.
const MIN_CHARS_ROOT: usize = 12;
/// Fewest bits of a new passphrase, as estimated: what is tried first is not taken.
const MIN_BITS: f64 = 16.0;
/// Fewest bits of a new passphrase for a root key: it must not be very weak.
const MIN_BITS_ROOT: f64 = 28.0;
/// How often a new passphrase is asked for before giving up.
const TRIES: usize = 3;

/// Which key a passphrase is wanted for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The role in the key's file: `root`, `targets`, `snapshot`, `timestamp`, or a signer's name; empty if unknown.
    pub role: &'a str,
    /// The key's ID in hexadecimal digits, if it is known.
    pub key_id: Option<&'a str>,
    /// What the prompt calls the key; must be printable.
    pub label: &'a str,
}

/// Where a passphrase came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The passphrase file.
    File,
    /// This environment variable.
    Variable(&'static str),
    /// Somebody typed it.
    Typed,
}

impl Source {
    /// Whether asking again can give another answer.
    pub fn is_typed(self) -> bool {
        self == Self::Typed
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File => f.write_str("the passphrase file"),
            Self::Variable(name) => f.write_str(name),
            Self::Typed => f.write_str("the prompt"),
        }
    }
}

/// A passphrase and where it came from.
pub struct Given {
    /// The passphrase.
    pub passphrase: Passphrase,
    /// Where it came from.
    pub source: Source,
}

/// Why there is no passphrase.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PassphraseError {
    /// A docker and a Notary variable apply to the same key and say different things: a usage error.
    #[error("{0} and {1} are both set and differ")]
    Conflict(&'static str, &'static str),
    /// Others can read the passphrase file.
    #[error("the passphrase file {path} can be read by others (mode {mode:04o}); it was not used")]
    FileNotPrivate {
        /// The file, quoted.
        path: String,
        /// Its permission bits.
        mode: u32,
    },
    /// There is no such passphrase file.
    #[error("there is no passphrase file {0}")]
    NoFile(String),
    /// The passphrase file cannot be used.
    #[error("the passphrase file {path} cannot be used: {why}")]
    File {
        /// The file, quoted.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// The passphrase file says nothing about this key, nothing else does, and there is no terminal.
    #[error("the passphrase file {path} has no line for this key, and there is no terminal to ask on")]
    NotInFile {
        /// The file, quoted.
        path: String,
        /// What a line for the key begins with, printable.
        lines: String,
    },
    /// The file and the environment say nothing, and there is no terminal.
    #[error("a passphrase is needed and there is no terminal to ask on")]
    NoTerminal,
    /// The person did not answer.
    #[error("no passphrase was given")]
    GivenUp,
    /// The person wants everything to end.
    #[error("interrupted at the question for a passphrase")]
    Interrupted,
    /// A new passphrase must not be empty.
    #[error("the passphrase from {0} is empty")]
    Empty(Source),
    /// A new passphrase is too short.
    #[error("the new passphrase from {from} is too short: it needs at least {least} characters")]
    TooShort {
        /// Who gave it.
        from: Source,
        /// Fewest characters.
        least: usize,
    },
    /// A new passphrase is among those that are tried first.
    #[error("the new passphrase from {0} is too easy to guess")]
    Guessable(Source),
}

impl PassphraseError {
    /// What to do next, as one sentence.
    pub fn remedy(&self) -> String {
        match self {
            Self::Conflict(..) => "Unset the one that is not meant.".to_owned(),
            Self::FileNotPrivate { path, .. } => format!("Mend it with: `chmod 600 {path}`"),
            Self::NoFile(_) => "Check the path after --passphrase-file.".to_owned(),
            Self::File { .. } => "Write lines ROLE=… or KEY_ID=… into it, or one bare line for all keys.".to_owned(),
            Self::NotInFile { lines, .. } => format!("Add a line that begins with {lines}, or run this in a terminal."),
            Self::NoTerminal => {
                "Use --passphrase-file or a variable such as NOTARY_TARGETS_PASSPHRASE, or run this in a terminal.".to_owned()
            }
            Self::GivenUp | Self::Interrupted => String::new(),
            Self::Empty(_) | Self::TooShort { .. } | Self::Guessable(_) => {
                "Give a longer one: whoever copies the file can guess as often as they like.".to_owned()
            }
        }
    }

    /// Whether it was used wrongly, rather than that something failed.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::Conflict(..) | Self::FileNotPrivate { .. } | Self::NoFile(_) | Self::File { .. })
    }
}

/// Everything that can give a passphrase, except the person.
#[derive(Default)]
pub struct Passphrases {
    file: Option<PassphraseFile>,
    variables: BTreeMap<&'static str, Passphrase>,
}

impl Passphrases {
    /// Takes the passphrase file, if there is one, and from the environment the [`VARIABLES`]; an empty variable counts
    /// as not set. Fails if the file cannot be used.
    pub fn new(file: Option<&Path>, environment: &BTreeMap<OsString, OsString>) -> Result<Self, PassphraseError> {
        let file = file.map(PassphraseFile::open).transpose()?;
        let mut variables = BTreeMap::new();
        for name in VARIABLES {
            if let Some(value) = environment.get(OsStr::new(name)).filter(|v| !v.is_empty()) {
                variables.insert(name, Passphrase::new(value.clone().into_vec()));
            }
        }
        Ok(Self { file, variables })
    }

    /// The passphrase that the file or the environment gives for a key; none means that somebody must be asked.
    pub fn lookup(&self, wanted: &Wanted<'_>) -> Result<Option<Given>, PassphraseError> {
        let copy = |p: &Passphrase, source| Given { passphrase: p.another(), source };
        if let Some(p) = self.file.as_ref().and_then(|f| f.get(wanted)) {
            return Ok(Some(copy(p, Source::File)));
        }
        let (notary, docker) = names(wanted.role);
        let notary = notary.and_then(|n| self.variables.get_key_value(n));
        let docker = self.variables.get_key_value(docker);
        match (notary, docker) {
            (Some((n, a)), Some((d, b))) if !a.same(b) => Err(PassphraseError::Conflict(n, d)),
            (Some((name, p)), _) | (None, Some((name, p))) => Ok(Some(copy(p, Source::Variable(name)))),
            (None, None) => Ok(None),
        }
    }

    /// Asks, and says it if the file could have answered.
    fn ask(&self, wanted: &Wanted<'_>, text: &str, prompt: &mut dyn Prompt) -> Result<Passphrase, PassphraseError> {
        prompt.ask(text).map_err(|e| match (e, &self.file) {
            (PassphraseError::NoTerminal, Some(file)) => {
                PassphraseError::NotInFile { path: file.path().to_owned(), lines: PassphraseFile::beginnings(wanted) }
            }
            (e, _) => e,
        })
    }

    /// The passphrase of an existing key, asking if nothing else gives it.
    pub fn existing(&self, wanted: &Wanted<'_>, prompt: &mut dyn Prompt) -> Result<Given, PassphraseError> {
        if let Some(given) = self.lookup(wanted)? {
            return Ok(given);
        }
        let passphrase = self.ask(wanted, &format!("Passphrase for {}: ", wanted.label), prompt)?;
        Ok(Given { passphrase, source: Source::Typed })
    }

    /// The passphrase for a new key: at least eight characters, twelve for a root key, wherever it comes from. One that is
    /// typed is typed twice.
    pub fn fresh(&self, wanted: &Wanted<'_>, prompt: &mut dyn Prompt) -> Result<Given, PassphraseError> {
        match self.lookup(wanted)? {
            Some(given) => match weakness(&given, wanted.role) {
                None => Ok(given),
                Some(why) => Err(why),
            },
            None => self.typed_twice(wanted, prompt),
        }
    }

    /// A new passphrase from a person and from nowhere else, typed twice.
    pub fn typed_twice(&self, wanted: &Wanted<'_>, prompt: &mut dyn Prompt) -> Result<Given, PassphraseError> {
        for _ in 0..TRIES {
            let passphrase = self.ask(wanted, &format!("New passphrase for {}: ", wanted.label), prompt)?;
            let first = Given { passphrase, source: Source::Typed };
            if let Some(why) = weakness(&first, wanted.role) {
                prompt.note(&format!("{why}."));
                continue;
            }
            let second = prompt.ask("The same again: ")?;
            if first.passphrase.same(&second) {
                return Ok(first);
            }
            prompt.note("The two differ.");
        }
        Err(PassphraseError::GivenUp)
    }
}

/// Fewest characters of a new passphrase for a key of this role.
pub fn least_characters(role: &str) -> usize {
    if role == "root" { MIN_CHARS_ROOT } else { MIN_CHARS }
}

/// Fewest bits of a new passphrase for a key of this role, as [`Strength`] estimates them.
pub fn least_bits(role: &str) -> f64 {
    if role == "root" { MIN_BITS_ROOT } else { MIN_BITS }
}

/// Why a new passphrase will not do for a key of this role; none if it will.
pub fn weakness(given: &Given, role: &str) -> Option<PassphraseError> {
    let least = least_characters(role);
    match given.passphrase.trimmed_chars() {
        0 => Some(PassphraseError::Empty(given.source)),
        n if n < least => Some(PassphraseError::TooShort { from: given.source, least }),
        _ if Strength::of_passphrase(&given.passphrase).bits < least_bits(role) => Some(PassphraseError::Guessable(given.source)),
        _ => None,
    }
}

/// Notary's and docker's variable for a role, with their own meanings: docker has one for root and one for everything
/// else; Notary's fourth is for every role that is none of the base roles.
fn names(role: &str) -> (Option<&'static str>, &'static str) {
    const REPOSITORY: &str = "DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE";
    match role {
        "root" => (Some("NOTARY_ROOT_PASSPHRASE"), "DOCKER_CONTENT_TRUST_ROOT_PASSPHRASE"),
        "targets" => (Some("NOTARY_TARGETS_PASSPHRASE"), REPOSITORY),
        "snapshot" => (Some("NOTARY_SNAPSHOT_PASSPHRASE"), REPOSITORY),
        "timestamp" => (None, REPOSITORY),
        _ => (Some("NOTARY_DELEGATION_PASSPHRASE"), REPOSITORY),
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
