//! The robot practises in the sandbox: every place, each of its repositories, and what a beginner must be able to see
//! there at a glance.
use super::{Home, Robot};
use claviger::text::is_plain;

const SIZES: [(u16, u16); 2] = [(80, 24), (120, 40)];

/// A repository as the list must show it, and what its pages must say. Each inner list is a line with all these words.
struct Story {
    name: &'static str,
    health: &'static str,
    /// Why its root is believed, before anything was read twice.
    root: &'static str,
    /// In the tree: at its top, and at its end.
    chain: [&'static [&'static [&'static str]]; 2],
    /// Among the tags: at their top, and at their end.
    tags: [&'static [&'static [&'static str]]; 2],
    findings: &'static [&'static str],
}

const REFUSED: [(&str, &str); 2] =
    [("legacy/archive", "the timestamp file expired on"), ("legacy/payments", "the targets file expired on")];

const TRUSTED: [Story; 8] = [
    Story {
        name: "odd/names",
        health: "verified",
        root: "first use",
        chain: [&[&["✓ root", "v1"]], &[&["argets/releases", "1 of 1"], &["signed by", "key here"]]],
        tags: [
            &[&["<script>&amp;", "targets", "yes"], &["naïve"]],
            &[&["日本語", "targets"], &["v1.0<202e>5.2v"], &["v1<200b>.0"]],
        ],
        findings: &["its root was seen now for the first time"],
    },
    Story {
        name: "platform/base",
        health: "verified",
        root: "remembered",
        // Replaced three times; the keys of the first and the last lie here.
        chain: [&[&["✓ root", "v4"], &["signed by", "key here"], &["timestamp", "v5"]], &[&["argets/releases", "v1"]]],
        tags: [&[&["bookworm", "targets", "yes"]], &[&["trixie-21", "targets/releases", "yes"]]],
        findings: &["Nothing was found."],
    },
    Story {
        name: "platform/tools",
        health: "warning",
        root: "remembered",
        chain: [&[&["✓ root", "v1"]], &[&["targets/alice", "1 of 1"], &["argets/releases", "1 of 2"]]],
        tags: [&[&["1.0", "targets", "yes"]], &[&["7.5", "alice", "yes"]]],
        findings: &["root expires in", "the root certificate of key"],
    },
    Story {
        name: "shop/backend",
        health: "warning",
        root: "remembered",
        // Somebody may sign and has not: the role must have a name all the same.
        chain: [
            &[&["✓ root", "v1"]],
            &[
                &["targets/board", "2 of 2"],
                &["· targets/experiments  nothing published", "1 of 1"],
                &["may sign lab/*, api/lab/*"],
            ],
        ],
        tags: [&[&["all-in-one", "targets", "yes"], &["api/overview", "api", "NO"]], &[&["release/2026.2", "board", "NO"]]],
        findings: &["targets/api/edge may not sign \"tools/\"", "signs 1 name outside its"],
    },
    Story {
        name: "shop/docs",
        health: "verified",
        root: "first use",
        chain: [&[&["✓ root", "v1"]], &[&["✓ targets", "v2"], &["may sign everything; signs 3 names"]]],
        tags: [&[&["2025", "targets", "yes"]], &[&["latest", "targets", "yes"]]],
        findings: &["its root was seen now for the first time"],
    },
    Story {
        name: "shop/frontend",
        health: "verified",
        root: "remembered",
        chain: [&[&["✓ root", "v1"], &["timestamp", "v6"]], &[&["targets/ci", "1 of 1"], &["argets/releases", "1 of 4"]]],
        tags: [
            &[&["1.0.0", "alice", "yes"], &["1.2.1", "bob", "yes"], &["2.0.0", "ci", "yes"]],
            // Signed, and waiting for its release.
            &[&["2.3.0-beta1", "carol", "NO"], &["latest", "ci", "yes"], &["2.1.0", "bob, ci", "yes"]],
        ],
        findings: &["Nothing was found."],
    },
    Story {
        name: "shop/mobile",
        health: "problem",
        root: "first use",
        // Its key was replaced, and nobody signed with the new one.
        chain: [
            &[&["✓ root", "v1"]],
            &[
                &["targets/bob", "v1"],
                &["✗ targets/releases", "REFUSED"],
                &["· targets/carol  nothing published"],
                &["· key", "key else"],
            ],
        ],
        tags: [&[&["3.0", "bob", "NO"]], &[&["3.2", "bob", "NO"]]],
        findings: &["error", "targets/releases is not trusted", "0 good"],
    },
    Story {
        name: "shop/search",
        health: "problem",
        root: "first use",
        chain: [&[&["✓ root", "v1"]], &[&["✗ targets/releases", "REFUSED"]]],
        tags: [&[&["1.1", "targets", "yes"]], &[&["1.2", "targets", "yes"]]],
        findings: &["error", "targets/releases is not trusted", "expired on"],
    },
];

/// Words that only what is trusted may carry.
const TRUST: [&str; 7] = ["Verified", "verified  ", "✓", "first use", "remembered", "live", "docker pulls it"];

fn line_with<'s>(screen: &'s str, words: &[&str]) -> Option<&'s str> {
    screen.lines().find(|l| words.iter().all(|w| l.contains(w)))
}

/// Somebody in a sandbox.
struct Visit {
    robot: Robot,
    home: Home,
}

impl Visit {
    /// Opens a sandbox.
    fn opened(size: (u16, u16)) -> Self {
        let home = Home::empty();
        let temporary = home.dir.path().join("tmp");
        std::fs::create_dir(&temporary).unwrap();
        let robot = home.start_with(&["sandbox"], size, &[("TMPDIR", temporary.to_str().unwrap())]);
        Self { robot, home }
    }

