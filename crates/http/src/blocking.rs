//! Runs synchronous work on blocking threads. Asynchronous handlers call the synchronous ports only through this
//! module.

use std::cell::Cell;
use std::future::Future;
use std::time::{Duration, Instant};

use actix_web::web::{self, Data};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use trailkeeper_domain::{Error, Result, deadline};

use crate::state::AppState;

tokio::task_local! {
    /// The time that a request has waited for the database so far.
    static WAITED: Cell<Duration>;
}

/// Handles a request, whose calls of the database share one time limit.
pub async fn limited<F: Future>(handling: F) -> F::Output {
    WAITED.scope(Cell::default(), handling).await
}

/// Awaits the commit of events, for as long as the request has time left.
pub async fn committed<T>(state: &AppState, commit: impl Future<Output = Result<T>>) -> Result<T> {
    counted(timeout(time_left(state), commit)).await.unwrap_or_else(|_elapsed| {
        let limit = state.settings.database_timeout.as_secs();
        Err(Error::unanswered_commit(format!("the events were not committed within the {limit} s of a request")))
    })
}

/// The time that the request of this task has left to wait for the database.
fn time_left(state: &AppState) -> Duration {
    let waited = WAITED.try_with(Cell::get).unwrap_or_default();
    state.settings.database_timeout.saturating_sub(waited)
}

/// Counts the time of `waiting` as time that the request waited.
async fn counted<F: Future>(waiting: F) -> F::Output {
    let started = Instant::now();
    let output = waiting.await;
    // Outside a request nothing is counted.
    let _counted = WAITED.try_with(|waited| waited.set(waited.get() + started.elapsed()));
    output
}

/// Runs an analytic question on a blocking thread, once a permit is free. Waiting for the permit occupies no thread.
///
/// The permit belongs to the work, not to the request: a client that disconnects does not free the permit while its
/// question still runs.
pub async fn run_analytic<T: Send + 'static>(
    state: &Data<AppState>,
    work: impl FnOnce(&AppState) -> Result<T> + Send + 'static,
) -> Result<T> {
    let permit = counted(state.analytics_permit()).await?;
    run_with(permit, state, work).await
}

/// Runs work that hashes a password on a blocking thread, once a permit is free, as [`run_analytic`] does.
pub async fn run_hashing<T: Send + 'static>(
    state: &Data<AppState>,
    work: impl FnOnce(&AppState) -> Result<T> + Send + 'static,
) -> Result<T> {
    let permit = counted(state.hashing_permit()).await?;
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

/// Runs `work` on a blocking thread. It waits for the database no longer than the request has time left.
///
/// The work runs to its end even if the client disconnects meanwhile, so a transaction is never left open. A panic in
/// it is an internal error of this request only.
pub async fn run<T: Send + 'static>(
    state: &Data<AppState>,
    work: impl FnOnce(&AppState) -> Result<T> + Send + 'static,
) -> Result<T> {
    let state = state.clone();
    let end = Instant::now() + time_left(&state);
    counted(web::block(move || deadline::until(end, || work(&state))))
        .await
        .unwrap_or_else(|_| Err(Error::internal("a blocking task panicked; its message is above in the log")))
}
