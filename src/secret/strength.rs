//! How hard a passphrase is to guess, estimated from below: as somebody would try who knows how people choose. What looks
//! like chance counts little, because nobody can tell from one passphrase how it was made.
use super::{Passphrase, words};
use crate::os::strongroom;
use std::fmt;

/// Characters that are looked at; what is longer is strong long before that.
const MOST: usize = 128;
/// Bits of a character of which nothing is known: ten guesses, as zxcvbn counts it.
const CHARACTER: f64 = 3.32;
/// Bits of a word of the list: it may have been drawn by lot.
const WORD: f64 = 12.92;
/// Bits of a word that is among the first that are tried.
const COMMON: f64 = 5.0;
/// Bits of a year.
const YEAR: f64 = 6.6;
/// Bits of where a run of the keyboard or the alphabet begins and how it goes.
const RUN: f64 = 5.0;
/// Bits of a blank or a sign between words.
const BETWEEN: f64 = 1.0;
/// Bits of capitals, and of digits that stand for letters.
const DISGUISE: f64 = 1.5;
/// Fewest characters of a run.
const SHORTEST_RUN: usize = 3;

/// What people choose first. What is short or in the list of words need not be here.
const FIRST: &str = "password passwort passwd secret admin administrator root login letmein welcome changeme default master test \
    testing hello iloveyou dragon monkey football baseball sunshine princess trustno superman batman shadow \
    access flower computer internet server docker notary claviger container registry target targets snapshot \
    timestamp delegation trust";
/// Runs that fingers know.
const ROWS: [&str; 5] = ["qwertyuiop", "qwertzuiop", "asdfghjkl", "zxcvbnm", "yxcvbnm"];

/// How strong it is, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Guessed in moments.
    VeryWeak,
    /// Guessed in hours.
    Weak,
    /// Withstands a single computer.
    Fair,
    /// Withstands many.
    Good,
    /// Withstands everything that is known.
    Strong,
}

impl Level {
    /// All, from the weakest on.
    pub const ALL: [Self; 5] = [Self::VeryWeak, Self::Weak, Self::Fair, Self::Good, Self::Strong];

    /// In how many of five steps it is.
    pub fn steps(self) -> usize {
        Self::ALL.iter().take_while(|l| **l <= self).count()
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::VeryWeak => "very weak",
            Self::Weak => "weak",
            Self::Fair => "fair",
            Self::Good => "good",
            Self::Strong => "strong",
        })
    }
}

/// An estimate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Strength {
    /// How many bits a good guesser would need, at least.
    pub bits: f64,
}

impl Strength {
    /// Estimates what was typed so far.
    pub fn of(text: &[u8]) -> Self {
        strongroom(|| Self { bits: estimate(text.trim_ascii()) })
    }

    /// Estimates a passphrase.
    pub fn of_passphrase(passphrase: &Passphrase) -> Self {
        Self::of(passphrase.expose())
    }

    /// In a word.
    pub fn level(self) -> Level {
        match self.bits {
            b if b < 28.0 => Level::VeryWeak,
            b if b < 45.0 => Level::Weak,
            b if b < 60.0 => Level::Fair,
            b if b < 70.0 => Level::Good,
            _ => Level::Strong,
        }
    }
}

fn estimate(text: &[u8]) -> f64 {
    // Letters as they are looked up: small, and without digits and signs that stand for them.
    let all: Vec<char> = match std::str::from_utf8(text) {
        Ok(text) => text.chars().take(MOST).collect(),
        Err(_) => text.iter().take(MOST).map(|b| char::from(*b)).collect(),
    };
    let small: Vec<u8> = all.iter().map(|c| u8::try_from(c.to_ascii_lowercase()).unwrap_or(0)).collect();
    let plain: Vec<u8> = small.iter().map(|b| undisguised(*b)).collect();
    match period(&small) {
        Some(period) => cheapest(&all, &small, &plain, period) + (small.len() as f64 / period as f64).log2(),
        None => cheapest(&all, &small, &plain, small.len()),
    }
}

/// The cheapest way to cover the first `length` characters with what a guesser knows.
fn cheapest(all: &[char], small: &[u8], plain: &[u8], length: usize) -> f64 {
    let mut best = vec![f64::INFINITY; length + 1];
    if let Some(first) = best.first_mut() {
        *first = 0.0;
    }
    for at in 0..length {
        let here = best.get(at).copied().unwrap_or(f64::INFINITY);
        let mut reach = |to: usize, cost: f64| {
            if let Some(there) = best.get_mut(to) {
                *there = there.min(here + cost);
            }
        };
        let sign = small.get(at).is_some_and(|b| matches!(b, b' ' | b'-' | b'_' | b'.' | b','));
        reach(at + 1, if sign { BETWEEN } else { CHARACTER });
        for to in at + 2..=length.min(at + 14) {
            let (Some(s), Some(p), Some(as_typed)) = (small.get(at..to), plain.get(at..to), all.get(at..to)) else { continue };
            // A capital at the beginning is what everybody does first, and costs as much as one anywhere.
            let disguise = if as_typed.iter().any(|c| c.is_ascii_uppercase()) { DISGUISE } else { 0.0 };
            if let Some(cost) = known(s) {
                reach(to, cost + disguise);
            } else if let Some(cost) = known(p) {
                reach(to, cost + disguise + DISGUISE);
            }
            if to - at >= SHORTEST_RUN && is_run(s) {
                reach(to, RUN + ((to - at) as f64).log2());
            }
            if is_year(s) {
                reach(to, YEAR);
            }
        }
        // One character again and again, however often.
        let same = small.get(at..length).unwrap_or_default();
        let same = same.iter().take_while(|b| same.first() == Some(b)).count();
        if same >= SHORTEST_RUN {
            reach(at + same, CHARACTER + (same as f64).log2());
        }
    }
    best.last().copied().unwrap_or(0.0)
}

