//! Signing keys: with which SaaSus clients sign their requests.

pub mod change;
pub mod create;
pub mod get;
pub mod list;
pub mod revoke;
mod view;

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};

use crate::endpoint::endpoint;
use crate::error_formats::Native;

/// Adds the routes.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(endpoint::<Native>(
            "/v1/signing-keys",
            vec![(Method::GET, web::to(list::list_signing_keys)), (Method::POST, web::to(create::create_signing_key))],
        ))
        .service(endpoint::<Native>(
            "/v1/signing-keys/{signing_key_id}",
            vec![
                (Method::GET, web::to(get::get_signing_key)),
                (Method::PATCH, web::to(change::change_signing_key)),
                (Method::DELETE, web::to(revoke::revoke_signing_key)),
            ],
        ));
}
