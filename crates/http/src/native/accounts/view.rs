//! An account as readers see it, without the hash of its password.

use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_domain::account::Account;
use trailkeeper_domain::time::Timestamp;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::native::schemas;

/// An identity that may log in.
#[derive(Serialize, ToSchema)]
#[schema(example = AccountView::sample)]
pub struct AccountView {
    /// The id.
    #[schema(value_type = schemas::AccountId)]
    account_id: Uuid,
    /// The e-mail address for the login, as it was sent.
    #[schema(value_type = schemas::AccountEmail)]
    email: String,
    /// The display name.
    #[schema(value_type = schemas::DisplayName)]
    display_name: String,
    /// The role.
    #[schema(value_type = schemas::Role)]
    role: &'static str,
    /// The only tenant that it may see; null: all tenants.
    #[schema(required, value_type = Option<schemas::TenantId>)]
    tenant_id: Option<Uuid>,
    /// Whether the account is disabled. A disabled account cannot log in.
    disabled: bool,
    /// The time when the account was disabled; null if it is not disabled.
    #[schema(required, value_type = Option<schemas::Instant>)]
    disabled_at: Option<Timestamp>,
    /// The time of creation.
    #[schema(value_type = schemas::Instant)]
    created_at: Timestamp,
    /// The time of the last change. A change of the password counts.
    #[schema(value_type = schemas::Instant)]
    updated_at: Timestamp,
}

impl From<Account> for AccountView {
    fn from(account: Account) -> Self {
        Self {
            account_id: account.id.0,
            email: account.email,
            display_name: account.display_name,
            role: account.role.as_str(),
            tenant_id: account.tenant_id.map(|id| id.0),
            disabled: account.disabled_at.is_some(),
            disabled_at: account.disabled_at,
            created_at: account.created_at,
            updated_at: account.updated_at,
        }
    }
}

impl AccountView {
    /// One as the documentation shows it.
    pub fn example() -> Self {
        let at = Timestamp::from_timestamp(1_769_860_800, 0).unwrap_or_default();
        Self {
            account_id: uuid::uuid!("01975f3c-2b4e-7c10-9a31-5f0d2f9b1c01"),
            email: "jane@example.com".to_owned(),
            display_name: "Jane Doe".to_owned(),
            role: "auditor",
            tenant_id: None,
            disabled: false,
            disabled_at: None,
            created_at: at,
            updated_at: at,
        }
    }

    /// [`Self::example`] as JSON.
    pub fn sample() -> Value {
        json!(Self::example())
    }
}
