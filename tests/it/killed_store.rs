//! A power cut at any moment of the work on a whole store: keys of old layouts that move, keys that are encrypted anew, permissions
//! that are mended. No key is lost or half written, `notary` lists the keys, and the next run does the rest.
use crate::killed::{CALLS, Desk, Doomed, OLD, kill_everywhere, only_whole_keys};
use claviger::{
    keys::{self, Iterations, KeyRole, NewKey, pem_file},
    secret::Passphrase,
    trust_dir::TrustDir,
};
use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

const GUN: &str = "a.example/b";

/// Every `.key` file below a directory.
pub fn key_files(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(below).into_iter().flatten().flatten() {
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(key_files(&entry.path())),
            false if entry.path().extension().is_some_and(|e| e == "key") => found.push(entry.path()),
            false => {}
        }
    }
    found
}

/// A root key whose role only its directory names, and a targets key; by ID, what is encrypted in each file.
pub fn old_layout(desk: &Desk) -> BTreeMap<String, Vec<u8>> {
    let passphrase = Passphrase::from(OLD.to_owned());
    let mut all = BTreeMap::new();
    for (role, place) in [("root", "root_keys/ID.key".to_owned()), ("targets", format!("tuf_keys/{GUN}/ID_targets.key"))] {
        let (key, labelled) = (keys::generate(NewKey::EcdsaP256).unwrap(), KeyRole::parse(role).unwrap());
        let bytes = keys::encode(&labelled, None, &key, &passphrase, Iterations::worthless(), &|| false).unwrap();
        let pem = pem_file::parse(&bytes).unwrap();
        let path = desk.path("trust/private").join(place.replace("ID", &key.id().hex()));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        // As before 0.4: nothing in the file says what it is for.
        fs::write(&path, pem_file::write(&pem.label, &[], &pem.der).as_bytes()).unwrap();
        all.insert(key.id().hex(), pem.der.to_vec());
    }
    for directory in ["trust", "trust/private", "trust/private/root_keys", "trust/private/tuf_keys"] {
        fs::set_permissions(desk.path(directory), PermissionsExt::from_mode(0o700)).unwrap();
    }
    all
}

#[test]
fn keys_of_an_old_layout_are_whole_at_one_place_at_least_and_the_next_run_moves_the_rest() {
    let desk = Desk::new();
    let keys = old_layout(&desk);
    let ids: Vec<&String> = keys.keys().collect();
    let whole = |desk: &Desk, when: &str| {
        let mut whole: Vec<String> = Vec::new();
        for path in key_files(&desk.path("trust")) {
            let read = pem_file::parse(&fs::read(&path).unwrap()).unwrap_or_else(|e| panic!("{when}: {path:?}: {e}"));
            let (id, _) = keys.iter().find(|(_, der)| **der == *read.der).unwrap_or_else(|| panic!("{when}: {path:?} is no key"));
            assert!(path.file_name().unwrap().to_str().unwrap().starts_with(id.as_str()), "{when}: {path:?}");
            whole.push(id.clone());
        }
        whole.sort();
        whole.dedup();
        assert_eq!(whole.iter().collect::<Vec<_>>(), ids, "{when}: what is left");
        // Notary moves what it finds, so it works on a copy; whatever it finds, it lists every key and loses none.
        let theirs = Desk { folder: tempfile::tempdir().unwrap() };
        Desk::copy(desk.folder.path(), theirs.folder.path());
        let mut listed = theirs.notary_lists();
        listed.sort();
        assert_eq!(listed.iter().collect::<Vec<_>>(), ids, "{when}: what notary lists");
    };
    let done = |desk: &Desk| {
        let mut files: Vec<String> = desk.files("private").into_keys().collect();
        files.sort();
        let shown = desk.done(&["key", "list", "--json"]);
        files == ids.iter().map(|id| format!("{id}.key")).collect::<Vec<_>>()
            && shown.contains("\"role\": \"root\"")
            && shown.contains(&format!("\"gun\": \"{GUN}\""))
    };
    // What was copied before stays; what is new needs a copy of its own, which has a name of its own.
    let arguments = ["key", "migrate"];
    let killed = kill_everywhere(&desk, &Doomed { calls: &CALLS, arguments: &arguments, again: &[], whole: &whole, done: &done });
    println!("killed {killed} times");
    assert!(killed > 60, "{killed}");
}

#[test]
fn a_key_that_is_encrypted_anew_is_whole_at_every_moment_and_the_next_run_does_the_rest() {
    let desk = Desk::new();
    let passphrase = Passphrase::from(OLD.to_owned());
    for name in ["alice", "bob"] {
        let (key, role) = (keys::generate(NewKey::EcdsaP256).unwrap(), KeyRole::parse(name).unwrap());
        let dir = TrustDir::new(desk.path("trust"));
        keys::store(&dir, &role, None, &key, &passphrase, Iterations::worthless()).unwrap();
    }
    let ids = only_whole_keys(&desk, "before");
    let command = ["key", "strengthen", "--passphrase-file", "old"];
    let weak = |desk: &Desk| desk.files("private").into_values().filter(|b| keys::rounds(b) < Some(600_000)).count();
    assert_eq!(weak(&desk), 2);
    let whole = |desk: &Desk, when: &str| {
        assert_eq!(only_whole_keys(desk, when), ids, "{when}");
        ids.iter().for_each(|id| assert!(desk.opens(id, "old"), "{when}: {id}"));
    };
    let done = |desk: &Desk| weak(desk) == 0;
    let again = ["--passphrase-file", "old"];
    let killed =
        kill_everywhere(&desk, &Doomed { calls: &CALLS, arguments: &command, again: &again, whole: &whole, done: &done });
    println!("killed {killed} times");
    assert!(killed > 20, "{killed}");
}

#[test]
fn mending_permissions_opens_nothing_further_at_any_moment_and_the_next_run_does_the_rest() {
    let desk = Desk::new();
    desk.done(&["key", "generate", "alice", "--passphrase-file", "old"]);
    let before = desk.files("private");
    let (path, private) = (|d: &Desk| key_files(&d.path("trust")).remove(0), "trust/private");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let set = |path: &Path, mode| fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    set(&path(&desk), 0o644);
    set(&desk.path(private), 0o755);
    let whole = |desk: &Desk, when: &str| {
        assert_eq!(desk.files("private"), before, "{when}");
        assert!([0o644, 0o600].contains(&mode(&path(desk))) && [0o755, 0o700].contains(&mode(&desk.path(private))), "{when}");
        assert_eq!(desk.notary_lists().len(), 1, "{when}");
    };
    let done = |desk: &Desk| mode(&path(desk)) == 0o600 && mode(&desk.path(private)) == 0o700;
    let killed =
        kill_everywhere(&desk, &Doomed { calls: &CALLS, arguments: &["key", "mend"], again: &[], whole: &whole, done: &done });
    println!("killed {killed} times");
    assert!(killed > 5, "{killed}");
}
