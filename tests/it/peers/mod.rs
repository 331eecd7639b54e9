//! The old programs themselves: `notary`, `notary-server`, `notary-signer` and `docker trust`, started and driven by the
//! tests. None of these tests can be left out: a program that is missing fails with the command that brings it.

mod both_ways;
mod cases;
mod comparison;
pub mod desk;
mod every_store;
pub mod filled;
mod generated_keys;
pub mod listing;
mod pkcs12;
pub mod pki;
mod postgres;
mod process;
pub mod program;
pub mod server;
mod silent_failures;
