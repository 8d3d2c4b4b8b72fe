//! The jobs that wait for a writer, sorted by bucket.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};

use crate::bucket::Bucket;
use crate::ingest::job::Job;

/// The jobs that wait. Those of one bucket are in the order of their arrival.
pub struct Waiting {
    lines: BTreeMap<Bucket, Line>,
    /// Number of events of all jobs.
    events: usize,
    /// Number of jobs.
    jobs: usize,
    /// Number of requests that arrived so far.
    arrivals: u64,
    /// Number of events of one bucket that are enough for a group of their own.
    separate: usize,
}

/// The jobs of one bucket.
#[derive(Default)]
struct Line {
    /// Each with the number of its request, in ascending order.
    jobs: VecDeque<(u64, Job)>,
    events: usize,
    /// Number of groups with events of the bucket that were taken and are not done.
    under_way: usize,
}

/// Jobs that are committed together, and their buckets.
pub struct Taken {
    pub jobs: Vec<Job>,
    pub buckets: BTreeSet<Bucket>,
}

impl Waiting {
    /// No jobs. So many events of one bucket are enough for a group of their own; fewer form a group with those of other
    /// buckets.
    pub fn new(separate: usize) -> Self {
        Self { lines: BTreeMap::new(), events: 0, jobs: 0, arrivals: 0, separate }
    }

    /// Number of events of all jobs.
    pub fn events(&self) -> usize {
        self.events
    }

    /// Whether no job waits.
    pub fn is_empty(&self) -> bool {
        self.jobs == 0
    }

    /// Adds the jobs of a request.
    pub fn push(&mut self, request: Vec<Job>) {
        self.arrivals += 1;
        for job in request {
            self.events += job.events.len();
            self.jobs += 1;
            let line = self.lines.entry(job.bucket).or_default();
            line.events += job.events.len();
            line.jobs.push_back((self.arrivals, job));
        }
    }

    /// Whether [`take`](Self::take) would take a group.
    pub fn has_next(&self, worth: usize) -> bool {
        self.next_buckets(worth).is_some()
    }

    /// Takes the jobs of the next group: as many as have at most `most` events together, but at least one. Its buckets count
    /// as under way until they are [done](Self::done).
    ///
    /// `None` if no job waits, or if it is better to wait for more. In a group of a bucket that is under way, or of several
    /// buckets, at least `worth` events must wait; a group of one bucket that is not under way has enough by itself. With 0,
    /// the next group is taken if there is one.
    pub fn take(&mut self, most: usize, worth: usize) -> Option<Taken> {
        let mut taken = Taken { jobs: Vec::new(), buckets: BTreeSet::new() };
        let mut events = 0;
        // The next job of each bucket of the group.
        let mut next: BinaryHeap<Reverse<(u64, Bucket)>> = self.next_buckets(worth)?.into_iter().map(Reverse).collect();
        while let Some(Reverse((_, bucket))) = next.pop() {
            let Some(line) = self.lines.get_mut(&bucket) else { break };
            let fits = |job: &Job| taken.jobs.is_empty() || events + job.events.len() <= most;
            let Some((_, job)) = line.jobs.pop_front_if(|(_, job)| fits(job)) else { break };
            line.events -= job.events.len();
            events += job.events.len();
            taken.jobs.push(job);
            if taken.buckets.insert(bucket) {
                line.under_way += 1;
            }
            next.extend(line.arrival().map(|arrival| Reverse((arrival, bucket))));
        }
        self.events -= events;
        self.jobs -= taken.jobs.len();
        Some(taken)
    }

    /// Notes that a group with these buckets is done.
    pub fn done(&mut self, buckets: &BTreeSet<Bucket>) {
        for bucket in buckets {
            if let Some(line) = self.lines.get_mut(bucket) {
                line.under_way -= 1;
            }
        }
    }

