//! A Notary server over HTTP/1.1 and TLS.
//!
//! Redirects are never followed, compression is never asked for, every answer is read piece by piece against the
//! request's limit, and nothing switches the TLS checks off.
mod answer;
mod challenge;
mod failure;
mod feed;
mod greeting;
mod realm;
mod retry;
mod session;
mod settings;
mod tls;

pub use answer::ERROR_BODY;
pub use feed::CHANGE_FEED;
pub use greeting::{Endpoint, Greeting, Wanted};
pub use settings::{HttpError, HttpSettings, Proxy, Retry, Waits, is_loopback};

use super::{Answer, AskedAs, ChangeRecord, Transport, TransportError, Wait, Why};
use crate::{
    text::Untrusted,
    tuf::{name::Gun, request::Request},
};
use futures_util::FutureExt as _;
use realm::Realms;
use reqwest::{Client, Url, header};
use session::{About, Pass, Session};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    sync::{OnceCell, Semaphore},
    time::{sleep, timeout},
};

/// A Notary server that is reached over the network.
///
/// Made cheaply: the platform's certificates are read at the first request, and only if no CA was given.
pub struct Http {
    base: Url,
    address: Untrusted,
    tls: Arc<tls::Material>,
    waits: Waits,
    retry: Retry,
    proxy: Proxy,
    permits: Semaphore,
    client: OnceCell<Client>,
    session: Option<Session>,
}

/// The scope of everything that concerns no single repository.
const CATALOGUE: &str = "registry:catalog:*";

impl Http {
    /// Checks the address and reads the TLS files that were named. Asks nobody yet.
    ///
    /// # Errors
    /// [`HttpError`]: the address is none that may be used, or a file is not what it should be.
    pub fn new(settings: &HttpSettings) -> Result<Self, HttpError> {
        let base = settings::base(settings)?;
        let tls = Arc::new(tls::Material::read(settings, &base)?);
        let loopback = base.host_str().is_some_and(is_loopback);
        let realms = Realms {
            server: base.host_str().unwrap_or_default().to_owned(),
            trusted: settings.trusted_realms.clone(),
            plain_http: settings.plain_http.clone(),
        };
        Ok(Self {
            address: Untrusted::new(base.as_str().trim_end_matches('/')),
            tls,
            waits: settings.waits,
            retry: settings.retry,
            proxy: if loopback { Proxy::None } else { settings.proxy },
            permits: Semaphore::new(settings.parallel.clamp(1, Semaphore::MAX_PERMITS)),
            client: OnceCell::new(),
            session: settings.logins.clone().map(|logins| Session::new(logins, realms)),
            base,
        })
    }

    /// The client, made when it is first needed. Elsewhere than on this thread, because the platform's certificates
    /// are many files.
    async fn client(&self) -> Result<&Client, TransportError> {
        self.client
            .get_or_try_init(|| async {
                let (tls, proxy, connect) = (self.tls.clone(), self.proxy, self.waits.connect);
                let made = tokio::task::spawn_blocking(move || tls.client(proxy, connect)).await;
                let unusable = |text: String| TransportError::Unreachable {
                    why: Why::Tls(super::TlsFault::UnknownAuthority),
                    text: Untrusted::new(text),
                };
                made.map_err(|e| unusable(e.to_string()))?.map_err(|e| unusable(failure::reasons(&e)))
            })
            .await
    }

    /// Asks for one URL, and logs in if the server wants that.
    async fn fetch(&self, url: Url, limit: u64, about: About) -> Result<Vec<u8>, TransportError> {
        let Some(session) = &self.session else {
            return self.fetch_as(url, limit, None).await.map_err(|failed| failed.error);
        };
        let begun = Instant::now();
        let mut shown = session.remembered(&about).await;
        loop {
            let mut failed = match self.fetch_as(url.clone(), limit, shown.as_ref()).await {
                Ok(bytes) => return Ok(bytes),
                Err(failed) => failed,
            };
            let next = match &failed.challenge {
                Some(challenge) => session.answer(self.client().await?, challenge, &about, shown.as_ref(), begun).await?,
                None => None,
            };
            match next {
                Some(pass) => shown = Some(pass),
                None => {
                    if let TransportError::NotAllowed { denial, .. } = &mut failed.error {
                        denial.asked_as = shown.map_or(AskedAs::Nobody, |pass| pass.asked_as);
                    }
                    return Err(failed.error);
                }
            }
        }
    }

