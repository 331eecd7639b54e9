//! When a root file is trusted: certificates, the keys of the root before it, and pins (protocol 7.2, 8.2).
use super::{
    Malformed,
    envelope::Document,
    key::PublicKey,
    limits,
    name::{BaseRole, Gun, KeyId, RoleName},
    pinning::Rule,
    refusal::Refusal,
    role_keys::RoleKeys,
    root::Root,
    verified::{self, Verified},
    x509::Bundle,
};
use jiff::Timestamp;

/// A root that is trusted for one repository.
#[derive(Debug, Clone)]
pub struct TrustedRoot {
    root: Verified<Root>,
    /// The root role's keys as the certificates make them, dates aside: what the next root must be signed with.
    successors: RoleKeys,
}

impl TrustedRoot {
    /// The root.
    pub fn root(&self) -> &Verified<Root> {
        &self.root
    }
}

/// How a root is to be judged.
pub(super) struct Judge<'a> {
    /// The repository whose name certificates must carry.
    pub gun: &'a Gun,
    /// The root before this one.
    pub previous: Option<&'a TrustedRoot>,
    /// Pins; none for roots that are only a step on the way to the newest.
    pub rule: Option<Rule<'a>>,
    /// For the newest root: the time at which file and certificates must be valid. None for one that only leads on.
    pub now: Option<Timestamp>,
}

impl Judge<'_> {
    /// Trusts a root, or says why not.
    pub(super) fn judge(&self, document: Document<Root>) -> Result<TrustedRoot, Refusal> {
        let role: RoleName = BaseRole::Root.into();
        let to = document.payload.common.version;
        let lasting = self.lasting(&document.payload)?;
        let keys = self.accepted(&lasting)?;
        if let Some(previous) = self.previous {
            let from = previous.root.version();
            verified::check_signatures(&document, &role, &previous.successors).map_err(|_| Refusal::RootRotation { from, to })?;
        }
        let root = Verified::check(document, &role, &keys)?;
        if let Some(now) = self.now {
            root.check_fresh(&role, now)?;
        }
        Ok(TrustedRoot { root, successors: lasting.into_keys() })
    }

    /// Judges a root that was trusted before, dates aside, by these rules: whether it serves as it is.
    pub(super) fn judge_again(&self, trusted: &TrustedRoot) -> Result<(), Refusal> {
        let role: RoleName = BaseRole::Root.into();
        let lasting = self.lasting(&trusted.root)?;
        trusted.root.check_remaining(&role, &self.accepted(&lasting)?)?;
        self.now.map_or(Ok(()), |now| trusted.root.check_fresh(&role, now))
    }

    /// The keys that count: valid at the time, and pinned if there is a pin.
    fn accepted(&self, lasting: &Lasting) -> Result<RoleKeys, Refusal> {
        let keys = match self.now {
            None => lasting.keys.iter().collect(),
            Some(now) => lasting.valid_at(now)?,
        };
        let kept: Vec<_> = match (self.rule, self.now) {
            (Some(Rule::Nothing), _) if self.previous.is_none() => return Err(Refusal::FirstUseOff),
            (Some(rule), Some(now)) => keys.into_iter().filter(|k| rule.accepts(&k.key.id(), &k.bundle, now)).collect(),
            _ => keys,
        };
        if kept.is_empty() {
            return Err(Refusal::NotPinned);
        }
        Ok(RoleKeys { keys: kept.into_iter().map(|k| k.key.clone()).collect(), threshold: lasting.threshold })
    }

    /// The root keys whose certificates speak for this repository, dates aside.
    fn lasting(&self, root: &Root) -> Result<Lasting, Refusal> {
        let malformed = |why| Refusal::Malformed { role: BaseRole::Root.into(), why };
        let role_keys = root.keys_of(BaseRole::Root).map_err(malformed)?;
        if role_keys.keys.len() > limits::ROOT_KEYS {
            return Err(malformed(Malformed::TooMany("root keys", limits::ROOT_KEYS)));
        }
        let mut why = None;
        let mut keys = Vec::new();
        for key in &role_keys.keys {
            match certified(key, self.gun) {
                Ok(k) => keys.push(k),
                Err(e) => why = Some(e),
            }
        }
        if keys.is_empty() {
            return Err(Refusal::RootCertificate(why));
        }
        Ok(Lasting { keys, threshold: role_keys.threshold })
    }
}

/// Root keys as their certificates make them.
struct Lasting {
    keys: Vec<Certified>,
    threshold: u64,
}

struct Certified {
    key: PublicKey,
    bundle: Bundle,
}

impl Lasting {
    fn valid_at(&self, now: Timestamp) -> Result<Vec<&Certified>, Refusal> {
        let mut why = None;
        let mut valid = Vec::new();
        for key in &self.keys {
            let mut certificates = std::iter::once(&key.bundle.leaf).chain(&key.bundle.intermediates);
            match certificates.try_for_each(|c| c.check(Some(now))) {
                Ok(()) => valid.push(key),
                Err(e) => why = Some(e.to_string()),
            }
        }
        if valid.is_empty() { Err(Refusal::RootCertificate(why)) } else { Ok(valid) }
    }

    fn into_keys(self) -> RoleKeys {
        RoleKeys { keys: self.keys.into_iter().map(|k| k.key).collect(), threshold: self.threshold }
    }
}

fn certified(key: &PublicKey, gun: &Gun) -> Result<Certified, String> {
    if !key.key_type().is_x509() {
        return Err("a root key is bare, without a certificate".into());
    }
    let bundle = Bundle::parse(key.public_bytes())
        .ok_or("its certificates cannot be read, or do not start with the only one that is no authority")?;
    if !bundle.leaf.names(gun) {
        return Err(format!("its certificate names \"{}\"", bundle.leaf.common_name.shown()));
    }
    bundle.leaf.check(None).map_err(|e| e.to_string())?;
    // An intermediate that Notary would drop, another order or another layout of the PEM all change the ID.
    match bundle.rebuilt_key().filter(|_| bundle.intermediates.iter().all(|c| c.check(None).is_ok())) {
        Some(rebuilt) if rebuilt.id() == key.id() => Ok(Certified { key: rebuilt, bundle }),
        _ => Err("its certificates are not written as their ID demands".into()),
    }
}

/// IDs of the root role's keys, for a fingerprint of the root that people can compare.
pub fn root_key_ids(root: &Root) -> Vec<KeyId> {
    root.role(BaseRole::Root).map(|r| r.ids().to_vec()).unwrap_or_default()
}
