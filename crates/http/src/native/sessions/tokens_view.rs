//! The tokens that a login and a refresh return.

use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_auth::LoggedIn;
use trailkeeper_domain::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::native::accounts::view::AccountView;
use crate::native::schemas;

/// A session's tokens.
#[derive(Serialize, ToSchema)]
#[schema(example = SessionTokensView::sample)]
pub struct SessionTokensView {
    /// The session's id.
    #[schema(value_type = schemas::LoginId)]
    session_id: Uuid,
    /// The account that logged in.
    account: AccountView,
    /// The access token, for the header `Authorization: Bearer …`.
    access_token: String,
    /// The time when the access token expires.
    #[schema(value_type = schemas::Instant)]
    access_token_expires_at: Timestamp,
    /// The refresh token, for `POST /v1/sessions/refresh`. It is valid for one refresh.
    #[schema(value_type = schemas::RefreshToken)]
    refresh_token: String,
    /// The time when the refresh token expires.
    #[schema(value_type = schemas::Instant)]
    refresh_token_expires_at: Timestamp,
}

impl From<LoggedIn> for SessionTokensView {
    fn from(login: LoggedIn) -> Self {
        Self {
            session_id: login.session_id.0,
            account: login.account.into(),
            access_token: login.access_token,
            access_token_expires_at: login.access_expires_at,
            refresh_token: login.refresh_token,
            refresh_token_expires_at: login.refresh_expires_at,
        }
    }
}

impl SessionTokensView {
    fn sample() -> Value {
        json!(Self {
            session_id: uuid::uuid!("01975f3c-2b4e-7c10-9a31-5f0d2f9b1c04"),
            account: AccountView::example(),
            access_token: "eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiI0NzExIn0.c2lnbmF0dXJl".to_owned(),
            access_token_expires_at: Timestamp::from_timestamp(1_769_868_000, 0).unwrap_or_default(),
            refresh_token: "rt_EXAMPLEexampleEXAMPLEexampleEXAMPLEexampleEXAMPLE00".to_owned(),
            refresh_token_expires_at: Timestamp::from_timestamp(1_772_452_800, 0).unwrap_or_default(),
        })
    }
}
