//! Records with sensible fields. A test sets only the fields that it is about: `Event { kind, ..event(1) }`.

use chrono::NaiveDate;
use serde_json::Value;
use trailkeeper_domain::account::{Account, Role};
use trailkeeper_domain::event::{Event, EventFilter, EventKind, Outcome};
use trailkeeper_domain::id::{AccountId, CreationId, EventId, TenantId, UserId};
use trailkeeper_domain::tenant::Tenant;
use trailkeeper_domain::time::{self, Timestamp};
use trailkeeper_domain::user::{Membership, User, UserFilter, UserStatus};
use uuid::Uuid;

use crate::visibility;

/// A UUID that ends with this number. Larger numbers give larger UUIDs.
pub fn uuid(number: u128) -> Uuid {
    Uuid::from_u128(0x0199_0000_0000_7000_8000_0000_0000_0000 + number)
}

/// A tenant's id that ends with this number. Larger numbers give larger ids.
pub fn tenant_id(number: u128) -> TenantId {
    TenantId(uuid(0x7e00_0000 + number))
}

/// The metadata of an event, read as other programs read it.
pub fn metadata_of(event: &Event) -> Option<Value> {
    event.metadata.as_ref().map(|metadata| metadata.as_str().parse().expect("metadata is JSON"))
}

/// A user's id.
pub fn user_id(id: &str) -> UserId {
    UserId::parse("user_id", id).expect("a user id of a test is a good one")
}

/// The instant of this RFC 3339 time.
pub fn at(time: &str) -> Timestamp {
    time::parse_rfc3339("time", time).expect("a time of a test is RFC 3339")
}

/// The day of this text `YYYY-MM-DD`.
pub fn day(day: &str) -> NaiveDate {
    time::parse_day("day", day).expect("a day of a test is YYYY-MM-DD")
}

/// A successful login of the user `ann` in no tenant at noon of 2026-11-22, with the id `uuid(number)`.
///
/// ```
/// use trailkeeper_domain::event::{Event, Outcome};
/// use trailkeeper_testkit::{event, tenant_id};
///
/// let failed = Event { tenant_id: tenant_id(1), outcome: Outcome::Failure, ..event(1) };
/// assert_eq!((failed.id, failed.user_id), (event(1).id, event(2).user_id));
/// ```
pub fn event(number: u128) -> Event {
    let (id, noon, kind) = (EventId(uuid(number)), at("2026-11-22T12:00:00Z"), EventKind::known("login_success"));
    Event {
        received_at: at("2026-11-22T12:00:01Z"),
        user_id: Some(user_id("ann")),
        ..Event::new(id, TenantId::NONE, noon, kind, Outcome::Success)
    }
}

/// A tenant that was created on 2026-01-01.
pub fn tenant(number: u128) -> Tenant {
    Tenant {
        id: tenant_id(number),
        name: Some(format!("Tenant {number}")),
        created_at: at("2026-01-01T00:00:00Z"),
        updated_at: at("2026-01-01T00:00:00Z"),
        creation_id: CreationId(uuid(0xc1_0000_0000 + number)),
    }
}

/// A confirmed user without e-mail, pool and attributes who registered on 2026-01-02.
pub fn user(id: &str) -> User {
    let number = id.bytes().fold(0_u128, |number, byte| (number * 31 + u128::from(byte)) % 0xffff_ffff);
    User {
        id: user_id(id),
        email: None,
        username: None,
        attributes: Vec::new(),
        region: None,
        user_pool_id: None,
        status: UserStatus::Confirmed,
        enabled: true,
        registered_at: at("2026-01-02T00:00:00Z"),
        updated_at: at("2026-01-02T00:00:00Z"),
        creation_id: CreationId(uuid(0xc2_0000_0000 + number)),
    }
}

/// A membership that exists since 2026-01-03.
pub fn membership(tenant: TenantId, user: &str) -> Membership {
    let number = (tenant.0.as_u128() ^ self::user(user).creation_id.0.as_u128()) % 0xffff_ffff;
    Membership {
        tenant_id: tenant,
        user_id: user_id(user),
        created_at: at("2026-01-03T00:00:00Z"),
        creation_id: CreationId(uuid(0xc3_0000_0000 + number)),
    }
}

/// An administrator's account. Its password is unknown.
pub fn account(number: u128, email: &str) -> Account {
    Account {
        id: AccountId(uuid(0xac_0000_0000 + number)),
        email: email.to_owned(),
        display_name: format!("Account {number}"),
        password_hash: "$2b$04$..............................".to_owned(),
        role: Role::Admin,
        tenant_id: None,
        disabled_at: None,
        created_at: at("2026-01-01T00:00:00Z"),
        updated_at: at("2026-01-01T00:00:00Z"),
    }
}

/// A filter that every event matches.
pub fn all_events() -> EventFilter {
    EventFilter::within(visibility::EVERYTHING)
}

/// A filter that every user matches.
pub fn all_users() -> UserFilter {
    UserFilter::within(visibility::EVERYTHING)
}
