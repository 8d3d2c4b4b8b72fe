//! The bounded queue between requests and the writers.

use std::collections::VecDeque;
use std::mem;

use parking_lot::{Condvar, Mutex};

use crate::error::{Error, Result};
use crate::event::Event;
use crate::ingest::Promise;

/// The events of one request, and the promise of their commit.
pub struct Job {
    pub events: Vec<Event>,
    pub promise: Promise,
}

/// Jobs in the order of their arrival.
pub struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    capacity: usize,
}

struct State {
    jobs: VecDeque<Job>,
    /// Number of events of all jobs. The bound applies to events and not to jobs, so that it is the same for a few
    /// large requests and for many small ones.
    events: usize,
    /// Number of groups that were taken from the queue and are not done.
    under_way: usize,
    closed: bool,
}

/// Jobs that are committed together. The group counts as under way until it is dropped.
pub struct Group<'q> {
    queue: &'q Queue,
    jobs: Vec<Job>,
}

impl Group<'_> {
    /// Takes the jobs out of the group.
    pub fn take(&mut self) -> Vec<Job> {
        mem::take(&mut self.jobs)
    }
}

impl Drop for Group<'_> {
    fn drop(&mut self) {
        self.queue.state.lock().under_way -= 1;
        // A writer that waits for more jobs may now take the present ones.
        self.queue.changed.notify_one();
    }
}

impl Queue {
    pub fn new(capacity: usize) -> Self {
        Self {
            state: Mutex::new(State { jobs: VecDeque::new(), events: 0, under_way: 0, closed: false }),
            changed: Condvar::new(),
            capacity,
        }
    }

    /// Adds a job, or rejects it at once: [`Error::Overloaded`] if the job does not fit and the queue is not empty,
    /// [`Error::Stopping`] if the queue is closed.
    pub fn push(&self, job: Job) -> Result<()> {
        let mut state = self.state.lock();
        if state.closed {
            return Err(Error::stopping());
        }
        let full = state.events + job.events.len() > self.capacity;
        if full && !state.jobs.is_empty() {
            return Err(Error::overloaded(
                "the ingest queue is full; nothing of this request was stored",
                format!("the ingest queue is full: {} events wait", state.events),
            ));
        }
        state.events += job.events.len();
        state.jobs.push_back(job);
        drop(state);
        self.changed.notify_one();
        Ok(())
    }

    /// Waits for jobs and takes as many as have at most `most` events together, but at least one. `None` if the queue
    /// is closed and empty.
    ///
    /// While another group is under way, it also waits for at least `worth` events: more events follow soon, and one
    /// commit costs less than two.
    pub fn next_group(&self, most: usize, worth: usize) -> Option<Group<'_>> {
        let mut state = self.state.lock();
        let waits = |state: &mut State| !state.closed && (state.jobs.is_empty() || state.has_time(worth));
        self.changed.wait_while(&mut state, waits);
        let mut jobs = Vec::new();
        let mut events = 0;
        while let Some(job) = state.jobs.pop_front() {
            if !jobs.is_empty() && events + job.events.len() > most {
                state.jobs.push_front(job);
                break;
            }
            events += job.events.len();
            jobs.push(job);
        }
        if jobs.is_empty() {
            return None;
        }
        state.events -= events;
        state.under_way += 1;
        Some(Group { queue: self, jobs })
    }

    /// Rejects every later job.
    pub fn close(&self) {
        self.state.lock().closed = true;
        self.changed.notify_all();
    }
}

impl State {
    /// Whether the jobs may wait for more: another group is under way, and they have too few events for a separate
    /// group.
    fn has_time(&self, worth: usize) -> bool {
        self.under_way > 0 && self.events < worth
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::Error;
    use crate::event::Outcome;
    use crate::id::EventId;
    use crate::ingest::Commit;
    use crate::time::Timestamp;

    fn job(events: usize) -> Job {
        let event = Event::system(EventId(uuid::Uuid::nil()), Timestamp::UNIX_EPOCH, "page_load", Outcome::Success);
        Job { events: vec![event; events], promise: Commit::pending().0 }
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
            let queue = Queue::new(100);
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
        let queue = Queue::new(100);
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
        let queue = Queue::new(100);
        for events in [4, 6, 1, 30, 1] {
            push(&queue, events);
        }
        for expected in [&[4, 6][..], &[1], &[30], &[1]] {
            assert_eq!(sizes(queue.next_group(10, 0).unwrap()), expected);
        }
    }

    #[test]
    fn a_job_that_does_not_fit_is_overload_and_leaves_the_queue_as_it_was() {
        let queue = Queue::new(10);
        push(&queue, 7);
        assert!(matches!(queue.push(job(4)), Err(Error::Overloaded { .. })));
        push(&queue, 3);
        assert!(matches!(queue.push(job(1)), Err(Error::Overloaded { .. })));
        assert_eq!(sizes(queue.next_group(10, 0).unwrap()), [7, 3]);
        push(&queue, 10);
    }

    #[test]
    fn an_empty_queue_takes_a_job_that_is_larger_than_itself() {
        let queue = Queue::new(10);
        push(&queue, 11);
        assert!(queue.push(job(1)).is_err());
        assert_eq!(sizes(queue.next_group(5, 0).unwrap()), [11]);
    }

    #[test]
    fn a_closed_queue_gives_out_what_it_has() {
        let queue = Queue::new(100);
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
        let queue = Queue::new(100);
        push(&queue, 1);
        let first = queue.next_group(10, 3).unwrap();
        push(&queue, 3);
        assert_eq!(sizes(queue.next_group(10, 3).unwrap()), [3], "on this thread: waiting would never end");
        assert_eq!(sizes(first), [1]);
    }

    #[test]
    fn a_taken_group_makes_room_before_it_is_committed() {
        let queue = Queue::new(10);
        push(&queue, 10);
        let group = queue.next_group(10, 0).unwrap();
        push(&queue, 10);
        assert!(queue.push(job(1)).is_err());
        drop(group);
        assert!(queue.push(job(1)).is_err(), "the end of a commit makes no room");
    }

    #[test]
    fn jobs_leave_in_the_order_of_their_arrival() {
        let queue = Queue::new(100);
        for events in 1..=6 {
            push(&queue, events);
        }
        let groups: Vec<_> = (0..3).map(|_| sizes(queue.next_group(9, 0).unwrap())).collect();
        assert_eq!(groups, [vec![1, 2, 3], vec![4, 5], vec![6]]);
    }

    #[test]
    fn a_dropped_group_answers_its_senders() {
        let queue = Queue::new(100);
        let (promise, commit) = Commit::pending();
        queue.push(Job { events: Vec::new(), promise }).unwrap();
        drop(queue.next_group(10, 0).unwrap());
        assert!(matches!(commit.wait(), Err(Error::Internal { .. })));
    }

    #[test]
    fn closing_wakes_a_writer_that_waits() {
        let queue = Queue::new(100);
        thread::scope(|scope| {
            let writer = scope.spawn(|| queue.next_group(10, 3).is_none());
            queue.close();
            assert!(writer.join().unwrap());
        });
    }
}
