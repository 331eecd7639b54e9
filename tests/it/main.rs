//! Everything that needs the whole program, its peers or its files. One binary, one module a subject.
mod attacks;
mod forge;
mod memory;
mod published;
mod transport;
