//! The sandbox's registry: held against the real `docker-registry` request by request, used by `skopeo`, restarted, filled,
//! and asked for rubbish.
mod disk;
pub mod images;
mod limits;
pub mod peer;
mod rubbish;
pub mod skopeo;
mod table;
