//! Demo data: tenants, users and 90 days of events up to now. Apart from the time it is always the same.

mod names;
mod random;
mod traffic;
mod world;

use std::fmt;

use trailkeeper_auth::audit::{AuditEvent, IMPORT};
use trailkeeper_domain::Result as DomainResult;
use trailkeeper_domain::clock;
use trailkeeper_domain::creation::{Creation, CreationKind};
use trailkeeper_domain::event::{EventFilter, IngestContext};
use trailkeeper_domain::id::{CreationId, EventId, TenantId};
use trailkeeper_domain::ports::{ReadTx, WriteTx};
use trailkeeper_domain::tenant::Tenant;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::usecase::append;
use trailkeeper_domain::user::{Membership, PoolId, User, UserStatus};
use trailkeeper_domain::visibility::Visibility;
use uuid::Uuid;

use crate::audit;
use crate::failure::Failure;
use crate::progress;
use crate::wiring::Ports;
use random::Random;
use traffic::Traffic;
use world::{DemoTenant, Person, World};

/// Number of random events: as many as load in a few seconds. Registrations come on top.
const EVENTS: u32 = 60_000;
const SEED: u64 = 0x7261_696c_6b65_6570;

/// Counts of the loaded demo data.
pub struct Loaded {
    tenants: usize,
    users: usize,
    events: u64,
}

impl Loaded {
    /// The audit event of the load, stored in the same transaction.
    fn audit_event(&self) -> AuditEvent {
        AuditEvent::done(IMPORT)
            .with("what", "demo")
            .with("tenants", self.tenants)
            .with("users", self.users)
            .with("stored", self.events)
    }
}

impl fmt::Display for Loaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} tenants, {} users, {} events", self.tenants, self.users, self.events)
    }
}

/// Loads the demo data into an empty database, with a progress bar. `None` if the database is not empty.
///
/// Everything is one transaction, with the audit event. Otherwise an interrupted start would leave half of the demo data,
/// and the next start would take it for real data.
pub fn load(ports: &Ports) -> Result<Option<Loaded>, Failure> {
    let now = ports.clock.now();
    let context = IngestContext { now, source: None, tenant_scope: None };
    let bar = progress::items(0, "demo data");
    let loaded = ports.store.writing(|tx| {
        // Of two servers that start at the same time, one loads and the other then finds the data.
        tx.lock_directory()?;
        if !is_empty(tx)? {
            return Ok(None);
        }
        let mut random = Random::new(SEED);
        let world = World::new(&mut random, now);
        let traffic = Traffic::new(&world, random, now, EVENTS);
        let events = traffic.len();
        bar.set_length(world.people.len() as u64 + events);
        bar.set_position(0);
        // Audit event and events come first: if the database lacks names or partitions for them, it creates these and
        // runs the transaction again.
        let loaded = Loaded { tenants: world.tenants.len(), users: world.people.len(), events };
        append(tx, &audit::event(ports, loaded.audit_event())?)?;
        let traffic = traffic.map(|draft| Ok(draft.into_event(&context, EventId(fresh_uuid(ports)))?.event));
        bar.inc(tx.insert_events(&traffic.collect::<DomainResult<Vec<_>>>()?)?.len() as u64);
        world.tenants.iter().try_for_each(|tenant| add_tenant(ports, tx, tenant, now))?;
        for person in &world.people {
            add_person(ports, tx, person, now)?;
            bar.inc(1);
        }
        Ok(Some(loaded))
    });
    bar.finish_and_clear();
    loaded.map_err(|error| ports.failed(error))
}

/// Whether the database has no events of customers and no records. The audit trail of the server does not count: it
/// begins with the first account.
fn is_empty(tx: &mut dyn ReadTx) -> DomainResult<bool> {
    if tx.has_directory()? {
        return Ok(false);
    }
    #[expect(clippy::disallowed_methods, reason = "the command line asks for itself")]
    let customers = EventFilter::within(Visibility::customers());
    Ok(tx.events(&customers, None, 1)?.is_empty())
}

/// Writes a tenant and its creation, as the use case would. The use case itself needs a transaction per record; these
/// records are known to be new and valid.
fn add_tenant(ports: &Ports, tx: &mut dyn WriteTx, tenant: &DemoTenant, now: Timestamp) -> DomainResult<()> {
    let creation_id = fresh_id(ports);
    tx.put_tenant(&Tenant {
        id: tenant.id,
        name: Some(tenant.name.to_owned()),
        created_at: tenant.created_at,
        updated_at: now,
        creation_id,
    })?;
    tx.put_creation(&Creation {
        id: creation_id,
        kind: CreationKind::Tenant,
        tenant_id: tenant.id,
        user_id: None,
        region: None,
        user_pool_id: None,
        created_at: tenant.created_at,
    })
}

