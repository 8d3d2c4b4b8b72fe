//! `GET /v1/users/{user_id}`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use trailkeeper_domain::usecase;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadUsers};
use crate::extract::path;
use crate::extract::query::Query;
use crate::native::problems::{CommonProblems, NotFound};
use crate::native::schemas;
use crate::native::users::view::UserView;
use crate::state::AppState;

/// Get a user's record.
///
/// A user whom only events name has no record (404). A credential that is confined to a tenant sees its
/// members alone.
#[utoipa::path(get, path = "/v1/users/{user_id}", tag = "users", security(("Bearer" = [])),
    params(("user_id" = schemas::UserId, Path, description = "The user's id.")),
    responses((status = 200, description = "The record.", body = UserView), CommonProblems, NotFound))]
pub async fn get_user(
    caller: Caller<ReadUsers, Native>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Native> {
    Query::of(&request)?.only(&[])?;
    let id = path::user_id(&request)?;
    let visibility = caller.principal.visibility();
    let user = blocking::run(&state, move |state| usecase::find_user(state.store(), visibility, &id)).await?;
    Ok(HttpResponse::Ok().json(UserView::from(user)))
}
