//! The definitions of the command line; what commands do is elsewhere.
pub mod change;
pub mod key;
pub mod root_key;

use crate::secret::words;
use change::{DelegationCommand, Delete, Init, Publish, Renew, Reset, Revoke, Sign, SignerCommand, Witness};
use clap::{Args, Parser, Subcommand};
use key::{KeyCommand, KeyRole};
use root_key::RootKeyCommand;
use std::path::PathBuf;

/// Manage the keys of Docker Content Trust and Notary v1.
///
/// Without a command the workstation opens.
#[derive(Debug, Parser)]
#[command(name = "claviger", bin_name = "claviger", version, propagate_version = true, max_term_width = 100)]
pub struct Arguments {
    /// Options that every command takes.
    #[command(flatten)]
    pub options: Options,
    /// What to do; the workstation opens if nothing is named.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options that every command takes.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Everywhere")]
pub struct Options {
    /// Trust directory [default: that of the configuration, else $DOCKER_CONFIG/trust, else ~/.docker/trust]
    #[arg(short = 'd', long, global = true, value_name = "DIR")]
    pub trust_dir: Option<PathBuf>,
    /// Notary server [default: DOCKER_CONTENT_TRUST_SERVER, else the configuration, else by registry as docker does]
    #[arg(short, long, global = true, value_name = "URL")]
    pub server: Option<String>,
    /// Registry of the images, for names that begin with NAME only [default: CLAVIGER_REGISTRY, else the configuration, else by name]
    #[arg(long, global = true, value_name = "[NAME=]URL")]
    pub registry: Option<String>,
    /// Trust only this certificate authority for TLS; for a registry, this one too
    #[arg(long, global = true, value_name = "FILE")]
    pub tlscacert: Option<PathBuf>,
    /// Client certificate for TLS
    #[arg(long, global = true, value_name = "FILE", requires = "tlskey")]
    pub tlscert: Option<PathBuf>,
    /// Key of the client certificate
    #[arg(long, global = true, value_name = "FILE", requires = "tlscert")]
    pub tlskey: Option<PathBuf>,
    /// Configuration: our TOML, or notary's config.json
    #[arg(short, long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Allow plain HTTP to this host
    #[arg(long, global = true, value_name = "HOST")]
    pub plain_http: Vec<String>,
    /// Take repository names verbatim, as notary does, without docker's expansion
    #[arg(long, global = true)]
    pub exact: bool,
    /// Machine-readable result on standard output, and nothing else there
    #[arg(long, global = true)]
    pub json: bool,
    /// Write nothing: neither keys nor the metadata cache
    #[arg(long, global = true)]
    pub read_only: bool,
    /// Where the journal and what else is remembered lies [default: $XDG_STATE_HOME/claviger, else ~/.local/state/claviger]
    #[arg(long, global = true, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// No screen: the workstation line by line, for screen readers and serial consoles
    #[arg(long, global = true)]
    pub plain: bool,
    /// The typed confirmation for what cannot be undone
    #[arg(long, global = true, value_name = "NAME")]
    pub confirm: Option<String>,
    /// Passphrases: lines ROLE=… or KEY_ID=…, or one bare line for all
    #[arg(long, global = true, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
}

/// What claviger can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Private keys in the trust directory
    #[command(subcommand)]
    Key(KeyCommand),
    /// Repositories
    #[command(subcommand)]
    Repo(RepoCommand),
    /// Print what `docker trust inspect` prints
    #[command(after_help = "Example:\n  claviger inspect sandbox.test/shop/frontend:2.1.0 --pretty")]
    Inspect {
        /// Repositories, or tags of them
        #[arg(required = true, value_name = "GUN[:TAG]")]
        names: Vec<String>,
        /// As text for people instead of JSON
        #[arg(long, conflicts_with = "json")]
        pretty: bool,
    },
    /// List what a repository signs
    #[command(after_help = "Example:\n  claviger tags sandbox.test/shop/frontend --json")]
    Tags {
        /// Repository
        #[arg(value_name = "GUN")]
        gun: String,
        /// Ask the registry too: which tags lead, as it says, to what is signed, which have moved, which nobody signed
        #[arg(long)]
        registry_state: bool,
    },
    /// Images at their registry
    #[command(subcommand)]
    Image(ImageCommand),
    /// Begin a repository: its root, which names all keys, and an empty list of tags
    #[command(after_help = "Example:\n  claviger init sandbox.test/shop/new --root-key KEY_ID --dry-run")]
    Init(Init),
    /// Sign what a tag stands for, and publish that
    #[command(after_help = "Example:\n  claviger sign sandbox.test/shop/frontend:2.1.0 --dry-run")]
    Sign(Sign),
    /// Take the signatures from a tag, or from all
    #[command(after_help = "Example:\n  claviger revoke sandbox.test/shop/frontend:latest --dry-run")]
    Revoke(Revoke),
    /// Sign roles again as they are: where a key went, those that stay vouch for what is there
    #[command(after_help = "Example:\n  claviger witness sandbox.test/shop/frontend targets/releases --dry-run")]
    Witness(Witness),
    /// Sign again what has expired or will soon
    #[command(after_help = "Example:\n  claviger renew sandbox.test/shop/frontend --role targets --until 2031-12-31 --dry-run")]
    Renew(Renew),
    /// List what was staged for a repository and is not published
    #[command(after_help = "Example:\n  claviger status sandbox.test/shop/frontend --json")]
    Status {
        /// Repository
        #[arg(value_name = "GUN")]
        gun: String,
    },
    /// Sign and publish what was staged
    #[command(after_help = "Example:\n  claviger publish sandbox.test/shop/frontend --dry-run")]
    Publish(Publish),
    /// Throw staged changes away
    #[command(after_help = "Example:\n  claviger reset sandbox.test/shop/frontend --all")]
    Reset(Reset),
    /// Forget a repository here, or delete it at its server too; after a copy, and never its keys
    #[command(after_help = "Example:\n  claviger delete sandbox.test/shop/frontend --remote --dry-run")]
    Delete(Delete),
    /// People who may sign
    #[command(subcommand)]
    Signer(SignerCommand),
    /// Several root keys, and how many of them must sign
    #[command(subcommand)]
    RootKey(RootKeyCommand),
    /// Delegated roles
    #[command(subcommand)]
    Delegation(DelegationCommand),
    /// List what was done with this trust directory, or print the transcript of one piece of work
    #[command(after_help = "Example:\n  claviger journal --json")]
    Journal {
        /// The work whose transcript is printed [default: all are listed]
        #[arg(value_name = "WORK")]
        work: Option<String>,
    },
    /// Go on with work that was interrupted, with the answers it had; passphrases are asked anew
    #[command(after_help = "Example:\n  claviger resume")]
    Resume {
        /// The work, or the start of its name [default: interrupted work is listed]
        #[arg(value_name = "WORK")]
        work: Option<String>,
        /// Close it instead; what was done stays
        #[arg(long, requires = "work")]
        give_up: bool,
        /// Accept the plan of a change, unless it breaks something
        #[arg(short, long, requires = "work", conflicts_with = "give_up")]
        yes: bool,
        /// The new passphrase, if one is wanted: as in --passphrase-file, which opens keys
        #[arg(long, value_name = "FILE", conflicts_with = "give_up")]
        new_passphrase_file: Option<PathBuf>,
    },
    /// Say what stands in the way: trust directory, keys, journal, settings, the server, memory, other tools; change nothing
    #[command(after_help = "Examples:\n  claviger doctor\n  claviger doctor --report > report.txt")]
    Doctor {
        /// As a text to be sent to somebody: with version and system, the home directory as ~, no machine but those of the settings
        #[arg(long, conflicts_with = "json")]
        report: bool,
    },
    /// Passphrases: make one of words that are drawn by lot, judge one
    #[command(subcommand)]
    Passphrase(PassphraseCommand),
    /// Print what makes a shell complete claviger's commands and options
    #[command(after_help = "Examples:\n  claviger completions bash > claviger.bash\n  claviger completions zsh > _claviger")]
    Completions {
        /// The shell
        #[arg(value_enum, value_name = "SHELL")]
        shell: clap_complete::Shell,
    },
    /// Write a manual page for every command into a directory
    #[command(after_help = "Example:\n  mkdir man1 && claviger man man1")]
    Man {
        /// A directory that exists; pages of an older version in it are replaced
        #[arg(value_name = "DIR")]
        dir: PathBuf,
    },
    /// Open the workstation on a world to practise on, where nothing is real
    #[cfg(feature = "sandbox")]
    #[command(
        after_help = "Examples:\n  claviger sandbox\n  claviger sandbox --serve\n  claviger sandbox --serve --logins\n  claviger sandbox --dir practice --serve\n  claviger sandbox --destroy practice\n  claviger sandbox --tour --yes"
    )]
    Sandbox {
        /// Keep the world in this directory, and go on with the one that is there
        #[arg(long, value_name = "DIR")]
        dir: Option<PathBuf>,
        /// End the world that is kept in this directory: everything that belongs to it is removed
        #[arg(long, value_name = "DIR", conflicts_with = "dir")]
        destroy: Option<PathBuf>,
        /// A walk through content trust, line by line in a fresh world: what is refused, signed, verified, tampered with, mended
        #[arg(long, conflicts_with_all = ["dir", "destroy"])]
        tour: bool,
        /// Go through the tour without waiting at each page
        #[arg(short, long, requires = "tour")]
        yes: bool,
        /// Serve the world over HTTPS on this machine only, for `notary` and `docker trust`, until interrupted
        #[cfg(feature = "network")]
        #[arg(long, conflicts_with_all = ["destroy", "tour"])]
        serve: bool,
        /// Ask everybody who comes for a login, by tokens
        #[cfg(feature = "network")]
        #[arg(long, requires = "serve")]
        logins: bool,
    },
}

