//! Answers that contain a secret. No cache on the way may keep them.

use actix_web::http::header;
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Serialize;

/// 201: a record was created; `location` is its path.
pub fn created(location: String, record: impl Serialize) -> HttpResponse {
    answer(HttpResponse::Created().insert_header((header::LOCATION, location)), record)
}

/// 200 with a secret.
pub fn ok(record: impl Serialize) -> HttpResponse {
    answer(&mut HttpResponse::Ok(), record)
}

fn answer(builder: &mut HttpResponseBuilder, record: impl Serialize) -> HttpResponse {
    builder.insert_header((header::CACHE_CONTROL, "no-store")).json(record)
}
