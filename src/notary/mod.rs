//! Notary servers: what is asked of one ([`Transport`]), how that can fail ([`TransportError`]), and the one
//! implementation that speaks HTTP and TLS (`http`, only with the feature `network`).
//!
//! Four situations stay apart for every caller: the server has no such thing, the server does not allow it, the
//! server cannot be reached, and what it sent is not to be trusted. The last is never decided here: bytes that
//! leave this module are unverified.
pub mod error;
#[cfg(feature = "network")]
pub mod http;
#[cfg(feature = "network")]
pub mod login;
mod login_error;
pub mod reference;
pub mod transport;

pub use error::{TlsFault, TransportError, Wait, Why};
pub use login_error::{AskedAs, Denial, LoginError, Refuser};
pub use transport::{Answer, Change, ChangeRecord, Transport};
