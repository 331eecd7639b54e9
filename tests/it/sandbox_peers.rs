//! The unmodified `notary` and `docker trust` join the sandbox over HTTP and TLS with nothing but the printed lines, and
//! see the same world as we do.
use crate::sandbox_support::tool;
use claviger::{
    sandbox::{Authority, Invitation, Sandbox, Shell},
    tuf::{
        collection::TrustedCollection,
        name::{Gun, RoleName},
        pinning::Pinning,
        update::{Reply, Step, Update},
    },
};
use jiff::Timestamp;
use std::{
    collections::{BTreeMap, BTreeSet},
    process::{Command, Output},
};

/// What a repository signs, as our own verification over the sandbox's transport sees it with an empty cache.
async fn ours(s: &Sandbox, gun: &Gun) -> Option<TrustedCollection> {
    let transport = s.transport();
    let mut update = Update::new(gun.clone(), Timestamp::now(), Pinning::default(), BTreeMap::new());
    let mut step = update.start().ok()?;
    loop {
        match step {
            Step::Done(outcome) => return Some(outcome.collection),
            Step::Fetch(request) => {
                let reply = transport.get(gun, &request).await.map_or(Reply::NotThere, Reply::Bytes);
                step = update.give(reply).ok()?;
            }
        }
    }
}

/// A command that knows only what the invitation says.
fn invited(name: &str, s: &Sandbox, invitation: &Invitation) -> Command {
    let mut command = tool(name, &s.path().join("nobody"));
    command.envs(invitation.variables.iter().cloned());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Name, SHA-256 and role of each line of `notary list`. The first three columns are cut at the places of the heading,
/// because names may hold spaces.
fn listed(out: &Output) -> BTreeSet<(String, String)> {
    let stdout = text(&out.stdout);
    let rows = stdout.lines().skip_while(|l| !l.starts_with("----")).skip(1);
    rows.filter_map(|l| {
        let mut words: Vec<&str> = l.split_whitespace().collect();
        let role = words.pop()?;
        let (_size, digest) = (words.pop()?, words.pop()?);
        Some((digest.to_owned(), role.to_owned()))
    })
    .collect()
}

fn hex(digest: [u8; 32]) -> String {
    base16ct::lower::encode_string(&digest)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_notary_lists_every_repository_as_we_do() {
    let s = Sandbox::new(Timestamp::now(), None).unwrap();
    let shell = Shell::start(&Authority::new().unwrap(), s.server().service(), 0).unwrap();
    let invitation = s.invite(&shell).unwrap();
    for gun in s.guns() {
        let mut command = invited("notary", &s, &invitation);
        let out = command.arg("-c").arg(&invitation.notary_config).args(["list", gun.as_str()]).output().unwrap();
        let collection = ours(&s, &gun).await;
        assert_eq!(out.status.success(), collection.is_some(), "{gun}: {}", text(&out.stderr));
        // One line for each name: notary shows the role that comes first in its own order, so the role is looked up.
        let Some(collection) = collection else { continue };
        let theirs = listed(&out);
        let ours: BTreeSet<_> = collection.signed().map(|(r, _, m)| (hex(m.sha256().unwrap()), r.name.to_string())).collect();
        let (names, lines): (BTreeSet<_>, BTreeSet<_>) =
            (ours.iter().map(|(d, _)| d).collect(), theirs.iter().map(|(d, _)| d).collect());
        assert_eq!(names, lines, "{gun}: {}", text(&out.stdout));
        assert!(theirs.is_subset(&ours), "{gun}: {theirs:?} {ours:?}");
    }
    shell.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_docker_trust_inspects_every_repository_as_we_see_it() {
    let s = Sandbox::new(Timestamp::now(), None).unwrap();
    let shell = Shell::start(&Authority::new().unwrap(), s.server().service(), 0).unwrap();
    let invitation = s.invite(&shell).unwrap();
    let released = ["targets", "targets/releases"].map(|r| RoleName::new(r).unwrap());
    for gun in s.guns() {
        let out = invited("docker", &s, &invitation).args(["trust", "inspect", gun.as_str()]).output().unwrap();
        let collection = ours(&s, &gun).await;
        assert_eq!(out.status.success(), collection.is_some(), "{gun}: {}", text(&out.stderr));
        let Some(collection) = collection else { continue };
        let json: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        let theirs: BTreeSet<_> = json[0]["SignedTags"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|t| (t["SignedTag"].as_str().unwrap().to_owned(), t["Digest"].as_str().unwrap().to_owned()))
            .collect();
        let ours: BTreeSet<_> = collection
            .signed()
            .filter(|(r, _, _)| released.contains(&r.name))
            .map(|(_, n, m)| (n.to_owned(), hex(m.sha256().unwrap())))
            .collect();
        assert_eq!(theirs, ours, "{gun}");
        let signers: BTreeSet<_> =
            json[0]["Signers"].as_array().into_iter().flatten().map(|n| n["Name"].as_str().unwrap().to_owned()).collect();
        let delegated: BTreeSet<_> = collection
            .roles()
            .iter()
            .filter_map(|r| r.name.as_str().strip_prefix("targets/"))
            .filter(|n| *n != "releases")
            .map(str::to_owned)
            .collect();
        assert_eq!(signers, delegated, "{gun}");
    }
    shell.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_printed_lines_are_all_that_a_shell_needs() {
    let s = Sandbox::new(Timestamp::now(), None).unwrap();
    let shell = Shell::start(&Authority::new().unwrap(), s.server().service(), 0).unwrap();
    let lines = s.invite(&shell).unwrap().lines();
    // An alias holds from the next line on.
    let script = format!(
        "{}\nnotary key list && notary list sandbox.test/shop/docs && docker trust inspect sandbox.test/shop/docs\n",
        lines.join("\n")
    );
    let out = tool("sh", &s.path().join("nobody")).arg("-c").arg(script).output().unwrap();
    assert!(out.status.success(), "{}\n{}", lines.join("\n"), text(&out.stderr));
    let stdout = text(&out.stdout);
    for wanted in ["alice", "2026", "\"SignedTag\": \"latest\""] {
        assert!(stdout.contains(wanted), "{wanted}: {stdout}");
    }
    shell.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_real_notary_unlocks_the_keys_and_walks_the_rotated_root() {
    let s = Sandbox::new(Timestamp::now(), None).unwrap();
    let shell = Shell::start(&Authority::new().unwrap(), s.server().service(), 0).unwrap();
    let invitation = s.invite(&shell).unwrap();
    let out = invited("notary", &s, &invitation)
        .arg("-c")
        .arg(&invitation.notary_config)
        .args(["list", "sandbox.test/platform/base"])
        .output()
        .unwrap();
    assert!(out.status.success() && text(&out.stdout).contains("trixie-21"), "{}", text(&out.stderr));
    shell.stop().await;
}
