//! `GET /v1/legal-holds/{hold_id}`.

use actix_web::HttpResponse;
use actix_web::web::Data;
use trailkeeper_domain::id::LegalHoldId;

use crate::api_error::ApiResult;
use crate::blocking;
use crate::error_formats::Native;
use crate::extract::caller::{Administer, Caller};
use crate::native::legal_holds::view::HoldView;
use crate::native::schemas;
use crate::operation::{FromPath, PathParams, operation};
use crate::problems::{CommonProblems, HoldNotFound};
use crate::state::AppState;

/// The hold that a path names.
#[derive(PathParams)]
pub struct HoldPath {
    /// The hold's id.
    #[param(schema = schemas::LegalHoldId)]
    pub hold_id: LegalHoldId,
}

/// Get a legal hold.
#[operation(get, "/v1/legal-holds/{hold_id}", tag = "retention",
    responses((status = 200, description = "The hold.", body = HoldView), CommonProblems, HoldNotFound))]
pub async fn get_legal_hold(
    _: Caller<Administer, Native>,
    FromPath(path): FromPath<HoldPath>,
    state: Data<AppState>,
) -> ApiResult<Native> {
    let hold = blocking::run(&state, move |state| state.access().legal_hold(path.hold_id)).await?;
    Ok(HttpResponse::Ok().json(HoldView::from(hold)))
}
