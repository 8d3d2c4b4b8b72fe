//! The bounded queue between requests and the writer.

use std::collections::VecDeque;
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
    arrived: Condvar,
    capacity: usize,
}

struct State {
    jobs: VecDeque<Job>,
    /// The events of all jobs, so that a few large requests and many small ones are bounded alike.
    events: usize,
    closed: bool,
}

impl Queue {
    pub fn new(capacity: usize) -> Self {
        Self {
            state: Mutex::new(State { jobs: VecDeque::new(), events: 0, closed: false }),
            arrived: Condvar::new(),
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
            return Err(Error::unavailable(format!("the queue is full: {} events wait to be stored", state.events)));
        }
        state.events += job.events.len();
        state.jobs.push_back(job);
        drop(state);
        self.arrived.notify_one();
        Ok(())
    }

    /// Waits for jobs and takes them, until a group has `most` events. `None` when the queue is closed and empty.
    pub fn next_group(&self, most: usize) -> Option<Vec<Job>> {
        let mut state = self
            .arrived
            .wait_while(self.lock(), |state| state.jobs.is_empty() && !state.closed)
            .unwrap_or_else(PoisonError::into_inner);
        let mut group = Vec::new();
        let mut events = 0;
        while let Some(job) = state.jobs.pop_front() {
            if !group.is_empty() && events + job.events.len() > most {
                state.jobs.push_front(job);
                break;
            }
            events += job.events.len();
            group.push(job);
        }
        state.events -= events;
        if group.is_empty() { None } else { Some(group) }
    }

    /// Lets nothing in any more.
    pub fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_all();
    }

    // Nothing that can panic runs under this lock, so a poisoned state is a whole one.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
