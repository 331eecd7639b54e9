//! A registry over the network.
use super::{Answer, Asked, Digest, Name, Registry, Reply, Take, TransportError};
use crate::{
    net::{About, Ask, Host, HttpError, HttpSettings, TlsFault, Verb, Why, is_loopback},
    text::Untrusted,
};
use futures_util::FutureExt as _;
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
            let url = host.url(["v2"].into_iter().chain(name.as_str().split('/')).chain(["blobs", digest.as_str()]));
            let about = About { registry: self.name.clone(), scope: format!("repository:{}:pull", name.as_str()) };
            host.stream(url, &about, limit, take).await
        }
        .boxed()
    }

    fn address(&self) -> &Untrusted {
        let plain = self.plain.as_ref().filter(|_| self.is_plain.get() == Some(&true));
        plain.unwrap_or(&self.host).address()
    }
}
