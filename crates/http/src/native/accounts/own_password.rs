//! `PUT /v1/accounts/me/password`.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::audit;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, Person};
use crate::extract::query::Query;
use crate::extract::{credential, origin};
use crate::native::problems::{CommonProblems, TooLarge};
use crate::native::{schemas, small_body};
use crate::state::AppState;

/// Your password, and the one that shall take its place.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = OwnPasswordInput::sample)]
pub struct OwnPasswordInput {
    /// The password until now.
    #[schema(value_type = schemas::Password)]
    current_password: &'static str,
    /// The password from now on.
    #[schema(value_type = schemas::NewPassword)]
    new_password: &'static str,
}

impl OwnPasswordInput {
    fn sample() -> Value {
        json!(Self { current_password: "aFzk7Qm2Tn9xWc4RbYhE", new_password: "correct horse battery staple" })
    }
}

/// Change your own password.
///
/// Of any role, with the access token of a login. Your other sessions end, this one goes on. A wrong
/// `current_password` is a 403 with the code `wrong_password`.
#[utoipa::path(put, path = "/v1/accounts/me/password", tag = "accounts", security(("Bearer" = [])),
    request_body(content = OwnPasswordInput, description = "Both passwords.", content_type = "application/json"),
    responses((status = 204, description = "The new password holds."), CommonProblems, TooLarge))]
pub async fn change_own_password(
    caller: Caller<Person, Native>,
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> ApiResult<Native> {
    Query::of(&request)?.only(&[])?;
    let mut json = small_body::read(&request, payload, "an object with both passwords").await?;
    let current = credential::required(&mut json, "current_password")?;
    let new = credential::required(&mut json, "new_password")?;
    json.finish(&["current_password", "new_password"])?;
    // A wrong password is an event of its own, and no refusal besides.
    audit::recorded_by_use_case(&request);
    let (principal, origin) = (caller.principal, origin::of(&request, &state.settings));
    blocking::run_hashing(&state, move |state| state.access().change_own_password(&principal, &current, &new, &origin))
        .await?;
    Ok(HttpResponse::NoContent().finish())
}
