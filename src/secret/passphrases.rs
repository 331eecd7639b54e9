//! Where passphrases come from, in the order that was decided: a file, Notary's variables, docker's, a prompt.
use super::{Passphrase, PassphraseFile, Prompt};
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

/// Fewest characters of a new passphrase that somebody types.
const MIN_CHARS: usize = 8;
/// Fewest characters of a new passphrase that somebody types for a root key.
const MIN_CHARS_ROOT: usize = 12;
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
    #[error("{0} and {1} are both set and differ; nothing was unlocked. Unset the one that is not meant")]
    Conflict(&'static str, &'static str),
    /// Others can read the passphrase file.
    #[error(
        "the passphrase file {path} can be read by others (mode {mode:04o}); it was not used. Mend it with: chmod 600 {path}"
    )]
    FileNotPrivate {
        /// The file, quoted.
        path: String,
        /// Its permission bits.
        mode: u32,
    },
    /// The passphrase file cannot be used.
    #[error("the passphrase file {path} cannot be used: {why}")]
    File {
        /// The file, quoted.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// The file and the environment say nothing, and there is no terminal.
    #[error("a passphrase is needed and there is no terminal to ask on; use --passphrase-file or an environment variable")]
    NoTerminal,
    /// The person stopped.
    #[error("no passphrase was given")]
    GivenUp,
    /// A new passphrase must not be empty.
    #[error("the passphrase from {0} is empty; nothing was stored")]
    Empty(Source),
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
        let copy = |p: &Passphrase, source| Given { passphrase: Passphrase::new(p.expose().to_vec()), source };
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

    /// The passphrase of an existing key, asking if nothing else gives it.
    pub fn existing(&self, wanted: &Wanted<'_>, prompt: &mut dyn Prompt) -> Result<Given, PassphraseError> {
        if let Some(given) = self.lookup(wanted)? {
            return Ok(given);
        }
        let passphrase = prompt.ask(&format!("Passphrase for {}: ", wanted.label))?;
        Ok(Given { passphrase, source: Source::Typed })
    }

    /// The passphrase for a new key. One that is typed is typed twice and has at least eight characters, twelve for a
    /// root key; one from elsewhere must not be empty.
    pub fn fresh(&self, wanted: &Wanted<'_>, prompt: &mut dyn Prompt) -> Result<Given, PassphraseError> {
        if let Some(given) = self.lookup(wanted)? {
            return if given.passphrase.is_empty() { Err(PassphraseError::Empty(given.source)) } else { Ok(given) };
        }
        let least = if wanted.role == "root" { MIN_CHARS_ROOT } else { MIN_CHARS };
        for _ in 0..TRIES {
            let first = prompt.ask(&format!("New passphrase for {}: ", wanted.label))?;
            if first.trimmed_chars() < least {
                prompt.note(&format!("That passphrase is too short: it needs at least {least} characters."));
                continue;
            }
            let second = prompt.ask("The same again: ")?;
            if first.same(&second) {
                return Ok(Given { passphrase: first, source: Source::Typed });
            }
            prompt.note("The two differ.");
        }
        Err(PassphraseError::GivenUp)
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
