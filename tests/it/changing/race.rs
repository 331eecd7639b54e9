//! Two publish at the same time.
use super::{begun, digest, docker_sees, outcome, sign};
use crate::peers::{
    desk::Desk,
    program::Answer,
    server::{Kind, NotaryServer},
};

const ROUNDS: usize = 25;

#[test]
fn two_publishers_who_race_both_get_everything_published() {
    let gun = "registry.example/changing/race";
    let one = Desk::new(NotaryServer::shared(Kind::Local), "race-one");
    begun(&one, gun, &["alice"]);
    let other = one.fresh();
    // The same person on another machine.
    for entry in std::fs::read_dir(one.trust_dir().join("private")).unwrap().flatten() {
        let private = other.trust_dir().join("private");
        std::fs::create_dir_all(&private).unwrap();
        std::fs::copy(entry.path(), private.join(entry.file_name())).unwrap();
    }
    other.claviger(&["repo", "show", gun]).ok();
    let publish = |desk: &Desk, who: &str| -> Vec<Answer> {
        (0..ROUNDS).map(|n| sign(desk, gun, &format!("{who}-{n}"), &["--as", "alice"])).collect()
    };
    let (ones, others) = std::thread::scope(|s| {
        let ones = s.spawn(|| publish(&one, "one"));
        let others = publish(&other, "other");
        (ones.join().unwrap(), others)
    });
    let all: Vec<Answer> = ones.into_iter().chain(others).collect();
    let mut there = 0;
    let (tags, _) = docker_sees(&one, gun);
    for (n, answer) in all.iter().enumerate() {
        let tag = if n < ROUNDS { format!("one-{n}") } else { format!("other-{}", n - ROUNDS) };
        let is_done = answer.status == 0 && outcome(answer) == "published";
        assert_eq!(is_done, tags.contains(&tag), "{tag} {}: {answer:?}", digest(&tag));
        there += usize::from(is_done);
    }
    assert_eq!(there, 2 * ROUNDS, "whoever comes second makes the same plan again");
}
