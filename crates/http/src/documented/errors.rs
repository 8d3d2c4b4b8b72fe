//! The error responses of operations: status, description, and the codes of the errors.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{ContentBuilder, Ref, RefOr, Response, ResponseBuilder};

use crate::api_error::ErrorFormat;

/// Responses by their status.
pub type Responses = BTreeMap<String, RefOr<Response>>;

/// A status, and the codes of the errors that are answered with it. A contract without codes has none.
pub type Errors = (u16, &'static [&'static str]);

/// The errors of every operation that needs a credential.
pub const COMMON: [Errors; 6] = [
    (400, &["invalid_parameter"]),
    (401, &["unauthorized"]),
    (403, &["permission_denied"]),
    (429, &["too_many_requests"]),
    (500, &["internal_error"]),
    (503, &["unavailable", "overloaded", "stopping"]),
];

/// The further errors of an operation that reads a JSON object as its body.
pub const BODY: [Errors; 2] =
    [(400, &["invalid_parameter", "malformed_json", "not_an_object", "incomplete_body"]), (413, &["body_too_large"])];

/// The extension of a response with the codes of its errors. Generators ignore it, and [`list`] reads it.
const CODES: &str = "x-error-codes";

/// Responses in the format `F` with a body of the component `schema`. A later one replaces an earlier one of its status.
///
/// The caller must add the schema to the document's components; this function does not check it.
pub fn responses<F: ErrorFormat>(schema: &str, errors: impl IntoIterator<Item = Errors>) -> Responses {
    errors.into_iter().map(|errors| response::<F>(schema, errors, reason(errors.0))).collect()
}

/// One response in the format `F` with a body of the component `schema`, and its status.
pub fn response<F: ErrorFormat>(schema: &str, (status, codes): Errors, description: &str) -> (String, RefOr<Response>) {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).build();
    let codes = (!codes.is_empty()).then(|| Extensions::from_iter([(CODES, json!(codes))]));
    let response =
        ResponseBuilder::new().description(description).content(F::CONTENT_TYPE, content).extensions(codes).build();
    (status.to_string(), RefOr::T(response))
}

/// Lists the declared errors in the description of the operation: clients generated from the document show no responses.
pub fn list(operation: &mut Operation) {
    let errors: Vec<String> = operation.responses.responses.iter().filter_map(error).collect();
    if errors.is_empty() {
        return;
    }
    let list = format!("Errors: {}.", errors.join("; "));
    operation.description = Some(match operation.description.take() {
        Some(description) => format!("{description}\n\n{list}"),
        None => list,
    });
}

/// A status with the codes of its errors; `None` if the response is not an error.
fn error((status, response): (&String, &RefOr<Response>)) -> Option<String> {
    if !status.starts_with(['4', '5']) {
        return None;
    }
    let RefOr::T(Response { extensions: Some(extensions), .. }) = response else { return Some(status.clone()) };
    let codes = extensions.get(CODES).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let codes: Vec<String> = codes.map(|code| format!("`{code}`")).collect();
    Some(format!("{status} {}", codes.join(", ")).trim_end().to_owned())
}

fn reason(status: u16) -> &'static str {
    match status {
        400 => "The input is wrong; the message names the field and the way out.",
        401 => "There is no credential, or it does not hold.",
        403 => "The credential does not allow this.",
        404 => "There is no such thing, or the credential may not know of it.",
        409 => "It contradicts stored data.",
        413 => "More than a limit allows; the message names the limit.",
        429 => "Too many attempts; try again after `Retry-After` seconds.",
        503 => {
            "The database or the disk cannot serve now, or the server is overloaded or stopping; nothing was stored."
        }
        _ => "The server failed; its log has the cause, under the request's id.",
    }
}
