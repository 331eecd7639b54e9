//! One repository: load it verified, or look at it knowing that it is not. Planning, signing and publishing will live
//! here too.
mod inventory;
mod load;
mod look;
mod servers;

pub use inventory::{Inventory, Known};
pub use load::{LoadError, Loaded, Mode, Progress, Repositories};
pub use look::{Look, Seen};
pub use servers::{ServerError, Servers};
