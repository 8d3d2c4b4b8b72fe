//! `POST /api/UserAccount/Login`.

use actix_web::HttpRequest;
use actix_web::web::{Data, Payload};
use serde::Serialize;
use utoipa::ToSchema;

use super::error_responses::LoginErrorResponses;
use super::login_result::{LoginResult, answer};
use super::{fields, values};
use crate::api_error::ApiResult;
use crate::error_formats::Octopai;
use crate::extract::anyone::{Anyone, LogIn};
use crate::extract::origin;
use crate::login;
use crate::state::AppState;

/// Who logs in. Field names are matched without regard to case.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct LoginRequest {
    /// The account's e-mail address, in any case.
    #[schema(value_type = values::Credential, inline)]
    username: String,
    /// The account's password.
    #[schema(value_type = values::Credential, inline)]
    password: String,
}

impl LoginRequest {
    fn sample() -> Self {
        Self { username: "jane@example.com".to_owned(), password: "correct horse battery staple".to_owned() }
    }
}

/// User login
///
/// Answers an access token (2 hours) and a refresh token (30 days); 90 days after a login it ends, unless the server is
/// set otherwise. A login that fails is answered in the same shape, and does not tell whether the name exists. Both are
/// recorded in the trail.
#[utoipa::path(
    post, path = "/api/UserAccount/Login", operation_id = "Login", tag = "UserAccount",
    request_body(content = LoginRequest, example = json!(LoginRequest::sample())),
    responses(
        (status = 200, description = "The login succeeded.", body = LoginResult,
            example = json!(LoginResult::sample())),
        (status = 401, description = "The name or the password is wrong, or the account is disabled.",
            body = LoginResult, example = json!(LoginResult::failed_sample())),
        LoginErrorResponses,
    ),
    security(()),
)]
pub async fn login(
    _: Anyone<LogIn, Octopai>,
    request: HttpRequest,
    state: Data<AppState>,
    payload: Payload,
) -> ApiResult<Octopai> {
    let mut json = fields::of(&request, payload, &["Username", "Password"]).await?;
    let username = fields::credential(&mut json, "Username")?;
    let password = fields::credential(&mut json, "Password")?;
    let origin = origin::of(&request, &state.settings);
    answer(login::log_in(&state, username, password, origin).await)
}
