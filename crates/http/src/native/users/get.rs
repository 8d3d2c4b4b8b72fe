//! `GET /v1/users/{user_id}`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use trailkeeper_domain::id::UserId;
use trailkeeper_domain::usecase;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, ReadUsers};
use crate::native::schemas;
use crate::native::users::view::UserView;
use crate::operation::{FromPath, PathParams, operation};
use crate::problems::{CommonProblems, UserNotFound};
use crate::state::AppState;

/// The user that a path names.
#[derive(PathParams)]
pub struct UserPath {
    /// The user's id.
    #[param(schema = schemas::UserId)]
    pub user_id: UserId,
}

/// Get a user's record.
///
/// A user who appears only in events has no record (404). A credential that is scoped to a tenant sees only the members
/// of that tenant.
#[operation(get, "/v1/users/{user_id}", tag = "users",
    responses((status = 200, description = "The record.", body = UserView), CommonProblems, UserNotFound))]
pub async fn get_user(
    caller: Caller<ReadUsers, Native>,
    FromPath(path): FromPath<UserPath>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let visibility = caller.principal.visibility();
    let user = blocking::run(&state, move |state| usecase::find_user(state.store(), visibility, &path.user_id)).await?;
    Ok(HttpResponse::Ok().json(UserView::from(user)))
}
