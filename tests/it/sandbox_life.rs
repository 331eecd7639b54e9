//! The unmodified `notary` and `docker trust` live in the sandbox: everything that they can do to a repository, they do.
use crate::sandbox_support::tool;
use claviger::sandbox::{Invitation, Sandbox, Serving};
use jiff::Timestamp;
use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
};

/// Somebody at a terminal with nothing but the invitation.
struct Guest {
    invitation: Invitation,
    home: PathBuf,
}

impl Guest {
    fn command(&self, name: &str) -> Command {
        let mut command = tool(name, &self.home);
        // A token that is plugged into this machine would be used without asking.
        command.envs(self.invitation.variables.iter().cloned()).env("PCSCLITE_CSOCK_NAME", "/nonexistent");
        command
    }

    fn run(mut command: Command, typed: &str) -> (bool, String) {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // A program that asks nothing may have ended.
        let _ = child.stdin.take().unwrap().write_all(typed.as_bytes());
        let out = child.wait_with_output().unwrap();
        (out.status.success(), format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr)))
    }

    fn notary_typing(&self, typed: &str, line: &str) -> String {
        let mut command = self.command("notary");
        command.arg("-c").arg(&self.invitation.notary_config).args(line.split(' '));
        let (done, said) = Self::run(command, typed);
        assert!(done, "notary {line}: {said}");
        said
    }

    fn notary(&self, line: &str) -> String {
        self.notary_typing("", line)
    }

    fn docker(&self, line: &str) -> Vec<u8> {
        let out = self.command("docker").args(line.split(' ')).output().unwrap();
        assert!(out.status.success(), "docker {line}: {}", String::from_utf8_lossy(&out.stderr));
        out.stdout
    }

    /// Names and roles of `notary list`.
    fn listed(&self, gun: &str) -> Vec<(String, String)> {
        let said = self.notary(&format!("list {gun}"));
        let rows = said.lines().skip_while(|l| !l.starts_with("----")).skip(1).map(|l| l.split_whitespace().collect::<Vec<_>>());
        rows.filter(|w| w.len() == 4).map(|w| (w[0].to_owned(), w[3].to_owned())).collect()
    }
}

fn tags(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(n, r)| (n.to_string(), r.to_string())).collect()
}

const DIGEST: &str = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

/// A life with `notary`: beginning, tags, rotations, delegations, witness, deletion.
fn with_notary(guest: &Guest) {
    let fixture = |name: &str| format!("{}/tests/fixtures/pem/{name}", env!("CARGO_MANIFEST_DIR"));
    let (gun, file) = ("new.test/by/notary", guest.home.join("file"));
    std::fs::write(&file, "hello\n").unwrap();
    let file = file.to_str().unwrap();
    guest.notary(&format!("init -p {gun}"));
    guest.notary(&format!("add -p {gun} one {file}"));
    guest.notary(&format!("addhash -p {gun} two 528 --sha256 {DIGEST}"));
    assert_eq!(guest.listed(gun), tags(&[("one", "targets"), ("two", "targets")]));
    guest.notary(&format!("key rotate {gun} snapshot -r"));
    guest.notary(&format!("key rotate {gun} timestamp -r"));
    guest.notary(&format!("key rotate {gun} targets"));
    guest.notary_typing("yes\n", &format!("key rotate {gun} root"));
    guest.notary(&format!("remove -p {gun} two"));
    guest.notary(&format!("key rotate {gun} snapshot"));
    guest.notary(&format!("add -p {gun} three {file}"));
    assert_eq!(guest.listed(gun), tags(&[("one", "targets"), ("three", "targets")]));

    let certificate = fixture("ec-p256-selfsigned.crt");
    guest.notary(&format!("delegation add -p {gun} targets/releases {certificate} --all-paths"));
    guest.notary(&format!("delegation add -p {gun} targets/empty {certificate} --paths x/"));
    guest.notary(&format!("key import {} --role delegation", fixture("ec-p256-pkcs8.key")));
    guest.notary(&format!("add -p {gun} four {file} --roles targets/releases"));
    guest.notary(&format!("witness -p {gun} targets/releases"));
    guest.notary(&format!("delegation remove -p {gun} targets/empty -y"));
    let delegations = guest.notary(&format!("delegation list {gun}"));
    assert!(delegations.contains("targets/releases") && !delegations.contains("targets/empty"), "{delegations}");
    let wanted = tags(&[("four", "targets/releases"), ("one", "targets"), ("three", "targets")]);
    assert_eq!(guest.listed(gun), wanted);
    // Somebody else, who has seen nothing of all that.
    let elsewhere = guest.home.join("elsewhere");
    let said = guest.notary(&format!("-d {} list {gun}", elsewhere.display()));
    assert!(wanted.iter().all(|(name, _)| said.contains(name)), "{said}");

    guest.notary(&format!("delete --remote {gun}"));
    let mut gone = guest.command("notary");
    gone.arg("-c").arg(&guest.invitation.notary_config).args(["list", gun]);
    let (found, said) = Guest::run(gone, "");
    assert!(!found && said.contains("does not have trust data"), "{said}");
}

