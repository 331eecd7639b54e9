//! Too much of everything, from a server that nobody has believed yet; and files that take long to verify.
use crate::forge::{
    Forge, GUN, Served,
    disk::{repositories, wait_for},
    envelope, now, role,
};
use claviger::{
    notary::{Answer, Change, ChangeRecord, Transport, TransportError},
    repository::{Mode, Repositories, Servers},
    text::Untrusted,
    trust_dir::TrustDir,
    tuf::{name::Gun, pinning::Pinning, request::Request},
};
use futures_util::FutureExt as _;
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

/// A server that answers every question with as much as it is told to, and remembers what that was.
struct Flood {
    answer: fn(&Request) -> Vec<u8>,
    sent: Mutex<Vec<u64>>,
    feed: AtomicUsize,
    records: fn(usize) -> usize,
    address: Untrusted,
}

impl Transport for Flood {
    fn get<'a>(&'a self, _: &'a Gun, request: &'a Request) -> Answer<'a, Vec<u8>> {
        async {
            let bytes = (self.answer)(request);
            let length = bytes.len() as u64;
            self.sent.lock().unwrap().push(length.min(request.limit));
            if length > request.limit { Err(TransportError::TooLarge { limit: request.limit }) } else { Ok(bytes) }
        }
        .boxed()
    }
    fn change_feed<'a>(&'a self, _: Option<&'a Gun>, _: Option<&'a str>, records: i32) -> Answer<'a, Vec<ChangeRecord>> {
        let page = self.feed.fetch_add(1, Ordering::SeqCst);
        let count = (self.records)(usize::try_from(records).unwrap());
        let record = move |i| ChangeRecord {
            id: Untrusted::new(format!("{page}-{i}")),
            created: Untrusted::default(),
            gun: Untrusted::new(format!("a.b/{page}/{i}")),
            version: 1,
            sha256: Untrusted::default(),
            change: Change::Update,
        };
        async move { Ok((0..count).map(record).collect()) }.boxed()
    }
    fn ping(&self) -> Answer<'_, ()> {
        async { Ok(()) }.boxed()
    }
    crate::reads_only::reads_only!();
    fn address(&self) -> &Untrusted {
        &self.address
    }
}

fn flood(answer: fn(&Request) -> Vec<u8>, records: fn(usize) -> usize) -> (Arc<Flood>, Repositories) {
    let (sent, feed, address) = (Mutex::default(), AtomicUsize::new(0), Untrusted::new("flood:"));
    let flood = Arc::new(Flood { answer, sent, feed, records, address });
    let dir = TrustDir::new("/nowhere/that/exists");
    let all = Repositories::new(Servers::fixed(flood.clone()), dir, Pinning::default(), true);
    (flood, all)
}

