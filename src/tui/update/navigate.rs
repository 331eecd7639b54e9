//! Moving about: rows, pages, places, the mouse.
use super::{deeds, reading, refold, with_tags, wizard};
use crate::tui::{
    action::Command,
    effect::Effect,
    keymap,
    layer::{Context, DoctorPage, KeyPage, Layer, MatterPage, Place, RepoPage, StagedPage, Tab},
    layout,
    roster::View,
    screens,
    standing::Standing,
    state::{Notice, State, Subject},
    theme::Tone,
    tree::Line,
};
use crate::views::chain::Whereabouts;

/// Moves the selection or scrolls the page.
pub fn step(state: &mut State, by: isize) {
    let context = state.context();
    if let Some(view) = state.view_mut(context) {
        view.step(by);
    }
}

/// Half of what is seen of the list.
pub fn half(state: &State) -> isize {
    let height = layout::areas(state.screen()).map_or(2, |a| screens::body(state.context(), a.content).height);
    isize::try_from(height / 2).unwrap_or(1).max(1)
}

/// The place so many further on.
pub fn neighbour(place: Place, by: usize) -> Place {
    let all = Place::ALL;
    all.get((place.number() + by) % all.len()).copied().unwrap_or(place)
}

/// To a place, out of everything that is open.
pub fn go(state: &mut State, place: Place) {
    state.layers.clear();
    state.place = place;
}

/// Into what is selected. A repository that was not read yet is read now: that is what its user asks for.
pub fn open(state: &mut State) -> Vec<Effect> {
    match state.page() {
        Context::Overview => {
            let matter = state.attention_view.selected().and_then(|i| state.attention.get(i)).cloned();
            match matter.as_ref().map(|m| m.subject) {
                Some(Subject::Key(i)) => {
                    go(state, Place::Keys);
                    state.keys_view.select(i);
                    open_key(state, i);
                }
                Some(Subject::Repository(i)) => {
                    go(state, Place::Repositories);
                    state.repos_view.select(i);
                    let effects = open_repository(state, i);
                    // What is the matter with a repository that holds stands among its findings.
                    let finding = state.open_repo().is_some_and(|r| r.standing.is_trusted());
                    if let Some(page) = state.repo_page_mut().filter(|_| finding) {
                        page.tab = Tab::Findings;
                    }
                    return effects;
                }
                Some(Subject::Deed(i)) => {
                    go(state, Place::Journal);
                    state.journal_view.select(i);
                    return deeds::open(state, i);
                }
                Some(Subject::TrustDir | Subject::Journal | Subject::Server) => {
                    let page = matter.map(|matter| Layer::Matter(MatterPage { matter, scroll: View::default() }));
                    state.layers.extend(page);
                }
                None => {}
            }
        }
        Context::Keys => {
            if let Some(i) = state.keys_view.selected() {
                open_key(state, i);
            }
        }
        Context::Repositories => {
            if let Some(i) = state.repos_view.selected() {
                return open_repository(state, i);
            }
        }
        Context::Journal => {
            if let Some(i) = state.journal_view.selected() {
                return deeds::open(state, i);
            }
        }
        Context::Chain => open_in_chain(state),
        _ => {}
    }
    Vec::new()
}

/// The page of the selected key in a chain of trust; a role is folded or unfolded.
fn open_in_chain(state: &mut State) {
    let key = state.open_repo().and_then(|r| {
        let (branch, line) = r.known.as_ref()?.tree.line(state.repo_page()?.chain.selected()?)?;
        let Line::Key(k) = line else { return None };
        Some(branch.node.keys.get(k)?.whereabouts.clone())
    });
    let path = match key {
        None => return fold(state),
        Some(Whereabouts::Here(path) | Whereabouts::Unusable(path, _)) => Some(path),
        Some(Whereabouts::Server | Whereabouts::Elsewhere) => None,
    };
    let index = path.and_then(|p| state.keys.roster.rows().iter().position(|k| k.path == p));
    match index {
        Some(i) => open_key(state, i),
        None => {
            let text = "This key's private half is not in this trust directory. y copies its ID.".to_owned();
            state.notice = Some(Notice { text, tone: Tone::Plain });
        }
    }
}

/// Opens the page of what stands in the way, or looks again on it.
pub fn examine(state: &mut State) -> Vec<Effect> {
    state.layers.retain(|layer| !matches!(layer, Layer::Doctor(_)));
    state.layers.push(Layer::Doctor(DoctorPage::default()));
    vec![Effect::Examine]
}

/// Opens the selected repository at a tab; on its page, the tab.
pub fn show(state: &mut State, tab: Tab) -> Vec<Effect> {
    let selected = state.repos_view.selected().filter(|_| state.page() == Context::Repositories);
    let effects = selected.map(|i| open_repository(state, i)).unwrap_or_default();
    let signers = first_delegation(state).filter(|_| tab == Tab::Chain);
    if let Some(page) = state.repo_page_mut() {
        page.tab = tab;
        signers.into_iter().for_each(|line| page.chain.select(line));
    }
    effects
}

/// The line of the chain at which those begin who may sign tags.
fn first_delegation(state: &State) -> Option<usize> {
    let tree = &state.open_repo()?.known.as_ref()?.tree;
    (0..).map_while(|i| tree.line(i)).position(|(branch, _)| branch.node.role.is_delegation())
}

