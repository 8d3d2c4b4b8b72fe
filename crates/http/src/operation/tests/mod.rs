//! The declaration machinery: what attribute and derives declare, and how a declared operation reads its calls.

mod body;
mod call;
mod params;

use actix_web::HttpRequest;
use actix_web::test::TestRequest;
use trailkeeper_domain::{Error, Result};

use super::Query;

/// A request for this path and query.
fn request(uri: &str) -> HttpRequest {
    TestRequest::with_uri(uri).to_http_request()
}

/// The query of a request.
fn query(raw: &str) -> Query {
    Query::of(&request(&format!("/?{raw}"))).unwrap()
}

/// Field and text of an error.
#[track_caller]
fn message<T>(outcome: Result<T>) -> String {
    match outcome {
        Ok(_) => panic!("this is accepted"),
        Err(error @ (Error::Invalid(_) | Error::NotFound(_))) => error.to_string(),
        Err(error) => panic!("{error:?}"),
    }
}
