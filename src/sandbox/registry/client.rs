//! The registry as what clients ask, in this process: no socket, no thread.
use super::{Call, Registry};
use crate::{
    registry::{Answer, Asked, Digest, Name, Registry as Client, Reply, Take, TransportError},
    sandbox::transport::failed,
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
}
