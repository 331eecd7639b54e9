//! Makes repositories as their owners would, and as someone would who stole some of their keys: any key, certificate,
//! payload and signature, any damage, and a server that answers as it likes.
pub mod cert;
pub mod edit;
pub mod key;
pub mod repo;
pub mod served;

pub use cert::{Cert, bundle};
pub use edit::{envelope, json, message, replace, reseal, seal, signed_text, with_signatures};
pub use key::Key;
pub use repo::{Files, Forge, GUN, Holder, VERSION, key_of, now, role};
pub use served::{Client, Served};
