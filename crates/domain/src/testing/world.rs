//! The base of the tests of use cases.

use std::sync::atomic::{AtomicU8, Ordering};

use chrono::TimeDelta;
use parking_lot::Mutex;

use crate::account::Actor;
use crate::clock::{Clock, Entropy};
use crate::event::{Event, IngestContext, Outcome};
use crate::id::EventId;
use crate::testing::memory_store::MemoryStore;
use crate::testing::values::{at, uuid};
use crate::time::Timestamp;
use crate::usecase::Change;

/// A clock that stands still until a test moves it, and randomness that never repeats in 256 calls.
pub struct Fixed {
    now: Mutex<Timestamp>,
    calls: AtomicU8,
}

impl Default for Fixed {
    /// The clock shows noon of 2026-03-01.
    fn default() -> Self {
        Self { now: Mutex::new(at("2026-03-01T12:00:00Z")), calls: AtomicU8::new(0) }
    }
}

impl Fixed {
    /// Moves the clock forward.
    pub fn advance(&self, by: TimeDelta) {
        *self.now.lock() += by;
    }
}

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        *self.now.lock()
    }
}

impl Entropy for Fixed {
    fn fill(&self, buffer: &mut [u8]) {
        buffer.fill(self.calls.fetch_add(1, Ordering::SeqCst));
    }
}

/// An empty store, a clock, and an actor whose name is `root`.
pub struct World {
    pub store: MemoryStore,
    pub fixed: Fixed,
    pub actor: Actor,
}

impl Default for World {
    fn default() -> Self {
        let actor = Actor { id: "actor-1".to_owned(), name: "root".to_owned() };
        Self { store: MemoryStore::default(), fixed: Fixed::default(), actor }
    }
}

impl World {
    /// The means of a change by a program, which has no audit event.
    pub fn change(&self) -> Change<'_> {
        self.change_by(None)
    }

    /// The means of a change by a person, with its audit event.
    pub fn audited<'a>(&'a self, audit_event: &'a Event) -> Change<'a> {
        self.change_by(Some(audit_event))
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "a test stands for the embedding program, which makes its own changes"
    )]
    fn change_by<'a>(&'a self, audit_event: Option<&'a Event>) -> Change<'a> {
        Change::new(&self.store, &self.fixed, &self.fixed, &self.actor, audit_event)
    }

    /// An audit event with the id `uuid(number)`.
    pub fn audit_event(&self, number: u128) -> Event {
        Event::system(EventId(uuid(number)), self.fixed.now(), "directory_change", Outcome::Success)
    }
}

/// The context of events that a world receives now, without a source and a tenant.
pub fn context(world: &World) -> IngestContext {
    IngestContext { now: world.fixed.now(), source: None, tenant_scope: None }
}
