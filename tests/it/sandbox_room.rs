//! What a served sandbox holds has an end, and whoever comes to it is told; who may not come in holds nothing of it.
use crate::{
    forge::role,
    sandbox_kept::{FORM, form, owner},
    sandbox_support::{begin, finish},
};
use claviger::sandbox::{Authority, Call, Gate, Issuer, Person, Response, Rights, Room, Server, Shell, notary_access};
use jiff::Timestamp;
use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

#[tokio::test(flavor = "multi_thread")]
async fn a_request_without_a_token_is_refused_before_its_body_comes() {
    let people = [Person::new("owner", "secret", Rights::none().everywhere(&["*"]))];
    let issuer = Arc::new(Issuer::new("sandbox.test/issuer", Arc::new(Timestamp::now), people).unwrap());
    let answered = Arc::new(AtomicUsize::new(0));
    let count = answered.clone();
    let service = Arc::new(move |_: &Call<'_>| {
        count.fetch_add(1, Ordering::SeqCst);
        Response { status: 299, headers: Vec::new(), body: Vec::new() }
    });
    let guard = Gate::new("https://localhost:1/token", "a service", issuer).guard(notary_access);
    let shell = Shell::start_guarded(&Authority::new().unwrap(), Some(guard), service, 0).unwrap();
    let (address, ca) = (shell.address(), shell.ca_pem().to_owned());
    let status = tokio::task::spawn_blocking(move || {
        let head = format!(
            "POST /v2/sandbox.test/a/_trust/tuf/ HTTP/1.0\r\nHost: localhost\r\n{}: {}\r\nContent-Length: {}\r\n\r\n",
            FORM.0,
            FORM.1,
            200 << 20
        );
        // Nothing of the 200 MiB is ever sent.
        let mut tls = begin(address, &ca).unwrap();
        tls.write_all(head.as_bytes()).unwrap();
        let answer = finish(tls).unwrap();
        (answer.status, answer.header("www-authenticate").is_some_and(|w| w.contains("sandbox.test/a:push,pull")))
    });
    assert_eq!(status.await.unwrap(), (401, true));
    assert_eq!(answered.load(Ordering::SeqCst), 0);
    shell.stop().await;
}

/// Publishes the first version of a collection to a server with so much room; status and body.
fn first(room: Option<Room>) -> (Arc<Server>, u16, String) {
    const GUN: &str = "sandbox.test/room";
    let server = Server::new(Arc::new(Timestamp::now), []);
    let server = Arc::new(room.into_iter().fold(server, Server::with_room));
    let forge = owner(&server, GUN);
    let body = form(&[("root", forge.root_file()), ("targets", forge.targets_file(&role("targets")))]);
    let headers = [(FORM.0.to_owned(), FORM.1.to_owned())];
    let path = format!("/v2/{GUN}/_trust/tuf/");
    let answer = server.handle(&Call::new("POST", &path).with_headers(&headers).with_body(&body));
    (server, answer.status, String::from_utf8(answer.body).unwrap())
}

#[test]
fn metadata_beyond_the_room_is_refused_in_words_that_clients_show_and_nothing_is_stored() {
    let (server, status, _) = first(None);
    assert_eq!(status, 200);
    let size = |role: &str| server.handle(&Call::get(&format!("/v2/sandbox.test/room/_trust/tuf/{role}.json"))).body.len() as u64;
    let all: u64 = ["root", "targets", "snapshot", "timestamp"].map(size).iter().sum();
    // Root certificates differ by a few bytes from one to the next.
    let (enough, less) = (all + 64, all - 64);
    for (room, wanted) in [
        (Room { collection: enough, all: enough }, 200),
        (Room { collection: less, all: enough }, 400),
        (Room { collection: enough, all: less }, 400),
    ] {
        let (server, status, said) = first(Some(room));
        assert_eq!(status, wanted, "{said}");
        assert_eq!(server.guns().is_empty(), wanted != 200);
        assert_eq!(said.contains("nothing was stored") && said.contains(r#""Name":"ErrValidation""#), wanted != 200, "{said}");
    }
}
