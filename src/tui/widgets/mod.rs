//! Parts that several screens are made of.
pub mod badge;
pub mod footer;
pub mod input;
pub mod pane;
pub mod status;
pub mod table;
