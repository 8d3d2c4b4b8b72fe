//! `PUT /v1/tenants/{tenant_id}`.

use actix_web::web::Data;
use serde_json::{Value, json};
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::tenant::TenantDraft;
use trailkeeper_domain::time::Timestamp;
use trailkeeper_domain::usecase;
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, WriteDirectory};
use crate::native::put_response::put_response;
use crate::native::schemas;
use crate::native::tenants::view::TenantView;
use crate::operation::{Body, FromBody, FromPath, PathParams, operation};
use crate::problems::{BodyProblems, CommonProblems, TenantNotFound};
use crate::settings::MAX_BODY_BYTES;
use crate::state::AppState;

/// The tenant whose record a request changes.
#[derive(PathParams)]
pub struct ChangedTenantPath {
    /// The tenant's id. All zero and all ones are reserved.
    #[param(schema = schemas::TenantId, visible)]
    pub tenant_id: TenantId,
}

/// A tenant's record. No body is an empty record; null is the same as leaving a field out.
#[derive(ToSchema, Body)]
#[serde(deny_unknown_fields)]
#[body(name = "a tenant", parsed_as = TenantDraft, max_bytes = MAX_BODY_BYTES, optional)]
#[schema(example = TenantInput::sample)]
#[expect(dead_code, reason = "it describes what `TenantDraft` reads")]
pub struct TenantInput {
    /// The name.
    #[schema(value_type = Option<schemas::TenantName>)]
    name: Option<String>,
    /// The time of creation, for backfill; absent: unchanged, or now for a new tenant. At most 10 minutes in the
    /// future.
    #[schema(value_type = Option<schemas::Instant>)]
    created_at: Option<Timestamp>,
}

impl TenantInput {
    fn sample() -> Value {
        json!({"name": "Example Ltd", "created_at": "2026-01-31T12:00:00Z"})
    }
}

/// Create or replace a tenant's record.
///
/// The first time, and each time after a deletion, the tenant counts as created at `created_at`. A
/// `created_at` sent later corrects the time of that creation.
#[operation(put, "/v1/tenants/{tenant_id}", tag = "tenants", body = "The whole record.",
    responses(
        (status = 200, description = "The record replaced the one before.", body = TenantView),
        (status = 201, description = "The record is new.", body = TenantView),
        CommonProblems, TenantNotFound, BodyProblems,
    ))]
pub async fn put_tenant(
    caller: Caller<WriteDirectory, Native>,
    FromPath(path): FromPath<ChangedTenantPath>,
    FromBody(draft): FromBody<TenantInput>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let (tenant, put) =
        caller.changing(&state, move |change| usecase::put_tenant(change, path.tenant_id, &draft)).await?;
    Ok(put_response(put, TenantView::from(tenant)))
}
