//! The way to the server: what doctor says of each place where it can end, and what mends it.
use super::{doctor, said};
use crate::{
    loopback::{Server, reply},
    peers::{
        program::program,
        server::{Kind, NotaryServer},
    },
    sandbox_registry::peer::RealRegistry,
    transport_tls::{Authority, serve},
};
use jiff::{SignedDuration, Timestamp};
use rcgen::date_time_ymd;
use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

/// What is said about the server: severity, text, what is left out of a report, and what mends it.
struct Said(Vec<(String, String, String, String)>);

impl Said {
    /// Of the server at this address, with more arguments.
    fn of(url: &str, arguments: &[&str]) -> Self {
        Self::of_area("server", url, arguments)
    }

    fn of_area(area: &str, url: &str, arguments: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut command = doctor(home.path(), "/nonexistent");
        let output = command.args(["--json", &format!("--{area}"), url]).args(arguments).output().unwrap();
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = |check: &Value, name: &str| check[name].as_str().unwrap_or_default().to_owned();
        let all = found["checks"].as_array().unwrap().iter().filter(|c| c["area"] == area);
        let said = Self(all.map(|c| (text(c, "severity"), text(c, "text"), text(c, "detail"), text(c, "next"))).collect());
        let unwell = said.0.iter().any(|(severity, ..)| severity == "error");
        assert_eq!(output.status.code(), Some(i32::from(unwell)), "{:?}: {}", said.0, String::from_utf8_lossy(&output.stderr));
        said
    }

    /// The last check, where the way ends.
    #[track_caller]
    fn ends(&self, severity: &str, text: &str, next: &str) {
        let (s, t, _, n) = self.0.last().unwrap();
        assert!(s == severity && t.contains(text) && n.contains(next), "{:?}", self.0);
        assert!(n.is_empty() == next.is_empty(), "{:?}", self.0);
    }

    /// A check that was made.
    #[track_caller]
    fn has(&self, severity: &str, text: &str) -> &str {
        let found = self.0.iter().find(|(s, t, ..)| s == severity && t.contains(text));
        &found.unwrap_or_else(|| panic!("{:?}", self.0)).2
    }
}

fn https(server: &Server) -> String {
    format!("https://localhost:{}", server.addr.port())
}

fn of_tls(server: &Server, authority: &Authority) -> Said {
    Said::of(&https(server), &["--tlscacert", authority.ca().to_str().unwrap()])
}

#[test]
fn of_a_real_server_every_step_is_well() {
    let server = NotaryServer::shared(Kind::Local);
    let said = Said::of(&server.url(), &["--tlscacert", server.ca().to_str().unwrap()]);
    let well = [
        "(--server)",
        "accepts connections",
        "TLS: its certificate holds, by the authority that --tlscacert names; valid until 20",
    ];
    for text in well.into_iter().chain(["it answers, and wants no credentials", "this machine's clock agrees"]) {
        said.has("ok", text);
    }
    assert_eq!(said.0.len(), 5, "{:?}", said.0);
}

#[test]
fn each_failure_of_tls_is_an_error_with_its_remedy_on_loopback_too() {
    let (authority, other) = (Authority::new("ours"), Authority::new("other"));
    let good = authority.server("localhost", |_| {});
    let server = serve(&good, None, rustls::ALL_VERSIONS);
    of_tls(&server, &other).ends("error", "TLS: its certificate is signed by an unknown authority", "--tlscacert FILE");
    Said::of(&https(&server), &[]).ends("error", "TLS: its certificate is signed by an unknown authority", "--tlscacert FILE");
    assert_eq!(server.requests(), 0, "nothing was asked");

    let times = [(2001, "has expired"), (4001, "is not valid yet")];
    for (year, why) in times {
        let leaf = authority.server("localhost", |p| {
            (p.not_before, p.not_after) = (date_time_ymd(year, 1, 1), date_time_ymd(year + 1, 1, 1));
        });
        of_tls(&serve(&leaf, None, rustls::ALL_VERSIONS), &authority).ends(
            "error",
            &format!("TLS: its certificate {why}"),
            "clock",
        );
    }

    let server = serve(&authority.server("notary.example.com", |_| {}), None, rustls::ALL_VERSIONS);
    let said = of_tls(&server, &authority);
    said.ends("error", "TLS: its certificate is for another name", "(--server)");
    assert!(said.has("error", "TLS").contains("notary.example.com"), "which one, is said");

    let pair = authority.client();
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let server = serve(&good, Some(&authority), &[version]);
        of_tls(&server, &authority).ends("error", "TLS: it wants a client certificate", "--tlscert FILE");
        let (ca, cert, key) = (authority.ca(), pair.cert.to_str().unwrap(), pair.key.to_str().unwrap());
        let said = Said::of(&https(&server), &["--tlscacert", ca.to_str().unwrap(), "--tlscert", cert, "--tlskey", key]);
        said.has("ok", "it answers");
    }

    let plain = Server::saying(reply("200 OK", "", "{}"));
    of_tls(&plain, &authority).ends("error", "TLS: it does not speak TLS as we do", "--plain-http HOST");
    let old = OldServer::start(&good);
    let said = Said::of(&format!("https://localhost:{}", old.port), &["--tlscacert", authority.ca().to_str().unwrap()]);
    said.ends("error", "TLS: it does not speak TLS as we do", "Check the port");
}

