//! Guided work: what a procedure asks, what is answered, and what came of it.
use super::{deeds, reading};
use crate::{
    failure::Failure,
    operator::Question,
    procedures::{
        Done, KeyFile, Which, Work,
        key_export::Half,
        repository::{About, Inquiry, Wanted, push::Destination},
    },
    secret::dialogue::{Said, Turn},
    text::is_plain,
    tuf::name::Gun,
    tui::{
        action::{Command, Edit},
        changing::{Changing, Row},
        effect::{Effect, Reply},
        layer::Layer,
        shelf::Progress,
        state::{Notice, State},
        theme::Tone,
        typing,
        wizard::{Asked, Page, Wizard},
    },
};

/// Begins a piece of work, on top of everything.
pub fn begin(state: &mut State, command: Command) -> Vec<Effect> {
    let path = state.selected_key().map(|k| k.path.clone());
    let work = match (command, path) {
        (Command::Change(changing), _) => Work::Ask(Box::new(changing.of(&state.row_to_change(changing)))),
        (Command::Stage(changing), _) => {
            let wanted = changing.of(&state.row_to_change(changing));
            Work::Ask(Box::new(Wanted::Stage(Box::new(wanted))))
        }
        (Command::PushImage, _) => {
            let Row { gun, tag, .. } = state.row_to_change(Changing::Sign);
            // What cannot be typed is no tag.
            let tag = tag.filter(|t| t.chars().all(is_plain)).unwrap_or_default();
            Work::PushImage(Destination { gun, tag })
        }
        (Command::Inquire(about), _) => {
            let Row { gun, tag, .. } = state.row_to_change(Changing::Revoke);
            Work::Inquire(Inquiry { about, gun, tag: tag.filter(|_| about != About::Tags).unwrap_or_default() })
        }
        (Command::Tour, _) => Work::Tour,
        (Command::NewKey, _) => Work::GenerateKey,
        (Command::MigrateKeys, _) => Work::MigrateKeys,
        (Command::StrengthenKeys, _) => Work::StrengthenKeys(None),
        (Command::MendPermissions, _) => Work::MendPermissions,
        (Command::LoadKeys, _) => Work::LoadKeys,
        (Command::ExportAll, _) => Work::ExportKeys(Which::All, Half::Private),
        (Command::ExportKey, Some(path)) => Work::ExportKeys(Which::These(vec![KeyFile(path)]), Half::Private),
        (Command::ExportPublic, Some(path)) => Work::ExportKeys(Which::These(vec![KeyFile(path)]), Half::Public),
        (Command::ChangePassphrase, Some(path)) => Work::ChangePassphrase(path),
        (Command::RemoveKey, Some(path)) => Work::RemoveKey(path),
        (Command::TestKey, Some(path)) => Work::TestKey(path),
        _ => return Vec::new(),
    };
    state.layers.push(Layer::Wizard(Box::new(Wizard::new(work.clone()))));
    vec![Effect::Perform(work)]
}

/// Shows what is asked. What was opened over the work before, such as the help, was about another page.
pub fn asked(state: &mut State, asked: Asked) -> Vec<Effect> {
    if state.locked.is_some() && !matches!(asked.question, Question::Working(_)) {
        // Nobody can answer now: it stops here.
        return vec![Effect::StopWork];
    }
    if let Some(at) = state.layers.iter().rposition(|l| matches!(l, Layer::Wizard(_))) {
        state.layers.truncate(at + 1);
    }
    let Some(wizard) = state.wizard_mut() else { return Vec::new() };
    wizard.ask(asked);
    match &wizard.page {
        Page::Secret(page) => vec![Effect::ReadSecret(page.wanted.clone())],
        _ => Vec::new(),
    }
}

/// What is said at the question for a passphrase.
pub fn said(state: &mut State, said: Said) {
    let Some(Wizard { page: Page::Secret(page), .. }) = state.wizard_mut() else { return };
    match said {
        Said::Turn(turn, note) => {
            page.turn = turn;
            page.strength = None;
            page.drawn = page.drawn.filter(|_| turn == Turn::New);
            // Why the question comes at all is said until something newer is.
            page.note = note.or(page.note.take().filter(|_| turn == Turn::Existing));
        }
        Said::Typing(level) => page.strength = level,
        Said::Remember(remember) => page.remember = remember,
        Said::Drawn(words) => page.drawn = Some(words),
    }
}

/// The procedure has its passphrase.
pub fn secret_typed(state: &mut State) {
    if let Some(wizard) = state.wizard_mut() {
        wizard.answered = true;
    }
}

/// From here on there is no way back.
pub fn began(state: &mut State) {
    if let Some(wizard) = state.wizard_mut() {
        wizard.acted = true;
    }
}

/// Says how far it has come.
pub fn came(state: &mut State, how_far: String) {
    if let Some(Wizard { page: Page::Working(what), .. }) = state.wizard_mut() {
        *what = how_far;
    }
}

