//! `image push` to registries that refuse, break off, lead elsewhere or never answer: no tag leads to a part of an image, and
//! nobody is told who we are who should not be.
use super::{
    images_pushed::layout_of_one,
    loopback::{Server, reply},
    peers::{
        desk::Desk,
        program::Answer,
        server::{Kind, NotaryServer},
    },
    sandbox_registry::images::{OCI, accepting},
};
use claviger::sandbox::{Authority, Call, Registry, Response, Service, Shell, registry::limits};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    borrow::Cow,
    fs,
    process::{Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// A registry in a shell, before which something stands.
struct World {
    registry: Arc<Registry>,
    desk: Desk,
    shell: Shell,
    authority: Authority,
}

impl World {
    fn new(name: &str, before: impl Fn(&Call<'_>, &Service) -> Response + Send + Sync + 'static) -> Self {
        let registry = Arc::new(Registry::in_memory(limits::ROOM));
        let (authority, service) = (Authority::new().unwrap(), registry.service());
        let shell = Shell::start(&authority, Arc::new(move |call: &Call<'_>| before(call, &service)), 0).unwrap();
        let desk = Desk::new(NotaryServer::shared(Kind::Local), name);
        let certificates = desk.file(&format!("docker/tls/{}", shell.address()));
        fs::create_dir_all(&certificates).unwrap();
        fs::write(certificates.join("ca.crt"), shell.ca_pem()).unwrap();
        Self { registry, desk, shell, authority }
    }

    fn push(&self) -> Answer {
        let layout = layout_of_one(&format!("layout-{}", self.shell.address().port()));
        let at = format!("reg.pushed={}", self.shell.url());
        // Who is at this desk has another authority for the Notary server, which is not asked.
        let arguments = ["image", "push", layout.to_str().unwrap(), "reg.pushed/team/app:1.0", "--registry", &at];
        let trust_dir = self.desk.trust_dir();
        let all = [&arguments[..], &["--trust-dir", trust_dir.to_str().unwrap()]].concat();
        super::peers::program::run(env!("CARGO_BIN_EXE_claviger").as_ref(), &all, &self.desk.environment(), "")
    }

    fn has_tag(&self) -> bool {
        self.registry.handle(&Call::get("/v2/team/app/manifests/1.0").with_headers(&accepting(OCI))).status == 200
    }
}

fn status(status: u16) -> Response {
    Response { status, headers: Vec::new(), body: Vec::new() }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_does_not_take_the_last_piece_has_no_tag_and_one_that_took_it_all_the_same_is_believed() {
    let refuses = |call: &Call<'_>| call.method == "PUT" && call.path.contains("/manifests/");
    let world = World::new("push-500", move |call, registry| if refuses(call) { status(500) } else { registry(call) });
    let answer = world.push();
    assert!(answer.status == 1 && answer.stderr.contains("the server answered with status 500"), "{answer:?}");
    assert!(answer.stderr.contains("the tag leads to what it led to before; the registry may still change it"), "{answer:?}");
    assert!(answer.stderr.contains("Repeated, the command sends only the rest"), "{answer:?}");
    assert!(!world.has_tag());

    let lies = World::new("push-taken", move |call, registry| {
        let answer = registry(call);
        if refuses(call) { status(500) } else { answer }
    });
    let answer = lies.push().ok();
    assert!(answer.stdout.contains("3 of 3 pieces sent"), "{answer:?}");
    assert!(lies.has_tag());

    // It says that it took it, and serves something else.
    let forgets = World::new("push-forgotten", move |call, registry| if refuses(call) { status(201) } else { registry(call) });
    let answer = forgets.push();
    assert!(answer.status == 3 && answer.stderr.contains("its tag is not there"), "{answer:?}");
    assert!(answer.stderr.contains("do not sign it"), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_that_somebody_else_sets_meanwhile_is_theirs_and_one_that_is_there_is_known() {
    let (looked, puts) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let count = puts.clone();
    let is_tag = |call: &Call<'_>| call.path.ends_with("/manifests/1.0");
    let world = World::new("push-raced", move |call, registry| match call.method {
        "HEAD" if is_tag(call) && looked.fetch_add(1, Ordering::SeqCst) > 0 => {
            let theirs = format!("sha256:{}", "7".repeat(64));
            Response { headers: vec![("Docker-Content-Digest", Cow::Owned(theirs))], ..status(200) }
        }
        method => {
            count.fetch_add(usize::from(method == "PUT" && is_tag(call)), Ordering::SeqCst);
            registry(call)
        }
    });
    let answer = world.push();
    assert!(answer.status == 1 && answer.stderr.contains("leads to sha256:7777"), "{answer:?}");
    assert!(answer.stderr.contains("The tag was not touched"), "{answer:?}");
    assert_eq!(puts.load(Ordering::SeqCst), 0);

    // Not every registry says unasked what a tag leads to.
    let silent = World::new("push-silent", move |call, registry| {
        let mut answer = registry(call);
        if call.method == "HEAD" && is_tag(call) {
            answer.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("docker-content-digest"));
        }
        answer
    });
    silent.push().ok();
    let again = silent.push().ok();
    assert!(again.stdout.contains("all of it was there, and nothing was sent"), "{again:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_that_is_wanted_elsewhere_is_sent_there_by_nobody_we_are() {
    let store: Arc<Mutex<Option<Shell>>> = Arc::default();
    let (seen, known) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (to, count) = (store.clone(), known.clone());
    let world = World::new("push-elsewhere", move |call, registry| {
        if call.header("authorization").is_none() {
            let headers = vec![("WWW-Authenticate", Cow::Borrowed("Basic realm=\"x\""))];
            return Response { headers, ..status(401) };
        }
        count.fetch_add(1, Ordering::SeqCst);
        let mut answer = registry(call);
        if call.method == "POST" {
            let host = to.lock().unwrap().as_ref().map(Shell::url).unwrap_or_default();
            for (_, value) in answer.headers.iter_mut().filter(|(name, _)| *name == "Location") {
                *value = Cow::Owned(format!("{host}{value}"));
            }
        }
        answer
    });
    let (takes, others) = (world.registry.clone(), seen.clone());
    let service: Service = Arc::new(move |call: &Call<'_>| {
        others.fetch_add(1, Ordering::SeqCst);
        let known = ["authorization", "cookie", "referer"].iter().any(|name| call.header(name).is_some());
        if known { status(400) } else { takes.handle(call) }
    });
    *store.lock().unwrap() = Some(Shell::start(&world.authority, service, 0).unwrap());
    let login = r#"{"auths":{"reg.pushed":{"auth":"YWxpY2U6c2VjcmV0"}}}"#;
    fs::write(world.desk.file("docker").join("config.json"), login).unwrap();
    world.push().ok();
    assert!(world.has_tag());
    assert_eq!(seen.load(Ordering::SeqCst), 2, "two blobs");
    assert!(known.load(Ordering::SeqCst) > 4);

    // A registry with TLS has nothing sent to where there is none.
    let plain = Server::saying(reply("201 Created", "", ""));
    let to = plain.url();
    let world = World::new("push-plain", move |call, registry| {
        let mut answer = registry(call);
        if call.method == "POST" {
            let place = ("Location", Cow::Owned(format!("{to}/x?y=z")));
            answer.headers.retain(|(name, _)| *name != "Location");
            answer.headers.push(place);
        }
        answer
    });
    let answer = world.push();
    assert!(answer.status == 1 && answer.stderr.contains("which was not followed"), "{answer:?}");
    assert!(!world.has_tag() && plain.requests() == 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_damages_what_it_keeps_is_not_taken_for_one_that_has_it() {
    let world = World::new("push-damaged", |call, registry| {
        let answer = registry(call);
        match call.method == "HEAD" && call.path.contains("/blobs/") {
            true => Response { headers: vec![("Content-Length", Cow::Borrowed("1"))], ..status(200) },
            false => answer,
        }
    });
    let answer = world.push();
    assert!(answer.status == 1 && answer.stderr.contains("has 1 bytes in the place of sha256:"), "{answer:?}");
    assert!(!world.has_tag());
}

#[test]
fn ctrl_c_ends_it_at_once_and_no_tag_was_set() {
    let there_is_none = reply("404 Not Found", "", "");
    let takes = reply("202 Accepted", "Location: /upload?x=1\r\n", "");
    // The tag, two blobs, an upload, what it wants to see; and then it reads and never answers.
    let registry = Server::plain(move |n, stream| match n {
        0..3 => stream.write_all(&there_is_none),
        3 => stream.write_all(&takes),
        4 => stream.write_all(&reply("200 OK", "", "")),
        _ => {
            let mut piece = [0; 1024];
            while stream.read(&mut piece)? > 0 {}
            Ok(())
        }
    });
    let desk = Desk::new(NotaryServer::shared(Kind::Local), "push-interrupted");
    let layout = layout_of_one("push-interrupted");
    let at = format!("reg.pushed={}", registry.url());
    let arguments = ["image", "push", layout.to_str().unwrap(), "reg.pushed/team/app:1.0", "--registry", &at];
    let mut command = Command::new(env!("CARGO_BIN_EXE_claviger"));
    command.args(desk.claviger_arguments(&arguments)).env_clear().envs(desk.environment());
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while registry.requests() < 6 {
        assert!(Instant::now() < until, "it sends nothing: {:?}", registry.heads());
        std::thread::yield_now();
    }
    let begun = Instant::now();
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "it took {:?}", begun.elapsed());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{said}");
    assert!(said.contains("interrupted") && said.contains("The tag was not touched"), "{said}");
    assert!(
        !registry.heads().iter().any(|head| head.contains("/manifests/") && !head.starts_with("HEAD")),
        "a manifest was sent"
    );
    // The record says how it ended, and nothing waits to be gone on with.
    let journal = desk.claviger(&["journal"]).ok();
    assert!(journal.stdout.contains("image push"), "{journal:?}");
    let resume = desk.claviger(&["resume"]).ok();
    assert!(!resume.stdout.contains("image push"), "{resume:?}");
}
