//! One server: requests to it, with a login where it wants one, and again where that may help.
use super::{
    AskedAs, TransportError, Wait, Why, answer, failure,
    realm::Realms,
    retry::Failed,
    session::{About, Pass, Session},
    settings::{self, HttpError, HttpSettings, Proxy, Retry, Waits, is_loopback},
    tls,
    upload::{Payload, Upload},
};
use crate::text::Untrusted;
use reqwest::{Client, Response, Url, header};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{OnceCell, Semaphore, SemaphorePermit},
    time::{Instant, sleep, timeout_at},
};

/// A server that is reached over the network.
///
/// Made cheaply: the platform's certificates are read at the first request, and only if no CA was given.
pub struct Host {
    pub(super) base: Url,
    address: Untrusted,
    tls: Arc<tls::Material>,
    pub(super) waits: Waits,
    retry: Retry,
    pub(super) proxy: Proxy,
    permits: Semaphore,
    client: OnceCell<Client>,
    /// A client that shows no certificate.
    stranger: OnceCell<Client>,
    session: Option<Session>,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The address.
    pub url: Url,
    /// Which kinds of answer are wanted.
    pub accept: Option<&'static str>,
    /// What is to be done there.
    pub verb: Verb,
}

/// What is to be done at an address.
#[derive(Debug, Clone)]
pub enum Verb {
    /// Answer with what is there.
    Get,
    /// Answer with its headers only.
    Head,
    /// Take this, or do what the address stands for.
    Post(Option<Payload>),
    /// Begin to take something, and say where it is to be sent.
    Begin,
    /// Keep this there.
    Put(Payload),
    /// Remove what is there.
    Delete,
}

impl Ask {
    /// Asks for what is at an address, of whichever kind.
    pub fn get(url: Url) -> Self {
        Self { url, accept: None, verb: Verb::Get }
    }

    /// Changes something at an address.
    pub fn post(url: Url, payload: Option<Payload>) -> Self {
        Self { url, accept: None, verb: Verb::Post(payload) }
    }

    /// Removes what is at an address.
    pub fn delete(url: Url) -> Self {
        Self { url, accept: None, verb: Verb::Delete }
    }

    /// Whether it may be asked again when it is not known what became of it.
    fn is_repeatable(&self) -> bool {
        matches!(self.verb, Verb::Get | Verb::Head | Verb::Begin)
    }

    /// What is sent with it.
    fn payload(&self) -> Option<&Payload> {
        match &self.verb {
            Verb::Post(payload) => payload.as_ref(),
            Verb::Put(payload) => Some(payload),
            Verb::Get | Verb::Head | Verb::Begin | Verb::Delete => None,
        }
    }

    /// The statuses that mean that it was done.
    fn done(&self) -> &'static [u16] {
        match self.verb {
            Verb::Begin => &[202],
            Verb::Put(_) => &[200, 201, 204],
            Verb::Get | Verb::Head | Verb::Post(_) | Verb::Delete => &[200],
        }
    }
}

/// An answer that it was done, of which the body was not read yet.
pub struct Opened<'h> {
    response: Response,
    idle: Duration,
    /// How long the whole answer may take, and until when.
    whole: (Duration, Instant),
    /// One of as many as may be under way at the same time.
    _permit: SemaphorePermit<'h>,
}

impl Opened<'_> {
    /// A header, if there is one.
    pub fn header(&self, name: &str) -> Option<Untrusted> {
        answer::text(&self.response, name)
    }

    /// The whole body.
    ///
    /// # Errors
    /// [`TransportError::TooLarge`] if it has more than `limit` bytes; it broke off or took too long.
    pub async fn bytes(mut self, limit: u64) -> Result<Vec<u8>, TransportError> {
        let (whole, until) = self.whole;
        timeout_at(until, answer::body(&mut self.response, limit, self.idle))
            .await
            .unwrap_or_else(|_| Err(slow(Wait::Whole(whole))))
    }

    /// The body piece by piece, for one that is large: it may take as long as it takes, as long as something comes.
    ///
    /// # Errors
    /// [`TransportError::TooLarge`] if it has more than `limit` bytes; it broke off, or too little came for too long.
    pub async fn pieces(mut self, limit: u64, take: &mut (dyn FnMut(&[u8]) + Send)) -> Result<(), TransportError> {
        let (whole, _) = self.whole;
        answer::pieces(&mut self.response, limit, self.idle, whole, take).await
    }
}

fn slow(wait: Wait) -> TransportError {
    TransportError::Unreachable { why: Why::Timeout(wait), text: Untrusted::default() }
}

