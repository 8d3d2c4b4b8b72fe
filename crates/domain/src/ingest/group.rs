//! The commit of one group: one transaction for all its jobs, and a separate result for each job.

use crate::error::{Error, Result};
use crate::event::Event;
use crate::ingest::commit::Promise;
use crate::ingest::job::Job;
use crate::ports::Store;

/// Commits the jobs in one transaction and settles the promise of each.
///
/// If the group fails for a reason that one of its jobs may have caused, each job gets its own transaction, so that a
/// bad job does not make others fail. If the database is unavailable or busy, all jobs get that error, because separate
/// transactions would only make the queue wait.
pub fn commit(store: &dyn Store, jobs: Vec<Job>) {
    let mut events = Vec::new();
    let mut waiting: Vec<(usize, Promise)> = Vec::with_capacity(jobs.len());
    for mut job in jobs {
        waiting.push((job.events.len(), job.promise));
        events.append(&mut job.events);
    }
    match insert(store, &events) {
        Ok(new) => {
            let mut new = new.into_iter();
            for (count, promise) in waiting {
                promise.settle(Ok(new.by_ref().take(count).collect()));
            }
        }
        Err(error) if waiting.len() == 1 || concerns_all(&error) => {
            for (_, promise) in waiting {
                promise.settle(Err(error.clone()));
            }
        }
        Err(_) => {
            let mut events = events.into_iter();
            for (count, promise) in waiting {
                let own: Vec<Event> = events.by_ref().take(count).collect();
                promise.settle(insert(store, &own));
            }
        }
    }
}

fn concerns_all(error: &Error) -> bool {
    matches!(error, Error::Unavailable { .. } | Error::Overloaded { .. })
}

/// Stores events in one transaction. Returns for each event, in order, whether it was new.
pub fn insert(store: &dyn Store, events: &[Event]) -> Result<Vec<bool>> {
    let new = store.writing(|tx| tx.insert_events(events))?;
    if new.len() == events.len() {
        return Ok(new);
    }
    Err(Error::internal("insert_events answered for another number of events than it was given"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket::Bucket;
    use crate::ingest::Commit;
    use crate::testing::{MemoryStore, event};

    fn job(numbers: &[u32]) -> (Job, Commit) {
        let (promise, commit) = Commit::pending();
        (Job { bucket: Bucket::FIRST, events: numbers.iter().copied().map(event).collect(), promise }, commit)
    }

    /// Commits one group with these jobs, and returns the result of each.
    fn committed(store: &MemoryStore, jobs: &[&[u32]]) -> Vec<Result<Vec<bool>>> {
        let (jobs, commits): (Vec<_>, Vec<_>) = jobs.iter().map(|numbers| job(numbers)).unzip();
        commit(store, jobs);
        assert!(commits.iter().all(Commit::is_done), "every sender has its result");
        commits.into_iter().map(Commit::wait).collect()
    }

    fn new(results: Vec<Result<Vec<bool>>>) -> Vec<Vec<bool>> {
        results.into_iter().map(Result::unwrap).collect()
    }

    fn stored(store: &MemoryStore) -> Vec<u128> {
        store.records().events.iter().map(|event| event.id.0.as_u128()).collect()
    }

    /// A store that cannot insert the event 13, as if the database found it bad.
    fn store_with_bad_event() -> MemoryStore {
        MemoryStore::on_insert(|events| {
            let is_bad = events.iter().any(|inserted| inserted.id == event(13).id);
            is_bad.then(|| Err(Error::internal("13 breaks a constraint")))
        })
    }

    #[test]
    fn a_group_is_one_transaction_and_each_job_gets_its_own_part() {
        let store = MemoryStore::default();
        let results = committed(&store, &[&[1, 2], &[], &[2, 3, 4], &[1]]);
        assert_eq!(new(results), [vec![true, true], vec![], vec![false, true, true], vec![false]]);
        assert_eq!((store.writes(), stored(&store)), (1, vec![1, 2, 3, 4]));
    }

    #[test]
    fn a_bad_job_makes_no_other_job_fail() {
        let store = store_with_bad_event();
        let mut results = committed(&store, &[&[1, 2], &[3, 13], &[4]]);
        let bad = results.remove(1);
        assert!(matches!(bad, Err(Error::Internal { .. })), "{bad:?}");
        assert_eq!(new(results), [vec![true, true], vec![true]]);
        assert_eq!(stored(&store), [1, 2, 4], "the bad job is not stored in part");
    }

    #[test]
    fn a_single_bad_job_is_not_tried_again() {
        let store = store_with_bad_event();
        assert!(matches!(committed(&store, &[&[13]])[..], [Err(Error::Internal { .. })]));
        assert_eq!(store.writes(), 1);
    }

    #[test]
    fn an_unreachable_or_busy_database_fails_all_jobs_at_once() {
        for error in [Error::unavailable("gone"), Error::overloaded("the database", "busy")] {
            let expected = error.to_string();
            let store = MemoryStore::on_insert(move |_| Some(Err(error.clone())));
            for result in committed(&store, &[&[1], &[2], &[3]]) {
                assert_eq!(result.unwrap_err().to_string(), expected);
            }
            assert_eq!(store.writes(), 1, "more transactions would only make the queue wait");
        }
    }

    #[test]
    fn a_store_that_answers_for_another_number_of_events_is_a_defect() {
        for answered in [0, 1, 3] {
            let store = MemoryStore::on_insert(move |_| Some(Ok(vec![true; answered])));
            let result = insert(&store, &[event(1), event(2)]);
            assert!(matches!(result, Err(Error::Internal { .. })), "{answered}: {result:?}");
        }
    }
}
