//! A power cut at any moment: the program is killed before and after each call that changes the disk, and no key is lost,
//! half written, or in a file that only looks like one. `notary` can list the keys at every such moment.
use crate::peers::program::{program, released};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::{fs::PermissionsExt, process::ExitStatusExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

pub const OLD: &str = "the old passphrase";
const NEW: &str = "another passphrase";

/// Calls that change what is on the disk.
pub const CALLS: [&str; 13] = [
    "write",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "unlinkat",
    "unlink",
    "mkdir",
    "mkdirat",
    "fchmod",
    "ftruncate",
    "linkat",
];

/// What the next start finds of work that was cut off.
pub struct Found {
    /// Whether something with an effect had begun.
    pub begun: bool,
    pub said: String,
    /// The work that one can go on with.
    pub open: Vec<String>,
}

/// A folder with a trust directory, files of passphrases and keys to take.
pub struct Desk {
    pub folder: tempfile::TempDir,
}

impl Desk {
    pub fn new() -> Self {
        let desk = Self { folder: tempfile::tempdir().unwrap() };
        desk.write("old", OLD);
        desk.write("new", NEW);
        desk
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
        fs::set_permissions(self.path(name), PermissionsExt::from_mode(0o600)).unwrap();
    }

    /// Runs claviger, under strace with these options if there are any.
    pub fn claviger(&self, strace: &[String], arguments: &[&str]) -> std::process::Output {
        let mut command = match strace {
            [] => Command::new(released()),
            options => {
                let mut command = Command::new(program("strace"));
                command.args(["-f", "-qq", "-o"]).arg(self.path("trace")).args(options).arg(released());
                command
            }
        };
        command.args(arguments).arg("-d").arg(self.path("trust")).env_clear().env("HOME", self.folder.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.current_dir(self.folder.path()).stdin(Stdio::null()).output().unwrap()
    }

    pub fn done(&self, arguments: &[&str]) -> String {
        let output = self.claviger(&[], arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Every file of a directory below the trust directory, by name.
    pub fn files(&self, below: &str) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.path("trust").join(below)).into_iter().flatten().flatten();
        let entries = entries.filter(|e| e.file_type().unwrap().is_file());
        entries.map(|e| (e.file_name().into_string().unwrap(), fs::read(e.path()).unwrap())).collect()
    }

    /// What makes strace look only at calls about one file.
    fn only(&self, path: Option<&str>) -> Vec<String> {
        path.map(|p| vec!["-P".to_owned(), self.path(p).to_str().unwrap().to_owned()]).unwrap_or_default()
    }

    /// Transcripts of work that has not ended.
    pub fn open_transcripts(&self) -> Vec<String> {
        let states = fs::read_dir(self.path(".local/state/claviger")).into_iter().flatten().flatten();
        let here = fs::canonicalize(self.path("trust")).ok();
        let ours = states.filter(|state| {
            // The state of the desk that this is a copy of came along with it.
            let journal = fs::read_to_string(state.path().join("journal.jsonl")).unwrap_or_default();
            let elsewhere = here.as_ref().is_some_and(|h| !journal.is_empty() && !journal.contains(h.to_str().unwrap()));
            !elsewhere
        });
        let open = ours.flat_map(|state| fs::read_dir(state.path().join("open")).into_iter().flatten().flatten());
        open.map(|file| fs::read_to_string(file.path()).unwrap()).collect()
    }

    /// The next start says that work was interrupted if something had begun, and only then.
    pub fn found_at_the_next_start(&self, when: &str) -> Found {
        let begun = self.open_transcripts().iter().any(|text| text.contains("\"event\":\"begun\""));
        let listed = self.claviger(&[], &["key", "list"]);
        let said = String::from_utf8(listed.stderr).unwrap();
        assert!(listed.status.success(), "{when}: {said}");
        assert_eq!(said.contains("was interrupted"), begun, "{when}: {said}");
        let all: serde_json::Value = serde_json::from_str(&self.done(&["resume", "--json"])).unwrap();
        let open = all["interrupted"].as_array().unwrap().iter().map(|w| w["work"].as_str().unwrap().to_owned());
        Found { begun, said, open: open.collect() }
    }

    pub fn opens(&self, id: &str, passphrase: &str) -> bool {
        self.claviger(&[], &["key", "test", id, "--passphrase-file", passphrase]).status.success()
    }

    /// The whole IDs that `notary` lists.
    pub fn notary_lists(&self) -> Vec<String> {
        let mut command = Command::new(program("notary"));
        command.args(["key", "list", "-d"]).arg(self.path("trust"));
        command.env_clear().env("HOME", self.folder.path()).env("PCSCLITE_CSOCK_NAME", "/nonexistent");
        let output = command.stdin(Stdio::null()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_whitespace().filter(|w| w.len() == 64).map(str::to_owned).collect()
    }

    pub fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        fs::set_permissions(to, PermissionsExt::from_mode(0o700)).unwrap();
        for entry in fs::read_dir(from).unwrap().flatten() {
            let there = to.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                Self::copy(&entry.path(), &there)
            } else {
                fs::copy(entry.path(), there).unwrap();
            }
        }
    }
}

/// A command that is killed, and how to know that all of it was done.
pub struct Doomed<'a> {
    pub calls: &'a [&'static str],
    pub arguments: &'a [&'a str],
    /// What `resume` is given besides the work.
    pub again: &'a [&'a str],
    /// What must hold at the moment after the kill, whenever that was.
    pub whole: &'a (dyn Fn(&Desk, &str) + Sync),
    /// Whether everything is as after a run that was not killed.
    pub done: &'a (dyn Fn(&Desk) -> bool + Sync),
}

