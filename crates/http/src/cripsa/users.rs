//! `GET /users`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use trailkeeper_domain::{Error, Result};
use utoipa::ToSchema;

use super::error_responses::ErrorResponses;
use super::user_view::UserView;
use super::{pools, values};
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Cripsa;
use crate::extract::caller::{Caller, ReadUsers};
use crate::extract::query::Query;
use crate::state::AppState;

/// In how many pools one e-mail address may be, for the list to have a bound.
const MAX_USERS: usize = 1_000;

/// The users with an e-mail address.
#[derive(Serialize, ToSchema)]
pub struct Users {
    /// One for each pool that has it; empty where none has.
    users: Vec<UserView>,
}

/// Retrieve User Details Using Email Address
///
/// The users with this e-mail address, one for each user pool that has it. The list is empty where
/// nobody has it. With a credential that is confined to a tenant: its members alone.
#[utoipa::path(
    get, path = "/users", operation_id = "GetUsersByEmail", tag = "users",
    params(
        ("email" = inline(values::Email), Query, description = "The user's e-mail address, in any case.",
            example = "jane@example.com"),
        ("region" = inline(Option<values::Region>), Query, description = "Only users of this region.",
            example = "eu-west-1"),
        ("user_pool_id" = inline(Option<values::UserPoolId>), Query, description = "Only users of this pool.",
            example = "eu-west-1_aBcD12345"),
    ),
    responses(
        (status = 200, description = "The users.", body = Users,
            example = json!(Users { users: vec![UserView::sample()] })),
        ErrorResponses,
    ),
    security(("Bearer" = [])),
)]
pub async fn get(caller: Caller<ReadUsers, Cripsa>, request: HttpRequest, state: Data<AppState>) -> ApiResult<Cripsa> {
    let query = Query::of(&request)?.only(&["email", "region", "user_pool_id"])?;
    let filter = pools::users_named(&query, caller.principal.visibility())?;
    let found =
        blocking::run(&state, move |state| state.store().reading(|tx| tx.users(&filter, None, MAX_USERS + 1))).await?;
    let users = within_bound(found)?.into_iter().map(UserView::from).collect();
    Ok(HttpResponse::Ok().json(Users { users }))
}

fn within_bound<T>(found: Vec<T>) -> Result<Vec<T>> {
    if found.len() > MAX_USERS {
        let detail = format!("is in more than {MAX_USERS} user pools; add region or user_pool_id");
        return Err(Error::invalid("email", detail));
    }
    Ok(found)
}
