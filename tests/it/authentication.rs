//! Logging in, as a process against the real `notary-server`, with an issuer of tokens of our own: who may read reads, who
//! may not is told why, and no secret is in any output.
use super::{
    loopback::{Server, reply},
    peers::{
        pki::Pki,
        program::{Answer, program, run, scratch},
        server::{NotaryServer, Registry},
    },
    sandbox_registry::images::{CONFIG, LAYER, OCI, image, sha256},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use claviger::{
    net::{HttpSettings, login::Logins},
    sandbox::{Authority, Call, Issuer, Person, Response, Rights, Service, Shell},
};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::{
    ffi::OsString,
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The registry that the names begin with; nobody is there.
pub const REGISTRY: &str = "127.0.0.1:5000";
pub const PRIVATE: &str = "127.0.0.1:5000/team/private";
pub const PUBLIC: &str = "127.0.0.1:5000/team/public";
const PASSPHRASE: &str = "a passphrase of these tests";
/// Everything that must never be shown.
const SECRETS: &[&str] = &["alice-secret", "bob-secret", "wrong-secret"];

pub fn issuer() -> Issuer {
    let people = [
        Person::new("alice", "alice-secret", Rights::none().everywhere(&["*"]).with_catalogue()),
        Person::new("bob", "bob-secret", Rights::none().on(PUBLIC, &["pull"])),
    ];
    let issuer = Issuer::new("sandbox.test/issuer", Arc::new(Timestamp::now), people).unwrap();
    issuer.with_anybody(Rights::none().on(PUBLIC, &["pull"]))
}

/// A server that wants tokens, the issuer of them, and somebody who wants to read.
pub struct World {
    server: NotaryServer,
    issuer: Arc<Issuer>,
    shell: Shell,
    asked: Arc<AtomicUsize>,
    dir: PathBuf,
    token: Value,
}

impl World {
    /// The issuer is at `https://HOST:PORT/token`.
    pub fn new(issuer: Issuer, host: &str) -> Self {
        Self::changed(issuer, host, |service| service)
    }

    /// The same with an issuer that has something before it.
    pub fn changed(issuer: Issuer, host: &str, change: impl Fn(Service) -> Service) -> Self {
        let (issuer, asked) = (Arc::new(issuer), Arc::new(AtomicUsize::new(0)));
        let (service, count) = (change(issuer.service()), asked.clone());
        let counted: Service = Arc::new(move |call: &Call<'_>| {
            count.fetch_add(1, Ordering::SeqCst);
            service(call)
        });
        let shell = Shell::start(&Authority::new().unwrap(), counted, 0).unwrap();
        let dir = scratch("authentication");
        fs::create_dir_all(dir.join("docker")).unwrap();
        fs::create_dir_all(dir.join("bin")).unwrap();
        fs::write(dir.join("issuer.crt"), issuer.certificate()).unwrap();
        let both = fs::read_to_string(Pki::shared().file("ca.crt")).unwrap() + shell.ca_pem();
        fs::write(dir.join("ca.crt"), both).unwrap();
        let token = json!({
            "realm": format!("https://{host}:{}/token", shell.address().port()), "service": "the service",
            "issuer": issuer.name(), "rootcertbundle": dir.join("issuer.crt"),
        });
        let server = NotaryServer::with_tokens(&token);
        Self { server, issuer, shell, asked, dir, token }
    }

    /// One with two repositories, which the unmodified `notary` has published with tokens of the same issuer.
    pub fn published() -> Self {
        let world = Self::new(issuer(), "127.0.0.1");
        [PRIVATE, PUBLIC].iter().for_each(|gun| world.notary(&["init", gun, "-p"]));
        world
    }

    /// Runs the unmodified `notary` with alice's login.
    pub fn notary(&self, arguments: &[&str]) {
        let environment: Vec<(&str, OsString)> = ["ROOT", "TARGETS", "SNAPSHOT", "DELEGATION"]
            .map(|role| (&*format!("NOTARY_{role}_PASSPHRASE").leak(), PASSPHRASE.into()))
            .into_iter()
            .chain([
                ("NOTARY_AUTH", OsString::from(STANDARD.encode("alice:alice-secret"))),
                ("HOME", self.dir.clone().into()),
                ("PCSCLITE_CSOCK_NAME", "/nonexistent".into()),
            ])
            .collect();
        let mut all: Vec<OsString> = ["-s".into(), self.server.url().into(), "--tlscacert".into()].into();
        all.extend([self.dir.join("ca.crt").into_os_string(), "-d".into(), self.dir.join("notary").into_os_string()]);
        all.extend(arguments.iter().map(OsString::from));
        run(&program("notary"), &all, &environment, "").ok();
    }

    /// Pushes an image of one layer to the registry as alice, with `skopeo`; its manifest.
    pub fn push(&self, registry: &Registry, to: &str) -> String {
        let (image, manifest) = (scratch("pushed"), image(OCI, &[LAYER]));
        let digits = |bytes: &str| sha256(bytes).split_once(':').unwrap().1.to_owned();
        for (name, bytes) in [
            ("version".to_owned(), "Directory Transport Version: 1.1\n"),
            ("manifest.json".to_owned(), &manifest),
            (digits(CONFIG), CONFIG),
            (digits(LAYER), LAYER),
        ] {
            fs::write(image.join(name), bytes).unwrap();
        }
        let to = format!("{}/{to}", registry.url().replace("https://", "docker://"));
        let from = format!("dir:{}", image.display());
        // What it trusts: a folder of certificates.
        let authorities = scratch("authorities");
        fs::copy(self.dir.join("ca.crt"), authorities.join("ca.crt")).unwrap();
        let arguments: Vec<OsString> =
            ["--insecure-policy", "copy", "--preserve-digests", "--dest-creds", "alice:alice-secret", "--dest-cert-dir"]
                .map(OsString::from)
                .into_iter()
                .chain([authorities.into_os_string(), from.into(), to.into()])
                .collect();
        run(&program("skopeo"), &arguments, &[("HOME", self.dir.clone().into_os_string())], "").ok();
        manifest
    }

    /// The real registry, which wants tokens of the same issuer.
    pub fn registry(&self) -> Registry {
        Registry::with_tokens(&self.token)
    }

    /// How the server is reached with docker's logins.
    pub fn settings(&self) -> HttpSettings {
        let logins = Logins { docker_dir: Some(self.dir.join("docker")), ..Logins::default() };
        HttpSettings { ca: Some(self.dir.join("ca.crt")), logins: Some(logins), ..HttpSettings::new(self.server.url()) }
    }

    pub fn docker_config(&self, config: &Value) {
        fs::write(self.dir.join("docker/config.json"), config.to_string()).unwrap();
    }

    /// Docker's login of somebody at the registry.
    pub fn login(&self, user: &str, password: &str) {
        self.docker_config(&auths(user, password));
    }

    /// A credential helper that is a script.
    pub fn helper(&self, name: &str, script: &str) {
        let file = self.dir.join("bin").join(format!("docker-credential-{name}"));
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
        self.docker_config(&json!({"credHelpers": {REGISTRY: name}}));
    }

    pub fn claviger(&self, arguments: &[&str], more: &[(&str, OsString)]) -> Answer {
        self.in_trust_dir(&scratch("reader"), arguments, more)
    }

    fn in_trust_dir(&self, trust_dir: &Path, arguments: &[&str], more: &[(&str, OsString)]) -> Answer {
        let path = format!("{}:{}", self.dir.join("bin").display(), std::env::var("PATH").unwrap());
        let mut environment: Vec<(&str, OsString)> =
            vec![("HOME", self.dir.clone().into()), ("DOCKER_CONFIG", self.dir.join("docker").into()), ("PATH", path.into())];
        environment.extend(more.iter().cloned());
        let mut all: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        all.extend(["--server".into(), self.server.url().into(), "--tlscacert".into(), self.dir.join("ca.crt").into_os_string()]);
        all.extend(["--trust-dir".into(), trust_dir.join("trust").into_os_string()]);
        let answer = run(Path::new(env!("CARGO_BIN_EXE_claviger")), &all, &environment, "");
        self.keeps_secrets(&answer);
        answer
    }

    fn keeps_secrets(&self, answer: &Answer) {
        let text = format!("{}{}", answer.stdout, answer.stderr);
        let identity = self.identity_token();
        let (_, signature) = identity.split_once('.').unwrap();
        let encoded = ["alice:alice-secret", "bob:bob-secret", "alice:wrong-secret"].map(|s| STANDARD.encode(s));
        let all = SECRETS.iter().copied().chain(encoded.iter().map(String::as_str)).chain([signature, "Bearer ey", "eyJ0eXA"]);
        for secret in all {
            assert!(!text.contains(secret), "{secret} is in\n{text}");
        }
    }

    pub fn identity_token(&self) -> String {
        let form = "grant_type=password&username=alice&password=alice-secret&access_type=offline&service=the+service";
        let answer = self.issuer.handle(&Call::new("POST", "/token").with_body(form.as_bytes()));
        serde_json::from_slice::<Value>(&answer.body).unwrap()["refresh_token"].as_str().unwrap().to_owned()
    }

    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn auths(user: &str, password: &str) -> Value {
    json!({"auths": {REGISTRY: {"auth": STANDARD.encode(format!("{user}:{password}"))}}})
}

/// The command has failed with exit status 1, and says all of this.
#[track_caller]
pub fn says(answer: &Answer, parts: &[&str]) {
    assert_eq!(answer.status, 1, "{answer:?}");
    for part in parts {
        assert!(answer.stderr.contains(part), "{part:?} is not in\n{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_read_reads_and_who_may_not_is_told_who_refused_what_and_as_whom() {
    let world = World::published();
    let show = |gun: &str, more: &[(&str, OsString)]| world.claviger(&["repo", "show", gun], more);
    let scope = format!("repository:{PRIVATE}:pull");
    let notary_auth = |s: &str| [("NOTARY_AUTH", OsString::from(STANDARD.encode(s)))];

    show(PUBLIC, &[]).ok();
    let nobody = show(PRIVATE, &[]);
    says(&nobody, &["the server does not allow", &scope, "(status 401)", "asked without a login", "docker login", "NOTARY_AUTH"]);
    assert!(!nobody.stderr.contains("this account"), "{nobody:?}");

    world.login("alice", "alice-secret");
    for command in [&["repo", "show", PRIVATE][..], &["repo", "verify", PRIVATE], &["tags", PRIVATE], &["inspect", PRIVATE]] {
        world.claviger(command, &[]).ok();
    }
    world.login("bob", "bob-secret");
    says(&show(PRIVATE, &[]), &["the server does not allow", &scope, "asked as bob, with the login from", "config.json"]);
    show(PUBLIC, &[]).ok();
    world.login("alice", "wrong-secret");
    says(
        &show(PRIVATE, &[]),
        &["the issuer of tokens at https://127.0.0.1:", &scope, "bad credentials", "asked as alice", "config.json"],
    );
    let as_json = world.claviger(&["repo", "show", PRIVATE, "--json"], &[]);
    assert_eq!(as_json.status, 1, "{as_json:?}");
    assert!(as_json.stdout.contains("not-allowed") || as_json.stderr.contains("not-allowed"), "{as_json:?}");
    // What may be read without a login is, whatever the login is worth.
    show(PUBLIC, &[]).ok();

    world.docker_config(&json!({}));
    show(PRIVATE, &notary_auth("alice:alice-secret")).ok();
    says(&show(PRIVATE, &notary_auth("bob:bob-secret")), &["asked as bob, with the login from NOTARY_AUTH"]);
    says(&show(PRIVATE, &[("NOTARY_AUTH", "hunter2".into())]), &["NOTARY_AUTH", "is not user:password in base64"]);
    let variable = [("DOCKER_AUTH_CONFIG", OsString::from(auths("alice", "alice-secret").to_string()))];
    show(PRIVATE, &variable).ok();

    world.docker_config(&json!({"auths": {REGISTRY: {"identitytoken": world.identity_token()}}}));
    show(PRIVATE, &[]).ok();
    world.docker_config(&json!({"auths": {REGISTRY: {"identitytoken": "worthless"}}}));
    says(&show(PRIVATE, &[]), &["the issuer of tokens", "asked with the identity token from", "config.json"]);
    // A login of another registry is nobody's business here.
    world.docker_config(&json!({"auths": {"127.0.0.1:5001": {"auth": STANDARD.encode("alice:alice-secret")}}}));
    says(&show(PRIVATE, &[]), &["asked without a login"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_command_asks_the_issuer_once_for_each_kind_of_token() {
    let world = World::published();
    world.login("alice", "alice-secret");
    let before = world.asked();
    world.claviger(&["tags", PRIVATE], &[]).ok();
    assert_eq!(world.asked() - before, 2, "one as nobody, one as alice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_helper_that_fails_hangs_or_talks_rubbish_is_named_and_ended() {
    let world = World::published();
    let show = || world.claviger(&["repo", "show", PRIVATE], &[("NOTARY_TARGETS_PASSPHRASE", "hunter2".into())]);
    let login = r#"{\"ServerURL\":\"x\",\"Username\":\"alice\",\"Secret\":\"alice-secret\"}"#;
    // It is asked for this registry, and gets no passphrase.
    let careful =
        "read -r key; [ \"$1\" = get ] && [ \"$key\" = 127.0.0.1:5000 ] && [ -z \"$NOTARY_TARGETS_PASSPHRASE\" ] || exit 7";
    world.helper("works", &format!("{careful}\nprintf '%s' \"{login}\""));
    show().ok();
    let identity = world.identity_token();
    world.helper("identity", &format!("printf '{{\"Username\":\"<token>\",\"Secret\":\"{identity}\"}}'"));
    show().ok();
    world.helper("empty", "echo 'credentials not found in native keychain'; exit 1");
    says(&show(), &["asked without a login"]);
    for (name, script, why) in [
        ("fails", "echo alice-secret; exit 3", "failed (exit status: 3)"),
        ("rubbish", "echo alice-secret", "answered with something that is no login"),
        ("endless", "yes alice-secret", "printed more than 65536 bytes, and was ended"),
        ("hangs", "sleep 600 & echo $! > \"$0.pid\"; wait", "did not answer within 10 s, and was ended"),
    ] {
        world.helper(name, script);
        says(&show(), &[&format!("the credential helper docker-credential-{name} {why}"), "credHelpers"]);
    }
    let pid = fs::read_to_string(world.dir.join("bin/docker-credential-hangs.pid")).unwrap();
    let left = fs::read_to_string(format!("/proc/{}/cmdline", pid.trim())).unwrap_or_default();
    assert!(!left.contains("sleep"), "what the helper had started outlived it");
    world.docker_config(&json!({"credsStore": "../../evil"}));
    says(&show(), &["docker-credential-../../evil", "it was not started"]);
    world.docker_config(&json!({"credsStore": "not-installed"}));
    says(&show(), &["docker-credential-not-installed is not installed"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realm_on_another_host_gets_nothing_unless_the_configuration_trusts_it() {
    let world = World::new(issuer(), "localhost");
    world.login("alice", "alice-secret");
    let port = world.shell.address().port();
    let refused = world.claviger(&["repo", "show", PRIVATE], &[]);
    let host = format!("trusted_realms = [\"localhost:{port}\"]");
    says(
        &refused,
        &[
            "neither the registry's host nor a trusted one; nothing was sent there",
            &format!("https://localhost:{port}/token"),
            &host,
        ],
    );
    assert_eq!(world.asked(), 0);
    let config = world.dir.join("config.toml");
    fs::write(&config, host).unwrap();
    // Nobody has published it: with the token, the server can say so.
    let answer = world.claviger(&["repo", "show", PRIVATE, "--config", config.to_str().unwrap()], &[]);
    says(&answer, &["has no trust data"]);
    assert_eq!(world.asked(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_the_server_refuses_is_not_fetched_for_ever() {
    let world = World::new(issuer().with_age(SignedDuration::from_hours(1)), "127.0.0.1");
    world.login("alice", "alice-secret");
    let refused = world.claviger(&["repo", "show", PRIVATE], &[]);
    says(&refused, &["the server does not allow", "asked as alice"]);
    assert_eq!(world.asked(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_that_gives_nobody_anything_is_asked_with_the_login() {
    let strict = |service: Service| -> Service {
        Arc::new(move |call: &Call<'_>| match call.header("authorization") {
            Some(_) => service(call),
            None => Response { status: 401, headers: Vec::new(), body: Vec::new() },
        })
    };
    let world = World::changed(issuer(), "127.0.0.1", strict);
    says(&world.claviger(&["repo", "show", PRIVATE], &[]), &["the issuer of tokens at", "asked without a login"]);
    world.login("alice", "alice-secret");
    says(&world.claviger(&["repo", "show", PRIVATE], &[]), &["has no trust data"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_remembered_does_not_stand_in_for_a_login() {
    let world = World::published();
    world.login("alice", "alice-secret");
    let reader = scratch("remembers");
    world.in_trust_dir(&reader, &["repo", "show", PRIVATE], &[]).ok();
    world.login("bob", "bob-secret");
    says(&world.in_trust_dir(&reader, &["tags", PRIVATE], &[]), &["the server does not allow"]);
    let World { server, shell, dir, asked, issuer, token } = world;
    let (port, gone) = (shell.address().port(), scratch("gone"));
    shell.stop().await;
    let other = Shell::start(&Authority::new().unwrap(), issuer.service(), 0).unwrap();
    let world = World { server, shell: other, dir, asked, issuer, token };
    world.login("alice", "alice-secret");
    for trust_dir in [&reader, &gone] {
        let away = world.in_trust_dir(trust_dir, &["tags", PRIVATE], &[]);
        let realm = format!("https://127.0.0.1:{port}/token");
        says(&away, &["the issuer of tokens at", &realm, "gave none", "nothing accepts a connection there"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_wants_a_password_gets_it_only_after_it_has_asked() {
    let world = World::new(issuer(), "127.0.0.1");
    let wanted = reply("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", "");
    let none = reply("404 Not Found", "", "");
    let server = Server::plain(move |n, stream| stream.write_all(if n == 0 { &wanted } else { &none }));
    let gun = format!("{}/a", server.addr);
    let login = json!({"auths": {server.addr.to_string(): {"auth": STANDARD.encode("alice:alice-secret")}}});
    world.docker_config(&login);
    let home = [("HOME", world.dir.clone().into_os_string()), ("DOCKER_CONFIG", world.dir.join("docker").into_os_string())];
    let trust_dir = scratch("basic");
    let arguments = ["repo", "show", &gun, "--server", &server.url(), "--trust-dir", trust_dir.to_str().unwrap()];
    let answer = run(Path::new(env!("CARGO_BIN_EXE_claviger")), &arguments, &home, "");
    says(&answer, &["has no trust data"]);
    world.keeps_secrets(&answer);
    let heads = server.heads();
    let header = format!("Basic {}", STANDARD.encode("alice:alice-secret"));
    assert!(!heads[0].to_lowercase().contains("authorization"), "{}", heads[0]);
    assert!(heads[1].contains(&header), "{}", heads[1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_of_no_registry_goes_to_no_server_that_only_a_name_leads_to() {
    let world = World::new(issuer(), "127.0.0.1");
    let gun = format!("{}/team/app", world.server.address());
    let (ca, trust_dir) = (world.dir.join("ca.crt"), scratch("by-name"));
    let auth = OsString::from(STANDARD.encode("alice:alice-secret"));
    let environment = [("HOME", world.dir.clone().into_os_string()), ("NOTARY_AUTH", auth)];
    let read = |more: &[&str]| {
        let mut arguments =
            vec!["repo", "verify", &gun, "--tlscacert", ca.to_str().unwrap(), "--trust-dir", trust_dir.to_str().unwrap()];
        arguments.extend(more);
        run(Path::new(env!("CARGO_BIN_EXE_claviger")), &arguments, &environment, "")
    };
    let by_name = read(&[]);
    says(&by_name, &["asked without a login"]);
    world.keeps_secrets(&by_name);
    // Whoever sets the server says with that whom the login is for.
    says(&read(&["--server", &world.server.url()]), &["has no trust data"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realm_that_says_itself_what_is_asked_for_gets_nothing() {
    let world = World::new(issuer(), "127.0.0.1");
    for query in ["scope=repository:victim/prod:pull,push", "Account=root", "%73ervice=other"] {
        let realm = format!("https://127.0.0.1:{}/token?{query}", world.shell.address().port());
        let wanted = reply("401 Unauthorized", &format!("WWW-Authenticate: Bearer realm=\"{realm}\",service=\"x\"\r\n"), "");
        let server = Server::plain(move |_, stream| stream.write_all(&wanted));
        let gun = format!("{}/a", server.addr);
        world.docker_config(&json!({"auths": {server.addr.to_string(): {"auth": STANDARD.encode("alice:alice-secret")}}}));
        let home = [("HOME", world.dir.clone().into_os_string()), ("DOCKER_CONFIG", world.dir.join("docker").into_os_string())];
        let (trust_dir, ca) = (scratch("realm"), world.dir.join("ca.crt"));
        let arguments = ["repo", "show", &gun, "--server", &server.url(), "--tlscacert", ca.to_str().unwrap(), "--trust-dir"];
        let arguments: Vec<&str> = arguments.into_iter().chain([trust_dir.to_str().unwrap()]).collect();
        let answer = run(Path::new(env!("CARGO_BIN_EXE_claviger")), &arguments, &home, "");
        says(&answer, &["that says itself what is asked for", "nothing was sent there"]);
        world.keeps_secrets(&answer);
    }
    assert_eq!(world.asked.load(Ordering::SeqCst), 0);
}