    /// What a request is about. A name that begins with no registry belongs to the server itself.
    fn about(&self, gun: Option<&Gun>) -> About {
        let first = gun.and_then(|g| g.as_str().split_once('/')).map(|(first, _)| first);
        let registry = first.filter(|host| *host == "localhost" || host.contains(['.', ':']));
        let scope = gun.map_or_else(|| CATALOGUE.to_owned(), |gun| format!("repository:{gun}:pull"));
        About { registry: registry.map_or_else(|| settings::host_and_port(&self.base), str::to_owned), scope }
    }

    /// Asks for one URL, again where that may help ([`Retry`]).
    async fn fetch_as(&self, url: Url, limit: u64, pass: Option<&Pass>) -> Result<Vec<u8>, Box<retry::Failed>> {
        let mut tried = 0;
        loop {
            let answer = {
                // The permit covers the connection and the body, not the pause before the next attempt.
                let _permit =
                    self.permits.acquire().await.map_err(|e| TransportError::Malformed(Untrusted::new(e.to_string())))?;
                self.attempt(url.clone(), limit, pass).await
            };
            let failed = match answer {
                Ok(bytes) => return Ok(bytes),
                Err(failed) => failed,
            };
            match self.retry.pause(tried, &failed) {
                Some(pause) => sleep(pause).await,
                None => return Err(failed),
            }
            tried += 1;
        }
    }

    async fn attempt(&self, url: Url, limit: u64, pass: Option<&Pass>) -> Result<Vec<u8>, Box<retry::Failed>> {
        let client = self.client().await?;
        let slow = |wait| {
            Box::<retry::Failed>::from(TransportError::Unreachable { why: Why::Timeout(wait), text: Untrusted::default() })
        };
        let Waits { connect, idle, whole } = self.waits;
        let asked = async {
            // The connector has its own time; what comes on top is waiting for the first byte of the answer.
            let request = match pass {
                Some(pass) => client.get(url).header(header::AUTHORIZATION, pass.header.clone()),
                None => client.get(url),
            };
            let response = match timeout(connect.saturating_add(idle), request.send()).await {
                Ok(sent) => sent.map_err(|e| failure::classify(&e, connect))?,
                Err(_) => return Err(slow(Wait::Idle(idle))),
            };
            answer::take(response, limit, idle).await
        };
        timeout(whole, asked).await.unwrap_or_else(|_| Err(slow(Wait::Whole(whole))))
    }

    /// The base address with more path behind it; each part is percent-encoded where it must be.
    fn url<'p>(&self, parts: impl IntoIterator<Item = &'p str>) -> Url {
        let mut url = self.base.clone();
        // Every http URL has a path, so this cannot fail.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(parts);
        }
        url
    }
}

impl Transport for Http {
    fn get<'a>(&'a self, gun: &'a Gun, request: &'a Request) -> Answer<'a, Vec<u8>> {
        let file = request.file_name();
        let about = self.about(Some(gun));
        let gun = gun.as_str().split('/');
        let url = self.url(["v2"].into_iter().chain(gun).chain(["_trust", "tuf"]).chain(file.split('/')));
        self.fetch(url, request.limit, about).boxed()
    }

    fn change_feed<'a>(&'a self, gun: Option<&'a Gun>, from: Option<&'a str>, records: i32) -> Answer<'a, Vec<ChangeRecord>> {
        let about = self.about(gun);
        let gun = gun.into_iter().flat_map(|g| g.as_str().split('/'));
        let mut url = self.url(["v2"].into_iter().chain(gun).chain(["_trust", "changefeed"]));
        url.query_pairs_mut().append_pair("records", &records.to_string());
        if let Some(id) = from {
            url.query_pairs_mut().append_pair("change_id", id);
        }
        async move { feed::read(&self.fetch(url, CHANGE_FEED, about).await?) }.boxed()
    }

    fn ping(&self) -> Answer<'_, ()> {
        let url = self.url(["v2", ""]);
        let about = self.about(None);
        async move { self.fetch(url, ERROR_BODY, about).await.map(|_| ()) }.boxed()
    }

    fn address(&self) -> &Untrusted {
        &self.address
    }
}

/// Seconds, for defaults that read like the documentation.
const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_where_nobody_listens_is_tried_again() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let http = Http::new(&HttpSettings::new(format!("http://{free}"))).unwrap();
        let failed = http.attempt(http.url(["v2"]), 1, None).await.err().unwrap();
        assert!(failed.again, "{:?}", failed.error);
    }
}
