//! OCI registries: where the images are that a repository signs.
//!
//! What is asked of one stands behind [`Registry`], a border like `notary::Transport`: over the network (`http`, only with the
//! feature `network`), or the functions of a sandbox in this process. What is asked for and what the answers mean is the same
//! for both, and is said here once: [`list`] and [`manifest()`].
//!
//! Nothing that a registry says is signed. Lists are hints; content is what its digest says it is.
pub mod content;
pub mod document;
mod hasher;
#[cfg(feature = "network")]
pub mod http;
pub mod list;
pub mod manifest;
pub mod name;

pub use crate::net::{Answer, Pieces, Reading, TransportError};
pub use hasher::Hasher;
pub use list::{Listed, catalogue, tags};
pub use manifest::{Manifest, Reference, manifest, resolve};
pub use name::{Digest, Name, NoName, Tag};

use crate::text::Untrusted;
use std::sync::Arc;

/// A registry, over HTTP or as functions in this process.
///
/// Implementations keep three promises: no answer is longer than its limit, a redirect is followed for blobs only, and
/// dropping a future abandons the request. They check nothing.
pub trait Registry: Send + Sync {
    /// Reads what was asked for.
    ///
    /// # Errors
    /// [`TransportError::NotThere`] when the registry has no such thing; the other kinds as named there.
    fn get<'a>(&'a self, asked: &'a Asked) -> Answer<'a, Reply>;

    /// Reads a blob piece by piece, at most `limit` bytes of it. A registry may send us elsewhere for it; nobody there is told
    /// who we are.
    ///
    /// # Errors
    /// As [`Registry::get`].
    fn blob<'a>(&'a self, name: &'a Name, digest: &'a Digest, limit: u64, take: Take<'a>) -> Answer<'a, ()>;

    /// Where this is, for messages.
    fn address(&self) -> &Untrusted;

    /// As what images can be sent to; none if it only gives.
    fn takes(&self) -> Option<&dyn Takes> {
        None
    }
}

/// A registry to which images are sent.
///
/// Implementations keep three promises: whoever they are led to with a blob is not told who we are, dropping a future abandons
/// the request, and nothing is held as a whole that is read while it is sent. They check nothing.
pub trait Takes: Send + Sync {
    /// Whether it has this already: what it says of it, if it has.
    ///
    /// # Errors
    /// As [`Registry::get`].
    fn has<'a>(&'a self, name: &'a Name, item: &'a Item) -> Answer<'a, Option<Held>>;

    /// Sends a blob, which nothing names yet.
    ///
    /// # Errors
    /// As [`Registry::get`]; [`TransportError::Elsewhere`] if it wants it from somebody who did not take it.
    fn put_blob<'a>(&'a self, name: &'a Name, digest: &'a Digest, content: Arc<dyn Pieces>) -> Answer<'a, ()>;

    /// Sends a manifest of a kind. From then on it is known by this name.
    ///
    /// # Errors
    /// As [`Registry::get`].
    fn put_manifest<'a>(&'a self, name: &'a Name, reference: &'a Reference, kind: &'a str, bytes: Vec<u8>) -> Answer<'a, ()>;
}

/// What a registry can have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A configuration, or a layer.
    Blob(Digest),
    /// A manifest.
    Manifest(Reference),
}

/// What a registry says of what it has.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Held {
    /// Its digest.
    pub digest: Option<Untrusted>,
    /// Its size.
    pub size: Option<u64>,
}

/// What a token must allow so that images can be sent.
pub fn push_scope(name: &Name) -> String {
    format!("repository:{}:pull,push", name.as_str())
}

/// What is given each piece of a blob.
pub type Take<'a> = &'a mut (dyn FnMut(&[u8]) + Send);

/// A request for something that can be read.
#[derive(Debug, Clone)]
pub struct Asked {
    /// What is asked for.
    pub what: What,
    /// Whether all but the body is enough.
    pub head: bool,
    /// The query, as it stands in an address.
    pub query: Option<String>,
    /// Most bytes of an answer.
    pub limit: u64,
}

/// What can be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The names of all repositories.
    Catalogue,
    /// The tags of a repository.
    Tags(Name),
    /// An image, or a list of images for several platforms.
    Manifest(Name, Reference),
}

/// What a registry answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The body.
    pub bytes: Vec<u8>,
    /// Its kind (`Content-Type`).
    pub kind: Option<Untrusted>,
    /// Its digest, as the registry says (`Docker-Content-Digest`).
    pub digest: Option<Untrusted>,
    /// Where more of a list is (`Link`).
    pub link: Option<Untrusted>,
}

impl What {
    /// The path below `/v2/`. It holds nothing that an address would have to escape.
    pub fn path(&self) -> String {
        match self {
            Self::Catalogue => "_catalog".to_owned(),
            Self::Tags(name) => format!("{}/tags/list", name.as_str()),
            Self::Manifest(name, reference) => format!("{}/manifests/{}", name.as_str(), reference.as_str()),
        }
    }

    /// What a token must allow.
    pub fn scope(&self) -> String {
        match self {
            Self::Catalogue => "registry:catalog:*".to_owned(),
            Self::Tags(name) | Self::Manifest(name, _) => format!("repository:{}:pull", name.as_str()),
        }
    }

    /// Kinds of answer that are understood; none: there is only one.
    pub fn accept(&self) -> Option<&'static str> {
        matches!(self, Self::Manifest(..)).then_some(manifest::ACCEPT)
    }
}