    /// The buckets of the next group, each with the number of the request that waits longest in it.
    ///
    /// It is the bucket that waits longest of those with enough events for a group of their own; one that is under way comes
    /// after those that are not, so that writers take buckets side by side. Buckets with too few form a group together, so
    /// that groups stay large; its turn comes when one of them waits longer, so that no bucket waits for ever.
    fn next_buckets(&self, worth: usize) -> Option<Vec<(u64, Bucket)>> {
        let waiting = self.lines.iter().filter_map(|(bucket, line)| Some(((line.arrival()?, *bucket), line)));
        let (enough, few): (Vec<_>, Vec<_>) = waiting.partition(|(_, line)| line.events >= self.separate);
        let side_by_side = enough.iter().filter(|(_, line)| line.under_way == 0).min_by_key(|(first, _)| *first);
        let once_more = || enough.iter().filter(|(_, line)| line.events >= worth).min_by_key(|(first, _)| *first);
        let one = side_by_side.or_else(once_more).map(|(first, _)| *first);
        let is_their_turn = match (one, few.iter().map(|(first, _)| *first).min()) {
            (Some(one), Some(oldest)) => oldest < one,
            (None, Some(_)) => few.iter().map(|(_, line)| line.events).sum::<usize>() >= worth,
            (_, None) => false,
        };
        if is_their_turn {
            return Some(few.into_iter().map(|(first, _)| first).collect());
        }
        one.map(|one| vec![one])
    }
}

