//! A sandbox opens nothing of the user's: seen from outside, by the system calls it makes.
use crate::sandbox_support::ask;
use claviger::{
    sandbox::{Authority, Sandbox, Shell},
    tuf::{
        name::BaseRole,
        request::{Request, Which},
    },
};
use jiff::Timestamp;
use std::{
    ffi::OsStr,
    os::unix::{fs::PermissionsExt, net::UnixListener},
    path::Path,
    process::{Command, Stdio},
};

/// A home directory in which everything is there that must not be opened.
struct Bait {
    directory: tempfile::TempDir,
    _pcscd: UnixListener,
}

impl Bait {
    fn new() -> Self {
        let directory = tempfile::Builder::new().prefix("bait-").tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = directory.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        let key = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        let credentials =
            "{\"credsStore\":\"bait\",\"credHelpers\":{\"sandbox.test\":\"bait\",\"127.0.0.1\":\"bait\"},\"auths\":{}}";
        for home in [".docker", "docker"] {
            write(&format!("{home}/config.json"), credentials);
            write(&format!("{home}/trust/private/{}.key", "a".repeat(64)), key);
            write(&format!("{home}/trust/tuf/sandbox.test/shop/frontend/metadata/root.json"), "{}");
            write(&format!("{home}/tls/127.0.0.1/ca.crt"), "bait");
        }
        write(&format!(".notary/private/{}.key", "b".repeat(64)), key);
        write(".notary/config.json", "{\"trust_dir\":\"~/.notary\",\"remote_server\":{\"url\":\"https://bait.test\"}}");
        for home in ["config", ".config"] {
            write(&format!("{home}/claviger/config.toml"), "trust_dir = \"~/.notary\"\n");
        }
        for home in ["state", ".local/state"] {
            write(&format!("{home}/claviger/bait"), "bait");
        }
        write("bin/docker-credential-bait", &format!("#!/bin/sh\ntouch {}/was-run\n", directory.path().display()));
        let helper = directory.path().join("bin/docker-credential-bait");
        std::fs::set_permissions(helper, std::fs::Permissions::from_mode(0o755)).unwrap();
        let pcscd = UnixListener::bind(directory.path().join("pcscd.comm")).unwrap();
        Self { directory, _pcscd: pcscd }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Runs a program with the bait laid out and gives every file and network call of it and its children.
    fn trace(&self, program: impl AsRef<OsStr>, arguments: &[&str]) -> String {
        let out = tempfile::NamedTempFile::new().unwrap();
        let path = format!("{}:{}", self.path().join("bin").display(), std::env::var("PATH").unwrap());
        let result = Command::new("strace")
            .args(["-f", "-s", "4096", "-e", "trace=%file,%network,execve", "-o"])
            .arg(out.path())
            .arg(program.as_ref())
            .args(arguments)
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.path())
            .env("DOCKER_CONFIG", self.path().join("docker"))
            .env("XDG_CONFIG_HOME", self.path().join("config"))
            .env("XDG_STATE_HOME", self.path().join("state"))
            .env("PCSCLITE_CSOCK_NAME", self.path().join("pcscd.comm"))
            .current_dir("/")
            .stdin(Stdio::null())
            .output()
            .expect("the test needs the Debian package strace");
        let trace = std::fs::read_to_string(out.path()).unwrap();
        assert!(
            result.status.success(),
            "{}{}",
            String::from_utf8_lossy(&result.stdout),
            String::from_utf8_lossy(&result.stderr)
        );
        trace
    }

    /// The calls that touch the bait or reach anything but this machine's own loopback interface.
    fn bitten<'t>(&self, trace: &'t str) -> Vec<&'t str> {
        let bait = self.path().to_str().unwrap();
        let calls = trace.lines().filter(|l| !l.contains("execve(") || !l.contains("strace"));
        calls
            .filter(|l| {
                let searched = l.contains("execve(") && l.contains(" = -1 ENOENT");
                let file = l.contains(bait) && !searched;
                let smart_cards = l.contains("pcscd");
                let call = |name: &str| l.contains(&format!("{name}("));
                let far = (call("connect") || call("bind") || call("sendto") || call("sendmsg"))
                    && (l.contains("AF_UNIX") || (l.contains("sa_family=AF_INET") && !l.contains("inet_addr(\"127.0.0.1\")")));
                file || smart_cards || far
            })
            .collect()
    }
}

