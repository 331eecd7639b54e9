//! The screen: a workstation in a terminal.
//!
//! A key press becomes an [`action::Action`]; [`update::update`] changes the [`state::State`] and returns
//! [`effect::Effect`]s; effects run off the drawing thread and report back as actions; [`draw`] is pure. What lies on
//! top of a place is a stack of layers, and the topmost has the input. Key bindings, footer and help are made from
//! the one table in [`keymap`]. Guided work is a layer too: see [`wizard`].
//!
//! Everything drawn goes through [`ink::Ink`], which clips it and makes it safe to show.
pub mod action;
pub mod changing;
pub mod effect;
pub mod events;
pub mod fit;
pub mod idle;
pub mod ink;
pub mod keymap;
pub mod layer;
pub mod layout;
pub mod ledger;
pub mod palette;
pub mod roster;
pub mod run;
pub mod runner;
pub mod screens;
pub mod secret_page;
pub mod select;
pub mod shelf;
pub mod sitting;
mod slate;
pub mod standing;
pub mod state;
pub mod terminal;
pub mod theme;
pub mod tree;
pub mod typing;
pub mod update;
pub mod when;
pub mod widgets;
pub mod wizard;

pub use action::Ended;
pub use run::{Options, ScreenError, run};
pub use runner::Examiner;
pub use screens::frame::draw;
