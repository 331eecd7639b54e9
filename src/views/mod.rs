//! What a listing or a screen shows, assembled once for both faces. No drawing here, and no fetching: views are made
//! from what others read.
pub mod chain;
pub mod columns;
pub mod desk;
pub mod docker;
pub mod journal;
pub mod keys;
pub mod messages;
pub mod natural;
pub mod next_step;
pub mod notable;
pub mod released;
pub mod repositories;
pub mod reservations;
pub mod staged;
pub mod tag_state;
pub mod tags;
pub mod transcript;
