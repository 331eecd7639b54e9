//! Repositories are changed in the real binary: from the selected row to what was published, and stopped at every page.
use super::{Home, driver::Robot};
use crate::{images_pushed::layout_of_one, served_sandbox::Served};
use claviger::keys::{self, KeyRole, NewKey};

/// The passphrase of every key in a sandbox.
const PASSPHRASE: &str = "practise-only";

pub struct Visit {
    home: Home,
    pub robot: Robot,
}

impl Visit {
    /// In a sandbox, on the chain of trust of `shop/frontend`.
    pub fn new(size: (u16, u16)) -> Self {
        let home = Home::empty();
        let temporary = home.dir.path().join("tmp");
        std::fs::create_dir(&temporary).unwrap();
        let mut robot = home.start_with(&["sandbox"], size, &[("TMPDIR", temporary.to_str().unwrap())]);
        robot.see("4 verified");
        robot.press("3/shop/frontend\r");
        robot.see("1 of 10");
        robot.press("\r");
        robot.see("▌Chain of trust");
        Self { home, robot }
    }

    /// Presses Esc alone: with a key right behind it, it would be another key.
    pub fn escape(&mut self, to: &str) {
        self.robot.press("\x1b");
        self.robot.see(to);
    }

    /// Opens every key that is asked for.
    pub fn unlock(&mut self, keys: &[&str]) {
        let mut left = keys.to_vec();
        while !left.is_empty() {
            let asks = |s: &str, of: &str| s.contains(&format!("Type the passphrase of the {of} key"));
            let screen = self.robot.wait(&format!("one of {left:?}"), |s| left.iter().any(|of| asks(&s.contents(), of)));
            left.retain(|of| !asks(&screen, of));
            self.robot.press(&format!("{PASSPHRASE}\r"));
        }
    }

    /// Accepts the plan, which is read to its end.
    pub fn accept(&mut self) {
        self.robot.press("G");
        self.robot.see("Enter accept");
        self.robot.press("\r");
    }

    pub fn published(&mut self) {
        self.robot.see("It was fetched again with an empty cache");
        self.robot.press("\r");
        self.robot.see_no("It was fetched again");
    }

    pub fn leave(mut self) {
        self.robot.press("q");
        assert_eq!(self.robot.end(), 0);
        self.robot.wait_whole();
        assert!(!self.robot.written().contains(PASSPHRASE), "a passphrase was written to the terminal");
        assert!(!self.home.dir.path().join(".docker").exists());
    }
}

#[test]
fn a_tag_is_signed_and_revoked_on_the_screen() {
    for size in [(80, 24), (120, 40)] {
        let mut v = Visit::new(size);
        v.robot.press("l");
        v.robot.see("▌Tags 13");
        v.robot.press("S");
        v.robot.see("Say what is wanted.");
        // The row says the tag; another is meant.
        v.robot.press("\x15nightly\ralice\x04");
        v.robot.see("docker can pull nightly");
        v.escape("Say what is wanted.");
        v.robot.see("nightly");
        v.robot.press("\x04");
        v.robot.see("docker can pull nightly");
        v.accept();
        v.robot.see("Type the passphrase of the alice key");
        v.escape("docker can pull nightly");
        v.accept();
        v.unlock(&["alice"]);
        v.published();
        v.robot.see("▌Tags 14");
        v.robot.press("/nightly\r");
        v.robot.see("1 of 14: nightly");
        v.robot.press("D");
        v.robot.see("docker cannot pull nightly any more");
        v.escape("Nothing was signed or published.");
        v.robot.press("\r");
        v.robot.see("1 of 14: nightly");
        v.robot.press("D");
        v.robot.see("docker cannot pull nightly any more");
        v.accept();
        v.unlock(&["alice", "ci"]);
        v.published();
        v.robot.see("Tags 13");
        v.robot.press("4");
        v.robot.see("revoke");
        v.leave();
    }
}

