//! Accounts: who may log in, managed by administrators, and what everyone may do with their own.

pub mod change;
pub mod create;
pub mod delete;
pub mod get;
pub mod list;
pub mod own;
pub mod own_password;
pub mod view;

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};

use crate::endpoint::endpoint;
use crate::error_formats::Native;

/// Adds the routes. `me` comes before the ids, which it could be taken for.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(endpoint::<Native>(
            "/v1/accounts",
            vec![(Method::GET, web::to(list::list_accounts)), (Method::POST, web::to(create::create_account))],
        ))
        .service(endpoint::<Native>("/v1/accounts/me", vec![(Method::GET, web::to(own::get_own_account))]))
        .service(endpoint::<Native>(
            "/v1/accounts/me/password",
            vec![(Method::PUT, web::to(own_password::change_own_password))],
        ))
        .service(endpoint::<Native>(
            "/v1/accounts/{account_id}",
            vec![
                (Method::GET, web::to(get::get_account)),
                (Method::PATCH, web::to(change::change_account)),
                (Method::DELETE, web::to(delete::delete_account)),
            ],
        ));
}
