//! Rankings by count, and exact counts of a stream in bounded memory.

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

use trailkeeper_domain::Result;
use trailkeeper_domain::event::{missing_kind, missing_name};
use trailkeeper_domain::ports::ReadTx;

/// The most ids that one pass holds.
const AT_ONCE: usize = 65_536;
/// The most ids whose names are looked up at once.
const NAMED_AT_ONCE: usize = 10_000;

/// Counts a stream per id, for the smallest ids that fit. The other ids wait for the next pass over the same stream, so
/// that counts are exact and memory does not grow with the data.
#[derive(Debug)]
pub struct Pass<T> {
    first: u32,
    /// The smallest id that waits.
    waiting: Option<u32>,
    held: BTreeMap<u32, T>,
    at_once: usize,
}

impl<T: Default> Pass<T> {
    /// The first pass.
    pub fn first() -> Self {
        Self::from(0, AT_ONCE)
    }

    fn from(first: u32, at_once: usize) -> Self {
        Self { first, waiting: None, held: BTreeMap::new(), at_once }
    }

    /// The entry of this id; `None` if an earlier pass counted it or a later pass will.
    pub fn entry(&mut self, id: u32) -> Option<&mut T> {
        if id < self.first || self.waiting.is_some_and(|waiting| id >= waiting) {
            return None;
        }
        if self.held.len() >= self.at_once && !self.held.contains_key(&id) {
            let (&greatest, _) = self.held.last_key_value()?;
            self.waiting = Some(greatest.max(id));
            if id > greatest {
                return None;
            }
            self.held.pop_last();
        }
        Some(self.held.entry(id).or_default())
    }

    /// The counts of this pass by id, and the next pass if any id waits for one.
    pub fn finish(self) -> (BTreeMap<u32, T>, Option<Self>) {
        let next = self.waiting.map(|first| Self::from(first, self.at_once));
        (self.held, next)
    }
}

/// A dictionary of names, numbered from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dictionary {
    /// Pages, by their keys.
    Pages,
    /// Event types.
    Kinds,
    /// Source addresses.
    Sources,
}

impl Dictionary {
    /// The text that stands for the name of this id, if the database has lost it.
    fn placeholder(self, id: u32) -> String {
        match self {
            Self::Pages | Self::Sources => missing_name(id),
            Self::Kinds => missing_kind(id),
        }
    }

    /// The names of these ids; an id without a name is left out.
    ///
    /// # Errors
    /// Those of the store.
    pub fn names(self, tx: &mut dyn ReadTx, ids: &[u32]) -> Result<HashMap<u32, String>> {
        match self {
            Self::Pages => tx.page_keys(ids),
            Self::Kinds => tx.kind_names(ids),
            Self::Sources => tx.source_names(ids),
        }
    }
}

/// A count with the name of its subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named<T> {
    /// The name in the dictionary.
    pub name: String,
    /// The count.
    pub counted: T,
}

/// Looks up the names of dictionary ids; an id without a name is left out.
pub type Names<'a> = dyn FnMut(&[u32]) -> Result<HashMap<u32, String>> + 'a;

/// The entries with the greatest `count`, at most `limit` of them; by count descending, then by name.
///
/// Names are looked up only for entries that can be among them, a bounded number at once. An id whose name the
/// `dictionary` has lost gets a placeholder.
///
/// # Errors
/// Those of `names`.
pub fn greatest<T>(
    dictionary: Dictionary,
    counts: impl IntoIterator<Item = (u32, T)>,
    limit: usize,
    count: impl Fn(&T) -> u64,
    names: &mut Names<'_>,
) -> Result<Vec<Named<T>>> {
    let mut rest: Vec<(u32, T)> = counts.into_iter().collect();
    rest.sort_unstable_by_key(|(id, counted)| (Reverse(count(counted)), *id));
    // An entry that counts less than the last one that fits is not among them, whatever its name.
    let least = limit.checked_sub(1).and_then(|last| rest.get(last)).map_or(0, |(_, counted)| count(counted));
    rest.truncate(rest.partition_point(|(_, counted)| count(counted) >= least));
    let mut found = Vec::new();
    let mut rest = rest.into_iter();
    loop {
        let chunk: Vec<(u32, T)> = rest.by_ref().take(NAMED_AT_ONCE).collect();
        if chunk.is_empty() {
            return Ok(first(found, limit, count));
        }
        let ids: Vec<u32> = chunk.iter().map(|(id, _)| *id).collect();
        let mut known = names(&ids)?;
        for (id, counted) in chunk {
            let name = known.remove(&id).unwrap_or_else(|| dictionary.placeholder(id));
            found.push(Named { name, counted });
        }
        if found.len() >= limit.saturating_add(NAMED_AT_ONCE) {
            found = first(found, limit, &count);
        }
    }
}

/// The entries that counted most, and the number of all entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranking<T> {
    /// By count descending, then by name.
    pub top: Vec<Named<T>>,
    /// The number of all distinct entries, including those that are not among `top`.
    pub distinct: u64,
}

impl<T> Default for Ranking<T> {
    fn default() -> Self {
        Self { top: Vec::new(), distinct: 0 }
    }
}

