//! What the border to the world promises, against servers that break every rule.
use crate::memory::Memory;
use claviger::{
    notary::{Transport, TransportError},
    tuf::{
        name::{Gun, RoleName},
        request::{Request, Which},
    },
};

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
