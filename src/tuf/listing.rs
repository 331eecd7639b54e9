//! Snapshot and timestamp: which files belong together, and that they are the newest (protocol 5.3).
use super::{
    envelope::{Common, Payload},
    fields::{self, Fields, Malformed},
    file_meta::FileMeta,
    json::Value,
    limits,
    name::{BaseRole, RoleName},
};
use std::{borrow::Cow, collections::BTreeMap};

/// Length and hashes of metadata by role. Names that are no roles are kept for re-writing and never followed.
#[derive(Debug, Clone)]
struct Listing(BTreeMap<String, FileMeta>);

impl Listing {
    fn read(value: &Value<'_>, needed: &[BaseRole]) -> Result<Self, Malformed> {
        let f = Fields::open(value, "signed", &["meta"])?;
        let entries = fields::entries(f.need("meta")?, "meta")?.unwrap_or_default();
        if entries.len() > limits::ROLES {
            return Err(Malformed::TooMany("roles", limits::ROLES));
        }
        let mut meta = BTreeMap::new();
        for (name, value) in entries {
            let known = RoleName::new(name).is_ok();
            meta.insert(name.to_string(), if known { FileMeta::read_checked(value)? } else { FileMeta::read(value)? });
        }
        for role in needed {
            if !meta.contains_key(role.as_str()) {
                return Err(Malformed::Missing(role.as_str()));
            }
        }
        Ok(Self(meta))
    }

    fn value(&self, type_name: &str, common: &Common) -> Value<'static> {
        fields::object([
            ("_type", fields::string(type_name)),
            ("expires", common.expires.value()),
            ("meta", Value::Object(self.0.iter().map(|(n, m)| (Cow::Owned(n.clone()), m.value())).collect())),
            ("version", Value::Int(common.version as i64)),
        ])
    }
}

/// Which versions of root, targets and delegations belong together.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Version and end.
    pub common: Common,
    meta: Listing,
}

impl Snapshot {
    /// Puts a snapshot together; `root` and `targets` must be among `meta`.
    pub fn new(common: Common, meta: impl IntoIterator<Item = (RoleName, FileMeta)>) -> Self {
        Self { common, meta: Listing(meta.into_iter().map(|(r, m)| (r.as_str().to_owned(), m)).collect()) }
    }

    /// Length and hashes of a role's file.
    pub fn meta(&self, role: &RoleName) -> Option<&FileMeta> {
        self.meta.0.get(role.as_str())
    }

    /// Roles that the snapshot names.
    pub fn roles(&self) -> impl Iterator<Item = RoleName> + '_ {
        self.meta.0.keys().filter_map(|n| RoleName::new(n).ok())
    }
}

impl Payload for Snapshot {
    const TYPE: &'static str = "Snapshot";
    const MEMBERS: &'static [&'static str] = &["meta"];

    fn read(common: Common, value: &Value<'_>) -> Result<Self, Malformed> {
        Ok(Self { common, meta: Listing::read(value, &[BaseRole::Root, BaseRole::Targets])? })
    }
    fn write(&self) -> Value<'static> {
        self.meta.value(Self::TYPE, &self.common)
    }
    fn common(&self) -> &Common {
        &self.common
    }
}

/// Which snapshot is the newest.
#[derive(Debug, Clone)]
pub struct TimestampFile {
    /// Version and end.
    pub common: Common,
    snapshot: FileMeta,
    meta: Listing,
}

impl TimestampFile {
    /// Names a snapshot.
    pub fn new(common: Common, snapshot: FileMeta) -> Self {
        let meta = Listing(BTreeMap::from([(BaseRole::Snapshot.as_str().to_owned(), snapshot.clone())]));
        Self { common, snapshot, meta }
    }

    /// Length and hashes of the snapshot.
    pub fn snapshot(&self) -> &FileMeta {
        &self.snapshot
    }
}

impl Payload for TimestampFile {
    const TYPE: &'static str = "Timestamp";
    const MEMBERS: &'static [&'static str] = &["meta"];

    fn read(common: Common, value: &Value<'_>) -> Result<Self, Malformed> {
        let meta = Listing::read(value, &[BaseRole::Snapshot])?;
        let snapshot = meta.0.get(BaseRole::Snapshot.as_str()).cloned().ok_or(Malformed::Missing("snapshot"))?;
        Ok(Self { common, snapshot, meta })
    }
    fn write(&self) -> Value<'static> {
        self.meta.value(Self::TYPE, &self.common)
    }
    fn common(&self) -> &Common {
        &self.common
    }
}
