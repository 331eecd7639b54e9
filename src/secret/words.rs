//! Passphrases made of words that are drawn by lot: easy to write down and to type, and nobody has chosen them.
use super::Passphrase;
use crate::os::strongroom;
use zeroize::{Zeroize as _, Zeroizing};

/// The EFF's long list: a number of five dice, a tab and a word on each line, both in ascending order.
const LIST: &str = include_str!("../../assets/eff_large_wordlist.txt");
/// Words in the list: all throws of five dice.
pub const WORDS: usize = 7776;
/// Words of a passphrase unless somebody wants more.
pub const USUAL: usize = 6;
/// Words of a passphrase for a root key.
pub const FOR_ROOT: usize = 8;
/// Fewest words that are drawn.
pub const FEWEST: usize = 4;
/// Most words that are drawn.
pub const MOST: usize = 32;
/// Between words.
const BETWEEN: u8 = b' ';

/// Words for a key of this role.
pub fn words_for(role: &str) -> usize {
    if role == "root" { FOR_ROOT } else { USUAL }
}

/// How many bits of chance there are in so many words.
pub fn entropy(words: usize) -> f64 {
    (WORDS as f64).log2() * words as f64
}

/// The system's random generator has failed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the random generator of the system failed")]
pub struct NoChance;

/// Draws so many words, each with the same chance as every other.
pub fn generate(words: usize) -> Result<Passphrase, NoChance> {
    strongroom(|| drawn(words, &mut || getrandom::u32().map_err(|_| NoChance)))
}

fn drawn(words: usize, random: &mut dyn FnMut() -> Result<u32, NoChance>) -> Result<Passphrase, NoChance> {
    // Of its full size at once, so that growing leaves no copies behind.
    let mut text = Zeroizing::new(Vec::with_capacity(words * 10));
    for n in 0..words {
        if n > 0 {
            text.push(BETWEEN);
        }
        let mut at = below(WORDS as u32, random)?;
        text.extend_from_slice(LIST.lines().nth(at as usize).and_then(word_of).unwrap_or_default().as_bytes());
        at.zeroize();
    }
    Ok(Passphrase::of(&text))
}

/// A number below `end`, each with the same chance: a draw from the part at the top that is not whole is thrown away.
fn below(end: u32, random: &mut dyn FnMut() -> Result<u32, NoChance>) -> Result<u32, NoChance> {
    let whole = u32::MAX - u32::MAX % end;
    loop {
        let drawn = random()?;
        if drawn < whole {
            return Ok(drawn % end);
        }
    }
}

fn word_of(line: &'static str) -> Option<&'static str> {
    line.split_once('\t').map(|(_, word)| word)
}

/// Whether this is a word of the list, in lower case. Allocates nothing.
pub fn is_word(text: &[u8]) -> bool {
    let all = LIST.as_bytes();
    let (mut from, mut to) = (0, all.len());
    while from < to {
        let middle = from + (to - from) / 2;
        let start = all.get(..middle).and_then(|b| memchr::memrchr(b'\n', b)).map_or(0, |n| n + 1);
        let end = all.get(start..).and_then(|b| memchr::memchr(b'\n', b)).map_or(all.len(), |n| start + n);
        let line = all.get(start..end).unwrap_or_default();
        let word = line.get(memchr::memchr(b'\t', line).map_or(0, |n| n + 1)..).unwrap_or_default();
        match word.cmp(text) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => from = end + 1,
            std::cmp::Ordering::Greater => to = start,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest as _, Sha256};

    #[test]
    fn the_list_is_the_effs_and_every_word_of_it_is_found() {
        let digest: String = Sha256::digest(LIST).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(digest, "addd35536511597a02fa0a9ff1e5284677b8883b83e986e43f15a3db996b903e");
        let words: Vec<&str> = LIST.lines().map(|l| l.split_once('\t').unwrap().1).collect();
        let distinct: std::collections::BTreeSet<&str> = words.iter().copied().collect();
        assert_eq!((words.len(), distinct.len()), (WORDS, WORDS));
        assert!(words.iter().all(|w| is_word(w.as_bytes())));
        for not in ["", "abacu", "abacuss", "zzz", "a", "11111", "Abacus", "\t", "\n", "abacus\n"] {
            assert!(!is_word(not.as_bytes()), "{not:?}");
        }
    }

    #[test]
    fn so_many_words_of_the_list_are_drawn_and_no_two_passphrases_are_the_same() {
        for n in [1, USUAL, FOR_ROOT, MOST] {
            let one = generate(n).unwrap();
            let words: Vec<&str> = std::str::from_utf8(one.expose()).unwrap().split(' ').collect();
            assert!(words.len() == n && words.iter().all(|w| is_word(w.as_bytes())), "{n}");
        }
        assert!(!generate(USUAL).unwrap().same(&generate(USUAL).unwrap()));
        assert!(entropy(USUAL) >= 77.0 && entropy(FOR_ROOT) >= 103.0);
    }

    #[test]
    fn every_word_has_the_same_chance() {
        // The top of the numbers, which is no whole round of the list, is drawn again.
        let whole = u32::MAX - u32::MAX % WORDS as u32;
        let mut draws = [u32::MAX, whole, whole - 1, 0].into_iter();
        let mut next = || draws.next().ok_or(NoChance);
        assert_eq!(below(WORDS as u32, &mut next), Ok(WORDS as u32 - 1));
        assert_eq!(below(WORDS as u32, &mut next), Ok(0));
        assert_eq!(below(WORDS as u32, &mut next), Err(NoChance));
        assert_eq!(whole % WORDS as u32, 0);
        let mut ends = [0, WORDS as u32 - 1].into_iter();
        let got = drawn(2, &mut || ends.next().ok_or(NoChance)).unwrap();
        assert_eq!(got.expose(), b"abacus zoom");
    }

    #[test]
    fn without_chance_there_is_no_passphrase() {
        assert_eq!(drawn(3, &mut || Err(NoChance)).err(), Some(NoChance));
    }
}
