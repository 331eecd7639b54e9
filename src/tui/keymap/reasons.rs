//! Why a command can do nothing now: the footer leaves it out, the help and the palette say it.
use super::{Context, changes};
use crate::secret::dialogue::Turn;
use crate::tui::{action::Command, ledger::LedgerRow, shelf::Progress, standing::Standing, state::State, wizard::Page};
use crate::views::desk::World;
use std::borrow::Cow;

/// Why a command can do nothing now; nothing if it can.
pub fn why_not(state: &State, command: Command) -> Option<Cow<'static, str>> {
    never(state, command).or_else(|| in_work(state, command)).or_else(|| match command {
        Command::Change(changing) => changes::why_not(state, changing),
        Command::Stage(changing) => changes::why_not_stage(state, changing),
        _ => in_general(state, command).map(Cow::Borrowed),
    })
}

/// Why a command can do nothing in this session, whatever is selected.
pub fn never(state: &State, command: Command) -> Option<Cow<'static, str>> {
    let why = state.read_only.as_ref().filter(|_| command.writes())?;
    Some(format!("This is a read-only session ({why}): nothing is written.").into())
}

fn in_general(state: &State, command: Command) -> Option<&'static str> {
    let page = state.page();
    let nothing_listed = state.view(page).is_none_or(|v| v.is_empty());
    match command {
        Command::Tour if state.facts.world != World::Sandbox => {
            Some("The tour is walked in a world to practise on: claviger sandbox opens one.")
        }
        Command::Open | Command::Fold if nothing_listed => Some("Nothing is selected."),
        Command::Copy if state.context() == Context::Outcome && state.copyable().is_none() => {
            Some("There is nothing to copy here.")
        }
        Command::Copy if state.context() == Context::Outcome => None,
        Command::Copy if nothing_listed && page != Context::Key => Some("Nothing is selected."),
        Command::Copy if state.copyable().is_none() => Some("There is no valid ID or digest to copy."),
        Command::Show(_) if state.repo_to_change().is_none() => Some("No repository is selected."),
        Command::Staged if state.repo_to_change().is_none() => Some("No repository is selected."),
        Command::Look if state.looking.is_some() => Some("It is being looked at. c stops that."),
        Command::Look if !state.open_repo().is_some_and(|r| matches!(r.standing, Standing::Refused(_))) => {
            Some("Only what was refused is looked at unverified.")
        }
        Command::Filter if state.roster_len(page) == 0 => Some("There is nothing to filter."),
        Command::Sort if state.roster_len(page) == 0 => Some("There is nothing to sort."),
        Command::Cancel if !state.is_busy() => Some("Nothing is running."),
        Command::Refresh if matches!(page, Context::Keys | Context::Key) && state.keys_progress == Progress::Reading => {
            Some("The keys are being read. c stops that.")
        }
        Command::Refresh if page == Context::Repositories && nothing_listed => {
            Some("No repository is selected. R looks for all.")
        }
        Command::Refresh if state.is_reading_target() => Some("It is being read. c stops that."),
        Command::RefreshAll if state.job.is_some() || state.repos_progress == Progress::Reading => {
            Some("Repositories are being read. c stops that.")
        }
        Command::ChangePassphrase | Command::RemoveKey | Command::TestKey | Command::ExportKey | Command::ExportPublic
            if state.selected_key().is_none() =>
        {
            Some("Nothing is selected.")
        }
        Command::Refresh if matches!(page, Context::Journal | Context::Deed) && state.journal_progress == Progress::Reading => {
            Some("The journal is being read.")
        }
        Command::Resume if !matches!(page, Context::Journal | Context::Deed) => {
            let waits = state.journal.roster.rows().iter().any(LedgerRow::is_open);
            (!waits).then_some("No work is interrupted.")
        }
        Command::Resume | Command::GiveUp if state.selected_deed().is_none() => Some("Nothing is selected."),
        Command::Resume | Command::GiveUp if !state.selected_deed().is_some_and(LedgerRow::is_open) => {
            Some("Only work that was interrupted is gone on with, or closed.")
        }
        Command::Resume if state.selected_deed().and_then(LedgerRow::resumable).is_none() => {
            Some("This version does not know the work: go on with the one that began it.")
        }
        Command::ExportAll if state.keys_progress == Progress::Done && state.keys.roster.rows().is_empty() => {
            Some("There are no keys here.")
        }
        Command::Examine if page == Context::Doctor && state.doctor_page().is_some_and(|p| p.checks.is_none()) => {
            Some("It is being looked at.")
        }
        Command::Suspend if !state.has_shell => Some("There is no shell to go back to."),
        _ => None,
    }
}

/// The same for guided work.
fn in_work(state: &State, command: Command) -> Option<Cow<'static, str>> {
    if state.context() == Context::Help {
        return None;
    }
    let wizard = state.wizard()?;
    match (command, &wizard.page) {
        (Command::Back, page) if wizard.acted && !wizard.work.can_be_left() && !matches!(page, Page::Outcome(_)) => {
            Some("It has begun to write, and is not stopped half-way.".into())
        }
        (Command::Remember, Page::Secret(page)) if !page.may_be_remembered() => {
            Some("Only the passphrase of a key that there is can be remembered.".into())
        }
        (Command::Draw, Page::Secret(page)) if page.turn != Turn::New => {
            Some("Words are drawn for a new passphrase, before it is typed.".into())
        }
        (Command::Back, _) if wizard.stopping && wizard.is_working() => Some("It is being stopped.".into()),
        (Command::Accept, Page::Review(_) | Page::Confirm(..)) if !wizard.is_read() => {
            Some("There is more below: read to the end, with Down or PgDn.".into())
        }
        (Command::Accept, Page::Confirm(confirm, input)) if input.value() != confirm.typed => {
            Some(format!("Type {} in full.", confirm.typed).into())
        }
        _ => None,
    }
}
