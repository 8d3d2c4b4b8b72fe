//! `DELETE /v1/users/{user_id}`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use trailkeeper_domain::usecase;

use super::get::UserPath;
use crate::api_error::ApiResult;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, WriteUsers};
use crate::operation::{FromPath, operation};
use crate::problems::{CommonProblems, UserNotFound};
use crate::state::AppState;

/// Remove a user's record, memberships and history of attributes.
///
/// The user's events stay, and statistics keep counting the user's creation. A credential that is scoped to a tenant
/// cannot remove users (403).
#[operation(delete, "/v1/users/{user_id}", tag = "users",
    responses((status = 204, description = "The record is removed."), CommonProblems, UserNotFound))]
pub async fn delete_user(
    caller: Caller<WriteUsers, Native>,
    FromPath(path): FromPath<UserPath>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    caller.changing(&state, move |change| usecase::delete_user(change, &path.user_id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
