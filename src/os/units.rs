//! Which parts of the strongroom's memory are taken. It is asked by the allocator, so it allocates nothing and never waits
//! for long.
use std::{
    hint::spin_loop,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
};

/// Bytes of a unit.
pub const UNIT: usize = 64;
/// Units that there are: 512 KiB. A user may lock 64 KiB to 8 MiB, as the system is set up.
pub const UNITS: usize = 8192;
/// Most units that are taken at once: what is larger would push everything else out.
const MOST: usize = UNITS / 4;
/// Units in a word.
const WORD: usize = 64;

/// A bit for each unit, set while it is taken.
pub struct Units {
    busy: AtomicBool,
    words: [AtomicU64; UNITS / WORD],
}

impl Units {
    /// None taken.
    pub const fn new() -> Self {
        Self { busy: AtomicBool::new(false), words: [const { AtomicU64::new(0) }; UNITS / WORD] }
    }

    /// Takes so many that lie side by side; the number of the first. None if there is no room for them.
    pub fn take(&self, count: usize) -> Option<usize> {
        if count == 0 || count > MOST {
            return None;
        }
        self.alone(|| {
            let mut run = 0;
            for (i, word) in self.words.iter().enumerate() {
                let word = word.load(Ordering::Relaxed);
                for bit in 0..WORD {
                    match word >> bit {
                        // All that is left of the word is free, or the whole of it is taken.
                        0 if run + (WORD - bit) < count => {
                            run += WORD - bit;
                            break;
                        }
                        u64::MAX => {
                            run = 0;
                            break;
                        }
                        rest => run = if rest & 1 == 0 { run + 1 } else { 0 },
                    }
                    if run == count {
                        let first = i * WORD + bit + 1 - count;
                        self.mark(first, count, true);
                        return Some(first);
                    }
                }
            }
            None
        })
    }

    /// Gives back what was taken.
    pub fn give(&self, first: usize, count: usize) {
        self.alone(|| self.mark(first, count, false));
    }

    fn mark(&self, first: usize, count: usize, taken: bool) {
        for unit in first..first + count {
            if let Some(word) = self.words.get(unit / WORD) {
                let (old, bit) = (word.load(Ordering::Relaxed), 1 << (unit % WORD));
                word.store(if taken { old | bit } else { old & !bit }, Ordering::Relaxed);
            }
        }
    }

    /// One thread at a time. A lock of the standard library might allocate.
    fn alone<T>(&self, f: impl FnOnce() -> T) -> T {
        while self.busy.compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed).is_err() {
            spin_loop();
        }
        let out = f();
        self.busy.store(false, Ordering::Release);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn every_unit_can_be_taken_once() {
        let units = Units::new();
        let all: std::collections::BTreeSet<usize> = (0..UNITS).map(|_| units.take(1).unwrap()).collect();
        assert_eq!((all.len(), units.take(1)), (UNITS, None));
        units.give(77, 1);
        assert_eq!((units.take(2), units.take(1)), (None, Some(77)));
        assert_eq!((units.take(0), units.take(MOST + 1)), (None, None));
    }

    #[test]
    fn the_largest_piece_fits_so_often_as_there_is_room() {
        let units = Units::new();
        assert_eq!(
            [units.take(MOST), units.take(MOST), units.take(MOST), units.take(MOST)],
            [0, 1, 2, 3].map(|n| Some(n * MOST))
        );
        assert_eq!(units.take(1), None);
        units.give(MOST, MOST);
        assert_eq!((units.take(MOST - 1), units.take(1)), (Some(MOST), Some(2 * MOST - 1)));
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(64))]
        #[test]
        fn nothing_is_held_twice_and_everything_comes_back(sizes in proptest::collection::vec((1usize..200, proptest::bool::ANY), 1..200)) {
            let units = Units::new();
            let mut held: BTreeMap<usize, usize> = BTreeMap::new();
            for (size, give) in sizes {
                if give && let Some((first, count)) = held.pop_first() {
                    units.give(first, count);
                }
                if let Some(first) = units.take(size) {
                    let before = held.range(..first).next_back().is_none_or(|(f, c)| f + c <= first);
                    let after = held.range(first..).next().is_none_or(|(f, _)| first + size <= *f);
                    proptest::prop_assert!(before && after && first + size <= UNITS);
                    held.insert(first, size);
                }
            }
            held.into_iter().for_each(|(first, count)| units.give(first, count));
            proptest::prop_assert_eq!((units.take(MOST), units.take(MOST)), (Some(0), Some(MOST)));
        }
    }
}
