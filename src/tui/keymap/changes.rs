//! Why a repository cannot be changed now: it is not trusted, the row is no such thing, or the keys are not here.
use crate::{
    tuf::name::{BaseRole, RoleName},
    tui::{
        changing::{Changing, Row},
        shelf::{Known, Progress, Repo},
        standing::Standing,
        state::State,
    },
    views::chain::ChainNode,
};
use std::borrow::Cow;

/// Why a change cannot be begun now; nothing if it can. Where no repository is selected, it is asked for, and so judged later.
pub fn why_not(state: &State, changing: Changing) -> Option<Cow<'static, str>> {
    let repo = state.repo_to_change()?;
    let row = state.row_to_change(changing);
    not_trusted(repo, changing)
        .or_else(|| not_staged(repo, changing))
        .or_else(|| not_the_row(changing, &row))
        .map(Cow::Borrowed)
        .or_else(|| no_keys(state, repo.known.as_ref()?, changing, &row).map(Cow::Owned))
}

/// Why a change cannot be staged now: it is signed later, perhaps elsewhere, so that its keys need not be here. But where that is
/// how the roles are found that sign.
pub fn why_not_stage(state: &State, changing: Changing) -> Option<Cow<'static, str>> {
    if matches!(changing, Changing::Sign | Changing::Revoke) {
        return why_not(state, changing);
    }
    let repo = state.repo_to_change()?;
    not_trusted(repo, changing).or_else(|| not_the_row(changing, &state.row_to_change(changing))).map(Cow::Borrowed)
}

fn not_staged(repo: &Repo, changing: Changing) -> Option<&'static str> {
    let takes = matches!(changing, Changing::Publish | Changing::Reset | Changing::ResetThis | Changing::ResetAll);
    match repo.staged.as_ref()? {
        Ok(rows) if takes && rows.is_empty() => Some("Nothing is staged for this repository."),
        Err(_) if takes => Some("What is staged cannot be read. t says why."),
        _ => None,
    }
}

fn not_trusted(repo: &Repo, changing: Changing) -> Option<&'static str> {
    match &repo.standing {
        _ if matches!(changing, Changing::Begin | Changing::BeginWithSigner | Changing::Delete) => None,
        // It needs no server.
        _ if matches!(changing, Changing::Reset | Changing::ResetThis | Changing::ResetAll) => None,
        standing if standing.is_trusted() => None,
        // To sign it again is what mends it; whether it can be, the procedure finds out.
        Standing::Expired(_) | Standing::Refused(_) if changing == Changing::Renew => None,
        Standing::Unread => Some("This repository was not read yet. Enter reads it."),
        Standing::Unsigned | Standing::NotThere if changing == Changing::AddSigner => {
            Some("This repository has no trust data yet. :signer add --init begins it with a signer.")
        }
        Standing::Unsigned | Standing::NotThere => Some("This repository has no trust data yet."),
        Standing::NotAllowed(_) | Standing::Unreachable(_) | Standing::Unreadable(_) => {
            Some("This repository could not be read, and only what is verified is changed. r reads it again.")
        }
        _ => Some("This repository is not verified, and only what is verified is changed."),
    }
}

fn not_the_row(changing: Changing, row: &Row) -> Option<&'static str> {
    let role = row.role.as_ref()?;
    match changing {
        Changing::TakeBack if row.delegated().is_none() => Some("Only a role below targets is taken back. Select one."),
        Changing::AddRootKey | Changing::RemoveRootKey if !row.is_root() => {
            Some("Select the root, or one of its keys. K gives this role another key.")
        }
        Changing::Witness if role.base() == Some(BaseRole::Root) => Some("The root has no witness. e signs it again for longer."),
        Changing::Witness | Changing::Renew if row.signed_alone().is_none() => {
            Some("This role is made anew with every publication.")
        }
        _ => None,
    }
}

