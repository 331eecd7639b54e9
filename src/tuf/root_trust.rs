//! When a root file is trusted: certificates, the keys of the root before it, and pins (protocol 7.2, 8.2).
use super::{
    envelope::Document,
    name::{BaseRole, Gun, KeyId, RoleName},
    pinning::Rule,
    refusal::Refusal,
    role_keys::RoleKeys,
    root::Root,
    verified::{self, Verified},
    x509::{Bundle, Leaf},
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
        let lasting = self.acceptable(&document.payload, None)?;
        let keys = match self.now {
            None => lasting.clone(),
            Some(now) => self.acceptable(&document.payload, Some(now))?,
        };
        if let Some(previous) = self.previous {
            let from = previous.root.version();
            verified::check_signatures(&document, &role, &previous.successors).map_err(|_| Refusal::RootRotation { from, to })?;
        }
        let keys = self.pinned(keys)?;
        let root = Verified::check(document, &role, &RoleKeys { keys: keys.0, threshold: keys.1 })?;
        if let Some(now) = self.now {
            root.check_fresh(&role, now)?;
        }
        Ok(TrustedRoot {
            root,
            successors: RoleKeys { keys: lasting.keys.into_iter().map(|k| k.key).collect(), threshold: lasting.threshold },
        })
    }

    fn pinned(&self, keys: Accepted) -> Result<(Vec<super::key::PublicKey>, u64), Refusal> {
        let kept: Vec<_> = match (self.rule, self.now) {
            (Some(Rule::Nothing), _) if self.previous.is_none() => return Err(Refusal::FirstUseOff),
            (Some(rule), Some(now)) => keys.keys.into_iter().filter(|k| rule.accepts(&k.key.id(), &k.bundle, now)).collect(),
            _ => keys.keys,
        };
        if kept.is_empty() {
            return Err(Refusal::NotPinned);
        }
        Ok((kept.into_iter().map(|k| k.key).collect(), keys.threshold))
    }

    /// The root keys whose certificates speak for this repository; with a time, only those valid then.
    fn acceptable(&self, root: &Root, now: Option<Timestamp>) -> Result<Accepted, Refusal> {
        let malformed = |why| Refusal::Malformed { role: BaseRole::Root.into(), why };
        let role_keys = root.keys_of(BaseRole::Root).map_err(malformed)?;
        let mut why = None;
        let mut keys = Vec::new();
        for key in &role_keys.keys {
            match acceptable_key(key, self.gun, now) {
                Ok(k) => keys.push(k),
                Err(e) => why = Some(e),
            }
        }
        if keys.is_empty() {
            return Err(Refusal::RootCertificate(why));
        }
        Ok(Accepted { keys, threshold: role_keys.threshold })
    }
}

#[derive(Clone)]
struct Accepted {
    keys: Vec<AcceptedKey>,
    threshold: u64,
}

#[derive(Clone)]
struct AcceptedKey {
    key: super::key::PublicKey,
    bundle: Bundle,
}

fn acceptable_key(key: &super::key::PublicKey, gun: &Gun, now: Option<Timestamp>) -> Result<AcceptedKey, String> {
    if !key.key_type().is_x509() {
        return Err("a root key is bare, without a certificate".into());
    }
    let mut bundle = Bundle::parse(key.public_bytes())
        .ok_or("its certificates cannot be read, or do not start with the only one that is no authority")?;
    if !bundle.leaf.names(gun) {
        return Err(format!("its certificate names \"{}\"", bundle.leaf.common_name.shown()));
    }
    bundle.leaf.check(now).map_err(|e| e.to_string())?;
    bundle.intermediates.retain(|c: &Leaf| c.check(now).is_ok());
    // An intermediate that dropped out, another order or another layout of the PEM all change the ID.
    match bundle.rebuilt_key() {
        Some(rebuilt) if rebuilt.id() == key.id() => Ok(AcceptedKey { key: rebuilt, bundle }),
        _ => Err("its certificates are not written as their ID demands".into()),
    }
}

/// IDs of the root role's keys, for a fingerprint of the root that people can compare.
pub fn root_key_ids(root: &Root) -> Vec<KeyId> {
    root.role(BaseRole::Root).map(|r| r.ids().to_vec()).unwrap_or_default()
}
