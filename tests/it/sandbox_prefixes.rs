//! A server that is for some names only refuses the others as the real one does.
use crate::sandbox_support::{RealServer, send};
use claviger::sandbox::{Authority, Server, Shell};
use jiff::Timestamp;
use std::{net::SocketAddr, sync::Arc};

const PREFIXES: [&str; 2] = ["good.test/", "also.test/team/"];

/// What a server says to each request: status, headers that clients read, body.
fn told(address: SocketAddr, ca: &str) -> Vec<(String, u16, Vec<Option<String>>, String)> {
    let mut all = Vec::new();
    for gun in ["bad.test/a", "good.test", "good.testa/b", "also.test/teams/a", "good.test/a", "also.test/team/a"] {
        for (method, place) in [
            ("GET", "tuf/root.json"),
            ("GET", "tuf/1.root.json"),
            ("POST", "tuf/timestamp.key"),
            ("POST", "tuf/"),
            ("PUT", "tuf/"),
            ("PATCH", "tuf/"),
            ("GET", "changefeed?records=1"),
            ("DELETE", "tuf/"),
            ("GET", "nothing"),
        ] {
            let what = format!("{method} /v2/{gun}/_trust/{place}");
            let form = "Content-Type: multipart/form-data; boundary=b\r\n";
            let answer = send(address, ca, method, &format!("/v2/{gun}/_trust/{place}"), form, b"--b--\r\n");
            let headers = ["content-type", "cache-control"].map(|name| answer.header(name).map(str::to_owned));
            // What is served is compared elsewhere; a key is another one on each server.
            let body = if answer.status == 200 { String::new() } else { answer.text() };
            all.push((what, answer.status, headers.into(), body));
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_a_server_is_not_for_are_refused_in_the_real_servers_words() {
    let real = RealServer::serving(&PREFIXES);
    let ours = Arc::new(Server::new(Arc::new(Timestamp::now), []).with_prefixes(&PREFIXES));
    let shell = Shell::start(&Authority::new().unwrap(), ours.service(), 0).unwrap();
    let (address, ca) = (shell.address(), shell.ca_pem().to_owned());
    let (by_us, by_it) =
        tokio::task::spawn_blocking(move || (told(address, &ca), told(real.address, &real.ca_pem))).await.unwrap();
    for (ours, real) in by_us.iter().zip(&by_it) {
        assert_eq!(ours, real);
    }
    let refused = |code: &str| by_us.iter().filter(|(.., body)| body.contains(code)).count();
    assert_eq!(refused("INVALID_GUN"), 4);
    shell.stop().await;
}
