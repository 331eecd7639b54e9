//! The border to the world: what claviger asks of a Notary server.
use super::publish::{PublishError, ServerRole};
use crate::{
    net::Answer,
    text::Untrusted,
    tuf::{
        key::PublicKey,
        name::{Gun, RoleName},
        request::Request,
    },
};
use futures_util::future::BoxFuture;

/// A Notary server, over HTTP or as functions in this process.
///
/// Implementations keep three promises: no answer is longer than [`Request::limit`] (it is
/// [`TransportError::TooLarge`](crate::net::TransportError::TooLarge) instead), a redirect of metadata is not followed, and
/// dropping a future abandons the request (one that changes something may then have been carried out). They do *not* verify
/// anything.
pub trait Transport: Send + Sync {
    /// Fetches one metadata file (protocol 10.1, 10.4).
    ///
    /// # Errors
    /// [`TransportError::NotThere`](crate::net::TransportError::NotThere) when the server answers that it has no such file; the
    /// other kinds as named there.
    fn get<'a>(&'a self, gun: &'a Gun, request: &'a Request) -> Answer<'a, Vec<u8>>;

    /// Reads changes (protocol 10.6), oldest first: of one collection, or of the whole server without `gun`.
    ///
    /// `from` is the [`ChangeRecord::id`] after which to read (none: from the beginning), `records` how many at most;
    /// a negative number counts back from there.
    ///
    /// # Errors
    /// As [`Transport::get`]; [`TransportError::Malformed`](crate::net::TransportError::Malformed) when the answer is no change
    /// feed.
    fn change_feed<'a>(&'a self, gun: Option<&'a Gun>, from: Option<&'a str>, records: i32) -> Answer<'a, Vec<ChangeRecord>>;

    /// Asks whether a Notary server is there (`GET /v2/`, protocol 10.1). One that wants credentials is
    /// [`TransportError::NotAllowed`](crate::net::TransportError::NotAllowed).
    ///
    /// # Errors
    /// As [`Transport::get`].
    fn ping(&self) -> Answer<'_, ()>;

    /// Publishes files, all of them or none (protocol 10.2, 10.3). Sent once: nothing is repeated that may have been carried
    /// out.
    ///
    /// # Errors
    /// [`PublishError`], by whether anything was stored.
    fn publish<'a>(&'a self, gun: &'a Gun, files: &'a [(RoleName, Vec<u8>)]) -> BoxFuture<'a, Result<(), PublishError>>;

    /// The public key with which the server signs for a role, made if there is none (`GET {role}.key`).
    ///
    /// # Errors
    /// As [`Transport::get`]; [`TransportError::Malformed`](crate::net::TransportError::Malformed) when the answer is no key
    /// that can be read.
    fn server_key<'a>(&'a self, gun: &'a Gun, role: ServerRole) -> Answer<'a, PublicKey>;

    /// Has the server make a new key for a role, which counts once a root that names it is published (`POST {role}.key`).
    ///
    /// # Errors
    /// As [`Transport::server_key`].
    fn new_server_key<'a>(&'a self, gun: &'a Gun, role: ServerRole) -> Answer<'a, PublicKey>;

    /// Deletes everything that the server has of a collection. Succeeds also where there was nothing.
    ///
    /// # Errors
    /// As [`Transport::get`]; after some of them it is not known whether it was deleted.
    fn delete<'a>(&'a self, gun: &'a Gun) -> Answer<'a, ()>;

    /// Where this is, for messages: a URL, or the name of a sandbox.
    fn address(&self) -> &Untrusted;
}

/// What happened to a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// New metadata was published or re-signed.
    Update,
    /// The collection was deleted from the server.
    Deletion,
    /// A word that the protocol does not have.
    Other(Untrusted),
}

/// One entry of a change feed (protocol 10.6). Unsigned: a hint, never a proof.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeRecord {
    /// The server's name for this entry, for [`Transport::change_feed`]'s `from`.
    pub id: Untrusted,
    /// When, as the server wrote it (RFC 3339).
    pub created: Untrusted,
    /// Which collection, as the server wrote it; it need not be a valid [`Gun`].
    pub gun: Untrusted,
    /// Version of the timestamp; 0 after a deletion.
    pub version: i64,
    /// SHA-256 of the timestamp in hexadecimal digits; empty after a deletion.
    pub sha256: Untrusted,
    /// What happened.
    pub change: Change,
}