/// Shows what came of it. Whatever was touched is read again.
pub fn finished(state: &mut State, result: Result<Done, Failure>) -> Vec<Effect> {
    let Some(wizard) = state.wizard_mut() else { return Vec::new() };
    let (acted, work) = (wizard.acted, wizard.work.clone());
    let key = result.as_ref().ok().and_then(|done| done.key.clone());
    let changed = changed(&work, &result);
    let removed = result.is_ok() && matches!(work, Work::RemoveKey(_));
    wizard.page = Page::Outcome(result);
    wizard.answered = false;
    wizard.scroll = Default::default();
    if removed {
        // Its page goes with it.
        state.layers.retain(|l| !matches!(l, Layer::Key(_)));
    }
    let mut effects = deeds::read(state);
    if !acted {
        return effects;
    }
    effects.extend(reading::read_changed(state, changed));
    state.wanted_key = key;
    if state.keys_progress == Progress::Reading {
        // That reading may have begun too early to see it.
        state.stale.keys = true;
        return effects;
    }
    state.keys_progress = Progress::Reading;
    effects.push(Effect::ReadKeys(state.epoch));
    effects
}

/// The repositories that may be different. Where it did not work they may be so too, and only what was begun says which; none
/// if not even that does.
fn changed(work: &Work, result: &Result<Done, Failure>) -> Option<Vec<Gun>> {
    match (work, result) {
        (Work::Change(_) | Work::Ask(_), Ok(done)) => Some(done.repositories.clone()),
        (Work::Change(wanted) | Work::Ask(wanted), Err(_)) => Some(wanted.guns()).filter(|guns| !guns.is_empty()),
        // What the registry has is not known otherwise than by asking it.
        (Work::PushImage(_), Ok(done)) => Some(done.repositories.clone()),
        _ => Some(Vec::new()),
    }
}

/// Selects the key that was made or changed, now that the keys were read. A filter that hides it is cleared.
pub fn select_wanted(state: &mut State) {
    let Some(path) = &state.wanted_key else { return };
    let Some(i) = state.keys.roster.rows().iter().position(|k| k.path == *path) else { return };
    state.wanted_key = None;
    state.keys_view.select(i);
    if state.keys_view.selected() != Some(i) {
        state.keys_view.set_filter("", &state.keys.roster);
        state.keys_view.select(i);
    }
}

/// Types into the field, or the confirmation.
pub fn edit(state: &mut State, edit: Edit) {
    match state.wizard_mut().map(|w| &mut w.page) {
        Some(Page::Form(form)) => form.edit(edit),
        Some(Page::Confirm(_, input)) => typing::edit(input, edit),
        _ => {}
    }
}

/// Moves in a form, goes on from it, or accepts a page.
pub fn command(state: &mut State, command: Command) -> Vec<Effect> {
    let Some(wizard) = state.wizard_mut() else { return Vec::new() };
    let mut several = Vec::new();
    let reply = match (&mut wizard.page, command) {
        (Page::Form(form), Command::NextField) => {
            form.forward();
            None
        }
        (Page::Form(form), Command::Complete) => {
            several = form.complete();
            None
        }
        (Page::Form(form), Command::PreviousField) => {
            form.backward();
            None
        }
        (Page::Form(form), Command::TurnLeft | Command::TurnRight) => {
            form.turn(command == Command::TurnRight);
            None
        }
        (Page::Form(form), Command::Enter) => match form.forward() {
            true => None,
            false => form.take().map(Reply::Values),
        },
        (Page::Form(form), Command::Continue) => form.take().map(Reply::Values),
        (Page::Review(_), Command::Accept) => Some(Reply::Accepted),
        (Page::Confirm(_, input), Command::Accept) => Some(Reply::Typed(input.value().to_owned())),
        _ => None,
    };
    let effects = reply.map(|r| answer(wizard, r)).unwrap_or_default();
    if !several.is_empty() {
        state.notice = Some(Notice { text: several.join("  "), tone: Tone::Plain });
    }
    effects
}

/// Esc: to the question before, out of the first one, out of what is at work, or away from the result.
pub fn back(state: &mut State) -> Vec<Effect> {
    let Some(wizard) = state.wizard_mut() else { return Vec::new() };
    if matches!(wizard.page, Page::Outcome(_)) {
        state.layers.retain(|l| !matches!(l, Layer::Wizard(_)));
        return Vec::new();
    }
    if wizard.is_working() {
        wizard.stopping = true;
        return vec![Effect::StopWork];
    }
    let reply = if wizard.may_go_back { Reply::Back } else { Reply::Cancelled };
    answer(wizard, reply)
}

fn answer(wizard: &mut Wizard, reply: Reply) -> Vec<Effect> {
    wizard.answered = true;
    vec![Effect::Answer(reply)]
}

/// Closes everything but guided work, which ends by itself.
pub fn close_others(state: &mut State) {
    state.layers.retain(|l| matches!(l, Layer::Wizard(_)));
}