/// An unsigned `targets` file with so many names and delegations.
fn unsigned(request: &Request, names: usize, delegations: usize) -> Vec<u8> {
    let role = &request.role;
    let targets: Vec<String> = (0..names).map(|i| format!(r#""n{i:07}":{{"hashes":{{}},"length":0}}"#)).collect();
    let below = |i| format!(r#"{{"keyids":[],"name":"{role}/d{i}","paths":[],"threshold":1}}"#);
    let below: Vec<String> = (0..delegations).map(below).collect();
    let (targets, below) = (targets.join(","), below.join(","));
    let signed = format!(
        r#"{{"_type":"Targets","delegations":{{"keys":{{}},"roles":[{below}]}},"expires":"2035-01-01T00:00:00Z","targets":{{{targets}}},"version":1}}"#
    );
    envelope(&signed, &[])
}

fn gun() -> Gun {
    Gun::new(GUN).unwrap()
}

/// What the look says of where it ended.
fn cut(look: &claviger::repository::Look) -> &str {
    let why = look.files.last().and_then(|f| f.problem.as_deref()).unwrap_or_default();
    if why.contains("cut here") { why } else { "" }
}

#[test]
fn a_look_at_many_files_ends() {
    let (server, all) = flood(|r| unsigned(r, 1, 300), |_| 0);
    let look = wait_for(all.look(&gun())).unwrap();
    assert_eq!(server.sent.lock().unwrap().len(), 64);
    assert_eq!(look.files.len(), 65);
    assert!(cut(&look).contains("64 files"), "{look:?}");
    // Control: a small one is not cut.
    let (_, all) = flood(|r| unsigned(r, 1, usize::from(r.role.as_str() == "targets") * 3), |_| 0);
    let look = wait_for(all.look(&gun())).unwrap();
    assert_eq!((look.files.len(), cut(&look)), (7, ""));
}

#[test]
fn a_look_at_large_files_ends() {
    let (server, all) = flood(|_| vec![b' '; 5 << 20], |_| 0);
    let look = wait_for(all.look(&gun())).unwrap();
    assert_eq!((look.files.len(), cut(&look)), (4, ""), "four files of 5 MiB fit");
    let (large, all) = flood(|_| vec![b' '; 33 << 20], |_| 0);
    let look = wait_for(all.look(&gun())).unwrap();
    assert!(cut(&look).contains("32 MiB"), "{look:?}");
    assert_eq!(large.sent.lock().unwrap()[..], [32 << 20]);
    let (_, all) = flood(|r| [unsigned(r, 0, 2), vec![b' '; 3 << 20]].concat(), |_| 0);
    assert!(cut(&wait_for(all.look(&gun())).unwrap()).contains("32 MiB"));
    assert!(server.sent.lock().unwrap().iter().sum::<u64>() <= 32 << 20);
}

#[test]
fn a_look_at_many_names_keeps_some_and_counts_the_rest() {
    let (_, all) = flood(|r| unsigned(r, 700, usize::from(r.role.as_str() == "targets") * 2), |_| 0);
    let look = wait_for(all.look(&gun())).unwrap();
    let names: Vec<_> = look.files.iter().skip(3).map(|f| (f.names.len(), f.more_names)).collect();
    assert_eq!(names, [(700, 0), (300, 400), (0, 700)]);
}

#[test]
fn an_endless_list_of_repositories_is_cut() {
    let (server, all) = flood(|_| Vec::new(), |asked| asked);
    let inventory = wait_for(all.inventory());
    assert_eq!(inventory.known.len(), 100_000);
    assert!(inventory.notes.iter().any(|n| n.contains("cut after 100000")), "{:?}", inventory.notes);
    assert!(server.feed.load(Ordering::SeqCst) <= 101);
    assert!(inventory.known.iter().all(|k| k.on_server == Some(true) && !k.is_anchored()));
}

#[test]
fn a_page_of_the_change_feed_with_more_than_was_asked_for_is_refused() {
    let (server, all) = flood(|_| Vec::new(), |asked| asked + 1);
    let inventory = wait_for(all.inventory());
    assert_eq!((inventory.known.len(), server.feed.load(Ordering::SeqCst)), (0, 1));
    assert!(inventory.notes[0].contains("more records than were asked for"), "{:?}", inventory.notes);
}

/// With verification on the thread that must stay awake, nothing else happens between an answer and the next question.
#[test]
fn a_file_that_takes_long_to_verify_keeps_nobody_waiting() {
    let mut forge = Forge::good();
    forge.tags.insert(role("targets"), (0..20_000).map(|i| format!("tag-{i:06}")).collect());
    let served = Served::new(forge.publish());
    let home = tempfile::tempdir().unwrap();
    let dir = TrustDir::new(home.path());
    let ticks = Arc::new(AtomicUsize::new(0));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (count, note) = (ticks.clone(), seen.clone());
    let meanwhile = Box::new(move |_: &Request| note.lock().unwrap().push(count.load(Ordering::SeqCst)));
    let all = repositories(&dir, &served, Pinning::default(), meanwhile);
    wait_for(async {
        let others = tokio::spawn(async move {
            loop {
                ticks.fetch_add(1, Ordering::SeqCst);
                tokio::task::yield_now().await;
            }
        });
        all.load(&gun(), now(), Mode::Usual, &|_| {}).await.unwrap();
        others.abort();
    });
    let seen = seen.lock().unwrap();
    assert!(seen.len() >= 6 && seen.windows(2).any(|w| w[1] > w[0] + 10), "others were kept waiting: {seen:?}");
}
