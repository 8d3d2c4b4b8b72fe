//! Logins, for every contract that has them.

use actix_web::web::Data;
use trailkeeper_auth::{LoggedIn, Origin};
use trailkeeper_domain::Result;

use crate::blocking;
use crate::state::AppState;

/// Checks a name and its password, and begins a session, when it is this login's turn.
///
/// An attempt that has to wait for the delays of failed ones is refused before it waits for its turn to be hashed: a
/// storm of them does not keep others from theirs. But it is not refused for an attempt of the same name and source
/// that is still being hashed: that may succeed.
pub async fn log_in(state: &Data<AppState>, username: String, password: String, origin: Origin) -> Result<LoggedIn> {
    let lock = match state.access().login_lock_key(&username, &origin) {
        Some(key) => Some(state.logins().lock(key).await?),
        None => None,
    };
    let (username, origin) = blocking::run(state, move |state| {
        state.access().check_login(&username, &origin)?;
        Ok((username, origin))
    })
    .await?;
    blocking::run_hashing(state, move |state| {
        let outcome = state.access().login(&username, &password, &origin);
        // The turn is the work's, not the request's, as its place is.
        drop(lock);
        outcome
    })
    .await
}
