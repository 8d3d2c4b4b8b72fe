//! An API token as administrators see it, without the hash of the token itself.

use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_domain::account::ApiToken;
use trailkeeper_domain::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::native::schemas;

/// An API token.
#[derive(Serialize, ToSchema)]
#[schema(example = TokenView::sample)]
pub struct TokenView {
    /// The id.
    #[schema(value_type = schemas::CredentialId)]
    token_id: Uuid,
    /// The display name.
    #[schema(value_type = schemas::CredentialName)]
    name: String,
    /// The role.
    #[schema(value_type = schemas::Role)]
    role: &'static str,
    /// The only tenant that it may see; null: all tenants.
    #[schema(required, value_type = Option<schemas::TenantId>)]
    tenant_id: Option<Uuid>,
    /// The state of the token.
    #[schema(value_type = schemas::TokenState)]
    state: &'static str,
    /// The time of creation.
    #[schema(value_type = schemas::Instant)]
    created_at: Timestamp,
    /// The time when the token expires; null: never.
    #[schema(required, value_type = Option<schemas::Instant>)]
    expires_at: Option<Timestamp>,
    /// The time of the token's last use, to the minute; null if it was never used.
    #[schema(required, value_type = Option<schemas::Instant>)]
    last_used_at: Option<Timestamp>,
    /// The time of the revocation; null if it is not revoked.
    #[schema(required, value_type = Option<schemas::Instant>)]
    revoked_at: Option<Timestamp>,
}

impl TokenView {
    /// The token as it is at `now`.
    pub fn at(now: Timestamp, token: ApiToken) -> Self {
        let expired = token.expires_at.is_some_and(|end| end <= now);
        let state = match token.revoked_at {
            Some(_) => "revoked",
            None if expired => "expired",
            None => "active",
        };
        Self {
            token_id: token.id.0,
            name: token.name,
            role: token.role.as_str(),
            tenant_id: token.tenant_id.map(|id| id.0),
            state,
            created_at: token.created_at,
            expires_at: token.expires_at,
            last_used_at: token.last_used_at,
            revoked_at: token.revoked_at,
        }
    }

    /// The example of the documentation.
    pub fn sample() -> Value {
        let at = Timestamp::from_timestamp(1_769_860_800, 0).unwrap_or_default();
        json!(Self {
            token_id: uuid::uuid!("01975f3c-2b4e-7c10-9a31-5f0d2f9b1c02"),
            name: "billing".to_owned(),
            role: "ingest",
            tenant_id: None,
            state: "active",
            created_at: at,
            expires_at: None,
            last_used_at: Some(at),
            revoked_at: None,
        })
    }
}
