//! Changing repositories, beside the old tools: both open the same keys, made by `notary`, and publish to the same server.
use crate::{
    Report, Took, Way, claviger,
    peers::{desk::Desk, program::program, server::NotaryServer},
    run,
};
use std::{ffi::OsString, path::Path};

/// Counted runs, after one that is not counted.
const TURNS: usize = 11;

fn way(desk: &Desk, arguments: &[&str]) -> Way {
    Way { program: claviger(), arguments: desk.claviger_arguments(arguments), environment: desk.environment(), forget: None }
}

fn notary(desk: &Desk, arguments: &[&str]) -> Way {
    let mut all = desk.notary_arguments();
    all.extend(arguments.iter().map(OsString::from));
    Way { program: program("notary"), arguments: all, environment: desk.environment(), forget: None }
}

/// Another machine with the same keys.
fn beside(owner: &Desk) -> Desk {
    use std::os::unix::fs::PermissionsExt;
    let other = owner.fresh();
    let private = other.trust_dir().join("private");
    std::fs::create_dir_all(&private).expect("a folder");
    std::fs::set_permissions(&private, PermissionsExt::from_mode(0o700)).expect("a mode");
    for entry in std::fs::read_dir(owner.trust_dir().join("private")).expect("keys").flatten() {
        std::fs::copy(entry.path(), private.join(entry.file_name())).expect("a key");
    }
    other
}

/// One more tag, signed and published, where there are so many.
pub fn one_tag(report: &mut Report, server: &'static NotaryServer, count: usize) {
    let owner = Desk::new(server, "publisher");
    let gun = format!("bench.example/publish{count}");
    owner.notary(&["init", &gun]).ok();
    let hash = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, [7; 32]);
    let meta = serde_json::json!({ "length": 528, "hashes": { "sha256": hash } });
    owner.stage_targets(&gun, (0..count).map(|n| (format!("v{n:06}"), meta.clone())));
    owner.notary(&["publish", &gun]).ok();
    let other = beside(&owner);
    for desk in [&owner, &other] {
        desk.notary(&["list", &gun]).ok();
    }
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for n in 0..=TURNS {
        // Another digest each time, so that there is something to publish.
        let (a, b) = (format!("{:064x}", 2 * n + 1), format!("{:064x}", 2 * n + 2));
        let (name, digest) = (format!("{gun}:new"), format!("sha256:{a}"));
        let mine = run(&way(&other, &["sign", &name, "--digest", &digest, "--size", "528", "--yes", "--exact"]));
        let old = run(&notary(&owner, &["addhash", "-p", &gun, "new", "528", "--sha256", &b]));
        if n > 0 {
            ours.push(mine);
            theirs.push(old);
        }
    }
    report.ratio(&format!("sign and publish one tag of {count}"), &ours, &theirs, 1.0);
}

/// One signer out of so many repositories: one command, beside a shell loop of the old tool.
pub fn one_signer(report: &mut Report, server: &'static NotaryServer, count: usize) {
    let owner = Desk::new(server, "owner-of-many");
    let public = owner.signer_key("alice");
    let gun = |whose: &str, n: usize| format!("bench.example/signer/{whose}{n}");
    for whose in ["ours", "theirs"] {
        for n in 0..count {
            let gun = gun(whose, n);
            owner.notary(&["init", "-p", &gun]).ok();
            owner.notary(&["delegation", "add", &gun, "targets/alice", &public, "--all-paths", "-p"]).ok();
            owner.notary(&["list", &gun]).ok();
        }
    }
    let mut arguments = vec!["signer".to_owned(), "remove".into(), "alice".into(), "--yes".into(), "--exact".into()];
    arguments.extend((0..count).map(|n| gun("ours", n)));
    let ours = run(&way(&owner, &arguments.iter().map(String::as_str).collect::<Vec<_>>()));
    let quoted = |path: &Path| format!("'{}'", path.display());
    let words: Vec<String> = owner.notary_arguments().iter().map(|a| quoted(a.as_ref())).collect();
    let notary = format!("{} {}", quoted(&program("notary")), words.join(" "));
    let gun = gun("theirs", 0);
    let gun = gun.trim_end_matches('0');
    let script =
        format!("for n in $(seq 0 {}); do {notary} delegation remove {gun}$n targets/alice -y -p || exit 1; done", count - 1);
    let shell = Way {
        program: "/bin/sh".into(),
        arguments: vec!["-c".into(), script.into()],
        environment: owner.environment(),
        forget: None,
    };
    let theirs = run(&shell);
    report.ratio(&format!("one signer out of {count} repositories"), &[ours], &[Took { ..theirs }], 5.0);
}
