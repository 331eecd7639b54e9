//! Where tokens may be asked for, and with that, where logins may go.
use super::settings::{host_and_port, is_loopback, is_named};
use crate::{net::LoginError, text::Untrusted};
use reqwest::Url;
use std::borrow::Cow;

/// Docker's own issuer, and the hosts that it serves.
const HUB_ISSUER: &str = "auth.docker.io";
const HUB: &[&str] = &["docker.io", "index.docker.io", "registry-1.docker.io", "notary.docker.io"];

/// What we say in the question for a token. A realm that says it first could ask for more, or for somebody else.
const ASKED: &[&str] = &[
    "scope",
    "service",
    "account",
    "offline_token",
    "access_type",
    "client_id",
    "grant_type",
    "username",
    "password",
    "refresh_token",
];

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
        let ours = |(name, _): (Cow<'_, str>, Cow<'_, str>)| ASKED.iter().any(|asked| name.eq_ignore_ascii_case(asked));
        if url.query_pairs().any(ours) {
            return Err(wrong("that says itself what is asked for, and for whom"));
        }
        let hub = host == HUB_ISSUER && url.scheme() == "https" && self.is_hub(registry);
        let own = host.eq_ignore_ascii_case(host_of(registry))
            || host.eq_ignore_ascii_case(&self.server) && self.server_may_have(registry);
        if own || hub || is_named(&self.trusted, &url) {
            return Ok(url);
        }
        Err(LoginError::OtherHost { realm: realm.clone(), host: Untrusted::new(host_and_port(&url)) })
    }
}

impl Realms {
    /// Whether the server may have a registry's login: it is on the registry's own host, or on this machine, or it is
    /// trusted. Another one could name any registry in its list of repositories, and wait until somebody looks.
    pub fn server_may_have(&self, registry: &str) -> bool {
        self.server.eq_ignore_ascii_case(host_of(registry))
            || is_loopback(&self.server)
            || self.is_hub(registry)
            || self.trusted.iter().any(|host| host.eq_ignore_ascii_case(&self.server))
    }

    fn is_hub(&self, registry: &str) -> bool {
        [self.server.as_str(), host_of(registry)].iter().all(|host| HUB.contains(host))
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
            ("auth.example", "docker.io", "https://auth.example/token"),
            ("127.0.0.1", "sandbox.test", "https://127.0.0.1:1/token"),
        ] {
            assert!(admitted(server, registry, realm), "{realm}");
        }
    }

    #[test]
    fn a_server_has_no_business_with_the_login_of_a_registry_elsewhere() {
        let may = |server: &str, registry: &str| {
            let trusted = vec!["notary.corp.example".to_owned(), "sso.example:8443".to_owned()];
            Realms { server: server.to_owned(), trusted, plain_http: Vec::new() }.server_may_have(registry)
        };
        for (server, registry) in [
            ("registry.example", "registry.example:5000"),
            ("notary.corp.example", "registry.corp.example"),
            ("notary.docker.io", "docker.io"),
            ("127.0.0.1", "sandbox.test"),
        ] {
            assert!(may(server, registry), "{server} {registry}");
        }
        for (server, registry) in [
            ("notary.example", "docker.io"),
            ("notary.example", "registry.example"),
            ("evil.docker.io", "docker.io"),
            ("sso.example", "registry.example"),
            ("registry.example.evil", "registry.example"),
        ] {
            assert!(!may(server, registry), "{server} {registry}");
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
            // The login of a registry elsewhere is nothing to the server.
            ("notary.example", "docker.io", "https://notary.example/token"),
            ("notary.example", "registry.example:5000", "https://notary.example/token"),
            // What is asked for is ours to say.
            ("notary.example", "notary.example", "https://notary.example/token?scope=repository:x:*"),
            ("notary.example", "notary.example", "https://notary.example/token?a=b&Account=root"),
            ("notary.example", "notary.example", "https://notary.example/token?%73ervice=other"),
        ] {
            assert!(!admitted(server, registry, realm), "{realm}");
        }
    }
}
