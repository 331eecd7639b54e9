//! Reading in the background: a few repositories at a time, stopped at once.
use claviger::{
    journal::State,
    notary::{Answer, ChangeRecord, Transport},
    procedures::Workplace,
    repository::{Repositories, Servers},
    text::{Printable, Untrusted},
    trust_dir::TrustDir,
    tuf::{name::Gun, pinning::Pinning, request::Request},
    tui::{
        action::Action,
        effect::Effect,
        runner::{AT_A_TIME, Runner},
    },
    views::desk::{Desk, Facts, World},
};
use futures_util::FutureExt as _;
use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Notify, mpsc};

/// A server that never answers and counts who waits for it.
#[derive(Default)]
struct Silent {
    waiting: Arc<AtomicUsize>,
    came: Arc<Notify>,
    went: Arc<Notify>,
    address: Untrusted,
}

/// Somebody who waits, until dropped.
struct Waiting(Arc<AtomicUsize>, Arc<Notify>);
impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
        self.1.notify_one();
    }
}

impl Transport for Silent {
    fn get<'a>(&'a self, _: &'a Gun, _: &'a Request) -> Answer<'a, Vec<u8>> {
        async {
            self.waiting.fetch_add(1, Ordering::SeqCst);
            let _one = Waiting(self.waiting.clone(), self.went.clone());
            self.came.notify_one();
            std::future::pending().await
        }
        .boxed()
    }
    fn change_feed<'a>(&'a self, _: Option<&'a Gun>, _: Option<&'a str>, _: i32) -> Answer<'a, Vec<ChangeRecord>> {
        std::future::pending().boxed()
    }
    fn ping(&self) -> Answer<'_, ()> {
        std::future::pending().boxed()
    }
    crate::reads_only::reads_only!();
    fn address(&self) -> &Untrusted {
        &self.address
    }
}

/// A desk in an empty directory over a server.
pub fn desk(transport: Arc<dyn Transport>, dir: &std::path::Path) -> Desk {
    let facts = Facts {
        world: World::Online,
        trust_dir: Printable::from_untrusted(&dir.to_string_lossy()),
        server: Some(transport.address().shown()),
        config: None,
    };
    Desk::new(facts, Repositories::new(Servers::fixed(transport), TrustDir::new(dir), Pinning::default(), false))
}

/// No doctor comes.
pub fn nothing_to_examine() -> claviger::tui::Examiner {
    Arc::new(|| Box::pin(async { Vec::new() }))
}

/// Where procedures work in it.
pub fn place(dir: &Path) -> Workplace {
    Workplace {
        trust_dir: TrustDir::new(dir),
        repositories: None,
        state: Some(State::of(&dir.join("state"), dir)),
        read_only: None,
        exact: false,
        public_dir: dir.into(),
        tour: None,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_few_are_read_at_a_time_and_all_are_stopped() {
    let dir = tempfile::tempdir().unwrap();
    let server = Arc::new(Silent::default());
    let (waiting, came, went) = (server.waiting.clone(), server.came.clone(), server.went.clone());
    let (send, mut receive) = mpsc::unbounded_channel();
    let mut runner = Runner::new(desk(server, dir.path()), place(dir.path()), nothing_to_examine(), send);
    let guns: Vec<Gun> = (0..50).map(|i| Gun::new(&format!("registry.example/{i}")).unwrap()).collect();
    runner.start(Effect::Load(7, guns));
    let all_came = async {
        while waiting.load(Ordering::SeqCst) < AT_A_TIME {
            came.notified().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all_came).await.expect("as many as may wait do");
    // Whoever might come beyond the bound gets every chance to.
    for _ in 0..1000 {
        tokio::task::yield_now().await;
        assert!(waiting.load(Ordering::SeqCst) <= AT_A_TIME);
    }
    runner.start(Effect::StopAll);
    let all_went = async {
        while waiting.load(Ordering::SeqCst) > 0 {
            went.notified().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), all_went).await.expect("nobody waits any longer");
    drop(runner);
    while let Ok(action) = receive.try_recv() {
        assert!(matches!(action, Action::Step(7, ..)), "nothing was read: {action:?}");
    }
}

#[test]
fn keys_are_read_aside() {
    // Only one thread may do what blocks, and it waits behind a gate: whatever has come before the gate opens was read by
    // the thread that started the reading.
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let (open, gate) = std::sync::mpsc::channel::<()>();
        let before = tokio::task::spawn_blocking(move || gate.recv());
        let dir = tempfile::tempdir().unwrap();
        let (send, mut receive) = mpsc::unbounded_channel();
        let mut runner =
            Runner::new(desk(Arc::new(Silent::default()), dir.path()), place(dir.path()), nothing_to_examine(), send);
        runner.start(Effect::ReadKeys(3));
        assert!(receive.try_recv().is_err(), "starting reads nothing itself");
        open.send(()).unwrap();
        before.await.unwrap().unwrap();
        assert!(matches!(receive.recv().await, Some(Action::KeysRead(3, _))));
    });
}
