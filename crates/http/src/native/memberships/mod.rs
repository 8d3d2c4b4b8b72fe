//! Which users belong to which tenant.

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
    config
        .service(endpoint::<Native>(
            "/v1/tenants/{tenant_id}/users",
            vec![(Method::GET, web::to(list::list_memberships))],
        ))
        .service(endpoint::<Native>(
            "/v1/tenants/{tenant_id}/users/{user_id}",
            vec![
                (Method::PUT, web::to(put::put_membership)),
                (Method::GET, web::to(get::get_membership)),
                (Method::DELETE, web::to(delete::delete_membership)),
            ],
        ));
}