impl Command {
    /// Whether it signs and publishes.
    pub fn changes_repositories(&self) -> bool {
        match self {
            Self::Key(command) => matches!(command, KeyCommand::Rotate(_)),
            Self::Init(_)
            | Self::Publish(_)
            | Self::Reset(_)
            | Self::Delete(_)
            | Self::Sign(_)
            | Self::Revoke(_)
            | Self::Witness(_)
            | Self::Renew(_)
            | Self::RootKey(_) => true,
            Self::Signer(command) => !matches!(command, SignerCommand::List { .. }),
            Self::Delegation(command) => !matches!(command, DelegationCommand::List { .. }),
            Self::Image(command) => matches!(command, ImageCommand::Push { dry_run: false, .. }),
            _ => false,
        }
    }
}

/// What can be done with passphrases.
#[derive(Debug, Subcommand)]
pub enum PassphraseCommand {
    /// Draw a passphrase of words by lot, and print it once
    #[command(after_help = "Example:\n  claviger passphrase generate --role root")]
    Generate {
        /// How many words [default: 6, for a root key 8]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(words::FEWEST as i64..=words::MOST as i64))]
        words: Option<u8>,
        /// What kind of key it will protect
        #[arg(long, value_enum, default_value_t = KeyRole::Delegation)]
        role: KeyRole,
    },
    /// Judge a passphrase, typed without being shown or given on standard input; it is never printed
    #[command(after_help = "Example:\n  claviger passphrase check < passphrase.txt")]
    Check,
}

