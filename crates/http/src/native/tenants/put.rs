//! `PUT /v1/tenants/{tenant_id}`.

use actix_web::HttpRequest;
use actix_web::web::{Data, Payload};
use serde::Serialize;
use serde_json::{Value, json};
use trailkeeper_domain::Result;
use trailkeeper_domain::json::JsonObject;
use trailkeeper_domain::tenant::TenantDraft;
use trailkeeper_domain::usecase;
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, WriteDirectory};
use crate::extract::query::Query;
use crate::extract::{body, path};
use crate::native::problems::{CommonProblems, NotFound, TooLarge};
use crate::native::put_response::put_response;
use crate::native::schemas;
use crate::native::tenants::view::TenantView;
use crate::settings::MAX_BODY_BYTES;
use crate::state::AppState;

/// A tenant's record. No body is an empty record; null is the same as leaving a field out.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = TenantInput::sample)]
pub struct TenantInput {
    /// Its name.
    #[schema(value_type = Option<schemas::TenantName>)]
    name: Option<&'static str>,
    /// When it came to be, for backfill; absent: unchanged, or now for a new one. At most 10 minutes in the future.
    #[schema(value_type = Option<schemas::Instant>)]
    created_at: Option<&'static str>,
}

impl TenantInput {
    fn sample() -> Value {
        json!(Self { name: Some("Example Ltd"), created_at: Some("2026-01-31T12:00:00Z") })
    }
}

/// Create or replace a tenant's record.
///
/// The first time, and each time after a deletion, the tenant counts as created at `created_at`. A
/// `created_at` sent later corrects the time of that creation.
#[utoipa::path(put, path = "/v1/tenants/{tenant_id}", tag = "tenants", security(("Bearer" = [])),
    params(("tenant_id" = schemas::TenantId, Path, description = "The tenant's id. All zero and all ones are reserved.")),
    request_body(content = TenantInput, description = "The whole record.", content_type = "application/json"),
    responses(
        (status = 200, description = "The record replaced the one before.", body = TenantView),
        (status = 201, description = "The record is new.", body = TenantView),
        CommonProblems, NotFound, TooLarge,
    ))]
pub async fn put_tenant(
    caller: Caller<WriteDirectory, Native>,
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> ApiResult<Native> {
    Query::of(&request)?.only(&[])?;
    let id = path::tenant_id(&request)?;
    caller.principal.visibility().check(id)?;
    body::must_be_json(&request)?;
    let draft = draft_of(&body::read(&request, payload, MAX_BODY_BYTES).await?)?;
    let (tenant, put) = caller.changing(&state, move |change| usecase::put_tenant(change, id, &draft)).await?;
    Ok(put_response(put, TenantView::from(tenant)))
}

fn draft_of(body: &[u8]) -> Result<TenantDraft> {
    if body.trim_ascii().is_empty() {
        return Ok(TenantDraft::default());
    }
    let mut json = JsonObject::parse("a tenant", body)?;
    let draft = TenantDraft::take_from(&mut json)?;
    json.finish(&TenantDraft::FIELDS)?;
    Ok(draft)
}
