//! Guided work in the real binary: what the screen says is what lies in the trust directory, and no passphrase is ever seen.
use super::{Home, driver::Robot};
use claviger::{
    keys::{self, Held, KeyEntry},
    secret::Passphrase,
    trust_dir::TrustDir,
};
use std::path::PathBuf;

const FIRST: &str = "first correct horse";
const SECOND: &str = "second battery staple";

struct Visit {
    home: Home,
    robot: Robot,
}

impl Visit {
    /// In the keys of an empty home, which also takes public halves.
    fn new(size: (u16, u16)) -> Self {
        let home = Home::empty();
        let mut robot = home.start(&[], size);
        robot.press("2");
        robot.see("n makes a key here");
        Self { home, robot }
    }

    fn keys(&self) -> Vec<KeyEntry> {
        keys::list(&TrustDir::new(self.home.dir.path().join(".docker/trust"))).entries
    }

    /// Whether a passphrase opens the only key.
    fn opens(&self, passphrase: &str) -> bool {
        let keys = self.keys();
        let [entry] = keys.as_slice() else { panic!("{keys:?}") };
        Held::unlock(entry, Some(&Passphrase::from(passphrase.to_owned())), &|| false).is_ok()
    }

    fn public(&self) -> PathBuf {
        self.home.dir.path().join("ana.pub")
    }

    /// Fills the form for a key of ana.
    fn fill(&mut self) {
        self.robot.press("n");
        self.robot.see("Say what the new key is for.");
        let dir = self.home.dir.path().to_string_lossy().into_owned();
        // The last field begins with the working directory.
        self.robot.press(&format!("ana\t\t\t\t\x15{dir}"));
        self.robot.see("writes ");
        self.robot.press("\r");
        self.robot.see("Type a passphrase for the new key of ana.");
    }

    fn type_twice(&mut self, passphrase: &str) {
        self.robot.press(&format!("{passphrase}\r"));
        self.robot.see("Type the same passphrase");
        self.robot.press(&format!("{passphrase}\r"));
    }

    fn make(&mut self) {
        self.fill();
        self.type_twice(FIRST);
        self.robot.see("Store the key");
        self.robot.press("\r");
        self.robot.see("Back it up now");
        self.robot.press("\r");
        self.robot.see("Keys  1");
    }

    /// Presses Esc alone: with a key right behind it, it would be another key.
    fn escape(&mut self, to: &str) {
        self.robot.press("\x1b");
        self.robot.see(to);
    }

    /// Nothing of what was typed was written to the terminal, in pieces of eight characters or more.
    fn never_seen(&self, typed: &[&str]) {
        let written = self.robot.written();
        for text in typed {
            for piece in text.as_bytes().windows(text.len().min(8)) {
                let piece = std::str::from_utf8(piece).unwrap();
                assert!(!written.contains(piece), "{piece:?} was written to the terminal");
            }
        }
    }

    fn leave(mut self) -> Self {
        self.robot.press("q");
        assert_eq!(self.robot.end(), 0);
        self.robot.wait_whole();
        self
    }
}

#[test]
fn a_key_is_made_changed_and_removed_on_the_screen() {
    for size in [(80, 24), (120, 40)] {
        let mut v = Visit::new(size);
        // Back once: what was filled in is still there.
        v.fill();
        v.escape("Say what the new key is for.");
        v.robot.see("ana.pub");
        v.robot.press("\x04");
        v.robot.see("Type a passphrase for the new key of ana.");
        assert!(v.keys().is_empty() && !v.public().exists());
        v.type_twice(FIRST);
        v.robot.see("Store the key");
        assert!(v.keys().is_empty() && !v.public().exists(), "nothing is written before it was accepted");
        v.robot.press("\r");
        v.robot.see("Back it up now");
        v.robot.press("\r");
        v.robot.see("Keys  1");
        let id = v.keys()[0].id.unwrap().hex();
        v.robot.see(&id[..12]);
        assert!(v.opens(FIRST) && v.public().exists());

        v.robot.press("p");
        v.robot.see("Type the passphrase of the ana key");
        v.robot.press("opens nothing 4711\r");
        v.robot.see("That passphrase does not open the key.");
        v.robot.press(&format!("{FIRST}\r"));
        v.robot.see("Type the new passphrase");
        v.type_twice(SECOND);
        v.robot.see("Change the passphrase");
        assert!(v.opens(FIRST));
        v.robot.press("\r");
        v.robot.see("Copies and backups");
        assert!(v.opens(SECOND) && !v.opens(FIRST));
        v.robot.press("\r");

        v.robot.see("Keys  1");
        v.robot.press("D");
        v.robot.see("To go ahead, type");
        v.robot.press("yes\r");
        v.robot.see("in full.");
        assert_eq!(v.keys().len(), 1);
        v.robot.press(&format!("\x15{}", &id[..12]));
        v.robot.see("That is it.");
        v.robot.press("\r");
        v.robot.see("was removed");
        assert!(v.keys().is_empty());
        v.robot.press("\r");
        v.robot.see("n makes a key here");
        v.leave().never_seen(&[FIRST, SECOND, "opens nothing 4711"]);
    }
}

#[test]
fn what_is_typed_at_a_passphrase_never_reaches_the_screen_nor_what_comes_after() {
    let mut v = Visit::new((80, 24));
    v.fill();
    // Weak ones, arrows, the mouse, a paste with more lines than are asked for, and what was taken back.
    v.robot.press("shorty!\r");
    v.robot.see("too short");
    v.robot.press("\x1b[A\x1b[<0;20;5M\x1b[<0;20;5mnot this one\x15");
    v.robot.press(&format!("\x1b[200~{FIRST}\x1b[201~\r"));
    v.robot.see("Type the same passphrase");
    v.robot.press(&format!("{FIRST}\rq1q2DDnnp\r\r\rsecond line of a paste"));
    v.robot.see("Store the key");
    assert!(v.keys().is_empty(), "what follows a passphrase accepts nothing");
    v.robot.press("\r");
    v.robot.see("Back it up now");
    v.robot.press("\r");
    v.robot.see("Keys  1");
    assert!(v.opens(FIRST));
    v.leave().never_seen(&[FIRST, "not this one", "second line of a paste", "q1q2DDnnp"]);
}

