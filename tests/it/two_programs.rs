//! Two programs at once on one trust directory: claviger twice, and claviger beside `notary`. Nothing that was said to be stored
//! is lost, nothing that was said to be removed comes back, every file is whole, and nobody waits for ever.
use crate::{
    killed::{Desk, OLD, only_whole_keys},
    peers::program::{program, released},
};
use std::{
    collections::BTreeSet,
    process::{Command, Output, Stdio},
    sync::Mutex,
};

/// Chance from a fixed seed, so that a run that fails can be repeated as far as two programs at once can be.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % n
    }
}

/// What the programs have said, as far as both must agree in the end.
#[derive(Default)]
struct Said {
    /// Keys that were stored.
    stored: BTreeSet<String>,
    /// Keys whose removal has been begun by somebody: they may be there or not until it is known.
    doomed: BTreeSet<String>,
    /// Keys that were removed.
    removed: BTreeSet<String>,
    done: usize,
    refused: Vec<String>,
}

/// One of the programs.
struct Worker<'a> {
    desk: &'a Desk,
    said: &'a Mutex<Said>,
    dice: Dice,
    name: char,
}

/// Runs a program that must come back.
fn run(mut command: Command, desk: &Desk) -> Output {
    command.env_clear().env("HOME", desk.folder.path()).env("PATH", std::env::var_os("PATH").unwrap_or_default());
    for role in ["ROOT", "TARGETS", "SNAPSHOT", "DELEGATION"] {
        command.env(format!("NOTARY_{role}_PASSPHRASE"), OLD);
    }
    command.env("PCSCLITE_CSOCK_NAME", "/nonexistent").current_dir(desk.folder.path());
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert_ne!(output.status.code(), Some(124), "it did not come back: {command:?}");
    output
}

/// A program that is ended if it does not come back within a minute.
fn within_a_minute(program: &std::path::Path) -> Command {
    let mut command = Command::new("timeout");
    command.arg("60").arg(program);
    command
}

impl Worker<'_> {
    fn claviger(&self, arguments: &[&str]) -> Output {
        let mut command = within_a_minute(released());
        command.args(arguments).arg("-d").arg(self.desk.path("trust"));
        run(command, self.desk)
    }

    fn notary(&self, arguments: &[&str]) -> Output {
        let mut command = within_a_minute(&program("notary"));
        command.args(arguments).arg("-d").arg(self.desk.path("trust"));
        run(command, self.desk)
    }

    /// A key that is there for sure, or was a moment ago.
    fn some_key(&mut self) -> Option<String> {
        let said = self.said.lock().unwrap();
        let all: Vec<&String> = said.stored.difference(&said.removed).collect();
        (!all.is_empty()).then(|| all[self.dice.below(all.len())].clone())
    }

    fn stored(&self, id: String) {
        let mut said = self.said.lock().unwrap();
        assert!(said.stored.insert(id.clone()), "the same key twice: {id}");
        said.done += 1;
    }

    /// Makes a key. That must never fail.
    fn make(&self, number: usize) {
        let name = format!("{}{number}", self.name);
        let made = self.claviger(&["key", "generate", &name, "--json", "--passphrase-file", "old"]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let made: serde_json::Value = serde_json::from_slice(&made.stdout).unwrap();
        self.stored(made["id"].as_str().unwrap().to_owned());
    }

    /// Gives a key the same passphrase anew: whoever comes second is refused, and nothing is lost.
    fn change(&mut self) {
        let Some(id) = self.some_key() else { return };
        let both = ["--passphrase-file", "old", "--new-passphrase-file", "old"];
        self.judge(&id, "passwd", &self.claviger(&[&["key", "passwd", &id][..], &both].concat()));
    }

    /// Removes a key.
    fn remove(&mut self) {
        let Some(id) = self.some_key() else { return };
        self.said.lock().unwrap().doomed.insert(id.clone());
        let output = self.claviger(&["key", "remove", &id, "--confirm", &id[..12]]);
        if output.status.success() {
            self.said.lock().unwrap().removed.insert(id.clone());
        }
        self.judge(&id, "remove", &output);
    }

    /// What claviger refuses must have a reason that two programs give.
    fn judge(&self, id: &str, what: &str, output: &Output) {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let mut said = self.said.lock().unwrap();
        if output.status.success() {
            said.done += 1;
            return;
        }
        let reasons = ["has changed", "changed since", "no key", "there is no", "not there", "No such file", "in the meantime"];
        assert!(reasons.iter().any(|r| text.contains(r)), "{what} {id}: {text}");
        assert!(said.doomed.contains(id) || what == "passwd", "{what} {id}: {text}");
        said.refused.push(text);
    }

    fn look(&self) {
        let listed = self.claviger(&["key", "list", "--json"]);
        assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
        self.said.lock().unwrap().done += 1;
    }

    fn ours(&mut self, operations: usize) {
        for number in 0..operations {
            match self.dice.below(10) {
                0..=3 => self.make(number),
                4..=6 => self.change(),
                7 => self.remove(),
                _ => self.look(),
            }
        }
    }

    /// What `notary` does without a terminal: it makes keys, writes all of them into a file and lists them. Where a key goes
    /// while it reads, it may give up.
    fn theirs(&mut self, operations: usize) {
        for number in 0..operations {
            let reads = match self.dice.below(4) {
                0 | 1 => {
                    let role = if self.dice.below(2) == 0 { "root" } else { "delegation" };
                    let made = self.notary(&["key", "generate", "ecdsa", "--role", role]);
                    let text = String::from_utf8(made.stdout).unwrap();
                    let id = text.split_whitespace().find(|word| word.len() == 64);
                    self.stored(id.unwrap_or_else(|| panic!("{text}")).to_owned());
                    continue;
                }
                2 => self.notary(&["key", "export", "-o", &format!("all-{number}.pem")]),
                _ => self.notary(&["key", "list"]),
            };
            let mut said = self.said.lock().unwrap();
            match reads.status.success() {
                true => said.done += 1,
                false => said.refused.push(String::from_utf8_lossy(&reads.stdout).into_owned()),
            }
        }
    }
}

