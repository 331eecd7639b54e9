//! What a server says to whoever comes (`GET /v2/`, protocol 10.1): for a look at the way to it, not for its data.
use super::{Host, Proxy, challenge, failure};
use crate::{
    net::{TransportError, Wait, Why},
    text::Untrusted,
    tuf::x509::Leaf,
};
use hyper_util::client::proxy::matcher::Matcher;
use jiff::{Timestamp, fmt::rfc2822::DateTimeParser};
use reqwest::{header, tls::TlsInfo};
use tokio::time::timeout;

/// Where a server is, as far as a connection needs to know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// A name, or an address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// Whether the connection is secured.
    pub tls: bool,
    /// How it is reached.
    pub route: Route,
}

/// How a server is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// Directly.
    Direct,
    /// Directly, because `NO_PROXY` says so.
    Excepted,
    /// Through the proxy at this address.
    Proxy(Untrusted),
}

/// The answer, whatever its status is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Greeting {
    /// The status.
    pub status: u16,
    /// What it wants before it answers, in its order.
    pub wants: Vec<Wanted>,
    /// Where it points to instead.
    pub elsewhere: Option<Untrusted>,
    /// What the server's clock shows, to the second.
    pub date: Option<Timestamp>,
    /// Until when its certificate is valid, where the connection was secured.
    pub valid_until: Option<Timestamp>,
}

/// One way to say who one is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// How: `bearer`, `basic` or a word that the protocol does not have.
    pub scheme: Untrusted,
    /// Where a token comes from, or what a password is for.
    pub realm: Option<Untrusted>,
}

impl Host {
    /// Where it is.
    pub fn endpoint(&self) -> Endpoint {
        let host = self.base.host_str().unwrap_or_default();
        Endpoint {
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: self.base.port_or_known_default().unwrap_or_default(),
            tls: self.base.scheme() == "https",
            route: self.route(),
        }
    }

    /// What the client will decide too, as it is this that decides it there.
    fn route(&self) -> Route {
        let Ok(address) = self.base.as_str().parse() else { return Route::Direct };
        if self.proxy == Proxy::None {
            return Route::Direct;
        }
        if let Some(proxy) = Matcher::from_system().intercept(&address) {
            return Route::Proxy(Untrusted::new(proxy.uri().to_string()));
        }
        let named = ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"];
        let mut all = Matcher::builder();
        for name in named {
            let Ok(value) = std::env::var(name) else { continue };
            all = match name.split('_').next() {
                Some("HTTPS" | "https") => all.https(value),
                Some("HTTP" | "http") => all.http(value),
                _ => all.all(value),
            };
        }
        if all.build().intercept(&address).is_some() { Route::Excepted } else { Route::Direct }
    }

    /// Asks once, without credentials, and reads no body.
    ///
    /// # Errors
    /// [`TransportError::Unreachable`]: there was no answer.
    pub async fn greet(&self) -> Result<Greeting, TransportError> {
        let client = self.client().await?;
        let patience = self.waits.whole.min(self.waits.connect.saturating_add(self.waits.idle));
        let slow = |_| TransportError::Unreachable { why: Why::Timeout(Wait::Idle(patience)), text: Untrusted::default() };
        let sent = timeout(patience, client.get(self.url(["v2", ""])).send()).await.map_err(slow)?;
        let answer = sent.map_err(|e| failure::classify(&e, self.waits.connect).error)?;
        let header = |name| answer.headers().get(name).map(|v: &header::HeaderValue| Untrusted::from_bytes(v.as_bytes()));
        let challenges = answer.headers().get_all(header::WWW_AUTHENTICATE).iter();
        let certificate = answer.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate).and_then(Leaf::from_der);
        Ok(Greeting {
            status: answer.status().as_u16(),
            wants: challenges
                .flat_map(|v| challenge::parse(&String::from_utf8_lossy(v.as_bytes())))
                .map(|c| Wanted { scheme: c.word, realm: c.realm })
                .collect(),
            elsewhere: header(header::LOCATION),
            date: header(header::DATE).and_then(|d| DateTimeParser::new().relaxed_weekday(true).parse_timestamp(d.raw()).ok()),
            valid_until: certificate.map(|c| c.not_after),
        })
    }
}
