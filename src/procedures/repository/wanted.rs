//! What somebody wants of repositories, as it is written down: whoever goes on with it after an interruption wants the same.
use crate::{
    failure::Failure,
    tuf::name::{BaseRole, Gun, KeyId, RoleName},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// What somebody wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Wanted {
    /// A tag stands for an image.
    Sign {
        /// The repository.
        gun: String,
        /// The tag.
        tag: String,
        /// The SHA-256 of the manifest, in hexadecimal digits.
        sha256: String,
        /// The manifest's size.
        size: i64,
        /// Whose role signs; none for everybody whose key is here.
        signer: Option<String>,
    },
    /// A tag stands for nothing any more; without one, no tag does.
    Revoke {
        /// The repository.
        gun: String,
        /// The tag.
        tag: Option<String>,
    },
    /// Somebody may sign.
    AddSigner {
        /// The repositories.
        guns: Vec<String>,
        /// The name.
        name: String,
        /// Files as they were given: certificates and public keys in PEM.
        keys: Vec<String>,
    },
    /// Somebody may not sign any more; or only a key of theirs.
    RemoveSigner {
        /// The repositories.
        guns: Vec<String>,
        /// The name.
        name: String,
        /// The key, by the ID of its file.
        key: Option<String>,
    },
    /// A role gets keys and paths; it is made if it is not there.
    AddDelegation {
        /// The repository.
        gun: String,
        /// The role.
        role: String,
        /// Files as they were given: certificates and public keys in PEM.
        keys: Vec<String>,
        /// Prefixes that it may sign.
        paths: Vec<String>,
        /// How many of its keys must sign.
        threshold: Option<u64>,
    },
    /// A role loses keys and paths; with none named, the whole role goes.
    RemoveDelegation {
        /// The repository.
        gun: String,
        /// The role.
        role: String,
        /// Keys, by the IDs of their files.
        keys: Vec<String>,
        /// Prefixes.
        paths: Vec<String>,
        /// Whether all its prefixes go.
        all_paths: bool,
    },
    /// Keys go out of every role that names them.
    Purge {
        /// The repository.
        gun: String,
        /// Keys, by the IDs of their files.
        keys: Vec<String>,
    },
    /// Roles are signed again as they are.
    Witness {
        /// The repository.
        gun: String,
        /// The roles.
        roles: Vec<String>,
    },
    /// A role gets another key.
    Rotate(Rotation),
    /// A root key comes beside the others, or one goes, or more or fewer of them must sign.
    RootKeys(RootKeys),
    /// A repository is begun.
    Begin(Beginning),
    /// A repository is forgotten.
    Delete(Deletion),
    /// Somebody, or a key, goes out of every role that knows them.
    Leave {
        /// The repositories.
        guns: Vec<String>,
        /// The signer's name, or the ID of a key.
        who: String,
    },
    /// What was staged is published.
    Publish {
        /// The repository.
        gun: String,
    },
    /// This, and what was staged stays staged.
    Only(Box<Wanted>),
    /// This is staged, and nothing is published.
    Stage(Box<Wanted>),
    /// Staged changes are thrown away.
    Reset {
        /// The repository.
        gun: String,
        /// The names of their files.
        names: Vec<String>,
    },
    /// Roles are signed again, for longer.
    Renew {
        /// The repository.
        gun: String,
        /// The roles; none for those that have expired or will within half a year.
        roles: Vec<String>,
        /// Their end.
        until: Option<Timestamp>,
    },
}

/// Another key for a role; which goes and which comes is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rotation {
    /// The repository.
    pub gun: String,
    /// The role.
    pub role: String,
}

/// What becomes of root keys; which comes is asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootKeys {
    /// The repository.
    pub gun: String,
    /// What.
    pub act: RootAct,
}

/// What can become of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RootAct {
    /// One comes beside those that are there.
    Add,
    /// One goes, and at least one stays.
    Remove {
        /// The ID of its file; empty to be asked.
        key: String,
    },
    /// More or fewer of them must sign.
    Threshold,
}

impl RootKeys {
    /// The repository.
    pub fn gun(&self) -> Result<Gun, Failure> {
        usage(named(&self.gun))
    }
}

/// A repository that is begun; its root key is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Beginning {
    /// The repository.
    pub gun: String,
    /// Who may sign in it from its beginning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<NewSigner>,
}

/// Somebody who may sign from the beginning.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewSigner {
    /// The name; empty to be asked.
    pub name: String,
    /// Files as they were given: certificates and public keys in PEM.
    pub keys: Vec<String>,
}

