//! Why nobody could log in, apart from being refused.
use super::TransportError;
use crate::text::Untrusted;

/// Why a server that wants to know who we are was not told.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LoginError {
    /// The server sends us elsewhere for a token. Nothing was sent there.
    #[error(
        "the server wants a token from {}, which is neither the registry's host nor a trusted one; nothing was sent there", .realm.shown()
    )]
    OtherHost {
        /// The address.
        realm: Untrusted,
        /// Its host, and its port if it has one.
        host: Untrusted,
    },
    /// The server wants a password, and the one at hand is for another host. Nothing was sent.
    #[error("the server wants the password of {}, which is on another host; nothing was sent", .registry.shown())]
    OtherServer {
        /// The registry whose login it would be.
        registry: Untrusted,
        /// The server's host.
        server: Untrusted,
    },
    /// The address for tokens is none, or one without TLS. Nothing was sent there.
    #[error("the server wants a token from {}, and {reason}; nothing was sent there", .realm.shown())]
    Realm {
        /// The address.
        realm: Untrusted,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The issuer of tokens gave none.
    #[error("the issuer of tokens at {} gave none: {error}", .realm.shown())]
    Issuer {
        /// Its address.
        realm: Untrusted,
        /// Why.
        error: Box<TransportError>,
    },
    /// A place where logins are kept cannot be read.
    #[error("the login cannot be read from {origin}: {}", .reason.shown())]
    Unreadable {
        /// The file or variable, printable.
        origin: String,
        /// What is wrong with it, without any of it.
        reason: Untrusted,
    },
    /// A program that keeps logins did not do what it is there for.
    #[error("the credential helper docker-credential-{} {reason}", .name.shown())]
    Helper {
        /// Its name, as docker's configuration has it.
        name: Untrusted,
        /// What it did, to be read after its name.
        reason: String,
    },
}

impl LoginError {
    /// What to do next, as one sentence.
    pub fn remedy(&self) -> String {
        match self {
            Self::OtherHost { host, .. } | Self::OtherServer { server: host, .. } => {
                format!("If you trust that host with this login, write trusted_realms = [\"{}\"] into config.toml.", host.shown())
            }
            Self::Realm { .. } => "Tell whoever runs the server: its realm must be an https:// address.".to_owned(),
            Self::Issuer { .. } => "Check that the issuer of tokens runs and can be reached, and try again.".to_owned(),
            Self::Unreadable { .. } => "Mend or remove it; `docker login` writes a new one.".to_owned(),
            Self::Helper { .. } => {
                "Mend the helper, or remove it from credHelpers and credsStore in docker's config.json and log in again."
                    .to_owned()
            }
        }
    }
}

/// Who said no, and to whom.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Denial {
    /// Who said no.
    pub by: Refuser,
    /// As whom the request was made.
    pub asked_as: AskedAs,
}

/// Who said no.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Refuser {
    /// The server itself.
    #[default]
    Server,
    /// The issuer of tokens at this address.
    Issuer(Untrusted),
}

/// As whom a request was made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum AskedAs {
    /// As nobody.
    #[default]
    Nobody,
    /// With a login.
    Account {
        /// The name of the account; empty if only an identity token is known.
        user: Untrusted,
        /// Where the login was found, printable.
        origin: String,
    },
}

impl std::fmt::Display for AskedAs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Nobody => f.write_str("asked without a login"),
            Self::Account { user, origin } if user.raw().is_empty() => write!(f, "asked with the identity token from {origin}"),
            Self::Account { user, origin } => write!(f, "asked as {}, with the login from {origin}", user.shown()),
        }
    }
}
