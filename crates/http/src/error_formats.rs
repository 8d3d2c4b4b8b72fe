//! The error formats of the contracts.

use actix_web::http::StatusCode;
use serde::Serialize;
use trailkeeper_domain::ErrorDetail;
use utoipa::ToSchema;

use crate::api_error::ErrorFormat;
use crate::contract::Contract;

/// Errors of SaaSus Analysis.
pub struct Saasus;
/// Errors of Octopai.
pub struct Octopai;
/// Errors of Cripsa Audit Log.
pub struct Cripsa;
/// Errors of the native API: problems.
pub struct Native;

const JSON: &str = "application/json";

/// The error of the SaaSus Analysis API.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error, example = json!({"type": "permission_denied", "message": "Error message"}))]
pub struct SaasusError {
    /// The code of the error, for programs. It is stable.
    pub r#type: String,
    /// A sentence with the field, the problem and the remedy.
    pub message: String,
}

/// The error of the Cripsa Audit Log API.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error, example = json!({"type": "user_not_found", "message": "email: there is no user with the e-mail 'jane@example.com'"}))]
pub struct CripsaError {
    /// The code of the error, for programs. It is stable.
    pub r#type: String,
    /// A sentence with the field, the problem and the remedy.
    pub message: String,
}

/// The error of the Octopai API.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Error, example = json!({"error": "RowsInPage: 0 is not a number of rows; send 1 to 1000"}))]
pub struct OctopaiError {
    /// A sentence with the field, the problem and the remedy.
    pub error: String,
}

/// A problem as RFC 9457 describes it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(example = json!({
    "type": "urn:trailkeeper:problem:invalid_parameter", "title": "Bad Request", "status": 400,
    "detail": "'lots' is not allowed; send a whole number from 1 to 1000", "code": "invalid_parameter", "field": "limit"
}))]
pub struct Problem {
    /// `urn:trailkeeper:problem:` and the code.
    #[schema(format = "uri")]
    pub r#type: String,
    /// The status in words.
    pub title: String,
    /// The status again.
    pub status: u16,
    /// A sentence with the problem, the wrong value and the remedy.
    pub detail: String,
    /// Stable, for programs; listed in the documentation.
    pub code: String,
    /// The field, parameter or header at fault, if the error concerns one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub field: Option<String>,
}

impl ErrorFormat for Saasus {
    const CONTRACT: Contract = Contract::Saasus;
    const REFUSES_UNKNOWN_PARAMETERS: bool = false;
    const CONTENT_TYPE: &'static str = JSON;

    fn body(_: StatusCode, detail: &ErrorDetail) -> String {
        json(&SaasusError { r#type: detail.code.to_owned(), message: detail.to_string() })
    }
}

impl ErrorFormat for Cripsa {
    const CONTRACT: Contract = Contract::Cripsa;
    const REFUSES_UNKNOWN_PARAMETERS: bool = true;
    const CONTENT_TYPE: &'static str = JSON;

    fn body(status: StatusCode, detail: &ErrorDetail) -> String {
        // This contract has fewer codes than the domain.
        let code = match (status, detail.code) {
            (StatusCode::BAD_REQUEST, _) => "invalid_parameter",
            (StatusCode::NOT_FOUND, code) if code != "user_not_found" => "resource_not_found",
            (StatusCode::TOO_MANY_REQUESTS, _) => "too_many_requests",
            (_, code) => code,
        };
        json(&CripsaError { r#type: code.to_owned(), message: detail.to_string() })
    }
}

impl ErrorFormat for Octopai {
    const CONTRACT: Contract = Contract::Octopai;
    const REFUSES_UNKNOWN_PARAMETERS: bool = false;
    const CONTENT_TYPE: &'static str = JSON;

    fn body(_: StatusCode, detail: &ErrorDetail) -> String {
        json(&OctopaiError { error: detail.to_string() })
    }
}

impl ErrorFormat for Native {
    const CONTRACT: Contract = Contract::Native;
    const REFUSES_UNKNOWN_PARAMETERS: bool = true;
    const CONTENT_TYPE: &'static str = "application/problem+json";

    fn body(status: StatusCode, detail: &ErrorDetail) -> String {
        json(&Problem {
            r#type: format!("urn:trailkeeper:problem:{}", detail.code),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail: detail.detail.clone(),
            code: detail.code.to_owned(),
            field: detail.field.clone(),
        })
    }
}

/// Strings and numbers always serialize, so the empty body is never sent.
fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_default()
}