/// A repository that is forgotten.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deletion {
    /// The repository.
    pub gun: String,
    /// Whether the server deletes it too.
    pub remote: bool,
}

impl Deletion {
    /// The repository.
    pub fn gun(&self) -> Result<Gun, Failure> {
        usage(named(&self.gun))
    }
}

impl Rotation {
    /// The repository.
    pub fn gun(&self) -> Result<Gun, Failure> {
        usage(named(&self.gun))
    }
}

impl Beginning {
    /// The repository.
    pub fn gun(&self) -> Result<Gun, Failure> {
        usage(named(&self.gun))
    }
}

fn named(gun: &str) -> Result<Gun, String> {
    Gun::new(gun).map_err(|e| format!("{} is no repository: {e}", crate::text::Untrusted::new(gun).shown()))
}

/// What was typed wrongly.
pub fn usage<T>(result: Result<T, String>) -> Result<T, Failure> {
    result.map_err(|why| Failure::new("usage", why, super::NOTHING, "").exit(2))
}

impl Wanted {
    /// Whether this removes something, and could not be planned because it is not there.
    pub fn has_gone(&self, failure: &Failure) -> bool {
        const GONE: [&str; 5] = ["no-such-signer", "no-such-tag", "no-such-role", "no-such-key", "no-such-path"];
        let removes_one = match self {
            Self::Revoke { .. } | Self::RemoveSigner { .. } | Self::Purge { .. } | Self::Leave { .. } => true,
            // Of several things, one may be there still.
            Self::RemoveDelegation { keys, paths, .. } => keys.len() + paths.len() <= 1,
            _ => false,
        };
        removes_one && GONE.contains(&failure.code)
    }

