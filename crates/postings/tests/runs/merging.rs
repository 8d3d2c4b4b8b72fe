//! A merged run equals, byte for byte, the run that is built of the same events.

use proptest::collection::vec;
use proptest::prelude::*;
use trailkeeper_domain::indexed_event::IndexedEvent;

use crate::histories::{History, Random, histories, sorted};
use crate::stored::StoredRun;

/// Splits the events into runs, removes some, and merges.
fn compare(history: &History, weights: &[u32], removed_per_mille: u64) {
    let mut random = Random(history.seed ^ 1);
    let total: u32 = weights.iter().sum();
    let mut parts: Vec<Vec<IndexedEvent>> = vec![Vec::new(); weights.len()];
    for event in history.events() {
        let mut drawn = random.below(total);
        let part = weights.iter().position(|weight| {
            let here = drawn < *weight;
            drawn = drawn.saturating_sub(*weight);
            here
        });
        parts[part.unwrap()].push(event);
    }
    let mut kept = Vec::new();
    let mut runs = Vec::new();
    for part in parts {
        let run = StoredRun::built(history.scope(), &part);
        let mut removed = Vec::new();
        for (event, position) in sorted(part).into_iter().zip(0..) {
            if random.number() % 1_000 < removed_per_mille {
                removed.push(position);
            } else {
                kept.push(event);
            }
        }
        runs.push(if removed.is_empty() { run } else { run.without(removed) });
    }
    let (merged, events) = StoredRun::merged(&runs).unwrap();
    assert_eq!(events as usize, kept.len());
    let built = StoredRun::built(history.scope(), &kept);
    assert!(merged == built, "{} bytes were merged, {} built", merged.len(), built.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn small_runs_merge_to_the_built_run(
        history in histories(0_u32..400),
        weights in vec(1_u32..100, 1..6),
        removed in prop_oneof![Just(0_u64), Just(100), Just(1_000)],
    ) {
        compare(&history, &weights, removed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn runs_of_many_pages_merge_to_the_built_run(
        history in histories(1_000_u32..40_000),
        weights in vec(1_u32..100, 1..6),
        removed in prop_oneof![Just(0_u64), Just(100)],
    ) {
        compare(&history, &weights, removed);
    }
}

#[test]
fn an_event_of_two_runs_is_an_error() {
    let history = History {
        seed: 3,
        len: 50,
        everyone: true,
        times: crate::histories::Times::Steady,
        late: 0,
        values: [crate::histories::Values::Few; 10],
    };
    let run = StoredRun::built(history.scope(), &history.events());
    let error = StoredRun::merged(&[run.clone(), run]).unwrap_err();
    assert_eq!(error.chain().to_string(), "internal error: event 100 is twice in a posting run");
}
