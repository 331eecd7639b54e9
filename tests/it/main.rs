//! Everything that needs the whole program, its peers or its files. One binary, one module a subject.
#![cfg(all(feature = "network", feature = "sandbox"))]
mod architecture;
mod attacks;
mod dependencies;
mod forge;
mod loopback;
mod memory;
mod peers;
mod published;
mod robot;
mod screen_acts;
mod screen_background;
mod screen_pictures;
mod screen_safe;
mod screen_world;
mod transport;
mod transport_tls;
