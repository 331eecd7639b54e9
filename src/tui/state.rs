//! Everything the screen knows. Only [`super::update`] changes it; drawing reads it.
use super::{
    idle::Idle,
    layer::{Context, DeedPage, DoctorPage, Layer, MessagePage, Place, RepoPage, StagedPage, Tab},
    ledger::Ledger,
    palette::Palette,
    roster::View,
    shelf::{KeyShelf, Progress, Repo, RepoShelf},
    theme::{Theme, Tone},
    wizard::Wizard,
};
use crate::{finding::Severity, tuf::name::Gun, views::desk::Facts};
use jiff::Timestamp;
use ratatui::layout::Rect;
use std::{collections::BTreeSet, path::PathBuf};

/// What a line of the overview leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// A key, by its number.
    Key(usize),
    /// A repository, by its number.
    Repository(usize),
    /// A piece of work, by its number.
    Deed(usize),
    /// The trust directory as a whole.
    TrustDir,
    /// The journal as a whole.
    Journal,
    /// What could be asked about repositories.
    Server,
}

/// Something that needs attention.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attention {
    /// How bad it is.
    pub severity: Severity,
    /// What it is about.
    pub subject: Subject,
    /// What is the matter.
    pub text: String,
    /// What to do about it, where no other page says so.
    pub next: Option<&'static str>,
}

/// Repositories that are being read.
#[derive(Debug, Default)]
pub struct Job {
    /// How many in all.
    pub total: usize,
    /// How many were read.
    pub done: usize,
    /// Numbers of those that wait or are being read.
    pub open: BTreeSet<usize>,
    /// The latest that was told: number of the repository.
    pub latest: Option<usize>,
}

/// A sentence for the user, until the next key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// What to say.
    pub text: String,
    /// How it is meant.
    pub tone: Tone,
}

/// Why everything was forgotten.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locked {
    /// Somebody asked for it.
    Asked,
    /// Nobody has done anything for too long.
    Idle,
}

/// Everything the screen knows.
pub struct State {
    /// What stands at the top.
    pub facts: Facts,
    /// How this terminal is drawn on.
    pub theme: Theme,
    /// The time, as of the last event.
    pub now: Timestamp,
    /// Columns and rows.
    pub size: (u16, u16),
    /// Why nothing may be written, if nothing may.
    pub read_only: Option<String>,
    /// Whether a shell waits that Ctrl-Z can go back to.
    pub has_shell: bool,
    /// Where the user is.
    pub place: Place,
    /// What is open on top of it.
    pub layers: Vec<Layer>,
    /// Keys.
    pub keys: KeyShelf,
    /// How far reading the keys has come.
    pub keys_progress: Progress,
    /// The list of keys.
    pub keys_view: View,
    /// Repositories.
    pub repos: RepoShelf,
    /// How far the inventory has come.
    pub repos_progress: Progress,
    /// The list of repositories.
    pub repos_view: View,
    /// What was done.
    pub journal: Ledger,
    /// How far reading the journal has come.
    pub journal_progress: Progress,
    /// The list of what was done.
    pub journal_view: View,
    /// What needs attention, worst first.
    pub attention: Vec<Attention>,
    /// How much more needs attention than is listed.
    pub more_attention: usize,
    /// The list of what needs attention.
    pub attention_view: View,
    /// Repositories that are being read.
    pub job: Option<Job>,
    /// Which repository is being looked at without verifying it.
    pub looking: Option<Gun>,
    /// Number of the current reading; results of another are dropped.
    pub epoch: u64,
    /// What to tell the user.
    pub notice: Option<Notice>,
    /// Where the spinner is.
    pub spin: usize,
    /// Why everything was forgotten and nothing is shown, until somebody goes on.
    pub locked: Option<Locked>,
    /// When it is locked by itself.
    pub idle: Idle,
    /// How many passphrases are remembered.
    pub remembered: usize,
    /// The key's file that is to be selected when the keys were read.
    pub(super) wanted_key: Option<PathBuf>,
    pub(super) stale: Stale,
}

/// What has to be computed again before the next frame.
#[derive(Debug, Default)]
pub(super) struct Stale {
    /// The keys were read before the repositories that say who uses them.
    pub keys: bool,
    pub attention: bool,
    pub repos: bool,
}

impl State {
    /// Before anything was read.
    pub fn new(facts: Facts, theme: Theme, now: Timestamp) -> Self {
        Self {
            facts,
            theme,
            now,
            size: (0, 0),
            read_only: None,
            has_shell: true,
            place: Place::Overview,
            layers: Vec::new(),
            keys: KeyShelf::default(),
            keys_progress: Progress::Reading,
            keys_view: View::default(),
            repos: RepoShelf::default(),
            repos_progress: Progress::Reading,
            repos_view: View::default(),
            journal: Ledger::default(),
            journal_progress: Progress::Reading,
            journal_view: View::default(),
            attention: Vec::new(),
            more_attention: 0,
            attention_view: View::default(),
            job: None,
            looking: None,
            epoch: 0,
            notice: None,
            spin: 0,
            locked: None,
            idle: Idle::default(),
            remembered: 0,
            wanted_key: None,
            stale: Stale::default(),
        }
    }

