//! The targets role and every delegation: what is signed, and who else may sign (protocol 5.2).
use super::{
    envelope::{Common, Payload},
    fields::{self, Fields, Malformed},
    file_meta::FileMeta,
    json::Value,
    limits,
    name::RoleName,
    paths::Paths,
    role_keys::{self, KeyIds, KeyMap},
};
use std::{
    borrow::Cow,
    collections::{BTreeMap, HashSet},
};

/// What `targets` or a delegation says.
#[derive(Debug, Clone)]
pub struct Targets {
    /// Version and end.
    pub common: Common,
    /// Signed names. They come from signers, so they are shown only escaped; `None` where the file says `null`.
    targets: Option<BTreeMap<Box<str>, FileMeta>>,
    delegations: Delegations,
}

#[derive(Debug, Clone, Default)]
struct Delegations {
    keys: Option<KeyMap>,
    roles: Option<Vec<Delegation>>,
}

/// One delegated role.
#[derive(Debug, Clone)]
pub struct Delegation {
    /// The role, a direct child of the one whose file this is.
    pub name: RoleName,
    /// Its keys and threshold.
    pub key_ids: KeyIds,
    /// The prefixes that it may sign.
    pub paths: Paths,
}

impl Targets {
    /// Puts a file together.
    pub fn new(common: Common, targets: BTreeMap<Box<str>, FileMeta>, keys: KeyMap, roles: Vec<Delegation>) -> Self {
        Self { common, targets: Some(targets), delegations: Delegations { keys: Some(keys), roles: Some(roles) } }
    }

    /// Signed names in byte order, with what they stand for. The names come from signers.
    pub fn targets(&self) -> impl Iterator<Item = (&str, &FileMeta)> {
        self.targets.iter().flatten().map(|(n, m)| (n.as_ref(), m))
    }

    /// How many names are signed.
    pub fn len(&self) -> usize {
        self.targets.as_ref().map_or(0, BTreeMap::len)
    }

    /// Whether nothing is signed.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What a name stands for.
    pub fn target(&self, name: &str) -> Option<&FileMeta> {
        self.targets.as_ref()?.get(name)
    }

    /// Lets a name stand for something.
    pub(super) fn set_target(&mut self, name: &str, meta: FileMeta) {
        self.targets.get_or_insert_default().insert(name.into(), meta);
    }

    /// Lets a name stand for nothing any more.
    pub(super) fn remove_target(&mut self, name: &str) {
        if let Some(targets) = &mut self.targets {
            targets.remove(name);
        }
    }

    /// All keys of delegated roles.
    pub(super) fn known_keys(&self) -> KeyMap {
        self.delegations.keys.clone().unwrap_or_default()
    }

    /// Delegates, in place of what was delegated to the same role; `known` has its keys.
    pub(super) fn set_delegation(&mut self, delegation: Delegation, known: KeyMap) {
        let roles = self.delegations.roles.get_or_insert_default();
        match roles.iter_mut().find(|d| d.name == delegation.name) {
            Some(there) => *there = delegation,
            None => roles.push(delegation),
        }
        self.delegations.keys = Some(known);
        self.forget_unnamed_keys();
    }

    /// Does not delegate to a role any more.
    pub(super) fn remove_delegation(&mut self, role: &RoleName) {
        self.delegations.roles.get_or_insert_default().retain(|d| d.name != *role);
        self.forget_unnamed_keys();
    }

    fn forget_unnamed_keys(&mut self) {
        let named: HashSet<_> = self.delegations().iter().flat_map(|d| d.key_ids.ids().to_vec()).collect();
        self.delegations.keys.get_or_insert_default().retain(|id, _| named.contains(id));
    }

    /// Delegated roles in the file's order.
    pub fn delegations(&self) -> &[Delegation] {
        self.delegations.roles.as_deref().unwrap_or_default()
    }

    /// The keys of a delegated role.
    pub fn keys_of(&self, delegation: &Delegation) -> Result<role_keys::RoleKeys, Malformed> {
        match &self.delegations.keys {
            Some(keys) => delegation.key_ids.resolve(keys),
            None => delegation.key_ids.resolve(&KeyMap::new()),
        }
    }

    /// Whether every delegated role is a direct child of `role`, which only the caller knows.
    pub(super) fn check_children(&self, role: &RoleName) -> Result<(), Malformed> {
        let stranger = self.delegations().iter().any(|d| !d.name.is_child_of(role));
        if stranger { Err(Malformed::Value("name", "a role delegates to one that is not its own child")) } else { Ok(()) }
    }
}

