//! Who we would be to the server, how it is reached, and where each setting comes from: said without asking anybody, and
//! without a secret.
use super::{doctor, said};
use crate::transport_tls::{Authority, serve};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

/// What no output may have.
const SECRET: &str = "hunter2";
/// A name so long that no name service is asked for it.
fn nowhere() -> String {
    format!("https://{}.test", "a".repeat(64))
}

/// A home with docker's configuration and ours.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn docker(&self, config: &Value) -> &Self {
        self.write(".docker/config.json", &config.to_string());
        self
    }

    /// The checks of an area, as `severity text (detail)`; nothing of it holds a secret.
    fn checks(&self, area: &str, server: &str, more: &[(&str, &str)]) -> Vec<String> {
        let mut command = doctor(self.0.path(), self.0.path().join("bin"));
        command.args(["--json"]).envs(more.iter().copied());
        match server {
            "" => command.env_remove("DOCKER_CONTENT_TRUST_SERVER"),
            url => command.args(["--server", url]),
        };
        // docker's own server is not asked by a test
        if server.is_empty() {
            command.env("HTTPS_PROXY", "http://127.0.0.1:9");
        }
        let output = command.output().unwrap();
        let all = said(&output);
        assert!(!all.contains(SECRET) && !all.contains(&STANDARD.encode(format!("alice:{SECRET}"))), "{all}");
        let found: Value = serde_json::from_slice(&output.stdout).unwrap();
        let text = |check: &Value, name: &str| check[name].as_str().unwrap_or_default().to_owned();
        let of_area = found["checks"].as_array().unwrap().iter().filter(|c| c["area"] == area);
        of_area.map(|c| format!("{} {} ({})", text(c, "severity"), text(c, "text"), text(c, "detail"))).collect()
    }
}

fn login(user: &str) -> String {
    STANDARD.encode(format!("{user}:{SECRET}"))
}

#[track_caller]
fn has(all: &[String], wanted: &str) {
    assert!(all.iter().any(|line| line.contains(wanted)), "{wanted}: {all:#?}");
}

#[test]
fn the_login_that_would_be_used_is_named_with_its_place_and_without_its_secret() {
    let server = "https://127.0.0.1:9";
    let home = Home::new();
    has(&home.checks("logins", server, &[]), "ok no login for 127.0.0.1:9 is written anywhere");

    home.docker(&json!({ "auths": { "127.0.0.1:9": { "auth": login("alice") }, "https://index.docker.io/v1/": { "auth": login("hub") } } }));
    let all = home.checks("logins", server, &[]);
    has(&all, "ok a login for 127.0.0.1:9, from ");
    has(&all, ".docker/config.json (as alice)");
    has(&home.checks("logins", "", &[]), "ok a login for docker.io, from ");

    let variable = json!({ "auths": { "127.0.0.1:9": { "auth": login("of the variable") } } }).to_string();
    let all = home.checks("logins", server, &[("DOCKER_AUTH_CONFIG", &variable)]);
    has(&all, "a login for 127.0.0.1:9, from DOCKER_AUTH_CONFIG (as of the variable)");

    home.docker(&json!({ "auths": { "127.0.0.1:9": { "auth": "", "identitytoken": SECRET } } }));
    has(&home.checks("logins", server, &[]), "ok an identity token for 127.0.0.1:9, from ");

    // A name that attacks the terminal, and one that cannot be read.
    home.docker(&json!({ "auths": { "127.0.0.1:9": { "auth": login("al\u{202e}ice\u{1b}[2J") } } }));
    has(&home.checks("logins", server, &[]), "(as al<202e>ice<1b>[2J)");
    home.docker(&json!({ "auths": { "127.0.0.1:9": { "auth": SECRET } } }));
    has(&home.checks("logins", server, &[]), "error the login cannot be read from ");
}

#[test]
fn whether_notary_auth_is_set_and_what_it_is_for_is_said() {
    let home = Home::new();
    let notary = ("NOTARY_AUTH", &*login("nora"));
    let all = home.checks("logins", "https://127.0.0.1:9", &[notary]);
    has(&all, "a login for 127.0.0.1:9, from NOTARY_AUTH (as nora)");
    has(&all, "ok NOTARY_AUTH is set: it is for the server that is set");
    let all = home.checks("logins", "", &[notary]);
    has(&all, "ok no login for docker.io is written anywhere");
    has(&all, "warn NOTARY_AUTH is set, and is not used");
    has(
        &home.checks("logins", "https://127.0.0.1:9", &[("NOTARY_AUTH", SECRET)]),
        "error the login cannot be read from NOTARY_AUTH",
    );
}