    /// The whole screen.
    pub fn screen(&self) -> Rect {
        Rect::new(0, 0, self.size.0, self.size.1)
    }

    /// What has the input.
    pub fn context(&self) -> Context {
        match self.layers.last() {
            _ if self.locked.is_some() => Context::Locked,
            Some(Layer::Filter(_)) => Context::Filter,
            Some(Layer::Help(_)) => Context::Help,
            Some(Layer::Palette(_)) => Context::Palette,
            _ => self.page(),
        }
    }

    /// The page that is seen, whatever lies over it.
    pub fn page(&self) -> Context {
        self.layers
            .iter()
            .rev()
            .find_map(|l| match l {
                Layer::Key(_) => Some(Context::Key),
                Layer::Matter(_) => Some(Context::Matter),
                Layer::Deed(_) => Some(Context::Deed),
                Layer::Staged(_) => Some(Context::Staged),
                Layer::Message(_) => Some(Context::Message),
                Layer::Doctor(_) => Some(Context::Doctor),
                Layer::Repository(_) if self.open_repo().is_none_or(|r| r.known.is_none()) => Some(Context::Unknown),
                Layer::Repository(p) => Some(match p.tab {
                    Tab::Chain => Context::Chain,
                    Tab::Tags => Context::Tags,
                    Tab::Findings => Context::Findings,
                }),
                Layer::Wizard(w) => Some(w.context()),
                Layer::Filter(_) | Layer::Palette(_) | Layer::Help(_) => None,
            })
            .unwrap_or(match self.place {
                Place::Overview => Context::Overview,
                Place::Keys => Context::Keys,
                Place::Repositories => Context::Repositories,
                Place::Journal => Context::Journal,
            })
    }

    /// The open page of a repository.
    pub fn repo_page(&self) -> Option<&RepoPage> {
        self.layers.iter().rev().find_map(|l| if let Layer::Repository(p) = l { Some(&**p) } else { None })
    }

    /// The same, to change it.
    pub(super) fn repo_page_mut(&mut self) -> Option<&mut RepoPage> {
        self.layers.iter_mut().rev().find_map(|l| if let Layer::Repository(p) = l { Some(&mut **p) } else { None })
    }

    /// The open page of a piece of work.
    pub fn deed_page(&self) -> Option<&DeedPage> {
        self.layers.iter().rev().find_map(|l| if let Layer::Deed(p) = l { Some(p) } else { None })
    }

    /// The same, to change it.
    pub(super) fn deed_page_mut(&mut self) -> Option<&mut DeedPage> {
        self.layers.iter_mut().rev().find_map(|l| if let Layer::Deed(p) = l { Some(p) } else { None })
    }

    /// The open page of what is staged.
    pub fn staged_page(&self) -> Option<&StagedPage> {
        self.layers.iter().rev().find_map(|l| if let Layer::Staged(p) = l { Some(p) } else { None })
    }

    /// The same, to change it.
    pub(super) fn staged_page_mut(&mut self) -> Option<&mut StagedPage> {
        self.layers.iter_mut().rev().find_map(|l| if let Layer::Staged(p) = l { Some(p) } else { None })
    }

    /// The open page of a message.
    pub fn message_page(&self) -> Option<&MessagePage> {
        self.layers.iter().rev().find_map(|l| if let Layer::Message(p) = l { Some(p) } else { None })
    }

    /// The same, to change it.
    pub(super) fn message_page_mut(&mut self) -> Option<&mut MessagePage> {
        self.layers.iter_mut().rev().find_map(|l| if let Layer::Message(p) = l { Some(p) } else { None })
    }

    /// The open page of what stands in the way.
    pub fn doctor_page(&self) -> Option<&DoctorPage> {
        self.layers.iter().rev().find_map(|l| if let Layer::Doctor(p) = l { Some(p) } else { None })
    }

    /// The same, to change it.
    pub(super) fn doctor_page_mut(&mut self) -> Option<&mut DoctorPage> {
        self.layers.iter_mut().rev().find_map(|l| if let Layer::Doctor(p) = l { Some(p) } else { None })
    }

    /// The guided work that is open.
    pub fn wizard(&self) -> Option<&Wizard> {
        self.layers.iter().rev().find_map(|l| if let Layer::Wizard(w) = l { Some(&**w) } else { None })
    }

