//! `GET /users`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde::Serialize;
use trailkeeper_domain::user::{PoolId, UserFilter};
use trailkeeper_domain::{Error, Result};
use utoipa::ToSchema;

use super::error_responses::ErrorResponses;
use super::pools::PoolChoice;
use super::user_view::UserView;
use super::{pools, values};
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Cripsa;
use crate::extract::caller::{Caller, ReadUsers};
use crate::operation::{FromQuery, QueryParams, operation};
use crate::state::AppState;

/// The largest number of pools for one e-mail address, so that the list has a bound.
const MAX_USERS: usize = 1_000;

/// The filters of the users.
#[derive(QueryParams)]
pub struct UsersByEmailParams {
    /// The user's e-mail address. Upper and lower case are the same.
    #[param(schema = values::Email, inline, example = "jane@example.com", with = pools::email)]
    email: String,
    /// Only users of this region.
    #[param(schema = values::Region, inline, example = "eu-west-1")]
    region: Option<String>,
    /// Only users of this pool.
    #[param(schema = values::UserPoolId, inline, example = "eu-west-1_aBcD12345")]
    user_pool_id: Option<PoolId>,
}

/// The users with an e-mail address.
#[derive(Serialize, ToSchema)]
pub struct Users {
    /// One user for each pool that has the e-mail address; empty if no pool has it.
    users: Vec<UserView>,
}

/// Retrieve User Details Using Email Address
///
/// Returns the users with this e-mail address, one for each user pool that has it. The list is empty if no user has it.
/// A credential that is scoped to a tenant sees only the members of the tenant.
#[operation(get, "/users", operation_id = "GetUsersByEmail", tag = "users",
    responses(
        (status = 200, description = "The users.", body = Users,
            example = json!(Users { users: vec![UserView::sample()] })),
        ErrorResponses,
    ))]
pub async fn get_users_by_email(
    caller: Caller<ReadUsers, Cripsa>,
    FromQuery(params): FromQuery<UsersByEmailParams>,
    state: Data<AppState>,
) -> ApiResult<Cripsa> {
    let PoolChoice { region, pool } = PoolChoice::of(params.region, params.user_pool_id)?;
    let filter = UserFilter::by_email(caller.principal.visibility(), &params.email, region, pool);
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
