//! Everything that needs the whole program, its peers or its files. One binary, one module a subject.
#![cfg(all(feature = "network", feature = "sandbox"))]
mod architecture;
mod attack_index;
mod attacks;
mod dependencies;
mod fixture_keys;
mod forge;
mod fuzz_corpus;
mod loopback;
mod memory;
mod peers;
mod published;
mod robot;
mod sandbox_isolation;
mod sandbox_peers;
mod sandbox_server;
mod sandbox_support;
mod sandbox_world;
mod screen_acts;
mod screen_background;
mod screen_pictures;
mod screen_safe;
mod screen_world;
mod transport;
mod transport_tls;
