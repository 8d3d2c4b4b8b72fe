//! The bounded queue between requests and the writers.

use std::collections::BTreeSet;
use std::mem;

use parking_lot::{Condvar, Mutex};

use crate::bucket::Bucket;
use crate::error::{Error, Result};
use crate::ingest::job::Job;
use crate::ingest::waiting::{Taken, Waiting};

/// Jobs that wait for a writer.
pub struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    capacity: usize,
}

struct State {
    /// The bound applies to events and not to jobs, so that it is the same for a few large requests and for many small ones.
    waiting: Waiting,
    /// Number of groups that were taken from the queue and are not done.
    under_way: usize,
    closed: bool,
}

/// Jobs that are committed together. The group counts as under way until it is dropped.
pub struct Group<'q> {
    queue: &'q Queue,
    jobs: Vec<Job>,
    buckets: BTreeSet<Bucket>,
}

impl Group<'_> {
    /// Takes the jobs out of the group.
    pub fn take(&mut self) -> Vec<Job> {
        mem::take(&mut self.jobs)
    }
}

impl Drop for Group<'_> {
    fn drop(&mut self) {
        let mut state = self.queue.state.lock();
        state.under_way -= 1;
        state.waiting.done(&self.buckets);
        drop(state);
        // A writer that waits for more jobs may now take the present ones.
        self.queue.changed.notify_one();
    }
}

impl Queue {
    /// A queue for so many events. So many of them in one bucket are enough for a group of their own.
    pub fn new(capacity: usize, separate: usize) -> Self {
        Self {
            state: Mutex::new(State { waiting: Waiting::new(separate), under_way: 0, closed: false }),
            changed: Condvar::new(),
            capacity,
        }
    }

