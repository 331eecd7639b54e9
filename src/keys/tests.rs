//! What several of these tests need.
mod faults;
mod formats;
mod storing;

use super::{problem::code, *};
use crate::{
    finding::Severity,
    secret::Passphrase,
    text::Untrusted,
    trust_dir::TrustDir,
    tuf::{
        key::Algorithm,
        material::{Message, Method},
        name::{BaseRole, Gun, KeyId},
    },
};
use std::{
    collections::BTreeSet,
    fs,
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, symlink},
    },
    path::{Path, PathBuf},
};

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures");

fn pass(s: &str) -> Passphrase {
    Passphrase::new(s.as_bytes().to_vec())
}
fn signer(name: &str) -> KeyRole {
    KeyRole::parse(name).unwrap()
}
fn gun() -> Gun {
    Gun::new("lab.example/gold/app").unwrap()
}
fn pem(name: &str) -> Vec<u8> {
    fs::read(Path::new(FIXTURES).join("pem").join(name)).unwrap()
}
fn open(bytes: &[u8], p: Option<&str>) -> Result<PrivateKey, KeyError> {
    decode(bytes, p.map(pass).as_ref(), &|| false).map(|d| d.key)
}

/// A trust directory with one good key, and room for a bad file.
struct Desk {
    _tmp: tempfile::TempDir,
    dir: TrustDir,
    id: KeyId,
}

impl Desk {
    fn new() -> Self {
        let tmp = tempfile::tempdir().unwrap();
        let dir = TrustDir::new(tmp.path().join("trust"));
        let key = generate(NewKey::EcdsaP256).unwrap();
        store(&dir, &signer("jeff"), None, &key, &pass("gold"), Iterations::worthless()).unwrap();
        Self { _tmp: tmp, dir, id: key.id() }
    }
    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.dir.private().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, bytes).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }
    /// The codes of the file's entry; the good key must still be listed, unharmed.
    fn codes(&self, path: &Path) -> BTreeSet<&'static str> {
        let listing = list(&self.dir);
        let good = listing.entries.iter().find(|e| e.path == self.dir.key_path(self.id)).expect("the good key is listed");
        assert!(good.problems.iter().all(|p| p.severity == Severity::Info || p.code == code::DUPLICATE), "{good:?}");
        let entry = listing.entries.iter().find(|e| e.path == path).unwrap_or_else(|| panic!("{path:?} was silently dropped"));
        for p in &entry.problems {
            assert!(p.text.chars().all(crate::text::is_plain), "{p:?}");
        }
        assert!(entry.problems.is_sorted_by_key(|p| std::cmp::Reverse(p.severity)));
        entry.problems.iter().map(|p| p.code).collect()
    }
}

fn hex(n: u8) -> String {
    KeyId::from_digest([n; 32]).hex()
}

/// What remains after the codes that every unencrypted openssl key without headers has.
fn of_pem(name: &str) -> BTreeSet<&'static str> {
    inspect(&pem(name)).problems.iter().map(|p| p.code).collect()
}
