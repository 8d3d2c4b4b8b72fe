//! `GET /v1/tenants/{tenant_id}`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use trailkeeper_domain::id::TenantId;
use trailkeeper_domain::usecase;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadDirectory};
use crate::native::schemas;
use crate::native::tenants::view::TenantView;
use crate::operation::{FromPath, PathParams, operation};
use crate::problems::{CommonProblems, TenantNotFound};
use crate::state::AppState;

/// The tenant that a path names.
#[derive(PathParams)]
pub struct TenantPath {
    /// The tenant's id.
    #[param(schema = schemas::TenantId)]
    pub tenant_id: TenantId,
}

/// Get a tenant's record.
///
/// A tenant that appears only in events has no record (404).
#[operation(get, "/v1/tenants/{tenant_id}", tag = "tenants",
    responses((status = 200, description = "The record.", body = TenantView), CommonProblems, TenantNotFound))]
pub async fn get_tenant(
    caller: Caller<ReadDirectory, Native>,
    FromPath(path): FromPath<TenantPath>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let visibility = caller.principal.visibility();
    let tenant =
        blocking::run(&state, move |state| usecase::find_tenant(state.store(), visibility, path.tenant_id)).await?;
    Ok(HttpResponse::Ok().json(TenantView::from(tenant)))
}
