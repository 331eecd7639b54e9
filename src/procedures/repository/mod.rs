//! Changing repositories: what is wanted, and the one road on which it is done.
mod key_files;
mod outcome;
mod page;
mod report;
mod road;
mod wanted;
mod wishes;

pub use key_files::public_keys;
pub use outcome::load_failure;
pub use report::{Outcome, Report};
pub use road::{Look, look, run};
pub use wanted::Wanted;

/// What has not happened as long as nothing has.
pub const NOTHING: &str = "nothing was signed or published";
/// What to know afterwards, if all went well.
pub const NEXT: &str = "It was fetched again with an empty cache, and is what was wanted.";
