//! The one place that crosses from asynchronous handlers to synchronous ports.

use actix_web::web::{self, Data};
use tokio::sync::OwnedSemaphorePermit;
use trailkeeper_domain::{Error, Result};

use crate::state::AppState;

/// Runs `work`, which answers an analytic question, on a blocking thread, when it is its turn: only so many run at
/// once, and who waits holds no thread.
///
/// The place is the work's, not the request's: a client that goes away does not make room for another question while
/// its own is still being answered.
pub async fn run_analytic<T: Send + 'static>(
    state: &Data<AppState>,
    work: impl FnOnce(&AppState) -> Result<T> + Send + 'static,
) -> Result<T> {
    let place = state.analytics_permit().await?;
    run_in(place, state, work).await
}

/// Runs `work`, which hashes a password, on a blocking thread, when it is its turn; as [`run_analytic`] does.
pub async fn run_hashing<T: Send + 'static>(
    state: &Data<AppState>,
    work: impl FnOnce(&AppState) -> Result<T> + Send + 'static,
) -> Result<T> {
    let place = state.hashing_permit().await?;
    run_in(place, state, work).await
}

async fn run_in<T: Send + 'static>(
    place: OwnedSemaphorePermit,
    state: &Data<AppState>,
    work: impl FnOnce(&AppState) -> Result<T> + Send + 'static,
) -> Result<T> {
    run(state, move |state| {
        let answer = work(state);
        drop(place);
        answer
    })
    .await
}

/// Runs `work` on a blocking thread.
///
/// It runs to its end even when the client goes away meanwhile, so a transaction is never left open.
/// A panic in it is an internal error of this one request.
pub async fn run<T: Send + 'static>(
    state: &Data<AppState>,
    work: impl FnOnce(&AppState) -> Result<T> + Send + 'static,
) -> Result<T> {
    let state = state.clone();
    web::block(move || work(&state))
        .await
        .unwrap_or_else(|_| Err(Error::internal("a blocking task panicked; its message is above in the log")))
}