/// Kills a command at every call of every kind, each time on a fresh copy of the desk. What is left is judged; the next start
/// says what happened; then the work is gone on with, or begun again if it had not begun, and is done, once. Returns how many
/// were killed.
pub fn kill_everywhere(before: &Desk, doomed: &Doomed) -> usize {
    let run = |strace: &[String], about: Option<&str>| {
        let desk = Desk { folder: tempfile::tempdir().unwrap() };
        Desk::copy(before.folder.path(), desk.folder.path());
        let strace = [strace.to_vec(), desk.only(about)].concat();
        let output = desk.claviger(&strace, doomed.arguments);
        (desk, output)
    };
    let counts = |call: &str| {
        let (desk, output) = run(&[format!("--trace={call}")], None);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        fs::read_to_string(desk.path("trace")).unwrap().lines().filter(|l| l.contains(&format!("{call}("))).count()
    };
    // strace counts the calls of each thread by themselves: those that reach the keys are counted once more by what they are
    // about, so that what another thread writes down before does not hide them.
    let about = ["trust/.claviger.lock", "trust/.claviger.tmp/1", "trust/.claviger.tmp/2", "trust/private"];
    let all = |call: &&'static str| {
        let call = *call;
        (1..=counts(call)).map(move |n| (call, n, None)).collect::<Vec<_>>()
    };
    let mut work: Vec<(&str, usize, Option<&str>)> = doomed.calls.iter().flat_map(all).collect();
    for call in ["write", "fsync"] {
        work.extend(about.iter().flat_map(|path| (1..=2).map(move |n| (call, n, Some(*path)))));
    }
    let killed = std::sync::atomic::AtomicUsize::new(0);
    let next = std::sync::atomic::AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some((call, n, about)) = work.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) else {
                        return;
                    };
                    let (desk, output) = run(&[format!("--inject={call}:signal=SIGKILL:when={n}")], *about);
                    let when = format!("{} killed at {call} {n} of {about:?}", doomed.arguments.join(" "));
                    if output.status.signal() == Some(9) || output.status.code() == Some(137) {
                        killed.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                    }
                    (doomed.whole)(&desk, &when);
                    next_start(&desk, doomed, &when);
                }
            });
        }
    });
    killed.into_inner()
}

/// What the next start says and does after a kill.
fn next_start(desk: &Desk, doomed: &Doomed, when: &str) {
    let Found { begun, said, open } = desk.found_at_the_next_start(when);
    let resumed = match open.as_slice() {
        [] => false,
        [one] => {
            let mut arguments = vec!["resume", one];
            arguments.extend(doomed.again);
            desk.done(&arguments);
            true
        }
        more => panic!("{when}: {more:?}"),
    };
    if !(doomed.done)(desk) {
        assert!(!resumed && !begun, "{when}: it was begun, and is not done: {said}");
        desk.done(doomed.arguments);
    }
    assert!((doomed.done)(desk), "{when}: {said}");
    only_whole_keys(desk, when);
    assert_eq!(desk.open_transcripts(), Vec::<String>::new(), "{when}: what was settled is not found again");
    assert_eq!(desk.files(".claviger.tmp").len(), 0, "{when}: what was left is swept");
    let journal: serde_json::Value = serde_json::from_str(&desk.done(&["journal", "--json"])).unwrap();
    assert_eq!(journal["broken"], serde_json::Value::Null, "{when}");
}

