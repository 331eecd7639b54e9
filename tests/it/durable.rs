//! What must not be lost is on the disk before the program says that it is: seen from outside, by the system calls.
use crate::served_sandbox::Served;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

/// A system call that came back.
#[derive(Clone, Debug)]
struct Call {
    name: String,
    arguments: Vec<String>,
    result: String,
}

impl Call {
    /// `name(arguments) = result`, as strace writes it.
    fn read(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('(')?;
        let (arguments, result) = rest.rsplit_once(" = ")?;
        let arguments = arguments.trim_end().strip_suffix(')')?;
        Some(Self { name: name.to_owned(), arguments: split(arguments), result: result.trim().to_owned() })
    }

    fn worked(&self) -> bool {
        !self.result.starts_with('-')
    }

    /// The file behind a descriptor: `3</a/b>`.
    fn descriptor(&self, index: usize) -> Option<PathBuf> {
        let (_, path) = self.arguments.get(index)?.split_once('<')?;
        Some(path.strip_suffix('>')?.into())
    }

    fn name_at(&self, index: usize) -> Option<PathBuf> {
        Some(self.arguments.get(index)?.strip_prefix('"')?.strip_suffix('"')?.into())
    }

    /// A name that is looked up in a directory: two arguments.
    fn path_at(&self, index: usize) -> Option<PathBuf> {
        Some(self.descriptor(index)?.join(self.name_at(index + 1)?))
    }

    /// What got another name, and which.
    fn moved(&self) -> Option<(PathBuf, PathBuf)> {
        match self.name.as_str() {
            _ if !self.worked() => None,
            "rename" | "link" => Some((self.name_at(0)?, self.name_at(1)?)),
            "renameat" | "renameat2" | "linkat" => Some((self.path_at(0)?, self.path_at(2)?)),
            _ => None,
        }
    }

    /// The file that came to be on the disk.
    fn synced(&self) -> Option<PathBuf> {
        if self.worked() && matches!(self.name.as_str(), "fsync" | "fdatasync") { self.descriptor(0) } else { None }
    }

    /// The file that was written to.
    fn wrote(&self) -> Option<PathBuf> {
        if self.name.starts_with("write") || self.name.starts_with("pwrite") { self.descriptor(0) } else { None }
    }

    fn made(&self) -> Option<PathBuf> {
        match self.name.as_str() {
            _ if !self.worked() => None,
            "mkdir" => self.name_at(0),
            "mkdirat" => self.path_at(0),
            _ => None,
        }
    }

    /// The file that somebody tried to open for writing.
    fn opened_to_write(&self) -> Option<PathBuf> {
        let (path, flags) = match self.name.as_str() {
            "open" | "creat" => (self.name_at(0), 1),
            "openat" | "openat2" => (self.path_at(0), 2),
            _ => return None,
        };
        let flags = self.arguments.get(flags).map_or("", String::as_str);
        let writes = self.name == "creat" || ["O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"].iter().any(|f| flags.contains(f));
        if writes { path } else { None }
    }
}

/// Arguments at their commas, but for those in strings and names of files.
fn split(text: &str) -> Vec<String> {
    let (mut all, mut one, mut quoted, mut escaped, mut deep) = (Vec::new(), String::new(), false, false, 0);
    for c in text.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => quoted = !quoted,
            '<' if !quoted => deep += 1,
            '>' if !quoted => deep -= 1,
            ',' if !quoted && deep <= 0 => {
                all.push(std::mem::take(&mut one).trim().to_owned());
                continue;
            }
            _ => {}
        }
        one.push(c);
    }
    all.push(one.trim().to_owned());
    all
}

/// The calls of a trace, in the order in which they came back.
fn calls(trace: &str) -> Vec<Call> {
    let mut begun: BTreeMap<&str, &str> = BTreeMap::new();
    let mut all = Vec::new();
    for line in trace.lines() {
        let Some((process, text)) = line.split_once(char::is_whitespace) else { continue };
        let text = text.trim_start();
        if let Some(start) = text.strip_suffix("<unfinished ...>") {
            begun.insert(process, start);
        } else if let Some((_, end)) = text.split_once(" resumed>") {
            all.extend(Call::read(&format!("{}{end}", begun.remove(process).unwrap_or_default())));
        } else {
            all.extend(Call::read(text));
        }
    }
    all
}

/// What is wrong with how a file came to its name, if something is: it must be whole and on the disk under another name
/// before it gets its own, that name must be on the disk before anything else is done, and so must new directories.
fn fault(calls: &[Call], file: &Path) -> Option<String> {
    let place = calls.iter().position(|c| c.moved().is_some_and(|(_, to)| to == file));
    let Some(moved) = place else { return Some(format!("nothing was moved to {}", file.display())) };
    let from = calls[moved].moved().unwrap().0;
    let (before, after) = (&calls[..moved], &calls[moved + 1..]);
    let Some(written) = before.iter().rposition(|c| c.wrote().as_ref() == Some(&from)) else {
        return Some(format!("{} was not written", from.display()));
    };
    if !before[written..].iter().any(|c| c.synced().as_ref() == Some(&from)) {
        return Some(format!("{} got its name before it was on the disk", file.display()));
    }
    if after.iter().any(|c| c.wrote().as_deref() == Some(file)) {
        return Some(format!("{} was written to when it had its name", file.display()));
    }
    if !after.iter().any(|c| c.synced().as_deref() == file.parent()) {
        return Some(format!("the name {} is not on the disk", file.display()));
    }
    for (index, made) in calls.iter().enumerate().filter_map(|(i, c)| c.made().map(|m| (i, m))) {
        let synced = || calls[index..].iter().any(|c| c.synced().as_deref() == made.parent());
        if file.starts_with(&made) && !synced() {
            return Some(format!("the new directory {} is not on the disk", made.display()));
        }
    }
    None
}

