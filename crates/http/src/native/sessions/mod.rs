//! Sessions: logging in and out, and what people and administrators see of it.

pub mod end;
pub mod end_others;
pub mod get;
pub mod list;
pub mod log_in;
pub mod log_out;
pub mod own;
pub mod refresh;
mod tokens_view;
mod view;

use actix_web::http::Method;
use actix_web::web::{self, ServiceConfig};

use crate::endpoint::endpoint;
use crate::error_formats::Native;

/// Adds the routes. The names come before the ids, which they could be taken for.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(endpoint::<Native>(
            "/v1/sessions",
            vec![
                (Method::POST, web::to(log_in::log_in)),
                (Method::GET, web::to(list::list_sessions)),
                (Method::DELETE, web::to(end_others::end_other_sessions)),
            ],
        ))
        .service(endpoint::<Native>("/v1/sessions/refresh", vec![(Method::POST, web::to(refresh::refresh_session))]))
        .service(endpoint::<Native>("/v1/sessions/current", vec![(Method::DELETE, web::to(log_out::log_out))]))
        .service(endpoint::<Native>(
            "/v1/sessions/{session_id}",
            vec![(Method::GET, web::to(get::get_session)), (Method::DELETE, web::to(end::end_session))],
        ));
}
