//! Messages of the old tools: what each means and what to do about it, as `docs/messages.md` says it.
use std::{cmp::Reverse, sync::LazyLock};

const PAGE: &str = include_str!("../../docs/messages.md");
/// What stands in a message for whatever varies.
const VARIES: [&str; 13] =
    ["GUN", "TAG", "ROLE", "HOST", "FILE", "ID", "NAME", "DATE", "NUMBER", "STATUS", "DIGEST", "URL", "TEXT"];
/// Fewer words than these are looked for in no message: they are too common.
const WORDS: usize = 3;

/// One message.
#[derive(Debug, PartialEq, Eq)]
pub struct Message {
    /// As it is printed, but for what varies.
    pub text: &'static str,
    /// By what, and when.
    pub printed_by: &'static str,
    /// Why.
    pub cause: &'static str,
    /// What to do.
    pub next: &'static str,
    /// What does not vary in it, word by word.
    words: Vec<String>,
}

static ALL: LazyLock<Vec<Message>> = LazyLock::new(|| PAGE.split("\n## ").skip(1).filter_map(read).collect());

/// All of them, in the order of the page.
pub fn all() -> &'static [Message] {
    &ALL
}

fn read(section: &'static str) -> Option<Message> {
    let (heading, rest) = section.split_once('\n')?;
    let line = |name: &str| rest.lines().find_map(|l| l.strip_prefix(name)?.strip_prefix(": "));
    let text = heading.trim().trim_matches('`');
    let varies = |word: &str| word.split(|c: char| !c.is_ascii_alphanumeric()).any(|part| VARIES.contains(&part));
    let words = text.split_whitespace().filter(|w| !varies(w)).filter_map(plain).collect();
    Some(Message { text, printed_by: line("Printed by")?, cause: line("Cause")?, next: line("Do")?, words })
}

/// A word without the marks around it, in small letters.
fn plain(word: &str) -> Option<String> {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    (!word.is_empty()).then_some(word)
}

/// The numbers of those that fit what was typed, the best first: a whole message with whatever stands in the place of what
/// varies, or some words of it in their order. Of several the longest is the best: it says the most.
pub fn find(typed: &str) -> Vec<usize> {
    let typed: Vec<String> = typed.split_whitespace().filter_map(plain).collect();
    if typed.len() < WORDS {
        return Vec::new();
    }
    // The last word may still be being typed.
    let last = typed.last().map(String::as_str);
    let mut found: Vec<(bool, Reverse<usize>, usize)> = Vec::new();
    for (number, message) in all().iter().enumerate() {
        let whole = message.words.len() >= WORDS && in_order(&message.words, &typed, |word, typed| word == typed);
        if whole
            || in_order(&typed, &message.words, |typed, word| word == typed || last == Some(typed) && word.starts_with(typed))
        {
            found.push((!whole, Reverse(message.words.len()), number));
        }
    }
    found.sort_unstable();
    found.into_iter().map(|(_, _, number)| number).collect()
}

/// Whether each of `few` is found among `many`, one after the other.
fn in_order(few: &[String], many: &[String], is: impl Fn(&str, &str) -> bool) -> bool {
    let mut many = many.iter();
    few.iter().all(|f| many.any(|m| is(f, m)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(typed: &str) -> &'static str {
        find(typed).first().and_then(|n| all().get(*n)).map_or("", |m| m.text)
    }

    #[test]
    fn every_section_of_the_page_is_read() {
        assert_eq!(all().len(), PAGE.matches("\n## ").count());
        assert!(all().len() >= 50 && all().iter().all(|m| !m.text.contains('`') && !m.cause.is_empty()));
    }

    #[test]
    fn a_message_is_found_by_itself_and_whole_with_what_varies_in_it() {
        for (number, message) in all().iter().enumerate().filter(|(_, m)| m.words.len() >= WORDS) {
            assert!(find(message.text).contains(&number), "{}", message.text);
        }
        let printed = "Error: remote trust data does not exist for docker.io/library/x: notary.docker.io does not have trust data for docker.io/library/x";
        assert_eq!(first(printed), "Error: remote trust data does not exist for GUN: HOST does not have trust data for GUN");
        assert_eq!(first("* fatal: n.example does not have trust data for a/b"), "HOST does not have trust data for GUN");
        assert_eq!(first("no valid trust data for latest"), "No valid trust data for TAG");
    }

    #[test]
    fn some_words_in_their_order_are_enough_and_the_longest_message_comes_first() {
        assert_eq!(first("no valid tru"), "No valid trust data for TAG");
        let found = find("not have trust data for");
        let lengths: Vec<usize> = found.iter().filter_map(|n| all().get(*n)).map(|m| m.words.len()).collect();
        assert!(lengths.len() > 1 && lengths.is_sorted_by(|a, b| a >= b), "{lengths:?}");
        for nothing in ["", "key", "trust data", "data trust valid no", "xyzzy plugh plover"] {
            assert_eq!(find(nothing), [0; 0], "{nothing}");
        }
    }
}
