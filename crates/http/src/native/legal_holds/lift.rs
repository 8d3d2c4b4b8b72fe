//! `DELETE /v1/legal-holds/{hold_id}`.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::get::HoldPath;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::operation::{FromPath, operation};
use crate::problems::{CommonProblems, HoldNotFound};
use crate::state::AppState;

/// Lift a legal hold.
///
/// Events that no other hold keeps may be removed from then on.
#[operation(delete, "/v1/legal-holds/{hold_id}", tag = "retention",
    responses((status = 204, description = "The hold is lifted."), CommonProblems, HoldNotFound))]
pub async fn lift_legal_hold(
    caller: Caller<Administer, Native>,
    FromPath(path): FromPath<HoldPath>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let context = caller.audit_context(&state);
    blocking::run(&state, move |state| state.access().retention(&context).lift_hold(path.hold_id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
