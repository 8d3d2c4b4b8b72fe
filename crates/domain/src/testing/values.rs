//! Values of tests in short form.
#![expect(clippy::disallowed_methods, reason = "a test stands for the embedding program, which decides who sees what")]

use uuid::Uuid;

use crate::bucket::Buckets;
use crate::error::Error;
use crate::event::{Event, EventKind, Outcome};
use crate::id::{EventId, TenantId, UserId};
use crate::time::{self, Timestamp};
use crate::visibility::Visibility;

/// All tenants, the system tenant included.
pub const EVERYTHING: Visibility = Visibility::unrestricted();

/// All tenants but the system tenant.
pub const CUSTOMERS: Visibility = Visibility::customers();

/// One tenant only.
pub fn of_tenant(tenant: TenantId) -> Visibility {
    Visibility::of_tenant(tenant)
}

/// The instant of this RFC 3339 time.
pub fn at(time: &str) -> Timestamp {
    time::parse_rfc3339("time", time).unwrap()
}

/// A UUID that ends with this number.
pub fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// A tenant's id that ends with this number.
pub fn tenant_id(number: u128) -> TenantId {
    TenantId(uuid(0x7e00 + number))
}

/// A user's id.
pub fn user_id(id: &str) -> UserId {
    UserId::parse("user_id", id).unwrap()
}

/// A page load in no tenant at the second `number` of 1970, with the id `uuid(number)`.
pub fn event(number: u32) -> Event {
    let occurred_at = Timestamp::UNIX_EPOCH + chrono::TimeDelta::seconds(i64::from(number));
    let id = EventId(uuid(number.into()));
    Event::new(id, TenantId::NONE, occurred_at, EventKind::known("page_load"), Outcome::Unknown)
}

/// The event `number` in a tenant.
pub fn event_of(tenant: TenantId, number: u32) -> Event {
    Event { tenant_id: tenant, ..event(number) }
}

/// A tenant whose events are in the bucket with this number.
pub fn tenant_in(buckets: Buckets, bucket: i16) -> TenantId {
    (1..10_000).map(tenant_id).find(|tenant| buckets.of(*tenant).code() == bucket).expect("every bucket has tenants")
}

/// The code and field of an error that a client may read.
pub fn code_and_field(error: &Error) -> (&'static str, Option<&str>) {
    error.detail().map(|detail| (detail.code, detail.field.as_deref())).expect("an error with a public part")
}
