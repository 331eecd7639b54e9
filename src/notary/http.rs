//! A Notary server over the network.
use super::{
    Answer, ChangeRecord, KEY, PublishError, ServerRole, Transport, feed, multipart, publish::read_done, read_server_key,
};
use crate::{
    net::{About, Ask, ERROR_BODY, Host, HttpError, HttpSettings, Payload, TransportError, Url},
    settings::registry_of,
    text::Untrusted,
    tuf::{
        key::PublicKey,
        name::{Gun, RoleName},
        request::Request,
    },
};
use futures_util::{FutureExt as _, future::BoxFuture};

pub use super::feed::CHANGE_FEED;

/// The scope of everything that concerns no single repository.
const CATALOGUE: &str = "registry:catalog:*";

/// What a token must allow (protocol 11.2): to read,
const READ: &str = "pull";
/// to publish, and to get a key that may have to be made first,
const WRITE: &str = "push,pull";
/// to have keys renewed and everything deleted.
const ALL: &str = "*";

/// A Notary server that is reached over HTTP and TLS.
pub struct Http {
    host: Host,
}

impl Http {
    /// Checks the address and reads the TLS files that were named. Asks nobody yet.
    ///
    /// # Errors
    /// [`HttpError`]: the address is none that may be used, or a file is not what it should be.
    pub fn new(settings: &HttpSettings) -> Result<Self, HttpError> {
        Ok(Self { host: Host::new(settings)? })
    }

    /// What a request is about that concerns one repository. A name that begins with no registry belongs to the server itself.
    fn about(&self, gun: &Gun, actions: &str) -> About {
        let registry = registry_of(gun.as_str()).map_or_else(|| self.host.itself(), str::to_owned);
        About { registry, scope: format!("repository:{gun}:{actions}") }
    }

    /// What a request is about that concerns none.
    fn about_catalogue(&self) -> About {
        About { registry: self.host.itself(), scope: CATALOGUE.to_owned() }
    }

    /// An address below those of a repository's metadata.
    fn url(&self, gun: &Gun, file: &str) -> Url {
        let gun = gun.as_str().split('/');
        self.host.url(["v2"].into_iter().chain(gun).chain(["_trust", "tuf"]).chain(file.split('/')))
    }

    fn key_url(&self, gun: &Gun, role: ServerRole) -> Url {
        self.url(gun, &format!("{}.key", role.as_str()))
    }

    async fn key(&self, ask: Ask, about: About) -> Result<PublicKey, TransportError> {
        read_server_key(&self.host.open(&ask, &about).await?.bytes(KEY).await?)
    }
}

impl Transport for Http {
    fn get<'a>(&'a self, gun: &'a Gun, request: &'a Request) -> Answer<'a, Vec<u8>> {
        let (url, about) = (self.url(gun, &request.file_name()), self.about(gun, READ));
        async move { self.host.fetch(url, request.limit, &about).await }.boxed()
    }

    fn change_feed<'a>(&'a self, gun: Option<&'a Gun>, from: Option<&'a str>, records: i32) -> Answer<'a, Vec<ChangeRecord>> {
        let about = gun.map_or_else(|| self.about_catalogue(), |gun| self.about(gun, READ));
        let gun = gun.into_iter().flat_map(|g| g.as_str().split('/'));
        let mut url = self.host.url(["v2"].into_iter().chain(gun).chain(["_trust", "changefeed"]));
        url.query_pairs_mut().append_pair("records", &records.to_string());
        if let Some(id) = from {
            url.query_pairs_mut().append_pair("change_id", id);
        }
        async move { feed::read(&self.host.fetch(url, CHANGE_FEED, &about).await?) }.boxed()
    }

    fn ping(&self) -> Answer<'_, ()> {
        let url = self.host.url(["v2", ""]);
        let about = self.about_catalogue();
        async move { self.host.fetch(url, ERROR_BODY, &about).await.map(|_| ()) }.boxed()
    }

    fn publish<'a>(&'a self, gun: &'a Gun, files: &'a [(RoleName, Vec<u8>)]) -> BoxFuture<'a, Result<(), PublishError>> {
        async move {
            let (kind, body) = multipart::body(files);
            let ask = Ask::post(self.url(gun, ""), Some(Payload::new(kind, body)));
            let sent = self.host.send(&ask, &self.about(gun, WRITE)).await;
            let opened = sent.map_err(|failed| PublishError::of(failed.error, failed.arrived, &failed.said))?;
            let said = opened.bytes(ERROR_BODY).await;
            said.and_then(|said| read_done(&said)).map_err(PublishError::Uncertain)
        }
        .boxed()
    }

    fn server_key<'a>(&'a self, gun: &'a Gun, role: ServerRole) -> Answer<'a, PublicKey> {
        self.key(Ask::get(self.key_url(gun, role)), self.about(gun, WRITE)).boxed()
    }

    fn new_server_key<'a>(&'a self, gun: &'a Gun, role: ServerRole) -> Answer<'a, PublicKey> {
        self.key(Ask::post(self.key_url(gun, role), None), self.about(gun, ALL)).boxed()
    }

    fn delete<'a>(&'a self, gun: &'a Gun) -> Answer<'a, ()> {
        let (ask, about) = (Ask::delete(self.url(gun, "")), self.about(gun, ALL));
        async move { read_done(&self.host.open(&ask, &about).await?.bytes(ERROR_BODY).await?) }.boxed()
    }

    fn address(&self) -> &Untrusted {
        self.host.address()
    }
}
