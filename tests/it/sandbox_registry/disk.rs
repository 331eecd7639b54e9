//! A registry in a directory: what it has answered for is there after a restart, and what it has not is gone.
use super::{
    images::{LAYER, OCI, accepting, image, of_kind, push_image, sha256},
    peer::Peer,
};
use claviger::sandbox::{Registry, registry::limits::ROOM};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn open(path: &Path) -> Registry {
    Registry::on_disk(path, ROOM).unwrap()
}

/// All files below a directory.
fn files(path: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(path).unwrap().map(|e| e.unwrap().path()) {
        match entry.is_dir() {
            true => found.extend(files(&entry)),
            false => found.extend([entry]),
        }
    }
    found
}

/// Everything that a client can see of a repository with the tags `1` and `2`.
fn seen(registry: &Registry) -> Vec<(u16, String, String)> {
    let none = vec![];
    ["/v2/_catalog", "/v2/shop/docs/tags/list", "/v2/shop/docs/manifests/1", "/v2/shop/docs/manifests/2"]
        .into_iter()
        .map(str::to_owned)
        .chain([LAYER, "other"].map(|l| format!("/v2/shop/docs/blobs/{}", sha256(l))))
        .map(|target| {
            let headers = if target.contains("/manifests/") { &accepting(OCI) } else { &none };
            let answer = registry.ask("GET", &target, headers, b"");
            (answer.status, answer.header("docker-content-digest").unwrap_or_default().to_owned(), answer.text())
        })
        .collect()
}

#[test]
fn what_was_pushed_is_there_after_a_restart_and_what_was_deleted_is_not() {
    let home = tempfile::tempdir().unwrap();
    let place = home.path().join("a/registry");
    let registry = open(&place);
    for (tag, layer) in [("1", LAYER), ("2", "other"), ("3", "third")] {
        assert_eq!(push_image(&registry, "shop/docs", tag, layer).status, 201);
    }
    let third = sha256(image(OCI, &["third"]));
    let begun = registry.ask("POST", "/v2/shop/docs/blobs/uploads/", &vec![], b"");
    for target in [format!("/v2/shop/docs/manifests/{third}"), format!("/v2/shop/docs/blobs/{}", sha256("third"))] {
        assert_eq!(registry.ask("DELETE", &target, &vec![], b"").status, 202);
    }
    let before = seen(&registry);
    assert!(before.iter().all(|(status, ..)| *status == 200), "{before:?}");
    assert!(!files(&place).iter().any(|f| f.ends_with(third.trim_start_matches("sha256:"))));
    drop(registry);

    let registry = open(&place);
    assert_eq!(seen(&registry), before);
    assert_eq!(registry.ask("GET", &format!("/v2/shop/docs/blobs/{}", sha256("third")), &vec![], b"").status, 404);
    // Uploads end with their registry, and clients begin again.
    let gone = registry.ask("GET", begun.header("location").unwrap(), &vec![], b"");
    assert_eq!((gone.status, &*gone.code()), (404, "BLOB_UPLOAD_UNKNOWN"));
    // A tag that moves is one thing or the other.
    let moved = registry.ask("PUT", "/v2/shop/docs/manifests/1", &of_kind(OCI), image(OCI, &["other"]).as_bytes());
    assert_eq!(moved.status, 201);
    drop(registry);
    assert_eq!(seen(&open(&place))[2].1, sha256(image(OCI, &["other"])));
}

#[test]
fn what_an_interruption_leaves_is_taken_away_and_what_a_disk_has_spoilt_is_not_served() {
    let home = tempfile::tempdir().unwrap();
    let registry = open(home.path());
    assert_eq!(push_image(&registry, "shop/docs", "1", LAYER).status, 201);
    assert_eq!(push_image(&registry, "shop/docs", "2", "other").status, 201);
    let before = seen(&registry);
    let whole = files(home.path());
    drop(registry);

    let digits = |text: &str| sha256(text).trim_start_matches("sha256:").to_owned();
    // Content that nothing refers to yet, a file that was being written, and references to what never came.
    fs::write(home.path().join("blobs").join(digits("lost")), "lost").unwrap();
    fs::write(home.path().join("temporary/1"), "half").unwrap();
    let repository = home.path().join("repositories/shop+docs");
    fs::write(repository.join("blobs").join(digits("never")), "").unwrap();
    fs::write(repository.join("manifests").join(digits("never")), OCI).unwrap();
    fs::write(repository.join("tags/never"), sha256("never")).unwrap();
    fs::write(repository.join("tags/torn"), "sha2").unwrap();
    let registry = open(home.path());
    assert_eq!(seen(&registry), before);
    let left: Vec<_> = files(home.path()).difference(&whole).cloned().collect();
    assert!(left.iter().all(|f| f.starts_with(&repository)), "{left:?}");
    drop(registry);

    fs::write(home.path().join("blobs").join(digits(LAYER)), "LAYER").unwrap();
    let registry = open(home.path());
    let layer = format!("/v2/shop/docs/blobs/{}", sha256(LAYER));
    assert_eq!(registry.ask("GET", &layer, &vec![], b"").status, 404);
    assert_eq!(registry.push("shop/docs", &sha256(LAYER), LAYER.as_bytes()).status, 201);
    assert_eq!(seen(&registry), before);
}