    /// Adds the jobs of a request, or rejects all of them at once: [`Error::Overloaded`] if they do not fit and the queue is
    /// not empty, [`Error::Stopping`] if the queue is closed.
    pub fn push(&self, request: Vec<Job>) -> Result<()> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(Error::stopping());
        }
        let waiting = state.waiting.events();
        let full = waiting + request.iter().map(|job| job.events.len()).sum::<usize>() > self.capacity;
        if full && !state.waiting.is_empty() {
            return Err(Error::overloaded(
                "the ingest queue is full; nothing of this request was stored",
                format!("the ingest queue is full: {waiting} events wait"),
            ));
        }
        state.waiting.push(request);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for jobs and takes as many as have at most `most` events together, but at least one. `None` if the queue
    /// is closed and empty.
    ///
    /// While another group is under way, it also waits for at least `worth` events, or for a bucket that is in no such group
    /// and has enough for a group of its own: more events follow soon, and one commit costs less than two.
    pub fn next_group(&self, most: usize, worth: usize) -> Option<Group<'_>> {
        let mut state = self.state.lock();
        let Taken { jobs, buckets } = loop {
            let is_urgent = state.closed || state.under_way == 0;
            match state.waiting.take(most, if is_urgent { 0 } else { worth }) {
                Some(taken) => break taken,
                None if state.closed => return None,
                None => self.changed.wait(&mut state),
            }
        };
        state.under_way += 1;
        // A request wakes one writer, and may have brought enough for several.
        let has_next = state.waiting.has_next(worth);
        drop(state);
        if has_next {
            self.changed.notify_one();
        }
        Some(Group { queue: self, jobs, buckets })
    }

    /// Rejects every later job.
    pub fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::bucket::Buckets;
    use crate::ingest::Commit;
    use crate::testing::event;

    /// A queue for so many events of one bucket.
    fn queue(capacity: usize) -> Queue {
        Queue::new(capacity, usize::MAX)
    }

    fn job_in(bucket: Bucket, events: usize) -> Job {
        Job { bucket, events: vec![event(1); events], promise: Commit::pending().0 }
    }

    /// A request of one job.
    fn job(events: usize) -> Vec<Job> {
        vec![job_in(Bucket::FIRST, events)]
    }

    /// A request with so many events in the first bucket and in the second one.
    fn divided(first: usize, second: usize) -> Vec<Job> {
        let jobs = Buckets::new(2).unwrap().all().zip([first, second]).filter(|(_, events)| *events > 0);
        jobs.map(|(bucket, events)| job_in(bucket, events)).collect()
    }

    fn push(queue: &Queue, events: usize) {
        queue.push(job(events)).unwrap();
    }

    /// The number of events of each job of a group.
    fn sizes(mut group: Group<'_>) -> Vec<usize> {
        group.take().iter().map(|job| job.events.len()).collect()
    }

    #[test]
    fn few_gather_while_a_group_is_under_way() {
        // Many rounds: a queue that wrongly hands out the jobs one by one would do so only in some of them.
        for _ in 0..200 {
            let queue = queue(100);
            push(&queue, 1);
            let first = queue.next_group(10, 3).unwrap();
            thread::scope(|scope| {
                let second = scope.spawn(|| sizes(queue.next_group(10, 3).unwrap()));
                push(&queue, 1);
                push(&queue, 2);
                assert_eq!(second.join().unwrap(), [1, 2]);
            });
            assert_eq!(sizes(first), [1]);
        }
    }

    #[test]
    fn few_are_taken_when_nothing_is_under_way_any_more() {
        let queue = queue(100);
        push(&queue, 1);
        let first = queue.next_group(10, 3).unwrap();
        thread::scope(|scope| {
            let second = scope.spawn(|| sizes(queue.next_group(10, 3).unwrap()));
            push(&queue, 2);
            drop(first);
            assert_eq!(second.join().unwrap(), [2]);
        });
    }

    #[test]
    fn a_group_has_at_most_so_many_events_but_never_part_of_a_job() {
        let queue = queue(100);
        for events in [4, 6, 1, 30, 1] {
            push(&queue, events);
        }
        for expected in [&[4, 6][..], &[1], &[30], &[1]] {
            assert_eq!(sizes(queue.next_group(10, 0).unwrap()), expected);
        }
    }

    #[test]
    fn a_job_that_does_not_fit_is_overload_and_leaves_the_queue_as_it_was() {
        let queue = queue(10);
        push(&queue, 7);
        assert!(matches!(queue.push(job(4)), Err(Error::Overloaded { .. })));
        push(&queue, 3);
        assert!(matches!(queue.push(job(1)), Err(Error::Overloaded { .. })));
        assert_eq!(sizes(queue.next_group(10, 0).unwrap()), [7, 3]);
        push(&queue, 10);
    }

    #[test]
    fn an_empty_queue_takes_a_job_that_is_larger_than_itself() {
        let queue = queue(10);
        push(&queue, 11);
        assert!(queue.push(job(1)).is_err());
        assert_eq!(sizes(queue.next_group(5, 0).unwrap()), [11]);
    }

    #[test]
    fn a_closed_queue_gives_out_what_it_has() {
        let queue = queue(100);
        push(&queue, 1);
        let first = queue.next_group(10, 3).unwrap();
        push(&queue, 1);
        queue.close();
        assert_eq!(sizes(queue.next_group(10, 3).unwrap()), [1]);
        assert!(queue.next_group(10, 3).is_none());
        drop(first);
        assert!(matches!(queue.push(job(0)), Err(Error::Stopping(_))));
    }

    #[test]
    fn enough_for_a_separate_commit_waits_for_no_other_group() {
        let queue = queue(100);
        push(&queue, 1);
        let first = queue.next_group(10, 3).unwrap();
        push(&queue, 3);
        assert_eq!(sizes(queue.next_group(10, 3).unwrap()), [3], "on this thread: waiting would never end");
        assert_eq!(sizes(first), [1]);
    }

    #[test]
    fn a_taken_group_makes_room_before_it_is_committed() {
        let queue = queue(10);
        push(&queue, 10);
        let group = queue.next_group(10, 0).unwrap();
        push(&queue, 10);
        assert!(queue.push(job(1)).is_err());
        drop(group);
        assert!(queue.push(job(1)).is_err(), "the end of a commit makes no room");
    }

    #[test]
    fn jobs_leave_in_the_order_of_their_arrival() {
        let queue = queue(100);
        for events in 1..=6 {
            push(&queue, events);
        }
        let groups: Vec<_> = (0..3).map(|_| sizes(queue.next_group(9, 0).unwrap())).collect();
        assert_eq!(groups, [vec![1, 2, 3], vec![4, 5], vec![6]]);
    }

    #[test]
    fn a_dropped_group_answers_its_senders() {
        let queue = queue(100);
        let (promise, commit) = Commit::pending();
        queue.push(vec![Job { bucket: Bucket::FIRST, events: Vec::new(), promise }]).unwrap();
        drop(queue.next_group(10, 0).unwrap());
        assert!(matches!(commit.wait(), Err(Error::Internal { .. })));
    }

    #[test]
    fn all_jobs_of_a_request_enter_or_none() {
        let queue = Queue::new(10, 1);
        push(&queue, 5);
        assert!(matches!(queue.push(divided(4, 2)), Err(Error::Overloaded { .. })));
        assert_eq!(sizes(queue.next_group(10, 0).unwrap()), [5]);
        queue.push(divided(6, 4)).unwrap();
        assert_eq!(sizes(queue.next_group(10, 0).unwrap()), [6]);
        assert_eq!(sizes(queue.next_group(10, 0).unwrap()), [4]);
    }

    #[test]
    fn one_request_of_two_buckets_occupies_two_writers() {
        // Many rounds: a queue that forgets to wake the second writer would do so only in some of them.
        for _ in 0..200 {
            let queue = Queue::new(100, 3);
            let groups: Vec<_> = thread::scope(|scope| {
                let writers: Vec<_> = (0..2).map(|_| scope.spawn(|| queue.next_group(10, 100).unwrap())).collect();
                queue.push(divided(3, 4)).unwrap();
                writers.into_iter().map(|writer| writer.join().unwrap()).collect()
            });
            let mut sizes: Vec<_> = groups.into_iter().map(sizes).collect();
            sizes.sort_unstable();
            assert_eq!(sizes, [[3], [4]], "none of the groups was done before both were taken");
        }
    }

    #[test]
    fn a_bucket_under_way_gathers_while_another_one_is_taken() {
        let queue = Queue::new(100, 3);
        queue.push(divided(3, 0)).unwrap();
        let first = queue.next_group(10, 100).unwrap();
        // Too few for a second group: the first bucket is in that one, and of the second bucket only two wait.
        queue.push(divided(4, 2)).unwrap();
        thread::scope(|scope| {
            let second = scope.spawn(|| sizes(queue.next_group(10, 100).unwrap()));
            queue.push(divided(0, 1)).unwrap();
            assert_eq!(second.join().unwrap(), [2, 1]);
        });
        assert_eq!(sizes(first), [3]);
        assert_eq!(sizes(queue.next_group(10, 100).unwrap()), [4]);
    }

    #[test]
    fn closing_wakes_a_writer_that_waits() {
        let queue = queue(100);
        thread::scope(|scope| {
            let writer = scope.spawn(|| queue.next_group(10, 3).is_none());
            queue.close();
            assert!(writer.join().unwrap());
        });
    }
}
