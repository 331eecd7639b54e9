//! The one place where the state changes: `update(state, action)` returns what else is to be done.
mod deeds;
mod lock;
mod navigate;
mod palette;
mod reading;
mod wizard;

use super::{
    action::{Action, Command, Edit, Ended},
    effect::Effect,
    keymap,
    layer::{Context, Layer, Place},
    layout, screens,
    state::{Locked, Notice, State},
    theme::Tone,
    typing,
};
use tui_input::Input;

/// Changes the state by one action.
pub fn update(state: &mut State, action: Action) -> Vec<Effect> {
    update_all(state, [action])
}

/// Changes the state by several actions and computes what depends on it only once, so that a storm of events costs
/// one frame.
pub fn update_all(state: &mut State, actions: impl IntoIterator<Item = Action>) -> Vec<Effect> {
    let effects = actions.into_iter().flat_map(|a| apply(state, a)).collect();
    settle(state);
    effects
}

fn apply(state: &mut State, action: Action) -> Vec<Effect> {
    lock::notice(state, &action);
    match action {
        Action::Click(..) | Action::Wheel(_) | Action::Edit(_) if state.locked.is_some() => Vec::new(),
        Action::Start => reading::start(state),
        Action::Do(command) => {
            state.notice = None;
            match keymap::why_not(state, command) {
                Some(why) => {
                    state.notice = Some(Notice { text: why.into_owned(), tone: Tone::Warn });
                    Vec::new()
                }
                None => run(state, command),
            }
        }
        Action::Edit(edit) => {
            state.notice = None;
            type_in(state, edit);
            Vec::new()
        }
        Action::Click(x, y) => navigate::click(state, x, y),
        Action::Wheel(by) => {
            navigate::step(state, by);
            Vec::new()
        }
        Action::Resize(columns, rows) => {
            state.size = (columns, rows);
            Vec::new()
        }
        Action::Clock(now) => {
            state.now = now;
            for repo in state.repos.roster.rows_mut() {
                state.stale.repos |= repo.judge(now);
            }
            Vec::new()
        }
        Action::Spin => {
            state.spin = state.spin.wrapping_add(1);
            Vec::new()
        }
        Action::KeysRead(epoch, shelf) if epoch == state.epoch => reading::keys_read(state, *shelf),
        Action::JournalRead(epoch, ledger) if epoch == state.epoch => deeds::journal_read(state, *ledger),
        Action::JournalRead(..) => Vec::new(),
        Action::TranscriptRead(work, transcript) => deeds::transcript_read(state, &work, transcript),
        Action::Examined(checks) => {
            if let Some(page) = state.doctor_page_mut() {
                page.checks = Some(checks);
            }
            Vec::new()
        }
        Action::GivenUp(result) => deeds::given_up(state, result),
        Action::InventoryTaken(epoch, inventory) if epoch == state.epoch => reading::inventory_taken(state, inventory),
        Action::Step(epoch, gun, step) if epoch == state.epoch => reading::step(state, &gun, step),
        Action::Loaded(epoch, repo) if epoch == state.epoch => reading::loaded(state, *repo),
        Action::Looked(epoch, gun, look) if epoch == state.epoch => reading::looked(state, &gun, *look),
        Action::Looked(..) | Action::KeysRead(..) | Action::InventoryTaken(..) | Action::Step(..) | Action::Loaded(..) => {
            Vec::new()
        }
        Action::StagedRead(gun, staged) => reading::staged_read(state, &gun, staged),
        Action::Asked(asked) => wizard::asked(state, *asked),
        Action::Uptime(now) => lock::tell(state, now),
        Action::Remembers(count) => {
            state.remembered = count;
            Vec::new()
        }
        Action::Said(said) => {
            wizard::said(state, said);
            Vec::new()
        }
        Action::SecretTyped => {
            wizard::secret_typed(state);
            Vec::new()
        }
        Action::Began => {
            wizard::began(state);
            Vec::new()
        }
        Action::Came(how_far) => {
            wizard::came(state, how_far);
            Vec::new()
        }
        Action::Finished(result) => wizard::finished(state, *result),
        Action::End(how) => vec![Effect::StopAll, Effect::Leave(how)],
    }
}

