//! What it means for the person who asked that a repository could not be loaded. Both faces go by this, so that a
//! server that is away never looks like an attack on one of them, nor an attack like a server that is away.
use super::load::LoadError;
use crate::notary::TransportError;

/// The situations that people confuse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Situation {
    /// The server is there and has no such repository.
    NotThere,
    /// The server is there and lets somebody else read it.
    NotAllowed,
    /// There was no answer that could be judged: no server, no connection that is secure, or an answer that is none.
    /// Nothing is known of the repository.
    NotReachable,
    /// What came, or what is remembered, was judged and does not hold.
    NotTrustworthy,
    /// What is remembered cannot be read, so there is nothing to judge by. The server was not asked.
    NotReadable,
}

impl LoadError {
    /// Which of the situations this is.
    pub fn situation(&self) -> Situation {
        match self {
            Self::NotThere(_) => Situation::NotThere,
            Self::Transport { error: TransportError::NotAllowed { .. } | TransportError::Login(_), .. } => Situation::NotAllowed,
            // Answers that are missing or too long after the first are judged, and come as a refusal.
            Self::Transport { .. } | Self::NoServer(_) => Situation::NotReachable,
            Self::Refused(_) | Self::RememberedRoot { .. } => Situation::NotTrustworthy,
            Self::Cache(_) => Situation::NotReadable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        net::{TlsFault, Why},
        repository::ServerError,
        settings::SettingsError,
        text::Untrusted,
        trust_dir::TrustDirError,
        tuf::{
            Refusal,
            name::{BaseRole, Gun},
        },
    };

    fn transport(error: TransportError) -> LoadError {
        LoadError::Transport { role: BaseRole::Timestamp.into(), error, fallback: None }
    }

    #[test]
    fn the_situations_stay_apart() {
        use Situation::*;
        let text = Untrusted::default;
        let unreachable = |why| TransportError::Unreachable { why, text: text() };
        let status = |status| TransportError::Unavailable { status, code: None, message: None };
        let allowed = |status| TransportError::NotAllowed {
            status,
            realm: None,
            scope: None,
            denial: Box::default(),
            code: None,
            message: None,
        };
        for (error, situation) in [
            (transport(allowed(401)), NotAllowed),
            (transport(allowed(403)), NotAllowed),
            (transport(unreachable(Why::Dns)), NotReachable),
            (transport(unreachable(Why::Proxy)), NotReachable),
            (transport(unreachable(Why::Broken)), NotReachable),
            (transport(unreachable(Why::Tls(TlsFault::UnknownAuthority))), NotReachable),
            (transport(unreachable(Why::Tls(TlsFault::WrongName))), NotReachable),
            (transport(unreachable(Why::Tls(TlsFault::ClientCertificateWanted))), NotReachable),
            (transport(status(429)), NotReachable),
            (transport(status(503)), NotReachable),
            (transport(TransportError::Redirected { to: text() }), NotReachable),
            (transport(TransportError::Rejected { code: None, message: None }), NotReachable),
            (transport(TransportError::Malformed(text())), NotReachable),
            (LoadError::NotThere(Gun::new("registry.example/a").unwrap()), NotThere),
            (LoadError::Refused(Refusal::NotPinned), NotTrustworthy),
            (LoadError::RememberedRoot { path: "/t/root.json".into(), refusal: Refusal::NotPinned }, NotTrustworthy),
            (LoadError::Cache(TrustDirError::Symlink("/t/tuf".into())), NotReadable),
            (LoadError::NoServer(ServerError::Settings(SettingsError::NoServer(text()))), NotReachable),
        ] {
            assert_eq!(error.situation(), situation, "{error}");
        }
    }
}