/// The length of a piece of which the whole is made, if it is made of one.
fn period(text: &[u8]) -> Option<usize> {
    let whole = |n: &usize| text.len().is_multiple_of(*n) && text.chunks(*n).all(|c| Some(c) == text.get(..*n));
    (1..=text.len() / 2).find(whole)
}

fn known(text: &[u8]) -> Option<f64> {
    if FIRST.split(' ').any(|w| w.as_bytes() == text) {
        return Some(COMMON);
    }
    words::is_word(text).then_some(WORD)
}

fn undisguised(b: u8) -> u8 {
    match b {
        b'0' => b'o',
        b'1' | b'!' => b'i',
        b'3' => b'e',
        b'4' | b'@' => b'a',
        b'5' | b'$' => b's',
        b'7' => b't',
        b => b,
    }
}

/// Whether it goes up or down the alphabet, the digits or a row of the keyboard.
fn is_run(text: &[u8]) -> bool {
    let steps = |by: i16| text.windows(2).all(|w| matches!(w, [a, b] if i16::from(*b) - i16::from(*a) == by));
    let in_row = |row: &str| {
        let backwards = || row.bytes().rev().collect::<Vec<u8>>();
        memchr::memmem::find(row.as_bytes(), text).is_some() || memchr::memmem::find(&backwards(), text).is_some()
    };
    steps(1) || steps(-1) || ROWS.iter().any(|row| in_row(row))
}

fn is_year(text: &[u8]) -> bool {
    text.len() == 4 && text.iter().all(u8::is_ascii_digit) && (text.starts_with(b"19") || text.starts_with(b"20"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(text: &str) -> Level {
        Strength::of(text.as_bytes()).level()
    }

    #[test]
    fn what_people_choose_first_is_very_weak_however_it_is_disguised() {
        for text in [
            "",
            "x",
            "password",
            "Password1",
            "P@ssw0rd",
            "passw0rd!",
            "Password2024",
            "docker123",
            "notary-root",
            "qwertyuiop",
            "asdfghjkl1234",
            "1234567890",
            "abcdefghijkl",
            "aaaaaaaaaaaaaaaaaaaa",
            "abcabcabcabcabcabc",
            "abacus2024",
            "Summer2024",
            "testtesttesttest",
            "adminadminadmin",
            "        ",
            "zzzzzzzzzzzz1",
            "87654321",
            "rootrootroot",
            "ÄÄÄÄÄÄÄÄÄÄ",
        ] {
            assert_eq!(level(text), Level::VeryWeak, "{text}: {}", Strength::of(text.as_bytes()).bits);
        }
    }

    #[test]
    fn words_count_as_words_and_never_more_than_their_letters() {
        let all = ["unsaddle", "gondola", "walnut", "lantern", "abacus", "zoom", "feline", "marmalade"];
        for n in 1..=all.len() {
            let text = all.get(..n).unwrap().join(" ");
            let bits = Strength::of(text.as_bytes()).bits;
            assert!(bits <= words::entropy(n) + n as f64 && bits > words::entropy(n) - 1.0, "{text}: {bits}");
        }
        assert_eq!(level("walnut gondola lantern abacus zoom unsaddle"), Level::Strong);
    }

    #[test]
    fn every_passphrase_that_is_drawn_is_strong() {
        for _ in 0..50 {
            let drawn = words::generate(words::USUAL).unwrap();
            let strength = Strength::of_passphrase(&drawn);
            assert!(strength.level() == Level::Strong, "{strength:?}");
        }
    }

    #[test]
    fn levels_are_in_order_and_have_as_many_steps() {
        assert!(Level::ALL.is_sorted());
        assert_eq!(Level::ALL.map(Level::steps), [1, 2, 3, 4, 5]);
    }

    proptest::proptest! {
        #[test]
        fn more_is_never_absurd(text in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
            let bits = Strength::of(&text).bits;
            proptest::prop_assert!(bits.is_finite() && (0.0..=CHARACTER * MOST as f64 + 8.0).contains(&bits), "{}", bits);
        }
    }
}
