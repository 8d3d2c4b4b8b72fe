//! Bodies of a few short fields.

use actix_web::HttpRequest;
use actix_web::web::Payload;
use trailkeeper_domain::Result;
use trailkeeper_domain::json::JsonObject;

use crate::extract::body;

/// The largest one, in bytes.
const MAX_BYTES: usize = 64 * 1024;

/// Reads the body. `what` names it in errors, with its article: "an account".
pub async fn read(request: &HttpRequest, payload: Payload, what: &str) -> Result<JsonObject> {
    body::must_be_json(request)?;
    JsonObject::parse(what, &body::read(request, payload, MAX_BYTES).await?)
}
