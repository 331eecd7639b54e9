//! What is selected, and what can be done with it.
use super::{
    layer::{Context, Layer},
    ledger::LedgerRow,
    shelf::Repo,
    state::{State, Subject},
    tree::Line,
    wizard::{Page, Wizard},
};
use crate::views::{keys::KeyRow, staged::StagedRow, tags::TagRow};

impl State {
    /// The key that is selected in the list or open on its page.
    pub fn selected_key(&self) -> Option<&KeyRow> {
        let index = self.layers.iter().find_map(|l| if let Layer::Key(k) = l { Some(k.index) } else { None });
        self.keys.roster.get(index.or_else(|| self.keys_view.selected())?)
    }

    /// The repository that is open or selected.
    pub fn selected_repo(&self) -> Option<&Repo> {
        self.staged_repo().or_else(|| self.open_repo()).or_else(|| match self.page() {
            Context::Repositories => self.repos.roster.get(self.repos_view.selected()?),
            Context::Overview => match self.attention.get(self.attention_view.selected()?)?.subject {
                Subject::Repository(i) => self.repos.roster.get(i),
                Subject::Key(_) | Subject::Deed(_) | Subject::TrustDir | Subject::Journal | Subject::Server => None,
            },
            _ => None,
        })
    }

    /// The repository whose staged changes are listed.
    pub fn staged_repo(&self) -> Option<&Repo> {
        self.repos.by_name(&self.staged_page()?.gun)
    }

    /// What is staged for it; nothing while it is read.
    pub fn staged_rows(&self) -> Option<&Result<Vec<StagedRow>, String>> {
        self.staged_repo()?.staged.as_ref()
    }

    /// The staged change that is selected.
    pub fn selected_staged(&self) -> Option<&StagedRow> {
        self.staged_rows()?.as_ref().ok()?.get(self.staged_page()?.view.selected()?)
    }

    /// The piece of work that is open or selected.
    pub fn selected_deed(&self) -> Option<&LedgerRow> {
        match self.deed_page() {
            Some(page) => self.journal.find(&page.work),
            None => self.journal.roster.get(self.journal_view.selected()?),
        }
    }

    /// The selected tag.
    pub fn selected_tag(&self) -> Option<&TagRow> {
        self.open_repo()?.known.as_ref()?.tags.get(self.repo_page()?.tags.selected()?)
    }

    /// How many rows a list has without its filter.
    pub fn roster_len(&self, page: Context) -> usize {
        match page {
            Context::Keys => self.keys.roster.rows().len(),
            Context::Repositories => self.repos.roster.rows().len(),
            Context::Journal => self.journal.roster.rows().len(),
            Context::Tags => self.open_repo().and_then(|r| r.known.as_ref()).map_or(0, |k| k.tags.rows().len()),
            _ => 0,
        }
    }

    /// Whether the selected repository waits to be read or is being read.
    pub fn is_reading_target(&self) -> bool {
        let index = self.selected_repo().and_then(|r| self.repos.index.get(&r.gun));
        matches!((&self.job, index), (Some(job), Some(i)) if job.open.contains(i))
    }

    /// What can be copied: what it is, and the text. Only public things, and only such as cannot be anything else.
    pub fn copyable(&self) -> Option<(&'static str, String)> {
        if let Some(Wizard { page: Page::Outcome(Ok(done)), .. }) = self.wizard() {
            return Some(("reference", done.copy.clone()?));
        }
        match self.page() {
            Context::Keys | Context::Key => Some(("key ID", self.selected_key()?.id?.hex())),
            Context::Repositories => Some(("name", self.selected_repo()?.gun.to_string())),
            Context::Journal | Context::Deed => Some(("name of the work", self.selected_deed()?.row.work.to_string())),
            Context::Chain => {
                let page = self.repo_page()?;
                let (branch, line) = self.open_repo()?.known.as_ref()?.tree.line(page.chain.selected()?)?;
                match line {
                    Line::Key(k) => Some(("key ID", branch.node.keys.get(k)?.canonical_id.hex())),
                    Line::Role | Line::Paths => Some(("role name", branch.node.role.to_string())),
                }
            }
            Context::Tags => Some(("digest", format!("sha256:{}", self.selected_tag()?.digest?.hex()))),
            _ => None,
        }
    }
}
