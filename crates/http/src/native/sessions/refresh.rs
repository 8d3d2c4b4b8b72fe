//! `POST /v1/sessions/refresh`.

use actix_web::HttpRequest;
use actix_web::web::{Data, Payload};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::tokens_view::SessionTokensView;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::anyone::{Anyone, LogIn};
use crate::extract::query::Query;
use crate::extract::{credential, origin};
use crate::native::problems::{LoginProblems, TooLarge};
use crate::native::{schemas, secret_response, small_body};
use crate::state::AppState;

/// Which session goes on.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = RefreshInput::sample)]
pub struct RefreshInput {
    /// The refresh token of the login or refresh before; it holds for one refresh.
    #[schema(value_type = schemas::RefreshToken)]
    refresh_token: &'static str,
}

impl RefreshInput {
    fn sample() -> Value {
        json!(Self { refresh_token: "rt_EXAMPLEexampleEXAMPLEexampleEXAMPLEexampleEXAMPLE00" })
    }
}

/// Refresh a session's tokens.
///
/// Answers a new access token and a new refresh token, and spends the old one. A spent token that is sent again
/// within 10 seconds gets the same successor, for two tabs that refresh at once; later, it was copied by someone, and
/// the session ends. It also ends 90 days after the login, unless the server is set otherwise. No credential needed but
/// the refresh token.
#[utoipa::path(post, path = "/v1/sessions/refresh", tag = "sessions", security(()),
    request_body(content = RefreshInput, description = "The refresh token.", content_type = "application/json"),
    responses(
        (status = 200, description = "The session goes on.", body = SessionTokensView),
        LoginProblems, TooLarge,
    ))]
pub async fn refresh_session(
    _: Anyone<LogIn, Native>,
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> ApiResult<Native> {
    Query::of(&request)?.only(&[])?;
    let mut json = small_body::read(&request, payload, "an object with a refresh token").await?;
    let token = credential::required(&mut json, "refresh_token")?;
    json.finish(&["refresh_token"])?;
    let origin = origin::of(&request, &state.settings);
    let login = blocking::run(&state, move |state| state.access().refresh(&token, &origin)).await?;
    Ok(secret_response::ok(SessionTokensView::from(login)))
}
