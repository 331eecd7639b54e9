//! What the border to the world promises, against servers that break every rule.
use crate::loopback::{Server, hang_up, reply};
use claviger::{
    net::{ERROR_BODY, HttpSettings, Retry, Wait, Waits, Why},
    notary::{
        Transport, TransportError,
        http::{CHANGE_FEED, Http},
    },
    text::Untrusted,
    tuf::{
        name::{Gun, RoleName},
        request::{Request, Which},
    },
};
use std::{
    sync::{Arc, Condvar, Mutex, mpsc},
    time::Duration,
};

/// Longest that any answer may take before a test gives up; never reached when the promise holds.
const DEADLINE: Duration = Duration::from_secs(30);

fn gun() -> Gun {
    Gun::new("docker.io/library/alpine").unwrap()
}

fn root(limit: u64) -> Request {
    Request { role: RoleName::new("root").unwrap(), which: Which::Current, limit }
}

fn settings(url: String) -> HttpSettings {
    let retry = Retry { times: 2, first: Duration::from_millis(1), longest: Duration::from_secs(1) };
    HttpSettings { retry, ..HttpSettings::new(url) }
}

fn http(server: &Server) -> Http {
    Http::new(&settings(server.url())).unwrap()
}

async fn ask(http: &Http, limit: u64) -> Result<Vec<u8>, TransportError> {
    tokio::time::timeout(DEADLINE, http.get(&gun(), &root(limit))).await.expect("the transport waits for ever")
}

