//! The walk through content trust, as a process: every page shows what it says, somebody can leave at each, and nothing of it
//! stays.
use crate::peers::program::{Answer, run, scratch};
use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

/// A home in which nothing is, and a place for what is thrown away.
fn home(name: &str) -> PathBuf {
    let home = scratch(name);
    fs::create_dir(home.join("tmp")).unwrap();
    home
}

fn tour(home: &Path, more: &[&str], typed: &str) -> Answer {
    let environment: [(&str, OsString); 2] = [("HOME", home.into()), ("TMPDIR", home.join("tmp").into())];
    let arguments = [&["sandbox", "--tour"], more].concat();
    let answer = run(env!("CARGO_BIN_EXE_claviger").as_ref(), &arguments, &environment, typed);
    let left: Vec<_> = fs::read_dir(home.join("tmp")).unwrap().map(|e| e.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
    let made: Vec<_> = fs::read_dir(home).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(made, ["tmp"], "something was written where the user works");
    answer
}

/// The texts stand in this order.
#[track_caller]
fn in_order(answer: &Answer, texts: &[&str]) {
    let mut rest = answer.stdout.as_str();
    for text in texts {
        let at = rest.find(text).unwrap_or_else(|| panic!("{text:?} is not in what follows:\n{rest}\n{}", answer.stderr));
        rest = &rest[at + text.len()..];
    }
}

const SEEN: &[&str] = &[
    "1 of 9. An image that nobody has signed",
    "Seen: There is no trusted digest for sandbox.test/shop/frontend:nightly: nobody has signed it.",
    "2 of 9. An image is pushed",
    "7 of 7 pieces",
    "Seen: sandbox.test/shop/frontend:tour is sha256:",
    "Seen: There is no trusted digest for sandbox.test/shop/frontend:tour: nobody has signed it.",
    "3 of 9. A tag is signed",
    "docker can pull tour",
    "Seen: sandbox.test/shop/frontend: published and verified: targets/alice version 3, targets/releases version 5.",
    "Seen: sandbox.test/shop/frontend:tour is signed by targets/releases;",
    "Seen: sandbox.test/shop/frontend@sha256:",
    "4 of 9. The image is held against its signature",
    "Seen: What was signed as sandbox.test/shop/frontend:tour is at the registry, whole, as targets/releases signed it: 7 pieces,",
    "5 of 9. Somebody changes a layer",
    "Seen: One byte of a layer is another now.",
    "Seen: sandbox.test/shop/frontend:tour is not at the registry as it was signed: layer sha256:",
    "was tampered with: its digest is sha256:",
    "6 of 9. A key is rotated",
    "targets key (new, made here)",
    "published and verified: root version 2, targets version 4; the new targets key is ",
    "7 of 9. A signer is removed",
    "the role targets/bob, with its keys",
    "Outside of a tour one types bob here.",
    "published and verified: targets version 5.",
    "8 of 9. What a removal can leave behind",
    "Seen: There is no trusted digest for sandbox.test/shop/mobile:3.2: targets/releases is not trusted",
    "9 of 9. Recovery",
    "Outside of a tour one types sandbox.test/shop/mobile here.",
    "published and verified: targets/releases version 2.",
    "Seen: sandbox.test/shop/mobile:3.2 is signed by targets/releases;",
    "That was the tour.",
];

#[test]
fn the_tour_shows_on_each_page_what_it_says_and_nothing_of_it_stays() {
    let answer = tour(&home("tour"), &["--yes"], "").ok();
    in_order(&answer, SEEN);
    assert!(answer.stdout.chars().all(|c| c == '\n' || !c.is_control()), "{answer:?}");
}

#[test]
fn each_page_waits_and_whoever_leaves_has_done_no_more_than_was_seen() {
    let home = home("tour-waits");
    // Twice for the first page; at the second one leaves before it.
    let left = tour(&home, &[], "\n\nstop\n");
    assert_eq!(left.status, 1, "{left:?}");
    in_order(
        &left,
        &["Enter does it, stop ends the tour", "nobody has signed it.", "Enter goes on", "2 of 9. An image is pushed"],
    );
    assert!(!left.stdout.contains("Sending 7 pieces"), "{left:?}");
    assert!(left.stderr.contains("the tour was left") && left.stderr.contains("nothing of it was real"), "{left:?}");
    // At a plan too, and where nobody types.
    let at_plan = tour(&home, &[], "\n\n\nstop\n");
    assert_eq!(at_plan.status, 1, "{at_plan:?}");
    in_order(&at_plan, &["Push it: Enter accepts it"]);
    assert!(!at_plan.stdout.contains("Sending 7 pieces"), "{at_plan:?}");
    assert_eq!(tour(&home, &[], "").status, 1);
    // Enter leads to the end.
    in_order(&tour(&home, &[], &"\n".repeat(40)).ok(), SEEN);
}

#[test]
fn a_tour_takes_no_world_and_no_json() {
    let home = home("tour-usage");
    for more in [&["--json"][..], &["--dir", "world"], &["--serve"], &["--trust-dir", "x"]] {
        let answer = tour(&home, more, "");
        assert!(answer.status == 2 && answer.stdout.is_empty(), "{more:?}: {answer:?}");
    }
}
