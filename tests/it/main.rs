//! Everything that needs the whole program, its peers or its files. One binary, one module a subject.
mod architecture;
mod dependencies;
mod memory;
mod peers;
mod published;
mod transport;
