//! Sets of positions, compared with ordered sets of numbers.

use std::collections::BTreeSet;
use std::ops::Range;

use proptest::prelude::*;
use trailkeeper_postings::positions::{PositionSet, Union};

const END: u32 = 1_000;

type Model = BTreeSet<u32>;

fn range() -> impl Strategy<Value = Range<u32>> {
    (0..END, 0..END).prop_map(|(one, other)| one.min(other)..one.max(other))
}

/// A set of each shape, and the same set as a model.
fn set() -> impl Strategy<Value = (PositionSet, Model)> {
    let sparse = prop::collection::btree_set(0..END, 0..60)
        .prop_map(|model| (PositionSet::Sparse(model.iter().copied().collect()), model));
    let dense = (0..8_u32, prop::collection::vec(prop_oneof![any::<u64>(), Just(0), Just(u64::MAX)], 0..9)).prop_map(
        |(first, words)| {
            let start = first * 64;
            let bits = (start..).zip(words.iter().flat_map(|word| (0..64).map(move |bit| word >> bit & 1 == 1)));
            let model = bits.filter(|(_, set)| *set).map(|(position, _)| position).collect();
            (PositionSet::Dense { start, words }, model)
        },
    );
    let all = range().prop_map(|range| (PositionSet::All(range.clone()), range.collect()));
    prop_oneof![sparse, dense, all]
}

fn model(set: &PositionSet) -> Model {
    let ascending: Vec<u32> = set.iter().collect();
    assert!(ascending.is_sorted_by(|one, other| one < other), "{set:?}");
    let mut descending: Vec<u32> = set.iter().rev().collect();
    descending.reverse();
    assert_eq!(ascending, descending, "{set:?}");
    ascending.into_iter().collect()
}

proptest! {
    #[test]
    fn a_set_answers_like_an_ordered_set((set, expected) in set(), range in range(), probe in 0..END) {
        prop_assert_eq!(&model(&set), &expected);
        prop_assert_eq!(set.len() as usize, expected.len());
        prop_assert_eq!(set.is_empty(), expected.is_empty());
        prop_assert_eq!(set.contains(probe), expected.contains(&probe));
        prop_assert_eq!(set.count_in(&range) as usize, expected.range(range.clone()).count());
        let inside: Model = expected.range(range.clone()).copied().collect();
        prop_assert_eq!(set.iter_in(&range).collect::<Model>(), inside.clone());
        prop_assert_eq!(model(&set.within(&range)), inside);
        let span = expected.first().map_or(0..0, |first| *first..expected.last().expect("not empty") + 1);
        prop_assert_eq!(set.span(), span);
    }

    #[test]
    fn a_walk_from_both_ends_meets_every_position_once((set, expected) in set(), turns in prop::collection::vec(any::<bool>(), 0..60)) {
        let mut walk = set.iter();
        let mut left: Vec<u32> = expected.into_iter().collect();
        for back in turns {
            let found = if back { walk.next_back() } else { walk.next() };
            let wanted = if left.is_empty() { None } else if back { left.pop() } else { Some(left.remove(0)) };
            prop_assert_eq!(found, wanted);
        }
        prop_assert_eq!(walk.collect::<Vec<_>>(), left);
    }

    #[test]
    fn the_algebra_is_that_of_sets((one, a) in set(), (other, b) in set()) {
        prop_assert_eq!(model(&one.clone().and(&other)), a.intersection(&b).copied().collect::<Model>());
        prop_assert_eq!(model(&one.clone().minus(&other)), a.difference(&b).copied().collect::<Model>());
        prop_assert_eq!(model(&one.or(&other)), a.union(&b).copied().collect::<Model>());
    }

    #[test]
    fn a_union_of_many_sets_stays_inside_its_range(sets in prop::collection::vec(set(), 0..6), range in range()) {
        let mut union = Union::within(range.clone());
        let mut expected = Model::new();
        for (set, model) in &sets {
            union.add(set);
            expected.extend(model.range(range.clone()));
        }
        prop_assert_eq!(model(&union.finish()), expected);
    }
}

#[test]
fn a_set_of_a_whole_run_takes_at_most_128_kib() {
    let end = 1 << 20;
    let third: PositionSet = (0..end).filter(|position| position % 3 == 0).collect();
    let half: PositionSet = (0..end).filter(|position| position % 2 == 0).collect();
    for set in [third.clone().or(&half), PositionSet::All(0..end).minus(&half)] {
        let PositionSet::Dense { words, .. } = &set else { panic!("{} positions as numbers", set.len()) };
        assert_eq!(words.len() * 8, 128 << 10);
    }
}

#[test]
fn the_ends_of_all_numbers_are_positions_too() {
    let last = u32::MAX - 1;
    let set = PositionSet::Dense { start: u32::MAX - 63, words: vec![u64::MAX >> 1] };
    assert_eq!(set.iter().next_back(), Some(last));
    assert_eq!(set.clone().and(&PositionSet::Sparse(vec![0, last])).len(), 1);
    assert!(set.minus(&PositionSet::All(0..u32::MAX)).is_empty());
}