    /// The command that does it.
    pub fn command(&self) -> &'static str {
        match self {
            Self::Sign { .. } => "sign",
            Self::Revoke { .. } => "revoke",
            Self::AddSigner { .. } => "signer add",
            Self::RemoveSigner { .. } => "signer remove",
            Self::AddDelegation { .. } => "delegation add",
            Self::RemoveDelegation { .. } => "delegation remove",
            Self::Purge { .. } => "delegation purge",
            Self::Witness { .. } => "witness",
            Self::Renew { .. } => "renew",
            Self::Rotate(_) => "key rotate",
            Self::RootKeys(RootKeys { act: RootAct::Add, .. }) => "root-key add",
            Self::RootKeys(RootKeys { act: RootAct::Remove { .. }, .. }) => "root-key remove",
            Self::RootKeys(RootKeys { act: RootAct::Threshold, .. }) => "root-key threshold",
            Self::Begin(Beginning { signer: Some(_), .. }) => "signer add",
            Self::Begin(_) => "init",
            Self::Delete(_) => "delete",
            Self::Leave { .. } => "signer leave",
            Self::Publish { .. } => "publish",
            Self::Reset { .. } => "reset",
            Self::Only(inner) | Self::Stage(inner) => inner.command(),
        }
    }

    /// What has not happened as long as nothing has.
    pub fn nothing(&self) -> &'static str {
        match self {
            Self::Reset { .. } => "nothing was thrown away",
            Self::Delete(_) => super::delete::NOTHING,
            Self::Stage(_) => "nothing was staged, signed or published",
            _ => super::NOTHING,
        }
    }

    /// What it is called on a screen.
    pub fn title(&self) -> &'static str {
        match self {
            Self::Sign { .. } => "Sign a tag",
            Self::Revoke { .. } => "Revoke",
            Self::AddSigner { .. } => "Add a signer",
            Self::RemoveSigner { .. } => "Remove a signer",
            Self::AddDelegation { .. } => "Delegate",
            Self::RemoveDelegation { .. } | Self::Purge { .. } => "Take a delegation back",
            Self::Witness { .. } => "Witness",
            Self::Renew { .. } => "Renew",
            Self::Rotate(_) => "Rotate a key",
            Self::RootKeys(RootKeys { act: RootAct::Add, .. }) => "Add a root key",
            Self::RootKeys(RootKeys { act: RootAct::Remove { .. }, .. }) => "Remove a root key",
            Self::RootKeys(RootKeys { act: RootAct::Threshold, .. }) => "How many sign the root",
            Self::Begin(_) => "A new repository",
            Self::Delete(_) => "Delete a repository",
            Self::Leave { .. } => "Somebody leaves",
            Self::Publish { .. } => "Publish what is staged",
            Self::Reset { .. } => "Throw staged changes away",
            Self::Only(inner) | Self::Stage(inner) => inner.title(),
        }
    }

    /// The repositories, as they are meant.
    pub fn guns(&self) -> Vec<Gun> {
        let one = |gun: &String| Gun::new(gun).ok().into_iter().collect();
        let mut seen = BTreeSet::new();
        match self {
            Self::Only(inner) | Self::Stage(inner) => inner.guns(),
            Self::AddSigner { guns, .. } | Self::RemoveSigner { guns, .. } | Self::Leave { guns, .. } => {
                guns.iter().filter(|g| seen.insert(g.as_str())).filter_map(|g| Gun::new(g).ok()).collect()
            }
            Self::Sign { gun, .. }
            | Self::Revoke { gun, .. }
            | Self::AddDelegation { gun, .. }
            | Self::RemoveDelegation { gun, .. }
            | Self::Purge { gun, .. }
            | Self::Witness { gun, .. }
            | Self::Renew { gun, .. }
            | Self::Rotate(Rotation { gun, .. })
            | Self::RootKeys(RootKeys { gun, .. })
            | Self::Begin(Beginning { gun, .. })
            | Self::Delete(Deletion { gun, .. })
            | Self::Publish { gun }
            | Self::Reset { gun, .. } => one(gun),
        }
    }

    /// Roles to which it delegates, and that may have been there before.
    pub(super) fn new_roles(&self) -> Vec<RoleName> {
        let named = |name: &str| RoleName::new(name).ok().into_iter().collect::<Vec<_>>();
        match self {
            Self::AddSigner { name, .. } => [named(&signer_role(name)), named(RELEASES)].concat(),
            Self::AddDelegation { role, .. } => named(role),
            Self::Only(inner) | Self::Stage(inner) => inner.new_roles(),
            _ => Vec::new(),
        }
    }

    /// What it takes from somebody, as a sentence.
    pub(super) fn takes(&self) -> Option<String> {
        match self {
            Self::RemoveSigner { guns, name, key: None } => Some(format!("{name} may not sign in {} any more.", guns.join(", "))),
            Self::RemoveSigner { guns, name, key: Some(id) } => {
                Some(format!("{name} may not sign with the key {id} in {} any more.", guns.join(", ")))
            }
            Self::Leave { guns, who } => Some(format!("{who} may not sign in {} any more.", guns.join(", "))),
            Self::Rotate(Rotation { gun, role }) if role == BaseRole::Root.as_str() => {
                Some(format!("{gun} has another root key from then on; whoever pins the old one refuses it."))
            }
            Self::RootKeys(RootKeys { gun, act }) => Some(match act {
                RootAct::Add => format!("Whoever holds the key that comes may sign the root of {gun}, which names all keys."),
                RootAct::Remove { .. } => {
                    format!("The key that goes signs no root of {gun} any more; whoever pins only that one refuses it.")
                }
                RootAct::Threshold => format!("From then on so many keys must sign each root of {gun}, whoever holds them."),
            }),
            _ => None,
        }
    }

    /// Whether it may take keys from a role.
    pub(super) fn takes_keys(&self) -> bool {
        match self {
            Self::Only(inner) => inner.takes_keys(),
            Self::RemoveSigner { .. } | Self::RemoveDelegation { .. } | Self::Purge { .. } => true,
            Self::Leave { .. } | Self::Publish { .. } => true,
            _ => false,
        }
    }

    /// What has to be typed where it breaks something.
    pub(super) fn typed(&self) -> String {
        match self {
            Self::RemoveSigner { name, .. } | Self::Leave { who: name, .. } => name.clone(),
            Self::Only(inner) | Self::Stage(inner) => inner.typed(),
            other => other.guns().first().map(ToString::to_string).unwrap_or_default(),
        }
    }
}

/// The role whose tags docker pulls.
pub const RELEASES: &str = "targets/releases";

/// The role of a signer.
pub fn signer_role(name: &str) -> String {
    format!("targets/{name}")
}

/// A role by its name.
pub fn role(name: &str) -> Result<RoleName, String> {
    RoleName::new(name).map_err(|e| format!("\"{}\": {e}", crate::text::Untrusted::new(name).shown()))
}

/// Key IDs, each whole.
pub fn ids(typed: &[String]) -> Result<Vec<KeyId>, String> {
    typed
        .iter()
        .map(|id| KeyId::new(id).map_err(|e| format!("{} is no key ID: {e}", crate::text::Untrusted::new(id.as_str()).shown())))
        .collect()
}

/// `targets`.
pub fn targets() -> RoleName {
    BaseRole::Targets.into()
}
