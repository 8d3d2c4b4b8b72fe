//! Events in and out.

mod batch;
pub mod get;
mod input;
pub mod list;
pub mod record;
pub mod view;

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};

use crate::endpoint::endpoint;
use crate::error_formats::Native;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(endpoint::<Native>(
            "/v1/events",
            vec![(Method::POST, web::to(record::record_events)), (Method::GET, web::to(list::list_events))],
        ))
        .service(endpoint::<Native>("/v1/events/{id}", vec![(Method::GET, web::to(get::get_event))]));
}
