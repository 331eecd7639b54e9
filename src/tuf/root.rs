//! The root role: which keys speak for the four base roles (protocol 5.1).
use super::{
    envelope::{Common, Payload},
    fields::{self, Fields, Malformed},
    json::Value,
    key::PublicKey,
    name::BaseRole,
    role_keys::{self, KeyIds, KeyMap, RoleKeys},
};
use std::{borrow::Cow, collections::BTreeMap};

/// What a root file says.
#[derive(Debug, Clone)]
pub struct Root {
    /// Version and end.
    pub common: Common,
    /// Written as `false`, ignored when read.
    pub consistent_snapshot: bool,
    /// All keys that the roles name, and old root keys that none names any more.
    pub keys: KeyMap,
    /// Roles by name. The four base roles are there; others are tolerated.
    roles: BTreeMap<String, KeyIds>,
}

impl Root {
    /// Puts a root together. All four base roles must be among `roles`.
    pub fn new(common: Common, keys: KeyMap, roles: [(BaseRole, KeyIds); 4]) -> Self {
        let roles = roles.into_iter().map(|(r, k)| (r.as_str().to_owned(), k)).collect();
        Self { common, consistent_snapshot: false, keys, roles }
    }

    /// The key IDs and threshold of a base role.
    pub fn role(&self, role: BaseRole) -> Result<&KeyIds, Malformed> {
        self.roles.get(role.as_str()).ok_or(Malformed::Missing(role.as_str()))
    }

    /// Gives a base role other keys. Those that no role names any more go, but for old root keys: Notary finds private keys
    /// by them (protocol 5.1).
    pub(super) fn set_keys(&mut self, role: BaseRole, keys: &[PublicKey], threshold: u64) {
        let old_roots: Vec<_> = self.role(BaseRole::Root).map(|r| r.ids().to_vec()).unwrap_or_default();
        let before: Vec<_> = self.roles.values().flat_map(|r| r.ids().to_vec()).collect();
        self.keys.extend(keys.iter().map(|k| (k.id(), k.clone())));
        self.roles.insert(role.as_str().to_owned(), KeyIds::new(keys.iter().map(PublicKey::id).collect(), threshold));
        let named: Vec<_> = self.roles.values().flat_map(|r| r.ids().to_vec()).collect();
        self.keys.retain(|id, _| named.contains(id) || old_roots.contains(id) || !before.contains(id));
    }

    /// The keys of a base role.
    pub fn keys_of(&self, role: BaseRole) -> Result<RoleKeys, Malformed> {
        self.role(role)?.resolve(&self.keys)
    }
}

impl Payload for Root {
    const TYPE: &'static str = "Root";
    const MEMBERS: &'static [&'static str] = &["consistent_snapshot", "keys", "roles"];

    fn read(common: Common, value: &Value<'_>) -> Result<Self, Malformed> {
        let f = Fields::open(value, "signed", Self::MEMBERS)?;
        let consistent_snapshot = match f.find("consistent_snapshot") {
            None => false,
            Some(Value::Bool(b)) => *b,
            Some(_) => return Err(Malformed::Value("consistent_snapshot", "it is neither true nor false")),
        };
        let keys = role_keys::read_keys(f.need("keys")?, "keys")?.ok_or(Malformed::Missing("keys"))?;
        let mut roles = BTreeMap::new();
        for (name, value) in fields::entries(f.need("roles")?, "roles")?.ok_or(Malformed::Missing("roles"))? {
            let ids = KeyIds::read(&Fields::open(value, "roles", &["keyids", "threshold"])?)?;
            roles.insert(name.to_string(), ids);
        }
        role_keys::check_references(roles.values(), &keys)?;
        let root = Self { common, consistent_snapshot, keys, roles };
        BaseRole::ALL.iter().try_for_each(|r| root.role(*r).map(drop))?;
        Ok(root)
    }

    fn write(&self) -> Value<'static> {
        let role = |k: &KeyIds| fields::object([("keyids", k.ids_value()), ("threshold", k.threshold_value())]);
        fields::object([
            ("_type", fields::string(Self::TYPE)),
            ("consistent_snapshot", Value::Bool(self.consistent_snapshot)),
            ("expires", self.common.expires.value()),
            ("keys", role_keys::keys_value(&self.keys)),
            ("roles", Value::Object(self.roles.iter().map(|(n, k)| (Cow::Owned(n.clone()), role(k))).collect())),
            ("version", Value::Int(self.common.version as i64)),
        ])
    }

    fn common(&self) -> &Common {
        &self.common
    }
}
