//! Sets of numbers of events.

use std::collections::BTreeMap;

/// The words of a block: 65,536 numbers.
const WORDS: usize = 1_024;

/// Numbers of events, a bit each. They are nearly dense, but may have large gaps.
#[derive(Default)]
pub struct Numbers(BTreeMap<i64, Vec<u64>>);

impl Numbers {
    /// Adds a number; `false` if it was there.
    pub fn add(&mut self, number: i64) -> bool {
        let (block, word, bit) = place(number);
        let words = self.0.entry(block).or_insert_with(|| vec![0; WORDS]);
        let Some(word) = words.get_mut(word) else { return false };
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    /// Whether a number is there.
    pub fn has(&self, number: i64) -> bool {
        let (block, word, bit) = place(number);
        self.0.get(&block).and_then(|words| words.get(word)).is_some_and(|word| word & bit != 0)
    }
}

fn place(number: i64) -> (i64, usize, u64) {
    let offset = usize::try_from(number.rem_euclid(64 * 1_024)).unwrap_or_default();
    (number.div_euclid(64 * 1_024), offset / 64, 1 << (offset % 64))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn it_has_what_was_added() {
        let (mut numbers, mut model) = (Numbers::default(), BTreeSet::new());
        let some = [0, 1, 63, 64, 65_535, 65_536, -1, -65_536, i64::MIN, i64::MAX, 1 << 40, 63, 1 << 40, 7];
        for number in some {
            assert_eq!(numbers.add(number), model.insert(number), "{number}");
            for probe in some {
                assert_eq!(numbers.has(probe), model.contains(&probe), "{probe}");
            }
        }
    }
}
