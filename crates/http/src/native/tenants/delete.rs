//! `DELETE /v1/tenants/{tenant_id}`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use trailkeeper_domain::usecase;

use crate::api_error::ApiResult;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, WriteDirectory};
use crate::extract::path;
use crate::extract::query::Query;
use crate::native::problems::{CommonProblems, NotFound};
use crate::native::schemas;
use crate::state::AppState;

/// Remove a tenant's record and its memberships.
///
/// Its events stay, and its creation stays counted.
#[utoipa::path(delete, path = "/v1/tenants/{tenant_id}", tag = "tenants", security(("Bearer" = [])),
    params(("tenant_id" = schemas::TenantId, Path, description = "The tenant's id. All zero and all ones are reserved.")),
    responses((status = 204, description = "The record is removed."), CommonProblems, NotFound))]
pub async fn delete_tenant(
    caller: Caller<WriteDirectory, Native>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Native> {
    Query::of(&request)?.only(&[])?;
    let id = path::tenant_id(&request)?;
    caller.principal.visibility().check(id)?;
    caller.changing(&state, move |change| usecase::delete_tenant(change, id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
