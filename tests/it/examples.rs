//! Every command has an example in its help, and every example does what it says when it is typed: in a prepared home, with
//! the keys of the fixtures, a served sandbox and the files that examples name.
use crate::{
    images_pushed::layout_of_one,
    robot::{
        copy,
        driver::{Robot, Start},
    },
    served_sandbox::Served,
};
use clap::Command;
use claviger::sandbox::Sandbox;
use jiff::Timestamp;
use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Stdio,
};
use tempfile::TempDir;

/// Examples that go on until somebody ends them, with what they show when they are ready, and how they are ended.
const INTERACTIVE: &[(&str, &str, &str)] = &[
    ("claviger sandbox", "SANDBOX", "q"),
    ("claviger sandbox --serve", "until Ctrl-C", "\x03"),
    ("claviger sandbox --serve --logins", "until Ctrl-C", "\x03"),
    ("claviger sandbox --dir practice --serve", "until Ctrl-C", "\x03"),
];

/// Commands without commands below them, as they are typed.
fn leaves(command: &Command, typed: &str, found: &mut Vec<(String, Command)>) {
    let typed = format!("{typed} {}", command.get_name()).trim_start().to_owned();
    if !command.has_subcommands() {
        found.push((typed.clone(), command.clone()));
    }
    command.get_subcommands().for_each(|c| leaves(c, &typed, found));
}

/// The examples of a command's help.
fn examples(command: &Command) -> Vec<String> {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    help.lines().filter_map(|l| l.strip_prefix("  ")).map(str::to_owned).collect()
}

/// Everything that examples speak of, made anew for each: some change it.
struct World {
    home: TempDir,
    variables: Vec<(&'static str, String)>,
}

impl World {
    fn new(served: &Served) -> Self {
        let home = tempfile::tempdir().unwrap();
        let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        let docker = home.path().join(".docker");
        copy(&fixtures.join("trustdirs/notary-full"), &docker.join("trust")).unwrap();
        let private = docker.join("trust/private");
        set_mode(&private, 0o700);
        fs::read_dir(&private).unwrap().for_each(|e| set_mode(&e.unwrap().path(), 0o600));
        copy(&Path::new(served.value("docker_config")).join("tls"), &docker.join("tls")).unwrap();
        let pem = |name: &str| fs::read(fixtures.join("pem").join(name)).unwrap();
        let alice = pem("ec-p256-pkcs8-enc.key");
        let keys = [pem("ec-p256-pkcs8-enc-sha1prf.key"), pem("rsa2048-pkcs8-enc.key")].concat();
        let files = [("alice.pem", alice), ("keys.pem", keys), ("new-passphrase", b"another passphrase\n".to_vec())];
        let files = files.into_iter().chain([("passphrase.txt", b"gondola lantern umbrella\n".to_vec())]);
        for (name, content) in files {
            fs::write(home.path().join(name), content).unwrap();
            set_mode(&home.path().join(name), 0o600);
        }
        copy(&layout_of_one("examples"), &home.path().join("frontend")).unwrap();
        drop(Sandbox::new(Timestamp::now(), Some(&home.path().join("practice"))).unwrap());
        let tests = PathBuf::from(env!("CARGO_BIN_EXE_claviger"));
        let path = format!("{}:{}", tests.parent().unwrap().display(), std::env::var("PATH").unwrap_or_default());
        let variables = vec![
            ("CLAVIGER_REGISTRY", format!("sandbox.test={}", served.value("registry"))),
            ("HOME", home.path().to_string_lossy().into_owned()),
            ("PATH", path),
            ("DOCKER_CONTENT_TRUST_SERVER", served.value("url").to_owned()),
            ("NOTARY_ROOT_PASSPHRASE", "gold-root".to_owned()),
            ("NOTARY_TARGETS_PASSPHRASE", "gold-targets".to_owned()),
            ("NOTARY_SNAPSHOT_PASSPHRASE", "gold-snapshot".to_owned()),
            ("NOTARY_DELEGATION_PASSPHRASE", "gold-delegation".to_owned()),
        ];
        Self { home, variables }
    }

    /// An example that plans a change: whoever types it has the keys of the sandbox, and names one.
    fn with_what_it_names(&self, example: &str, served: &Served) -> String {
        if !example.ends_with("--dry-run") {
            return example.to_owned();
        }
        let private = Path::new(served.value("trust_dir")).join("private");
        copy(&private, &self.home.path().join(".docker/trust/private")).unwrap();
        let listed = served.claviger(&["signer", "list", "sandbox.test/shop/frontend", "--json"]);
        let signers: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
        let dave = claviger::keys::generate(claviger::keys::NewKey::EcdsaP256).unwrap();
        let name = claviger::keys::KeyRole::parse("dave").unwrap();
        claviger::keys::write_public(self.home.path(), &name, dave.public()).unwrap();
        if example.contains(" publish ") {
            let staged = self.home.path().join(".docker/trust/tuf/sandbox.test/shop/frontend/changelist");
            fs::create_dir_all(&staged).unwrap();
            let change = r#"{"action":"update","role":"targets/releases","type":"witness","path":"","data":null}"#;
            fs::write(staged.join("1_a.change"), change).unwrap();
        }
        if example.contains(" init ") {
            let listed = served.claviger(&["key", "list", "--json"]);
            let keys: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
            let root = keys.as_array().unwrap().iter().find(|k| k["role"] == "root").unwrap();
            return example.replace("KEY_ID", root["id"].as_str().unwrap());
        }
        if example.contains("root-key remove") {
            // One that is not the only one.
            let added = served.claviger(&["root-key", "add", "sandbox.test/shop/frontend", "--key", "new", "--yes", "--json"]);
            let added: serde_json::Value = serde_json::from_slice(&added.stdout).unwrap();
            return example.replace("KEY_ID", added["keys_made"][0]["id"].as_str().unwrap());
        }
        example.replace("KEY_ID", signers[0]["keys"][0]["id"].as_str().unwrap())
    }

    /// Runs an example as somebody types it in a shell.
    fn run(&self, example: &str) {
        if let Some((_, shows, ends)) = INTERACTIVE.iter().find(|(e, ..)| *e == example) {
            let arguments = vec!["-c".to_owned(), format!("exec {example}")];
            let variables = self.variables.clone();
            let mut robot = Robot::start(Start { program: Path::new("/bin/sh"), arguments, variables, size: (120, 40) });
            robot.see(shows);
            robot.press(ends);
            assert_eq!(robot.end(), 0, "{example}\n{}", robot.screen());
            return;
        }
        let mut shell = std::process::Command::new("/bin/sh");
        shell.arg("-c").arg(example).env_clear().envs(self.variables.clone()).current_dir(self.home.path());
        let output = shell.stdin(Stdio::null()).output().unwrap();
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(0), "{example}\n{out}{err}");
    }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn every_command_has_an_example_that_does_what_it_says() {
    let mut all = Vec::new();
    leaves(&claviger::cli::definition(), "", &mut all);
    let served = Served::start();
    let mut run = BTreeSet::new();
    for (typed, command) in &all {
        let examples = examples(command);
        assert!(!examples.is_empty(), "the help of `{typed}` has no example");
        for example in examples {
            assert!(example.contains(typed.as_str()), "an example of `{typed}` is {example}");
            let world = World::new(&served);
            world.run(&world.with_what_it_names(&example, &served));
            run.insert(example);
        }
    }
    assert!(INTERACTIVE.iter().all(|(e, ..)| run.contains(*e)), "an example is gone");
}
