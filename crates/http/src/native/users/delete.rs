//! `DELETE /v1/users/{user_id}`.

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

/// Remove a user's record, memberships and history of attributes.
///
/// The user's events stay, and the creation stays counted. A credential that is confined to a tenant cannot
/// remove users (403).
#[utoipa::path(delete, path = "/v1/users/{user_id}", tag = "users", security(("Bearer" = [])),
    params(("user_id" = schemas::UserId, Path, description = "The user's id.")),
    responses((status = 204, description = "The record is removed."), CommonProblems, NotFound))]
pub async fn delete_user(
    caller: Caller<WriteDirectory, Native>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Native> {
    caller.principal.visibility().check_all_tenants()?;
    Query::of(&request)?.only(&[])?;
    let id = path::user_id(&request)?;
    caller.changing(&request, &state, move |change| usecase::delete_user(change, &id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
