//! Notary servers: what is asked of one ([`Transport`]), and the one implementation that asks over the network (`http`, only
//! with the feature `network`). How asking can fail is the business of [`crate::net`].
//!
//! Four situations stay apart for every caller: the server has no such thing, the server does not allow it, the
//! server cannot be reached, and what it sent is not to be trusted. The last is never decided here: bytes that
//! leave this module are unverified.
#[cfg(feature = "network")]
mod feed;
#[cfg(feature = "network")]
pub mod http;
mod key;
pub mod multipart;
pub mod publish;
pub mod reference;
pub mod transport;

pub use crate::net::{Answer, TransportError};
pub use key::{KEY, read_server_key};
pub use publish::{PublishError, ServerRole};
pub use transport::{Change, ChangeRecord, Transport};