/// Whether the keys that must sign are here, as far as the row says which these are.
fn no_keys(state: &State, known: &Known, changing: Changing, row: &Row) -> Option<String> {
    // Before they were read once, nobody knows which there are.
    if state.keys_progress != Progress::Done && state.keys.roster.rows().is_empty() {
        return None;
    }
    let desk = Desk { state, known };
    let targets = RoleName::from(BaseRole::Targets);
    match changing {
        Changing::Sign => desk.cannot_sign(&targets),
        Changing::Revoke => {
            let roles = row.tag.as_ref().and_then(|_| state.selected_tag()).map(|t| t.roles.as_slice()).unwrap_or_default();
            roles.iter().find_map(|r| desk.lacks(r).map(|_| format!("{r} signs it too, and its key is not here.")))
        }
        Changing::Begin | Changing::BeginWithSigner | Changing::Delete | Changing::Publish => None,
        Changing::Reset | Changing::ResetThis | Changing::ResetAll => None,
        Changing::Rotate => {
            let root = || RoleName::from(BaseRole::Root);
            desk.lacks(&row.role.as_ref()?.parent().unwrap_or_else(root))
        }
        Changing::AddRootKey | Changing::RemoveRootKey | Changing::RootThreshold => desk.lacks(&BaseRole::Root.into()),
        Changing::AddSigner | Changing::RemoveSigner | Changing::Leave => desk.lacks(&targets),
        Changing::TakeBack | Changing::Undelegate => desk.lacks(&row.delegated().and_then(RoleName::parent).unwrap_or(targets)),
        Changing::Delegate | Changing::Purge => {
            let mut parents = desk.nodes().filter(|n| n.role == targets || n.role.is_delegation());
            parents.all(|n| desk.too_few(n).is_some()).then(|| desk.lacks(&targets)).flatten()
        }
        Changing::Witness => row.role.as_ref().and_then(|r| desk.lacks(r)),
        Changing::Renew => match row.signed_alone() {
            Some(role) => desk.lacks(role),
            None => {
                let mut all = desk.nodes().filter(|n| may_be_renewed(&n.role));
                all.all(|n| desk.too_few(n).is_some()).then(|| "You hold no key of this repository.".to_owned())
            }
        },
    }
}

fn may_be_renewed(role: &RoleName) -> bool {
    !matches!(role.base(), Some(BaseRole::Snapshot | BaseRole::Timestamp))
}

/// A repository beside the keys that are here.
struct Desk<'s> {
    state: &'s State,
    known: &'s Known,
}

impl Desk<'_> {
    fn nodes(&self) -> impl Iterator<Item = &ChainNode> {
        self.known.tree.branches().iter().map(|b| &b.node)
    }

    fn here(&self, node: &ChainNode) -> usize {
        node.keys.iter().filter(|k| self.state.keys.usable.contains(&k.canonical_id)).count()
    }

    /// That too few keys of a role are here.
    fn lacks(&self, role: &RoleName) -> Option<String> {
        self.too_few(self.nodes().find(|n| n.role == *role)?)
    }

    fn too_few(&self, node: &ChainNode) -> Option<String> {
        let role = &node.role;
        match (self.here(node) as u64, node.threshold) {
            (have, need) if have >= need => None,
            (0, _) => Some(format!("You hold no {role} key for this repository.")),
            (1, need) => Some(format!("{need} keys must sign {role}, and one of them is here.")),
            (have, need) => Some(format!("{need} keys must sign {role}, and {have} of them are here.")),
        }
    }

    /// Docker's rule: where there are delegations, one of them has to sign.
    fn cannot_sign(&self, targets: &RoleName) -> Option<String> {
        let mut direct = self.nodes().filter(|n| n.role.is_child_of(targets)).peekable();
        if direct.peek().is_none() {
            return self.lacks(targets);
        }
        direct.all(|n| self.here(n) == 0).then(|| "You hold no key of a signer of this repository.".to_owned())
    }
}
