//! A role that does not verify, whatever the reason, is not taken for one that says nothing.
use crate::forge::{
    Forge, Served,
    disk::{repositories, wait_for},
    role,
};
use claviger::{
    finding::Severity,
    repository::change::{Basis, Plan},
    trust_dir::TrustDir,
    tuf::{change::Change, draft::DraftError, file_meta::FileMeta, pinning::Pinning},
};

/// A repository in which `targets/a` cannot be read.
fn basis() -> Basis {
    let forge = Forge::good();
    let mut files = forge.publish();
    files.insert(role("targets/a"), b"{}".to_vec());
    forge.vouch(&mut files);
    let dir = tempfile::tempdir().unwrap();
    let all = repositories(&TrustDir::new(dir.path()), &Served::new(files), Pinning::default(), Box::new(|_| {}));
    wait_for(all.basis(&forge.gun, &[], crate::forge::now(), &|_| {})).unwrap()
}

#[test]
fn taking_a_tag_back_from_a_role_that_cannot_be_read_is_not_called_done() {
    let unsign = [Change::Unsign { role: role("targets/a"), name: "tag-of-targets-a".into() }];
    let refused = Plan::new(&basis(), &unsign, &unsign).map(|plan| plan.is_some());
    assert!(matches!(&refused, Err(DraftError::Refused { role, .. }) if role.as_str() == "targets/a"), "{refused:?}");
}

#[test]
fn whoever_takes_a_tag_back_reads_which_roles_may_bring_it_back() {
    let basis = basis();
    let said = |changes: &[Change]| {
        let plan = Plan::new(&basis, changes, changes).unwrap().unwrap();
        let found = plan.findings.iter().find(|f| f.code == "role-refused").map(|f| (f.severity, f.text.clone()));
        found.unwrap_or_else(|| panic!("{:?}", plan.findings))
    };
    let (severity, text) = said(&[Change::Unsign { role: role("targets/c"), name: "tag-of-targets-c".into() }]);
    assert!(severity == Severity::Error && text.contains("targets/a does not verify"), "{text}");
    let meta = FileMeta::from_sha256(7, [7; 32]);
    assert_eq!(said(&[Change::Sign { role: role("targets/c"), name: "new".into(), meta }]).0, Severity::Warn);
}
