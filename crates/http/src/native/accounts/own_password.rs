//! `PUT /v1/accounts/me/password`.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::api_error::ApiResult;
use crate::audit;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Caller, Person};
use crate::native::schemas;
use crate::operation::{Body, FromBody, operation};
use crate::problems::{BodyProblems, CommonProblems, PasswordProblems};
use crate::request::{credential, origin};
use crate::state::AppState;

/// Your current password and the new one.
#[derive(ToSchema, Body)]
#[serde(deny_unknown_fields)]
#[body(name = "an object with both passwords")]
#[schema(example = OwnPasswordInput::sample)]
pub struct OwnPasswordInput {
    /// The current password.
    #[schema(value_type = schemas::Password)]
    #[body(with = credential::required)]
    current_password: String,
    /// The new password.
    #[schema(value_type = schemas::NewPassword)]
    #[body(with = credential::required)]
    new_password: String,
}

impl OwnPasswordInput {
    fn sample() -> Value {
        json!({"current_password": "aFzk7Qm2Tn9xWc4RbYhE", "new_password": "correct horse battery staple"})
    }
}

/// Change your own password.
///
/// Every role may use this operation, with the access token of a login. Your other sessions end; this one continues. A
/// wrong `current_password` is a 403 with the code `wrong_password`.
#[operation(put, "/v1/accounts/me/password", tag = "accounts", body = "Both passwords.",
    responses((status = 204, description = "The new password holds."), CommonProblems, BodyProblems, PasswordProblems))]
pub async fn change_own_password(
    caller: Caller<Person, Native>,
    FromBody(input): FromBody<OwnPasswordInput>,
    request: HttpRequest,
    state: Data<AppState>,
) -> ApiResult<Native> {
    // The use case records a wrong password as a failed change, so the 403 adds no `access_denied`.
    audit::recorded_otherwise(&request);
    let (principal, origin) = (caller.principal, origin::of(&request, &state.settings));
    blocking::run_hashing(&state, move |state| {
        let OwnPasswordInput { current_password, new_password } = input;
        state.access().change_own_password(&principal, &current_password, &new_password, &origin)
    })
    .await?;
    Ok(HttpResponse::NoContent().finish())
}