/// Waits for an answer: so long for its beginning, and while something is sent, so long after each piece that leaves.
async fn answered<T>(
    answer: impl Future<Output = T>,
    first: Duration,
    (idle, whole): (Duration, Duration),
    upload: Option<&Upload>,
) -> Option<T> {
    let mut answer = std::pin::pin!(answer);
    let begun = Instant::now();
    let until = || upload.and_then(|u| Some(u.moved()? + u.patience(idle, whole))).unwrap_or(begun + first);
    loop {
        let end = until();
        match timeout_at(end, answer.as_mut()).await {
            Ok(answer) => return Some(answer),
            Err(_) if until() > end => {}
            Err(_) => return None,
        }
    }
}

impl Host {
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
            stranger: OnceCell::new(),
            session: settings.logins.clone().map(|logins| Session::new(logins, realms)),
            base,
        })
    }

    /// The client, made when it is first needed. Elsewhere than on this thread, because the platform's certificates
    /// are many files.
    pub(super) async fn client(&self) -> Result<&Client, TransportError> {
        self.client.get_or_try_init(|| self.make(true)).await
    }

    /// The same without a certificate of ours.
    pub(super) async fn stranger(&self) -> Result<&Client, TransportError> {
        self.stranger.get_or_try_init(|| self.make(false)).await
    }

    async fn make(&self, known: bool) -> Result<Client, TransportError> {
        let (tls, proxy, connect) = (self.tls.clone(), self.proxy, self.waits.connect);
        let made = tokio::task::spawn_blocking(move || tls.client(proxy, connect, known)).await;
        let unusable = |text: String| TransportError::Unreachable {
            why: Why::Tls(super::TlsFault::UnknownAuthority),
            text: Untrusted::new(text),
        };
        made.map_err(|e| unusable(e.to_string()))?.map_err(|e| unusable(failure::reasons(&e)))
    }

    /// Asks, and logs in if the server wants that.
    ///
    /// # Errors
    /// The kinds as named there; every status but those that say that it was done is one.
    pub async fn open(&self, ask: &Ask, about: &About) -> Result<Opened<'_>, TransportError> {
        self.send(ask, about).await.map_err(|failed| failed.error)
    }

    /// The same for somebody who must know what may have come of it. What changes something is sent again only after an
    /// answer that wants a login, which is before anybody looks at it.
    ///
    /// # Errors
    /// As [`Host::open`].
    pub async fn send(&self, ask: &Ask, about: &About) -> Result<Opened<'_>, Box<Failed>> {
        let Some(session) = &self.session else {
            return self.open_as(ask, None).await;
        };
        let begun = Instant::now().into_std();
        let mut shown = session.remembered(about).await;
        if shown.is_none() && ask.payload().is_some() {
            shown = self.in_advance(session, about, begun).await?;
        }
        loop {
            let mut failed = match self.open_as(ask, shown.as_ref()).await {
                Ok(opened) => return Ok(opened),
                Err(failed) => failed,
            };
            let next = match &failed.challenge {
                Some(challenge) => session.answer(self.client().await?, challenge, about, shown.as_ref(), begun).await?,
                None => None,
            };
            match next {
                Some(pass) => shown = Some(pass),
                None => {
                    if let TransportError::NotAllowed { denial, .. } = &mut failed.error {
                        denial.asked_as = shown.map_or(AskedAs::Nobody, |pass| pass.asked_as);
                    }
                    return Err(failed);
                }
            }
        }
    }

    /// What the server will want to see with a request: one that refuses reads no more of what is sent, and may hang up
    /// before its answer was read.
    async fn in_advance(&self, session: &Session, about: &About, begun: std::time::Instant) -> Result<Option<Pass>, Box<Failed>> {
        let ask = || async {
            match self.open_as(&Ask::get(self.url(["v2", ""])), None).await {
                Ok(_) => Ok(None),
                Err(failed) if matches!(failed.error, TransportError::Unreachable { .. }) => {
                    Err(Box::new(Failed { arrived: false, ..*failed }))
                }
                Err(failed) => Ok(failed.challenge),
            }
        };
        match session.wanted.get_or_try_init(ask).await? {
            Some(challenge) => Ok(session.in_advance(self.client().await?, challenge, about, begun).await?),
            None => Ok(None),
        }
    }

    /// Asks for what is at an address, and reads it.
    ///
    /// # Errors
    /// As [`Host::open`] and [`Opened::bytes`].
    pub async fn fetch(&self, url: Url, limit: u64, about: &About) -> Result<Vec<u8>, TransportError> {
        self.open(&Ask::get(url), about).await?.bytes(limit).await
    }

    /// Asks, again where that may help ([`Retry`]).
    async fn open_as(&self, ask: &Ask, pass: Option<&Pass>) -> Result<Opened<'_>, Box<Failed>> {
        self.open_with(self.client().await?, ask, pass).await
    }

    pub(super) async fn open_with(&self, client: &Client, ask: &Ask, pass: Option<&Pass>) -> Result<Opened<'_>, Box<Failed>> {
        let mut tried = 0;
        loop {
            let failed = match self.attempt(client, ask, pass).await {
                Ok(opened) => return Ok(opened),
                Err(failed) => failed,
            };
            match self.retry.pause(tried, &failed).filter(|_| ask.is_repeatable()) {
                Some(pause) => sleep(pause).await,
                None => return Err(failed),
            }
            tried += 1;
        }
    }

    async fn attempt(&self, client: &Client, ask: &Ask, pass: Option<&Pass>) -> Result<Opened<'_>, Box<Failed>> {
        let upload = ask.payload().map(Upload::of);
        let opened = self.attempt_with(client, ask, pass, upload.as_ref()).await;
        let arrived = upload.is_none_or(|u| u.is_whole());
        match opened {
            Ok(_) if !arrived => {
                let lie = TransportError::Malformed(Untrusted::new("it says that all is done before it had everything"));
                // Nobody knows what it has done with what it had.
                Err(Box::new(Failed { arrived: true, ..*Box::<Failed>::from(lie) }))
            }
            Ok(opened) => Ok(opened),
            Err(failed) => Err(Box::new(Failed { arrived, ..*failed })),
        }
    }

    async fn attempt_with(
        &self,
        client: &Client,
        ask: &Ask,
        pass: Option<&Pass>,
        upload: Option<&Upload>,
    ) -> Result<Opened<'_>, Box<Failed>> {
        // It covers the connection and the body, not the pause before the next attempt.
        let permit = self.permits.acquire().await.map_err(|e| TransportError::Malformed(Untrusted::new(e.to_string())))?;
        let Waits { connect, idle, whole } = self.waits;
        let until = Instant::now() + whole;
        let url = ask.url.clone();
        let mut request = match ask.verb {
            Verb::Get => client.get(url),
            Verb::Head => client.head(url),
            Verb::Post(_) | Verb::Begin => client.post(url),
            Verb::Put(_) => client.put(url),
            Verb::Delete => client.delete(url),
        };
        if let Some(accept) = ask.accept {
            request = request.header(header::ACCEPT, accept);
        }
        if let Some(pass) = pass {
            request = request.header(header::AUTHORIZATION, pass.header.clone());
        }
        if let Some(upload) = upload {
            request = upload.with(request);
        }
        let opened = async {
            // The connector has its own time; what comes on top is waiting for the first byte of the answer.
            let response = match answered(request.send(), connect.saturating_add(idle), (idle, whole), upload).await {
                Some(sent) => sent.map_err(|e| failure::classify(&e, connect))?,
                None => return Err(Box::<Failed>::from(slow(Wait::Idle(idle)))),
            };
            answer::open(response, ask.done(), idle).await
        };
        if ask.payload().is_some_and(Payload::is_large) {
            let response = opened.await?;
            return Ok(Opened { response, idle, whole: (whole, Instant::now() + whole), _permit: permit });
        }
        let response = timeout_at(until, opened).await.unwrap_or_else(|_| Err(slow(Wait::Whole(whole)).into()))?;
        Ok(Opened { response, idle, whole: (whole, until), _permit: permit })
    }

    /// The registry that a request is about where the name of what is asked for has none: this host.
    pub fn itself(&self) -> String {
        settings::host_and_port(&self.base)
    }

    /// Where this is, for messages.
    pub fn address(&self) -> &Untrusted {
        &self.address
    }

    /// The base address with more path behind it; each part is percent-encoded where it must be.
    pub fn url<'p>(&self, parts: impl IntoIterator<Item = &'p str>) -> Url {
        let mut url = self.base.clone();
        // Every http URL has a path, so this cannot fail.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(parts);
        }
        url
    }
}

/// Seconds, for defaults that read like the documentation.
pub(super) const fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_where_nobody_listens_is_tried_again() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let host = Host::new(&HttpSettings::new(format!("http://{free}"))).unwrap();
        let failed = host.attempt(host.client().await.unwrap(), &Ask::get(host.url(["v2"])), None).await.err().unwrap();
        assert!(failed.again, "{:?}", failed.error);
    }

    #[tokio::test]
    async fn what_is_still_being_taken_is_waited_for_and_what_is_not_is_given_up() {
        let (first, idle) = (Duration::from_millis(50), Duration::from_millis(50));
        let upload = Upload::of(&Payload::new(String::new(), vec![0; 1]));
        let taking = async {
            for _ in 0..6 {
                sleep(Duration::from_millis(30)).await;
                upload.note(0);
            }
        };
        assert!(answered(taking, first, (idle, idle), Some(&upload)).await.is_some(), "each piece in time, the whole not");
        let stands = async {
            upload.note(0);
            std::future::pending::<()>().await
        };
        assert!(answered(stands, first, (idle, idle), Some(&upload)).await.is_none());
        assert!(answered(std::future::pending::<()>(), first, (idle, idle), None).await.is_none());
    }
}