/// Nothing in `private/` but whole keys under their IDs, readable by their owner only.
pub fn only_whole_keys(desk: &Desk, when: &str) -> Vec<String> {
    let private = desk.path("trust/private");
    let mut ids = Vec::new();
    for name in desk.files("private").into_keys() {
        let mode = fs::metadata(private.join(&name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{when}: {name}");
        ids.push(name.strip_suffix(".key").unwrap_or_else(|| panic!("{when}: {name}")).to_owned());
    }
    for name in desk.files(".claviger.tmp").into_keys() {
        assert!(!name.ends_with(".key"), "{when}: a temporary file has a key's name: {name}");
    }
    let mut listed = desk.notary_lists();
    listed.sort();
    assert_eq!(listed, ids, "{when}: what notary lists");
    ids
}

/// A key that was generated with [`OLD`]; its ID.
fn with_key(desk: &Desk) -> String {
    desk.done(&["key", "generate", "alice", "--passphrase-file", "old"]);
    desk.files("private").into_keys().next().unwrap().strip_suffix(".key").unwrap().to_owned()
}

#[test]
fn a_key_that_is_made_is_there_whole_or_not_at_all_and_made_once() {
    let arguments = ["key", "generate", "alice", "--passphrase-file", "old"];
    let killed = kill_everywhere(
        &Desk::new(),
        &Doomed {
            calls: &CALLS,
            arguments: &arguments,
            again: &["--passphrase-file", "old"],
            whole: &|desk, when| {
                for id in only_whole_keys(desk, when) {
                    assert!(desk.opens(&id, "old"), "{when}: {id}");
                }
            },
            done: &|desk| desk.files("private").len() == 1 && desk.path("alice.pub").exists(),
        },
    );
    println!("killed {killed} times");
    assert!(killed >= 45, "{killed}");
}

#[test]
fn a_key_whose_passphrase_changes_opens_with_the_old_one_or_the_new_one_and_is_never_away() {
    let desk = Desk::new();
    let id = with_key(&desk);
    let before = desk.files("private");
    let both = ["--passphrase-file", "old", "--new-passphrase-file", "new"];
    let arguments = [&["key", "passwd", &id][..], &both].concat();
    let killed = kill_everywhere(
        &desk,
        &Doomed {
            calls: &CALLS,
            arguments: &arguments,
            again: &both,
            whole: &|desk, when| {
                assert_eq!(only_whole_keys(desk, when), std::slice::from_ref(&id), "{when}");
                assert!(desk.files("private") == before || desk.opens(&id, "new"), "{when}");
            },
            done: &|desk| desk.opens(&id, "new"),
        },
    );
    println!("killed {killed} times");
    assert!(killed >= 40, "{killed}");
}

#[test]
fn a_key_that_is_taken_from_a_file_is_there_whole_or_not_at_all_and_the_file_stays() {
    let desk = Desk::new();
    let id = with_key(&desk);
    desk.done(&["key", "export", &id, "-o", "bundle.pem"]);
    let bundle = fs::read(desk.path("bundle.pem")).unwrap();
    desk.done(&["key", "remove", &id, "--confirm", &id[..12]]);
    for verb in ["import", "load"] {
        let killed = kill_everywhere(
            &desk,
            &Doomed {
                calls: if verb == "load" { &["renameat2", "rename", "unlink"] } else { &CALLS },
                arguments: &["key", verb, "bundle.pem", "--passphrase-file", "old"],
                again: &["--passphrase-file", "old"],
                whole: &|desk, when| {
                    assert_eq!(fs::read(desk.path("bundle.pem")).unwrap(), bundle, "{when}");
                    only_whole_keys(desk, when).iter().for_each(|id| assert!(desk.opens(id, "old"), "{when}"));
                },
                done: &|desk| desk.files("private").len() == 1 && desk.opens(&id, "old"),
            },
        );
        println!("{verb} killed {killed} times");
        assert!(killed >= if verb == "load" { 2 } else { 40 }, "{killed}");
    }
}

#[test]
fn of_several_keys_that_are_taken_each_is_there_whole_or_not_at_all() {
    let desk = Desk::new();
    for name in ["alice", "bob", "carol"] {
        desk.done(&["key", "generate", name, "--passphrase-file", "old"]);
    }
    desk.done(&["key", "export", "-o", "bundle.pem"]);
    fs::remove_dir_all(desk.path("trust")).unwrap();
    let killed = kill_everywhere(
        &desk,
        &Doomed {
            calls: &["renameat2", "fchmod"],
            arguments: &["key", "import", "bundle.pem", "--passphrase-file", "old"],
            again: &["--passphrase-file", "old"],
            whole: &|desk, when| drop(only_whole_keys(desk, when)),
            done: &|desk| desk.files("private").len() == 3,
        },
    );
    println!("killed {killed} times");
    assert!(killed >= 6, "{killed}");
}

#[test]
fn a_key_that_is_removed_is_there_whole_or_not_at_all_and_others_stay() {
    let desk = Desk::new();
    let id = with_key(&desk);
    desk.done(&["key", "generate", "bob", "--passphrase-file", "old"]);
    let other = desk.files("private").into_iter().find(|(name, _)| !name.starts_with(&id)).unwrap();
    let confirm = ["--confirm", &id[..12]];
    let killed = kill_everywhere(
        &desk,
        &Doomed {
            calls: &CALLS,
            arguments: &[&["key", "remove", &id][..], &confirm].concat(),
            again: &confirm,
            whole: &|desk, when| {
                only_whole_keys(desk, when);
                assert_eq!(desk.files("private").get(&other.0), Some(&other.1), "{when}");
                assert!(!desk.files("private").contains_key(&format!("{id}.key")) || desk.opens(&id, "old"), "{when}");
            },
            done: &|desk| desk.files("private").len() == 1,
        },
    );
    println!("killed {killed} times");
    assert!(killed >= 25, "{killed}");
}

#[test]
fn keys_that_leave_for_a_file_are_in_it_whole_or_it_says_so() {
    let desk = Desk::new();
    let id = with_key(&desk);
    let killed = kill_everywhere(
        &desk,
        &Doomed {
            calls: &CALLS,
            arguments: &["key", "export", &id, "-o", "out.pem"],
            again: &[],
            whole: &|desk, when| {
                assert_eq!(only_whole_keys(desk, when), std::slice::from_ref(&id), "{when}");
            },
            done: &|desk| fs::read_to_string(desk.path("out.pem")).is_ok_and(|text| text.contains("-----END")),
        },
    );
    println!("killed {killed} times");
    assert!(killed >= 25, "{killed}");
}

#[test]
fn a_disk_that_refuses_leaves_every_key_as_it_was_and_says_so() {
    let desk = Desk::new();
    let id = with_key(&desk);
    let before = desk.files("private");
    let old_and_new = ["--passphrase-file", "old", "--new-passphrase-file", "new"];
    let mut refused = 0;
    // The n-th call of a kind fails from there on, as on a full or dying disk.
    let (temporary, private) = (Some("trust/.claviger.tmp/1"), Some("trust/private"));
    for (call, error, about) in [
        ("fsync", "EIO", None),
        ("fsync", "EIO", temporary),
        ("fsync", "EIO", private),
        ("write", "ENOSPC", temporary),
        ("renameat2", "EIO", None),
        ("fchmod", "ENOSPC", None),
        ("mkdirat", "ENOSPC", None),
        ("mkdirat", "EROFS", None),
    ] {
        for n in 1..=2 {
            let fresh = Desk { folder: tempfile::tempdir().unwrap() };
            Desk::copy(desk.folder.path(), fresh.folder.path());
            let mut arguments = vec!["key", "passwd", &id];
            arguments.extend(old_and_new);
            let inject = [vec![format!("--inject={call}:error={error}:when={n}+")], fresh.only(about)].concat();
            let output = fresh.claviger(&inject, &arguments);
            let said = String::from_utf8_lossy(&output.stderr);
            let opens = [fresh.opens(&id, "old"), fresh.opens(&id, "new")];
            if output.status.success() {
                assert_eq!(opens, [false, true], "{call} {n}");
                continue;
            }
            refused += 1;
            assert!(said.contains("claviger: ") && said.lines().count() > 1, "{call} {n}: {said}");
            match opens {
                [true, false] => assert_eq!(fresh.files("private"), before, "{call} {n}: {said}"),
                [false, true] => assert!(said.contains("not certain"), "{call} {n}: {said}"),
                other => panic!("{call} {n}: {other:?}"),
            }
        }
    }
    assert!(refused >= 7, "{refused}");
}

#[test]
fn a_removal_that_the_disk_does_not_confirm_is_not_called_undone() {
    let desk = Desk::new();
    let id = with_key(&desk);
    let inject = [vec!["--inject=fsync:error=EIO".to_owned()], desk.only(Some("trust/private"))].concat();
    let output = desk.claviger(&inject, &["key", "remove", &id, "--confirm", &id[..12]]);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && desk.files("private").is_empty(), "{said}");
    assert!(said.contains("was removed, but the disk did not confirm it") && !said.contains("still there"), "{said}");
}
