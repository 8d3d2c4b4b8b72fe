//! The SaaSus Analysis API 1.0.0, base `/v1/analysis`: operations, names and schemas as published.

mod active_users;
mod aggregated_metrics;
mod aggregated_userinfo;
mod behavior_histories;
mod error_responses;
mod page_statistics;
mod tenant_ids;
mod update_active_users;
mod user_behavior_day;
mod values;

use std::sync::LazyLock;

use actix_web::web::{self, ServiceConfig};
use utoipa::OpenApi;
use utoipa::openapi::OpenApi as OpenApiDocument;

use crate::bearer_scheme::BearerScheme;
use crate::error_formats::{Saasus, SaasusError};
use crate::operation::routes::fallback;
use crate::operation::{Declaration, document, operations, routes};

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "SaaSus Analysis API Schema",
        version = "1.0.0",
        description = "SaaSus Analysis API Schema\n\nBesides the Bearer tokens shown here, every operation takes the \
            signature of the published clients: `Authorization: SAASUSSIGV1 Sig=<hex>, SaaSID=<id>, APIKey=<key>`. \
            Every response carries `X-Saasus-Trace-Id`.",
        contact(name = "Trailkeeper"),
    ),
    servers((url = "/v1/analysis")),
    tags(
        (name = "userAnalysis", description = "User Behavior Analysis"),
        (name = "metrics", description = "Metrics Analysis"),
    ),
    components(schemas(SaasusError)),
    modifiers(&BearerScheme),
)]
struct Document;

/// The declared operations of this contract.
pub static OPERATIONS: LazyLock<Vec<Declaration>> = LazyLock::new(|| {
    operations![
        user_behavior_day::update_user_behavior_day,
        behavior_histories::get_behavior_histories,
        active_users::get_active_users,
        update_active_users::update_active_users,
        aggregated_metrics::get_aggregated_metrics,
        page_statistics::get_page_statistics,
        aggregated_userinfo::get_aggregated_userinfo,
    ]
});

/// The document, including its operations.
pub fn document() -> OpenApiDocument {
    let mut openapi = Document::openapi();
    document::add(&mut openapi, &OPERATIONS);
    openapi
}

/// Adds the routes of this contract.
pub fn configure(config: &mut ServiceConfig) {
    routes::configure::<Saasus>(config, &OPERATIONS);
    config.service(web::scope("/v1/analysis").default_service(fallback::<Saasus>("/openapi/saasus.json")));
}
