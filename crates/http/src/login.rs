//! The login of every contract that has one.

use actix_web::web::Data;
use trailkeeper_auth::{LoggedIn, Origin};
use trailkeeper_domain::Result;

use crate::blocking;
use crate::state::AppState;

/// Checks a name and its password, and starts a session.
///
/// Attempts for the same name from the same source run one after the other. Before an attempt waits for a thread to
/// hash the password, it is rejected if the delays of earlier failures forbid it, so that a storm of forbidden attempts
/// does not block others. An attempt that is still being hashed does not cause a rejection: it may succeed.
pub async fn log_in(state: &Data<AppState>, username: String, password: String, origin: Origin) -> Result<LoggedIn> {
    let lock = match state.access().login_lock_key(&username, &origin) {
        Some(key) => Some(state.login_locks().lock(key).await?),
        None => None,
    };
    let (username, origin) = blocking::run(state, move |state| {
        state.access().check_login(&username, &origin)?;
        Ok((username, origin))
    })
    .await?;
    blocking::run_hashing(state, move |state| {
        let outcome = state.access().login(&username, &password, &origin);
        // Released when the work ends, not when the request does: a client that disconnects does not free the lock
        // while its password is still being hashed.
        drop(lock);
        outcome
    })
    .await
}
