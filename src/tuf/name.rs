//! Names whose constructors validate: [`Gun`], [`RoleName`], [`KeyId`].
use super::limits;
use crate::text;
use std::{fmt, sync::Arc};

/// Why a name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing there.
    #[error("the name is empty")]
    Empty,
    /// Over the limit, in bytes.
    #[error("the name is longer than {0} bytes")]
    TooLong(usize),
    /// `.`, `..`, an empty component, or a leading or trailing slash: the name could leave its directory.
    #[error("the name has a component that is empty, \".\" or \"..\"")]
    Climbs,
    /// A character that a path, a URL or a terminal would read as something else.
    #[error("the name contains the character {0}")]
    Character(String),
    /// Not one of the roles of protocol 5.4.
    #[error("this is no role: a role is root, targets, snapshot, timestamp or targets/… in lower case letters, digits, - and _")]
    NotARole,
    /// Not 64 lower-case hexadecimal digits.
    #[error("a key ID has 64 lower-case hexadecimal digits")]
    NotAKeyId,
}

/// The globally unique name of a collection, for instance `docker.io/library/alpine`.
///
/// A GUN is used as a path below the trust directory and in URLs, so one that could climb (`../`) or that holds
/// unprintable characters cannot be made.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gun(Arc<str>);

impl Gun {
    /// Checks a name, taken verbatim.
    pub fn new(name: &str) -> Result<Self, NameError> {
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.len() > limits::GUN {
            return Err(NameError::TooLong(limits::GUN));
        }
        if let Some(c) = name.chars().find(|c| !text::is_plain(*c) || matches!(c, '\\' | '*' | '?' | '#' | '%' | '"' | ' ')) {
            return Err(NameError::Character(format!("{:?}", text::escape(&c.to_string()))));
        }
        for part in name.split('/') {
            if part.is_empty() || part == "." || part == ".." {
                return Err(NameError::Climbs);
            }
            if part.len() > limits::GUN_COMPONENT {
                return Err(NameError::TooLong(limits::GUN_COMPONENT));
            }
            // Names of our server's own paths and of the cache layout would make two GUNs share files.
            if matches!(part, "_trust" | "metadata" | "changelist") {
                return Err(NameError::Character(format!("the reserved component {part:?}")));
            }
        }
        Ok(Self(name.into()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name as a word of a command that somebody may copy into a shell.
    pub fn word(&self) -> String {
        text::shell_word(self.0.as_bytes())
    }
}

/// The four roles of every repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BaseRole {
    /// Names the keys of the other three and of itself.
    Root,
    /// What is signed, and who else may sign.
    Targets,
    /// Which versions belong together.
    Snapshot,
    /// That this is the newest snapshot.
    Timestamp,
}

impl BaseRole {
    /// All four, root first.
    pub const ALL: [BaseRole; 4] = [Self::Root, Self::Targets, Self::Snapshot, Self::Timestamp];

    /// The name in metadata.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Targets => "targets",
            Self::Snapshot => "snapshot",
            Self::Timestamp => "timestamp",
        }
    }
}

/// A role: one of the four base roles, or a delegation below `targets`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleName(Arc<str>);

impl RoleName {
    /// Checks a name (protocol 5.4).
    pub fn new(name: &str) -> Result<Self, NameError> {
        if name.is_empty() {
            return Err(NameError::Empty);
        }
        if name.len() > limits::ROLE_NAME {
            return Err(NameError::TooLong(limits::ROLE_NAME));
        }
        let base = BaseRole::ALL.iter().any(|b| b.as_str() == name);
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '/');
        let delegation = name.starts_with("targets/") && name.chars().all(legal) && name.split('/').all(|p| !p.is_empty());
        if base || delegation { Ok(Self(name.into())) } else { Err(NameError::NotARole) }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Which base role this is, if it is one.
    pub fn base(&self) -> Option<BaseRole> {
        BaseRole::ALL.into_iter().find(|b| b.as_str() == self.as_str())
    }

    /// Whether this is `targets/…`.
    pub fn is_delegation(&self) -> bool {
        self.0.starts_with("targets/")
    }

    /// The role that delegates to this one; none for a base role.
    pub fn parent(&self) -> Option<RoleName> {
        if !self.is_delegation() {
            return None;
        }
        self.0.rsplit_once('/').map(|(p, _)| Self(p.into()))
    }

    /// The role directly below `targets` that this one is or is below; none for a base role.
    pub fn branch(&self) -> Option<RoleName> {
        let below = self.0.strip_prefix("targets/")?;
        let length = self.0.len() - below.len() + below.find('/').unwrap_or(below.len());
        self.0.get(..length).map(|b| Self(b.into()))
    }

