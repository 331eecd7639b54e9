//! A server that cannot store what it has accepted says so, and has stored nothing of it.
use super::told::{Owner, Told};
use crate::{
    peers::{program::program, server::NotaryServer},
    served_sandbox::Served,
};
use std::process::Command;

/// Publishes once where that is stored, and once where it cannot be, which `breaks` sees to.
fn tell(told: &mut Told, gun: &str, breaks: impl FnOnce()) {
    let owner = Owner::new(told, gun);
    breaks();
    let (root, targets) = (owner.root(), owner.file("targets"));
    let snapshot = owner.snapshot(&["root", "targets"]);
    told.publish("no room", gun, &[("root", &root), ("targets", &targets), ("snapshot", &snapshot)]);
    told.look("nothing of it is there", gun);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_publication_that_cannot_be_stored_is_answered_with_the_words_of_the_real_server() {
    let (real, breaks) = NotaryServer::postgres_that_breaks();
    let ca = std::fs::read_to_string(real.ca()).unwrap();
    let mut theirs = Told { address: real.socket_address(), ca, answers: Vec::new() };
    tell(&mut theirs, "sandbox.test/full", breaks);

    // A kept sandbox whose file has room for a key, and not for a publication.
    let dir = tempfile::tempdir().unwrap();
    let world = dir.path().join("world");
    assert_eq!(Served::kept(&world).end(), Some(0));
    let size = std::fs::metadata(world.join("server.jsonl")).unwrap().len();
    let mut limited = Command::new(program("prlimit"));
    limited.arg(format!("--fsize={}", size + 2000)).args(["env", "--ignore-signal=XFSZ"]);
    let served = Served::kept_by(limited, &world);
    let address = served.value("url").strip_prefix("https://").unwrap().parse().unwrap();
    let ca = std::fs::read_to_string(served.value("ca_file")).unwrap();
    let mut ours = Told { address, ca, answers: Vec::new() };
    tell(&mut ours, "sandbox.test/full", || {});
    assert_eq!(theirs.answers[0].1, 500);
    assert!(theirs.answers[0].2.contains("UPDATING"), "{:?}", theirs.answers[0]);
    assert_eq!(ours.answers[0], theirs.answers[0]);
    // A database that cannot be written makes no timestamp either, which is another failure than that there is nothing.
    let nothing = |told: &Told| told.answers[1].2.matches(" null []").count();
    assert_eq!((nothing(&ours), nothing(&theirs)), (6, 6), "{:?} {:?}", ours.answers, theirs.answers);
    assert_eq!(served.end(), Some(0));
}
