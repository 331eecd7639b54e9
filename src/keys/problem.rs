//! Everything that can be wrong with a key file, each with its stable code. The listing shows them; nothing here reads
//! or writes.
use crate::{
    finding::{Finding, Severity},
    keys::ITERATIONS,
    text::Untrusted,
    trust_dir::WalkProblem,
    tuf::{key::Algorithm, name::KeyId},
};

/// The codes, for scripts and tests.
pub mod code {
    /// RSA below 2048 bits, or P-224: never signs.
    pub const WEAK_KEY: &str = "weak-key";
    /// No passphrase protects the key.
    pub const UNENCRYPTED: &str = "unencrypted";
    /// What is in the file is another key than its name says.
    pub const WRONG_CONTENT: &str = "wrong-content";
    /// Others may read or change the file.
    pub const OPEN_TO_OTHERS: &str = "open-to-others";
    /// Others may read or change a directory.
    pub const DIRECTORY_OPEN_TO_OTHERS: &str = "directory-open-to-others";
    /// A symbolic link.
    pub const SYMLINK: &str = "symlink";
    /// The system refuses to read it.
    pub const UNREADABLE: &str = "unreadable";
    /// A directory that cannot be looked into.
    pub const DIRECTORY_UNREADABLE: &str = "directory-unreadable";
    /// Nothing in it.
    pub const EMPTY: &str = "empty";
    /// PEM or DER that is no key.
    pub const DAMAGED: &str = "damaged";
    /// Larger than a key can be.
    pub const OVERSIZED: &str = "oversized";
    /// A directory, pipe, socket or device.
    pub const NOT_A_FILE: &str = "not-a-file";
    /// A PEM block that is no private key.
    pub const NOT_A_KEY: &str = "not-a-private-key";
    /// The name is no key ID.
    pub const NAME: &str = "name-is-no-id";
    /// More than one file for one ID.
    pub const DUPLICATE: &str = "duplicate-id";
    /// In a directory where Notary lists keys but cannot use them.
    pub const SUBDIRECTORY: &str = "in-subdirectory";
    /// In a layout of Notary before 0.4.
    pub const LEGACY_LAYOUT: &str = "legacy-layout";
    /// No role.
    pub const ROLE_MISSING: &str = "role-missing";
    /// A role that cannot be one.
    pub const ROLE_UNKNOWN: &str = "role-unknown";
    /// A key of targets, snapshot or timestamp that names no repository.
    pub const GUN_MISSING: &str = "gun-missing";
    /// A GUN that cannot be one.
    pub const GUN_INVALID: &str = "gun-invalid";
    /// A passphrase that is cheap to guess.
    pub const WEAK_DERIVATION: &str = "weak-key-derivation";
    /// A passphrase that would take minutes to try.
    pub const ITERATIONS: &str = "too-many-iterations";
    /// Lengths that make Notary crash.
    pub const CRASHES_NOTARY: &str = "crashes-notary";
    /// Fine here, and of no use to Notary and docker.
    pub const NOT_FOR_NOTARY: &str = "unreadable-by-notary";
    /// An encryption or a kind of key that is not supported here.
    pub const UNSUPPORTED: &str = "unsupported";
    /// More than one PEM block.
    pub const MORE_BLOCKS: &str = "more-than-one-block";
}

use Severity::{Error, Info, Warn};

/// Name of the command that moves old layouts.
const MIGRATE: &str = "key migrate";
/// Name of the command that encrypts a key anew.
const PASSWD: &str = "key passwd";
/// Name of the command that encrypts every key as strongly as a new one.
const STRENGTHEN: &str = "key strengthen";
/// Name of the command that mends permissions.
const MEND: &str = "key mend";

