//! Every answer of a reader equals that of brute force over the events.

use std::collections::BTreeMap;
use std::ops::Range;

use proptest::prelude::*;
use trailkeeper_domain::event::{EventPosition, Outcome};
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_postings::dimension::{Column, Dimension};
use trailkeeper_postings::segment::Segment;

use crate::histories::{History, Random, Times, Values, histories, sorted};
use crate::stored::{StoredRun, positions_of};

const COLUMNS: [Column; 6] = [Column::Env, Column::Kind, Column::Outcome, Column::User, Column::Source, Column::Page];

/// The value of an event, by the description of dimensions.
fn value(event: &IndexedEvent, dimension: Dimension) -> Option<u32> {
    match dimension {
        Dimension::Env => Some(event.env.0),
        Dimension::Kind => Some(event.kind),
        Dimension::Outcome => Some(match event.outcome {
            Outcome::Success => 0,
            Outcome::Failure => 1,
            Outcome::Unknown => 2,
        }),
        Dimension::User => event.user,
        Dimension::Source => event.source,
        Dimension::Page => event.page,
        Dimension::OtherPage => event.other_page,
        Dimension::Session => event.session,
        Dimension::TargetType => event.target_type,
        Dimension::TargetId => event.target_id,
        Dimension::System => (event.tenant_id == TenantId::SYSTEM).then_some(1),
    }
}

fn of_column(column: Column) -> Dimension {
    Dimension::ALL.into_iter().find(|dimension| *dimension as u8 == column as u8).unwrap()
}

/// Compares a reader with the events of its run, which are sorted.
pub fn check(run: &mut impl Segment, events: &[IndexedEvent], random: &mut Random) {
    let len = u32::try_from(events.len()).unwrap();
    assert_eq!(run.len(), len);
    check_keys(run, events, random);
    check_bounds(run, events);
    for dimension in Dimension::ALL {
        let mut lists: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for (event, position) in events.iter().zip(0..) {
            if let Some(value) = value(event, dimension) {
                lists.entry(value).or_default().push(position);
            }
        }
        let known: Vec<u32> = lists.keys().copied().collect();
        let mut asked: Vec<u32> = (0..12).map(|_| random.below(u32::MAX)).chain([0, 1, 2, 3, u32::MAX]).collect();
        asked.extend(
            (0..40.min(known.len())).map(|_| known[random.below(u32::try_from(known.len()).unwrap()) as usize]),
        );
        asked.extend(known.first().into_iter().chain(known.last()));
        for value in asked {
            let list = lists.get(&value).map(Vec::as_slice).unwrap_or_default();
            assert_eq!(run.frequency(dimension, value).unwrap() as usize, list.len(), "{dimension:?} {value}");
            for within in windows(len, random) {
                let expected: Vec<u32> = list.iter().copied().filter(|position| within.contains(position)).collect();
                let set = run.postings(dimension, value, within.clone()).unwrap();
                assert_eq!(positions_of(&set), expected, "{dimension:?} {value} in {within:?}");
            }
        }
    }
    for column in COLUMNS {
        for positions in samples(len, random) {
            let expected: Vec<Option<u32>> =
                positions.iter().map(|position| value(&events[*position as usize], of_column(column))).collect();
            assert_eq!(run.column(column, &positions).unwrap(), expected, "{column:?}");
        }
    }
}

/// The parts follow one another, and their bounds are exact.
fn check_bounds(run: &mut impl Segment, events: &[IndexedEvent]) {
    let mut next = 0;
    for part in run.number_bounds() {
        assert_eq!(part.positions.start, next);
        next = part.positions.end;
        let numbers = || events[part.positions.start as usize..next as usize].iter().map(|event| event.seq);
        assert_eq!((Some(part.least), Some(part.greatest)), (numbers().min(), numbers().max()));
    }
    assert_eq!(next as usize, events.len());
}

fn check_keys(run: &mut impl Segment, events: &[IndexedEvent], random: &mut Random) {
    let len = u32::try_from(events.len()).unwrap();
    for positions in samples(len, random) {
        let expected: Vec<EventPosition> =
            positions.iter().map(|position| events[*position as usize].position()).collect();
        assert_eq!(run.keys(&positions).unwrap(), expected);
        for position in positions.iter().rev().take(20) {
            let key = events[*position as usize].position();
            for key in [key, EventPosition { seq: key.seq + 1, ..key }, EventPosition { seq: i64::MIN, ..key }] {
                let before =
                    events.partition_point(|event| (event.occurred_at, event.seq) < (key.occurred_at, key.seq));
                assert_eq!(run.rank(key).unwrap() as usize, before, "{key:?}");
            }
        }
    }
    if len > 0 {
        assert!(run.keys(&[len]).is_err());
    }
}

fn windows(len: u32, random: &mut Random) -> Vec<Range<u32>> {
    let mut windows = vec![0..len, 0..len.saturating_add(70)];
    for width in [len / 2, 5_000, 100, 1] {
        let start = random.below(len.max(1));
        windows.push(start..start.saturating_add(width).min(len));
    }
    windows
}

/// Ascending positions: all of a stretch, a few far apart, one, and none.
fn samples(len: u32, random: &mut Random) -> Vec<Vec<u32>> {
    if len == 0 {
        return vec![Vec::new()];
    }
    let start = random.below(len);
    let mut few: Vec<u32> = (0..60).map(|_| random.below(len)).collect();
    few.sort_unstable();
    few.dedup();
    vec![(start..len.min(start + 9_000)).collect(), few, vec![random.below(len)], vec![0], vec![len - 1], Vec::new()]
}

/// Builds the run of a history, and compares it with brute force.
fn compare(history: &History) {
    let events = history.events();
    let stored = StoredRun::built(history.scope(), &events);
    assert!(stored.header.len() <= 16 << 10, "a header of {} bytes", stored.header.len());
    let events = sorted(events);
    let mut run = stored.open();
    let span = events.first().zip(events.last()).map(|(first, last)| (first.position(), last.position()));
    assert_eq!(run.span(), span);
    check(&mut run, &events, &mut Random(history.seed));
    let mut read = Vec::new();
    run.events(history.scope(), &mut |event| {
        read.push(*event);
        Ok(())
    })
    .unwrap();
    assert_eq!(read, events);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn a_small_run_answers_as_its_events(history in histories(0_u32..200)) {
        compare(&history);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn a_run_of_many_pages_answers_as_its_events(history in histories(1_000_u32..40_000)) {
        compare(&history);
    }
}

#[test]
fn lists_of_many_pages_and_cut_lists_answer_as_their_events() {
    let values = [
        Values::Few,
        Values::Often,
        Values::Few,
        Values::Many,
        Values::Hashes,
        Values::Blocks,
        Values::One(9),
        Values::Hashes,
        Values::Extremes,
        Values::Never,
    ];
    for (times, everyone) in [(Times::Month, true), (Times::Days, false)] {
        compare(&History { seed: 11, len: 110_000, everyone, times, late: 20, values });
    }
}

#[test]
fn two_events_with_the_same_key_are_an_error() {
    let history = History { seed: 1, len: 1, everyone: false, times: Times::Equal, late: 0, values: [Values::Few; 10] };
    let mut builder = trailkeeper_postings::run::RunBuilder::new(history.scope());
    for event in history.events().iter().chain(&history.events()) {
        builder.add(event).unwrap();
    }
    let error = builder.finish(&mut |_, _| Ok(())).unwrap_err();
    assert_eq!(error.chain().to_string(), "internal error: event 100 is twice in a posting run");
}
