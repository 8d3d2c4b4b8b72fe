//! `POST /v1/accounts`.

use actix_web::HttpRequest;
use actix_web::web::{Data, Payload};
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_auth::NewAccount;
use trailkeeper_domain::Result;
use trailkeeper_domain::account::Role;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::json::JsonObject;
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::extract::credential;
use crate::extract::query::Query;
use crate::native::accounts::view::AccountView;
use crate::native::problems::{CommonProblems, Conflict, TooLarge};
use crate::native::{schemas, secret_response, small_body};
use crate::state::AppState;

/// An account to be made. Null is the same as leaving a field out.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = AccountInput::sample)]
pub struct AccountInput {
    /// By which it logs in. Unique without regard to case.
    #[schema(value_type = schemas::AccountEmail)]
    email: &'static str,
    /// Its name for people; absent: the e-mail.
    #[schema(value_type = Option<schemas::DisplayName>)]
    display_name: Option<&'static str>,
    /// What it may do.
    #[schema(value_type = schemas::Role)]
    role: &'static str,
    /// The one tenant it may see; absent: all.
    #[schema(value_type = Option<schemas::TenantId>)]
    tenant_id: Option<&'static str>,
    /// Absent: one is generated, and shown in the answer.
    #[schema(value_type = Option<schemas::NewPassword>)]
    password: Option<&'static str>,
}

impl AccountInput {
    fn sample() -> Value {
        json!(Self {
            email: "jane@example.com",
            display_name: Some("Jane Doe"),
            role: "auditor",
            tenant_id: None,
            password: Some("correct horse battery staple"),
        })
    }
}

/// A new account.
#[derive(Serialize, ToSchema)]
#[schema(example = CreatedAccountView::sample)]
pub struct CreatedAccountView {
    /// The account.
    account: AccountView,
    /// The password that was generated; null where one was sent. It is not shown again.
    #[schema(required, value_type = Option<schemas::GeneratedPassword>)]
    password: Option<String>,
}

impl CreatedAccountView {
    fn sample() -> Value {
        json!({"account": AccountView::sample(), "password": "aFzk7Qm2Tn9xWc4RbYhE"})
    }
}

/// Make an account.
///
/// A password that was generated is shown in this answer and never again; its owner should change it with
/// `PUT /v1/accounts/me/password`. An e-mail that another account has is a conflict (409).
#[utoipa::path(post, path = "/v1/accounts", tag = "accounts", security(("Bearer" = [])),
    request_body(content = AccountInput, description = "The account.", content_type = "application/json"),
    responses(
        (status = 201, description = "The account is made.", body = CreatedAccountView,
            headers(("Location" = String, description = "Where the account is."))),
        CommonProblems, Conflict, TooLarge,
    ))]
pub async fn create_account(
    caller: Caller<Administer, Native>,
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> ApiResult<Native> {
    Query::of(&request)?.only(&[])?;
    let draft = Draft::take_from(small_body::read(&request, payload, "an account").await?)?;
    let context = caller.audit_context(&state);
    let (account, password) = blocking::run_hashing(&state, move |state| {
        let generated = draft.password.is_none().then(|| state.access().generate_password());
        let new = draft.with_password(generated.clone().unwrap_or_default());
        Ok((state.access().create_account(&context, new)?, generated))
    })
    .await?;
    let location = format!("/v1/accounts/{}", account.id);
    Ok(secret_response::created(location, CreatedAccountView { account: account.into(), password }))
}

/// What was sent.
struct Draft {
    email: String,
    display_name: Option<String>,
    role: Role,
    tenant_id: Option<TenantId>,
    password: Option<String>,
}

impl Draft {
    fn take_from(mut json: JsonObject) -> Result<Self> {
        let draft = Self {
            email: json.required("email", schemas::AN_EMAIL, JsonObject::text)?,
            display_name: json.text("display_name", schemas::A_NAME)?,
            role: json.required_parsed("role", schemas::A_ROLE, Role::parse)?,
            tenant_id: json.parsed("tenant_id", schemas::A_UUID, TenantId::parse)?,
            password: credential::optional(&mut json, "password")?,
        };
        json.finish(&["email", "display_name", "role", "tenant_id", "password"])?;
        Ok(draft)
    }

    /// The account with the password that was sent, or `generated`.
    fn with_password(self, generated: String) -> NewAccount {
        let Self { email, display_name, role, tenant_id, password } = self;
        NewAccount { email, display_name, password: password.unwrap_or(generated), role, tenant_id }
    }
}
