//! What a connection to a server needs to know, and what makes it impossible before anybody is asked.
use super::host::seconds;
use crate::{
    net::login::Logins,
    settings::{ClientPair, Settings},
    text::Untrusted,
};
use reqwest::Url;
use std::{net::IpAddr, path::PathBuf, time::Duration};

/// Where docker keeps the certificates of registries.
const DOCKER_CERTIFICATES: &str = "/etc/docker/certs.d";

/// How to reach one server.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// The server's URL; it may have a path, but no user, query or fragment.
    pub server: String,
    /// The only authority whose certificates are accepted (PEM, one or more). None: the platform's, and docker's.
    pub ca: Option<PathBuf>,
    /// How we show who we are. None: docker's, if there is one.
    pub client: Option<ClientPair>,
    /// Authorities that are accepted besides.
    pub more_ca: Vec<PathBuf>,
    /// Docker's directories of certificates, which have a directory `HOST[:PORT]` for each server that needs one (protocol
    /// 11.4). The first that has one for a server counts.
    pub docker_tls: Vec<PathBuf>,
    /// How long to wait.
    pub waits: Waits,
    /// When to ask again.
    pub retry: Retry,
    /// Most requests at the same time; at least 1.
    pub parallel: usize,
    /// Whether the system's proxy is used. Never for loopback.
    pub proxy: Proxy,
    /// Hosts, or `host:port`, that may be asked without TLS. Loopback always may.
    pub plain_http: Vec<String>,
    /// Where logins are found; none: every request is made as nobody.
    pub logins: Option<Logins>,
    /// Hosts, or `host:port`, besides the server's and the registry's own that may ask for a login.
    pub trusted_realms: Vec<String>,
}

impl HttpSettings {
    /// A server with the defaults for everything else.
    pub fn new(server: impl Into<String>) -> Self {
        Self {
            server: server.into(),
            ca: None,
            client: None,
            more_ca: Vec::new(),
            docker_tls: Vec::new(),
            waits: Waits::default(),
            retry: Retry::default(),
            parallel: 8,
            proxy: Proxy::System,
            plain_http: Vec::new(),
            logins: None,
            trusted_realms: Vec::new(),
        }
    }

    /// The registry that repositories of this server belong to whose names begin with none: the server itself. None if its
    /// address cannot be used.
    pub fn itself(&self) -> Option<String> {
        base(self).ok().map(|url| host_and_port(&url))
    }

    /// A server with what the user has set.
    ///
    /// # Errors
    /// [`HttpError::ChecksOff`] when a setting asks for connections that nobody checks.
    pub fn from_settings(settings: &Settings, server: impl Into<String>) -> Result<Self, HttpError> {
        let set = &settings.network;
        if let Some(origin) = &set.checks_off {
            return Err(HttpError::ChecksOff { origin: origin.to_string() });
        }
        Ok(Self {
            server: server.into(),
            ca: set.ca.as_ref().map(|s| s.value.clone()),
            client: set.client.as_ref().map(|s| s.value.clone()),
            more_ca: Vec::new(),
            docker_tls: settings.docker_dir.iter().map(|d| d.value.join("tls")).collect(),
            waits: Waits { connect: set.connect.value, idle: set.idle.value, whole: set.whole.value },
            retry: Retry { times: set.retries.value, first: set.back_off.value, longest: set.longest_pause.value },
            parallel: usize::try_from(set.parallel.value).unwrap_or(1),
            proxy: if set.proxy.value { Proxy::System } else { Proxy::None },
            plain_http: set.plain_http.value.clone(),
            logins: Some(logins(settings)),
            trusted_realms: set.trusted_realms.value.clone(),
        })
    }

