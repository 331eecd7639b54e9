//! A Notary server over the network.
use super::{Answer, ChangeRecord, Transport, feed};
use crate::{
    net::{About, ERROR_BODY, Host, HttpError, HttpSettings},
    settings::registry_of,
    text::Untrusted,
    tuf::{name::Gun, request::Request},
};
use futures_util::FutureExt as _;

pub use super::feed::CHANGE_FEED;

/// The scope of everything that concerns no single repository.
const CATALOGUE: &str = "registry:catalog:*";

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

    /// What a request is about. A name that begins with no registry belongs to the server itself.
    fn about(&self, gun: Option<&Gun>) -> About {
        let registry = gun.and_then(|g| registry_of(g.as_str())).map_or_else(|| self.host.itself(), str::to_owned);
        About { registry, scope: gun.map_or_else(|| CATALOGUE.to_owned(), |gun| format!("repository:{gun}:pull")) }
    }
}

impl Transport for Http {
    fn get<'a>(&'a self, gun: &'a Gun, request: &'a Request) -> Answer<'a, Vec<u8>> {
        let file = request.file_name();
        let about = self.about(Some(gun));
        let gun = gun.as_str().split('/');
        let url = self.host.url(["v2"].into_iter().chain(gun).chain(["_trust", "tuf"]).chain(file.split('/')));
        async move { self.host.fetch(url, request.limit, &about).await }.boxed()
    }

    fn change_feed<'a>(&'a self, gun: Option<&'a Gun>, from: Option<&'a str>, records: i32) -> Answer<'a, Vec<ChangeRecord>> {
        let about = self.about(gun);
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
        let about = self.about(None);
        async move { self.host.fetch(url, ERROR_BODY, &about).await.map(|_| ()) }.boxed()
    }

    fn address(&self) -> &Untrusted {
        self.host.address()
    }
}
