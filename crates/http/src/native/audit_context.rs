//! Who changes something, and from where, for the server's own trail.

use actix_web::HttpRequest;
use trailkeeper_auth::{AuditContext, Principal};

use crate::extract::origin;
use crate::state::AppState;

/// The change that `request` asks for, as the trail tells of it.
pub fn of_caller(principal: &Principal, request: &HttpRequest, state: &AppState) -> AuditContext {
    AuditContext { actor: principal.actor(), origin: origin::of(request, &state.settings) }
}
