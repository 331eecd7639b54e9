//! What metadata *is*: names, keys, canonical form, signatures, roles, verification. Pure: no I/O and no clock; bytes
//! and times come in as arguments.
//!
//! From bytes to trust: [`envelope::Document`] is a parsed file of which nothing is known; [`verified::Verified`] one that
//! enough keys signed; [`collection::TrustedCollection`] a whole repository that [`update::Update`] followed from a
//! trusted root. Only this module can make the last two.
//!
//! Numbers such as "4.3" in these pages refer to sections of the Notary v1 protocol as described in
//! `docs/protocol.md`.
pub mod chain;
pub mod change;
pub mod collection;
pub mod draft;
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
pub mod pinning;
pub mod publication;
pub mod refusal;
pub mod request;
pub mod role_keys;
pub mod root;
pub mod root_trust;
pub mod sign;
pub mod staged;
pub mod targets;
pub mod update;
pub mod verified;
pub mod x509;

pub use fields::Malformed;
pub use refusal::Refusal;