#[test]
fn roles_are_delegated_renewed_and_vouched_for_and_a_signer_comes() {
    let mut v = Visit::new((120, 40));
    let key = keys::generate(NewKey::EcdsaP256).unwrap();
    let file = v.home.dir.path().join("dave.pub");
    std::fs::write(&file, keys::public_file(&KeyRole::parse("dave").unwrap(), key.public()).unwrap()).unwrap();
    let begun = file.to_str().unwrap().trim_end_matches("ve.pub").to_owned();
    // The file's name is completed.
    v.robot.press("a");
    v.robot.see("Say what is wanted.");
    v.robot.press(&format!("dave\r{begun}\t"));
    v.robot.see("ecdsa-p256 key");
    v.robot.press("\x04");
    v.robot.see("the role targets/dave");
    v.escape("Say what is wanted.");
    v.robot.see("ecdsa-p256 key");
    v.robot.press("\x04");
    v.robot.see("the role targets/dave");
    v.accept();
    v.unlock(&["targets"]);
    v.published();
    v.robot.press("A");
    v.robot.see("Say what is wanted.");
    v.robot.press(&format!("qa\r{begun}\t"));
    v.robot.see("ecdsa-p256 key");
    // What is chosen says which names; the field below is left empty.
    v.robot.press("\r\r\x1b[C");
    v.robot.see("every name");
    v.robot.press("\x04");
    v.robot.see("the role targets/qa");
    v.accept();
    v.unlock(&["targets"]);
    v.published();
    for (key, begins) in [("e", "Renew"), ("w", "Witness")] {
        // The line of alice's role.
        v.robot.press("g");
        v.robot.press(&"j".repeat(9));
        v.robot.wait("alice's role", |s| s.contents().lines().any(|l| l.contains('▌') && l.contains("targets/alice")));
        v.robot.press(key);
        v.robot.see(begins);
        if key == "e" {
            v.robot.see("Say what is wanted.");
            v.robot.press("\r2031-01-02");
            v.robot.see("until 2031-01-02");
            v.robot.press("\x04");
        }
        v.robot.see("what it says stays as it is");
        v.escape(if key == "e" { "Say what is wanted." } else { "Nothing was signed or published." });
        v.robot.press(if key == "e" { "\x04" } else { "\rw" });
        v.robot.see("what it says stays as it is");
        v.accept();
        v.unlock(&["alice"]);
        v.published();
        v.robot.see("▌Chain of trust");
    }
    // What takes no row is begun by its name.
    v.robot.press(":delegation purge\r");
    v.robot.see("Say what is wanted.");
    v.robot.press(&format!("{}\x04", key.id().hex()));
    v.robot.see("the role targets/qa, with its keys");
    v.accept();
    v.unlock(&["targets"]);
    v.published();
    v.leave();
}

#[test]
fn a_root_key_comes_and_goes_from_the_row_of_the_root() {
    for size in [(80, 24), (120, 40)] {
        let mut v = Visit::new(size);
        v.robot.press("+");
        v.robot.see("One more root key");
        v.escape("Nothing was signed or published.");
        v.robot.press("\r+");
        v.robot.see("One more root key");
        v.robot.press("new");
        v.robot.see("a new root key is made here");
        v.robot.press("\x04");
        v.robot.see("Add a root key");
        v.robot.see("root key (new, made here");
        v.accept();
        v.robot.see("Whoever holds the key that comes");
        v.robot.press("sandbox.test/shop/frontend\r");
        v.unlock(&["root"]);
        v.robot.see("Choose the passphrase");
        for _ in 0..2 {
            v.robot.press("four quiet herons cross at dawn\r");
        }
        v.published();
        v.robot.see("▌Chain of trust");
        // By its name, with the first of the two selected.
        v.robot.press("gj:root-key remove\r");
        v.robot.see("One root key less");
        v.robot.press("\x04");
        v.robot.see("- root key");
        v.accept();
        v.robot.see("The key that goes signs no root");
        v.robot.press("sandbox.test/shop/frontend\r");
        v.robot.see("Type the passphrase of the root key");
        v.escape("The key that goes signs no root");
        v.escape("- root key");
        v.escape("One root key less");
        v.escape("Nothing was signed or published.");
        v.robot.press("\r");
        v.leave();
    }
}

