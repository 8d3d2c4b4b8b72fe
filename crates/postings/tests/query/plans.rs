//! What a query reads of a segment.

use std::collections::BTreeSet;
use std::ops::Range;

use trailkeeper_domain::Result;
use trailkeeper_domain::event::{EventPosition, Outcome};
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::ports::NumberRange;
use trailkeeper_postings::dimension::{Column, Dimension};
use trailkeeper_postings::outcome::code;
use trailkeeper_postings::positions::PositionSet;
use trailkeeper_postings::query::{
    Condition, FirstStored, Query, SortedEvents, count, first_stored, histogram, newest,
};
use trailkeeper_postings::segment::{NumberBounds, Segment};

use crate::world::{at, event};

/// Counts what is read.
struct Watched {
    events: SortedEvents,
    lists: Vec<(Dimension, u32, Range<u32>)>,
    ranks: usize,
    keys: usize,
    values: usize,
}

impl Watched {
    /// 200,000 events of env 1: of user 2 are every second one, of user 9 three.
    fn new() -> Self {
        let events = (0..200_000).map(|at| IndexedEvent {
            user: Some(match at {
                9 | 70_000 | 198_999 => 9,
                at if at % 2 == 0 => 2,
                _ => 3,
            }),
            source: Some(if at % 3 == 0 { 1 } else { 2 }),
            ..event(at, at)
        });
        Self { events: SortedEvents::new(events.collect()), lists: Vec::new(), ranks: 0, keys: 0, values: 0 }
    }
}

impl Segment for Watched {
    fn len(&self) -> u32 {
        self.events.len()
    }
    fn removed(&mut self) -> Result<PositionSet> {
        self.events.removed()
    }
    fn rank(&mut self, key: EventPosition) -> Result<u32> {
        self.ranks += 1;
        self.events.rank(key)
    }
    fn frequency(&mut self, dimension: Dimension, value: u32) -> Result<u32> {
        self.events.frequency(dimension, value)
    }
    fn postings(&mut self, dimension: Dimension, value: u32, within: Range<u32>) -> Result<PositionSet> {
        self.lists.push((dimension, value, within.clone()));
        self.events.postings(dimension, value, within)
    }
    fn keys(&mut self, positions: &[u32]) -> Result<Vec<EventPosition>> {
        self.keys += positions.len();
        self.events.keys(positions)
    }
    fn number_bounds(&mut self) -> Vec<NumberBounds> {
        self.events.number_bounds()
    }
    fn column(&mut self, column: Column, positions: &[u32]) -> Result<Vec<Option<u32>>> {
        self.values += positions.len();
        self.events.column(column, positions)
    }
}

fn both(one: Condition, other: Condition) -> Query {
    Query::of(Condition::All(vec![one, other]))
}

#[test]
fn a_dense_list_is_read_only_where_a_sparse_one_has_events() {
    let mut segment = Watched::new();
    let query = both(Condition::is(Dimension::Source, 1), Condition::is(Dimension::User, 9));
    assert_eq!(count(&mut segment, &query).expect("a count"), 2);
    assert_eq!(segment.lists[0], (Dimension::User, 9, 0..200_000));
    assert_eq!(segment.lists[1], (Dimension::Source, 1, 9..199_000));
    assert_eq!(segment.lists.len(), 2);
}

#[test]
fn the_newest_of_dense_lists_read_the_newest_window() {
    let mut segment = Watched::new();
    let query = both(Condition::is(Dimension::Source, 1), Condition::is(Dimension::User, 2));
    assert_eq!(newest(&mut segment, &query, None, 50).expect("a list").len(), 50);
    let windows: Vec<Range<u32>> = segment.lists.iter().map(|(_, _, within)| within.clone()).collect();
    assert!(windows.iter().all(|window| window.start >= 3 << 16) && windows.len() == 2, "{windows:?}");
}

#[test]
fn the_first_stored_are_read_where_their_numbers_lie() {
    for (query, expected) in [
        (Query::of(Condition::is(Dimension::User, 2)), [150_002, 150_004]),
        (Query::of(Condition::is(Dimension::User, 9)), [198_999, i64::MAX]),
    ] {
        let mut segment = Watched::new();
        let mut first = FirstStored::new(NumberRange { after: 150_000, until: 199_000 }, 2);
        first_stored(&mut segment, &query, &mut first).expect("a page");
        let found: Vec<i64> = first.finish().iter().map(|event| event.seq).collect();
        assert_eq!(found[0], expected[0]);
        assert_eq!(found.get(1).copied().unwrap_or(i64::MAX), expected[1]);
        assert!(segment.keys <= 64, "{} keys were read for {query:?}", segment.keys);
        let read: usize = segment.lists.iter().map(|(_, _, within)| within.len()).sum();
        assert!(segment.lists.len() <= 2 && (read <= 128 || segment.lists.len() == 1), "{:?}", segment.lists);
    }
    let mut segment = Watched::new();
    let mut first = FirstStored::new(NumberRange { after: 200_000, until: 300_000 }, 2);
    first_stored(&mut segment, &Query::of(Condition::is(Dimension::User, 2)), &mut first).expect("a page");
    assert!(first.finish().is_empty() && segment.lists.is_empty() && segment.ranks == 0, "all numbers are smaller");
}

