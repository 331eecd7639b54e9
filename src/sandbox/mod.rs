//! A world to practise on: a Notary server and a registry as plain functions, and repositories and keys to look at.
//!
//! [`Server`] answers reading requests byte for byte as the real notary-server does (protocol 10); [`InProcess`] puts it
//! behind the [`crate::notary::Transport`] that the rest of the program uses, without a socket; `Shell` (with the feature
//! `network`) puts it behind HTTP and TLS on the loopback interface, where `notary` and `docker trust` can join in.
//! [`Sandbox`] is a server with a seeded world and a trust directory of its own. [`Registry`] keeps images, for a shell too.
//!
//! Nothing here opens anything of the user's: no trust directory but the sandbox's own, no docker configuration, no
//! credential helper, no smart card service.
mod answer;
#[cfg(feature = "network")]
mod authority;
mod call;
mod disk;
mod feed;
#[cfg(feature = "network")]
mod http;
#[cfg(feature = "network")]
mod join;
mod keys;
mod multipart;
mod publish;
mod refused;
pub mod registry;
mod route;
mod server;
#[cfg(feature = "network")]
mod serving;
mod state;
mod store;
mod token;
mod tour;
mod transport;
mod world;

pub use answer::Response;
#[cfg(feature = "network")]
pub use authority::Authority;
pub use call::{Call, Guard, Service};
pub use disk::DiskError;
#[cfg(feature = "network")]
pub use http::{Shell, ShellError};
#[cfg(feature = "network")]
pub use join::{Invitation, InvitedRegistry};
pub use keys::ServerKeys;
pub use registry::Registry;
pub use server::{Clock, Room, Server};
#[cfg(feature = "network")]
pub use serving::{ACCOUNTS, Serving, ServingError};
pub use store::{Published, Repository};
pub use token::{Access, Gate, Issuer, IssuerError, Person, Rights, guarded, notary_access};
pub use transport::InProcess;
pub use world::{HOST, PASSPHRASE, Sandbox, SandboxError};
