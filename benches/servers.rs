//! Many repositories, and the sandbox's server beside the real one.
use crate::{
    Report, Screen, Took, Way, claviger, in_turn,
    peers::{
        desk::Desk,
        program::program,
        server::{Kind, NotaryServer},
    },
    run,
};
use ::claviger::{
    keys::{NewKey, generate},
    sandbox::{Authority, Invitation, Published, Repository, Sandbox, Server, ServerKeys, Serving, Shell},
    tuf::name::{BaseRole, Gun},
};
use jiff::Timestamp;
use std::{ffi::OsString, sync::Arc, time::Duration};

/// Runs of what takes long.
const FEW: usize = 3;

/// `repo list` with this many repositories in the server's change feed.
pub fn inventory(report: &mut Report, count: usize) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let _inside = runtime.enter();
    let key = Arc::new(generate(NewKey::EcdsaP256).expect("a key"));
    let now = Timestamp::now();
    let repositories = (0..count).map(|n| {
        let gun = Gun::new(&format!("bench.example/team{}/app{n}", n % 97)).expect("a name");
        let mut made = Repository::new(gun, ServerKeys { timestamp: key.clone(), snapshot: None });
        // The feed says that something was published, not what.
        made.publish(BaseRole::Timestamp.into(), Published { version: 1, bytes: n.to_string().into_bytes(), stored: now });
        made
    });
    let server = Arc::new(Server::new(Arc::new(Timestamp::now), repositories));
    let shell = Shell::start(&Authority::new().expect("certificates"), server.service(), 0).expect("a port");
    let dir = tempfile::tempdir().expect("a folder");
    let ca = dir.path().join("ca.crt");
    std::fs::write(&ca, shell.ca_pem()).expect("a file");
    let mut arguments: Vec<OsString> =
        ["repo", "list", "--json", "--server", &shell.url(), "--tlscacert"].map(OsString::from).into();
    arguments.extend([ca.into(), "--trust-dir".into(), dir.path().join("trust").into()]);
    let way = Way { program: claviger(), arguments, environment: vec![("HOME", dir.path().into())], forget: None };
    let mut walls: Vec<Duration> = (0..crate::RUNS).map(|_| run(&way).wall).collect();
    walls.sort_unstable();
    report.absolute(&format!("repo list, {count} repositories"), &walls, Duration::from_secs(2));
    runtime.block_on(shell.stop());
}

/// Every repository read and verified again, on the screen; beside a loop of `notary list` in a shell.
pub fn refresh(report: &mut Report, count: usize) {
    let server: &'static NotaryServer = NotaryServer::shared(Kind::Local);
    let owner = Desk::new(server, "many");
    let gun = |n: usize| format!("bench.example/many/app{n}");
    for n in 0..count {
        owner.notary(&["init", "-p", &gun(n)]).ok();
    }
    let words = |arguments: &[OsString]| {
        let quoted = arguments.iter().map(|a| format!("'{}'", a.to_str().expect("a word")));
        quoted.collect::<Vec<_>>().join(" ")
    };
    let notary = format!("{} {}", program("notary").display(), words(&owner.notary_arguments()));
    let script = format!("for n in $(seq 0 {}); do {notary} list bench.example/many/app$n || exit 1; done", count - 1);
    let theirs = Way {
        program: "/bin/sh".into(),
        arguments: vec!["-c".into(), script.into()],
        environment: owner.environment(),
        forget: None,
    };
    let more = ["--server".to_owned(), server.url(), "--tlscacert".to_owned(), server.ca().to_str().expect("a path").to_owned()];
    let (mut a, mut b) = (Vec::new(), Vec::new());
    for n in 0..=FEW {
        let mut screen = Screen::of(&owner.trust_dir(), &more);
        screen.until(|s| s.contents().contains("not read yet"));
        screen.press("R");
        let wall = screen.until(|s| s.contents().contains(&format!("{count} verified")));
        screen.close();
        let other = run(&theirs);
        if n > 0 {
            a.push(Took { wall, peak: 0 });
            b.push(Took { wall: other.wall, peak: 1 });
        }
    }
    report.ratio(&format!("refresh, {count} repositories"), &a, &b, 10.0);
}

/// The same commands of the real `notary` against both servers: reading, and publishing.
pub fn side_by_side(report: &mut Report, tags: usize) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let _inside = runtime.enter();
    let world = Sandbox::new(Timestamp::now(), None).expect("a sandbox");
    let serving = Serving::start(&world, false).expect("servers");
    let real = Desk::new(NotaryServer::shared(Kind::Local), "beside");
    let guest = |arguments: &[&str]| embedded(serving.invitation(), arguments);
    let host = |arguments: &[&str]| {
        let mut all = real.notary_arguments();
        all.extend(arguments.iter().map(OsString::from));
        Way { program: program("notary"), arguments: all, environment: real.environment(), forget: None }
    };
    let gun = "bench.example/beside";
    let digest = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";
    for way in [&guest as &dyn Fn(&[&str]) -> Way, &host] {
        run(&way(&["init", "-p", gun]));
        for n in 0..tags {
            run(&way(&["addhash", gun, &format!("v{n}"), "528", "--sha256", digest]));
        }
        run(&way(&["publish", gun]));
    }
    let (ours, theirs) = in_turn(&guest(&["list", gun]), &host(&["list", gun]));
    report.ratio(
        &format!("sandbox's server, notary list, {tags} tags"),
        &without_memory(ours, 0),
        &without_memory(theirs, 1),
        0.8,
    );
    let publish = ["addhash", "-p", gun, "one-more", "528", "--sha256", digest];
    let (ours, theirs) = in_turn(&guest(&publish), &host(&publish));
    report.ratio("sandbox's server, notary addhash -p", &without_memory(ours, 0), &without_memory(theirs, 1), 0.8);
    runtime.block_on(serving.stop());
}

fn embedded(invitation: &Invitation, arguments: &[&str]) -> Way {
    let mut all: Vec<OsString> = vec!["-c".into(), invitation.notary_config.clone().into()];
    all.extend(arguments.iter().map(OsString::from));
    let variables = invitation.variables.iter().map(|(name, value)| (*name, value.into()));
    Way {
        program: program("notary"),
        arguments: all,
        environment: variables.chain([("PCSCLITE_CSOCK_NAME", "/nonexistent".into())]).collect(),
        forget: None,
    }
}

/// It is the same program on both sides.
fn without_memory(took: Vec<Took>, peak: u64) -> Vec<Took> {
    took.into_iter().map(|t| Took { peak, ..t }).collect()
}
