//! The SaaSus Analysis API 1.0.0, base `/v1/analysis`: operations, names and schemas as published.

mod active_users;
mod aggregated_metrics;
mod aggregated_userinfo;
mod behavior_histories;
mod dates;
mod error_responses;
mod page_statistics;
mod tenant_ids;
mod update_active_users;
mod user_behavior_day;
mod values;

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};
use utoipa::OpenApi;

use crate::endpoint::{endpoint, fallback};
use crate::error_formats::{Saasus, SaasusError};
use crate::inlined::InlinedFields;
use crate::openapi::BearerScheme;

/// The document.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "SaaSus Analysis API Schema",
        version = "1.0.0",
        description = "SaaSus Analysis API Schema\n\nBesides the Bearer tokens shown here, every operation takes the \
            signature of the published clients: `Authorization: SAASUSSIGV1 Sig=<hex>, SaaSID=<id>, APIKey=<key>`. \
            Every response carries `X-Saasus-Trace-Id`."
    ),
    servers((url = "/v1/analysis")),
    tags(
        (name = "userAnalysis", description = "User Behavior Analysis"),
        (name = "metrics", description = "Metrics Analysis"),
    ),
    paths(
        user_behavior_day::update,
        behavior_histories::get,
        active_users::get,
        update_active_users::update,
        aggregated_metrics::get,
        page_statistics::get,
        aggregated_userinfo::get,
    ),
    components(schemas(SaasusError)),
    modifiers(&BearerScheme, &InlinedFields),
)]
pub struct Document;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    let scope = web::scope("/v1/analysis")
        .service(endpoint::<Saasus>("/user-behavior-day", vec![(Method::PUT, web::to(user_behavior_day::update))]))
        .service(endpoint::<Saasus>(
            "/users/{user_id}/behavior-histories",
            vec![(Method::GET, web::to(behavior_histories::get))],
        ))
        .service(endpoint::<Saasus>(
            "/active-users",
            vec![(Method::GET, web::to(active_users::get)), (Method::PUT, web::to(update_active_users::update))],
        ))
        .service(endpoint::<Saasus>("/metrics/aggregated", vec![(Method::GET, web::to(aggregated_metrics::get))]))
        .service(endpoint::<Saasus>("/metrics/page-statistics", vec![(Method::GET, web::to(page_statistics::get))]))
        .service(endpoint::<Saasus>("/userinfo/aggregated", vec![(Method::GET, web::to(aggregated_userinfo::get))]))
        .default_service(fallback::<Saasus>("/openapi/saasus.json"));
    config.service(scope);
}
