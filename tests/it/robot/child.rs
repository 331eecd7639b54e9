//! A program for the robot that the shipped one cannot be: one with a fault. It is this test binary, started again by
//! a test and told so by a variable; without it there is nothing to play.
use crate::screen_background::{desk, nothing_to_examine, place};
use claviger::{
    notary::{Answer, ChangeRecord, Transport},
    text::Untrusted,
    tuf::{name::Gun, request::Request},
    tui::{Options, run},
};
use futures_util::FutureExt as _;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// Tells this test that it was started by another.
pub const PLAY: &str = "CLAVIGER_TEST_PLAYS_A_FAULTY_PROGRAM";

/// A server whose client panics when it is asked a second time.
#[derive(Default)]
struct Faulty {
    asked: AtomicUsize,
    address: Untrusted,
}

impl Transport for Faulty {
    fn get<'a>(&'a self, _: &'a Gun, _: &'a Request) -> Answer<'a, Vec<u8>> {
        std::future::pending().boxed()
    }
    fn change_feed<'a>(&'a self, _: Option<&'a Gun>, _: Option<&'a str>, _: i32) -> Answer<'a, Vec<ChangeRecord>> {
        let before = self.asked.fetch_add(1, Ordering::SeqCst);
        async move {
            assert!(before == 0, "a fault that a test has put here");
            Ok(Vec::new())
        }
        .boxed()
    }
    fn ping(&self) -> Answer<'_, ()> {
        std::future::pending().boxed()
    }
    crate::reads_only::reads_only!();
    fn address(&self) -> &Untrusted {
        &self.address
    }
}

#[test]
fn plays_a_faulty_program_for_another_test() {
    if std::env::var_os(PLAY).is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let desk = desk(Arc::new(Faulty::default()), dir.path());
    let place = place(dir.path());
    let ended = runtime.block_on(run(desk, place, nothing_to_examine(), Options::from_env()));
    runtime.shutdown_background();
    println!("the screen ended: {ended:?}");
    std::process::exit(if ended.is_err() { 101 } else { 0 });
}
