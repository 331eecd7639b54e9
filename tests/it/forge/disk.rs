//! The same client with a real trust directory as its cache, and the same server behind the border to the world.
use super::served::{Client, Served};
use claviger::{
    notary::{ChangeRecord, Transport, TransportError},
    repository::{LoadError, Loaded, Mode, Repositories, Servers},
    text::Untrusted,
    trust_dir::TrustDir,
    tuf::{Refusal, name::Gun, request::Request, update::Reply},
};
use futures_util::{FutureExt as _, future::BoxFuture};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

/// A server that lies through a [`Transport`].
struct Liar {
    served: Mutex<Served>,
    address: Untrusted,
}

impl Transport for Liar {
    fn get<'a>(&'a self, _: &'a Gun, request: &'a Request) -> BoxFuture<'a, Result<Vec<u8>, TransportError>> {
        async move {
            match self.served.lock().unwrap().reply(request) {
                Reply::Bytes(b) if b.len() as u64 > request.limit => Err(TransportError::TooLarge { limit: request.limit }),
                Reply::Bytes(b) => Ok(b),
                Reply::TooLong => Err(TransportError::TooLarge { limit: request.limit }),
                Reply::NotThere => Err(TransportError::NotThere { code: None, message: None }),
            }
        }
        .boxed()
    }
    fn change_feed<'a>(
        &'a self,
        _: Option<&'a Gun>,
        _: Option<&'a str>,
        _: i32,
    ) -> BoxFuture<'a, Result<Vec<ChangeRecord>, TransportError>> {
        async { Ok(Vec::new()) }.boxed()
    }
    fn ping(&self) -> BoxFuture<'_, Result<(), TransportError>> {
        async { Ok(()) }.boxed()
    }
    fn address(&self) -> &Untrusted {
        &self.address
    }
}

/// All files below a directory, by their path in it.
fn tree(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    let mut waiting = vec![dir.to_owned()];
    while let Some(dir) = waiting.pop() {
        for entry in fs::read_dir(&dir).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() { waiting.push(path) } else { drop(all.insert(path.clone(), fs::read(path).unwrap())) }
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
        for (role, bytes) in &self.cache {
            let path = dir.metadata_path(&self.gun, role);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let before = tree(&dir.tuf());
        let liar = Liar { served: Mutex::new(served.clone()), address: Untrusted::new("liar:") };
        let repositories = Repositories::new(Servers::fixed(Arc::new(liar)), dir.clone(), self.pinning.clone(), true);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let result = runtime.block_on(repositories.load(&self.gun, self.now, Mode::Usual, &|_| {}));
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
