//! Everything that needs the whole program, its peers or its files. One binary, one module a subject.
mod memory;
mod published;
mod sandbox_isolation;
mod sandbox_peers;
mod sandbox_server;
mod sandbox_support;
mod sandbox_world;
mod transport;
