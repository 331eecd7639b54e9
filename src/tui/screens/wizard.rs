//! The pages of guided work: passphrase, review, confirmation, work and result. Forms have a file of their own.
use super::{
    super::{
        ink::Ink,
        layer::Context,
        slate,
        state::State,
        theme::Tone,
        widgets::{input, pane::Lines, table},
        wizard::{CANCELLED, Page, SecretPage, Wizard, Work},
    },
    findings, wizard_form,
};
use crate::{
    failure::Failure,
    operator::{Confirm, Review, SecretKind},
    procedures::Done,
    secret::{Level, dialogue::Turn, least_characters, words::entropy},
};
use ratatui::layout::Rect;

/// Rows of the title, what the step is about, and a gap.
const HEAD: u16 = 3;
/// Rows below a confirmation where it is typed.
const TYPED: u16 = 3;

/// Where the lines of a page are.
pub fn body(of: Context, content: Rect) -> Rect {
    let below = super::below(content, HEAD);
    let rows = if of == Context::Confirm { TYPED } else { 0 };
    Rect { height: below.height.saturating_sub(rows), ..below }
}

/// How many lines the page has, if it is one that scrolls.
pub fn page_lines(state: &State, content: Rect) -> Option<usize> {
    let wizard = state.wizard()?;
    (!matches!(wizard.page, Page::Form(_))).then(|| lines(state, wizard, content.width).lines.len())
}

/// Draws the page; returns where the cursor belongs, if anything is typed.
pub fn draw(state: &State, ink: &mut Ink<'_>) -> Option<(u16, u16)> {
    let wizard = state.wizard()?;
    let place = match wizard.work {
        Work::Change(_) | Work::Ask(_) | Work::PushImage(_) | Work::Inquire(_) => "Repositories  ",
        Work::Tour => "Sandbox  ",
        _ => "Keys  ",
    };
    ink.line(0, &[(place, Tone::Dim), (wizard.work.title(), Tone::Strong)]);
    if let (Some(step), false) = (&wizard.step, matches!(wizard.page, Page::Outcome(_))) {
        ink.clip(0, 1, ink.width(), step.says, Tone::Dim);
    }
    let content = ink.area();
    if let Page::Form(form) = &wizard.page {
        return wizard_form::draw(form, &mut ink.on(body(Context::Form, content)));
    }
    let of = if let Page::Confirm(..) = wizard.page { Context::Confirm } else { Context::Review };
    let lines = lines(state, wizard, content.width);
    let mut part = ink.on(body(of, content));
    lines.draw(&mut part, wizard.scroll.cursor());
    let height = part.height();
    table::scroll_bar(&mut part, 0, height, wizard.scroll.cursor(), lines.lines.len());
    match &wizard.page {
        Page::Confirm(confirm, typed) => {
            let foot = super::below(content, content.height.saturating_sub(TYPED));
            let mut foot = ink.on(foot);
            let right = typed.value() == confirm.typed;
            let asks = format!("To go ahead, type {} and press Enter:", confirm.typed);
            foot.clip(0, 0, foot.width(), &asks, Tone::Strong);
            let columns = foot.width().saturating_sub(2);
            let cursor = input::draw(&mut foot, 2, 1, columns, typed, if right { Tone::Good } else { Tone::Plain });
            let (says, tone) = match typed.value() {
                "" => ("", Tone::Dim),
                _ if right => ("That is it.", Tone::Good),
                t if confirm.typed.starts_with(t) => ("Not all of it yet.", Tone::Dim),
                _ => ("That is something else.", Tone::Warn),
            };
            foot.clip(2, 2, columns, says, tone);
            let a = foot.area();
            Some((a.x + cursor.min(a.width.saturating_sub(1)), a.y + 1)).filter(|_| !wizard.answered)
        }
        _ => None,
    }
}

