//! The bounded queue between requests and the writers.

use std::collections::VecDeque;
use std::mem;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};
use crate::event::Event;
use crate::ingest::Done;

/// The events of one request, and who waits for them.
pub struct Job {
    pub events: Vec<Event>,
    pub done: Done,
}

/// Jobs in the order of their arrival.
pub struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    capacity: usize,
}

struct State {
    jobs: VecDeque<Job>,
    /// The events of all jobs, so that a few large requests and many small ones are bounded alike.
    events: usize,
    /// Groups that were taken and are not done.
    under_way: usize,
    closed: bool,
}

/// Jobs that are committed together. While it is held, it counts as under way.
pub struct Group<'q> {
    queue: &'q Queue,
    jobs: Vec<Job>,
}

impl Group<'_> {
    /// Takes the jobs out.
    pub fn take(&mut self) -> Vec<Job> {
        mem::take(&mut self.jobs)
    }
}

impl Drop for Group<'_> {
    fn drop(&mut self) {
        self.queue.lock().under_way -= 1;
        // A writer that waits for more may take what there is now.
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

    /// Takes a job, or refuses it at once.
    pub fn push(&self, job: Job) -> Result<()> {
        let mut state = self.lock();
        if state.closed {
            return Err(Error::unavailable("the server is stopping and takes no more events"));
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

    /// Waits for jobs and takes them, until a group has `most` events. While another group is under way, it also waits
    /// until `worth` events are there: a few more soon follow, and one commit of all costs less than two. `None` when
    /// the queue is closed and empty.
    pub fn next_group(&self, most: usize, worth: usize) -> Option<Group<'_>> {
        let mut state = self
            .changed
            .wait_while(self.lock(), |state| !state.closed && (state.jobs.is_empty() || state.has_time(worth)))
            .unwrap_or_else(PoisonError::into_inner);
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

    /// Lets nothing in any more.
    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    // Nothing that can panic runs under this lock, so a poisoned state is a whole one.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Whether what waits may wait for more: another group is on its way, and these are too few for one of their own.
    fn has_time(&self, worth: usize) -> bool {
        self.under_way > 0 && self.events < worth
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::event::{EventKind, Outcome};
    use crate::id::{EnvId, EventId, TenantId};
    use crate::time::midnight;

    fn event() -> Event {
        let then = midnight(chrono::NaiveDate::MIN);
        Event {
            id: EventId(uuid::Uuid::nil()),
            tenant_id: TenantId::NONE,
            env_id: EnvId::default(),
            occurred_at: then,
            received_at: then,
            user_id: None,
            user_name: None,
            kind: EventKind::known("page_load"),
            outcome: Outcome::Success,
            source: None,
            user_agent: None,
            page: None,
            session_id: None,
            trace_id: None,
            target: None,
            metadata: None,
        }
    }

    fn push(queue: &Queue, events: usize) {
        queue.push(Job { events: vec![event(); events], done: Box::new(drop) }).unwrap();
    }

    /// How many events each job of a group has.
    fn sizes(mut group: Group<'_>) -> Vec<usize> {
        group.take().iter().map(|job| job.events.len()).collect()
    }

    #[test]
    fn few_gather_while_a_group_is_under_way() {
        // A queue that gives them out one by one would do so in some of the rounds.
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
    fn a_closed_queue_gives_out_what_it_has() {
        let queue = Queue::new(100);
        push(&queue, 1);
        let first = queue.next_group(10, 3).unwrap();
        push(&queue, 1);
        queue.close();
        assert_eq!(sizes(queue.next_group(10, 3).unwrap()), [1]);
        assert!(queue.next_group(10, 3).is_none());
        drop(first);
        assert!(queue.push(Job { events: Vec::new(), done: Box::new(drop) }).is_err());
    }
}
