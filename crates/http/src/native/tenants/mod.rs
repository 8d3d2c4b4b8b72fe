//! Tenants' records.

pub mod delete;
pub mod get;
pub mod list;
pub mod put;
mod view;

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};

use crate::endpoint::endpoint;
use crate::error_formats::Native;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(endpoint::<Native>("/v1/tenants", vec![(Method::GET, web::to(list::list_tenants))])).service(
        endpoint::<Native>(
            "/v1/tenants/{tenant_id}",
            vec![
                (Method::PUT, web::to(put::put_tenant)),
                (Method::GET, web::to(get::get_tenant)),
                (Method::DELETE, web::to(delete::delete_tenant)),
            ],
        ),
    );
}
