//! `POST /v1/sessions`.

use actix_web::HttpRequest;
use actix_web::web::{Data, Payload};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::tokens_view::SessionTokensView;
use crate::api_error::ApiResult;
use crate::error_formats::Native;
use crate::extract::anyone::{Anyone, LogIn};
use crate::extract::query::Query;
use crate::extract::{credential, origin};
use crate::login;
use crate::native::problems::{LoginProblems, TooLarge};
use crate::native::{schemas, secret_response, small_body};
use crate::state::AppState;

/// Who logs in.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = LoginInput::sample)]
pub struct LoginInput {
    /// The account's e-mail, in any case.
    #[schema(value_type = schemas::TypedEmail)]
    email: &'static str,
    /// The account's password.
    #[schema(value_type = schemas::Password)]
    password: &'static str,
}

impl LoginInput {
    fn sample() -> Value {
        json!(Self { email: "jane@example.com", password: "correct horse battery staple" })
    }
}

/// Log in: begin a session.
///
/// Answers an access token (2 hours) and a refresh token (30 days). The session ends 90 days after its login, unless the
/// server is set otherwise, and its tokens with it. No credential needed. A login that fails (401) does not tell whether
/// the account exists. Both ends are recorded in the trail.
#[utoipa::path(post, path = "/v1/sessions", tag = "sessions", security(()),
    request_body(content = LoginInput, description = "E-mail and password.", content_type = "application/json"),
    responses(
        (status = 201, description = "The session began.", body = SessionTokensView,
            headers(("Location" = String, description = "Where the session is."))),
        LoginProblems, TooLarge,
    ))]
pub async fn log_in(
    _: Anyone<LogIn, Native>,
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> ApiResult<Native> {
    Query::of(&request)?.only(&[])?;
    let mut json = small_body::read(&request, payload, "an object with e-mail and password").await?;
    let email = credential::required(&mut json, "email")?;
    let password = credential::required(&mut json, "password")?;
    json.finish(&["email", "password"])?;
    let origin = origin::of(&request, &state.settings);
    let login = login::log_in(&state, email, password, origin).await?;
    let location = format!("/v1/sessions/{}", login.session_id);
    Ok(secret_response::created(location, SessionTokensView::from(login)))
}
