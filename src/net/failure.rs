//! From the errors of libraries to the ones of this module.
use super::retry::Failed;
use crate::{
    net::{TlsFault, TransportError, Wait, Why},
    text::Untrusted,
};
use rustls::{AlertDescription, CertificateError, Error as Tls};
use std::{error::Error, io, time::Duration};

/// What a failed request means.
pub(super) fn classify(error: &reqwest::Error, connect: Duration) -> Box<Failed> {
    let text = Untrusted::new(reasons(error));
    let why = if let Some(tls) = find_tls(error) {
        tls_fault(tls).map_or(Why::Broken, Why::Tls)
    } else if error.is_timeout() {
        Why::Timeout(Wait::Connect(connect))
    } else if error.is_dns() {
        Why::Dns
    } else if text.raw().contains("tunnel error") || text.raw().contains("proxy") {
        // The connector through a proxy has no public error type.
        Why::Proxy
    } else if error.is_connect() {
        if find_io(error).is_some_and(|e| e.kind() == io::ErrorKind::UnexpectedEof) {
            Why::Tls(TlsFault::Protocol)
        } else {
            Why::Connect
        }
    } else if text.raw().contains(" parsed") || text.raw().contains("message head is too large") {
        return TransportError::Malformed(text).into();
    } else {
        Why::Broken
    };
    let again = matches!(why, Why::Connect | Why::Dns);
    Box::new(Failed { again, ..*Box::<Failed>::from(TransportError::Unreachable { why, text }) })
}

/// The innermost reasons, outermost first, without the URL (which the caller knows).
pub(super) fn reasons(error: &reqwest::Error) -> String {
    let mut said: Vec<String> = Vec::new();
    let mut next = error.source();
    while let Some(e) = next {
        let text = e.to_string();
        // Wrappers often repeat what they wrap.
        if !said.iter().any(|s| s.ends_with(&text)) {
            said.retain(|s| !text.ends_with(s.as_str()));
            said.push(text);
        }
        next = e.source();
    }
    if said.is_empty() { error.to_string() } else { said.join(": ") }
}

/// All errors below one, also those inside `io::Error`, which hides its own from `source`.
fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    std::iter::successors(Some(error), |&e| match e.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner as &(dyn Error + 'static)),
        None => e.source(),
    })
}

fn find_tls<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e Tls> {
    chain(error).find_map(|e| e.downcast_ref::<Tls>())
}

fn find_io<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e io::Error> {
    chain(error).find_map(|e| e.downcast_ref::<io::Error>())
}

/// None: the connection was secure and broke later.
fn tls_fault(error: &Tls) -> Option<TlsFault> {
    use AlertDescription as A;
    use CertificateError as C;
    Some(match error {
        Tls::InvalidCertificate(c) => match c {
            // The latter: an authority of the same name, but with another key.
            C::UnknownIssuer | C::BadSignature => TlsFault::UnknownAuthority,
            C::Expired | C::ExpiredContext { .. } => TlsFault::Expired,
            C::NotValidYet | C::NotValidYetContext { .. } => TlsFault::NotYetValid,
            C::NotValidForName | C::NotValidForNameContext { .. } => TlsFault::WrongName,
            C::Revoked => TlsFault::Revoked,
            _ => TlsFault::BadCertificate,
        },
        Tls::NoCertificatesPresented => TlsFault::BadCertificate,
        // These come from the server, about the certificate that we showed or did not show.
        Tls::AlertReceived(
            A::CertificateRequired
            | A::BadCertificate
            | A::UnknownCA
            | A::UnsupportedCertificate
            | A::CertificateExpired
            | A::CertificateRevoked
            | A::CertificateUnknown
            | A::AccessDenied
            | A::DecryptError,
        ) => TlsFault::ClientCertificateWanted,
        Tls::AlertReceived(A::CloseNotify | A::UserCanceled) => return None,
        _ => TlsFault::Protocol,
    })
}
