//! A session as readers see it: without its tokens.

use std::net::IpAddr;

use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_auth::Principal;
use trailkeeper_domain::account::Session;
use trailkeeper_domain::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::native::schemas;

/// A session.
#[derive(Serialize, ToSchema)]
#[schema(example = SessionView::sample)]
pub struct SessionView {
    /// The id.
    #[schema(value_type = schemas::LoginId)]
    session_id: Uuid,
    /// The account that logged in.
    #[schema(value_type = schemas::AccountId)]
    account_id: Uuid,
    /// The state of the session.
    #[schema(value_type = schemas::SessionState)]
    state: &'static str,
    /// Whether the session sent this request.
    current: bool,
    /// The source address of the login.
    #[schema(required, value_type = Option<schemas::Address>)]
    source: Option<IpAddr>,
    /// The user agent of the login.
    #[schema(required, value_type = Option<schemas::UserAgent>)]
    user_agent: Option<String>,
    /// The time of the login.
    #[schema(value_type = schemas::Instant)]
    started_at: Timestamp,
    /// The time of the last refresh; before the first refresh, the time of the login.
    #[schema(value_type = schemas::Instant)]
    refreshed_at: Timestamp,
    /// The time when the session ends unless it is refreshed before. A session cannot be refreshed beyond 90 days after
    /// the login, unless the server is set otherwise.
    #[schema(value_type = schemas::Instant)]
    expires_at: Timestamp,
    /// The time when the session was ended; null if it was not.
    #[schema(required, value_type = Option<schemas::Instant>)]
    ended_at: Option<Timestamp>,
}

impl SessionView {
    /// The session as it is at `now`, for `reader`.
    pub fn at(now: Timestamp, reader: &Principal, session: Session) -> Self {
        let state = match session.ended_at {
            Some(_) => "ended",
            None if session.is_live(now) => "live",
            None => "expired",
        };
        Self {
            session_id: session.id.0,
            account_id: session.account_id.0,
            state,
            current: reader.session_id == Some(session.id),
            source: session.source,
            user_agent: session.user_agent,
            started_at: session.started_at,
            refreshed_at: session.refreshed_at,
            expires_at: session.expires_at,
            ended_at: session.ended_at,
        }
    }

    /// The example of the documentation.
    pub fn sample() -> Value {
        let at = Timestamp::from_timestamp(1_769_860_800, 0).unwrap_or_default();
        json!(Self {
            session_id: uuid::uuid!("01975f3c-2b4e-7c10-9a31-5f0d2f9b1c04"),
            account_id: uuid::uuid!("01975f3c-2b4e-7c10-9a31-5f0d2f9b1c01"),
            state: "live",
            current: true,
            source: Some(IpAddr::from([203, 0, 113, 7])),
            user_agent: Some("Mozilla/5.0".to_owned()),
            started_at: at,
            refreshed_at: at,
            expires_at: Timestamp::from_timestamp(1_772_452_800, 0).unwrap_or_default(),
            ended_at: None,
        })
    }
}