#[test]
fn a_helper_that_would_be_asked_is_named_and_not_run() {
    let home = Home::new();
    home.docker(&json!({ "credsStore": "vault" }));
    let all = home.checks("logins", "https://127.0.0.1:9", &[]);
    has(&all, "error the login for 127.0.0.1:9 is asked of the credential helper docker-credential-vault, which ");
    has(&all, "and it is not installed (not found in PATH)");
    let ran = home.0.path().join("ran");
    let helper = home.write("bin/docker-credential-vault", &format!("#!/bin/sh\n: > {}\n", ran.display()));
    fs::set_permissions(helper, fs::Permissions::from_mode(0o755)).unwrap();
    has(&home.checks("logins", "https://127.0.0.1:9", &[]), "; it was not asked now");
    assert!(!ran.exists(), "doctor has run a helper, which may ask a person");
}

#[test]
fn a_client_certificate_in_force_is_said_with_its_subject_its_end_and_who_reads_its_key() {
    let authority = Authority::new("ours");
    let server = serve(&authority.server("localhost", |_| {}), Some(&authority), rustls::ALL_VERSIONS);
    let url = format!("https://localhost:{}", server.addr.port());
    let pair = authority.client();
    let home = Home::new();
    let place = |name: &str| format!(".docker/tls/localhost:{}/{name}", server.addr.port());
    let copy = |from: &Path, name: &str| home.write(&place(name), &fs::read_to_string(from).unwrap());
    copy(&authority.ca(), "ca.crt");
    copy(&pair.cert, "client.cert");
    let key = copy(&pair.key, "client.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    let all = home.checks("server", &url, &[]);
    has(&all, "client.cert (from docker's directory for this server): for ");
    has(&all, "; valid until ");
    has(&all, "client.key: others than its owner have rights to it (mode 644)");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let all = home.checks("server", &url, &[]);
    has(&all, "client.key: only its owner can read it");
    has(&all, "ok it answers");
    // Its end is said before it comes, and after.
    let in_days = |days: i64| {
        let then = Timestamp::now().saturating_add(SignedDuration::from_hours(24 * days)).unwrap();
        let day = then.to_zoned(jiff::tz::TimeZone::UTC).date();
        date_time_ymd(day.year().into(), day.month().unsigned_abs(), day.day().unsigned_abs())
    };
    for (from, to, wanted) in [
        (-30, 7, "warn client certificate "),
        (-30, -1, "it has expired on "),
        (7, 30, "it is not valid before "),
        (-30, 30, "ok client certificate "),
    ] {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        (params.not_before, params.not_after) = (in_days(from), in_days(to));
        let pair = KeyPair::generate().unwrap();
        home.write(&place("client.cert"), &params.self_signed(&pair).unwrap().pem());
        home.write(&place("client.key"), &pair.serialize_pem());
        has(&home.checks("server", &url, &[]), wanted);
    }
    fs::remove_file(&key).unwrap();
    has(&home.checks("server", &url, &[]), "error ");
}

#[test]
fn proxies_in_force_are_named_without_the_passwords_in_their_addresses() {
    let home = Home::new();
    let proxy = ("https_proxy", "http://alice:hunter2@127.0.0.1:9");
    let all = home.checks("server", &nowhere(), &[proxy]);
    has(&all, "ok https_proxy: http://127.0.0.1:9");
    has(&all, "info it is asked through the proxy http://127.0.0.1:9");
    let all = home.checks("server", &nowhere(), &[proxy, ("HTTPS_PROXY", "socks5://alice:hunter2@127.0.0.1:10")]);
    has(&all, "ok https_proxy is set, and HTTPS_PROXY counts in its place");
    has(&all, "info it is asked through the proxy socks5://127.0.0.1:10");
    let all = home.checks("server", &nowhere(), &[proxy, ("NO_PROXY", ".test")]);
    has(&all, "ok NO_PROXY: .test");
    has(&all, "ok it is asked without a proxy, because NO_PROXY excepts it");
    // A proxy for the other kind of address, and a server on this machine.
    has(
        &home.checks("server", &nowhere(), &[("HTTP_PROXY", "http://127.0.0.1:9")]),
        "ok it is asked without a proxy: none is named",
    );
    has(&home.checks("server", "https://127.0.0.1:9", &[proxy]), "ok it is asked without a proxy: none is named");
}

#[test]
fn every_setting_is_said_with_where_it_comes_from() {
    let home = Home::new();
    let file = "trusted_realms = ['sso.example']\nplain_http = ['lab.example']\n[network]\nparallel = 3\nproxy = 'none'\n";
    home.write(".config/claviger/config.toml", file);
    let all = home.checks("settings", "https://127.0.0.1:9", &[]);
    for wanted in [
        "config.toml (default)",
        ".docker (default)",
        "server: https://127.0.0.1:9 (--server)",
        "trusted_realms, hosts that may ask for a login: sso.example (trusted_realms in ",
        "hosts asked without TLS: lab.example (plain_http in ",
        "requests at the same time: 3 (network.parallel in ",
        "proxies: none (network.proxy in ",
        "longest wait for a connection: 10 s (default)",
        "asked again at most: 2 times (default)",
    ] {
        has(&all, wanted);
    }
    let docker = home.0.path().join("elsewhere");
    let all = home.checks("settings", "", &[("DOCKER_CONFIG", docker.to_str().unwrap())]);
    has(&all, "elsewhere (DOCKER_CONFIG)");
}