/// Writes a user with its memberships and their creations, as the use cases would.
fn add_person(ports: &Ports, tx: &mut dyn WriteTx, person: &Person, now: Timestamp) -> DomainResult<()> {
    let pool = PoolId::parse("user_pool_id", person.pool)?;
    let user = User {
        id: person.id.clone(),
        email: Some(person.email.clone()),
        username: Some(person.email.clone()),
        attributes: Vec::new(),
        region: Some(pool.region().to_owned()),
        user_pool_id: Some(pool.clone()),
        status: UserStatus::Confirmed,
        enabled: true,
        registered_at: person.registered_at,
        updated_at: now,
        creation_id: fresh_id(ports),
    };
    tx.put_user(&user)?;
    tx.put_creation(&Creation {
        id: user.creation_id,
        kind: CreationKind::SaasUser,
        tenant_id: TenantId::NONE,
        user_id: Some(user.id.clone()),
        region: user.region.clone(),
        user_pool_id: Some(pool),
        created_at: user.registered_at,
    })?;
    for (tenant_id, created_at) in &person.tenants {
        let creation_id = fresh_id(ports);
        tx.put_membership(&Membership {
            tenant_id: *tenant_id,
            user_id: user.id.clone(),
            created_at: *created_at,
            creation_id,
        })?;
        tx.put_creation(&Creation {
            id: creation_id,
            kind: CreationKind::TenantUser,
            tenant_id: *tenant_id,
            user_id: Some(user.id.clone()),
            region: None,
            user_pool_id: None,
            created_at: *created_at,
        })?;
    }
    Ok(())
}

fn fresh_id(ports: &Ports) -> CreationId {
    CreationId(fresh_uuid(ports))
}

fn fresh_uuid(ports: &Ports) -> Uuid {
    clock::new_uuid(ports.clock.as_ref(), ports.entropy.as_ref())
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use trailkeeper_domain::event::EventDraft;
    use trailkeeper_domain::time;

    use super::*;

    fn events(count: u32) -> (World, Vec<EventDraft>, Timestamp) {
        let now = time::parse_rfc3339("now", "2026-03-01T12:34:56Z").unwrap();
        let mut random = Random::new(SEED);
        let world = World::new(&mut random, now);
        let drafts = Traffic::new(&world, random, now, count).collect();
        (world, drafts, now)
    }

    #[test]
    fn every_event_is_valid_and_the_times_ascend_within_the_last_90_days() {
        let (world, drafts, now) = events(20_000);
        let context = IngestContext { now, source: None, tenant_scope: None };
        let known: BTreeSet<_> = world.people.iter().map(|person| person.id.clone()).collect();
        let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
        let mut last = now - chrono::Duration::days(90);
        for draft in drafts {
            let event = draft.into_event(&context, EventId(Uuid::nil())).unwrap().event;
            assert!((last..=now).contains(&event.occurred_at), "{} after {last}", event.occurred_at);
            assert!((1..=3).contains(&event.env_id.0));
            assert!(event.user_id.is_none_or(|id| known.contains(&id)));
            last = event.occurred_at;
            *kinds.entry(event.kind.to_string()).or_default() += 1;
        }
        let share = |kind: &str| kinds[kind] * 100 / 20_000;
        assert!((86..=89).contains(&share("page_load")), "{kinds:?}");
        assert!((7..=9).contains(&share("login_success")), "{kinds:?}");
        assert!((1..=3).contains(&share("login_fail")) && (1..=3).contains(&share("userinfo")), "{kinds:?}");
        assert!(kinds["sign_up"] > 100, "{kinds:?}");
    }

    #[test]
    fn the_demo_data_is_the_same_each_time_and_its_records_are_distinct() {
        let (world, drafts, now) = events(1_000);
        let (_, again, _) = events(1_000);
        assert_eq!(drafts, again);
        let emails: BTreeSet<_> = world.people.iter().map(|person| &person.email).collect();
        let ids: BTreeSet<_> = drafts.iter().map(|draft| draft.id).collect();
        assert_eq!((world.people.len(), emails.len(), ids.len()), (2_000, 2_000, drafts.len()));
        for person in &world.people {
            assert!(person.registered_at <= now && person.tenants.iter().all(|(_, since)| *since <= now));
        }
    }
}
