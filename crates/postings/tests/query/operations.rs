//! Each operation equals a scan, whatever is merged and whatever waits.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use trailkeeper_domain::event::EventPosition;
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_domain::ports::NumberRange;
use trailkeeper_postings::delta::encode;
use trailkeeper_postings::dimension::Column;
use trailkeeper_postings::query::{Columns, Condition, Query, SortedEvents, Sources};

use crate::world::{Parts, World, at, event, newest_first, query, world};

fn pages(world: &mut World, query: &Query, limit: usize) -> Vec<EventPosition> {
    let mut sources = Sources::new(&mut world.segments);
    let mut found: Vec<EventPosition> = Vec::new();
    loop {
        let page = sources.newest(query, found.last().copied(), limit).expect("a page");
        assert!(page.len() <= limit);
        let is_last = page.len() < limit;
        found.extend(page);
        if is_last {
            return found;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn pages_of_the_newest_make_the_whole_list(mut world in world(), query in query(), limit in 1..12_usize) {
        let expected = newest_first(world.matching(&query));
        prop_assert_eq!(pages(&mut world, &query, limit), expected);
    }

    #[test]
    fn a_list_begins_before_any_position(mut world in world(), query in query(), micros in -1..42_i64, seq in 0..200_i64) {
        let before = EventPosition { occurred_at: at(micros), seq };
        let expected: Vec<EventPosition> =
            newest_first(world.matching(&query)).into_iter().filter(|position| *position < before).take(5).collect();
        let mut sources = Sources::new(&mut world.segments);
        prop_assert_eq!(sources.newest(&query, Some(before), 5).expect("a list"), expected);
    }

    #[test]
    fn pages_by_number_have_each_event_once_as_it_was_stored(
        mut world in world(), query in query(), after in -1..60_i64, until in 20..220_i64, limit in 1..12_usize,
    ) {
        let wanted = |event: &&IndexedEvent| after < event.seq && event.seq <= until;
        let mut expected: Vec<EventPosition> = world.matching(&query).filter(wanted).map(IndexedEvent::position).collect();
        expected.sort_by_key(|event| event.seq);
        let mut sources = Sources::new(&mut world.segments);
        let (mut found, mut after): (Vec<EventPosition>, i64) = (Vec::new(), after);
        loop {
            let page = sources.first_stored(&query, NumberRange { after, until }, limit).expect("a page");
            prop_assert!(page.len() <= limit);
            let is_last = page.len() < limit;
            after = page.last().map_or(after, |last| last.seq);
            found.extend(page);
            if is_last {
                break;
            }
        }
        prop_assert_eq!(found, expected);
        prop_assert_eq!(sources.first_stored(&query, NumberRange { after: 0, until }, 0).expect("nothing"), []);
    }

    #[test]
    fn a_list_by_offset_continues_the_list(mut world in world(), query in query(), offset in 0..80_u64, limit in 0..9_usize) {
        let start = usize::try_from(offset).expect("small");
        let expected: Vec<EventPosition> =
            newest_first(world.matching(&query)).into_iter().skip(start).take(limit).collect();
        let mut sources = Sources::new(&mut world.segments);
        prop_assert_eq!(sources.at_offset(&query, offset, limit).expect("a list"), expected);
    }

    #[test]
    fn counts_and_ends_are_those_of_a_scan(mut world in world(), query in query()) {
        let expected = newest_first(world.matching(&query));
        let mut sources = Sources::new(&mut world.segments);
        prop_assert_eq!(sources.count(&query).expect("a count"), expected.len() as u64);
        let ends = expected.last().copied().zip(expected.first().copied());
        prop_assert_eq!(sources.first_and_last(&query).expect("two ends"), ends);
    }

    #[test]
    fn a_histogram_counts_between_its_edges(
        mut world in world(), query in query(), edges in prop::collection::vec(-3..45_i64, 0..12),
    ) {
        let mut edges: Vec<_> = edges.into_iter().map(at).collect();
        edges.sort_unstable();
        let expected: Vec<u64> = edges
            .windows(2)
            .map(|edges| {
                let inside = |event: &&IndexedEvent| edges[0] <= event.occurred_at && event.occurred_at < edges[1];
                world.matching(&query).filter(inside).count() as u64
            })
            .collect();
        let mut sources = Sources::new(&mut world.segments);
        prop_assert_eq!(sources.histogram(&query, &edges).expect("a histogram"), expected);
    }

    #[test]
    fn distinct_values_are_those_of_a_scan(mut world in world(), query in query()) {
        let users: BTreeSet<u32> = world.matching(&query).filter_map(|event| event.user).collect();
        let sources: BTreeSet<u32> = world.matching(&query).filter_map(|event| event.source).collect();
        for (column, expected) in [(Column::User, users), (Column::Source, sources)] {
            let found = Sources::new(&mut world.segments).distinct(&query, column).expect("values");
            prop_assert_eq!(found.len(), expected.len() as u64);
            prop_assert!(expected.iter().all(|value| found.contains(*value)) && !found.contains(0));
            prop_assert_eq!(found.iter().collect::<BTreeSet<_>>(), expected);
        }
    }

    #[test]
    fn columns_come_in_order(mut world in world(), query in query(), limit in 1..20_usize) {
        let expected: Vec<Columns> = world.matching(&query).map(Columns::from).collect();
        let mut found = Vec::new();
        let mut sources = Sources::new(&mut world.segments);
        sources.columns(&query, &mut |columns| { found.push(*columns); Ok(()) }).expect("columns");
        prop_assert_eq!(&found, &expected);
        let mut scanned = Vec::new();
        sources.scan(&query, &mut |columns| { scanned.push(*columns); Ok(()) }).expect("columns");
        scanned.sort_by_key(|columns| columns.key);
        prop_assert_eq!(&scanned, &expected);
        let mut paged: Vec<Columns> = Vec::new();
        loop {
            let page = sources.columns_after(&query, paged.last().map(|last| last.key), limit).expect("a page");
            let is_last = page.len() < limit;
            paged.extend(page);
            if is_last { break; }
        }
        prop_assert_eq!(paged, expected);
    }

    #[test]
    fn rows_decide_only_about_hashes(world in world(), query in query(), texts in prop::collection::vec(any::<bool>(), 200)) {
        // An event has the text that is asked for if it has the hash, and by chance.
        let exact = |event: &IndexedEvent| with_texts(&query.condition, event, texts[usize::try_from(event.seq).expect("small") - 1]);
        let mut undecided = BTreeMap::new();
        for event in &world.events {
            if query.condition.certain().matches(event) {
                prop_assert!(exact(event), "{event:?} is certain");
            } else if !query.condition.possible().matches(event) {
                prop_assert!(!exact(event), "{event:?} is impossible");
            } else {
                undecided.insert(event.seq, event);
            }
        }
        let decided_by_row = query.condition.undecided();
        for event in &world.events {
            prop_assert_eq!(decided_by_row.matches(event), undecided.contains_key(&event.seq));
        }
        if !query.condition.has_hashes() {
            prop_assert!(undecided.is_empty());
        }
    }
}

/// Whether an event matches if its texts are those of the condition (`same`), or others with the same hashes.
fn with_texts(condition: &Condition, event: &IndexedEvent, same: bool) -> bool {
    match condition {
        Condition::Any(dimension, _) if dimension.is_hashed() => same && condition.matches(event),
        Condition::Any(..) | Condition::InColumn(..) => condition.matches(event),
        Condition::Not(condition) => !with_texts(condition, event, same),
        Condition::All(conditions) => conditions.iter().all(|condition| with_texts(condition, event, same)),
        Condition::Or(conditions) => conditions.iter().any(|condition| with_texts(condition, event, same)),
    }
}

#[test]
fn a_far_offset_is_found_by_counting() {
    // More events than a list by offset walks over, many of them at one time.
    let events: Vec<IndexedEvent> =
        (0..30_000).map(|seq| event(seq, if seq < 12_000 { 5_000 } else { seq % 9_000 })).collect();
    let expected = {
        let mut positions: Vec<EventPosition> = events.iter().map(IndexedEvent::position).collect();
        positions.sort_unstable();
        positions.reverse();
        positions
    };
    let (stored, waiting) = events.split_at(20_000);
    let segments = stored.chunks(10_000).map(|part| SortedEvents::new(part.to_vec())).collect();
    let mut parts = Parts { segments, deltas: waiting.chunks(3_000).map(encode).collect(), tenant: None };
    let mut sources = Sources::new(&mut parts);
    let query = Query::of(Condition::everything());
    for offset in [0, 4_096, 4_097, 8_999, 15_000, 29_990, 30_000, 99_999] {
        let found = sources.at_offset(&query, offset, 25).expect("a list");
        let start = usize::try_from(offset).expect("small").min(expected.len());
        assert_eq!(found, expected[start..expected.len().min(start + 25)], "offset {offset}");
    }
}
