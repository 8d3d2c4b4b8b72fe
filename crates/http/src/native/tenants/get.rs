//! `GET /v1/tenants/{tenant_id}`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use trailkeeper_domain::usecase;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadDirectory};
use crate::extract::path;
use crate::extract::query::Query;
use crate::native::problems::{CommonProblems, NotFound};
use crate::native::schemas;
use crate::native::tenants::view::TenantView;
use crate::state::AppState;

/// Get a tenant's record.
///
/// A tenant that only events name has no record (404).
#[utoipa::path(get, path = "/v1/tenants/{tenant_id}", tag = "tenants", security(("Bearer" = [])),
    params(("tenant_id" = schemas::TenantId, Path, description = "The tenant's id.")),
    responses((status = 200, description = "The record.", body = TenantView), CommonProblems, NotFound))]
pub async fn get_tenant(
    caller: Caller<ReadDirectory, Native>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Native> {
    Query::of(&request)?.only(&[])?;
    let id = path::tenant_id(&request)?;
    let visibility = caller.principal.visibility();
    let tenant = blocking::run(&state, move |state| usecase::find_tenant(state.store(), visibility, id)).await?;
    Ok(HttpResponse::Ok().json(TenantView::from(tenant)))
}