/// A life with `docker trust`: a signer is added, signs a tag that is there, is inspected, and takes it back.
fn with_docker(guest: &Guest) {
    let image = "new.test/by/docker";
    let mut made = guest.command("docker");
    made.args(["trust", "key", "generate", "mona", "--dir"]).arg(&guest.home);
    let (done, said) = Guest::run(made, "");
    assert!(done, "{said}");
    let key = guest.home.join("mona.pub");
    guest.docker(&format!("trust signer add --key {} mona {image}", key.display()));
    guest.notary(&format!("addhash {image} v1 528 --sha256 {DIGEST} --roles targets/releases -p"));
    guest.docker(&format!("trust sign {image}:v1"));
    let json: serde_json::Value = serde_json::from_slice(&guest.docker(&format!("trust inspect {image}"))).unwrap();
    assert_eq!(json[0]["SignedTags"][0]["SignedTag"], "v1", "{json}");
    assert_eq!(json[0]["SignedTags"][0]["Digest"], DIGEST, "{json}");
    assert_eq!(json[0]["SignedTags"][0]["Signers"], serde_json::json!(["mona"]), "{json}");
    assert_eq!(json[0]["Signers"][0]["Name"], "mona", "{json}");
    guest.docker(&format!("trust revoke -y {image}:v1"));
    let json: serde_json::Value = serde_json::from_slice(&guest.docker(&format!("trust inspect {image}"))).unwrap();
    assert_eq!(json[0]["SignedTags"].as_array().map(Vec::len), Some(0), "{json}");
}

fn home(sandbox: &Sandbox) -> PathBuf {
    let home = sandbox.path().join("guest");
    std::fs::create_dir(&home).unwrap();
    home
}

async fn live(logins: bool) {
    let sandbox = Sandbox::new(Timestamp::now(), None).unwrap();
    let serving = Serving::start(&sandbox, logins).unwrap();
    let guest = Guest { invitation: serving.invitation().clone(), home: home(&sandbox) };
    if logins {
        // docker looks for a login by the registry in an image's name.
        let config = guest.invitation.docker_config.join("config.json");
        let text = std::fs::read_to_string(&config).unwrap();
        std::fs::write(&config, text.replace("sandbox.test", "new.test")).unwrap();
    }
    with_notary(&guest);
    with_docker(&guest);
    if logins {
        let mut nobody = guest.command("notary");
        nobody
            .arg("-c")
            .arg(&guest.invitation.notary_config)
            .args(["init", "-p", "new.test/by/nobody"])
            .env_remove("NOTARY_AUTH");
        let (done, said) = Guest::run(nobody, "");
        assert!(!done && said.contains("401"), "{said}");
    }
    serving.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_notary_and_docker_trust_do_all_that_they_can_do() {
    live(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn they_do_so_with_a_login_where_one_is_asked_for_and_nothing_without() {
    live(true).await;
}