/// Programs that a trace shows being run, the first one aside.
fn programs_run(trace: &str) -> usize {
    trace.lines().filter(|l| l.contains("execve(") && l.trim_end().ends_with("= 0")).count() - 1
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sandbox_works_from_its_start_to_its_end() {
    let s = Sandbox::new(Timestamp::now(), None).unwrap();
    let transport = s.transport();
    transport.ping().await.unwrap();
    assert_eq!(transport.address().raw(), "sandbox");
    let mut feed = transport.change_feed(None, None, 0).await.unwrap();
    assert!(feed.len() > 20 && feed.is_sorted_by_key(|r| r.id.raw().parse::<u32>().unwrap()));
    feed.truncate(3);
    assert_eq!(transport.change_feed(None, None, 3).await.unwrap(), feed);
    assert!(transport.change_feed(None, Some("x"), 3).await.is_err());
    for gun in s.guns() {
        let mut root = Request { role: BaseRole::Root.into(), which: Which::Current, limit: 1 << 20 };
        let bytes = transport.get(&gun, &root).await.unwrap();
        assert!(bytes.starts_with(b"{\"signed\""));
        root.limit = bytes.len() as u64 - 1;
        let error = transport.get(&gun, &root).await.unwrap_err();
        assert_eq!(error, claviger::notary::TransportError::TooLarge { limit: root.limit });
        root.which = Which::Version(99);
        let error = transport.get(&gun, &root).await.unwrap_err();
        assert!(
            matches!(error, claviger::notary::TransportError::NotThere { code: Some(c), .. } if c.raw() == "METADATA_NOT_FOUND")
        );
    }
    // What the workstation on it says of what stands in the way.
    let found = claviger::doctor::in_sandbox().await;
    assert!(found.iter().any(|check| check.text.contains("in this process")), "{found:?}");
    let keys = claviger::keys::list(s.trust_dir());
    assert!(keys.entries.len() > 10);
    let shell = Shell::start(&Authority::new().unwrap(), s.server().service(), 0).unwrap();
    assert!(!s.invite(&shell).unwrap().lines().is_empty());
    assert_eq!(ask(shell.address(), shell.ca_pem(), "GET", "/v2/").body, b"{}");
    shell.stop().await;
}

#[test]
fn a_sandbox_opens_nothing_of_the_users_and_reaches_nothing_but_the_loopback_interface() {
    let bait = Bait::new();
    let this = std::env::current_exe().unwrap();
    let trace = bait.trace(this, &["--exact", "sandbox_isolation::a_sandbox_works_from_its_start_to_its_end"]);
    assert!(trace.contains("claviger-sandbox-") && trace.contains("connect("), "the trace does not show the sandbox at work");
    assert_eq!(bait.bitten(&trace), Vec::<&str>::new());
    assert_eq!(programs_run(&trace), 0);
    assert!(!bait.path().join("was-run").exists());
}

#[test]
fn the_command_that_serves_a_sandbox_opens_nothing_of_the_users_either() {
    let bait = Bait::new();
    // Ended when it has said how to join, which is the last thing it does before it waits.
    let script = r#"PATH=/usr/bin:/bin; f=$(mktemp -u); mkfifo $f; "$0" sandbox --serve >$f & read line <$f; kill $!; wait $!; s=$?; rm $f; exit $s"#;
    let trace = bait.trace("sh", &["-c", script, env!("CARGO_BIN_EXE_claviger")]);
    assert!(trace.contains("claviger-sandbox-"), "the trace does not show the sandbox at work");
    assert_eq!(bait.bitten(&trace), Vec::<&str>::new());
    assert!(!bait.path().join("was-run").exists());
}

#[test]
fn the_bait_is_seen_when_it_is_taken() {
    let bait = Bait::new();
    let seen = |script: &str| {
        let trace = bait.trace("sh", &["-c", script]);
        (bait.bitten(&trace).len(), programs_run(&trace))
    };
    assert_eq!(seen("true"), (0, 0));
    assert!(seen("cat $HOME/.docker/config.json >/dev/null").0 > 0);
    assert!(seen("test -e $DOCKER_CONFIG/trust || true").0 > 0);
    assert!(seen("test -e /run/pcscd/pcscd.comm || true").0 > 0);
    let run = seen("docker-credential-bait");
    assert!(run.0 > 0 && run.1 > 0 && bait.path().join("was-run").exists());
}
