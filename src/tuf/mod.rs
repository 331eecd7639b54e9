//! What metadata *is*: names, keys, canonical form, signatures, roles, verification. Pure: no I/O and no clock; bytes
//! and times come in as arguments.
//!
//! Numbers such as "4.3" in these pages refer to sections of the Notary v1 protocol as described in
//! `docs/protocol.md`.
pub mod json;
pub mod key;
pub mod limits;
pub mod material;
pub mod name;
pub mod request;
pub mod x509;
