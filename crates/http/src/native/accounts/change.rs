//! `PATCH /v1/accounts/{account_id}`.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_auth::AccountChange;
use trailkeeper_domain::Result;
use trailkeeper_domain::account::Role;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::json::JsonObject;
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::extract::query::Query;
use crate::extract::{credential, path};
use crate::native::accounts::view::AccountView;
use crate::native::problems::{CommonProblems, Conflict, NotFound, TooLarge};
use crate::native::{schemas, small_body};
use crate::state::AppState;

/// What to change about an account. A field that is left out stays as it is.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = AccountChangeInput::sample)]
pub struct AccountChangeInput {
    /// By which it logs in. Unique without regard to case.
    #[schema(value_type = Option<schemas::AccountEmail>)]
    email: Option<&'static str>,
    /// Its name for people.
    #[schema(value_type = Option<schemas::DisplayName>)]
    display_name: Option<&'static str>,
    /// What it may do.
    #[schema(value_type = Option<schemas::Role>)]
    role: Option<&'static str>,
    /// The one tenant it may see; null: all.
    #[schema(value_type = Option<schemas::TenantId>)]
    tenant_id: Option<&'static str>,
    /// Whether it may not log in.
    disabled: Option<bool>,
    /// Another password.
    #[schema(value_type = Option<schemas::NewPassword>)]
    password: Option<&'static str>,
}

impl AccountChangeInput {
    fn sample() -> Value {
        json!(Self {
            email: Some("jane@example.com"),
            display_name: Some("Jane Doe"),
            role: Some("analyst"),
            tenant_id: Some("69e732d6-8ecc-45c4-a2eb-8438f7ffe775"),
            disabled: Some(false),
            password: Some("correct horse battery staple"),
        })
    }
}

/// Change an account.
///
/// Null clears `tenant_id`, so that the account sees all tenants; for other fields it is the same as leaving them out.
/// Another role, tenant or password, and disabling, end the account's sessions. The last active administrator of
/// all tenants stays one (409), and so does an e-mail that another account has.
#[utoipa::path(patch, path = "/v1/accounts/{account_id}", tag = "accounts", security(("Bearer" = [])),
    params(("account_id" = schemas::AccountId, Path, description = "The account's id.")),
    request_body(content = AccountChangeInput, description = "What changes.", content_type = "application/json"),
    responses(
        (status = 200, description = "The account as it is now.", body = AccountView),
        CommonProblems, NotFound, Conflict, TooLarge,
    ))]
pub async fn change_account(
    caller: Caller<Administer, Native>,
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> ApiResult<Native> {
    Query::of(&request)?.only(&[])?;
    let id = path::account_id(&request)?;
    let change = change_of(small_body::read(&request, payload, "a change of an account").await?)?;
    let context = caller.audit_context(&state);
    let hashes = change.password.is_some();
    let work = move |state: &AppState| state.access().change_account(&context, id, change);
    let account = if hashes { blocking::run_hashing(&state, work).await } else { blocking::run(&state, work).await }?;
    Ok(HttpResponse::Ok().json(AccountView::from(account)))
}

fn change_of(mut json: JsonObject) -> Result<AccountChange> {
    let to_all_tenants = json.is_null("tenant_id");
    let tenant_id = json.parsed("tenant_id", schemas::A_UUID, TenantId::parse)?;
    let change = AccountChange {
        email: json.text("email", schemas::AN_EMAIL)?,
        display_name: json.text("display_name", schemas::A_NAME)?,
        role: json.parsed("role", schemas::A_ROLE, Role::parse)?,
        tenant_id: if to_all_tenants { Some(None) } else { tenant_id.map(Some) },
        disabled: json.boolean("disabled")?,
        password: credential::optional(&mut json, "password")?,
    };
    json.finish(&["email", "display_name", "role", "tenant_id", "disabled", "password"])?;
    Ok(change)
}