    /// Opens a sandbox and waits until everything in it was read.
    fn new(size: (u16, u16)) -> Self {
        let visit = Self::opened(size);
        visit.lines(&[&["Repositories", "10", "4 verified"], &["2 NOT TRUSTED", "2 problem", "2 warning"]]);
        visit
    }

    /// Waits until a screen is as it should be. Whatever it shows, it says that this is a sandbox, and it holds no
    /// character that a terminal should not get.
    fn until(&self, what: &str, is_so: impl Fn(&str) -> bool) -> String {
        let screen = self.robot.wait(what, |s| is_so(&s.contents()));
        assert!(screen.lines().next().is_some_and(|l| l.contains("SANDBOX")), "no badge: {screen}");
        let bad: String = screen.chars().filter(|c| *c != '\n' && !is_plain(*c)).collect();
        assert!(bad.is_empty(), "{bad:?} in {screen}");
        screen
    }

    fn see(&self, texts: &[&str]) -> String {
        self.until(&format!("{texts:?}"), |s| texts.iter().all(|t| s.contains(t)))
    }

    fn lines(&self, lines: &[&[&str]]) -> String {
        self.until(&format!("{lines:?}"), |s| lines.iter().all(|words| line_with(s, words).is_some()))
    }

    fn press(&mut self, keys: &str) {
        self.robot.press(keys);
    }

    /// Presses Escape alone: with a key right behind it, it would be another key.
    fn escape(&mut self, then: &[&str], no_more: &str) {
        self.press("\x1b");
        self.until(&format!("{then:?} without {no_more:?}"), |s| then.iter().all(|t| s.contains(t)) && !s.contains(no_more));
    }

    /// Opens the repository at a place in the list, from anywhere.
    fn open(&mut self, index: usize, name: &str) {
        let down = "j".repeat(index);
        self.press(&format!("3g{down}\r"));
        self.see(&[&format!("Repositories  sandbox.test/{name}")]);
    }

