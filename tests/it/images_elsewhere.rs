//! Registries that keep content elsewhere and send us there: we are followed by nothing that says who we are.
use super::{
    images::{pieces, verify},
    loopback::{Server, reply},
    peers::{
        desk::Desk,
        server::{Kind, NotaryServer},
    },
    registry_client::sign,
    sandbox_registry::images::{CONFIG, LAYER, OCI, image},
    transport_tls::{Authority, Clients, tls},
};
use std::fs;

fn desk(name: &str, gun: &str) -> (Desk, String) {
    let desk = Desk::new(NotaryServer::shared(Kind::Local), name);
    let manifest = image(OCI, &[LAYER]);
    desk.notary(&["init", gun, "-p"]).ok();
    sign(&desk, gun, "v1", &manifest);
    (desk, manifest)
}

#[test]
fn a_registry_that_sends_us_elsewhere_for_content_is_followed_as_nobody() {
    let (desk, manifest) = desk("elsewhere", "reg.elsewhere/app");
    let contents = [reply("200 OK", "", CONFIG), reply("200 OK", "", LAYER)];
    let store = Server::plain(move |n, stream| stream.write_all(&contents[n.min(1)]));
    let wanted = reply("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", "");
    let (first, away) = (reply("200 OK", "", &manifest), format!("Location: {}/content?signature=x\r\n", store.url()));
    let registry = Server::plain(move |n, stream| match n {
        0 => stream.write_all(&wanted),
        1 => stream.write_all(&first),
        _ => stream.write_all(&reply("307 Temporary Redirect", &away, "")),
    });
    let login = r#"{"auths":{"reg.elsewhere":{"auth":"YWxpY2U6c2VjcmV0"}}}"#;
    fs::write(desk.file("docker").join("config.json"), login).unwrap();
    let at = format!("reg.elsewhere={}", registry.url());
    let answer = verify(&desk, "reg.elsewhere/app:v1", &["--registry", &at]).ok();
    assert_eq!(pieces(&answer).len(), 3);
    assert!(registry.heads()[1].to_lowercase().contains("authorization: basic"), "{:?}", registry.heads());
    assert_eq!(store.heads().len(), 2);
    for head in store.heads().iter().map(|head| head.to_lowercase()) {
        assert!(!head.contains("authorization") && !head.contains("referer") && !head.contains("cookie"), "{head}");
    }
}

#[test]
fn a_client_certificate_is_for_the_registry_and_not_for_where_it_sends_us() {
    let (authority, others) = (Authority::new("of the registry"), Authority::new("of others"));
    let leaf = || authority.server("localhost", |_| {});
    // Whoever shows it a certificate that others have not signed is turned away.
    let contents = [reply("200 OK", "", CONFIG), reply("200 OK", "", LAYER)];
    let store = Server::tls(tls(&leaf(), Clients::May(&others)), move |n, stream| stream.write_all(&contents[n.min(1)]));
    let (desk, manifest) = desk("elsewhere-tls", "reg.elsewhere/tls");
    let (first, away) = (reply("200 OK", "", &manifest), format!("Location: https://localhost:{}/x\r\n", store.addr.port()));
    let registry = Server::tls(tls(&leaf(), Clients::Must(&authority)), move |n, stream| match n {
        0 => stream.write_all(&first),
        _ => stream.write_all(&reply("307 Temporary Redirect", &away, "")),
    });
    let certificates = desk.file(&format!("docker/tls/localhost:{}", registry.addr.port()));
    fs::create_dir_all(&certificates).unwrap();
    fs::copy(authority.ca(), certificates.join("ca.crt")).unwrap();
    let at = format!("reg.elsewhere=https://localhost:{}", registry.addr.port());
    let without = verify(&desk, "reg.elsewhere/tls:v1", &["--registry", &at]);
    assert!(without.status == 1 && without.stderr.contains("it wants a client certificate"), "{without:?}");
    let pair = authority.client();
    fs::copy(pair.cert, certificates.join("client.cert")).unwrap();
    fs::copy(pair.key, certificates.join("client.key")).unwrap();
    verify(&desk, "reg.elsewhere/tls:v1", &["--registry", &at]).ok();
    assert_eq!(store.requests(), 2);
}

#[test]
fn a_registry_with_tls_sends_nobody_to_where_there_is_none() {
    let authority = Authority::new("of the registry");
    let store = Server::saying(reply("200 OK", "", CONFIG));
    let (desk, manifest) = desk("elsewhere-plain", "reg.elsewhere/plain");
    let (first, away) = (reply("200 OK", "", &manifest), format!("Location: {}/x\r\n", store.url()));
    let registry = Server::tls(tls(&authority.server("localhost", |_| {}), Clients::Nobody), move |n, stream| match n {
        0 => stream.write_all(&first),
        _ => stream.write_all(&reply("307 Temporary Redirect", &away, "")),
    });
    let certificates = desk.file(&format!("docker/tls/localhost:{}", registry.addr.port()));
    fs::create_dir_all(&certificates).unwrap();
    fs::copy(authority.ca(), certificates.join("ca.crt")).unwrap();
    let at = format!("reg.elsewhere=https://localhost:{}", registry.addr.port());
    let answer = verify(&desk, "reg.elsewhere/plain:v1", &["--registry", &at]);
    assert!(answer.status == 1 && answer.stderr.contains("which was not followed"), "{answer:?}");
    assert_eq!(store.requests(), 0);
}