/// The lines of every page but a form.
fn lines(state: &State, wizard: &Wizard, columns: u16) -> Lines {
    let columns = columns.saturating_sub(2);
    match &wizard.page {
        Page::Form(_) => Lines::bare(state.theme, columns),
        Page::Secret(page) => secret(state, page, columns),
        Page::Review(review) => of_review(state, review, columns),
        Page::Confirm(confirm, _) => of_confirm(state, confirm, columns),
        Page::Working(what) => working(state, wizard, what, columns),
        Page::Outcome(result) => outcome(state, result, columns),
    }
}

fn secret(state: &State, page: &SecretPage, columns: u16) -> Lines {
    let mut l = Lines::bare(state.theme, columns);
    let w = &page.wanted;
    let of = &w.label;
    if let Some(words) = page.drawn {
        let bits = entropy(words).floor();
        l.one("", &format!("Drawn by lot: {words} words, {bits} bits. Write them down:"), Tone::Strong);
        // They are painted past this.
        (0..slate::ROWS).for_each(|_| l.gap());
        l.say("", "It cannot be recovered. Back it up now.", Tone::Strong);
        l.gap();
    }
    match (page.turn, w.kind) {
        (Turn::Again, _) => l.say("", &format!("Type the same passphrase for {of} again."), Tone::Strong),
        (Turn::Existing, _) => l.say("", &format!("Type the passphrase of the {of}."), Tone::Strong),
        (Turn::New, SecretKind::Replacement) => l.say("", &format!("Type the new passphrase of the {of}."), Tone::Strong),
        (Turn::New, _) => l.say("", &format!("Type a passphrase for {of}."), Tone::Strong),
    }
    l.gap();
    if let Some(note) = &page.note {
        l.say("", &format!("! {note}"), Tone::Warn);
        l.gap();
    }
    let shown = if page.drawn.is_some() {
        "Nothing of what you type is shown. Enter hides the words, if what was typed will do."
    } else {
        "Nothing of what you type is shown. Enter ends it, Ctrl-U begins it again."
    };
    l.say("", shown, Tone::Plain);
    if page.may_be_remembered() {
        l.gap();
        let answer = if page.remember { "yes" } else { "no" };
        l.say("", &format!("Remember it for this sitting: {answer}. Ctrl-R changes that."), Tone::Plain);
        l.say("", "Ctrl-X, a while without a key press, or the end forget it.", Tone::Dim);
    }
    if page.turn == Turn::New && page.drawn.is_none() {
        l.say("", "Ctrl-G draws one of words by lot.", Tone::Plain);
    }
    if page.turn == Turn::New {
        l.gap();
        strength(state, &mut l, page.strength);
    }
    if page.turn != Turn::Existing {
        l.gap();
        let least = least_characters(&w.role);
        l.say("", &format!("It needs at least {least} characters, must not be easy to guess, and is typed twice."), Tone::Plain);
        if page.drawn.is_none() {
            l.say("", "It cannot be recovered. Back it up now.", Tone::Strong);
        }
    }
    l
}

/// Where words that were drawn belong, while they are shown.
pub fn slate(state: &State, content: Rect) -> Option<Rect> {
    let is_open = state.context() == Context::Secret;
    let Page::Secret(SecretPage { drawn: Some(_), .. }) = &state.wizard().filter(|_| is_open)?.page else { return None };
    let lines = body(Context::Secret, content);
    // The last column is the scroll bar's.
    let rows = Rect { y: lines.y + 1, height: slate::ROWS, width: lines.width.saturating_sub(2), ..lines };
    Some(rows.intersection(lines))
}

/// How strong it is so far, in a word and in steps. Of its length nothing is shown.
fn strength(state: &State, l: &mut Lines, level: Option<Level>) {
    let Some(level) = level else { return l.say("", "Strength: shown while you type", Tone::Dim) };
    let (g, steps) = (state.theme.glyphs(), level.steps());
    let bar = g.done.repeat(steps) + &g.to_come.repeat(Level::ALL.len() - steps);
    let tone = match level {
        Level::VeryWeak => Tone::Bad,
        Level::Weak => Tone::Warn,
        Level::Fair => Tone::Plain,
        Level::Good | Level::Strong => Tone::Good,
    };
    l.say("", &format!("Strength: {bar} {level}"), tone);
}

