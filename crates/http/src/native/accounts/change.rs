//! `PATCH /v1/accounts/{account_id}`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::{Value, json};
use trailkeeper_auth::AccountChange;
use trailkeeper_domain::account::Role;
use trailkeeper_domain::id::TenantId;
use utoipa::ToSchema;

use super::get::AccountPath;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::native::accounts::view::AccountView;
use crate::native::schemas;
use crate::operation::{Body, FromBody, FromPath, Patch, operation};
use crate::problems::{AccountConflict, AccountNotFound, BodyProblems, CommonProblems};
use crate::request::credential;
use crate::state::AppState;

/// The changes of an account. A field that is left out stays as it is.
#[derive(ToSchema, Body)]
#[serde(deny_unknown_fields)]
#[body(name = "a change of an account")]
#[schema(example = AccountChangeInput::sample)]
pub struct AccountChangeInput {
    /// The e-mail address for the login. It is unique without regard to case.
    #[schema(value_type = Option<schemas::AccountEmail>)]
    #[body(expected = schemas::AN_EMAIL)]
    email: Option<String>,
    /// The display name.
    #[schema(value_type = Option<schemas::DisplayName>)]
    #[body(expected = schemas::A_NAME)]
    display_name: Option<String>,
    /// The role.
    #[schema(value_type = Option<schemas::Role>)]
    role: Option<Role>,
    /// The only tenant that it may see; null: all tenants.
    #[schema(value_type = Option<schemas::TenantId>)]
    tenant_id: Patch<TenantId>,
    /// Whether the account is disabled. A disabled account cannot log in.
    disabled: Option<bool>,
    /// The new password.
    #[schema(value_type = Option<schemas::NewPassword>)]
    #[body(with = credential::optional)]
    password: Option<String>,
}

impl AccountChangeInput {
    fn sample() -> Value {
        json!({
            "email": "jane@example.com",
            "display_name": "Jane Doe",
            "role": "analyst",
            "tenant_id": "69e732d6-8ecc-45c4-a2eb-8438f7ffe775",
            "disabled": false,
            "password": "correct horse battery staple",
        })
    }
}

impl From<AccountChangeInput> for AccountChange {
    fn from(input: AccountChangeInput) -> Self {
        let AccountChangeInput { email, display_name, role, tenant_id, disabled, password } = input;
        Self { email, display_name, role, tenant_id: tenant_id.into_option(), disabled, password }
    }
}

/// Change an account.
///
/// Null clears `tenant_id`, so that the account sees all tenants; for other fields it is the same as leaving them out.
/// A change of role, tenant or password ends the account's sessions, and so does disabling. A change cannot remove the
/// last active administrator of all tenants (409). An e-mail that another account has is a conflict (409).
#[operation(patch, "/v1/accounts/{account_id}", tag = "accounts", body = "The changed fields.",
    responses(
        (status = 200, description = "The account as it is now.", body = AccountView),
        CommonProblems, AccountNotFound, AccountConflict, BodyProblems,
    ))]
pub async fn change_account(
    caller: Caller<Administer, Native>,
    FromPath(path): FromPath<AccountPath>,
    FromBody(input): FromBody<AccountChangeInput>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let context = caller.audit_context(&state);
    let hashes = input.password.is_some();
    let work = move |state: &AppState| state.access().change_account(&context, path.account_id, input.into());
    let account = if hashes { blocking::run_hashing(&state, work).await } else { blocking::run(&state, work).await }?;
    Ok(HttpResponse::Ok().json(AccountView::from(account)))
}
