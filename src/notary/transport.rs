//! The border to the world: what claviger asks of a Notary server.
use crate::{
    net::Answer,
    text::Untrusted,
    tuf::{name::Gun, request::Request},
};

/// A Notary server, over HTTP or as functions in this process.
///
/// Implementations keep three promises: no answer is longer than [`Request::limit`] (it is
/// [`TransportError::TooLarge`](crate::net::TransportError::TooLarge) instead), a redirect of metadata is not followed, and
/// dropping a future abandons the request. They do *not* verify anything.
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
