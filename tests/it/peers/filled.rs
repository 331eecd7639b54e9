//! Servers of each kind, filled once by the real clients with every repository of the table.

use super::cases::{CASES, Case, Expected, LEFT_OUT, VIEWS};
use super::desk::Desk;
use super::listing;
use super::program::{Answer, docker, run};
use super::server::{Kind, NotaryServer};
use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

/// All kinds of servers.
pub const KINDS: [Kind; 3] = [Kind::Local, Kind::Signer, Kind::Postgres];

/// A filled server.
pub struct World {
    server: &'static NotaryServer,
}

impl World {
    /// The one of this kind; filled when it is asked for first.
    pub fn of(kind: Kind) -> &'static Self {
        static LOCAL: OnceLock<World> = OnceLock::new();
        static SIGNER: OnceLock<World> = OnceLock::new();
        static POSTGRES: OnceLock<World> = OnceLock::new();
        let cell = match kind {
            Kind::Local => &LOCAL,
            Kind::Signer => &SIGNER,
            Kind::Postgres => &POSTGRES,
        };
        cell.get_or_init(|| {
            let server = NotaryServer::shared(kind);
            each(CASES, |case| (case.make)(&Desk::new(server, "owner"), case.gun));
            Self { server }
        })
    }

    /// A desk that has never seen this server.
    pub fn reader(&self) -> Desk {
        Desk::new(self.server, "reader")
    }
}

/// Does something for each, several at a time; all are done before a failure is reported, and all failures are.
///
/// # Panics
/// When any of them did.
pub fn each<T: Sync>(all: &[T], work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    let failed = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(2, usize::from).min(8) {
            scope.spawn(|| {
                while let Some(item) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(item))).is_err() {
                        failed.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    assert_eq!(failed.into_inner(), 0, "failures, of {}: see above", all.len());
}

/// The docker that is used, as it says itself.
pub fn docker_version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| run(&docker(), &["--version"], &[], "").ok().stdout.trim().to_owned())
}

/// What docker answers, as exit status and standard output: one answer, or all that come in turn when a Go map decides.
pub fn docker_answers(desk: &Desk, case: &Case, args: &[&str]) -> Vec<(i32, String)> {
    let mut answers = Vec::new();
    for _ in 0..if case.several_answers { 200 } else { 1 } {
        let Answer { status, stdout, .. } = desk.docker_trust(args);
        if !answers.contains(&(status, stdout.clone())) {
            answers.push((status, stdout));
        }
        if answers.len() > 1 {
            break;
        }
    }
    answers
}

/// What the old clients say of a case, as numbers.
fn observed(desk: &Desk, case: &Case, inspected: &Answer) -> Expected {
    let json: serde_json::Value = serde_json::from_str(&inspected.stdout).expect("JSON");
    let names = |list: &serde_json::Value| -> Vec<String> {
        list.as_array().expect("a list").iter().map(|signer| signer["Name"].as_str().expect("a name").to_owned()).collect()
    };
    let list = desk.notary(&["list", case.gun]).ok().stdout;
    let delegations = desk.notary(&["delegation", "list", case.gun]).ok().stdout;
    let signers: Vec<&'static str> = names(&json[0]["Signers"]).into_iter().map(|name| &*name.leak()).collect();
    Expected {
        released: json[0]["SignedTags"].as_array().expect("a list").len(),
        listed: listing::tags(&list).len(),
        signers: signers.leak(),
        delegations: listing::delegations(&delegations).len(),
    }
}

fn the_old_clients_see_what_they_made(kind: Kind) {
    let world = World::of(kind);
    each(CASES, |case| {
        let reader = world.reader();
        match case.expected {
            Some(expected) => {
                let inspected = reader.docker_trust(&["inspect", case.gun]).ok();
                assert_eq!(observed(&reader, case, &inspected), expected, "{} ({kind:?})", case.name);
                let complained = inspected.stderr.contains("Error getting");
                assert_eq!(complained, case.refused_role, "{}: {}", case.name, inspected.stderr);
                let answers = docker_answers(&reader, case, &["inspect", case.also.last().unwrap_or(&case.gun)]);
                assert_eq!(answers.len() > 1, case.several_answers, "{}: {answers:#?}", case.name);
            }
            None => {
                let answer = reader.docker_trust(&["inspect", case.gun]).refused();
                assert_eq!((answer.stdout.as_str(), answer.status), ("[]\n", 1), "{answer:?}");
                assert!(answer.stderr.contains("o signatures or cannot access"), "{answer:?}");
                let answer = reader.notary(&["list", case.gun]).refused();
                assert!(answer.stdout.contains("does not have trust data for"), "{answer:?}");
            }
        }
    });
}

#[test]
fn the_old_clients_see_what_they_made_on_a_server_with_keys_of_its_own() {
    the_old_clients_see_what_they_made(Kind::Local);
}

#[test]
fn the_old_clients_see_what_they_made_on_a_server_with_a_signer() {
    the_old_clients_see_what_they_made(Kind::Signer);
}

#[test]
fn the_old_clients_see_what_they_made_on_a_server_with_postgresql() {
    the_old_clients_see_what_they_made(Kind::Postgres);
}

#[test]
fn the_table_of_cases_has_no_two_of_one_name_and_a_reason_for_all_that_is_left_out() {
    let version = docker_version();
    let comparisons = CASES.len() * VIEWS.len() * KINDS.len();
    println!("{} cases on {} kinds of servers, {comparisons} comparisons, against {}", CASES.len(), KINDS.len(), version);
    for case in CASES {
        println!("  {:<66} {}", case.name, case.gun);
    }
    println!("left out:");
    for (what, reason) in LEFT_OUT {
        println!("  {what}: {reason}");
        assert!(!reason.is_empty());
    }
    assert_eq!(CASES.iter().map(|case| case.name).collect::<BTreeSet<_>>().len(), CASES.len());
    assert_eq!(CASES.iter().map(|case| case.gun).collect::<BTreeSet<_>>().len(), CASES.len());
}
