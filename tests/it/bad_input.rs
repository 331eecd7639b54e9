//! Every kind of bad input, for every command on keys that it concerns, as one table: what is refused says so in three sentences
//! and leaves every file as it was; nothing hangs, and nothing falls over.
//!
//! What is not in the table stands elsewhere: 100,000 files in `many_files`, names that are not UTF-8 in `odd_names`, what lies
//! in old layouts in `old_layout`, a passphrase file in `key_commands` and `passphrase_commands`.
use crate::{
    disk::three_sentences,
    key_commands::{Home, PASSPHRASE},
    peers::filled::each,
};
use claviger::keys::pem_file;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::{FileTypeExt as _, PermissionsExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Mutex,
};

const COMMANDS: [&str; 11] =
    ["generate", "load", "import", "export", "export --public", "passwd", "remove", "test", "migrate", "strengthen", "mend"];

/// What is bad about a file; and what each command does with it: `-` if it does not concern it, `no` if it says no, `ok` if it does
/// what it is for all the same.
const TABLE: [(&str, [&str; 11]); 11] = [
    ("wrong passphrase", ["-", "no", "no", "ok", "no", "no", "ok", "no", "ok", "no", "ok"]),
    ("truncated PEM", ["ok", "no", "no", "no", "no", "no", "ok", "no", "no", "no", "ok"]),
    ("oversized PEM", ["ok", "no", "no", "no", "no", "no", "no", "no", "no", "no", "ok"]),
    ("hostile key derivation", ["ok", "no", "no", "ok", "no", "no", "ok", "no", "ok", "no", "ok"]),
    ("here with another role", ["-", "no", "no", "-", "-", "-", "-", "-", "no", "-", "-"]),
    ("unknown role, as an option", ["no", "no", "no", "-", "-", "-", "-", "-", "-", "-", "-"]),
    ("unknown role, as a label", ["ok", "no", "no", "ok", "ok", "ok", "ok", "ok", "no", "ok", "ok"]),
    ("climbing GUN, as an option", ["no", "no", "no", "-", "-", "-", "-", "-", "-", "-", "-"]),
    ("climbing GUN, as a label", ["ok", "no", "no", "ok", "ok", "ok", "ok", "ok", "no", "ok", "ok"]),
    ("a directory", ["ok", "no", "no", "no", "no", "no", "no", "no", "no", "no", "ok"]),
    ("a fifo", ["ok", "no", "no", "no", "no", "no", "no", "no", "no", "no", "ok"]),
];

/// A place with one bad thing in it.
struct Case {
    home: Home,
    /// What a command that takes a key of the store is told.
    id: String,
    /// What a command that takes a file is told.
    file: String,
}

/// Puts what is bad at a path, made of a good key file.
fn spoil(bad: &str, good: &str, at: &Path) {
    let label = |line: &str| {
        let (first, rest) = good.split_once('\n').unwrap();
        let rest = rest.strip_prefix("role: alice\n").unwrap_or(rest);
        format!("{first}\n{line}\n{rest}")
    };
    let text = match bad {
        "truncated PEM" => good[..good.len() / 2].to_owned(),
        "oversized PEM" => good.repeat((1 << 20) / good.len() + 1),
        "hostile key derivation" => {
            let pem = pem_file::parse(good.as_bytes()).unwrap();
            // 2,048 rounds become 2³¹−1, in place; the lengths around them grow by two.
            let mut der = pem.der.to_vec();
            let at = der.windows(4).position(|w| w == [2, 2, 8, 0]).unwrap();
            der.splice(at..at + 4, [2, 4, 0x7f, 0xff, 0xff, 0xff]);
            for (tag, length) in lengths_around(&pem.der, at) {
                der[length] += 2;
                assert_eq!(der[tag], 0x30);
            }
            pem_file::write(&pem.label, &[("role", "alice")], &der).to_string()
        }
        "unknown role, as a label" => label("role: King of Kings"),
        "climbing GUN, as a label" => label("gun: ../../../etc\nrole: targets"),
        "a directory" => {
            fs::create_dir(at).unwrap();
            return fs::write(at.join("something"), "in it").unwrap();
        }
        "a fifo" => {
            rustix::fs::mknodat(rustix::fs::CWD, at, rustix::fs::FileType::Fifo, rustix::fs::Mode::from_raw_mode(0o600), 0)
                .unwrap();
            return;
        }
        _ => good.to_owned(),
    };
    fs::write(at, text).unwrap();
    fs::set_permissions(at, PermissionsExt::from_mode(0o600)).unwrap();
}

/// The sequences that a place in DER lies in: where each has its tag and the last byte of its length.
fn lengths_around(der: &[u8], place: usize) -> Vec<(usize, usize)> {
    let (mut at, mut all) = (0, Vec::new());
    while at < place {
        let long = usize::from(der[at + 1] & 0x7f);
        let (head, length) = match der[at + 1] {
            short @ 0..=0x7f => (2, usize::from(short)),
            _ => (2 + long, der[at + 2..at + 2 + long].iter().fold(0, |n, b| n << 8 | usize::from(*b))),
        };
        if at + head + length > place && der[at] == 0x30 {
            all.push((at, at + head - 1));
            at += head;
        } else if at + head + length > place {
            break;
        } else {
            at += head + length;
        }
    }
    all
}

