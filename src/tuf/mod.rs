//! What metadata *is*: names, keys, canonical form, signatures, roles, verification. Pure: no I/O and no clock; bytes
//! and times come in as arguments.
//!
//! Numbers such as "4.3" in these pages refer to sections of the Notary v1 protocol as described in
//! `docs/protocol.md`.
pub mod envelope;
mod fields;
pub mod file_meta;
pub mod json;
pub mod key;
pub mod limits;
pub mod listing;
pub mod material;
pub mod name;
pub mod paths;
pub mod request;
pub mod role_keys;
pub mod root;
pub mod targets;
pub mod x509;

pub use fields::Malformed;
