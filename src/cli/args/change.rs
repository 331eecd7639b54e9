//! The definitions of the commands that change repositories.
use clap::{ArgGroup, Args, Subcommand, ValueEnum};
use std::path::PathBuf;

/// How a plan is accepted.
#[derive(Debug, Clone, Default, Args)]
pub struct Acceptance {
    /// Accept the plan, unless it breaks something; never a root that this machine has not met
    #[arg(short, long, visible_short_alias = 'f', alias = "force")]
    pub yes: bool,
    /// Print the plan, and stop there
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Go on only if the plan has this digest, which --dry-run prints
    #[arg(long, value_name = "DIGEST", conflicts_with = "dry_run")]
    pub expect: Option<String>,
    /// Taken for the sake of old habits: everything is published at once
    #[arg(short, long, hide = true)]
    pub publish: bool,
}

/// How a plan is accepted, and what becomes of what is staged.
#[derive(Debug, Clone, Default, Args)]
pub struct BesideStaged {
    /// How it is accepted.
    #[command(flatten)]
    pub accepted: Acceptance,
    /// Leave what was staged before where it is; else it goes out with this
    #[arg(long)]
    pub only: bool,
    /// Stage it for `publish`, as the old tools do, and publish nothing
    #[arg(long, conflicts_with_all = ["yes", "expect", "publish", "only"])]
    pub stage: bool,
}

impl From<Acceptance> for BesideStaged {
    fn from(accepted: Acceptance) -> Self {
        Self { accepted, only: false, stage: false }
    }
}

/// Who keeps the key of the snapshot role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Keeper {
    /// The server, so that signers can publish by themselves
    Server,
    /// This machine
    Local,
}

/// Begins a repository.
#[derive(Debug, Args)]
pub struct Init {
    /// Repository
    #[arg(value_name = "GUN")]
    pub gun: String,
    /// The root key: the ID of one that is here, a file, or `new` for one that is made here [default: the only one that is here]
    #[arg(long, visible_alias = "rootkey", value_name = "KEY_ID|FILE|new")]
    pub root_key: Option<String>,
    /// Make a root key if none is here
    #[arg(long, conflicts_with = "root_key")]
    pub create_root: bool,
    /// Who signs which versions belong together
    #[arg(long, value_enum, default_value_t = Keeper::Server)]
    pub snapshot: Keeper,
    /// The certificate in which the root key stands [default: one is made, for ten years]
    #[arg(long, visible_alias = "rootcert", value_name = "FILE")]
    pub cert: Option<PathBuf>,
    /// How the plan is accepted.
    #[command(flatten)]
    pub accept: Acceptance,
}

/// Signs a tag.
#[derive(Debug, Args)]
pub struct Sign {
    /// Repository and tag
    #[arg(value_name = "GUN:TAG")]
    pub name: String,
    /// The signer whose role signs [default: everybody whose key is here]
    #[arg(long = "as", value_name = "NAME")]
    pub signer: Option<String>,
    /// The manifest's digest [default: what the registry has under the tag]
    #[arg(long, value_name = "sha256:HEX", requires = "size")]
    pub digest: Option<String>,
    /// The manifest's size in bytes
    #[arg(long, value_name = "N", requires = "digest")]
    pub size: Option<i64>,
    /// A name that is no tag, such as release/app.tar.gz, after GUN alone
    #[arg(long = "name", value_name = "NAME", requires = "digest")]
    pub other: Option<String>,
    /// How the plan is accepted.
    #[command(flatten)]
    pub accept: BesideStaged,
}

/// Revokes tags.
#[derive(Debug, Args)]
pub struct Revoke {
    /// Repository, or one tag of it
    #[arg(value_name = "GUN[:TAG]")]
    pub name: String,
    /// A name that is no tag, such as release/app.tar.gz, after GUN alone
    #[arg(long = "name", value_name = "NAME")]
    pub other: Option<String>,
    /// How the plan is accepted.
    #[command(flatten)]
    pub accept: BesideStaged,
}

/// Signs roles again.
#[derive(Debug, Args)]
pub struct Witness {
    /// Repository
    #[arg(value_name = "GUN")]
    pub gun: String,
    /// Roles, such as targets/releases
    #[arg(required = true, value_name = "ROLE")]
    pub roles: Vec<String>,
    /// How the plan is accepted.
    #[command(flatten)]
    pub accept: BesideStaged,
}

/// Signs roles again, for longer.
#[derive(Debug, Args)]
pub struct Renew {
    /// Repository
    #[arg(value_name = "GUN")]
    pub gun: String,
    /// Roles [default: those that have expired or will within half a year]
    #[arg(long = "role", value_name = "ROLE")]
    pub roles: Vec<String>,
    /// Their end [default: as long as Notary gives, 10 years for root and 3 for others]
    #[arg(long, value_name = "DATE")]
    pub until: Option<String>,
    /// How the plan is accepted.
    #[command(flatten)]
    pub accept: BesideStaged,
}

