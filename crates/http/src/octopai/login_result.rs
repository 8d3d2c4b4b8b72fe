//! The answer to a login and a refresh, whether they succeed or fail.

use actix_web::HttpResponse;
use serde::Serialize;
use trailkeeper_auth::LoggedIn;
use trailkeeper_domain::account::Role;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::{Error, Result};
use utoipa::ToSchema;

use super::values;
use crate::api_error::{self, ApiResult};
use crate::error_formats::Octopai;

/// The result of a login. It has an `error` if the login failed.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoginResult {
    /// The access token, for the header `Authorization: Bearer …`.
    #[schema(required)]
    access_token: Option<String>,
    /// The time when the access token expires.
    #[schema(format = DateTime, required)]
    expiration: Option<String>,
    /// The refresh token, for `RefreshToken`.
    #[schema(required)]
    refresh_token: Option<RefreshTokenView>,
    /// The account's e-mail address.
    #[schema(required)]
    user_name: Option<String>,
    /// The account's name for people.
    #[schema(required)]
    display_name: Option<String>,
    /// Always null, as published.
    #[schema(required)]
    user_email: Option<String>,
    /// Whether the account has the role admin.
    is_admin: bool,
    /// The reason for the failure; null if the login succeeded.
    #[schema(required)]
    error: Option<String>,
    /// Always empty: there are no groups here.
    group_member: Vec<String>,
    /// The account's role in upper case.
    #[schema(value_type = Option<values::AuthLevel>, inline, required)]
    auth_level: Option<String>,
    /// Always empty: there are no modules here.
    display_modules: String,
}

/// A refresh token and its expiry.
#[derive(Serialize, ToSchema)]
#[schema(as = RefreshToken)]
pub struct RefreshTokenView {
    /// The token. It is valid for one refresh.
    token: String,
    /// The time when the token expires.
    #[schema(format = DateTime)]
    expiration: String,
}

impl From<LoggedIn> for LoginResult {
    fn from(login: LoggedIn) -> Self {
        Self {
            access_token: Some(login.access_token),
            expiration: Some(shown(login.access_expires_at)),
            refresh_token: Some(RefreshTokenView {
                token: login.refresh_token,
                expiration: shown(login.refresh_expires_at),
            }),
            user_name: Some(login.account.email),
            display_name: Some(login.account.display_name),
            is_admin: login.account.role == Role::Admin,
            auth_level: Some(login.account.role.as_str().to_ascii_uppercase()),
            ..Self::nobody()
        }
    }
}

impl LoginResult {
    fn nobody() -> Self {
        Self {
            access_token: None,
            expiration: None,
            refresh_token: None,
            user_name: None,
            display_name: None,
            user_email: None,
            is_admin: false,
            error: None,
            group_member: Vec::new(),
            auth_level: None,
            display_modules: String::new(),
        }
    }

    /// A login as the document shows it.
    pub fn sample() -> Self {
        Self {
            access_token: Some("eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiI0NzExIn0.c2lnbmF0dXJl".to_owned()),
            expiration: Some("2026-07-23T12:36:37.0355870Z".to_owned()),
            refresh_token: Some(RefreshTokenView {
                token: "rt_0f8b6c7d5e4a39281706".to_owned(),
                expiration: "2026-08-22T10:36:37.0356150Z".to_owned(),
            }),
            user_name: Some("jane@example.com".to_owned()),
            display_name: Some("Jane Doe".to_owned()),
            is_admin: true,
            auth_level: Some("ADMIN".to_owned()),
            ..Self::nobody()
        }
    }

    /// A failed login as the document shows it.
    pub fn failed_sample() -> Self {
        Self { error: Some("the user name or the password is wrong".to_owned()), ..Self::nobody() }
    }
}

/// The answer to a login or a refresh. Invalid credentials are a 401 of the same shape; every other error has the
/// contract's shape.
pub fn answer(outcome: Result<LoggedIn>) -> ApiResult<Octopai> {
    match outcome {
        Ok(login) => Ok(HttpResponse::Ok().json(LoginResult::from(login))),
        Err(error @ Error::Unauthenticated(_)) => {
            let mut builder = HttpResponse::Unauthorized();
            api_error::add_headers(&mut builder, &error);
            let reason = api_error::public_detail(&error).to_string();
            Ok(builder.json(LoginResult { error: Some(reason), ..LoginResult::nobody() }))
        }
        Err(error) => Err(error.into()),
    }
}

/// RFC 3339 with seven fraction digits, as .NET writes times: clients compare them as texts.
pub fn shown(at: Timestamp) -> String {
    at.format("%Y-%m-%dT%H:%M:%S%.6f0Z").to_string()
}