/// A server that speaks nothing newer than TLS 1.1.
struct OldServer {
    child: Child,
    port: u16,
    _dir: tempfile::TempDir,
}

impl OldServer {
    fn start(leaf: &(String, String)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            std::fs::write(dir.path().join(name), text).unwrap();
            dir.path().join(name)
        };
        let (cert, key) = (file("cert.pem", &leaf.0), file("key.pem", &leaf.1));
        let mut command = Command::new(program("openssl"));
        command.args(["s_server", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0", "-accept", "127.0.0.1:0", "-www", "-cert"]);
        command.arg(cert).arg("-key").arg(key).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = lines.map_while(Result::ok).find_map(|l| l.strip_prefix("ACCEPT 127.0.0.1:")?.parse().ok());
        Self { child, port: port.unwrap(), _dir: dir }
    }
}

impl Drop for OldServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_a_server_wants_is_said_and_nothing_of_it_given() {
    let realm = "https://auth.elsewhere.test/token";
    let bearer = format!("WWW-Authenticate: Bearer realm=\"{realm}\",service=\"notary\"\r\n");
    for (status, headers, severity, text, detail) in [
        ("401 Unauthorized", bearer.as_str(), "info", "wants a token (bearer) first", realm),
        (
            "401 Unauthorized",
            "WWW-Authenticate: Basic realm=\"the \u{202e} lab\"\r\n",
            "info",
            "a name and a password (basic) first",
            "the \u{202e} lab",
        ),
        ("401 Unauthorized", "WWW-Authenticate: Negotiate\r\n", "info", "of a kind that claviger does not know: Negotiate", ""),
        ("401 Unauthorized", "", "info", "wants credentials without saying which", ""),
        ("403 Forbidden", "", "warn", "lets nobody in without credentials (status 403)", ""),
        (
            "302 Found",
            "Location: https://elsewhere.test/\r\n",
            "warn",
            "it points elsewhere, which is not followed",
            "https://elsewhere.test/",
        ),
        ("404 Not Found", "", "error", "not as a Notary server does (status 404)", ""),
        ("503 Service Unavailable", "", "warn", "that it does not work (status 503)", ""),
    ] {
        let server = Server::saying(reply(status, headers, ""));
        let said = Said::of(&server.url(), &[]);
        let shown = detail.replace('\u{202e}', "<202e>");
        assert!(said.has(severity, text).ends_with(&shown), "{:?}", said.0);
        assert_eq!(server.requests(), 1, "{status}: it is asked once");
        assert!(server.heads().iter().all(|h| !h.to_ascii_lowercase().contains("authorization")));
    }
}

#[test]
fn clocks_that_differ_are_named_by_how_much() {
    for (hours, severity, text) in [
        (0, "ok", "this machine's clock agrees with the server's"),
        (3, "warn", "hours behind the server's"),
        (-3, "warn", "hours ahead of the server's"),
        (24 * 100, "error", "days behind the server's"),
    ] {
        let date = Timestamp::now().saturating_add(SignedDuration::from_hours(hours)).unwrap();
        let date = date.strftime("%a, %d %b %Y %H:%M:%S GMT");
        // A server that lets nobody in has a clock too.
        for status in ["200 OK", "401 Unauthorized"] {
            let server = Server::saying(reply(status, &format!("Date: {date}\r\n"), ""));
            Said::of(&server.url(), &[]).ends(severity, text, if hours == 0 { "" } else { "Set the one that is wrong" });
        }
    }
}

#[test]
fn a_server_that_is_away_or_silent_is_no_error_and_holds_nobody_up() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    Said::of(&format!("https://{free}"), &[]).ends("warn", "nothing accepts a connection there", "--server");
    // No name has so long a part, so nobody is asked for it.
    let name = format!("https://{}.test", "a".repeat(64));
    Said::of(&name, &[]).ends("warn", "its name has no address", "(--server)");
    let (_keep, kept) = std::sync::mpsc::channel::<()>();
    let kept = std::sync::Mutex::new(kept);
    let silent = Server::plain(move |_, _| {
        let _ = kept.lock().unwrap().recv();
        Ok(())
    });
    Said::of(&silent.url(), &[]).ends("warn", "no byte arrived for", "Try again");
}