/// strace, told to write what concerns files to a file. The program asks the system to let nobody look into it, which
/// would keep strace from reading names: that call is answered and not made.
fn strace(out: &Path) -> Command {
    // With a question mark: calls that not every processor's Linux has.
    const CALLS: &str = "trace=?open,?creat,openat,?openat2,?mkdir,mkdirat,write,writev,pwrite64,fsync,fdatasync,?rename,\
                         ?renameat,renameat2,?link,linkat,unlinkat,prctl";
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-s", "4096", "-e", CALLS, "-e", "inject=prctl:retval=0", "-o"]);
    strace.arg(out).arg(env!("CARGO_BIN_EXE_claviger"));
    strace
}

fn traced(run: impl FnOnce(Command) -> Output) -> Vec<Call> {
    let out = tempfile::NamedTempFile::new().unwrap();
    let said = run(strace(out.path()));
    assert!(said.status.success(), "{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    calls(&std::fs::read_to_string(out.path()).unwrap())
}

/// Files that somebody tried to open for writing under a name that only what is whole may have.
fn half_written(calls: &[Call]) -> Vec<PathBuf> {
    let whole = |p: &PathBuf| p.extension().is_some_and(|e| e == "key" || e == "json");
    calls.iter().filter_map(Call::opened_to_write).filter(whole).collect()
}

/// The only file in a directory.
fn only_file(directory: &Path) -> PathBuf {
    let all: Vec<_> = std::fs::read_dir(directory).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(all.len(), 1, "{all:?}");
    all[0].clone()
}

fn new_key() -> (tempfile::TempDir, Vec<Call>, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let calls = traced(|mut strace| {
        strace
            .args(["key", "generate", "alice", "--trust-dir", "trust"])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", home.path())
            .env("DOCKER_CONTENT_TRUST_REPOSITORY_PASSPHRASE", "a passphrase of tests")
            .current_dir(home.path())
            .stdin(Stdio::null())
            .output()
            .expect("the test needs the Debian package strace")
    });
    let key = only_file(&home.path().canonicalize().unwrap().join("trust/private"));
    (home, calls, key)
}

#[test]
fn a_new_key_is_on_the_disk_before_it_has_its_name_and_never_half_written() {
    let (_home, calls, key) = new_key();
    assert_eq!(fault(&calls, &key), None);
    assert_eq!(half_written(&calls), Vec::<PathBuf>::new());
}

#[test]
fn a_root_that_is_trusted_on_first_use_is_on_the_disk_before_it_has_its_name() {
    let sandbox = Served::start();
    let home = tempfile::tempdir().unwrap();
    let trust_dir = home.path().canonicalize().unwrap().join("trust");
    let guns = sandbox.invitation["repositories"].as_array().unwrap();
    let gun = guns.iter().filter_map(|g| g.as_str()).find(|g| g.ends_with("shop/docs")).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let calls = traced(|strace| {
        let mut watched = Command::new("env");
        watched.arg(format!("PATH={}", path.to_str().unwrap())).arg(strace.get_program()).args(strace.get_args());
        sandbox.by(watched, &trust_dir, &["repo", "show", gun])
    });
    let root = trust_dir.join(format!("tuf/{gun}/metadata/root.json"));
    assert_eq!(fault(&calls, &root), None);
    assert_eq!(half_written(&calls), Vec::<PathBuf>::new());
}

#[test]
fn whoever_does_not_wait_for_the_disk_is_caught() {
    let (_home, calls, key) = new_key();
    let without = |of: &dyn Fn(&Call) -> bool| {
        let left: Vec<Call> = calls.iter().filter(|c| !of(c)).cloned().collect();
        assert!(left.len() < calls.len());
        fault(&left, &key).unwrap_or_default()
    };
    assert!(
        without(&|c| c.synced().is_some_and(|p| p.to_string_lossy().contains(".tmp"))).ends_with("before it was on the disk")
    );
    assert!(without(&|c| c.synced().as_deref() == key.parent()).ends_with("is not on the disk"));
    assert!(without(&|c| c.synced().as_deref() == key.parent().unwrap().parent()).contains("the new directory"));
    assert!(without(&|c| c.moved().is_some()).starts_with("nothing was moved"));
    let opened = self::calls(
        "7 openat(5</t/private>, \"aa.key\", O_WRONLY|O_CREAT, 0600) = 6</t/private/aa.key>\n\
         8 openat(AT_FDCWD</t>, \"/t/a.key\", O_RDONLY <unfinished ...>\n8 <... openat resumed>) = 3</t/a.key>\n",
    );
    assert_eq!((opened.len(), half_written(&opened)), (2, vec![PathBuf::from("/t/private/aa.key")]));
}
