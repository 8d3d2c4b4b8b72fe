//! The native API: data in, data out, in Trailkeeper's own words. Errors are RFC 9457 problems.

mod accounts;
mod analytics;
mod events;
mod memberships;
mod paging;
mod problems;
mod put_response;
mod schemas;
mod secret_response;
mod sessions;
mod signing_keys;
mod tenants;
mod tokens;
mod users;

use std::sync::LazyLock;

use actix_web::web::ServiceConfig;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as OpenApiDocument;

use crate::error_formats::Native;
use crate::openapi::BearerScheme;
use crate::operation::{Declaration, document, routes};
use crate::ops;

/// The native API's document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Trailkeeper native API",
        version = "1.0.0",
        description = "Send events and look at them; keep the records of tenants, users and memberships that analytics count; ask for exact numbers; manage who may do so.\n\nTimes are RFC 3339 and UTC; answers of analytics write them in the time zone that was asked for. Lists are answered with `next_cursor`: pass it as `cursor` to go on, until it is null. Errors are problems as RFC 9457 describes them, with a stable `code`, and `field` where one is at fault. A credential scoped to a tenant sees and changes that tenant alone; others do not exist for it (404).",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    tags(
        (name = "events", description = "Facts: who did what, when, from where, on what."),
        (name = "tenants", description = "Customers of the application's vendor."),
        (name = "users", description = "Whom events are about."),
        (name = "memberships", description = "Which users belong to which tenant."),
        (name = "analytics", description = "Exact numbers over any range, by hour, day, week or month of any time zone."),
        (name = "accounts", description = "Who may log in to Trailkeeper itself."),
        (name = "tokens", description = "API tokens: the credentials of programs."),
        (name = "signing keys", description = "With which SaaSus clients sign their requests."),
        (name = "sessions", description = "What begins with a login and ends with a logout."),
        (name = "operations", description = "Whether the server lives and can serve, and by which keys its access tokens are checked."),
    ),
    security(("Bearer" = [])),
    modifiers(&BearerScheme),
)]
struct Document;

/// The operations.
pub static OPERATIONS: LazyLock<Vec<Declaration>> = LazyLock::new(|| {
    [
        events::operations(),
        analytics::operations(),
        tenants::operations(),
        users::operations(),
        memberships::operations(),
        accounts::operations(),
        tokens::operations(),
        signing_keys::operations(),
        sessions::operations(),
        ops::operations(),
    ]
    .into_iter()
    .flatten()
    .collect()
});

/// The document with its operations.
pub fn document() -> OpenApiDocument {
    let mut openapi = Document::openapi();
    document::add(&mut openapi, &OPERATIONS);
    openapi
}

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    routes::configure::<Native>(config, &OPERATIONS);
}
