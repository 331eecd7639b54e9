//! Which keys speak for a role, and how many of them must.
use super::{
    fields::{self, Fields, Malformed},
    json::Value,
    key::{KeyType, PublicKey},
    limits,
    name::KeyId,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
};

/// Keys by TUF ID, as `root` and `delegations` carry them.
pub type KeyMap = BTreeMap<KeyId, PublicKey>;

/// The key IDs and threshold of a role, as a file states them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyIds {
    /// The IDs in the file's order; `None` where the file says `null`.
    ids: Option<Vec<KeyId>>,
    /// How many signatures are needed; at least 1.
    pub threshold: u64,
}

impl KeyIds {
    /// Names keys and a threshold.
    pub fn new(ids: Vec<KeyId>, threshold: u64) -> Self {
        Self { ids: Some(ids), threshold }
    }

    /// The IDs, in the file's order.
    pub fn ids(&self) -> &[KeyId] {
        self.ids.as_deref().unwrap_or_default()
    }

    /// Reads `keyids` and `threshold` out of an object whose members are `known`.
    pub(super) fn read(f: &Fields<'_, '_>) -> Result<Self, Malformed> {
        let ids = fields::elements(f.need("keyids")?, "keyids")?;
        if ids.is_some_and(|l| l.len() > limits::KEYS) {
            return Err(Malformed::TooMany("keys", limits::KEYS));
        }
        let id = |v: &Value<'_>| {
            KeyId::new(fields::text(v, "keyids")?).map_err(|_| Malformed::Value("keyids", "it holds something that is no key ID"))
        };
        let ids = ids.map(|l| l.iter().map(id).collect::<Result<Vec<_>, _>>()).transpose()?;
        let threshold = u64::try_from(f.int("threshold")?).ok().filter(|t| *t >= 1);
        let threshold = threshold.ok_or(Malformed::Value("threshold", "it is below 1"))?;
        Ok(Self { ids, threshold })
    }

    pub(super) fn ids_value(&self) -> Value<'static> {
        match &self.ids {
            None => Value::Null,
            Some(l) => Value::List(l.iter().map(|id| fields::string(id.hex())).collect()),
        }
    }

    pub(super) fn threshold_value(&self) -> Value<'static> {
        Value::Int(i64::try_from(self.threshold).unwrap_or(i64::MAX))
    }

    /// Looks the keys up. An ID that is named twice is one key.
    pub fn resolve(&self, keys: &KeyMap) -> Result<RoleKeys, Malformed> {
        let mut seen = HashSet::with_capacity(self.ids().len());
        let ids = self.ids().iter().filter(|id| seen.insert(**id));
        let keys = ids.map(|id| keys.get(id).cloned().ok_or(Malformed::KeyMissing)).collect::<Result<_, _>>()?;
        Ok(RoleKeys { keys, threshold: self.threshold })
    }
}

/// The keys of a role, at hand.
#[derive(Debug, Clone)]
pub struct RoleKeys {
    /// The keys.
    pub keys: Vec<PublicKey>,
    /// How many distinct ones must sign.
    pub threshold: u64,
}

impl RoleKeys {
    /// The key with this TUF ID, if it speaks for the role.
    pub fn get(&self, id: &KeyId) -> Option<&PublicKey> {
        self.keys.iter().find(|k| k.id() == *id)
    }
}

/// Reads an object of keys. Each must stand under its own ID, which Notary checks only later and only for keys that sign.
pub(super) fn read_keys(value: &Value<'_>, name: &'static str) -> Result<Option<KeyMap>, Malformed> {
    let Some(entries) = fields::entries(value, name)? else { return Ok(None) };
    if entries.len() > limits::KEYS {
        return Err(Malformed::TooMany("keys", limits::KEYS));
    }
    let mut keys = KeyMap::new();
    for (id, value) in entries {
        let key = read_key(value)?;
        if key.id().hex() != id.as_ref() {
            return Err(Malformed::KeyUnderOtherId);
        }
        keys.insert(key.id(), key);
    }
    Ok(Some(keys))
}

/// Reads one key (protocol 3.1).
pub fn read_key(value: &Value<'_>) -> Result<PublicKey, Malformed> {
    let f = Fields::open(value, "key", &["keytype", "keyval"])?;
    let v = Fields::open(f.need("keyval")?, "keyval", &["private", "public"])?;
    if !matches!(v.find("private"), None | Some(Value::Null)) {
        return Err(Malformed::Value("private", "a public key carries private material"));
    }
    let public = fields::base64(v.text("public")?, "public")?;
    if public.len() > limits::KEY {
        return Err(Malformed::Value("public", "no key is that large"));
    }
    Ok(PublicKey::new(KeyType::parse(f.text("keytype")?), public))
}

/// Refuses a file whose roles name keys so often that to follow them would cost more than any repository is worth; and
/// one that names a key it does not carry.
pub(super) fn check_references<'a>(roles: impl Iterator<Item = &'a KeyIds> + Clone, keys: &KeyMap) -> Result<(), Malformed> {
    if roles.clone().map(|r| r.ids().len()).sum::<usize>() > limits::KEY_REFERENCES {
        return Err(Malformed::TooMany("keys", limits::KEY_REFERENCES));
    }
    let known = roles.flat_map(KeyIds::ids).all(|id| keys.contains_key(id));
    if known { Ok(()) } else { Err(Malformed::KeyMissing) }
}

/// A key as metadata writes it.
pub(super) fn key_value(key: &PublicKey) -> Value<'static> {
    let keyval = fields::object([("private", Value::Null), ("public", fields::string(STANDARD.encode(key.public_bytes())))]);
    fields::object([("keytype", fields::string(key.key_type().as_str())), ("keyval", keyval)])
}

pub(super) fn keys_value(keys: &KeyMap) -> Value<'static> {
    Value::Object(keys.iter().map(|(id, k)| (Cow::Owned(id.hex()), key_value(k))).collect())
}
