//! The one place that crosses from asynchronous handlers to synchronous ports.

use actix_web::web::{self, Data};
use trailkeeper_domain::{Error, Result};

use crate::state::AppState;

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