    /// A registry with what the user has set. What is for the Notary server alone is not for it: the client certificate, and
    /// `NOTARY_AUTH`; and the server's authority is one more, because images may well be elsewhere.
    ///
    /// # Errors
    /// As [`HttpSettings::from_settings`].
    pub fn of_registry(settings: &Settings, url: impl Into<String>) -> Result<Self, HttpError> {
        let mut of = Self::from_settings(settings, url)?;
        of.more_ca.extend(of.ca.take());
        of.client = None;
        of.docker_tls.push(PathBuf::from(DOCKER_CERTIFICATES));
        of.logins = of.logins.map(|logins| Logins { notary_auth: None, ..logins });
        Ok(of)
    }
}

/// The logins of this process. `NOTARY_AUTH` belongs to no registry, so it is for the server that somebody has set, and not
/// for whichever the name of a repository leads to.
fn logins(settings: &Settings) -> Logins {
    let logins = Logins::of_process(settings.docker_dir.as_ref().map(|d| d.value.clone()));
    if settings.server.is_some() { logins } else { Logins { notary_auth: None, ..logins } }
}

/// How long to wait for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// For the next bytes of an answer.
    pub idle: Duration,
    /// For one whole answer, connection included.
    pub whole: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self { connect: seconds(10), idle: seconds(30), whole: seconds(300) }
    }
}

/// When a request is sent again. Only reading is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How many times after the first.
    pub times: u32,
    /// The first pause; each further one is twice as long.
    pub first: Duration,
    /// The longest pause, also where the server asks for one. If it asks for more, its answer is final.
    pub longest: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self { times: 2, first: Duration::from_millis(200), longest: seconds(20) }
    }
}

/// Whether requests go through a proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proxy {
    /// The one that `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` name.
    System,
    /// None.
    None,
}

/// Why no server can be asked with these settings. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is no URL with `https`.
    #[error("{} is no address of a server: {reason}", .server.shown())]
    Address {
        /// What was given.
        server: Untrusted,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// `http://` to a host that nobody named.
    #[error("{} would be asked without TLS", .server.shown())]
    PlainHttp {
        /// What was given.
        server: Untrusted,
        /// Its host, and port if it has one.
        host: Untrusted,
    },
    /// A setting asks that certificates are not checked.
    #[error("{origin} switches the TLS checks off, and then anybody on the way could answer in the server's place")]
    ChecksOff {
        /// Where the setting comes from.
        origin: String,
    },
    /// A TLS file cannot be read.
    #[error("{} cannot be read: {reason}", path_shown(.path))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: std::io::Error,
    },
    /// A TLS file is not what it should be.
    #[error("{} {reason}", path_shown(.path))]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it, to be read after its name.
        reason: &'static str,
    },
}

fn path_shown(path: &std::path::Path) -> crate::text::Printable {
    Untrusted::new(path.to_string_lossy()).shown()
}

impl HttpError {
    /// What did not happen.
    pub fn did_not_happen(&self) -> &'static str {
        "No server was asked."
    }

    /// What to do next, as one sentence.
    pub fn remedy(&self) -> String {
        match self {
            Self::Address { .. } => "Give an address such as https://notary.example.com:4443 (--server).".into(),
            Self::PlainHttp { host, .. } => {
                format!(
                    "Use https://, or name the host if nothing there needs to be kept from others: --plain-http {}.",
                    host.shown()
                )
            }
            Self::ChecksOff { .. } => "Remove it, and give the server's CA instead (--tlscacert FILE, or root_ca).".into(),
            Self::Unreadable { .. } => "Check the path and the file's permissions.".into(),
            Self::File { .. } => "Give a PEM file; a client certificate and its unencrypted key come as a pair.".into(),
        }
    }
}

/// Whether a host is this machine by its very name: `localhost`, `127.0.0.0/8` or `::1`. A name that only resolves to
/// such an address is not.
pub fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// The base address, if it may be asked.
pub(super) fn base(settings: &HttpSettings) -> Result<Url, HttpError> {
    // A URL with a password is never repeated.
    let address = |reason, shown: &str| HttpError::Address { server: Untrusted::new(shown), reason };
    let given = settings.server.as_str();
    let url = Url::parse(given).map_err(|_| address("it is no URL", given))?;
    let Some(host) = url.host_str().map(str::to_owned) else {
        return Err(address("it names no host", given));
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(address("a user or password does not belong into it", &host));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(address("it may not have a query or fragment", given));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" => {
            if is_loopback(&host) || is_named(&settings.plain_http, &url) {
                return Ok(url);
            }
            let with_port = host_and_port(&url);
            Err(HttpError::PlainHttp { server: Untrusted::new(given), host: Untrusted::new(with_port) })
        }
        _ => Err(address("it does not begin with https://", given)),
    }
}

