//! A value and where it came from.
use crate::text::Untrusted;
use std::{fmt, path::PathBuf};

/// Where a setting came from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Origin {
    /// The command line.
    Flag(&'static str),
    /// The environment.
    Variable(&'static str),
    /// The configuration file.
    File {
        /// The file.
        path: PathBuf,
        /// The key in it, for instance `remote_server.url`.
        key: &'static str,
    },
    /// Nobody said anything.
    #[default]
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) | Self::Variable(name) => f.write_str(name),
            Self::File { path, key } => write!(f, "{key} in {}", Untrusted::new(path.to_string_lossy()).shown()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A setting with where it came from.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sourced<T> {
    /// What is set.
    pub value: T,
    /// Who set it.
    pub origin: Origin,
}

impl<T> Sourced<T> {
    /// Puts both together.
    pub fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}
