//! What a key from a file is for: what the file says, what was typed, and where the two differ.
use super::{AS_LABELLED, Workplace, field};
use crate::{
    keys::{Block, KeyRole},
    operator::Values,
    tuf::name::Gun,
};

pub(super) fn signer(name: &str) -> Result<KeyRole, String> {
    match KeyRole::parse(name) {
        Ok(role @ KeyRole::Signer(_)) => Ok(role),
        Ok(KeyRole::Base(base)) => Err(format!("{} is the name of a role", base.as_str())),
        Err(_) => Err("a signer's name has lower-case letters, digits, - and _, and starts with a letter or digit".to_owned()),
    }
}

/// What a key will be labelled with.
pub(super) struct Label {
    pub(super) role: KeyRole,
    pub(super) gun: Option<Gun>,
}

impl Label {
    /// What was typed fills what the file leaves open, as in `notary`; where the two differ nothing is done. A key without any
    /// label is a delegation key.
    pub(super) fn of(place: &Workplace, block: &Block, values: &Values) -> Result<Self, String> {
        let says = block.role();
        let labelled = match &says {
            None => None,
            Some(role) => {
                Some(KeyRole::parse(role.raw()).map_err(|_| format!("\"{}\" is no role and no signer's name", role.shown()))?)
            }
        };
        let unnamed = KeyRole::Signer("delegation".to_owned());
        let named = Some(values.get(field::NAME)).filter(|n| !n.is_empty()).map(signer).transpose()?;
        let typed = match values.get(field::ROLE) {
            AS_LABELLED => named,
            "delegation" => Some(named.unwrap_or_else(|| unnamed.clone())),
            base => Some(KeyRole::parse(base).map_err(|e| e.to_string())?),
        };
        let role = match (typed, labelled) {
            (None, None) => unnamed,
            (Some(role), None) | (None, Some(role)) => role,
            (Some(typed), Some(says)) if typed == says => typed,
            // One is only less exact than the other.
            (Some(typed @ KeyRole::Signer(_)), Some(says)) if says == unnamed => typed,
            (Some(typed), Some(says @ KeyRole::Signer(_))) if typed == unnamed => says,
            (Some(typed), Some(says)) => {
                return Err(format!("the file says that it is a {} key, not {}", says.as_str(), typed.as_str()));
            }
        };
        if !role.has_gun() {
            return Ok(Self { role, gun: None });
        }
        let says = match block.gun() {
            None => None,
            Some(gun) => {
                Some(Gun::new(gun.raw()).map_err(|e| format!("\"{}\" cannot be a repository's name: {e}", gun.shown()))?)
            }
        };
        let typed = Some(values.get(field::GUN)).filter(|g| !g.is_empty());
        let gun = match (typed.map(|g| place.repository(g)).transpose()?.map(|r| r.gun), says) {
            (None, None) => {
                return Err(format!("a {} key belongs to a repository, and nothing says to which", role.as_str()));
            }
            (Some(gun), None) | (None, Some(gun)) => gun,
            (Some(typed), Some(says)) if typed == says => typed,
            (Some(typed), Some(says)) => return Err(format!("the file says that it belongs to {says}, not to {typed}")),
        };
        Ok(Self { role, gun: Some(gun) })
    }
}