/// Ranks the counts of a stream, in as many passes as needed.
///
/// `again` makes one more pass over the same stream. `dictionary` and `names` are as in [`greatest`]. `again` and
/// `names` get `context`.
///
/// # Errors
/// Those of `again` and of [`greatest`].
pub fn of_passes<C, T: Default>(
    context: &mut C,
    dictionary: Dictionary,
    mut pass: Pass<T>,
    limit: usize,
    count: impl Fn(&T) -> u64 + Copy,
    again: impl Fn(&mut C, &mut Pass<T>) -> Result<()>,
    names: impl Fn(&mut C, &[u32]) -> Result<HashMap<u32, String>>,
) -> Result<Ranking<T>> {
    let mut ranking = Ranking::default();
    loop {
        let (counted, next) = pass.finish();
        ranking.distinct += counted.len() as u64;
        ranking.top.extend(greatest(dictionary, counted, limit, count, &mut |ids| names(context, ids))?);
        ranking.top = first(ranking.top, limit, count);
        match next {
            None => return Ok(ranking),
            Some(next) => pass = next,
        }
        again(context, &mut pass)?;
    }
}

/// Sorts entries of several passes, and cuts them to `limit`.
fn first<T>(mut found: Vec<Named<T>>, limit: usize, count: impl Fn(&T) -> u64) -> Vec<Named<T>> {
    found.sort_unstable_by(|a, b| count(&b.counted).cmp(&count(&a.counted)).then_with(|| a.name.cmp(&b.name)));
    found.truncate(limit);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts a stream in passes of at most `at_once` ids.
    fn counted(stream: &[u32], at_once: usize) -> (BTreeMap<u32, u64>, usize) {
        let mut all = BTreeMap::new();
        let mut passes = 0;
        let mut next = Some(Pass::<u64>::from(0, at_once));
        while let Some(mut pass) = next.take() {
            passes += 1;
            for id in stream {
                if let Some(count) = pass.entry(*id) {
                    *count += 1;
                }
                assert!(pass.held.len() <= at_once);
            }
            let (held, waits) = pass.finish();
            for (id, count) in held {
                assert_eq!(all.insert(id, count), None, "{id} was counted in two passes");
            }
            next = waits;
        }
        (all, passes)
    }

    #[test]
    fn passes_count_exactly_in_any_order() {
        let mut number = 7_u64;
        let stream: Vec<u32> = (0..2_000)
            .map(|_| {
                number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                u32::try_from((number >> 33) % 97).unwrap()
            })
            .collect();
        let ascending = {
            let mut ids = stream.clone();
            ids.sort_unstable();
            ids
        };
        let descending: Vec<u32> = ascending.iter().rev().copied().collect();
        let mut expected = BTreeMap::new();
        for id in &stream {
            *expected.entry(*id).or_insert(0) += 1;
        }
        for stream in [stream, ascending, descending] {
            for (at_once, passes) in [(1, 97), (10, 10), (96, 2), (97, 1), (1_000, 1)] {
                assert_eq!(counted(&stream, at_once), (expected.clone(), passes), "{at_once}");
            }
        }
        assert_eq!(counted(&[], 1), (BTreeMap::new(), 1));
    }

    #[test]
    fn the_greatest_id_is_counted_too() {
        let (counts, passes) = counted(&[u32::MAX, 0, u32::MAX], 1);
        assert_eq!((counts, passes), (BTreeMap::from([(0, 1), (u32::MAX, 2)]), 2));
    }

    #[test]
    fn the_greatest_counts_come_first_and_ties_are_ordered_by_name() {
        // Ids descend where names ascend, so that an order by id fails.
        let names = &mut |ids: &[u32]| Ok(ids.iter().map(|id| (*id, format!("{:05}", 90_000 - id))).collect());
        let counts = (0..25_000_u32).map(|id| (id, u64::from(id % 3)));
        let mut expected: Vec<Named<u64>> =
            counts.clone().map(|(id, counted)| Named { name: format!("{:05}", 90_000 - id), counted }).collect();
        expected.sort_by_key(|named| (Reverse(named.counted), named.name.clone()));
        for limit in [1, 10, 8_333, 8_334, 24_999, 25_000, 26_000, usize::MAX] {
            let found = greatest(Dictionary::Pages, counts.clone(), limit, |count| *count, names).unwrap();
            assert_eq!(found, expected[..limit.min(25_000)], "{limit}");
        }
        assert_eq!(greatest(Dictionary::Pages, [], 5, |count| *count, names).unwrap(), []);
    }

    #[test]
    fn a_ranking_is_the_same_in_one_pass_and_in_many() {
        let stream: Vec<u32> = (0..600).map(|number| number * number % 101).collect();
        let ranking = |at_once: usize| {
            let count = |pass: &mut Pass<u64>| {
                for id in &stream {
                    if let Some(count) = pass.entry(*id) {
                        *count += 1;
                    }
                }
            };
            let mut pass = Pass::from(0, at_once);
            count(&mut pass);
            let mut passes = 1;
            let again = |passes: &mut i32, pass: &mut Pass<u64>| {
                *passes += 1;
                count(pass);
                Ok(())
            };
            let names = |_: &mut i32, ids: &[u32]| Ok(ids.iter().map(|id| (*id, format!("{:03}", 900 - id))).collect());
            let ranking = of_passes(&mut passes, Dictionary::Pages, pass, 7, |count| *count, again, names).unwrap();
            (ranking, passes)
        };
        let (once, passes) = ranking(1_000);
        assert_eq!((once.top.len(), once.distinct, passes), (7, 51, 1));
        for (at_once, passes) in [(1, 51), (10, 6), (50, 2), (51, 1)] {
            assert_eq!(ranking(at_once), (once.clone(), passes), "{at_once}");
        }
    }

    #[test]
    fn an_id_without_a_name_has_a_placeholder() {
        for (dictionary, expected) in [(Dictionary::Pages, "(missing 7)"), (Dictionary::Kinds, "missing_7")] {
            let found = greatest(dictionary, [(7, 1)], 5, |count| *count, &mut |_| Ok(HashMap::new())).unwrap();
            assert_eq!(found, [Named { name: expected.to_owned(), counted: 1 }]);
        }
    }
}