impl Case {
    fn new(bad: &str, command: &str) -> Self {
        let home = Home::new();
        let id = home.key("alice");
        let path = home.trust_dir().private().join(format!("{id}.key"));
        let good = fs::read_to_string(&path).unwrap();
        home.write("right", &format!("{PASSPHRASE}\n"));
        home.write("wrong", "it is not this one\n");
        home.write("new", "a passphrase that is new\n");
        let file = home.path().join("file.pem");
        match command {
            "load" | "import" => {
                spoil(bad, &good, &file);
                match bad {
                    "here with another role" => home.write("file.pem", &good.replace("role: alice\n", "role: bob\n")),
                    _ => {
                        fs::remove_file(&path).unwrap();
                        String::new()
                    }
                };
            }
            "migrate" => {
                fs::remove_file(&path).unwrap();
                let old = home.trust_dir().private().join("tuf_keys");
                fs::create_dir(&old).unwrap();
                spoil(bad, &good, &old.join(format!("{id}_alice.key")));
                if bad == "here with another role" {
                    fs::write(&path, good.replace("role: alice\n", "role: bob\n")).unwrap();
                }
            }
            _ => {
                fs::remove_file(&path).unwrap();
                spoil(bad, &good, &path);
            }
        }
        Self { home, id, file: file.to_str().unwrap().to_owned() }
    }

    /// Runs a command on it: whether it said yes, and what it said.
    fn run(&self, bad: &str, command: &str) -> (bool, String) {
        let passphrase = if bad == "wrong passphrase" { "wrong" } else { "right" };
        let mut arguments: Vec<&str> = vec!["key"];
        arguments.extend(command.split(' '));
        match command {
            "generate" => arguments.push("carol"),
            "load" | "import" => arguments.push(&self.file),
            "export" | "export --public" => arguments.extend([&self.id, "-o", "out.pem"]),
            "passwd" => arguments.extend([&self.id, "--new-passphrase-file", "new"]),
            "remove" => arguments.extend([&self.id, "--confirm", &self.id[..12]]),
            "test" | "strengthen" => arguments.push(&self.id),
            _ => {}
        }
        match bad {
            "unknown role, as an option" => arguments.extend(["--role", "king"]),
            "climbing GUN, as an option" => arguments.extend(["--role", "targets", "--gun", "../../../etc"]),
            _ => {}
        }
        arguments.extend(["--passphrase-file", passphrase]);
        let mut within = Command::new("timeout");
        within.arg("120").arg(env!("CARGO_BIN_EXE_claviger")).args(arguments).env_clear().env("HOME", self.home.path());
        let output = within.current_dir(self.home.path()).stdin(Stdio::null()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        let when = format!("key {command}, {bad}");
        match output.status.code() {
            Some(0) => (true, said),
            Some(1 | 2) => {
                three_sentences(&said, &when);
                (false, said)
            }
            other => panic!("{when}: {other:?}: {said}"),
        }
    }

    /// Everything below the trust directory and beside it, but for the lock: what it is, and what is in it.
    fn all(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        fn walk(dir: &Path, all: &mut BTreeMap<PathBuf, Vec<u8>>) {
            for entry in fs::read_dir(dir).unwrap().flatten() {
                let kind = entry.file_type().unwrap();
                let name = entry.file_name();
                if kind.is_dir() && name != ".local" {
                    all.insert(entry.path(), Vec::new());
                    walk(&entry.path(), all);
                } else if kind.is_fifo() {
                    all.insert(entry.path(), b"fifo".to_vec());
                } else if kind.is_file() && name != ".claviger.lock" {
                    all.insert(entry.path(), fs::read(entry.path()).unwrap());
                }
            }
        }
        let mut all = BTreeMap::new();
        walk(self.home.path(), &mut all);
        all
    }
}

#[test]
fn bad_input_is_refused_in_three_sentences_or_does_no_harm_whichever_command_meets_it() {
    let work: Vec<(usize, usize)> = (0..TABLE.len()).flat_map(|b| (0..COMMANDS.len()).map(move |c| (b, c))).collect();
    let seen = Mutex::new(BTreeMap::new());
    each(&work, |(b, c)| {
        let ((bad, expected), command) = (TABLE[*b], COMMANDS[*c]);
        if expected[*c] == "-" {
            return;
        }
        let case = Case::new(bad, command);
        let before = case.all();
        let (done, said) = case.run(bad, command);
        if !done && command == "migrate" {
            // What cannot move stays where it is.
            let after = case.all();
            let kept = before.iter().all(|(path, bytes)| after.get(path) == Some(bytes));
            assert!(kept, "key migrate, {bad}: something is gone: {said}");
        } else if !done {
            assert!(case.all() == before, "key {command}, {bad}: refused, and something is different: {said}");
        }
        // Whatever it was, the list of keys can still be had.
        assert_eq!(case.home.run(&["key", "list"]).code(), Some(0), "{bad}, {command}");
        seen.lock().unwrap().insert((*b, *c), (if done { "ok" } else { "no" }, said));
    });
    let seen = seen.into_inner().unwrap();
    println!("{:<28}{}", "", COMMANDS.map(|c| format!("{c:>16}")).concat());
    let mut wrong = String::new();
    for (b, (bad, expected)) in TABLE.iter().enumerate() {
        let row = (0..COMMANDS.len()).map(|c| seen.get(&(b, c)).map_or("-", |(outcome, _)| outcome));
        println!("{bad:<28}{}", row.clone().map(|w| format!("{w:>16}")).collect::<String>());
        for (c, outcome) in row.enumerate().filter(|(c, outcome)| outcome != &expected[*c]) {
            wrong.push_str(&format!("{bad}, key {}: {outcome}\n{}\n", COMMANDS[c], seen[&(b, c)].1));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}
