//! Changing repositories: what is wanted, and the one road on which it is done.
mod ask;
mod begin;
mod delete;
mod desk;
mod image;
pub mod inquiry;
mod key_files;
mod keyed;
mod new_keys;
mod outcome;
mod page;
pub mod push;
mod report;
mod road;
mod root_keys;
mod rotate;
pub mod spelling;
mod stage;
mod waiting;
mod wanted;
mod wishes;
mod witness_request;

pub use ask::ask;
pub use begin::is_absent;
pub use image::at_registry;
pub use inquiry::{About, Inquiry};
pub use key_files::public_keys;
pub use outcome::{load_failure, reading_failure, refused_roles};
pub use report::{Outcome, Report};
pub use road::{Look, look, run};
pub use waiting::Waiting;
pub use wanted::{Beginning, Deletion, NewSigner, RootAct, RootKeys, Rotation, Wanted};
pub use witness_request::WitnessRequest;

/// The fields of the forms, which are named as on the command line.
pub mod field {
    pub use super::{
        begin::{
            NEW,
            field::{ROOT_KEY, SNAPSHOT},
        },
        root_keys::THRESHOLD,
        rotate::{
            LOCAL, SERVER,
            field::{CERT, KEEPER, KEY, OLD},
        },
    };
}

/// What has not happened as long as nothing has.
pub const NOTHING: &str = "nothing was signed or published";
/// What to know afterwards, if all went well.
pub const NEXT: &str = "It was fetched again with an empty cache, and is what was wanted.";
/// The same, where somebody else has to witness what is left.
pub const NEXT_WITH_REQUEST: &str = "It was fetched again with an empty cache, and is what was wanted. Send the request to whoever \
    holds the keys that it names: what it lists waits for their signatures.";
/// The same for what was published before.
pub const NEXT_OF_REQUEST: &str =
    "Send the request to whoever holds the keys that it names: what it lists waits for their signatures.";
/// The same, where a key was made.
pub const NEXT_WITH_KEYS: &str = "It was fetched again with an empty cache, and is what was wanted. Back the new key up now: \
    whoever loses the file or forgets the passphrase loses the key.";
/// The same, where several were.
pub const NEXT_WITH_SEVERAL_KEYS: &str = "It was fetched again with an empty cache, and is what was wanted. Back the new keys up \
    now: whoever loses a file or forgets a passphrase loses a key.";
