//! The way to the server, step by step, as far as it leads: address, name, connection, TLS, answer, credentials, clock. No
//! credentials are sent, and nothing is asked but whether somebody is there.
use super::{Area, CERTIFICATE_NEAR, Check, OF_DOCKER, client, proxy, without_account};
use crate::{
    net::{
        Endpoint, Greeting, Host, HttpError, HttpSettings, Retry, Route, TransportError, Waits, Wanted, Why, is_loopback,
        said_of_registry,
    },
    settings::{Origin, Settings},
    text::Untrusted,
};
use jiff::Timestamp;
use std::{
    io,
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::{
    net::{TcpStream, lookup_host},
    time::timeout,
};

/// Longest wait for each step, whatever the settings allow: somebody is looking on.
const PATIENCE: Duration = Duration::from_secs(5);
/// Addresses of one name that are tried.
const ADDRESSES: usize = 4;
/// From this difference on, dates of signatures can come out wrong.
const CLOCK_WARN: u64 = 5 * 60;
/// From this difference on, they do.
const CLOCK_ERROR: u64 = 24 * 60 * 60;

/// Whose certificates are accepted if nothing is set.
const OF_SYSTEM: &str = "an authority of this system, or of docker's directory for this server";

/// Looks at the way to the server in force.
pub async fn server(settings: &Settings) -> Vec<Check> {
    let server = match settings.server_for(OF_DOCKER) {
        Ok(server) => server,
        Err(e) => return vec![Check::error(Area::Server, e.to_string(), e.remedy())],
    };
    let shown = without_account(&server.value);
    let mut all = vec![match server.origin {
        Origin::Default => Check::good(
            Area::Server,
            format!("{shown}: docker's for its own registry, as none is set; other registries are asked for their own"),
        ),
        origin => Check::good(Area::Server, format!("{shown} ({origin})")),
    }];
    let by = match &settings.network.ca {
        Some(ca) => format!("the authority that {} names", ca.origin),
        None => OF_SYSTEM.to_owned(),
    };
    let ready = HttpSettings::from_settings(settings, server.value).and_then(|s| {
        let host = Host::new(&shortened(s.clone()))?;
        Ok((host, client::certificate(&s, settings)?))
    });
    match ready {
        Ok((host, shown)) => {
            all.extend(shown);
            walk(&host, &by, "a Notary server", &mut all).await;
        }
        Err(e) => {
            // An address is shown without what somebody may have put into it.
            let text = match &e {
                HttpError::Address { reason, .. } => format!("{shown} is no address of a server: {reason}"),
                e => e.to_string(),
            };
            all.push(Check::error(Area::Server, text, e.remedy()));
        }
    }
    all
}

/// Looks at the way to the registry that was set, if one was.
pub async fn registry(settings: &Settings) -> Vec<Check> {
    let Some(set) = &settings.registry else { return Vec::new() };
    let shown = without_account(&set.value.url);
    let whose = set.value.name.as_ref().map(|name| format!(", for names of {name}")).unwrap_or_default();
    let mut all = vec![Check::good(Area::Registry, format!("{shown}{whose} ({})", set.origin))];
    let any = match &settings.network.ca {
        Some(ca) => format!("the authority that {} names, or {OF_SYSTEM}", ca.origin),
        None => OF_SYSTEM.to_owned(),
    };
    match HttpSettings::of_registry(settings, &set.value.url).and_then(|s| Host::new(&shortened(s))) {
        Ok(host) => walk(&host, &any, "a registry", &mut all).await,
        Err(HttpError::Address { reason, .. }) => {
            let next = "Give an address such as https://registry.example.com:5000 (--registry).";
            all.push(Check::error(Area::Registry, format!("{shown} is no address of a registry: {reason}"), next));
        }
        Err(e) => all.push(Check::error(Area::Registry, e.to_string(), e.remedy())),
    }
    let said = |check: Check| Check { area: Area::Registry, next: check.next.as_deref().map(said_of_registry), ..check };
    all.into_iter().map(said).collect()
}

fn shortened(s: HttpSettings) -> HttpSettings {
    HttpSettings { waits: brief(s.waits), retry: Retry { times: 0, ..s.retry }, ..s }
}

fn brief(waits: Waits) -> Waits {
    let Waits { connect, idle, whole } = waits;
    Waits { connect: connect.min(PATIENCE), idle: idle.min(PATIENCE), whole: whole.min(PATIENCE) }
}

/// `by` is whose authority is accepted, and `kind` what should answer there.
async fn walk(host: &Host, by: &str, kind: &str, all: &mut Vec<Check>) {
    let endpoint = host.endpoint();
    all.extend(proxy::proxies(&endpoint));
    match &endpoint.route {
        // Only the proxy knows the way.
        Route::Proxy(_) => {}
        Route::Direct | Route::Excepted => match reach(&endpoint).await {
            Ok(found) => all.extend(found),
            Err(found) => return all.extend(found),
        },
    }
    match host.greet().await {
        Ok(greeting) => {
            all.push(secured(&endpoint, &greeting, by));
            all.push(answered(&greeting, kind));
            all.extend(greeting.date.map(|theirs| clock(theirs, Timestamp::now())));
        }
        Err(e) => all.push(unanswered(&e)),
    }
}

/// Looks for the name and tries its addresses; an error is where the way ends.
async fn reach(endpoint: &Endpoint) -> Result<Vec<Check>, Vec<Check>> {
    let Endpoint { host, port, .. } = endpoint;
    let mut all = Vec::new();
    let addresses: Vec<SocketAddr> = match host.parse::<IpAddr>() {
        Ok(ip) => vec![SocketAddr::new(ip, *port)],
        Err(_) => {
            let asked = timeout(PATIENCE, lookup_host((host.as_str(), *port))).await;
            let found = asked.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map(Iterator::collect::<Vec<_>>);
            match found {
                Ok(found) if !found.is_empty() => {
                    let mut shown: Vec<String> = found.iter().map(|a| a.ip().to_string()).collect();
                    shown.dedup();
                    let said = Check::good(
                        Area::Server,
                        if shown.len() == 1 { "its name has an address" } else { "its name has addresses" },
                    );
                    all.push(said.detail(shown.join(", ")));
                    found
                }
                found => {
                    let why = found.err().map(|e| e.to_string()).unwrap_or_default();
                    all.push(away(Why::Dns).detail(why));
                    return Err(all);
                }
            }
        }
    };
    let mut last = String::new();
    for address in addresses.iter().take(ADDRESSES) {
        match timeout(PATIENCE, TcpStream::connect(address)).await {
            Ok(Ok(_)) => {
                all.push(Check::good(Area::Server, format!("port {port} accepts connections")));
                return Ok(all);
            }
            Ok(Err(e)) => last = format!("{address}: {e}"),
            Err(_) => last = format!("{address}: no answer within {} s", PATIENCE.as_secs()),
        }
    }
    all.push(away(Why::Connect).detail(last));
    Err(all)
}

/// Work with keys needs no server, so one that is away is no error.
fn away(why: Why) -> Check {
    let why = TransportError::Unreachable { why, text: Untrusted::default() };
    Check::warn(Area::Server, why.to_string(), why.remedy())
}

fn unanswered(error: &TransportError) -> Check {
    let TransportError::Unreachable { why, text } = error else {
        return Check::error(Area::Server, error.to_string(), error.remedy());
    };
    let check = match why {
        Why::Tls(fault) => Check::error(Area::Server, format!("TLS: {fault}"), error.remedy()),
        why => away(*why),
    };
    check.detail(text.raw())
}

/// How the connection was secured.
fn secured(endpoint: &Endpoint, greeting: &Greeting, by: &str) -> Check {
    if !endpoint.tls {
        let text = "no TLS: whoever is on the way can read what is asked, and withhold answers";
        return match is_loopback(&endpoint.host) {
            true => Check::good(Area::Server, "no TLS, and none is needed on this machine"),
            false => Check::warn(Area::Server, text, "Use https://, if the server offers it."),
        };
    }
    let text = format!("TLS: its certificate holds, by {by}");
    let Some(until) = greeting.valid_until else { return Check::good(Area::Server, text) };
    let text = format!("{text}; valid until {}", until.strftime("%Y-%m-%d"));
    match until.as_second().saturating_sub(Timestamp::now().as_second()) < CERTIFICATE_NEAR {
        true => Check::warn(Area::Server, text, "Tell whoever runs the server: it needs a new certificate soon."),
        false => Check::good(Area::Server, text),
    }
}

/// What was answered to somebody who gave no credentials.
fn answered(greeting: &Greeting, kind: &str) -> Check {
    let status = greeting.status;
    let strange = |text: &str, next: &str| Check::warn(Area::Server, format!("{text} (status {status})"), next);
    match status {
        200 => Check::good(Area::Server, "it answers, and wants no credentials for that"),
        401 => wants(&greeting.wants),
        403 => strange("it answers, and lets nobody in without credentials", "Check that it is the right server."),
        300..=399 => {
            strange("it points elsewhere, which is not followed", "If that address is the right one, give it with --server.")
                .detail(greeting.elsewhere.as_ref().map(Untrusted::raw).unwrap_or_default())
        }
        500..=599 => strange("it answers that it does not work", "Try again later, or tell whoever runs the server."),
        _ => {
            let text = format!("it answers, but not as {kind} does (status {status})");
            Check::error(Area::Server, text, format!("Check that the address is that of {kind}."))
        }
    }
}

fn wants(all: &[Wanted]) -> Check {
    let is = |name: &str| all.iter().find(|w| w.scheme.raw().eq_ignore_ascii_case(name));
    let (text, wanted) = match (is("bearer"), is("basic"), all.first()) {
        (Some(w), _, _) => ("it answers, and wants a token (bearer) first".to_owned(), Some(w)),
        (None, Some(w), _) => ("it answers, and wants a name and a password (basic) first".to_owned(), Some(w)),
        (None, None, Some(w)) => {
            (format!("it answers, and wants credentials of a kind that claviger does not know: {}", w.scheme.shown()), Some(w))
        }
        (None, None, None) => ("it answers, and wants credentials without saying which".to_owned(), None),
    };
    let realm = wanted.and_then(|w| w.realm.as_ref());
    Check::info(Area::Server, text).detail(realm.map(|r| format!("realm {}", r.raw())).unwrap_or_default())
}

/// How far apart the two clocks are.
fn clock(theirs: Timestamp, ours: Timestamp) -> Check {
    let apart = ours.as_second().saturating_sub(theirs.as_second());
    let side = if apart < 0 { "behind" } else { "ahead of" };
    let text = match apart.unsigned_abs() {
        0..=CLOCK_WARN => return Check::good(Area::Server, "this machine's clock agrees with the server's"),
        s if s < 2 * 60 * 60 => format!("{} minutes", s / 60),
        s if s < 2 * CLOCK_ERROR => format!("{} hours", s / 3600),
        s => format!("{} days", s / CLOCK_ERROR),
    };
    let text = format!("this machine's clock is {text} {side} the server's");
    let next = "Set the one that is wrong: what has expired is judged by this machine's clock.";
    match apart.unsigned_abs() > CLOCK_ERROR {
        true => Check::error(Area::Server, text, next),
        false => Check::warn(Area::Server, text, next),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Severity;

    #[test]
    fn clocks_may_differ_by_five_minutes_and_never_by_more_than_a_day() {
        let now: Timestamp = "2026-06-01T12:00:00Z".parse().unwrap();
        for (seconds, severity, says) in [
            (0, None, "agrees"),
            (300, None, "agrees"),
            (-300, None, "agrees"),
            (301, Some(Severity::Warn), "is 5 minutes behind the server's"),
            (-301, Some(Severity::Warn), "is 5 minutes ahead of the server's"),
            (86_400, Some(Severity::Warn), "is 24 hours behind the server's"),
            (86_401, Some(Severity::Error), "is 24 hours behind the server's"),
            (-400 * 86_400, Some(Severity::Error), "is 400 days ahead of the server's"),
        ] {
            let check = clock(Timestamp::from_second(now.as_second() + seconds).unwrap(), now);
            assert!(check.severity == severity && check.text.contains(says), "{seconds}: {check:?}");
        }
        assert_eq!(clock(Timestamp::MIN, Timestamp::MAX).severity, Some(Severity::Error));
    }
}
