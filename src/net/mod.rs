//! One server over HTTP/1.1 and TLS: certificates, proxies, waits, limits, logins; and how asking can fail.
//!
//! Redirects of metadata are never followed, compression is never asked for, every answer is read piece by piece against
//! the request's limit, and nothing switches the TLS checks off. What is asked of which address is the business of
//! `notary` and `registry`, which stand on this.
//!
//! The errors are here whether or not there is a network: the functions of a sandbox fail in the same words.
#[cfg(feature = "network")]
mod answer;
#[cfg(feature = "network")]
mod challenge;
#[cfg(feature = "network")]
mod elsewhere;
mod error;
#[cfg(feature = "network")]
mod failure;
#[cfg(feature = "network")]
mod greeting;
#[cfg(feature = "network")]
mod host;
#[cfg(feature = "network")]
pub mod login;
mod login_error;
mod pieces;
#[cfg(feature = "network")]
mod realm;
#[cfg(feature = "network")]
mod retry;
#[cfg(feature = "network")]
mod session;
#[cfg(feature = "network")]
mod settings;
#[cfg(feature = "network")]
mod tls;
#[cfg(feature = "network")]
mod upload;

pub use error::{TlsFault, TransportError, Wait, Why, said_of_registry};
pub use login_error::{AskedAs, Denial, LoginError, Refuser};
pub use pieces::{Pieces, Reading};
#[cfg(feature = "network")]
pub use {
    answer::ERROR_BODY,
    greeting::{Endpoint, Greeting, Route, Wanted},
    host::{Ask, Host, Opened, Verb},
    retry::Failed,
    session::About,
    settings::{HttpError, HttpSettings, Proxy, Retry, Waits, is_loopback},
    tls::client_pair,
    upload::Payload,
};

#[cfg(feature = "network")]
pub use reqwest::Url;

use futures_util::future::BoxFuture;

/// What comes of asking a server.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, TransportError>>;
