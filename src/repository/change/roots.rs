//! What several root keys mean for those who hold them, and for the old tools (docs/thresholds.md).
use super::Basis;
use crate::{
    finding::{Finding, Severity},
    tuf::{
        change::Change,
        draft::Draft,
        name::{BaseRole, KeyId},
        role_keys::RoleKeys,
    },
};
use std::collections::BTreeSet;

/// What is notable where the root keys become others.
pub fn several(draft: &Draft, changes: &[Change], all: &mut Vec<Finding>) {
    let is_changed = changes.iter().any(|c| matches!(c, Change::Keys { role: BaseRole::Root, .. }));
    let Ok(keys) = draft.root().keys_of(BaseRole::Root) else { return };
    let count = keys.keys.iter().map(|k| k.canonical_id()).collect::<BTreeSet<_>>().len();
    if !is_changed || count < 2 {
        return;
    }
    if keys.threshold as usize >= count {
        let text =
            format!("All {count} root keys must sign each root; if one of them is lost, the root can never be changed again");
        all.push(Finding::new("no-spare-root-key", Severity::Error, text));
    }
    let text = match keys.threshold {
        1 => "`notary key rotate GUN root` puts one new key in the place of all root keys; `claviger key rotate` changes one",
        _ => "`notary` refuses to rotate a root key where several must sign; `claviger key rotate` can",
    };
    all.push(Finding::new("old-tools-rotate", Severity::Info, text));
}

/// What a client does that pins root keys: by the IDs of their certificates, and by the ones before.
pub fn pinned(basis: &Basis, draft: &Draft) -> String {
    let none = || RoleKeys { keys: Vec::new(), threshold: 1 };
    let before = basis.collection.base_keys(BaseRole::Root);
    let after = draft.root().keys_of(BaseRole::Root).unwrap_or_else(|_| none());
    let stay: Vec<KeyId> = after.keys.iter().filter(|k| before.contains(k)).map(|k| k.id()).collect();
    let named = |ids: Vec<String>| ids.join(", ");
    match stay.len() as u64 >= after.threshold {
        // All that are here sign, so a pin that names one that is not here may see a signature less.
        true => format!(
            "takes the new root if as many as must sign it are among the certificates that its pin names: {}",
            named(stay.iter().map(KeyId::hex).collect())
        ),
        false => {
            let id = |k: &crate::tuf::key::PublicKey| match k.is_to_come() {
                Some(_) => "the one to come".to_owned(),
                None => k.id().hex(),
            };
            let all = named(after.keys.iter().map(id).collect());
            format!("refuses the new root until its pin names the certificates of its keys: {all}")
        }
    }
}