/// Opens the page of what is staged for the selected repository.
pub fn open_staged(state: &mut State) -> Vec<Effect> {
    let Some(gun) = state.repo_to_change().map(|r| r.gun.clone()) else { return Vec::new() };
    state.layers.push(Layer::Staged(StagedPage { gun: gun.clone(), view: View::default() }));
    reading::renew_staged(state);
    vec![Effect::ReadStaged(gun)]
}

fn open_key(state: &mut State, index: usize) {
    if let Some(key) = state.keys.roster.get(index) {
        let page = KeyPage { path: key.path.clone(), index, scroll: View::default() };
        state.layers.push(Layer::Key(page));
    }
}

fn open_repository(state: &mut State, index: usize) -> Vec<Effect> {
    let Some(repo) = state.repos.roster.get(index) else { return Vec::new() };
    let unread = repo.standing == Standing::Unread;
    state.layers.push(Layer::Repository(Box::new(RepoPage::new(repo.gun.clone()))));
    renew_page(state);
    if unread && !state.is_reading_target() { reading::open(state, index) } else { Vec::new() }
}

/// Fits the open page of a repository to what is known of it now.
pub fn renew_page(state: &mut State) {
    refold(state);
    with_tags(state, |view, tags| view.refresh(tags));
}

/// To a neighbouring tab; the last one is the end.
pub fn tab(state: &mut State, by: isize) {
    if let Some(page) = state.repo_page_mut() {
        let tabs = Tab::ALL;
        let at = tabs.iter().position(|t| *t == page.tab).unwrap_or(0);
        if let Some(tab) = at.checked_add_signed(by).and_then(|i| tabs.get(i)) {
            page.tab = *tab;
        }
    }
}

/// Folds or unfolds the selected role.
pub fn fold(state: &mut State) {
    let role = state.open_repo().and_then(|r| {
        let page = state.repo_page()?;
        let tree = &r.known.as_ref()?.tree;
        Some(tree.line(page.chain.selected()?)?.0.node.role.clone())
    });
    if let (Some(role), Some(page)) = (role, state.repo_page_mut()) {
        if !page.folded.remove(&role) {
            page.folded.insert(role);
        }
        refold(state);
    }
}

/// Out of the topmost thing: filter line, filter, overlay, page; in a place it stops what is running.
pub fn back(state: &mut State) -> Vec<Effect> {
    match state.layers.last() {
        Some(Layer::Filter(_)) => {
            super::set_filter(state, "");
            state.layers.pop();
            return Vec::new();
        }
        Some(Layer::Help(_) | Layer::Palette(_)) => {
            state.layers.pop();
            return Vec::new();
        }
        Some(Layer::Wizard(_)) => return wizard::back(state),
        _ => {}
    }
    if state.view(state.page()).is_some_and(|v| !v.filter().is_empty()) {
        super::set_filter(state, "");
        return Vec::new();
    }
    // A page whose own repository is being read alone: Esc stops that first.
    let alone = state.job.as_ref().is_some_and(|j| j.total == 1) && state.is_reading_target();
    if matches!(state.layers.last(), Some(Layer::Repository(_))) && alone {
        return reading::cancel(state);
    }
    if state.layers.pop().is_some() {
        return Vec::new();
    }
    if state.is_busy() { reading::cancel(state) } else { Vec::new() }
}

/// A click: a place, a row of the list, or a tab. A click on the selected row opens it.
pub fn click(state: &mut State, x: u16, y: u16) -> Vec<Effect> {
    state.notice = None;
    let Some(areas) = layout::areas(state.screen()) else { return Vec::new() };
    // Guided work is left by its own keys only.
    if state.wizard().is_some() {
        if matches!(state.layers.last(), Some(Layer::Help(_))) {
            state.layers.pop();
        }
        return Vec::new();
    }
    let place = layout::place_at(&areas, x, y).filter(|_| state.palette().is_none());
    if let Some(place) = place {
        go(state, place);
        return Vec::new();
    }
    match state.layers.last() {
        Some(Layer::Help(_)) => {
            state.layers.pop();
            return Vec::new();
        }
        // A click beside the filter line keeps the filter.
        Some(Layer::Filter(_)) => {
            state.layers.pop();
        }
        _ => {}
    }
    let context = state.context();
    let tab = screens::repository::tab_at(state, areas.content, x, y).filter(|_| state.palette().is_none());
    if let Some(tab) = tab {
        if let Some(page) = state.repo_page_mut() {
            page.tab = tab;
        }
        return Vec::new();
    }
    let body = screens::body(context, areas.content);
    let inside = body.contains((x, y).into());
    if context == Context::Palette && !inside {
        state.layers.pop();
        return Vec::new();
    }
    if screens::page_lines(state, context, areas.content).is_some() || !inside {
        return Vec::new();
    }
    let Some(view) = state.view_mut(context) else { return Vec::new() };
    let before = view.cursor();
    let at = view.top() + usize::from(y - body.y);
    let open = if context == Context::Palette { Command::RunSelected } else { Command::Open };
    if view.select_shown(at) && at == before && keymap::entries(context).any(|e| e.command == open) {
        return super::run(state, open);
    }
    Vec::new()
}
