//! Changes of repositories: what of one the selected row says, and what has to be asked.
use super::{layer::Context, shelf::Repo, standing::Standing, state::State, tree::Branch, tree::Line};
use crate::{
    procedures::repository::{Beginning, Deletion, NewSigner, RootAct, RootKeys, Rotation, Wanted, spelling},
    text::is_plain,
    tuf::name::{BaseRole, KeyId, RoleName},
    views::tags::signer_name,
};

/// A change that can be begun.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Changing {
    /// A tag stands for an image.
    Sign,
    /// A tag stands for nothing any more.
    Revoke,
    /// Somebody may sign.
    AddSigner,
    /// Somebody may not sign any more.
    RemoveSigner,
    /// A role gets keys and names.
    Delegate,
    /// A role goes, or loses some of that.
    Undelegate,
    /// One of the two, by what the selected role is.
    TakeBack,
    /// A key goes out of every role.
    Purge,
    /// A role is signed again as it is.
    Witness,
    /// A role is signed again, for longer.
    Renew,
    /// A role gets another key.
    Rotate,
    /// A root key comes beside the others.
    AddRootKey,
    /// A root key goes.
    RemoveRootKey,
    /// More or fewer root keys must sign.
    RootThreshold,
    /// A repository is begun.
    Begin,
    /// One is begun in which somebody may sign.
    BeginWithSigner,
    /// A repository is forgotten.
    Delete,
    /// Somebody, or a key, goes out of every role.
    Leave,
    /// What was staged is published.
    Publish,
    /// Some of what was staged is thrown away.
    Reset,
    /// The selected one of it.
    ResetThis,
    /// All of it.
    ResetAll,
}

/// What is selected of a repository.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// The repository; empty if none is.
    pub gun: String,
    /// The tag, by its true name.
    pub tag: Option<String>,
    /// The role.
    pub role: Option<RoleName>,
    /// The key of the role, by the ID of its file, and whether it is the only one.
    pub key: Option<(KeyId, bool)>,
    /// What is staged: the name of each file, the selected one first.
    pub staged: Vec<String>,
}

impl Row {
    /// The role, if another delegates to it.
    pub fn delegated(&self) -> Option<&RoleName> {
        self.role.as_ref().filter(|r| r.is_delegation())
    }

    /// Whether it is the root, or a key of it.
    pub fn is_root(&self) -> bool {
        self.role.as_ref().is_some_and(|r| r.base() == Some(BaseRole::Root))
    }

    /// The signer whose role it is.
    pub fn signer(&self) -> Option<&str> {
        let role = self.delegated().filter(|r| r.is_child_of(&BaseRole::Targets.into()))?;
        Some(signer_name(role)).filter(|name| spelling::signer_name(name).is_ok())
    }

    /// The role, if it can be signed again by itself.
    pub fn signed_alone(&self) -> Option<&RoleName> {
        self.role.as_ref().filter(|r| !matches!(r.base(), Some(BaseRole::Snapshot | BaseRole::Timestamp)))
    }
}