    /// The same, to change it.
    pub(super) fn wizard_mut(&mut self) -> Option<&mut Wizard> {
        self.layers.iter_mut().rev().find_map(|l| if let Layer::Wizard(w) = l { Some(&mut **w) } else { None })
    }

    /// The palette, if it is open.
    pub fn palette(&self) -> Option<&Palette> {
        if let Some(Layer::Palette(p)) = self.layers.last() { Some(p) } else { None }
    }

    /// The same, to change it.
    pub(super) fn palette_mut(&mut self) -> Option<&mut Palette> {
        if let Some(Layer::Palette(p)) = self.layers.last_mut() { Some(p) } else { None }
    }

    /// The repository whose page is open.
    pub fn open_repo(&self) -> Option<&Repo> {
        let page = self.repo_page()?;
        self.repos.roster.get(*self.repos.index.get(&page.gun)?)
    }

    /// The list of a page.
    pub fn view(&self, of: Context) -> Option<&View> {
        match of {
            Context::Overview => Some(&self.attention_view),
            Context::Keys => Some(&self.keys_view),
            Context::Repositories => Some(&self.repos_view),
            Context::Journal => Some(&self.journal_view),
            Context::Deed => self.deed_page().map(|p| &p.scroll),
            Context::Staged => self.staged_page().map(|p| &p.view),
            Context::Message => self.message_page().map(|p| &p.scroll),
            Context::Doctor => self.doctor_page().map(|p| &p.scroll),
            Context::Unknown => self.repo_page().map(|p| &p.unknown),
            Context::Chain => self.repo_page().map(|p| &p.chain),
            Context::Tags => self.repo_page().map(|p| &p.tags),
            Context::Findings => self.repo_page().map(|p| &p.findings),
            Context::Key => self.layers.iter().find_map(|l| if let Layer::Key(k) = l { Some(&k.scroll) } else { None }),
            Context::Matter => self.layers.iter().find_map(|l| if let Layer::Matter(m) = l { Some(&m.scroll) } else { None }),
            Context::Help => self.layers.iter().find_map(|l| if let Layer::Help(v) = l { Some(v) } else { None }),
            Context::Palette => self.palette().map(|p| &p.view),
            Context::Filter => self.view(self.page()),
            Context::Review | Context::Confirm | Context::Outcome => self.wizard().map(|w| &w.scroll),
            Context::Form | Context::Choice | Context::Secret | Context::Working | Context::Locked => None,
        }
    }

    /// The same, to change it.
    pub(super) fn view_mut(&mut self, of: Context) -> Option<&mut View> {
        match of {
            Context::Overview => Some(&mut self.attention_view),
            Context::Keys => Some(&mut self.keys_view),
            Context::Repositories => Some(&mut self.repos_view),
            Context::Journal => Some(&mut self.journal_view),
            Context::Deed => self.deed_page_mut().map(|p| &mut p.scroll),
            Context::Staged => self.staged_page_mut().map(|p| &mut p.view),
            Context::Message => self.message_page_mut().map(|p| &mut p.scroll),
            Context::Doctor => self.doctor_page_mut().map(|p| &mut p.scroll),
            Context::Unknown => self.repo_page_mut().map(|p| &mut p.unknown),
            Context::Chain => self.repo_page_mut().map(|p| &mut p.chain),
            Context::Tags => self.repo_page_mut().map(|p| &mut p.tags),
            Context::Findings => self.repo_page_mut().map(|p| &mut p.findings),
            Context::Key => self.layers.iter_mut().find_map(|l| if let Layer::Key(k) = l { Some(&mut k.scroll) } else { None }),
            Context::Matter => {
                self.layers.iter_mut().find_map(|l| if let Layer::Matter(m) = l { Some(&mut m.scroll) } else { None })
            }
            Context::Help => self.layers.iter_mut().find_map(|l| if let Layer::Help(v) = l { Some(v) } else { None }),
            Context::Palette => self.palette_mut().map(|p| &mut p.view),
            Context::Filter => self.view_mut(self.page()),
            Context::Review | Context::Confirm | Context::Outcome => self.wizard_mut().map(|w| &mut w.scroll),
            Context::Form | Context::Choice | Context::Secret | Context::Working | Context::Locked => None,
        }
    }

    /// Whether anything is being read.
    pub fn is_busy(&self) -> bool {
        self.job.is_some()
            || self.looking.is_some()
            || self.keys_progress == Progress::Reading
            || self.repos_progress == Progress::Reading
            || self.journal_progress == Progress::Reading
    }

    /// Whether the spinner is seen.
    pub fn spins(&self) -> bool {
        self.is_busy() || self.wizard().is_some_and(Wizard::is_working)
    }

    /// The mark of something going on.
    pub fn spinner(&self) -> &'static str {
        let all = self.theme.glyphs().spinner;
        all.get(self.spin % all.len().max(1)).copied().unwrap_or("")
    }
}
