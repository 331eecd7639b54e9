//! Why metadata was refused. One variant per thing that can be wrong, so that an attack is named for what it is.
use super::{fields::Malformed, name::RoleName};
use jiff::Timestamp;

/// Why a file, and with it a collection or a part of one, is not trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Not the metadata it should be.
    #[error("the {role} file cannot be read: {why}")]
    Malformed {
        /// Whose file.
        role: RoleName,
        /// What is wrong with it.
        why: Malformed,
    },
    /// The server does not have the file, though it must exist.
    #[error("the server does not have the {role} file that the repository needs")]
    Missing {
        /// Whose file.
        role: RoleName,
    },
    /// The snapshot does not name the role.
    #[error("the snapshot does not name {role}")]
    NotListed {
        /// Which role.
        role: RoleName,
    },
    /// More bytes than the file may have.
    #[error("the {role} file is longer than the {limit} bytes it may have")]
    TooLong {
        /// Whose file.
        role: RoleName,
        /// The most it may have, in bytes.
        limit: u64,
    },
    /// The bytes are not those that another file vouches for.
    #[error("the {role} file is not the one that {named_by} vouches for (its hash differs)")]
    Checksum {
        /// Whose file.
        role: RoleName,
        /// Which file names the hash.
        named_by: RoleName,
    },
    /// Nobody signed.
    #[error("the {role} file has no signatures")]
    NoSignatures {
        /// Whose file.
        role: RoleName,
    },
    /// Too few good signatures.
    #[error("the {role} file has {have} good signatures by keys of that role and needs {need}")]
    Threshold {
        /// Whose file.
        role: RoleName,
        /// How many are needed.
        need: u64,
        /// How many distinct keys signed.
        have: u64,
    },
    /// Its time is over.
    #[error("the {role} file expired on {}", .at.strftime("%Y-%m-%d %H:%M UTC"))]
    Expired {
        /// Whose file.
        role: RoleName,
        /// When.
        at: Timestamp,
    },
    /// Older than what this machine has already seen.
    #[error("the {role} file has version {got}, but version {seen} was seen before: this is a rollback")]
    Rollback {
        /// Whose file.
        role: RoleName,
        /// What was seen before.
        seen: u64,
        /// What came now.
        got: u64,
    },
    /// The same version with other bytes than this machine has already seen.
    #[error("the {role} file with version {version} differs from the one seen before under the same version")]
    Equivocation {
        /// Whose file.
        role: RoleName,
        /// The version.
        version: u64,
    },
    /// A root file came under another version than it has.
    #[error("root version {wanted} was asked for and version {got} came")]
    WrongRootVersion {
        /// What was asked for.
        wanted: u64,
        /// What came.
        got: u64,
    },
    /// The new root is not signed by the keys of the one before.
    #[error("root version {to} is not signed by the keys of root version {from}")]
    RootRotation {
        /// The trusted root.
        from: u64,
        /// The one that does not follow from it.
        to: u64,
    },
    /// More root versions than are followed in one update.
    #[error("the newest root is {steps} versions ahead, more than {limit} are not followed")]
    TooManyRoots {
        /// How many lie between.
        steps: u64,
        /// How many are followed.
        limit: u64,
    },
    /// No root key has a certificate that names this repository and is valid.
    #[error("no root key has a valid certificate for this repository{}", .0.as_ref().map(|w| format!(": {w}")).unwrap_or_default())]
    RootCertificate(Option<String>),
    /// The root is not the one that the configuration pins.
    #[error("the root is not the one that the configuration pins for this repository")]
    NotPinned,
    /// There is no pin and no root seen before, and first use is not accepted.
    #[error("no root of this repository was seen before, none is pinned, and first use is switched off")]
    FirstUseOff,
}

impl Refusal {
    /// A stable name for scripts and for `docs/attacks.md`.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "malformed",
            Self::Missing { .. } => "missing",
            Self::NotListed { .. } => "not-listed",
            Self::TooLong { .. } => "too-long",
            Self::Checksum { .. } => "checksum",
            Self::NoSignatures { .. } => "no-signatures",
            Self::Threshold { .. } => "threshold",
            Self::Expired { .. } => "expired",
            Self::Rollback { .. } => "rollback",
            Self::Equivocation { .. } => "equivocation",
            Self::WrongRootVersion { .. } => "wrong-root-version",
            Self::RootRotation { .. } => "root-rotation",
            Self::TooManyRoots { .. } => "too-many-roots",
            Self::RootCertificate(_) => "root-certificate",
            Self::NotPinned => "not-pinned",
            Self::FirstUseOff => "first-use-off",
        }
    }
}
