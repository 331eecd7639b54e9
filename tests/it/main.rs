//! Everything that needs the whole program, its peers or its files. One binary, one module a subject.
#[cfg(feature = "network")]
mod loopback;
mod memory;
mod published;
#[cfg(feature = "network")]
mod transport;
#[cfg(all(feature = "network", feature = "sandbox"))]
mod transport_tls;
