//! One group: committed together, answered apart.

use std::collections::HashSet;
use std::mem;

use crate::error::{Error, Result};
use crate::event::Event;
use crate::id::{EventId, TenantId};
use crate::ingest::Done;
use crate::ingest::queue::Job;
use crate::ports::Store;

/// Commits the jobs in one transaction and answers each.
///
/// When the group fails for a reason that may lie in one of its members, each is tried apart, so that it
/// hurts nobody else. When the database is away or busy, that is everybody's answer: trying each apart would only
/// make the queue wait.
pub fn commit(store: &dyn Store, jobs: Vec<Job>) {
    let (events, mut waiting) = unite(jobs);
    match insert(store, &events) {
        Ok(new) => answer(waiting, &new),
        Err(error @ (Error::Unavailable { .. } | Error::Overloaded { .. })) => {
            for waiter in waiting {
                (waiter.done)(Err(error.clone()));
            }
        }
        Err(error) if waiting.len() == 1 => {
            if let Some(alone) = waiting.pop() {
                (alone.done)(Err(error));
            }
        }
        Err(_) => {
            for (members, waiter) in apart(events, waiting) {
                (waiter.done)(insert(store, &members));
            }
        }
    }
}

/// Who waits, and where each of their events went.
struct Waiter {
    slots: Vec<Slot>,
    done: Done,
}

/// Where an event of a job went.
enum Slot {
    /// It is the group's event of this number.
    Sent(usize),
    /// An earlier job of the group has the same (tenant, id); kept in case that the group falls apart.
    Repeats(Box<Event>),
}

/// The events of a group, each (tenant, id) once, and who waits for them.
fn unite(jobs: Vec<Job>) -> (Vec<Event>, Vec<Waiter>) {
    let mut seen: HashSet<(TenantId, EventId)> = HashSet::new();
    let mut events = Vec::new();
    let mut waiting = Vec::with_capacity(jobs.len());
    for job in jobs {
        let mut slots = Vec::with_capacity(job.events.len());
        for event in job.events {
            if seen.insert((event.tenant_id, event.id)) {
                slots.push(Slot::Sent(events.len()));
                events.push(event);
            } else {
                slots.push(Slot::Repeats(Box::new(event)));
            }
        }
        waiting.push(Waiter { slots, done: job.done });
    }
    (events, waiting)
}

fn insert(store: &dyn Store, events: &[Event]) -> Result<Vec<bool>> {
    let new = store.writing(|tx| tx.insert_events(events))?;
    if new.len() == events.len() {
        return Ok(new);
    }
    Err(Error::internal("insert_events answered for another number of events than it was given"))
}

fn answer(waiting: Vec<Waiter>, new: &[bool]) {
    for waiter in waiting {
        let own = waiter.slots.iter().map(|slot| match slot {
            Slot::Sent(at) => new.get(*at).copied().unwrap_or_default(),
            Slot::Repeats(_) => false,
        });
        (waiter.done)(Ok(own.collect()));
    }
}

/// Gives each waiter its own events back, in order.
fn apart(events: Vec<Event>, waiting: Vec<Waiter>) -> Vec<(Vec<Event>, Waiter)> {
    let mut sent: Vec<Option<Event>> = events.into_iter().map(Some).collect();
    waiting
        .into_iter()
        .map(|mut waiter| {
            let own = mem::take(&mut waiter.slots).into_iter().filter_map(|slot| match slot {
                Slot::Sent(at) => sent.get_mut(at).and_then(Option::take),
                Slot::Repeats(event) => Some(*event),
            });
            (own.collect(), waiter)
        })
        .collect()
}