#[test]
fn an_image_is_pushed_from_a_layout_on_the_screen() {
    for size in [(80, 24), (120, 40)] {
        let layout = layout_of_one("robot-push");
        let mut v = Visit::new(size);
        v.robot.press("p");
        v.robot.see("Name the layout");
        v.robot.press(&format!("{}\r", layout.display()));
        v.robot.see("sha256:");
        v.robot.press("pushed\x04");
        v.robot.see("pushed is new");
        v.escape("Name the layout");
        v.robot.press("\x04");
        v.robot.see("3 of 3 pieces");
        v.accept();
        v.robot.see("looked up again, and leads to the image");
        v.robot.press("\r");
        v.robot.see("▌Chain of trust");
        // The second time there is nothing to accept.
        v.robot.press(":image push\r");
        v.robot.see("Name the layout");
        v.robot.press(&format!("{}\r", layout.display()));
        v.robot.see("sha256:");
        v.robot.press("pushed\x04");
        v.robot.see("nothing was sent");
        v.robot.press("\r");
        // And it is signed as it is at the registry.
        v.robot.press("S");
        v.robot.see("Say what is wanted.");
        v.robot.press("pushed\ralice\x04");
        v.robot.see("docker can pull pushed");
        v.accept();
        v.unlock(&["alice"]);
        v.published();
        v.leave();
    }
}

#[test]
fn an_image_is_verified_from_its_tag_and_the_registry_is_held_against_what_is_signed() {
    for size in [(80, 24), (120, 40)] {
        let mut v = Visit::new(size);
        v.robot.press("l");
        v.robot.see("▌Tags 13");
        // The one that was pushed again after it was signed.
        v.robot.press("/latest\r");
        v.robot.see("1 of 13");
        v.robot.press("v");
        v.robot.see("Say what is asked.");
        v.escape("You have stopped here.");
        v.robot.press("\r");
        v.robot.see("▌Tags 13");
        v.robot.press("v");
        v.robot.see("Platform");
        v.robot.press("\x04");
        v.robot.see("What was signed as");
        v.robot.see("leads to another image");
        v.robot.press("G");
        v.robot.see("config");
        v.robot.press("\r");
        v.robot.see("▌Tags 13");
        v.robot.press("i");
        v.robot.see("shop/frontend@sha256:");
        v.robot.press("\r");
        v.robot.see("▌Tags 13");
        v.robot.press("o");
        v.robot.see("1 unsigned");
        v.robot.see("LEADS TO");
        v.robot.press("\r");
        v.robot.see("▌Tags 13");
        // By their names, from elsewhere.
        v.robot.press("2:image verify\r");
        v.robot.see("such as registry.example/team/app");
        v.escape("You have stopped here.");
        v.robot.press("\r");
        v.robot.see_no("You have stopped here.");
        v.leave();
    }
}

#[test]
fn what_is_not_trusted_or_has_no_key_here_says_so() {
    let mut v = Visit::new((80, 24));
    v.robot.press("w");
    v.robot.see("The root has no witness.");
    v.robot.press("D");
    v.robot.see("Only a role below targets is taken back.");
    v.robot.press("jje");
    v.robot.see("made anew with every publication");
    v.robot.press(&"j".repeat(10));
    v.robot.wait("bob's role", |s| s.contents().lines().any(|l| l.contains('▌') && l.contains("targets/bob")));
    v.robot.press("w");
    v.robot.see("You hold no targets/bob key for this repository.");
    v.robot.press("3/\x15legacy/archive\r");
    v.robot.see("1 of 10");
    v.robot.press("S");
    v.robot.see("This repository is not verified");
    v.leave();
}

