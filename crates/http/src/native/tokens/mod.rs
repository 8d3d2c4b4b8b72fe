//! API tokens: the credentials of programs.

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
            "/v1/tokens",
            vec![(Method::GET, web::to(list::list_tokens)), (Method::POST, web::to(create::create_token))],
        ))
        .service(endpoint::<Native>(
            "/v1/tokens/{token_id}",
            vec![
                (Method::GET, web::to(get::get_token)),
                (Method::PATCH, web::to(change::change_token)),
                (Method::DELETE, web::to(revoke::revoke_token)),
            ],
        ));
}