/// What can be done with repositories.
#[derive(Debug, Subcommand)]
pub enum RepoCommand {
    /// List repositories known to the cache, to the server's change feed, and to the catalogue of the registry that is set
    #[command(after_help = "Example:\n  claviger repo list --json")]
    List,
    /// Show the chain of trust: roles, keys, thresholds, versions, expiries, paths, findings
    #[command(after_help = "Example:\n  claviger repo show sandbox.test/shop/frontend")]
    Show {
        /// Repository
        #[arg(value_name = "GUN")]
        gun: String,
    },
    /// Verify from a clean cache, with the remembered root as anchor; exit 3 and the reason when it does not hold
    #[command(after_help = "Example:\n  claviger repo verify sandbox.test/shop/frontend")]
    Verify {
        /// Repository
        #[arg(value_name = "GUN")]
        gun: String,
    },
}

/// What can be done with images.
#[derive(Debug, Subcommand)]
pub enum ImageCommand {
    /// Print the name of an image by the digest that is signed and released, for any runtime; exit 3 if there is none
    #[command(after_help = "Example:\n  claviger image resolve sandbox.test/shop/frontend:2.1.0")]
    Resolve {
        /// Image
        #[arg(value_name = "GUN:TAG")]
        image: String,
    },
    /// Fetch manifest, configuration and layers from the registry, hash them, and hold them against the signed digest; exit 3
    /// if they are not that
    #[command(after_help = "Example:\n  claviger image verify sandbox.test/shop/frontend:2.1.0 --platform linux/amd64")]
    Verify {
        /// Image
        #[arg(value_name = "GUN:TAG")]
        image: String,
        /// Only this one of a list's platforms
        #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
        platform: Option<String>,
    },
    /// Send an image from an OCI image layout to the registry: what is missing there, the tag last; it is not signed by that
    #[command(after_help = "Example:\n  claviger image push ./frontend sandbox.test/shop/frontend:2.2.0 --dry-run")]
    Push {
        /// Directory of the layout; with several images in it, the name of one behind a colon
        #[arg(value_name = "OCI-LAYOUT[:NAME]")]
        layout: PathBuf,
        /// What it will be called
        #[arg(value_name = "GUN:TAG")]
        image: String,
        /// Have a tag lead to it that leads to another image now
        #[arg(short, long)]
        yes: bool,
        /// Say what would be sent, and stop there
        #[arg(long, conflicts_with = "yes")]
        dry_run: bool,
        /// Go on only if the plan has this digest, which --dry-run prints
        #[arg(long, value_name = "DIGEST", conflicts_with = "dry_run")]
        expect: Option<String>,
    },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Remedy;
    use clap::CommandFactory as _;

    #[test]
    fn every_remedy_that_is_offered_is_a_command() {
        let all = Arguments::command();
        for offered in Remedy::OFFERED {
            let found = offered.split(' ').try_fold(&all, |command, word| command.find_subcommand(word));
            assert!(found.is_some_and(|c| !c.has_subcommands()), "there is no command `claviger {offered}`");
        }
    }
}
