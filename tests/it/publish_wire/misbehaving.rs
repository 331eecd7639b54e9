//! Servers that break every rule while something is published to them. Whatever they do, nothing is sent twice, and nothing
//! is said to have been stored, or not, that is not certain.
use crate::{
    loopback::{Server, Stream, hang_up, reply},
    transport_tls,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use claviger::{
    net::{ERROR_BODY, HttpSettings, Retry, TlsFault, Wait, Waits, Why, login::Logins},
    notary::{KEY, PublishError, ServerRole, Transport as _, TransportError, http::Http},
    secret::Passphrase,
    tuf::name::{Gun, RoleName},
};
use std::{
    io,
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

/// Longest that anything may take before a test gives up; never reached when the promise holds.
const DEADLINE: Duration = Duration::from_secs(60);
/// More than all buffers between two programs hold.
const LARGE: usize = 48 << 20;

fn gun() -> Gun {
    Gun::new("docker.io/library/alpine").unwrap()
}

/// A file of so many bytes.
fn file(length: usize) -> Vec<(RoleName, Vec<u8>)> {
    vec![(RoleName::new("targets/releases").unwrap(), vec![b'x'; length])]
}

fn settings(url: String) -> HttpSettings {
    // Whoever tries again waits for longer than a test.
    let retry = Retry { times: 2, first: DEADLINE * 10, longest: DEADLINE * 10 };
    HttpSettings { retry, ..HttpSettings::new(url) }
}

async fn publish(http: &Http, length: usize) -> Result<(), PublishError> {
    let files = file(length);
    tokio::time::timeout(DEADLINE, http.publish(&gun(), &files)).await.expect("it is tried again, or waits for ever")
}

/// The body of a publication.
fn read_all(stream: &mut dyn Stream) -> io::Result<Vec<u8>> {
    let (mut body, mut piece) = (Vec::new(), vec![0; 1 << 16]);
    while !body.ends_with(b"--\r\n") {
        match stream.read(&mut piece)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => body.extend_from_slice(&piece[..n]),
        }
    }
    Ok(body)
}

/// What comes of publishing to a server that reads everything and then does this.
async fn after_reading(then: impl Fn(&mut dyn Stream) -> io::Result<()> + Send + Sync + 'static) -> Result<(), PublishError> {
    let server = Server::plain(move |_, s| {
        read_all(s)?;
        then(s)
    });
    let outcome = publish(&Http::new(&settings(server.url())).unwrap(), 100).await;
    assert_eq!(server.requests(), 1, "{outcome:?}");
    outcome
}

/// The same for a server that says this.
async fn answered(answer: impl Into<Vec<u8>>) -> Result<(), PublishError> {
    let answer = answer.into();
    after_reading(move |s| {
        s.write_all(&answer)?;
        s.flush()?;
        hang_up()
    })
    .await
}

#[track_caller]
fn uncertain(outcome: Result<(), PublishError>) -> TransportError {
    match outcome {
        Err(PublishError::Uncertain(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn not_sent(outcome: Result<(), PublishError>) -> TransportError {
    match outcome {
        Err(PublishError::NotSent(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn why(error: &TransportError) -> Option<Why> {
    match error {
        TransportError::Unreachable { why, .. } => Some(*why),
        _ => None,
    }
}

#[tokio::test]
async fn a_publication_is_one_request_with_a_length_and_the_files_as_they_are() {
    let body = Arc::new(Mutex::new(Vec::new()));
    let got = body.clone();
    let server = Server::plain(move |_, s| {
        *got.lock().unwrap() = read_all(s)?;
        s.write_all(&reply("200 OK", "", ""))
    });
    let http = Http::new(&settings(server.url())).unwrap();
    publish(&http, 200_000).await.unwrap();
    let body = body.lock().unwrap().clone();
    let [head] = server.heads().try_into().unwrap();
    assert!(head.starts_with("POST /v2/docker.io/library/alpine/_trust/tuf/ HTTP/1.1\r\n"), "{head}");
    let head = head.to_lowercase();
    assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
    assert!(head.contains("content-type: multipart/form-data; boundary="), "{head}");
    for header in ["transfer-encoding", "expect", "authorization"] {
        assert!(!head.contains(header), "{head}");
    }
    let text = String::from_utf8(body).unwrap();
    assert!(text.contains("name=\"files\"; filename=\"targets/releases\"\r\n"), "{text:.300}");
    assert_eq!(text.matches('x').count(), 200_000 + text.matches("x-").count(), "nothing is lost or added");
}

#[tokio::test]
async fn an_answer_that_says_nothing_certain_is_uncertain_and_nothing_is_sent_again() {
    for status in [500, 502, 503, 504, 599, 201, 202, 206, 299, 600] {
        let error = uncertain(answered(reply(&format!("{status} X"), "Retry-After: 0\r\n", "")).await);
        assert_eq!(error, TransportError::Unavailable { status, code: None, message: None });
    }
    for status in [204, 304] {
        let error = uncertain(answered(format!("HTTP/1.1 {status} X\r\n\r\n")).await);
        assert_eq!(error, TransportError::Unavailable { status, code: None, message: None });
    }
    let malformed = [
        reply("200 OK", "", "<html>Welcome to the hotel</html>"),
        reply("200 OK", "Content-Encoding: gzip\r\n", ""),
        b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(),
    ];
    for answer in malformed {
        let text = String::from_utf8_lossy(&answer).into_owned();
        assert!(matches!(uncertain(answered(answer).await), TransportError::Malformed(_)), "{text}");
    }
    let broken = ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"];
    for answer in broken {
        assert_eq!(why(&uncertain(answered(answer).await)), Some(Why::Broken), "{answer:?}");
    }
    let endless = after_reading(|s| {
        s.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        loop {
            s.write_all(&[b' '; 4096])?;
        }
    });
    assert_eq!(uncertain(endless.await), TransportError::TooLarge { limit: ERROR_BODY });
}

#[tokio::test]
async fn a_publication_follows_no_redirect() {
    let elsewhere = Server::saying(reply("200 OK", "", ""));
    for status in [301, 302, 303, 307, 308] {
        let answer = reply(&format!("{status} X"), &format!("Location: {}/v2/\r\n", elsewhere.url()), "");
        assert!(matches!(uncertain(answered(answer).await), TransportError::Redirected { .. }));
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn what_is_turned_away_was_not_stored() {
    for status in [401, 403, 404, 405, 408, 411, 413, 429, 431] {
        let error = not_sent(answered(reply(&format!("{status} X"), "", "<html>")).await);
        assert!(!PublishError::NotSent(error.clone()).remedy().is_empty());
        match (status, error) {
            (401 | 403, TransportError::NotAllowed { .. }) | (404, TransportError::NotThere { .. }) => {}
            (_, TransportError::Unavailable { status: said, .. }) => assert_eq!(said, status),
            (_, other) => panic!("{status}: {other:?}"),
        }
    }
    // An answer to the answer that may come first is none.
    let continued = [b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), reply("200 OK", "", "")].concat();
    answered(continued).await.unwrap();
}

#[tokio::test]
async fn a_refusal_of_any_shape_and_length_is_a_refusal() {
    let body = r#"{"errors":[{"code":"INVALID_UPDATE","message":"m","detail":{"Name":"ErrBadRoot","Error":{"Msg":"no"}}}]}"#;
    let long = |length: usize| format!("{body}{}", " ".repeat(length - body.len()));
    let limit = usize::try_from(ERROR_BODY).unwrap();
    for (body, known) in [
        (body.to_owned(), true),
        (long(limit), true),
        (long(limit + 1), false),
        (long(10 << 20), false),
        ("<html>".to_owned(), false),
        (String::new(), false),
    ] {
        match answered(reply("400 Bad Request", "", &body)).await {
            Err(PublishError::Refused { name: Some(name), .. }) if known => assert_eq!(name.raw(), "ErrBadRoot"),
            Err(PublishError::Refused { code: None, name: None, message: None }) if !known => {}
            other => panic!("{} bytes: {other:?}", body.len()),
        }
    }
    // The status says it all, even if the rest never comes.
    let cut = "HTTP/1.1 400 Bad Request\r\nContent-Length: 1000\r\n\r\n{\"errors\"";
    assert_eq!(answered(cut).await, Err(PublishError::Refused { code: None, name: None, message: None }));
}

#[tokio::test]
async fn a_server_that_never_answers_what_it_has_read_leaves_it_uncertain() {
    let waits = Waits { connect: Duration::from_millis(100), idle: Duration::from_millis(100), ..Waits::default() };
    let server = Server::plain(|_, s| {
        read_all(s)?;
        std::thread::park();
        Ok(())
    });
    let http = Http::new(&HttpSettings { waits, ..settings(server.url()) }).unwrap();
    let error = uncertain(publish(&http, 100).await);
    assert_eq!(why(&error), Some(Why::Timeout(Wait::Idle(waits.idle))));
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn what_did_not_leave_whole_was_not_stored() {
    // The first byte was read with the head, the last never is.
    let server = Server::plain(|_, _| hang_up());
    let http = Http::new(&settings(server.url())).unwrap();
    assert_eq!(why(&not_sent(publish(&http, LARGE).await)), Some(Why::Broken));
    assert_eq!(server.requests(), 1);

    let waits = Waits { connect: Duration::from_millis(200), idle: Duration::from_millis(200), ..Waits::default() };
    let server = Server::plain(|_, _| {
        std::thread::park();
        Ok(())
    });
    let http = Http::new(&HttpSettings { waits, ..settings(server.url()) }).unwrap();
    assert_eq!(why(&not_sent(publish(&http, LARGE).await)), Some(Why::Timeout(Wait::Idle(waits.idle))));
    assert_eq!(server.requests(), 1);

    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let http = Http::new(&settings(format!("http://{free}"))).unwrap();
    assert_eq!(why(&not_sent(publish(&http, 100).await)), Some(Why::Connect));
}

#[tokio::test]
async fn a_server_that_refuses_while_we_still_send_is_heard() {
    for line in ["413 Request Entity Too Large", "403 Forbidden", "400 Bad Request"] {
        let server = Server::plain(move |_, s| {
            s.write_all(&reply(line, "", ""))?;
            s.flush()?;
            std::thread::park();
            Ok(())
        });
        match publish(&Http::new(&settings(server.url())).unwrap(), LARGE).await {
            Err(e @ PublishError::NotSent(TransportError::Unavailable { status: 413, .. })) => {
                assert!(e.remedy().contains("nothing as large as this"), "{}", e.remedy());
            }
            Err(PublishError::NotSent(TransportError::NotAllowed { status: 403, .. }) | PublishError::Refused { .. }) => {}
            other => panic!("{line}: {other:?}"),
        }
        assert_eq!(server.requests(), 1);
    }
}

#[tokio::test]
async fn a_server_that_says_done_before_it_has_everything_is_not_believed() {
    let server = Server::plain(|_, s| {
        s.write_all(&reply("200 OK", "", ""))?;
        s.flush()?;
        std::thread::park();
        Ok(())
    });
    let outcome = publish(&Http::new(&settings(server.url())).unwrap(), LARGE).await;
    assert!(matches!(uncertain(outcome), TransportError::Malformed(_)));
}

#[tokio::test]
async fn a_server_that_wants_a_client_certificate_has_stored_nothing() {
    let (ours, clients) = (transport_tls::Authority::new("ours"), transport_tls::Authority::new("clients"));
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let server = transport_tls::serve(&ours.server("localhost", |_| {}), Some(&clients), &[version]);
        let url = format!("https://localhost:{}", server.addr.port());
        let http = Http::new(&HttpSettings { ca: Some(ours.ca()), ..settings(url) }).unwrap();
        let error = not_sent(publish(&http, 100).await);
        assert_eq!(why(&error), Some(Why::Tls(TlsFault::ClientCertificateWanted)), "{version:?}");
    }
}

#[tokio::test]
async fn what_changes_something_is_asked_for_once_and_what_reads_is_asked_for_again() {
    let retry = Retry { times: 2, first: Duration::from_millis(1), longest: Duration::from_millis(1) };
    let server = Server::saying(reply("503 X", "", ""));
    let http = Http::new(&HttpSettings { retry, ..settings(server.url()) }).unwrap();
    let refused = |status| TransportError::Unavailable { status, code: None, message: None };
    assert_eq!(http.delete(&gun()).await, Err(refused(503)));
    assert_eq!(http.new_server_key(&gun(), ServerRole::Snapshot).await.err(), Some(refused(503)));
    assert_eq!(server.requests(), 2);
    assert_eq!(http.server_key(&gun(), ServerRole::Timestamp).await.err(), Some(refused(503)));
    assert_eq!(server.requests(), 5);
    let lines: Vec<_> = server.heads().iter().map(|h| h.lines().next().unwrap().to_owned()).collect();
    let base = "/v2/docker.io/library/alpine/_trust/tuf";
    assert_eq!(lines[0], format!("DELETE {base}/ HTTP/1.1"));
    assert_eq!(lines[1], format!("POST {base}/snapshot.key HTTP/1.1"));
    assert_eq!(lines[2..], vec![format!("GET {base}/timestamp.key HTTP/1.1"); 3]);
}

#[tokio::test]
async fn a_key_and_a_deletion_are_believed_only_from_a_notary_server() {
    let limit = usize::try_from(KEY).unwrap();
    let key = r#"{"keytype":"ed25519","keyval":{"public":"YV+I3cR5htzUCE7x8i+5vAxvA7Qr00QG+NIptYmg4r8=","private":null}}"#;
    let long = |length: usize| format!("{key}{}", " ".repeat(length - key.len()));
    for (body, good) in [(key.to_owned(), true), (long(limit), true), (long(limit + 1), false), ("<html>".to_owned(), false)] {
        let server = Server::saying(reply("200 OK", "", &body));
        let http = Http::new(&settings(server.url())).unwrap();
        assert_eq!(http.server_key(&gun(), ServerRole::Timestamp).await.is_ok(), good, "{} bytes", body.len());
        assert_eq!(http.new_server_key(&gun(), ServerRole::Timestamp).await.is_ok(), good, "{} bytes", body.len());
        assert!(matches!(http.delete(&gun()).await, Err(TransportError::Malformed(_) | TransportError::TooLarge { .. })));
    }
}

/// How a server is asked by somebody with a login.
fn as_alice(server: &Server) -> Http {
    let notary_auth = Some(Arc::new(Passphrase::new(STANDARD.encode("alice:secret").into_bytes())));
    let logins = Some(Logins { notary_auth, ..Logins::default() });
    Http::new(&HttpSettings { logins, ..settings(server.url()) }).unwrap()
}

fn first_lines(server: &Server) -> Vec<String> {
    let line = |h: &String| {
        let authorization = h.lines().find_map(|l| l.strip_prefix("authorization: ")).unwrap_or("nothing");
        format!("{} with {authorization}", h.lines().next().unwrap().trim_end_matches(" HTTP/1.1"))
    };
    server.heads().iter().map(line).collect()
}

#[tokio::test]
async fn whoever_refuses_without_reading_is_shown_the_login_before_anything_is_sent() {
    let address = Arc::new(OnceLock::<String>::new());
    let at = address.clone();
    let server = Server::plain(move |n, s| match n {
        0 => {
            let wanted = format!("WWW-Authenticate: Bearer realm=\"{}/token\",service=\"s\"\r\n", at.get().unwrap());
            s.write_all(&reply("401 Unauthorized", &wanted, ""))
        }
        1 | 4 => s.write_all(&reply("200 OK", "", r#"{"token":"t"}"#)),
        _ => {
            read_all(s)?;
            s.write_all(&reply("200 OK", "", ""))
        }
    });
    address.set(server.url()).unwrap();
    let http = as_alice(&server);
    publish(&http, 100).await.unwrap();
    publish(&http, 100).await.unwrap();
    http.publish(&Gun::new("docker.io/other").unwrap(), &file(1)).await.unwrap();
    let login = format!("Basic {}", STANDARD.encode("alice:secret"));
    let token = |name: &str| format!("GET /token?service=s&scope=repository%3A{name}%3Apush%2Cpull&account=alice with {login}");
    assert_eq!(
        first_lines(&server),
        [
            "GET /v2/ with nothing".to_owned(),
            token("docker.io%2Flibrary%2Falpine"),
            "POST /v2/docker.io/library/alpine/_trust/tuf/ with Bearer t".to_owned(),
            "POST /v2/docker.io/library/alpine/_trust/tuf/ with Bearer t".to_owned(),
            token("docker.io%2Fother"),
            "POST /v2/docker.io/other/_trust/tuf/ with Bearer t".to_owned(),
        ]
    );
}

#[tokio::test]
async fn a_server_that_wants_a_login_only_for_the_publication_gets_it_whole_once_more() {
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let got = bodies.clone();
    let server = Server::plain(move |n, s| {
        if n > 0 {
            got.lock().unwrap().push(read_all(s)?);
        }
        let wanted = "WWW-Authenticate: Basic realm=\"x\"\r\n";
        s.write_all(&if n == 1 { reply("401 Unauthorized", wanted, "") } else { reply("200 OK", "", "") })
    });
    publish(&as_alice(&server), 300_000).await.unwrap();
    let bodies = bodies.lock().unwrap();
    assert!(bodies.len() == 2 && bodies[0] == bodies[1] && bodies[0].len() > 300_000);
    let url = "POST /v2/docker.io/library/alpine/_trust/tuf/ with";
    let login = format!("{url} Basic {}", STANDARD.encode("alice:secret"));
    assert_eq!(first_lines(&server), ["GET /v2/ with nothing".to_owned(), format!("{url} nothing"), login]);
}

#[tokio::test]
async fn nothing_is_sent_to_a_server_whose_issuer_of_tokens_is_away() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let wanted = format!("WWW-Authenticate: Bearer realm=\"http://{free}/token\",service=\"s\"\r\n");
    let server = Server::saying(reply("401 Unauthorized", &wanted, ""));
    let error = not_sent(publish(&as_alice(&server), 100).await);
    assert!(matches!(error, TransportError::Login(_)), "{error:?}");
    assert_eq!(first_lines(&server), ["GET /v2/ with nothing"]);
}
