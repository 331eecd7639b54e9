//! What is set, and where.
use super::{Area, Check, without_account};
use crate::{
    settings::{Network, Origin, Settings, Sourced},
    text,
};
use std::{fmt::Display, path::PathBuf, time::Duration};

fn say(name: &str, value: &dyn Display, origin: &Origin) -> Check {
    Check::good(Area::Settings, format!("{name}: {value} ({origin})"))
}

/// Every setting that somebody has made, and those that matter without.
pub fn settings(s: &Settings) -> Vec<Check> {
    let mut all = Vec::new();
    match &s.config {
        Some(file) => all.push(say("configuration file", &text::path(&file.value), &file.origin)),
        None => all.push(Check::good(Area::Settings, "configuration file: none, and none is needed")),
    }
    let place = |name, path: &Option<Sourced<PathBuf>>| path.as_ref().map(|p| say(name, &text::path(&p.value), &p.origin));
    all.extend(place("docker's configuration", &s.docker_dir));
    all.extend(place("state", &s.state_dir));
    match &s.server {
        Some(server) => all.push(say("server", &without_account(&server.value), &server.origin)),
        None => all.push(Check::good(Area::Settings, "server: the one of each repository's registry (default)")),
    }
    all.extend(s.registry.as_ref().map(|set| {
        let whose = set.value.name.as_ref().map(|name| format!(", for names of {name}")).unwrap_or_default();
        say("registry", &format!("{}{whose}", without_account(&set.value.url)), &set.origin)
    }));
    all.extend(of_network(&s.network));
    let pins = &s.trust_pinning;
    let count = pins.value.certs.len() + pins.value.ca.len();
    let first = if pins.value.disable_tofu { "refused" } else { "trusted on first use" };
    all.push(say("roots", &format!("{count} pinned, others {first}"), &pins.origin));
    let yes = |yes: bool| if yes { "yes" } else { "no" };
    for (name, set) in [("read only", &s.read_only), ("colours", &s.color), ("ASCII only", &s.ascii)] {
        all.push(say(name, &yes(set.value), &set.origin));
    }
    let lock = match s.lock_after.value.as_secs() {
        0 => "never".to_owned(),
        n => format!("{n} s"),
    };
    all.push(say("locked when idle for", &lock, &s.lock_after.origin));
    all
}

fn of_network(n: &Network) -> Vec<Check> {
    let mut all = Vec::new();
    if let Some(origin) = &n.checks_off {
        let text = format!("{origin} asks for connections without TLS checks, so no server is asked");
        all.push(Check::error(Area::Settings, text, "Remove it; name the authority of a private server with --tlscacert."));
    }
    all.extend(n.ca.iter().map(|ca| say("certificate authority", &text::path(&ca.value), &ca.origin)));
    all.extend(n.client.iter().map(|c| say("client certificate", &text::path(&c.value.cert), &c.origin)));
    let hosts =
        |name, hosts: &Sourced<Vec<String>>| (!hosts.value.is_empty()).then(|| say(name, &hosts.value.join(", "), &hosts.origin));
    all.extend(hosts("hosts asked without TLS", &n.plain_http));
    all.extend(hosts("trusted_realms, hosts that may ask for a login", &n.trusted_realms));
    let seconds = |name, time: &Sourced<Duration>| say(name, &format!("{} s", time.value.as_secs_f64()), &time.origin);
    all.push(seconds("longest wait for a connection", &n.connect));
    all.push(seconds("longest wait for the next bytes", &n.idle));
    all.push(seconds("longest wait for a whole answer", &n.whole));
    all.push(say("asked again at most", &format!("{} times", n.retries.value), &n.retries.origin));
    all.push(seconds("first pause before asking again", &n.back_off));
    all.push(seconds("longest pause before asking again", &n.longest_pause));
    all.push(say("requests at the same time", &n.parallel.value, &n.parallel.origin));
    all.push(say("proxies", &if n.proxy.value { "those of the environment" } else { "none" }, &n.proxy.origin));
    all
}
