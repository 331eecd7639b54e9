//! Private keys that `claviger key generate` writes work in the real `notary` and `docker trust`.

use super::desk::{Desk, OTHER_PASSPHRASE, ROOT_PASSPHRASE};
use super::filled::each;
use super::listing;
use super::program::program;
use super::server::{Kind, NotaryServer};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use serde_json::Value;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, mpsc};
use std::time::{Duration, Instant};

const ALGORITHMS: &[&str] = &["ecdsa", "rsa2048", "rsa3072", "rsa4096"];
const GUN_OF_KEYS: &str = "peers.test/rotated-to-ours";

/// A key that was made here.
#[derive(Clone)]
struct Made {
    role: &'static str,
    algorithm: &'static str,
    id: String,
    /// The private key file.
    path: PathBuf,
    /// The file of the public half.
    public: String,
}

impl Made {
    /// The passphrase that it was made with.
    fn passphrase(&self) -> &'static str {
        // notary opens a targets or snapshot key that it is given with the passphrase of roots
        if self.role == "delegation" { OTHER_PASSPHRASE } else { ROOT_PASSPHRASE }
    }

    /// Lays a copy into the trust directory of a desk.
    fn lay_on(&self, desk: &Desk) {
        let folder = desk.trust_dir().join("private");
        std::fs::create_dir_all(&folder).expect("a folder");
        std::fs::copy(&self.path, folder.join(self.path.file_name().expect("a name"))).expect("a copy");
    }
}

/// All keys that these tests use, made once: deriving a key from a passphrase is slow by intent.
fn made() -> &'static [Made] {
    static MADE: OnceLock<Vec<Made>> = OnceLock::new();
    MADE.get_or_init(|| {
        let maker = desk("maker");
        let mut wanted: Vec<(&str, &str)> =
            ALGORITHMS.iter().flat_map(|algorithm| [("root", *algorithm), ("delegation", algorithm)]).collect();
        wanted.extend([("targets", "ecdsa"), ("targets", "rsa2048"), ("snapshot", "ecdsa")]);
        let found = Mutex::new(Vec::new());
        each(&wanted, |(role, algorithm)| {
            let made = generate(&maker, role, algorithm);
            found.lock().expect("no test has failed").push(made);
        });
        found.into_inner().expect("no test has failed")
    })
}

fn key(role: &str, algorithm: &str) -> &'static Made {
    made().iter().find(|key| key.role == role && key.algorithm == algorithm).expect("a key that was made")
}

fn generate(maker: &Desk, role: &'static str, algorithm: &'static str) -> Made {
    let name = format!("{role}-{algorithm}");
    let passphrase = if role == "delegation" { OTHER_PASSPHRASE } else { ROOT_PASSPHRASE };
    let file = maker.write(&format!("{name}.passphrase"), &format!("{passphrase}\n"));
    let mut args = vec!["key", "generate", &name, "--role", role, "--algorithm", algorithm, "--dir", maker.path()];
    args.extend(["--json", "--passphrase-file", &file]);
    if matches!(role, "targets" | "snapshot") {
        args.extend(["--gun", GUN_OF_KEYS]);
    }
    let answer = maker.claviger(&args).ok();
    let said: Value = serde_json::from_str(&answer.stdout).unwrap_or_else(|error| panic!("{error}: {answer:?}"));
    let text = |field: &str| said[field].as_str().unwrap_or_else(|| panic!("no {field}: {answer:?}")).to_owned();
    Made { role, algorithm, id: text("id"), path: text("path").into(), public: text("public") }
}

fn desk(name: &str) -> Desk {
    Desk::new(NotaryServer::shared(Kind::Local), name)
}

/// The only root key that `notary` knows on a desk is this one.
#[track_caller]
fn only_root(desk: &Desk, root: &Made) {
    let keys = desk.notary(&["key", "list"]).ok().stdout;
    let roots: Vec<&str> = keys.lines().filter(|line| line.starts_with("root ")).collect();
    assert!(roots.len() == 1 && roots[0].contains(&root.id), "{} is not the only root key:\n{keys}", root.id);
}

#[test]
fn notary_founds_a_repository_on_root_keys_made_here() {
    each(ALGORITHMS, |algorithm| {
        let gun = format!("peers.test/root-{algorithm}");
        let (owner, root) = (desk("owner"), key("root", algorithm));
        owner.notary(&["init", &gun, "--rootkey", root.path.to_str().expect("UTF-8"), "-p"]).ok();
        only_root(&owner, root);
        owner.notary(&["addhash", &gun, "v1", "7", "--sha256", &"a".repeat(64), "-p"]).ok();
        assert_eq!(listing::tags(&desk("reader").notary(&["list", &gun]).ok().stdout).len(), 1);
    });
}

#[test]
fn the_old_clients_take_a_root_key_made_here_from_the_trust_directory() {
    let (root, signer) = (key("root", "ecdsa"), key("delegation", "ecdsa"));
    let (notary, docker) = (desk("notary"), desk("docker"));
    root.lay_on(&notary);
    notary.notary(&["init", "peers.test/root-in-place", "-p"]).ok();
    only_root(&notary, root);
    root.lay_on(&docker);
    docker.docker_trust(&["signer", "add", "--key", &signer.public, "alice", "peers.test/docker-root"]).ok();
    only_root(&docker, root);
}

