//! A server that hides what a role says from a machine that never saw it: whoever signs there would begin the role anew.
use crate::forge::{
    Files, Forge, Served,
    disk::{repositories, wait_for},
    role,
};
use claviger::{
    finding::Severity,
    repository::change::Plan,
    trust_dir::TrustDir,
    tuf::{change::Change, file_meta::FileMeta, pinning::Pinning},
};
use std::collections::BTreeMap;

/// A repository whose snapshot does not name targets/c, at a server that keeps so many versions of its file.
fn hiding(kept: u64) -> (Forge, Served) {
    let forge = Forge::good().next();
    let mut files: Files = forge.publish();
    let hidden = files.remove(&role("targets/c")).unwrap();
    forge.next().vouch(&mut files);
    let answer = |n: u64| (format!("{n}.targets/c.json"), (n <= kept).then(|| hidden.clone()));
    (forge, Served { exactly: (1..=64).map(answer).collect::<BTreeMap<_, _>>(), ..Served::new(files) })
}

/// What the plan to sign a tag says that somebody must want, before the server is asked and after it; and the version that would be
/// signed.
fn planned(kept: u64) -> ([Vec<&'static str>; 2], u64) {
    let (forge, served) = hiding(kept);
    let dir = tempfile::tempdir().unwrap();
    let all = repositories(&TrustDir::new(dir.path()), &served, Pinning::default(), Box::new(|_| {}));
    let mut basis = wait_for(all.basis(&forge.gun, &[], crate::forge::now(), &|_| {})).unwrap();
    let sign = [Change::Sign { role: role("targets/c"), name: "c/new".into(), meta: FileMeta::from_sha256(7, [7; 32]) }];
    let plan = |basis: &_| Plan::new(basis, &sign, &sign).unwrap().unwrap();
    let breaks = |plan: &Plan| {
        let all = plan.findings.iter().filter(|f| f.severity == Severity::Error);
        all.map(|f| f.code).collect::<Vec<_>>()
    };
    let before = plan(&basis);
    let unasked = basis.unasked(&before);
    assert_eq!(unasked, [role("targets/c")], "only what the plan writes is asked for");
    wait_for(basis.ask(unasked)).unwrap();
    let after = plan(&basis);
    assert!(basis.unasked(&after).is_empty(), "nothing is asked twice");
    assert_eq!(before.digest() == after.digest(), kept == 0, "it is another plan, which is accepted anew");
    ([breaks(&before), breaks(&after)], after.files.iter().find(|f| f.role == role("targets/c")).unwrap().version)
}

#[test]
fn a_server_that_hides_a_role_from_a_new_machine_has_nobody_sign_its_tags_away_unread() {
    for kept in 1..=4 {
        let ([before, after], version) = planned(kept);
        assert_eq!((before.contains(&"begins-anew"), after.contains(&"begins-anew")), (false, true), "{kept} versions");
        assert_eq!(version, kept + 1);
    }
}

#[test]
fn a_role_that_has_published_nothing_begins_without_a_word() {
    let ([before, after], version) = planned(0);
    assert_eq!((before == after, version), (true, 1));
}

#[test]
fn a_server_that_claims_any_version_is_believed_no_more_than_the_snapshot_has() {
    let ([_, after], version) = planned(64);
    let (forge, _) = hiding(0);
    let newest = forge.next().version(&role("snapshot"));
    assert!(after.contains(&"begins-anew") && version == newest + 1, "{version}, {newest}");
}