fn of_review(state: &State, review: &Review, columns: u16) -> Lines {
    let mut l = Lines::new(state.theme, columns);
    l.heading(&review.title);
    let mut above = "";
    for (name, value) in &review.facts {
        // What is said of the same thing stands below it.
        let name = if std::mem::replace(&mut above, name) == *name { "" } else { *name };
        match value.len() == 64 && value.bytes().all(|b| b.is_ascii_hexdigit()) {
            true => l.digits(name, "", value, Tone::Plain),
            false => l.say(name, value, Tone::Plain),
        }
    }
    if !review.findings.is_empty() {
        l.gap();
        findings::say_all(&mut l, "Notable", &review.findings);
    }
    l.gap();
    l.say("Enter", review.verb, Tone::Strong);
    l
}

fn of_confirm(state: &State, confirm: &Confirm, columns: u16) -> Lines {
    let mut l = Lines::bare(state.theme, columns);
    l.say("", &confirm.title, Tone::Bad);
    for consequence in &confirm.consequences {
        l.gap();
        l.say("", consequence, Tone::Plain);
    }
    l
}

fn working(state: &State, wizard: &Wizard, what: &str, columns: u16) -> Lines {
    let mut l = Lines::bare(state.theme, columns);
    if what.is_empty() {
        return l;
    }
    l.say("", &format!("{} {what}", state.spinner()), Tone::Strong);
    l.gap();
    match (wizard.acted, wizard.stopping) {
        (_, false) if wizard.work == Work::Tour => l.say("", "Esc ends the tour. Nothing in it is real.", Tone::Dim),
        (true, false) if wizard.work.can_be_left() => {
            l.say("", "Esc stops it, unless the last step has begun. What was sent by then has no name.", Tone::Dim);
        }
        (true, true) if wizard.work.can_be_left() => l.say("", "It is being stopped.", Tone::Dim),
        (true, _) => l.say("", "It has begun to write, and is not stopped half-way.", Tone::Dim),
        (false, true) => l.say("", "It is being stopped.", Tone::Dim),
        (false, false) if !wizard.work.is_recorded() => l.say("", "Nothing is changed by this. Esc stops it.", Tone::Dim),
        (false, false) => l.say("", "Nothing is written yet. Esc stops it.", Tone::Dim),
    }
    l
}

fn outcome(state: &State, result: &Result<Done, Failure>, columns: u16) -> Lines {
    let mut l = Lines::bare(state.theme, columns);
    let g = state.theme.glyphs();
    match result {
        Ok(done) => {
            let is_well = done.left.is_empty() && !done.rows.iter().any(|row| row.is_notable);
            let (mark, tone) = match (done.is_untrusted(), is_well) {
                (true, _) => (g.cross, Tone::Bad),
                (false, true) => (g.tick, Tone::Good),
                (false, false) => ("!", Tone::Warn),
            };
            l.say("", &format!("{mark} {}", done.happened), tone);
            for sentence in &done.left {
                l.gap();
                l.say("", sentence, Tone::Plain);
            }
            if !done.next.is_empty() {
                l.gap();
                l.say("", done.next, Tone::Strong);
            }
            if let Some(copy) = &done.copy {
                l.gap();
                l.say("", copy, Tone::Plain);
            }
            if !done.rows.is_empty() {
                l.gap();
            }
            for row in &done.rows {
                l.one("", &row.text, if row.is_notable { tone } else { Tone::Plain });
            }
        }
        Err(failure) => {
            let (mark, tone) = if failure.code == CANCELLED { ("", Tone::Strong) } else { (g.cross, Tone::Bad) };
            l.say("", format!("{mark} {}", failure.happened()).trim_start(), tone);
            for sentence in failure.rest() {
                l.gap();
                l.say("", &sentence, Tone::Plain);
            }
        }
    }
    l
}
