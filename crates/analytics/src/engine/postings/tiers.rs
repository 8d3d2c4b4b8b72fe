//! Which runs of a scope and month are merged, by their numbers of events.
//!
//! A new run absorbs every older run of at most twice its size, repeatedly with its growing size, as far as the result has
//! at most [`MAX_EVENTS`] events. So each run is more than twice as large as the next smaller one, except those that are
//! nearly full, and an event is written again O(log n) times.

use std::collections::HashMap;

use trailkeeper_domain::ports::PostingRunKey;
use trailkeeper_domain::scope::Scope;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_postings::run::MAX_EVENTS;

/// A stored run: its key, the number of its events, and the size of its header and pages in bytes.
pub type SizedRun = (PostingRunKey, u32, u64);

/// The scope and the month of a run.
pub type Place = (Scope, Timestamp);

/// Runs by their places.
pub fn by_place(runs: Vec<SizedRun>) -> HashMap<Place, Vec<SizedRun>> {
    let mut places: HashMap<Place, Vec<SizedRun>> = HashMap::new();
    for run in runs {
        places.entry((run.0.scope, run.0.month)).or_default().push(run);
    }
    places
}

/// Of the older runs of a scope and month, those that a new run of this many events absorbs, the smallest first.
pub fn absorbed_by(events: u32, older: &[SizedRun]) -> Vec<SizedRun> {
    let mut older = older.to_vec();
    older.sort_unstable_by_key(|(key, events, _)| (*events, *key));
    let mut total = events;
    let absorbs = |(_, events, _): &SizedRun| {
        let grown = total.saturating_add(*events);
        let absorbs = events / 2 <= total && grown <= MAX_EVENTS;
        if absorbs {
            total = grown;
        }
        absorbs
    };
    let mut absorbs = absorbs;
    let count = older.iter().take_while(|run| absorbs(run)).count();
    older.truncate(count);
    older
}

/// The number of a new run: greater than those of all older runs of the scope and month, so that no run with this number
/// ever had another content. By induction it is greater than those of all runs that ever existed: only a merge removes
/// runs, and it adds a run with a greater number.
pub fn next_number(older: &[SizedRun]) -> u32 {
    older.iter().map(|(key, ..)| key.run.saturating_add(1)).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn older(events: &[u32]) -> Vec<SizedRun> {
        let key = |run| PostingRunKey { scope: Scope::Everyone, month: Timestamp::UNIX_EPOCH, run };
        (0..).zip(events).map(|(run, events)| (key(run), *events, 0)).collect()
    }

    fn absorbed(events: u32, sizes: &[u32]) -> Vec<u32> {
        absorbed_by(events, &older(sizes)).into_iter().map(|(_, events, _)| events).collect()
    }

    #[test]
    fn a_run_absorbs_those_that_are_not_much_larger() {
        assert_eq!(absorbed(10, &[]), [0_u32; 0]);
        assert_eq!(absorbed(10, &[22, 100]), [0_u32; 0]);
        assert_eq!(absorbed(10, &[20, 100]), [20]);
        assert_eq!(absorbed(10, &[100, 60, 20]), [20, 60, 100], "with its growing size");
        assert_eq!(absorbed(10, &[1_000, 20, 61]), [20, 61]);
        assert_eq!(absorbed(10, &[1_000, 20, 62]), [20]);
        assert_eq!(absorbed(1_000, &[7, 7, 7]), [7, 7, 7]);
    }

    #[test]
    fn a_run_does_not_outgrow_its_format() {
        assert_eq!(absorbed(MAX_EVENTS / 2, &[MAX_EVENTS / 2]), [MAX_EVENTS / 2]);
        assert_eq!(absorbed(MAX_EVENTS / 2, &[MAX_EVENTS / 2 + 1, 5]), [5]);
        assert_eq!(absorbed(MAX_EVENTS, &[1, 2, u32::MAX]), [0_u32; 0]);
    }

    #[test]
    fn few_runs_remain_and_few_events_are_written_again() {
        let (mut runs, mut number, mut written) = (Vec::<SizedRun>::new(), 0, 0_u64);
        for new in (0..20_000_u32).map(|nth| 1 + nth * 7_919 % 400) {
            let gone = absorbed_by(new, &runs);
            let all = gone.iter().fold(new, |all, (_, events, _)| all + events);
            assert!(next_number(&runs) >= number, "numbers ascend");
            number = next_number(&runs);
            let key = PostingRunKey { scope: Scope::Everyone, month: Timestamp::UNIX_EPOCH, run: number };
            runs.retain(|run| !gone.contains(run));
            runs.push((key, all, 0));
            written += u64::from(all);
            let full = runs.iter().filter(|(_, events, _)| *events > MAX_EVENTS / 2).count();
            assert!(runs.len() - full <= 20, "{runs:?}");
        }
        let events: u64 = runs.iter().map(|(_, events, _)| u64::from(*events)).sum();
        assert!(written / events < 14, "{written} of {events}");
    }
}