#[test]
fn esc_at_the_first_question_does_nothing_and_says_so() {
    let mut v = Visit::new((80, 24));
    v.robot.press("n");
    v.robot.see("Say what the new key is for.");
    v.escape("No key was made.");
    v.escape("n makes a key here");
    v.make();
    v.robot.press("p");
    v.robot.see("Type the passphrase of the ana key");
    v.robot.press("half-4711-typed");
    v.escape("with its old passphrase");
    assert!(v.opens(FIRST));
    v.escape("Keys  1");
    v.leave().never_seen(&[FIRST, "half-4711-typed"]);
}

#[test]
fn the_terminal_is_whole_however_one_leaves_a_passphrase() {
    use rustix::process::Signal;
    for (signal, status) in [(None, 130), (Some(Signal::TERM), 143), (Some(Signal::HUP), 129)] {
        let mut v = Visit::new((80, 24));
        v.fill();
        // Whatever is shown, the line before was read without echo.
        v.robot.press("half-11\r");
        v.robot.see("too short");
        match signal {
            None => v.robot.press("\x03"),
            Some(s) => v.robot.signal(s),
        }
        assert_eq!(v.robot.end(), status);
        v.robot.wait_whole();
        v.never_seen(&["half-11"]);
        assert!(v.keys().is_empty() && !v.public().exists());
    }
}

#[test]
fn a_passphrase_that_is_being_typed_survives_a_resize_and_a_stop() {
    use rustix::process::Signal;
    let mut v = Visit::new((80, 24));
    v.fill();
    v.robot.press("first correct");
    v.robot.resize((120, 40));
    v.robot.wait("a frame of the new size", |s| s.contents().lines().count() == 40 && s.contents().contains("Type a passphrase"));
    v.robot.signal(Signal::TSTP);
    v.robot.wait_stopped();
    v.robot.wait_whole();
    v.robot.signal(Signal::CONT);
    v.robot.wait("its own screen", |s| s.alternate_screen() && s.contents().contains("Type a passphrase"));
    v.robot.press(" horse\r");
    v.robot.see("Type the same passphrase");
    v.robot.press(&format!("{FIRST}\r"));
    v.robot.see("Store the key");
    v.robot.press("\r");
    v.robot.see("Back it up now");
    assert!(v.opens(FIRST));
    v.robot.press("\r");
    v.robot.see("Keys  1");
    v.leave();
}

#[test]
fn a_read_only_workstation_says_why_it_makes_no_key() {
    let home = Home::empty();
    let mut robot = home.start(&["--read-only"], (80, 24));
    robot.press("2");
    robot.see("No private keys");
    robot.press("n");
    robot.see("This is a read-only session");
    robot.press("q");
    assert_eq!(robot.end(), 0);
    assert!(!home.dir.path().join(".docker").exists());
}

#[test]
fn in_a_sandbox_keys_are_made_in_the_sandbox() {
    let home = Home::empty();
    let temporary = home.dir.path().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let mut robot = home.start_with(&["sandbox"], (120, 40), &[("TMPDIR", temporary.to_str().unwrap())]);
    robot.press("2");
    robot.see("Keys  21");
    robot.press("n");
    robot.see("Say what the new key is for.");
    robot.press("ana");
    robot.see("writes ");
    robot.press("\x04");
    robot.see("Type a passphrase");
    robot.press(&format!("{FIRST}\r"));
    robot.see("Type the same passphrase");
    robot.press(&format!("{FIRST}\r"));
    robot.see("Store the key");
    robot.press("\r");
    robot.see("Back it up now");
    robot.press("\r");
    robot.see("Keys  22");
    robot.press("q");
    assert_eq!(robot.end(), 0);
    let left: Vec<_> = std::fs::read_dir(home.dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(left, ["tmp"]);
    assert_eq!(std::fs::read_dir(temporary).unwrap().count(), 0);
}

#[test]
fn keys_are_tested_and_the_store_is_cared_for_on_the_screen() {
    let mut v = Visit::new((120, 40));
    v.make();
    let before = std::fs::read(&v.keys()[0].path).unwrap();
    v.robot.press("t");
    v.robot.see("Type the passphrase of the ana key");
    v.robot.press("not this one\r");
    v.robot.see("does not open the key");
    v.robot.press(&format!("{FIRST}\r"));
    v.robot.see("is good: it opens");
    v.robot.press("\r");
    v.robot.see("Keys  1");
    for (key, says) in
        [("S", "1 strong enough before"), ("M", "Nothing lies in an old layout."), ("P", "Nothing in private/ is open")]
    {
        v.robot.press(key);
        v.robot.see(says);
        v.robot.press("\r");
        v.robot.see("Keys  1");
    }
    // What is open to others is shown, and mended when that is accepted.
    let path = v.keys()[0].path.clone();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    v.robot.press("P");
    v.robot.see("mode 0644 becomes 0600");
    v.robot.press("\r");
    v.robot.see("One file or directory is its owner's only now.");
    v.robot.press("\r");
    let v = v.leave();
    assert_eq!((std::fs::read(&path).unwrap(), v.keys()[0].problems.len()), (before, 0));
    v.never_seen(&[FIRST]);
}