/// Whether a list has the URL's host, with its port or without.
pub(super) fn is_named(list: &[String], url: &Url) -> bool {
    let (host, with_port) = (url.host_str().unwrap_or_default(), host_and_port(url));
    list.iter().any(|n| n.eq_ignore_ascii_case(host) || n.eq_ignore_ascii_case(&with_port))
}

/// `host`, or `host:port` if the URL has a port.
pub(super) fn host_and_port(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |p| format!("{host}:{p}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(server: &str, plain: &[&str]) -> Result<Url, HttpError> {
        let plain_http = plain.iter().map(|s| (*s).to_owned()).collect();
        base(&HttpSettings { plain_http, ..HttpSettings::new(server) })
    }

    #[test]
    fn plain_http_is_for_loopback_and_for_hosts_that_were_named() {
        for (server, plain) in [
            ("https://notary.example.com", &[][..]),
            ("http://localhost:4443", &[]),
            ("http://127.8.9.1", &[]),
            ("http://[::1]:80", &[]),
            ("http://lab.example", &["lab.example"]),
            ("http://lab.example:81", &["lab.example"]),
            ("http://LAB.example:81", &["lab.EXAMPLE:81"]),
        ] {
            assert!(check(server, plain).is_ok(), "{server}");
        }
        for (server, plain) in [
            ("http://lab.example", &[][..]),
            ("http://lab.example:82", &["lab.example:81"]),
            ("http://localhost.example.com", &[]),
            ("http://127.0.0.1.example.com", &[]),
            ("http://10.0.0.1", &[]),
        ] {
            assert!(matches!(check(server, plain), Err(HttpError::PlainHttp { .. })), "{server}");
        }
    }

    #[test]
    fn a_setting_that_switches_checks_off_is_refused_with_its_reason() {
        let home = [("HOME".to_owned(), "/home/u".into())].into();
        let read = |p: &std::path::Path| {
            Ok(p.ends_with(".notary/config.json").then(|| br#"{"remote_server":{"skipTLSVerify":true}}"#.to_vec()))
        };
        let settings = Settings::resolve(&Default::default(), &home, &read).unwrap();
        let text = HttpSettings::from_settings(&settings, "https://x").unwrap_err().to_string();
        assert!(
            text.starts_with("remote_server.skipTLSVerify in /home/u/.notary/config.json switches the TLS checks off"),
            "{text}"
        );
    }

    #[test]
    fn what_is_set_reaches_the_connection() {
        let environment = [("HOME".to_owned(), "/home/u".into())].into();
        let flags = crate::settings::Flags { plain_http: vec!["lab".into()], tlscacert: Some("ca".into()), ..Default::default() };
        let settings = Settings::resolve(&flags, &environment, &|_| Ok(None)).unwrap();
        let http = HttpSettings::from_settings(&settings, "http://lab").unwrap();
        assert_eq!((http.ca, http.docker_tls), (Some("ca".into()), vec!["/home/u/.docker/tls".into()]));
        assert_eq!((http.waits, http.retry, http.proxy), (Waits::default(), Retry::default(), Proxy::System));
        assert_eq!(http.plain_http, ["lab"]);
    }

    #[test]
    fn an_address_is_a_plain_url() {
        for server in ["", "notary.example.com", "ftp://x", "file:///etc", "https://x/?a", "https://x/#a", "https://u:secret@x/"]
        {
            let e = check(server, &[]).unwrap_err();
            assert!(matches!(e, HttpError::Address { .. }), "{server}");
            assert!(!e.to_string().contains("secret"));
        }
    }
}