#[test]
fn docker_trust_signs_with_delegation_keys_made_here() {
    let (owner, gun) = (desk("owner"), "peers.test/signed-by-ours");
    for algorithm in ALGORITHMS {
        let signer = key("delegation", algorithm);
        signer.lay_on(&owner);
        owner.docker_trust(&["signer", "add", "--key", &signer.public, algorithm, gun]).ok();
    }
    owner.notary(&["addhash", gun, "v1", "7", "--sha256", &"a".repeat(64), "--roles", "targets/releases", "-p"]).ok();
    owner.docker_sign(gun, "v1");
    let inspected: Value = serde_json::from_str(&desk("reader").docker_trust(&["inspect", gun]).ok().stdout).expect("JSON");
    let list = |value: &Value| value.as_array().expect("a list").clone();
    let mut signed: Vec<Value> = list(&inspected[0]["SignedTags"][0]["Signers"]);
    signed.sort_by_key(Value::to_string);
    assert_eq!(signed, ALGORITHMS, "not every key that was made here has signed:\n{inspected:#}");
    for algorithm in ALGORITHMS {
        let signers = list(&inspected[0]["Signers"]);
        let row = signers.iter().find(|row| row["Name"] == *algorithm).expect("a signer");
        assert_eq!(row["Keys"][0]["ID"], *key("delegation", algorithm).id);
    }
}

#[test]
fn notary_signs_with_targets_and_snapshot_keys_made_here() {
    let (owner, gun) = (desk("owner"), GUN_OF_KEYS);
    owner.notary(&["init", gun, "-p"]).ok();
    for (role, algorithm) in [("targets", "ecdsa"), ("snapshot", "ecdsa"), ("targets", "rsa2048")] {
        let path = key(role, algorithm).path.to_str().expect("UTF-8");
        owner.notary(&["key", "rotate", gun, role, "-k", path]).ok();
    }
    owner.notary(&["addhash", gun, "v1", "7", "--sha256", &"a".repeat(64), "-p"]).ok();
    let reader = desk("reader");
    assert_eq!(listing::tags(&reader.notary(&["list", gun]).ok().stdout).len(), 1);
    let inspected: Value = serde_json::from_str(&reader.docker_trust(&["inspect", gun]).ok().stdout).expect("JSON");
    let repository = &inspected[0]["AdministrativeKeys"][1]["Keys"][0]["ID"];
    assert_eq!(*repository, *key("targets", "rsa2048").id, "{inspected:#}");
}

#[test]
fn notary_changes_the_passphrase_of_keys_made_here() {
    let cases =
        [("root", "ecdsa"), ("targets", "ecdsa"), ("snapshot", "ecdsa"), ("delegation", "ecdsa"), ("delegation", "rsa2048")];
    each(&cases, |(role, algorithm)| {
        let (desk, key) = (desk("passwd"), key(role, algorithm));
        key.lay_on(&desk);
        let new = "a new passphrase of this key";
        change_passphrase(&desk, &key.id, key.passphrase(), new);
        // notary derives with 2,048 rounds what it writes, so these two are quick
        let test = |passphrase: &str| {
            let file = desk.write("passphrase", &format!("{passphrase}\n"));
            desk.claviger(&["key", "test", &key.id, "--passphrase-file", &file])
        };
        test(new).ok();
        test(key.passphrase()).refused();
    });
}

/// `notary key passwd`, which asks only on a terminal.
pub fn change_passphrase(desk: &Desk, id: &str, old: &str, new: &str) {
    let pair = native_pty_system().openpty(PtySize { rows: 24, cols: 200, pixel_width: 0, pixel_height: 0 }).expect("a terminal");
    let mut command = CommandBuilder::new(program("notary"));
    command.args(desk.notary_arguments());
    command.args(["key", "passwd", id]);
    command.env_clear();
    for (name, value) in desk.environment().into_iter().filter(|(name, _)| !name.contains("PASSPHRASE")) {
        command.env(name, value);
    }
    let mut child = pair.slave.spawn_command(command).expect("notary starts");
    drop(pair.slave);
    let mut output = pair.master.try_clone_reader().expect("a reader");
    let mut input = pair.master.take_writer().expect("a writer");
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 1024];
        while let Ok(length @ 1..) = output.read(&mut buffer) {
            if sender.send(buffer[..length].to_vec()).is_err() {
                break;
            }
        }
    });
    let mut said = String::new();
    let deadline = Instant::now() + Duration::from_secs(60);
    for (prompt, answer) in [("Enter passphrase for", old), ("Enter passphrase for new", new), ("Repeat passphrase", new)] {
        let mut since = String::new();
        while !(since.contains(prompt) && since.trim_end().ends_with(':')) {
            let wait = deadline.saturating_duration_since(Instant::now());
            let bytes = receiver.recv_timeout(wait).unwrap_or_else(|_| panic!("notary did not ask {prompt:?}:\n{said}{since}"));
            since.push_str(&String::from_utf8_lossy(&bytes));
        }
        said.push_str(&since);
        writeln!(input, "{answer}").expect("the answer is taken");
    }
    // the channel closes when notary has closed its terminal
    while let Ok(bytes) = receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
        said.push_str(&String::from_utf8_lossy(&bytes));
    }
    assert!(child.wait().expect("a status").success(), "notary key passwd failed:\n{said}");
}
