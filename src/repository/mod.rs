//! One repository: load it verified, or look at it knowing that it is not. [`change`] is the road on which
//! it is changed.
pub mod change;
pub mod image;
mod inventory;
mod layout;
mod load;
mod look;
pub mod push;
mod registries;
mod servers;
mod situation;
mod tag_states;

pub use inventory::{Inventory, Known};
pub use layout::{Layout, LayoutError};
pub use load::{LoadError, Loaded, Mode, Progress, Repositories};
pub use look::{Claims, Look, Seen};
pub use registries::ImageError;
pub use servers::{Images, ServerError, Servers};
pub use situation::Situation;
pub use tag_states::{RegistryTags, TagsError};

/// Does work that may take long elsewhere than on the threads that must stay awake. It cannot be stopped: whoever ends
/// the program does not wait for it.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(e) => match e.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends, and this task with it.
            Err(_) => std::future::pending().await,
        },
    }
}
