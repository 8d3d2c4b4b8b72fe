//! `POST /api/UserAccount/Login`.

use actix_web::HttpRequest;
use actix_web::web::Data;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::error_responses::LoginErrorResponses;
use super::login_result::{LoginResult, answer};
use super::values;
use crate::api_error::ApiResult;
use crate::error_formats::Octopai;
use crate::extract::anyone::{Anyone, LogIn};
use crate::login;
use crate::operation::{Body, FromBody, operation};
use crate::request::{credential, origin};
use crate::state::AppState;

/// The credentials of a login. Field names are matched without regard to case.
#[derive(ToSchema, Body)]
#[body(name = "an object with the fields of this operation", optional, any_case, ignores_unknown_fields)]
#[serde(rename_all = "PascalCase")]
pub struct LoginRequest {
    /// The account's e-mail address. Upper and lower case are the same.
    #[schema(value_type = values::Credential, inline)]
    #[body(with = credential::required)]
    username: String,
    /// The account's password.
    #[schema(value_type = values::Credential, inline)]
    #[body(with = credential::required)]
    password: String,
}

impl LoginRequest {
    fn sample() -> Value {
        json!({"Username": "jane@example.com", "Password": "correct horse battery staple"})
    }
}

/// User login
///
/// Returns an access token (2 hours) and a refresh token (30 days). A login ends after 90 days, unless the server is
/// set otherwise. The answer to a failed login has the same shape, and does not show whether the name exists.
/// Successful and failed logins are recorded in the audit trail.
#[operation(post, "/api/UserAccount/Login", operation_id = "Login", tag = "UserAccount",
    request_body(content = LoginRequest, example = json!(LoginRequest::sample())),
    responses(
        (status = 200, description = "The login succeeded.", body = LoginResult,
            example = json!(LoginResult::sample())),
        (status = 401, description = "The name or the password is wrong, or the account is disabled.",
            body = LoginResult, example = json!(LoginResult::failed_sample())),
        LoginErrorResponses,
    ))]
pub async fn log_in(
    _: Anyone<LogIn, Octopai>,
    FromBody(input): FromBody<LoginRequest>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Octopai> {
    let origin = origin::of(&request, &state.settings);
    answer(login::log_in(&state, input.username, input.password, origin).await)
}
