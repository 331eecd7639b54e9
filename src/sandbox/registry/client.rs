//! The registry as what clients ask, in this process: no socket, no thread.
use super::{Call, Registry};
use crate::{
    registry::{
        Answer, Asked, Digest, Held, Item, Name, Pieces, Reference, Registry as Client, Reply, Take, Takes, TransportError, What,
    },
    sandbox::{answer::Response, transport::failed},
    text::Untrusted,
};
use futures_util::FutureExt as _;
use std::sync::Arc;

/// A [`Registry`] that is asked by calling it.
pub struct InProcess {
    registry: Arc<Registry>,
    address: Untrusted,
}

impl InProcess {
    /// Asks this registry.
    pub fn new(registry: Arc<Registry>) -> Self {
        Self { registry, address: Untrusted::new("sandbox") }
    }

    fn ask(&self, asked: &Asked) -> Result<Reply, TransportError> {
        let path = format!("/v2/{}", asked.what.path());
        let accept = asked.what.accept().map(|kinds| ("accept".to_owned(), kinds.to_owned()));
        let headers: Vec<_> = accept.into_iter().collect();
        let call = Call::new(if asked.head { "HEAD" } else { "GET" }, &path);
        let call = call.with_query(asked.query.as_deref().unwrap_or_default()).with_headers(&headers);
        let answer = self.registry.handle(&call);
        let header = |name| answer.header(name).map(Untrusted::new);
        let (kind, digest, link) = (header("Content-Type"), header("Docker-Content-Digest"), header("Link"));
        match answer.status {
            200 if asked.head => Ok(Reply { kind, digest, link, bytes: Vec::new() }),
            200 if answer.body.len() as u64 > asked.limit => Err(TransportError::TooLarge { limit: asked.limit }),
            200 => Ok(Reply { kind, digest, link, bytes: answer.body }),
            _ => Err(failed(&answer)),
        }
    }

    /// Sends something, and is told how.
    fn send(&self, call: &Call<'_>, kind: &str, done: u16) -> Result<Response, TransportError> {
        let headers = [("content-type".to_owned(), kind.to_owned())];
        let answer = self.registry.handle(&call.with_headers(&headers));
        if answer.status == done { Ok(answer) } else { Err(failed(&answer)) }
    }
}

impl Client for InProcess {
    fn get<'a>(&'a self, asked: &'a Asked) -> Answer<'a, Reply> {
        async move { self.ask(asked) }.boxed()
    }

    fn blob<'a>(&'a self, name: &'a Name, digest: &'a Digest, limit: u64, take: Take<'a>) -> Answer<'a, ()> {
        async move {
            let answer = self.registry.handle(&Call::get(&format!("/v2/{}/blobs/{digest}", name.as_str())));
            match answer.status {
                200 if answer.body.len() as u64 > limit => Err(TransportError::TooLarge { limit }),
                200 => {
                    take(&answer.body);
                    Ok(())
                }
                _ => Err(failed(&answer)),
            }
        }
        .boxed()
    }

    fn address(&self) -> &Untrusted {
        &self.address
    }

    fn takes(&self) -> Option<&dyn Takes> {
        Some(self)
    }
}

impl Takes for InProcess {
    fn has<'a>(&'a self, name: &'a Name, item: &'a Item) -> Answer<'a, Option<Held>> {
        async move {
            let path = match item {
                Item::Blob(digest) => format!("{}/blobs/{digest}", name.as_str()),
                Item::Manifest(reference) => What::Manifest(name.clone(), reference.clone()).path(),
            };
            let accept = What::Manifest(name.clone(), Reference::Digest(Digest::of(b""))).accept().unwrap_or_default();
            let headers = [("accept".to_owned(), accept.to_owned())];
            let answer = self.registry.handle(&Call::new("HEAD", &format!("/v2/{path}")).with_headers(&headers));
            let size = answer.header("Content-Length").and_then(|size| size.parse().ok());
            match answer.status {
                200 => Ok(Some(Held { digest: answer.header("Docker-Content-Digest").map(Untrusted::new), size })),
                404 => Ok(None),
                _ => Err(failed(&answer)),
            }
        }
        .boxed()
    }

    fn put_blob<'a>(&'a self, name: &'a Name, digest: &'a Digest, content: Arc<dyn Pieces>) -> Answer<'a, ()> {
        async move {
            let octets = "application/octet-stream";
            let begun = self.send(&Call::new("POST", &format!("/v2/{}/blobs/uploads/", name.as_str())), octets, 202)?;
            let unread = |e: std::io::Error| TransportError::Malformed(Untrusted::new(e.to_string()));
            let mut to = begun.header("Location").unwrap_or_default().to_owned();
            for piece in content.begin().map_err(unread)? {
                let piece = piece.map_err(unread)?;
                let (path, query) = to.split_once('?').unwrap_or((&to, ""));
                let answer = self.send(&Call::new("PATCH", path).with_query(query).with_body(&piece), octets, 202)?;
                to = answer.header("Location").unwrap_or_default().to_owned();
            }
            let (path, query) = to.split_once('?').unwrap_or((&to, ""));
            self.send(&Call::new("PUT", path).with_query(&format!("{query}&digest={digest}")), octets, 201).map(drop)
        }
        .boxed()
    }

    fn put_manifest<'a>(&'a self, name: &'a Name, reference: &'a Reference, kind: &'a str, bytes: Vec<u8>) -> Answer<'a, ()> {
        async move {
            let path = format!("/v2/{}", What::Manifest(name.clone(), reference.clone()).path());
            self.send(&Call::new("PUT", &path).with_body(&bytes), kind, 201).map(drop)
        }
        .boxed()
    }
}
