//! `DELETE /v1/retention/rules/{rule_id}`.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::get::RulePath;
use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::operation::{FromPath, operation};
use crate::problems::{CommonProblems, RuleNotFound};
use crate::state::AppState;

/// Remove a rule of retention.
///
/// What it has removed stays removed, and is not accepted again.
#[operation(delete, "/v1/retention/rules/{rule_id}", tag = "retention",
    responses((status = 204, description = "The rule is removed."), CommonProblems, RuleNotFound))]
pub async fn remove_retention_rule(
    caller: Caller<Administer, Native>,
    FromPath(path): FromPath<RulePath>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let context = caller.audit_context(&state);
    blocking::run(&state, move |state| state.access().retention(&context).remove_rule(path.rule_id)).await?;
    Ok(HttpResponse::NoContent().finish())
}