impl Delegations {
    fn read(value: &Value<'_>) -> Result<Self, Malformed> {
        let f = Fields::open(value, "delegations", &["keys", "roles"])?;
        // Go writes `{}` where it read `null` here.
        let keys = f.find("keys").map(|v| role_keys::read_keys(v, "keys")).transpose()?.map(Option::unwrap_or_default);
        let mut roles = None;
        if let Some(list) = f.find("roles").map(|v| fields::elements(v, "roles")).transpose()?.flatten() {
            if list.len() > limits::ROLES {
                return Err(Malformed::TooMany("roles", limits::ROLES));
            }
            let read: Vec<Delegation> = list.iter().map(Delegation::read).collect::<Result<_, _>>()?;
            let mut names: Vec<_> = read.iter().map(|d| &d.name).collect();
            names.sort_unstable();
            if !names.is_sorted_by(|a, b| a < b) {
                return Err(Malformed::Value("roles", "a role appears twice"));
            }
            roles = Some(read);
        }
        let all = Self { keys, roles };
        let none = KeyMap::new();
        let named = all.roles.iter().flatten().map(|d| &d.key_ids);
        role_keys::check_references(named, all.keys.as_ref().unwrap_or(&none))?;
        Ok(all)
    }
}

impl Delegation {
    fn read(value: &Value<'_>) -> Result<Self, Malformed> {
        let f = Fields::open(value, "roles", &["keyids", "name", "paths", "threshold"])?;
        let name = RoleName::new(f.text("name")?).map_err(|_| Malformed::Value("name", "it is no legal role name"))?;
        let paths = match f.find("paths").map(|v| fields::elements(v, "paths")).transpose()?.flatten() {
            None => Vec::new(),
            Some(l) if l.len() > limits::PREFIXES => return Err(Malformed::TooMany("paths", limits::PREFIXES)),
            Some(l) => l.iter().map(|p| fields::text(p, "paths").map(str::to_owned)).collect::<Result<_, _>>()?,
        };
        Ok(Self { name, key_ids: KeyIds::read(&f)?, paths: Paths::new(paths) })
    }

    fn value(&self) -> Value<'static> {
        let mut members = vec![
            (Cow::Borrowed("keyids"), self.key_ids.ids_value()),
            (Cow::Borrowed("name"), fields::string(self.name.as_str())),
            (Cow::Borrowed("threshold"), self.key_ids.threshold_value()),
        ];
        if !self.paths.prefixes().is_empty() {
            members.push((Cow::Borrowed("paths"), Value::List(self.paths.prefixes().iter().map(fields::string).collect())));
        }
        Value::Object(members)
    }
}

impl Payload for Targets {
    const TYPE: &'static str = "Targets";
    const MEMBERS: &'static [&'static str] = &["targets", "delegations"];

    fn read(common: Common, value: &Value<'_>) -> Result<Self, Malformed> {
        let f = Fields::open(value, "signed", Self::MEMBERS)?;
        let file = |(n, v): &(Cow<'_, str>, Value<'_>)| Ok::<_, Malformed>((n.as_ref().into(), FileMeta::read(v)?));
        let targets = match f.find("targets") {
            None => None,
            Some(v) => fields::entries(v, "targets")?.map(|m| m.iter().map(file).collect::<Result<_, _>>()).transpose()?,
        };
        let delegations = match f.find("delegations") {
            None | Some(Value::Null) => Delegations::default(),
            Some(v) => Delegations::read(v)?,
        };
        Ok(Self { common, targets, delegations })
    }

    fn write(&self) -> Value<'static> {
        let keys = self.delegations.keys.as_ref().map_or(Value::Null, role_keys::keys_value);
        let roles =
            self.delegations.roles.as_ref().map_or(Value::Null, |l| Value::List(l.iter().map(Delegation::value).collect()));
        let targets = match &self.targets {
            None => Value::Null,
            Some(m) => Value::Object(m.iter().map(|(n, f)| (Cow::Owned(n.to_string()), f.value())).collect()),
        };
        fields::object([
            ("_type", fields::string(Self::TYPE)),
            ("delegations", fields::object([("keys", keys), ("roles", roles)])),
            ("expires", self.common.expires.value()),
            ("targets", targets),
            ("version", Value::Int(self.common.version as i64)),
        ])
    }

    fn common(&self) -> &Common {
        &self.common
    }
}
