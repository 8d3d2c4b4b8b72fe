//! A signing key as administrators see it, without its sealed secret.

use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_domain::account::SigningKey;
use trailkeeper_domain::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::native::schemas;

/// A signing key.
#[derive(Serialize, ToSchema)]
#[schema(example = SigningKeyView::sample)]
pub struct SigningKeyView {
    /// The id.
    #[schema(value_type = schemas::CredentialId)]
    signing_key_id: Uuid,
    /// The display name.
    #[schema(value_type = schemas::CredentialName)]
    name: String,
    /// The value of `SaaSID` in the header.
    saas_id: String,
    /// The value of `APIKey` in the header.
    api_key: String,
    /// The only tenant that it may see; null: all tenants.
    #[schema(required, value_type = Option<schemas::TenantId>)]
    tenant_id: Option<Uuid>,
    /// The state of the key.
    #[schema(value_type = schemas::SigningKeyState)]
    state: &'static str,
    /// The time of creation.
    #[schema(value_type = schemas::Instant)]
    created_at: Timestamp,
    /// The time of the revocation; null if it is not revoked.
    #[schema(required, value_type = Option<schemas::Instant>)]
    revoked_at: Option<Timestamp>,
}

impl From<SigningKey> for SigningKeyView {
    fn from(key: SigningKey) -> Self {
        Self {
            signing_key_id: key.id.0,
            name: key.name,
            saas_id: key.saas_id,
            api_key: key.api_key,
            tenant_id: key.tenant_id.map(|id| id.0),
            state: if key.revoked_at.is_some() { "revoked" } else { "active" },
            created_at: key.created_at,
            revoked_at: key.revoked_at,
        }
    }
}

impl SigningKeyView {
    /// The example of the documentation.
    pub fn sample() -> Value {
        json!(Self {
            signing_key_id: uuid::uuid!("01975f3c-2b4e-7c10-9a31-5f0d2f9b1c03"),
            name: "shop".to_owned(),
            saas_id: "saas_EXAMPLEexample00".to_owned(),
            api_key: "ak_EXAMPLEexampleEXAMPLEexample0000".to_owned(),
            tenant_id: None,
            state: "active",
            created_at: Timestamp::from_timestamp(1_769_860_800, 0).unwrap_or_default(),
            revoked_at: None,
        })
    }
}
