//! Intersection, difference and union.

use std::ops::Range;

use super::bits;
use super::set::{PositionSet, common};
use super::union::Union;

impl PositionSet {
    /// The positions that are in both sets.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Sparse(one), Self::All(range)) => Self::Sparse(one).within(range),
            (Self::All(range), Self::All(other)) => Self::All(common(&range, other)),
            (Self::All(range), other) => other.within(&range),
            (Self::Dense { start, words }, Self::All(range)) => {
                if range.start <= start && bits::end(start, words.len()) <= range.end {
                    return Self::Dense { start, words };
                }
                Self::Dense { start, words }.within(range)
            }
            (Self::Sparse(mut one), Self::Sparse(other)) => {
                retain(&mut one, other, true);
                Self::Sparse(one)
            }
            (Self::Sparse(mut one), other @ Self::Dense { .. }) => {
                one.retain(|position| other.contains(*position));
                Self::Sparse(one)
            }
            (one @ Self::Dense { .. }, Self::Sparse(other)) => {
                Self::Sparse(other.iter().copied().filter(|position| one.contains(*position)).collect())
            }
            (Self::Dense { start, words }, Self::Dense { start: other_start, words: other }) => {
                let both = common(
                    &(start..bits::end(start, words.len())),
                    &(*other_start..bits::end(*other_start, other.len())),
                );
                let mine = bits::indexes(start, words.len(), &both);
                let theirs = bits::indexes(*other_start, other.len(), &both);
                let mut kept = words.get(mine).unwrap_or_default().to_vec();
                for (word, other) in kept.iter_mut().zip(other.get(theirs).unwrap_or_default()) {
                    *word &= other;
                }
                Self::Dense { start: both.start, words: kept }
            }
        }
    }

    /// The positions of this set that are not in the other.
    #[must_use]
    pub fn minus(self, other: &Self) -> Self {
        match (self, other) {
            (Self::Sparse(mut one), Self::Sparse(other)) => {
                retain(&mut one, other, false);
                Self::Sparse(one)
            }
            (Self::Sparse(mut one), other) => {
                one.retain(|position| !other.contains(*position));
                Self::Sparse(one)
            }
            (Self::All(range), Self::All(other)) => all_minus(range, other),
            (Self::All(range), other) => {
                if other.count_in(&range) == 0 {
                    return Self::All(range);
                }
                let (start, mut words) = bits::empty(&range);
                for (base, word) in bits::bases(start).zip(&mut words) {
                    *word = bits::mask(base, &range);
                }
                clear(start, &mut words, other);
                Self::Dense { start, words }
            }
            (Self::Dense { start, mut words }, other) => {
                clear(start, &mut words, other);
                Self::Dense { start, words }
            }
        }
    }

    /// The positions that are in at least one of the sets.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        let (one, two) = (self.span(), other.span());
        if two.is_empty() {
            return self;
        }
        let span = if one.is_empty() { two } else { one.start.min(two.start)..one.end.max(two.end) };
        let mut union = Union::within(span);
        union.add(&self);
        union.add(other);
        union.finish()
    }
}

fn all_minus(range: Range<u32>, other: &Range<u32>) -> PositionSet {
    let cut = common(&range, other);
    if cut.is_empty() {
        PositionSet::All(range)
    } else if cut.start == range.start {
        PositionSet::All(cut.end..range.end)
    } else if cut.end == range.end {
        PositionSet::All(range.start..cut.start)
    } else {
        let (start, mut words) = bits::empty(&range);
        for (base, word) in bits::bases(start).zip(&mut words) {
            *word = bits::mask(base, &range) & !bits::mask(base, &cut);
        }
        PositionSet::Dense { start, words }
    }
}

/// Removes the positions of `other` from the bits.
fn clear(start: u32, words: &mut [u64], other: &PositionSet) {
    let all = start..bits::end(start, words.len());
    match other {
        PositionSet::Sparse(positions) => {
            for position in super::set::slice(positions, &all) {
                let place = bits::place(start, *position);
                if let Some((word, bit)) = place.and_then(|(index, bit)| Some((words.get_mut(index)?, bit))) {
                    *word &= !bit;
                }
            }
        }
        PositionSet::Dense { start: other_start, words: other } => {
            let both = common(&all, &(*other_start..bits::end(*other_start, other.len())));
            let mine = bits::indexes(start, words.len(), &both);
            let theirs = bits::indexes(*other_start, other.len(), &both);
            let mine = words.get_mut(mine).unwrap_or_default();
            for (word, other) in mine.iter_mut().zip(other.get(theirs).unwrap_or_default()) {
                *word &= !other;
            }
        }
        PositionSet::All(range) => {
            let mine = bits::indexes(start, words.len(), range);
            let bases = bits::bases(start).skip(mine.start);
            for (base, word) in bases.zip(words.get_mut(mine).unwrap_or_default()) {
                *word &= !bits::mask(base, range);
            }
        }
    }
}

/// Keeps the positions that are in `other`, or those that are not. Both lists ascend.
fn retain(positions: &mut Vec<u32>, other: &[u32], present: bool) {
    let mut rest = other;
    positions.retain(|position| {
        rest = rest.get(before(rest, *position)..).unwrap_or_default();
        (rest.first() == Some(position)) == present
    });
}

/// The number of positions before `position`. The steps double, so that a short list skips through a long one.
fn before(positions: &[u32], position: u32) -> usize {
    let mut step = 1;
    while positions.get(step).is_some_and(|at| *at < position) {
        step *= 2;
    }
    let (first, end) = (step / 2, (step + 1).min(positions.len()));
    let searched = positions.get(first..end).unwrap_or_default();
    first.min(positions.len()) + searched.partition_point(|at| *at < position)
}
