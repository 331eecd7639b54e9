//! Everything that writes keys, each on a desk of its own, and what must hold whenever it failed.
use crate::{
    killed::{Desk, Found, OLD, only_whole_keys},
    killed_store::{key_files, old_layout},
};
use claviger::{
    keys::{self, Iterations, KeyRole, NewKey, pem_file},
    secret::Passphrase,
    trust_dir::TrustDir,
};
use std::{collections::BTreeMap, fs, os::unix::fs::PermissionsExt, process::Output};

/// A piece of work that may fail.
pub struct Task {
    pub name: &'static str,
    /// The desk before.
    pub before: Desk,
    pub arguments: Vec<String>,
    /// What `resume` is given besides the work.
    pub again: Vec<&'static str>,
    /// The keys that were there, with what each file holds.
    pub keys: BTreeMap<String, Vec<u8>>,
    /// Whether everything is as after a run on a healthy disk.
    pub done: fn(&Desk, &Task) -> bool,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ended {
    /// It was done: what failed was not needed.
    Done,
    /// It was refused, and nothing is different.
    Refused,
    /// It was done, and the program says that it is not certain to last, or that it cannot be written down.
    DoneButSaid,
    /// A part was done, and the program says so.
    Partly,
}

const OLD_FILE: &str = "old";

/// A key that is quickly opened; what its file holds.
fn put(desk: &Desk, name: &str) -> (String, Vec<u8>) {
    let (key, role) = (keys::generate(NewKey::EcdsaP256).unwrap(), KeyRole::parse(name).unwrap());
    let passphrase = Passphrase::from(OLD.to_owned());
    keys::store(&TrustDir::new(desk.path("trust")), &role, None, &key, &passphrase, Iterations::worthless()).unwrap();
    let path = desk.path("trust/private").join(format!("{}.key", key.id()));
    (key.id().hex(), fs::read(path).unwrap())
}

fn ids(desk: &Desk) -> Vec<String> {
    desk.files("private").into_keys().filter_map(|n| n.strip_suffix(".key").map(str::to_owned)).collect()
}

fn mode(path: &std::path::Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// All of them.
pub fn all() -> Vec<Task> {
    let task = |name, arguments: &[&str], again: &[&'static str], done| {
        let before = Desk::new();
        let keys = ["bob", "carol"].map(|n| put(&before, n)).into();
        let arguments = arguments.iter().map(|a| (*a).to_owned()).collect();
        Task { name, before, arguments, again: again.to_vec(), keys, done }
    };
    let (old, new) = (["--passphrase-file", OLD_FILE], ["--new-passphrase-file", "new"]);
    let both = [old, new].concat();
    let mut all = vec![
        task("generate", &[&["key", "generate", "alice"][..], &old].concat(), &old, |d, t| {
            ids(d).len() == t.keys.len() + 1 && d.path("alice.pub").exists()
        }),
        task("load", &[&["key", "load", "alice.pem"][..], &old].concat(), &old, |d, t| ids(d).len() == t.keys.len() + 1),
        task("import", &[&["key", "import", "bundle.pem"][..], &old].concat(), &old, |d, t| ids(d).len() == t.keys.len() + 3),
        task("export", &["key", "export", "-o", "out.pem"], &[], |d, _| {
            fs::read_to_string(d.path("out.pem")).is_ok_and(|text| text.matches("-----END").count() == 2)
        }),
        task("passwd", &both, &both, |d, t| d.opens(t.first(), "new")),
        task("remove", &["--confirm"], &[], |d, t| !ids(d).iter().any(|id| id == t.first())),
        task("strengthen", &[&["key", "strengthen"][..], &old].concat(), &old, |d, _| {
            d.files("private").into_values().all(|bytes| keys::rounds(&bytes) >= Some(600_000))
        }),
        task("mend", &["key", "mend"], &[], |d, _| key_files(&d.path("trust")).iter().all(|f| mode(f) == 0o600)),
    ];
    for task in &mut all {
        let first = task.first().to_owned();
        match task.name {
            "load" | "import" => {
                let other = Desk::new();
                let names: &[&str] = if task.name == "load" { &["alice"] } else { &["dave", "erin", "frank"] };
                let text: Vec<u8> = names.iter().flat_map(|n| put(&other, n).1).collect();
                task.before.write(&task.arguments[2], std::str::from_utf8(&text).unwrap());
            }
            "passwd" => drop(task.arguments.splice(0..0, ["key", "passwd", &first].map(str::to_owned))),
            "remove" => {
                task.arguments = ["key", "remove", &first, "--confirm", &first[..12]].map(str::to_owned).into();
                task.again = vec!["--confirm", Box::leak(first[..12].to_owned().into_boxed_str())];
            }
            "mend" => key_files(&task.before.path("trust")).iter().for_each(|f| {
                fs::set_permissions(f, PermissionsExt::from_mode(0o644)).unwrap();
            }),
            _ => {}
        }
    }
    let before = Desk::new();
    let keys = old_layout(&before);
    all.push(Task {
        name: "migrate",
        before,
        arguments: ["key", "migrate"].map(str::to_owned).into(),
        again: vec![],
        keys,
        done: |d, t| ids(d).iter().eq(t.keys.keys()) && key_files(&d.path("trust")).len() == t.keys.len(),
    });
    all
}

impl Task {
    /// The key that is worked on, where it is one.
    fn first(&self) -> &str {
        self.keys.keys().next().unwrap()
    }

    pub fn run(&self, desk: &Desk, strace: &[String], more: &[&str]) -> Output {
        let arguments: Vec<&str> = self.arguments.iter().map(String::as_str).chain(more.iter().copied()).collect();
        desk.claviger(strace, &arguments)
    }

    /// Judges what a run on a bad disk has said and left.
    pub fn judge(&self, desk: &Desk, output: &Output, causes: &[&str], when: &str) -> Ended {
        let said = String::from_utf8(output.stderr.clone()).unwrap();
        let code = output.status.code().unwrap_or_else(|| panic!("{when}: {:?}: {said}", output.status));
        self.nothing_is_lost(desk, when, &said);
        let done = (self.done)(desk, self);
        if code == 0 {
            assert!(done, "{when}: it says that it was done: {said}");
            return Ended::Done;
        }
        assert!([1, 2].contains(&code), "{when}: {code}: {said}");
        three_sentences(&said, when);
        let all = format!("{said}{}", String::from_utf8_lossy(&output.stdout));
        assert!(causes.iter().any(|c| all.contains(c)), "{when}: no {causes:?} in {all}");
        let is_as_before = self.is_as_before(desk);
        match (done, is_as_before) {
            (_, true) => Ended::Refused,
            (true, false) => {
                let admits = ["not certain", "The journal does not say how it ended"].iter().any(|s| said.contains(s));
                assert!(admits, "{when}: it was done, and that is not said: {all}");
                Ended::DoneButSaid
            }
            (false, false) => {
                let parts = ["tored: ", " stays", "not done", " was left", "could not be mended"];
                assert!(parts.iter().any(|p| all.contains(p)), "{when}: a part was done, and which is not said: {all}");
                Ended::Partly
            }
        }
    }

    /// Whether every key file is where and what it was, and there is no other file of ours.
    fn is_as_before(&self, desk: &Desk) -> bool {
        let state = |d: &Desk| -> BTreeMap<_, _> {
            let name = |p: &std::path::PathBuf| p.strip_prefix(d.folder.path()).unwrap().to_owned();
            key_files(&d.path("trust")).iter().map(|p| (name(p), (fs::read(p).unwrap(), mode(p)))).collect()
        };
        let made = ["alice.pub", "out.pem"].iter().any(|f| desk.path(f).exists());
        state(desk) == state(&self.before) && !made
    }

    /// Every key that was there is there, whole, and opens with a passphrase that it has had or was given; `notary` lists all.
    fn nothing_is_lost(&self, desk: &Desk, when: &str, said: &str) {
        if self.name == "migrate" {
            let mut whole = Vec::new();
            for path in key_files(&desk.path("trust")) {
                let read = pem_file::parse(&fs::read(&path).unwrap()).unwrap_or_else(|e| panic!("{when}: {path:?}: {e}"));
                let held = self.keys.iter().find(|(_, der)| **der == *read.der);
                whole.push(held.unwrap_or_else(|| panic!("{when}: {path:?} is no key")).0.clone());
            }
            whole.sort();
            whole.dedup();
            assert!(whole.iter().eq(self.keys.keys()), "{when}: {whole:?}: {said}");
            return;
        }
        let there = match self.name {
            "mend" => ids(desk),
            _ => only_whole_keys(desk, when),
        };
        for (id, bytes) in &self.keys {
            let path = desk.path("trust/private").join(format!("{id}.key"));
            match fs::read(&path) {
                Ok(now) if now == *bytes => {}
                Ok(_) if self.name == "strengthen" => assert!(desk.opens(id, "old"), "{when}: {id}: {said}"),
                Ok(_) => assert!(self.name == "passwd" && desk.opens(id, "new"), "{when}: {id}: {said}"),
                Err(_) => assert!(self.name == "remove" && id == self.first(), "{when}: {id} is away: {said}"),
            }
        }
        for id in there.iter().filter(|id| !self.keys.contains_key(*id)) {
            assert!(desk.opens(id, "old"), "{when}: {id}: {said}");
        }
        for path in fs::read_dir(desk.folder.path()).unwrap().flatten().map(|e| e.path()) {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            assert!(!name.starts_with(".claviger"), "{when}: {name} was left");
            if ["out.pem", "alice.pub"].contains(&&*name) {
                let text = fs::read_to_string(&path).unwrap();
                assert!(text.contains("-----END") && text.ends_with('\n'), "{when}: {name} is half written: {said}");
            }
        }
    }

    /// The disk is healthy again: the next start says what was interrupted, and the work is done, at once or after it was begun
    /// anew.
    pub fn afterwards(&self, desk: &Desk, when: &str) {
        let Found { said, open, .. } = desk.found_at_the_next_start(when);
        for work in &open {
            desk.done(&[&["resume", work], &self.again[..]].concat());
        }
        if !(self.done)(desk, self) {
            let output = self.run(desk, &[], &[]);
            assert!(output.status.success(), "{when}, again: {}", String::from_utf8_lossy(&output.stderr));
        }
        assert!((self.done)(desk, self), "{when}: {said}");
        self.nothing_is_lost(desk, when, &said);
        assert_eq!(desk.open_transcripts(), Vec::<String>::new(), "{when}");
        if !desk.files(".claviger.tmp").is_empty() {
            // Where nothing had to be begun anew nobody has written since.
            desk.done(&["key", "generate", "zoe", "--passphrase-file", OLD_FILE]);
        }
        assert_eq!(desk.files(".claviger.tmp").len(), 0, "{when}: what was left is swept");
        let journal: serde_json::Value = serde_json::from_str(&desk.done(&["journal", "--json"])).unwrap();
        assert_eq!(journal["broken"], serde_json::Value::Null, "{when}");
    }
}

/// What happened, what did not, and what to do next.
pub fn three_sentences(said: &str, when: &str) {
    let lines: Vec<&str> = said.lines().collect();
    let first = lines.iter().rposition(|l| l.starts_with("claviger: ")).unwrap_or_else(|| panic!("{when}: {said}"));
    let rest = &lines[first + 1..];
    let whole = rest.len() >= 2 && rest.iter().all(|l| l.starts_with("  ") && l.ends_with(['.', ':', '!']));
    assert!(whole, "{when}: not three sentences:\n{said}");
    assert!(!said.contains("panicked"), "{when}: {said}");
}
