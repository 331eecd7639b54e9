//! Everything that needs the whole program, its peers or its files. One binary, one module a subject.
mod memory;
mod published;
mod sandbox_world;
mod transport;
