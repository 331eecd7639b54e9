//! How asking a server can fail, kept apart by what it means for the person who asked.
use super::login_error::{AskedAs, Denial, LoginError, Refuser};
use crate::text::Untrusted;
use std::{borrow::Cow, fmt, time::Duration};

/// Why a server gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// 404: the server is there and has no such thing.
    #[error("the server has no such data{}", said(.code, .message))]
    NotThere {
        /// The server's error code, for instance `METADATA_NOT_FOUND`.
        code: Option<Untrusted>,
        /// The server's words.
        message: Option<Untrusted>,
    },
    /// 401 or 403: the server wants credentials, or other ones.
    #[error("{} (status {status}){}; {}", refusal(&.denial.by, .scope), said(.code, .message), .denial.asked_as)]
    NotAllowed {
        /// 401 or 403.
        status: u16,
        /// Where the server sends one for a token, or the name of what a password is for.
        realm: Option<Untrusted>,
        /// What the token would have to allow.
        scope: Option<Untrusted>,
        /// Who refused, and as whom the request was made.
        denial: Box<Denial>,
        /// The server's error code.
        code: Option<Untrusted>,
        /// The server's words.
        message: Option<Untrusted>,
    },
    /// The server wants to know who we are, and could not be told.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// No answer, or none that was complete.
    #[error("the server could not be reached: {why}{}", detail(.text))]
    Unreachable {
        /// What stood in the way.
        why: Why,
        /// The technical reason; may be empty.
        text: Untrusted,
    },
    /// 5xx, or a status that the protocol does not have.
    #[error("the server answered with status {status}{}", said(.code, .message))]
    Unavailable {
        /// The status.
        status: u16,
        /// The server's error code.
        code: Option<Untrusted>,
        /// The server's words.
        message: Option<Untrusted>,
    },
    /// The answer was longer than anything that could be right; reading stopped there.
    #[error("the answer is longer than {limit} bytes, and was not read any further")]
    TooLarge {
        /// Most bytes that would have been read.
        limit: u64,
    },
    /// The server pointed elsewhere. For metadata this is never followed.
    #[error("the server redirects to {}, which was not followed", .to.shown())]
    Redirected {
        /// Where to; empty if it did not say.
        to: Untrusted,
    },
    /// The server has it elsewhere, and what is there did not give it.
    #[error("it sends us to {} for it, and there {error}", .host.shown())]
    Elsewhere {
        /// Whom it sends us to; the rest of the address may be a secret between both.
        host: Untrusted,
        /// What happened there.
        error: Box<TransportError>,
    },
    /// 400: the server did not accept the request.
    #[error("the server rejected the request{}", said(.code, .message))]
    Rejected {
        /// The server's error code.
        code: Option<Untrusted>,
        /// The server's words.
        message: Option<Untrusted>,
    },
    /// The answer is no answer to what was asked.
    #[error("the answer makes no sense: {}", .0.shown())]
    Malformed(Untrusted),
}

/// What stood in the way of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// The name has no address.
    Dns,
    /// Nobody accepts a connection there.
    Connect,
    /// The connection could not be made secure.
    Tls(TlsFault),
    /// Too slow.
    Timeout(Wait),
    /// The proxy did not let it through.
    Proxy,
    /// The connection broke before the answer was complete.
    Broken,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns => f.write_str("its name has no address"),
            Self::Connect => f.write_str("nothing accepts a connection there"),
            Self::Tls(t) => t.fmt(f),
            Self::Timeout(w) => w.fmt(f),
            Self::Proxy => f.write_str("the proxy did not let the request through"),
            Self::Broken => f.write_str("the connection broke before the answer was complete"),
        }
    }
}

/// Which patience ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Wait {
    /// For the connection, TLS included.
    Connect(Duration),
    /// For the next bytes.
    Idle(Duration),
    /// For the whole answer.
    Whole(Duration),
    /// For so many bytes of a large answer.
    Pace(u64, Duration),
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connect(d) => write!(f, "no connection within {} s", d.as_secs_f64()),
            Self::Idle(d) => write!(f, "no byte arrived for {} s", d.as_secs_f64()),
            Self::Whole(d) => write!(f, "the answer was not complete after {} s", d.as_secs_f64()),
            Self::Pace(bytes, d) => write!(f, "fewer than {bytes} bytes arrived in {} s", d.as_secs_f64()),
        }
    }
}

