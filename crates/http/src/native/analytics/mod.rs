//! Analytic questions over any range, in any time zone.

pub mod active_users;
pub mod logins;
pub mod page_statistics;
pub mod params;
pub mod profile;
pub mod registrations;
pub mod retention;
pub mod timeline;
pub mod traffic;

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};

use crate::endpoint::endpoint;
use crate::error_formats::Native;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(endpoint::<Native>(
            "/v1/analytics/active-users",
            vec![(Method::GET, web::to(active_users::get_active_users))],
        ))
        .service(endpoint::<Native>("/v1/analytics/traffic", vec![(Method::GET, web::to(traffic::get_traffic))]))
        .service(endpoint::<Native>("/v1/analytics/logins", vec![(Method::GET, web::to(logins::get_logins))]))
        .service(endpoint::<Native>(
            "/v1/analytics/registrations",
            vec![(Method::GET, web::to(registrations::get_registrations))],
        ))
        .service(endpoint::<Native>(
            "/v1/analytics/page-statistics",
            vec![(Method::GET, web::to(page_statistics::get_page_statistics))],
        ))
        .service(endpoint::<Native>("/v1/analytics/retention", vec![(Method::GET, web::to(retention::get_retention))]))
        .service(endpoint::<Native>(
            "/v1/analytics/users/{user_id}/timeline",
            vec![(Method::GET, web::to(timeline::get_timeline))],
        ))
        .service(endpoint::<Native>(
            "/v1/analytics/users/{user_id}/profile",
            vec![(Method::GET, web::to(profile::get_profile))],
        ));
}
