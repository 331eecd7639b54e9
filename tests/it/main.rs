//! Everything that needs the whole program, its peers or its files. One binary, one module a subject.
mod fixture_keys;
mod memory;
mod published;
mod transport;