/// What must hold when both are done.
fn judge(desk: &Desk, said: Said) {
    let there: BTreeSet<String> = only_whole_keys(desk, "in the end").into_iter().collect();
    let expected: BTreeSet<String> = said.stored.difference(&said.removed).cloned().collect();
    assert_eq!(there, expected, "what was stored and not removed is there, and nothing else");
    let tested = desk.done(
        &[&["key", "test", "--passphrase-file", "old"][..], &there.iter().map(String::as_str).collect::<Vec<_>>()].concat(),
    );
    assert_eq!(tested.matches("good: unlocked").count(), there.len());
    assert_eq!(desk.files(".claviger.tmp").len(), 0);
    let journal: serde_json::Value = serde_json::from_str(&desk.done(&["journal", "--json"])).unwrap();
    assert_eq!(journal["broken"], serde_json::Value::Null);
    let unfinished = journal["entries"].as_array().unwrap().iter().filter(|e| e["outcome"].is_null()).count();
    assert_eq!(unfinished, 0, "{journal:#}");
    println!("{} operations were done and {} refused: {:#?}", said.done, said.refused.len(), said.refused);
}

#[test]
fn two_of_ours_lose_nothing_and_corrupt_nothing() {
    let (desk, said) = (Desk::new(), Mutex::new(Said::default()));
    std::thread::scope(|scope| {
        for (name, seed) in [('a', 11), ('b', 23)] {
            let mut worker = Worker { desk: &desk, said: &said, dice: Dice(seed), name };
            scope.spawn(move || worker.ours(50));
        }
    });
    judge(&desk, said.into_inner().unwrap());
}

#[test]
fn ours_and_notary_lose_nothing_and_corrupt_nothing() {
    let (desk, said) = (Desk::new(), Mutex::new(Said::default()));
    std::thread::scope(|scope| {
        let mut ours = Worker { desk: &desk, said: &said, dice: Dice(5), name: 'a' };
        scope.spawn(move || ours.ours(50));
        let mut theirs = Worker { desk: &desk, said: &said, dice: Dice(7), name: 'n' };
        scope.spawn(move || theirs.theirs(50));
    });
    judge(&desk, said.into_inner().unwrap());
}