pub(super) fn weak_key(algorithm: Algorithm) -> Finding {
    Finding::new(code::WEAK_KEY, Error, format!("{algorithm} is too weak: this key is shown and never signs"))
}
pub(super) fn unencrypted() -> Finding {
    Finding::new(code::UNENCRYPTED, Warn, "no passphrase protects this key: whoever reads the file can sign with it")
        .with_remedy(PASSWD)
}
pub(super) fn wrong_content(content: KeyId) -> Finding {
    Finding::new(code::WRONG_CONTENT, Error, format!("the file holds another key than its name says: {content}"))
}
pub(super) fn open_to_others(mode: u32, encrypted: bool) -> Finding {
    let can = if mode & 0o022 != 0 { "change" } else { "read" };
    let severity = if encrypted && mode & 0o022 == 0 { Warn } else { Error };
    Finding::new(code::OPEN_TO_OTHERS, severity, format!("others can {can} this file (mode {mode:04o}); chmod 600 mends it"))
        .with_remedy(MEND)
}
pub(super) fn symlink() -> Finding {
    Finding::new(code::SYMLINK, Warn, "it is a symbolic link: notary does not see such a key, and it was not followed")
}
pub(super) fn unreadable(why: &str) -> Finding {
    Finding::new(code::UNREADABLE, Error, format!("it cannot be read: {why}"))
}
pub(super) fn empty() -> Finding {
    Finding::new(code::EMPTY, Error, "the file is empty: if this was a key, only a backup has it")
}
pub(super) fn damaged(why: &str) -> Finding {
    Finding::new(code::DAMAGED, Error, format!("damaged: {why}"))
}
pub(super) fn oversized(size: u64) -> Finding {
    Finding::new(code::OVERSIZED, Error, format!("the file has {size} bytes, which no key has; it was not read"))
}
pub(super) fn not_a_file() -> Finding {
    Finding::new(code::NOT_A_FILE, Error, "it is named like a key and is not a regular file")
}
pub(super) fn not_a_key(label: &str) -> Finding {
    let label = Untrusted::new(label).shown();
    Finding::new(code::NOT_A_KEY, Error, format!("its first PEM block is \"{label}\", not a private key; notary ignores it"))
}
pub(super) fn name() -> Finding {
    Finding::new(code::NAME, Warn, "the file's name is no key ID, so nothing can find this key by its ID")
}
pub(super) fn duplicate(others: usize) -> Finding {
    let files = if others == 1 { "another file has".to_owned() } else { format!("{others} other files have") };
    Finding::new(code::DUPLICATE, Warn, format!("{files} the same key ID"))
}
pub(super) fn subdirectory() -> Finding {
    Finding::new(
        code::SUBDIRECTORY,
        Warn,
        "it is in a subdirectory: notary lists it and can never use it; it belongs directly in private/",
    )
}
pub(super) fn legacy_layout(loses_role: bool) -> Finding {
    let loss = if loses_role { "; notary's own move would forget that this is a root key" } else { "" };
    Finding::new(code::LEGACY_LAYOUT, Warn, format!("it lies where notary before 0.4 kept keys{loss}")).with_remedy(MIGRATE)
}
pub(super) fn role_missing() -> Finding {
    Finding::new(
        code::ROLE_MISSING,
        Warn,
        "the file does not say which role the key has: notary cannot find it as a root or targets key",
    )
}
pub(super) fn role_unknown(role: &Untrusted) -> Finding {
    Finding::new(code::ROLE_UNKNOWN, Warn, format!("\"{}\" is no role and no signer's name", role.shown()))
}
pub(super) fn gun_missing(role: &str) -> Finding {
    Finding::new(code::GUN_MISSING, Warn, format!("a {role} key belongs to a repository, and the file does not say to which"))
}
pub(super) fn gun_invalid(gun: &Untrusted, why: &str) -> Finding {
    Finding::new(code::GUN_INVALID, Error, format!("\"{}\" cannot be a repository's name: {why}", gun.shown()))
}
pub(super) fn weak_derivation(iterations: u64) -> Finding {
    let text = format!(
        "weak key derivation: guessing the passphrase costs {iterations} rounds a try; claviger writes {ITERATIONS} or more"
    );
    Finding::new(code::WEAK_DERIVATION, Info, text).with_remedy(STRENGTHEN)
}
pub(super) fn old_encryption() -> Finding {
    let text = "the encryption of old PEM files: guessing the passphrase costs one round of MD5 a try";
    Finding::new(code::WEAK_DERIVATION, Warn, text).with_remedy(STRENGTHEN)
}
pub(super) fn iterations(count: u64) -> Finding {
    let text = format!("it asks for {count} rounds of key derivation; at most {} are done", super::MAX_ITERATIONS);
    Finding::new(code::ITERATIONS, Error, text)
}
pub(super) fn crashes_notary() -> Finding {
    let text =
        "the encrypted part or its vector has an impossible length: the key cannot be opened, and notary and docker crash on it";
    Finding::new(code::CRASHES_NOTARY, Error, text)
}
pub(super) fn not_for_notary(what: &str) -> Finding {
    Finding::new(code::NOT_FOR_NOTARY, Warn, format!("notary and docker cannot read this key: it uses {what}"))
        .with_remedy(PASSWD)
}
pub(super) fn unsupported(what: &str) -> Finding {
    Finding::new(code::UNSUPPORTED, Error, format!("it uses {what}, which neither notary nor claviger reads"))
}
pub(super) fn more_blocks() -> Finding {
    Finding::new(code::MORE_BLOCKS, Info, "it has more than one PEM block; only the first counts")
}

/// What stood in the way of a walk, as a finding about the listing as a whole.
pub(super) fn walk(problem: &WalkProblem) -> Finding {
    match problem {
        WalkProblem::Unreadable { path, why } => {
            Finding::new(code::DIRECTORY_UNREADABLE, Error, format!("{path} cannot be read, so keys in it are not listed: {why}"))
        }
        WalkProblem::OpenToOthers { path, mode } => {
            let (can, severity) = if mode & 0o022 != 0 { ("change", Error) } else { ("look into", Warn) };
            let text = format!("others can {can} {path} (mode {mode:04o}); chmod 700 mends it");
            Finding::new(code::DIRECTORY_OPEN_TO_OTHERS, severity, text).with_remedy(MEND)
        }
        WalkProblem::PrivateIsALink { path } => {
            let text = format!("{path} is a symbolic link: notary sees no keys behind it, and it was not followed");
            Finding::new(code::SYMLINK, Error, text)
        }
        WalkProblem::TooDeep { path } => {
            Finding::new(code::DIRECTORY_UNREADABLE, Error, format!("{path} is nested too deeply; keys in it are not listed"))
        }
    }
}
