//! Token authentication for the sandbox's servers (protocol 11): an [`Issuer`] that gives tokens to people it knows, and a
//! [`Gate`] that stands before a server and lets in whoever shows one. Both are plain functions, as the servers are.
//!
//! The tokens are those of docker's registry: JSON web tokens signed with ECDSA on P-256, with the issuer's certificate in
//! them. The real `notary-server` and `docker-registry` accept them when they are told the issuer's name and certificate.
mod gate;
mod issuer;
mod jwt;
mod rights;

pub use gate::{Gate, guarded, notary_access};
pub use issuer::{Issuer, IssuerError};
pub use rights::{Access, Person, Rights};
