//! Why nobody could log in, apart from being refused.
use super::{TlsFault, TransportError, Why};
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
    /// The name of the account cannot be sent with a password. Nothing was sent.
    #[error("the user name {} (from {origin}) has a colon in it, after which a server would read the password; nothing was sent", .user.shown())]
    UserName {
        /// The name.
        user: Untrusted,
        /// Where the login was found, printable.
        origin: String,
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
            Self::Issuer { realm, error } => of_issuer(realm, error),
            Self::UserName { .. } => "Use a login whose user name has no colon, or one with an identity token.".to_owned(),
            Self::Unreadable { .. } => "Mend or remove it; `docker login` writes a new one.".to_owned(),
            Self::Helper { .. } => {
                "Mend the helper, or remove it from credHelpers and credsStore in docker's config.json and log in again."
                    .to_owned()
            }
        }
    }
}

/// What to do when the issuer of tokens cannot be asked: it concerns that host, which may be another than the server's.
fn of_issuer(realm: &Untrusted, error: &TransportError) -> String {
    let address = realm.raw();
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let host = Untrusted::new(rest.split(['/', '?', '#']).next().unwrap_or_default()).shown();
    let TransportError::Unreachable { why, .. } = error else {
        return format!("Tell whoever runs the issuer of tokens at {host} what it did, and try again.");
    };
    match why {
        Why::Tls(TlsFault::UnknownAuthority) => format!(
            "Add the CA of {host} to the file that --tlscacert names, or put it as another .crt into tls/HOST:PORT/ of docker's \
             configuration, where HOST:PORT is the server that sends us there."
        ),
        Why::Tls(TlsFault::Expired | TlsFault::NotYetValid) => {
            format!("Check this machine's clock; else {host} needs a new certificate.")
        }
        Why::Tls(TlsFault::ClientCertificateWanted) => {
            format!("Give a client certificate that {host} knows with --tlscert FILE and --tlskey FILE.")
        }
        Why::Tls(_) => format!("Tell whoever runs the server: it sends us to {host} for a token, and that one's TLS is broken."),
        Why::Proxy => format!("Check the proxy that HTTPS_PROXY names, or except {host} in NO_PROXY."),
        _ => format!("Check that the issuer of tokens at {host} runs and can be reached, and try again."),
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