fn run(state: &mut State, command: Command) -> Vec<Effect> {
    if let Some(page) = state.deed_page_mut().filter(|_| command != Command::GiveUp) {
        page.closing = false;
    }
    match command {
        Command::Up => navigate::step(state, -1),
        Command::Down => navigate::step(state, 1),
        Command::HalfUp => navigate::step(state, -navigate::half(state)),
        Command::HalfDown => navigate::step(state, navigate::half(state)),
        Command::First => navigate::step(state, isize::MIN),
        Command::Last => navigate::step(state, isize::MAX),
        Command::Open => return navigate::open(state),
        Command::Fold => navigate::fold(state),
        Command::Back => return navigate::back(state),
        Command::TabLeft => navigate::tab(state, -1),
        Command::TabRight => navigate::tab(state, 1),
        Command::Place(n) => navigate::go(state, Place::ALL.get(n).copied().unwrap_or(state.place)),
        Command::NextPlace => navigate::go(state, navigate::neighbour(state.place, 1)),
        Command::PreviousPlace => navigate::go(state, navigate::neighbour(state.place, Place::ALL.len() - 1)),
        Command::Filter => {
            let old = state.view(state.page()).map(|v| v.filter().to_owned()).unwrap_or_default();
            state.layers.push(Layer::Filter(Input::new(old)));
        }
        Command::KeepFilter => {
            state.layers.pop();
        }
        Command::Sort => sort(state),
        Command::Refresh => return reading::refresh(state),
        Command::RefreshAll => return reading::refresh_all(state),
        Command::Cancel => return reading::cancel(state),
        Command::Look => return reading::look(state),
        Command::Show(tab) => return navigate::show(state, tab),
        Command::Staged => return navigate::open_staged(state),
        Command::Examine => return navigate::examine(state),
        Command::Copy => {
            if let Some((what, text)) = state.copyable() {
                let said = format!("Sent the {what} to the terminal's clipboard: {text}");
                state.notice = Some(Notice { text: said, tone: Tone::Plain });
                return vec![Effect::Copy(text)];
            }
        }
        Command::NewKey
        | Command::LoadKeys
        | Command::ExportKey
        | Command::ExportPublic
        | Command::ExportAll
        | Command::ChangePassphrase
        | Command::RemoveKey
        | Command::TestKey
        | Command::MigrateKeys
        | Command::Tour
        | Command::StrengthenKeys
        | Command::MendPermissions
        | Command::Change(_)
        | Command::Stage(_)
        | Command::PushImage
        | Command::Inquire(_) => return wizard::begin(state, command),
        Command::Resume => return deeds::resume(state),
        Command::GiveUp => return deeds::give_up(state),
        Command::Complete if state.context() == Context::Palette => palette::complete(state),
        Command::NextField
        | Command::Complete
        | Command::PreviousField
        | Command::TurnLeft
        | Command::TurnRight
        | Command::Enter
        | Command::Continue
        | Command::Accept => return wizard::command(state, command),
        // The terminal's own reader has the line.
        Command::Clear | Command::Remember | Command::Draw => {}
        Command::Lock => return lock::lock(state, Locked::Asked),
        Command::Unlock => state.locked = None,
        Command::Help => state.layers.push(Layer::Help(Default::default())),
        Command::Palette => palette::open(state),
        Command::RunSelected => return palette::run(state),
        Command::Suspend => return vec![Effect::Suspend],
        Command::Repaint => return vec![Effect::Repaint],
        Command::Quit => return vec![Effect::StopAll, Effect::Leave(Ended::Quit)],
        Command::Interrupt => return vec![Effect::StopAll, Effect::Leave(Ended::Interrupted)],
    }
    Vec::new()
}

/// Types into what has the input.
fn type_in(state: &mut State, edit: Edit) {
    let input = match state.layers.last_mut() {
        Some(Layer::Filter(input)) => input,
        Some(Layer::Palette(palette)) => return palette.edit(edit),
        _ => return wizard::edit(state, edit),
    };
    typing::edit(input, edit);
    let text = input.value().to_owned();
    set_filter(state, &text);
}

/// Sets the filter of the list that is seen.
fn set_filter(state: &mut State, text: &str) {
    match state.page() {
        Context::Keys => state.keys_view.set_filter(text, &state.keys.roster),
        Context::Repositories => state.repos_view.set_filter(text, &state.repos.roster),
        Context::Journal => state.journal_view.set_filter(text, &state.journal.roster),
        Context::Tags => with_tags(state, |view, tags| view.set_filter(text, tags)),
        _ => {}
    }
}

fn sort(state: &mut State) {
    match state.page() {
        Context::Keys => state.keys_view.next_order(&state.keys.roster),
        Context::Repositories => state.repos_view.next_order(&state.repos.roster),
        Context::Journal => state.journal_view.next_order(&state.journal.roster),
        Context::Tags => with_tags(state, |view, tags| view.next_order(tags)),
        _ => {}
    }
}

/// Does something with the tags of the open page and their view.
fn with_tags(state: &mut State, f: impl FnOnce(&mut super::roster::View, &super::roster::Roster<crate::views::tags::TagRow>)) {
    let page = state.layers.iter_mut().find_map(|l| if let Layer::Repository(p) = l { Some(p) } else { None });
    if let Some(page) = page
        && let Some(known) =
            state.repos.index.get(&page.gun).and_then(|i| state.repos.roster.get(*i)).and_then(|r| r.known.as_ref())
    {
        f(&mut page.tags, &known.tags);
    }
}

/// Computes what depends on the state: lists, and what of them is on the screen.
fn settle(state: &mut State) {
    if std::mem::take(&mut state.stale.repos) {
        state.repos.roster.sort();
        state.repos_view.refresh(&state.repos.roster);
        state.stale.attention = true;
    }
    if std::mem::take(&mut state.stale.attention) {
        reading::list_attention(state);
    }
    let Some(areas) = layout::areas(state.screen()) else { return };
    for context in [state.page(), state.context()] {
        if let Some(lines) = screens::page_lines(state, context, areas.content) {
            let height = screens::body(context, areas.content).height;
            if let Some(view) = state.view_mut(context) {
                view.plain((lines + 1).saturating_sub(usize::from(height)).max(1));
                view.keep_visible(1);
            }
        } else if context != Context::Filter {
            let height = usize::from(screens::body(context, areas.content).height);
            if let Some(view) = state.view_mut(context) {
                view.keep_visible(height);
            }
        }
    }
}

/// Lays out the chain of the open page again.
fn refold(state: &mut State) {
    let page = state.layers.iter_mut().find_map(|l| if let Layer::Repository(p) = l { Some(p) } else { None });
    if let Some(page) = page {
        let repo = state.repos.index.get(&page.gun).and_then(|i| state.repos.roster.get(*i));
        let lines = repo.and_then(|r| r.known.as_ref()).map(|k| k.tree.visible(&page.folded)).unwrap_or_default();
        page.chain.exactly(lines);
    }
}
