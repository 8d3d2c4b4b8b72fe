//! `PUT /v1/tenants/{tenant_id}/users/{user_id}`.

use actix_web::HttpRequest;
use actix_web::web::{Data, Payload};
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_domain::Result;
use trailkeeper_domain::json::{A_TIME, JsonObject};
use trailkeeper_domain::time::{self, Timestamp};
use trailkeeper_domain::usecase;
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, WriteDirectory};
use crate::extract::query::Query;
use crate::extract::{body, path};
use crate::native::memberships::view::MembershipView;
use crate::native::problems::{CommonProblems, NotFound, TooLarge};
use crate::native::put_response::put_response;
use crate::native::schemas;
use crate::settings::MAX_BODY_BYTES;
use crate::state::AppState;

/// A membership. No body is the same as an empty object; null is the same as leaving the field out.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = MembershipInput::sample)]
pub struct MembershipInput {
    /// Since when, for backfill; absent: unchanged, or now for a new one. At most 10 minutes in the future.
    #[schema(value_type = Option<schemas::Instant>)]
    created_at: Option<&'static str>,
}

impl MembershipInput {
    fn sample() -> Value {
        json!(Self { created_at: Some("2026-01-31T12:00:00Z") })
    }
}

/// Make a user a member of a tenant, or correct since when.
///
/// Neither needs a record: records may come later. The first time, and each time after a deletion, the
/// membership counts as created at `created_at`. A credential that is confined to a tenant corrects memberships
/// and makes none (403): a member's record shows.
#[utoipa::path(put, path = "/v1/tenants/{tenant_id}/users/{user_id}", tag = "memberships", security(("Bearer" = [])),
    params(
        ("tenant_id" = schemas::TenantId, Path, description = "The tenant's id. All zero and all ones are reserved."),
        ("user_id" = schemas::UserId, Path, description = "The user's id."),
    ),
    request_body(content = MembershipInput, description = "The membership.", content_type = "application/json"),
    responses(
        (status = 200, description = "The membership replaced the one before.", body = MembershipView),
        (status = 201, description = "The membership is new.", body = MembershipView),
        CommonProblems, NotFound, TooLarge,
    ))]
pub async fn put_membership(
    caller: Caller<WriteDirectory, Native>,
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> ApiResult<Native> {
    Query::of(&request)?.only(&[])?;
    let (tenant, user) = (path::tenant_id(&request)?, path::user_id(&request)?);
    caller.principal.visibility().check(tenant)?;
    let tenant_scoped = caller.principal.tenant_id.is_some();
    body::must_be_json(&request)?;
    let created_at = created_at_of(&body::read(&request, payload, MAX_BODY_BYTES).await?)?;
    let put = if tenant_scoped { usecase::correct_membership } else { usecase::put_membership };
    let (membership, put) = caller.changing(&state, move |change| put(change, tenant, &user, created_at)).await?;
    Ok(put_response(put, MembershipView::from(membership)))
}

fn created_at_of(body: &[u8]) -> Result<Option<Timestamp>> {
    if body.trim_ascii().is_empty() {
        return Ok(None);
    }
    let mut json = JsonObject::parse("a membership", body)?;
    let created_at = json.parsed("created_at", A_TIME, time::parse_rfc3339)?;
    json.finish(&["created_at"])?;
    Ok(created_at)
}
