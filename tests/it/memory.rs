//! A Notary server that is a table: what tests put in is what they get.
use claviger::{
    notary::{ChangeRecord, Transport, TransportError},
    text::Untrusted,
    tuf::{
        name::{Gun, RoleName},
        request::{Request, Which},
    },
};
use futures_util::{FutureExt as _, future::BoxFuture};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

type Answer = Result<Vec<u8>, TransportError>;

/// Files by GUN and file name (`root.json`, `2.root.json`, `targets/a.<sha256>.json`), and what was asked for.
#[derive(Default)]
pub struct Memory {
    files: Mutex<HashMap<(String, String), Answer>>,
    asked: Mutex<Vec<String>>,
    address: Untrusted,
}

impl Memory {
    /// An empty server.
    pub fn new() -> Self {
        Self { address: Untrusted::new("memory:"), ..Self::default() }
    }

    /// Answers `file` of `gun` with these bytes from now on.
    pub fn put(&self, gun: &Gun, file: &str, bytes: impl Into<Vec<u8>>) {
        self.answer(gun, file, Ok(bytes.into()));
    }

    /// Answers `file` of `gun` with this from now on.
    pub fn answer(&self, gun: &Gun, file: &str, answer: Answer) {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.insert((gun.to_string(), file.to_owned()), answer);
    }

    /// The file names that were asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Transport for Memory {
    fn get<'a>(&'a self, gun: &'a Gun, request: &'a Request) -> BoxFuture<'a, Result<Vec<u8>, TransportError>> {
        async move {
            let name = request.file_name();
            self.asked.lock().unwrap_or_else(PoisonError::into_inner).push(name.clone());
            let files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
            match files.get(&(gun.to_string(), name)) {
                None => Err(TransportError::NotThere { code: Some(Untrusted::new("METADATA_NOT_FOUND")), message: None }),
                Some(Ok(b)) if b.len() as u64 > request.limit => Err(TransportError::TooLarge { limit: request.limit }),
                Some(answer) => answer.clone(),
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

#[tokio::test]
async fn a_transport_can_be_a_table_in_memory() {
    let memory = Memory::new();
    let gun = Gun::new("docker.io/library/alpine").unwrap();
    memory.put(&gun, "root.json", *b"root");
    let server: &dyn Transport = &memory;
    let mut request = Request { role: RoleName::new("root").unwrap(), which: Which::Current, limit: 4 };
    assert_eq!(server.get(&gun, &request).await.unwrap(), b"root");
    request.limit = 3;
    assert_eq!(server.get(&gun, &request).await, Err(TransportError::TooLarge { limit: 3 }));
    request.which = Which::Version(2);
    assert!(matches!(server.get(&gun, &request).await, Err(TransportError::NotThere { .. })));
    assert_eq!(memory.asked(), ["root.json", "root.json", "2.root.json"]);
}
