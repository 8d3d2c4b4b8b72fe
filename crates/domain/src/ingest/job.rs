//! Jobs: what one request asks of one bucket.

use std::collections::BTreeMap;

use crate::bucket::{Bucket, Buckets};
use crate::event::Event;
use crate::ingest::commit::Promise;

/// The events of one request that are in one bucket, and the promise of their commit.
pub struct Job {
    pub bucket: Bucket,
    pub events: Vec<Event>,
    pub promise: Promise,
}

/// The jobs of a request: one for each bucket that has events of it, and one if there are no events.
///
/// The events of a job keep their order, so that the first one of those with the same (tenant, id) counts.
pub fn jobs(events: Vec<Event>, promise: Promise, buckets: Buckets) -> Vec<Job> {
    let first = events.first().map_or(Bucket::FIRST, |event| buckets.of(event.tenant_id));
    if buckets == Buckets::ONE || events.iter().all(|event| buckets.of(event.tenant_id) == first) {
        return vec![Job { bucket: first, events, promise }];
    }
    let mut portions: BTreeMap<Bucket, (Vec<usize>, Vec<Event>)> = BTreeMap::new();
    for (position, event) in events.into_iter().enumerate() {
        let (positions, events) = portions.entry(buckets.of(event.tenant_id)).or_default();
        positions.push(position);
        events.push(event);
    }
    let (positions, portions): (Vec<_>, Vec<_>) =
        portions.into_iter().map(|(bucket, (positions, events))| (positions, (bucket, events))).unzip();
    let promises = promise.divided(positions);
    portions.into_iter().zip(promises).map(|((bucket, events), promise)| Job { bucket, events, promise }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::Commit;
    use crate::testing::{event, event_of, tenant_in};

    /// The bucket and the numbers of the events of each job.
    fn shown(jobs: &[Job]) -> Vec<(Bucket, Vec<u128>)> {
        jobs.iter().map(|job| (job.bucket, job.events.iter().map(|event| event.id.0.as_u128()).collect())).collect()
    }

    #[test]
    fn a_request_has_one_job_per_bucket_and_its_results_keep_the_order_of_its_events() {
        let buckets = Buckets::new(4).unwrap();
        let [zero, one, _, three] = [0, 1, 2, 3].map(|nth| tenant_in(buckets, nth));
        let events = [(3, three), (1, one), (4, three), (0, zero), (2, one)];
        let (promise, commit) = Commit::pending();
        let jobs = jobs(events.map(|(number, tenant)| event_of(tenant, number)).into(), promise, buckets);
        let of = |nth| buckets.all().nth(nth).unwrap();
        assert_eq!(shown(&jobs), [(of(0), vec![0]), (of(1), vec![1, 2]), (of(3), vec![3, 4])]);
        for job in jobs {
            // Only the events 1 and 4 are new.
            let new = job.events.iter().map(|event| [1, 4].contains(&event.id.0.as_u128())).collect();
            job.promise.settle(Ok(new));
        }
        assert_eq!(commit.wait().unwrap(), [false, true, true, false, false]);
    }

    #[test]
    fn a_request_of_one_bucket_is_one_job() {
        let buckets = Buckets::new(4).unwrap();
        let second = tenant_in(buckets, 1);
        let events = vec![event_of(second, 2), event_of(second, 1)];
        let jobs_of = |events: Vec<Event>, buckets| jobs(events, Commit::pending().0, buckets);
        assert_eq!(shown(&jobs_of(events, buckets)), [(buckets.of(second), vec![2, 1])]);
        assert_eq!(shown(&jobs_of(Vec::new(), buckets)), [(Bucket::FIRST, vec![])]);
        let of_several = [0, 1, 2, 3].map(|nth| event_of(tenant_in(buckets, nth), 7));
        assert_eq!(shown(&jobs_of(of_several.into(), Buckets::ONE)), [(Bucket::FIRST, vec![7; 4])]);
        assert_eq!(jobs_of(vec![event(1)], buckets).len(), 1);
    }
}
