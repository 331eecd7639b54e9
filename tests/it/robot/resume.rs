//! Work that a kill has ended, taken up on the screen and line by line: what was filled in is not asked again, and it is done once.
use super::{Home, driver::Robot};
use claviger::{
    keys::{self, Held},
    secret::Passphrase,
    trust_dir::TrustDir,
};
use rustix::process::Signal;

const PASSPHRASE: &str = "first correct horse";
const ASKED: &str = "Type a passphrase for the new key of ana.";

/// How many keys there are, all of which the passphrase opens.
fn keys(home: &Home) -> usize {
    let all = keys::list(&TrustDir::new(home.dir.path().join(".docker/trust"))).entries;
    let opens = |e| Held::unlock(e, Some(&Passphrase::from(PASSPHRASE.to_owned())), &|| false).is_ok();
    assert!(all.iter().all(opens));
    all.len()
}

/// Killed while the passphrase of a new key is asked, when the form was filled in.
fn killed_at_the_passphrase(home: &Home, size: (u16, u16)) {
    let mut robot = home.start(&[], size);
    robot.press("2");
    robot.see("n makes a key here");
    robot.press("n");
    robot.see("Say what the new key is for.");
    robot.press(&format!("ana\t\t\t\t\x15{}\r", home.dir.path().to_string_lossy()));
    robot.see(ASKED);
    robot.press("half-4711");
    robot.signal(Signal::KILL);
    robot.end();
}

fn done(robot: &mut Robot) {
    for asked in [ASKED, "Type the same passphrase"] {
        robot.see(asked);
        robot.press(&format!("{PASSPHRASE}\r"));
    }
    robot.see("Store the key");
    robot.press("\r");
    robot.see("Back it up now");
    robot.press("\r");
}

#[test]
fn a_killed_work_is_in_the_journal_goes_on_there_with_its_answers_and_is_done_once() {
    for size in [(80, 24), (120, 40)] {
        let home = Home::empty();
        killed_at_the_passphrase(&home, size);
        let mut robot = home.start(&[], size);
        robot.press("4");
        robot.see("key generate");
        robot.see("interrupted");
        robot.press("\r");
        robot.see("name: ana");
        robot.press("o");
        done(&mut robot);
        // Back on its page, which tells how it ended.
        robot.see("Outcome     done");
        robot.see_no("goes on with it");
        assert_eq!(keys(&home), 1);
        assert!(home.dir.path().join("ana.pub").exists());
        robot.press("o");
        robot.see("Only work that was interrupted is gone on with");
        robot.press("q");
        assert_eq!(robot.end(), 0);
        assert!(!robot.written().contains("half-4711") && !robot.written().contains(PASSPHRASE));
    }
}

#[test]
fn a_killed_work_is_closed_in_the_journal_and_not_found_again() {
    let home = Home::empty();
    killed_at_the_passphrase(&home, (80, 24));
    let mut robot = home.start(&[], (80, 24));
    robot.press("4");
    robot.see("interrupted");
    robot.press("X");
    robot.press("\r");
    robot.see("name: ana");
    robot.press("X");
    robot.see("X once more closes it");
    // Anything else between is a no.
    robot.press("j");
    robot.press("X");
    robot.see("X once more closes it");
    robot.press("X");
    robot.see("Nothing was done with this trust directory so far.");
    robot.press("q");
    assert_eq!(robot.end(), 0);
    assert_eq!(keys(&home), 0);
    let mut robot = home.start(&["resume"], (80, 24));
    robot.hear("no work is interrupted");
    assert_eq!(robot.end(), 0);
}

#[test]
fn a_killed_work_goes_on_line_by_line_too() {
    let home = Home::empty();
    killed_at_the_passphrase(&home, (80, 24));
    let mut robot = home.start(&["--plain"], (80, 24));
    for (heard, typed) in [
        ("0 leaves", "resume"),
        ("Which work?", "1"),
        ("New passphrase for", PASSPHRASE),
        ("The same once more", PASSPHRASE),
        ("Type yes", "yes"),
        ("Done. The ana key", "journal"),
        ("key generate, done", "resume"),
        ("No work is interrupted.", "0"),
    ] {
        robot.hear(heard);
        robot.press(&format!("{typed}\n"));
    }
    assert_eq!(robot.end(), 0);
    assert_eq!(keys(&home), 1);
}