#[test]
fn an_address_that_cannot_be_used_is_an_error_without_what_is_secret_in_it() {
    for (address, says) in [
        ("https://me:hunter2@127.0.0.1:9", "a user or password does not belong into it"),
        ("me:hunter2@127.0.0.1:9", "127.0.0.1:9 is no address of a server"),
        ("https://127.0.0.1:9/?token=hunter2", "it may not have a query"),
        ("http://notary.test", "would be asked without TLS"),
    ] {
        let said = Said::of(address, &[]);
        said.has("error", says);
        assert!(!format!("{:?}", said.0).contains("hunter2"), "{:?}", said.0);
    }
}

#[test]
fn a_report_names_no_machine_but_those_of_the_settings() {
    let headers = "WWW-Authenticate: Bearer realm=\"https://auth.elsewhere.test/token\"\r\n";
    let server = Server::saying(reply("401 Unauthorized", headers, ""));
    let url = format!("http://localhost:{}", server.addr.port());
    let home = tempfile::tempdir().unwrap();
    let told = |more: &[&str]| said(&doctor(home.path(), "/nonexistent").args(["--server", &url]).args(more).output().unwrap());
    let (all, report) = (told(&[]), told(&["--report"]));
    assert!(all.contains("(realm https://auth.elsewhere.test/token)") && all.contains("127.0.0.1"), "{all}");
    assert!(report.contains(&url) && report.contains("wants a token (bearer)"), "{report}");
    for other in ["elsewhere", "127.0.0.1", "::1"] {
        assert!(!report.contains(other), "{other}: {report}");
    }
    let own = Path::new(home.path()).to_str().unwrap();
    assert!(!report.contains(own), "{report}");
}

#[test]
fn without_settings_that_can_be_used_no_server_is_looked_at() {
    let home = tempfile::tempdir().unwrap();
    let missing = home.path().join("none.toml");
    let output = doctor(home.path(), "/nonexistent").arg("--config").arg(missing).output().unwrap();
    let text = said(&output);
    assert!(output.status.code() == Some(1) && text.contains("and the server were not looked at"), "{text}");
    assert!(!text.lines().any(|l| l == "server"), "{text}");
}

#[test]
fn the_way_to_the_registry_that_was_set_is_walked_too() {
    let registry = RealRegistry::start();
    let url = format!("http://{}", registry.address());
    Said::of_area("registry", &url, &[]).ends("ok", "this machine's clock agrees", "");
    let named = format!("reg.test={url}");
    Said::of_area("registry", &named, &[]).has("ok", "for names of reg.test (--registry)");
    Said::of_area("registry", "registry", &[]).ends("error", "is no address of a registry", "--registry");
    let authority = Authority::new("registry");
    let server = serve(&authority.server("localhost", |_| {}), None, rustls::ALL_VERSIONS);
    let of_registry = |more: &[&str]| Said::of_area("registry", &https(&server), more);
    of_registry(&[]).ends("error", "TLS: its certificate is signed by an unknown authority", "--tlscacert FILE");
    of_registry(&["--tlscacert", authority.ca().to_str().unwrap()]).has("ok", "it answers");
    assert!(Said::of("https://localhost:1", &[]).0.iter().all(|(_, text, ..)| !text.contains("registry")));
}
