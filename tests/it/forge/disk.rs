//! The same client with a real trust directory as its cache, and the same server behind the border to the world.
use super::{
    repo::Files,
    served::{Client, Served},
};
use claviger::{
    notary::{Answer, ChangeRecord, Transport, TransportError},
    repository::{LoadError, Loaded, Mode, Repositories, Servers},
    text::Untrusted,
    trust_dir::TrustDir,
    tuf::{Refusal, name::Gun, pinning::Pinning, request::Request, update::Reply},
};
use futures_util::FutureExt as _;
use std::{
    collections::BTreeMap,
    fs,
    os::unix::ffi::OsStringExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

/// What else happens when a server is asked.
pub type Meanwhile = Box<dyn Fn(&Request) + Send + Sync>;

/// A server that lies through a [`Transport`].
struct Liar {
    served: Mutex<Served>,
    meanwhile: Meanwhile,
    address: Untrusted,
}

/// Reads from a server that lies into a trust directory. `meanwhile` happens before each of its answers.
pub fn repositories(dir: &TrustDir, served: &Served, pinning: Pinning, meanwhile: Meanwhile) -> Repositories {
    let liar = Liar { served: Mutex::new(served.clone()), meanwhile, address: Untrusted::new("liar:") };
    Repositories::new(Servers::fixed(Arc::new(liar)), dir.clone(), pinning, true)
}

/// Stores files as a cache.
pub fn remember(dir: &TrustDir, gun: &Gun, files: &Files) {
    for (role, bytes) in files {
        let path = dir.metadata_path(gun, role);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

/// Runs something to its end, on one thread and those for work that takes long.
pub fn wait_for<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

impl Transport for Liar {
    fn get<'a>(&'a self, _: &'a Gun, request: &'a Request) -> Answer<'a, Vec<u8>> {
        async move {
            (self.meanwhile)(request);
            match self.served.lock().unwrap().reply(request) {
                Reply::Bytes(b) if b.len() as u64 > request.limit => Err(TransportError::TooLarge { limit: request.limit }),
                Reply::Bytes(b) => Ok(b),
                Reply::TooLong => Err(TransportError::TooLarge { limit: request.limit }),
                Reply::NotThere => Err(TransportError::NotThere { code: None, message: None }),
            }
        }
        .boxed()
    }
    fn change_feed<'a>(&'a self, _: Option<&'a Gun>, _: Option<&'a str>, _: i32) -> Answer<'a, Vec<ChangeRecord>> {
        async { Ok(Vec::new()) }.boxed()
    }
    fn ping(&self) -> Answer<'_, ()> {
        async { Ok(()) }.boxed()
    }
    crate::reads_only::reads_only!();
    fn address(&self) -> &Untrusted {
        &self.address
    }
}

/// All files below a directory, by their path in it.
pub fn tree(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut waiting = vec![dir.to_owned()];
    while let Some(dir) = waiting.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten() {
            let path = entry.unwrap().path();
            match fs::symlink_metadata(&path).unwrap().file_type() {
                t if t.is_dir() => waiting.push(path),
                t if t.is_file() => drop(all.insert(path.clone(), fs::read(path).unwrap())),
                // A link by where it leads; a pipe by nothing.
                _ => drop(all.insert(path.clone(), fs::read_link(path).unwrap_or_default().into_os_string().into_vec())),
            }
        }
    }
    all
}

impl Client {
    /// One update over a trust directory. Whatever comes of it, the cache must be what it should be afterwards: after a
    /// refusal every byte as before, after a success the verified files, and a refused delegation's file as before.
    pub fn load(&self, served: &Served) -> Result<Loaded, Refusal> {
        let home = tempfile::tempdir().unwrap();
        let dir = TrustDir::new(home.path());
        remember(&dir, &self.gun, &self.cache);
        let before = tree(&dir.tuf());
        let repositories = repositories(&dir, served, self.pinning.clone(), Box::new(|_| {}));
        let result = wait_for(repositories.load(&self.gun, self.now, Mode::Usual, &|_| {}));
        let after = tree(&dir.tuf());
        match result {
            Err(e) => {
                assert!(before == after, "the update was refused ({e}), but the cache has changed");
                Err(match e {
                    LoadError::Refused(refusal) | LoadError::RememberedRoot { refusal, .. } => refusal,
                    LoadError::NotThere(_) => Refusal::Missing { role: super::role("root") },
                    other => panic!("not a refusal: {other}"),
                })
            }
            Ok(loaded) => {
                assert!(loaded.not_kept.is_none(), "{:?}", loaded.not_kept);
                self.assert_kept(&dir, served, &loaded, &before, &after);
                Ok(loaded)
            }
        }
    }

    fn assert_kept(
        &self,
        dir: &TrustDir,
        served: &Served,
        loaded: &Loaded,
        before: &BTreeMap<PathBuf, Vec<u8>>,
        after: &BTreeMap<PathBuf, Vec<u8>>,
    ) {
        let mut expected = before.clone();
        let verified = loaded.collection.roles().iter().filter(|r| r.verified().is_some()).map(|r| r.name.clone());
        let names: Vec<_> = ["root", "snapshot", "timestamp"].map(super::role).into_iter().chain(verified).collect();
        for name in names {
            expected.insert(dir.metadata_path(&self.gun, &name), served.files[&name].clone());
        }
        for (path, bytes) in after {
            assert!(expected.get(path) == Some(bytes), "{} is not what it should be", path.display());
        }
        assert_eq!(expected.len(), after.len());
    }
}