/// Why a connection could not be made secure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TlsFault {
    /// Nobody we trust signed the server's certificate.
    UnknownAuthority,
    /// The server's certificate has expired.
    Expired,
    /// The server's certificate is not valid yet.
    NotYetValid,
    /// The certificate is for another name.
    WrongName,
    /// The certificate was revoked.
    Revoked,
    /// The server wants a client certificate and got none, or not that one.
    ClientCertificateWanted,
    /// The certificate cannot be used for another reason.
    BadCertificate,
    /// The other side does not speak TLS, or none that we speak.
    Protocol,
}

impl fmt::Display for TlsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::UnknownAuthority => "its certificate is signed by an unknown authority",
            Self::Expired => "its certificate has expired",
            Self::NotYetValid => "its certificate is not valid yet",
            Self::WrongName => "its certificate is for another name",
            Self::Revoked => "its certificate was revoked",
            Self::ClientCertificateWanted => "it wants a client certificate",
            Self::BadCertificate => "its certificate cannot be used",
            Self::Protocol => "it does not speak TLS as we do",
        })
    }
}

impl TransportError {
    /// Whether a cached timestamp that is still valid may serve instead (protocol 9.5): the server could not be reached,
    /// or answered 5xx. Then what was verified before is the best there is, and it says itself until when it holds.
    ///
    /// A server that says no (401, 403, 404) is there. So is one whose certificate does not hold: that is either a
    /// wrong setting or somebody else's server, and neither may look like a power cut.
    pub fn is_server_away(&self) -> bool {
        match self {
            Self::Unreachable { why, .. } => !matches!(why, Why::Tls(_)),
            Self::Unavailable { status, .. } => (500..=599).contains(status),
            _ => false,
        }
    }

    /// What to do next, as one sentence.
    pub fn remedy(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Login(e) => return Cow::Owned(e.remedy()),
            Self::NotThere { .. } => "Check the name of the repository and the address of the server.",
            Self::NotAllowed { denial, .. } => match &**denial {
                Denial { asked_as: AskedAs::Nobody, .. } => {
                    "Log in with `docker login` to the registry that the name begins with, or set NOTARY_AUTH."
                }
                Denial { by: Refuser::Issuer(_), .. } => "Check this login, and make a new one with `docker login`.",
                Denial { by: Refuser::Server, .. } => {
                    "Ask whoever runs the server to allow that to this account, or use another login."
                }
            },
            Self::Unreachable { why, .. } => why.remedy(),
            Self::Unavailable { .. } => "Try again later, or tell whoever runs the server.",
            Self::TooLarge { .. } => "Tell whoever runs the server: it is broken, or not what it says it is.",
            Self::Redirected { .. } => "If that address is the right one, give it with --server.",
            Self::Elsewhere { host, .. } => {
                let host = host.shown();
                return Cow::Owned(format!(
                    "Check that {host} can be reached from here and try again, or tell whoever runs the server."
                ));
            }
            Self::Rejected { .. } => "Tell whoever runs the server what it was asked and what it said.",
            Self::Malformed(_) => "Check that the address is that of a Notary server.",
        })
    }
}

impl TransportError {
    /// One word for programs where it was a registry that was asked.
    pub fn registry_code(&self) -> &'static str {
        match self {
            Self::NotAllowed { .. } | Self::Login(_) => "not-allowed",
            error if error.is_server_away() => "not-reachable",
            _ => "registry",
        }
    }

    /// What to do next where it was a registry that was asked.
    pub fn registry_remedy(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::NotThere { .. } => "Check the address of the registry (--registry), and that it has such a list.",
            Self::NotAllowed { denial, .. } if denial.asked_as == AskedAs::Nobody => {
                "Log in with `docker login` to the registry."
            }
            Self::Malformed(_) => "Check that the address is that of a registry.",
            other => return Cow::Owned(said_of_registry(&other.remedy())),
        })
    }
}

/// What to do next about a server, said of a registry.
pub fn said_of_registry(remedy: &str) -> String {
    remedy.replace("--server", "--registry")
}

