//! `DELETE /v1/tenants/{tenant_id}`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use trailkeeper_domain::usecase;

use super::put::ChangedTenantPath;
use crate::api_error::ApiResult;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, WriteDirectory};
use crate::operation::{FromPath, operation};
use crate::problems::{CommonProblems, TenantNotFound};
use crate::state::AppState;

/// Remove a tenant's record and its memberships.
///
/// The tenant's events stay, and statistics keep counting its creation.
#[operation(delete, "/v1/tenants/{tenant_id}", tag = "tenants",
    responses((status = 204, description = "The record is removed."), CommonProblems, TenantNotFound))]
pub async fn delete_tenant(
    caller: Caller<WriteDirectory, Native>,
    FromPath(path): FromPath<ChangedTenantPath>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    caller.changing(&state, move |change| usecase::delete_tenant(change, path.tenant_id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
