//! The answer to every PUT.

use actix_web::HttpResponse;
use serde::Serialize;
use trailkeeper_domain::usecase::Put;

/// 201 with a new record, 200 with one that replaced another.
pub fn put_response(put: Put, record: impl Serialize) -> HttpResponse {
    let mut response = match put {
        Put::Created => HttpResponse::Created(),
        Put::Replaced => HttpResponse::Ok(),
    };
    response.json(record)
}
