//! The definitions of the commands for several root keys.
use super::change::Acceptance;
use clap::Subcommand;
use std::path::PathBuf;

/// What can be done with the root keys of a repository.
#[derive(Debug, Subcommand)]
pub enum RootKeyCommand {
    /// Put one more root key beside those that a repository has
    #[command(after_help = "Example:\n  claviger root-key add sandbox.test/shop/frontend --key new --dry-run")]
    Add {
        /// Repository
        #[arg(value_name = "GUN")]
        gun: String,
        /// The key that comes: the ID of a root key that is here, a file, or `new` for one that is made here
        #[arg(long, value_name = "FILE|KEY_ID|new", required_unless_present = "cert")]
        key: Option<String>,
        /// The certificate in which it stands, of a key that may lie elsewhere [default: one is made, for ten years]
        #[arg(long, value_name = "FILE")]
        cert: Option<PathBuf>,
        /// How many root keys must sign the root from then on [default: as now]
        #[arg(long, value_name = "N")]
        threshold: Option<u64>,
        /// How the plan is accepted.
        #[command(flatten)]
        accept: Acceptance,
    },
    /// Take a root key out; at least one stays
    #[command(after_help = "Example:\n  claviger root-key remove sandbox.test/shop/frontend KEY_ID --dry-run")]
    Remove {
        /// Repository
        #[arg(value_name = "GUN")]
        gun: String,
        /// The key that goes, by its whole ID
        #[arg(value_name = "KEY_ID")]
        key: String,
        /// How many root keys must sign the root from then on [default: as now]
        #[arg(long, value_name = "N")]
        threshold: Option<u64>,
        /// How the plan is accepted.
        #[command(flatten)]
        accept: Acceptance,
    },
    /// Say how many of its root keys must sign the root
    #[command(after_help = "Example:\n  claviger root-key threshold sandbox.test/shop/frontend 1 --dry-run")]
    Threshold {
        /// Repository
        #[arg(value_name = "GUN")]
        gun: String,
        /// How many
        #[arg(value_name = "N")]
        threshold: u64,
        /// How the plan is accepted.
        #[command(flatten)]
        accept: Acceptance,
    },
}
