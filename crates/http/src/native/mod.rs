//! The native API: data in, data out, in Trailkeeper's own words. Errors are RFC 9457 problems.

mod analytics;
mod events;
mod kinds;
mod memberships;
mod paging;
mod problems;
mod put_answer;
mod schemas;
mod tenants;
mod users;

use actix_web::web::ServiceConfig;
use utoipa::openapi::{OpenApi as OpenApiDocument, RefOr, Required};
use utoipa::{Modify, OpenApi};

use crate::openapi::BearerScheme;
use crate::ops;
use crate::shapes::Problem;

/// The native API's document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Trailkeeper native API",
        version = "1.0.0",
        description = "Send events and look at them; keep the records of tenants, users and memberships that analytics count; ask for exact numbers.\n\nTimes are RFC 3339 and UTC; answers of analytics write them in the time zone that was asked for. Lists are answered with `next_cursor`: pass it as `cursor` to go on, until it is null. Errors are problems as RFC 9457 describes them, with a stable `code`, and `field` where one is at fault. A credential that is confined to a tenant sees and changes that tenant alone; others do not exist for it (404).",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        events::record::record_events,
        events::list::list_events,
        events::get::get_event,
        tenants::list::list_tenants,
        tenants::put::put_tenant,
        tenants::get::get_tenant,
        tenants::delete::delete_tenant,
        users::list::list_users,
        users::put::put_user,
        users::get::get_user,
        users::delete::delete_user,
        users::attribute_changes::list_attribute_changes,
        memberships::list::list_memberships,
        memberships::put::put_membership,
        memberships::get::get_membership,
        memberships::delete::delete_membership,
        analytics::active_users::get_active_users,
        analytics::traffic::get_traffic,
        analytics::logins::get_logins,
        analytics::registrations::get_registrations,
        analytics::page_statistics::get_page_statistics,
        analytics::retention::get_retention,
        analytics::timeline::get_timeline,
        analytics::profile::get_profile,
        ops::healthz,
        ops::readyz,
    ),
    components(schemas(
        Problem,
        schemas::Address,
        schemas::AddressOrNetwork,
        schemas::AccountStatus,
        schemas::ChangeCursor,
        schemas::CohortGranularity,
        schemas::Comparison,
        schemas::Count,
        schemas::Day,
        schemas::Email,
        schemas::EnvId,
        schemas::EventCursor,
        schemas::EventId,
        schemas::EventOutcome,
        schemas::EventType,
        schemas::Granularity,
        schemas::HoursOfTheWeek,
        schemas::InstantOrDay,
        schemas::LocalInstant,
        schemas::Page,
        schemas::Region,
        schemas::SessionId,
        schemas::TenantCursor,
        schemas::TenantId,
        schemas::TimeZone,
        schemas::UserCursor,
        schemas::UserId,
        schemas::UserPoolId,
    )),
    tags(
        (name = "events", description = "Facts: who did what, when, from where, on what."),
        (name = "tenants", description = "Customers of the application's vendor."),
        (name = "users", description = "Whom events are about."),
        (name = "memberships", description = "Which users belong to which tenant."),
        (name = "analytics", description = "Exact numbers over any range, by hour, day, week or month of any time zone."),
        (name = "operations", description = "Whether the server lives and can serve."),
    ),
    security(("Bearer" = [])),
    modifiers(&BearerScheme, &OptionalBodies),
)]
pub struct Document;

/// Says of the bodies that may be left out that they may: utoipa's own way to say it allows `null` too.
struct OptionalBodies;

impl Modify for OptionalBodies {
    fn modify(&self, openapi: &mut OpenApiDocument) {
        for path in ["/v1/tenants/{tenant_id}", "/v1/tenants/{tenant_id}/users/{user_id}"] {
            let put = openapi.paths.paths.get_mut(path).and_then(|item| item.put.as_mut());
            if let Some(RefOr::T(body)) = put.and_then(|operation| operation.request_body.as_mut()) {
                body.required = Some(Required::False);
            }
        }
    }
}

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    events::configure(config);
    analytics::configure(config);
    tenants::configure(config);
    memberships::configure(config);
    users::configure(config);
}
