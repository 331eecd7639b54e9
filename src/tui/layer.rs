//! Where the user is: a place, and what is open on top of it.
use super::{palette::Palette, roster::View, state::Attention, wizard::Wizard};
use crate::{
    doctor::Check,
    tuf::name::{Gun, RoleName},
    views::transcript::Transcript,
};
use std::{collections::HashSet, path::PathBuf};
use tui_input::Input;

/// A place of the workstation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// How things stand.
    Overview,
    /// Private keys.
    Keys,
    /// Repositories.
    Repositories,
    /// What was done.
    Journal,
}

impl Place {
    /// All places, from top to bottom.
    pub const ALL: [Place; 4] = [Self::Overview, Self::Keys, Self::Repositories, Self::Journal];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Keys => "Keys",
            Self::Repositories => "Repositories",
            Self::Journal => "Journal",
        }
    }

    /// Its number, from 0.
    pub fn number(self) -> usize {
        Self::ALL.iter().position(|p| *p == self).unwrap_or(0)
    }
}

/// What has the input, and so decides what a key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Context {
    /// The overview.
    Overview,
    /// The list of keys.
    Keys,
    /// One key.
    Key,
    /// The list of repositories.
    Repositories,
    /// A matter that is about no single key or repository.
    Matter,
    /// A repository of which nothing is known or trusted.
    Unknown,
    /// The chain of trust of a repository.
    Chain,
    /// The tags of a repository.
    Tags,
    /// The findings of a repository.
    Findings,
    /// The list of what was done.
    Journal,
    /// One piece of work that was done.
    Deed,
    /// What is staged for a repository.
    Staged,
    /// A message of the old tools.
    Message,
    /// What stands in the way.
    Doctor,
    /// The help.
    Help,
    /// The filter line.
    Filter,
    /// The palette.
    Palette,
    /// A field of a form in which text is typed.
    Form,
    /// A field of a form in which something is chosen.
    Choice,
    /// A passphrase is typed.
    Secret,
    /// What will be done.
    Review,
    /// A consequence that somebody must want.
    Confirm,
    /// A procedure is at work.
    Working,
    /// What came of it.
    Outcome,
    /// Everything was forgotten, and nothing is shown.
    Locked,
}

impl Context {
    /// All of them, the page of the lock last.
    pub const ALL: [Self; 25] = [
        Self::Overview,
        Self::Keys,
        Self::Key,
        Self::Repositories,
        Self::Matter,
        Self::Unknown,
        Self::Chain,
        Self::Tags,
        Self::Findings,
        Self::Journal,
        Self::Deed,
        Self::Staged,
        Self::Message,
        Self::Doctor,
        Self::Help,
        Self::Filter,
        Self::Palette,
        Self::Form,
        Self::Choice,
        Self::Secret,
        Self::Review,
        Self::Confirm,
        Self::Working,
        Self::Outcome,
        Self::Locked,
    ];
    /// All but the page of the lock.
    pub const UNLOCKED: &[Self] = match Self::ALL.split_last() {
        Some((_, others)) => others,
        None => &[],
    };

    /// Whether keys that are no command are text.
    pub fn takes_text(self) -> bool {
        matches!(self, Self::Filter | Self::Palette | Self::Form | Self::Confirm)
    }

    /// Whether it is a page of guided work.
    pub fn is_wizard(self) -> bool {
        matches!(self, Self::Form | Self::Choice | Self::Secret | Self::Review | Self::Confirm | Self::Working | Self::Outcome)
    }
}

/// A tab of a repository's page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tab {
    /// Who signs what.
    Chain,
    /// What is signed.
    Tags,
    /// What is notable.
    Findings,
}

impl Tab {
    /// All tabs, from left to right.
    pub const ALL: [Tab; 3] = [Self::Chain, Self::Tags, Self::Findings];
}

/// One key, on a page of its own.
#[derive(Debug)]
pub struct KeyPage {
    /// Which one: the file's path stays the same when the keys are read again.
    pub path: PathBuf,
    /// Its number in the list.
    pub index: usize,
    /// How far the page is scrolled.
    pub scroll: View,
}

/// A matter that is about no single key or repository, on a page of its own.
#[derive(Debug)]
pub struct MatterPage {
    /// The matter.
    pub matter: Attention,
    /// How far the page is scrolled.
    pub scroll: View,
}

/// One piece of work, on a page of its own.
#[derive(Debug)]
pub struct DeedPage {
    /// What it is called.
    pub work: String,
    /// What was written down of it, or why that cannot be read; nothing before it was.
    pub transcript: Option<Result<Transcript, String>>,
    /// Whether it is to be closed, if that is asked for once more.
    pub closing: bool,
    /// How far the page is scrolled.
    pub scroll: View,
}

/// What is staged for a repository, on a page of its own.
#[derive(Debug)]
pub struct StagedPage {
    /// The repository.
    pub gun: Gun,
    /// The list.
    pub view: View,
}

/// A message of the old tools, on a page of its own.
#[derive(Debug)]
pub struct MessagePage {
    /// Its number among all.
    pub number: usize,
    /// How far the page is scrolled.
    pub scroll: View,
}

/// What stands in the way, on a page of its own.
#[derive(Debug, Default)]
pub struct DoctorPage {
    /// What was found; nothing while it is looked for.
    pub checks: Option<Vec<Check>>,
    /// How far the page is scrolled.
    pub scroll: View,
}

/// One repository, on a page of its own.
#[derive(Debug)]
pub struct RepoPage {
    /// Which one.
    pub gun: Gun,
    /// What of it is shown.
    pub tab: Tab,
    /// Lines of the chain.
    pub chain: View,
    /// Roles whose keys and children are not shown.
    pub folded: HashSet<RoleName>,
    /// Rows of the tags.
    pub tags: View,
    /// How far the findings are scrolled.
    pub findings: View,
    /// How far the page is scrolled when nothing is known.
    pub unknown: View,
}

impl RepoPage {
    /// Opens on the chain of trust.
    pub fn new(gun: Gun) -> Self {
        let view = View::default;
        Self { gun, tab: Tab::Chain, chain: view(), folded: HashSet::new(), tags: view(), findings: view(), unknown: view() }
    }
}

/// Something open on top of a place; the topmost one has the input.
#[derive(Debug)]
pub enum Layer {
    /// One key.
    Key(KeyPage),
    /// A matter of the trust directory or the server.
    Matter(MatterPage),
    /// One piece of work.
    Deed(DeedPage),
    /// One repository.
    Repository(Box<RepoPage>),
    /// What is staged for a repository.
    Staged(StagedPage),
    /// A message of the old tools.
    Message(MessagePage),
    /// What stands in the way.
    Doctor(DoctorPage),
    /// The filter line of the list below.
    Filter(Input),
    /// The palette, over the context below.
    Palette(Palette),
    /// Guided work.
    Wizard(Box<Wizard>),
    /// The help, about the context below.
    Help(View),
}
