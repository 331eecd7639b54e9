//! Where tokens may be asked for, and with that, where logins may go.
use super::settings::{host_and_port, is_loopback, is_named};
use crate::{notary::LoginError, text::Untrusted};
use reqwest::Url;

/// Docker's own issuer, and the hosts that it serves.
const HUB_ISSUER: &str = "auth.docker.io";
const HUB: &[&str] = &["docker.io", "index.docker.io", "registry-1.docker.io", "notary.docker.io"];

/// What decides whether an address for tokens is used.
#[derive(Debug, Clone)]
pub(super) struct Realms {
    /// The server's host.
    pub server: String,
    /// Hosts, or `host:port`, that the configuration trusts besides.
    pub trusted: Vec<String>,
    /// Hosts, or `host:port`, that may be asked without TLS.
    pub plain_http: Vec<String>,
}

impl Realms {
    /// The address, if it is on the host of the server or of the registry, or on one that is trusted. Not even a token for
    /// nobody is asked for elsewhere: the question says who reads which repository.
    pub fn admit(&self, realm: &Untrusted, registry: &str) -> Result<Url, LoginError> {
        let wrong = |reason| LoginError::Realm { realm: realm.clone(), reason };
        let url = Url::parse(realm.raw()).map_err(|_| wrong("that is no address"))?;
        let host = url.host_str().ok_or_else(|| wrong("that names no host"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("that has a user in it"));
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(host) || is_named(&self.plain_http, &url) => {}
            "http" => return Err(wrong("that is not secured by TLS")),
            _ => return Err(wrong("that does not begin with https://")),
        }
        let hub = host == HUB_ISSUER
            && url.scheme() == "https"
            && [self.server.as_str(), host_of(registry)].iter().all(|h| HUB.contains(h));
        let own = [self.server.as_str(), host_of(registry)].iter().any(|h| host.eq_ignore_ascii_case(h));
        if own || hub || is_named(&self.trusted, &url) {
            return Ok(url);
        }
        Err(LoginError::OtherHost { realm: realm.clone(), host: Untrusted::new(host_and_port(&url)) })
    }
}

/// A registry without its port.
fn host_of(registry: &str) -> &str {
    match registry.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => registry,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(server: &str, registry: &str, realm: &str) -> bool {
        let trusted = vec!["auth.example".to_owned(), "sso.example:8443".to_owned()];
        let realms = Realms { server: server.to_owned(), trusted, plain_http: vec!["lab.example".to_owned()] };
        realms.admit(&Untrusted::new(realm), registry).is_ok()
    }

    #[test]
    fn a_login_goes_to_the_servers_own_host_and_to_hosts_that_are_trusted() {
        for (server, registry, realm) in [
            ("notary.example", "notary.example", "https://notary.example/token"),
            ("notary.example", "notary.example", "https://NOTARY.example:8443/token?a=b"),
            ("notary.example", "registry.example:5000", "https://registry.example/token"),
            ("notary.example", "notary.example", "https://auth.example/token"),
            ("notary.example", "notary.example", "https://sso.example:8443/token"),
            ("127.0.0.1", "127.0.0.1:5000", "http://127.0.0.1:99/token"),
            ("lab.example", "lab.example", "http://lab.example/token"),
            ("notary.docker.io", "docker.io", "https://auth.docker.io/token"),
        ] {
            assert!(admitted(server, registry, realm), "{realm}");
        }
    }

    #[test]
    fn a_realm_on_another_host_gets_nothing() {
        for (server, registry, realm) in [
            ("notary.example", "notary.example", "https://evil.example/token"),
            ("notary.example", "notary.example", "https://notary.example.evil.example/token"),
            ("notary.example", "notary.example", "https://notary.example@evil.example/token"),
            ("notary.example", "notary.example", "https://user:x@notary.example/token"),
            ("notary.example", "notary.example", "http://notary.example/token"),
            ("notary.example", "notary.example", "https://sso.example/token"),
            ("notary.example", "notary.example", "ftp://notary.example/token"),
            ("notary.example", "notary.example", "/token"),
            ("notary.example", "notary.example", ""),
            ("notary.example", "notary.example", "https://auth.docker.io/token"),
            ("notary.example", "docker.io", "https://auth.docker.io/token"),
            ("notary.docker.io", "docker.io", "http://auth.docker.io/token"),
        ] {
            assert!(!admitted(server, registry, realm), "{realm}");
        }
    }
}