#[test]
fn what_frequencies_decide_reads_nothing() {
    let unknown = Condition::is(Dimension::User, u32::MAX);
    let every = Condition::is(Dimension::Env, 1);
    let frequent = Condition::is(Dimension::User, 2);
    for (query, expected) in [
        (both(unknown.clone(), frequent.clone()), 0),
        (Query::of(every.clone()), 200_000),
        (Query::of(Condition::negated(every)), 0),
        (Query::of(Condition::negated(unknown)), 200_000),
        (Query::of(frequent), 99_999),
    ] {
        let mut segment = Watched::new();
        assert_eq!(count(&mut segment, &query).expect("a count"), expected);
        assert!(segment.lists.is_empty() && segment.keys == 0 && segment.values == 0, "{query:?}");
    }
}

#[test]
fn a_histogram_reads_positions_of_edges_or_times_of_few_events() {
    let edges: Vec<_> = (0..=100).map(|edge| at(edge * 2_000)).collect();
    let mut segment = Watched::new();
    let mut counts = vec![0; 100];
    histogram(&mut segment, &Query::of(Condition::is(Dimension::User, 2)), &edges, &mut counts).expect("a histogram");
    assert_eq!(counts.iter().sum::<u64>(), 99_999);
    assert!(segment.keys == 2 && segment.ranks == 101, "{} keys, {} ranks", segment.keys, segment.ranks);

    let mut segment = Watched::new();
    let mut counts = vec![0; 100];
    histogram(&mut segment, &Query::of(Condition::is(Dimension::User, 9)), &edges, &mut counts).expect("a histogram");
    assert_eq!((counts[0], counts[35], counts[99]), (1, 1, 1));
    assert!(segment.keys == 5 && segment.ranks == 2, "{} keys, {} ranks", segment.keys, segment.ranks);
}

#[test]
fn many_lists_for_few_events_become_a_look_at_their_values() {
    let mut segment = Watched::new();
    let users: PositionSet = (0..1_000_000).collect();
    let query = both(Condition::InColumn(Column::Source, users), Condition::is(Dimension::User, 9));
    assert_eq!(count(&mut segment, &query).expect("a count"), 3);
    assert_eq!((segment.lists.len(), segment.values), (1, 3));
}

#[test]
fn successes_are_what_did_not_fail() {
    let outcome = |at: u32| match at % 100 {
        7 => Outcome::Failure,
        8 => Outcome::Unknown,
        _ => Outcome::Success,
    };
    let events = (0..200_000_u32).map(|at| IndexedEvent { outcome: outcome(at), ..event(at.into(), at.into()) });
    let mut segment = Watched { events: SortedEvents::new(events.collect()), ..Watched::new() };
    for (codes, matching, read) in [
        (vec![0], 196_000, &[1, 2][..]),
        (vec![1, 0], 198_000, &[2]),
        (vec![1], 2_000, &[1]),
        (vec![1, 2], 4_000, &[1, 2]),
        (vec![0, 1, 2], 200_000, &[]),
    ] {
        for negated in [false, true] {
            segment.lists.clear();
            let condition = Condition::Any(Dimension::Outcome, codes.clone());
            let condition = if negated { Condition::negated(condition) } else { condition };
            // Another condition that decides nothing by its frequency.
            let query = both(condition, Condition::negated(Condition::is(Dimension::Source, 2)));
            let expected =
                (0..200_000_u32).filter(|at| codes.contains(&u32::from(code(outcome(*at)))) != negated).count();
            assert_eq!(expected, if negated { 200_000 - matching } else { matching }, "{codes:?}");
            assert_eq!(count(&mut segment, &query).expect("a count"), expected as u64, "{codes:?}, {negated}");
            // They are read in several parts.
            let lists: BTreeSet<u32> = segment.lists.iter().map(|(_, value, _)| *value).collect();
            assert_eq!(lists, read.iter().copied().collect(), "{codes:?}, {negated}");
        }
    }
}