    /// Whether this role is delegated to by `parent` directly.
    pub fn is_child_of(&self, parent: &RoleName) -> bool {
        self.parent().as_ref() == Some(parent)
    }
}

impl From<BaseRole> for RoleName {
    fn from(b: BaseRole) -> Self {
        Self(b.as_str().into())
    }
}

/// The ID of a key: SHA-256, shown as 64 lower-case hexadecimal digits (protocol 3.2).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId([u8; 32]);

impl KeyId {
    /// Reads 64 lower-case hexadecimal digits.
    pub fn new(hex: &str) -> Result<Self, NameError> {
        let mut out = [0u8; 32];
        match base16ct::lower::decode(hex, &mut out) {
            Ok(d) if d.len() == 32 => Ok(Self(out)),
            _ => Err(NameError::NotAKeyId),
        }
    }

    /// Takes a digest.
    pub fn from_digest(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The 64 digits.
    pub fn hex(&self) -> String {
        base16ct::lower::encode_string(&self.0)
    }

    /// The first twelve digits, as `docker trust` shows them.
    pub fn short(&self) -> String {
        self.hex().chars().take(12).collect()
    }
}

macro_rules! show {
    ($t:ty, $s:expr) => {
        impl fmt::Display for $t {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                #[allow(clippy::redundant_closure_call)]
                f.pad(&$s(self))
            }
        }
        impl fmt::Debug for $t {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                #[allow(clippy::redundant_closure_call)]
                f.write_str(&$s(self))
            }
        }
    };
}
show!(Gun, |s: &Gun| s.0.to_string());
show!(RoleName, |s: &RoleName| s.0.to_string());
show!(KeyId, |s: &KeyId| s.hex());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gun_that_climbs_cannot_be_made() {
        for s in ["../x", "a/../b", "/etc", "a//b", "a/", ".", "..", "a/.", "./a", "../../../../tmp/reverse"] {
            assert_eq!(Gun::new(s), Err(NameError::Climbs), "{s}");
        }
    }

    #[test]
    fn a_gun_holds_only_printable_characters() {
        for s in ["a\u{1b}[2J", "a\nb", "a\u{202e}b", "a\\b", "a*", "a\0b", "a?b", "a%2fb", "a b"] {
            assert!(matches!(Gun::new(s), Err(NameError::Character(_))), "{s:?}");
        }
        for s in ["alpine", "localhost:5000/lab/app", "registry.lab.example/gold/app", "büro/é", "a/...", "A_b-c.d"] {
            assert!(Gun::new(s).is_ok(), "{s}");
        }
    }

    #[test]
    fn a_gun_has_a_longest_length() {
        let long = |n: usize| "a/".repeat(n / 2 - 1) + "aa";
        assert!(Gun::new(&long(limits::GUN)).is_ok());
        assert!(Gun::new(&long(limits::GUN + 2)).is_err());
        assert!(Gun::new(&"a".repeat(limits::GUN_COMPONENT)).is_ok());
        assert!(Gun::new(&"a".repeat(limits::GUN_COMPONENT + 1)).is_err());
    }

    #[test]
    fn a_role_is_one_of_the_protocol() {
        for s in ["root", "targets", "snapshot", "timestamp", "targets/a", "targets/releases/x-1_2"] {
            assert!(RoleName::new(s).is_ok(), "{s}");
        }
        for s in [
            "",
            "Root",
            "targets/",
            "targets//a",
            "targets/../root",
            "targets/A",
            "targets/a/",
            "bogus",
            "root/a",
            "targets/é",
            "targets/.",
            "targets/a.b",
        ] {
            assert!(RoleName::new(s).is_err(), "{s}");
        }
        let at = format!("targets/{}", "a".repeat(limits::ROLE_NAME - 8));
        assert!(RoleName::new(&at).is_ok());
        assert!(RoleName::new(&format!("{at}a")).is_err());
    }

    #[test]
    fn the_parent_of_a_delegation_is_the_role_above() {
        let r = |s| RoleName::new(s).unwrap();
        assert_eq!(r("targets/a/b").parent(), Some(r("targets/a")));
        assert_eq!(r("targets/a").parent(), Some(r("targets")));
        assert_eq!(r("targets").parent(), None);
        assert!(!r("targets/a/b").is_child_of(&r("targets")));
    }

    #[test]
    fn a_key_id_has_64_lower_case_digits() {
        let id = "f628d9e48b1f6815a0e4f59be73b40ae68359717d2737c8b479e99fd36101117";
        assert_eq!(KeyId::new(id).unwrap().hex(), id);
        assert_eq!(KeyId::new(id).unwrap().short(), "f628d9e48b1f");
        for s in ["", &id[1..], &id.to_uppercase(), &format!("{id}0"), &format!("{id}00"), "../root"] {
            assert!(KeyId::new(s).is_err(), "{s}");
        }
    }
}