    /// Leaves: all is well, the terminal is whole, and nothing is left behind, here or in the home.
    fn leave(mut self) {
        self.press("q");
        assert_eq!(self.robot.end(), 0);
        self.robot.wait_whole();
        let written = self.robot.written();
        let bad: String = written.chars().filter(|c| !matches!(c, '\r' | '\n') && !is_plain(*c)).collect();
        assert!(bad.is_empty(), "{bad:?} was written to the terminal");
        assert!(!self.home.dir.path().join(".docker").exists(), "a sandbox touches nothing of the user's");
        let left: Vec<_> = std::fs::read_dir(self.home.dir.path().join("tmp")).unwrap().collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn the_overview_of_a_sandbox_tells_what_needs_attention() {
    for size in SIZES {
        let mut visit = Visit::new(size);
        let screen = visit.lines(&[
            &["Keys", "21"],
            &["4 with an error", "2 with a warning"],
            &["✗", "egacy/archive", "NOT TRUSTED"],
            &["✗", "payments", "NOT TRUSTED"],
            &["✗", "shop/mobile", "targets/releases is not trusted"],
            &["Expires next"],
            &["latform/tools", "root"],
        ]);
        let worst = ["archive", "payments", "mobile", "search", "key "].map(|w| screen.find(w).unwrap());
        assert!(worst.is_sorted(), "the worst comes first:\n{screen}");
        // Enter leads from the complaint to the repository that it is about.
        visit.press("\r");
        visit.see(&["Repositories  sandbox.test/legacy/archive", "NOT TRUSTED: the timestamp file expired"]);
        visit.leave();
    }
}

#[test]
fn the_keys_of_a_sandbox_can_be_listed_filtered_and_understood() {
    for size in SIZES {
        let mut visit = Visit::new(size);
        visit.press("2");
        let screen = visit.lines(&[
            &["Keys  21"],
            &["Role", "Repository", "ID", "Algorithm", "Enc"],
            &["alice", "yes"],
            &["ci", "rsa-2048", "yes"],
            &["! laptop", "ecdsa-p256", "NO"],
            &["✗ mixed-up", "NO"],
            &["✗ old-build", "rsa-1024", "NO"],
        ]);
        assert_eq!(screen.lines().filter(|l| l.contains("✗ ?")).count(), 2, "damaged and empty:\n{screen}");
        let problems: [(&str, &[&str]); 5] = [
            ("old-build", &["rsa-1024 is too weak", "no passphrase protects this key"]),
            ("mixed-up", &["the file holds another key than"]),
            ("laptop", &["no passphrase protects this key", "Algorithm   ecdsa-p256"]),
            ("shared", &["others can read this file", "0640"]),
            (
                "platform/base snapshot",
                &["Repository  sandbox.test/platform/base", "Role        snapshot", "yes, with a passphrase"],
            ),
        ];
        for (name, said) in problems {
            visit.press(&format!("/{name}"));
            visit.see(&[&format!("Filter: {name}"), "1 of 21"]);
            visit.press("\r");
            visit.see(&[&format!("filter: {name}")]);
            // The list tells part of it; a page of its own tells all.
            visit.press("\r");
            visit.until(&format!("the page of {name}: {said:?}"), |s| {
                !s.contains("1 of 21") && said.iter().all(|t| s.contains(t))
            });
            visit.escape(&["1 of 21"], "Modified ");
            visit.escape(&["Keys  21"], "filter: ");
        }
        visit.press("G");
        visit.lines(&[&["▌", "targets", "hop/search"]]);
        // The badge and the number of keys stay while they are read again.
        visit.press("r");
        visit.lines(&[&["Keys  21"], &["▌", "hop/search"]]);
        visit.leave();
    }
}

#[test]
fn the_repositories_of_a_sandbox_show_their_health_and_never_trust_what_expired() {
    for size in SIZES {
        let mut visit = Visit::new(size);
        visit.press("3");
        let listed = visit.until("ten repositories with their health", |s| {
            s.contains("Repositories  10")
                && REFUSED.iter().all(|(name, _)| line_with(s, &["✗ NOT TRUSTED", name]).is_some())
                && TRUSTED.iter().all(|r| line_with(s, &[r.health, r.name, r.root]).is_some())
        });
        for (i, (name, why)) in REFUSED.into_iter().enumerate() {
            let line = listed.lines().find(|l| l.contains(name)).unwrap();
            assert!(!TRUST.iter().any(|w| line.contains(w)), "{line}");
            visit.open(i, name);
            let distrusted = |s: &str| {
                s.contains("NOT TRUSTED: ")
                    && s.contains(why)
                    && s.contains("nothing of it is")
                    && !TRUST.iter().any(|w| s.contains(w))
            };
            visit.until("distrust, and no word of trust", distrusted);
            // It has no tabs to go to.
            visit.press("l");
            visit.press("v");
            visit.until("claims, called so", |s| {
                s.contains("CLAIMS, NOT TRUSTED") && s.contains("root claims version 1") && !TRUST.iter().any(|w| s.contains(w))
            });
        }
        visit.leave();
    }
}

#[test]
fn each_repository_of_a_sandbox_shows_its_chain_tags_and_findings() {
    for size in SIZES {
        let mut visit = Visit::new(size);
        for (i, story) in TRUSTED.iter().enumerate() {
            visit.open(REFUSED.len() + i, story.name);
            visit.lines(&[&["root", story.root, "answer live"], &["▌Chain of trust"], &["Until", "Needs"]]);
            visit.lines(story.chain[0]);
            visit.see(&["State       verified"]);
            visit.press("G");
            visit.lines(story.chain[1]);
            visit.press("l");
            visit.lines(&[&["▌Tags"], &["Name", "Digest", "Signers", "Released"], &["sha256:"]]);
            visit.lines(story.tags[0]);
            visit.press("G");
            visit.lines(story.tags[1]);
            visit.press("l");
            visit.see(&["▌Findings"]);
            visit.see(story.findings);
        }
        visit.leave();
    }
}

#[test]
fn names_that_attack_the_terminal_are_shown_as_what_they_are() {
    for size in SIZES {
        let mut visit = Visit::new(size);
        visit.open(2, "odd/names");
        visit.press("l");
        visit.see(&["▌Tags 10"]);
        for (filter, whole) in [
            ("OWNED", "safe<1b>[2J<1b>[1;31mOWNED<1b>[0m"),
            ("title", "title<1b>]0;all good<07>"),
            ("hidden", "<9b>8m-hidden"),
            ("5.2v", "v1.0<202e>5.2v"),
            ("erified", "v2.0<2028>verified: yes"),
        ] {
            visit.press(&format!("/{filter}\r"));
            visit.see(&[&format!("1 of 10: {filter}"), "Signed by   targets/releases", &format!("Name        {whole}")]);
            visit.escape(&["▌Tags 10", "<script>"], "1 of 10");
        }
        visit.leave();
    }
}

#[test]
fn help_in_a_sandbox_is_about_the_place_where_it_is_asked_for() {
    for size in SIZES {
        let mut visit = Visit::new(size);
        for (place, title, says) in [
            ("1", "Help · Overview", "read everything again"),
            ("2", "Help · Keys", "read again: all keys"),
            ("3", "Help · Repositories", "read and verify all repositories again"),
        ] {
            visit.press(place);
            visit.press("?");
            visit.see(&[title, "one line up", says]);
            visit.press("G");
            visit.see(&[title, "leave"]);
            visit.escape(&["Repositories"], "Help ·");
        }
        visit.leave();
    }
}

#[test]
fn in_a_sandbox_reading_again_remembers_roots_and_can_be_stopped() {
    for size in SIZES {
        let mut visit = Visit::new(size);
        visit.press("3/shop/docs\r");
        visit.lines(&[&["▌", "shop/docs", "first use"]]);
        visit.press("r");
        visit.lines(&[&["▌", "shop/docs", "remembered"]]);
        visit.escape(&["Repositories  10"], "filter: ");
        // Only that one was read again.
        visit.lines(&[&["shop/docs", "remembered"], &["shop/mobile", "first use"], &["shop/search", "first use"]]);
        visit.press("R");
        visit.until("every root remembered", |s| {
            !s.contains("c stops") && TRUSTED.iter().all(|r| line_with(s, &[r.health, r.name, "remembered"]).is_some())
        });
        // Reading takes little time here: the one who stops it may come too late, and is told so.
        let stopped = (0..100).any(|_| {
            visit.press("Rc");
            let said = visit.until("an answer", |s| s.contains("Stopped. ") || s.contains("Nothing is running."));
            visit.press("g");
            visit.until("the end of the notice", |s| !s.contains("Stopped. ") && !s.contains("Nothing is running."));
            said.contains("Stopped. ")
        });
        assert!(stopped);
        // What was read before is still there, and nothing that was refused has become anything else.
        let all = |s: &str| {
            !s.contains("reading")
                && REFUSED.iter().all(|(name, _)| line_with(s, &["✗ NOT TRUSTED", name]).is_some())
                && TRUSTED.iter().all(|r| line_with(s, &[r.health, r.name, "remembered"]).is_some())
        };
        visit.until("everything as before", all);
        visit.press("R");
        visit.until("everything read again", |s| all(s) && !s.contains("c stops"));
        visit.leave();
    }
}

#[test]
fn a_sandbox_that_is_left_while_it_is_read_leaves_nothing_behind() {
    for _ in 0..10 {
        let visit = Visit::opened((80, 24));
        visit.see(&["1 Overview"]);
        visit.leave();
    }
    for _ in 0..10 {
        let mut visit = Visit::new((80, 24));
        visit.press("R");
        visit.leave();
    }
}
