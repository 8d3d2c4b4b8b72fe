//! Readiness: whether the database can be written and has the migrations of this program.
//!
//! The check writes a row, because a full disk and a lost log fail only writes, and anybody may ask for it. So each
//! answer is reused for three seconds, and requests that come while the database is asked wait for its answer without
//! occupying a thread.

use actix_web::web::Data;
use trailkeeper_domain::Result;

use crate::blocking;
use crate::state::AppState;

/// Whether the database can serve, from an answer that is less than three seconds old.
pub async fn check(state: &Data<AppState>) -> Result<()> {
    let mut last = state.readiness().lock().await;
    // Read after the lock was taken: its previous holder may have asked meanwhile.
    if let Some(outcome) = last.fresh(state.clock().now()) {
        return outcome;
    }
    // The lock belongs to the work, not to the request: a client that disconnects does not allow a second check to run
    // at the same time.
    blocking::run(state, move |state| {
        let outcome = state.store().ready();
        last.set(state.clock().now(), outcome.clone());
        outcome
    })
    .await
}
