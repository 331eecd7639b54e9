//! A passphrase that was drawn, shown until it is written down: it lies in locked memory between whoever draws it and whoever
//! paints it, and nowhere else.
use super::Passphrase;
use std::sync::{Arc, Mutex, PoisonError};

/// What is shown, if anything is.
#[derive(Clone, Default)]
pub struct Slate(Arc<Mutex<Option<Passphrase>>>);

impl Slate {
    /// Shows this, or nothing more.
    pub fn show(&self, passphrase: Option<Passphrase>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = passphrase;
    }

    /// What is shown, for the one function that paints it.
    pub fn with<T>(&self, paint: impl FnOnce(&[u8]) -> T) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|p| paint(p.expose()))
    }
}