impl Why {
    fn remedy(self) -> &'static str {
        match self {
            Self::Dns => "Check the address (--server) and the network.",
            Self::Connect => "Check the address and its port (--server), and that the server runs.",
            Self::Timeout(_) => "Try again, or allow more time in the configuration ([network] in config.toml).",
            Self::Proxy => "Check the proxy that HTTPS_PROXY names, or except this host in NO_PROXY.",
            Self::Broken => "Try again.",
            Self::Tls(TlsFault::UnknownAuthority) => {
                "Give the server's CA with --tlscacert FILE, or put it as ca.crt into tls/HOST:PORT/ of docker's configuration."
            }
            Self::Tls(TlsFault::Expired | TlsFault::NotYetValid) => {
                "Check this machine's clock; else the server needs a new certificate."
            }
            Self::Tls(TlsFault::WrongName) => "Use the name that the certificate has (--server).",
            Self::Tls(TlsFault::ClientCertificateWanted) => {
                "Give one that the server knows with --tlscert FILE and --tlskey FILE."
            }
            Self::Tls(TlsFault::Revoked | TlsFault::BadCertificate) => {
                "Tell whoever runs the server: it needs another certificate."
            }
            Self::Tls(TlsFault::Protocol) => "Check the port. A server without TLS is used only if --plain-http HOST names it.",
        }
    }
}

/// Who refused what.
fn refusal(by: &Refuser, scope: &Option<Untrusted>) -> String {
    let what = scope.as_ref().map_or_else(|| "this".to_owned(), |s| s.shown().to_string());
    match by {
        Refuser::Server => format!("the server does not allow {what}"),
        Refuser::Issuer(realm) => format!("the issuer of tokens at {} does not allow {what}", realm.shown()),
    }
}

/// The server's own words, if it had any.
fn said(code: &Option<Untrusted>, message: &Option<Untrusted>) -> String {
    match (code, message) {
        (Some(c), Some(m)) => format!(": {} ({})", m.shown(), c.shown()),
        (Some(t), None) | (None, Some(t)) => format!(": {}", t.shown()),
        (None, None) => String::new(),
    }
}

fn detail(text: &Untrusted) -> String {
    if text.raw().is_empty() { String::new() } else { format!(" ({})", text.shown()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unreachable(why: Why) -> TransportError {
        TransportError::Unreachable { why, text: Untrusted::default() }
    }

    fn status(status: u16) -> TransportError {
        TransportError::Unavailable { status, code: None, message: None }
    }

    fn not_allowed(status: u16) -> TransportError {
        TransportError::NotAllowed { status, realm: None, scope: None, denial: Box::default(), code: None, message: None }
    }

    #[test]
    fn only_a_server_that_is_away_may_be_replaced_by_the_cache() {
        let away = [unreachable(Why::Dns), unreachable(Why::Connect), unreachable(Why::Broken), status(500), status(503)];
        assert!(away.iter().all(TransportError::is_server_away));
        let here = [
            not_allowed(401),
            not_allowed(403),
            LoginError::Issuer { realm: Untrusted::default(), error: Box::new(unreachable(Why::Connect)) }.into(),
            TransportError::NotThere { code: None, message: None },
            TransportError::TooLarge { limit: 1 },
            TransportError::Redirected { to: Untrusted::default() },
            TransportError::Malformed(Untrusted::default()),
            unreachable(Why::Tls(TlsFault::UnknownAuthority)),
            unreachable(Why::Tls(TlsFault::WrongName)),
            status(302),
            status(429),
        ];
        assert!(!here.iter().any(TransportError::is_server_away));
    }

    #[test]
    fn what_a_server_says_is_shown_without_harm() {
        let evil = || Some(Untrusted::new("\u{1b}]0;x\u{7}"));
        let e = TransportError::Rejected { code: evil(), message: evil() };
        assert_eq!(e.to_string(), "the server rejected the request: <1b>]0;x<07> (<1b>]0;x<07>)");
        let e = TransportError::Redirected { to: Untrusted::new("https://\u{202e}") };
        assert_eq!(e.to_string(), "the server redirects to https://<202e>, which was not followed");
    }
}
