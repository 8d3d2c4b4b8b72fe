//! `POST /v1/sessions`.

use actix_web::HttpRequest;
use actix_web::web::Data;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::tokens_view::SessionTokensView;
use crate::api_error::ApiResult;
use crate::error_formats::Native;
use crate::extract::anyone::{Anyone, LogIn};
use crate::login;
use crate::native::{schemas, secret_response};
use crate::operation::{Body, FromBody, operation};
use crate::problems::{BodyProblems, LoginProblems};
use crate::request::{credential, origin};
use crate::state::AppState;

/// The credentials of a login.
#[derive(ToSchema, Body)]
#[serde(deny_unknown_fields)]
#[body(name = "an object with e-mail and password")]
#[schema(example = LoginInput::sample)]
pub struct LoginInput {
    /// The account's e-mail, in any case.
    #[schema(value_type = schemas::TypedEmail)]
    #[body(with = credential::required)]
    email: String,
    /// The account's password.
    #[schema(value_type = schemas::Password)]
    #[body(with = credential::required)]
    password: String,
}

impl LoginInput {
    fn sample() -> Value {
        json!({"email": "jane@example.com", "password": "correct horse battery staple"})
    }
}

/// Log in: start a session.
///
/// Returns an access token (2 hours) and a refresh token (30 days). The session and its tokens end 90 days after the
/// login, unless the server is set otherwise. No credential needed. A login that fails (401) does not show whether the
/// account exists. Successful and failed logins are recorded in the audit trail.
#[operation(post, "/v1/sessions", tag = "sessions", body = "E-mail and password.",
    responses(
        (status = 201, description = "The session began.", body = SessionTokensView,
            headers(("Location" = String, description = "The address of the session."))),
        LoginProblems, BodyProblems,
    ))]
pub async fn log_in(
    _: Anyone<LogIn, Native>,
    FromBody(input): FromBody<LoginInput>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let origin = origin::of(&request, &state.settings);
    let login = login::log_in(&state, input.email, input.password, origin).await?;
    let location = format!("/v1/sessions/{}", login.session_id);
    Ok(secret_response::created(location, SessionTokensView::from(login)))
}
