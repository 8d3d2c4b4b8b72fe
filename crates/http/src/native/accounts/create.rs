//! `POST /v1/accounts`.

use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_auth::NewAccount;
use trailkeeper_domain::account::Role;
use trailkeeper_domain::id::TenantId;
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::native::accounts::view::AccountView;
use crate::native::{schemas, secret_response};
use crate::operation::{Body, FromBody, operation};
use crate::problems::{BodyProblems, CommonProblems, EmailTaken};
use crate::request::credential;
use crate::state::AppState;

/// The account to create. Null is the same as leaving a field out.
#[derive(ToSchema, Body)]
#[serde(deny_unknown_fields)]
#[body(name = "an account")]
#[schema(example = AccountInput::sample)]
pub struct AccountInput {
    /// The e-mail address for the login. It is unique without regard to case.
    #[schema(value_type = schemas::AccountEmail)]
    #[body(expected = schemas::AN_EMAIL)]
    email: String,
    /// The display name; absent: the e-mail.
    #[schema(value_type = Option<schemas::DisplayName>)]
    #[body(expected = schemas::A_NAME)]
    display_name: Option<String>,
    /// The role.
    #[schema(value_type = schemas::Role)]
    role: Role,
    /// The only tenant that it may see; absent: all tenants.
    #[schema(value_type = Option<schemas::TenantId>)]
    tenant_id: Option<TenantId>,
    /// The password; absent: the server generates one and shows it in the answer.
    #[schema(value_type = Option<schemas::NewPassword>)]
    #[body(with = credential::optional)]
    password: Option<String>,
}

impl AccountInput {
    fn sample() -> Value {
        json!({
            "email": "jane@example.com",
            "display_name": "Jane Doe",
            "role": "auditor",
            "tenant_id": null,
            "password": "correct horse battery staple",
        })
    }

    /// The account with the password that was sent, or with `generated`.
    fn with_password(self, generated: String) -> NewAccount {
        let Self { email, display_name, role, tenant_id, password } = self;
        NewAccount { email, display_name, password: password.unwrap_or(generated), role, tenant_id }
    }
}

/// A new account.
#[derive(Serialize, ToSchema)]
#[schema(example = CreatedAccountView::sample)]
pub struct CreatedAccountView {
    /// The account.
    account: AccountView,
    /// The generated password; null if the request contained one. It is not shown again.
    #[schema(required, value_type = Option<schemas::GeneratedPassword>)]
    password: Option<String>,
}

impl CreatedAccountView {
    fn sample() -> Value {
        json!({"account": AccountView::sample(), "password": "aFzk7Qm2Tn9xWc4RbYhE"})
    }
}

/// Create an account.
///
/// A generated password is shown in this answer and never again. The owner of the account should change it with `PUT
/// /v1/accounts/me/password`. An e-mail that another account has is a conflict (409).
#[operation(post, "/v1/accounts", tag = "accounts", body = "The account.",
    responses(
        (status = 201, description = "The account is made.", body = CreatedAccountView,
            headers(("Location" = String, description = "The address of the account."))),
        CommonProblems, EmailTaken, BodyProblems,
    ))]
pub async fn create_account(
    caller: Caller<Administer, Native>,
    FromBody(input): FromBody<AccountInput>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let context = caller.audit_context(&state);
    let (account, password) = blocking::run_hashing(&state, move |state| {
        let generated = input.password.is_none().then(|| state.access().generate_password());
        let new = input.with_password(generated.clone().unwrap_or_default());
        Ok((state.access().create_account(&context, new)?, generated))
    })
    .await?;
    let location = format!("/v1/accounts/{}", account.id);
    Ok(secret_response::created(location, CreatedAccountView { account: account.into(), password }))
}
