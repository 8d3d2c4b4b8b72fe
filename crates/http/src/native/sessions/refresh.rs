//! `POST /v1/sessions/refresh`.

use actix_web::HttpRequest;
use actix_web::web::Data;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::tokens_view::SessionTokensView;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::anyone::{Anyone, LogIn};
use crate::native::{schemas, secret_response};
use crate::operation::{Body, FromBody, operation};
use crate::problems::{BodyProblems, LoginProblems};
use crate::request::{credential, origin};
use crate::state::AppState;

/// The session to refresh.
#[derive(ToSchema, Body)]
#[serde(deny_unknown_fields)]
#[body(name = "an object with a refresh token")]
#[schema(example = RefreshInput::sample)]
pub struct RefreshInput {
    /// The refresh token of the previous login or refresh. It is valid for one refresh.
    #[schema(value_type = schemas::RefreshToken)]
    #[body(with = credential::required)]
    refresh_token: String,
}

impl RefreshInput {
    fn sample() -> Value {
        json!({"refresh_token": "rt_EXAMPLEexampleEXAMPLEexampleEXAMPLEexampleEXAMPLE00"})
    }
}

/// Refresh a session's tokens.
///
/// Returns a new access token and a new refresh token, and spends the old one. If a spent token is sent again within 10
/// seconds, for example by two tabs that refresh at once, it gets the same successor. If it is sent later, and its
/// successor was never used because the answer was lost, it gets another successor, once; the first one must not be used
/// any more. Otherwise it was probably stolen, and the session ends. The session also ends 90 days after the login, unless
/// the server is set otherwise. The operation needs no credential except the refresh token.
#[operation(post, "/v1/sessions/refresh", tag = "sessions", body = "The refresh token.",
    responses(
        (status = 200, description = "The session goes on.", body = SessionTokensView),
        LoginProblems, BodyProblems,
    ))]
pub async fn refresh_session(
    _: Anyone<LogIn, Native>,
    FromBody(input): FromBody<RefreshInput>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let origin = origin::of(&request, &state.settings);
    let login = blocking::run(&state, move |state| state.access().refresh(&input.refresh_token, &origin)).await?;
    Ok(secret_response::ok(SessionTokensView::from(login)))
}
