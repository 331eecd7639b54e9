//! The sandbox's server answers as the real one: a table of expected bytes, and the same questions asked of both.
use crate::sandbox_support::{Answer, RealServer, ask, try_send};
use claviger::{
    keys::{NewKey, generate},
    sandbox::{Authority, Call, Published, Repository, Sandbox, Server, ServerKeys, Shell},
    tuf::name::{Gun, RoleName},
};
use jiff::{Timestamp, fmt::strtime};
use proptest::prelude::{any, prop};
use std::{collections::HashMap, sync::Arc};

const NO_ROUTE: &str =
    "{\"errors\":[{\"code\":\"METADATA_NOT_FOUND\",\"message\":\"You have requested metadata that does not exist.\"}]}\n";
const NOT_FOUND: &str = "{\"errors\":[{\"code\":\"METADATA_NOT_FOUND\",\"message\":\"You have requested metadata that does not exist.\",\"detail\":{}}]}\n";
const BAD_ID: &str =
    "{\"errors\":[{\"code\":\"INVALID_PARAMETERS\",\"message\":\"The parameters provided are not valid.\",\"detail\":{}}]}\n";
const FILE: &str = "";

fn bad_records(go_says: &str) -> String {
    let detail = serde_json::to_string(&format!("invalid records parameter: strconv.ParseInt: parsing {go_says}")).unwrap();
    BAD_ID.replace(
        "\"detail\":{}",
        &format!("\"detail\":{}", detail.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")),
    )
}

/// Method, target (with `@` for the collection's address and `#` for the SHA-256 of its releases), status, body; an
/// empty body with status 200 is metadata, which the comparison with the real server looks at.
fn table() -> Vec<(&'static str, &'static str, u16, String)> {
    let mut rows: Vec<(&str, &str, u16, String)> = [
        ("/v2/", 200, "{}"),
        ("/v2/?a=b", 200, "{}"),
        ("/_notary_server/health", 200, "{}"),
        ("@/tuf/root.json", 200, FILE),
        ("@/tuf/targets.json", 200, FILE),
        ("@/tuf/snapshot.json", 200, FILE),
        ("@/tuf/timestamp.json", 200, FILE),
        ("@/tuf/timestamp.json?x=y", 200, FILE),
        ("@/tuf/targets/releases.json", 200, FILE),
        ("@/tuf/targets%2Freleases.json", 200, FILE),
        ("@/tuf/1.root.json", 200, FILE),
        ("@/tuf/01.root.json", 200, FILE),
        ("@/tuf/000000000000001.root.json", 200, FILE),
        ("@/tuf/2.targets.json", 200, FILE),
        ("@/tuf/1.targets/releases.json", 200, FILE),
        ("@/tuf/1.timestamp.json", 200, FILE),
        ("@/tuf/2.snapshot.json", 200, FILE),
        ("@/tuf/targets/releases.#.json", 200, FILE),
        ("@/tuf/0.root.json", 404, NOT_FOUND),
        ("@/tuf/0.timestamp.json", 404, NOT_FOUND),
        ("@/tuf/99.root.json", 404, NOT_FOUND),
        ("@/tuf/2147483648.root.json", 404, NOT_FOUND),
        ("@/tuf/1.targets.json", 404, NOT_FOUND),
        ("@/tuf/targets/1.releases.json", 404, NOT_FOUND),
        ("@/tuf/targets/nosuch.json", 404, NOT_FOUND),
        ("@/tuf/targets/A.json", 404, NOT_FOUND),
        ("@/tuf/root.0000000000000000000000000000000000000000000000000000000000000000.json", 404, NOT_FOUND),
        ("@/tuf/root.ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789ABCDEF0123456789.json", 404, NOT_FOUND),
        (
            "@/tuf/root.0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef.json",
            404,
            NOT_FOUND,
        ),
        ("/v2/no/such/_trust/tuf/root.json", 404, NOT_FOUND),
        ("/v2/no/such/_trust/tuf/1.root.json", 404, NOT_FOUND),
        ("/v2/no/such/_trust/tuf/timestamp.json", 404, NOT_FOUND),
        ("/v2/a%2Fb/_trust/tuf/root.json", 404, NOT_FOUND),
        ("/v2/a%00b/_trust/tuf/root.json", 404, NOT_FOUND),
        ("/v2/p%ff/_trust/tuf/timestamp.json", 404, NOT_FOUND),
        ("/v2/a/_trust/tuf/b/_trust/tuf/root.json", 404, NOT_FOUND),
        ("/v2", 404, NO_ROUTE),
        ("/", 404, NO_ROUTE),
        ("/v2/x", 404, NO_ROUTE),
        ("/_notary_server/health/", 404, NO_ROUTE),
        ("/v2/_trust/tuf/root.json", 404, NO_ROUTE),
        ("/v2/*/_trust/tuf/root.json", 404, NO_ROUTE),
        ("@/tuf/Root.json", 404, NO_ROUTE),
        ("@/tuf/bogus.json", 404, NO_ROUTE),
        ("@/tuf/root.1.json", 404, NO_ROUTE),
        ("@/tuf/-1.root.json", 404, NO_ROUTE),
        ("@/tuf/1.2.root.json", 404, NO_ROUTE),
        ("@/tuf/root.json/", 404, NO_ROUTE),
        ("@/tuf/timestamp.JSON", 404, NO_ROUTE),
        ("@/tuf/.json", 404, NO_ROUTE),
        ("@/tuf/targets/.json", 404, NO_ROUTE),
        ("@/tuf/targets/a%20b.json", 404, NO_ROUTE),
        ("@/tuf/root.0123.json", 404, NO_ROUTE),
        ("@/tuf/", 404, NO_ROUTE),
        ("@/", 404, NO_ROUTE),
        ("@/tuf/root.key", 404, NO_ROUTE),
        ("@/tuf/targets.key", 404, NO_ROUTE),
        ("@/tuf/Snapshot.key", 404, NO_ROUTE),
        ("@/tuf/snapshot.keys", 404, NO_ROUTE),
        ("/v2/_trust/changefeed/?records=5", 404, NO_ROUTE),
        ("/v2/*/_trust/changefeed?records=5", 404, NO_ROUTE),
        ("/v2/_trust/changefeed?records=2&change_id=xyz", 400, BAD_ID),
        ("/v2/_trust/changefeed?records=2&change_id=99999999999999999999", 400, BAD_ID),
        ("/v2/_trust/changefeed?records=2&change_id=2147483648", 400, BAD_ID),
        ("/v2/_trust/changefeed?records=5&change_id=99", 200, "{\"count\":0,\"records\":null}"),
        ("/v2/nosuch/_trust/changefeed?records=10", 200, "{\"count\":0,\"records\":[]}"),
    ]
    .map(|(target, status, body)| ("GET", target, status, body.to_owned()))
    .into();
    for (query, says) in [
        ("", "\"\": invalid syntax"),
        ("records=", "\"\": invalid syntax"),
        ("records=abc", "\"abc\": invalid syntax"),
        ("records=+5", "\" 5\": invalid syntax"),
        ("records=0x5", "\"0x5\": invalid syntax"),
        ("records=5;x=1", "\"\": invalid syntax"),
        ("records=%zz", "\"\": invalid syntax"),
        ("records=%ff", "\"\\xff\": invalid syntax"),
        ("records=a%22%3C%26%0Ab", "\"a\\\"<&\\nb\": invalid syntax"),
        ("records=%1b%e2%80%ae", "\"\\x1b\\u202e\": invalid syntax"),
        ("records=2147483648", "\"2147483648\": value out of range"),
        ("records=-2147483649", "\"-2147483649\": value out of range"),
        ("change_id=abc", "\"\": invalid syntax"),
    ] {
        rows.push(("GET", Box::leak(format!("/v2/_trust/changefeed?{query}").into_boxed_str()), 400, bad_records(says)));
    }
    for digits in ["9223372036854775808", "99999999999999999999999"] {
        let detail = format!("\"detail\":{{\"Func\":\"Atoi\",\"Num\":\"{digits}\",\"Err\":{{}}}}");
        let target = Box::leak(format!("@/tuf/{digits}.root.json").into_boxed_str());
        rows.push(("GET", target, 404, NOT_FOUND.replace("\"detail\":{}", &detail)));
    }
    for target in ["@/tuf/root.json", "/v2/", "/_notary_server/health"] {
        for method in ["PUT", "POST"] {
            rows.push((method, target, 404, NO_ROUTE.to_owned()));
        }
        for method in ["OPTIONS", "PATCH", "NONSENSE"] {
            rows.push((method, target, 405, String::new()));
        }
    }
    for target in ["//v2/", "/v2//a/_trust/tuf/root.json", "/v2/a/../b/_trust/tuf/root.json", "/v2/../../etc/passwd", "/v2/./"] {
        rows.push(("GET", target, 301, String::new()));
    }
    rows.push(("GET", "@/tuf/targets/%2e%2e/root.json", 301, String::new()));
    rows.push(("GET", "/v2/a%2520//b%20c%3f%23%c3%a9%7e!'()@?x=y%20z", 301, String::new()));
    rows.push(("GET", "/%zz", 400, "400 Bad Request".to_owned()));
    rows
}

/// Questions about the change feed whose answer hangs on what is in it.
const FEED: [&str; 14] = [
    "records=100",
    "records=0",
    "records=1",
    "records=2",
    "records=%2B5",
    "records=5&records=1",
    "records=1&change_id=1",
    "records=5&change_id=1",
    "records=5&change_id=0",
    "records=5&change_id=%2B1",
    "records=2&change_id=-1",
    "records=-2&change_id=3",
    "records=-2&change_id=-1",
    "records=5&change_id=3",
];

fn role(name: &str) -> RoleName {
    RoleName::new(name).unwrap()
}

/// The headers that are compared: all that the server chooses.
fn chosen(a: &Answer) -> Vec<Option<&str>> {
    ["content-type", "cache-control", "last-modified", "location"].map(|n| a.header(n)).into()
}

#[test]
fn every_address_and_every_error_has_the_bytes_of_the_real_server() {
    let now: Timestamp = "2026-11-21T10:00:00Z".parse().unwrap();
    let s = Sandbox::new(now, None).unwrap();
    let (base, mut rows) = ("/v2/sandbox.test/shop/frontend/_trust", 0);
    let current = s.server().handle(&Call::get(&format!("{base}/tuf/targets/releases.json")));
    use sha2::Digest;
    let sum = base16ct::lower::encode_string(&sha2::Sha256::digest(&current.body));
    for (method, target, status, body) in table() {
        let target = target.replace('@', base).replace('#', &sum);
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let answer = s.server().handle(&Call::new(method, path).with_query(query));
        assert_eq!(answer.status, status, "{method} {target}");
        if status == 200 && body.is_empty() {
            assert!(answer.body.starts_with(b"{\"signed\":{\"_type\":"), "{target}");
            assert_eq!(answer.header("Content-Type"), Some("text/plain; charset=utf-8"));
            let by_name = path.rsplit("/tuf/").next().unwrap().chars().any(|c| c.is_ascii_digit());
            let cache = if by_name && !target.contains("%2F") {
                "public, max-age=2592000, s-maxage=2592000"
            } else {
                "public, max-age=300, s-maxage=300, must-revalidate"
            };
            assert_eq!(answer.header("Cache-Control"), Some(cache), "{target}");
            let modified = answer.header("Last-Modified").unwrap();
            assert!(modified.ends_with(" UTC") && modified.len() == 29, "{modified}");
        } else {
            assert_eq!(String::from_utf8_lossy(&answer.body), body, "{method} {target}");
        }
        rows += 1;
    }
    println!("{rows} requests");
    let head = s.server().handle(&Call::new("HEAD", "/v2/"));
    assert_eq!((head.status, head.body), (404, NO_ROUTE.as_bytes().to_vec()));
}

#[test]
fn a_key_is_given_to_whoever_wants_to_publish_and_stays_the_same() {
    let s = Sandbox::new("2026-11-21T10:00:00Z".parse().unwrap(), None).unwrap();
    for gun in ["sandbox.test/shop/frontend", "sandbox.test/platform/base", "brand/new"] {
        for name in ["timestamp", "snapshot"] {
            let ask = || s.server().handle(&Call::get(&format!("/v2/{gun}/_trust/tuf/{name}.key")));
            let text = String::from_utf8(ask().body).unwrap();
            assert!(
                text.starts_with("{\"keytype\":\"ecdsa\",\"keyval\":{\"public\":\"MFkw")
                    && text.ends_with("\",\"private\":null}}"),
                "{text}"
            );
            assert_eq!(ask(), ask());
        }
    }
}

#[test]
fn whoever_asks_for_keys_without_end_keeps_nobody_from_beginning() {
    let s = Sandbox::new("2026-11-21T10:00:00Z".parse().unwrap(), None).unwrap();
    let key = |n: usize| s.server().handle(&Call::get(&format!("/v2/x{n}/_trust/tuf/timestamp.key"))).body;
    let first: Vec<_> = (0..1024).map(key).collect();
    assert_eq!((key(1023), key(0)), (first[1023].clone(), first[0].clone()));
    // One more, and the oldest is forgotten.
    key(1024);
    assert_eq!(key(1), first[1]);
    assert_ne!(key(0), first[0]);
}

/// When the real server stored the timestamps of a collection, to the nanosecond: its change feed says so.
fn stored_timestamps(real: &RealServer, gun: &str) -> HashMap<u64, Timestamp> {
    let feed = ask(real.address, &real.ca_pem, "GET", &format!("/v2/{gun}/_trust/changefeed?records=100"));
    let feed: serde_json::Value = serde_json::from_slice(&feed.body).unwrap();
    let records = feed["records"].as_array().unwrap();
    records.iter().map(|r| (r["Version"].as_u64().unwrap(), r["CreatedAt"].as_str().unwrap().parse().unwrap())).collect()
}

/// What the real server has of a collection, put into ours.
fn copy_of(real: &RealServer, gun: &str, roles: &[&str]) -> Repository {
    let key = || Arc::new(generate(NewKey::EcdsaP256).unwrap());
    let mut copy = Repository::new(Gun::new(gun).unwrap(), ServerKeys { timestamp: key(), snapshot: None });
    let timestamps = stored_timestamps(real, gun);
    for name in roles {
        for version in 1..10 {
            let a = ask(real.address, &real.ca_pem, "GET", &format!("/v2/{gun}/_trust/tuf/{version}.{name}.json"));
            if a.status == 200 {
                let modified = a.header("last-modified").unwrap().replace("UTC", "+0000");
                let second = strtime::parse("%a, %d %b %Y %H:%M:%S %z", modified).unwrap().to_timestamp().unwrap();
                let stored = if *name == "timestamp" { timestamps[&version] } else { second };
                copy.publish(role(name), Published { version, bytes: a.body, stored });
            }
        }
    }
    copy
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_notary_server_answers_every_request_with_the_same_bytes() {
    let real = RealServer::start();
    let file = tempfile::NamedTempFile::new().unwrap();
    let certificate = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/pem/ec-p256-selfsigned.crt");
    let gun = "lab.test/some/app";
    real.notary(&["init", "-p", gun]);
    real.notary(&["add", "-p", gun, "v1", file.path().to_str().unwrap()]);
    real.notary(&["delegation", "add", "-p", gun, "targets/releases", certificate, "--all-paths"]);
    // The delegation's key is the fixture's, so that it can be signed with.
    let key = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/pem/ec-p256-pkcs8.key");
    real.notary(&["key", "import", key, "--role", "delegation"]);
    real.notary(&["add", "-p", gun, "v2", file.path().to_str().unwrap(), "--roles", "targets/releases"]);
    real.notary(&["init", "-p", "lab.test/other"]);

    let all = ["root", "targets", "targets/releases", "snapshot", "timestamp"];
    let copies = [copy_of(&real, gun, &all), copy_of(&real, "lab.test/other", &all)];
    let ours = Arc::new(Server::new(Arc::new(Timestamp::now), copies));
    let shell = Shell::start(&Authority::new().unwrap(), ours.service(), 0).unwrap();
    let base = format!("/v2/{gun}/_trust");
    let releases = ask(real.address, &real.ca_pem, "GET", &format!("{base}/tuf/targets/releases.json")).body;
    use sha2::Digest;
    let sum = base16ct::lower::encode_string(&sha2::Sha256::digest(&releases));
    let mut rows = 0;
    for (method, target, status, body) in table() {
        let target = target.replace('@', &base).replace('#', &sum);
        let theirs = ask(real.address, &real.ca_pem, method, &target);
        assert_eq!(theirs.status, status, "{method} {target}: the table is wrong");
        if !(status == 200 && body.is_empty()) {
            assert_eq!(theirs.text(), body, "{method} {target}: the table is wrong");
        }
        let ours = ask(shell.address(), shell.ca_pem(), method, &target);
        assert_eq!(
            (ours.status, ours.text(), chosen(&ours)),
            (theirs.status, theirs.text(), chosen(&theirs)),
            "{method} {target}"
        );
        rows += 1;
    }
    for query in FEED {
        // Not with a huge number of records of one collection: the real server, with its store in memory, breaks down.
        for target in [format!("/v2/_trust/changefeed?{query}"), format!("{base}/changefeed?{query}")] {
            let theirs = ask(real.address, &real.ca_pem, "GET", &target);
            let ours = ask(shell.address(), shell.ca_pem(), "GET", &target);
            assert_eq!((ours.status, ours.text(), chosen(&ours)), (200, theirs.text(), chosen(&theirs)), "{target}");
            rows += 1;
        }
    }
    println!("{rows} requests answered alike");
    shell.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shell_listens_on_the_loopback_interface_and_stops() {
    let s = Sandbox::new(Timestamp::now(), None).unwrap();
    let shell = Shell::start(&Authority::new().unwrap(), s.server().service(), 0).unwrap();
    let (address, ca) = (shell.address(), shell.ca_pem().to_owned());
    assert!(address.ip().is_loopback());
    assert_eq!(ask(address, &ca, "GET", "/v2/").body, b"{}");
    assert!(
        Shell::start(&Authority::new().unwrap(), s.server().service(), address.port())
            .is_err_and(|e| e.to_string().contains(&address.port().to_string()))
    );
    shell.stop().await;
    // Another server may have the port by now; none that this authority vouches for.
    assert!(try_send(address, &ca, "GET", "/v2/", "", b"").is_none());
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn no_request_harms_the_server(
        method in "GET|HEAD|POST|[ -~]{0,9}",
        path in prop::collection::vec(proptest::prop_oneof![
            "/v2/|/_trust|/tuf/|targets|root|timestamp|snapshot|\\.json|\\.key|changefeed|\\.\\.|/|%2f|%2e|%|\\*|[0-9]{1,25}\\.",
            "\\PC{0,9}", "[0-9a-fA-F]{64}", "%[0-9a-f]{2}",
        ], 0..12),
        query in prop::collection::vec("records=|change_id=|-|[0-9]{1,30}|&|;|%|=|\\PC{0,4}", 0..8),
        junk in any::<String>(),
    ) {
        let server = Server::new(Arc::new(|| Timestamp::UNIX_EPOCH), []);
        for path in [path.concat(), format!("/v2/{}", path.concat()), junk.clone(), format!("/v2/a/_trust/tuf/{}.json", path.concat())] {
            let answer = server.handle(&Call::new(&method, &path).with_query(&query.concat()));
            proptest::prop_assert!([200, 301, 400, 404, 405].contains(&answer.status));
            proptest::prop_assert!(answer.body.len() < 600 + 20 * (path.len() + query.concat().len()));
        }
    }
}

#[test]
fn very_long_requests_are_answered() {
    let server = Server::new(Arc::new(|| Timestamp::UNIX_EPOCH), []);
    for unit in ["/", "a", "../", "%2e%2e/", "/_trust/tuf/", "targets/", "%", "1"] {
        let long = unit.repeat((1 << 20) / unit.len());
        for path in
            [format!("/v2/{long}"), format!("/v2/a/_trust/tuf/targets/{long}.json"), format!("/v2/a/_trust/tuf/{long}.root.json")]
        {
            assert!(server.handle(&Call::get(&path)).status >= 300);
        }
        assert_eq!(server.handle(&Call::get("/v2/_trust/changefeed").with_query(&format!("records={long}"))).status, 400);
        assert_eq!(server.handle(&Call::get("/v2/_trust/changefeed").with_query(&long)).status, 400);
    }
}

/// The next of a row of numbers that look like chance and are the same in every run.
fn roll(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state >> 33).unwrap()
}

#[test]
fn a_million_requests_of_rubbish_leave_it_serving() {
    let s = Sandbox::new(Timestamp::now(), None).unwrap();
    let server = s.server();
    let feed = || server.handle(&Call::get("/v2/_trust/changefeed").with_query("records=100000"));
    let (before, mut state) = (feed(), 0x9e37_79b9_7f4a_7c15_u64);
    const METHODS: [&str; 6] = ["GET", "POST", "HEAD", "PUT", "BREW", ""];
    const PIECES: [&str; 20] = [
        "/v2/",
        "sandbox.test/shop/docs",
        "x",
        "/_trust",
        "/tuf/",
        "targets",
        "root",
        "timestamp",
        "snapshot",
        ".json",
        ".key",
        "changefeed",
        "..",
        "//",
        "%2f",
        "%",
        "*",
        "9999999999999999999.",
        "\u{202e}",
        "/",
    ];
    const BODIES: [&str; 12] = [
        "--b",
        "\r\n",
        "--b--",
        "Content-Disposition: form-data; filename=\"root\"",
        "filename=",
        "{\"signed\":{",
        "\"version\":1}",
        "}",
        "\r\n\r\n",
        "\"",
        "\0",
        "[",
    ];
    let headers = [("content-type".to_owned(), "multipart/form-data; boundary=b".to_owned())];
    let mut statuses = std::collections::BTreeMap::new();
    for _ in 0..1_000_000 {
        let method = METHODS[roll(&mut state) % METHODS.len()];
        let path: String = (0..roll(&mut state) % 8).map(|_| PIECES[roll(&mut state) % PIECES.len()]).collect();
        let path = if roll(&mut state).is_multiple_of(2) { format!("/v2/rubbish/_trust/tuf/{path}") } else { path };
        let body: String = (0..roll(&mut state) % 12).map(|_| BODIES[roll(&mut state) % BODIES.len()]).collect();
        let answer = server.handle(&Call::new(method, &path).with_headers(&headers).with_body(body.as_bytes()));
        *statuses.entry(answer.status).or_insert(0) += 1;
        assert!(answer.body.len() < 4096 || answer.status == 200);
    }
    println!("{statuses:?}");
    assert!(statuses.keys().all(|s| [200, 301, 400, 404, 405, 500].contains(s)), "{statuses:?}");
    assert_eq!(feed().body, before.body, "nothing was changed");
    let root = server.handle(&Call::get("/v2/sandbox.test/shop/docs/_trust/tuf/root.json"));
    assert_eq!(root.status, 200);
}
