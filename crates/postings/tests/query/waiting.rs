//! The matching events of a delta are those of a scan.

use proptest::prelude::*;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::indexed_event::IndexedEvent;
use trailkeeper_postings::delta::{Delta, encode};
use trailkeeper_postings::dimension::Dimension;
use trailkeeper_postings::query::{Columns, Condition, Query, Waiting};
use trailkeeper_postings::value::value_of;

use crate::world::{at, event, matches, query, world};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn events_of_a_delta_are_those_of_a_scan(world in world(), query in query(), of_one: bool, step in 1..60_usize) {
        let tenant = of_one.then(|| event(1, 0).tenant_id);
        for events in world.events.chunks(step) {
            let mut expected: Vec<IndexedEvent> = events.iter().copied().filter(|event| {
                tenant.is_none_or(|tenant| event.tenant_id == tenant)
                    && query.from.is_none_or(|from| from <= event.occurred_at)
                    && query.until.is_none_or(|until| event.occurred_at < until)
                    && matches(&query.condition, event)
            }).collect();
            // The order of a delta.
            expected.sort_by_key(|event| (event.tenant_id, event.seq));
            let payload = encode(events);
            let delta = Delta::read(&payload).expect("a delta");
            let Some(waiting) = Waiting::of(&delta, 1, tenant, &query) else {
                prop_assert_eq!(expected, []);
                continue;
            };
            prop_assert_eq!(waiting.len(), expected.len());
            let keys: Vec<(i64, i64)> =
                expected.iter().map(|event| (event.occurred_at.timestamp_micros(), event.seq)).collect();
            prop_assert_eq!(waiting.keys().collect::<Vec<_>>(), keys);
            let columns: Vec<Columns> = waiting.columns().map(|columns| columns.expect("columns")).collect();
            prop_assert_eq!(columns, expected.iter().map(Columns::from).collect::<Vec<_>>());
            for dimension in Dimension::ALL.into_iter().filter(|dimension| *dimension != Dimension::System) {
                let values: Vec<Option<u32>> = expected.iter().map(|event| value_of(event, dimension)).collect();
                prop_assert_eq!(waiting.values(dimension).collect::<Vec<_>>(), values);
            }
        }
    }
}

#[test]
fn times_exclude_a_delta_and_may_have_parts_of_a_microsecond() {
    let payload = encode(&[event(1, -3), event(2, 4)]);
    let delta = Delta::read(&payload).expect("a delta");
    let nanos = |micros, nanos| Some(at(micros) + chrono::TimeDelta::nanoseconds(nanos));
    let count = |from, until| {
        let query = Query { condition: Condition::everything(), from, until };
        Waiting::of(&delta, 1, None, &query).map_or(0, |waiting| waiting.len())
    };
    assert_eq!(count(None, None), 2);
    assert_eq!([count(nanos(-3, 0), None), count(nanos(-3, 1), None), count(nanos(4, 0), None)], [2, 1, 1]);
    assert_eq!([count(nanos(4, 1), None), count(None, nanos(-3, 0)), count(None, nanos(-3, 1))], [0, 0, 1]);
    assert_eq!(Waiting::of(&delta, 1, Some(TenantId::SYSTEM), &Query::of(Condition::everything())).map(|_| ()), None);
}
