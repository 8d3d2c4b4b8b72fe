//! The filters whose plans are tested.

use trailkeeper_domain::event::{EventFilter, Outcome, Values};
use trailkeeper_domain::id::EnvId;
use trailkeeper_testkit::{user_id, visibility};

use super::{any, kinds, network, range, tenant, user};

/// A name, the index by which SQLite finds the first page, and the filter.
type Case = (&'static str, &'static str, EventFilter);

/// Single conditions and the combinations that callers use.
pub(super) fn filters() -> Vec<Case> {
    [single(), combined(), several()].concat()
}

fn days() -> EventFilter {
    EventFilter { from: Some(range().start), until: Some(range().end), ..any() }
}

fn of_tenant() -> EventFilter {
    EventFilter::within(visibility::of_tenant(tenant()))
}

fn single() -> Vec<Case> {
    vec![
        ("everything", "events_by_time", any()),
        ("tenant", "events_by_tenant", of_tenant()),
        ("customers", "events_by_time", EventFilter { visibility: visibility::CUSTOMERS, ..any() }),
        (
            "customers, user",
            "events_by_user",
            EventFilter { visibility: visibility::CUSTOMERS, user_id: Values::only(user()), ..any() },
        ),
        ("env", "events_by_time", EventFilter { env_id: Values::only(EnvId(2)), ..any() }),
        ("user", "events_by_user", EventFilter { user_id: Values::only(user()), ..any() }),
        ("type", "events_by_kind", EventFilter { kind: kinds(&["login_fail"]), ..any() }),
        ("types", "events_by_kind", EventFilter { kind: kinds(&["login_fail", "userinfo", "page_load"]), ..any() }),
        ("outcome", "events_by_time", EventFilter { outcome: Values::only(Outcome::Failure), ..any() }),
        ("failed", "events_by_time", EventFilter { failed: Some(true), ..any() }),
        ("address", "events_by_source", EventFilter { source: Values::only(network("10.0.3.4")), ..any() }),
        ("network", "events_by_source", EventFilter { source: Values::only(network("10.0.3.0/24")), ..any() }),
        ("page", "events_by_page", EventFilter { page: Values::only("/page/7".into()), ..any() }),
        ("session", "events_by_session", EventFilter { session_id: Values::only("session-77".into()), ..any() }),
        ("days", "events_by_time", days()),
    ]
}

fn combined() -> Vec<Case> {
    vec![
        ("tenant, env", "events_by_tenant", EventFilter { env_id: Values::only(EnvId(2)), ..of_tenant() }),
        ("tenant, type", "events_by_tenant", EventFilter { kind: kinds(&["login_fail"]), ..of_tenant() }),
        ("tenant, user", "events_by_user", EventFilter { user_id: Values::only(user()), ..of_tenant() }),
        (
            "tenant, network",
            "events_by_tenant",
            EventFilter { source: Values::only(network("10.0.3.0/24")), ..of_tenant() },
        ),
        ("tenant, page", "events_by_page", EventFilter { page: Values::only("/page/7".into()), ..of_tenant() }),
        ("tenant, days", "events_by_tenant", EventFilter { visibility: of_tenant().visibility, ..days() }),
        (
            "user, type",
            "events_by_user",
            EventFilter { user_id: Values::only(user()), kind: kinds(&["login_fail"]), ..any() },
        ),
        (
            "user, types",
            "events_by_user",
            EventFilter { user_id: Values::only(user()), kind: kinds(&["login_fail", "sign_up"]), ..any() },
        ),
        (
            "user, days, failed",
            "events_by_user",
            EventFilter { user_id: Values::only(user()), failed: Some(true), ..days() },
        ),
        (
            "session, type",
            "events_by_session",
            EventFilter { session_id: Values::only("session-77".into()), kind: kinds(&["userinfo"]), ..any() },
        ),
        ("page, days", "events_by_page", EventFilter { page: Values::only("/page/7".into()), ..days() }),
        ("network, days", "events_by_time", EventFilter { source: Values::only(network("10.0.3.0/24")), ..days() }),
    ]
}

/// Several values of a field, and negations.
fn several() -> Vec<Case> {
    vec![
        ("users", "events_by_user", EventFilter { user_id: Values::any_of([user(), user_id("user-778")]), ..any() }),
        ("unknown user", "events_by_user", EventFilter { user_id: Values::only(user_id("nobody")), ..any() }),
        (
            "addresses",
            "events_by_source",
            EventFilter { source: Values::any_of(["10.0.3.4", "10.0.3.5"].map(network)), ..any() },
        ),
        (
            "pages",
            "events_by_page",
            EventFilter { page: Values::any_of(["/page/7", "/page/8"].map(Into::into)), ..any() },
        ),
        (
            "session ids",
            "events_by_session",
            EventFilter { session_id: Values::any_of(["session-77", "session-78"].map(Into::into)), ..any() },
        ),
        (
            "no type, tenant",
            "events_by_tenant",
            EventFilter { kind: Values::none_of(kinds(&["page_load"]).any_of), ..of_tenant() },
        ),
        ("no user, days", "events_by_time", EventFilter { user_id: Values::none_of([user()]), ..days() }),
        ("no page, days", "events_by_time", EventFilter { page: Values::none_of(["/page/7".into()]), ..days() }),
        (
            "no network, days",
            "events_by_time",
            EventFilter { source: Values::none_of([network("10.0.3.0/24")]), ..days() },
        ),
    ]
}
