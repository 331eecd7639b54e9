//! A plan: what will be signed, by whom, what changes by it, and what that means. Making one touches nothing.
use super::{
    Basis, FileDifference, Ground,
    audience::After,
    consequences,
    difference::{of_root, of_targets},
    unvouched::{self, Unvouched},
};
use crate::{
    finding::Finding,
    tuf::{
        change::Change,
        draft::{DraftError, NewFile},
        key::PublicKey,
        name::{BaseRole, RoleName},
        role_keys::RoleKeys,
    },
};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeSet, sync::Arc};

/// A plan.
pub struct Plan {
    /// What it stands on.
    pub ground: Arc<Ground>,
    /// The files that will be signed.
    pub files: Vec<NewFile>,
    /// What changes in them.
    pub differences: Vec<FileDifference>,
    /// What is notable, worst first.
    pub findings: Vec<Finding>,
    /// Who sees what afterwards.
    pub audience: Vec<(&'static str, String)>,
    /// Roles that it leaves for somebody else to witness.
    pub unvouched: Vec<Unvouched>,
    /// The keys of the snapshot role as it will be.
    pub snapshot: RoleKeys,
    /// A role for which a key is still to come.
    pub(super) awaits: Option<RoleName>,
    /// What of the changes no difference shows: files that are only signed again, and until when.
    pub(super) again: Vec<String>,
    /// Roles that hold now, and will.
    pub(super) must_hold: BTreeSet<RoleName>,
    /// Roles to which nobody delegates any more.
    pub(super) gone: Vec<RoleName>,
}

/// A digest in hexadecimal; nothing where there is none.
fn hex_of(sha256: Option<[u8; 32]>) -> String {
    sha256.map(|s| base16ct::lower::encode_string(&s)).unwrap_or_default()
}

fn is_to_come(key: &PublicKey) -> bool {
    key.is_to_come().is_some()
}

impl Plan {
    /// Plans changes, of which `asked` are those that somebody asks for now; with none that change anything there is nothing to plan.
    ///
    /// # Errors
    /// [`DraftError`]
    pub fn new(basis: &Basis, changes: &[Change], asked: &[Change]) -> Result<Option<Self>, DraftError> {
        let mut draft = basis.draft();
        for change in changes {
            draft.apply(change)?;
        }
        let files = draft.files()?;
        if files.is_empty() {
            return Ok(None);
        }
        let after = After::of(basis, &draft);
        let differences: Vec<FileDifference> = files
            .iter()
            .map(|f| {
                let was = basis.collection.role(&f.role);
                let verified = was.and_then(|r| r.verified());
                let root = basis.collection.root();
                let (version, expires, lines) = match f.role.base() {
                    Some(BaseRole::Root) => (Some(root.version()), Some(root.expires()), of_root(&draft)),
                    _ => {
                        // Of a file that did not verify, everything is new: somebody vouches for it now.
                        let before = verified.map(|v| &**v);
                        let lines = draft.file(&f.role).map(|file| of_targets(before, file)).unwrap_or_default();
                        (before.map(|b| b.common.version), before.map(|b| b.common.expires.moment()), lines)
                    }
                };
                FileDifference { role: f.role.clone(), version: (version, f.version), expires: (expires, f.expires), lines }
            })
            .collect();
        let mut findings = consequences::of(basis, &draft, (changes, asked), &after);
        findings.extend(differences.iter().filter_map(FileDifference::ends_sooner));
        findings.extend(differences.iter().filter_map(FileDifference::is_cut));
        let audience = after.sentences(basis, &draft, changes);
        let unvouched = unvouched::of(basis, &draft, &after);
        let snapshot = draft.root().keys_of(BaseRole::Snapshot);
        let role = RoleName::from(BaseRole::Root);
        let snapshot = snapshot.map_err(|why| DraftError::Malformed { role, why })?;
        // Whoever signs again what is there vouches for all of it, so that must be the same as when it was accepted.
        let was = |role: &RoleName| match role.base() {
            Some(BaseRole::Root) => Some(basis.collection.root().sha256()),
            _ => basis.collection.role(role).and_then(|r| r.verified()).map(|v| v.sha256()),
        };
        let hex = |role: &RoleName| hex_of(was(role));
        let asked = changes.iter().filter_map(|c| match c {
            Change::Witness(role) => Some(format!("witness {role} {}", hex(role))),
            Change::Renew { role, until } => Some(format!("renew {role} {until:?} {}", hex(role))),
            _ => None,
        });
        let same = differences
            .iter()
            .filter(|d: &&FileDifference| d.lines.is_empty())
            .map(|d| format!("same {} {}", d.role, hex(&d.role)));
        // What the page only counts is named here.
        let moved = after.moved().into_iter().map(|(name, _, to)| format!("moved {name} {}", hex_of(to.sha256())));
        let lost = after.lost().into_iter().chain(after.not_pulled()).map(|name| format!("lost {name}"));
        let returns = basis.returning.iter().flat_map(|(role, file)| {
            file.targets().map(move |(name, meta)| format!("returns {role} {name} {}", hex_of(meta.sha256())))
        });
        // What is over and signed again with something new in it.
        let over = basis.overdue().iter().map(|(role, _)| role).filter(|role| draft.changed().any(|r| r == *role));
        let revived = over.map(|role| format!("revived {role} {}", hex(role)));
        let again = asked.chain(same).chain(moved).chain(lost).chain(returns).chain(revived).collect();
        let must_hold = after.must_hold(basis, &draft);
        let gone = changes.iter().filter_map(|c| match c {
            Change::Undelegate(role) => Some(role.clone()),
            _ => None,
        });
        let gone = gone.filter(|r| draft.delegation(r).is_none()).collect();
        let awaits = changes.iter().find_map(|c| match c {
            Change::Keys { role, keys, .. } if keys.iter().any(is_to_come) => Some((*role).into()),
            Change::Delegate(d) if d.add_keys.iter().any(is_to_come) => Some(d.role.clone()),
            _ => None,
        });
        let ground = basis.ground.clone();
        Ok(Some(Self { awaits, ground, files, differences, findings, audience, unvouched, snapshot, again, must_hold, gone }))
    }

    /// A role for which a key is still to come: such a plan is only looked at.
    pub fn awaits_key(&self) -> Option<RoleName> {
        self.awaits.clone()
    }

    /// How much changes in which file, and how: what stays the same when the keys come that were to come.
    pub fn shape(&self) -> Vec<(RoleName, Vec<&'static str>)> {
        let marks = |d: &FileDifference| d.lines.iter().map(|l| l.mark.as_str()).collect();
        self.differences.iter().map(|d| (d.role.clone(), marks(d))).collect()
    }

    /// What stays the same as long as the plan means the same: of what changes in which file, and of what is notable. Dates and
    /// versions are not in it, which move with the clock and with what others publish.
    pub fn digest(&self) -> String {
        let files: Vec<_> = self
            .differences
            .iter()
            .map(|d| {
                let lines: Vec<_> = d.lines.iter().map(|l| json!([l.mark.as_str(), l.what])).collect();
                json!([d.role.as_str(), lines])
            })
            .collect();
        let findings: Vec<_> = self.findings.iter().map(|f| json!([f.code, f.text])).collect();
        let text =
            json!(["claviger-plan-v1", self.ground.gun.as_str(), self.ground.address(), files, findings, self.again]).to_string();
        base16ct::lower::encode_string(&Sha256::digest(text.as_bytes()))
    }
}