#[test]
fn line_by_line_the_same_is_asked_with_the_repository() {
    let home = Home::empty();
    let mut robot = home.start(&["--plain"], (100, 40));
    let mut talk = |lines: &[(&str, &str)]| {
        for (heard, typed) in lines {
            robot.hear(heard);
            robot.press(&format!("{typed}\n"));
        }
    };
    // Nobody listens there.
    talk(&[("0 leaves", "sign"), ("Repository (", "../up"), ("names no repository", "127.0.0.1:9/app"), ("Tag (", "")]);
    talk(&[("a tag is needed", "1.0"), ("Signer (", ""), ("Digest (", ""), ("Size (", "")]);
    talk(&[("Nothing was signed or published", ""), ("0 leaves", "signer remove"), ("Repository (", "127.0.0.1:9/app")]);
    talk(&[("Signer (", "bob"), ("Only key (", "stop"), ("Nothing was signed or published", "")]);
    talk(&[("0 leaves", "root-key add"), ("Repository (", "127.0.0.1:9/app"), ("Nothing was signed or published", "")]);
    talk(&[("0 leaves", "signer add --init"), ("Repository (", "127.0.0.1:9/app"), ("Signer (", "stop")]);
    talk(&[("Nothing was signed or published", ""), ("0 leaves", "image push")]);
    let layout = layout_of_one("robot-plain");
    talk(&[("Repository (", "127.0.0.1:9/app"), ("Layout (", "/nowhere"), ("is no OCI image layout", layout.to_str().unwrap())]);
    talk(&[("Tag (", "1.0"), ("Nothing was sent to a registry", ""), ("0 leaves", "image verify")]);
    talk(&[("Repository (", "127.0.0.1:9/app"), ("Tag (", "1.0"), ("Platform (", ""), ("Nothing was verified", "")]);
    talk(&[
        ("0 leaves", "signer list"),
        ("Which repository?", "127.0.0.1:9/app"),
        ("Nothing was verified", ""),
        ("0 leaves", "0"),
    ]);
    assert_eq!(robot.end(), 0);
}

#[test]
fn ctrl_c_at_the_question_for_the_plan_says_that_nothing_was_signed_or_published() {
    let served = Served::start();
    let digest = format!("sha256:{}", "ab".repeat(32));
    let sign = ["sign", "sandbox.test/shop/frontend:rc", "--digest", &digest, "--size", "7", "--as", "alice"];
    let leave = ["signer", "remove", "bob", "sandbox.test/shop/frontend"];
    let delete = ["delete", "sandbox.test/shop/frontend"];
    for (command, asks, nothing) in [
        (&sign[..], "Type yes:", "Nothing was signed or published."),
        (&leave[..], "Type yes:", "Nothing was signed or published."),
        (&delete[..], "to go ahead:", "Nothing was deleted."),
    ] {
        let home = Home::empty();
        let places = ["--server", served.value("url"), "--tlscacert", served.value("ca_file"), "-d", served.value("trust_dir")];
        let mut robot = home.start(&[command, &places].concat(), (100, 40));
        robot.hear(asks);
        robot.press("\x03");
        robot.hear(nothing);
        assert_eq!(robot.end(), 130, "{command:?}");
        robot.wait_whole();
        let said = String::from_utf8_lossy(&robot.said()).into_owned();
        assert!(!said.contains("unless that had begun"), "{command:?}: {said}");
    }
}

#[test]
fn a_signer_is_removed_from_the_row_when_the_name_was_typed() {
    for size in [(80, 24), (120, 40)] {
        let mut v = Visit::new(size);
        // The line of bob's role.
        v.robot.press(&"j".repeat(12));
        v.robot.wait("bob's role", |s| s.contents().lines().any(|l| l.contains('▌') && l.contains("targets/bob")));
        v.robot.press("D");
        v.robot.see("bob in sandbox.test/shop/frontend");
        v.escape("Nothing was signed or published.");
        v.robot.press("\r");
        v.robot.see("Chain of trust");
        v.robot.press("D");
        v.robot.see("Say what is wanted.");
        v.robot.press("\x04");
        v.robot.see("Remove a signer");
        v.robot.see("the role targets/bob, with its keys");
        v.accept();
        v.robot.see("bob may not sign in");
        v.escape("the role targets/bob, with its keys");
        v.accept();
        v.robot.see("bob may not sign in");
        v.robot.press("bo\r");
        v.robot.see("Type bob in full.");
        v.robot.press("b\r");
        v.unlock(&["targets"]);
        v.published();
        v.robot.see("▌Chain of trust");
        v.robot.press("G");
        v.robot.wait("a chain without bob", |s| !s.contents().contains("targets/bob") && !s.contents().contains("reading"));
        v.leave();
    }
}
