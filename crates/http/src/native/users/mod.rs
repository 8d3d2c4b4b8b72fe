//! Users' records, and the history of their attributes.

pub mod attribute_changes;
pub mod delete;
pub mod get;
pub mod list;
pub mod put;
mod view;

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};

use crate::endpoint::endpoint;
use crate::error_formats::Native;
use crate::operation::{Declaration, operations};

/// The declared operations.
pub fn operations() -> Vec<Declaration> {
    operations![put::put_user, get::get_user, delete::delete_user]
}

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config.service(endpoint::<Native>("/v1/users", vec![(Method::GET, web::to(list::list_users))])).service(
        endpoint::<Native>(
            "/v1/users/{user_id}/attribute-changes",
            vec![(Method::GET, web::to(attribute_changes::list_attribute_changes))],
        ),
    );
}
