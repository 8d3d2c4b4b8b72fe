//! The native API: events, the directory, analytics, and access, in Trailkeeper's own terms. Errors are RFC 9457
//! problems.

mod accounts;
mod analytics;
mod events;
mod granularity;
mod legal_holds;
mod memberships;
mod otlp;
mod own;
mod paging;
mod put_response;
mod retention_rules;
pub mod schemas;
mod secret_response;
mod sessions;
mod signing_keys;
mod streams;
mod tenants;
mod tokens;
mod users;

use std::sync::LazyLock;

use actix_web::web::ServiceConfig;
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as OpenApiDocument;

use crate::bearer_scheme::BearerScheme;
use crate::error_formats::{Native, Problem};
use crate::operation::{Declaration, document, routes};
use crate::ops;

/// The native API's document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Trailkeeper native API",
        description = "Send events and list them; keep the records of tenants, users and memberships that analytics count; ask for exact numbers; manage access.\n\nTimes are RFC 3339 and UTC; answers of analytics write them in the time zone that was asked for. Lists are answered with `next_cursor`: pass it as `cursor` to go on, until it is null. Errors are problems as RFC 9457 describes them, with a stable `code`, and `field` where one is at fault. A credential scoped to a tenant sees and changes only that tenant; others do not exist for it (404).",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
        contact(name = "Trailkeeper"),
    ),
    servers((url = "/", description = "The server that serves this document.")),
    tags(
        (name = "events", description = "Facts: who did what, when, from where, on what."),
        (name = "tenants", description = "Customers of the application's vendor."),
        (name = "users", description = "The subjects of events."),
        (name = "memberships", description = "The links between users and the tenants that they belong to."),
        (name = "analytics", description = "Exact numbers over any range, by hour, day, week or month of any time zone."),
        (name = "accounts", description = "The identities with which people log in to Trailkeeper itself."),
        (name = "tokens", description = "API tokens: the credentials of programs."),
        (name = "signing keys", description = "SaaSus clients sign their requests with them."),
        (name = "sessions", description = "A session begins with a login and ends with a logout."),
        (name = "retention", description = "How long events are kept, and legal holds, which keep them."),
        (name = "streams", description = "Standing orders to send events to systems elsewhere."),
        (name = "operations", description = "Health and readiness of the server, and the public keys of its access tokens."),
    ),
    components(schemas(Problem, otlp::OtlpStatus)),
    security(("Bearer" = [])),
    modifiers(&BearerScheme),
)]
struct Document;

/// The operations.
pub static OPERATIONS: LazyLock<Vec<Declaration>> = LazyLock::new(|| {
    [
        events::operations(),
        otlp::operations(),
        analytics::operations(),
        tenants::operations(),
        users::operations(),
        memberships::operations(),
        accounts::operations(),
        tokens::operations(),
        signing_keys::operations(),
        sessions::operations(),
        retention_rules::operations(),
        legal_holds::operations(),
        streams::operations(),
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
