//! Locking: every passphrase is forgotten, and what waits for somebody ends. What has begun to write goes on.
use crate::{
    secret::dialogue::Said,
    tui::{
        action::Action,
        effect::Effect,
        state::{Locked, State},
        wizard::Page,
    },
};
use std::time::Duration;

/// Takes notice of somebody doing something.
pub fn notice(state: &mut State, action: &Action) {
    let somebody = matches!(
        action,
        Action::Do(_)
            | Action::Edit(_)
            | Action::Click(..)
            | Action::Wheel(_)
            | Action::Said(Said::Typing(_) | Said::Remember(_) | Said::Drawn(_))
    );
    if somebody {
        state.idle.touch();
    }
}

/// It is this time now: locks if nobody has done anything for too long.
pub fn tell(state: &mut State, now: Duration) -> Vec<Effect> {
    if state.idle.tell(now) && state.locked.is_none() { lock(state, Locked::Idle) } else { Vec::new() }
}

/// Locks.
pub fn lock(state: &mut State, why: Locked) -> Vec<Effect> {
    state.locked = Some(why);
    state.notice = None;
    state.remembered = 0;
    let mut effects = vec![Effect::Forget];
    if let Some(wizard) = state.wizard_mut() {
        let goes_on = matches!(wizard.page, Page::Outcome(_)) || wizard.acted && wizard.is_working();
        if !goes_on {
            wizard.answered = true;
            wizard.stopping = true;
            effects.push(Effect::StopWork);
        }
    }
    effects
}
