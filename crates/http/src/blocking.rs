//! Runs synchronous work on blocking threads. Asynchronous handlers call the synchronous ports only through this
//! module.

use actix_web::web::{self, Data};
use tokio::sync::OwnedSemaphorePermit;
use trailkeeper_domain::{Error, Result};

use crate::state::AppState;

/// Runs an analytic question on a blocking thread, once a permit is free. Waiting for the permit occupies no thread.
///
/// The permit belongs to the work, not to the request: a client that disconnects does not free the permit while its
/// question still runs.
pub async fn run_analytic<T: Send + 'static>(
    state: &Data<AppState>,
    work: impl FnOnce(&AppState) -> Result<T> + Send + 'static,
) -> Result<T> {
    let permit = state.analytics_permit().await?;
    run_with(permit, state, work).await
}

/// Runs work that hashes a password on a blocking thread, once a permit is free, as [`run_analytic`] does.
pub async fn run_hashing<T: Send + 'static>(
    state: &Data<AppState>,
    work: impl FnOnce(&AppState) -> Result<T> + Send + 'static,
) -> Result<T> {
    let permit = state.hashing_permit().await?;
    run_with(permit, state, work).await
}

async fn run_with<T: Send + 'static>(
    permit: OwnedSemaphorePermit,
    state: &Data<AppState>,
    work: impl FnOnce(&AppState) -> Result<T> + Send + 'static,
) -> Result<T> {
    run(state, move |state| {
        let outcome = work(state);
        drop(permit);
        outcome
    })
    .await
}

/// Runs `work` on a blocking thread.
///
/// The work runs to its end even if the client disconnects meanwhile, so a transaction is never left open. A panic in
/// it is an internal error of this request only.
pub async fn run<T: Send + 'static>(
    state: &Data<AppState>,
    work: impl FnOnce(&AppState) -> Result<T> + Send + 'static,
) -> Result<T> {
    let state = state.clone();
    web::block(move || work(&state))
        .await
        .unwrap_or_else(|_| Err(Error::internal("a blocking task panicked; its message is above in the log")))
}
