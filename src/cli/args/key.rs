//! The definitions of the commands for private keys.
use super::change::Acceptance;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// What can be done with private keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// List all keys, and files that should be keys, with what is wrong with them
    #[command(after_help = "Example:\n  claviger key list --json")]
    List,
    /// Show everything known of one key
    #[command(after_help = "Example:\n  claviger key show 29fe684c5c3c")]
    Show {
        /// Key ID or the start of one, or a file
        #[arg(value_name = "KEY_ID")]
        id: String,
    },
    /// Unlock keys, compare them with their names, sign and verify a test message; change nothing
    #[command(after_help = "Example:\n  claviger key test 29fe684c5c3c")]
    Test {
        /// Key IDs or the starts of them, or files
        #[arg(required = true, value_name = "KEY_ID")]
        ids: Vec<String>,
    },
    /// Make a new key
    #[command(after_help = "Example:\n  claviger key generate alice")]
    Generate {
        /// Name of the signer, or of the key [asked on a terminal]
        #[arg(value_name = "NAME")]
        name: Option<String>,
        /// What the key is for
        #[arg(long, value_enum, default_value_t = KeyRole::Delegation)]
        role: KeyRole,
        /// Repository of a targets or snapshot key
        #[arg(long, value_name = "GUN")]
        gun: Option<String>,
        /// Algorithm
        #[arg(long, value_enum, default_value_t = KeyAlgorithm::Ecdsa)]
        algorithm: KeyAlgorithm,
        /// Where to write NAME.pub
        #[arg(long, value_name = "DIR", default_value = ".")]
        dir: PathBuf,
    },
    /// Change the passphrase of a key
    #[command(after_help = "Example:\n  claviger key passwd 29fe684c5c3c --new-passphrase-file new-passphrase")]
    Passwd {
        /// Key ID or the start of one, or a file
        #[arg(value_name = "KEY_ID")]
        id: String,
        /// The new passphrase: as in --passphrase-file, which opens the key
        #[arg(long, value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
    },
    /// Take the keys of a file, as `docker trust key load` should
    #[command(after_help = "Example:\n  claviger key load alice.pem --name alice")]
    Load {
        /// Private keys in PEM, encrypted or not, or a bundle [asked on a terminal]
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
        /// The signer whose keys they are
        #[arg(long, value_name = "NAME")]
        name: Option<String>,
        /// What the keys are for [default: as the file says, else delegation]
        #[arg(long, value_enum)]
        role: Option<KeyRole>,
        /// Repository of targets or snapshot keys, if the file does not say
        #[arg(long, value_name = "GUN")]
        gun: Option<String>,
    },
    /// Take the keys of a file, as `notary key import` does
    #[command(after_help = "Example:\n  claviger key import keys.pem --role delegation")]
    Import {
        /// Private keys in PEM, encrypted or not, or a bundle [asked on a terminal]
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
        /// What the keys are for [default: as the file says, else delegation]
        #[arg(short, long, value_enum)]
        role: Option<KeyRole>,
        /// Repository of targets or snapshot keys, if the file does not say
        #[arg(short, long, value_name = "GUN")]
        gun: Option<String>,
    },
    /// Write keys into a new file, still encrypted, as `notary key export` does
    #[command(after_help = "Example:\n  claviger key export 29fe684c5c3c -o jeff.pem")]
    Export {
        /// Key IDs or the starts of them, or files [default: all]
        #[arg(value_name = "KEY_ID")]
        ids: Vec<String>,
        /// Only keys of this repository
        #[arg(long, value_name = "GUN")]
        gun: Option<String>,
        /// The public halves instead
        #[arg(long)]
        public: bool,
        /// The file to write [asked on a terminal]
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Protect keys with as many rounds of key derivation as new ones, with the passphrases that they have
    #[command(after_help = "Example:\n  claviger key strengthen --ask same")]
    Strengthen {
        /// Key IDs or the starts of them, or files [default: all]
        #[arg(value_name = "KEY_ID")]
        ids: Vec<String>,
        /// Whether the passphrase of one key is tried on the next before it is asked
        #[arg(long, value_enum, default_value_t = Asking::Each)]
        ask: Asking,
        /// What becomes of keys that have no passphrase
        #[arg(long, value_enum, default_value_t = Unencrypted::Leave)]
        unencrypted: Unencrypted,
    },
    /// Make private/ and everything in it its owner's only, after showing what will change
    #[command(after_help = "Example:\n  claviger key mend")]
    Mend,
    /// Move keys of old layouts to where notary 0.7 and docker keep them, after a copy
    #[command(after_help = "Example:\n  claviger key migrate --copy old-keys")]
    Migrate {
        /// A new directory for the copy [default: beside the trust directory]
        #[arg(long, value_name = "DIR")]
        copy: Option<PathBuf>,
    },
    /// Give a role another key: the new one in, what it vouches for signed again, the old one out
    #[command(after_help = "Example:\n  claviger key rotate sandbox.test/shop/frontend targets --dry-run")]
    Rotate(Rotate),
    /// Remove a key, after showing what needs it
    #[command(after_help = "Example:\n  claviger key remove 29fe684c5c3c --confirm 29fe684c5c3c")]
    Remove {
        /// Key ID or the start of one, or a file
        #[arg(value_name = "KEY_ID")]
        id: String,
    },
}

/// What a new key is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeyRole {
    /// Names all other keys of a repository; kept offline
    Root,
    /// Signs targets and names signers of one repository
    Targets,
    /// Signs snapshots of one repository
    Snapshot,
    /// Signs for a person, in any repository that delegates to them
    Delegation,
}

/// What a new key computes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum KeyAlgorithm {
    /// ECDSA on P-256, as Notary makes it
    Ecdsa,
    /// RSA, 2048 bits
    Rsa2048,
    /// RSA, 3072 bits
    Rsa3072,
    /// RSA, 4096 bits
    Rsa4096,
}

/// How the passphrases of several keys are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Asking {
    /// For each key
    Each,
    /// The passphrase of one key is tried on the next first
    Same,
}

/// What becomes of keys without a passphrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Unencrypted {
    /// They stay as they are
    Leave,
    /// Each gets a new passphrase
    Protect,
}

/// Gives a role another key.
#[derive(Debug, Args)]
pub struct Rotate {
    /// Repository
    #[arg(value_name = "GUN")]
    pub gun: String,
    /// Role: root, targets, snapshot, timestamp, or a delegation such as targets/alice
    #[arg(value_name = "ROLE")]
    pub role: String,
    /// The server makes the key and keeps it: snapshot, and always timestamp
    #[arg(short = 'r', long)]
    pub server_managed: bool,
    /// The new key: the ID of one that is here, or a file; of a delegation also a public key [default: one is made here]
    #[arg(long, value_name = "KEY_ID|FILE", conflicts_with = "server_managed")]
    pub key: Option<String>,
    /// The key that goes, where the role has several
    #[arg(long, value_name = "KEY_ID")]
    pub old: Option<String>,
    /// The certificate in which a new root key stands [default: one is made, for ten years]
    #[arg(long, value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// How the plan is accepted.
    #[command(flatten)]
    pub accept: Acceptance,
}
