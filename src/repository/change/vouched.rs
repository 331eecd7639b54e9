//! What somebody would vouch for, or leave in force, without having been told.
use super::{Basis, audience::is_released, consequences::some};
use crate::{
    finding::{Finding, Severity},
    text::Untrusted,
    tuf::{
        change::Change,
        collection::Role,
        draft::Draft,
        file_meta::FileMeta,
        name::{BaseRole, RoleName},
        targets::Targets,
    },
};

/// A digest as it is read.
pub fn digest(meta: &FileMeta) -> String {
    meta.sha256()
        .map_or_else(|| "something without a digest".to_owned(), |s| format!("sha256:{}", base16ct::lower::encode_string(&s)))
}

/// Roles that do not verify and that the plan leaves so. Whoever takes a tag back, or signs which files belong together, may
/// believe what the server makes of them.
pub fn unread(basis: &Basis, draft: &Draft, changes: &[Change], all: &mut Vec<Finding>) {
    let matters = changes.iter().any(|c| matches!(c, Change::Unsign { .. } | Change::Keys { role: BaseRole::Snapshot, .. }));
    for (role, why) in basis.collection.refused() {
        if draft.delegation(role).is_none() || draft.changed().any(|r| r == role) {
            continue;
        }
        let severity = if matters { Severity::Error } else { Severity::Warn };
        let text = format!("{role} does not verify, and this plan leaves it so; whatever it signs may come back: {why}");
        all.push(Finding::new("role-refused", severity, text).with_remedy("witness"));
    }
}

/// Roles that go with the one above them, whoever signs there.
pub fn below(basis: &Basis, draft: &Draft, changes: &[Change], all: &mut Vec<Finding>) {
    for change in changes {
        let Change::Undelegate(above) = change else { continue };
        let goes = |r: &&Role| r.name.as_str().starts_with(&format!("{above}/")) && draft.delegation(&r.name).is_none();
        let keys = |r: &Role| r.keys.keys.iter().map(|k| k.canonical_id().short()).collect::<Vec<_>>().join(", ");
        let roles = basis.collection.roles().iter().filter(goes).map(|r| format!("{} ({})", r.name, keys(r)));
        let roles: Vec<String> = roles.collect();
        if !roles.is_empty() {
            let text = format!("With {above} go the roles below it, whoever signs there: {}", roles.join(", "));
            all.push(Finding::new("roles-below", Severity::Error, text));
        }
    }
}

/// Names in what docker pulls that is signed again as it is, which nobody has signed in a role of their own: whoever had a key
/// that goes may have put them there.
pub fn unowned(basis: &Basis, draft: &Draft, changes: &[Change], all: &mut Vec<Finding>) {
    let own = |r: &&Role| r.name.is_delegation() && !is_released(&r.name);
    let owned: Vec<&Targets> = basis.collection.roles().iter().filter(own).filter_map(|r| r.verified().map(|v| &**v)).collect();
    for change in changes {
        let Change::Witness(role) = change else { continue };
        let Some(file) = draft.file(role).filter(|_| is_released(role)) else { continue };
        let loses = |c: &&Change| matches!(c, Change::Delegate(d) if d.role == *role && !d.remove_keys.is_empty());
        let loses: Vec<&Change> = changes.iter().filter(loses).collect();
        // Whoever gives their own key another one knows best what they have signed, and is told; nobody else does.
        let is_for_good = |c: &&Change| matches!(c, Change::Delegate(d) if d.add_keys.is_empty());
        let severity = if loses.iter().any(is_for_good) { Severity::Error } else { Severity::Warn };
        let is_owned =
            |name: &str, meta: &FileMeta| owned.iter().any(|t| t.target(name).is_some_and(|m| m.sha256() == meta.sha256()));
        let names: Vec<String> = file
            .targets()
            .filter(|(name, meta)| !is_owned(name, meta))
            .map(|(name, meta)| format!("{} {}", Untrusted::new(name).shown(), digest(meta)))
            .collect();
        if !names.is_empty() {
            let who = match loses.is_empty() {
                true => "whoever signs vouches for them",
                false => "whoever had a key that goes may have put them there",
            };
            let text = format!(
                "{role} is signed again as it is, and nobody has signed these in a role of their own; {who}: {}",
                names.join(", ")
            );
            all.push(Finding::new("unowned", severity, text).with_remedy("revoke"));
        }
    }
}

/// Names that stay released, and that only a role has signed in its own name that goes.
pub fn only_theirs(basis: &Basis, draft: &Draft, changes: &[Change], all: &mut Vec<Finding>) {
    for change in changes {
        let Change::Undelegate(role) = change else { continue };
        let Some(file) = basis.collection.role(role).and_then(|r| r.verified()) else { continue };
        let is_same = |t: &Targets, name: &str, meta: &FileMeta| t.target(name).is_some_and(|m| m.sha256() == meta.sha256());
        let others: Vec<&Targets> = basis
            .collection
            .roles()
            .iter()
            .filter(|r| r.name != *role && r.name.is_delegation() && !is_released(&r.name) && draft.delegation(&r.name).is_some())
            .filter_map(|r| r.verified().map(|v| &**v))
            .collect();
        let stays = |role: &RoleName| role.base().is_some() || draft.delegation(role).is_some();
        let released = basis.collection.roles().iter();
        let released = released.filter(|r| is_released(&r.name) && stays(&r.name) && r.verified().is_some());
        let released: Vec<&Targets> = released.filter_map(|r| draft.file(&r.name)).collect();
        let alone = |name: &str, meta: &FileMeta| {
            !others.iter().any(|t| is_same(t, name, meta)) && released.iter().any(|t| is_same(t, name, meta))
        };
        let names: Vec<String> = file.targets().filter(|(n, m)| alone(n, m)).map(|(n, _)| n.to_owned()).collect();
        if !names.is_empty() && !is_released(role) {
            let text = format!(
                "Only {role} has signed these by name; docker goes on pulling them until they are revoked: {}",
                some(&names)
            );
            all.push(Finding::new("only-signer", Severity::Warn, text).with_remedy("revoke"));
        }
    }
}
