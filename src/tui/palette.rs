//! The palette: verbs of the command line, found while they are typed, and messages of the old tools by some of their words.
//! The verbs that it offers are made from the table of actions.
use super::{
    action::{Command, Edit},
    keymap::{self, Entry, TABLE},
    roster::View,
    state::State,
    typing,
};
use crate::views::messages::{self, Message};
use std::borrow::Cow;
use tui_input::Input;

/// The palette while it is open.
#[derive(Debug)]
pub struct Palette {
    /// What was typed.
    pub input: Input,
    /// The verbs that fit it, by their number in [`offers`], and behind these the messages.
    pub view: View,
}

/// A verb, and the line of the table that it stands for.
#[derive(Debug, Clone, Copy)]
pub struct Offer {
    /// The verb, as the command line has it.
    pub verb: &'static str,
    /// What it does.
    pub entry: &'static Entry,
}

/// Every verb, in the order of the table.
pub fn offers() -> impl Iterator<Item = Offer> {
    TABLE.iter().flat_map(|entry| entry.verbs.iter().map(move |verb| Offer { verb, entry }))
}

impl Offer {
    /// What it asks for.
    pub fn command(&self) -> Command {
        self.entry.command
    }

    /// Why it can do nothing now; nothing if it can.
    pub fn why_not(&self, state: &State) -> Option<Cow<'static, str>> {
        let here = self.entry.anywhere || self.entry.at.contains(&state.page());
        if !here {
            // First whether it could be done at all.
            return keymap::never(state, self.command()).or_else(|| Some(self.entry.elsewhere().into()));
        }
        keymap::why_not(state, self.command())
    }
}

impl Default for Palette {
    fn default() -> Self {
        let mut palette = Self { input: Input::default(), view: View::default() };
        palette.find();
        palette
    }
}

impl Palette {
    /// Types, and finds what fits.
    pub fn edit(&mut self, edit: Edit) {
        typing::edit(&mut self.input, edit);
        self.find();
    }

    /// The verb that is selected.
    pub fn selected(&self) -> Option<Offer> {
        offers().nth(self.view.selected()?)
    }

    /// The number of the message that is selected.
    pub fn selected_message(&self) -> Option<usize> {
        message(self.view.selected()?).map(|(number, _)| number)
    }

    /// Puts the selected verb into the line.
    pub fn complete(&mut self) {
        if let Some(offer) = self.selected() {
            self.input = Input::new(offer.verb.to_owned());
            self.find();
        }
    }

    fn find(&mut self) {
        let typed = self.input.value().to_lowercase();
        let mut found: Vec<(u8, u32)> =
            (0..).zip(offers()).filter_map(|(i, offer)| Some((distance(&typed, offer.verb)?, i))).collect();
        found.sort_unstable();
        let messages = messages::find(&typed).into_iter().filter_map(|n| u32::try_from(offers().count() + n).ok());
        self.view = View::default();
        self.view.exactly(found.into_iter().map(|(_, i)| i).chain(messages).collect());
    }
}

/// The message with this number behind the verbs, and its number among all.
pub fn message(index: usize) -> Option<(usize, &'static Message)> {
    let number = index.checked_sub(offers().count())?;
    messages::all().get(number).map(|m| (number, m))
}

/// How far a verb is from what was typed: it begins so, its words begin with the words, its letters come in this order;
/// nothing if none of these.
fn distance(typed: &str, verb: &str) -> Option<u8> {
    let words: Vec<&str> = typed.split_whitespace().collect();
    if verb.starts_with(&words.join(" ")) {
        return Some(0);
    }
    let mut of_verb = verb.split(' ');
    if words.iter().all(|w| of_verb.any(|v| v.starts_with(w))) {
        return Some(1);
    }
    let mut letters = verb.chars();
    words.concat().chars().all(|c| letters.any(|l| l == c)).then_some(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The verbs that fit, best first.
    fn found(typed: &str) -> Vec<&'static str> {
        let mut palette = Palette::default();
        palette.edit(Edit::Insert(typed.to_owned()));
        let mut all = Vec::new();
        while all.len() < palette.view.len() {
            palette.view.select_shown(all.len());
            all.push(palette.selected().unwrap().verb);
        }
        all
    }

    #[test]
    fn a_verb_is_found_by_its_beginning_its_words_or_its_letters() {
        assert_eq!(found("key gen")[0], "key generate");
        assert_eq!(found("k g")[0], "key generate");
        assert_eq!(found("passwd"), ["key passwd"]);
        assert_eq!(found("kpw"), ["key passwd"]);
        assert_eq!(found("KEY  REM")[0], "key remove");
        assert_eq!(found("q"), ["quit"]);
        assert!(found("xyzzy").is_empty());
        assert_eq!(found("").len(), offers().count());
        assert!(found("key ex").iter().all(|v| v.starts_with("key export")));
    }

    #[test]
    fn completing_puts_the_best_verb_into_the_line() {
        let mut palette = Palette::default();
        palette.edit(Edit::Insert("k pass".to_owned()));
        palette.complete();
        assert_eq!(palette.input.value(), "key passwd");
        assert_eq!(palette.selected().unwrap().command(), Command::ChangePassphrase);
    }
}