#[test]
fn a_spoilt_file_does_not_stop_a_registry_and_is_named() {
    let home = tempfile::tempdir().unwrap();
    let registry = open(home.path());
    for (name, tag) in [("shop/docs", "1"), ("shop/docs", "2"), ("shop/other", "1"), ("shop/third", "1")] {
        assert_eq!(push_image(&registry, name, tag, tag).status, 201);
    }
    assert!(registry.spoilt().is_empty());
    drop(registry);
    let repository = |name: &str| home.path().join("repositories").join(name);
    let digits = sha256(image(OCI, &["1"])).trim_start_matches("sha256:").to_owned();
    let (tag, manifest) = (repository("shop+docs").join("tags/2"), repository("shop+other").join("manifests").join(digits));
    fs::write(&tag, [0xff, 0xfe]).unwrap();
    fs::write(&manifest, [0xff, 0xfe]).unwrap();
    let tags = repository("shop+third").join("tags");
    fs::remove_dir_all(&tags).unwrap();
    fs::write(&tags, "").unwrap();
    let content = home.path().join("blobs").join("0".repeat(64));
    fs::create_dir(&content).unwrap();
    // One who opens a pipe waits until somebody writes into it.
    let pipe = home.path().join("blobs").join("1".repeat(64));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (rubbish, no_name) = (home.path().join("blobs/rubbish"), repository("UPPER"));
    fs::write(&rubbish, "").unwrap();
    fs::create_dir(&no_name).unwrap();

    let registry = open(home.path());
    let mut named: Vec<_> = registry.spoilt().into_iter().map(|(file, _)| file).collect();
    named.sort();
    let mut wanted = [content, tag.clone(), manifest, tags, pipe, rubbish, no_name];
    wanted.sort();
    assert_eq!(named, wanted);
    let status = |name: &str, tag: &str| registry.ask("GET", &format!("/v2/{name}/manifests/{tag}"), &accepting(OCI), b"").status;
    assert_eq!([status("shop/docs", "1"), status("shop/docs", "2"), status("shop/other", "1")], [200, 404, 404]);
    // What was left out can be pushed again.
    assert_eq!(push_image(&registry, "shop/docs", "2", "2").status, 201);
    assert_eq!(status("shop/docs", "2"), 200);
    drop(registry);
    assert!(!open(home.path()).spoilt().iter().any(|(file, _)| *file == tag));
}

#[test]
fn two_registries_do_not_share_a_directory() {
    let home = tempfile::tempdir().unwrap();
    let registry = open(home.path());
    let refused = Registry::on_disk(home.path(), ROOM).err().unwrap();
    assert!(refused.to_string().contains("another registry uses it"), "{refused}");
    drop(registry);
    open(home.path());
}

#[test]
fn a_disk_that_does_not_take_it_is_said_and_nothing_is_half_there() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    let registry = open(home.path());
    assert_eq!(push_image(&registry, "shop/docs", "1", LAYER).status, 201);
    assert_eq!(push_image(&registry, "shop/docs", "2", "other").status, 201);
    let before = seen(&registry);
    // Not by permissions, which root does not feel: there is something else where files are written.
    let temporary = home.path().join("temporary");
    fs::remove_dir(&temporary).unwrap();
    fs::write(&temporary, "").unwrap();
    fs::set_permissions(&temporary, fs::Permissions::from_mode(0o600)).unwrap();
    let refused = registry.push("shop/docs", &sha256("more"), b"more");
    assert_eq!((refused.status, refused.text().contains("nothing was stored")), (500, true), "{}", refused.text());
    let refused = registry.ask("PUT", "/v2/shop/docs/manifests/1", &of_kind(OCI), image(OCI, &["other"]).as_bytes());
    assert_eq!(refused.status, 500);
    assert_eq!(seen(&registry), before);
    fs::remove_file(&temporary).unwrap();
    fs::create_dir(&temporary).unwrap();
    assert_eq!(registry.push("shop/docs", &sha256("more"), b"more").status, 201);
}