/// What can be done with signers.
#[derive(Debug, Subcommand)]
pub enum SignerCommand {
    /// List who may sign, and with which keys
    #[command(after_help = "Example:\n  claviger signer list sandbox.test/shop/frontend")]
    List {
        /// Repository
        #[arg(value_name = "GUN")]
        gun: String,
    },
    /// Let somebody sign, in one or several repositories
    #[command(after_help = "Example:\n  claviger signer add --key dave.pub dave sandbox.test/shop/frontend --dry-run")]
    Add {
        /// A public key or certificate in PEM; several for several keys
        #[arg(long = "key", required = true, value_name = "FILE")]
        keys: Vec<PathBuf>,
        /// The signer
        #[arg(value_name = "NAME")]
        name: String,
        /// Repositories
        #[arg(required = true, value_name = "GUN")]
        guns: Vec<String>,
        /// Begin repositories that are not there
        #[arg(long, conflicts_with = "stage")]
        init: bool,
        /// Their root key: the ID of one that is here, a file, or `new` for one that is made here [default: the only one that is here]
        #[arg(long, value_name = "KEY_ID|FILE|new", requires = "init")]
        root_key: Option<String>,
        /// Make a root key for them if none is here
        #[arg(long, requires = "init", conflicts_with = "root_key")]
        create_root: bool,
        /// How the plan is accepted.
        #[command(flatten)]
        accept: BesideStaged,
    },
    /// Take somebody's keys, or one key, out of every role of every repository that knows them
    #[command(after_help = "Example:\n  claviger signer leave bob sandbox.test/shop/frontend --dry-run")]
    Leave {
        /// The signer, or the ID of a key
        #[arg(value_name = "NAME|KEY_ID")]
        who: String,
        /// Repositories
        #[arg(value_name = "GUN", required_unless_present = "all")]
        guns: Vec<String>,
        /// All whose root this machine remembers
        #[arg(long, conflicts_with = "guns")]
        all: bool,
        /// How the plan is accepted.
        #[command(flatten)]
        accept: BesideStaged,
    },
    /// Take a signer's right to sign, in one or several repositories
    #[command(after_help = "Example:\n  claviger signer remove bob sandbox.test/shop/frontend --dry-run")]
    Remove {
        /// Only this key of theirs
        #[arg(long, value_name = "KEY_ID")]
        key: Option<String>,
        /// The signer
        #[arg(value_name = "NAME")]
        name: String,
        /// Repositories
        #[arg(required = true, value_name = "GUN")]
        guns: Vec<String>,
        /// How the plan is accepted.
        #[command(flatten)]
        accept: BesideStaged,
    },
}

/// Publishes what was staged.
#[derive(Debug, Args)]
pub struct Publish {
    /// Repository
    #[arg(value_name = "GUN")]
    pub gun: String,
    /// How the plan is accepted.
    #[command(flatten)]
    pub accept: Acceptance,
}

/// Throws staged changes away.
#[derive(Debug, Args)]
#[command(group = ArgGroup::new("which").required(true).args(["numbers", "all"]))]
pub struct Reset {
    /// Repository
    #[arg(value_name = "GUN")]
    pub gun: String,
    /// The number of a change, as `status` prints it; several for several
    #[arg(short, long = "number", value_name = "I")]
    pub numbers: Vec<usize>,
    /// All of them
    #[arg(long)]
    pub all: bool,
    /// Say what would be thrown away, and leave it
    #[arg(long)]
    pub dry_run: bool,
}

/// Deletes a repository.
#[derive(Debug, Args)]
pub struct Delete {
    /// Repository
    #[arg(value_name = "GUN")]
    pub gun: String,
    /// At its server too, for everybody
    #[arg(long)]
    pub remote: bool,
    /// Say what would go, and stop there
    #[arg(long)]
    pub dry_run: bool,
}

/// What can be done with delegated roles.
#[derive(Debug, Subcommand)]
pub enum DelegationCommand {
    /// List delegated roles with their paths, keys and thresholds
    #[command(after_help = "Example:\n  claviger delegation list sandbox.test/shop/frontend")]
    List {
        /// Repository
        #[arg(value_name = "GUN")]
        gun: String,
    },
    /// Delegate to a role, or give it more keys and paths
    #[command(
        after_help = "Example:\n  claviger delegation add sandbox.test/shop/frontend targets/qa dave.pub --paths test/ --dry-run"
    )]
    Add {
        /// Repository
        #[arg(value_name = "GUN")]
        gun: String,
        /// Role, such as targets/qa
        #[arg(value_name = "ROLE")]
        role: String,
        /// Public keys or certificates in PEM
        #[arg(value_name = "FILE")]
        keys: Vec<PathBuf>,
        /// Beginnings of the names that it may sign
        #[arg(long, value_name = "PREFIX", value_delimiter = ',')]
        paths: Vec<String>,
        /// It may sign any name
        #[arg(long, conflicts_with = "paths")]
        all_paths: bool,
        /// How many of its keys must sign [default: as it is, 1 for a new role]
        #[arg(long, value_name = "N")]
        threshold: Option<u64>,
        /// How the plan is accepted.
        #[command(flatten)]
        accept: BesideStaged,
    },
    /// Take keys and paths from a role; the whole role if none is named
    #[command(after_help = "Example:\n  claviger delegation remove sandbox.test/shop/frontend targets/bob --dry-run")]
    Remove {
        /// Repository
        #[arg(value_name = "GUN")]
        gun: String,
        /// Role
        #[arg(value_name = "ROLE")]
        role: String,
        /// Key IDs, whole
        #[arg(value_name = "KEY_ID")]
        keys: Vec<String>,
        /// Beginnings of names
        #[arg(long, value_name = "PREFIX", value_delimiter = ',')]
        paths: Vec<String>,
        /// All of them
        #[arg(long, conflicts_with = "paths")]
        all_paths: bool,
        /// How the plan is accepted.
        #[command(flatten)]
        accept: BesideStaged,
    },
    /// Take keys out of every role that names them
    #[command(after_help = "Example:\n  claviger delegation purge sandbox.test/shop/frontend --key KEY_ID --dry-run")]
    Purge {
        /// Repository
        #[arg(value_name = "GUN")]
        gun: String,
        /// Key ID, whole; several for several keys
        #[arg(long = "key", required = true, value_name = "KEY_ID")]
        keys: Vec<String>,
        /// How the plan is accepted.
        #[command(flatten)]
        accept: BesideStaged,
    },
}
