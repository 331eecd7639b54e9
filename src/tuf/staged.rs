//! Changes that wait to be published, as the old tools write them down (protocol 12.1, 12.2).
use super::{
    Malformed,
    change::{Change, Delegate},
    fields::{self, Fields},
    file_meta::FileMeta,
    json::{JsonError, Value, ordinary},
    name::{KeyId, RoleName},
    role_keys::{key_value, read_key},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::fmt;

/// Most bytes of one change that are read.
pub const CHANGE: u64 = 4 << 20;

/// What waits.
#[derive(Debug, Clone, PartialEq)]
pub enum Staged {
    /// One change.
    Change(Change),
    /// Keys go out of every role that names them.
    Purge(Vec<KeyId>),
}

/// Why a change cannot be read, or cannot wait.
#[derive(Debug, thiserror::Error)]
pub enum StagedError {
    /// It is no JSON.
    #[error("{0}")]
    Json(#[from] JsonError),
    /// It is not a change.
    #[error("{0}")]
    Malformed(#[from] Malformed),
    /// It is one that cannot wait: other tools would not understand it.
    #[error("{0} cannot wait to be published")]
    NotStaged(&'static str),
    /// It is one that is not understood.
    #[error("it is a change of a kind that is never staged")]
    Unknown,
}

/// The role that stands for all below `targets`.
const WILDCARD: &str = "targets/*";

impl Staged {
    /// Reads one.
    ///
    /// # Errors
    /// [`StagedError`]
    pub fn read(bytes: &[u8]) -> Result<Self, StagedError> {
        let value = Value::parse(bytes)?;
        let f = Fields::open(&value, "change", &["action", "data", "path", "role", "type"])?;
        let (action, role, kind) = (f.text("action")?, f.text("role")?, f.text("type")?);
        let path = match f.find("path") {
            None | Some(Value::Null) => "",
            Some(v) => fields::text(v, "path")?,
        };
        let data = match f.find("data") {
            None | Some(Value::Null) => None,
            Some(v) => Some(fields::base64(fields::text(v, "data")?, "data")?),
        };
        let data = data.as_deref().map(Value::parse).transpose()?;
        if let ("delegation", "update", WILDCARD, Some(data)) = (kind, action, role, &data) {
            let edit = Fields::open(data, "data", EDIT)?;
            return Ok(Self::Purge(ids(&edit)?));
        }
        let role = RoleName::new(role).map_err(|_| Malformed::Value("role", "it is no role's name"))?;
        Ok(Self::Change(match (kind, action, data) {
            ("target", "create" | "update", Some(meta)) => {
                Change::Sign { role, name: path.to_owned(), meta: FileMeta::read(&meta)? }
            }
            ("target", "delete", _) => Change::Unsign { role, name: path.to_owned() },
            ("delegation", "create" | "update", Some(data)) => {
                Change::Delegate(delegate(role, &Fields::open(&data, "data", EDIT)?, action == "create")?)
            }
            ("delegation", "delete", _) => Change::Undelegate(role),
            ("witness", "update", _) => Change::Witness(role),
            _ => return Err(StagedError::Unknown),
        }))
    }

    /// Writes it as the old tools would: sometimes as two.
    ///
    /// # Errors
    /// [`StagedError::NotStaged`] for one that they never stage.
    pub fn write(&self, is_new: impl Fn(&RoleName) -> bool) -> Result<Vec<Vec<u8>>, StagedError> {
        let one = |action, role: &str, kind, path: &str, data: Option<Value<'static>>| {
            let data = match data {
                None => Value::Null,
                Some(data) => fields::string(STANDARD.encode(ordinary(&data))),
            };
            let members = [
                ("action", fields::string(action)),
                ("role", fields::string(role)),
                ("type", fields::string(kind)),
                ("path", fields::string(path)),
                ("data", data),
            ];
            ordinary(&fields::object(members))
        };
        Ok(match self {
            Self::Purge(ids) => vec![one("update", WILDCARD, "delegation", "", Some(edit([("remove_keys", hexes(ids))])))],
            Self::Change(change) => match change {
                Change::Sign { role, name, meta } => vec![one("create", role.as_str(), "target", name, Some(meta.value()))],
                Change::Unsign { role, name } => vec![one("delete", role.as_str(), "target", name, None)],
                Change::Undelegate(role) => vec![one("delete", role.as_str(), "delegation", "", None)],
                Change::Witness(role) => vec![one("update", role.as_str(), "witness", "", None)],
                Change::Keys { .. } => return Err(StagedError::NotStaged("a rotation")),
                Change::Renew { .. } => return Err(StagedError::NotStaged("another end")),
                Change::Delegate(d) => {
                    let role = d.role.as_str();
                    let keys = Value::List(d.add_keys.iter().map(key_value).collect());
                    let paths = strings(&d.add_paths);
                    match is_new(&d.role) {
                        true => {
                            let threshold = i64::try_from(d.threshold.unwrap_or(1)).unwrap_or(i64::MAX);
                            let first = edit([("threshold", Value::Int(threshold)), ("add_keys", keys)]);
                            vec![
                                one("create", role, "delegation", "", Some(first)),
                                one("create", role, "delegation", "", Some(edit([("add_paths", paths)]))),
                            ]
                        }
                        false if d.threshold.is_some() => {
                            return Err(StagedError::NotStaged("another threshold of a role that is there"));
                        }
                        false => {
                            let all = [
                                ("add_keys", keys),
                                ("remove_keys", hexes(&d.remove_keys)),
                                ("add_paths", paths),
                                ("remove_paths", strings(&d.remove_paths)),
                                ("clear_paths", Value::Bool(d.clear_paths)),
                            ];
                            vec![one("update", role, "delegation", "", Some(edit(all)))]
                        }
                    }
                }
            },
        })
    }
}

/// Members of a change of a delegation.
const EDIT: &[&str] = &["add_keys", "add_paths", "clear_paths", "new_name", "remove_keys", "remove_paths", "threshold"];

/// Leaves out what says nothing.
fn edit<const N: usize>(members: [(&'static str, Value<'static>); N]) -> Value<'static> {
    let says = |v: &Value<'_>| !matches!(v, Value::Bool(false)) && !matches!(v, Value::List(all) if all.is_empty());
    Value::Object(members.into_iter().filter(|(_, v)| says(v)).map(|(n, v)| (n.into(), v)).collect())
}

fn strings(all: &[String]) -> Value<'static> {
    Value::List(all.iter().map(|s| fields::string(s.clone())).collect())
}

fn hexes(ids: &[KeyId]) -> Value<'static> {
    Value::List(ids.iter().map(|id| fields::string(id.hex())).collect())
}

