//! A registry over the network.
use super::{
    Answer, Asked, Digest, Held, Item, Name, Pieces, Reference, Registry, Reply, Take, Takes, TransportError, manifest,
    push_scope,
};
use crate::{
    net::{About, Ask, Host, HttpError, HttpSettings, Payload, TlsFault, Url, Verb, Why, is_loopback},
    text::Untrusted,
};
use futures_util::FutureExt as _;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// A registry that is reached over HTTP and TLS.
pub struct Http {
    host: Host,
    /// The same without TLS, for a name that is this machine: there it is common, and nothing is on the way.
    plain: Option<Host>,
    /// Whether the plain one is the right one, once that is known.
    is_plain: OnceCell<bool>,
    /// By which name its login is kept.
    name: String,
}

impl Http {
    /// A registry at an address. `name` is what the names of its images begin with.
    ///
    /// # Errors
    /// [`HttpError`]: the address is none that may be used, or a file is not what it should be.
    pub fn new(settings: &HttpSettings, name: &str) -> Result<Self, HttpError> {
        Ok(Self { host: Host::new(settings)?, plain: None, is_plain: OnceCell::new(), name: name.to_owned() })
    }

    /// The registry that a name leads to, as docker finds it. One on this machine may be one without TLS.
    ///
    /// # Errors
    /// As [`Http::new`].
    pub fn named(settings: &HttpSettings, name: &str) -> Result<Self, HttpError> {
        let at = |url: String| HttpSettings { server: url, ..settings.clone() };
        let (host, port) = name.rsplit_once(':').unwrap_or((name, ""));
        let here = is_loopback(if port.bytes().all(|b| b.is_ascii_digit()) { host } else { name });
        let plain = if here { Some(Host::new(&at(format!("http://{name}")))?) } else { None };
        let address = match name {
            "docker.io" | "index.docker.io" => "registry-1.docker.io",
            name => name,
        };
        Ok(Self { plain, ..Self::new(&at(format!("https://{address}")), name)? })
    }

    /// The one of both that answers.
    async fn host(&self) -> Result<&Host, TransportError> {
        let Some(plain) = &self.plain else { return Ok(&self.host) };
        let look = async || match self.host.greet().await {
            Err(TransportError::Unreachable { why: Why::Tls(TlsFault::Protocol), .. }) => Ok(true),
            answer => answer.map(|_| false),
        };
        Ok(if *self.is_plain.get_or_try_init(look).await? { plain } else { &self.host })
    }

    /// What is asked of whoever sends images.
    fn sending(&self, name: &Name) -> About {
        About { registry: self.name.clone(), scope: push_scope(name) }
    }
}

/// An address below that of a repository.
fn within<'p>(host: &Host, name: &'p Name, parts: impl IntoIterator<Item = &'p str>) -> Url {
    host.url(["v2"].into_iter().chain(name.as_str().split('/')).chain(parts))
}

/// A refusal that does not say what is not allowed is about what was asked for.
fn naming(scope: &str, error: TransportError) -> TransportError {
    match error {
        TransportError::NotAllowed { status, realm, scope: None, denial, code, message } => {
            let scope = Some(Untrusted::new(scope));
            TransportError::NotAllowed { status, realm, scope, denial, code, message }
        }
        other => other,
    }
}

impl Registry for Http {
    fn get<'a>(&'a self, asked: &'a Asked) -> Answer<'a, Reply> {
        async move {
            let host = self.host().await?;
            let path = asked.what.path();
            let mut url = host.url(["v2"].into_iter().chain(path.split('/')));
            url.set_query(asked.query.as_deref());
            let verb = if asked.head { Verb::Head } else { Verb::Get };
            let ask = Ask { url, accept: asked.what.accept(), verb };
            let about = About { registry: self.name.clone(), scope: asked.what.scope() };
            let opened = host.open(&ask, &about).await?;
            let header = |name| opened.header(name);
            let (kind, digest, link) = (header("content-type"), header("docker-content-digest"), header("link"));
            Ok(Reply { kind, digest, link, bytes: opened.bytes(asked.limit).await? })
        }
        .boxed()
    }

    fn blob<'a>(&'a self, name: &'a Name, digest: &'a Digest, limit: u64, take: Take<'a>) -> Answer<'a, ()> {
        async move {
            let host = self.host().await?;
            let url = within(host, name, ["blobs", digest.as_str()]);
            let about = About { registry: self.name.clone(), scope: format!("repository:{}:pull", name.as_str()) };
            host.stream(url, &about, limit, take).await
        }
        .boxed()
    }

    fn address(&self) -> &Untrusted {
        let plain = self.plain.as_ref().filter(|_| self.is_plain.get() == Some(&true));
        plain.unwrap_or(&self.host).address()
    }

    fn takes(&self) -> Option<&dyn Takes> {
        Some(self)
    }
}

impl Takes for Http {
    fn has<'a>(&'a self, name: &'a Name, item: &'a Item) -> Answer<'a, Option<Held>> {
        async move {
            let host = self.host().await?;
            let (parts, accept) = match item {
                Item::Blob(digest) => (["blobs", digest.as_str()], None),
                Item::Manifest(reference) => (["manifests", reference.as_str()], Some(manifest::ACCEPT)),
            };
            let (ask, about) = (Ask { url: within(host, name, parts), accept, verb: Verb::Head }, self.sending(name));
            match host.open(&ask, &about).await {
                Ok(opened) => {
                    let size = opened.header("content-length").and_then(|size| size.raw().parse().ok());
                    Ok(Some(Held { digest: opened.header("docker-content-digest"), size }))
                }
                // It has it elsewhere.
                Err(TransportError::Redirected { .. }) if matches!(item, Item::Blob(_)) => Ok(Some(Held::default())),
                Err(TransportError::NotThere { .. }) => Ok(None),
                Err(error) => Err(naming(&about.scope, error)),
            }
        }
        .boxed()
    }

    fn put_blob<'a>(&'a self, name: &'a Name, digest: &'a Digest, content: Arc<dyn Pieces>) -> Answer<'a, ()> {
        async move {
            let (host, about) = (self.host().await?, self.sending(name));
            let named = |error| naming(&about.scope, error);
            let begin = within(host, name, ["blobs", "uploads", ""]);
            let ask = Ask { url: begin.clone(), accept: None, verb: Verb::Begin };
            let to = host.open(&ask, &about).await.map_err(named)?.header("location");
            let to = to.ok_or_else(|| {
                TransportError::Malformed(Untrusted::new("it takes a blob, and does not say where it is to be sent"))
            })?;
            let payload = Payload::read_while_sent("application/octet-stream".to_owned(), content);
            host.deliver(&begin, to, ("digest", digest.as_str()), payload, &about).await.map_err(named)
        }
        .boxed()
    }

    fn put_manifest<'a>(&'a self, name: &'a Name, reference: &'a Reference, kind: &'a str, bytes: Vec<u8>) -> Answer<'a, ()> {
        async move {
            let (host, about) = (self.host().await?, self.sending(name));
            let url = within(host, name, ["manifests", reference.as_str()]);
            let ask = Ask { url, accept: None, verb: Verb::Put(Payload::new(kind.to_owned(), bytes)) };
            host.open(&ask, &about).await.map(drop).map_err(|error| naming(&about.scope, error))
        }
        .boxed()
    }
}
