//! `POST /api/UserAccount/RefreshToken`.

use actix_web::HttpRequest;
use actix_web::web::Data;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::error_responses::LoginErrorResponses;
use super::login_result::{LoginResult, answer};
use super::values;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Octopai;
use crate::extract::anyone::{Anyone, LogIn};
use crate::operation::{Body, FromBody, operation};
use crate::request::{credential, origin};
use crate::state::AppState;

/// The refresh token of the previous login or refresh. Field names are matched without regard to case.
#[derive(ToSchema, Body)]
#[body(name = "an object with the fields of this operation", optional, any_case, ignores_unknown_fields)]
#[serde(rename_all = "camelCase")]
pub struct RefreshTokenRequest {
    /// The token. It is valid for one refresh.
    #[schema(value_type = values::Credential, inline)]
    #[body(with = credential::required)]
    refresh_token: String,
}

impl RefreshTokenRequest {
    fn sample() -> Value {
        json!({"refreshToken": "rt_0f8b6c7d5e4a39281706"})
    }
}

/// Refresh a login
///
/// Returns a new access token and a new refresh token, and spends the old one. If a spent token is sent again, it gets
/// another successor, once, provided that the first one was never used because the answer was lost. Otherwise it was
/// probably copied, and the whole login ends. The login also ends 90 days after it began, unless the server is set
/// otherwise.
#[operation(post, "/api/UserAccount/RefreshToken", operation_id = "RefreshToken", tag = "UserAccount",
    request_body(content = RefreshTokenRequest, example = json!(RefreshTokenRequest::sample())),
    responses(
        (status = 200, description = "The login goes on.", body = LoginResult,
            example = json!(LoginResult::sample())),
        (status = 401, description = "The token does not hold.", body = LoginResult,
            example = json!(LoginResult::failed_sample())),
        LoginErrorResponses,
    ))]
pub async fn refresh_login(
    _: Anyone<LogIn, Octopai>,
    FromBody(input): FromBody<RefreshTokenRequest>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Octopai> {
    let origin = origin::of(&request, &state.settings);
    answer(blocking::run(&state, move |state| state.access().refresh(&input.refresh_token, &origin)).await)
}