fn unreachable(e: &TransportError) -> Why {
    match e {
        TransportError::Unreachable { why, .. } => *why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_request_asks_for_the_right_url_and_for_nothing_else() {
    let server = Server::saying(reply("200 OK", "", "{}"));
    let http = Http::new(&settings(format!("{}/pre fix/", server.url()))).unwrap();
    let gun = Gun::new("localhost:5000/büro/<é>").unwrap();
    let request = Request { role: RoleName::new("targets/a/b").unwrap(), which: Which::Version(2), limit: 2 };
    assert_eq!(http.get(&gun, &request).await.unwrap(), b"{}");
    http.ping().await.unwrap();
    http.change_feed(Some(&gun), Some("5&x"), -3).await.unwrap();
    http.change_feed(None, None, 7).await.unwrap();
    let heads = server.heads();
    let base = "/pre%20fix/v2/localhost:5000/b%C3%BCro/%3C%C3%A9%3E/_trust";
    let wanted = [
        format!("GET {base}/tuf/2.targets/a/b.json HTTP/1.1\r\n"),
        "GET /pre%20fix/v2/ HTTP/1.1\r\n".to_owned(),
        format!("GET {base}/changefeed?records=-3&change_id=5%26x HTTP/1.1\r\n"),
        "GET /pre%20fix/v2/_trust/changefeed?records=7 HTTP/1.1\r\n".to_owned(),
    ];
    for (head, wanted) in heads.iter().zip(&wanted) {
        assert!(head.starts_with(wanted), "{head}");
        let head = head.to_lowercase();
        assert!(head.contains(&format!("user-agent: claviger/{}\r\n", env!("CARGO_PKG_VERSION"))), "{head}");
        for header in ["accept-encoding", "referer", "cookie", "authorization"] {
            assert!(!head.contains(header), "{head}");
        }
    }
    assert_eq!((heads.len(), server.connections()), (4, 1), "the connection is kept");
    assert_eq!(http.address().raw(), format!("{}/pre%20fix", server.url()));
}

#[tokio::test]
async fn an_answer_may_be_as_long_as_the_limit_and_not_a_byte_longer() {
    let body = "x".repeat(1000);
    let chunked = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3e8\r\n{body}\r\n0\r\n\r\n");
    for answer in [reply("200 OK", "", &body), chunked.into_bytes()] {
        let server = Server::saying(answer);
        let http = http(&server);
        assert_eq!(ask(&http, 1000).await.unwrap(), body.as_bytes());
        assert_eq!(ask(&http, 999).await, Err(TransportError::TooLarge { limit: 999 }));
    }
}

#[tokio::test]
async fn endless_data_is_cut_off_at_the_limit() {
    for headers in ["Transfer-Encoding: chunked\r\n", ""] {
        let server = Server::plain(move |_, s| {
            write!(s, "HTTP/1.1 200 OK\r\n{headers}\r\n")?;
            let chunk = if headers.is_empty() { "x".repeat(4096) } else { format!("1000\r\n{}\r\n", "x".repeat(4096)) };
            loop {
                s.write_all(chunk.as_bytes())?;
            }
        });
        assert_eq!(ask(&http(&server), 100_000).await, Err(TransportError::TooLarge { limit: 100_000 }));
        assert_eq!(server.requests(), 1);
    }
}

#[tokio::test]
async fn a_promise_of_too_much_is_refused_before_it_is_kept() {
    // Nothing follows the headers, so only one that does not wait for the body can answer.
    let server = Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n");
    assert_eq!(ask(&http(&server), 1 << 20).await, Err(TransportError::TooLarge { limit: 1 << 20 }));
}

#[tokio::test]
async fn a_length_that_is_a_lie_is_no_answer() {
    let server = Server::plain(|_, s| {
        s.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this")?;
        hang_up()
    });
    let e = ask(&http(&server), 1000).await.unwrap_err();
    assert_eq!(unreachable(&e), Why::Broken);
    assert!(e.is_server_away());
    // More than was promised is not read.
    let server = Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nrootEVIL");
    assert_eq!(ask(&http(&server), 1000).await.unwrap(), b"root");
}

#[tokio::test]
async fn a_connection_that_closes_half_way_is_no_answer() {
    for said in ["", "HTTP/1.1 200", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nhalf"] {
        let server = Server::plain(move |_, s| {
            s.write_all(said.as_bytes())?;
            s.flush()?;
            hang_up()
        });
        assert_eq!(unreachable(&ask(&http(&server), 1000).await.unwrap_err()), Why::Broken, "{said:?}");
    }
}

#[tokio::test]
async fn a_body_that_pauses_is_given_up() {
    let idle = Duration::from_millis(150);
    let server = Server::plain(|_, s| {
        s.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")?;
        s.flush()?;
        std::thread::park();
        Ok(())
    });
    let waits = Waits { idle, ..Waits::default() };
    let http = Http::new(&HttpSettings { waits, ..settings(server.url()) }).unwrap();
    let e = ask(&http, 1000).await.unwrap_err();
    assert_eq!(unreachable(&e), Why::Timeout(Wait::Idle(idle)));
    assert!(e.is_server_away());
}

#[tokio::test]
async fn a_body_that_drips_for_ever_is_given_up() {
    let whole = Duration::from_millis(300);
    let server = Server::plain(|_, s| {
        s.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
        loop {
            s.write_all(b"x")?;
            s.flush()?;
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    let waits = Waits { whole, ..Waits::default() };
    let http = Http::new(&HttpSettings { waits, ..settings(server.url()) }).unwrap();
    assert_eq!(unreachable(&ask(&http, 1 << 20).await.unwrap_err()), Why::Timeout(Wait::Whole(whole)));
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let server = Server::plain(|_, _| {
        std::thread::park();
        Ok(())
    });
    let waits = Waits { connect: Duration::from_millis(100), idle: Duration::from_millis(100), ..Waits::default() };
    let http = Http::new(&HttpSettings { waits, ..settings(server.url()) }).unwrap();
    assert_eq!(unreachable(&ask(&http, 1000).await.unwrap_err()), Why::Timeout(Wait::Idle(waits.idle)));
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn nobody_at_the_port_is_not_reachable() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let http = Http::new(&settings(format!("http://{free}"))).unwrap();
    let e = ask(&http, 1000).await.unwrap_err();
    assert_eq!(unreachable(&e), Why::Connect);
    assert!(e.is_server_away());
}

#[tokio::test]
async fn a_redirect_elsewhere_is_not_followed() {
    let elsewhere = Server::saying(reply("200 OK", "", "evil"));
    for status in [301, 302, 303, 307, 308] {
        let to = format!("{}/x\u{1b}", elsewhere.url());
        // A raw escape is no header value that a client must accept, so this one is harmless in transit.
        let to = to.replace('\u{1b}', "<");
        let server = Server::saying(reply(&format!("{status} Elsewhere"), &format!("Location: {to}\r\n"), ""));
        let http = http(&server);
        assert_eq!(ask(&http, 1000).await, Err(TransportError::Redirected { to: Untrusted::new(to) }));
        assert!(http.ping().await.is_err());
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn not_allowed_is_told_with_what_the_server_wants() {
    let body = r#"{"errors":[{"code":"UNAUTHORIZED","message":"authentication required","detail":[{"Type":"repository"}]}]}"#;
    let header = "WWW-Authenticate: Basic realm=\"b\"\r\nWWW-Authenticate: Bearer realm=\"https://a.example/token\",service=\"s\",scope=\"repository:x:pull\"\r\n";
    for (line, status) in [("401 Unauthorized", 401), ("403 Forbidden", 403)] {
        let server = Server::saying(reply(line, header, body));
        let e = ask(&http(&server), 1000).await.unwrap_err();
        let some = |s: &str| Some(Untrusted::new(s));
        assert_eq!(
            e,
            TransportError::NotAllowed {
                status,
                realm: some("https://a.example/token"),
                scope: some("repository:x:pull"),
                denial: Box::default(),
                code: some("UNAUTHORIZED"),
                message: some("authentication required"),
            }
        );
        assert!(!e.is_server_away());
        assert_eq!(server.requests(), 1);
    }
}

#[tokio::test]
async fn not_there_and_rejected_and_unavailable_stay_apart() {
    let body =
        r#"{"errors":[{"code":"METADATA_NOT_FOUND","message":"You have requested metadata that does not exist.","detail":{}}]}"#;
    let said =
        || (Some(Untrusted::new("METADATA_NOT_FOUND")), Some(Untrusted::new("You have requested metadata that does not exist.")));
    for status in [400, 404, 500, 418, 204, 206, 304] {
        let bodyless = matches!(status, 204 | 304);
        let server = Server::saying(if bodyless {
            format!("HTTP/1.1 {status} X\r\n\r\n").into_bytes()
        } else {
            reply(&format!("{status} X"), "", body)
        });
        let e = ask(&http(&server), 1000).await.unwrap_err();
        let (code, message) = if bodyless { (None, None) } else { said() };
        let wanted = match status {
            400 => TransportError::Rejected { code, message },
            404 => TransportError::NotThere { code, message },
            _ => TransportError::Unavailable { status, code, message },
        };
        assert_eq!(e, wanted);
        assert_eq!((server.requests(), e.is_server_away()), (1, status == 500), "{status}");
    }
}

#[tokio::test]
async fn hostile_text_in_an_error_reaches_no_terminal() {
    let body = r#"{"errors":[{"code":"\u001b[2JX","message":"\u001b]52;c;ZXZpbA==\u0007\u202egnp.\u200b\r\n"}]}"#;
    for line in ["400 \u{7f}", "401 X", "404 X", "500 X"] {
        let server = Server::saying(reply(line, "WWW-Authenticate: Bearer realm=\"\u{202e}x\"\r\n", body));
        let e = ask(&http(&server), 1000).await.unwrap_err();
        let text = format!("{e} {e:?}");
        assert!(text.chars().all(claviger::text::is_plain), "{text}");
        if let TransportError::NotThere { message: Some(m), .. } = &e {
            assert!(m.raw().contains('\u{1b}'), "JSON output keeps the true value");
        }
    }
}

#[tokio::test]
async fn an_error_is_an_error_whatever_its_body() {
    let endless = Server::plain(|_, s| {
        s.write_all(b"HTTP/1.1 404 X\r\n\r\n")?;
        loop {
            s.write_all(&[b'x'; 4096])?;
        }
    });
    assert_eq!(ask(&http(&endless), 10).await, Err(TransportError::NotThere { code: None, message: None }));
    let wrap = |n: usize| format!(r#"{{"errors":[{{"code":"C","message":"{}"}}]}}"#, "m".repeat(n));
    let room = usize::try_from(ERROR_BODY).unwrap() - wrap(0).len();
    for (body, code) in [
        (wrap(room), Some("C")),
        (wrap(room + 1), None),
        (String::new(), None),
        ("<html>".into(), None),
        ("[".repeat(60_000), None),
        (r#"{"errors":[]}"#.into(), None),
        (r#"{"errors":[{"code":7}]}"#.into(), None),
        (r#"{"errors":null}"#.into(), None),
    ] {
        let server = Server::saying(reply("404 X", "", &body));
        match ask(&http(&server), 10).await {
            Err(TransportError::NotThere { code: got, .. }) => assert_eq!(got.as_ref().map(Untrusted::raw), code),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_busy_server_is_asked_again_when_it_says_so() {
    for busy in ["429", "502", "503", "504"] {
        for header in ["Retry-After: 0\r\n", "Retry-After: Sun, 06 Nov 1994 08:49:37 GMT\r\n", "Retry-After: soon\r\n", ""] {
            let server = Server::plain(move |number, s| match number {
                0 | 1 => s.write_all(&reply(&format!("{busy} Busy"), header, "")),
                _ => s.write_all(&reply("200 OK", "", "root")),
            });
            assert_eq!(ask(&http(&server), 10).await.unwrap(), b"root", "{busy} {header}");
            assert_eq!(server.requests(), 3);
        }
    }
}

#[tokio::test]
async fn a_server_that_stays_busy_is_left_alone() {
    for (header, requests) in
        [("", 3), ("Retry-After: 0\r\n", 3), ("Retry-After: 3600\r\n", 1), ("Retry-After: Thu, 31 Dec 9998 23:59:59 GMT\r\n", 1)]
    {
        let server = Server::saying(reply("503 Busy", header, ""));
        let e = ask(&http(&server), 10).await.unwrap_err();
        assert_eq!(e, TransportError::Unavailable { status: 503, code: None, message: None });
        assert_eq!(server.requests(), requests, "{header}");
    }
}

#[tokio::test]
async fn junk_is_given_to_whoever_verifies_and_is_no_change_feed() {
    let server = Server::saying(reply("200 OK", "", "\u{0}junk"));
    let http = http(&server);
    assert_eq!(ask(&http, 10).await.unwrap(), b"\0junk");
    assert!(matches!(http.change_feed(None, None, 1).await, Err(TransportError::Malformed(_))));
}

#[tokio::test]
async fn a_change_feed_has_a_longest_length() {
    let server = Server::saying(format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", CHANGE_FEED + 1));
    assert_eq!(http(&server).change_feed(None, None, 1).await, Err(TransportError::TooLarge { limit: CHANGE_FEED }));
}

#[tokio::test]
async fn what_is_no_http_is_no_answer() {
    for said in ["SSH-2.0-OpenSSH_9.2\r\n", "HTTP/9.9 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n"] {
        let server = Server::plain(move |_, s| {
            s.write_all(said.as_bytes())?;
            s.flush()?;
            hang_up()
        });
        let e = ask(&http(&server), 1000).await.unwrap_err();
        assert!(matches!(e, TransportError::Malformed(_)), "{said:?}: {e:?}");
    }
}

#[tokio::test]
async fn endless_headers_are_cut_off() {
    let server = Server::plain(|_, s| {
        s.write_all(b"HTTP/1.1 200 OK\r\n")?;
        loop {
            s.write_all(b"X-Y: zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz\r\n")?;
        }
    });
    assert!(matches!(ask(&http(&server), 10).await, Err(TransportError::Malformed(_))));
}

#[tokio::test]
async fn a_packed_answer_that_nobody_asked_for_is_refused() {
    let server = Server::saying(reply("200 OK", "Content-Encoding: gzip\r\n", "bomb"));
    assert!(matches!(ask(&http(&server), 10).await, Err(TransportError::Malformed(_))));
}

#[tokio::test]
async fn no_more_requests_at_once_than_allowed() {
    #[derive(Default)]
    struct Load {
        now: usize,
        peak: usize,
    }
    let load = Arc::new((Mutex::new(Load::default()), Condvar::new()));
    let seen = load.clone();
    let server = Server::plain(move |_, s| {
        let (load, changed) = &*seen;
        let mut l = load.lock().unwrap();
        l.now += 1;
        l.peak = l.peak.max(l.now);
        changed.notify_all();
        // Nobody is answered before the second one is here, so that two at once are proved to be possible.
        let (mut l, _) = changed.wait_timeout_while(l, DEADLINE, |l| l.peak < 2).unwrap();
        l.now -= 1;
        drop(l);
        s.write_all(&reply("200 OK", "", "root"))
    });
    let http = Http::new(&HttpSettings { parallel: 2, ..settings(server.url()) }).unwrap();
    let all = futures_util::future::join_all((0..12).map(|_| ask(&http, 10))).await;
    assert!(all.iter().all(|r| r.as_deref() == Ok(&b"root"[..])), "{all:?}");
    assert_eq!(load.0.lock().unwrap().peak, 2);
}

#[tokio::test]
async fn a_dropped_request_lets_go_of_the_connection_and_of_its_turn() {
    let (tell, told) = mpsc::channel();
    let server = Server::plain(move |number, s| {
        if number > 0 {
            return s.write_all(&reply("200 OK", "", "root"));
        }
        tell.send("asked").unwrap();
        // Comes back only when the other side has closed.
        let _ = std::io::Read::read(s, &mut [0]);
        tell.send("closed").unwrap();
        hang_up()
    });
    let http = Arc::new(Http::new(&HttpSettings { parallel: 1, ..settings(server.url()) }).unwrap());
    let asking = tokio::spawn({
        let http = http.clone();
        async move { ask(&http, 10).await }
    });
    let told = tokio::task::spawn_blocking(move || {
        assert_eq!(told.recv_timeout(DEADLINE), Ok("asked"));
        told
    });
    let told = told.await.unwrap();
    asking.abort();
    assert!(asking.await.unwrap_err().is_cancelled());
    tokio::task::spawn_blocking(move || assert_eq!(told.recv_timeout(DEADLINE), Ok("closed"))).await.unwrap();
    assert_eq!(ask(&http, 10).await.unwrap(), b"root");
}
