//! The union of many sets.

use std::ops::Range;

use super::bits::{self, WORD};
use super::set::{PositionSet, common, slice};

/// Collects the union of sets inside a range. It takes at most as much memory as one bit per position of the range,
/// whatever the number of sets.
#[derive(Debug)]
pub struct Union {
    within: Range<u32>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Positions in any order, perhaps twice.
    Few(Vec<u32>),
    Bits {
        start: u32,
        words: Vec<u64>,
    },
    All,
}

impl Union {
    /// An empty union. It ignores positions outside `within`.
    pub fn within(within: Range<u32>) -> Self {
        Self { within, state: State::Few(Vec::new()) }
    }

    /// Adds the positions of a set.
    pub fn add(&mut self, set: &PositionSet) {
        match set {
            PositionSet::Sparse(positions) => self.add_few(slice(positions, &self.within.clone())),
            PositionSet::Dense { start, words } => {
                let within = self.within.clone();
                let Some((first, mine)) = self.bits() else { return };
                let theirs = bits::inside(*start, words, &within);
                for (base, word) in theirs {
                    let place = base.checked_sub(first).map(|offset| (offset / WORD) as usize);
                    if let Some(mine) = place.and_then(|index| mine.get_mut(index)) {
                        *mine |= word;
                    }
                }
            }
            PositionSet::All(range) => {
                let range = common(range, &self.within);
                if range == self.within {
                    self.state = State::All;
                } else if let (false, Some((start, words))) = (range.is_empty(), self.bits()) {
                    let indexes = bits::indexes(start, words.len(), &range);
                    let bases = bits::bases(start).skip(indexes.start);
                    for (base, word) in bases.zip(words.get_mut(indexes).unwrap_or_default()) {
                        *word |= bits::mask(base, &range);
                    }
                }
            }
        }
    }

    /// The union.
    pub fn finish(self) -> PositionSet {
        match self.state {
            State::Few(positions) => positions.into_iter().collect(),
            State::Bits { start, words } => PositionSet::Dense { start, words },
            State::All => PositionSet::All(self.within),
        }
    }

    fn add_few(&mut self, positions: &[u32]) {
        if let State::Few(few) = &mut self.state {
            // A position takes as much as 32 bits.
            if few.len() + positions.len() <= self.within.len() / 32 {
                few.extend_from_slice(positions);
                return;
            }
        }
        if let Some((start, words)) = self.bits() {
            set_bits(start, words, positions);
        }
    }

    /// The bits, into which the positions so far are converted; `None` if all are set already.
    fn bits(&mut self) -> Option<(u32, &mut [u64])> {
        if let State::Few(few) = &mut self.state {
            let few = std::mem::take(few);
            let (start, mut words) = bits::empty(&self.within);
            set_bits(start, &mut words, &few);
            self.state = State::Bits { start, words };
        }
        match &mut self.state {
            State::Bits { start, words } => Some((*start, words)),
            State::Few(_) | State::All => None,
        }
    }
}

fn set_bits(start: u32, words: &mut [u64], positions: &[u32]) {
    for position in positions {
        let place = bits::place(start, *position);
        if let Some((word, bit)) = place.and_then(|(index, bit)| Some((words.get_mut(index)?, bit))) {
            *word |= bit;
        }
    }
}