fn items<'v, 'a>(edit: &Fields<'v, 'a>, name: &'static str) -> Result<&'v [Value<'a>], Malformed> {
    Ok(edit.find(name).map(|v| fields::elements(v, name)).transpose()?.flatten().unwrap_or_default())
}

fn ids(edit: &Fields<'_, '_>) -> Result<Vec<KeyId>, Malformed> {
    let id = |v: &Value<'_>| {
        KeyId::new(fields::text(v, "remove_keys")?).map_err(|_| Malformed::Value("remove_keys", "it is no key ID"))
    };
    items(edit, "remove_keys")?.iter().map(id).collect()
}

fn paths(edit: &Fields<'_, '_>, name: &'static str) -> Result<Vec<String>, Malformed> {
    items(edit, name)?.iter().map(|v| fields::text(v, name).map(str::to_owned)).collect()
}

fn delegate(role: RoleName, edit: &Fields<'_, '_>, creates: bool) -> Result<Delegate, Malformed> {
    let mut d = Delegate::to(role);
    d.add_keys = items(edit, "add_keys")?.iter().map(read_key).collect::<Result<_, _>>()?;
    d.add_paths = paths(edit, "add_paths")?;
    d.remove_keys = ids(edit)?;
    d.remove_paths = paths(edit, "remove_paths")?;
    d.clear_paths = matches!(edit.find("clear_paths"), Some(Value::Bool(true)));
    // Where a role is there, the old tools keep its threshold whatever a change says.
    if creates && let Some(Value::Int(n)) = edit.find("threshold") {
        d.threshold = u64::try_from(*n).ok().filter(|n| *n > 0);
    }
    Ok(d)
}

impl fmt::Display for Staged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |name: &str| crate::text::Untrusted::new(name).shown().to_string();
        match self {
            Self::Purge(ids) => write!(f, "{} out of every role", hexed(ids)),
            Self::Change(Change::Sign { role, name, meta }) => {
                write!(f, "{role} signs {} as ", shown(name))?;
                match meta.sha256() {
                    Some(digest) => write!(f, "sha256:{} ({} bytes)", base16ct::lower::encode_string(&digest), meta.length),
                    None => write!(f, "something without a SHA-256 ({} bytes)", meta.length),
                }
            }
            Self::Change(Change::Unsign { role, name }) => write!(f, "{role} does not sign {} any more", shown(name)),
            Self::Change(Change::Undelegate(role)) => write!(f, "the role {role} goes"),
            Self::Change(Change::Witness(role)) => write!(f, "{role} is signed again"),
            Self::Change(Change::Keys { role, .. }) => write!(f, "other keys for {}", role.as_str()),
            Self::Change(Change::Renew { role, .. }) => write!(f, "another end for {role}"),
            Self::Change(Change::Delegate(d)) => {
                let mut all = Vec::new();
                let keys: Vec<KeyId> = d.add_keys.iter().map(super::key::PublicKey::canonical_id).collect();
                let quoted = |paths: &[String]| paths.iter().map(|p| format!("\"{}\"", shown(p))).collect::<Vec<_>>().join(", ");
                for (says, what) in [("key", hexed(&keys)), ("may sign", quoted(&d.add_paths))] {
                    if !what.is_empty() {
                        all.push(format!("+ {says} {what}"));
                    }
                }
                for (says, what) in [("key", hexed(&d.remove_keys)), ("may sign", quoted(&d.remove_paths))] {
                    if !what.is_empty() {
                        all.push(format!("- {says} {what}"));
                    }
                }
                if d.clear_paths {
                    all.push("- all paths".to_owned());
                }
                write!(f, "{}: {}", d.role, all.join("; "))
            }
        }
    }
}

fn hexed(ids: &[KeyId]) -> String {
    ids.iter().map(KeyId::hex).collect::<Vec<_>>().join(", ")
}