impl Line {
    /// The number of the request that waits longest.
    fn arrival(&self) -> Option<u64> {
        self.jobs.front().map(|(arrival, _)| *arrival)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket::Buckets;
    use crate::ingest::Commit;
    use crate::testing::event;

    /// A job with so many events in the bucket with this number.
    fn job(bucket: usize, events: usize) -> Job {
        let bucket = Buckets::new(8).unwrap().all().nth(bucket).unwrap();
        Job { bucket, events: vec![event(1); events], promise: Commit::pending().0 }
    }

    /// Jobs of one request each.
    fn waiting(separate: usize, jobs: &[(usize, usize)]) -> Waiting {
        let mut waiting = Waiting::new(separate);
        for (bucket, events) in jobs {
            waiting.push(vec![job(*bucket, *events)]);
        }
        waiting
    }

    /// The bucket and the number of events of each job of the next group.
    fn shown(taken: &Taken) -> Vec<(i16, usize)> {
        taken.jobs.iter().map(|job| (job.bucket.code(), job.events.len())).collect()
    }

    /// The next group, which stays under way.
    fn take(waiting: &mut Waiting, most: usize) -> Vec<(i16, usize)> {
        shown(&waiting.take(most, 0).unwrap())
    }

    #[test]
    fn few_events_of_all_buckets_are_one_group_in_the_order_of_their_arrival() {
        let mut waiting = waiting(4, &[(2, 1), (0, 2), (2, 1), (1, 3), (0, 1)]);
        assert_eq!(waiting.events(), 8);
        assert_eq!(take(&mut waiting, 100), [(2, 1), (0, 2), (2, 1), (1, 3), (0, 1)]);
        assert!(waiting.is_empty() && waiting.events() == 0 && waiting.take(100, 0).is_none());
    }

    #[test]
    fn a_bucket_with_enough_events_is_a_group_of_its_own() {
        let mut waiting = waiting(4, &[(0, 1), (1, 3), (0, 2), (1, 1), (2, 5)]);
        assert_eq!(take(&mut waiting, 100), [(0, 1), (0, 2)], "no other bucket has too few");
        assert_eq!(take(&mut waiting, 100), [(1, 3), (1, 1)]);
        assert_eq!(take(&mut waiting, 100), [(2, 5)]);
        assert!(waiting.take(100, 0).is_none());
    }

    #[test]
    fn a_bucket_with_few_events_waits_no_longer_than_others() {
        let mut waiting = waiting(4, &[(1, 4), (0, 1), (2, 1)]);
        let first = waiting.take(100, 0).unwrap();
        assert_eq!(shown(&first), [(1, 4)]);
        waiting.push(vec![job(1, 9)]);
        waiting.done(&first.buckets);
        assert_eq!(take(&mut waiting, 100), [(0, 1), (2, 1)], "they waited longer than the nine");
        assert_eq!(take(&mut waiting, 100), [(1, 9)]);
    }

    #[test]
    fn a_bucket_under_way_comes_after_the_others_and_is_taken_if_no_other_waits() {
        let mut waiting = waiting(4, &[(1, 4), (1, 5), (0, 4), (1, 6)]);
        let first = waiting.take(4, 100).unwrap();
        assert_eq!(shown(&first), [(1, 4)]);
        let second = waiting.take(5, 100).unwrap();
        assert_eq!(shown(&second), [(0, 4)], "the bucket that waits longest is under way");
        assert!(waiting.take(5, 12).is_none(), "too few wait for a second group of that bucket");
        let third = waiting.take(5, 11).unwrap();
        assert_eq!(shown(&third), [(1, 5)]);
        waiting.done(&first.buckets);
        assert!(!waiting.has_next(100), "one of the two groups of the bucket is still under way");
        waiting.done(&third.buckets);
        assert!(waiting.has_next(100));
        assert_eq!(take(&mut waiting, 100), [(1, 6)]);
    }

    #[test]
    fn few_events_of_several_buckets_wait_for_more_unless_it_is_their_turn() {
        let mut waiting = waiting(4, &[(0, 2), (2, 1)]);
        assert!(waiting.take(100, 4).is_none());
        waiting.push(vec![job(1, 5)]);
        let their_turn = waiting.take(100, 4).unwrap();
        assert_eq!(shown(&their_turn), [(0, 2), (2, 1)], "they came before the five");
        waiting.push(vec![job(0, 3)]);
        let other = waiting.take(100, 4).unwrap();
        assert_eq!(shown(&other), [(1, 5)]);
        assert!(waiting.take(100, 4).is_none());
        waiting.push(vec![job(1, 1)]);
        assert_eq!(shown(&waiting.take(100, 4).unwrap()), [(0, 3), (1, 1)], "together they are enough");
    }

    #[test]
    fn a_group_has_at_most_so_many_events_but_never_part_of_a_job() {
        let mut of_all = waiting(100, &[(0, 4), (1, 6), (2, 1), (1, 30), (0, 1)]);
        for expected in [&[(0, 4), (1, 6)][..], &[(2, 1)], &[(1, 30)], &[(0, 1)]] {
            assert_eq!(take(&mut of_all, 10), expected);
        }
        let mut of_one = waiting(1, &[(0, 4), (0, 6), (0, 1)]);
        assert_eq!(take(&mut of_one, 10), [(0, 4), (0, 6)]);
        assert_eq!(take(&mut of_one, 10), [(0, 1)]);
    }

    #[test]
    fn a_job_without_events_is_taken_too() {
        let mut waiting = waiting(4, &[(0, 0), (1, 0)]);
        assert!(!waiting.is_empty());
        assert_eq!(take(&mut waiting, 10), [(0, 0), (1, 0)]);
        assert!(waiting.is_empty());
    }

    #[test]
    fn every_bucket_gets_its_turn_while_others_are_full() {
        let mut waiting = waiting(2, &[]);
        for round in 0..3 {
            (1..8).for_each(|bucket| waiting.push(vec![job(bucket, 2)]));
            if round == 0 {
                waiting.push(vec![job(0, 1)]);
            }
        }
        let mut next = || {
            let taken = waiting.take(2, 0).unwrap();
            waiting.done(&taken.buckets);
            shown(&taken)
        };
        let round: Vec<_> = (1..8).map(|bucket| vec![(bucket, 2)]).collect();
        let expected = [round.clone(), vec![vec![(0, 1)]], round.clone(), round].concat();
        assert_eq!((0..22).map(|_| next()).collect::<Vec<_>>(), expected);
    }
}