impl Changing {
    /// What is wanted, as far as the selected row says it: the rest is empty, and is asked.
    pub fn of(self, row: &Row) -> Wanted {
        let gun = row.gun.clone();
        let guns = || Some(row.gun.clone()).filter(|g| !g.is_empty()).into_iter().collect();
        let key = row.key.filter(|_| row.delegated().is_some()).map(|(id, _)| id.hex());
        let role = || row.delegated().map(ToString::to_string).unwrap_or_default();
        let signer = || row.signer().unwrap_or_default().to_owned();
        match self {
            Self::Sign => {
                // What cannot be typed is no name to be signed once more.
                let tag = row.tag.clone().filter(|t| t.chars().all(is_plain)).unwrap_or_default();
                Wanted::Sign { gun, tag, sha256: String::new(), size: 0, signer: None }
            }
            Self::Revoke => Wanted::Revoke { gun, tag: row.tag.clone() },
            Self::AddSigner => Wanted::AddSigner { guns: guns(), name: String::new(), keys: Vec::new() },
            Self::RemoveSigner => {
                let key = row.key.filter(|(_, only)| !only && row.signer().is_some()).map(|(id, _)| id.hex());
                Wanted::RemoveSigner { guns: guns(), name: signer(), key }
            }
            Self::Delegate => Wanted::AddDelegation { gun, role: role(), keys: Vec::new(), paths: Vec::new(), threshold: None },
            Self::Undelegate => {
                let keys = key.into_iter().collect();
                Wanted::RemoveDelegation { gun, role: role(), keys, paths: Vec::new(), all_paths: false }
            }
            Self::TakeBack if row.signer().is_some() => Self::RemoveSigner.of(row),
            Self::TakeBack => Self::Undelegate.of(row),
            Self::Purge => Wanted::Purge { gun, keys: key.into_iter().collect() },
            Self::Witness => {
                let role = row.signed_alone().filter(|r| r.base() != Some(BaseRole::Root));
                Wanted::Witness { gun, roles: role.map(ToString::to_string).into_iter().collect() }
            }
            Self::Renew => {
                let roles = row.signed_alone().map(ToString::to_string).into_iter().collect();
                Wanted::Renew { gun, roles, until: None }
            }
            Self::Rotate => {
                let role = row.role.as_ref().map(ToString::to_string).unwrap_or_default();
                Wanted::Rotate(Rotation { gun, role })
            }
            Self::AddRootKey => Wanted::RootKeys(RootKeys { gun, act: RootAct::Add }),
            Self::RemoveRootKey => {
                let key = row.key.filter(|_| row.is_root()).map(|(id, _)| id.hex()).unwrap_or_default();
                Wanted::RootKeys(RootKeys { gun, act: RootAct::Remove { key } })
            }
            Self::RootThreshold => Wanted::RootKeys(RootKeys { gun, act: RootAct::Threshold }),
            Self::Begin => Wanted::Begin(Beginning { gun, signer: None }),
            Self::BeginWithSigner => Wanted::Begin(Beginning { gun, signer: Some(NewSigner::default()) }),
            Self::Delete => Wanted::Delete(Deletion { gun, remote: false }),
            Self::Leave => Wanted::Leave { guns: guns(), who: signer() },
            Self::Publish => Wanted::Publish { gun },
            Self::Reset => Wanted::Reset { gun, names: Vec::new() },
            Self::ResetThis => Wanted::Reset { gun, names: row.staged.iter().take(1).cloned().collect() },
            Self::ResetAll => Wanted::Reset { gun, names: row.staged.clone() },
        }
    }
}

impl State {
    /// The repository that a change is begun in: that of the page, or the selected one. Elsewhere none is: what is selected
    /// there is something else.
    pub fn repo_to_change(&self) -> Option<&Repo> {
        let is_place = self.page() == Context::Repositories;
        self.staged_repo().or_else(|| self.open_repo()).or_else(|| self.selected_repo().filter(|_| is_place))
    }

    /// What is selected of it, as far as it can be meant by this change.
    pub fn row_to_change(&self, changing: Changing) -> Row {
        let is_begun = |r: &&Repo| !matches!(r.standing, Standing::Unsigned | Standing::NotThere);
        let begins = matches!(changing, Changing::Begin | Changing::BeginWithSigner);
        let meant = self.repo_to_change().filter(|r| !begins || !is_begun(r));
        let Some(repo) = meant else { return Row::default() };
        let gun = repo.gun.to_string();
        match self.page() {
            Context::Staged => Row { gun, staged: self.staged_files(), ..Row::default() },
            Context::Tags => Row { gun, tag: self.selected_tag().map(|t| t.name.raw().to_owned()), ..Row::default() },
            Context::Chain => match self.selected_line() {
                Some((branch, line)) => {
                    let keys = &branch.node.keys;
                    let key = if let Line::Key(i) = line { keys.get(i) } else { None };
                    let key = key.map(|k| (k.canonical_id, keys.len() == 1));
                    Row { gun, role: Some(branch.node.role.clone()), key, ..Row::default() }
                }
                None => Row { gun, ..Row::default() },
            },
            _ => Row { gun, ..Row::default() },
        }
    }

    /// The names of the files that are staged, the selected one first.
    fn staged_files(&self) -> Vec<String> {
        let selected = self.selected_staged().map(|r| r.file.clone());
        let all = self.staged_rows().and_then(|rows| rows.as_ref().ok()).into_iter().flatten().map(|r| r.file.clone());
        let others: Vec<_> = all.filter(|file| selected.as_ref() != Some(file)).collect();
        selected.into_iter().chain(others).map(|file| file.raw().to_owned()).collect()
    }

    /// The selected line of the chain that is open.
    fn selected_line(&self) -> Option<(&Branch, Line)> {
        self.open_repo()?.known.as_ref()?.tree.line(self.repo_page()?.chain.selected()?)
    }
}
