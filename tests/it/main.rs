//! Everything that needs the whole program, its peers or its files. One binary, one module a subject.
#![cfg(all(feature = "network", feature = "sandbox"))]
mod attacks;
mod fixture_keys;
mod forge;
mod loopback;
mod memory;
mod published;
mod transport;
mod transport_tls;
